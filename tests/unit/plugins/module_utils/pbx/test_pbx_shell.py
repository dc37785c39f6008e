# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running programs, here and through a prefix: real processes."""

from __future__ import annotations

import os
import signal
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.evenport.sip.plugins.module_utils.errors import BadAnswer, DeviceError, Unreachable, Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.pbx import shell
from ansible_collections.evenport.sip.plugins.module_utils.pbx.shell import CommandFailed, Shell

HERE = Shell(timeout=20)
THERE = Shell(("sh", "-c"), timeout=20)                 # one string for a shell, as ssh gives it


@pytest.fixture(params=[HERE, THERE], ids=["here", "there"])
def run(request):
    return request.param.run


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return ") Z" not in file.read()
    except OSError:
        return False


def gone(pid, seconds=10):
    end = time.monotonic() + seconds
    while alive(pid) and time.monotonic() < end:
        time.sleep(0.05)
    return not alive(pid)


@settings(max_examples=25, deadline=5000)
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20), max_size=4), st.text(max_size=50))
def test_any_argument_and_any_input_arrive_as_they_are(words, text):
    try:
        text.encode()
    except UnicodeEncodeError:
        text = ""
    for each in (HERE, THERE):
        assert each.run("printf", "%s\\0", "", *words) == "".join(f"{word}\0" for word in ("", *words))
        assert each.run("cat", stdin=text) == text


def test_bytes_that_are_no_text_survive(run):
    assert run("printf", r"\377\303").encode("utf-8", "surrogateescape") == b"\xff\xc3"


def test_much_in_and_out_at_once(run):
    text = "0123456789abcdef" * 400_000                   # 6 MB: more than any pipe holds
    assert run("cat", stdin=text) == text


def test_input_that_nobody_reads(run):
    assert run("echo", "done", stdin="x" * 5_000_000) == "done\n"


def test_a_status(run):
    with pytest.raises(CommandFailed) as told:
        run("sh", "-c", "echo secret-pw >&2; exit 7")
    assert (told.value.status, told.value.said) == (7, "secret-pw") and "secret-pw" not in str(told.value)


def test_of_a_long_complaint_the_end_is_kept(run):
    with pytest.raises(CommandFailed) as told:
        run("sh", "-c", "yes complaint | head -c 3000000 >&2; echo the end >&2; exit 1")
    assert told.value.said.endswith("the end") and len(told.value.said) <= 2000


def test_no_such_program():
    with pytest.raises(Unsupported, match="no program evenport-no-such on the machine that runs this task"):
        HERE.run("evenport-no-such")
    with pytest.raises(Unsupported, match="no program evenport-no-such on the PBX"):
        THERE.run("evenport-no-such")
    with pytest.raises(Unsupported, match="no program evenport-ssh"):
        Shell(("evenport-ssh", "root@pbx")).run("true")


def test_no_right_to_run_it(tmp_path):
    (tmp_path / "program").write_text("#!/bin/sh\n")
    with pytest.raises(DeviceError, match="become: true"):
        HERE.run(str(tmp_path / "program"))
    with pytest.raises(DeviceError, match="an argument that no program can have"):
        HERE.run("echo", "a\0b")


def test_a_prefix_that_finds_no_way():
    with pytest.raises(Unreachable, match="sh found no way"):
        Shell(("sh", "-c", "exit 255", "sh")).run("true")


def test_it_does_not_end(tmp_path):
    note = tmp_path / "pid"
    with pytest.raises(BadAnswer, match=r"did not end within 0\.5 s"):
        Shell(timeout=0.5).run("sh", "-c", f"sleep 300 & echo $! > {note}; wait")
    assert gone(int(note.read_text()))                  # what it had started went with it


@pytest.mark.parametrize("script", ["yes", "cat /dev/zero", "yes >&2", "exec >&-; yes >&2", "exec >&- 2>&-; sleep 300"])
def test_it_never_stops_talking(script):
    began = time.monotonic()
    with pytest.raises(BadAnswer):
        Shell(timeout=2).run("sh", "-c", script)
    assert time.monotonic() - began < 15


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(shell, "LIMIT", 100_000)
    assert len(HERE.run("head", "-c", "100000", "/dev/zero")) == 100_000
    with pytest.raises(BadAnswer, match="more than"):
        HERE.run("head", "-c", "300000", "/dev/zero")


def test_a_service_that_it_started_is_left_alone_and_not_waited_for():
    began = time.monotonic()
    pid = int(HERE.run("sh", "-c", "sleep 60 & echo $!"))           # it holds our pipes open
    try:
        assert alive(pid) and time.monotonic() - began < 15
    finally:
        os.kill(pid, signal.SIGKILL)


def test_nothing_can_ask_at_a_terminal(run):
    """A session of its own has none."""
    session = run("sh", "-c", "cut -d ' ' -f 6 /proc/$$/stat")
    assert session.strip().isdigit() and int(session) != os.getsid(0)
