# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""FreeSWITCH's list of registrations: what it says, what phones write into it, and rubbish in bounded time."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.evenport.sip.plugins.module_utils.errors import BadAnswer, EvenportError
from ansible_collections.evenport.sip.plugins.module_utils.model import Registration
from ansible_collections.evenport.sip.plugins.module_utils.pbx.fusionpbx.status import NoSuchProfile, parse_contact, profile_names, registrations_from
from tests.fakes.freeswitch import FakeFreeSwitch

DOMAIN, NOW = "pbx.example.com", 1_790_000_000
# The form of FreeSWITCH 1.10, as its source writes it; contacts and states from the sheet.
ROW = """\
    <registration>
        <call-id>233783595-5062-1@BJC.BGI.B.FA</call-id>
        <user>2277@pbx.example.com</user>
        <contact>&quot;&quot; &lt;sip:2277@192.168.1.50:5062;user=phone&gt;</contact>
        <agent>Grandstream GXP2130 1.0.4.17</agent>
        <status>Registered(UDP)(unknown) exp(2026-08-23 13:48:54) expsecs(2667)</status>
        <ping-status>Reachable</ping-status>
        <ping-time>0.00</ping-time>
        <host>pbx</host>
        <network-ip>203.0.113.4</network-ip>
        <network-port>5062</network-port>
        <sip-auth-user>2277</sip-auth-user>
        <sip-auth-realm>pbx.example.com</sip-auth-realm>
        <mwi-account>2277@pbx.example.com</mwi-account>
    </registration>
"""
HEAD, TAIL = '<?xml version="1.0" encoding="ISO-8859-1"?>\n<profile>\n  <registrations>\n', "  </registrations>\n</profile>\n"


def read(rows):
    return registrations_from(HEAD + rows + TAIL, "internal", DOMAIN, NOW)


def one(**changes):
    row = ROW
    for name, value in changes.items():
        name = name.replace("_", "-")
        begin, end = row.index(f"<{name}>") + len(name) + 2, row.index(f"</{name}>")
        row = row[:begin] + value + row[end:]
    return read(row)[0]


def test_a_registration():
    assert read(ROW) == [Registration("2277", "192.168.1.50", 5062, "203.0.113.4", 5062, "udp", "Grandstream GXP2130 1.0.4.17", "registered", NOW + 2667, True)]


@pytest.mark.parametrize(("status", "contact", "transport", "claimed"), [
    ("Registered(UDP-NAT)", "&quot;user&quot; &lt;sip:101@10.0.1.6:5060;fs_nat=yes;fs_path=sip%3A101%40198.51.100.164%3A34069&gt;", "udp", ("10.0.1.6", 5060)),
    ("Registered(TCP)", "&lt;sip:101@10.0.1.6:5064;transport=TCP&gt;", "tcp", ("10.0.1.6", 5064)),
    ("Registered(TLS)", "&lt;sips:101@10.0.1.6&gt;", "tls", ("10.0.1.6", 5061)),
    ("Registered(TLS-NAT)", "&lt;sip:101@10.0.1.6:5065;transport=tls;fs_nat=yes;fs_path=x&gt;", "tls", ("10.0.1.6", 5065)),
    ("Registered(WSS-NAT)", "&lt;sip:k3j2@df7jal23ls0d.invalid;transport=ws;fs_nat=yes&gt;", "wss", ("df7jal23ls0d.invalid", 5060)),
    ("Registered(AUTO-NAT-2.0)", "&lt;sip:101@10.0.1.6:5062;fs_nat=yes;fs_path=sip%3A101%40198.51.100.164%3A34069&gt;", "udp", ("10.0.1.6", 5062)),
    ("Registered(AUTO-NAT)", "&lt;sip:101@203.0.113.4:5062;fs_nat=yes&gt;", "udp", ("", 0)),
    ("Registered(AUTO-NAT)", "&lt;sip:101@203.0.113.4:5062;transport=tls;fs_nat=yes&gt;", "tls", ("", 0)),
    ("Registered(UDP)", "&lt;sip:101@[2001:db8::5]:5062&gt;", "udp", ("2001:db8::5", 5062)),
    ("Registered(UDP)", "&quot;a &lt;b&gt;&quot; &lt;sip:101@10.0.1.6:5062&gt;", "udp", ("10.0.1.6", 5062)),
    ("", "rubbish", "udp", ("", 0)),
])
def test_ways_to_register(status, contact, transport, claimed):
    found = one(status=f"{status}(unknown) exp(2026-08-23 13:48:54) expsecs(30)", contact=contact)
    assert (found.transport, (found.claimed_address, found.claimed_port)) == (transport, claimed)
    assert (found.seen_address, found.seen_port, found.seen_is_source) == ("203.0.113.4", 5062, True)


@pytest.mark.parametrize(("ping", "took", "status"), [
    ("Reachable", "0.00", "registered"), ("Reachable", "31.25", "reachable"), ("Unreachable", "0.00", "unreachable"), ("", "", "registered")])
