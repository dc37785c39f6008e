# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a wave came to, whatever the phones and the PBXs said."""

from __future__ import annotations

import pytest

from ansible_collections.evenport.sip.plugins.module_utils.rollout.settle import open_wave, settle


def wave_of(*names, after=()):
    return {
        "phones": {name: {"ports": [5060], "parking": False, "after": list(after)} for name in names},
        "expected": {"pbx": [{"phone": name, "extension": f"{name}x", "port": 5060} for name in names]},
    }


PUSHED = {"changed": True, "before": {"was": 1}, "after": {"is": 2}}
GOOD = {"pbx": {"not_shown": []}}


def test_a_phone_is_done_when_its_pbx_shows_it():
    settled = settle(wave_of("a"), {"a": PUSHED}, GOOD)
    assert settled["moved"] == {"a": {"before": {"was": 1}, "after": {"is": 2}}}
    assert (settled["done"], settled["failed_phones"], settled["not_shown"]) == ({"a": True}, {}, {})


def test_a_phone_that_its_pbx_does_not_show_is_to_be_mended_and_a_good_restart_clears_it():
    first = settle(wave_of("a", "b"), {"a": PUSHED, "b": PUSHED}, {"pbx": {"not_shown": ["ax"]}})
    assert first["not_shown"] == {"a": "pbx does not show extension ax on port 5060"}
    assert (set(first["failed_phones"]), set(first["not_proven"]), set(first["done"]), first["unread"]) == ({"a"}, {"a"}, {"b"}, {})
    second = settle(wave_of("a", "b"), {"a": {"changed": True}}, GOOD, first)
    assert (second["failed_phones"], second["not_shown"], second["not_proven"], set(second["done"])) == ({}, {}, {}, {"a", "b"})
    assert second["moved"]["a"]["before"] == {"was": 1}, "what was there before the first push"


@pytest.mark.parametrize("restart", [{"failed": True, "msg": "in use"}, {"unreachable": True, "msg": "gone"}, {"skipped": True}])
def test_a_phone_whose_restart_does_not_happen_is_still_to_be_put_back(restart):
    first = settle(wave_of("a"), {"a": PUSHED}, {"pbx": {"not_shown": ["ax"]}})
    second = settle(wave_of("a"), {"a": restart}, GOOD, first)
    assert set(second["not_shown"]) == set(second["not_proven"]) == {"a"}
    assert "does not show extension ax" in second["failed_phones"]["a"]
    assert second["deferred"] == {}, "it was written to"


@pytest.mark.parametrize("reads", [{}, {"pbx": {"failed": True, "msg": "refused"}}, {"pbx": {"unreachable": True, "msg": "refused"}}])
def test_a_pbx_that_cannot_be_read_proves_nothing_and_is_no_reason_to_restart(reads):
    settled = settle(wave_of("a"), {"a": PUSHED}, reads)
    assert set(settled["not_shown"]) == {"a"} == set(settled["unread"])
    assert "pbx could not be read" in settled["failed_phones"]["a"]


def test_a_phone_that_was_right_already_has_nothing_to_prove():
    settled = settle(wave_of("a"), {"a": {"changed": False}}, {"pbx": {"failed": True}})
    assert (settled["moved"], settled["failed_phones"], settled["done"]) == ({}, {}, {"a": True})


@pytest.mark.parametrize(("push", "deferred"), [
    ({"unreachable": True, "msg": "no answer"}, True), ({"failed": True, "code": "deferred", "msg": "in use"}, True),
    ({"failed": True, "code": "not_applied", "msg": "no effect"}, False), ({"skipped": True, "code": "deferred"}, True), ({"skipped": True}, False),
])
def test_only_what_may_pass_by_itself_is_deferred(push, deferred):
    assert settle(wave_of("a"), {"a": push}, GOOD)["deferred"] == ({"a": True} if deferred else {})


def test_a_phone_waits_in_vain_for_one_that_failed_was_skipped_or_never_came():
    for earlier in ({}, {"failed_phones": {"first": "why"}}, settle(wave_of("first"), {"first": {"skipped": True}}, GOOD)):
        settled = open_wave(wave_of("a", after=["first"]), {}, earlier)
        assert "first did not leave" in settled["blocked"]["a"]
        assert "a" in settled["failed_phones"]
    chain = open_wave(wave_of("b", after=["a"]), {}, settled)
    assert "a did not leave" in chain["blocked"]["b"]
    assert open_wave(wave_of("a", after=["first"]), {}, settle(wave_of("first"), {"first": PUSHED}, GOOD))["blocked"] == {}


def test_a_result_of_an_earlier_wave_is_not_told_twice():
    parked = settle(wave_of("a"), {"a": PUSHED}, {"pbx": {"not_shown": ["ax"]}})
    before = open_wave(wave_of("a", "b"), {}, parked)
    after = settle(wave_of("a", "b"), {"a": PUSHED, "b": PUSHED}, GOOD, before)
    assert set(after["failed_phones"]) == {"a"} == set(after["not_proven"])
    assert (after["not_shown"], after["done"]) == ({}, {"b": True})


@pytest.mark.parametrize(("failed", "stops"), [(["a", "b"], True), (["a"], False), ([], False)])
def test_a_site_stops_when_all_of_its_canaries_failed_and_not_before(failed, stops):
    pushes = {name: {"failed": True, "msg": "no"} if name in failed else PUSHED for name in "ab"}
    settled = settle(wave_of("a", "b"), pushes, GOOD, None, {"acme": ["a", "b"], "other": []})
    assert set(settled["stopped"]) == ({"acme"} if stops else set())


@pytest.mark.parametrize(("extension", "in_use"), [
    ({"active_channels": 0, "device_state": "Not in use"}, {"a": False}), ({"active_channels": 1, "device_state": "Not in use"}, {"a": True}),
    ({"active_channels": 0, "device_state": "In use"}, {"a": True}), ({"active_channels": 0, "device_state": "RINGINUSE"}, {"a": True}),
    ({"active_channels": 0, "device_state": "Unavailable"}, {"a": False}), ({"active_channels": 0, "device_state": ""}, {}), (None, {})])
def test_the_pbx_says_whether_a_mute_phone_is_in_use(extension, in_use):
    wave = {**wave_of("a", "b"), "mute": {"pbx": {"a": ["ax"]}}}
    read = {"not_shown": ["ax"], "extensions": [{"extension": "ax", **extension}] if extension else []}
    assert open_wave(wave, {"pbx": read})["in_use"] == in_use
    assert settle(wave, {"a": PUSHED, "b": PUSHED}, {"pbx": read})["in_use"] == in_use, "fresh again before a restart"


@pytest.mark.parametrize("read", [{"failed": True}, {"unreachable": True}])
def test_a_pbx_that_is_silent_knows_nothing_of_calls(read):
    wave = {**wave_of("a"), "mute": {"pbx": {"a": ["ax"]}}}
    assert open_wave(wave, {"pbx": read})["in_use"] == open_wave(wave)["in_use"] == {}
