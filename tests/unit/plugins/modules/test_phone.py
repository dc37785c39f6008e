# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.evenport.sip.plugins.modules import phone, phone_info
from tests.fakes.grandstream import FakeGrandstream
from tests.fakes.tls import self_signed

PASSWORD = "Zebra-77/&+x"


def run(capsys, module, fake, **options):
    args = {"host": "127.0.0.1", "port": fake.port, "protocol": "https" if fake.tls else "http", "password": PASSWORD, "timeout": 2, **options}
    with patch_module_args(args), pytest.raises(SystemExit):
        module.main()
    text = capsys.readouterr().out
    result = json.loads(text)
    assert PASSWORD not in text.replace("\\", "")
    return result


@pytest.fixture
def fake():
    with FakeGrandstream("G3", password=PASSWORD) as one:
        yield one


def test_change_check_and_diff(capsys, fake):
    options = {"ports": [5074], "nat_traversal": "keep_alive", "_ansible_diff": True}
    checked = run(capsys, phone, fake, **options, _ansible_check_mode=True)
    assert checked["changed"] and fake.writes == 0
    assert checked["diff"] == {"before": {"lines": [{"line": 1, "local_port": 5060, "nat_traversal": "none"}]},
                               "after": {"lines": [{"line": 1, "local_port": 5074, "nat_traversal": "keep_alive"}]}}
    assert run(capsys, phone, fake, **options)["changed"] and fake.writes == 1
    assert not run(capsys, phone, fake, **options)["changed"] and fake.writes == 1
    back = run(capsys, phone, fake, restore=checked["before"])
    assert back["changed"] and "diff" not in back and fake.values["P40"] == "5060"


def test_info(capsys, fake):
    result = run(capsys, phone_info, fake)
    assert not result["changed"] and result["settings"]["lines"][0]["local_port"] == 5060 and "session" not in result
    assert result["identity"]["generation"] == "G3" and fake.logouts == 1


def test_errors_are_results_with_a_code(capsys, fake):
    result = run(capsys, phone, fake, ports=[5074], username="nobody")
    assert result["failed"] and result["code"] == "auth_failed" and not result["changed"] and fake.login_attempts == 1
    assert run(capsys, phone_info, fake, mac="000b82ffffff")["code"] == "identity_mismatch"
    fake.faults["silent_success"] = True
    result = run(capsys, phone, fake, ports=[5074])
    assert result["failed"] and result["code"] == "not_applied" and result["changed"]


def test_offline_is_unreachable_and_not_failed(capsys, fake):
    fake.stop()
    for module, more in ((phone, {"ports": [5074]}), (phone_info, {})):
        result = run(capsys, module, fake, **more)
        assert result["unreachable"] and result["code"] == "deferred" and not result.get("failed")


def test_the_fingerprint_is_in_the_result(capsys):
    with FakeGrandstream("G3", password=PASSWORD, tls=self_signed()) as fake:
        result = run(capsys, phone_info, fake)
        assert result["failed"] and result["code"] == "certificate_refused"
        assert run(capsys, phone_info, fake, fingerprint=result["fingerprint"])["identity"]["brand"] == "grandstream"


def test_locked_has_its_minutes(capsys, fake):
    fake.faults["locked"] = True
    result = run(capsys, phone_info, fake)
    assert result["code"] == "locked" and "minutes" in result


def test_skipping_a_busy_phone(capsys, fake):
    fake.faults["busy"] = True
    result = run(capsys, phone, fake, ports=[5074], when_busy="skip")
    assert result["skipped"] and not result["changed"] and result["code"] == "deferred" and not result.get("failed")


@pytest.mark.parametrize("options", [{}, {"ports": [5074], "restore": {"random_port": False}}, {"nat_traversal": "magic"}, {"ports": ["x"]}, {"ports": [0]}])
def test_wrong_options(capsys, fake, options):
    assert run(capsys, phone, fake, **options)["failed"] and fake.requests == 0
