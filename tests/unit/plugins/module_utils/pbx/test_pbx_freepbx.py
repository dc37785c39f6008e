# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""FreePBX's words for NAT options, and what fwconsole says. tests/lab/test_freepbx.py has the tables, in a real MariaDB."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.evenport.sip.plugins.module_utils.errors import BadAnswer, PlanError
from ansible_collections.evenport.sip.plugins.module_utils.pbx.access import DatabaseAccess
from ansible_collections.evenport.sip.plugins.module_utils.pbx.contract import NAT_OPTIONS
from ansible_collections.evenport.sip.plugins.module_utils.pbx.freepbx import (
    FreePbxStore,
    chan_sip_wanted,
    nat_words,
    pjsip_value,
    pjsip_wanted,
    reload_answer,
)
from ansible_collections.evenport.sip.plugins.module_utils.pbx.shell import Shell
from ansible_collections.evenport.sip.plugins.module_utils.pbx.sql import Database

ON = {"rewrite_contact": True, "force_rport": True, "rtp_symmetric": True, "direct_media": False}
OFF = {option: not value for option, value in ON.items()}
BOTH = frozenset({"force_rport", "comedia"})


@pytest.mark.parametrize("absent", [None, "", "0"])
def test_what_is_absent_means_something_else_for_each_keyword(absent):
    assert [pjsip_value(option, absent) for option in NAT_OPTIONS] == [False, True, True, True]


@pytest.mark.parametrize(("data", "value"), [("yes", True), ("no", False), ("Yes ", True), ("true", True), ("off", False), ("maybe", None)])
def test_pjsip_value(data, value):
    assert {pjsip_value(option, data) for option in NAT_OPTIONS} == {value}


def test_pjsip_wanted_keeps_what_means_the_same():
    assert pjsip_wanted(ON, {}) == {"rewrite_contact": "yes", "force_rport": None, "rtp_symmetric": None, "direct_media": "no"}
    assert pjsip_wanted(ON, {"rewrite_contact": "true", "force_rport": "", "rtp_symmetric": "no", "direct_media": "off", "secret": "x"}) == {
        "rewrite_contact": "true", "force_rport": "", "rtp_symmetric": "yes", "direct_media": "off"}
    assert pjsip_wanted(OFF, {}) == {"rewrite_contact": None, "force_rport": "no", "rtp_symmetric": "no", "direct_media": None}
    assert pjsip_wanted({"rewrite_contact": True}, {"rewrite_contact": "perhaps"}) == {"rewrite_contact": "yes"}


@pytest.mark.parametrize(("data", "words"), [
    ("yes", BOTH), ("force_rport,comedia", BOTH), (" Comedia , force_rport", BOTH), ("no", frozenset()), ("never", frozenset()), ("no,comedia", frozenset()),
    ("route", {"force_rport"}), ("comedia", {"comedia"}), ("auto_force_rport,auto_comedia", {"auto_force_rport", "auto_comedia"}), ("", None), (None, None),
])
def test_nat_words(data, words):
    assert nat_words(data) == words


@pytest.mark.parametrize(("options", "now", "settings"), [
    (ON, {}, {"nat": "yes", "canreinvite": "no"}),
    (ON, {"nat": "comedia,force_rport", "canreinvite": "no"}, {"nat": "comedia,force_rport", "canreinvite": "no"}),
    (ON, {"nat": "auto_force_rport,auto_comedia", "canreinvite": "nonat"}, {"nat": "yes", "canreinvite": "no"}),
    (OFF, {"nat": "never", "canreinvite": "nonat"}, {"nat": "never", "canreinvite": "nonat"}),
    (OFF, {"nat": "yes"}, {"nat": "no", "canreinvite": "yes"}),
    ({**ON, "rtp_symmetric": False}, {"nat": "yes"}, {"nat": "force_rport", "canreinvite": "no"}),
    ({**OFF, "rtp_symmetric": True}, {}, {"nat": "comedia", "canreinvite": "yes"}),
    ({"rtp_symmetric": True}, {"nat": "route"}, {"nat": "yes"}),
    ({"rewrite_contact": True}, {"nat": "comedia"}, {"nat": "yes"}),
    ({"direct_media": False}, {"nat": "comedia"}, {"canreinvite": "no"}),
])
def test_chan_sip_wanted(options, now, settings):
    assert chan_sip_wanted(options, {"tech": "sip", **now}) == settings


def test_chan_sip_has_one_word_for_both():
    with pytest.raises(PlanError, match="they can't differ"):
        chan_sip_wanted({**ON, "rewrite_contact": False}, {"nat": "yes"})


@pytest.mark.parametrize(("text", "answer"), [
    ("Reload Started\nReload Complete\n; status 0\n", (0, "complete")),
    ('{"message":"Reload Started"}\n{"message":"Reload Complete"}\n; status 0\n', (0, "complete")),
    ('{"error":"Process is already running.","trace":"Process ID : 12"}; status 255\n', (255, "busy")),
    ("Unable to connect; status 0\n; status 1\n", (1, "")),
    ("sh: 1: fwconsole: not found\n; status 127\n", (127, "")),
])
def test_reload_answer(text, answer):
    assert reload_answer(text) == answer


@pytest.mark.parametrize("text", ["", "Reload Started\nReload Complete\n", "; status \n", "; status 1234\n", "; status 0\nmore\n"])
def test_a_reload_without_its_end(text):
    with pytest.raises(BadAnswer, match="cut off"):
        reload_answer(text)


@given(st.text())
def test_any_text(text):
    for keyword in NAT_OPTIONS:
        assert pjsip_value(keyword, text) in (True, False, None)
    words = nat_words(text)
    assert words is None or "no" not in words
    settings = chan_sip_wanted(ON, {"nat": text, "canreinvite": text})
    assert chan_sip_wanted(ON, settings) == settings and pjsip_wanted(ON, pjsip_wanted(ON, dict.fromkeys(NAT_OPTIONS, text))) == pjsip_wanted(
        ON, dict.fromkeys(NAT_OPTIONS, text))
    with contextlib.suppress(BadAnswer):
        assert 0 <= reload_answer(text)[0] <= 999


def test_another_database():
    with pytest.raises(PlanError, match="MySQL"):
        FreePbxStore(Database(DatabaseAccess("postgresql", "asterisk"), Shell()), Shell())
