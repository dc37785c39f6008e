# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Contact URIs and Via values: what phones and Asterisk really write, and what they might."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.ami import parse_packet
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.pjsip import ContactUri, extension_from, parse_uri, parse_via, registration_from

TEXT = st.text(st.characters(codec="utf-8"), max_size=200)


@pytest.mark.parametrize(("text", "expected"), [
    ("sip:6001@127.0.0.2:41777;x-ast-orig-host=192.168.1.50:5062", ContactUri("127.0.0.2", 41777, "udp", True)),
    ("sip:6001@127.0.0.2:5088", ContactUri("127.0.0.2", 5088)),                                        # same host: nothing kept
    ("sip:101-0x5555764d0850@203.0.113.1:5060", ContactUri("203.0.113.1", 5060)),
    ("sip:101@203.0.113.1:44296;transport=TCP;x-ast-orig-host=192.168.1.101:5060", ContactUri("203.0.113.1", 44296, "tcp", True)),
    ("sips:101@203.0.113.1", ContactUri("203.0.113.1", 5061, "tls")),
    ("sip:101@203.0.113.1", ContactUri("203.0.113.1", 5060)),
    ("sip:101@[2001:db8::5]:5064;transport=TLS", ContactUri("2001:db8::5", 5064, "tls")),
    ("sip:101@[2001:db8::5]:5064;x-ast-orig-host=[fd00::1]:5062", ContactUri("2001:db8::5", 5064, "udp", True)),
    ("sip:203.0.113.1:5060", ContactUri("203.0.113.1", 5060)),                                         # without a user
    ("sip:bob@corp@203.0.113.1:5062", ContactUri("203.0.113.1", 5062)),
    ("sip:101;phone-context=x@203.0.113.1:5062;ob", ContactUri("203.0.113.1", 5062)),
    ("sip:%23101:secret@203.0.113.1:5062", ContactUri("203.0.113.1", 5062)),
    ("sip:101@203.0.113.1:5062;line=abc@x;x-ast-txp=tls", ContactUri("203.0.113.1", 5062)),
    ("<sip:101@phone.example.com:5070>", ContactUri("phone.example.com", 5070)),
    ("sip:101@203.0.113.1:5062?X-Header=a", ContactUri("203.0.113.1", 5062)),
    ("SIP:101@203.0.113.1:99999", ContactUri("203.0.113.1", 5060)),
    ("tel:+4930123", ContactUri()), ("", ContactUri()), ("sip:", ContactUri()), ("nonsense", ContactUri()), ("sip:@", ContactUri()),
])
def test_uri(text, expected):
    assert parse_uri(text) == expected


@pytest.mark.parametrize(("text", "expected"), [
    ("192.168.1.50:5062", ("192.168.1.50", 5062)), ("192.168.1.50", ("192.168.1.50", 5060)), ("", ("", 0)),
    ("[2001:db8::5]:5062", ("2001:db8::5", 5062)), ("[2001:db8::5]", ("2001:db8::5", 5060)), ("2001:db8::5:5062", ("2001:db8::5", 5062)),
    ("2001:db8:1:2:3:4:5:6", ("2001:db8:1:2:3:4:5:6", 5060)), ("fe80::a", ("fe80::a", 5060)), ("phone.local:5070", ("phone.local", 5070)),
])
def test_via(text, expected):
    assert parse_via(text) == expected


def test_a_tls_via_without_port_is_5061():
    assert parse_via("192.168.1.50", "tls") == ("192.168.1.50", 5061)


def test_same_host_is_known_as_source_only_where_the_option_is():
    event = {"endpointname": "6001", "uri": "sip:6001@127.0.0.2:5088", "viaaddress": "127.0.0.2:5062", "status": "Reachable"}
    plain, sure = registration_from(event), registration_from(event, frozenset({"6001"}))
    assert (plain.claimed_port, plain.seen_port, plain.seen_is_source, sure.seen_is_source) == (5062, 5088, False, True)


def test_a_static_contact_is_no_registration():
    assert registration_from({"endpoint": "900", "uri": "sip:203.0.113.9:5060", "viaaddr": "", "viaport": "0", "expirationtime": "0"}) is None


def test_a_user_agent_can_not_spoil_a_report():
    found = registration_from({"aor": "101", "uri": "sip:1@1.2.3.4:5", "viaaddress": "1.2.3.4:5", "useragent": "\x1b[31mred\x07" + "x" * 999})
    assert found.user_agent.startswith("?[31mred?x") and len(found.user_agent) == 200


def test_nat_options_an_old_asterisk_does_not_have():
    found = extension_from({"objectname": "101", "rewritecontact": "yes", "forcerport": "maybe"})
    assert (found.rewrite_contact, found.force_rport, found.direct_media) == (True, None, None)


@given(TEXT)
def test_no_uri_breaks_the_parser(text):
    for uri in (text, f"sip:{text}", f"sip:a@{text}"):
        found = parse_uri(uri)
        assert 0 <= found.port <= 65535
    assert 0 <= parse_via(text)[1] <= 65535


@given(st.text("abc123;=@:%+.-_", max_size=20), st.ip_addresses(), st.integers(1, 65535),
       st.sampled_from(["", ";ob", ";transport=UDP", ";x-ast-orig-host=10.0.0.1:5060;q=1"]))
def test_whatever_the_user_part_the_address_is_found(user, address, port, rest):
    host = f"[{address}]" if address.version == 6 else str(address)
    if "@" in user:
        user = user.replace("@", "%40")
    found = parse_uri(f"sip:{user}@{host}:{port}{rest}")
    assert (found.host, found.port) == (str(address), port)


@given(st.lists(TEXT, max_size=10))
def test_no_packet_breaks_the_parsers(lines):
    packet = parse_packet(lines)
    registration_from(packet)
    extension_from(packet)


@given(st.dictionaries(st.sampled_from(["uri", "aor", "endpointname", "viaaddress", "viaaddr", "viaport", "regexpire", "status", "useragent"]), TEXT))
def test_no_contact_breaks_the_parser(event):
    found = registration_from(event)
    assert found is None or (0 <= found.claimed_port <= 65535 and 0 <= found.seen_port <= 65535 and found.expires >= 0)
