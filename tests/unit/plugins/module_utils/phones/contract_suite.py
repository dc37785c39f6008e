# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every driver must do, proved against every fake: subclass PhoneContract in a brand's test file and give its ROWS.

Needs of a fake: those of tests/fakes/phone.py, and the faults that are named here.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

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
    Provisioned,
    SessionLost,
    Unreachable,
    Unsupported,
)
from ansible_collections.evenport.sip.plugins.module_utils.phones.target import Target
from ansible_collections.evenport.sip.plugins.module_utils.phones.work import configure_phone, inspect_phone
from tests.fakes.proxy import FakeProxy
from tests.fakes.tls import self_signed

PASSWORD = "Zebra-77/&+ü"
TWO_LINES = [{"user": "101", "active": True, "port": 5060}, {"user": "102", "active": True, "port": 5062}]


@dataclass(frozen=True)
class Row:
    """A kind of phone: how to make its fake, what it is and can, and a piece of the path where its settings are written and read.

    ``make(**more)`` makes the fake with PASSWORD and TWO_LINES (their ports count where there is a port per line) and *more*.
    """

    name: str
    make: Callable[..., Any]
    brand: str
    generation: str
    wanted: dict[str, Any]              # settings in the user's shape, local ports among them
    changes: frozenset[str]             # the keys of the fake's ``values`` that ``wanted`` changes
    half: tuple[str, str]               # one of them, and what a message says when only that one was not stored
    ports: dict[int, int]               # line -> local port in the settings before, of the lines that have one of their own
    effective: dict[int, int]           # account -> port that it signals from, once ``wanted`` holds
    read_path: str
    write_path: str
    login_path: str = "login"
    sessions: bool = True               # a web session, with login and logout; False: HTTP authentication of each request
    resumes: bool = True                # the session can be handed to another process
    mac_first: bool = True              # the phone shows its MAC without a login
    lock_text: str = "5"                # what the message of a locked phone says of the time; "": such phones don't lock, as far as is known
    call_state: bool = True             # the phone can say whether it is on a call
    applies: str = "live"               # or "reboot": every write restarts it
    restarts: bool = True               # the driver can restart it
    partial: bool = True                # writes what changes and nothing else; False: a whole form, of which only that differs
    proxy: bool = True                  # everything goes through a proxy; False: the phone has to reach us
    provision: Callable[[Any], None] | None = None      # make a server own this fake


def needs(*traits: str) -> Callable[[Any], Any]:
    """A test for rows with these traits only."""
    return pytest.mark.needs(*traits)


def configure(row: Row, fake: Any, wanted: dict[str, Any] | None = None, *, target: Target | None = None, **more: Any) -> dict[str, Any]:
    """configure_phone as the rollout calls it: where the phone can't speak of calls, its PBX does."""
    if not row.call_state:
        more.setdefault("in_use", False)
    return configure_phone(target or target_of(fake), row.wanted if wanted is None else wanted, **more)


def target_of(fake: Any, **more: Any) -> Target:
    """``fake.options``, where a row's make() sets it: what the inventory has to say of such a phone (brand, profile)."""
    return Target(**{"name": "kitchen", "host": "127.0.0.1", "protocol": "https" if fake.tls else "http", "port": fake.port, "password": PASSWORD,
                     "mac": fake.mac, "timeout": 1.0, **getattr(fake, "options", {}), **more})


def refuse(kind: type[EvenportError], call: Callable[[], Any]) -> EvenportError:
    """The error of *call*: of the kind, naming the phone and a remedy, and holding no password."""
    with pytest.raises(kind) as caught:
        call()
    error = caught.value
    assert "kitchen" in str(error) and error.remedy
    assert PASSWORD not in str(error)
    return error


