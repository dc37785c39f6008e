# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that an audit and a rollout write: which, where, whether they are what they should be, and for whose eyes they are."""

from __future__ import annotations

import csv
import json
from xml.etree import ElementTree

import jsonschema
import pytest

from tests.fakes.demo import CHECKOUT
from tests.integration.test_site_fleet import NORTH, SOUTH, Fleet
from tests.integration.test_site_playbook import PLANNED

ALL = '{"sip_report_formats": ["json", "html", "csv", "junit", "markdown"]}'
VALID = jsonschema.Draft202012Validator(json.loads((CHECKOUT / "docs/report.schema.json").read_text()))
OF_A_SITE = {"report.json", "report.html", "lines.csv", "findings.csv", "junit.xml", "report.md"}
SECRETS = ("demo-web-secret", "demo-ami-secret", "sip-101", "a-wrong-secret")


def files(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def read(path):
    report = json.loads(path.read_text())
    VALID.validate(report)
    return report


def to(folder, *more):
    return ("-e", f"sip_report_directory={folder}", *more)


def test_every_format_is_written_and_valid(rollout, tmp_path):
    out = tmp_path / "reports"
    result = rollout.run("audit", *to(out, "-e", ALL))
    assert (result.status, result.changed) == (0, 0), result.out
    assert files(out) == {"index.html", "index.json", "junit.xml", *(f"demo_site/{name}" for name in OF_A_SITE)}
    VALID.validate(rollout.report)
    (site,) = read(out / "demo_site/report.json")["sites"]
    assert read(out / "index.json")["sites"] == rollout.report["sites"] == [site]
    assert rollout.report["run"] == "audit" and rollout.report["made_by"].startswith("evenport.sip 0.")
    rows = list(csv.DictReader((out / "demo_site/lines.csv").read_text().splitlines()))
    assert [row["phone"] for row in rows] == [*PLANNED, "ben-mobile"]
    assert len(list(csv.DictReader((out / "demo_site/findings.csv").read_text().splitlines()))) == len(site["findings"])
    for path in (out / "junit.xml", out / "demo_site/junit.xml"):
        (suite,) = ElementTree.parse(path).getroot()
        assert suite.get("name") == "demo_site" and int(suite.get("failures")) > 0
    assert "demo_site" in (out / "demo_site/report.md").read_text().replace("\\", "")
    page, index = (out / "demo_site/report.html").read_text(), (out / "index.html").read_text()
    assert page.startswith("<!DOCTYPE html>") and all(name in page for name in PLANNED)
    assert 'href="./demo_site/report.html"' in index
    assert set(rollout.totals("writes").values()) == {0}


@pytest.mark.parametrize("name", ["audit", "site"])
def test_check_mode_writes_reports_too_and_changes_nothing(rollout, tmp_path, name):
    result = rollout.run(name, *to(tmp_path / "reports"), "--check")
    assert result.status == 0, result.out
    assert files(tmp_path / "reports") == {"index.html", "index.json", "demo_site/report.json", "demo_site/report.html"}
    assert read(tmp_path / "reports/index.json")["run"] == {"audit": "audit", "site": "check"}[name]
    assert not (rollout.inventory / ".sip/journal.jsonl").exists() and set(rollout.totals("writes").values()) == {0}


def test_three_runs_a_fault_appears_stays_and_is_mended(rollout, tmp_path):
    out = to(tmp_path / "reports")
    kitchen = rollout.phones["kitchen"]

    def move(port):
        kitchen.set(1, "sip.localPort", str(port))
        kitchen.apply()

    def trend(code="wrong_port"):
        site = read(tmp_path / "reports/demo_site/report.json")["sites"][0]
        return {f["phone"]: f["trend"] for f in site["findings"] if f["code"] == code}, [f["phone"] for f in site["fixed"] if f["code"] == code]
    first = rollout.run("site", *out)
    assert first.status == 0 and read(tmp_path / "reports/index.json")["previous_at"] == "", first.out
    seen = []
    for port in (5190, 5190, 5062):
        if kitchen.effective[1] != port:
            move(port)
        result = rollout.run("audit", *out, "-e", "sip_audit_fail_on=error,new")
        seen.append((result.status, *trend()))
    assert seen == [(2, {"kitchen": "new"}, []), (0, {"kitchen": "still"}, []), (0, {}, ["kitchen"])]
    assert "+ fixed: wrong_port: kitchen" in result.words
    before = read(tmp_path / "reports/demo_site/previous.json")
    assert rollout.report["previous_at"] == before["made_at"]


def test_the_file_of_the_last_run_is_compared_with_by_its_name(rollout, tmp_path):
    last = tmp_path / "last.json"
    options = ("-e", f"sip_audit_previous={last}", "-e", f"sip_audit_file={last}")
    first = rollout.run("audit", *options)
    assert first.status == 0 and f"there is no {last} yet" in first.words
    made_at = read(last)["made_at"]
    assert rollout.run("audit", *options).status == 0
    assert read(last)["previous_at"] == made_at
    assert {finding["trend"] for site in read(last)["sites"] for finding in site["findings"]} == {"still"}


def test_a_limit_leaves_what_is_known_of_the_whole_site(rollout, tmp_path):
    out = tmp_path / "reports"
    assert rollout.run("audit", *to(out, "-e", ALL)).status == 0
    before = {name: (out / name).read_bytes() for name in files(out)}
    result = rollout.run("audit", *to(out, "-e", ALL), "--limit", "kitchen")
    assert result.status == 0 and "not seen all phones of demo_site" in result.words, result.out
    assert {name for name in files(out) if (out / name).read_bytes() != before.get(name)} == {"junit.xml"}
    assert [line["phone"] for line in rollout.lines] == ["kitchen"]


@pytest.fixture
def fleet(tmp_path):
    with Fleet(tmp_path) as fleet:
        yield fleet


def test_a_customers_folder_holds_nothing_of_another_customer(fleet, tmp_path):
    """Run twice, with faults on both sides, so that findings and the last report are there too."""
    out = tmp_path / "reports"
    fleet.phones["south-2"].stop()
    fleet.pbxs["north"].faults["refuse_login"] = True
    fleet.run("audit", *to(out, "-e", ALL))
    fleet.pbxs["north"].faults.clear()
    result = fleet.run("audit", *to(out, "-e", ALL))
    assert result.status == 0, result.out
    assert [site["site"] for site in read(out / "index.json")["sites"]] == ["north", "south"]
    for mine, phones, theirs, others in (("north", NORTH, "south", SOUTH), ("south", SOUTH, "north", NORTH)):
        assert {path.name for path in (out / mine).iterdir()} == OF_A_SITE | {"previous.json"}
        foreign = [theirs, *others, *(fleet.host(name)["ansible_host"] for name in others)]
        for path in (out / mine).iterdir():
            text = path.read_text()
            assert not [word for word in foreign if word.lower() in text.lower()], path
            assert path.name in ("findings.csv", "report.md") or all(name in text for name in phones), path


def test_a_limit_to_one_customer_leaves_the_other_ones_files_and_the_index(fleet, tmp_path):
    out = tmp_path / "reports"
    assert fleet.run("audit", *to(out)).status == 0
    before = {name: (out / name).read_bytes() for name in files(out)}
    assert fleet.run("audit", *to(out), "--limit", "south").status == 0
    changed = {name for name in files(out) if (out / name).read_bytes() != before.get(name)}
    assert changed == {"south/report.json", "south/report.html", "south/previous.json"}


def test_no_secret_in_any_file(rollout, tmp_path):
    rollout.edit("boss", sip_phone_password="a-wrong-secret")
    rollout.phones["workshop"].faults["silent_success"] = True
    result = rollout.run("site", *to(tmp_path / "reports", "-e", ALL), "-vvvv")
    assert {f["code"] for f in rollout.findings if f["phone"] == "boss"} >= {"auth_failed"}, result.out
    for path in (tmp_path / "reports").rglob("*.*"):
        assert not [secret for secret in SECRETS if secret in path.read_text()], path


def test_a_report_that_cannot_be_written_fails_the_run_at_its_end_but_not_in_check_mode(rollout, tmp_path):
    (tmp_path / "reports").write_text("a file where the folder should be")
    result = rollout.run("site", *to(tmp_path / "reports"))
    assert result.status == 2 and "demo_site was not written" in result.words, result.out
    assert rollout.ports() == PLANNED and (rollout.inventory / ".sip/journal.jsonl").exists(), "the rollout is done and noted all the same"
    checked = rollout.run("audit", *to(tmp_path / "reports"), "--check")
    assert checked.status == 0 and "demo_site was not written" in checked.words, checked.out
