# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is Poly's alone. What every phone must do is in contract_suite.py, recognising and parsing in test_poly_answers.py.

The fake has been driven once with somebody else's client, PyPI vvxme 1.1.0.post2 (Basic, API v2), which is no dependency of this project.
To repeat it: install that into a virtual environment of its own, start ``FakePoly("vvx", password="secret")`` from tests/fakes/poly.py, and call
``vvxme.vvx("127.0.0.1:<port>", ("Polycom", "secret"), use_https=False)``: model, firmware, MAC and lines are read at once; then getConfig(),
setConfig() (with 25 parameters too), getNetwork(), getNetworkStats(), getCallStatusV2(), safeRestart().
"""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.evenport.sip.plugins.module_utils.errors import (
    AuthFailed,
    BadAnswer,
    Busy,
    DeviceError,
    NotApplied,
    PermissionMissing,
    SessionLost,
    Unreachable,
    Unsupported,
)
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import Answer
from ansible_collections.evenport.sip.plugins.module_utils.phones import work
from ansible_collections.evenport.sip.plugins.module_utils.phones.poly import driver as poly_driver
from ansible_collections.evenport.sip.plugins.module_utils.phones.poly import keys as poly_keys
from ansible_collections.evenport.sip.plugins.module_utils.phones.poly import status as poly_status
from ansible_collections.evenport.sip.plugins.module_utils.phones.settings import Place
from ansible_collections.evenport.sip.plugins.module_utils.phones.visit import Visit
from ansible_collections.evenport.sip.plugins.module_utils.phones.work import configure_phone, inspect_phone
from tests.fakes.poly import FakePoly
from tests.unit.plugins.module_utils.phones.contract_suite import PASSWORD, TWO_LINES, PhoneContract, Row, refuse, target_of

PORT, OLD_PORT, SIGNAL, KEEP_ALIVE = poly_keys.NAMES
WANTED = {"keep_alive_interval": 20, "lines": [{"line": 1, "local_port": 5074}]}
ONE = {"lines": [{"line": 1, "local_port": 5074}]}


def row(name, kind, port_key=PORT, info="v1/mgmt/device/info"):
    return Row(
        name, lambda **more: FakePoly(kind, **{"password": PASSWORD, "accounts": TWO_LINES, **more}), "poly", "UCS",
        WANTED, frozenset({port_key, KEEP_ALIVE}), (KEEP_ALIVE, "keep_alive_interval is None instead of 20"),
        {1: 5060}, {1: 5074, 2: 5074}, "config/get", "config/set", info,
        sessions=False, resumes=False, mac_first=False, lock_text="",           # the MAC is in the certificate, and contract rows are http
        provision=lambda fake: fake.network.update(ProvServerAddress="https://admin:hunter2@prov.example.net/cfg"))


class TestContract(PhoneContract):
    ROWS = [
        row("edge", "edge"),
        row("vvx", "vvx"),
        row("vvx-old", "vvx-old", OLD_PORT),
        row("trio", "trio", info="v2/mgmt/device/info"),
    ]


@pytest.fixture(autouse=True)
def _patience(monkeypatch):
    """A phone that restarts is waited for in small steps."""
    monkeypatch.setattr(work, "_REBOOT_POLL", 0.1)
    monkeypatch.setattr(poly_driver, "_PAUSE", 0.05)


def made(kind="edge", **more):
    return FakePoly(kind, **{"password": PASSWORD, "accounts": TWO_LINES, **more})


def asked(fake, piece):
    return sum(piece in line for line in fake.log)


# ---------------------------------------------------------------------- the port and its three names


@pytest.mark.parametrize(("shown", "port"), [("5060", 5060), ("", 5060), ("0", 5060), ("5080", 5080)])
def test_an_empty_or_zero_port_is_5060(shown, port):
    with made() as fake:
        fake.values[PORT] = shown
        fake.apply()
        assert inspect_phone(target_of(fake))["settings"]["lines"] == [{"line": 1, "local_port": port}]
        assert fake.effective == {1: port, 2: port}


@pytest.mark.parametrize("shown", ["", "0"])
def test_5060_planned_for_an_empty_port_writes_nothing(shown):
    with made() as fake:
        fake.values[PORT] = shown
        assert not configure_phone(target_of(fake), {"lines": [{"line": 1, "local_port": 5060}]})["changed"]
        assert fake.writes == 0


def test_5060_is_written_as_such_where_another_port_is_set():
    with made() as fake:
        fake.values[PORT] = "5074"
        assert configure_phone(target_of(fake), {"lines": [{"line": 1, "local_port": 5060}]})["changed"]
        assert fake.written == [{PORT: "5060"}]


def test_nat_signalport_counts_and_goes_in_one_request():
    with made() as fake:
        fake.values[SIGNAL] = "5090"
        fake.apply()
        result = configure_phone(target_of(fake), ONE)
        assert result["before"] == {"lines": [{"line": 1, "local_port": 5090}]}
        assert fake.written == [{PORT: "5074", SIGNAL: ""}] and fake.effective == {1: 5074, 2: 5074}


def test_an_override_over_the_right_port_is_all_that_goes():
    with made() as fake:
        fake.values.update({PORT: "5074", SIGNAL: "5090"})
        assert configure_phone(target_of(fake), ONE)["changed"]
        assert fake.written == [{SIGNAL: ""}]


def test_an_override_that_says_what_is_planned_stays():
    with made() as fake:
        fake.values[SIGNAL] = "5074"
        assert not configure_phone(target_of(fake), ONE)["changed"]
        assert fake.writes == 0


def test_an_override_that_will_not_go_is_put_back_with_the_port():
    """Half an effect on the pair: the port was stored, the override was not cleared."""
    with made(faults={"silent_success": [SIGNAL]}) as fake:
        fake.values[SIGNAL] = "5090"
        before = dict(fake.values)
        error = refuse(NotApplied, lambda: configure_phone(target_of(fake), ONE))
        assert "local_port of line 1 is 'not there' instead of 5074" in str(error) and "has been put back" in str(error)
        assert error.wrote and fake.values == before and fake.writes == 2


def test_an_override_that_will_not_go_and_a_port_that_will_not_come_back():
    """Nothing may say that all is as it was."""
    class Stubborn(FakePoly):
        def valid(self, key, value):
            return key not in (SIGNAL, PORT) or (key == PORT and not self.written[1:])

    with Stubborn("edge", password=PASSWORD, accounts=TWO_LINES) as fake:
        fake.values[SIGNAL] = "5090"
        error = refuse(NotApplied, lambda: configure_phone(target_of(fake), ONE))
        assert fake.values[PORT] == "5074" and "had no effect: check the phone (it had local_port of line 1 5090)" in str(error)


def test_what_was_there_is_put_back_in_its_own_words():
    """keep_alive_interval is not stored: the override and the empty port come back, not a number that comes to the same."""
    with made(faults={"silent_success": [KEEP_ALIVE]}) as fake:
        fake.values.update({PORT: "", SIGNAL: "5090"})
        before = dict(fake.values)
        assert "put back" in str(refuse(NotApplied, lambda: configure_phone(target_of(fake), WANTED)))
        assert fake.values == before and fake.writes == 2


@pytest.mark.parametrize("faults", [{}, {"object_params": True}])
@pytest.mark.parametrize(("kind", "key"), [("vvx", PORT), ("vvx-old", OLD_PORT)])
def test_the_port_is_written_under_the_name_that_this_firmware_knows(kind, key, faults):
    with made(kind, faults=faults) as fake:
        configure_phone(target_of(fake), ONE)
        assert fake.written == [{key: "5074"}] and asked(fake, "config/get") == 2


def test_a_phone_with_neither_name_is_refused():
    with made() as fake:
        del fake.values[PORT]
        assert "no key for local_port" in str(refuse(Unsupported, lambda: configure_phone(target_of(fake), ONE)))
        assert fake.writes == 0


def test_an_unreadable_port_is_not_5060():
    with made() as fake:
        fake.values[SIGNAL] = "soon"
        assert inspect_phone(target_of(fake))["settings"]["lines"] == [{"line": 1, "local_port": None}]
        assert "no port" in str(refuse(Unsupported, lambda: configure_phone(target_of(fake), ONE)))
        assert fake.writes == 0


def test_no_port_at_all_is_refused_and_not_passed_over():
    with made(accounts=[{"user": "101", "port": 5074}]) as fake:
        refuse(Unsupported, lambda: configure_phone(target_of(fake), {"lines": [{"line": 1, "local_port": None}]}))
        assert fake.writes == 0


@settings(deadline=None)
@given(st.sampled_from([PORT, OLD_PORT, ""]), st.sampled_from(["", "0", "5060", "5074", "5080", "x"]), st.sampled_from(["", "0", "5060", "5074", "5090", "x"]),
       st.sampled_from([5060, 5074, 5200]))
def test_what_is_written_comes_to_the_port_that_is_wanted(name, port, signal, wanted):
    shown = {SIGNAL: signal, **({name: port} if name else {})}
    if not name:
        return
    texts = poly_keys.port_texts(wanted, shown, shown)
    after = {**shown, **texts}
    assert poly_keys.port_of(after) == wanted and set(texts) <= {name, SIGNAL}
    assert not texts or poly_keys.port_of(shown) != wanted
    back = {**after, **poly_keys.port_texts(poly_keys.port_of(shown), after, shown)}
    assert back == shown


# ---------------------------------------------------------------------- the rest of the settings


@pytest.mark.parametrize(("shown", "value"), [("0", None), ("", None), ("30", 30), ("3600", 3600)])
def test_keep_alive(shown, value):
    with made() as fake:
        fake.values[KEEP_ALIVE] = shown
        assert inspect_phone(target_of(fake))["settings"]["keep_alive_interval"] == value


@pytest.mark.parametrize("shown", ["3601", "often", "-1"])
def test_a_keep_alive_that_could_not_be_put_back_is_not_touched(shown):
    with made() as fake:
        fake.values[KEEP_ALIVE] = shown
        assert configure_phone(target_of(fake), WANTED)["unsupported"] == ["keep_alive_interval"]
        assert fake.written == [{PORT: "5074"}]


def test_keep_alive_is_switched_off_again():
    with made() as fake:
        result = configure_phone(target_of(fake), {"keep_alive_interval": 20})
        assert result["before"] == {"keep_alive_interval": None}
        configure_phone(target_of(fake), result["before"])
        assert fake.written == [{KEEP_ALIVE: "20"}, {KEEP_ALIVE: "0"}]


def test_what_a_poly_has_not_is_passed_over_and_named():
    with made() as fake:
        wanted = {"random_port": False, "keep_alive_interval": 20, "lines": [{"line": 1, "local_port": 5074, "nat_traversal": "keep_alive", "rport": True}]}
        result = configure_phone(target_of(fake), wanted)
        assert sorted(result["unsupported"]) == ["nat_traversal of line 1", "random_port", "rport of line 1"]
        assert fake.written == [{KEEP_ALIVE: "20", PORT: "5074"}]


def test_at_most_twenty_names_a_request():
    with made() as fake:
        fake.values.update({f"softkey.{n}.label": str(n) for n in range(45)})
        with Visit(target_of(fake)) as visit:
            names = tuple(f"softkey.{n}.label" for n in range(45))
            assert visit.driver._values(names) == {name: fake.values[name] for name in names}
        assert asked(fake, "config/get") == 3


def test_a_name_that_the_write_does_not_know_is_read_back_and_told():
    with made() as fake, Visit(target_of(fake)) as visit:
        visit.read()
        fake.values["gone"] = fake.values.pop(PORT)
        with pytest.raises(BadAnswer, match=r"does not know voIpProt\.SIP\.local\.port"):
            visit.driver.write({Place("local_port", 1): 5074})


def test_a_place_that_is_not_there_is_refused_before_anything_is_sent():
    with made() as fake, Visit(target_of(fake)) as visit:
        visit.read()
        for place in (Place("local_port", 2), Place("rport", 1), Place("random_port")):
            with pytest.raises(Unsupported, match="nothing was written"):
                visit.driver.write({place: 1})
        assert fake.writes == 0


# ---------------------------------------------------------------------- status codes: 200 is not success


@pytest.mark.parametrize(("code", "kind", "says"), [
    ("4000", DeviceError, "invalid"), ("4001", Busy, "busy"), ("4003", PermissionMissing, "does not allow"), ("4004", Unsupported, "does not support"),
    ("4009", DeviceError, "too large"), ("4010", PermissionMissing, "set a new password"), ("4999", BadAnswer, "4999")])
@pytest.mark.parametrize("where", ["config/get", "device/info"])
def test_a_refusal_in_the_body_is_one(code, kind, says, where):
    with made(faults={"status": {where: code}}) as fake:
        error = refuse(kind, lambda: configure_phone(target_of(fake), ONE))
        assert says in str(error) and fake.writes == 0


@pytest.mark.parametrize(("code", "kind"), [("4000", DeviceError), ("4001", Busy), ("4003", PermissionMissing), ("4010", PermissionMissing)])
def test_a_write_that_is_refused_in_the_body_wrote_nothing(code, kind):
    with made(faults={"status": {"config/set": code}}) as fake:
        error = refuse(kind, lambda: configure_phone(target_of(fake), ONE))
        assert not error.wrote and asked(fake, "config/set") == 1


def test_a_write_that_failed_is_read_back():
    with made(faults={"status": {"config/set": "5000"}}) as fake:
        error = refuse(NotApplied, lambda: configure_phone(target_of(fake), ONE))
        assert "says that it failed" in str(error) and asked(fake, "config/set") == 1


@pytest.mark.parametrize("answer", [Answer("kitchen: GET /x of y", status, {}, body) for status, body in [
    (200, b"[]"), (200, b"{}"), (200, b'{"Status": null}'), (200, b'{"Status": true}'), (200, b"rubbish"), (500, b""), (302, b"")]])
def test_no_status_is_a_bad_answer(answer):
    with pytest.raises(BadAnswer):
        poly_status.checked("kitchen", answer)


# ---------------------------------------------------------------------- login


@pytest.mark.parametrize("kind", ["edge", "vvx"])
def test_the_user_is_polycom_and_the_password_goes_as_the_phone_asks(kind):
    with made(kind) as fake:
        assert target_of(fake).username == "admin"
        inspect_phone(target_of(fake))
        assert fake.login_attempts == 0 and fake.guard.right == asked(fake, "/api/") - 1        # all but the first question
        error = refuse(AuthFailed, lambda: inspect_phone(target_of(fake, username="User")))
        assert "'User'" in str(error)


@pytest.mark.parametrize("faults", [{"nonce_lasts": 2}, {"nonce_lasts": 1}])
def test_a_nonce_that_ages_is_no_wrong_password(faults):
    with made(faults=faults) as fake:
        assert configure_phone(target_of(fake), WANTED)["changed"]
        assert fake.writes == 1 and fake.login_attempts == 0


def test_a_login_that_is_forgotten_is_told_and_not_repeated():
    with made(faults={"nonce_forgotten": True, "nonce_lasts": 3}) as fake:
        error = refuse(SessionLost, lambda: configure_phone(target_of(fake), WANTED))
        assert not error.wrote and fake.login_attempts == 1 and fake.writes == 0


def test_the_sha_256_digest():
    with made() as fake:
        fake.guard.scheme = "Digest-SHA-256"
        assert inspect_phone(target_of(fake))["identity"]["model"] == "Edge E350"


@pytest.mark.parametrize(("kind", "off"), [("edge", 404), ("trio", 404), ("vvx", 404), ("vvx", 403), ("vvx", "bare")])
@pytest.mark.parametrize("brand", ["auto", "poly"])
def test_an_interface_that_is_off_is_named_with_the_switch(kind, off, brand):
    with made(kind, faults={"api_off": off}) as fake:
        error = refuse(Unsupported, lambda: configure_phone(target_of(fake, brand=brand), ONE))
        assert "switched off" in str(error) and "apps.restapi.enabled" in str(error)
        assert fake.login_attempts == 0


def test_an_interface_that_is_off_and_refuses_logins_is_tried_once():
    with made("vvx", faults={"api_off": 401}) as fake:
        error = refuse(AuthFailed, lambda: configure_phone(target_of(fake), ONE))
        assert "apps.restapi.enabled" in str(error) and asked(fake, "/api/") == 2


# ---------------------------------------------------------------------- calls


@pytest.mark.parametrize("kind", ["edge", "vvx-old"])
def test_both_forms_of_the_call_state(kind):
    with made(kind) as fake, Visit(target_of(fake)) as visit:
        assert visit.driver.busy() == ""
        fake.faults["busy"] = True
        assert visit.driver.busy() == "a call is connected"
        fake.faults["no_call_state"] = True
        assert visit.driver.busy() is None


@pytest.mark.parametrize("code", ["4003", "4004"])
def test_a_call_state_that_is_not_given_is_unknown(code):
    with made(faults={"status": {"callStatus": code}}) as fake, Visit(target_of(fake)) as visit:
        assert visit.driver.busy() is None


@pytest.mark.parametrize(("data", "state"), [
    ([], ""), ({}, ""), ([{"CallState": "Connected"}, {"CallState": "CallHold"}], "a call is callhold, a call is connected"), ([{}], "a call is up"),
    ("none", None), (["x"], None), (None, None)])
def test_what_is_going_on(data, state):
    assert poly_keys.calls_of({"data": data}) == state


def test_a_restart_that_is_asked_for_during_a_call_waits_for_its_end():
    with made() as fake:
        configure_phone(target_of(fake), ONE)
        fake.faults["busy"] = True
        error = refuse(DeviceError, lambda: configure_phone(target_of(fake), ONE, reboot="if_needed", when_busy="force", reboot_timeout=0.5))
        assert "not back within 0.5 s" in str(error) and fake.reboots == 1 and error.wrote
        fake.faults["busy"] = False


# ---------------------------------------------------------------------- restarts


@pytest.mark.parametrize("kind", ["edge", "vvx"])
@pytest.mark.parametrize("faults", [{}, {"nonce_forgotten": True}, {"booting": 3}], ids=str)
def test_a_phone_that_restarts_at_the_write_is_waited_for(kind, faults):
    with made(kind, faults={"restart_on_set": True, "slow_reboot": 0.3, **faults}) as fake, Visit(target_of(fake)) as visit:
        before = visit.read().settings
        visit.driver.write({Place("local_port", 1): 5074})
        time.sleep(0.15)                        # it is down now
        assert visit.read().settings == {**before, Place("local_port", 1): 5074}
        assert fake.writes == 1 and fake.login_attempts == 0


def test_a_phone_that_stays_away_after_the_write_is_told_and_waited_for_once():
    with made(faults={"restart_on_set": True, "slow_reboot": 60}) as fake, Visit(target_of(fake)) as visit:
        visit.read()
        visit.driver.patience = 0.5
        visit.driver.write({Place("local_port", 1): 5074})
        time.sleep(0.15)
        with pytest.raises(Unreachable):
            visit.read()
        visit.driver.patience = 30.0
        started = time.monotonic()
        with pytest.raises(Unreachable):
            visit.read()
        assert time.monotonic() - started < 15


@pytest.mark.parametrize("faults", [{"slow_reboot": 60}, {"slow_reboot": 0.1, "booting": 10000}], ids=["gone", "starting for ever"])
def test_the_wait_after_a_write_is_as_long_as_the_user_says(faults):
    class Restarting(FakePoly):
        def _set(self, request):
            reply = super()._set(request)
            time.sleep(0.3)                     # it is down before it has answered
            return reply

    with Restarting("edge", password=PASSWORD, accounts=TWO_LINES, faults={"restart_on_set": True, **faults}) as fake:
        started = time.monotonic()
        error = refuse(DeviceError, lambda: configure_phone(target_of(fake), ONE, reboot_timeout=1.0))
        assert time.monotonic() - started < 8 and error.wrote and fake.writes == 1
        assert "it had local_port of line 1 5060" in str(error)


def test_nobody_waits_for_a_phone_before_the_write():
    with made(faults={"drop": "config/get"}) as fake:
        refuse(Unreachable, lambda: inspect_phone(target_of(fake)))
        assert asked(fake, "config/get") == 1


@pytest.mark.parametrize("faults", [{}, {"nonce_forgotten": True}, {"no_uptime": True}, {"booting": 2}], ids=str)
@pytest.mark.parametrize("kind", ["edge", "trio"])
def test_restart(kind, faults):
    with made(kind, faults={"reboot_needed": True}) as fake:
        configure_phone(target_of(fake), ONE)
        fake.faults.update(faults)
        assert configure_phone(target_of(fake), ONE, reboot="if_needed", reboot_timeout=20)["applied"] == "rebooted"
        assert fake.reboots == 1 and fake.effective == {1: 5074, 2: 5074}
        assert fake.login_attempts == 0


@pytest.mark.parametrize("faults", [{}, {"nonce_forgotten": True}], ids=str)
@pytest.mark.parametrize("kind", ["edge", "vvx-old", "trio"])
def test_a_restart_between_two_looks_shows_in_the_uptime(kind, faults):
    with made(kind, faults=faults) as fake, Visit(target_of(fake)) as visit:
        visit.read()
        visit.driver.reboot()
        assert not visit.driver.restarted()
        time.sleep(0.8)
        assert visit.driver.restarted() and not visit.driver.was_down


@pytest.mark.parametrize("kind", ["edge", "vvx"])
def test_a_password_that_a_restart_has_changed_is_tried_once(kind):
    with made(kind, faults={"nonce_forgotten": True}) as fake, Visit(target_of(fake)) as visit:
        visit.driver.reboot()
        fake.guard.password = "another"
        time.sleep(0.8)
        with pytest.raises(AuthFailed):
            visit.driver.restarted()
        assert fake.login_attempts == 1


@pytest.mark.parametrize(("code", "kind"), [("4001", Busy), ("4003", PermissionMissing)])
def test_a_restart_that_is_refused(code, kind):
    with made() as fake:
        configure_phone(target_of(fake), ONE)
        fake.faults["status"] = {"safeRestart": code}
        refuse(kind, lambda: configure_phone(target_of(fake), ONE, reboot="if_needed"))
        assert fake.reboots == 0 and asked(fake, "safeRestart") == 1


@pytest.mark.parametrize(("text", "seconds"), [
    ("0 Day 2:26:00", 8760), ("0 day 2:26:00", 8760), ("20 Days 16:11:42", 1786302), ("1 day 1:41:50", 92510), ("", None), ("soon", None), (None, None),
    ({"Days": "1", "Hours": "1", "Minutes": "41", "Seconds": "28"}, 92488), ({"Days": 0, "Hours": 0, "Minutes": 1, "Seconds": 2}, 62), ({"Days": "x"}, None)])
def test_uptimes(text, seconds):
    assert poly_keys.seconds_of(text) == seconds
