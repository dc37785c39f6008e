# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read and written on a Fanvil, and by which way."""

from __future__ import annotations

import contextlib
import json

import pytest

from ansible_collections.evenport.sip.plugins.module_utils.errors import (
    DeviceError,
    EvenportError,
    NotApplied,
    Unsupported,
)
from ansible_collections.evenport.sip.plugins.module_utils.phones.work import configure_phone, inspect_phone
from tests.fakes.fanvil import FakeFanvil
from tests.fakes.web import FakeWebServer, Reply
from tests.unit.plugins.module_utils.phones.contract_suite import PASSWORD, TWO_LINES, refuse, target_of
from tests.unit.plugins.module_utils.phones.fanvil_visits import (
    PORT,
    WANTED,
    make,
    target,
)

# ---------------------------------------------------------------------- the XML service


def test_the_xml_service_needs_no_session():
    with make("xml") as fake:
        configure_phone(target(fake), WANTED, in_use=False)
        assert fake.sessions_taken == fake.login_attempts == 0 and not any("config" in line for line in fake.log)


def test_a_code_that_is_not_zero_is_a_refusal():
    with make("xml", {"ret_code": 5}) as fake:
        error = refuse(DeviceError, lambda: configure_phone(target(fake), WANTED, in_use=False))
        assert "RetCode 5" in str(error) and not error.wrote and fake.writes == 0


def test_a_service_that_does_not_know_the_port_is_not_used():
    class Other(FakeFanvil):
        def _service(self, request):
            return super()._service(request) if b"SIPPort" not in request.body else Reply(
                200, b'<FanvilConfiguration cmd="get"><RetCode>2</RetCode></FanvilConfiguration>', "text/xml")

    with Other("xml", password=PASSWORD, accounts=TWO_LINES) as fake:
        assert inspect_phone(target(fake))["identity"]["generation"] == "session"
        assert configure_phone(target(fake), PORT, in_use=False)["changed"] and fake.sessions_taken == 1


def test_a_web_page_instead_of_the_service_is_no_service():
    with make("xml", {"html": "xmlService"}) as fake:
        assert inspect_phone(target(fake))["identity"]["generation"] == "session"


# ---------------------------------------------------------------------- settings


@pytest.mark.parametrize("kind", ["v5501", "xml"])
def test_intervals_that_differ_are_left_alone(kind):
    with make(kind) as fake:
        fake.values.update({"sip.line.1.UDPUpdateTTL": "30", "sip.line.2.UDPUpdateTTL": "45"})
        before = dict(fake.values)
        pushed = configure_phone(target(fake), WANTED, in_use=False)
        assert pushed["unsupported"] == ["keep_alive_interval"] and "keep_alive_interval" not in pushed["before"]
        assert (fake.values["sip.line.1.UDPUpdateTTL"], fake.values["sip.line.2.UDPUpdateTTL"]) == ("30", "45")
        configure_phone(target(fake), pushed["before"], in_use=False, session=pushed.get("session"))
        assert fake.values == before


def test_the_interval_is_that_of_the_active_lines_and_put_back_to_them_only():
    with make() as fake:
        fake.values.update({"sip.line.2.EnableReg": "0", "sip.line.2.UDPUpdateTTL": "60"})
        before = dict(fake.values)
        pushed = configure_phone(target(fake), {"keep_alive_interval": 20}, in_use=False)
        assert pushed["before"] == {"keep_alive_interval": 30} and fake.written == [{"sip.line.1.UDPUpdateTTL": "20"}]
        configure_phone(target(fake), pushed["before"], in_use=False, session=pushed["session"])
        assert fake.values == before


@pytest.mark.parametrize("kind", ["v5501", "older", "xml"])
@pytest.mark.parametrize("line", [1, 2])
def test_an_interval_that_only_one_line_took_is_noticed_and_put_back(kind, line):
    with make(kind, {"silent_success": [f"sip.line.{line}.UDPUpdateTTL"]}) as fake:
        before = dict(fake.values)
        error = refuse(NotApplied, lambda: configure_phone(target(fake), {"keep_alive_interval": 20}, in_use=False))
        assert "keep_alive_interval is 'not there' instead of 20" in str(error) and "has been put back" in str(error)
        assert error.wrote and fake.values == before and fake.writes == 2


@pytest.mark.parametrize(("text", "shown"), [("0", None), ("1", 1), ("3600", 3600), ("3601", "-"), ("", "-"), (" 30", "-"), ("030", "-"), ("off", "-")])
def test_an_interval_is_managed_where_it_can_be_put_back_to_the_letter(text, shown):
    with make() as fake:
        fake.values.update({"sip.line.1.UDPUpdateTTL": text, "sip.line.2.UDPUpdateTTL": text})
        before = dict(fake.values)
        pushed = configure_phone(target(fake), {**PORT, "keep_alive_interval": 20}, in_use=False)
        assert pushed["before"].get("keep_alive_interval", "-") == shown
        configure_phone(target(fake), pushed["before"], in_use=False, session=pushed["session"])
        assert fake.values == before


@pytest.mark.parametrize("kind", ["v5501", "older", "xml"])
@pytest.mark.parametrize("text", ["0", ""])
def test_a_port_of_nothing_is_set_and_put_back_from_another_process(kind, text):
    """A phone that had an empty one is left with 0: no port again, as far as we can read it."""
    with make(kind) as fake:
        fake.values["sip.SIPPort"] = text
        pushed = configure_phone(target(fake), PORT, in_use=False)
        assert pushed["before"] == {"lines": [{"line": 1, "local_port": None}]} and fake.values["sip.SIPPort"] == "5074"
        before = json.loads(json.dumps(pushed["before"]))
        assert configure_phone(target(fake), before, in_use=False, session=pushed.get("session"))["after"] == before
        assert fake.values["sip.SIPPort"] == "0"


