# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From registrations to an inventory that a person edits."""

from __future__ import annotations

import random
import re

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.evenport.sip.plugins.module_utils.model import Registration
from ansible_collections.evenport.sip.plugins.module_utils.pbx.starting_inventory import KnownPhone, extension_order, find_devices, second_of
from ansible_collections.evenport.sip.plugins.module_utils.pbx.starting_text import starting_text, summary

YEALINK, ZOIPER, SITE = "Yealink SIP-T46S 66.84.0.15", "Z 5.6.6 v2.10.20.5", "203.0.113.1"


def reg(extension, inside="192.168.1.11", port=5060, seen=SITE, seen_port=None, agent=YEALINK, **more):
    fields = {"status": "reachable", "expires": 1000, "seen_is_source": True}
    return Registration(extension, inside, port, seen, port if seen_port is None else seen_port, user_agent=agent, **{**fields, **more}).as_dict()


def find(*registrations, known=None, taken=(), endpoints=(), pbx="pbx1"):
    return find_devices({pbx: {"registrations": list(registrations), "endpoints": list(endpoints)}}, known, taken)


def groups(found):
    """The text read back: group -> host -> variables, and that nothing but groups is in it."""
    text = starting_text(found)
    data = yaml.safe_load(text) or {}
    assert all(set(group) <= {"vars", "hosts"} for group in data.values()) and all(len(line) <= 200 for line in text.splitlines())
    return {name: group["hosts"] for name, group in data.items()}


def test_one_group_for_each_router_one_host_for_each_phone():
    found = find(reg("102", "192.168.1.12", 5062), reg("101"), reg("201", "192.168.1.11", seen="198.51.100.7", agent="Fanvil X4 2.10.2.6887 0c383e07e16c"))
    assert groups(found) == {
        "site_198_51_100_7": {"phone-201": {
            "ansible_host": "192.168.1.11", "sip_extensions": ["201"], "sip_phone_brand": "fanvil", "sip_mac": "0C:38:3E:07:E1:6C"}},
        "site_203_0_113_1": {
            "phone-101": {"ansible_host": "192.168.1.11", "sip_extensions": ["101"], "sip_phone_brand": "yealink"},
            "phone-102": {"ansible_host": "192.168.1.12", "sip_extensions": ["102"], "sip_phone_brand": "yealink"}}}
    assert yaml.safe_load(starting_text(found))["site_203_0_113_1"]["vars"] == {"sip_site": "site_203_0_113_1", "sip_pbx": "pbx1"}
    assert "# Yealink SIP-T46S 66.84.0.15: 102 says 5062, seen at 203.0.113.1:5062" in starting_text(found)
    assert found.counts() == {"sites": 2, "phones": 3, "lines": 3, "softphones": 0, "unclear": 0, "further_lines": 0, "not_registered": 0, "known": 0}


def test_the_lines_of_one_phone_stand_in_the_order_of_their_ports():
    hosts = groups(find(reg("130", port=5064), reg("120", port=5062), reg("140", port=5060)))["site_203_0_113_1"]
    assert hosts == {"phone-140": {"ansible_host": "192.168.1.11", "sip_extensions": ["140", "120", "130"], "sip_phone_brand": "yealink"}}
    hosts = groups(find(reg("130"), reg("99"), reg("120")))["site_203_0_113_1"]
    assert hosts["phone-99"]["sip_extensions"] == ["99", "120", "130"]      # one port for all: by extension


def test_other_addresses_models_and_routers_are_other_phones():
    found = find(reg("101"), reg("102", "192.168.1.12"), reg("103", agent="Fanvil X4 2.1"), reg("104", seen="198.51.100.7"))
    assert sorted(device.extensions for device in found.devices) == [["101"], ["102"], ["103"], ["104"]]


def test_behind_a_sip_alg_the_claimed_address_is_the_routers_and_joins_nobody():
    found = find(reg("101", SITE, 5060), reg("102", SITE, 5062))
    hosts = groups(found)["site_203_0_113_1"]
    assert {name: "ansible_host" in host for name, host in hosts.items()} == {"phone-101": False, "phone-102": False}
    assert starting_text(found).count("LOOK: the PBX does not show the phone's own address") == 2


