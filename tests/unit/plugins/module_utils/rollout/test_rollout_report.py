# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One report from inventory, scan, registrations and outcomes."""

from __future__ import annotations

import json

import pytest

from ansible_collections.evenport.sip.plugins.module_utils.rollout.inventory import sites_of
from ansible_collections.evenport.sip.plugins.module_utils.rollout.outcome import Outcome
from ansible_collections.evenport.sip.plugins.module_utils.rollout.report import as_json, report_sites

PORTS = {"a": [5060], "b": [5062]}


def sites(**more):
    names = {**PORTS, **more}
    return sites_of({name: {
        "sip_site": "acme", "sip_pbx": "pbx", "sip_ports": PORTS, "sip_extensions": [f"{name}x"], **more.get(name, {})} for name in names})


def states(found, **more):
    return {phone.name: {"code": "", "msg": "", "further": {}, **more.get(phone.name, {})} for site in found.values() for phone in site.phones}


def registration(extension, port, seen=None, inside="192.168.1.5"):
    return {"extension": extension, "claimed_address": inside, "claimed_port": port, "seen_address": "203.0.113.1", "seen_port": seen or port,
            "transport": "udp", "user_agent": extension, "status": "reachable", "expires": 0, "seen_is_source": True}


def read(*registrations, nat=True, missing=()):
    extensions = [{"extension": one["extension"], "rewrite_contact": nat} for one in registrations]
    return {"pbx": {"registrations": list(registrations), "extensions": extensions, "missing": list(missing)}}


def report(found, reads, outcomes=None, now=0, moved=(), **more):
    (one,) = report_sites(found, states(found, **more), reads, outcomes, now=now, moved=moved)
    return one


def verdicts(one):
    return {v.line.phone: v.verdict for v in one.verdicts}


def codes(one):
    return [(f.code, f.phone) for f in one.findings if f.fault]


def test_a_site_in_order_has_no_finding():
    one = report(sites(), read(registration("ax", 5060), registration("bx", 5062)))
    assert (verdicts(one), codes(one)) == ({"a": "ok", "b": "ok"}, [])
    assert one.text()[0] == "acme: 2 of 2 lines in order"


def test_a_router_that_rewrites_ports_is_one_finding():
    one = report(sites(), read(registration("ax", 5060, 41000), registration("bx", 5062, 41001)))
    assert codes(one) == [("router_translated", "")]


def test_a_pbx_that_was_not_read_is_one_finding_and_proves_nothing():
    for result, words in (({"failed": True, "msg": "refused"}, "refused"), ({"unreachable": True, "msg": "gone"}, "gone"), (None, "was not asked")):
        one = report(sites(), {"pbx": result} if result else {})
        assert verdicts(one) == {"a": "not_seen", "b": "not_seen"}
        assert codes(one) == [("pbx_not_read", "")]
        assert words in one.findings[0].text


def test_phones_without_a_pbx_are_told_so_and_the_others_are_judged():
    one = report(sites(b={"sip_pbx": ""}), read(registration("ax", 5060)))
    assert verdicts(one) == {"a": "ok", "b": "not_seen"}
    assert "sip_pbx" in one.findings[0].text


def test_phones_of_two_pbxs_are_judged_by_their_own_and_shown_in_inventory_order():
    reads = {**read(registration("bx", 5060)), "pbx2": read(registration("bx", 5062))["pbx"]}
    one = report(sites(b={"sip_pbx": "pbx2"}), {"pbx": read(registration("ax", 5060))["pbx"], "pbx2": reads["pbx2"]})
    assert list(verdicts(one).items()) == [("a", "ok"), ("b", "ok")]


def test_an_extension_that_the_pbx_does_not_know_is_named_as_such():
    one = report(sites(), read(registration("ax", 5060), missing=["bx"]))
    assert verdicts(one) == {"a": "ok", "b": "unknown_extension"}


def test_what_the_scan_found_is_told_once_though_it_is_the_outcome_too():
    wrong = {"code": "auth_failed", "msg": "b: refused."}
    one = report(sites(), read(registration("ax", 5060), registration("bx", 5062)), {"b": Outcome("refused", "auth_failed", "b: refused.")}, b=wrong)
    assert codes(one) == [("auth_failed", "b")]


def test_what_a_run_did_is_a_column_and_its_failures_are_findings():
    outcomes = {"a": Outcome("moved"), "b": Outcome("put back", "not_proven", "acme/b was moved, but ...")}
    one = report(sites(), read(registration("ax", 5060), registration("bx", 5062)), outcomes)
    assert ("not_proven", "b") in codes(one)
    assert one.did() == {"a": "moved", "b": "put back"}
    assert "this run" in one.text()[1]


