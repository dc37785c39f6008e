# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is it a Yealink, and how does one get in: what is Yealink's alone."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.evenport.sip.plugins.module_utils.errors import (
    AuthFailed,
    BadAnswer,
    Busy,
    DeviceError,
    EvenportError,
    LockedOut,
    Unreachable,
    Unsupported,
)
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import Answer
from ansible_collections.evenport.sip.plugins.module_utils.http.session import WebSession
from ansible_collections.evenport.sip.plugins.module_utils.phones.front import Front
from ansible_collections.evenport.sip.plugins.module_utils.phones.target import Target
from ansible_collections.evenport.sip.plugins.module_utils.phones.work import inspect_phone
from ansible_collections.evenport.sip.plugins.module_utils.phones.yealink import crypto as yealink_crypto
from ansible_collections.evenport.sip.plugins.module_utils.phones.yealink import recognise as yealink
from ansible_collections.evenport.sip.plugins.module_utils.phones.yealink import servlet as yealink_servlet
from ansible_collections.evenport.sip.plugins.module_utils.phones.yealink import y3 as yealink_y3
from ansible_collections.evenport.sip.plugins.module_utils.phones.yealink import y4 as yealink_y4
from tests.fakes.web import Drop, FakeWebServer, Reply
from tests.fakes.yealink import fake_yealink
from tests.fakes.yealink_api import FakeYealinkY5
from tests.fakes.yealink_servlet import FakeYealinkY3
from tests.fakes.yealink_state import modulus, rsa_open
from tests.unit.plugins.module_utils.phones.contract_suite import refuse
from tests.unit.plugins.module_utils.phones.yealink_visits import ONE, configure, target

# ---------------------------------------------------------------------- login


@pytest.mark.parametrize(("model", "firmware", "variant"), [("T48U", "105.85.0.5", "B"), ("T27G", "69.85.0.5", "B"), ("T31G", "124.85.0.40", "A")])
def test_y4_a_login_of_the_other_kind_is_one_failed_attempt_and_says_what_was_tried(model, firmware, variant):
    with fake_yealink("Y4", variant=variant, model=model, firmware=firmware) as fake:
        error = refuse(AuthFailed, lambda: inspect_phone(target(fake)))
        assert fake.login_attempts == 1
        assert ("assumption" in str(error) and model in str(error)) or model == "T31G"


@pytest.mark.parametrize(("page", "variant", "known"), [
    ('g_phonetype = "T31G"; g_strFirmware = "124.86.104.1";rsakey', "B", True),
    ('g_phonetype = "T30P"; g_strFirmware = "124.85.0.40"', "B", True),
    ('g_phonetype = "T46S"; g_strFirmware = "66.84.0.125"', "A", True),
    ('g_phonetype = "T21P_E2"; g_strFirmware = "52.84.0.125"; data.rsakey = x', "A", False),
    ('g_phonetype = "T21P_E2"; g_strFirmware = "52.84.0.125"; pwd: YLForm.RSAEncrypt(x)', "B", False),
    ('g_phonetype = "T21P_E2"; g_strFirmware = "52.84.0.125"', "A", False),
    ("", "A", False)])
def test_y4_the_kind_of_login_is_chosen_by_model_then_by_page(page, variant, known):
    chosen, why = yealink_y4.variant_of(yealink_servlet.LoginPage(page, {}))
    assert chosen == variant and (not why) == known


def test_y5_somebody_else_is_named_and_not_thrown_out():
    with fake_yealink("Y5", faults={"other_session": "192.0.2.99"}) as fake:
        error = refuse(Busy, lambda: configure(fake))
        assert error.code == "deferred" and "192.0.2.99" in str(error) and not error.wrote
        assert (fake.login_attempts, fake.logins, fake.writes, fake.logouts) == (1, 0, 0, 0)


def test_y5_two_visits_one_after_the_other_find_the_only_session_free():
    with fake_yealink("Y5") as fake:
        assert configure(fake)["changed"] and not configure(fake)["changed"]
        assert (fake.logins, fake.logouts) == (2, 2)
        kept = inspect_phone(target(fake), {"lines": [{"line": 1, "local_port": 5080}]}, keep_session=True)["session"]
        refuse(Busy, lambda: inspect_phone(target(fake)))                   # it is the one that was kept
        assert configure(fake, {"lines": [{"line": 1, "local_port": 5080}]}, session=kept)["changed"]
        assert fake.logins == fake.logouts


