# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small fleet: two sites with a PBX each in one run, and what one of them meets without the other noticing."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
import yaml
from ansible.plugins.connection import local

from tests.fakes.demo import copy_inventory
from tests.fakes.grandstream import FakeGrandstream
from tests.fakes.site import DemoSite
from tests.fakes.tls import self_signed
from tests.integration.conftest import Rollout, loopback_net

NORTH = {"north-1": 5060, "north-2": 5062, "north-3": 5064}
SOUTH = {"south-1": 5060, "south-2": 5062, "south-3": 5064}

# A connection that is not "local" but leads to this machine: what a box inside the site is to the controller. A copy under another name.
BOX = Path(local.__file__).read_text(encoding="utf-8").replace("name: local", "name: site_box").replace("transport = 'local'", "transport = 'site_box'")


class Fleet(Rollout):
    """Two demo sites of three phones, each with its own PBX, in one inventory."""

    def __init__(self, folder: Path) -> None:
        self.inventory = folder / "inventory"
        self.report_file = folder / "report.json"
        self.hosts: dict[str, dict] = {}            # group -> host -> variables; run() writes it
        self.group_vars: dict[str, dict] = {}
        self.sites: dict[str, DemoSite] = {}
        self.phones: dict[str, FakeGrandstream] = {}
        self.pbxs: dict = {}
        for name, planned in (("north", NORTH), ("south", SOUTH)):
            self._add(name, planned, copy_inventory(folder / name, loopback_net()))

    def _add(self, name, planned, place):
        """A site whose fakes live in a folder of their own; its part of the fleet's inventory."""
        given = yaml.safe_load((place / "hosts.yml").read_text())
        phones = dict(zip(planned, given["demo_site"]["hosts"].values(), strict=False))
        (place / "hosts.yml").write_text(yaml.safe_dump({"demo_pbxs": given["demo_pbxs"], "demo_site": {"hosts": phones}}))
        self.sites[name] = DemoSite(place)
        pbx = {**given["demo_pbxs"]["hosts"]["demo-pbx"], "sip_pbx_config_dir": str(place / ".sip/asterisk")}
        self.hosts[f"{name}_pbxs"] = {f"{name}-pbx": pbx}
        self.hosts[name] = {phone: dict(variables) for phone, variables in phones.items()}
        shared = yaml.safe_load((place / "group_vars/demo_site/main.yml").read_text())
        self.group_vars[name] = {**shared, "sip_site": name, "sip_pbx": f"{name}-pbx", "sip_ports": {phone: [port] for phone, port in planned.items()}}

    def __enter__(self):
        for name, site in self.sites.items():
            site.start()
            self.phones |= site.phones
            self.pbxs[name] = site.pbx
        return self

    def __exit__(self, *_exc):
        for site in self.sites.values():
            site.stop()

    def hold(self, ports):
        """Phones that are in order already but for their port."""
        for name, port in ports.items():
            phone = self.phones[name]
            phone.set(1, "sip.localPort", str(port))
            phone.set(1, "network.natTraversal", "2")
            if phone.generation == "G2":
                phone.values["P131"] = "1"      # rport
            phone.apply()

    def secure(self, name):
        """Put an https phone in the place of this one."""
        old, tls = self.phones[name], self_signed()
        old.stop()
        self.host(name)["sip_phone_protocol"] = "https"
        site = next(site for site in self.sites.values() if name in site.phones)
        self.phones[name] = site.phones[name] = FakeGrandstream(
            generation=old.generation, model=old.model, mac=old.mac, password=old.password, address=old.address, port=old.port, tls=tls,
            on_register=old.on_register).start()
        return tls.fingerprint

    def host(self, name):
        return next(hosts[name] for hosts in self.hosts.values() if name in hosts)

    def run(self, playbook, *options, **environment):
        for group, variables in self.group_vars.items():
            folder = self.inventory / "group_vars" / group
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "main.yml").write_text(json.dumps(variables))
        (self.inventory / "hosts.yml").write_text(json.dumps({group: {"hosts": hosts} for group, hosts in self.hosts.items()}))
        return super().run(playbook, *options, **environment)


@pytest.fixture
def fleet(tmp_path):
    with Fleet(tmp_path) as fleet:
        yield fleet


def test_two_sites_with_the_same_ports_in_one_run(fleet):
    first = fleet.run("site")
    assert not first.failed, first.out
    assert fleet.ports() == NORTH | SOUTH
    assert [pbx.reloads for pbx in fleet.pbxs.values()] == [1, 1]
    assert set(fleet.verdicts().values()) == {"ok"}
    second = fleet.run("site")
    assert (second.failed, second.changed) == (False, 0), second.out
    assert set(fleet.totals("writes").values()) == {1}


