# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Cisco's configuration file means, and what may stand in it and on its pages."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.evenport.sip.plugins.module_utils.errors import BadAnswer, EvenportError, NotApplied, Provisioned, Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import Answer
from ansible_collections.evenport.sip.plugins.module_utils.phones.cisco import config as cisco_config
from ansible_collections.evenport.sip.plugins.module_utils.phones.cisco import driver as cisco
from ansible_collections.evenport.sip.plugins.module_utils.phones.cisco import form as cisco_form
from ansible_collections.evenport.sip.plugins.module_utils.phones.settings import Place
from ansible_collections.evenport.sip.plugins.module_utils.phones.work import configure_phone, inspect_phone
from tests.fakes.cisco import FakeCisco
from tests.fakes.web import Reply
from tests.unit.plugins.module_utils.phones.contract_suite import PASSWORD, TWO_LINES, refuse, target_of

WANTED = {"keep_alive_interval": 20, "lines": [
    {"line": 1, "local_port": 5074, "nat_traversal": "keep_alive"}, {"line": 2, "local_port": 5076, "nat_traversal": "keep_alive"}]}
ONE = {"lines": [{"line": 1, "local_port": 5074}]}


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    for name, seconds in (("_FETCH", 2.0), ("_APPLY", 0.5), ("_PAUSE", 0.03)):
        monkeypatch.setattr(cisco, name, seconds)


def make(kind, *, faults=None, **more):
    return FakeCisco(kind, **{"password": PASSWORD, "accounts": TWO_LINES, "faults": faults or {}, **more})


# ---------------------------------------------------------------------- what values mean


def nat_of(fake):
    return inspect_phone(target_of(fake))["settings"]["lines"][0].get("nat_traversal")


@pytest.mark.parametrize(("mapping", "alive", "stun", "meaning", "written"), [
    ("No", "No", "No", "none", {"NAT_Keep_Alive_Enable_1_": "Yes"}),
    ("No", "No", "Yes", "none", {"NAT_Keep_Alive_Enable_1_": "Yes"}),
    ("Yes", "No", "No", "none", {"NAT_Keep_Alive_Enable_1_": "Yes"}),                  # by EXT_IP: not ours to end
    ("Yes", "No", "Yes", "stun", {"NAT_Keep_Alive_Enable_1_": "Yes", "NAT_Mapping_Enable_1_": "No"}),
    ("Yes", "Yes", "Yes", "stun", {"NAT_Mapping_Enable_1_": "No"}),
    ("no", "no", "no", "none", {"NAT_Keep_Alive_Enable_1_": "yes"}),
    ("No", "Yes", "No", "keep_alive", None),
    ("No", "", "No", None, {"NAT_Keep_Alive_Enable_1_": "Yes"}),
])
def test_nat_traversal_is_two_switches_and_stun(mapping, alive, stun, meaning, written):
    with make("mpp") as fake:
        fake.values.update(NAT_Mapping_Enable_1_=mapping, NAT_Keep_Alive_Enable_1_=alive, STUN_Enable=stun, EXT_IP="192.0.2.9")
        assert nat_of(fake) == meaning
        result = configure_phone(target_of(fake), {"lines": [{"line": 1, "nat_traversal": "keep_alive"}]}, in_use=False)
        assert result["changed"] == (written is not None) and fake.written == ([written] if written else [])
        assert nat_of(fake) == "keep_alive" and fake.values["EXT_IP"] == "192.0.2.9" and fake.values["STUN_Enable"] == stun


def test_stun_is_put_back_and_is_only_taken_where_it_is_set_up():
    with make("mpp") as fake:
        stun = {"lines": [{"line": 1, "nat_traversal": "stun"}]}
        assert "STUN_Enable" in str(refuse(Unsupported, lambda: configure_phone(target_of(fake), stun, in_use=False)))
        fake.values.update(STUN_Enable="Yes", NAT_Mapping_Enable_1_="Yes")
        before = configure_phone(target_of(fake), {"lines": [{"line": 1, "nat_traversal": "none"}]}, in_use=False)["before"]
        assert before == stun and fake.values["NAT_Mapping_Enable_1_"] == "No"
        configure_phone(target_of(fake), before, in_use=False)
        assert fake.values["NAT_Mapping_Enable_1_"] == "Yes"


@pytest.mark.parametrize("value", ["upnp", "auto", "vpn"])
def test_other_ways_through_nat_are_refused(value):
    with make("spa") as fake:
        refuse(Unsupported, lambda: configure_phone(target_of(fake), {"lines": [{"line": 1, "nat_traversal": value}]}))
        assert fake.writes == 0


