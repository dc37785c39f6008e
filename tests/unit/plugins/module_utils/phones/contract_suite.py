# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every driver must do, proved against every fake. A new brand joins with one row in ROWS.

Needs of a fake: start, stop, ``with``; address, port, tls, mac, password; values; the counters logins, login_attempts, logouts, writes,
reboots, requests; and the faults that are named here.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from ansible_collections.evenport.sip.plugins.module_utils.errors import (
    AuthFailed,
    BadAnswer,
    Busy,
    CertificateRefused,
    DeviceError,
    EvenportError,
    IdentityMismatch,
    LockedOut,
    NotApplied,
    SessionLost,
    Unreachable,
    Unsupported,
)
from ansible_collections.evenport.sip.plugins.module_utils.phones.target import Target
from ansible_collections.evenport.sip.plugins.module_utils.phones.work import configure_phone, inspect_phone
from tests.fakes.grandstream import FakeGrandstream
from tests.fakes.proxy import FakeProxy
from tests.fakes.tls import self_signed

PASSWORD = "Zebra-77/&+ü"
TWO_LINES = [{"user": "101", "active": True, "port": 5060}, {"user": "102", "active": True, "port": 5062}]
WANTED = {"random_port": False, "keep_alive_interval": 30, "lines": [
    {"line": 1, "local_port": 5074, "nat_traversal": "keep_alive"}, {"line": 2, "local_port": 5076, "nat_traversal": "keep_alive"}]}


@dataclass(frozen=True)
class Row:
    """A kind of phone: how to make its fake, what it is, and a piece of the path where its settings are written and read."""

    name: str
    make: Callable[..., Any]
    brand: str
    generation: str
    read_path: str
    write_path: str
    second_port: str                # the fake's key of line 2's port


def _grandstream(generation: str, model: str = "") -> Callable[..., Any]:
    return lambda **more: FakeGrandstream(generation, **{"model": model, "password": PASSWORD, "accounts": TWO_LINES, **more})


ROWS = [
    Row("grandstream-g3", _grandstream("G3"), "grandstream", "G3", "config_get", "config_update", "P413"),
    Row("grandstream-wp", _grandstream("G3", "WP826"), "grandstream", "G3", "config_get", "config_update", "P413"),
    Row("grandstream-g2", _grandstream("G2"), "grandstream", "G2", "api.values.get", "api.values.post", "P413"),
    Row("grandstream-g2-user", _grandstream("G2", "GXP2160"), "grandstream", "G2", "api.values.get", "api.values.post", "P413"),
]


def target_of(fake: Any, **more: Any) -> Target:
    return Target(**{"name": "kitchen", "host": "127.0.0.1", "protocol": "https" if fake.tls else "http", "port": fake.port, "password": PASSWORD,
                     "mac": fake.mac, "timeout": 1.0, **more})


