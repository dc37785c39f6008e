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
    EvenportError,
    NotApplied,
    PermissionMissing,
    Provisioned,
    Unreachable,
    Unsupported,
)
from ansible_collections.evenport.sip.plugins.module_utils.http.session import WebSession
from ansible_collections.evenport.sip.plugins.module_utils.phones.front import Front
from ansible_collections.evenport.sip.plugins.module_utils.phones.settings import Place
from ansible_collections.evenport.sip.plugins.module_utils.phones.snom import driver as snom
from ansible_collections.evenport.sip.plugins.module_utils.phones.work import configure_phone, inspect_phone
from tests.fakes.snom import FakePhoneManager, FakeSnom
from tests.fakes.web import FakeWebServer, Reply
from tests.unit.plugins.module_utils.phones.contract_suite import PASSWORD, TWO_LINES, PhoneContract, Row, configure, refuse, target_of

WANTED = {"random_port": False, "keep_alive_interval": 30, "lines": [{"line": 1, "local_port": 5074, "rport": True}]}
SHORT = {"random_port": False, "lines": [{"line": 1, "local_port": 5074, "rport": True}]}       # a form page has no interval
CHANGES = frozenset({"network_id_port", "enable_rport_rfc3581", "keepalive_interval1", "keepalive_interval2"})
RANDOM = [{"user": "101"}, {"user": "102"}]
SERVER = "https://admin:hunter2@prov.example.net/snom/{mac}?key=hunter2"


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch):
    monkeypatch.setattr(snom, "_PAUSE", 0.0)


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


def basic(**more):
    return FakeSnom("Basic", **{"password": PASSWORD, "accounts": TWO_LINES, **more})


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


@pytest.mark.parametrize("raw", ["5060.5", "99999", "none", "-1", "٥٠٦٠"])
def test_what_is_no_port_is_neither_a_port_nor_random_and_is_put_right(raw):
    with basic() as fake:
        fake.values["network_id_port"] = raw
        result = configure_phone(target_of(fake), WANTED)
        assert result["before"]["random_port"] is None and result["before"]["lines"][0]["local_port"] is None and fake.values["network_id_port"] == "5074"


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
        fake.values.update(keepalive_interval1="20", keepalive_interval2="30")
        before = dict(fake.values)
        assert configure_phone(target_of(fake), {"keep_alive_interval": 20})["before"] == {"keep_alive_interval": None}
        assert fake.written == [{"keepalive_interval2": "20"}]
        fake.values.update(before)
        fake.faults["silent_success"] = ["enable_rport_rfc3581"]
        refuse(NotApplied, lambda: configure_phone(target_of(fake), {"keep_alive_interval": 25, "lines": [{"line": 1, "rport": True}]}))
        assert fake.values == before                    # different ones, put back one by one


@pytest.mark.parametrize("raw", ["", "0"])
def test_no_interval_is_none(raw):
    with basic() as fake:
        fake.values.update(keepalive_interval1=raw, keepalive_interval2=raw)
        before = configure_phone(target_of(fake), {"keep_alive_interval": 20})["before"]
        assert before == {"keep_alive_interval": None} and fake.values["keepalive_interval3"] == "5"
        assert configure_phone(target_of(fake), before)["changed"] and fake.values["keepalive_interval1"] == ""


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


# ---------------------------------------------------------------------- locks and permissions


@pytest.mark.parametrize("faults", [{}, {"escaped_flags": True}, {"no_dump": True}])
@pytest.mark.parametrize("push", ["refuse", "push"])
def test_a_locked_port_is_not_tried(faults, push):
    with basic(faults=faults) as fake:
        fake.flags["network_id_port"] = "&"
        assert inspect_phone(target_of(fake))["settings"]["lines"][0]["local_port"] == 5060
        error = refuse(Provisioned, lambda: configure_phone(target_of(fake), SHORT, when_provisioned=push))
        assert "network_id_port is locked" in str(error) and fake.writes == 0
        assert not configure_phone(target_of(fake), {"lines": [{"line": 1, "local_port": 5060}]})["changed"]


