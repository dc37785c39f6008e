# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a Snom is recognised, what it refuses, and by which scheme."""

from __future__ import annotations

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
from tests.unit.plugins.module_utils.phones.contract_suite import PASSWORD, TWO_LINES, refuse, target_of
from tests.unit.plugins.module_utils.phones.snom_visits import (
    SHORT,
    WANTED,
    basic,
)

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
