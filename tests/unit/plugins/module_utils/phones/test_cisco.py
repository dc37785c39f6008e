# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is Cisco's alone. What every phone must do is in contract_suite.py."""

from __future__ import annotations

import re
import threading
import time
import urllib.error
import urllib.request
from functools import partial

import pytest

from ansible_collections.evenport.sip.plugins.module_utils.errors import (
    BadAnswer,
    Busy,
    DeviceError,
    EvenportError,
    NotApplied,
    SessionLost,
    Unreachable,
    Unsupported,
)
from ansible_collections.evenport.sip.plugins.module_utils.phones.cisco import driver as cisco
from ansible_collections.evenport.sip.plugins.module_utils.phones.work import configure_phone, inspect_phone
from tests.fakes.brands import KINDS
from tests.fakes.cisco import FakeCisco
from tests.fakes.proxy import FakeProxy
from tests.fakes.web import FakeWebServer, Reply
from tests.unit.plugins.module_utils.phones import contract_suite
from tests.unit.plugins.module_utils.phones.contract_suite import PASSWORD, TWO_LINES, PhoneContract, Row, refuse, target_of

WANTED = {"keep_alive_interval": 20, "lines": [
    {"line": 1, "local_port": 5074, "nat_traversal": "keep_alive"}, {"line": 2, "local_port": 5076, "nat_traversal": "keep_alive"}]}
CHANGES = frozenset({"SIP_Port_1_", "SIP_Port_2_", "NAT_Keep_Alive_Enable_1_", "NAT_Keep_Alive_Enable_2_", "NAT_Keep_Alive_Intvl"})
ONE = {"lines": [{"line": 1, "local_port": 5074}]}


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    for name, seconds in (("_FETCH", 2.0), ("_APPLY", 0.5), ("_PAUSE", 0.03)):
        monkeypatch.setattr(cisco, name, seconds)
    monkeypatch.setattr(contract_suite, "configure_phone", partial(configure_phone, reboot_timeout=3.0))        # an MPP that applies nothing is waited for


@pytest.fixture
def _in_vain(monkeypatch):
    """For phones that don't come: wait no longer than needed."""
    monkeypatch.setattr(cisco, "_FETCH", 0.3)


def make(kind, *, faults=None, **more):
    return FakeCisco(kind, **{"password": PASSWORD, "accounts": TWO_LINES, "faults": faults or {}, **more})


def row(name, kind, generation, write_path, *, always=None, **traits):
    return Row(
        name, lambda *, faults=None, **more: make(kind, faults={**(always or {}), **(faults or {})}, **more), "cisco", generation,
        WANTED, CHANGES, ("SIP_Port_2_", "local_port of line 2 is 5062 instead of 5076"), {1: 5060, 2: 5062}, {1: 5074, 2: 5076},
        "spacfg.xml", write_path, login_path="spacfg.xml", sessions=False, resumes=False, mac_first=False, lock_text="",
        provision=lambda fake: fake.values.update(Profile_Rule="[--uid admin --pwd hunter2]http://admin:hunter2@prov.example.net/$MA.xml"), **traits)


class TestContract(PhoneContract):
    ROWS = [
        row("spa-form", "spa", "SPA", "bcisco.csc"),
        row("spa-digest", "sipura", "SPA", "bsipura.spa"),
        row("spa-resync", "spa", "SPA", "resync", always={"no_form": True}, proxy=False),
        row("mpp", "mpp", "MPP", "resync", call_state=False, proxy=False),
    ]


# ---------------------------------------------------------------------- login and recognition


@pytest.mark.parametrize("kind", ["spa", "sipura", "mpp"])
def test_a_phone_without_a_password_gets_none(kind):
    with make(kind, scheme="") as fake:
        assert configure_phone(target_of(fake), ONE, in_use=False)["changed"]
        assert (fake.credentials, fake.login_attempts) == (0, 0) and fake.values["SIP_Port_1_"] == "5074"


def test_an_open_phone_with_another_mac_is_seen_before_anything_else():
    with make("spa", scheme="") as fake:
        refuse(EvenportError, lambda: inspect_phone(target_of(fake, mac="00:0b:82:ff:ff:ff")))
        assert set(fake.log) == {"GET /", "GET /admin/spacfg.xml"}


