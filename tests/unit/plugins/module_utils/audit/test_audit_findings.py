"""From the verdicts on lines to findings: what they say, how many they are, how bad."""

from __future__ import annotations

import pytest

from ansible_collections.evenport.sip.plugins.module_utils.audit.findings import ERROR, INFO, MEANINGS, OK, STATES, WARNING, found, listed
from ansible_collections.evenport.sip.plugins.module_utils.audit.lines import line_findings
from ansible_collections.evenport.sip.plugins.module_utils.audit.summary import counts_of, sentence_of, state_of, worst_first
from ansible_collections.evenport.sip.plugins.module_utils.audit.verdict import LineVerdict
from ansible_collections.evenport.sip.plugins.module_utils.errors import EvenportError
from ansible_collections.evenport.sip.plugins.module_utils.model import Line, Registration

HERE, AWAY = "203.0.113.1", "198.51.100.7"


def judged(phone, verdict, planned=5062, claimed=5062, seen=5062, managed=True, address=HERE, **more):
    fields = {"transport": "udp", "status": "reachable", "claimed_address": "192.168.1.5", "is_source": True, **more}
    return LineVerdict(Line("acme", phone, 1, "101", planned, managed), verdict, claimed, seen, address, **fields)


def codes(findings):
    return [(one.code, one.phone, one.severity) for one in findings]


def test_a_router_that_rewrites_ports_is_one_finding_and_names_no_phone():
    findings = line_findings([judged(f"phone{n}", "router_translated", seen=40000 + n) for n in range(30)])
    assert codes(findings) == [("router_translated", "", ERROR)]
    assert len(findings[0].lines) == 30 and "phone0 5062 -> 40000" in findings[0].text
    for hint in ("source-port preservation", "consistent NAT", "static port", "SIP ALG"):
        assert hint in findings[0].remedy


def test_routers_at_two_places_are_told_by_their_addresses():
    (one,) = line_findings([judged("a", "router_translated", seen=40000), judged("b", "router_translated", seen=40001, address=AWAY)])
    assert f"behind {HERE}, {AWAY}" in one.text


def test_nothing_wrong_nothing_found():
    assert line_findings([judged("desk", "ok"), judged("mobile", "unmanaged", None, 51000, 51000, managed=False)]) == []


def test_a_softphone_on_a_planned_port_is_found():
    verdicts = [judged("desk", "ok", 5062), judged("mobile", "unmanaged", None, 5062, 5062, managed=False)]
    assert codes(line_findings(verdicts)) == [("unmanaged_on_planned_port", "mobile", ERROR)]


def test_a_softphone_on_that_port_at_another_address_is_in_nobodys_way():
    assert line_findings([judged("desk", "ok", 5062), judged("mobile", "unmanaged", None, 5062, 5062, managed=False, address=AWAY)]) == []


def second(seen=51234, address=HERE, agent="Z 5.6.6 v2.10.20.5", inside="10.9.9.9"):
    return ("unmanaged", Registration("101", inside, seen, address, seen, user_agent=agent))


def test_a_second_device_is_named_with_its_user_agent_and_port():
    (one,) = line_findings([judged("desk", "ok", extra_contacts=(second(),))])
    assert (one.code, one.phone, one.severity) == ("unmanaged", "desk", INFO)
    assert "extension 101 has Z 5.6.6 v2.10.20.5 (says 51234, seen at 203.0.113.1:51234) too" in one.text
    (one,) = line_findings([judged("desk", "ok", extra_contacts=(second(5062),))])
    assert (one.code, one.severity) == ("unmanaged_on_planned_port", ERROR)
    (one,) = line_findings([judged("desk", "ok", extra_contacts=(second(5062, AWAY),))])
    assert one.code == "unmanaged"


def test_two_second_devices_have_an_id_each_that_stays_when_their_ports_change():
    def ids(*ports):
        devices = (second(ports[0]), second(ports[1], inside="10.9.9.10"))
        return [one.id for one in line_findings([judged("desk", "ok", extra_contacts=devices)])]
    assert len(set(ids(51000, 51001))) == 2 and ids(51000, 51001) == ids(52000, 52001)


def test_a_user_agent_can_not_break_the_report():
    (one,) = line_findings([judged("desk", "ok", extra_contacts=(second(agent="evil\r\n! ok: " + "x" * 500),))])
    assert not {"\n", "\r"} & {*one.text, *one.id} and len(one.text) < 250


def test_old_contacts_are_one_finding_for_the_site():
    old = ("stale_contact", Registration("101", claimed_port=5060))
    findings = line_findings([judged(f"phone{n}", "ok", extra_contacts=(old,)) for n in range(30)])
    assert [(*code, len(one.lines)) for code, one in zip(codes(findings), findings, strict=True)] == [("stale_contact", "", INFO, 30)]
    assert "phone0 5060, phone1 5060" in findings[0].text and "and 24 more" in findings[0].text


def test_a_softphone_in_the_phones_place_is_told():
    (one,) = line_findings([judged("desk", "random_port", claimed=51234, seen=51234, user_agent="MicroSIP/3.21.3")])
    assert "a softphone that has registered here (MicroSIP/3.21.3)" in one.text


