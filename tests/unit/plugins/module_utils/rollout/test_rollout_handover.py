# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A web session changes hands through a file that only this user can read, and once."""

from __future__ import annotations

import os

import pytest

from ansible_collections.evenport.sip.plugins.module_utils.phones.target import Target
from ansible_collections.evenport.sip.plugins.module_utils.phones.work import inspect_phone
from ansible_collections.evenport.sip.plugins.module_utils.rollout.handover import end_session, leave_session, take_session
from tests.fakes.grandstream import FakeGrandstream

WANTED = {"lines": [{"line": 1, "local_port": 5074}]}


def files_of(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_session_is_taken_once(tmp_path):
    leave_session(str(tmp_path), "kitchen", {"sid": "x"})
    assert take_session(str(tmp_path), "kitchen") == {"sid": "x"}
    assert take_session(str(tmp_path), "kitchen") is None
    assert files_of(tmp_path) == []


@pytest.mark.parametrize("umask", [0o000, 0o022])
def test_nobody_else_can_read_it_whatever_the_umask(tmp_path, umask):
    before = os.umask(umask)
    try:
        leave_session(str(tmp_path), "kitchen", {"sid": "x"})
    finally:
        os.umask(before)
    (file,) = files_of(tmp_path)
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


def test_each_phone_has_its_own_whatever_it_is_called(tmp_path):
    names = ["kitchen", "../../escape", "a/b", "büro", "x" * 300]
    for name in names:
        leave_session(str(tmp_path), name, {"of": name})
    assert len(files_of(tmp_path)) == len(names)
    assert [take_session(str(tmp_path), name) for name in names] == [{"of": name} for name in names]


def test_the_name_of_the_file_does_not_tell_whose_it_is(tmp_path):
    leave_session(str(tmp_path), "kitchen", {})
    assert "kitchen" not in str(files_of(tmp_path)[0].relative_to(tmp_path))


@pytest.mark.parametrize("rubbish", ["", "{", "[1]", "null"])
def test_a_file_that_holds_no_session_is_as_good_as_none(tmp_path, rubbish):
    leave_session(str(tmp_path), "kitchen", {"sid": "x"})
    files_of(tmp_path)[0].write_text(rubbish)
    assert take_session(str(tmp_path), "kitchen") is None


def test_a_second_scan_replaces_what_nobody_took(tmp_path):
    leave_session(str(tmp_path), "kitchen", {"sid": "a long session of the first scan"})
    leave_session(str(tmp_path), "kitchen", {"sid": "2"})
    assert take_session(str(tmp_path), "kitchen") == {"sid": "2"}


@pytest.mark.parametrize("generation", ["G2", "G3"])
def test_a_session_that_nobody_used_is_ended_without_another_login(tmp_path, generation):
    with FakeGrandstream(generation, password="Okapi-7") as fake:
        target = Target("kitchen", "127.0.0.1", password="Okapi-7", protocol="http", port=fake.port)
        reading = inspect_phone(target, WANTED, keep_session=True)
        leave_session(str(tmp_path), "kitchen", reading["session"])
        assert (fake.logins, fake.logouts) == (1, 0)
        end_session(target, take_session(str(tmp_path), "kitchen"))
        assert (fake.login_attempts, fake.logouts, fake.writes) == (1, 1, 0)
