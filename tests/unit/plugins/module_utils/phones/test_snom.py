# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is Snom's alone. What every phone must do is in contract_suite.py."""

from __future__ import annotations

import time

import pytest

from ansible_collections.evenport.sip.plugins.module_utils.errors import (
    BadAnswer,
    DeviceError,
    NotApplied,
    Unsupported,
)
from ansible_collections.evenport.sip.plugins.module_utils.http.session import WebSession
from ansible_collections.evenport.sip.plugins.module_utils.phones.front import Front
from ansible_collections.evenport.sip.plugins.module_utils.phones.snom import driver as snom
from ansible_collections.evenport.sip.plugins.module_utils.phones.work import configure_phone, inspect_phone
from tests.fakes.snom import FakeSnom
from tests.fakes.web import Reply
from tests.unit.plugins.module_utils.phones.contract_suite import PASSWORD, TWO_LINES, PhoneContract, Row, configure, refuse, target_of
from tests.unit.plugins.module_utils.phones.snom_visits import (
    CHANGES,
    RANDOM,
    SERVER,
    SHORT,
    WANTED,
    basic,
)


def row(name, scheme, model, *, wanted=None, accounts=None, read="settings.htm", **faults):
    changes = CHANGES if wanted is None else frozenset({"network_id_port", "enable_rport_rfc3581"})

    def make(**more):
        more["faults"] = {**faults, **more.get("faults", {})}
        return FakeSnom(scheme, **{"model": model, "password": PASSWORD, "accounts": accounts or TWO_LINES, **more})

    ports = {1: None} if accounts else {1: 5060}
    return Row(name, make, "snom", "", wanted or WANTED, changes, ("network_id_port", f"local_port of line 1 is {ports[1]} instead of 5074"),
               ports, {1: 5074, 2: 5074}, read, "dummy.htm", "info.htm", sessions=False, resumes=False, mac_first=False, lock_text="", call_state=False,
               provision=lambda fake: fake.values.update(setting_server=SERVER))


class TestContract(PhoneContract):
    ROWS = [
        row("basic", "Basic", "D735", no_form=True),
        row("digest", "Digest", "320", accounts=RANDOM, no_form=True),
        row("form", "Digest", "300", wanted=SHORT, read="advanced_sip.htm", no_dump=True),
        row("vtech", "Basic", "ET685", no_form=True),
    ]

    def test_a_dialogue_that_would_restart_it_is_never_opened(self, row):
        with row.make() as fake:
            configure(row, fake)
            assert not [line for line in fake.log if line.startswith("POST")] and (fake.reboots, fake.resets) == (0, 0)

    def test_what_is_written_outlives_a_restart(self, row):
        with row.make() as fake:
            configure(row, fake)
            fake.expire_sessions()
            assert fake.values["network_id_port"] == "5074"

    def test_open_to_anybody(self, row):
        """From the factory there is no password: none is asked for, and none is sent."""
        with row.make() as fake:
            fake.scheme = ""
            assert configure(row, fake)["changed"] and fake.guard.right == fake.guard.wrong == 0


def test_requests_wait_for_one_another(monkeypatch):
    with basic(faults={"choke": 0.1}) as fake:
        refuse(BadAnswer, lambda: configure_phone(target_of(fake), WANTED))
        monkeypatch.setattr(snom, "_PAUSE", 0.2)
        time.sleep(0.2)
        assert configure_phone(target_of(fake), WANTED)["changed"]


# ---------------------------------------------------------------------- random ports


@pytest.mark.parametrize("empty", ["", "0"])
def test_empty_and_0_are_a_random_port_and_are_put_back_as_they_were(empty):
    with basic(accounts=RANDOM) as fake:
        fake.values["network_id_port"] = empty
        found = inspect_phone(target_of(fake))["settings"]
        assert found["random_port"] is True and found["lines"][0]["local_port"] is None
        assert fake.effective[1] == fake.effective[2] >= 32768
        before = dict(fake.values)
        fake.faults["silent_success"] = ["enable_rport_rfc3581"]        # half of it works: the port has to be put back
        assert "put back" in str(refuse(NotApplied, lambda: configure_phone(target_of(fake), WANTED)))
        assert fake.values == before and fake.writes == 2


