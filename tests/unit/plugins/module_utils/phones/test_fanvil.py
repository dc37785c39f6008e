# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import contextlib
import time

import pytest

from ansible_collections.evenport.sip.plugins.module_utils.errors import (
    AuthFailed,
    BadAnswer,
    Busy,
    DeviceError,
    EvenportError,
    IdentityMismatch,
    NotApplied,
    SessionLost,
    Unreachable,
    Unsupported,
)
from ansible_collections.evenport.sip.plugins.module_utils.phones.fanvil import driver as fanvil
from ansible_collections.evenport.sip.plugins.module_utils.phones.fanvil import web as fanvil_web
from ansible_collections.evenport.sip.plugins.module_utils.phones.work import configure_phone, inspect_phone
from tests.fakes.fanvil import FakeFanvil
from tests.fakes.web import FakeWebServer, Reply
from tests.unit.plugins.module_utils.phones.contract_suite import PASSWORD, TWO_LINES, PhoneContract, Row, configure, refuse, target_of

WANTED = {"keep_alive_interval": 20, "lines": [
    {"line": 1, "local_port": 5074, "nat_traversal": "keep_alive", "rport": True}, {"line": 2, "nat_traversal": "stun", "rport": False}]}
CHANGES = frozenset({"sip.SIPPort", "sip.line.1.UDPUpdateTTL", "sip.line.2.UDPUpdateTTL", "sip.line.2.NATType", "sip.line.2.EnableRport"})
PORT = {"lines": [{"line": 1, "local_port": 5074}]}


def make(kind="v5501", faults=None, **more):
    """A session that nobody can end lasts 0.3 s, so that the next visit need not wait for it."""
    seconds = 60.0 if kind == "older" else 0.3
    return FakeFanvil(kind, **{"password": PASSWORD, "accounts": TWO_LINES, "session_seconds": seconds, "faults": faults, **more})


def row(name, kind, generation, read_path, write_path, *, always=None, **more):
    return Row(
        name, lambda faults=None, **options: make(kind, {**(always or {}), **(faults or {})}, **options), "fanvil", generation, WANTED, CHANGES,
        ("sip.SIPPort", "local_port of line 1 is 5060 instead of 5074"), {1: 5060}, {1: 5074, 2: 5074}, read_path, write_path,
        login_path="information.htm", **{"sessions": False, "resumes": False, **more}, mac_first=False, lock_text="", call_state=False,
        provision=lambda fake: fake.values.update({"ap.FlashServerIP": "http://admin:hunter2@prov.example.net/cfg"}))


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch):
    monkeypatch.setattr(fanvil, "DIGEST", 0.2)
    monkeypatch.setattr(fanvil, "BACK_PAUSE", 0.05)
    monkeypatch.setattr(fanvil, "BACK_WITHIN", 5.0)
    monkeypatch.setattr(fanvil_web, "NONCE_PAUSE", 0.15)


class TestContract(PhoneContract):
    ROWS = [
        row("v5501", "v5501", "session", "default_user_config", "POST /config.htm"),
        row("older", "older", "session", "default_user_config", "POST /config.htm", sessions=True, resumes=True),
        row("older-restarts", "older", "session", "default_user_config", "POST /config.htm", always={"upload_reboots": True, "slow_reboot": 0.3},
            restarts=False),                    # a change is in force after the upload: nothing is left to restart for
        row("xml", "xml", "xml", "information.htm", 'POST /xmlService cmd="set"'),
    ]


def target(fake, **more):
    return target_of(fake, **more)


# ---------------------------------------------------------------------- how it is logged in to


def test_reading_takes_no_session_and_a_write_takes_one():
    with make(session_seconds=60) as fake:
        inspect_phone(target(fake), WANTED, keep_session=True)
        assert fake.sessions_taken == 0 and not any("nonce" in line for line in fake.log)
        configure_phone(target(fake), WANTED, in_use=False)
        configure_phone(target(fake), WANTED, in_use=False)
        assert (fake.sessions_taken, fake.login_attempts, fake.writes) == (1, 0, 1)


@pytest.mark.parametrize("kind", ["v5501", "xml"])
def test_basic_is_taken_whether_asked_for_or_not(kind):
    with make(kind, {"asks_basic": True}) as fake:
        assert configure_phone(target(fake), WANTED, in_use=False)["changed"]