@pytest.mark.parametrize("kind", ["spa", "sipura", "mpp"])
def test_reading_costs_three_requests_with_a_password(kind):
    with make(kind) as fake:
        inspect_phone(target_of(fake))
        assert fake.log == ["GET /", "GET /admin/spacfg.xml", "GET /admin/spacfg.xml"]


@pytest.mark.parametrize("kind", ["sipura", "mpp"])
def test_a_nonce_that_is_good_for_one_request_and_does_not_say_stale(kind):
    with make(kind, faults={"one_nonce": True}) as fake:
        assert configure_phone(target_of(fake), WANTED, in_use=False)["changed"]
        assert (fake.login_attempts, fake.writes) == (0, 1)


def test_a_password_that_is_changed_in_the_middle():
    class Changing(FakeCisco):
        def _page(self, request):
            self.guard.password = "another"
            return super()._page(request)

    with Changing("spa", password=PASSWORD, accounts=TWO_LINES) as fake:
        refuse(SessionLost, lambda: configure_phone(target_of(fake), ONE))
        assert (fake.login_attempts, fake.writes) == (1, 0)


@pytest.mark.parametrize("kind", ["spa", "mpp"])
def test_web_admin_switched_off_is_said(kind):
    with make(kind, faults={"web_admin": False}) as fake:
        assert "Enable_Web_Admin_Access" in str(refuse(Unsupported, lambda: inspect_phone(target_of(fake))))
        assert fake.credentials == 0


@pytest.mark.parametrize("brand", ["auto", "cisco"])
def test_firmware_for_a_call_manager_is_refused(brand):
    with make("mpp", faults={"enterprise": True}) as fake:
        assert "call manager" in str(refuse(Unsupported, lambda: inspect_phone(target_of(fake, brand=brand))))
        assert fake.credentials == 0


class Stranger(FakeWebServer):
    """Wants a password for everything, or has a page for everything."""

    def __init__(self, reply):
        super().__init__()
        self.reply, self.mac, self.credentials = reply, "", 0

    def handle(self, request):
        self.credentials += "authorization" in request.headers
        return self.reply


@pytest.mark.parametrize("reply", [
    Reply(401, headers=[("WWW-Authenticate", 'Basic realm="router"')]),
    Reply(401, headers=[("WWW-Authenticate", 'Digest realm="spam users", nonce="1"')]),
    Reply(200, b"<title>nginx</title>"),
    Reply(200, b"<flat-profile><a/></flat-profile>"),
    Reply(200, b"<html><title>Grandstream Device Configuration</title></html>"),
    Reply(404),
], ids=["basic", "digest", "page", "xml", "other-brand", "nothing"])
def test_a_stranger_is_not_a_cisco_and_gets_no_password(reply):
    with Stranger(reply) as fake:
        refuse(EvenportError, lambda: inspect_phone(target_of(fake)))
        assert fake.credentials == 0


def test_a_cisco_without_a_sign_needs_its_brand_in_the_inventory():
    class Shy(FakeCisco):
        def handle(self, request):
            return Reply(200, b"<html></html>") if request.path == "/" else super().handle(request)

    with Shy("mpp", password=PASSWORD, accounts=TWO_LINES) as fake:
        fake.guard.realm = "phone"
        refuse(Unsupported, lambda: inspect_phone(target_of(fake)))
        assert fake.credentials == 0
        assert inspect_phone(target_of(fake, brand="cisco"))["identity"]["model"] == "CP-8851-3PCC"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if not kind.startswith("cisco")])
def test_another_brand_that_the_inventory_calls_a_cisco_is_refused_by_what_it_shows(kind):
    with KINDS[kind].make(password=PASSWORD) as fake:
        error = refuse(Unsupported, lambda: inspect_phone(target_of(fake, brand="cisco")))
        assert "its front page shows" in str(error) and "spacfg" not in str(error)
        assert (fake.login_attempts, fake.logins) == (0, 0)


def test_who_wants_a_password_for_everything_is_no_cisco_whatever_the_inventory_says():
    with Stranger(Reply(401, headers=[("WWW-Authenticate", 'Basic realm="IP Phone"'), ("Server", "HanLong")])) as fake:
        assert "HanLong" in str(refuse(Unsupported, lambda: inspect_phone(target_of(fake, brand="cisco"))))
        assert fake.credentials == 0


