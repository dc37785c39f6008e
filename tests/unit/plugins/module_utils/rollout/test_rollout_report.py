# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One report from inventory, scan, registrations, outcomes and journal; always of the schema."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from ansible_collections.evenport.sip.plugins.module_utils.rollout.inventory import sites_of
from ansible_collections.evenport.sip.plugins.module_utils.rollout.outcome import Outcome
from ansible_collections.evenport.sip.plugins.module_utils.rollout.report import build_report

VALID = jsonschema.Draft202012Validator(json.loads((Path(__file__).parents[5] / "docs/report.schema.json").read_text("utf-8")))
PORTS = {"a": [5060], "b": [5062]}
HERE = "203.0.113.1"


def sites(**more):
    names = {**PORTS, **more}
    return sites_of({name: {
        "sip_site": "acme", "sip_pbx": "pbx", "sip_ports": PORTS, "sip_extensions": [f"{name}x"], **more.get(name, {})} for name in names})


def states(found, **more):
    return {phone.name: {"code": "", "msg": "", "further": {}, **more.get(phone.name, {})} for site in found.values() for phone in site.phones}


def registration(extension, port, seen=None, inside="192.168.1.5", **more):
    return {"extension": extension, "claimed_address": inside, "claimed_port": port, "seen_address": HERE, "seen_port": seen or port,
            "transport": "udp", "user_agent": extension, "status": "reachable", "expires": 0, "seen_is_source": True, **more}


def read(*registrations, nat=True, missing=()):
    extensions = [{"extension": one["extension"], "rewrite_contact": nat} for one in registrations]
    return {"pbx": {"registrations": list(registrations), "extensions": extensions, "missing": list(missing)}}


FINE = read(registration("ax", 5060), registration("bx", 5062))


def whole_report(found, reads, outcomes=None, now=0, moved=(), given=None, **more):
    data = build_report(found, given or states(found, **more), reads, outcomes, now=now, moved=moved)
    VALID.validate(data)
    for site in data["sites"]:
        assert len({one["id"] for one in site["findings"]}) == len(site["findings"])
    return data


def report(*args, **more):
    (one,) = whole_report(*args, **more)["sites"]
    return one


def verdicts(one):
    return {line["phone"]: line["verdict"] for line in one["lines"]}


def codes(one, *severities):
    return [(f["code"], f["phone"]) for f in one["findings"] if f["severity"] in (severities or ("error", "warning"))]


def finding(one, code):
    return next(f for f in one["findings"] if f["code"] == code)


def test_a_site_in_order_has_no_finding():
    one = report(sites(), FINE)
    assert (verdicts(one), one["findings"], one["state"]) == ({"a": "ok", "b": "ok"}, [], "ok")
    assert one["sentence"] == "All 2 lines are in order; nothing is to be done."
    assert one["counts"] == {"lines": 2, "ok": 2, "drift": 0, "duplicate": 0, "router": 0, "offline": 0, "unseen": 0, "unmanaged": 0,
                             "errors": 0, "warnings": 0, "infos": 0}
    assert one["range"] == {"first": 5060, "last": 5200, "step": 2}


def test_the_head_of_a_report():
    data = build_report(sites(), states(sites()), FINE, now=1795410000, run="rollout", made_by="evenport.sip 0.3.0", pbx_types={"pbx": "freepbx"})
    VALID.validate(data)
    assert {key: data[key] for key in ("schema", "made_by", "made_at", "run", "previous_at")} == {
        "schema": 2, "made_by": "evenport.sip 0.3.0", "made_at": "2026-11-23T05:00:00Z", "run": "rollout", "previous_at": ""}
    assert data["sites"][0]["pbxs"] == [{"pbx": "pbx", "type": "freepbx", "read": True, "why": "", "as_of": "", "shows_ports": True}]


def test_the_same_arguments_give_the_same_report():
    assert json.dumps(whole_report(sites(), FINE)) == json.dumps(whole_report(sites(), FINE))


def test_nothing_at_all_is_a_report_too():
    assert whole_report({}, {})["sites"] == []


