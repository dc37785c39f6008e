# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user agent says of the device."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.evenport.sip.plugins.module_utils.agents import LONGEST, agent_of, plain
from ansible_collections.evenport.sip.plugins.module_utils.phones.brands import BRANDS

PHONES = [
    ("Grandstream GXP2170 1.0.11.64", "grandstream", "GXP2170", "1.0.11.64", ""),
    ("Grandstream GRP2612W 1.0.5.67", "grandstream", "GRP2612W", "1.0.5.67", ""),
    ("Grandstream Model HW GXP1628 V2.2A SW 1.0.4.138 DevId c074ad2bd858", "grandstream", "GXP1628", "1.0.4.138", "c074ad2bd858"),
    ("GRP2601", "grandstream", "GRP2601", "", ""),                  # as a UCM shows them
    ("GRP2601, white", "grandstream", "GRP2601", "", ""),
    ("GXP2170", "grandstream", "GXP2170", "", ""),
    ("WP826 1.0.1.2", "grandstream", "WP826", "1.0.1.2", ""),
    ("GXV3370", "", "GXV3370", "", ""),
    ("HT812", "", "HT812", "", ""),
    ("DP752", "", "DP752", "", ""),
    ("Grandstream HT812 1.0.5.11", "", "HT812", "1.0.5.11", ""),
    ("Grandstream GXW-4008  V1.5A 1.0.16.2  chip V2.2", "", "GXW-4008", "1.0.16.2", ""),
    ("Yealink SIP-T46S 66.84.0.15", "yealink", "T46S", "66.84.0.15", ""),
    ("Yealink SIP-T53W 96.87.0.16 0015651872eb", "yealink", "T53W", "96.87.0.16", "0015651872eb"),
    ("yealink SIP-T28P 2.72.14.2 00:15:65:18:72:eb", "yealink", "T28P", "2.72.14.2", "0015651872eb"),
    ("Yealink SIP-T21P_E2 52.83.0.35", "yealink", "T21P E2", "52.83.0.35", ""),
    ("Yealink W60B 77.83.0.85", "", "W60B", "77.83.0.85", ""),
    ("PolycomVVX-VVX_410-UA/5.9", "poly", "VVX 410", "5.9", ""),
    ("PolycomVVX-VVX_150-UA/6.4.1.2280_482567164886", "poly", "VVX 150", "6.4.1.2280", "482567164886"),
    ("PolyEdge-Edge_E350-UA/8.3.1.0614", "poly", "Edge E350", "8.3.1.0614", ""),
    ("PolycomRealPresenceTrio-Trio_8800-UA/7.2.2.1094", "poly", "Trio 8800", "7.2.2.1094", ""),
    ("PolyCCX-CCX_600-UA/8.0.2.3267 (SN:482567b5313f)", "poly", "CCX 600", "8.0.2.3267", "482567b5313f"),
    ("PolycomSoundPointIP-SPIP_335-UA/3.2.1.0078", "", "SPIP 335", "3.2.1.0078", ""),
    ("Htek UC902", "htek", "UC902", "", ""),
    ("Htek UC926 2.0.4.2 00:1f:c1:00:00:02", "htek", "UC926", "2.0.4.2", "001fc1000002"),
    ("Htek UC912G 001fc1200b40", "htek", "UC912G", "", "001fc1200b40"),
    ("Sangoma S505 V3.0.4.77", "htek", "S505", "3.0.4.77", ""),
    ("Fanvil X4 2.10.2.6887 0c383e07e16c", "fanvil", "X4", "2.10.2.6887", "0c383e07e16c"),
    ("Fanvil X6U Pro 0.0.10 0c383e2cd782", "fanvil", "X6U Pro", "0.0.10", "0c383e2cd782"),
    ("Fanvil PA2 2.8", "", "PA2", "2.8", ""),
    ("snomD385/10.1", "snom", "D385", "10.1", ""),
    ("Mozilla/4.0 (compatible; snom710-SIP 8.7.5.35 1.1.5-IFX-05.01.12 000413741767)", "snom", "710", "8.7.5.35", "000413741767"),
    ("snom821/873_19_20130321", "", "821", "873_19_20130321", ""),
    ("Cisco/SPA504G-7.6.2b", "cisco", "SPA504G", "7.6.2b", ""),
    ("Cisco/SPA508G-7.4.8a (0002FDFF2102)(CBT141400UK)", "cisco", "SPA508G", "7.4.8a", "0002fdff2102"),
    ("Cisco-CP-8841-3PCC", "cisco", "8841", "", ""),
    ("Cisco-CP-8865-3PCC/12.0.3_dcf719f39350_d4e6994b-60bc-4fba-a490-fe5f8e74ceea_x", "cisco", "8865", "12.0.3", "dcf719f39350"),
    ("Cisco-CP7960G/8.0", "", "CP7960G", "8.0", ""),
    ("VTech ErisTerminal VSP600A 1.1", "vtech", "VSP600A", "1.1", ""),
    ("Vtech Vesa VSP735 1.1.4.0-0", "vtech", "VSP735", "1.1.4.0-0", ""),
    ("Aastra6739i MAC:00-08-5D-13-CA-04 V:3.2.1.1013-SIP", "", "6739i", "3.2.1.1013-SIP", "00085d13ca04"),
    ("N510 IP PRO/42.258.00.000.000;7C2F806257D6", "", "N510 IP PRO", "42.258.00.000.000", "7c2f806257d6"),
]
SOFTPHONES = [
    "Z 5.6.6 v2.10.20.5", "Zoiper v2.10.20.4_1", "Zoiper for Windows 2.38 rev.16635", "LinphoneAndroid/4.2.1 (Pixel) LinphoneSDK/4.3",
    "Linphone/3.6.1 (eXosip2/4.1.0)", "Bria iOS release 3.9.5 stamp 38501.38502", "X-Lite release 5.7.1 stamp 100933", "MicroSIP/3.21.3",
    "3CXPhone 6.0.26523.0", "Acrobits SIPIS", "Groundwire/5.3.1", "PortSIP - Toro Nightly (SNAPSHOT-20230731, Android, 33)",
    "baresip v1.1.0 (x86_64/linux)", "Jitsi2.10.5550Windows 10", "Sipnetic/1.1.9 Android", "Grandstream Wave 1.0.3.34", "Wave", "Wave 1.0.25.4", "GS Wave",
    "MizuPhone/7.5",
    "Telephone 1.6", "CSipSimple_greatlte-26/r2457", "PJSUA v2.10 Linux-5.6.3.44/x86_64/glibc-2.31", "SIP.js/0.8.0", "Softphone 3.1",
]
UNKNOWN = [
    "", "Asterisk PBX 13.10.0", "3CXPhoneSystem 14.0.44198.522 (44097)", "PortSIP UC - Call Manager 16.0.0.302", "North American Telecom NAT500 1.2",
    "friendly-scanner", "Wavecom 12", "HT", "DP2", "GXP2170-like thing",
]