def test_a_pbx_that_refuses_the_login_stops_its_own_site_only(fleet):
    fleet.pbxs["north"].faults["refuse_login"] = True
    result = fleet.run("site")
    assert fleet.ports() == dict.fromkeys(NORTH, 5060) | SOUTH, result.out
    assert {name: fleet.phones[name].writes for name in NORTH} == dict.fromkeys(NORTH, 0)
    assert {name: result.recap(name).get("unreachable", 0) for name in NORTH | SOUTH} == dict.fromkeys(NORTH, 1) | dict.fromkeys(SOUTH, 0)
    assert "its PBX north-pbx failed first" in result.words
    assert fleet.totals("logouts") == dict.fromkeys(NORTH | SOUTH, 1), "sessions that nobody used are ended"


def test_a_site_whose_lock_is_broken_does_not_stop_the_other(fleet):
    fleet.group_vars["north"]["sip_ports"]["north-2"] = [5060]
    result = fleet.run("site")
    assert fleet.ports() == dict.fromkeys(NORTH, 5060) | SOUTH, result.out
    assert {name: fleet.phones[name].requests for name in NORTH} == dict.fromkeys(NORTH, 0)
    assert [pbx.reloads for pbx in fleet.pbxs.values()] == [0, 1]
    assert {name: result.recap(name).get("failed", 0) for name in NORTH | SOUTH} == dict.fromkeys(NORTH, 1) | dict.fromkeys(SOUTH, 0)


def test_what_is_wrong_with_one_phones_variables_is_that_phones_trouble(fleet):
    wrong = {
        "north-1": {"sip_phone_password": "{{ vault_of_nobody }}"}, "north-2": {"sip_extensions": ["{{ extension_of_nobody }}"]},
        "north-3": {"sip_extensions": ["999"]}, "south-1": {"sip_pbx": "sout-pbx"}, "south-2": {"sip_phone_password": ""},
    }
    for name, variables in wrong.items():
        fleet.host(name).update(variables)
    result = fleet.run("site")
    assert fleet.ports() == {**dict.fromkeys(NORTH | SOUTH, 5060), "south-3": 5064}, result.out
    recaps = {name: result.recap(name) for name in NORTH | SOUTH}
    assert {name: recap["failed"] + recap["unreachable"] for name, recap in recaps.items()} == {**dict.fromkeys(wrong, 1), "south-3": 0}
    for words in ("vault_of_nobody", "extension_of_nobody", "knows no extension 999", "sout-pbx", "south/south-2 has no sip_phone_password"):
        assert words in result.words, words
    assert {name: fleet.phones[name].login_attempts for name in ("north-1", "north-2", "south-2")} == {"north-1": 0, "north-2": 0, "south-2": 0}


def test_phones_that_a_box_in_the_site_works_for(fleet, tmp_path):
    (tmp_path / "connections").mkdir()
    (tmp_path / "connections/site_box.py").write_text(BOX)
    fleet.hosts["boxes"] = {"box": {"ansible_connection": "site_box", "ansible_python_interpreter": sys.executable}}
    fleet.group_vars["north"]["sip_site_runner"] = "box"
    plugins = {"ANSIBLE_CONNECTION_PLUGINS": str(tmp_path / "connections")}
    first = fleet.run("site", "-vvv", **plugins)
    assert not first.failed, first.out
    assert fleet.ports() == NORTH | SOUTH
    assert "AnsiballZ_phone.py" in first.out
    assert set(fleet.verdicts().values()) == {"ok"}
    assert fleet.totals("login_attempts") == fleet.totals("logouts") == dict.fromkeys(NORTH | SOUTH, 1)
    second = fleet.run("site", **plugins)
    assert (second.failed, second.changed) == (False, 0), second.out
    assert set(fleet.totals("writes").values()) == {1}
    assert set(fleet.totals("reboots").values()) == {0}


def test_a_router_that_takes_ports_of_its_own_is_one_finding_and_nothing_is_pushed_again(tmp_path):
    fleet = Fleet(tmp_path)
    fleet.sites["south"].router.mode = "random"
    with fleet:
        first = fleet.run("site")
        assert not first.failed, first.out
        assert fleet.ports() == NORTH | SOUTH
        second = fleet.run("site")
        assert (second.failed, second.changed) == (False, 0), second.out
        assert set(fleet.totals("writes").values()) == {1}
        audit = fleet.run("audit")
        assert not audit.failed, audit.out
        assert [(f["code"], f["site"], len(f["lines"])) for f in fleet.findings if f["severity"] == "error"] == [("router_translated", "south", 3)]
        assert audit.words.count("the router rewrites the ports") == 1


