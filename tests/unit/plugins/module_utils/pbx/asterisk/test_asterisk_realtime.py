# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Realtime's columns and pjsip_wizard.conf's sections: pure text in, values out. tests/lab has the real servers and the real Asterisk."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.evenport.sip.plugins.module_utils.errors import Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.pbx.access import DatabaseAccess
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.include_file import Section, outline, parse, render
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.realtime import DEFAULTS, RealtimeStore, decoded, meaning
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.wizard import WIZARD, defined
from ansible_collections.evenport.sip.plugins.module_utils.pbx.contract import NAT_OPTIONS
from ansible_collections.evenport.sip.plugins.module_utils.pbx.shell import Shell
from ansible_collections.evenport.sip.plugins.module_utils.pbx.sql import Database

ON = {"rewrite_contact": True, "force_rport": True, "rtp_symmetric": True, "direct_media": False}
STORE = RealtimeStore(Database(DatabaseAccess("postgresql", "asterisk"), Shell()))


@pytest.mark.parametrize(("text", "value"), [
    ("yes", True), ("No", False), ("on", True), ("0", False), ("1", True), (" true ", True), ("off", False), ("maybe", None)])
def test_words(text, value):
    assert {meaning(option, text) for option in NAT_OPTIONS} == {value}


def test_nothing_means_asterisks_default():
    for text in (None, "", " "):
        assert {option: meaning(option, text) for option in NAT_OPTIONS} == DEFAULTS


def test_wanted():
    assert STORE.wanted(ON, dict.fromkeys(NAT_OPTIONS)) == {"rewrite_contact": "yes", "rtp_symmetric": "yes", "direct_media": "no"}
    assert STORE.wanted(ON, {"rewrite_contact": "on", "force_rport": "1", "rtp_symmetric": "TRUE", "direct_media": "off"}) == {}
    assert STORE.wanted({"rewrite_contact": False}, {"rewrite_contact": "maybe"}) == {"rewrite_contact": "no"}


@given(st.dictionaries(st.sampled_from(NAT_OPTIONS), st.booleans()), st.dictionaries(st.sampled_from(NAT_OPTIONS), st.one_of(st.none(), st.text(max_size=5))))
def test_what_is_wanted_is_what_it_means_then(options, now):
    after = {**now, **STORE.wanted(options, now)}
    assert all(meaning(option, after.get(option)) is value for option, value in options.items()) and STORE.wanted(options, after) == {}


def test_decoded():
    assert decoded("101^3B@0132") == "101;@0132" and decoded("a^5Eb^zz^3") == "a^b^zz^3" and decoded(None) == ""


# -- wizards --------------------------------------------------------------------------------------------------------------------------
def test_what_a_file_defines():
    text = "[a](!)\n[b](a)\n;[c]\n[d] ; more\n;-- [e] --;\n[b](+)\n[f](+type=wizard)\n[g](a,!)\n#include x.conf\n#tryinclude \"y/*.conf\"\n[h]\nk=[v]\n"
    assert outline(text) == (["b", "d", "h"], ["x.conf", "y/*.conf"])


def test_includes_are_followed_and_have_an_end(tmp_path):
    assert defined(str(tmp_path)) == set()
    (tmp_path / "pjsip_wizard.conf").write_text("[1]\n#include more/*.conf\n#include pjsip_wizard.conf\n#include gone.conf\n")
    (tmp_path / "more").mkdir()
    (tmp_path / "more/a.conf").write_text("[2]\n")
    (tmp_path / "more/b.conf").write_text(f"[3]\n#include {tmp_path}/c.conf\n")
    (tmp_path / "c.conf").write_text("[4540r](1)\n")
    assert defined(str(tmp_path)) == {"1", "2", "3", "4540r"}
    (tmp_path / "more/a.conf").write_text(";-- never closed\n")
    with pytest.raises(Unsupported, match=r"more/a\.conf: The file ends inside a block comment"):
        defined(str(tmp_path))


@given(st.dictionaries(st.text("0123456789abc_.-", min_size=1, max_size=8),
                       st.builds(Section, st.dictionaries(st.sampled_from(NAT_OPTIONS), st.booleans()), st.sampled_from([(), ("aor/qualify_frequency=30",)]))))
def test_an_owned_file_for_wizards_is_read_back(sections):
    text = render(sections, WIZARD)
    assert parse(text, WIZARD) == sections and render(parse(text, WIZARD), WIZARD) == text
    assert "type=endpoint" not in text


def test_its_lines():
    assert WIZARD.lines(ON) == ["endpoint/rewrite_contact=yes", "endpoint/force_rport=yes", "endpoint/rtp_symmetric=yes", "endpoint/direct_media=no"]
    assert WIZARD.options("endpoint/direct_media", "off") == {"direct_media": False} and WIZARD.options("rewrite_contact", "yes") is None
    with pytest.raises(Unsupported):
        parse("[1](+type=endpoint)\nrewrite_contact=yes\n", WIZARD)
