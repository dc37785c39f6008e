# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Fanvil's answers come to: no phone, no fake, only the parsers."""
from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.evenport.sip.plugins.module_utils.errors import BadAnswer, EvenportError
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import Answer
from ansible_collections.evenport.sip.plugins.module_utils.phones.fanvil import keys as fanvil_keys
from ansible_collections.evenport.sip.plugins.module_utils.phones.fanvil import web as fanvil_web
from ansible_collections.evenport.sip.plugins.module_utils.phones.fanvil import xml as fanvil_xml
from ansible_collections.evenport.sip.plugins.module_utils.phones.settings import SETTINGS, Place


@pytest.mark.parametrize(("text", "expected"), [
    ("75:12:09", 270729), ("0:00:05", 5), ("3 days 4:05", 273900), ("75 h 12 min", 270720), ("2 dias 3 horas", 183600), ("4711", 4711),
    ("", None), ("soon", None)])
def test_up_times(text, expected):
    assert fanvil_web.seconds(text) == expected


# ---------------------------------------------------------------------- NAT


@pytest.mark.parametrize(("kind", "packets", "expected"), [
    ("0", "0", "none"), ("0", "1", "keep_alive"), ("0", "2", "keep_alive"), ("1", "2", "stun"), ("1", "0", "stun"),
    ("0", "7", None), ("5", "2", None), ("", "", None)])
def test_what_the_nat_keys_come_to(kind, packets, expected):
    values = {"sip.SIPPort": "5060", "sip.line.1.NATType": kind, "sip.line.1.NATUDPUpdate": packets}
    assert fanvil_keys.settings(values).get(Place("nat_traversal", 1)) == expected


@pytest.mark.parametrize("kind", ["0", "1"])
@pytest.mark.parametrize("packets", ["0", "1", "2", "7"])
@pytest.mark.parametrize("wanted", ["none", "stun", "keep_alive"])
def test_every_nat_value_can_be_written_and_a_kind_of_packet_is_kept(kind, packets, wanted):
    values = {"sip.line.1.NATType": kind, "sip.line.1.NATUDPUpdate": packets}
    place = Place("nat_traversal", 1)
    written = fanvil_keys.texts({place: wanted}, values, values)
    after = {**values, **written}
    assert fanvil_keys.settings(after)[place] == wanted
    if wanted == "keep_alive" and packets in ("1", "2"):
        assert after["sip.line.1.NATUDPUpdate"] == packets
    back = fanvil_keys.texts({place: fanvil_keys.settings(values).get(place)}, after, values)
    assert back == {key: text for key, text in values.items() if after[key] != text}


# ---------------------------------------------------------------------- fuzzing what phones send

KEYS = st.sampled_from([fanvil_keys.PORT, fanvil_keys.SERVER, fanvil_keys.PROTOCOL,
                        *(fanvil_keys.key(line, name) for line in (1, 2) for name in fanvil_keys.OF_LINE)])
XML = st.recursive(st.sampled_from(["", "5060", "sip.SIPPort=5060", "x=y=z", "&amp;", "&bad;", "<RetCode>0</RetCode>", "<![CDATA[x]]>"]) | st.text(max_size=8),
                   lambda inner: st.builds(lambda tag, index, parts: f'<{tag} index="{index}">{"".join(parts)}</{tag}>',
                                           st.sampled_from(["sip", "line", "SIPPort", "info", "sysConf", "FanvilConfiguration", "VOIP_CONFIG_FILE"]),
                                           st.integers(0, 3), st.lists(inner, max_size=3)), max_leaves=12)


def answer(body, status=200):
    return Answer("kitchen: GET /x", status, {}, body)


@given(XML | st.binary(max_size=200).map(lambda data: data.decode("latin-1")), st.sampled_from([200, 404, 500]))
def test_xml_of_a_phone_is_values_or_an_error_of_ours(text, status):
    body = answer(text.encode("utf-8", "replace"), status)
    with contextlib.suppress(EvenportError):
        assert all(isinstance(value, str) for value in fanvil_xml.config_values("kitchen", body).values())
    reply = fanvil_xml.service_reply(body)
    assert reply is None or isinstance(reply[0], str)


@pytest.mark.parametrize("body", [
    b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><sysConf>&b;</sysConf>', b'<?xml version="1.0" encoding="utf-7"?><sysConf/>',
    b'<?xml version="1.0" encoding="none"?><sysConf/>', b"\xff\xfe<", b"<sysConf>" + b"<a>" * 20000 + b"</a>" * 20000 + b"</sysConf>"])
def test_hostile_xml(body):
    with contextlib.suppress(EvenportError):
        assert fanvil_xml.config_values("kitchen", answer(body)) == {}


@given(st.dictionaries(KEYS, st.text(max_size=8) | st.sampled_from(["0", "1", "2", "5060", "70000"])))
def test_any_values_have_a_meaning(values):
    flat = fanvil_keys.settings(values)
    fanvil_keys.accounts(values)
    fanvil_keys.provisioning(values)
    for place, value in flat.items():
        setting = SETTINGS[place.setting]
        assert value is None or (value in setting.choices if setting.kind == "str" else isinstance(value, (bool, int)))


@given(st.text(max_size=60))
def test_any_server_is_survived(text):
    fanvil_keys.provisioning({fanvil_keys.SERVER: text})
    fanvil_web.seconds(text)


@given(st.text(max_size=120) | st.lists(st.sampled_from(["<td>", "</td>", '<span id="XSTR_LBL_INFO_MAC">', "<tr>", "00:11", "</span>", "<font>", "<table>"]),
                                        max_size=14).map("".join))
def test_any_information_page_is_read(text):
    with contextlib.suppress(BadAnswer):
        assert all(isinstance(value, str) for value in fanvil_web.information(answer(text.encode("utf-8", "replace"))).values())


def test_a_part_of_a_configuration_is_what_was_asked_and_nothing_else():
    part = fanvil_xml.config_part({"sip.line.2.NATType": "1", "sip.SIPPort": "5074", "sip.line.2.EnableRport": "0", "sip.line.1.EnableRport": "1"})
    assert part.endswith(b'<sysConf><sip><SIPPort>5074</SIPPort><line index="1"><EnableRport>1</EnableRport></line>'
                         b'<line index="2"><EnableRport>0</EnableRport><NATType>1</NATType></line></sip></sysConf>')