def test_an_old_contact_is_no_second_phone():
    found = find(reg("101", port=5060, expires=900), reg("101", port=5062), reg("101", "192.168.1.77", status="unreachable", expires=5000))
    assert [device.extensions for device in found.devices] == [["101"]] and found.devices[0].contacts[0].claimed_port == 5062


def test_a_softphone_stands_beside_its_phone_wherever_it_is():
    away = {"seen": "198.51.100.99", "agent": ZOIPER, "port": 51000}
    found = find(reg("4541", "192.168.1.12"), reg("4540r", "10.1.1.1", **away), reg("4540"), reg("4540", "10.1.1.2", **away))
    hosts = groups(found)["site_203_0_113_1"]
    assert list(hosts) == ["phone-4540", "softphone-4540", "softphone-4540r", "phone-4541"]
    assert hosts["softphone-4540r"] == {"sip_phone_kind": "softphone", "sip_extensions": ["4540r"]}
    assert "# Registered beside 4540." in starting_text(found) and found.counts()["softphones"] == 2
    alone = find(reg("300", "10.1.1.1", **away), reg("301", "10.1.1.2", **{**away, "seen": "198.51.100.98"}))
    assert list(groups(alone)) == ["softphones_pbx1"] and alone.counts()["sites"] == 0


def test_a_second_phone_of_an_extension_and_an_unknown_device_are_marked():
    text = starting_text(find(reg("101"), reg("101", "192.168.1.12", agent="Fanvil X4 2.1"), reg("102", "192.168.1.13", agent="Thing 1")))
    assert "LOOK: a second device of extension 101" in text and text.count("LOOK: is this a phone?") == 1
    assert "phone-101-pbx1:" in text


def test_private_addresses_and_addresses_that_prove_nothing():
    lan = find(reg("101", seen="192.168.1.11"), reg("102", "192.168.1.12", seen="192.168.1.12"), reg("103", "fd00:0:0:7::3", seen="fd00:0:0:7::3"))
    assert list(groups(lan)) == ["site_192_168_1_0", "site_fd00_0_0_7"] and "sip_nat_option: false" in starting_text(lan)
    blind = find(reg("101", seen="192.168.1.11", seen_is_source=False), reg("102", seen="192.168.1.11", seen_is_source=False), reg("103", "", 0, "", 0))
    assert list(groups(blind)) == ["site_unknown_pbx1"]
    assert "NAT option is off" in starting_text(blind) and "LOOK: are these lines of one phone?" in starting_text(blind)


def test_what_the_inventory_has_is_left_out():
    known = {"pbx1": {"101": KnownPhone("kitchen", "acme")}, "": {"102": KnownPhone("shop")}, "pbx2": {"103": KnownPhone("far")}}
    contacts = [reg("101", "192.168.1.2"), reg("102", "192.168.1.3"), reg("103", seen="198.51.100.7")]
    found = find(*contacts, known=known, taken={"kitchen", "phone-103"}, endpoints=["101", "104"])
    assert groups(found) == {"site_198_51_100_7": {
        "phone-103-pbx1": {"ansible_host": "192.168.1.11", "sip_extensions": ["103"], "sip_phone_brand": "yealink"}}}
    assert (found.known, found.idle) == (2, {"pbx1": ["104"]})
    nothing = find(reg("101"), known=known, endpoints=["101"])
    assert starting_text(nothing) == "" and nothing.counts()["phones"] == 0


def test_a_new_phone_at_a_known_sites_address_joins_that_site():
    """Else two sites would share one router, and their plans one range of ports."""
    known = {"pbx1": {"101": KnownPhone("kitchen", "acme")}}
    found = find(reg("101", "192.168.1.2"), reg("102", "192.168.1.3"), reg("101r", "10.0.0.1", seen="198.51.100.7", agent=ZOIPER), known=known)
    assert list(yaml.safe_load(starting_text(found))) == ["acme"]
    assert groups(found)["acme"]["phone-102"]["sip_pbx"] == "pbx1" and "softphone-101r" in groups(found)["acme"]
    known["pbx1"]["105"] = KnownPhone("x", "other")
    two = find(reg("101", "192.168.1.2"), reg("105", "192.168.1.5"), reg("102", "192.168.1.3"), known=known)
    assert list(groups(two)) == ["site_203_0_113_1"]