def test_a_router_that_rewrites_ports_is_one_finding():
    one = report(sites(), read(registration("ax", 5060, 41000), registration("bx", 5062, 41001)))
    assert codes(one) == [("router_translated", "")] and one["state"] == "router"
    assert one["findings"][0]["lines"] == ["acme/a line 1", "acme/b line 1"] and one["findings"][0]["id"] == "router_translated//0"


def test_a_pbx_that_was_not_read_is_one_finding_and_proves_nothing():
    for result, words in (({"failed": True, "msg": "refused"}, "refused"), ({"unreachable": True, "msg": "gone"}, "gone"), (None, "was not asked")):
        one = report(sites(), {"pbx": result} if result else {})
        assert verdicts(one) == {"a": "not_seen", "b": "not_seen"} and one["state"] == "unseen"
        assert codes(one) == [("pbx_not_read", "")] and words in one["findings"][0]["text"]
        assert words in one["pbxs"][0]["why"] and not one["pbxs"][0]["read"] and any(words in told for told in one["not_seen"])
        assert one["findings"][0]["lines"] == ["acme/a line 1", "acme/b line 1"]


def test_phones_without_a_pbx_are_told_so_and_the_others_are_judged():
    one = report(sites(b={"sip_pbx": ""}), read(registration("ax", 5060)))
    assert verdicts(one) == {"a": "ok", "b": "not_seen"}
    assert "sip_pbx" in one["findings"][0]["text"] and [pbx["pbx"] for pbx in one["pbxs"]] == ["pbx"]


def test_phones_of_two_pbxs_are_judged_by_their_own_and_shown_in_inventory_order():
    reads = {**read(registration("ax", 5060)), "pbx2": read(registration("bx", 5062))["pbx"]}
    assert list(verdicts(report(sites(b={"sip_pbx": "pbx2"}), reads)).items()) == [("a", "ok"), ("b", "ok")]


def test_two_pbxs_that_were_not_read_are_two_findings_with_an_id_each():
    one = report(sites(b={"sip_pbx": "pbx2"}), {})
    assert [f["id"] for f in one["findings"]] == ["pbx_not_read//0/pbx", "pbx_not_read//0/pbx2"]


def test_an_extension_that_the_pbx_does_not_know_is_named_as_such():
    assert verdicts(report(sites(), read(registration("ax", 5060), missing=["bx"]))) == {"a": "ok", "b": "unknown_extension"}


def test_what_the_scan_found_is_told_once_though_it_is_the_outcome_too():
    wrong = {"code": "auth_failed", "msg": "b: refused.", "what": "b: refused."}
    one = report(sites(), FINE, {"b": Outcome("refused", "auth_failed", "b: refused.")}, b=wrong)
    assert codes(one) == [("auth_failed", "b")] and one["findings"][0]["text"] == "refused."
    assert [(p["phone"], p["read"], p["why"]) for p in one["phones"]] == [("a", False, "it was not looked at"), ("b", False, "refused.")]


def test_what_a_run_did_is_told_and_its_failures_are_findings():
    one = report(sites(), FINE, {"a": Outcome("moved"), "b": Outcome("put back", "not_proven", "acme/b was moved, but ...")})
    assert ("not_proven", "b") in codes(one) and one["state"] == "failed"
    assert [line["this_run"] for line in one["lines"]] == ["moved", "put back"]
    assert finding(one, "not_proven")["text"] == "was moved, but ..."


def test_phones_of_one_cause_have_one_text_in_common():
    found = {name: Outcome("left alone", "pbx_failed", f"acme/{name} was left as it is, as ...", "left as they are, as ...") for name in PORTS}
    assert [f["cause"] for f in report(sites(), FINE, found)["findings"]] == ["left as they are, as ..."] * 2


def test_a_plan_that_can_not_be_is_one_finding_and_judges_no_port():
    broken = sites_of({name: {"sip_site": "acme", "sip_pbx": "pbx", "sip_ports": {"a": [5060], "b": [5060]}, "sip_extensions": [f"{name}x"]} for name in PORTS})
    error = broken["acme"].error
    refused = {"state": "refused", "code": "plan_refused", "msg": str(error), "what": error.what, "remedy": error.remedy}
    one = report(broken, FINE, a=refused, b=refused)
    assert codes(one) == [("plan_refused", "")] and one["state"] == "failed" and verdicts(one) == {"a": "not_seen", "b": "not_seen"}
    assert any("the plan can't be used" in told for told in one["not_seen"])


