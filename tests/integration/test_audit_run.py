# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an audit ends with, what it shows, and what it can do without: exit codes, where, phones that are not asked, write access."""

from __future__ import annotations

import json

import pytest

from tests.integration.test_site_playbook import ALL_5060, PLANNED
from tests.playbook import run_playbook

NOBODY = dict.fromkeys(PLANNED, 0)


def test_nothing_to_fail_on_by_default(rollout):
    result = rollout.run("audit")
    assert result.status == 0, result.out
    assert {finding["severity"] for finding in rollout.findings} >= {"error"}


@pytest.mark.parametrize("words", ["wrong_port", "error", "warning,random_port"])
def test_the_audit_fails_at_its_end_on_what_it_is_told_to(rollout, words):
    result = rollout.run("audit", "-e", f"sip_audit_fail_on={words}")
    assert result.status == 2, result.out
    assert f"finding(s) that fail_on ({words.replace(',', ', ')}) names:" in result.words and "wrong_port: 7 at demo_site" in result.words
    assert rollout.report_file.exists(), "the reports were written before"


def test_other_findings_than_those_of_fail_on_fail_nothing(rollout):
    result = rollout.run("audit", "-e", "sip_audit_fail_on=duplicate,auth_failed")
    assert result.status == 0, result.out


@pytest.mark.parametrize("playbook", ["audit", "site"])
@pytest.mark.parametrize(("option", "told"), [
    ("sip_audit_fail_on=wrongport", "Did you mean wrong_port"), ("sip_report_formats=pdf", "pdf"), ("sip_audit_where=sites[?", "character 8"),
])
def test_a_word_that_nobody_knows_is_refused_before_any_phone_is_asked(rollout, playbook, option, told):
    result = rollout.run(playbook, "-e", option)
    assert result.status == 2 and told in result.words, result.out
    assert rollout.totals("requests") == NOBODY and rollout.site.pbx.login_attempts == 0
    assert not rollout.report_file.exists()


def test_a_pbx_that_could_not_be_read_is_an_error_and_told_loudly(rollout):
    rollout.edit("demo-pbx", sip_pbx_password="wrong")
    result = rollout.run("audit")
    assert result.status == 0 and "NOT SEEN: demo-pbx could not be read" in result.words, result.out
    assert {finding["severity"] for finding in rollout.findings if finding["code"] == "pbx_not_read"} == {"error"}
    assert set(rollout.verdicts().values()) == {"not_seen"}
    failed = rollout.run("audit", "-e", "sip_audit_fail_on=error")
    assert failed.status == 2 and "pbx_not_read: 1 at demo_site" in failed.words, failed.out


def test_a_phone_whose_variables_cannot_be_resolved_is_not_passed_over(rollout):
    """It is in no site, so in no report: told as a warning, and an error for who wants to fail on errors."""
    rollout.edit("boss", sip_phone_password="{{ vault_of_nobody }}")
    result = rollout.run("audit")
    assert result.status == 0 and "NOT SEEN: boss: its variables can't be resolved" in result.words, result.out
    assert "boss" not in rollout.verdicts()
    assert rollout.run("audit", "-e", "sip_audit_fail_on=duplicate").status == 0
    failed = rollout.run("audit", "-e", "sip_audit_fail_on=error")
    assert failed.status == 2 and "fatal" in failed.out and "vault_of_nobody" in failed.out.partition("fatal:")[2], failed.out


def test_exit_codes_of_a_rollout(rollout):
    """4: phones that could not be reached, or are in use. 2 as soon as anything failed, or the report has what it shall fail on."""
    rollout.phones["boss"].stop()
    assert rollout.run("site").status == 4
    told = rollout.run("site", "-e", "sip_audit_fail_on=deferred")
    assert told.status == 2 and "deferred: 1 at demo_site" in told.words, told.out
    assert told.recap("boss")["unreachable"] == 1, "each phone says for itself what is wrong, as ever"
    assert rollout.run("site", "-e", "sip_audit_fail_on=duplicate").status == 4
    alone = rollout.run("site", "--limit", "boss", "-e", "sip_audit_fail_on=deferred")
    assert alone.status == 4 and "deferred: 1 at demo_site" in alone.words, "nobody is left to say it but the report"


def test_the_role_in_a_play_of_ones_own_fails_too(rollout, tmp_path):
    play = tmp_path / "mine.yml"
    rollout.phones["boss"].stop()
    for role in ("audit", "site"):
        play.write_text(json.dumps([{"hosts": "demo_site", "gather_facts": False, "roles": [f"evenport.sip.{role}"]}]))
        result = run_playbook(str(play), rollout.inventory, "-e", "sip_audit_fail_on=deferred")
        assert result.status == {"audit": 2, "site": 4}[role], result.out
        assert "1 finding(s) that fail_on (deferred) names: deferred: 1 at demo_site" in result.words, result.out


@pytest.mark.parametrize(("expression", "shown", "hidden"), [
    ("sites[?state=='ok'].site", ["[]"], ["kitchen"]),
    ("sites[?state!='ok']", ["demo_site: ", "kitchen"], []),
    ("sites[].lines[?verdict=='wrong_port'].phone[]", ["kitchen", "boss"], ["front-desk", "planned"]),
    ("sites[0].counts", ['"lines": 8'], ["kitchen"]),
])
def test_where_chooses_what_is_shown_and_nothing_of_what_is_written(rollout, expression, shown, hidden):
    result = rollout.run("audit", "-e", json.dumps({"sip_audit_where": expression}))
    assert result.status == 0, result.out
    told = result.out.partition("TASK [evenport.sip.audit : Compare planned, claimed and seen]")[2].partition("\nok: ")[0]
    assert all(word in told for word in shown) and not [word for word in hidden if word in told], told
    assert set(rollout.verdicts()) == set(PLANNED)


