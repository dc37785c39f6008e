# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is Fanvil's alone: sessions, uploads, restarts. What every phone must do is in contract_suite.py."""

from __future__ import annotations

import json
import time

import pytest

from ansible_collections.evenport.sip.plugins.module_utils.errors import (
    AuthFailed,
    BadAnswer,
    Busy,
    DeviceError,
    IdentityMismatch,
    NotApplied,
    SessionLost,
    Unreachable,
    Unsupported,
)
from ansible_collections.evenport.sip.plugins.module_utils.phones.fanvil import driver as fanvil
from ansible_collections.evenport.sip.plugins.module_utils.phones.fanvil import web as fanvil_web
from ansible_collections.evenport.sip.plugins.module_utils.phones.work import configure_phone, inspect_phone
from tests.unit.plugins.module_utils.phones.contract_suite import PhoneContract, Row, refuse
from tests.unit.plugins.module_utils.phones.fanvil_visits import (
    CHANGES,
    PORT,
    WANTED,
    make,
    target,
)


def row(name, kind, generation, read_path, write_path, *, always=None, **more):
    return Row(
        name, lambda faults=None, **options: make(kind, {**(always or {}), **(faults or {})}, **options), "fanvil", generation, WANTED, CHANGES,
        ("sip.SIPPort", "local_port of line 1 is 5060 instead of 5074"), {1: 5060}, {1: 5074, 2: 5074}, read_path, write_path,
        login_path="information.htm", **{"sessions": False, "resumes": False, **more}, mac_first=False, lock_text="", call_state=False,
        provision=lambda fake: fake.values.update({"ap.FlashServerIP": "http://admin:hunter2@prov.example.net/cfg"}))


class TestContract(PhoneContract):
    ROWS = [
        row("v5501", "v5501", "session", "default_user_config", "POST /config.htm"),
        row("older", "older", "session", "default_user_config", "POST /config.htm", sessions=True, resumes=True),
        row("older-restarts", "older", "session", "default_user_config", "POST /config.htm", always={"upload_reboots": True, "slow_reboot": 0.3},
            restarts=False),                    # a change is in force after the upload: nothing is left to restart for
        row("xml", "xml", "xml", "information.htm", 'POST /xmlService cmd="set"'),
    ]


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
        assert error.code == "deferred" and not error.wrote and "somebody" in str(error)
        assert ("somebody else" in str(error)) == (kind == "older") == ("session of ours" not in str(error))
        assert (fake.login_attempts, fake.writes, fake.sessions_taken) == (0, 0, 0)
        assert sum("nonce" in line or line == "GET /" for line in fake.log) <= 2 * fanvil_web.NONCE_TRIES + 1


def test_a_session_that_is_about_to_end_is_waited_for():
    with make(session_seconds=0.25) as fake:
        configure_phone(target(fake), PORT, in_use=False)
        assert configure_phone(target(fake), {"lines": [{"line": 1, "local_port": 5080}]}, in_use=False)["changed"]
        assert fake.sessions_taken == 2


@pytest.mark.parametrize("kind", ["v5501", "older"])
@pytest.mark.parametrize("when", [True, "all"])
def test_server_too_busy_is_busy_and_nobodys_session(kind, when):
    with make(kind) as fake:
        fake.faults["too_busy"] = when
        error = refuse(Busy, lambda: configure_phone(target(fake), WANTED, in_use=False))
        assert not error.wrote and fake.writes == 0
        assert "logged in" not in str(error) and "session" not in str(error)


def other(port):
    return {"lines": [{"line": 1, "local_port": port}]}


def handed_over(result):
    """As another process gets it."""
    return json.loads(json.dumps(result["session"]))


def test_a_session_that_nobody_can_end_is_used_by_the_next_task_of_the_run():
    with make(session_seconds=60) as fake:
        first = configure_phone(target(fake), PORT, in_use=False)
        second = configure_phone(target(fake), other(5080), in_use=False, session=handed_over(first))
        third = configure_phone(target(fake), first["before"], in_use=False, session=handed_over(second))
        assert [one["changed"] for one in (first, second, third)] == [True] * 3 and fake.values["sip.SIPPort"] == "5060"
        assert (fake.sessions_taken, fake.login_attempts, fake.writes) == (1, 0, 3)
        assert sum("nonce" in line for line in fake.log) == 1 and sum(line == "POST /" for line in fake.log) == 1
        assert "/default_user_config.xml" in fake.basic                # reading goes by Basic as before


@pytest.mark.parametrize("faults", [{}, {"form_by_basic": True}, {"asks_basic": True}, {"asks_basic": True, "form_by_basic": True}], ids=str)
def test_a_session_handed_over_that_is_dead_costs_one_login_and_no_second_write(faults):
    with make(faults=faults, session_seconds=60) as fake:
        session = handed_over(configure_phone(target(fake), PORT, in_use=False))
        fake.expire_sessions()
        again = configure_phone(target(fake), other(5080), in_use=False, session=session)
        assert again["changed"] and (fake.sessions_taken, fake.writes, fake.login_attempts) == (2, 2, 0)
        assert again["session"] and again["session"] != session