@pytest.mark.parametrize("generation", ["Y3", "Y4", "Y5"])
def test_five_wrong_passwords_lock_and_each_further_one_starts_the_time_anew(generation):
    with fake_yealink(generation) as fake:
        for attempt in range(5):                # the page that a Y3 answers the fifth with tells of the lock already
            refuse(LockedOut if generation == "Y3" and attempt == 4 else AuthFailed, lambda: inspect_phone(target(fake, password="wrong")))
        assert refuse(LockedOut, lambda: inspect_phone(target(fake, password="wrong"))).minutes == 3
        attempts = fake.login_attempts
        assert attempts == (6 if generation == "Y5" else 5)                # Y3 and Y4 show the lock on the login page
        fake.locked_until = time.monotonic() + 61
        assert "2 minutes" in str(refuse(LockedOut, lambda: inspect_phone(target(fake)))) or generation == "Y5"
        if generation == "Y5":                  # only an attempt shows it there, and that attempt has prolonged it
            assert fake.minutes_left() == 3
        fake.locked_until = 0.0
        assert inspect_phone(target(fake))["identity"]["generation"] == generation


@pytest.mark.parametrize("generation", ["Y3", "Y4", "Y5"])
def test_a_session_whose_login_was_answered_by_nothing_is_given_back(generation):
    """The phone has let us in and then hung up: we can't know, so we log out with the session that we have."""
    class Mute(type(fake_yealink(generation))):
        def _login(self, request):
            super()._login(request)
            raise Drop

    with Mute() as fake:
        error = refuse(DeviceError, lambda: inspect_phone(target(fake)))
        assert error.code == "deferred" and fake.login_attempts == 1
        assert fake.logouts == 1 or generation == "Y5"                     # a Y5 names its session in the answer only
        assert any("logout" in line for line in fake.log)


def test_y5_an_error_right_after_the_login_still_logs_out():
    class Odd(FakeYealinkY5):
        def _info(self, request):
            return Reply(500) if self.session_of(request) else super()._info(request)

    with Odd() as fake:
        refuse(BadAnswer, lambda: inspect_phone(target(fake)))
        assert (fake.logins, fake.logouts) == (1, 1)


def test_y5_a_refused_request_is_no_wrong_password():
    class Odd(FakeYealinkY5):
        def _login(self, request):
            return Reply.json({"ret": "failed", "error": {"webStatus": "503"}})

    with Odd() as fake:
        assert "says nothing of the password" in str(refuse(BadAnswer, lambda: inspect_phone(target(fake))))


@pytest.mark.parametrize("said", ["60", "x", "", None, -1, [1]])
def test_y5_lock_times_of_any_kind(said):
    class Odd(FakeYealinkY5):
        def _login(self, request):
            return Reply.json({"ret": "failed", "error": {"webStatus": "lock", "lockTime": said}})

    with Odd() as fake:
        assert refuse(LockedOut, lambda: inspect_phone(target(fake))).minutes == (60 if said == "60" else None)


def test_y3_a_cookie_that_got_lost_is_no_wrong_password():
    class Odd(FakeYealinkY3):
        def _login(self, request):
            return super()._login(request) if request.cookies.get("never") else Reply(404)

    with Odd() as fake:
        assert "cookies" in str(refuse(BadAnswer, lambda: inspect_phone(target(fake))))


def test_y3_without_the_cookie_it_is_404():
    with FakeYealinkY3() as fake:
        assert fake._login(type("Request", (), {"form": {}, "cookies": {}})()).status == 404


@pytest.mark.parametrize("generation", ["Y3", "Y4", "Y5"])
@pytest.mark.parametrize("password", ["", "ü" * 40, "a;pwd=b;", "0" * 16, "sessionid=x;"])
def test_passwords_of_all_kinds(generation, password):
    with fake_yealink(generation, password=password) as fake:
        assert inspect_phone(target(fake))["identity"]["generation"] == generation


def test_a_password_too_long_for_the_key_is_not_sent():
    with fake_yealink("Y5", password="x" * 200) as fake:
        assert "shorter password" in str(refuse(EvenportError, lambda: inspect_phone(target(fake))))
        assert fake.login_attempts == 0


# ---------------------------------------------------------------------- ciphers


@given(st.binary(min_size=1, max_size=128))
def test_hex_has_no_leading_zeros_but_an_even_length(number):
    text = yealink_crypto.wire_hex(number)
    assert len(text) % 2 == 0 and not text[:-2].startswith("00") and bytes.fromhex(text).lstrip(b"\0") == number.lstrip(b"\0")


def test_a_number_with_leading_zeros_is_still_opened():
    key = yealink_crypto.PublicKey(modulus(), "010001", "phone")
    sealed = next(text for text in (key.seal("secret") for dummy in range(5000)) if len(text) < 256)
    assert rsa_open(sealed) == "secret" and int(modulus(), 16).bit_length() == 1024


@pytest.mark.parametrize(("n", "e"), [
    ("", ""), ("0" * 256, "10001"), ("f" * 255, "0"), ("xyz", "3"), ("f" * 5000, "10001"), ("c5" * 128, "2"), ("a" * 256, "ffffffffff")])