def test_a_phone_whose_own_variables_are_wrong_is_one_finding():
    found = sites(b={"sip_extensions": {"no": "list"}})
    error = found["acme"].phones[1].error
    one = report(found, read(registration("ax", 5060)), b={"state": "refused", "code": "plan_refused", "msg": str(error), "what": error.what})
    assert ("plan_refused", "b") in codes(one) and verdicts(one) == {"a": "ok"}


def test_an_active_account_on_a_planned_port_is_named_with_its_owner_and_is_no_line():
    one = report(sites(), FINE, a={"further": {"2": 5062, "3": 5090}})
    assert [(f["id"], f["line"]) for f in one["findings"]] == [("active_account/a/0/account 2", 0)]
    assert "account 2 is active on port 5062, which is planned for b line 1" in one["findings"][0]["text"]


def test_an_active_account_on_anothers_sip_tls_port():
    one = report(sites(a={"sip_phone_transport": "tls"}), FINE, b={"further": {"2": 5061}})
    assert [(f["code"], f["phone"]) for f in one["findings"]] == [("tls_port_taken", "b")]


def off(status="unreachable", **more):
    fields = {"seen_address": "192.168.1.5", "seen_is_source": False, "status": status, **more}
    return read(registration("ax", 5060, **fields), registration("bx", 5062, **{**fields, "status": "reachable", "seen_address": HERE}), nat=False)


def test_a_nat_option_that_is_off_counts_only_for_phones_that_the_pbx_answers_at_a_private_address():
    one = report(sites(), off())
    assert finding(one, "nat_option_missing")["lines"] == ["acme/a line 1"]
    assert [line["nat_option"] for line in one["lines"]] == [False, False]
    assert "nat_option_missing" not in {f["code"] for f in report(sites(), off("reachable", seen_address=HERE))["findings"]}
    assert "nat_option_missing" not in {f["code"] for f in report(sites(a={"sip_nat_option": False}), off())["findings"]}


@pytest.mark.parametrize(("status", "verdict", "severity"), [
    ("unreachable", "nat_option_missing", "error"), ("nonqualified", "nat_option_missing", "error"), ("reachable", "unverified_nat", "warning")])
def test_the_nat_option_is_one_finding_whether_the_pbx_reaches_the_phone_or_not(status, verdict, severity):
    one = report(sites(), off(status))
    assert verdicts(one)["a"] == verdict
    assert [(f["code"], f["severity"]) for f in one["findings"] if f["phone"] in ("", "a")] == [("nat_option_missing", severity)]
    assert any("2 lines" in told and "NAT option" in told for told in one["not_seen"])


def test_the_report_has_no_secret_of_the_inventory():
    found = sites(a={"sip_phone_password": "hunter2", "sip_phone_proxy": "http://x:hunter2@y", "sip_phone_profile": {"p": "hunter2"}})
    data = json.dumps(whole_report(found, read(registration("ax", 5060)), {"a": Outcome("moved")}, a={"default_password": True}))
    assert "hunter2" not in data and json.loads(data)["sites"][0]["lines"][0]["this_run"] == "moved"


@pytest.mark.parametrize(("provisioning", "told"), [
    ({"server": "prov.example.net", "protected": False}, True), ({"server": "prov.example.net", "protected": True}, False), ({}, False)])
def test_a_provisioning_server_is_worth_knowing_even_where_all_is_in_order(provisioning, told):
    one = report(sites(), FINE, a={"provisioning": provisioning})
    assert codes(one) == [] and codes(one, "info") == [("provisioning_server", "a")] * told
    assert not told or "prov.example.net" in one["findings"][0]["text"]


def exported(*registrations, as_of=1000):
    (result,) = read(*registrations).values()
    return {"pbx": {**result, "live": False, "as_of": as_of}}


