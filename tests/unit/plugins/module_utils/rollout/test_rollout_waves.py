# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waves: nobody is forgotten or moved twice, and no port has two holders on the way."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.evenport.sip.plugins.module_utils.plan.moves import Order, order_moves
from ansible_collections.evenport.sip.plugins.module_utils.rollout.inventory import Site, SitePhone
from ansible_collections.evenport.sip.plugins.module_utils.rollout.settle import open_wave, settle
from ansible_collections.evenport.sip.plugins.module_utils.rollout.waves import plan_waves

PORTS = [5060 + 2 * number for number in range(8)]


@st.composite
def fleets(draw):
    """Sites with phones on any ports, each on its way to another: chains and rings included."""
    sites, orders = {}, {}
    for number in range(draw(st.integers(1, 3))):
        count = draw(st.integers(1, 6))
        now, goal = (draw(st.permutations(PORTS))[:count] for unused in "ab")
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
        settled = open_wave(wave, {}, settled)
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


def test_phones_that_cannot_speak_of_calls_are_asked_for_at_their_pbx_wave_by_wave():
    sites, orders = site_of("a", "b", "c")
    waves, unused = plan_waves(sites, orders, 1, {"a", "c"})
    assert [wave["ask"] for wave in waves] == [{"pbx": ["ax"]}, {"pbx": ["cx"]}]
    assert [wave["mute"] for wave in waves] == [{"pbx": {"a": ["ax"]}}, {"pbx": {"c": ["cx"]}}]


def site_of(*names):
    site = Site("acme")
    site.phones = [SitePhone(name, "acme", {"sip_pbx": "pbx"}, [f"{name}x"], [5062 + 2 * number]) for number, name in enumerate(names)]
    order = order_moves({name: [5060] for name in names}, {phone.name: phone.ports for phone in site.phones})
    return {"acme": site}, {"acme": order}