class PhoneContract:
    """One class per brand, each test once per row."""

    ROWS: ClassVar[list[Row]]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        marker = metafunc.definition.get_closest_marker("needs")
        rows = [row for row in self.ROWS if all(getattr(row, trait) for trait in (marker.args if marker else ()))]
        metafunc.parametrize("row", rows or [pytest.param(None, marks=pytest.mark.left_out)], ids=lambda row: row.name if row else "none")

    # ------------------------------------------------------------------ the good path

    def test_says_who_it_is_and_what_it_has(self, row):
        with row.make() as fake:
            found = inspect_phone(target_of(fake))
            assert found["identity"]["brand"] == row.brand and found["identity"]["generation"] == row.generation
            assert found["identity"]["mac"] == fake.mac.lower() and found["identity"]["model"] == fake.model
            assert {line["line"]: line["local_port"] for line in found["settings"]["lines"] if line["line"] <= 2 and "local_port" in line} == row.ports
            assert found["port_scope"] == ("line" if 2 in row.ports else "phone")
            accounts = {account["number"]: account for account in found["accounts"]}
            assert accounts[2] == {"number": 2, "active": True, "local_port": row.ports.get(2), "user": "102"}
            assert found["drift"] == {"before": {}, "after": {}} and found["session"] is None and found["provisioning"] == {}
            assert fake.writes == 0 and fake.logouts == fake.logins
            assert fake.logins == 1 or not row.sessions
            json.dumps(found)

    def test_change_then_no_change(self, row):
        with row.make() as fake:
            before = dict(fake.values)
            result = configure(row, fake)
            assert result["changed"] and result["after"] == row.wanted
            assert result["applied"] == {"live": "live", "reboot": "rebooted"}[row.applies]
            assert {line["line"]: line["local_port"] for line in result["before"]["lines"] if "local_port" in line} == row.ports
            assert fake.writes == 1 and row.changes == {key for key in before if before[key] != fake.values[key]}
            assert before.keys() == fake.values.keys()
            if row.partial:             # nothing else was even mentioned
                assert set(fake.written[0]) == row.changes
            assert {account: fake.effective[account] for account in row.effective} == row.effective
            restarts = int(row.applies == "reboot")
            again = configure(row, fake)
            assert not again["changed"] and again["applied"] == "none" and again["before"] == again["after"] == row.wanted
            assert (fake.writes, fake.reboots) == (1, restarts) and fake.login_attempts == fake.logins
            assert (fake.logins, fake.logouts) == (2, 2) or not row.sessions

    def test_check_mode_takes_the_same_path_and_writes_nothing(self, row):
        with row.make() as fake:
            before = dict(fake.values)
            checked = configure(row, fake, check_mode=True)
            assert (fake.writes, fake.reboots) == (0, 0) and fake.values == before
            real = configure(row, fake)
            checked.pop("session", None), real.pop("session", None)         # of a phone that can't end one
            assert {**checked, "applied": "", "accounts": []} == {**real, "applied": "", "accounts": []}

    def test_restore_puts_everything_back(self, row):
        with row.make() as fake:
            before = dict(fake.values)
            pushed = configure(row, fake)
            back = configure(row, fake, json.loads(json.dumps(pushed["before"])))
            assert back["changed"] and fake.values == before

    @needs("sessions", "resumes")
    def test_one_login_from_scan_to_push(self, row):
        with row.make() as fake:
            found = inspect_phone(target_of(fake), row.wanted, keep_session=True)
            assert found["drift"]["after"] == row.wanted and fake.logouts == 0
            result = configure(row, fake, session=json.loads(json.dumps(found["session"])))
            assert result["changed"] and (fake.logins, fake.login_attempts) == (1, 1)
            assert inspect_phone(target_of(fake), row.wanted, keep_session=True)["session"] is None and fake.logouts == fake.logins

    @needs("sessions", "resumes")
    def test_a_session_that_has_expired_meanwhile_costs_one_login_more(self, row):
        with row.make() as fake:
            session = inspect_phone(target_of(fake), row.wanted, keep_session=True)["session"]
            fake.expire_sessions()
            assert configure(row, fake, session=session)["changed"]
            assert fake.login_attempts == 2

    # ------------------------------------------------------------------ who are you

    def test_a_wrong_password_is_tried_once(self, row):
        with row.make() as fake:
            refuse(AuthFailed, lambda: configure(row, fake, target=target_of(fake, password=PASSWORD[:-1])))
            assert (fake.login_attempts, fake.logins, fake.writes) == (1, 0, 0)

    @needs("lock_text")
    def test_locked_is_named_and_not_made_worse(self, row):
        with row.make(faults={"locked": True}) as fake:
            assert row.lock_text in str(refuse(LockedOut, lambda: configure(row, fake)))
            assert fake.login_attempts <= 1 and fake.writes == 0

    def test_another_mac_gets_no_write_and_mostly_no_password(self, row):
        with row.make() as fake:
            error = refuse(IdentityMismatch, lambda: configure(row, fake, target=target_of(fake, mac="00:0b:82:ff:ff:ff")))
            assert "00:0B:82:FF:FF:FF" in str(error) and fake.writes == 0
            assert fake.login_attempts == 0 or not row.mac_first

    def test_a_brand_given_is_the_brand_that_answers(self, row):
        with row.make() as fake:
            assert inspect_phone(target_of(fake, brand=row.brand))["identity"]["brand"] == row.brand

    # ------------------------------------------------------------------ who owns the phone

    @needs("provision")
    def test_a_phone_that_a_server_owns_is_left_alone_unless_told_otherwise(self, row):
        with row.make() as fake:
            row.provision(fake)
            assert "prov.example.net" in inspect_phone(target_of(fake))["provisioning"]["server"]
            error = refuse(Provisioned, lambda: configure(row, fake))
            assert "prov.example.net" in str(error) and "hunter2" not in str(error) and fake.writes == 0
            assert configure(row, fake, when_provisioned="push")["changed"]
            assert not configure(row, fake)["changed"]              # in order: nothing that a server could undo

    # ------------------------------------------------------------------ a phone that lies, forgets or breaks

    def test_success_without_effect_names_what_did_not_change(self, row):
        with row.make(faults={"silent_success": True}) as fake:
            before = dict(fake.values)
            error = refuse(NotApplied, lambda: configure(row, fake))
            assert row.half[1] in str(error) and "as they were" in str(error)
            assert error.wrote and fake.values == before and fake.writes == 1 and fake.logouts == fake.logins

    def test_half_an_effect_is_put_back(self, row):
        with row.make(faults={"silent_success": [row.half[0]]}) as fake:
            before = dict(fake.values)
            error = refuse(NotApplied, lambda: configure(row, fake))
            assert row.half[1] in str(error) and "put back" in str(error)
            assert error.wrote and fake.values == before and fake.logouts == fake.logins

    @needs("sessions")
    def test_session_lost_before_the_write(self, row):
        with row.make(faults={"write_session_lost": True}) as fake:
            error = refuse(SessionLost, lambda: configure(row, fake))
            assert not error.wrote and (fake.writes, fake.login_attempts) == (0, 1)

    @needs("sessions")
    @pytest.mark.parametrize("requests", range(8))
    def test_session_lost_anywhere_never_logs_in_twice_and_is_honest_about_writes(self, row, requests):
        with row.make(faults={"session_lost_after": requests}) as fake:
            try:
                configure(row, fake)
            except SessionLost as error:
                assert error.wrote == bool(fake.writes)
                if error.wrote:
                    assert "wrote " in str(error) and "check the phone" in str(error)
            assert fake.login_attempts == 1

    @pytest.mark.parametrize(("fault", "kind"), [
        ("hang", Unreachable), ("drop", Unreachable), ("rubbish", BadAnswer), ("huge", BadAnswer), ("html", DeviceError)])
    @pytest.mark.parametrize("path", [True, "read", "login"])
    def test_broken_answers_before_a_write(self, row, fault, kind, path):
        where = {"read": row.read_path, "login": row.login_path}.get(path, True)
        with row.make(faults={fault: where}) as fake:
            started = time.monotonic()
            error = refuse(kind, lambda: configure(row, fake, target=target_of(fake, timeout=0.3)))
            assert time.monotonic() - started < 8 and not error.wrote and fake.writes == 0

    def test_an_answer_that_never_ends(self, row):
        with row.make(faults={"drip": True}) as fake:
            started = time.monotonic()
            refuse(BadAnswer, lambda: inspect_phone(target_of(fake)))
            assert time.monotonic() - started < 10

    def test_a_write_whose_answer_is_lost_is_read_back_and_not_repeated(self, row):
        with row.make(faults={"drop_on_write": True}) as fake:
            assert configure(row, fake)["changed"]
            assert fake.writes == 1

    def test_a_write_that_never_arrived_is_not_repeated_either(self, row):
        with row.make(faults={"drop": row.write_path}) as fake:
            error = refuse(NotApplied, lambda: configure(row, fake))
            assert error.wrote and "dropped the connection" in str(error)
            assert sum(row.write_path in line for line in fake.log) == 1

    def test_nothing_listens(self, row):
        fake = row.make().start()
        fake.stop()
        assert refuse(Unreachable, lambda: inspect_phone(target_of(fake))).code == "deferred"

    # ------------------------------------------------------------------ calls and restarts

    @needs("call_state")
    def test_waits_for_the_end_of_a_call(self, row):
        with row.make(faults={"busy": 3}) as fake:
            assert configure(row, fake, busy_interval=0.05)["changed"]
            assert fake.polls >= 4 and fake.writes == 1

    @needs("call_state")
    @pytest.mark.parametrize("when_busy", ["wait", "skip"])
    def test_defers_what_would_cut_a_call(self, row, when_busy):
        with row.make(faults={"busy": True}) as fake:
            error = refuse(Busy, lambda: configure(row, fake, when_busy=when_busy, busy_timeout=0.2, busy_interval=0.05))
            assert error.code == "deferred" and not error.wrote and fake.writes == 0 and fake.logouts == fake.logins

    def test_a_call_that_only_the_pbx_knows_of_is_not_cut(self, row):
        if row.call_state:              # the phone knows better: its own word counts
            with row.make() as fake:
                assert configure(row, fake, in_use=True)["changed"]
            return
        with row.make() as fake:
            assert "PBX" in str(refuse(Busy, lambda: configure(row, fake, in_use=True)))
            if row.applies == "reboot":
                assert "nor its PBX" in str(refuse(Busy, lambda: configure(row, fake, in_use=None)))
            assert (fake.writes, fake.reboots) == (0, 0)
            assert configure(row, fake, in_use=True, when_busy="force")["changed"]

    @needs("call_state")
    def test_force_and_in_order_ask_nobody(self, row):
        with row.make(faults={"busy": True}) as fake:
            assert configure(row, fake, when_busy="force")["changed"]
            assert not configure(row, fake)["changed"]
            assert fake.polls == 0

    @needs("restarts")
    @pytest.mark.parametrize("faults", [{}, {"drop_on_reboot": True}])
    def test_restarts_once_when_the_port_did_not_move(self, row, faults):
        ports = []
        live = row.applies == "live"
        with row.make(faults={"reboot_needed": live, **faults}, on_register=lambda fake, number, port: ports.append(port)) as fake:
            before = dict(fake.effective)
            assert configure(row, fake)["applied"] == ("live" if live else "rebooted")
            assert fake.reboots == int(not live)
            if live:
                assert fake.effective == before
            result = configure(row, fake, reboot="if_needed", reboot_timeout=20)
            assert (result["applied"], result["changed"], fake.reboots, fake.writes) == ("rebooted", True, 1 + int(not live), 1)
            assert {account: fake.effective[account] for account in row.effective} == row.effective
            assert set(row.effective.values()) <= set(ports[-max(2, len(row.effective)):])

    @needs("restarts", "call_state")
    def test_no_restart_during_a_call_nor_in_check_mode(self, row):
        with row.make(faults={"busy": True}) as fake:
            configure(row, fake, when_busy="force")
            reboots = fake.reboots
            assert configure(row, fake, reboot="if_needed", check_mode=True)["changed"]
            refuse(Busy, lambda: configure(row, fake, reboot="if_needed", when_busy="skip"))
            assert fake.reboots == reboots

    @needs("restarts")
    @pytest.mark.parametrize("faults", [{"ignore_reboot": True}, {"slow_reboot": 30}])
    def test_a_phone_that_does_not_come_back_is_not_restarted_twice(self, row, faults):
        with row.make() as fake:
            configure(row, fake)
            fake.faults.update(faults)
            reboots = fake.reboots
            error = refuse(DeviceError, lambda: configure(row, fake, reboot="if_needed", reboot_timeout=1.5))
            assert error.wrote and "not back within 1.5 s" in str(error) and fake.reboots == reboots + 1

    # ------------------------------------------------------------------ limits

    def test_a_line_that_the_phone_does_not_have(self, row):
        with row.make() as fake:
            wanted = {"lines": [{"line": fake.accounts + 1, "local_port": 5078}]}
            assert f"line {fake.accounts + 1}" in str(refuse(Unsupported, lambda: configure(row, fake, wanted)))
            assert fake.writes == 0 and fake.logouts == fake.logins

    def test_ports_planned_per_line_for_a_phone_that_has_one(self, row):
        """With brand auto the plan gives each line a port. Where the phone has one for all, line 1's is it and nothing is refused."""
        if 2 in row.ports:
            return
        with row.make() as fake:
            result = configure(row, fake, {"lines": [{"line": 1, "local_port": 5074}, {"line": 2, "local_port": 5076}]})
            assert result["unsupported"] == ["local_port of line 2"] and result["after"] == {"lines": [{"line": 1, "local_port": 5074}]}

    # ------------------------------------------------------------------ the way there

    def test_certificate_refused_pinned_changed(self, row):
        with row.make(tls=self_signed()) as fake:
            error = refuse(CertificateRefused, lambda: configure(row, fake))
            assert fake.requests == 0 and f"sip_phone_fingerprint: sha256:{fake.tls.fingerprint}" in str(error)
            pinned = target_of(fake, fingerprint=error.fingerprint)
            assert configure(row, fake, target=pinned)["changed"] and fake.writes == 1
            fake.tls, requests = self_signed(), fake.requests
            refuse(CertificateRefused, lambda: configure(row, fake, target=pinned))
            assert fake.requests == requests

    @needs("proxy")
    @pytest.mark.parametrize("kind", ["http", "socks5"])
    def test_through_a_proxy(self, row, kind):
        with row.make() as fake, FakeProxy(kind, {"kitchen.site": "127.0.0.1"}) as proxy:
            assert configure(row, fake, target=target_of(fake, host="kitchen.site", proxy=proxy.url))["changed"]
            assert set(proxy.connected) == {("kitchen.site", fake.port)} and fake.writes == 1