def test_a_lock_that_the_phone_does_not_show_is_found_by_reading_back():
    class Quiet(FakeSnom):
        def valid(self, key, value):
            return key != "network_id_port"

    with Quiet("Basic", password=PASSWORD, accounts=TWO_LINES) as fake:
        before = dict(fake.values)
        error = refuse(NotApplied, lambda: configure_phone(target_of(fake), WANTED))
        assert "local_port of line 1 is 5060" in str(error) and "put back" in str(error) and fake.values == before


@pytest.mark.parametrize("faults", [{}, {"no_dump": True}])
def test_blocked_queries_name_the_settings_to_change(faults):
    with basic(faults=faults) as fake:
        fake.values["restrict_uri_queries"] = "on"
        assert not configure_phone(target_of(fake), {"lines": [{"line": 1, "local_port": 5060}]})["changed"]
        error = refuse(PermissionMissing, lambda: configure_phone(target_of(fake), SHORT))
        assert "restrict_uri_queries" in str(error) and "use_hidden_tags" in str(error) and not error.wrote and fake.writes == 0


def test_hidden_tags_turn_the_write_away():
    with basic() as fake:
        fake.values.update(use_hidden_tags="on", admin_mode_password="1234")
        error = refuse(PermissionMissing, lambda: configure_phone(target_of(fake), WANTED))
        assert "403" in str(error) and "use_hidden_tags" in error.remedy and not error.wrote and fake.writes == 0


def test_a_restart_that_is_not_allowed():
    with basic() as fake:
        fake.values["restrict_uri_queries"] = "on"
        wanted = {"lines": [{"line": 1, "local_port": 5060}]}
        refuse(PermissionMissing, lambda: configure_phone(target_of(fake), wanted, reboot="if_needed", in_use=False))
        assert fake.reboots == 0


@pytest.mark.parametrize("status", [401, 403])
def test_a_user_who_may_not_see_the_settings(status):
    class Mean(FakeSnom):
        def handle(self, request):
            return Reply(status) if request.path.startswith(("/settings", "/advanced")) else super().handle(request)

    with Mean("Basic", password=PASSWORD) as fake:
        assert "administrator mode" in refuse(PermissionMissing, lambda: inspect_phone(target_of(fake))).remedy
        assert fake.login_attempts == 0


@pytest.mark.parametrize(("status", "kind"), [(404, DeviceError), (500, NotApplied)])
def test_a_write_that_is_refused_or_unclear(status, kind):
    class Broken(FakeSnom):
        def handle(self, request):
            return Reply(status) if request.path == "/dummy.htm" else super().handle(request)

    with Broken("Basic", password=PASSWORD, accounts=TWO_LINES) as fake:
        error = refuse(kind, lambda: configure_phone(target_of(fake), WANTED))
        assert str(status) in str(error) and error.wrote == (status == 500)
        assert sum("dummy" in line for line in fake.log) == 1


def test_a_phone_that_breaks_while_it_is_read():
    class Broken(FakeSnom):
        def handle(self, request):
            return Reply(503) if request.path == "/settings.htm" else super().handle(request)

    with Broken("Basic", password=PASSWORD) as fake:
        refuse(BadAnswer, lambda: inspect_phone(target_of(fake)))


# ---------------------------------------------------------------------- the wrong scheme


@pytest.mark.parametrize(("how", "kind"), [("307", DeviceError), ("403", DeviceError), ("empty", Unreachable)])
@pytest.mark.parametrize("brand", ["auto", "snom"])
def test_the_wrong_scheme_is_named_and_not_followed(how, kind, brand):
    if (how, brand) == ("empty", "auto"):
        return                                  # nothing that a Snom could be told by
    with basic(faults={"wrong_scheme": how}) as fake:
        error = refuse(kind, lambda: configure_phone(target_of(fake, brand=brand), WANTED))
        assert "sip_phone_protocol: https" in error.remedy and not error.wrote
        assert fake.login_attempts == fake.writes == 0 and set(fake.log) <= {"GET /", "GET /cgi-bin/api.values.get"}


def test_a_scheme_that_changes_in_the_middle():
    class Fickle(FakeSnom):
        def handle(self, request):
            if request.path == "/dummy.htm":
                return Reply(307, headers=[("Location", "https://192.0.2.7/dummy.htm")])
            return super().handle(request)

    with Fickle("Basic", password=PASSWORD, accounts=TWO_LINES) as fake:
        error = refuse(DeviceError, lambda: configure_phone(target_of(fake), WANTED))
        assert "nothing was written" in str(error) and not error.wrote and fake.writes == 0


