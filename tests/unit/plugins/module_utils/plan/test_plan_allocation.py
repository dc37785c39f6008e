"""The allocation: stable, unique, even, in range, idempotent, linear; and every refusal names phone, line and remedy."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.evenport.sip.plugins.module_utils.errors import PlanError
from ansible_collections.evenport.sip.plugins.module_utils.plan.allocation import allocate
from ansible_collections.evenport.sip.plugins.module_utils.plan.lock import Lock, parse_lock
from ansible_collections.evenport.sip.plugins.module_utils.plan.phone import Phone
from ansible_collections.evenport.sip.plugins.module_utils.plan.ports import PortRange

NAMES, TRANSPORTS, SCOPES = [f"phone-{n}" for n in range(40)], ["udp", "tcp", "tls"], ["line", "phone"]
A_PHONE = st.builds(Phone, st.sampled_from(NAMES), st.integers(1, 3), st.sampled_from(TRANSPORTS), st.sampled_from(SCOPES))
A_SITE = st.lists(A_PHONE, max_size=20, unique_by=lambda phone: phone.name)


def locked(phones, lock=None, **options):
    plan = allocate(phones, lock=lock, absent="keep", **options)
    return Lock(plan.ports, list(lock.retired) if lock else [])


def live(ports):
    return [port for entry in ports.values() for port in entry if port is not None]


def test_the_first_plan_goes_by_the_order_of_the_list():
    plan = allocate([Phone("front-desk", 2), Phone("kitchen"), Phone("lobby")])
    assert plan.ports == {"front-desk": [5060, 5062], "kitchen": [5064], "lobby": [5066]}
    assert plan.new == [("front-desk", 1, 5060), ("front-desk", 2, 5062), ("kitchen", 1, 5064), ("lobby", 1, 5066)]
    assert (plan.used, plan.slots) == (4, 71)


def test_a_phone_with_one_port_for_all_its_lines():
    assert allocate([Phone("a", 3, port_scope="phone"), Phone("b")]).ports == {"a": [5060, None, None], "b": [5062]}


@given(A_SITE, st.randoms())
def test_reordering_never_moves_a_port(phones, random):
    lock = locked(phones)
    shuffled = list(phones)
    random.shuffle(shuffled)
    plan = allocate(shuffled, lock=lock)
    assert plan.ports == lock.ports and not plan.new


@given(A_SITE, A_SITE)
def test_adding_and_removing_never_moves_a_port(before, after):
    lock = locked(before)
    names = {phone.name: phone for phone in before}
    after = [names.get(phone.name, phone) for phone in after]
    assert {name: entry for name, entry in locked(after, lock).ports.items() if name in lock.ports} == lock.ports


@given(A_SITE, st.sets(st.integers(5060, 5200), max_size=5), st.sets(st.integers(5060, 5200), max_size=5))
def test_ports_are_unique_even_in_range_clear_of_tls_and_of_withheld_ports(phones, reserved, retired):
    plan = allocate(phones, PortRange(5060, 5400), Lock({}, sorted(retired)), reserved=reserved)
    ports = live(plan.ports)
    tls = [port + 1 for phone in phones if phone.transport == "tls" for port in live({phone.name: plan.ports[phone.name]})]
    assert len(set(ports + tls)) == len(ports) + len(tls)
    assert all(port % 2 == 0 and 5060 <= port <= 5400 for port in ports)
    assert not set(ports + tls) & (reserved | retired)
    assert [len(plan.ports[phone.name]) for phone in phones] == [phone.lines for phone in phones]


@given(A_SITE)
def test_a_second_run_changes_nothing(phones):
    lock = locked(phones)
    assert locked(phones, lock).ports == lock.ports


def test_a_new_phone_takes_the_lowest_free_slot_and_joins_at_the_end():
    lock = Lock({"a": [5060], "c": [5066]}, [5062])
    plan = allocate([Phone("a"), Phone("b"), Phone("c")], lock=lock)
    assert list(plan.ports.items()) == [("a", [5060]), ("c", [5066]), ("b", [5064])]


def test_a_new_line_fills_the_gap_of_its_phone():
    assert allocate([Phone("a", 3), Phone("b")], lock=Lock({"a": [5060, None], "b": [5062]})).ports == {"a": [5060, 5064, 5066], "b": [5062]}


def test_a_line_that_is_gone_keeps_its_port_and_is_reported():
    plan = allocate([Phone("a", 1), Phone("b", 2, port_scope="phone")], lock=Lock({"a": [5060, 5062], "b": [5064, 5066]}))
    assert plan.ports == {"a": [5060, 5062], "b": [5064, 5066]}
    assert plan.surplus == [("a", 2, 5062), ("b", 2, 5066)]


def test_an_absent_phone_keeps_its_port_where_wanted():
    plan = allocate([Phone("b")], lock=Lock({"a": [5060]}), absent="keep")
    assert plan.ports == {"a": [5060], "b": [5062]} and plan.absent == ["a"]


def test_a_pin_is_honoured_and_its_slot_not_handed_out():
    assert allocate([Phone("a", 2), Phone("b")], pins={"b": [5060], "a": [None, 5070]}).ports == {"b": [5060], "a": [5062, 5070]}


def test_an_active_account_takes_its_default_port():
    assert allocate([Phone("a", further={2: 5062}), Phone("b")]).ports == {"a": [5060], "b": [5064]}


@pytest.mark.parametrize(("phones", "options", "expected"), [
    ([Phone("a")], {"lock": Lock({"a": [5060], "old": [5062]})}, ["old", "unknown", "absent: keep"]),
    ([Phone("a"), Phone("b")], {"lock": Lock({"a": [5060], "b": [5060]})}, ["b line 1", "5060", "duplicate", "a line 1", "run the plan again"]),
    ([Phone("a", 2)], {"lock": Lock({"a": [5060, 5060]})}, ["a line 2", "duplicate", "a line 1"]),
    ([Phone("a")], {"lock": Lock({"a": [5061]})}, ["a line 1", "5061", "odd", "correct the lock"]),
    ([Phone("a")], {"lock": Lock({"a": [5300]})}, ["a line 1", "5300", "outside 5060-5200", "sip_port_end"]),
    ([Phone("a", transport="tls"), Phone("b")], {"lock": Lock({"a": [5060], "b": [5061]})}, ["b line 1", "odd", "SIP-TLS port (SIP + 1) of a line 1"]),
    ([Phone("a")], {"lock": Lock({"a": [5060]}, [5060])}, ["a line 1", "retired", "Release 5060"]),
    ([Phone("a")], {"lock": Lock({"a": [5060]}), "reserved": [5060]}, ["a line 1", "reserved", "sip_ports_reserved"]),
    ([Phone("a", transport="tls")], {"lock": Lock({"a": [5060]}), "reserved": [5061]}, ["a line 1", "5061", "SIP-TLS", "reserved"]),
    ([Phone("a", further={2: 5062}), Phone("b")], {"lock": Lock({"b": [5062]})}, ["b line 1", "account 2 of a", "switch it off"]),
    ([Phone("a", further={2: 5062})], {"lock": Lock({"a": [5062]})}, ["a line 1", "account 2 of a", "sip_extensions of a"]),
    ([Phone("a"), Phone("t", transport="tls")], {"ports": PortRange(step=1)}, ["t uses SIP-TLS", "sip_port_step to 2"]),
    ([Phone("a")], {"pins": {"a": [5063]}}, ["a line 1", "5063", "the pin", "odd"]),
    ([Phone("a")], {"pins": {"a": [80]}}, ["a line 1", "80", "outside"]),
    ([Phone("a")], {"pins": {"x": [5060]}}, ["x", "unknown"]),
    ([Phone("a")], {"pins": {"a": [5060, 5062]}}, ["a line 2", "1 line(s)"]),
    ([Phone("a", 2, port_scope="phone")], {"pins": {"a": [5060, 5062]}}, ["a line 2", "one port for the whole phone"]),
    ([Phone("a")], {"pins": {"a": [5070]}, "lock": Lock({"a": [5060]})}, ["a line 1", "5070", "5060"]),
    ([Phone("a"), Phone("b")], {"pins": {"a": [5070], "b": [5070]}}, ["b line 1", "duplicate", "a line 1"]),
    ([Phone("a"), Phone("a")], {}, ["a is in the list of phones twice"]),
])
def test_refusals_name_the_phone_and_what_would_help(phones, options, expected):
    with pytest.raises(PlanError) as caught:
        allocate(phones, site="acme_hq", **options)
    assert str(caught.value).startswith("acme_hq: ")
    for words in expected:
        assert words in str(caught.value)
    assert caught.value.remedy


def test_an_exhausted_range_names_the_first_phone_that_does_not_fit():
    assert allocate([Phone(f"p{n}") for n in range(71)]).ports["p70"] == [5200]
    with pytest.raises(PlanError) as caught:
        allocate([Phone(f"p{n}", 2) for n in range(40)], lock=Lock({"gone": [5060]}, [5062]), reserved=[5064], absent="keep", site="acme_hq")
    message = str(caught.value)
    counts = ["acme_hq", "p34 line 1", "40 phones with 80 lines", "71 slots", "1 retired", "1 reserved", "1 kept"]
    for words in [*counts, "sip_port_end", "release", "second public address", "VLAN or SBC"]:
        assert words in message


def test_step_one_is_fine_without_tls():
    assert allocate([Phone("a"), Phone("b")], PortRange(step=1)).ports == {"a": [5060], "b": [5061]}


@pytest.mark.parametrize("bounds", [(5061, 5200, 2), (5060, 5200, 3), (5060, 5200, 0), (5200, 5060, 2), (80, 5200, 2), (5060, 65535, 2)])
def test_a_range_that_makes_no_sense_is_refused(bounds):
    with pytest.raises(PlanError):
        PortRange(*bounds)


@pytest.mark.parametrize(("ports", "retired", "words"), [
    (["a"], None, "mapping"), ({1001: [5060]}, None, '"1001" in quotes'), ({"a": 5060}, None, "list of ports"), ({"a": "5060"}, None, "list of ports"),
    ({"a": [5060, "x"]}, None, "a line 2"), ({"a": [True]}, None, "a line 1"), ({"a": [0]}, None, "a line 1"),
    ({}, 5060, "sip_ports_retired"), ({}, ["x"], "sip_ports_retired"),
])
def test_a_lock_of_another_shape_is_refused(ports, retired, words):
    with pytest.raises(PlanError) as caught:
        parse_lock(ports, retired, "acme_hq")
    assert words in str(caught.value) and "acme_hq" in str(caught.value)


def test_one_hundred_thousand_phones_in_five_thousand_sites():
    count = 0
    for site in range(5000):
        plan = allocate([Phone(f"s{site}-p{n}") for n in range(20)])
        assert live(plan.ports) == list(range(5060, 5100, 2))
        count += len(plan.ports)
    assert count == 100_000


def test_the_work_grows_with_the_phones_not_with_their_square():
    def lines_executed(count):
        executed = 0

        def trace(_frame, event, _argument):
            nonlocal executed
            executed += event == "line"
            return trace

        phones = [Phone(f"p{n}", transport="tls" if n % 3 else "udp") for n in range(count)]
        lock = Lock({phone.name: [10_000 + 2 * n] for n, phone in enumerate(phones) if n % 2})
        before = sys.gettrace()
        sys.settrace(trace)
        try:
            allocate(phones, PortRange(10_000, 60_000), lock)
        finally:
            sys.settrace(before)
        return executed

    assert lines_executed(4000) < 2.1 * lines_executed(2000)