# ---------------------------------------------------------------------- the form


@pytest.mark.parametrize(("kind", "faults"), [("spa", {}), ("spa", {"html_form": "tags"}), ("sipura", {})])
def test_field_numbers_are_those_of_the_page(kind, faults):
    seen = set()
    for mac in ("0002FD000001", "0002FD000002", "0002FD000003"):
        with make(kind, faults=faults, mac=mac) as fake:
            before = dict(fake.values)
            assert configure_phone(target_of(fake), WANTED)["changed"]
            assert {name for name in before if fake.values[name] != before[name]} == CHANGES and fake.resyncs == 0
            seen.add(fake.numbers["SIP_Port_1_"])
    assert len(seen) > 1


@pytest.mark.parametrize("faults", [{"form_without_tabs": True}, {"form_shows": {"SIP_Port_1_": "5999"}}, {"no_form": True}], ids=str)
def test_a_page_that_does_not_show_for_sure_which_field_is_which_is_left_alone(faults):
    with make("spa", faults=faults) as fake:
        assert configure_phone(target_of(fake), ONE)["changed"]
        assert (fake.resyncs, fake.writes) == (1, 1) and "POST /admin/bcisco.csc" not in fake.log
        with FakeProxy("http", {"kitchen.site": "127.0.0.1"}) as proxy:
            behind = target_of(fake, host="kitchen.site", proxy=proxy.url)
            error = refuse(Unsupported, lambda: configure_phone(behind, {"lines": [{"line": 1, "local_port": 5078}]}))
        assert "proxy" in str(error) and (fake.resyncs, fake.writes) == (1, 1)


def test_a_select_that_shows_another_value_is_no_proof():
    with make("spa", faults={"form_shows": {"NAT_Keep_Alive_Enable_1_": "Yes"}}) as fake:
        configure_phone(target_of(fake), {"lines": [{"line": 1, "nat_traversal": "keep_alive"}]})
        assert fake.resyncs == 1 and fake.values["NAT_Keep_Alive_Enable_1_"] == "Yes"


@pytest.mark.parametrize(("status", "kind"), [(403, DeviceError), (404, DeviceError), (503, NotApplied)])
def test_a_form_that_is_refused(status, kind):
    with make("spa", faults={"form_refuses": status}) as fake:
        error = refuse(kind, lambda: configure_phone(target_of(fake), ONE))
        assert str(status) in str(error) and fake.writes == 0 and error.wrote == (kind is NotApplied)
        assert sum("POST" in line for line in fake.log) == 1


def test_a_phone_that_restarts_after_the_submit_is_waited_for():
    class Restarting(FakeCisco):
        def _submit(self, request):
            return self.restart(super()._submit(request))

    with Restarting("sipura", password=PASSWORD, accounts=TWO_LINES, faults={"slow_reboot": 1.5}) as fake:
        assert configure_phone(target_of(fake), WANTED)["changed"]
        assert (fake.writes, fake.reboots) == (1, 1)


# ---------------------------------------------------------------------- the resync


def test_the_profile_names_what_changes_and_nothing_else():
    with make("mpp") as fake:
        configure_phone(target_of(fake), {"lines": [{"line": 2, "local_port": 5088}]}, in_use=False)
        assert fake.served == ['<flat-profile><SIP_Port_2_ ua="na">5088</SIP_Port_2_></flat-profile>']
        assert re.fullmatch(r"http://127\.0\.0\.1:[0-9]+/[\w-]{32}\.xml", fake.fetched[0])
        assert (fake.resyncs, fake.fetches, fake.resync_failures) == (1, 1, 0)


def test_what_has_no_user_access_shown_gets_none():
    with make("spa", faults={"no_form": True}) as fake:
        configure_phone(target_of(fake), ONE)
        assert fake.served == ["<flat-profile><SIP_Port_1_>5074</SIP_Port_1_></flat-profile>"]


@pytest.mark.parametrize("faults", [{"resync_delay": 0.25}, {"resync_apply": 0.15}, {"resync_twice": True}], ids=str)
def test_a_phone_that_takes_its_time(faults):
    with make("mpp", faults=faults) as fake:
        assert configure_phone(target_of(fake), WANTED, in_use=False)["changed"]
        assert fake.writes == 1


