# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder of reports: which files are where, what the next run is compared with, and that a customer's folder tells of this customer only."""

from __future__ import annotations

import json
import os
import re

import pytest

from ansible_collections.evenport.sip.plugins.plugin_utils.report.folder import FORMATS, ReportFolder, compared_with_file, folder_names
from ansible_collections.evenport.sip.plugins.plugin_utils.report.select import only_sites
from tests.unit.plugins.plugin_utils.report.sample import sample_report, site_name

NAMES = [site_name(n) for n in range(3)]
OF_A_SITE = {"report.json", "report.html", "lines.csv", "findings.csv", "junit.xml", "report.md"}


def run(directory, report, formats=FORMATS, partly=(), known=None):
    """As the action does it: compare, write. Returns (the whole report, notes, troubles)."""
    folder = ReportFolder(str(directory), formats, [site["site"] for site in report["sites"]])
    whole, alone, notes = folder.compared(report)
    told, troubles = folder.write(whole, alone, partly, NAMES if known is None else known)
    return whole, notes + told, troubles


def at(time, report=None):
    """A report as it is before it is compared."""
    return {**(report or sample_report()), "made_at": time, "previous_at": ""}


def files(directory):
    return {str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file()}


def test_every_format_is_where_the_documentation_says(tmp_path):
    assert run(tmp_path / "new", at("2026-11-23T05:00:00Z"))[1:] == ([], [])
    assert files(tmp_path / "new") == {"index.html", "index.json", "junit.xml", *(f"{site}/{name}" for site in NAMES for name in OF_A_SITE)}
    run(tmp_path / "some", at("2026-11-23T05:00:00Z"), ["csv"])
    assert files(tmp_path / "some") == {f"{site}/{name}" for site in NAMES for name in ("lines.csv", "findings.csv")}


def test_the_index_leads_to_each_page(tmp_path):
    names = ["acme", "Zoë & Söhne", ".."]
    report = at("2026-11-23T05:00:00Z")
    report["sites"] = [{**site, "site": name} for site, name in zip(report["sites"], names, strict=True)]
    run(tmp_path / "top", report)
    links = re.findall(r'href="\./([^"]+)"', (tmp_path / "top/index.html").read_text())
    assert len(links) == 3 and all((tmp_path / "top" / link).is_file() for link in links)
    assert os.listdir(tmp_path) == ["top"]


def test_a_customers_folder_tells_of_this_customer_only(tmp_path):
    """Every name of the sample begins with its site's."""
    for time in ("2026-11-23T05:00:00Z", "2026-11-24T05:00:00Z"):
        run(tmp_path, at(time))
    for n, site in enumerate(NAMES):
        others = [spelled for m in range(3) if m != n for spelled in (f"customer_{m:05d}", f"customer\\_{m:05d}")]
        assert len(list((tmp_path / site).iterdir())) == 7
        for path in (tmp_path / site).iterdir():
            text = path.read_text()
            assert (f"{n:05d}" in text or n == 0) and not [other for other in others if other in text], path


def test_three_runs_a_fault_is_new_then_still_there_then_fixed(tmp_path):
    good = at("2026-11-21T05:00:00Z")
    for site in good["sites"]:
        site["findings"] = []
    whole, dummy, unused = run(tmp_path, good)
    assert whole["previous_at"] == ""
    seen = []
    for day in (22, 23):
        whole, dummy, unused = run(tmp_path, at(f"2026-11-{day}T05:00:00Z"))
        seen.append((whole["previous_at"], {f["trend"] for site in whole["sites"] for f in site["findings"]}))
    assert seen == [("2026-11-21T05:00:00Z", {"new"}), ("2026-11-22T05:00:00Z", {"still"})]
    whole, dummy, unused = run(tmp_path, {**good, "made_at": "2026-11-24T05:00:00Z"})
    assert sum(len(site["fixed"]) for site in whole["sites"]) > 0
    kept = json.loads((tmp_path / NAMES[2] / "previous.json").read_text())
    now = json.loads((tmp_path / NAMES[2] / "report.json").read_text())
    assert (kept["made_at"], now["made_at"], now["previous_at"]) == ("2026-11-23T05:00:00Z", "2026-11-24T05:00:00Z", "2026-11-23T05:00:00Z")
    assert now == only_sites(whole, [NAMES[2]])


def test_each_site_is_compared_with_its_own_last_report(tmp_path):
    """One was audited yesterday, one the day before; one is new."""
    for day, site in ((21, NAMES[1]), (22, NAMES[2])):
        run(tmp_path, only_sites(at(f"2026-11-{day}T05:00:00Z"), [site]))
    whole, dummy, unused = run(tmp_path, at("2026-11-23T05:00:00Z"))
    kept = {site: json.loads((tmp_path / site / "report.json").read_text()) for site in NAMES}
    assert [kept[site]["previous_at"] for site in NAMES] == ["", "2026-11-21T05:00:00Z", "2026-11-22T05:00:00Z"]
    assert whole["previous_at"] == "2026-11-22T05:00:00Z"


