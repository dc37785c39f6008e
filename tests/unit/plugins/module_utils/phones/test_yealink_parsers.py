# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fuzzing what Yealinks send."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.evenport.sip.plugins.module_utils.errors import (
    EvenportError,
    SessionLost,
)
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import Answer
from ansible_collections.evenport.sip.plugins.module_utils.phones.settings import Place
from ansible_collections.evenport.sip.plugins.module_utils.phones.work import inspect_phone
from ansible_collections.evenport.sip.plugins.module_utils.phones.yealink import keys as yealink_keys
from ansible_collections.evenport.sip.plugins.module_utils.phones.yealink import servlet as yealink_servlet
from ansible_collections.evenport.sip.plugins.module_utils.phones.yealink import y3 as yealink_y3
from ansible_collections.evenport.sip.plugins.module_utils.phones.yealink import y4 as yealink_y4
from ansible_collections.evenport.sip.plugins.module_utils.phones.yealink import y5 as yealink_y5
from tests.fakes.web import Reply
from tests.fakes.yealink import fake_yealink
from tests.fakes.yealink_api import FakeYealinkY5
from tests.fakes.yealink_servlet import FakeYealinkY3, FakeYealinkY4
from tests.unit.plugins.module_utils.phones.contract_suite import refuse
from tests.unit.plugins.module_utils.phones.yealink_visits import configure, target

# ---------------------------------------------------------------------- fuzzing what phones send

TEXT = st.text(max_size=200) | st.lists(st.sampled_from([
    "account.1.enable", "account.2.sip_listen_port", "sip.listen_port", "account.1.nat.udp_update_time", " = ", "=", "5060", "\n", "#", "1", "²", "-1", "٣",
    "99999999999", '<div id="_RES_INFO_">', '{"result":', "5}", "</div>", "<form>", "<tr>", "<select name='a'>", "T(\"Local SIP Port\")",
    "<input name='b' value='5060'>", 'g_strToken = "', '"', "authstatus", "[" * 50]), max_size=25).map("".join)
NAMES = st.sampled_from(["ret", "ok", "failed", "data", "error", "msg", "webStatus", "lock", "lockTime", "formData", "sip.listen_port", "wui.device.mac", "x"])
JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | NAMES,
                    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12)


@given(TEXT, st.sampled_from(["phone", "line"]))
def test_any_configuration_has_a_meaning(text, otherwise):
    raw = yealink_keys.parse_export(text)
    scope = yealink_keys.scope_of(raw, otherwise)
    full = yealink_keys.completed(raw, scope)
    meant = yealink_keys.settings_of(full, scope)
    assert yealink_keys.accounts_of(full, meant, scope) and Place("local_port", 1) in meant
    yealink_keys.provisioning_of(full)
    assert set(yealink_keys.texts(meant, full, scope).values()) <= {"5060"}     # what it is already is never written; an empty port is 5060


@given(st.dictionaries(st.sampled_from(yealink_keys.wanted_keys()), st.sampled_from(["", "0", "1", "2", "3", "5060", "20", "x", "²"])),
       st.sampled_from(["none", "stun", "keep_alive"]), st.integers(1024, 65535), st.booleans())
def test_what_is_written_reads_as_what_was_wanted_and_is_put_back_to_the_letter(raw, nat, port, rport):
    scope = yealink_keys.scope_of(raw, "phone")
    full = yealink_keys.completed(raw, scope)
    before = yealink_keys.settings_of(full, scope)
    wanted = {Place("local_port", 1): port, Place("nat_traversal", 1): nat, Place("rport", 1): rport, Place("keep_alive_interval"): 20}
    wanted = {place: value for place, value in wanted.items() if isinstance(before.get(place), (bool, int, str))}
    written = {**full, **yealink_keys.texts(wanted, full, scope)}
    meant = yealink_keys.settings_of(written, scope)
    assert {place: meant[place] for place in wanted} == wanted
    back = {**written, **yealink_keys.texts({place: before[place] for place in wanted}, written, scope)}
    assert {key for key in full if full[key] != back[key]} <= {key for key in full if key.endswith("listen_port") and back[key] == "5060"}


@given(TEXT)
def test_parsers_take_any_text(text):
    answer = Answer("kitchen: GET /servlet", 200, {}, text.encode("utf-8", "replace"))
    page = yealink_servlet.LoginPage(text, {})
    assert yealink_y4.variant_of(page)[0] in ("A", "B")
    yealink_servlet.variable(text, "g_strToken")
    for parse in (yealink_y4.result_of, lambda given: yealink_y3.located(given, {"sip_listen_port": "5060", "nat.rport": None})):
        try:
            parse(answer)
        except EvenportError as error:
            assert error.remedy


@given(JSON)
def test_json_parsers_take_any_json(data):
    assert all(isinstance(value, str) for value in yealink_y5.named(data).values())


class RubbishY5(FakeYealinkY5):
    answer: object = None
    where = ""

    def handle(self, request):
        return Reply.json(self.answer) if self.where in request.path else super().handle(request)


@settings(max_examples=60, deadline=None)
@given(JSON, st.sampled_from(["/api/auth/login", "readconfig", "writeconfig", "talking", "common/info"]))
def test_y5_a_whole_visit_survives_any_json(data, where):
    with RubbishY5() as fake:
        fake.answer, fake.where = data, where
        try:
            configure(fake)
        except EvenportError as error:
            assert str(error)
        assert fake.login_attempts <= 1 and fake.logouts == fake.logins


def rubbish(kind):
    class Rubbish(kind):
        answer = ""
        where = ""

        def handle(self, request):
            whole = "&".join(f"{name}={value}" for name, value in request.query.items())
            return Reply(body=self.answer.encode("utf-8", "replace")) if self.where in whole else super().handle(request)
    return Rubbish


@pytest.mark.parametrize(("kind", "places"), [
    (FakeYealinkY4, ["loginForm", "q=login&", "p=status", "exportcfg", "settings-config", "mod_res"]),
    (FakeYealinkY3, ["loginForm", "getsessionid", "p=status", "localconfig", "account-adv", "q=write"])])
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_whole_visit_to_an_old_one_survives_any_page(kind, places, data):
    with rubbish(kind)() as fake:
        fake.answer, fake.where = data.draw(TEXT), data.draw(st.sampled_from(places))
        try:
            configure(fake)
        except EvenportError as error:
            assert str(error)
        assert fake.login_attempts <= 1


def test_a_session_lost_error_names_the_phone():
    with fake_yealink("Y4", faults={"session_lost_after": 1}) as fake:
        refuse(SessionLost, lambda: inspect_phone(target(fake)))
