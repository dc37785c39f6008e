# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A PBX with a web page only, as a person meets it: a real ansible-playbook reads its pasted status table and leaves a worksheet."""

from __future__ import annotations

import csv
import io
import json

import pytest
import yaml

from tests.playbook import run_playbook

TABLE = """\
Extension\tIP\tPort\tStatus
101\t203.0.113.1\t5060\tRegistered
102\t-\t-\tUnregistered
4540\t203.0.113.1\t5062\tOK
4540r\t198.51.100.7\t50121\tOK
"""
SITE = {
    "all": {"vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}, "children": {
        "acme_hq": {
            "hosts": {
                "kitchen": {"sip_extensions": ["4540", "102"]}, "boss": {"sip_extensions": ["101"]},
                "laptop": {"sip_extensions": ["4540r"], "sip_phone_kind": "softphone"}},
            "vars": {"sip_site": "acme_hq", "sip_pbx": "protel", "sip_ports": {"kitchen": [5060, 5062], "boss": [5064]}, "sip_ports_retired": []}},
        "pbxs": {"hosts": {"protel": {"ansible_connection": "local", "sip_pbx_type": "web_only", "sip_pbx_status_file": "{{ inventory_dir }}/status.txt"}}}}}}
PLAY = [{
    "hosts": "acme_hq", "gather_facts": False,
    "vars": {"sip_scan": {
        "phones": {
            "kitchen": {"site": "acme_hq", "ports": [5060, 5062]}, "boss": {"site": "acme_hq", "ports": [5064]}, "laptop": {"site": "acme_hq", "ports": []}},
        "nat_extensions": {"protel": ["4540", "102", "101", "777"], "nobody": ["1"]}}},
    "tasks": [
        {"name": "Set", "evenport.sip.pbx_nat": {"pbx": "{{ item.key }}", "extensions": "{{ item.value }}", "unknown": "skip"},
         "loop": "{{ sip_scan.nat_extensions | dict2items }}", "delegate_to": "{{ 'protel' }}", "run_once": True, "register": "sip_extended",
         "ignore_errors": True},
        {"name": "Write", "evenport.sip.pbx_worksheet": {"scan": "{{ sip_scan }}", "results": "{{ sip_extended.results }}", "directory": "{{ sheets }}"},
         "run_once": True, "register": "sip_worksheets"},
        {"name": "Read", "evenport.sip.pbx_registrations_info": {"pbx": "protel", "extensions": ["101", "777"]}, "delegate_to": "protel", "run_once": True,
         "register": "sip_status"},
        {"name": "Keep", "ansible.builtin.copy": {
            "content": "{{ {'sheets': sip_worksheets, 'status': sip_status, 'nat': sip_extended.results[0]} | to_json }}",
            "dest": "{{ inventory_dir }}/result.json"},
         "delegate_to": "localhost", "run_once": True, "check_mode": False}]}]


@pytest.fixture
def site(tmp_path):
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump(SITE, sort_keys=False))
    (tmp_path / "play.yml").write_text(yaml.safe_dump(PLAY, sort_keys=False))
    (tmp_path / "status.txt").write_text(TABLE)

    def run(*options):
        result = run_playbook(str(tmp_path / "play.yml"), tmp_path / "hosts.yml", "-e", f"sheets={tmp_path}/sheets", *options)
        kept = tmp_path / "result.json"
        return result, json.loads(kept.read_text()) if kept.exists() else {}

    return tmp_path, run


def test_the_worksheet_of_a_pbx_with_a_web_page_only(site):
    folder, run = site
    sheet, page = folder / "sheets" / "acme_hq-protel-nat.csv", folder / "sheets" / "acme_hq-protel-nat.html"
    planned, kept = run("--check", "--diff")
    assert not planned.failed, planned.out
    assert kept["sheets"]["changed"] and not sheet.parent.exists()
    assert f"3 line(s) to be ticked by hand in protel for acme_hq: {sheet} (check mode: not written)" in planned.out
    assert "+acme_hq,kitchen,1,4540,5060,on" in planned.out
    done, kept = run()
    assert not done.failed, done.out
    assert "Only a person can set the NAT option of this PBX" in done.words
    assert kept["nat"]["by_hand"] == ["4540", "102", "101"] and kept["nat"]["unknown"] == ["777"] and not kept["nat"]["changed"]
    assert kept["sheets"]["changed"] and kept["sheets"]["by_hand"] == {"protel": ["4540", "102", "101"]}
    assert kept["sheets"]["files"] == [str(sheet), str(page)] and sorted(sheet.parent.iterdir()) == [sheet, page]
    assert sheet.read_bytes().decode("utf-8-sig").split("\r\n")[1:] == [
        "acme_hq,boss,1,101,5064,on,,", "acme_hq,kitchen,1,4540,5060,on,,", "acme_hq,kitchen,2,102,5062,on,,", ""]
    assert "Extension configuration: NAT option" in page.read_text()
    assert kept["sheets"]["msg"] == f"3 line(s) to be ticked by hand in protel for acme_hq: {sheet}" and kept["sheets"]["msg"] in done.out
    assert kept["status"]["live"] is False and kept["status"]["missing"] == ["777"]
    assert {one["extension"]: one["seen_port"] for one in kept["status"]["registrations"]} == {"101": 5060, "4540": 5062, "4540r": 50121}
    before = [(path.stat().st_mtime_ns, path.stat().st_ino) for path in (sheet, page)]
    again, kept = run()
    assert not again.failed and not kept["sheets"]["changed"]
    assert [(path.stat().st_mtime_ns, path.stat().st_ino) for path in (sheet, page)] == before