def test_a_table_from_before_can_not_judge_the_phones_that_this_run_moved():
    one = report(sites(), exported(registration("ax", 5060), registration("bx", 5060)), {"b": Outcome("moved")}, now=1000 + 3 * 3600 + 5, moved={"b": {}})
    assert verdicts(one) == {"a": "ok", "b": "not_seen"} and codes(one) == [("status_old", "")]
    told = one["findings"][0]
    assert "exported 3 hours ago" in told["text"] and "1 phone(s), which nothing proves yet (b)" in told["text"] and told["lines"] == ["acme/b line 1"]
    assert "Export it again" in told["remedy"] and one["pbxs"][0]["as_of"] == "1970-01-01T00:16:40Z"
    assert (one["counts"]["ok"], one["counts"]["unseen"]) == (1, 1)


def test_a_table_is_one_finding_however_many_phones_moved_and_an_info_where_none_did():
    assert codes(report(sites(), exported(), {}, now=5000, moved={"a": {}, "b": {}})) == [("status_old", "")]
    one = report(sites(), exported(registration("ax", 5060), registration("bx", 5064)), now=1000 + 86400 * 9)
    assert verdicts(one) == {"a": "ok", "b": "wrong_port"} and codes(one, "info") == [("status_old", "")]
    assert "9 days ago" in finding(one, "status_old")["text"]
    assert "does not tell" in finding(report(sites(), exported(as_of=0), now=5000), "status_old")["text"]


def test_what_a_table_shows_was_registered_when_it_was_exported():
    old = registration("ax", 5060, expires=1500)
    assert verdicts(report(sites(), exported(old), now=90000))["a"] == "ok"
    assert verdicts(report(sites(), read(old), now=90000))["a"] == "not_registered"


def test_a_live_pbx_judges_the_phones_that_this_run_moved():
    one = report(sites(), FINE, {"b": Outcome("moved")}, now=5000, moved={"b": {}})
    assert (verdicts(one), one["findings"]) == ({"a": "ok", "b": "ok"}, [])


def test_a_pbx_without_ports_proves_nothing_and_faults_nobody():
    blind = [{"extension": name, "status": "registered"} for name in ("ax", "bx")]
    one = report(sites(), {"pbx": {"registrations": blind, "extensions": [], "missing": [], "shows_ports": False}}, now=5000)
    assert (verdicts(one), codes(one), one["state"]) == ({"a": "port_unseen", "b": "port_unseen"}, [], "unseen")
    assert any("does not tell the ports" in told for told in one["not_seen"])


def settings(port, random_port=False, **more):
    lines = [{"line": 1, "local_port": port}]
    return {"state": "in_order", "settings": {"random_port": random_port, "lines": lines}, "port_scope": "line", "identity": {
        "brand": "yealink", "model": "T46S", "firmware": "66.86", "mac": "001565aabbcc"}, **more}


def test_a_phone_that_was_read_shows_its_own_setting_and_who_it_is():
    one = report(sites(), FINE, a=settings(5060))
    assert [line["set"] for line in one["lines"]] == [5060, 0]
    assert one["phones"][0] == {"phone": "a", "kind": "phone", "brand": "yealink", "model": "T46S", "firmware": "66.86", "mac": "001565aabbcc",
                                "address": "a", "read": True, "why": ""}


def test_a_phone_that_was_not_read_is_known_by_what_it_tells_the_pbx():
    one = report(sites(b={"sip_mac": "00:15:65:AA:BB:CC", "sip_phone_brand": "auto"}), read(
        registration("ax", 5060), registration("bx", 5062, user_agent="Yealink SIP-T46S 66.84.0.15")), b={"state": "not_asked", "msg": "it has no password"})
    assert [one["phones"][1][key] for key in ("brand", "model", "firmware", "mac", "read", "why")] == [
        "yealink", "T46S", "66.84.0.15", "001565aabbcc", False, "it has no password"]
    assert "The settings of 1 phone(s) were not read (it has no password): b." in one["not_seen"]