def test_https_phones_are_reached_by_the_pin_of_their_certificate(fleet):
    pins = {name: fleet.secure(name) for name in [*NORTH, "south-1"]}
    fleet.host("north-1")["sip_phone_fingerprint"] = f"sha256:{pins['north-1']}"
    fleet.host("north-2")["sip_phone_fingerprint"] = f"sha256:{'0' * 64}"       # it has a new certificate since
    fleet.host("south-1")["sip_phone_validate_certs"] = "no"                    # a text, as an ini inventory or -e gives it
    result = fleet.run("site")
    assert fleet.ports() == {**NORTH, **SOUTH, "north-2": 5060, "north-3": 5060}, result.out
    assert {name: fleet.phones[name].login_attempts for name in pins} == {"north-1": 1, "north-2": 0, "north-3": 0, "south-1": 1}
    told = {f["phone"]: f["text"] + f["remedy"] for f in fleet.findings if f["code"] == "certificate_refused"}
    assert {name: re.findall(r"sip_phone_fingerprint: sha256:([0-9a-f]{64})", text) for name, text in told.items()} == {
        name: [pins[name]] for name in ("north-2", "north-3")}


def test_phones_with_random_ports_get_their_own_and_keep_it(fleet):
    for name in NORTH:
        fleet.phones[name].values["P78"] = "1"
        fleet.phones[name].apply(everything=True)
    assert all(port >= 32768 for name, port in fleet.ports().items() if name in NORTH)
    result = fleet.run("site")
    assert not result.failed, result.out
    assert fleet.ports() == NORTH | SOUTH
    second = fleet.run("site")
    assert (second.failed, second.changed) == (False, 0), second.out


def test_a_phone_stays_where_it_is_if_the_one_that_holds_its_port_could_not_leave(fleet):
    fleet.hold(NORTH)
    fleet.group_vars["north"]["sip_ports"] = {"north-1": [5062], "north-2": [5064], "north-3": [5066]}
    fleet.phones["north-3"].faults["silent_success"] = True
    result = fleet.run("site", "--limit", "north", "-e", "sip_canaries=0")
    assert {name: port for name, port in fleet.ports().items() if name in NORTH} == NORTH, result.out
    assert (fleet.phones["north-1"].writes, fleet.phones["north-2"].writes) == (0, 0)
    assert [result.recap(name)["failed"] for name in NORTH] == [1, 1, 1]
    assert "north/north-2 was left as it is: north-3 did not leave the port" in result.words
    assert fleet.totals("logouts") == dict.fromkeys(NORTH, 1) | dict.fromkeys(SOUTH, 0)


def test_what_the_first_phone_has_of_its_own_does_not_hide_the_defaults_of_the_others(fleet):
    fleet.hold(NORTH)
    fleet.host("north-1")["sip_phone_keep_alive_interval"] = 30
    fleet.phones["north-2"].values["P84"] = "60"
    result = fleet.run("site", "--limit", "north")          # without the PBX the first phone is the play's first host
    assert not result.failed, result.out
    assert [fleet.phones[name].values["P84"] for name in NORTH] == ["30", "20", "20"]
    assert [fleet.phones[name].writes for name in NORTH] == [1, 1, 0]


def test_a_pbx_that_falls_silent_in_the_middle_restarts_no_phone(fleet):
    phone, pbx = fleet.phones["north-3"], fleet.pbxs["north"]

    def moved(fake, account, port, register=phone.on_register):
        register(fake, account, port)
        pbx.faults["refuse_login"] = True
    phone.on_register = moved
    fleet.phones["south-3"].faults["busy"] = True
    result = fleet.run("site", "-e", "sip_phone_when_busy=skip")
    assert fleet.ports() == {**NORTH, **SOUTH, "north-3": 5060, "south-3": 5060}, result.out
    assert set(fleet.totals("reboots").values()) == {0}
    assert result.recap("north-3")["failed"] == 1 and "north-pbx could not be read" in result.words
    assert fleet.phones["south-3"].writes == 0 and not result.recap("south-3")["failed"]
    assert (fleet.inventory / ".sip/deferred.txt").read_text() == "south-3\n", "left alone during its call, and not forgotten"
