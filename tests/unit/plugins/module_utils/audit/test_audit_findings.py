"""From lines to findings, and the findings as text."""

from __future__ import annotations

from ansible_collections.evenport.sip.plugins.module_utils.audit.findings import MEANINGS, site_findings
from ansible_collections.evenport.sip.plugins.module_utils.audit.text import report_lines, text_table
from ansible_collections.evenport.sip.plugins.module_utils.audit.verdict import LineVerdict
from ansible_collections.evenport.sip.plugins.module_utils.errors import EvenportError
from ansible_collections.evenport.sip.plugins.module_utils.model import Line, Registration


def judged(phone, verdict, planned=5062, claimed=5062, seen=5062, managed=True, **more):
    return LineVerdict(Line("acme", phone, 1, "101", planned, managed), verdict, claimed, seen, "203.0.113.1", **more)


def test_a_router_that_rewrites_ports_is_one_finding_and_names_no_phone():
    verdicts = [judged(f"phone{n}", "router_translated", seen=40000 + n) for n in range(30)]
    findings = site_findings("acme", verdicts)
    assert [f.code for f in findings] == ["router_translated"]
    assert (findings[0].phone, len(findings[0].lines)) == ("", 30)
    assert "phone0 5062 -> 40000" in findings[0].text


def test_nothing_wrong_nothing_found():
    assert site_findings("acme", [judged("desk", "ok"), judged("mobile", "unmanaged", None, 51000, 51000, managed=False)]) == []


def test_a_softphone_on_a_planned_port_is_found():
    verdicts = [judged("desk", "ok", 5062), judged("mobile", "unmanaged", None, 5062, 5062, managed=False)]
    assert [(f.code, f.phone) for f in site_findings("acme", verdicts)] == [("unmanaged_on_planned_port", "mobile")]


def test_a_softphone_on_that_port_at_another_address_is_in_nobodys_way():
    away = LineVerdict(Line("acme", "mobile", 1, "101r", None, False), "unmanaged", 5062, 5062, "198.51.100.7")
    assert site_findings("acme", [judged("desk", "ok", 5062), away]) == []


def second(seen=51234, address="203.0.113.1", agent="Z 5.6.6 v2.10.20.5"):
    return ("unmanaged", Registration("101", "10.9.9.9", seen, address, seen, user_agent=agent))


def test_a_second_device_is_named_with_its_user_agent_and_port_and_is_no_fault():
    (found,) = site_findings("acme", [judged("desk", "ok", extra_contacts=(second(),))])
    assert (found.code, found.phone, found.fault) == ("unmanaged", "desk", False)
    assert "extension 101 has Z 5.6.6 v2.10.20.5 (says 51234, seen at 203.0.113.1:51234) too" in found.text
    (found,) = site_findings("acme", [judged("desk", "ok", extra_contacts=(second(5062),))])
    assert (found.code, found.fault) == ("unmanaged_on_planned_port", True)
    (found,) = site_findings("acme", [judged("desk", "ok", extra_contacts=(second(5062, "198.51.100.7"),))])
    assert found.code == "unmanaged"


def test_a_user_agent_can_not_break_the_report():
    (found,) = site_findings("acme", [judged("desk", "ok", extra_contacts=(second(agent="evil\r\n! ok: " + "x" * 500),))])
    assert "\n" not in found.text and "\r" not in found.text and len(found.text) < 250


def test_old_contacts_are_one_finding_for_the_site():
    old = ("stale_contact", Registration("101", claimed_port=5060))
    found = site_findings("acme", [judged(f"phone{n}", "ok", extra_contacts=(old,)) for n in range(30)])
    assert [(f.code, f.fault, f.phone, len(f.lines)) for f in found] == [("stale_contact", False, "", 30)]
    assert "phone0 5060, phone1 5060" in found[0].text and "and 24 more" in found[0].text


def test_a_softphone_in_the_phones_place_is_told():
    (found,) = site_findings("acme", [judged("desk", "random_port", claimed=51234, seen=51234, user_agent="MicroSIP/3.21.3")])
    assert "a softphone that has registered here (MicroSIP/3.21.3)" in found.text


def test_a_pbx_that_tells_no_port_is_no_fault_and_says_where_to_look():
    verdicts = [judged(f"phone{n}", "port_unseen", claimed=0, seen=0) for n in range(3)]
    findings = site_findings("acme", verdicts)
    assert {(f.code, f.fault) for f in findings} == {("port_unseen", False)} and "status page" in findings[0].remedy
    assert sum("port_unseen: phone0, phone1, phone2" in text for text in report_lines("acme", verdicts, findings)) == 1
    (found,) = site_findings("acme", [judged("desk", "other_port_seen", claimed=0, seen=41000)])
    assert found.fault and "claimed -, seen 41000" in found.text and "phone's own setting" in found.remedy


def test_the_nat_option_is_one_finding_for_the_site():
    findings = site_findings("acme", [judged("a", "nat_option_missing"), judged("b", "ok")], nat_off=["101", "102"])
    assert [f.code for f in findings] == ["nat_option_missing"]
    assert "2 extension(s) is off (101, 102)" in findings[0].text


def test_every_code_of_an_error_is_explained():
    def codes(error):
        return {error.code}.union(*map(codes, error.__subclasses__()))

    assert codes(EvenportError) - set(MEANINGS) == set()


def test_many_phones_with_one_cause_are_told_in_one_line():
    verdicts = [judged(f"phone{n}", "wrong_port", claimed=5060, seen=5060) for n in range(3)]
    lines = report_lines("acme", verdicts, site_findings("acme", verdicts))
    told = [line for line in lines if line.startswith("! wrong_port")]
    assert len(told) == 1
    assert "phone0, phone1, phone2" in told[0]
    assert lines[0] == "acme: 0 of 3 lines in order, 3 finding(s)"


def test_every_fault_has_a_remedy():
    assert [code for code, meaning in MEANINGS.items() if meaning.fault and not meaning.remedy] == []


def test_tables_are_aligned():
    assert text_table(["phone", "port"], [["a", 5060], ["kitchen", 80]]) == ["phone    port", "-------  ----", "a        5060", "kitchen    80"]
    assert text_table(["phone"], []) == ["phone", "-----"]