def test_a_pbx_that_tells_no_port_is_no_fault_and_says_where_to_look():
    findings = line_findings([judged(f"phone{n}", "port_unseen", claimed=0, seen=0) for n in range(3)])
    assert {(one.code, one.severity, one.cause) for one in findings} == {("port_unseen", INFO, MEANINGS["port_unseen"].text)}
    assert "status page" in findings[0].remedy
    (one,) = line_findings([judged("desk", "other_port_seen", claimed=0, seen=41000)])
    assert one.severity == WARNING and "claimed -, seen 41000" in one.text and "phone's own setting" in one.remedy


def test_the_nat_option_is_one_finding_for_the_site_and_milder_where_the_pbx_reaches_the_phones():
    verdicts = [judged("a", "nat_option_missing", status="unreachable"), judged("b", "unverified_nat"), judged("c", "ok")]
    (one,) = line_findings(verdicts, nat_off={("a", 1), ("b", 1)})
    assert (one.code, one.severity, one.lines) == ("nat_option_missing", ERROR, ("acme/a line 1", "acme/b line 1"))
    assert "1 extension(s) is off (101)" in one.text
    (one,) = line_findings(verdicts[1:], nat_off={("b", 1)})
    assert (one.code, one.severity) == ("nat_option_missing", WARNING)
    (one,) = line_findings(verdicts[1:])
    assert (one.code, one.phone) == ("unverified_nat", "b")


def alg(phone, verdict="alg_or_stun", seen=11478, address=HERE):
    return judged(phone, verdict, claimed=seen, seen=seen, claimed_address=address, address=address)


def test_an_alg_in_front_of_all_phones_is_one_finding_and_stun_on_one_phone_is_its_own():
    (one,) = line_findings([alg("a"), alg("b"), alg("c", "ok", 5062)])
    assert (one.code, one.phone, one.lines) == ("alg_or_stun", "", ("acme/a line 1", "acme/b line 1")) and "3 line(s)" in one.text
    assert codes(line_findings([alg("a"), judged("b", "ok")])) == [("alg_or_stun", "a", WARNING)]
    assert codes(line_findings([alg("a")])) == [("alg_or_stun", "a", WARNING)]


def test_a_phone_elsewhere_is_named_where_there_is_a_majority_to_differ_from():
    here = [judged(f"p{n}", "ok", 5060 + 2 * n, 5060 + 2 * n, 5060 + 2 * n) for n in range(2)]
    away = judged("home", "ok", 5070, 5070, 5070, address=AWAY)
    (one,) = line_findings([*here, away])
    assert (one.code, one.phone, one.severity) == ("unexpected_address", "home", WARNING) and AWAY in one.text and HERE in one.text
    assert line_findings([here[0], away]) == [], "two lines have no majority"
    assert line_findings([*here, away, judged("q", "ok", 5072, 5072, 5072, address=AWAY)]) == [], "two WAN lines that share the load"
    private = [judged(f"p{n}", "ok", 5060 + 2 * n, 5060 + 2 * n, 5060 + 2 * n, address=f"192.168.1.{n}") for n in range(4)]
    assert line_findings([*private, away]) == [], "private addresses are each phone's own"
    unsure = [judged("x", "unverified_nat", 5074, 5074, 5074, address="192.0.2.9", is_source=False)]
    assert codes(line_findings([*here, *unsure])) == [("unverified_nat", "x", WARNING)]


def test_with_ipv6_each_phone_has_an_address_of_its_own_in_the_sites_network():
    six = [judged(f"p{n}", "ok", 5060 + 2 * n, 5060 + 2 * n, 5060 + 2 * n, address=f"2001:db8:1:1::{n + 1}") for n in range(4)]
    assert line_findings(six) == []
    assert codes(line_findings([*six, judged("far", "ok", 5080, 5080, 5080, address="2001:db8:2::1")])) == [("unexpected_address", "far", WARNING)]
    assert line_findings([*six, judged("old", "ok", 5080, 5080, 5080)]) == [], "the one with IPv4 is elsewhere only among those with IPv4"


def test_the_phones_own_setting_is_told_where_the_pbx_does_not_show_it():
    for verdict in ("ok", "not_registered", "not_seen", "port_unseen"):
        assert ("wrong_setting", "a", WARNING) in codes(line_findings([judged("a", verdict, set=5060)])), verdict
    assert codes(line_findings([judged("a", "wrong_port", claimed=5060, seen=5060, set=5060)])) == [("wrong_port", "a", ERROR)]
    (one,) = line_findings([judged("a", "wrong_port", claimed=5060, seen=5060, set=5062)])
    assert "planned 5062, set 5062, claimed 5060, seen 5060" in one.text
    assert line_findings([judged("a", "ok", set=5062), judged("b", "ok", set=0)]) == []