def test_a_site_without_a_last_report_is_new_where_others_have_one_and_says_nothing_alone(tmp_path):
    run(tmp_path, only_sites(at("2026-11-21T05:00:00Z"), [NAMES[1]]))
    whole, dummy, unused = run(tmp_path, at("2026-11-23T05:00:00Z"))
    assert {f["trend"] for f in whole["sites"][2]["findings"]} == {"new"}
    (alone,) = json.loads((tmp_path / NAMES[2] / "report.json").read_text())["sites"]
    assert {f["trend"] for f in alone["findings"]} == {""} and alone["findings"]


@pytest.mark.parametrize("broken", ["{", "[]", '{"schema": 1}', ""])
def test_a_broken_last_report_is_told_and_kept_as_the_previous_one(tmp_path, broken):
    run(tmp_path, at("2026-11-22T05:00:00Z"))
    (tmp_path / NAMES[2] / "report.json").write_text(broken)
    whole, notes, troubles = run(tmp_path, at("2026-11-23T05:00:00Z"))
    assert [note for note in notes if NAMES[2] in note] and not troubles
    assert (tmp_path / NAMES[2] / "previous.json").read_text() == broken
    assert json.loads((tmp_path / NAMES[2] / "report.json").read_text())["made_at"] == "2026-11-23T05:00:00Z"


def test_what_a_run_has_seen_in_part_stays_as_it_is(tmp_path):
    run(tmp_path, at("2026-11-22T05:00:00Z"))
    before = {name: (tmp_path / name).read_bytes() for name in files(tmp_path)}
    part = only_sites(at("2026-11-23T05:00:00Z"), NAMES[1:])
    whole, notes, troubles = run(tmp_path, part, partly=[NAMES[1]])
    changed = {name for name in files(tmp_path) if (tmp_path / name).read_bytes() != before.get(name)}
    assert changed == {"junit.xml", f"{NAMES[2]}/previous.json", *(f"{NAMES[2]}/{name}" for name in OF_A_SITE)}
    assert len(notes) == 2 and NAMES[1] in notes[0] and NAMES[0] in notes[1] and not troubles


def test_a_site_that_left_the_inventory_leaves_the_index_too(tmp_path):
    run(tmp_path, at("2026-11-22T05:00:00Z"))
    run(tmp_path, only_sites(at("2026-11-23T05:00:00Z"), NAMES[1:]), known=NAMES[1:])
    assert [site["site"] for site in json.loads((tmp_path / "index.json").read_text())["sites"]] == NAMES[1:]


def test_one_sites_folder_that_cannot_be_written_is_not_the_others_trouble(tmp_path):
    (tmp_path / NAMES[0]).write_text("a file where the folder should be")
    whole, notes, troubles = run(tmp_path, at("2026-11-22T05:00:00Z"))
    assert len(troubles) == 1 and NAMES[0] in troubles[0] and str(tmp_path) in troubles[0]
    assert (tmp_path / NAMES[2] / "report.html").exists() and (tmp_path / "index.html").exists()


def test_the_same_report_rewrites_nothing(tmp_path):
    report = sample_report()
    folder = ReportFolder(str(tmp_path), FORMATS, NAMES)
    alone = {site: only_sites(report, [site]) for site in NAMES}
    folder.write(report, alone, [], NAMES)
    for name in files(tmp_path):
        os.utime(tmp_path / name, (1, 1))
    folder.write(report, alone, [], NAMES)
    assert {(tmp_path / name).stat().st_mtime for name in files(tmp_path)} == {1}
    assert not list(tmp_path.rglob("previous.json"))


def test_compared_with_a_file_of_ones_own(tmp_path):
    path = tmp_path / "last.json"
    whole, alone, notes = compared_with_file(at("2026-11-22T05:00:00Z"), str(path))
    assert whole["previous_at"] == "" and "there is no" in notes[0]
    path.write_text(json.dumps(whole))
    whole, alone, notes = compared_with_file(at("2026-11-23T05:00:00Z"), str(path))
    assert notes == [] and {one["previous_at"] for one in alone.values()} == {"2026-11-22T05:00:00Z"}
    assert {f["trend"] for site in whole["sites"] for f in site["findings"]} == {"still"}
    path.write_text("{")
    assert "is not JSON" in compared_with_file(at("2026-11-23T05:00:00Z"), str(path))[2][0]


def test_folder_names_are_safe_and_never_shared():
    names = ["acme_hq", "acme-hq", "ACME_HQ", "..", ".", "", "a/b", "a\\b", "a:b", "../../etc", "x" * 300, "index.html", "Zoë", "Zoé", "a\nb", "-rf", "\ud800"]
    found = folder_names(names)
    assert found["acme-hq"] == "acme-hq" and found["acme_hq"] != "acme_hq"
    assert len({name.casefold() for name in found.values()}) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,100}", name) for name in found.values())
    assert folder_names(["Zoë"]) == {"Zoë": found["Zoë"]}, "the same in every run"
