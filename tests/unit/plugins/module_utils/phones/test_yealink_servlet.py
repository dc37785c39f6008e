# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing to the servlet generations: the import of a Y4, the form of a Y3."""

from __future__ import annotations

import json

import pytest

from ansible_collections.evenport.sip.plugins.module_utils.errors import (
    DeviceError,
    Unsupported,
)
from ansible_collections.evenport.sip.plugins.module_utils.phones.work import inspect_phone
from tests.fakes.web import Reply
from tests.fakes.yealink import fake_yealink
from tests.fakes.yealink_servlet import FakeYealinkY3, FakeYealinkY4
from tests.unit.plugins.module_utils.phones.contract_suite import TWO_LINES, refuse
from tests.unit.plugins.module_utils.phones.yealink_visits import configure, target

# ---------------------------------------------------------------------- Y4: the import


def answering(result):
    class Odd(FakeYealinkY4):
        def _upload(self, request):
            super()._upload(request)
            return self.page(f'<div id="_RES_INFO_">{{"type":"localcfg","result":{json.dumps(result)}}}</div>')
    return Odd


@pytest.mark.parametrize("result", ["noparam", "large", "failed", "false"])
def test_y4_words_that_are_a_refusal(result):
    with answering(result)() as fake:
        error = refuse(DeviceError, lambda: configure(fake))
        assert result in str(error) and fake.logouts == 1


@pytest.mark.parametrize("result", ["success", 5, 0, "5"])
def test_y4_a_number_is_a_success(result):
    with answering(result)() as fake:
        assert configure(fake)["changed"]


@pytest.mark.parametrize("result", [None, True, [], {}])
def test_y4_anything_else_is_read_back(result):
    with answering(result)() as fake:
        assert configure(fake)["changed"] and fake.writes == 1


@pytest.mark.parametrize("limit", ["5MB", "100KB"])
def test_y4_the_limit_is_that_of_the_page(limit):
    with fake_yealink("Y4", faults={"limit": limit}) as fake:
        assert configure(fake)["changed"]


def test_y4_a_limit_that_the_page_does_not_tell_is_refused_by_the_phone():
    class Odd(FakeYealinkY4):
        def _limit(self):
            return "7 GB"

    with Odd() as fake:
        assert "noparam" in str(refuse(DeviceError, lambda: configure(fake))) and fake.writes == 0


# ---------------------------------------------------------------------- Y3: the form


def test_y3_two_accounts_are_two_forms():
    with fake_yealink("Y3", accounts=TWO_LINES) as fake:
        wanted = {"lines": [{"line": 1, "local_port": 5074}, {"line": 2, "local_port": 5076}]}
        before = dict(fake.values)
        result = configure(fake, wanted)
        assert result["changed"] and result["after"] == wanted and fake.writes == 2
        changed = {key for key in before if before[key] != fake.values[key]}
        assert changed == {f"account.{n}.sip_listen_port" for n in (1, 2)}
        assert configure(fake, result["before"])["changed"] and fake.values == before


def test_y3_one_line_is_one_form_and_no_other_account_is_written_for_its_interval():
    with fake_yealink("Y3", accounts=TWO_LINES) as fake:
        wanted = {"keep_alive_interval": 20, "lines": [{"line": 1, "local_port": 5074, "rport": True}]}
        result = configure(fake, wanted)
        assert result["unsupported"] == ["keep_alive_interval"] and fake.writes == 1
        assert all(key.startswith("account.1.") for key in fake.written[0])


def test_y3_the_interval_of_the_only_active_account_goes_with_its_form():
    with fake_yealink("Y3") as fake:
        before = dict(fake.values)
        result = configure(fake, {"keep_alive_interval": 20, "lines": [{"line": 1, "local_port": 5074}]})
        assert result["unsupported"] == [] and fake.writes == 1 and fake.values["account.1.nat.udp_update_time"] == "20"
        assert configure(fake, result["before"])["changed"] and fake.values == before


@pytest.mark.parametrize("lines", [1, 2])
def test_y3_a_form_whose_answer_is_lost_keeps_no_other_from_being_sent(lines):
    with fake_yealink("Y3", accounts=TWO_LINES, faults={"drop_on_write": True}) as fake:
        wanted = {"keep_alive_interval": 20, "lines": [{"line": n, "local_port": 5072 + 2 * n} for n in range(1, lines + 1)]}
        assert configure(fake, wanted)["changed"] and fake.writes == lines


@pytest.mark.parametrize("reply", [Reply(403, b"User Identity Forbidden"), Reply(500), Reply(302, headers=[("Location", "/servlet?p=login&q=loginForm")])],
                         ids=["forbidden", "broken", "lost"])
def test_y3_a_second_form_that_fails_is_told_and_the_first_put_back(reply):
    class Odd(FakeYealinkY3):
        def _write(self, request, page):
            if request.query["acc"] == "0":
                return super()._write(request, page)
            if reply.status == 302:
                self.expire_sessions()
            return reply

    with Odd(accounts=TWO_LINES) as fake:
        before = dict(fake.values)
        error = refuse(DeviceError, lambda: configure(fake, {"lines": [{"line": 1, "local_port": 5074}, {"line": 2, "local_port": 5076}]}))
        assert error.wrote and "line 2" in str(error)
        if reply.status == 302:
            assert "check the phone" in str(error)
        else:
            assert fake.values == before and "put back" in str(error) and fake.logouts == 1


@pytest.mark.parametrize("faults", [{"no_label": True}, {"two_labels": True}, {"password_on_page": True}, {"no_page": ["account-adv"]}], ids=str)
def test_y3_a_field_that_is_not_sure_is_shown_but_not_written(faults):
    with fake_yealink("Y3", accounts=TWO_LINES, faults=faults) as fake:
        assert inspect_phone(target(fake))["settings"]["lines"][1]["local_port"] == 5062
        assert "not found for sure" in str(refuse(Unsupported, lambda: configure(fake, {"lines": [{"line": 1, "local_port": 5074}]})))
        assert fake.writes == 0 and fake.logouts == fake.logins


def test_y3_a_field_whose_value_is_not_that_of_the_configuration_is_not_ours():
    class Odd(FakeYealinkY3):
        def exported(self):
            return super().exported().replace(b"account.1.sip_listen_port = 5060", b"account.1.sip_listen_port = 5099")

    with Odd() as fake:
        refuse(Unsupported, lambda: configure(fake, {"lines": [{"line": 1, "local_port": 5074}]}))
        assert fake.writes == 0


def test_y3_stun_is_on_a_page_with_a_password_and_stays():
    with fake_yealink("Y3") as fake:
        refuse(Unsupported, lambda: configure(fake, {"lines": [{"line": 1, "nat_traversal": "stun"}]}))
        fake.values["account.1.nat.nat_traversal"] = "1"
        result = configure(fake, {"lines": [{"line": 1, "local_port": 5074, "nat_traversal": "keep_alive"}]})
        assert result["unsupported"] == ["nat_traversal of line 1"] and fake.values["account.1.nat.nat_traversal"] == "1"


def test_y3_a_value_that_changes_under_our_hands_is_not_overwritten():
    class Odd(FakeYealinkY3):
        loads = 0

        def _form_of(self, page, account):
            self.loads += 1
            if self.loads == 2:
                self.values["account.1.sip_listen_port"] = "5090"
            return super()._form_of(page, account)

    with Odd() as fake:
        assert "somebody else" in str(refuse(DeviceError, lambda: configure(fake)))
        assert fake.writes == 0
