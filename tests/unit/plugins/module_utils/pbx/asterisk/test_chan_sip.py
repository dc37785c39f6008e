# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""chan_sip: what a real Asterisk 16 answered goes through the driver over a real socket, and the file's dialect. tests/lab has the real one."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.evenport.sip.plugins.module_utils.errors import Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.model import Extension, Registration
from ansible_collections.evenport.sip.plugins.module_utils.pbx.access import Access
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.ami import parse_packet
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.chan_sip import ChanSip, extension_from, registration_from
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.include_file import CHAN_SIP, HEADER, Section, parse, render
from ansible_collections.evenport.sip.plugins.module_utils.pbx.contract import NAT_OPTIONS
from tests.fakes.ami_replay import Replay

DATA = Path(__file__).parents[4] / "data/ami"
SECRETS = ("pw101", "pw102", "pw103", "pw104", "pw105", "pw110")
ON = {"rewrite_contact": True, "force_rport": True, "rtp_symmetric": True, "direct_media": False}
NOW = 1_700_000_000
PEER = {"objectname": "101", "dynamic": "Y", "address-ip": "203.0.113.1", "address-port": "5062", "reg-contact": "sip:101@192.168.1.50:5062",
        "sip-forcerport": "N", "sip-comedia": "N", "sip-directmedia": "Y", "status": "Unmonitored", "regexpire": "310 seconds", "sip-useragent": "x"}


def opened(server):
    return ChanSip(Access("127.0.0.1", server.port, "ansible", "secret", timeout=5))


# -- what Asterisk 16.28 said -------------------------------------------------------------------------------------------------------------
def test_registrations():
    """101 with rport and 102 without it under nat=no, 103 without it under force_rport, 104 with auto; 105 and a trunk are no registrations."""
    with Replay(DATA / "ami-SIPpeers.txt") as server, opened(server) as pbx:
        found, now = pbx.registrations(), int(time.time())
    assert server.actions[2:-1] == ["SIPpeers", *["SIPshowpeer"] * 4]
    common = {"user_agent": "Test Phone 1.0", "status": "unknown"}              # qualify is on, nobody has answered yet
    assert [replace(one, expires=0) for one in found] == [
        Registration("101", "192.168.1.50", 5062, "127.0.0.2", 40595, **common, seen_is_source=True),
        Registration("102", "192.168.1.51", 5064, "192.168.1.51", 5064, **common, seen_is_source=False),
        Registration("103", "192.168.1.52", 5066, "127.0.0.2", 58380, **common, seen_is_source=True),
        Registration("104", "192.168.1.53", 5068, "127.0.0.2", 43634, **common, seen_is_source=True)]
    assert all(now + 290 < one.expires <= now + 310 for one in found)


def test_extensions():
    with Replay(DATA / "ami-SIPshowpeer.txt") as server, opened(server) as pbx:
        found = pbx.extensions(["101", "102", "103", "104", "105", "999"])
    assert found == [
        Extension("101", False, False, False, True, "Not in use", 0),
        Extension("102", False, False, False, False, "Not in use", 0),
        Extension("103", True, True, True, False, "In use", 1),                 # it rings
        Extension("104", None, None, None, True, "Not in use", 0),              # auto, and just now on: A
        Extension("105", None, None, False, True, "Unavailable", 0)]            # auto, and just now off: a
    assert not any(secret in repr(found) for secret in SECRETS)


def test_another_name_than_the_one_asked_for_is_nobody():
    with Replay(DATA / "ami-SIPshowpeer.txt") as server, opened(server) as pbx:
        assert pbx.extensions(["4540R"]) == []                                  # the answer is of 101


def test_nobody_is_registered():
    with Replay(DATA / "ami-SIPpeers-nobody.txt") as server, opened(server) as pbx:
        assert pbx.registrations() == [] and server.actions[-1] == "SIPpeers"   # the trunk has an address, and is nobody who registers
    with Replay(DATA / "ami-SIPpeers-nobody.txt") as server, opened(server) as pbx:
        assert pbx.endpoints() == ["101", "102", "103", "104", "105", "110"]


def test_chan_sip_is_not_loaded():
    with Replay(DATA / "ami-SIPpeers-not-loaded.txt") as server, opened(server) as pbx, pytest.raises(Unsupported, match=r"chan_sip\.so.*up to 20"):
        pbx.endpoints()