def test_a_further_line_of_a_known_phone_is_no_second_host():
    found = find(reg("101"), reg("105", port=5062), reg("102", "192.168.1.3"), known={"pbx1": {"101": KnownPhone("kitchen", "acme")}})
    assert list(groups(found)["acme"]) == ["phone-102"] and found.counts()["further_lines"] == 1
    assert "# LOOK: kitchen has further lines, add them to its sip_extensions: 105" in starting_text(found)


def test_who_is_not_registered_is_a_comment():
    found = find(reg("101"), endpoints=["101", *map(str, range(200, 300)), "trunk"])
    text = starting_text(found)
    assert "Extensions of pbx1 that nobody has registered" in text and "299, trunk" in text.replace("\n#   ", " ")
    assert list(groups(found)) == ["site_203_0_113_1"]


def test_transports_and_two_pbxs_behind_one_router():
    reads = {"pbx2": {"registrations": [reg("101", transport="tls", port=5061)]}, "pbx1": {"registrations": [reg("101", "192.168.1.12", transport="tcp")]}}
    found = find_devices(reads)
    hosts = groups(found)["site_203_0_113_1"]
    assert {name: (host["sip_pbx"], host["sip_phone_transport"]) for name, host in hosts.items()} == {
        "phone-101": ("pbx1", "tcp"), "phone-101-pbx2": ("pbx2", "tls")}
    assert "sip_pbx" not in yaml.safe_load(starting_text(found))["site_203_0_113_1"]["vars"]
    assert any("site_203_0_113_1: phone-101, phone-101-pbx2" in line for line in summary(found))


def test_what_a_ucm_shows_is_a_phone_and_its_app_a_softphone():
    contacts = [Registration("101", seen_address=seen, seen_port=5060, user_agent=agent, status="registered").as_dict()
                for seen, agent in ((SITE, "GRP2601"), ("198.51.100.7", "Wave"))]
    found = find(*contacts)
    hosts = groups(found)["site_203_0_113_1"]
    assert hosts == {"phone-101": {"sip_extensions": ["101"], "sip_phone_brand": "grandstream"},
                     "softphone-101": {"sip_phone_kind": "softphone", "sip_extensions": ["101"]}}
    assert "is this a phone" not in starting_text(found) and found.counts()["unclear"] == 0


def test_a_pbx_that_tells_no_ports_is_not_expected_to_tell_more_next_time():
    contacts = [Registration(name, status="registered").as_dict() for name in ("101", "102")]
    blind = starting_text(find_devices({"pbx1": {"registrations": contacts, "shows_ports": False}}))
    assert "tells who is registered, and no addresses, ports or user agents" in blind and "the PBX does not tell what this is" in blind
    assert "switch it on" not in blind and "run discover again" not in blind and "Its user agent is none that we know" not in blind
    shown = starting_text(find_devices({"pbx1": {"registrations": contacts}}))
    table = starting_text(find_devices({"pbx1": {"registrations": contacts, "live": False}}))
    assert "switch it on, remove this file, and run discover again" in shown
    assert "switch it on, export its table again, remove this file, and run discover again" in table
    assert all(len(line) <= 200 for line in (blind + shown + table).splitlines())


@pytest.mark.parametrize("address", ["fe80::1", "FE80::211:22ff:fe33:4455", "febf::1"])
def test_a_link_local_address_is_no_ansible_host(address):
    found = find(reg("101", address), reg("102", "2001:db8::2"))
    hosts = groups(found)["site_203_0_113_1"]
    assert "ansible_host" not in hosts["phone-101"] and hosts["phone-102"]["ansible_host"] == "2001:db8::2"
    assert starting_text(found).count(f"LOOK: its address {address} is link-local") == 1 and "own address. Add" not in starting_text(found)