# ---------------------------------------------------------------------- recognising


@pytest.mark.parametrize(("faults", "model"), [
    ({}, "D735"), ({"title": "reception"}, "D735"), ({"title": "snom D715"}, "D735"), ({"no_info": True, "title": "snom D715"}, "D715"),
    ({"no_info": True, "title": "snomD305-8325FE"}, "D305"), ({"no_info": True, "title": "reception"}, "")])
def test_the_title_is_anybodys_choice(faults, model):
    with basic(faults=faults) as fake:
        fake.scheme = ""
        identity = inspect_phone(target_of(fake, mac=""))["identity"]
        assert identity["model"] == model and identity["mac"] == ("" if "no_info" in faults else "000413a1b2c3")


def test_a_phone_that_does_not_say_its_mac_is_not_written_to():
    with basic(faults={"no_info": True}) as fake:
        error = refuse(EvenportError, lambda: configure_phone(target_of(fake), WANTED))
        assert error.code == "identity_mismatch" and fake.writes == 0


@pytest.mark.parametrize("brand", ["auto", "snom"])
def test_d8xx_is_refused_with_what_to_do(brand):
    with FakePhoneManager() as fake:
        fake.mac = ""
        error = refuse(Unsupported, lambda: inspect_phone(target_of(fake, brand=brand)))
        assert "D8xx" in str(error) and "provisioning file" in error.remedy and not [line for line in fake.log if "htm" in line]


@pytest.mark.parametrize("title", ["snom m9", "M700", "snom M300", "C620", "M100"])
def test_other_interfaces_are_refused(title):
    with basic(faults={"title": title}) as fake:
        fake.scheme = ""
        assert "DECT" in str(refuse(Unsupported, lambda: inspect_phone(target_of(fake)))) and fake.log[-1] == "GET /"


class Page(FakeWebServer):
    def __init__(self, reply):
        super().__init__()
        self.reply, self.mac = reply, ""

    def handle(self, request):
        return self.reply if request.path == "/" else Reply(404)


@pytest.mark.parametrize("reply", [
    Reply(200, b"<title>nginx</title>"),
    Reply(401, headers=[("WWW-Authenticate", 'Basic realm="IP Phone"'), ("Server", "HanLong")]),
    Reply(307, headers=[("Location", "/login")]),
    Reply(302, headers=[("Location", "/servlet?m=mod_listener&p=login")]),
    Reply(200, b"<title>Phone Manager Pro</title>"),
])
def test_a_stranger_gets_no_password_and_no_question(reply):
    with Page(reply) as fake:
        refuse(Unsupported, lambda: inspect_phone(target_of(fake, brand="snom")))
        assert set(fake.log) == {"GET /"}


def test_a_front_page_open_to_anybody_and_the_rest_not():
    class Open(FakeSnom):
        def _admits(self, request):
            return request.path == "/" or super()._admits(request)

    for scheme in ("Basic", "Digest"):
        with Open(scheme, password=PASSWORD, accounts=TWO_LINES) as fake:
            assert configure_phone(target_of(fake), WANTED)["changed"] and fake.login_attempts == 0


def test_nothing_but_the_front_page_is_asked_for_before_the_login():
    with basic() as fake, WebSession(target_of(fake).reach()) as web:
        assert isinstance(snom.recognise(target_of(fake), web, Front(web)), snom.Snom)
        assert fake.log == ["GET /"] and fake.login_attempts == fake.guard.right == 0


def test_what_a_snom_has_no_setting_for():
    with basic() as fake, WebSession(target_of(fake).reach()) as web:
        driver = snom.recognise(target_of(fake), web, Front(web))
        driver.login()
        driver.read()
        for place in (Place("nat_traversal", 1), Place("local_port", 2), Place("rport", 2)):
            refuse(Unsupported, lambda place=place: driver.check({place: None}))
        refuse(Unsupported, lambda: driver.check({Place("random_port"): True, Place("local_port", 1): 5062}))