def test_an_expression_that_does_not_fit_the_report_fails_at_the_end_with_everything_shown(rollout):
    result = rollout.run("site", "-e", json.dumps({"sip_audit_where": "length(sites[0].counts.lines)"}))
    assert result.status == 2 and "length() at character 1" in result.words and "kitchen" in result.words, result.out
    assert rollout.ports() == PLANNED and (rollout.inventory / ".sip/journal.jsonl").exists()


def test_a_whole_run_without_the_phones(rollout):
    asked = rollout.run("audit")
    verdicts = rollout.verdicts()
    requests = rollout.totals("requests")
    result = rollout.run("audit", "-e", "sip_audit_phones=false")
    assert (asked.status, result.status) == (0, 0), result.out
    assert rollout.totals("requests") == requests, "no phone was contacted"
    assert rollout.verdicts() == verdicts, "the PBX alone tells the ports"
    (site,) = rollout.report["sites"]
    assert not any(phone["read"] for phone in site["phones"]) and site["not_seen"] and "? not seen:" in result.words
    assert not [finding for finding in site["findings"] if finding["code"] in ("plan_refused", "auth_failed", "error")]


def test_phones_without_a_password_are_not_asked_by_an_audit_and_refused_by_a_rollout(rollout):
    for name in ("kitchen", "boss"):
        rollout.edit(name, sip_phone_password="")
    audit = rollout.run("audit", "-e", "sip_audit_fail_on=plan_refused,auth_failed")
    assert audit.status == 0, audit.out
    assert rollout.totals("requests")["kitchen"] == 0 and rollout.totals("login_attempts") == {**dict.fromkeys(PLANNED, 1), "kitchen": 0, "boss": 0}
    assert {phone["phone"]: phone["why"] for phone in rollout.report["sites"][0]["phones"] if phone["why"] and phone["kind"] == "phone"} == dict.fromkeys(
        ("kitchen", "boss"), "it has no sip_phone_password")
    assert rollout.verdicts()["kitchen"] == "wrong_port"
    site = rollout.run("site")
    assert site.recap("kitchen")["failed"] == 1 and "kitchen has no sip_phone_password" in site.words, site.out
    assert rollout.ports() == {**PLANNED, "kitchen": 5060, "boss": 5060}


def test_one_sites_phones_are_left_unasked_by_its_group_vars(rollout):
    path = rollout.inventory / "group_vars/demo_site/audit.yml"
    path.write_text("sip_audit_phones: false\n")
    assert rollout.run("audit").status == 0
    assert rollout.totals("requests") == NOBODY
    assert rollout.run("site").status == 0 and rollout.ports() == PLANNED, "a rollout takes no notice"


def test_an_audit_needs_no_write_access(rollout, tmp_path):
    """The inventory's folder is mounted read-only for the run, and there is no output directory."""
    rollout.edit("demo-pbx", ansible_remote_tmp=str(tmp_path / "tmp"))
    read_only = ("unshare", "-rm", "sh", "-c", 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"', "sh", str(rollout.inventory))
    assert not list(rollout.inventory.glob(".sip/*.jsonl"))
    report = rollout.inventory / "reports"
    options = ("-e", f"sip_report_directory={report}", "-e", "sip_audit_fail_on=duplicate")
    result = run_playbook("evenport.sip.audit", rollout.inventory, "--check", *options, within=read_only)
    assert result.status == 0 and "kitchen" in result.words, result.out
    assert "was not written: Read-only file system" in result.words and not report.exists()
    assert run_playbook("evenport.sip.audit", rollout.inventory, "--check", within=read_only).status == 0
    assert run_playbook("evenport.sip.audit", rollout.inventory, *options, within=read_only).status == 2, "asked for a report, and there is none"
    assert rollout.ports() == ALL_5060


def test_an_audit_leaves_the_journal_and_the_list_of_deferred_phones(rollout):
    rollout.phones["boss"].stop()
    assert rollout.run("site").status == 4
    kept = {name: (rollout.inventory / ".sip" / name).read_bytes() for name in ("journal.jsonl", "deferred.txt")}
    assert rollout.run("audit", "-e", f"sip_output_directory={rollout.inventory / '.sip'}").status == 0
    assert {name: (rollout.inventory / ".sip" / name).read_bytes() for name in kept} == kept


def test_an_audit_knows_from_the_journal_what_a_rollout_had_set(rollout):
    """A phone that somebody, or a server, has set back since is another finding than one that was never moved."""
    kitchen = rollout.phones["kitchen"]
    before = dict(kitchen.values)
    assert rollout.run("site").status == 0
    kitchen.values.update(before)
    kitchen.apply()
    assert rollout.run("audit").status == 0
    assert "reverted" in {finding["code"] for finding in rollout.findings if finding["phone"] == "kitchen"}
    (rollout.inventory / ".sip/journal.jsonl").unlink()
    assert rollout.run("audit").status == 0
    assert {finding["code"] for finding in rollout.findings} and "reverted" not in {finding["code"] for finding in rollout.findings}