@pytest.mark.parametrize("taken", ["before", "meanwhile"])
def test_a_dead_session_whose_place_somebody_has_taken_is_busy_and_no_wrong_password(taken):
    with make(session_seconds=60) as fake:
        session = handed_over(configure_phone(target(fake), PORT, in_use=False))
        fake.expire_sessions()
        if taken == "before":
            fake.faults["foreign_session"] = True
        else:
            login = fake._login
            fake._login = lambda request: fake.faults.update(foreign_session=True) or login(request)
        error = refuse(Busy, lambda: configure_phone(target(fake), other(5080), in_use=False, session=session))
        assert not error.wrote and (fake.writes, fake.sessions_taken) == (1, 1) and "somebody is logged in" in str(error)


def test_without_the_session_the_next_task_says_whose_it_may_be():
    with make(session_seconds=60) as fake:
        configure_phone(target(fake), PORT, in_use=False)
        error = refuse(Busy, lambda: configure_phone(target(fake), other(5080), in_use=False))
        assert "somebody is logged in" in str(error) and "a session of ours has not ended yet" in str(error) and "othing was written" in str(error)
        assert not error.wrote and (fake.writes, fake.login_attempts) == (1, 0)


def test_no_session_is_handed_over_where_it_has_been_ended_or_was_never_needed():
    for kind in ("older", "xml"):
        with make(kind) as fake:
            assert "session" not in configure_phone(target(fake), PORT, in_use=False)


@pytest.mark.parametrize("rubbish", [{"fanvil": {"auth": "a b\r\nc", "reads": True}}, {"fanvil": 7}, {"fanvil": {}}, {"yealink": {"auth": "0" * 16}}])
def test_what_is_no_session_of_ours_is_passed_over(rubbish):
    with make() as fake:
        assert configure_phone(target(fake), PORT, in_use=False, session=rubbish)["changed"]


def test_a_session_survives_that_the_phone_was_only_slow_to_answer():
    """Away for a moment after the upload, and not restarted: it still holds our session and gives out no other."""
    with make(session_seconds=60) as fake:
        information, gone = fake._information, []

        def slow(request):
            if fake.writes == 1 and not gone:
                gone.append(True)
                time.sleep(0.8)
            return information(request)

        fake._information = slow
        result = configure_phone(target(fake, timeout=0.4), PORT, in_use=False)
        assert gone and configure_phone(target(fake), other(5080), in_use=False, session=handed_over(result))["changed"]
        assert fake.sessions_taken == 1


def test_after_a_restart_upon_the_upload_the_next_upload_takes_a_new_session():
    with make(faults={"upload_reboots": True, "slow_reboot": 0.3}, session_seconds=60) as fake:
        result = configure_phone(target(fake), PORT, in_use=False)
        assert configure_phone(target(fake), other(5080), in_use=False, session=handed_over(result))["changed"]
        assert (fake.sessions_taken, fake.writes) == (2, 2)


@pytest.mark.parametrize("expired", [False, True])
def test_one_session_from_scan_to_push_where_reading_needs_it(expired):
    with make(faults={"no_basic": True}, session_seconds=60) as fake:
        found = inspect_phone(target(fake), WANTED, keep_session=True)
        assert handed_over(found)
        if expired:
            fake.expire_sessions()
        pushed = configure_phone(target(fake), WANTED, in_use=False, session=handed_over(found))
        assert pushed["changed"] and configure_phone(target(fake), pushed["before"], in_use=False, session=handed_over(pushed))["changed"]
        assert (fake.sessions_taken, fake.login_attempts, fake.writes) == (1 + expired, 0, 2)


def test_a_second_look_at_a_phone_where_reading_needs_the_session_says_whose_it_may_be():
    with make(faults={"no_basic": True}, session_seconds=60) as fake:
        inspect_phone(target(fake))
        assert "a session of ours has not ended yet" in str(refuse(Busy, lambda: inspect_phone(target(fake))))


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


@pytest.mark.parametrize("kind", ["v5501", "older"])
@pytest.mark.parametrize("dies", ["refuses", "hangs"])
def test_a_phone_that_stays_away_after_the_upload_is_given_up_in_time(kind, dies):
    """In the user's time, and not waited for again to put back. It wrote, and what is left is said."""
    with make(kind, {"upload_reboots": dies == "refuses", "slow_reboot": 30}) as fake:
        store = fake.store

        def stored(changes):
            store(changes)
            fake.faults["hang"] = dies == "hangs"

        fake.store = stored
        started = time.monotonic()
        error = refuse(Unreachable, lambda: configure_phone(target(fake, timeout=0.5), WANTED, in_use=False, reboot_timeout=3))
        assert error.wrote and fake.writes == 1 and "could not read it back" in str(error) and "(it had " in str(error)
        assert 2.5 < time.monotonic() - started < 3 + 4


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