def test_half_an_effect_puts_back_the_spelling_that_was_there():
    with make("mpp", faults={"silent_success": ["SIP_Port_2_"]}) as fake:
        fake.values.update(SIP_Port_1_="0x13c4", NAT_Keep_Alive_Enable_1_="no")
        before = dict(fake.values)
        assert "put back" in str(refuse(NotApplied, lambda: configure_phone(target_of(fake), WANTED, in_use=False)))
        assert fake.written[1]["SIP_Port_1_"] == "0x13c4" and fake.values == before


def test_an_empty_port_is_filled_and_emptied_again():
    with make("spa") as fake:
        fake.values["SIP_Port_1_"] = ""
        result = configure_phone(target_of(fake), ONE)
        assert result["before"] == {"lines": [{"line": 1, "local_port": None}]} and fake.values["SIP_Port_1_"] == "5074"
        configure_phone(target_of(fake), result["before"])
        assert fake.values["SIP_Port_1_"] == ""


@pytest.mark.parametrize(("shown", "before"), [("0", None), ("15", 15), ("3600", 3600)])
def test_a_keep_alive_comes_back_as_it_was(shown, before):
    with make("spa") as fake:
        fake.values["NAT_Keep_Alive_Intvl"] = shown
        result = configure_phone(target_of(fake), {"keep_alive_interval": 20})
        assert result["before"] == {"keep_alive_interval": before} and fake.values["NAT_Keep_Alive_Intvl"] == "20"
        configure_phone(target_of(fake), result["before"])
        assert fake.values["NAT_Keep_Alive_Intvl"] == shown


@pytest.mark.parametrize("shown", ["", "5000", "often"])
def test_a_keep_alive_that_could_not_be_put_back_is_not_touched(shown):
    with make("spa") as fake:
        fake.values["NAT_Keep_Alive_Intvl"] = shown
        result = configure_phone(target_of(fake), {"keep_alive_interval": 20, **ONE})
        assert result["unsupported"] == ["keep_alive_interval"] and fake.written == [{"SIP_Port_1_": "5074"}]


@pytest.mark.parametrize("shown", ["0", "70000", "0x", "auto"])
def test_a_port_that_is_none_is_not_written_over(shown):
    with make("spa") as fake:
        fake.values["SIP_Port_1_"] = shown
        assert "no port" in str(refuse(Unsupported, lambda: configure_phone(target_of(fake), ONE)))
        assert fake.writes == 0


def test_half_of_a_pair_is_not_taken_for_nothing():
    """The mapping would not go, so it still is "stun"; but the keep-alives are on now, which they were not."""
    with make("mpp", faults={"silent_success": ["NAT_Mapping_Enable_1_"]}) as fake:
        fake.values.update(STUN_Enable="Yes", NAT_Mapping_Enable_1_="Yes")
        before = dict(fake.values)
        error = refuse(NotApplied, lambda: configure_phone(target_of(fake), {"lines": [{"line": 1, "nat_traversal": "keep_alive"}]}, in_use=False))
        assert "has been put back" in str(error) and fake.values == before


@pytest.mark.parametrize("kind", ["spa", "mpp"])
def test_what_these_phones_do_not_have_is_named(kind):
    with make(kind) as fake:
        wanted = {"random_port": False, "lines": [{"line": 1, "local_port": 5074, "rport": True}]}
        assert configure_phone(target_of(fake), wanted, in_use=False)["unsupported"] == ["random_port", "rport of line 1"]
        assert fake.written == [{"SIP_Port_1_": "5074"}]


@pytest.mark.parametrize(("kind", "count"), [("spa", 4), ("sipura", 4), ("mpp", 10)])
def test_all_extensions_are_listed_with_the_ports_they_would_take(kind, count):
    with make(kind, accounts=[{"user": "101", "port": 5060}, {"user": "102", "active": False}, {"user": "", "active": True}]) as fake:
        found = inspect_phone(target_of(fake))["accounts"]
        assert [account["number"] for account in found] == list(range(1, count + 1))
        assert [account["active"] for account in found] == [True] + [False] * (count - 1)        # off; or on without a user
        assert [account["local_port"] for account in found] == [5059 + number for number in range(1, count + 1)]


