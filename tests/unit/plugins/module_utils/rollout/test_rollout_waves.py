# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waves: nobody is forgotten or moved twice; and what a wave came to, whatever the phones and the PBXs said."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.evenport.sip.plugins.module_utils.plan.moves import Order, order_moves
from ansible_collections.evenport.sip.plugins.module_utils.rollout.inventory import Site, SitePhone
from ansible_collections.evenport.sip.plugins.module_utils.rollout.waves import plan_waves, settle

PORTS = [5060 + 2 * number for number in range(8)]


@st.composite
def fleets(draw):
    """Sites with phones on any ports, each on its way to another: chains and rings included."""
    sites, orders = {}, {}
    for number in range(draw(st.integers(1, 3))):
        count = draw(st.integers(1, 6))
        now, goal = (draw(st.permutations(PORTS))[:count] for _ in "ab")
        names = [f"s{number}p{index}" for index in range(count)]
        site = Site(f"s{number}")
        site.phones = [SitePhone(name, site.name, {"sip_pbx": draw(st.sampled_from(["pbx1", "pbx2", ""]))}, [f"{name}x"], [port])
                       for name, port in zip(names, goal, strict=True)]
        sites[site.name] = site
        orders[site.name] = order_moves(dict(zip(names, ([port] for port in now), strict=True)), dict(zip(names, ([port] for port in goal), strict=True)))
        orders[site.name].now = dict(zip(names, now, strict=True))
    return sites, orders


def steps_of(waves):
    return [(name, tuple(step["ports"]), step["parking"]) for wave in waves for name, step in wave["phones"].items()]


@given(fleets(), st.integers(0, 3))
def test_every_step_of_every_site_happens_exactly_once_and_in_order(fleet, canaries):
    sites, orders = fleet
    waves, _chosen = plan_waves(sites, orders, canaries)
    wanted = [(step["phone"], tuple(step["ports"]), step["parking"]) for order in orders.values() for wave in order.waves for step in wave]
    assert Counter(steps_of(waves)) == Counter(wanted)
    place = {step: number for number, wave in enumerate(waves) for step in steps_of([wave])}
    for order in orders.values():
        numbers = [[place[step["phone"], tuple(step["ports"]), step["parking"]] for step in wave] for wave in order.waves]
        assert all(max(earlier) < min(later) for earlier, later in zip(numbers, numbers[1:], strict=False))


@given(fleets(), st.integers(0, 3))
def test_canaries_go_first_and_only_where_others_come_after_them(fleet, canaries):
    sites, orders = fleet
    waves, chosen = plan_waves(sites, orders, canaries)
    for site, names in chosen.items():
        movers = {step["phone"] for wave in orders[site].waves for step in wave}
        assert 0 < len(names) <= canaries < len(movers)
        assert {name for name in waves[0]["phones"] if name in movers} == set(names)
        assert not any(waves[0]["phones"][name]["parking"] for name in names)
    small = [site for site in sites if site not in chosen]
    assert not chosen or all(name not in waves[0]["phones"] for site in small for name in [phone.name for phone in sites[site].phones])


@given(fleets())
def test_each_pbx_is_asked_for_exactly_the_ports_of_its_phones_in_the_wave(fleet):
    sites, orders = fleet
    phones = {phone.name: phone for site in sites.values() for phone in site.phones}
    for wave in plan_waves(sites, orders)[0]:
        shown = {(pbx, row["phone"], row["extension"], row["port"]) for pbx, rows in wave["expected"].items() for row in rows}
        assert shown == {(phones[name].pbx, name, f"{name}x", step["ports"][0]) for name, step in wave["phones"].items() if phones[name].pbx}


@given(fleets(), st.data())
def test_whoever_fails_nobody_moves_onto_a_port_that_is_still_held(fleet, data):
    """The rollout, played: some phones fail and stay where they are, and whoever waits for them must stay too."""
    sites, orders = fleet
    site_of = {phone.name: site.name for site in sites.values() for phone in site.phones}
    failing = data.draw(st.sets(st.sampled_from(sorted(site_of))))
    held = {name: order.now[name] for order in orders.values() for name in order.now}
    settled = {}
    for wave in plan_waves(sites, orders, data.draw(st.integers(0, 2)))[0]:
        settled = settle(wave, {}, {}, settled)
        movers = [name for name in wave["phones"] if name not in settled["failed_phones"]]
        for name in movers:
            port = wave["phones"][name]["ports"][0]
            assert not [other for other in held if other != name and site_of[other] == site_of[name] and held[other] == port]
        held.update({name: wave["phones"][name]["ports"][0] for name in movers if name not in failing})
        pushes = {name: {"failed": True} if name in failing else {"changed": True, "before": {}, "after": {}} for name in movers}
        settled = settle(wave, pushes, {pbx: {} for pbx in wave["expected"]}, settled)
    if not failing:
        assert held == {phone.name: phone.ports[0] for site in sites.values() for phone in site.phones}


def test_lines_without_a_port_or_an_extension_are_not_waited_for():
    site = Site("acme", [SitePhone("a", "acme", {"sip_pbx": "pbx"}, ["101", "", "103"], [5060, 5062, None])])
    order = Order([[{"phone": "a", "ports": [5060, 5062, None], "parking": False}]])
    waves, _canaries = plan_waves({"acme": site}, {"acme": order})
    assert waves[0]["expected"] == {"pbx": [{"phone": "a", "extension": "101", "port": 5060}]}


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
        settled = settle(wave_of("a", after=["first"]), {}, {}, earlier)
        assert "first did not leave" in settled["blocked"]["a"]
        assert "a" in settled["failed_phones"]
    chain = settle(wave_of("b", after=["a"]), {}, {}, settled)
    assert "a did not leave" in chain["blocked"]["b"]
    assert settle(wave_of("a", after=["first"]), {}, {}, settle(wave_of("first"), {"first": PUSHED}, GOOD))["blocked"] == {}


def test_a_result_of_an_earlier_wave_is_not_told_twice():
    parked = settle(wave_of("a"), {"a": PUSHED}, {"pbx": {"not_shown": ["ax"]}})
    before = settle(wave_of("a", "b"), {}, {}, parked)
    after = settle(wave_of("a", "b"), {"a": PUSHED, "b": PUSHED}, GOOD, before)
    assert set(after["failed_phones"]) == {"a"} == set(after["not_proven"])
    assert (after["not_shown"], after["done"]) == ({}, {"b": True})


@pytest.mark.parametrize(("failed", "stops"), [(["a", "b"], True), (["a"], False), ([], False)])
def test_a_site_stops_when_all_of_its_canaries_failed_and_not_before(failed, stops):
    pushes = {name: {"failed": True, "msg": "no"} if name in failed else PUSHED for name in "ab"}
    settled = settle(wave_of("a", "b"), pushes, GOOD, None, {"acme": ["a", "b"], "other": []})
    assert set(settled["stopped"]) == ({"acme"} if stops else set())