def test_a_softphone_is_shown_and_not_missed():
    one = report(sites(soft={"sip_phone_kind": "softphone"}), read(
        registration("ax", 5060), registration("bx", 5062), registration("softx", 51000)), a=settings(5060), b=settings(5062))
    assert (one["counts"]["unmanaged"], one["state"], one["not_seen"]) == (1, "ok", [])
    assert [(p["kind"], p["why"]) for p in one["phones"]][2] == ("softphone", "a softphone has no web page")


@pytest.mark.parametrize(("own", "seen", "verdict"), [
    (5062, 5070, "wrong_port"), (5060, 41000, "router_translated"), (5060, 5070, "other_port_seen"), (0, 41000, "other_port_seen")])
def test_where_the_pbx_shows_one_port_the_phones_own_setting_tells_whose_doing_it_is(own, seen, verdict):
    shown = read(registration("ax", 0, seen), registration("bx", 5062))
    assert verdicts(report(sites(), shown, **({"a": settings(own)} if own else {})))["a"] == verdict


def test_a_setting_that_differs_is_told_though_the_pbx_still_shows_the_planned_port():
    one = report(sites(), FINE, a=settings(5070))
    assert codes(one) == [("wrong_setting", "a")] and one["state"] == "drift" and "planned 5060, set 5070" in one["findings"][0]["text"]
    assert report(sites(), FINE, {"a": Outcome("moved")}, moved={"a": {}}, a=settings(5070))["findings"] == [], "read before it was moved"


def test_a_random_port_option_that_is_on_is_told_once():
    assert codes(report(sites(), FINE, a=settings(5060, True))) == [("random_port_on", "a")]
    assert codes(report(sites(), read(registration("ax", 51000), registration("bx", 5062)), a=settings(5060, True))) == [("random_port", "a")]
    assert codes(report(sites(a={"sip_phone_random_port": True}), FINE, a=settings(5060, True))) == []
    assert codes(report(sites(), FINE, {"a": Outcome("moved")}, moved={"a": {}}, a=settings(5060, True))) == []


def test_the_factory_password_is_told_without_it():
    (one,) = report(sites(), FINE, a=settings(5060, default_password=True))["findings"]
    assert (one["code"], one["severity"], one["phone"]) == ("default_password", "warning", "a") and "admin" not in json.dumps(one)


PUSH = {"before": {"lines": [{"line": 1, "local_port": 5080}]}, "after": {"lines": [{"line": 1, "local_port": 5060}]}, "time": "2026-11-22T05:00:00Z",
        "outcome": "moved"}


def pushed(own, push, registered=5080, **more):
    found = sites()
    shown = read(registration("ax", registered), registration("bx", 5062))
    data = build_report(found, states(found, a=settings(own, **more)), shown, now=0, journal={"a": push})
    VALID.validate(data)
    return data["sites"][0]


def test_a_phone_that_has_gone_back_is_told_with_the_server_that_did_it():
    one = pushed(5080, PUSH, provisioning={"server": "prov.example.net"})
    assert codes(one) == [("reverted", "a"), ("wrong_port", "a")] and codes(one, "info") == []
    text = finding(one, "reverted")["text"]
    assert "2026-11-22T05:00:00Z" in text and "local_port of line 1 5060 is 5080 again" in text and "prov.example.net" in text
    assert "reset" in finding(pushed(5080, PUSH), "reverted")["text"]
    refused = pushed(5080, PUSH, code="provisioned", what="a: owned.", provisioning={"server": "prov.example.net"})
    assert codes(refused) == [("reverted", "a"), ("wrong_port", "a")], "one cause, told once"


@pytest.mark.parametrize(("own", "push"), [
    (5060, PUSH), (5070, PUSH), (5080, {**PUSH, "outcome": "put back"}), (5080, {}), (5080, {"before": None, "after": [], "time": 5}),
    (5080, {**PUSH, "after": PUSH["before"]})])
def test_a_phone_that_kept_its_port_or_has_a_third_one_or_was_put_back_has_not_gone_back(own, push):
    assert "reverted" not in {code for code, dummy in codes(pushed(own, push))}


