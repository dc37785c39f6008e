# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run leaves beside the inventory."""

from __future__ import annotations

import json
import os

import pytest

from ansible_collections.evenport.sip.plugins.module_utils.rollout.files import append_journal, write_deferred, write_json


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