def test_random_ports_come_back_in_another_run():
    with basic(accounts=RANDOM) as fake:
        before = configure_phone(target_of(fake), WANTED)["before"]
        assert before["random_port"] is True and fake.effective == {1: 5074, 2: 5074}
        assert configure_phone(target_of(fake), before)["changed"] and fake.values["network_id_port"] == ""
        assert configure_phone(target_of(fake), {"random_port": True})["changed"] is False


def test_a_port_can_be_given_up_for_a_random_one():
    with basic() as fake:
        assert configure_phone(target_of(fake), {"random_port": True})["changed"]
        assert fake.written == [{"network_id_port": ""}] and fake.effective[1] >= 32768


def test_a_port_that_was_given_up_in_vain_is_put_back():
    with basic(faults={"silent_success": ["enable_rport_rfc3581"]}) as fake:
        before = dict(fake.values)
        refuse(NotApplied, lambda: configure_phone(target_of(fake), {"random_port": True, "lines": [{"line": 1, "rport": True}]}))
        assert fake.values == before and fake.written[1] == {"network_id_port": "5060"}


def test_no_random_port_without_a_port_is_refused():
    with basic(accounts=RANDOM) as fake:
        for check in (lambda: inspect_phone(target_of(fake), {"random_port": False}), lambda: configure_phone(target_of(fake), {"random_port": False})):
            assert "no port is given" in str(refuse(Unsupported, check))
        assert fake.writes == 0
        fake.values["network_id_port"] = "5060"
        assert not configure_phone(target_of(fake), {"random_port": False})["changed"]


@pytest.mark.parametrize("port", [1, 1023])
def test_ports_of_the_system_are_refused(port):
    with basic() as fake:
        refuse(Unsupported, lambda: configure_phone(target_of(fake), {"lines": [{"line": 1, "local_port": port}]}))
        assert fake.writes == 0


@pytest.mark.parametrize("raw", ["5060.5", "99999", "none", "-1", "٥٠٦٠", "80"])
def test_a_port_that_could_not_be_put_back_is_not_touched(raw):
    with basic() as fake:
        fake.values["network_id_port"] = raw
        found = inspect_phone(target_of(fake))["settings"]
        assert (found["random_port"], found["lines"][0]["local_port"]) == ((False, 80) if raw == "80" else (None, None))
        assert "could not be put back" in str(refuse(Unsupported, lambda: configure_phone(target_of(fake), WANTED)))
        assert fake.writes == 0 and configure_phone(target_of(fake), {"keep_alive_interval": 20})["changed"]


def test_a_port_of_0_comes_back_in_another_run_as_empty_which_means_the_same():
    with basic(accounts=RANDOM) as fake:
        fake.values["network_id_port"] = "0"
        before = configure_phone(target_of(fake), WANTED)["before"]
        assert configure_phone(target_of(fake), before)["changed"] and fake.values["network_id_port"] == "" and fake.effective[1] >= 32768


# ---------------------------------------------------------------------- reading


@pytest.mark.parametrize("field", ["network_id_port2", "xnetwork_id_port", "network_id_port_range", "NETWORK_ID_PORT"])
def test_another_setting_of_a_like_name_is_not_the_port(field):
    class Misnamed(FakeSnom):
        def handle(self, request):
            reply = super().handle(request)
            reply.body = reply.body.replace(b"network_id_port", field.encode())
            return reply

    for faults in ({}, {"no_dump": True}):
        with Misnamed("Basic", password=PASSWORD, accounts=TWO_LINES, faults=faults) as fake:
            error = refuse(Unsupported, lambda: configure_phone(target_of(fake), WANTED))
            assert "can't be read" in str(error) and "provisioning file" in error.remedy and fake.writes == 0


def test_a_dump_that_is_none_is_no_reason_to_give_up():
    with basic(model="300", faults={"html": "settings.htm"}) as fake:
        assert configure_phone(target_of(fake), SHORT)["changed"]


