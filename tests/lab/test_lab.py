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
from tests.lab.inventory import SITE
from tests.lab.trip import left_behind

PHONES = ["101", "102", "103", "104"]
FINE = {"phones": PHONES, "registered": PHONES, "lamps": ["101", "102", "104"], "watching": ["101", "102", "104"], "rings": True, "talks": True,
        "group_rang": PHONES[:3], "still_ringing": [], "good": dict.fromkeys(("register", "lamps", "call", "group"), True)}
POOR = {**FINE, "lamps": [], "rings": False, "talks": False, "group_rang": ["101"], "still_ringing": ["101"],
        "good": {"register": True, "lamps": False, "call": False, "group": False}}
RUN = {"code": 0, "changed": 0, "seconds": 1.0, "output": "what ansible said"}
COUNTERS = {phone: {"login_attempts": 0, "writes": 0, "reboots": 0} for phone in PHONES}


def good_story() -> dict[str, Any]:
    """What a poor router's journey looks like when all went well."""
    return json.loads(json.dumps({        # as read from the file: no part is shared
        "router": "overload",
        "cells": {"as found": POOR, "nat option alone": POOR, "after the rollout": FINE},
        "runs": dict.fromkeys(("plan", "rollout", "second run", "audit"), RUN),
        "counters": dict.fromkeys(("start", "plan", "rollout", "second run", "audit"), COUNTERS),
        "seen": {phone: ["203.0.113.1", 5060 + 2 * number] for number, phone in enumerate(PHONES)},
        "audit": {"lines": [{"phone": f"phone{phone}", "verdict": "ok"} for phone in PHONES], "findings": []},
    }))


def test_a_good_story_has_no_complaint_and_reads_well() -> None:
    story = good_story()
    assert verdict.complaints(story) == []
    assert "101 KEEPS RINGING" in report.table(story)


@pytest.mark.parametrize(("change", "complaint"), [
    (lambda story: story["cells"]["after the rollout"]["good"].update(lamps=False), "'lamps' is still bad"),
    (lambda story: story["cells"]["nat option alone"]["good"].update(call=True), "the router is not poor"),
    (lambda story: story["cells"]["nat option alone"].update(still_ringing=[]), "101 should ring on"),
    (lambda story: story["runs"]["rollout"].update(code=2), "what ansible said"),
    (lambda story: story["runs"]["second run"].update(changed=1), "changed 1 things"),
    (lambda story: story["counters"]["second run"]["102"].update(writes=1), "wrote to phone 102"),
    (lambda story: story["counters"]["plan"]["103"].update(login_attempts=2), "logged in to phone 103 2 times"),
    (lambda story: story["seen"]["104"].__setitem__(1, 40000), "sees 104 on 40000, planned is 5066"),
    (lambda story: story["seen"].pop("104"), "should see four contacts"),
    (lambda story: story["audit"]["lines"][0].update(verdict="wrong_port"), "'wrong_port' of phone101"),
    (lambda story: story["audit"]["findings"].append({"code": "router_translated", "site": SITE, "phone": ""}), "should find nothing"),
    (lambda story: story.update(router="random"), "one thing, the router"),
    (lambda story: story.update(audit={}), "no report"),
])
def test_each_promise_can_be_broken(change: Any, complaint: str) -> None:
    story = good_story()
    change(story)
    assert any(complaint in said for said in verdict.complaints(story)), verdict.complaints(story)


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
