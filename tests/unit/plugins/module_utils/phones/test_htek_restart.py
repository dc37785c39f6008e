# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A phone that restarts at each write, and how an Htek is recognised."""

from __future__ import annotations

import time

import pytest

from ansible_collections.evenport.sip.plugins.module_utils.errors import DeviceError, NotApplied, PermissionMissing, Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.phones import work
from ansible_collections.evenport.sip.plugins.module_utils.phones.target import Target
from ansible_collections.evenport.sip.plugins.module_utils.phones.work import inspect_phone
from tests.fakes.htek import FakeHtek
from tests.fakes.web import FakeWebServer, Reply
from tests.unit.plugins.module_utils.phones.contract_suite import refuse
from tests.unit.plugins.module_utils.phones.htek_visits import (
    configure,
    driver,
    target,
)

# ---------------------------------------------------------------------- the restart that follows each write


def test_read_back_waits_for_the_restart():
    with FakeHtek("basic", faults={"slow_reboot": 1.0}) as fake:
        result = configure(fake)
        assert result["applied"] == "rebooted" and (fake.writes, fake.reboots) == (1, 1)
        upload = fake.log.index("POST /HLCFG_XML_configuration.htm")
        assert fake.log[-1] == "GET /download_xml_cfg" and "GET /index.htm" in fake.log[upload:-1]
        assert "GET /download_xml_cfg" not in fake.log[upload:-1]


def test_in_order_means_no_upload_and_no_restart():
    with FakeHtek("basic", accounts=[{"user": "101", "port": 5074, "random": False}]) as fake:
        assert configure(fake)["changed"] is False
        assert (fake.writes, fake.reboots) == (0, 0) and not any(line.startswith("POST") for line in fake.log)


def test_a_page_instead_of_a_restart_is_no_success():
    with FakeHtek("basic", faults={"refused": True}) as fake:
        error = refuse(NotApplied, lambda: configure(fake))
        assert error.wrote and "As they were" not in str(error) and "as they were" in str(error) and (fake.writes, fake.reboots) == (0, 0)
        assert sum("POST" in line for line in fake.log) == 1


def test_forbidden_is_no_write():
    with FakeHtek("basic", faults={"forbidden": True}) as fake:
        error = refuse(PermissionMissing, lambda: configure(fake))
        assert not error.wrote and fake.writes == 0
        assert error.what == f"kitchen: POST /HLCFG_XML_configuration.htm of {fake.url} is forbidden to 'admin'."


def test_a_phone_that_does_not_come_back_from_its_write_is_left_alone():
    with FakeHtek("basic", faults={"slow_reboot": 30}) as fake:
        error = refuse(DeviceError, lambda: configure(fake, reboot_timeout=2.0))
        assert error.wrote and "did not come back" in str(error) and "it had local_port of line 1 None" in str(error)
        assert (fake.writes, fake.reboots) == (1, 1)


def test_a_phone_that_takes_the_settings_but_does_not_restart_is_no_success():
    with FakeHtek("basic", faults={"ignore_reboot": True}) as fake:
        error = refuse(DeviceError, lambda: configure(fake, reboot_timeout=2.0))
        assert error.wrote and "did not come back" in str(error) and fake.writes == 1


def test_a_write_that_needs_longer_than_it_usually_takes_to_go_down(monkeypatch):
    """The look in between finds the new settings before the restart: it is waited for all the same."""
    monkeypatch.setattr(work, "_REBOOT_STARTS", 0.3)

    class Late(FakeHtek):
        def _restart(self):
            time.sleep(1.0)
            super()._restart()

    with Late("basic") as fake:
        assert configure(fake)["applied"] == "rebooted" and fake.effective == {1: 5074} and fake.writes == 1


def test_half_an_effect_costs_one_more_restart_and_no_third():
    with FakeHtek("basic", faults={"silent_success": ["P40"]}) as fake:
        values = dict(fake.values)
        error = refuse(NotApplied, lambda: configure(fake))
        assert "put back" in str(error) and (fake.writes, fake.reboots) == (2, 2) and fake.values == values


@pytest.mark.parametrize("faults", [{}, {"no_up_time": True}, {"drop_on_reboot": True}, {"no_up_time": True, "drop_on_write": True}])
def test_a_restart_is_seen_by_the_up_time_or_by_its_silence(faults):
    with FakeHtek("basic", faults=faults) as fake:
        assert configure(fake)["applied"] == "rebooted" and fake.effective == {1: 5074}


def test_a_busy_phone_that_misses_a_question_has_not_restarted():
    with FakeHtek("basic") as fake:
        one = driver(fake)
        one._restarting()
        fake.faults["drop"] = "index"
        assert not one.restarted()
        del fake.faults["drop"]
        assert not one.restarted()                      # up for a week
        one._asked -= 700000
        assert one.restarted()                          # asked for before that week


@pytest.mark.parametrize(("faults", "asked"), [
    ({}, ["GET /rb_phone.htm"]), ({"no_reboot_page": True}, ["GET /rb_phone.htm", "GET /Phone_ActionURL&key=Reboot"]),
    ({"drop_on_reboot": True}, ["GET /rb_phone.htm"])])
def test_reboot_asks_once(faults, asked):
    with FakeHtek("digest", faults=faults) as fake:
        one = driver(fake)
        fake.log.clear()
        one.reboot()
        assert fake.reboots == 1 and fake.log == asked


def test_a_phone_without_a_page_that_restarts_it():
    class Old(FakeHtek):
        def _reboot(self, request):
            return Reply(404)

    with Old("basic") as fake:
        refuse(DeviceError, driver(fake).reboot)


# ---------------------------------------------------------------------- recognising


class Page(FakeWebServer):
    def __init__(self, reply):
        super().__init__()
        self.reply, self.logins = reply, 0

    def handle(self, request):
        self.logins += "authorization" in request.headers
        return self.reply if request.path == "/" else Reply(404)


@pytest.mark.parametrize("reply", [
    Reply(200, b"<title>IP Phone</title>"),
    Reply(401, headers=[("WWW-Authenticate", 'Basic realm="snom"')]),
    Reply(401, headers=[("WWW-Authenticate", 'Basic realm="Gigabit Color IP Phone SIP-T46G"')]),
    Reply(401, headers=[("WWW-Authenticate", 'Basic realm="My IP Phone"')]),
    Reply(401, b'realm="IP Phone"', headers=[("WWW-Authenticate", 'Digest realm="spa user", nonce="x"')]),
], ids=range(5))
def test_a_stranger_gets_no_password(reply):
    with Page(reply) as fake:
        refuse(Unsupported, lambda: inspect_phone(Target("kitchen", "127.0.0.1", port=fake.port, protocol="http", password="secret", brand="htek")))
        assert fake.logins == 0 and fake.log == ["GET /"]


@pytest.mark.parametrize("brand", ["auto", "htek", "north_american_telecom"])
@pytest.mark.parametrize("kind", ["basic", "digest"])
def test_a_rebrand_is_found_by_its_protocol(kind, brand):
    with FakeHtek(kind, title="North American Telecom", server="") as fake:
        assert inspect_phone(target(fake, brand=brand))["identity"]["brand"] == "htek"


def test_nothing_is_crawled():
    """There are addresses that restart or reset it at once."""
    with FakeHtek("basic") as fake:
        configure(fake)
        assert {line.partition(" ")[2] for line in fake.log} == {"/", "/index.htm", "/download_xml_cfg", "/HLCFG_XML_configuration.htm"}
