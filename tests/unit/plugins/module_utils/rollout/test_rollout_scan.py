# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading all phones: who is contacted, how each is sorted, and that nobody's trouble becomes another's."""

from __future__ import annotations

import threading

import pytest

from ansible_collections.evenport.sip.plugins.module_utils.errors import AuthFailed, Busy, PlanError, Provisioned, Unreachable
from ansible_collections.evenport.sip.plugins.module_utils.rollout.inventory import sites_of
from ansible_collections.evenport.sip.plugins.module_utils.rollout.scan import (
    DRIFTED,
    IN_ORDER,
    NOT_ASKED,
    OFFLINE,
    ON_SITE,
    REFUSED,
    UNMANAGED,
    order_of,
    scan_sites,
)


def fleet(ports, **more):
    """One site; *more*: phone -> further variables."""
    return sites_of({name: {"sip_site": "acme", "sip_pbx": "pbx", "sip_ports": ports, **more.get(name, {})} for name in {**ports, **more}})


def reading(port=5060, drift=True, random_port=False, accounts=()):
    return {
        "identity": {"brand": "x"}, "settings": {"random_port": random_port, "lines": [{"line": 1, "local_port": port}, {"line": 2, "local_port": 5062}]},
        "drift": {"before": {"lines": [{"line": 1, "local_port": port}]}, "after": {"lines": []} if drift else {}}, "provisioning": {},
        "port_scope": "line", "call_state": True, "accounts": [{"number": 1, "active": True, "local_port": port}, *accounts],
    }


def scan(sites, readings):
    def inspect(phone):
        result = readings[phone.name]
        if isinstance(result, BaseException):
            raise result
        return result
    return scan_sites(sites.values(), inspect)


def test_phones_are_sorted_by_what_is_to_be_done():
    sites = fleet({"a": [5060], "b": [5062], "c": [5064], "d": [5066], "e": [5068], "f": [5070]},
                  soft={"sip_phone_kind": "softphone"}, e={"sip_site_runner": "box"})
    states = scan(sites, {
        "a": reading(drift=False), "b": reading(), "c": Unreachable("c: no answer."), "d": AuthFailed("d: refused."), "f": KeyError("secret")})
    assert {name: state["state"] for name, state in states.items()} == {
        "a": IN_ORDER, "b": DRIFTED, "c": OFFLINE, "d": REFUSED, "e": ON_SITE, "f": REFUSED, "soft": UNMANAGED}
    assert list(states) == [*"abcdef", "soft"], "in inventory order, whether somebody was contacted or not"
    assert {name: state["code"] for name, state in states.items() if state["code"]} == {"c": "deferred", "d": "auth_failed", "f": "error"}


def test_what_nobody_thought_of_is_one_phones_failure_and_its_text_stays_inside():
    states = scan(fleet({"a": [5060], "b": [5062]}), {"a": ValueError("hunter2"), "b": reading()})
    assert "hunter2" not in states["a"]["msg"] and "ValueError" in states["a"]["msg"]
    assert states["b"]["state"] == DRIFTED


def test_a_phone_whose_only_web_session_is_somebody_elses_is_for_another_run():
    state = scan(fleet({"a": [5060]}), {"a": Busy("a: somebody is logged in.")})["a"]
    assert (state["state"], state["code"]) == (OFFLINE, "deferred")


def test_states_are_in_inventory_order_however_long_each_phone_takes():
    ports = {f"p{number}": [5060 + 2 * number] for number in range(20)}
    first_may_go = threading.Event()

    def inspect(phone):
        if phone.name == "p0":
            first_may_go.wait(5)
        if phone.name == "p19":
            first_may_go.set()
        return reading()
    assert list(scan_sites(fleet(ports).values(), inspect, workers=20)) == list(ports)


def test_nobody_is_contacted_at_a_site_whose_lock_is_broken():
    states = scan(fleet({"a": [5060], "b": [5060]}), {})
    assert {state["code"] for state in states.values()} == {PlanError.code}
    assert all("duplicate" in state["msg"] for state in states.values())


def test_a_phone_with_an_error_of_its_own_is_not_contacted():
    states = scan(fleet({"a": [5060], "b": [5062]}, a={"sip_extensions": {"not": "a list"}}), {"b": reading()})
    assert (states["a"]["state"], states["b"]["state"]) == (REFUSED, DRIFTED)


def test_only_planned_lines_count_as_ports_that_the_phone_will_leave():
    accounts = [{"number": 2, "active": True, "local_port": 5062}, {"number": 3, "active": False, "local_port": 5064}]
    state = scan(fleet({"a": [5070]}), {"a": reading(5060, accounts=accounts)})["a"]
    assert (state["ports_now"], state["further"]) == ([5060], {"2": 5062})


def test_a_phone_with_random_ports_is_in_nobodys_way():
    accounts = [{"number": 2, "active": True, "local_port": 5062}]
    state = scan(fleet({"a": [5070]}), {"a": reading(5060, random_port=True, accounts=accounts)})["a"]
    assert (state["ports_now"], state["further"]) == ([], {})


