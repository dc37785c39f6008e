# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Any answer of an Htek is a reading or an EvenportError, and nothing else."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.evenport.sip.plugins.module_utils.errors import BadAnswer
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import Answer
from ansible_collections.evenport.sip.plugins.module_utils.phones.htek import config as htek_config
from ansible_collections.evenport.sip.plugins.module_utils.phones.htek import page as htek_page
from ansible_collections.evenport.sip.plugins.module_utils.phones.settings import Place

PIECES = [
    "<td>", "</td>", "<tr>", "<script>", "</script>", "<!--", "-->", "document.write(jscs.product_type);", "jscs.account1", "jscs.account99",
    "jscs.system_up_time", "7 day(s)", "99999999999 hour", "4 sec(s)", "UC902G", "ROM--2.", "00:1f:c1:21:cf:23", "<br>", "\x00", "<table>", "&#0;", "&x;"]
MARKUP = st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=40).map("".join)


@given(MARKUP)
def test_any_status_page_is_survived(text):
    try:
        page = htek_page.parse_status(Answer("kitchen", 200, {}, text.encode("utf-8", "replace")))
    except BadAnswer as error:
        assert error.remedy
    else:
        assert isinstance(page.model + page.firmware + page.mac, str) and len(page.accounts) <= 100 and (page.up_time is None or page.up_time >= 0)


ELEMENTS = [
    '<?xml version="1.0"?>', '<!DOCTYPE a [<!ENTITY b "c">]>', "<hl_provision>", "<config>", '<P40 para="Account1.LocalSipPort">', "5060", "</P40>", "<x/>",
    "</config>", "</hl_provision>", "<!-- -->", "&b;", '<P578 para="Account2_Profile">9</P578>', '<P1 para="Account1_Profile">²</P1>', "<?pi?>", "\x00"]
XML = st.lists(st.sampled_from(ELEMENTS) | st.text(max_size=4), max_size=20)


@given(XML.map("".join) | XML.map(lambda inner: "<hl_provision><config>" + "".join(inner) + "</config></hl_provision>"))
@example("<hl_provision><config><a:b xmlns:a='x'/></config></hl_provision>")
@example('<!DOCTYPE a [<!ENTITY b "c">]><hl_provision><config><P1>&b;</P1></config></hl_provision>')
@example('<?xml version="1.0" encoding="klingon"?><hl_provision/>')
def test_any_configuration_is_survived(text):
    try:
        found = htek_config.parse_configuration(Answer("kitchen", 200, {}, text.encode("utf-8", "replace")))
    except BadAnswer as error:
        assert error.remedy
        return
    for number in found.accounts():
        found.label(number, "nattraversal")
    found.phone_label("keepativeinterval")
    json.dumps(sorted(found.elements))


@given(st.text(max_size=40))
def test_any_value_is_survived(text):
    assert htek_config.port_of(text) is None or 1 <= htek_config.port_of(text) <= 65535
    assert htek_config.nat_of(text) in (None, *htek_config.NAT) and htek_config.truth(text) in (None, True, False)
    assert set(htek_config.provisioning(text)) in (set(), {"server", "protocol", "protected"})


@pytest.mark.parametrize("value", htek_config.NAT)
def test_nat_values_survive_both_ways(value):
    assert htek_config.nat_of(htek_config.spelling(Place("nat_traversal", 1), value)) == value