@pytest.mark.parametrize("kind", ["v5501", "older", "xml"])
def test_a_phone_that_shows_nothing_without_a_session(kind):
    with make(kind, {"no_basic": True}) as fake:
        assert configure_phone(target(fake), WANTED, in_use=False)["changed"]
        assert fake.writes == 1 and fake.logins + fake.sessions_taken == 1


@pytest.mark.parametrize("kind", ["v5501", "older"])
def test_a_wrong_password_in_the_session_way_is_tried_once(kind):
    with make(kind, {"no_basic": True}) as fake:
        refuse(AuthFailed, lambda: configure_phone(target(fake, password="wrong"), WANTED))
        assert (fake.login_attempts, fake.writes) == (1, 0)


def test_no_password_goes_over_the_line_in_the_session_way():
    with make("older") as fake:
        configure_phone(target(fake), WANTED, in_use=False)
        assert fake.basic == []


@pytest.mark.parametrize("kind", ["v5501", "older"])
def test_an_empty_nonce_is_somebody_elses_session_and_no_wrong_password(kind, monkeypatch):
    monkeypatch.setattr(fanvil_web, "NONCE_PAUSE", 0.01)
    with make(kind, {"foreign_session": True}) as fake:
        error = refuse(Busy, lambda: configure_phone(target(fake), WANTED, in_use=False))
        assert error.code == "deferred" and not error.wrote and "somebody else" in str(error)
        assert (fake.login_attempts, fake.writes, fake.sessions_taken) == (0, 0, 0)
        assert sum("nonce" in line or line == "GET /" for line in fake.log) <= 2 * fanvil_web.NONCE_TRIES + 1


def test_a_session_that_is_about_to_end_is_waited_for():
    with make(session_seconds=0.25) as fake:
        configure_phone(target(fake), PORT, in_use=False)
        assert configure_phone(target(fake), {"lines": [{"line": 1, "local_port": 5080}]}, in_use=False)["changed"]
        assert fake.sessions_taken == 2


@pytest.mark.parametrize("kind", ["v5501", "older"])
def test_server_too_busy_is_busy(kind):
    with make(kind, {"too_busy": True}) as fake:
        assert not refuse(Busy, lambda: configure_phone(target(fake), WANTED, in_use=False)).wrote
        assert fake.writes == 0


def test_two_logins_are_never_close_together():
    """A phone whose web service breaks down of it: one visit is one session."""
    with make("v5501", {"storm": 5.0}) as fake:
        configure_phone(target(fake), WANTED, in_use=False)
        assert fake.sessions_taken == 1


@pytest.mark.parametrize("fault", ["hang", "drop", "rubbish", "html", "huge"])
def test_what_breaks_while_the_session_is_taken_is_before_the_write(fault):
    with make(faults={fault: "key==nonce"}) as fake:
        error = refuse(DeviceError, lambda: configure_phone(target(fake, timeout=0.3), WANTED, in_use=False))
        assert not error.wrote and fake.writes == 0 and "othing was written" in str(error)


def test_the_session_way_logs_out_where_that_is_known():
    with make("older") as fake:
        inspect_phone(target(fake))
        assert (fake.logins, fake.logouts) == (1, 1)
    with make("v5501", {"no_basic": True}) as fake:
        inspect_phone(target(fake))
        assert fake.sessions_taken == 1 and not any("LogOut" in line for line in fake.log)


# ---------------------------------------------------------------------- after the write


@pytest.mark.parametrize("kind", ["v5501", "xml"])
def test_nothing_is_asked_while_the_phone_digests(kind, monkeypatch):
    pauses, written = [], []
    with make(kind) as fake:
        sleep = time.sleep

        def counted(seconds):
            if seconds == fanvil.DIGEST:
                written.append(len(fake.log))
                pauses.append(seconds)
            sleep(seconds)

        monkeypatch.setattr(fanvil.time, "sleep", counted)
        configure_phone(target(fake), WANTED, in_use=False)
        assert len(pauses) == 1 and fake.swallowed == 0
        last = fake.log[written[0] - 1]
        assert last.startswith("POST /config.htm" if kind == "v5501" else "POST /xmlService")


def test_a_write_that_is_swallowed_is_found_out(monkeypatch):
    monkeypatch.setattr(fanvil, "DIGEST", 0.0)
    with make(digest_seconds=30.0, faults={"silent_success": ["sip.SIPPort"]}) as fake:
        error = refuse(NotApplied, lambda: configure_phone(target(fake), WANTED, in_use=False))
        assert "check the phone" in str(error) and fake.swallowed == 1        # putting back was swallowed: said so