def test_an_active_account_on_a_planned_port_is_named_with_its_owner():
    one = report(sites(), read(registration("ax", 5060), registration("bx", 5062)), a={"further": {"2": 5062, "3": 5090}})
    assert [(f.code, f.phone, f.line) for f in one.findings] == [("active_account", "a", 2)]
    assert "planned for b" in one.findings[0].text


def test_a_nat_option_that_is_off_counts_only_for_phones_that_the_pbx_answers_at_a_private_address():
    def off(seen_address):
        return read({**registration("ax", 5060), "seen_address": seen_address, "seen_is_source": False}, registration("bx", 5062), nat=False)
    assert "nat_option_missing" in {f.code for f in report(sites(), off("192.168.1.5")).findings}
    assert "nat_option_missing" not in {f.code for f in report(sites(), off("203.0.113.1")).findings}


def test_the_report_is_json_and_has_no_secret_of_the_inventory():
    found = sites(a={"sip_phone_password": "hunter2"})
    data = json.dumps(as_json([report(found, read(registration("ax", 5060)), {"a": Outcome("moved")})]))
    assert "hunter2" not in data
    assert json.loads(data)["lines"][0]["this_run"] == "moved"


@pytest.mark.parametrize(("provisioning", "told"), [
    ({"server": "prov.example.net", "protected": False}, True), ({"server": "prov.example.net", "protected": True}, False), ({}, False)])
def test_a_provisioning_server_is_worth_knowing_even_where_all_is_in_order(provisioning, told):
    one = report(sites(), read(registration("ax", 5060), registration("bx", 5062)), a={"provisioning": provisioning})
    assert codes(one) == [] and [(f.code, f.phone) for f in one.findings] == [("provisioning_server", "a")] * told
    assert not told or "prov.example.net" in one.findings[0].text


def exported(*registrations, as_of=1000):
    (result,) = read(*registrations).values()
    return {"pbx": {**result, "live": False, "as_of": as_of}}


def test_a_table_from_before_can_not_judge_the_phones_that_this_run_moved():
    one = report(sites(), exported(registration("ax", 5060), registration("bx", 5060)), {"b": Outcome("moved")}, now=1000 + 3 * 3600 + 5, moved={"b": {}})
    assert verdicts(one) == {"a": "ok", "b": "not_seen"}
    assert codes(one) == [("status_old", "")]
    assert "exported 3 hours ago" in one.findings[0].text and "1 phone(s), which nothing proves yet (b)" in one.findings[0].text
    assert "Export it again" in one.findings[0].remedy
    assert one.text()[0].startswith("acme: 1 of 2 lines in order")


def test_a_table_is_one_finding_however_many_phones_moved_and_no_fault_where_none_did():
    moved = {"a": {}, "b": {}}
    assert codes(report(sites(), exported(), {}, now=5000, moved=moved)) == [("status_old", "")]
    one = report(sites(), exported(registration("ax", 5060), registration("bx", 5064)), now=1000 + 86400 * 9)
    assert verdicts(one) == {"a": "ok", "b": "wrong_port"}
    assert [(f.code, f.fault) for f in one.findings if f.code == "status_old"] == [("status_old", False)]
    assert "9 days ago" in next(f.text for f in one.findings if f.code == "status_old")
    assert "does not tell" in report(sites(), exported(as_of=0), now=5000).findings[0].text


def test_what_a_table_shows_was_registered_when_it_was_exported():
    old = {**registration("ax", 5060), "expires": 1500}
    assert verdicts(report(sites(), exported(old), now=90000))["a"] == "ok"
    assert verdicts(report(sites(), read(old), now=90000))["a"] == "not_registered"


def test_a_live_pbx_judges_the_phones_that_this_run_moved():
    one = report(sites(), read(registration("ax", 5060), registration("bx", 5062)), {"b": Outcome("moved")}, now=5000, moved={"b": {}})
    assert (verdicts(one), codes(one)) == ({"a": "ok", "b": "ok"}, [])


def test_a_pbx_without_ports_proves_nothing_and_faults_nobody():
    blind = [{"extension": name, "status": "registered"} for name in ("ax", "bx")]
    one = report(sites(), {"pbx": {"registrations": blind, "extensions": [], "missing": [], "shows_ports": False}}, now=5000)
    assert (verdicts(one), codes(one)) == ({"a": "port_unseen", "b": "port_unseen"}, [])