def test_a_place_that_cannot_be_written(site):
    folder, run = site
    (folder / "sheets").write_text("a file")
    result, dummy = run()
    assert result.failed and "can't be written" in result.words and "Choose another directory" in result.words


def write_done(sheet, **texts):
    """As a person with a spreadsheet: *texts* by extension, in the column "done"; saved with semicolons."""
    rows = list(csv.reader(io.StringIO(sheet.read_bytes().decode("utf-8-sig"), newline=""), strict=True))
    text = io.StringIO()
    csv.writer(text, delimiter=";").writerows([*row[:7], texts.get(f"x{row[3]}", row[7])] for row in rows)
    sheet.write_bytes(text.getvalue().encode())


def rows_of(sheet):
    text = sheet.read_bytes().decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=text[4], strict=True))[1:]


def edit(path, change):
    data = yaml.safe_load(path.read_text())
    change(data)
    path.write_text(yaml.safe_dump(data, sort_keys=False))


def only_boss(play):
    """What phone_scan gives with --limit boss."""
    scan = play[0]["vars"]["sip_scan"]
    scan["phones"] = {"boss": scan["phones"]["boss"]}
    scan["nat_extensions"] = {"protel": ["101"]}


def test_what_a_person_wrote_stays_and_so_do_phones_that_this_play_does_not_look_at(site):
    folder, run = site
    sheet, page = folder / "sheets" / "acme_hq-protel-nat.csv", folder / "sheets" / "acme_hq-protel-nat.html"
    assert not run()[0].failed
    write_done(sheet, x101="yes, Max", x4540="Eva")
    written = sheet.read_bytes()
    again, kept = run()
    assert not again.failed and sheet.read_bytes() == written and kept["sheets"]["changed"] and page.read_text().count(" checked>") == 2
    assert f"1 line(s) to be ticked by hand in protel for acme_hq, 2 done: {sheet}" in again.out
    assert not run()[1]["sheets"]["changed"]
    edit(folder / "play.yml", only_boss)
    for options in (("--check",), ()):
        limited, kept = run("--limit", "boss,protel", *options)
        assert not limited.failed and not kept["sheets"]["changed"] and sheet.read_bytes() == written, limited.out
        assert "1 line(s) to be ticked by hand in protel for acme_hq, 2 done" in limited.out


@pytest.mark.parametrize(("change", "left"), [
    (lambda phones: phones["hosts"].pop("kitchen"), {"101": "Max"}),
    (lambda phones: phones["hosts"]["kitchen"].update(sip_nat_option=False), {"101": "Max"}),
    (lambda phones: phones["hosts"]["kitchen"].update(sip_site="acme_2"), {"101": "Max"}),
    (lambda phones: phones["hosts"]["kitchen"].update(sip_pbx="other"), {"101": "Max"}),
    (lambda phones: phones["hosts"]["kitchen"].update(sip_extensions=["4540", "103"]), {"101": "Max", "4540": "Eva"}),
    (lambda phones: phones["hosts"]["kitchen"].update(sip_extensions="{{ lost }}"), {"101": "Max", "4540": "Eva", "102": ""})])
def test_a_row_of_another_play_goes_with_its_reason(site, change, left):
    folder, run = site
    sheet = folder / "sheets" / "acme_hq-protel-nat.csv"
    assert not run()[0].failed
    write_done(sheet, x101="Max", x4540="Eva")
    edit(folder / "play.yml", only_boss)
    edit(folder / "hosts.yml", lambda hosts: change(hosts["all"]["children"]["acme_hq"]))
    limited, kept = run("--limit", "boss,protel")
    assert not limited.failed and kept["sheets"]["changed"], limited.out
    assert {row[3]: row[7] for row in rows_of(sheet)} == left


def test_an_extension_that_this_play_settles_needs_no_row_any_more(site):
    folder, run = site
    sheet = folder / "sheets" / "acme_hq-protel-nat.csv"
    assert not run()[0].failed
    write_done(sheet, x101="Max", x4540="Eva")
    (folder / "status.txt").write_text(TABLE.replace("4540\t", "4541\t"))            # the PBX has it no more, though the inventory does
    result, kept = run()
    assert not result.failed and kept["sheets"]["changed"] and {row[3]: row[7] for row in rows_of(sheet)} == {"101": "Max", "102": ""}, result.out


@pytest.mark.parametrize("kind", ["csv", "html"])
def test_a_file_that_is_not_ours_is_never_overwritten(site, kind):
    folder, run = site
    (folder / "sheets").mkdir()
    mine = folder / "sheets" / f"acme_hq-protel-nat.{kind}"
    mine.write_text("my own notes\n")
    for options in ((), ("--check",)):
        result, dummy = run(*options)
        assert result.failed and "is no worksheet, or not one any more" in result.words and "move the file away" in result.words
        assert mine.read_text() == "my own notes\n" and list(mine.parent.iterdir()) == [mine]