def test_a_phone_that_shows_the_port_nowhere_is_not_written_to():
    with basic(faults={"no_dump": True, "no_form": True}) as fake:
        assert "so nothing is written" in str(refuse(Unsupported, lambda: inspect_phone(target_of(fake), WANTED)))
        assert [line for line in fake.log if "advanced" in line] == ["GET /advanced_sip.htm", "GET /advanced_network.htm", "GET /advanced.htm"]
        assert fake.writes == fake.reboots == 0


def test_a_form_is_found_once_and_read_twice():
    with basic(model="300", faults={"no_dump": True}) as fake:
        assert configure_phone(target_of(fake), SHORT)["changed"]
        pages = [line for line in fake.log if "htm" in line]
        assert pages == ["GET /info.htm", "GET /settings.htm", "GET /advanced_sip.htm", "GET /advanced_update.htm", *["GET /line_login.htm"] * 5,
                         "GET /dummy.htm", "GET /advanced_sip.htm"]


def test_the_interval_of_a_phone_that_shows_none_is_passed_over_and_named():
    with basic(faults={"no_dump": True}) as fake:
        result = configure_phone(target_of(fake), WANTED)
        assert result["changed"] and result["unsupported"] == ["keep_alive_interval"]


def test_intervals_are_those_of_the_identities_that_register():
    with basic(accounts=[*TWO_LINES, {"user": "103", "active": False}]) as fake:
        fake.values.update(keepalive_interval1="45", keepalive_interval2="45", keepalive_interval3="60")
        before = dict(fake.values)
        result = configure_phone(target_of(fake), {"keep_alive_interval": 20})
        assert result["before"] == {"keep_alive_interval": 45} and fake.written == [{"keepalive_interval1": "20", "keepalive_interval2": "20"}]
        assert configure_phone(target_of(fake), result["before"])["changed"] and fake.values == before


@pytest.mark.parametrize("shown", [("5", "45"), ("", "20"), ("", "0"), ("0", "0"), ("3601", "3601"), ("020", "020"), ("x", "x"), ("None", "None")])
def test_intervals_that_differ_or_that_no_word_stands_for_are_not_touched(shown):
    with basic() as fake:
        fake.values.update(keepalive_interval1=shown[0], keepalive_interval2=shown[1])
        before = dict(fake.values)
        result = configure_phone(target_of(fake), WANTED)
        assert result["unsupported"] == ["keep_alive_interval"] and "keep_alive_interval" not in result["before"]
        assert configure_phone(target_of(fake), result["before"])["changed"] and fake.values == before


@pytest.mark.parametrize("stuck", [1, 2])
@pytest.mark.parametrize("raw", ["5", ""])
def test_an_interval_that_one_identity_did_not_take_is_noticed_and_put_back(stuck, raw):
    with basic(faults={"silent_success": [f"keepalive_interval{stuck}"]}) as fake:
        fake.values.update(keepalive_interval1=raw, keepalive_interval2=raw)
        before = dict(fake.values)
        error = refuse(NotApplied, lambda: configure_phone(target_of(fake), WANTED))
        assert f"keep_alive_interval is {'30 and 5' if raw else 'nothing and 30'!r} instead of 30" in str(error) and "has been put back" in str(error)
        assert fake.values == before


def test_an_interval_that_one_identity_does_not_give_up_is_noticed():
    with basic() as fake:
        fake.values.update(keepalive_interval1="", keepalive_interval2="")
        before = configure_phone(target_of(fake), {"keep_alive_interval": 20})["before"]
        fake.faults["silent_success"] = ["keepalive_interval2"]
        assert "instead of None" in str(refuse(NotApplied, lambda: configure_phone(target_of(fake), before)))
        assert fake.values["keepalive_interval1"] == fake.values["keepalive_interval2"] == "20"