def test_a_phone_that_applies_later_than_usual_is_waited_for(monkeypatch):
    monkeypatch.setattr(cisco, "_APPLY", 0.1)
    with make("mpp", faults={"resync_apply": 1.5}) as fake:
        assert configure_phone(target_of(fake), WANTED, in_use=False)["changed"]
        assert (fake.resyncs, fake.writes) == (1, 1)


def test_a_phone_that_has_fetched_and_applies_after_our_patience_is_not_said_to_be_as_it_was():
    with make("mpp", faults={"resync_apply": 2.5}) as fake:
        error = refuse(NotApplied, lambda: configure_phone(target_of(fake), ONE, in_use=False, reboot_timeout=0.5))
        assert "local_port of line 1 is 5060 instead of 5074" in str(error) and "may still apply" in str(error) and "All settings" not in str(error)
        assert error.wrote and fake.writes == 0
        deadline = time.monotonic() + 10
        while not fake.writes and time.monotonic() < deadline:
            time.sleep(0.02)
        assert (fake.resyncs, fake.writes, fake.values["SIP_Port_1_"]) == (1, 1, "5074")


def test_a_phone_that_is_gone_after_it_has_fetched_is_waited_for_once():
    class Gone(FakeCisco):
        def store(self, changes):
            super().store(changes)
            self.faults["drop"] = True

    with Gone("mpp", password=PASSWORD, accounts=TWO_LINES) as fake:
        started = time.monotonic()
        error = refuse(Unreachable, lambda: configure_phone(target_of(fake), ONE, in_use=False, reboot_timeout=1.0))
        assert error.wrote and "is not put back" in str(error) and fake.resyncs == 1 and time.monotonic() - started < 8


@pytest.mark.usefixtures("_in_vain")
def test_a_phone_that_comes_from_another_address_is_turned_away_and_told():
    with make("mpp", faults={"resync_from": "127.0.0.9"}) as fake:
        error = refuse(DeviceError, lambda: configure_phone(target_of(fake), ONE, in_use=False))
        assert "came from 127.0.0.9 and was turned away" in str(error) and "NAT" in str(error)
        assert not error.wrote and (fake.served, fake.writes) == ([], 0)


def test_a_phone_of_a_site_fetches_from_its_own_address():
    with make("mpp", address="127.0.0.5") as fake:
        assert configure_phone(target_of(fake, host="127.0.0.5"), ONE, in_use=False)["changed"]


def test_a_resync_waits_for_the_end_of_a_call():
    with make("mpp", faults={"busy": True, "resync_when_idle": True}) as fake:
        timer = threading.Timer(0.2, fake.faults.update, [{"busy": False}])
        timer.start()
        assert configure_phone(target_of(fake), ONE, when_busy="force")["changed"]
        timer.join()


@pytest.mark.usefixtures("_in_vain")
def test_a_phone_that_never_comes_is_an_error_and_comes_too_late_for_a_write():
    with make("mpp", faults={"busy": True, "resync_when_idle": True}) as fake:
        error = refuse(DeviceError, lambda: configure_phone(target_of(fake), ONE, when_busy="force"))
        assert "has not fetched" in str(error) and "firewall" in str(error) and "127.0.0.1:" in str(error) and ".xml" not in str(error)
        assert not error.wrote and not isinstance(error, (Unreachable, BadAnswer))
        fake.faults["busy"] = False
        deadline = time.monotonic() + 10
        while not fake.resync_failures and time.monotonic() < deadline:
            time.sleep(0.02)
        assert (fake.resync_failures, fake.writes, fake.values["SIP_Port_1_"]) == (1, 0, "5060")


@pytest.mark.usefixtures("_in_vain")
@pytest.mark.parametrize(("faults", "text"), [({"resync_lost": True}, "has not fetched"), ({"resync_refused": 403}, "refused to resync"),
                                              ({"resync_refused": 404}, "refused to resync")], ids=str)
def test_a_resync_that_is_not_done(faults, text):
    with make("mpp", faults=faults) as fake:
        error = refuse(DeviceError, lambda: configure_phone(target_of(fake), ONE, in_use=False))
        assert text in str(error) and not error.wrote and (fake.resyncs, fake.writes) == (1, 0)