def test_keys_that_are_none(n, e):
    with pytest.raises(BadAnswer):
        yealink_crypto.PublicKey(n, e, "kitchen: http://192.0.2.1")


# ---------------------------------------------------------------------- recognising


class Page(FakeWebServer):
    def __init__(self, reply, everywhere=False):
        super().__init__()
        self.reply, self.everywhere = reply, everywhere

    def handle(self, request):
        return self.reply if request.path == "/" or self.everywhere else Reply(404)


@pytest.mark.parametrize(("generation", "why"), [("Y1", "Y1"), ("Y2", "Y2")])
@pytest.mark.parametrize("brand", ["auto", "yealink"])
def test_old_generations_are_refused_with_the_reason(generation, why, brand):
    with fake_yealink(generation) as fake:
        error = refuse(Unsupported, lambda: inspect_phone(target(fake, brand=brand)))
        assert why in str(error) and "v81" in str(error)
        assert not any(line.startswith("POST") for line in fake.log)


@pytest.mark.parametrize("brand", ["auto", "yealink"])
@pytest.mark.parametrize("faults", [{}, {"front_script": True}], ids=str)
def test_the_way_to_the_login_page_names_a_y4(brand, faults):
    with fake_yealink("Y4", faults=faults) as fake:
        assert inspect_phone(target(fake, brand=brand))["identity"]["firmware"] == "66.84.0.125"


@pytest.mark.parametrize(("generation", "header"), [("Y5", ""), ("Y5", "yealink"), ("Y4", "yealink"), ("Y3", "yealink")])
def test_the_server_header_may_be_missing_or_there(generation, header):
    with fake_yealink(generation) as fake:
        fake.server_header = header
        assert inspect_phone(target(fake, brand="yealink"))["identity"]["generation"] == generation


@pytest.mark.parametrize("reply", [
    Reply(200, b"<title>nginx</title>"), Reply(401, headers=[("WWW-Authenticate", 'Basic realm="snom"')]), Reply.json({"ret": "ok"}),
    Reply.json({"ret": "failed", "data": {}}), Reply(200, b"\xff\xfe"), Reply(302, headers=[("Location", "/index.asp")]),
    Reply(200, b'<a href="/servlet?m=mod_listener&p=login">')])
@pytest.mark.parametrize("everywhere", [False, True])
def test_a_stranger_is_refused_and_gets_no_password(reply, everywhere):
    with Page(reply, everywhere) as fake:
        with pytest.raises(DeviceError) as caught:
            inspect_phone(Target("kitchen", "127.0.0.1", port=fake.port, protocol="http", password="secret", brand="yealink", timeout=1.0))
        assert caught.value.remedy and not any(line in ("POST /api/auth/login", "POST /servlet") for line in fake.log)


class Shy(FakeWebServer):
    """Some other device: a front page, and no answer to anything else."""

    def handle(self, request):
        if request.path != "/":
            raise Drop
        return Reply(200, b"<title>Door station</title>")


@pytest.mark.parametrize("brand", ["auto", "yealink"])
def test_a_device_that_hangs_up_at_our_questions_is_another_brands_unless_said_otherwise(brand):
    with Shy() as fake:
        given = Target("kitchen", "127.0.0.1", port=fake.port, protocol="http", brand=brand, timeout=1.0)
        web = WebSession(given.reach())
        if brand == "auto":
            assert yealink.recognise(given, web, Front(web)) is None
        else:
            refuse(Unreachable, lambda: yealink.recognise(given, web, Front(web)))


def test_y3_a_page_of_one_endless_row_takes_no_endless_time():
    body = b"<form><table><tr>" + b"<td>local sip port<input name='x' value='5060'></td>" * 60000
    started = time.monotonic()
    assert yealink_y3.located(Answer("kitchen: GET /servlet", 200, {}, body), {"sip_listen_port": "5060"})[1] == {}
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("generation", ["Y3", "Y4"])
def test_a_session_that_is_taken_over_begins_no_new_one(generation):
    with fake_yealink(generation) as fake:
        session = json.loads(json.dumps(inspect_phone(target(fake), ONE, keep_session=True)["session"]))
        seen = len(fake.log)
        assert configure(fake, session=session)["changed"]
        assert not any("loginForm" in line or "getsessionid" in line for line in fake.log[seen:])


@pytest.mark.parametrize("session", [
    {"yealink": {}}, {"yealink": {"Y5": 3}},
    {"yealink": {"Y5": {"identity": {}, "cookies": {"a": "b\r\nc"}}}}, {"yealink": {"Y4": {"identity": {}, "cookies": []}}},
    {"grandstream": {"G3": {}}}])
@pytest.mark.parametrize("generation", ["Y4", "Y5"])
def test_a_session_that_is_none_of_ours_is_passed_over(generation, session):
    with fake_yealink(generation) as fake:
        assert configure(fake, session=session)["changed"] and fake.login_attempts == 1
