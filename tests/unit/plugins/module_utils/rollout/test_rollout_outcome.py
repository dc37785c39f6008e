# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run came to for one phone, from the results that its tasks left behind."""

from __future__ import annotations

import pytest

from ansible_collections.evenport.sip.plugins.module_utils.rollout.outcome import Outcome, outcome_of

MOVED = {"moved": {"a": {}}}


def outcome(state=None, work=True, **variables):
    scan = {"phones": {"a": {"site": "acme", "pbx": "pbx", "state": "drifted", "code": "", "msg": "", "extensions": ["101"], **(state or {})}},
            "work": {"a": True} if work else {}}
    return outcome_of({"inventory_hostname": "a", "sip_scan": scan, **variables})


def test_a_phone_in_order_has_no_outcome():
    assert outcome(work=False) == Outcome()
    assert not outcome(work=False).failed


@pytest.mark.parametrize(("state", "deferred"), [("offline", True), ("refused", False)])
def test_what_the_scan_found_wrong_comes_first(state, deferred):
    told = outcome({"state": state, "code": "why", "msg": "text"}, work=False, sip_pbx_failed={"pbx": "x"})
    assert (told.code, told.msg, told.deferred, told.failed) == ("why", "text", deferred, True)


def test_a_phone_whose_pbx_failed_was_not_touched_and_may_be_done_later():
    told = outcome(sip_pbx_failed={"pbx": "no answer"})
    assert (told.code, told.deferred) == ("pbx_failed", True)
    assert "acme/a" in told.msg and "no answer" in told.msg and "acme/a" not in told.cause
    assert not outcome(sip_pbx_failed={"another": "no answer"}).failed


def test_a_phone_with_an_extension_that_its_pbx_does_not_know_is_told_which():
    told = outcome(sip_unknown_extensions={"pbx": ["101", "999"]})
    assert told.code == "unknown_extension" and "101" in told.msg and "999" not in told.msg
    assert not outcome(sip_unknown_extensions={"another": ["101"]}).failed


@pytest.mark.parametrize(("variables", "status"), [
    ({"sip_settled": MOVED}, "moved"),
    ({"sip_settled": MOVED, "sip_restarted": {"changed": True}}, "moved, restarted"),
    ({"sip_settled": MOVED, "sip_restarted": {"skipped": True, "changed": False}}, "moved"),
    ({"sip_pushed": {"changed": True}, "sip_settled": {"skipped": True}}, "would be moved"),
    ({"sip_pushed": {"changed": False}, "sip_settled": {"done": {"a": True}}}, ""),
    ({}, ""),
])
def test_what_went_well_in_a_word(variables, status):
    assert outcome(**variables) == Outcome(status)


@pytest.mark.parametrize(("restored", "status", "words"), [
    ({"changed": True}, "put back", "It was put back as it was."),
    ({"failed": True, "msg": "gone"}, "not proven", "Putting it back failed: gone"),
    ({"unreachable": True, "msg": "gone"}, "not proven", "Putting it back failed: gone"),
    ({"skipped": True, "msg": "in use"}, "not proven", "It was not put back."),
    (None, "not proven", "It was not put back."),
])
def test_a_phone_that_was_not_proven_says_whether_it_is_as_before(restored, status, words):
    settled = {**MOVED, "failed_phones": {"a": "pbx does not show it"}, "not_proven": {"a": True}}
    told = outcome(sip_settled=settled, sip_pushed={"changed": True}, sip_restored=restored)
    assert (told.status, told.code, told.deferred) == (status, "not_proven", False)
    assert "pbx does not show it" in told.msg and words in told.msg


def test_unreachable_before_any_write_is_deferred_and_after_a_write_it_is_not():
    settled = {"failed_phones": {"a": "no answer"}, "deferred": {"a": True}}
    assert outcome(sip_settled=settled, sip_pushed={"unreachable": True, "code": "deferred"}) == Outcome("deferred", "deferred", "no answer", deferred=True)
    assert not outcome(sip_settled={**settled, **MOVED}, sip_pushed={"failed": True, "code": "bad_answer"}).deferred


def test_a_failed_push_counts_without_a_settled_wave_too():
    told = outcome(sip_pushed={"failed": True, "code": "not_applied", "msg": "no effect"})
    assert (told.status, told.code, told.msg) == ("failed", "not_applied", "no effect")


def test_a_phone_of_a_stopped_site_was_left_alone_unless_it_had_moved():
    stopped = {"stopped": {"acme": "The first 2 failed."}}
    assert (outcome(sip_settled=stopped).code, outcome(sip_settled={**stopped, **MOVED}).status) == ("site_stopped", "moved")
    assert not outcome(sip_settled={"stopped": {"elsewhere": "x"}}).failed


def test_a_phone_that_must_wait_for_one_that_stays_is_told_where_it_is_now():
    blocked = {"blocked": {"a": "b did not leave"}, "failed_phones": {"a": "b did not leave"}}
    left, aside = outcome(sip_settled=blocked), outcome(sip_settled={**blocked, **MOVED})
    assert (left.status, left.code, aside.status, aside.code) == ("left alone", "port_taken", "moved aside", "port_taken")
    assert "b did not leave" in left.msg


def test_a_phone_left_alone_during_a_call_as_the_user_wants_is_no_failure_but_not_forgotten():
    told = outcome(sip_settled={"deferred": {"a": True}}, sip_pushed={"skipped": True, "code": "deferred", "msg": "in use"})
    assert (told.status, told.failed, told.deferred) == ("in use", False, True)