def refuse(kind: type[EvenportError], call: Callable[[], Any]) -> EvenportError:
    """The error of *call*: of the kind, naming the phone and a remedy, and holding no password."""
    with pytest.raises(kind) as caught:
        call()
    error = caught.value
    assert "kitchen" in str(error) and error.remedy
    assert PASSWORD not in str(error)
    return error


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
class PhoneContract:

    # ------------------------------------------------------------------ the good path

    def test_says_who_it_is_and_what_it_has(self, row):
        with row.make() as fake:
            found = inspect_phone(target_of(fake))
            assert found["identity"]["brand"] == row.brand and found["identity"]["generation"] == row.generation
            assert found["identity"]["mac"] == fake.mac.lower() and found["identity"]["model"] == fake.model
            assert [line["local_port"] for line in found["settings"]["lines"]][:2] == [5060, 5062]
            assert found["accounts"][1] == {"number": 2, "active": True, "local_port": 5062, "user": "102"}
            assert found["drift"] == {"before": {}, "after": {}} and found["session"] is None and found["provisioning"] == {}
            assert (fake.logins, fake.logouts, fake.writes) == (1, 1, 0)
            json.dumps(found)

    def test_change_then_no_change(self, row):
        with row.make() as fake:
            before = dict(fake.values)
            result = configure_phone(target_of(fake), WANTED)
            assert result["changed"] and result["applied"] == "live" and result["after"] == WANTED
            assert [line["local_port"] for line in result["before"]["lines"]] == [5060, 5062]
            assert [account["local_port"] for account in result["accounts"]][:2] == [5074, 5076]
            assert fake.writes == 1 and set(fake.written[0]) == {key for key in before if before[key] != fake.values[key]}
            assert len(fake.written[0]) == 5            # two ports, two NAT modes, one interval: nothing else, random_port was right already
            again = configure_phone(target_of(fake), WANTED)
            assert not again["changed"] and again["applied"] == "none" and again["before"] == again["after"] == WANTED
            assert (fake.writes, fake.reboots, fake.logins, fake.logouts) == (1, 0, 2, 2)

    def test_check_mode_takes_the_same_path_and_writes_nothing(self, row):
        with row.make() as fake:
            before = dict(fake.values)
            checked = configure_phone(target_of(fake), WANTED, check_mode=True)
            assert (fake.writes, fake.reboots, fake.logins, fake.logouts) == (0, 0, 1, 1) and fake.values == before
            real = configure_phone(target_of(fake), WANTED)
            assert {**checked, "applied": "", "accounts": []} == {**real, "applied": "", "accounts": []}

    def test_restore_puts_everything_back(self, row):
        with row.make() as fake:
            before = dict(fake.values)
            pushed = configure_phone(target_of(fake), WANTED)
            back = configure_phone(target_of(fake), json.loads(json.dumps(pushed["before"])))
            assert back["changed"] and fake.values == before

    def test_one_login_from_scan_to_push(self, row):
        with row.make() as fake:
            found = inspect_phone(target_of(fake), WANTED, keep_session=True)
            assert found["drift"]["after"] == WANTED and fake.logouts == 0
            result = configure_phone(target_of(fake), WANTED, session=json.loads(json.dumps(found["session"])))
            assert result["changed"] and (fake.logins, fake.logouts, fake.login_attempts) == (1, 1, 1)
            assert inspect_phone(target_of(fake), WANTED, keep_session=True)["session"] is None and fake.logouts == 2

    def test_a_session_that_has_expired_meanwhile_costs_one_login_more(self, row):
        with row.make() as fake:
            session = inspect_phone(target_of(fake), WANTED, keep_session=True)["session"]
            fake.expire_sessions()
            assert configure_phone(target_of(fake), WANTED, session=session)["changed"]
            assert fake.login_attempts == 2

    # ------------------------------------------------------------------ who are you

    def test_a_wrong_password_is_tried_once(self, row):
        with row.make() as fake:
            refuse(AuthFailed, lambda: configure_phone(target_of(fake, password=PASSWORD[:-1]), WANTED))
            assert (fake.login_attempts, fake.logins, fake.writes) == (1, 0, 0)

    def test_locked_is_named_and_not_made_worse(self, row):
        with row.make(faults={"locked": True}) as fake:
            assert "5" in str(refuse(LockedOut, lambda: configure_phone(target_of(fake), WANTED)))
            assert fake.login_attempts <= 1 and fake.writes == 0

    def test_another_mac_gets_neither_password_nor_write(self, row):
        with row.make() as fake:
            error = refuse(IdentityMismatch, lambda: configure_phone(target_of(fake, mac="00:0b:82:ff:ff:ff"), WANTED))
            assert "00:0B:82:FF:FF:FF" in str(error)
            assert (fake.login_attempts, fake.writes) == (0, 0)

    def test_a_brand_given_is_the_brand_that_answers(self, row):
        with row.make() as fake:
            assert inspect_phone(target_of(fake, brand=row.brand))["identity"]["brand"] == row.brand

    # ------------------------------------------------------------------ a phone that lies, forgets or breaks

    def test_success_without_effect_names_what_did_not_change(self, row):
        with row.make(faults={"silent_success": True}) as fake:
            before = dict(fake.values)
            error = refuse(NotApplied, lambda: configure_phone(target_of(fake), WANTED))
            assert "local_port of line 2 is 5062 instead of 5076" in str(error) and "as they were" in str(error)
            assert error.wrote and fake.values == before and (fake.writes, fake.logouts) == (1, 1)

    def test_half_an_effect_is_put_back(self, row):
        with row.make(faults={"silent_success": [row.second_port]}) as fake:
            before = dict(fake.values)
            error = refuse(NotApplied, lambda: configure_phone(target_of(fake), WANTED))
            assert "local_port of line 2" in str(error) and "local_port of line 1" not in str(error) and "put back" in str(error)
            assert error.wrote and fake.values == before and fake.logouts == 1

    def test_session_lost_before_the_write(self, row):
        with row.make(faults={"write_session_lost": True}) as fake:
            error = refuse(SessionLost, lambda: configure_phone(target_of(fake), WANTED))
            assert not error.wrote and (fake.writes, fake.login_attempts) == (0, 1)

    @pytest.mark.parametrize("requests", range(8))
    def test_session_lost_anywhere_never_logs_in_twice_and_is_honest_about_writes(self, row, requests):
        with row.make(faults={"session_lost_after": requests}) as fake:
            try:
                configure_phone(target_of(fake), WANTED)
            except SessionLost as error:
                assert error.wrote == bool(fake.writes)
                if error.wrote:
                    assert "wrote " in str(error) and "check the phone" in str(error)
            assert fake.login_attempts == 1

    def test_forbidden_for_a_missing_referer(self, row):
        with row.make(faults={"referer_removed": True}) as fake:
            assert "Referer" in str(refuse(BadAnswer, lambda: configure_phone(target_of(fake), WANTED)))
            assert (fake.login_attempts, fake.writes) == (0, 0)

    @pytest.mark.parametrize(("fault", "kind"), [
        ("hang", Unreachable), ("drop", Unreachable), ("rubbish", BadAnswer), ("huge", BadAnswer), ("html", DeviceError)])
    @pytest.mark.parametrize("path", [True, "read", "login"])
    def test_broken_answers_before_a_write(self, row, fault, kind, path):
        where = {"read": row.read_path, "login": "login"}.get(path, True)
        with row.make(faults={fault: where}) as fake:
            started = time.monotonic()
            error = refuse(kind, lambda: configure_phone(target_of(fake, timeout=0.3), WANTED))
            assert time.monotonic() - started < 8 and not error.wrote and fake.writes == 0

    def test_an_answer_that_never_ends(self, row):
        with row.make(faults={"drip": True}) as fake:
            started = time.monotonic()
            refuse(BadAnswer, lambda: inspect_phone(target_of(fake)))
            assert time.monotonic() - started < 10

    def test_a_write_whose_answer_is_lost_is_read_back_and_not_repeated(self, row):
        with row.make(faults={"drop_on_write": True}) as fake:
            assert configure_phone(target_of(fake), WANTED)["changed"]
            assert fake.writes == 1

    def test_a_write_that_never_arrived_is_not_repeated_either(self, row):
        with row.make(faults={"drop": row.write_path}) as fake:
            error = refuse(NotApplied, lambda: configure_phone(target_of(fake), WANTED))
            assert error.wrote and "dropped the connection" in str(error)
            assert sum(row.write_path in line for line in fake.log) == 1

    def test_nothing_listens(self, row):
        fake = row.make().start()
        fake.stop()
        assert refuse(Unreachable, lambda: inspect_phone(target_of(fake))).code == "deferred"

    # ------------------------------------------------------------------ calls and restarts

    def test_waits_for_the_end_of_a_call(self, row):
        with row.make(faults={"busy": 3}) as fake:
            assert configure_phone(target_of(fake), WANTED, busy_interval=0.05)["changed"]
            assert fake.polls >= 4 and fake.writes == 1

    @pytest.mark.parametrize("when_busy", ["wait", "skip"])
    def test_defers_what_would_cut_a_call(self, row, when_busy):
        with row.make(faults={"busy": True}) as fake:
            error = refuse(Busy, lambda: configure_phone(target_of(fake), WANTED, when_busy=when_busy, busy_timeout=0.2, busy_interval=0.05))
            assert error.code == "deferred" and not error.wrote and (fake.writes, fake.logouts) == (0, 1)

    def test_force_and_in_order_ask_nobody(self, row):
        with row.make(faults={"busy": True}) as fake:
            assert configure_phone(target_of(fake), WANTED, when_busy="force")["changed"]
            assert not configure_phone(target_of(fake), WANTED)["changed"]
            assert fake.polls == 0

    @pytest.mark.parametrize("faults", [{}, {"drop_on_reboot": True}])
    def test_restarts_once_when_the_port_did_not_move(self, row, faults):
        ports = []
        with row.make(faults={"reboot_needed": True, **faults}, on_register=lambda fake, number, port: ports.append(port)) as fake:
            assert configure_phone(target_of(fake), WANTED, reboot="if_needed")["applied"] == "live"
            assert fake.reboots == 0 and fake.effective == {1: 5060, 2: 5062}
            result = configure_phone(target_of(fake), WANTED, reboot="if_needed", reboot_timeout=20)
            assert (result["applied"], result["changed"], fake.reboots, fake.writes) == ("rebooted", True, 1, 1)
            assert fake.effective == {1: 5074, 2: 5076} and ports[-2:] == [5074, 5076]

    def test_no_restart_during_a_call_nor_in_check_mode(self, row):
        with row.make(faults={"busy": True}) as fake:
            configure_phone(target_of(fake), WANTED, when_busy="force")
            assert configure_phone(target_of(fake), WANTED, reboot="if_needed", check_mode=True)["changed"]
            refuse(Busy, lambda: configure_phone(target_of(fake), WANTED, reboot="if_needed", when_busy="skip"))
            assert fake.reboots == 0

    @pytest.mark.parametrize("faults", [{"ignore_reboot": True}, {"slow_reboot": 30}])
    def test_a_phone_that_does_not_come_back_is_not_restarted_twice(self, row, faults):
        with row.make(faults=faults) as fake:
            configure_phone(target_of(fake), WANTED)
            error = refuse(DeviceError, lambda: configure_phone(target_of(fake), WANTED, reboot="if_needed", reboot_timeout=1.5))
            assert error.wrote and "not back within 1.5 s" in str(error) and fake.reboots == 1

    # ------------------------------------------------------------------ limits

    def test_a_line_that_the_phone_does_not_have(self, row):
        with row.make() as fake:
            wanted = {"lines": [{"line": fake.accounts + 1, "local_port": 5078}]}
            assert f"line {fake.accounts + 1}" in str(refuse(Unsupported, lambda: configure_phone(target_of(fake), wanted)))
            assert (fake.writes, fake.logouts) == (0, 1)

    # ------------------------------------------------------------------ the way there

    def test_certificate_refused_pinned_changed(self, row):
        with row.make(tls=self_signed()) as fake:
            error = refuse(CertificateRefused, lambda: configure_phone(target_of(fake), WANTED))
            assert fake.requests == 0 and f"sip_phone_fingerprint: sha256:{fake.tls.fingerprint}" in str(error)
            pinned = target_of(fake, fingerprint=error.fingerprint)
            assert configure_phone(pinned, WANTED)["changed"] and fake.logins == 1
            fake.tls, requests = self_signed(), fake.requests
            refuse(CertificateRefused, lambda: configure_phone(pinned, WANTED))
            assert fake.requests == requests

    @pytest.mark.parametrize("kind", ["http", "socks5"])
    def test_through_a_proxy(self, row, kind):
        with row.make() as fake, FakeProxy(kind, {"kitchen.site": "127.0.0.1"}) as proxy:
            assert configure_phone(target_of(fake, host="kitchen.site", proxy=proxy.url), WANTED)["changed"]
            assert set(proxy.connected) == {("kitchen.site", fake.port)} and fake.logins == 1