def test_a_second_account_of_the_plan_is_a_line_and_not_a_further_account():
    sites = fleet({"a": [5070, 5072]}, a={"sip_extensions": ["1", "2"]})
    state = scan(sites, {"a": reading(5060, accounts=[{"number": 2, "active": True, "local_port": 5062}])})["a"]
    assert (state["ports_now"], state["further"]) == ([5060, 5062], {})


def test_an_active_account_blocks_the_phone_that_is_to_get_its_port():
    sites = fleet({"a": [5060], "b": [5062]})
    states = scan(sites, {"a": reading(drift=False, accounts=[{"number": 2, "active": True, "local_port": 5062}]), "b": reading()})
    order = order_of(sites["acme"], states)
    assert order.waves == []
    assert (states["b"]["state"], states["b"]["code"]) == (REFUSED, "active_account")
    assert "account 2 of a is active on it" in states["b"]["msg"] and "sip_extensions" in states["b"]["msg"]


@pytest.mark.parametrize("in_order", [True, False])
def test_a_phone_that_holds_anothers_port_moves_first_or_is_waited_for_in_vain(in_order):
    sites = fleet({"a": [5062], "b": [5060]})
    readings = {"a": reading(5060), "b": reading(5062, drift=False) if in_order else AuthFailed("b: refused.")}
    states = scan(sites, readings)
    order_of(sites["acme"], states)
    # What a refused phone holds is not known; a phone that was read and stays on its port blocks.
    assert states["a"]["code"] == ("port_taken" if in_order else "")


def test_phones_that_need_nothing_are_not_in_the_order():
    sites = fleet({"a": [5060], "b": [5062]})
    states = scan(sites, {"a": reading(5060, drift=False), "b": reading(5060)})
    assert [[step["phone"] for step in wave] for wave in order_of(sites["acme"], states).waves] == [["b"]]


def test_a_phone_with_one_port_for_all_lines_keeps_the_first_of_those_planned():
    sites = fleet({"a": [5060, 5062, 5064]}, a={"sip_extensions": ["1", "2", "3"]})
    states = scan(sites, {"a": {**reading(5062), "port_scope": "phone", "call_state": False}})
    assert states["a"]["ports"] == sites["acme"].phones[0].ports == [5060, None, None] and states["a"]["call_state"] is False
    assert [(line.extension, line.port) for line in sites["acme"].lines()] == [("1", 5060), ("2", None), ("3", None)]


def test_a_phone_that_a_server_owns_is_refused():
    sites = fleet({"a": [5060]})
    assert scan(sites, {"a": Provisioned("a: owned by prov.example.net.")})["a"]["code"] == "provisioned"


def test_a_phone_that_a_server_owns_tells_what_it_holds_though_nothing_is_written():
    owned = Provisioned("a: owned by prov.example.net.")
    owned.found = {**reading(5062), "provisioning": {"server": "prov.example.net"}}
    sites = fleet({"a": [5060], "b": [5062]})
    states = scan(sites, {"a": owned, "b": reading(5060)})
    assert (states["a"]["state"], states["a"]["ports_now"], states["a"]["settings"]["lines"][0]["local_port"]) == (REFUSED, [5062], 5062)
    order_of(sites["acme"], states)
    assert states["b"]["code"] == "port_taken", "nobody is moved onto the port that it keeps"


@pytest.mark.parametrize(("brand", "password", "told"), [
    ("yealink", "admin", True), ("yealink", "Admin", False), ("poly", 456, True), ("poly", "admin", False), ("snom", "", False), ("nobody", "admin", False)])
def test_the_factory_password_is_known_by_the_one_that_was_accepted_and_stays_inside(brand, password, told):
    given = {**reading(drift=False), "identity": {"brand": brand}}
    state = scan(fleet({"a": [5060]}, a={"sip_phone_password": password}), {"a": given})["a"]
    assert state["default_password"] is told
    assert not any(str(value) == str(password) for value in state.values() if password)


def test_an_audit_leaves_phones_unasked_that_a_rollout_asks():
    """No password; told not to, as a text like -e gives it; a phone's own error still counts first."""
    ports = {name: [5060 + 2 * n] for n, name in enumerate("abcde")}
    sites = fleet(ports, a={"sip_phone_password": ""}, b={"sip_phone_password": "x", "sip_audit_phones": "no"}, c={"sip_phone_password": "x"},
                  d={"sip_phone_password": "x", "sip_audit_phones": False, "sip_site_runner": "box"}, e={"sip_extensions": 5.5})
    states = scan_sites(sites.values(), lambda phone: reading(drift=False), audit=True)
    assert {name: state["state"] for name, state in states.items()} == {
        "a": NOT_ASKED, "b": NOT_ASKED, "c": IN_ORDER, "d": NOT_ASKED, "e": REFUSED}
    assert {name: state["msg"] for name, state in states.items() if state["state"] == NOT_ASKED} == {
        "a": "it has no sip_phone_password", "b": "sip_audit_phones is false", "d": "sip_audit_phones is false"}
    assert {state["code"] for state in states.values() if state["state"] == NOT_ASKED} == {""}, "not asking is no fault"
    asked = scan_sites(fleet({"a": [5060]}, a={"sip_audit_phones": False}).values(), lambda phone: reading(drift=False))
    assert asked["a"]["state"] == IN_ORDER