@pytest.mark.parametrize(("rules", "expected"), [
    ({"Profile_Rule": ""}, {}),
    ({"Profile_Rule": "/spa$PSN.cfg"}, {}),
    ({"Profile_Rule": "/$PSN.xml"}, {}),
    ({"Profile_Rule": "https://prov.example.net/$MA.xml"}, {"server": "prov.example.net/$MA.xml", "protocol": "https", "protected": False}),
    ({"Profile_Rule": "[--key abc --uid u --pwd p]tftp://192.0.2.5/x"}, {"server": "192.0.2.5/x", "protocol": "tftp", "protected": False}),
    ({"Profile_Rule": "( $A = 1 )? http://u:p@one.example/a?mac=1 | http://two.example/b"},
     {"server": "one.example/a", "protocol": "http", "protected": False}),
    ({"Profile_Rule": "/cfg/$MA.xml"}, {"server": "the server of DHCP option 66", "protocol": "tftp", "protected": False}),
    ({"Profile_Rule": "/spa$PSN.cfg", "Profile_Rule_B": "http://b.example/x"}, {"server": "b.example/x", "protocol": "http", "protected": False}),
    ({"Profile_Rule": "http://b.example/x", "Provision_Enable": "No"}, {}),
    ({"Profile_Rule": "http://b.example/x", "Resync_On_Reset": "No", "Resync_Periodic": "0", "Resync_From_SIP": "No"},
     {"server": "b.example/x", "protocol": "http", "protected": True}),
    ({"Profile_Rule": "http://b.example/x", "Resync_On_Reset": "No", "Resync_Periodic": "0"},
     {"server": "b.example/x", "protocol": "http", "protected": False}),
])
def test_provisioning_by_its_rules(rules, expected):
    with make("spa") as fake:
        fake.values.update(rules)
        assert inspect_phone(target_of(fake))["provisioning"] == expected


def test_a_phone_that_nothing_makes_fetch_is_written_to():
    with make("spa") as fake:
        fake.values.update(Profile_Rule="http://b.example/x", Resync_On_Reset="No", Resync_Periodic="0")
        refuse(Provisioned, lambda: configure_phone(target_of(fake), ONE))
        fake.values["Resync_From_SIP"] = "No"
        assert configure_phone(target_of(fake), ONE)["changed"]


def config(text):
    return cisco_config.parse(Answer("x", 200, {}, f"<flat-profile><Product_Name>SPA</Product_Name>{text}</flat-profile>".encode()))


def test_a_setting_is_not_its_namesake_in_the_status():
    found = config('<Domain group="Info/System_Information">a</Domain><Domain group="System/Optional_Network_Configuration">b</Domain><SIP_Port_1_ ua="rw"/>')
    assert (found.status("Domain"), found.setting("Domain"), found.setting("SIP_Port_1_"), found.ua("SIP_Port_1_"), found.setting("x")) == (
        "a", "b", "", "rw", None)


@pytest.mark.parametrize(("lines", "expected"), [
    ([], None),
    (["Idle", "No Service", "Disabled", ""], ""),
    (["Idle", "Connected", "Idle"], "a call is Connected"),
    (["Ringing", "Holding", "Ringing"], "a call is Holding, a call is Ringing"),
])
def test_call_states_of_all_lines_count(lines, expected):
    text = "".join(f'<Call_State group="Info/Line_{number}_Call_1_Status">{state}</Call_State>' for number, state in enumerate(lines, 1))
    assert cisco_config.calls_of(config(text)) == expected


@pytest.mark.parametrize(("text", "expected"), [
    ("<Hook_State_1_>On</Hook_State_1_>", ""),
    ("<Hook_State_1_>On</Hook_State_1_><Hook_State_2_>Off</Hook_State_2_><Call_1_State_1_>Idle</Call_1_State_1_>", "a handset is off the hook"),
    ("<Call_1_State_1_>Idle</Call_1_State_1_><Call_2_State_1_>Dialing</Call_2_State_1_>", "a call is Dialing"),
])
def test_call_states_as_an_ata_names_them(text, expected):
    assert cisco_config.calls_of(config(text)) == expected


@pytest.mark.parametrize(("text", "seconds"), [
    ("00:04:33", 273), ("130:00:01", 468001), ("2 days and 01:00:05", 176405), ("1 day, 00:00:00", 86400), ("", None), ("a while", None), ("1:2", None)])
def test_running_times(text, seconds):
    assert cisco_config.up_time_of(config(f"<Elapsed_Time>{text}</Elapsed_Time>")) == seconds


# ---------------------------------------------------------------------- what phones may send