def stranger(port=51000, extension="900", **more):
    return registration(extension, port, inside="192.168.1.99", user_agent="MicroSIP/3.21.3", **more)


def test_a_device_that_nobody_knows_is_told_where_it_is_sure_whose_address_it_is():
    def with_stranger(*strangers, **more):
        return report(sites(**more), read(registration("ax", 5060), registration("bx", 5062), *strangers))
    one = with_stranger(stranger())
    assert [(f["code"], f["severity"], f["phone"]) for f in one["findings"]] == [("unknown_device", "info", "")]
    assert "extension 900 of pbx: MicroSIP/3.21.3" in one["findings"][0]["text"]
    (found,) = with_stranger({**stranger(), "user_agent": "Yealink SIP-T46S 66.84.0.15"})["findings"]
    assert (found["code"], found["severity"]) == ("unknown_device", "warning")
    (found,) = with_stranger(stranger(5062))["findings"]
    assert (found["code"], found["severity"]) == ("unmanaged_on_planned_port", "error")
    assert with_stranger(stranger(seen_is_source=False))["findings"] == []
    assert with_stranger({**stranger(), "seen_address": "198.51.100.9"})["findings"] == []
    twice = with_stranger(stranger(), stranger(51001, "901"), {**stranger(51002), "claimed_address": "192.168.1.98"})
    assert len(twice["findings"]) == 3


def test_an_account_of_a_phone_that_the_inventory_does_not_have_is_no_device_in_its_own_way():
    """Phones with one port for all accounts register them all from it."""
    (one,) = report(sites(), read(registration("ax", 5060), registration("bx", 5062), registration("900", 5062)))["findings"]
    assert (one["code"], one["severity"]) == ("unknown_device", "info") and "it is on b itself" in one["text"]


def test_of_a_part_of_the_inventory_nobody_is_called_unknown_or_gone():
    found = sites_of({"a": {"sip_site": "acme", "sip_pbx": "pbx", "sip_ports": {"a": [5060], "gone": [5064]}, "sip_extensions": ["ax"]}})
    shown = read(registration("ax", 5060), stranger())
    assert [f["code"] for f in report(found, shown)["findings"]] == ["unknown_device", "lock_stale"]
    (one,) = build_report(found, states(found), shown, now=0, whole=False)["sites"]
    assert one["findings"] == [] and any("part of the inventory" in told for told in one["not_seen"])


def two_sites(second_range=None, pbx="pbx"):
    hosts = {name: {"sip_site": "acme", "sip_pbx": "pbx", "sip_ports": PORTS, "sip_extensions": [f"{name}x"]} for name in PORTS}
    other = {"sip_ports": {"c": [second_range or 5060]}, "sip_port_start": second_range or 5060, "sip_port_end": (second_range or 5060) + 140}
    return sites_of({**hosts, "c": {"sip_site": "beta", "sip_pbx": pbx, "sip_extensions": ["cx"], **other}})


def test_two_sites_behind_one_address_are_no_duplicates_of_each_other_but_are_told_that_they_share_it():
    shown = read(registration("ax", 5060), registration("bx", 5062), registration("cx", 5060, 23456))
    one, other = whole_report(two_sites(), shown)["sites"]
    assert verdicts(one) == {"a": "ok", "b": "ok"} and verdicts(other) == {"c": "port_contested"}
    assert codes(one) == [("shared_address", "")] and "5060" in one["findings"][0]["text"] and codes(other) == [("shared_address", ""), ("port_contested", "c")]
    assert "beta" not in json.dumps(one) and "acme" not in json.dumps(other) and "cx" not in json.dumps(one)
    one, other = whole_report(two_sites(5300), read(registration("ax", 5060), registration("bx", 5062), registration("cx", 5300)))["sites"]
    assert one["findings"] == other["findings"] == [], "plans that give out different ports can share an address"


def test_two_phones_of_two_sites_on_one_address_and_port_are_duplicates_and_neither_report_tells_of_the_other():
    one, other = whole_report(two_sites(), read(registration("ax", 5060), registration("bx", 5062), registration("cx", 5060)))["sites"]
    assert verdicts(one) == {"a": "duplicate", "b": "ok"} and verdicts(other) == {"c": "duplicate"}
    assert "a phone of another site" in finding(one, "duplicate")["text"] and "cx" not in json.dumps(one) and "ax" not in json.dumps(other)


