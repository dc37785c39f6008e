"""The order of a rollout, checked by playing it: at no time does a phone move onto a port that another one holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.evenport.sip.plugins.module_utils.errors import PlanError
from ansible_collections.evenport.sip.plugins.module_utils.plan.moves import order_moves


def play(current, planned, order):
    """Push the waves; return where everybody ended. Steps of one wave run in any order, so none may need what another one frees."""
    now = {phone: list(ports) for phone, ports in current.items()}
    for wave in order.waves:
        before = {phone: set(ports) for phone, ports in now.items()}
        for step in wave:
            gained = set(step["ports"]) - before.get(step["phone"], set()) - {None}
            for other, ports in before.items():
                assert other == step["phone"] or not gained & ports, (step, other)
            now[step["phone"]] = step["ports"]
    return now


def names(order):
    return [[step["phone"] for step in wave] for wave in order.waves]


def test_the_first_rollout_is_one_wave():
    current = {"a": [5060], "b": [5060], "c": [5060, 5062]}
    order = order_moves(current, {"a": [5060], "b": [5064], "c": [5066, 5068]})
    assert names(order) == [["a", "b", "c"]] and not order.blocked


def test_a_phone_waits_for_the_one_that_holds_its_port():
    planned = {"a": [5062], "b": [5064], "c": [5066]}
    order = order_moves({"a": [5060], "b": [5062], "c": [5064]}, planned)
    assert names(order) == [["c"], ["b"], ["a"]]
    assert not any(step["parking"] for wave in order.waves for step in wave)


def test_two_phones_that_swap_need_one_parking_port():
    order = order_moves({"a": [5060], "b": [5062]}, {"a": [5062], "b": [5060]})
    assert order.waves == [
        [{"phone": "a", "ports": [5202], "parking": True}],
        [{"phone": "b", "ports": [5060], "parking": False}],
        [{"phone": "a", "ports": [5062], "parking": False}],
    ]


def test_a_parked_phone_keeps_the_ports_that_nobody_waits_for():
    order = order_moves({"a": [5060, 5070], "b": [5062]}, {"a": [5062, 5070], "b": [5060]}, taken=[5203])
    assert order.waves[0] == [{"phone": "a", "ports": [5204, 5070], "parking": True}]


def test_a_phone_may_swap_its_own_lines_in_one_push():
    assert names(order_moves({"a": [5060, 5062]}, {"a": [5062, 5060]})) == [["a"]]


def test_ports_that_will_not_become_free_block_and_so_do_those_behind():
    order = order_moves({"soft": [5062], "a": [5060], "b": [5064], "c": [5066]}, {"a": [5062], "b": [5060], "c": [5068]})
    assert order.blocked == {"a": {"port": 5062, "holder": "soft"}, "b": {"port": 5060, "holder": "a"}}
    assert names(order) == [["c"]]


def test_one_port_for_two_phones_is_refused():
    with pytest.raises(PlanError):
        order_moves({}, {"a": [5060], "b": [5060]})


PORTS = range(5060, 5080, 2)


@given(st.data())
def test_any_move_ends_where_it_should_and_never_collides_on_the_way(data):
    phones = [f"p{n}" for n in range(data.draw(st.integers(1, 8)))]
    current = {phone: data.draw(st.lists(st.sampled_from([*PORTS, None]), max_size=2)) for phone in phones}
    free = data.draw(st.permutations(PORTS))
    planned = {phone: [free[n]] for n, phone in enumerate(phones)}
    order = order_moves(current, planned)
    assert not order.blocked
    end = play(current, planned, order)
    assert end == planned
    parked = [step for wave in order.waves for step in wave if step["parking"]]
    assert len({step["phone"] for step in parked}) == len(parked)
    assert sum(len(wave) for wave in order.waves) == len(phones) + len(parked)


@given(st.permutations(list(PORTS)))
def test_every_permutation_parks_once_for_each_ring(permutation):
    current = {str(port): [port] for port in PORTS}
    planned = {str(port): [new] for port, new in zip(PORTS, permutation, strict=True)}
    order = order_moves(current, planned)
    assert play(current, planned, order) == planned
    rings, seen = 0, set()
    for port in PORTS:
        if port not in seen and planned[str(port)] != [port]:
            rings += 1
        while port not in seen:
            seen.add(port)
            port = planned[str(port)][0]
    assert sum(step["parking"] for wave in order.waves for step in wave) == rings
    assert len(order.waves) <= len(PORTS) + 1
