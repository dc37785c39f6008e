"""The verdict on a line, rule by rule."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.evenport.sip.plugins.module_utils.audit.verdict import judge_lines
from ansible_collections.evenport.sip.plugins.module_utils.model import Extension, Line, Registration

PUBLIC, INSIDE = "203.0.113.1", "192.168.1.50"
NAT_ON, NAT_OFF = Extension("101", rewrite_contact=True), Extension("101", rewrite_contact=False)


def line(phone="desk", extension="101", port=5062, managed=True):
    return Line("acme", phone, 1, extension, port, managed)


def contact(claimed=5062, seen=5062, extension="101", **more):
    fields = {"claimed_address": INSIDE, "seen_address": PUBLIC, "status": "reachable", "user_agent": "Phone 1", "expires": 1000, "seen_is_source": True}
    return Registration(extension, claimed_port=claimed, seen_port=seen, **{**fields, **more})


def verdict(*contacts, planned=None, extension=NAT_ON, **more):
    return judge_lines([planned or line()], contacts, {"101": extension}, **more)[0]


@pytest.mark.parametrize(("given", "extension", "expected"), [
    (contact(), NAT_ON, "ok"),
    (contact(seen=41235), NAT_ON, "router_translated"),
    (contact(claimed=5060, seen=5060), NAT_ON, "wrong_port"),
    (contact(claimed=5063, seen=5063), NAT_ON, "wrong_port"),           # odd: off plan, not random
    (contact(claimed=54109, seen=54109), NAT_ON, "random_port"),
    (contact(claimed=5202, seen=5202), NAT_ON, "wrong_port"),               # stepped aside in a rollout that was interrupted
    (contact(seen=33322, transport="tcp"), NAT_ON, "ok"),               # the seen port of a connection is ephemeral
    (contact(claimed=5063, seen=33322, transport="tls"), NAT_ON, "ok"),  # SIP-TLS is the SIP port + 1
    (contact(claimed=5060, seen=33322, transport="tcp"), NAT_ON, "wrong_port"),
    (contact(claimed_address=PUBLIC), NAT_ON, "ok"),                    # an ALG that kept the port
    (contact(claimed=11478, seen=11478, claimed_address=PUBLIC), NAT_ON, "alg_or_stun"),
    (contact(seen_address=INSIDE, seen_is_source=False), NAT_OFF, "unverified_nat"),
    (contact(seen_address=INSIDE, seen_is_source=False, status="unreachable"), NAT_OFF, "nat_option_missing"),
    (contact(claimed=5060, seen=5060, seen_address=INSIDE), NAT_OFF, "wrong_port"),
    (contact(seen_address=INSIDE, status="unreachable"), NAT_ON, "registered_before"),
    (contact(seen_address=INSIDE, status="nonqualified"), NAT_ON, "registered_before"),     # nobody has heard it there: no proof
    (contact(seen_address=INSIDE), NAT_ON, "ok"),                       # phone and PBX on one network
    (contact(claimed_address="127.0.0.2", seen_address="127.0.0.2", seen=5088), NAT_ON, "router_translated"),     # one host: not a public Via
])
def test_one_contact(given, extension, expected):
    assert verdict(given, extension=extension).verdict == expected


def test_where_the_pbx_does_not_say_the_nat_option_the_contact_does():
    assert verdict(contact(seen=41235), extension=Extension("101")).verdict == "router_translated"
    assert verdict(contact(seen=5062, seen_is_source=False), extension=Extension("101")).verdict == "unverified_nat"


def test_no_contact_and_an_expired_one_are_not_registered():
    assert verdict().verdict == "not_registered"
    assert verdict(contact(expires=999), now=1000).verdict == "not_registered"
    assert verdict(contact(expires=999), now=0).verdict == "ok"


def test_phones_on_one_outside_port_are_duplicates_and_name_each_other():
    lines = [line("desk", "101", 5060), line("shop", "102", 5062)]
    found = judge_lines(lines, [contact(5060, 5060), contact(5060, 5060, "102")], {e: Extension(e, rewrite_contact=True) for e in ("101", "102")})
    assert [(v.verdict, v.with_extensions) for v in found] == [("duplicate", ("102",)), ("duplicate", ("101",))]


def test_a_router_that_was_given_one_port_twice_is_not_to_blame():
    lines = [line("desk", "101", 5060), line("shop", "102", 5062)]
    on = {e: Extension(e, rewrite_contact=True) for e in ("101", "102")}
    found = judge_lines(lines, [contact(5060, 41000), contact(5060, 5060, "102")], on)
    assert [(v.verdict, v.with_extensions) for v in found] == [("port_contested", ("102",)), ("wrong_port", ())]
    for other in (contact(5062, 5062, "102"), contact(5060, 5060, "102", seen_address="198.51.100.7"), contact(5060, 5060, "102", transport="tcp")):
        assert judge_lines(lines, [contact(5060, 41000), other], on)[0].verdict == "router_translated"


def test_equal_ports_are_no_duplicates_without_rewrite_contact_nor_behind_two_addresses_nor_on_one_phone():
    two = [line("desk", "101", 5060), line("shop", "102", 5062)]
    off = {e: Extension(e, rewrite_contact=False) for e in ("101", "102")}
    on = {e: Extension(e, rewrite_contact=True) for e in ("101", "102")}
    assert "duplicate" not in {v.verdict for v in judge_lines(two, [contact(5060, 5060), contact(5060, 5060, "102")], off)}
    assert "duplicate" not in {v.verdict for v in judge_lines(two, [contact(5060, 5060), contact(5060, 5060, "102", seen_address="203.0.113.9")], on)}
    same_phone = [line("desk", "101", 5060), Line("acme", "desk", 2, "102", None)]
    assert [v.verdict for v in judge_lines(same_phone, [contact(5060, 5060), contact(5060, 5060, "102")], on)] == ["ok", "ok"]


def test_the_newest_reachable_contact_counts_and_the_old_one_is_stale():
    old, new = contact(5060, 5060, status="unreachable", expires=2000), contact(5062, 5062, expires=1500)
    found = verdict(old, new)
    assert found.verdict == "ok"
    assert [kind for kind, unused in found.extra_contacts] == ["stale_contact"]


def kinds(found):
    return [(kind, one.claimed_port) for kind, one in found.extra_contacts]


def test_a_phone_that_went_back_shows_as_wrong_though_its_old_contact_has_not_expired():
    """Both still answer, as far as the PBX knows: the one on the planned port is the older one."""
    planned, back = contact(5062, 5062, expires=2000), contact(5060, 5060, expires=2001)
    found = verdict(planned, back)
    assert (found.verdict, found.claimed, kinds(found)) == ("wrong_port", 5060, [("stale_contact", 5062)])


@pytest.mark.parametrize("status", ["nonqualified", "unknown", "registered", "reachable"])
def test_whoever_is_not_known_to_be_gone_counts_as_reachable(status):
    old, new = contact(5060, 5060, expires=2000), contact(5062, 5062, expires=2001, status=status)
    assert verdict(old, new).verdict == "ok"
    for gone in ("unreachable", "removed"):
        assert verdict(contact(5060, 5060, expires=2002, status=gone), new).verdict == "ok"


def test_new_firmware_is_the_same_phone():
    old = contact(5060, 5060, user_agent="Yealink SIP-T46S 66.84.0.15", expires=2000)
    assert kinds(verdict(old, contact(user_agent="Yealink SIP-T46S 66.86.0.15", expires=2001))) == [("stale_contact", 5060)]
    assert kinds(verdict(old, contact(user_agent="Yealink SIP-T48S 66.86.0.15", expires=2001))) == [("unmanaged", 5060)]


def test_a_mac_in_the_user_agent_knows_a_phone_by_any_address():
    old = contact(5060, 5060, claimed_address="192.168.1.50", user_agent="Fanvil X4 2.10.2.6887 0c383e07e16c", expires=2000)
    new = contact(5062, 5062, claimed_address="192.168.1.77", user_agent="Fanvil X4 2.10.2.6887 0c383e07e16c", expires=2001)
    other = contact(5064, 5064, claimed_address="192.168.1.50", user_agent="Fanvil X4 2.10.2.6887 0c383e07e16d", expires=1999)
    assert kinds(verdict(old, new, other)) == [("unmanaged", 5064), ("stale_contact", 5060)][::-1]


def test_without_a_mac_a_silent_contact_of_the_same_model_is_the_phones_old_address():
    old = contact(5062, 5062, claimed_address="192.168.1.77", status="unreachable", expires=9000)
    found = verdict(old, contact(5060, 5060))
    assert (found.verdict, kinds(found)) == ("wrong_port", [("stale_contact", 5062)])


def test_a_contact_without_a_user_agent_is_of_who_has_its_address():
    nameless = contact(5060, 5060, user_agent="", expires=900)
    assert kinds(verdict(nameless, contact())) == [("stale_contact", 5060)]
    assert kinds(verdict(nameless, contact(user_agent="Fake 1"), contact(user_agent="Other 1", expires=800))) == [("unmanaged", 5060), ("unmanaged", 5062)]


SOFT = {"user_agent": "Z 5.6.6 v2.10.20.5", "claimed_address": "10.9.9.9", "seen_address": "198.51.100.7", "expires": 9000}


def test_a_softphone_never_stands_in_for_the_phone():
    found = verdict(contact(5062, 5062, **SOFT), contact(5060, 5060, status="unreachable"))
    assert (found.verdict, found.claimed, kinds(found)) == ("wrong_port", 5060, [("unmanaged", 5062)])


def test_of_two_phones_the_one_on_the_planned_port_counts_then_the_newest():
    one, two = contact(5062, 5062), contact(5070, 5070, claimed_address="192.168.1.99", expires=9000)
    assert (verdict(one, two).verdict, kinds(verdict(one, two))) == ("ok", [("unmanaged", 5070)])
    three = contact(5072, 5072, claimed_address="192.168.1.98", expires=9001)
    assert verdict(two, three).claimed == 5072


def test_phones_that_share_an_extension_get_their_own_contact_each():
    lines = [line("desk", "101", 5060), line("shop", "101", 5062), line("app", "101", None, managed=False)]
    desk = contact(5060, 5060, claimed_address="192.168.1.10")
    shop = contact(5064, 5064, claimed_address="192.168.1.11", expires=5000)
    app, more = contact(51000, 51000, **SOFT), contact(52000, 52000, **{**SOFT, "claimed_address": "10.9.9.8"})
    found = judge_lines(lines, [app, shop, more, desk], {"101": NAT_ON})
    assert [(v.line.phone, v.verdict, v.claimed) for v in found] == [("desk", "ok", 5060), ("shop", "wrong_port", 5064), ("app", "unmanaged", 51000)]
    assert [kinds(v) for v in found] == [[("unmanaged", 52000)], [], []]
    found = judge_lines(lines, [app, desk], {"101": NAT_ON})
    assert [(v.verdict, v.claimed) for v in found] == [("ok", 5060), ("not_registered", 0), ("unmanaged", 51000)]


def test_where_the_inventory_has_the_softphone_too_no_softphone_stands_in_for_the_phone():
    lines = [line("desk", "101", 5060), line("app", "101", None, managed=False)]
    app, more = contact(51000, 51000, **SOFT), contact(5070, 5070, **{**SOFT, "claimed_address": "10.9.9.8"})
    found = judge_lines(lines, [app, more], {})
    assert [(v.verdict, v.claimed, kinds(v)) for v in found] == [("not_registered", 0, [("unmanaged", 5070)]), ("unmanaged", 51000, [])]


def test_an_old_contact_is_no_duplicate_of_the_phone_that_has_its_port_now():
    lines = [line("desk", "101", 5060), line("shop", "102", 5062)]
    contacts = [contact(5062, 5062, expires=900), contact(5060, 5060), contact(5062, 5062, "102", claimed_address="192.168.1.51")]
    assert [v.verdict for v in judge_lines(lines, contacts, {})] == ["ok", "ok"]


def test_a_softphone_of_the_inventory_stays_unmanaged_on_whatever_port():
    lines = [line("desk", "101", 5060), line("mobile", "101r", None, managed=False)]
    found = judge_lines(lines, [contact(5060, 5060), contact(5060, 5060, "101r", **{**SOFT, "seen_address": PUBLIC})], {})
    assert [(v.verdict, v.with_extensions) for v in found] == [("duplicate", ("101r",)), ("unmanaged", ())]


BLIND = {"claimed_address": "", "seen_is_source": False, "status": "registered"}


@pytest.mark.parametrize(("given", "expected"), [
    (contact(0, 0, seen_address="", **BLIND), "port_unseen"),
    (contact(0, 5062, **BLIND), "ok"),
    (contact(0, 41235, **BLIND), "other_port_seen"),
    (contact(0, 33322, transport="tcp", **BLIND), "port_unseen"),       # the port of a connection is ephemeral
    (contact(0, 5062, transport="tls", **BLIND), "port_unseen"),
    (contact(5062, 0, seen_address="", seen_is_source=False), "port_unseen"),
    (contact(5060, 0, seen_address="", seen_is_source=False), "wrong_port"),
    (contact(54109, 0, seen_address="", seen_is_source=False), "random_port"),
    (contact(5062, 0, seen_address="", seen_is_source=False, transport="tcp"), "ok"),
])
def test_pbxs_that_tell_less(given, expected):
    assert judge_lines([line()], [given], {})[0].verdict == expected
    assert judge_lines([line(port=None)], [given], {})[0].verdict == "ok"
    assert judge_lines([line(managed=False)], [given], {})[0].verdict == "unmanaged"


def test_a_pbx_that_tells_only_where_it_sends_to_shows_duplicates_and_one_that_tells_nothing_does_not():
    lines = [line("desk", "101", 5060), line("shop", "102", 5062)]
    seen = [contact(0, 5060, e, **BLIND) for e in ("101", "102")]
    assert [(v.verdict, v.with_extensions) for v in judge_lines(lines, seen, {})] == [("duplicate", ("102",)), ("duplicate", ("101",))]
    nothing = [contact(0, 0, e, **{**BLIND, "seen_address": ""}) for e in ("101", "102")]
    assert [v.verdict for v in judge_lines(lines, nothing, {})] == ["port_unseen", "port_unseen"]
    tcp = [contact(0, 5060, e, transport="tcp", **BLIND) for e in ("101", "102")]
    assert [v.verdict for v in judge_lines(lines, tcp, {})] == ["port_unseen", "port_unseen"]


CONTACTS = st.builds(
    contact, st.sampled_from([0, 5060, 5062, 5064, 51000]), st.sampled_from([0, 5060, 5062, 41000]), st.sampled_from(["101", "102"]),
    status=st.sampled_from(["reachable", "unreachable", "unknown", "nonqualified", "removed", "registered"]),
    user_agent=st.sampled_from(["", "Yealink SIP-T46S 66.84.0.15", "Yealink SIP-T46S 66.86.0.15", "Fanvil X4 2.1 0c383e07e16c", "Z 5.6.6", "Fake 1"]),
    claimed_address=st.sampled_from(["", INSIDE, "192.168.1.51", PUBLIC, "a1b2.invalid"]), seen_address=st.sampled_from(["", PUBLIC, "198.51.100.7"]),
    expires=st.sampled_from([0, 1000, 1001]), transport=st.sampled_from(["udp", "tcp", "tls"]), seen_is_source=st.booleans())
LINES = [line("desk", "101", 5060), line("shop", "102", 5062), line("mobile", "102", None, managed=False), line("off", "103", 5064)]


@settings(max_examples=300, deadline=None)
@given(contacts=st.lists(CONTACTS, max_size=8), seed=st.integers())
def test_the_order_in_which_a_pbx_lists_its_contacts_never_matters_and_none_gets_lost(contacts, seed):
    shuffled = random.Random(seed).sample(contacts, len(contacts))
    found = judge_lines(LINES, contacts, {})
    assert found == judge_lines(LINES, shuffled, {})
    told = sum(len(v.extra_contacts) + bool(v.claimed or v.seen or v.seen_address or v.user_agent) for v in found)
    silent = sum(not (c.claimed_port or c.seen_port or c.seen_address or c.user_agent) for c in contacts)
    assert len(contacts) - silent <= told <= len(contacts)


def test_a_softphone_is_unmanaged_registered_or_not():
    soft = line("mobile", "101", None, managed=False)
    assert verdict(contact(51000, 51000), planned=soft).verdict == "unmanaged"
    assert verdict(planned=soft).verdict == "unmanaged"