NAMES = st.sampled_from(["Product_Name", "MAC_Address", "SIP_Port_1_", "NAT_Keep_Alive_Enable_1_", "NAT_Mapping_Enable_1_", "STUN_Enable", "Call_State",
                         "Elapsed_Time", "Profile_Rule", "Line_Enable_1_", "User_ID_1_", "NAT_Keep_Alive_Intvl", "x"])
TEXT = st.text(max_size=12) | st.sampled_from(["Yes", "No", "5060", "0x13c4", "http://a@b/c", "[", "&amp;", "&x;", "<", "1:00:00"])
XML = st.lists(st.tuples(NAMES, TEXT), max_size=8).map(lambda rows: "".join(f"<{name}>{text}</{name}>" for name, text in rows))


@given(st.binary(max_size=200) | XML.map(lambda text: f"<flat-profile><Product_Name>SPA5</Product_Name>{text}</flat-profile>".encode()))
def test_the_reader_takes_any_bytes(body):
    try:
        found = cisco_config.parse(Answer("x", 200, {}, body))
    except BadAnswer as error:
        assert error.remedy
        return
    assert all(isinstance(place, Place) for place in cisco_config.settings_of(found))
    cisco_config.accounts_of(found)
    cisco_config.provisioning_of(found)
    cisco_config.calls_of(found)
    cisco_config.up_time_of(found)


@pytest.mark.parametrize("body", [
    b'<!DOCTYPE a [<!ENTITY b "c">]><flat-profile><Product_Name>&b;</Product_Name></flat-profile>',
    b'<?xml version="1.0" encoding="nonsense"?><flat-profile/>', b"<flat-profile>" * 5000, b"\xff\xfe<\x00", b""])
def test_hostile_configurations(body):
    with pytest.raises(BadAnswer):
        cisco_config.parse(Answer("x", 200, {}, body))


def test_one_bad_byte_does_not_hide_the_settings():
    body = '<?xml version="1.0" encoding="utf-8"?><flat-profile><Product_Name>SPA</Product_Name><Station_Name>K\xfcche\x01</Station_Name></flat-profile>'
    assert cisco_config.parse(Answer("x", 200, {}, body.encode("latin-1"))).setting("Station_Name") == "K\ufffdche?"


@given(st.text(max_size=10))
def test_numbers_take_any_text(text):
    value = cisco_config.number(text, 65535)
    assert value is None or 0 < value <= 65535


TAGS = st.lists(st.sampled_from(['<form action="bcisco.csc" method=post>', "</form>", '<div id="Ext 1">', "</div>", "<table><tr>", "<td>", "</td>", "SIP Port:",
                                 '<input name="123" value="5060">', '<input name="x">', "<select name=7><option selected>no<option value=1>yes</select>",
                                 "<!--", "\x00", "</table>", "NAT Keep Alive Enable:"]), max_size=14).map("".join)


@given(TAGS | st.text(max_size=60))
def test_the_form_reader_takes_any_page(page):
    try:
        fields = cisco_form.locate(Answer("x", 200, {}, page.encode("utf-8", "replace")), {"SIP_Port_1_": "5074"}, {"SIP_Port_1_": "5060"})
    except BadAnswer:
        return
    assert fields is None or set(fields.values.values()) == {"5074"}


class Rubbish(FakeCisco):
    """Has any text for a configuration once the first look is over, and for a form."""

    text = ""

    def _config(self, request):
        reply = super()._config(request)
        return reply if self.text == "" or self.log.count("GET /admin/spacfg.xml") < 2 else Reply(200, self.text.encode("utf-8", "replace"), "text/xml")

    def _page(self, request):
        return Reply(200, self.text.encode("utf-8", "replace"))


@settings(max_examples=25, deadline=None)
@given(XML.map(lambda text: f"<flat-profile><Product_Name>SPA5</Product_Name>{text}</flat-profile>") | TAGS | st.text(min_size=1, max_size=30))
def test_a_whole_visit_survives_any_answer(text):
    with pytest.MonkeyPatch.context() as patch, Rubbish("spa", scheme="", accounts=TWO_LINES, faults={"resync_lost": True}) as fake:
        for name in ("_FETCH", "_APPLY", "_PAUSE"):
            patch.setattr(cisco, name, 0.02)
        fake.text = text
        try:
            configure_phone(target_of(fake), ONE, when_busy="skip", reboot_timeout=0.05)
        except EvenportError as error:
            assert str(error)