def test_whoever_sits_on_anothers_sip_tls_port_is_named():
    secure = judged("safe", "ok", 5060, 5061, 40000, transport="tls")
    for on_it in (judged("b", "wrong_port", 5064, 5061, 5061), judged("b", "wrong_setting", 5064, 5064, 5064, set=5061)):
        assert ("tls_port_taken", "b", WARNING) in codes(line_findings([secure, on_it]))
    by_inventory = [judged("safe", "ok", 5060, 5060, 5060), judged("b", "wrong_port", 5064, 5061, 5061)]
    assert "tls_port_taken" not in {one.code for one in line_findings(by_inventory)}
    assert "5061 is that of safe line 1" in next(one.text for one in line_findings(by_inventory, tls_phones={"safe"}) if one.code == "tls_port_taken")
    assert codes(line_findings([secure])) == [], "it is on its own"
    soft = judged("mobile", "unmanaged", None, 5061, 5061, managed=False)
    assert codes(line_findings([secure, soft])) == [("tls_port_taken", "mobile", WARNING)]
    away = judged("b", "wrong_port", 5064, 5061, 5061, address=AWAY)
    assert "tls_port_taken" in {one.code for one in line_findings([secure, away])}, "a managed phone's address is the site's"


def test_a_phone_that_gave_way_to_another_one_says_to_whom():
    (one,) = line_findings([judged("a", "port_contested", seen=41000, with_extensions=("102",))])
    assert (one.severity, one.phone) == (WARNING, "a") and "claimed 5062, seen 41000; 5062 is also used by 102" in one.text


def test_every_code_of_an_error_is_explained():
    def codes_of(error):
        return {error.code}.union(*map(codes_of, error.__subclasses__()))

    assert codes_of(EvenportError) - set(MEANINGS) == set()


def test_every_word_is_whole():
    assert {meaning.severity for meaning in MEANINGS.values()} == {ERROR, WARNING, INFO, OK}
    assert [code for code, meaning in MEANINGS.items() if meaning.severity in (ERROR, WARNING) and not meaning.remedy] == []
    assert [code for code, meaning in MEANINGS.items() if meaning.state not in STATES or (meaning.state == "ok") != (code == "ok")] == []


def test_a_remark_about_the_severity_is_not_part_of_a_finding():
    assert "warning" in MEANINGS["unknown_device"].text and "warning" not in found("unknown_device", "x").text


def test_a_code_that_nobody_knows_is_an_error_and_no_crash():
    one = found("something_new", phone="a")
    assert (one.severity, one.text) == (ERROR, MEANINGS["error"].text)


def test_the_worst_comes_first_then_the_inventory_decides():
    findings = [found("stale_contact"), found("wrong_port", phone="a", line=2), found("unverified_nat", phone="a", line=1), found("wrong_port", phone="b"),
                found("router_translated"), found("random_port", phone="a", line=1)]
    assert [(one.code, one.phone) for one in worst_first(findings, ["b", "a"])] == [
        ("router_translated", ""), ("wrong_port", "b"), ("random_port", "a"), ("wrong_port", "a"), ("unverified_nat", "a"), ("stale_contact", "")]
    same = [found("unmanaged", phone="a", more=["x"])] * 3
    assert [one.id for one in worst_first(same, ["a"])] == ["unmanaged/a/0/x", "unmanaged/a/0/x/2", "unmanaged/a/0/x/3"]


def summary(verdicts, findings=()):
    counts = counts_of(verdicts, findings)
    return counts, state_of(counts, findings), sentence_of(counts, findings)


def test_a_site_in_order_is_told_so():
    assert summary([judged("a", "ok"), judged("b", "ok")])[1:] == ("ok", "All 2 lines are in order; nothing is to be done.")
    assert summary([judged("a", "ok")])[2] == "The only line is in order; nothing is to be done."
    assert summary([])[1:] == ("ok", "No phone line of this site is managed; nothing is to be done.")
    assert summary([judged("a", "ok")], [found("unmanaged", "x")])[1] == "info"


@pytest.mark.parametrize(("verdict", "state"), [
    ("wrong_port", "drift"), ("router_translated", "router"), ("duplicate", "duplicate"), ("not_registered", "offline"), ("not_seen", "unseen")])
def test_the_worst_line_is_the_state_of_the_site(verdict, state):
    findings = line_findings([judged("a", verdict)])
    counts, shown, sentence = summary([judged("a", verdict), judged("b", "ok")], findings)
    assert (shown, counts[state], counts["ok"], counts["lines"]) == (state, 1, 1, 2)
    assert sentence.startswith("1 of 2 lines is not in order (1 ") and sentence.count(".") == 1
    assert (MEANINGS[verdict].remedy.split(". ")[0].rstrip(".") if findings else "nothing is known to be wrong") in sentence


def test_a_run_that_failed_is_the_worst_of_all():
    assert summary([judged("a", "duplicate")], [found("site_stopped", phone="a")])[1] == "failed"
    assert summary([judged("a", "ok")], [found("default_password", phone="a")])[1:] == (
        "info", "The only line is in order; 1 thing to be mended, first: Set another one on the phone, then sip_phone_password (ansible-vault).")


def test_a_long_list_names_the_first_and_counts_the_rest():
    assert listed(["a", "b", "a"]) == "a, b" and listed("abcdefgh", 3) == "a, b, c and 5 more"
