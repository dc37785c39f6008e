"""The port map: who owns a port, who is on it, and who clashes with whom."""

from __future__ import annotations

import pytest

from ansible_collections.evenport.sip.plugins.plugin_utils.report.port_map import WHOLE, port_map
from tests.unit.plugins.plugin_utils.report.sample import sample_report

HERE = "203.0.113.7"


def line(phone, planned, on=None, verdict="ok", severity="ok", address=HERE, number=1, contacts=()):
    """*on*: the port that it is on; None: the planned one; 0: none."""
    on = planned if on is None else on
    return {
        "phone": phone, "line": number, "extension": "101", "kind": "phone", "planned": planned, "set": planned, "claimed": on, "seen": on,
        "seen_address": address if on else "", "transport": "udp", "user_agent": "", "nat_option": True, "verdict": verdict, "severity": severity,
        "this_run": "", "contacts": list(contacts),
    }


def drawn(*lines, first=5060, last=5080, step=2, reserved=(), retired=()):
    site = {"lines": list(lines), "range": {"first": first, "last": last, "step": step}, "reserved": list(reserved), "retired": list(retired)}
    return port_map(site, [f"l{n}" for n in range(1, len(lines) + 1)])


def cells(one):
    return {cell.port: cell for row in one.rows for cell in row}


def test_each_port_has_one_cell_with_its_owner():
    one = drawn(
        line("front", 5060), line("kitchen", 5064, verdict="unverified_nat", severity="warning"), line("lobby", 5066, 0, "not_registered", "warning"),
        reserved=[5070], retired=[5072])
    found = cells(one)
    assert list(found) == list(range(5060, 5081, 2)) and one.used == 3 and one.ports == 11 and [len(row) for row in one.rows] == [10, 1]
    assert (found[5060].tone, found[5060].sign, found[5060].label, found[5060].row) == ("ok", "ok", "front", "l1")
    assert found[5060].details == ("front line 1, extension 101: in order",)
    assert (found[5064].tone, found[5064].sign, found[5066].tone, found[5066].sign) == ("warning", "warning", "warning", "offline")
    assert [found[port].tone for port in (5062, 5070, 5072)] == ["free", "reserved", "retired"] and not found[5062].row


def test_a_phone_on_a_port_that_nobody_owns():
    cell = cells(drawn(line("kitchen", 5064, 5070, "wrong_port", "error")))
    assert (cell[5070].tone, cell[5070].sign, cell[5070].label) == ("error", "guest", "kitchen line 1")
    assert cell[5070].details == ("kitchen line 1 is here, planned 5064",)
    assert cell[5064].details == ("kitchen line 1, extension 101: wrong port (claimed 5070, seen 5070)",)


@pytest.mark.parametrize(("address", "clash"), [(HERE, True), ("", True), ("192.168.10.9", False)])
def test_a_phone_on_another_ones_port_clashes_behind_one_router_only(address, clash):
    cell = cells(drawn(line("front", 5060), line("kitchen", 5064, 5060, "wrong_port", "error", address)))[5060]
    assert (cell.tone == "clash") is clash
    assert cell.details[1] == "kitchen line 1 is here, planned 5064" and cell.label == ("2 phones" if clash else "front") and cell.row == "l1"


def test_an_owner_who_is_away_can_come_back():
    assert cells(drawn(line("front", 5060, 0, "not_registered"), line("kitchen", 5064, 5060, "wrong_port")))[5060].tone == "clash"


def test_two_owners_clash_even_of_one_phone_but_a_phone_with_one_port_for_its_lines_does_not():
    assert cells(drawn(line("front", 5060), line("kitchen", 5060, 0)))[5060].tone == "clash"
    assert cells(drawn(line("front", 5060), line("front", 5060, number=2)))[5060].tone == "clash"
    assert cells(drawn(line("front", 5060), line("front", 0, 5060, number=2)))[5060].tone == "ok"


def test_second_devices_are_there_and_old_registrations_are_not():
    def contact(kind):
        return {"kind": kind, "claimed": 5062, "seen": 5062, "seen_address": HERE, "user_agent": "x"}

    found = cells(drawn(line("front", 5060, contacts=[contact("unmanaged")]), line("kitchen", 5062)))
    assert found[5062].tone == "clash" and found[5062].details[1] == "a second device of front line 1 is here, which has no port in the plan"
    assert cells(drawn(line("front", 5060, contacts=[contact("stale_contact")])))[5062].tone == "free"


def test_thirty_phones_on_one_port():
    cell = cells(drawn(*(line(f"phone{n}", 5060 + 2 * n, 5060, "duplicate", "error") for n in range(30))))[5060]
    assert cell.tone == "clash" and cell.label == "30 phones" and len(cell.details) == 8 and cell.details[-1] == "and 23 others"


def test_ports_outside_the_range_are_drawn_when_they_matter():
    one = drawn(line("front", 5061), line("kitchen", 5064, 40000), line("lobby", 5066, 41000), line("hall", 5068, 41000))
    assert [(cell.port, cell.tone) for cell in one.outside] == [(5061, "ok"), (41000, "clash")]


@pytest.mark.parametrize(("first", "last", "step", "count", "left_out", "rows"), [
    (5060, 5060, 2, 1, 0, [1]), (5061, 5075, 7, 3, 0, [3]), (5060, 7059, 1, WHOLE, 0, [25] * 80), (1, 65535, 1, 3, 65532, [3]),
])
def test_any_range(first, last, step, count, left_out, rows):
    one = drawn(line("front", first), first=first, last=last, step=step, reserved=[last, first + step])
    assert len(cells(one)) == min(count, len(range(first, last + 1, step))) and one.left_out == left_out and [len(row) for row in one.rows] == rows


def test_every_port_of_a_sample_is_there_once():
    site = sample_report(3, 40)["sites"][2]
    one = port_map(site, [f"l{n}" for n in range(1, len(site["lines"]) + 1)])
    assert list(cells(one)) == list(range(5060, 5201, 2))