def test_the_same_place_seen_by_two_pbxs_is_no_duplicate():
    reads = {**read(registration("ax", 5060), registration("bx", 5062)), "pbx2": read(registration("cx", 5060))["pbx"]}
    assert [set(verdicts(site).values()) for site in whole_report(two_sites(pbx="pbx2"), reads)["sites"]] == [{"ok"}, {"ok"}]


def test_an_extension_that_two_sites_have_is_one_contact_and_no_duplicate():
    found = two_sites()
    found["beta"].phones[0].extensions = ["ax"]
    one, other = whole_report(found, FINE)["sites"]
    assert (verdicts(one)["a"], verdicts(other)["c"]) == ("ok", "ok")


def test_a_device_behind_an_address_that_sites_share_is_nobodys():
    shown = read(registration("ax", 5060), registration("bx", 5062), registration("cx", 5300), stranger())
    assert [site["findings"] for site in whole_report(two_sites(5300), shown)["sites"]] == [[], []]


def one_site(ports, **more):
    return sites_of({name: {"sip_site": "acme", "sip_pbx": "pbx", "sip_ports": ports, "sip_extensions": [f"{name}x"], **more} for name in PORTS})


@pytest.mark.parametrize(("end", "told"), [(5062, "0 of the 2"), (5064, "1 of the 3"), (5066, "2 of the 4"), (5068, "")])
def test_a_range_that_is_nearly_used_up_says_who_still_fits(end, told):
    found = one_site(PORTS, sip_port_end=end)
    one = report(found, FINE)
    assert codes(one) == [("lock_nearly_full", "")] * bool(told)
    assert not told or told in one["findings"][0]["text"]


def test_less_than_a_tenth_is_nearly_full_too():
    wide = {**PORTS, **{f"old{n}": [5064 + 2 * n] for n in range(63)}}
    one = report(one_site(wide), FINE)
    assert "6 of the 71 ports of 5060-5200 are free: 6 more phones with one line fit" in finding(one, "lock_nearly_full")["text"]
    wide.popitem()
    wide.popitem()
    assert "lock_nearly_full" not in {f["code"] for f in report(one_site(wide), FINE)["findings"]}


def test_a_lock_with_ports_of_nobody_says_whose_they_were():
    one = report(one_site({**PORTS, "old": [5070], "empty": []}, sip_ports_retired=[5072, 5074], sip_ports_reserved=[5080]), read(
        registration("ax", 5060), registration("bx", 5062), registration("ax", 5072, inside="192.168.1.77", user_agent="Z 5")))
    assert (one["retired"], one["reserved"]) == ([5072, 5074], [5080])
    texts = {f["id"]: f["text"] for f in one["findings"] if f["code"] == "lock_stale"}
    assert set(texts) == {"lock_stale//0/phones", "lock_stale//0/retired"}
    assert "1 phone(s)" in texts["lock_stale//0/phones"] and "(old)" in texts["lock_stale//0/phones"]
    assert "1 retired port(s) any more (5074)" in texts["lock_stale//0/retired"], "5072 is still in use"


def test_retired_ports_are_nobodys_only_where_all_was_seen():
    found = one_site(PORTS, sip_ports_retired=[5072])
    assert report(found, exported(registration("ax", 5060), registration("bx", 5062)), now=1001)["findings"][0]["code"] == "status_old"
    assert "lock_stale" not in {f["code"] for f in report(found, {})["findings"]}
    assert "lock_stale" not in {f["code"] for f in report(found, FINE, a={**settings(5060), "further": {"2": 5072}})["findings"]}


def test_ports_that_can_not_be_ports_do_not_break_the_report():
    one = report(sites(), read(registration("ax", 70000, 99999), registration("bx", 5062)), a=settings(123456))
    assert [(line["claimed"], line["seen"], line["set"]) for line in one["lines"]] == [(0, 0, 0), (5062, 5062, 0)]