def test_whether_a_section_is_there_is_all_that_getconfig_tells():
    """Asterisk 16 says "Success" and "No categories found" for a section that isn't there."""
    with Replay(DATA / "ami-GetConfig-chan_sip.txt") as server, opened(server) as pbx:
        said = [pbx.has_section(*where) for where in (("sip.conf", "101"), ("sip.conf", "120"), ("sip.conf", "general"), ("sip2.conf", "120"))]
    assert said == [True, False, True, None]


# -- one peer -------------------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("contact", "address", "port", "known"), [
    ("sip:101@192.168.1.50:5062", "203.0.113.1", 5062, True),
    ("sip:101@192.168.1.50:5062", "192.168.1.50", 5063, True),
    ("sip:101@192.168.1.50:5062", "192.168.1.50", 5062, False),                 # the Contact, or a phone in the PBX's own network
    ("sip:101@192.168.1.50", "192.168.1.50", 5060, False),                      # 5060 is meant
    ("sip:101@[2001:db8:0::5]:5062", "2001:db8::5", 5062, False),
    ("sip:101@[2001:db8:0::5]:5062", "2001:db8::6", 5062, True),
    ("sip:101@phone.example:5062", "192.168.1.50", 5062, False),                # Asterisk has looked it up
    ("sip:101@phone.example:5062", "192.168.1.50", 5063, True),
    ("", "192.168.1.50", 5062, False),
])
def test_the_address_is_the_source_where_it_is_not_the_contact(contact, address, port, known):
    for nat in "NYAa":
        found = registration_from({**PEER, "sip-forcerport": nat, "reg-contact": contact, "address-ip": address, "address-port": str(port)}, NOW)
        assert (found.seen_is_source, found.seen_address, found.seen_port) == (known, address, port)


@pytest.mark.parametrize(("text", "status"), [
    ("OK (1 ms)", "reachable"), ("LAGGED (2100 ms)", "reachable"), ("UNREACHABLE", "unreachable"), ("Unmonitored", "nonqualified"), ("UNKNOWN", "unknown"),
    ("", "unknown"), ("?", "unknown")])
def test_status(text, status):
    assert registration_from({**PEER, "status": text}, NOW).status == status
    assert extension_from({**PEER, "status": text}, {}).device_state == ("Unavailable" if status == "unreachable" else "Not in use")


def test_transport_and_expiry():
    found = registration_from({**PEER, "reg-contact": "sip:101@192.168.1.50:5062;transport=TCP"}, NOW)
    assert (found.transport, found.expires) == ("tcp", NOW + 310)
    assert [registration_from({**PEER, "regexpire": text}, NOW).expires for text in ("-1 seconds", "", "9" * 400 + " seconds", "310")] == [0] * 4


@pytest.mark.parametrize("change", [{"address-ip": "(null)", "address-port": "0"}, {"address-port": "0"}, {"address-port": "99999"}, {"dynamic": "N"}])
def test_no_registration(change):
    assert registration_from({**PEER, **change}, NOW) is None


def test_the_device_state_is_told_by_calls_alone():
    assert [extension_from(PEER, calls).device_state for calls in (None, {}, {"102": 1}, {"101": 2})] == ["", "Not in use", "Not in use", "In use"]


FIELDS = st.dictionaries(st.sampled_from(sorted(PEER)), st.text(max_size=60) | st.sampled_from(["Y", "A", "(null)", "5062", "sip:@:", "sip:a@[::", "OK"]))


@given(FIELDS)
def test_no_field_breaks_the_reading_of_a_peer(fields):
    found, options = registration_from({**PEER, **fields}, NOW), extension_from({**PEER, **fields}, {})
    assert found is None or (0 < found.seen_port < 65536 and 0 <= found.claimed_port < 65536 and found.user_agent.isprintable())
    assert {getattr(options, name) for name in NAT_OPTIONS} <= {True, False, None}


@given(st.text(max_size=300))
def test_no_text_breaks_the_reading_of_a_peer(text):
    packet = parse_packet(text.split("\n"))
    assert registration_from(packet, NOW) is None or "address-ip" in packet
    assert extension_from(packet, None).device_state == ""


