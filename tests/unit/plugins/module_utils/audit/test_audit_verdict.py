"""The verdict on a line, rule by rule."""

from __future__ import annotations

import pytest

from ansible_collections.evenport.sip.plugins.module_utils.audit.verdict import choose_contact, is_inside, judge_lines
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


def test_a_second_device_on_the_extension_is_unmanaged():
    soft = contact(51000, 51000, user_agent="Softphone", claimed_address="10.9.9.9", expires=9000)
    best, others = choose_contact(line(), [soft, contact()])
    assert best == contact()
    assert [kind for kind, unused in others] == ["unmanaged"]


def test_a_softphone_is_unmanaged_registered_or_not():
    soft = line("mobile", "101", None, managed=False)
    assert verdict(contact(51000, 51000), planned=soft).verdict == "unmanaged"
    assert verdict(planned=soft).verdict == "unmanaged"


@pytest.mark.parametrize(("address", "inside"), [
    ("192.168.1.5", True), ("10.0.0.1", True), ("172.31.0.1", True), ("100.64.0.1", True), ("169.254.1.1", True), ("fd00::1", True), ("[fe80::1]", True),
    ("203.0.113.1", False), ("172.32.0.1", False), ("2001:db8::1", False), ("phone.example.net", False), ("", False),
])
def test_inside_addresses(address, inside):
    assert is_inside(address) is inside