def test_order_and_second_registrations():
    assert sorted(["101", "99", "4540r", "4541", "4540", "bob"], key=extension_order) == ["99", "101", "4540", "4540r", "4541", "bob"]
    assert [second_of(name) for name in ("4540r", "4540", "r4540", "4540-2", "45r40")] == ["4540", "", "", "", ""]


@pytest.mark.parametrize("name", ["{{ lookup('pipe', 'id') }}", "{% x %}", "10 1", "10\n1", "10\u20281", "10\ud8001", "", "\u202e101", "1" * 65])
def test_an_extension_that_ansible_would_run_or_no_file_can_hold_is_left_out_and_told(name):
    found = find(reg(name), reg("101", "192.168.1.12"))
    assert list(groups(found)["site_203_0_113_1"]) == ["phone-101"] and "LOOK: left out" in starting_text(found)
    starting_text(found).encode()


HOSTILE = st.one_of(
    st.text(max_size=60),
    st.sampled_from([
        "x\n  evil: {hosts: {}}", "{{ lookup('pipe', 'id') }}", "\r\nevil:\r\n", "a: b # c", "'\"", "!!python/object:x", "\x00\x1b[2J", "\u2028evil:", "&a *a",
        "y" * 5000, YEALINK, ZOIPER, "Fanvil X4 2.1 0c383e07e16c", "\ud800"]))
ADDRESS = st.one_of(st.text(max_size=12), st.sampled_from([
    "192.168.1.11", "192.168.1.12", SITE, "198.51.100.7", "2001:db8::1", "fe80::1", "fe80::1%{{ x }}", "phone.local", "", "10.0.0.1\nevil:"]))
PORT = st.sampled_from([0, 5060, 5062, 51000])
NAME = st.one_of(st.sampled_from(["101", "102", "103", "4540", "4540r", "null", "0x1F", "1e3", "yes", "a'b\"c", "<<", "&x", "~"]), st.text(max_size=10))
REGISTRATIONS = st.builds(
    reg, NAME, ADDRESS, PORT, ADDRESS, PORT, HOSTILE, transport=st.sampled_from(["udp", "tcp", "tls", "wss", "x\ny"]),
    status=st.sampled_from(["reachable", "unreachable", "registered"]), expires=st.integers(0, 3), seen_is_source=st.booleans())
ALLOWED = {"ansible_host", "sip_extensions", "sip_phone_kind", "sip_phone_brand", "sip_mac", "sip_phone_transport", "sip_pbx"}


@settings(max_examples=300, deadline=None)
@given(st.lists(REGISTRATIONS, max_size=10), st.lists(NAME, max_size=4), st.integers())
def test_no_device_can_break_out_of_a_comment_or_a_value_and_the_order_never_matters(registrations, endpoints, seed):
    found = find(*registrations, endpoints=endpoints)
    text = starting_text(found)
    shuffled = random.Random(seed).sample(registrations, len(registrations))
    assert text == starting_text(find(*shuffled, endpoints=endpoints))
    assert all(char == "\n" or char.isprintable() for char in text)
    text.encode()
    read = groups(found)
    assert [name for group in read.values() for name in group] == [device.name for device in found.devices]
    assert len({device.name for device in found.devices}) == len(found.devices)
    for group, hosts in read.items():
        assert re.fullmatch(r"(site|softphones)_[0-9A-Za-z_]+", group)
        for name, variables in hosts.items():
            assert re.fullmatch(r"(soft)?phone-[0-9A-Za-z-]+", name) and set(variables) <= ALLOWED
            assert all(isinstance(extension, str) for extension in variables["sip_extensions"])
            assert not any(brace in str(value) for value in variables.values() for brace in "{}")
    lines = [extension for hosts in read.values() for host in hosts.values() for extension in host["sip_extensions"]]
    bad = found.unusable.get("pbx1", [])
    assert set(lines) == {one["extension"] for one in registrations} - set(bad)
