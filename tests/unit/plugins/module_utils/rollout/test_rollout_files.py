# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run leaves beside the inventory."""

from __future__ import annotations

import json
import os

import pytest

from ansible_collections.evenport.sip.plugins.module_utils.rollout import files
from ansible_collections.evenport.sip.plugins.module_utils.rollout.files import append_journal, last_pushes, read_report, write_deferred, write_json, write_text


def test_a_report_replaces_the_old_one_whole(tmp_path):
    path = tmp_path / "new" / "report.json"
    write_json(str(path), {"a": 1})
    write_json(str(path), {"b": [2]})
    assert json.loads(path.read_text()) == {"b": [2]}
    assert os.listdir(path.parent) == ["report.json"], "no draft is left"


def test_a_report_that_cannot_be_written_leaves_the_old_one(tmp_path):
    path = tmp_path / "report.json"
    write_json(str(path), {"a": 1})
    with pytest.raises(TypeError):
        write_json(str(path), {"a": object()})
    assert json.loads(path.read_text()) == {"a": 1}


def test_the_journal_grows_by_a_line_for_each_change(tmp_path):
    append_journal(str(tmp_path / "new"), [{"phone": "a"}, {"phone": "b"}])
    append_journal(str(tmp_path / "new"), [{"phone": "c"}])
    assert [json.loads(line)["phone"] for line in (tmp_path / "new/journal.jsonl").read_text().splitlines()] == ["a", "b", "c"]


def test_a_run_that_changes_nothing_leaves_no_journal(tmp_path):
    append_journal(str(tmp_path / "new"), [])
    assert not (tmp_path / "new").exists()


def test_who_is_to_be_done_again_is_a_file_for_limit_that_goes_with_the_last_of_them(tmp_path):
    path = write_deferred(str(tmp_path / "new"), ["a", "b"], ["a", "b", "c"])
    assert (tmp_path / "new/deferred.txt").read_text() == "a\nb\n"
    assert path == str(tmp_path / "new/deferred.txt")
    assert write_deferred(str(tmp_path / "new"), [], ["a", "b"]) == ""
    assert not (tmp_path / "new/deferred.txt").exists()
    assert write_deferred(str(tmp_path / "new"), [], ["a"]) == ""


def test_a_run_over_some_phones_does_not_forget_those_of_another_run(tmp_path):
    write_deferred(str(tmp_path), ["a", "b"], ["a", "b"])
    write_deferred(str(tmp_path), ["c"], ["b", "c"])
    assert (tmp_path / "deferred.txt").read_text() == "a\nc\n"


def mode(path):
    return path.stat().st_mode & 0o777


@pytest.fixture
def umask():
    """The usual one, whatever this machine has."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_a_report_is_not_for_everybody_and_keeps_the_mode_that_somebody_gave_it(tmp_path, umask):
    path = tmp_path / "a/b/report.json"
    write_text(path, "one")
    assert (mode(path), mode(path.parent), mode(path.parent.parent)) == (0o640, 0o750, 0o750)
    path.chmod(0o604)
    write_text(path, "two")
    assert (path.read_text(), mode(path)) == ("two", 0o604)
    os.umask(0o077)
    write_text(tmp_path / "c/report.json", "one")
    assert (mode(tmp_path / "c/report.json"), mode(tmp_path / "c")) == (0o600, 0o700)


def test_what_is_there_already_is_not_written_again(tmp_path):
    path = tmp_path / "report.json"
    assert write_text(path, "same") and not write_text(path, "same") and write_text(path, "same!") and write_text(path, "other")
    os.utime(path, (1, 1))
    write_text(path, "other")
    assert path.stat().st_mtime == 1


def test_a_draft_of_a_run_that_was_killed_is_in_nobodys_way_and_a_failed_one_goes(tmp_path):
    path = tmp_path / "report.json"
    draft = tmp_path / f".report.json.{os.getpid()}"
    draft.write_text("half")
    write_text(path, "whole")
    assert os.listdir(tmp_path) == ["report.json"] and path.read_text() == "whole"
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError):
        write_text(tmp_path / "folder", "a file where a folder is")
    assert sorted(os.listdir(tmp_path)) == ["folder", "report.json"]


def test_a_previous_report_that_cannot_be_read_is_none(tmp_path, monkeypatch):
    path = tmp_path / "report.json"
    assert read_report(str(path)) == (None, "")
    path.write_text('{"schema": 2}')
    assert read_report(str(path)) == ({"schema": 2}, "")
    for text in (b"{", b"\xff\xfe", b"[" * 100_000):
        path.write_bytes(text)
        assert read_report(str(path)) == (None, f"{path} is not JSON")
    assert read_report(str(tmp_path))[1] == f"{tmp_path} can't be read: Is a directory"
    monkeypatch.setattr(files, "LARGEST_REPORT", 10)
    assert "is larger than" in read_report(str(path))[1]


def entry(phone, time="2026-11-23T05:00:00Z", site="acme", **more):
    return {"time": time, "site": site, "phone": phone, "before": {}, "after": {"lines": []}, "outcome": "moved", **more}


def test_the_last_push_of_each_phone_is_found_whatever_else_is_in_the_journal(tmp_path):
    append_journal(str(tmp_path), [entry("a", "1"), entry("b", "2"), entry("a", "3"), entry("a", "4", site="other"), entry("c", "5"), entry("x", "6")])
    with open(tmp_path / "journal.jsonl", "ab") as file:
        file.write(b'{"phone": "a", "site": "acme"}\n[1]\nnull\n"a"\n\xff\n' + b"[" * 100_000 + b'\n\n{"phone": "b", "si')
    found = last_pushes(str(tmp_path), {"a": "acme", "b": "acme", "c": "acme"})
    assert {phone: one["time"] for phone, one in found.items()} == {"a": "3", "b": "2", "c": "5"}
    assert last_pushes(str(tmp_path / "none"), {"a": "acme"}) == {}


def test_of_a_long_journal_the_end_is_read(tmp_path, monkeypatch):
    append_journal(str(tmp_path), [entry("a", "1"), entry("b", "2"), entry("c", "3")])
    size = len((tmp_path / "journal.jsonl").read_bytes())
    monkeypatch.setattr(files, "JOURNAL_READ", size - 5)
    assert {*last_pushes(str(tmp_path), dict.fromkeys("abc", "acme"))} == {"b", "c"}