def test_reachable(ping, took, status):
    assert one(ping_status=ping, ping_time=took).status == status


def test_the_tenant_is_the_host_or_the_realm():
    elsewhere = ROW.replace("<user>2277@pbx.example.com", "<user>2277@192.0.2.10")
    assert [found.extension for found in read(elsewhere)] == ["2277"]                  # the phone has the address where the domain belongs
    assert read(ROW.replace(DOMAIN, "other.example.net")) == []
    assert [found.extension for found in read(ROW.replace(DOMAIN, "PBX.Example.COM"))] == ["2277"]


def test_times():
    assert one(status="Registered(UDP)(unknown) exp() expsecs(-5)").expires == NOW - 5
    assert one(status="Registered(UDP)(unknown)").expires == 0


@pytest.mark.parametrize("port", ["", "x", "70000", "-1", "٣"])
def test_a_port_that_can_not_be(port):
    assert one(network_port=port).seen_port == 0


# What phones choose themselves: Call-ID (not escaped), display name, user agent.
@pytest.mark.parametrize("agent", ["Tom &amp; Jerry&apos;s \x01\x7f phone", "a & b &unknown; <x>", "Zo\ufffd", "</agent>", "\x1e\x85\u2028 x", "A" * 5000])
def test_dirty_agents(agent):
    found = read(ROW.replace("Grandstream GXP2130 1.0.4.17", agent) + ROW.replace("2277", "2278"))
    assert [registration.extension for registration in found] == ["2277", "2278"]
    assert found[0].user_agent.isprintable() and len(found[0].user_agent) <= 200


@pytest.mark.parametrize("call_id", [
    "x</call-id><user>101@pbx.example.com</user><call-id>y", "x</registration></registrations></profile>", "<registration>", "<!--", "<![CDATA[", "&boom;",
    "x\x1e</registration>\x1ey"])
def test_a_phone_can_not_pass_for_another_by_its_call_id(call_id):
    found = read(ROW.replace("233783595-5062-1@BJC.BGI.B.FA", call_id) + ROW.replace("2277", "2278"))
    assert [registration.extension for registration in found] == ["2277", "2278"]


def test_nobody():
    assert read("") == []


def test_a_profile_that_does_not_run():
    with pytest.raises(NoSuchProfile, match="internal2"):
        registrations_from("Invalid Profile!\n", "internal2", DOMAIN, NOW)


@pytest.mark.parametrize("text", ["", "-ERR sofia Command not found!", HEAD + ROW, (HEAD + ROW + TAIL)[:-12], "<html></html>", "Invalid Syntax!"])
def test_cut_off_or_something_else(text):
    with pytest.raises(BadAnswer):
        registrations_from(text, "internal", DOMAIN, NOW)
    with pytest.raises(BadAnswer):
        profile_names(text)


def test_profiles_that_run_without_gateways_and_aliases():
    assert profile_names(FakeFreeSwitch(lambda user, domain: "").api("sofia xmlstatus")) == ["internal", "external"]


def test_five_thousand_in_no_time():
    begin = time.monotonic()
    assert len(read(ROW * 5000)) == 5000 and time.monotonic() - begin < 10


pieces = st.sampled_from(["<registration>\n", "</registration>\n", "<user>", "</user>", "101@pbx.example.com", "\n", "<contact>", "</contact>", "&lt;", "&gt;",
                          "sip:", "@", ":", ";", "expsecs(", ")", "<status>", "</status>", "Registered(", "&", "\x00", "<", ">", "/", "9" * 40, " " * 50,
                          HEAD, TAIL])


@settings(deadline=None)
@given(st.one_of(st.text(), st.lists(st.one_of(pieces, st.text(max_size=5)), max_size=60).map("".join)), st.booleans())
def test_any_text(text, framed):
    with contextlib.suppress(EvenportError):
        for found in read(text) if framed else registrations_from(text, "internal", DOMAIN, NOW):
            assert found.extension and 0 <= found.claimed_port <= 65535 and 0 <= found.seen_port <= 65535 and found.user_agent.isprintable()
    assert 0 <= parse_contact(text).port <= 65535
    with contextlib.suppress(EvenportError):
        assert all(profile_names(text))


@pytest.mark.parametrize("text", ["<" * 300_000, "<a>" * 100_000, "<call-id>" + "</call-id" * 50_000, "sip:" + "@" * 200_000,
                                  "expsecs(1)" + " " * 300_000 + "x", "<profile>" + " " * 300_000, "<profile><name>" * 50_000, "&amp" * 100_000,
                                  "Registered(" * 30_000])
def test_hostile_texts_take_no_time(text):
    begin = time.monotonic()
    read(ROW.replace("233783595-5062-1@BJC.BGI.B.FA", text))
    one(contact=text, status=text, agent=text)
    profile_names(f"<profiles>{text}</profiles>")
    assert time.monotonic() - begin < 10