# -- the dialect of the owned file ----------------------------------------------------------------------------------------------------------
def test_render():
    text = render({"4540r": Section(ON, ("description=Bakery",)), "102": Section({**ON, "rtp_symmetric": False}),
                   "103": Section({**dict.fromkeys(ON, False), "direct_media": True})}, CHAN_SIP)
    assert text == HEADER + """
[102](+)
nat=no
nat=force_rport
directmedia=no

[103](+)
nat=no
directmedia=yes

[4540r](+)
nat=no
nat=force_rport,comedia
directmedia=no
description=Bakery
"""


OPTIONS = st.dictionaries(st.sampled_from(NAT_OPTIONS), st.booleans())
NAMES = st.text("0123456789abcXYZ_.-", min_size=1, max_size=8)


@given(st.dictionaries(NAMES, st.builds(Section, OPTIONS.map(CHAN_SIP.expected), st.sampled_from([(), ("callerid=Anna <101>",), ("a=b", "c => d")]))))
def test_what_was_rendered_is_read_back(sections):
    text = render(sections, CHAN_SIP)
    assert parse(text, CHAN_SIP) == sections and render(parse(text, CHAN_SIP), CHAN_SIP) == text


@given(OPTIONS)
def test_what_is_expected_can_be_expressed(options):
    expected = CHAN_SIP.expected(options)
    assert CHAN_SIP.expected(expected) == expected and CHAN_SIP.lines(options) == CHAN_SIP.lines(expected)
    assert {option: expected[option] for option in options if option != "rewrite_contact" or "force_rport" not in options}.items() <= options.items()


def test_rewrite_contact_follows_force_rport():
    assert CHAN_SIP.expected({**ON, "force_rport": False}) == {**ON, "rewrite_contact": False, "force_rport": False}
    assert CHAN_SIP.expected({**ON, "rewrite_contact": False}) == ON == CHAN_SIP.expected(ON)
    assert CHAN_SIP.expected({"direct_media": True}) == {"direct_media": True} and CHAN_SIP.lines({"direct_media": True}) == ["directmedia=yes"]


OFF = dict.fromkeys(("rewrite_contact", "force_rport", "rtp_symmetric"), False)
RPORT = {"rewrite_contact": True, "force_rport": True}


@pytest.mark.parametrize(("lines", "options"), [
    ("nat=no\nnat=force_rport,comedia", {**OFF, **RPORT, "rtp_symmetric": True}),
    ("nat=comedia", {"rtp_symmetric": True}),
    ("nat=comedia\nnat=force_rport", {**RPORT, "rtp_symmetric": True}),
    ("nat=force_rport\nnat=no", OFF),
    ("nat=no\nnat=comedia", {**OFF, "rtp_symmetric": True}),
    ("nat = force_rport , no", OFF),
    ("nat=yes", {**RPORT, "rtp_symmetric": True}),
    ("nat=auto_force_rport,auto_comedia", {}),
    ("nat=no\nnat=auto_comedia", OFF),
    ("nat=route", {}),
    ("directmedia=yes\ncanreinvite=no", {"direct_media": False}),
    ("directmedia=nonat", {}),
])
def test_a_file_edited_by_hand_is_drift(lines, options):
    text = f"{HEADER}\n[101](+)\n{lines}\n"
    found = parse(text, CHAN_SIP)
    assert found == {"101": Section(options)}
    ours = render(found, CHAN_SIP)
    assert (ours == text) == (lines == "nat=no\nnat=force_rport,comedia" or lines == "nat=no\nnat=comedia")
    assert parse(ours, CHAN_SIP) == {"101": Section(CHAN_SIP.expected(options))}


@pytest.mark.parametrize("line", ["[101]", "[101](phone)", "[101](+type=friend)", "[phone](!)", "#include x.conf", "secret=geheim", "garbage"])
def test_what_is_not_ours_is_refused_by_line_number_without_its_text(line):
    with pytest.raises(Unsupported, match=r"Line 2 .*\[extension\]\(\+\)") as refused:
        parse(f"; comment\n{line}\n", CHAN_SIP)
    assert "geheim" not in str(refused.value)


def test_what_updateconfig_leaves_of_ours_is_dropped():
    assert parse(";!\n;! Automatically generated configuration file\n;!\nnat = no\nnat = force_rport,comedia\ndirectmedia = no\n", CHAN_SIP) == {}