@pytest.mark.parametrize("text", ["0", "", "none", "70000"])
def test_a_port_of_nothing_is_put_back_to_the_letter_by_the_task_that_knows_it(text):
    with make(faults={"silent_success": ["sip.line.1.EnableRport"]}) as fake:
        fake.values["sip.SIPPort"] = text
        before = dict(fake.values)
        wanted = {"lines": [{"line": 1, "local_port": 5074, "rport": False}]}
        assert "has been put back" in str(refuse(NotApplied, lambda: configure_phone(target(fake), wanted, in_use=False)))
        assert fake.values == before


def test_a_phone_that_does_not_take_an_empty_port_back_says_what_it_has():
    with make() as fake:
        fake.values["sip.SIPPort"] = "0"
        pushed = configure_phone(target(fake), PORT, in_use=False)
        fake.valid = lambda key, value: value != "0"
        error = refuse(NotApplied, lambda: configure_phone(target(fake), pushed["before"], in_use=False, session=pushed["session"]))
        assert "local_port of line 1 is 5074 instead of None" in str(error)


@pytest.mark.parametrize(("key", "text", "place"), [
    ("sip.line.1.NATType", "5", "nat_traversal of line 1"), ("sip.line.1.NATUDPUpdate", "7", "nat_traversal of line 1"),
    ("sip.line.1.EnableRport", "", "rport of line 1"), ("sip.line.1.EnableRport", "2", "rport of line 1")])
def test_what_nobody_could_put_back_is_left_alone(key, text, place):
    with make() as fake:
        fake.values[key] = text
        pushed = configure_phone(target(fake), WANTED, in_use=False)
        assert pushed["unsupported"] == [place] and fake.values[key] == text


@pytest.mark.parametrize("entry", [{"nat_traversal": None}, {"rport": None}])
def test_nothing_is_no_value_of_a_switch(entry):
    with make() as fake:
        refuse(Unsupported, lambda: configure_phone(target(fake), {"lines": [{"line": 1, **entry}]}, in_use=False))
        assert fake.writes == 0 and fake.sessions_taken == 0


# ---------------------------------------------------------------------- recognising


class Page(FakeWebServer):
    def __init__(self, reply, nonce=b""):
        super().__init__()
        self.reply, self.nonce = reply, nonce
        self.credentials = False

    def handle(self, request):
        self.credentials |= "authorization" in request.headers or PASSWORD.encode() in request.body
        return self.reply if request.path == "/" else Reply(200, self.nonce) if request.path == "/key==nonce" and self.nonce else Reply(404)


RAPID = ("Server", "RapidLogic/1.1")
COOKIE = ("Set-Cookie", "auth=0123456789abcdef; path=/")


@pytest.mark.parametrize("reply", [
    Reply(200, b"<title>nginx</title>"),
    Reply(200, b"<title>Printer</title>", headers=[RAPID]),                             # printers and routers use this server too
    Reply(200, b"<title>Printer</title>", headers=[RAPID, ("Set-Cookie", "session=1")]),
    Reply(200, b"<title>x</title>", headers=[COOKIE]),
    Reply(200, b"<input name=nonce><input name=encoded>", headers=[("Server", "nginx")]),
    Reply(302, headers=[("Location", "/servlet?m=mod_listener&p=login")]),
])
@pytest.mark.parametrize("brand", ["auto", "fanvil"])
def test_a_stranger_gets_no_password_and_no_question_that_takes_a_session(reply, brand):
    with Page(reply) as fake:
        with pytest.raises(EvenportError):
            inspect_phone(target_of(FakeAddress(fake), mac="", brand=brand))
        assert not fake.credentials and "POST /xmlService" not in fake.log
        rapid = RAPID in reply.headers
        assert ("GET /key==nonce" in fake.log) == (brand == "fanvil" and rapid)


class FakeAddress:
    """What target_of() needs of a fake."""

    def __init__(self, server):
        self.tls, self.port, self.mac = None, server.port, ""


@pytest.mark.parametrize("headers", [
    [RAPID, COOKIE], [COOKIE, RAPID], [("Server", "Rapid Logic/1.1"), ("Set-Cookie", "lang=en, auth=0123456789ABCDEF; path=/")],
    [RAPID, ("WWW-Authenticate", 'Basic realm="VoIP Phone"')]])
def test_the_signs_of_a_front_page(headers):
    with Page(Reply(200, b"<html>x</html>", headers=headers)) as fake:
        with contextlib.suppress(EvenportError):
            inspect_phone(target_of(FakeAddress(fake), mac=""))
        assert "POST /xmlService" in fake.log


def test_a_fanvil_without_the_cookie_is_asked_for_a_nonce_when_somebody_says_it_is_one():
    with Page(Reply(200, b"<html>x</html>", headers=[RAPID]), nonce=b"ba00a8c0000004a7") as fake:
        with contextlib.suppress(EvenportError):
            inspect_phone(target_of(FakeAddress(fake), mac="", brand="fanvil"))
        assert fake.log.index("GET /key==nonce") < fake.log.index("POST /xmlService")


@pytest.mark.parametrize("kind", ["v5501", "older", "xml"])
def test_a_phone_is_recognised_by_itself_before_any_password(kind):
    with make(kind) as fake:
        assert inspect_phone(target_of(fake))["identity"]["brand"] == "fanvil"
        assert fake.log[0] == "GET /" and fake.log[1] == "POST /xmlService"


def test_a_setting_that_applies_at_once_does_not_wait_for_somebody_to_ask_the_pbx():
    with make() as fake:
        assert configure_phone(target(fake), PORT)["applied"] == "live"
