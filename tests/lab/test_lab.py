"""The lab itself: that it can fail, and that it leaves nothing behind, however it ends."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab import processes, report, tree, verdict
from tests.lab.routers import AUDITS, ROUTERS, Audit
from tests.lab.trip import left_behind

PHONES = ["101", "102", "103", "104"]
FINE = {"phones": PHONES, "registered": PHONES, "lamps": ["101", "102", "104"], "watching": ["101", "102", "104"], "rings": True, "talks": True,
        "group_rang": PHONES[:3], "still_ringing": [], "good": dict.fromkeys(("register", "lamps", "call", "group"), True)}
POOR = {**FINE, "lamps": [], "rings": False, "talks": False, "group_rang": ["101"], "still_ringing": ["101"],
        "good": {"register": True, "lamps": False, "call": False, "group": False}}
RUN = {"code": 0, "changed": 0, "seconds": 1.0, "output": "what ansible said"}
STATIONS = list(AUDITS["masq"])
PORTS = {phone: 5060 + 2 * number for number, phone in enumerate(PHONES)}
COUNTERS = {phone: {"login_attempts": 0, "writes": 0, "reboots": 0} for phone in PHONES}


def audit_as_expected(expected: Audit) -> dict[str, Any]:
    """An audit that says what the table wants, of phones on their planned ports."""
    words = expected.verdicts.split()
    verdicts = words * len(PHONES) if len(words) == 1 else words
    lines = [{"phone": f"phone{name}", "line": 1, "extension": name, "planned": PORTS[name], "set": PORTS[name], "claimed": PORTS[name],
              "seen": PORTS[name], "seen_address": "203.0.113.1", "verdict": word} for name, word in zip(PHONES, verdicts, strict=True)]
    findings = []
    for severity, code, *names in (text.replace("(", "( ").replace(")", "").split() for text in expected.findings):
        on_site = names[0] == "("
        for about in [names[1:]] if on_site else [[name] for name in names]:
            findings.append({"code": code, "severity": severity, "on_site": on_site, "extensions": about, "evidence": " ".join(about), "text": ""})
    contacts = {name: [PORTS[name], "203.0.113.1", PORTS[name]] for name in PHONES}
    return {"said": {"lines": lines, "findings": findings}, "contacts": [contacts, contacts], "set": PORTS}


def good_story() -> dict[str, Any]:
    """What a poor router's journey looks like when all went well."""
    audits = {station: audit_as_expected(ROUTERS["overload"].audits[station]) for station in STATIONS}
    runs = ("plan", f"audit {STATIONS[0]}", f"audit {STATIONS[1]}", "rollout", "second run", f"audit {STATIONS[2]}", f"audit {STATIONS[3]}")
    return json.loads(json.dumps({        # as read from the file: no part is shared
        "router": "overload",
        "cells": {"as found": POOR, "nat option alone": POOR, "after the rollout": FINE},
        "runs": dict.fromkeys(runs, RUN),
        "counters": dict.fromkeys(("start", *runs), COUNTERS),
        "audits": audits,
    }))


def after(story: dict[str, Any]) -> dict[str, Any]:
    return story["audits"]["after the rollout"]


def move(story: dict[str, Any], phone: str, port: int) -> None:
    """Asterisk sees the phone elsewhere, and the audit says so."""
    for contacts in after(story)["contacts"]:
        contacts[phone][2] = port
    after(story)["said"]["lines"][PHONES.index(phone)]["seen"] = port


def test_a_good_story_has_no_complaint_and_reads_well() -> None:
    story = good_story()
    assert verdict.complaints(story) == []
    text = report.table(story)
    assert "101 KEEPS RINGING" in text
    assert "ok  duplicate" in text and "error duplicate 101 102 103 104" in text