@pytest.mark.parametrize("kind", ["v5501", "older"])
@pytest.mark.parametrize("faults", [{}, {"drop_on_write": True}])
def test_a_restart_upon_the_upload_is_waited_for_without_a_second_write(kind, faults):
    with make(kind, {"upload_reboots": True, "slow_reboot": 0.5, **faults}) as fake:
        result = configure_phone(target(fake), WANTED, in_use=False)
        assert result["changed"] and (fake.writes, fake.upload_reboots, fake.reboots) == (1, 1, 0)
        assert {account: fake.effective[account] for account in (1, 2)} == {1: 5074, 2: 5074}
        assert fake.logins == (2 if kind == "older" else 0)             # an older phone shows nothing without a session


def test_a_restart_that_begins_late_is_waited_for_too(monkeypatch):
    """The phone answers once more after the pause, and only then goes away."""
    monkeypatch.setattr(fanvil, "DIGEST", 0.0)
    came = []
    with make("v5501", {"upload_reboots": True, "slow_reboot": 0.4}, digest_seconds=0.0) as fake:
        original = fake._export

        def late(request):
            if fake.writes == 1 and not came:
                came.append(True)
                time.sleep(0.3)
            return original(request)

        fake._export = late
        assert configure_phone(target(fake), WANTED, in_use=False)["changed"] and fake.writes == 1 and came


def test_a_phone_that_stays_away_after_the_upload_is_an_error_that_wrote(monkeypatch):
    monkeypatch.setattr(fanvil, "BACK_WITHIN", 0.3)
    with make("v5501", {"upload_reboots": True, "slow_reboot": 30}) as fake:
        error = refuse(Unreachable, lambda: configure_phone(target(fake), WANTED, in_use=False))
        assert error.wrote and fake.writes == 1 and "could not read it back" in str(error)


def test_the_session_is_lost_at_the_upload_of_a_phone_without_logout():
    with make(faults={"write_session_lost": True}) as fake:
        error = refuse(SessionLost, lambda: configure_phone(target(fake), WANTED, in_use=False))
        assert not error.wrote and (fake.writes, fake.sessions_taken) == (0, 1)


# ---------------------------------------------------------------------- what is uploaded


@pytest.mark.parametrize("kind", ["v5501", "older", "xml"])
@pytest.mark.parametrize("faults", [{}, {"extra_bytes": True}, {"two_file_inputs": True}, {"strict_get": True}], ids=str)
def test_quirks_are_survived(kind, faults):
    with make(kind, faults) as fake:
        before = dict(fake.values)
        assert configure_phone(target(fake), WANTED, in_use=False)["changed"]
        assert set(fake.written[0]) == CHANGES and {key for key in before if before[key] != fake.values[key]} == CHANGES
        assert not configure_phone(target(fake), WANTED, in_use=False)["changed"]


def test_no_file_input_is_refused():
    with make(faults={"no_file_input": True}) as fake:
        assert not refuse(Unsupported, lambda: configure_phone(target(fake), WANTED, in_use=False)).wrote
        assert fake.writes == 0


@pytest.mark.parametrize(("faults", "text"), [({"text_only": True}, "as text only"), ({"old_schema": True}, "VOIP_CONFIG_FILE")])
def test_forms_of_configuration_that_nobody_has_shown_to_be_partial_are_refused(faults, text):
    with make("older", faults) as fake:
        assert text in str(refuse(Unsupported, lambda: inspect_phone(target(fake))))
        assert fake.writes == 0 and fake.logouts == fake.logins == 1


def test_half_a_configuration_is_none():
    with make(faults={"broken_config": True}) as fake:
        refuse(BadAnswer, lambda: configure_phone(target(fake), WANTED, in_use=False))
        assert fake.writes == 0


@pytest.mark.parametrize("kind", ["v5501", "xml"])
def test_what_a_phone_lacks_is_skipped_and_named(kind):
    with make(kind, {"missing": ["sip.line.1.EnableRport", "sip.line.2.NATUDPUpdate"]}) as fake:
        result = configure_phone(target(fake), WANTED, in_use=False)
        lacking = ["rport of line 1"] + (["nat_traversal of line 2"] if kind == "v5501" else ["nat_traversal of line 2", "rport of line 2"])
        assert result["changed"] and sorted(result["unsupported"]) == sorted(lacking)