@pytest.mark.parametrize(("text", "brand", "model", "firmware", "mac"), PHONES)
def test_phones(text, brand, model, firmware, mac):
    agent = agent_of(text)
    assert (agent.kind, agent.brand, agent.model, agent.firmware, agent.mac) == ("phone", brand, model, firmware, mac)


def test_every_brand_that_a_text_can_tell_is_one_of_ours():
    named = {brand for unused, brand, *more in PHONES}
    assert named - {""} == set(BRANDS) - {"form", "north_american_telecom"}


@pytest.mark.parametrize("text", SOFTPHONES)
def test_softphones(text):
    assert (agent_of(text).kind, agent_of(text).brand, agent_of(text).mac) == ("softphone", "", "")


@pytest.mark.parametrize("text", UNKNOWN)
def test_what_is_neither(text):
    assert (agent_of(text).kind, agent_of(text).brand) == ("unknown", "")


@pytest.mark.parametrize(("old", "new"), [
    ("Yealink SIP-T46S 66.84.0.15", "Yealink SIP-T46S 66.86.0.5"), ("PolycomVVX-VVX_410-UA/5.9.5", "PolycomVVX-VVX_410-UA/6.4.1"),
    ("Z 5.6.6 v2.10.20.5", "Z 5.6.7 v2.10.20.9"), ("MicroSIP/3.21.3", "MicroSIP/3.22.0"), ("Bria 5 release 5.0.0 stamp 1", "Bria 5 release 5.1.0 stamp 22"),
    ("Some Phone 1.0", "Some Phone 2.0.1"), ("LinphoneAndroid/4.2.1 (Pixel) LinphoneSDK/4.3", "LinphoneAndroid/4.3.0 (Pixel) LinphoneSDK/4.4")])
def test_a_new_firmware_is_the_same_product(old, new):
    assert agent_of(old).product == agent_of(new).product != ""


def test_a_bare_model_name_is_the_same_product_as_with_its_maker():
    for name in ("GRP2601", "GXV3370"):
        assert agent_of(name).product == agent_of(f"Grandstream {name} 1.0.3.4").product == f"grandstream {name.lower()}"


def test_what_only_looks_like_a_mac_is_none():
    for text in ("Yealink SIP-T46S 66.84.0.15 d4e6994b-60bc-4fba-a490-fe5f8e74ceea", "Yealink SIP-T46S 66.84.0.15 000000000000",
                 "Yealink SIP-T46S 66.84.0.15 01005e000001", "Yealink SIP-T46S 66.84.0.15 1234567890123"):
        assert agent_of(text).mac == ""


PIECES = st.lists(st.one_of(st.text(max_size=8), st.sampled_from([text for text, *more in PHONES] + SOFTPHONES)), max_size=5).map("".join)


@settings(deadline=None)
@given(PIECES)
def test_any_text_is_fine(text):
    agent = agent_of(text)
    assert agent.kind in ("phone", "softphone", "unknown") and (agent.kind == "phone" or not (agent.brand or agent.mac))
    assert agent.brand in ("", *BRANDS) and (not agent.mac or (len(agent.mac) == 12 and int(agent.mac, 16)))
    assert all(value.isprintable() for value in vars(agent).values())


@settings(deadline=None)
@given(st.text(), st.integers(3, 300))
def test_plain_text_is_one_short_line(text, longest):
    assert len(plain(text, longest)) <= longest and plain(text, longest).isprintable()


@pytest.mark.parametrize("text", [
    "Poly" * 50, "1." * 400, "Grandstream " + "0:" * 400, "snom" * 50 + "-" * 50, "a" * 100000, "Htek UC " + "1." * 90, "_1" * 200, "00-" * 70])
def test_no_text_takes_long(text):
    start = time.monotonic()
    agent_of(text)
    assert time.monotonic() - start < 1 and len(agent_of(text).product) <= LONGEST
