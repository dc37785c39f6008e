"""What holds for every format: the same report gives the same bytes, one customer's file tells of no other, and the work grows with the report, no faster."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.evenport.sip.plugins.plugin_utils.report.junit import junit
from ansible_collections.evenport.sip.plugins.plugin_utils.report.markdown import markdown
from ansible_collections.evenport.sip.plugins.plugin_utils.report.select import fail_on, only_sites, where
from ansible_collections.evenport.sip.plugins.plugin_utils.report.tables import findings_csv, lines_csv
from ansible_collections.evenport.sip.plugins.plugin_utils.report.terminal import report_lines
from ansible_collections.evenport.sip.plugins.plugin_utils.report.trend import with_trend
from tests.unit.plugins.plugin_utils.report.sample import sample_report, site_name

CHECKOUT = Path(__file__).parents[5]
FORMATS = {
    "lines_csv": lines_csv, "findings_csv": findings_csv, "junit": junit, "markdown": markdown, "terminal": lambda report: "\n".join(report_lines(report)),
}
WORK = {
    **FORMATS, "trend": lambda report: with_trend(report, report), "fail_on": lambda report: fail_on(["error", "new"], report),
    "where": lambda report: where("sites[].findings[?severity=='error'].phone[]", report),
    "only_sites": lambda report: only_sites(report, [site["site"] for site in report["sites"]]),
}
HASHES = """
import hashlib, sys
from tests.unit.plugins.plugin_utils.report.test_report_formats import FORMATS, sample_report
print({name: hashlib.sha256(render(sample_report()).encode()).hexdigest() for name, render in FORMATS.items()})
"""


@pytest.mark.parametrize("name", FORMATS)
def test_the_report_stays_as_it_is_and_gives_the_same_bytes(name):
    report = sample_report()
    before = copy.deepcopy(report)
    text = FORMATS[name](report)
    assert report == before
    assert FORMATS[name](json.loads(json.dumps(report))) == text
    text.encode()


def test_other_processes_write_the_same_bytes():
    """The order of a set differs from process to process."""
    told = {subprocess.run([sys.executable, "-c", HASHES], env={"PYTHONPATH": str(CHECKOUT), "PYTHONHASHSEED": seed},
                           cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout
            for seed in ("1", "2")}
    assert len(told) == 1


@pytest.mark.parametrize("name", FORMATS)
def test_one_sites_file_tells_of_no_other(name):
    report = sample_report(5, 40)
    whole = FORMATS[name](report)
    others = [one.rpartition("_")[0] for one in map(site_name, range(5))]
    spellings = [[other, other.replace("_", "\\_")] for other in others]
    for n in range(5):
        text = FORMATS[name](only_sites(report, [site_name(n)]))
        for number, names in enumerate(spellings):
            if number != n:
                assert not any(one in text for one in names)
    assert all(any(one in whole for one in names) for number, names in enumerate(spellings) if number)     # the names are there to be found


class Counted(str):
    """A text that notices being compared: a search through a list is work too, though it calls no function of ours."""

    __slots__ = ()

    def __eq__(self, other):
        return str.__eq__(self, other)

    def __hash__(self):
        return str.__hash__(self)


def counted(value):
    if isinstance(value, dict):
        return {key: counted(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [counted(inner) for inner in value]
    return Counted(value) if isinstance(value, str) else value


def work(job, report):
    """How many functions are called, those of C and the comparisons of texts too."""
    calls = 0

    def count(unused_frame, event, unused_argument):
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        job(report)
    finally:
        sys.setprofile(before)
    return calls


@pytest.mark.parametrize(("small", "large"), [((250, 5), (1000, 5)), ((1, 1250), (1, 5000))], ids=["sites", "lines"])
def test_the_work_grows_with_the_report_and_no_faster(small, large):
    reports = []
    for sites, lines in (small, large):
        whole = sample_report(sites + 1, lines)
        reports.append(counted({**whole, "sites": whole["sites"][1:]}))      # without the first, which is in order
    for name, job in WORK.items():
        little, much = (work(job, report) for report in reports)
        assert much < 4.6 * little + 200, (name, little, much)
        assert much > 1000 or name == "only_sites" and sites == 1, name


def test_the_counting_notices_a_search_through_a_list():
    def slow(report):
        names: list[str] = []
        for line in report["sites"][0]["lines"]:
            if line["phone"] not in names:
                names.append(line["phone"])

    little, much = (work(slow, counted(sample_report(1, lines))) for lines in (100, 400))
    assert much > 8 * little