@pytest.mark.parametrize("kind", ["v5501", "older"])
def test_a_port_whose_key_is_missing_is_refused(kind):
    with make(kind, {"missing": ["sip.SIPPort"]}) as fake:
        refuse(Unsupported, lambda: configure_phone(target(fake), PORT, in_use=False))
        assert fake.writes == 0


@pytest.mark.parametrize("wanted", [{"lines": [{"line": 1, "local_port": 1023}]}, {"lines": [{"line": 1, "nat_traversal": "upnp"}]},
                                    {"lines": [{"line": 1, "nat_traversal": "vpn"}]}])
def test_values_that_a_fanvil_does_not_take(wanted):
    with make() as fake:
        refuse(Unsupported, lambda: configure_phone(target(fake), wanted, in_use=False))
        assert fake.writes == 0 and fake.sessions_taken == 0


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


# ---------------------------------------------------------------------- identity, provisioning, restart


def test_a_mac_with_invalid_behind_it():
    with make() as fake:
        identity = inspect_phone(target(fake))["identity"]
        assert identity == {"brand": "fanvil", "generation": "session", "model": "V5501", "firmware": "2.2.29", "mac": "443b32123456"}


def test_a_phone_that_does_not_say_its_mac_gets_no_write():
    with make(mac="") as fake:
        fake.mac = "no mac"
        refuse(IdentityMismatch, lambda: configure_phone(target(fake, mac="443b32123456"), WANTED, in_use=False))
        assert fake.writes == 0


@pytest.mark.parametrize(("server", "protocol", "expected"), [
    ("", "4", {}), ("0.0.0.0", "4", {}), ("https://fdps.fanvil.com/x", "5", {}),
    ("prov.example.com/phones", "4", {"server": "prov.example.com/phones", "protocol": "http", "protected": False}),
    ("https://user:secret@prov.example.com:8443/x", "4", {"server": "prov.example.com:8443/x", "protocol": "https", "protected": False}),
    ("prov.example.com", "9", {"server": "prov.example.com", "protocol": "", "protected": False}),
])
def test_provisioning_is_reported_without_credentials(server, protocol, expected):
    with make() as fake:
        fake.values.update({"ap.FlashServerIP": server, "ap.FlashProtocol": protocol})
        assert inspect_phone(target(fake))["provisioning"] == expected


def test_a_restart_is_told_by_the_up_time():
    with make() as fake:
        configure_phone(target(fake), PORT, in_use=False)
        fake.faults["reboot_forbidden"] = True
        assert "Active URI" in str(refuse(DeviceError, lambda: configure_phone(target(fake), PORT, in_use=False, reboot="if_needed")))
        assert fake.reboots == 0


def test_a_restart_too_quick_to_be_seen_is_known_by_the_up_time(monkeypatch):
    with make() as fake:
        def restart(reply):
            fake.reboots += 1
            fake._booted = time.monotonic()
            return reply

        fake.restart = restart
        configure_phone(target(fake), PORT, in_use=False)
        time.sleep(0.1)
        assert configure_phone(target(fake), PORT, in_use=False, reboot="if_needed", reboot_timeout=3)["applied"] == "rebooted"


# ---------------------------------------------------------------------- settings


def test_the_longest_interval_of_an_active_line_counts_and_all_of_them_are_set():
    with make() as fake:
        fake.values.update({"sip.line.1.UDPUpdateTTL": "20", "sip.line.2.UDPUpdateTTL": "60"})
        result = configure_phone(target(fake), {"keep_alive_interval": 20}, in_use=False)
        assert result["before"] == {"keep_alive_interval": 60} and fake.written == [{"sip.line.2.UDPUpdateTTL": "20"}]
        fake.values.update({"sip.line.2.EnableReg": "0", "sip.line.2.UDPUpdateTTL": "60"})
        assert not configure_phone(target(fake), {"keep_alive_interval": 20}, in_use=False)["changed"]


def test_a_port_of_zero_is_no_port_and_is_set():
    with make() as fake:
        fake.values["sip.SIPPort"] = "0"
        result = configure_phone(target(fake), PORT, in_use=False)
        assert result["before"] == {"lines": [{"line": 1, "local_port": None}]} and fake.values["sip.SIPPort"] == "5074"


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


def test_configure_is_the_rollouts():
    """The helper of the suite says what the PBX knows; this is what happens where nobody asks it."""
    with make() as fake:
        assert configure_phone(target(fake), PORT)["applied"] == "live"
    with make() as fake:
        assert configure(TestContract.ROWS[0], fake)["changed"]