@pytest.mark.parametrize(("change", "complaint"), [
    (lambda story: story["cells"]["after the rollout"]["good"].update(lamps=False), "'lamps' is still bad"),
    (lambda story: story["cells"]["nat option alone"]["good"].update(call=True), "the router is not poor"),
    (lambda story: story["cells"]["nat option alone"].update(still_ringing=[]), "101 should ring on"),
    (lambda story: story["runs"]["rollout"].update(code=2), "what ansible said"),
    (lambda story: story["runs"]["second run"].update(changed=1), "changed 1 things"),
    (lambda story: story["counters"]["second run"]["102"].update(writes=1), "wrote to phone 102"),
    (lambda story: story["counters"]["plan"]["103"].update(login_attempts=2), "logged in to phone 103 2 times"),
    (lambda story: move(story, "104", 40000), "sees 104 on 40000, planned is 5066"),
    (lambda story: [contacts.pop("104") for contacts in after(story)["contacts"]], "should see four contacts"),
    (lambda story: after(story)["said"]["lines"][0].update(verdict="wrong_port"), "says 'wrong_port ok ok ok', not 'ok'"),
    (lambda story: after(story)["said"]["lines"].pop(), "should look at 4 lines"),
    (lambda story: after(story)["said"]["lines"][1].update(seen=5064), "shows 102 as"),
    (lambda story: after(story)["set"].update({"103": 5060}), "in truth it is [5064, 5060"),
    (lambda story: after(story)["said"]["findings"].append(
        {"code": "router_translated", "severity": "error", "on_site": True, "extensions": ["101"], "evidence": "101"}), "should find nothing"),
    (lambda story: story["audits"]["as found"]["said"]["findings"][0].update(severity="warning"), "warning nat_option_missing (101 102 103 104)"),
    (lambda story: story["audits"]["as found"]["said"]["findings"][0].update(evidence="101 102 103"), "nat_option_missing does not name ['104']"),
    (lambda story: story["audits"]["as found"]["said"]["findings"].append(
        story["audits"]["as found"]["said"]["findings"][0]), "should find ['error nat_option_missing"),
    (lambda story: story["counters"]["audit as found"]["102"].update(writes=1), "'audit as found' wrote to phone 102"),
    (lambda story: story["runs"]["audit as found"].update(changed=1), "'audit as found' changed 1 things"),
    (lambda story: story.update(router="random"), "['error router_translated (101 102 103 104)']; it found nothing"),
    (lambda story: after(story).update(said={}), "no report"),
])
def test_each_promise_can_be_broken(change: Any, complaint: str) -> None:
    story = good_story()
    change(story)
    assert any(complaint in said for said in verdict.complaints(story)), verdict.complaints(story)


def test_the_report_file_is_read_in_its_own_schema_only() -> None:
    line = {"phone": "phone101", "line": 1, "extension": "101", "verdict": "router_translated"}
    finding = {"code": "router_translated", "severity": "error", "phone": "", "line": 0, "lines": ["hq/phone101 line 1"], "evidence": "", "text": ""}
    own = {**finding, "code": "wrong_setting", "severity": "warning", "phone": "phone101", "line": 1, "lines": []}
    file = {"schema": 2, "run": "audit", "sites": [{"site": "hq", "lines": [line], "findings": [finding, own]}]}
    assert verdict.findings_of(verdict.read_audit(file)) == ["error router_translated (101)", "warning wrong_setting 101"]
    for other in ({"schema": 1}, {"schema": 3}, {"run": "check"}, {"sites": []}):
        with pytest.raises(ValueError, match="Not an audit of one site in schema 2"):
            verdict.read_audit({**file, **other})


def test_every_router_has_a_table_for_every_station() -> None:
    assert {name: list(router.audits) for name, router in ROUTERS.items()} == dict.fromkeys(ROUTERS, STATIONS)


@pytest.fixture
def short_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="lab-test-"))         # pytest's tmp_path is too long for Asterisk's socket
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_when_the_lab_is_ended(lab_tree: Path, short_folder: Path, how: signal.Signals) -> None:
    """In the middle of it, with Asterisk and the phones up. Only a kill -9 leaves the folder of logs."""
    lab = subprocess.Popen([sys.executable, "-m", "tests.lab", "--router", "masq"], cwd=tree.CHECKOUT, env={**os.environ, "TMPDIR": str(short_folder)},
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert processes.until(lambda: any(short_folder.glob("*/masq/104/log")), 20), lab.communicate(timeout=5)
        assert len(left_behind(short_folder)) > 5
        lab.send_signal(how)
        lab.wait(10)
        processes.until(lambda: not left_behind(short_folder), 5)
        assert left_behind(short_folder) == []
        assert how == signal.SIGKILL or list(short_folder.iterdir()) == []
    finally:
        processes.end(lab, gently=0)
        lab.communicate(timeout=5)


def test_missing_programs_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tree, "_path", lambda: str(tmp_path))
    with pytest.raises(tree.LabUnavailable, match="Debian packages: apt .*util-linux"):
        tree.ensure()