@pytest.mark.usefixtures("_in_vain")
@pytest.mark.parametrize("fault", ["rubbish", "huge", "drop"])
def test_the_way_of_the_profile_is_in_no_message(fault):
    with make("mpp", faults={fault: "resync"}) as fake:
        error = refuse(EvenportError, lambda: configure_phone(target_of(fake), ONE, in_use=False))
        assert ".xml" not in str(error) and fake.writes == 0


@pytest.mark.parametrize("setting", ["Yes", "No"])
def test_not_found_is_what_a_late_phone_gets_whatever_it_makes_of_it(setting):
    with make("mpp") as fake:
        fake.values["Resync_Fails_On_FNF"] = setting
        configure_phone(target_of(fake), ONE, in_use=False)
        assert fake.resync_failures == 0 and fake.values["SIP_Port_1_"] == "5074"


@pytest.mark.parametrize("check_mode", [True, False])
def test_an_mpp_behind_a_proxy_is_refused_before_anything_is_asked_of_it(check_mode):
    with make("mpp") as fake, FakeProxy("http", {"kitchen.site": "127.0.0.1"}) as proxy:
        behind = target_of(fake, host="kitchen.site", proxy=proxy.url)
        assert inspect_phone(behind)["settings"]["lines"][0]["local_port"] == 5060
        error = refuse(Unsupported, lambda: configure_phone(behind, ONE, in_use=False, check_mode=check_mode))
        assert "delegate_to" in str(error) and fake.resyncs == 0
        assert not configure_phone(behind, {"lines": [{"line": 1, "local_port": 5060}]})["changed"]


def test_provisioning_switched_off_switches_the_resync_off():
    with make("mpp") as fake:
        fake.values["Provision_Enable"] = "No"
        assert "Provision Enable" in str(refuse(Unsupported, lambda: configure_phone(target_of(fake), ONE, in_use=False)))
        assert fake.resyncs == 0
    with make("spa") as fake:
        fake.values["Provision_Enable"] = "No"
        assert configure_phone(target_of(fake), ONE)["changed"]


# ---------------------------------------------------------------------- calls and restarts


@pytest.mark.parametrize(("kind", "faults", "known"), [("spa", {}, True), ("spa", {"quiet_status": True}, False), ("mpp", {}, False)])
def test_whether_the_phone_can_speak_of_calls_is_found_out(kind, faults, known):
    with make(kind, faults={"busy": True, **faults}) as fake:
        assert inspect_phone(target_of(fake))["call_state"] is known
        if known:
            assert "Connected" in str(refuse(Busy, lambda: configure_phone(target_of(fake), ONE, when_busy="skip")))
        else:
            assert "PBX" in str(refuse(Busy, lambda: configure_phone(target_of(fake), ONE, in_use=True)))
        assert fake.writes == 0


@pytest.mark.parametrize("kind", ["spa", "mpp"])
def test_a_restart_that_waits_for_the_end_of_a_call(kind):
    with make(kind, faults={"busy": True, "reboot_when_idle": True}) as fake:
        timer = threading.Timer(0.4, fake.faults.update, [{"busy": False}])
        timer.start()
        wanted = {"lines": [{"line": 1, "local_port": 5060}]}
        assert configure_phone(target_of(fake), wanted, reboot="if_needed", when_busy="force", reboot_timeout=20)["applied"] == "rebooted"
        timer.join()
        assert fake.reboots == 1


def test_a_restart_is_noticed_without_a_running_time_when_the_page_was_away():
    with make("spa", faults={"quiet_status": True, "slow_reboot": 2.0}) as fake:
        wanted = {"lines": [{"line": 1, "local_port": 5060}]}
        assert configure_phone(target_of(fake), wanted, reboot="if_needed", in_use=False, reboot_timeout=20)["applied"] == "rebooted"


# ---------------------------------------------------------------------- the fake


def test_an_ata_answers_without_a_question_mark():
    """As pyciscospa 0.1.4 asks it; that program itself was run against this fake by hand."""
    with FakeCisco("ata", password="x") as fake:
        with urllib.request.urlopen(f"{fake.url}/admin/status.xml&xuser=admin&xpassword=x") as answer:
            assert b"<Call_1_State_1_>Idle</Call_1_State_1_>" in answer.read()
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(f"{fake.url}/admin/status.xml&xuser=admin&xpassword=y")