def test_no_interval_is_none_and_emptied_again_by_a_later_run():
    with basic() as fake:
        fake.values.update(keepalive_interval1="", keepalive_interval2="")
        values = dict(fake.values)
        before = configure_phone(target_of(fake), {"keep_alive_interval": 20})["before"]
        assert before == {"keep_alive_interval": None} and fake.values["keepalive_interval3"] == "5"
        assert configure_phone(target_of(fake), before)["changed"] and fake.values == values


@pytest.mark.parametrize(("raw", "touched"), [("", True), ("off", True), ("maybe", False), ("1", False)])
def test_a_switch_is_put_back_by_a_later_run_or_not_touched(raw, touched):
    class Lax(FakeSnom):
        def valid(self, key, value):
            return key == "enable_rport_rfc3581" or super().valid(key, value)

    with Lax("Basic", password=PASSWORD, accounts=TWO_LINES) as fake:
        fake.values["enable_rport_rfc3581"] = raw
        values = dict(fake.values)
        result = configure_phone(target_of(fake), WANTED)
        assert result["unsupported"] == ([] if touched else ["rport of line 1"])
        assert configure_phone(target_of(fake), result["before"])["changed"] and fake.values == values


def test_what_is_put_back_is_looked_at_first_where_reading_back_failed():
    class Odd(FakeSnom):
        broken = 1

        def handle(self, request):
            if self.writes and self.broken and request.path == "/settings.htm":
                self.broken -= 1
                return Reply(500)
            return super().handle(request)

    with Odd("Basic", password=PASSWORD, accounts=TWO_LINES) as fake:
        before = dict(fake.values)
        error = refuse(DeviceError, lambda: configure_phone(target_of(fake), WANTED))
        assert "could not read it back" in str(error) and "has been put back" in str(error) and fake.values == before and fake.writes == 2


@pytest.mark.parametrize("faults", [{}, {"no_dump": True}])
def test_accounts_are_the_identities(faults):
    with basic(model="300", accounts=[{"user": "101"}, {"user": "102", "active": False}], faults=faults) as fake:
        accounts = inspect_phone(target_of(fake))["accounts"]
        assert [(account["number"], account["active"], account["user"]) for account in accounts] == [
            (1, True, "101"), (2, False, "102"), (3, False, ""), (4, False, "")]


def test_no_password_of_an_account_is_kept():
    with basic() as fake, WebSession(target_of(fake).reach()) as web:
        driver = snom.recognise(target_of(fake), web, Front(web))
        driver.login()
        driver.read()
        assert "sip-secret" not in repr(vars(driver)) and "http_pass" not in repr(vars(driver))


@pytest.mark.parametrize(("values", "expected"), [
    ({}, {}),
    ({"setting_server": SERVER}, {"server": "prov.example.net/snom/{mac}", "protocol": "https", "protected": False}),
    ({"setting_server": SERVER, "update_policy": "never_update"}, {"server": "prov.example.net/snom/{mac}", "protocol": "https", "protected": True}),
    ({"setting_server": "192.0.2.9"}, {"server": "192.0.2.9", "protocol": "", "protected": False}),
    ({"setting_server": "https://provisioning.snom.com/{mac}"}, {}),
    ({"setting_server": "http://et.vtechphones.com/redirectserver", "pnp_server": "tftp://192.0.2.9"},
     {"server": "192.0.2.9", "protocol": "tftp", "protected": False}),
    ({"setting_server": "https://notsnom.com/"}, {"server": "notsnom.com/", "protocol": "https", "protected": False}),
    ({"setting_server": "http://[half"}, {"server": "[half", "protocol": "http", "protected": False}),
])
def test_provisioning_is_reported_without_credentials(values, expected):
    with basic() as fake:
        fake.values.update(values)
        assert inspect_phone(target_of(fake))["provisioning"] == expected
        fake.faults["no_dump"] = True
        if "pnp_server" not in values:
            assert inspect_phone(target_of(fake))["provisioning"] == expected


def test_a_phone_that_loads_no_settings_keeps_what_is_set_by_hand():
    with basic() as fake:
        fake.values.update(setting_server=SERVER, update_policy="never_update")
        assert configure_phone(target_of(fake), WANTED)["changed"]
