"""JUnit XML: what GitLab, Jenkins and an XML parser make of it."""

from __future__ import annotations

import copy
import re

from defusedxml import ElementTree
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from ansible_collections.evenport.sip.plugins.plugin_utils.report.junit import junit
from tests.unit.plugins.plugin_utils.report.hostile import TEXTS, full_of
from tests.unit.plugins.plugin_utils.report.sample import sample_report

# What the readers of JUnit files have in common, in the order of the strictest of them. One failure for each case: Jenkins keeps only one.
SHAPE = etree.XMLSchema(etree.fromstring("""
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <xs:simpleType name="time"><xs:restriction base="xs:string">
    <xs:pattern value="[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"/>
  </xs:restriction></xs:simpleType>
  <xs:simpleType name="name"><xs:restriction base="xs:string"><xs:minLength value="1"/></xs:restriction></xs:simpleType>
  <xs:attributeGroup name="counts">
    <xs:attribute name="name" type="name" use="required"/>
    <xs:attribute name="tests" type="xs:nonNegativeInteger" use="required"/>
    <xs:attribute name="failures" type="xs:nonNegativeInteger" use="required"/>
    <xs:attribute name="errors" type="xs:nonNegativeInteger" use="required"/>
    <xs:attribute name="skipped" type="xs:nonNegativeInteger" use="required"/>
    <xs:attribute name="time" type="xs:decimal" use="required"/>
  </xs:attributeGroup>
  <xs:element name="testsuites"><xs:complexType>
    <xs:sequence><xs:element ref="testsuite" minOccurs="0" maxOccurs="unbounded"/></xs:sequence><xs:attributeGroup ref="counts"/>
  </xs:complexType></xs:element>
  <xs:element name="testsuite"><xs:complexType>
    <xs:sequence><xs:element ref="testcase" minOccurs="0" maxOccurs="unbounded"/><xs:element name="system-out" type="xs:string" minOccurs="0"/></xs:sequence>
    <xs:attributeGroup ref="counts"/><xs:attribute name="timestamp" type="time" use="required"/>
  </xs:complexType></xs:element>
  <xs:element name="testcase"><xs:complexType>
    <xs:sequence>
      <xs:choice minOccurs="0">
        <xs:element name="skipped"><xs:complexType><xs:simpleContent><xs:extension base="xs:string">
          <xs:attribute name="message" type="xs:string"/></xs:extension></xs:simpleContent></xs:complexType></xs:element>
        <xs:element name="failure"><xs:complexType><xs:simpleContent><xs:extension base="name">
          <xs:attribute name="type" type="name" use="required"/><xs:attribute name="message" type="xs:string" use="required"/>
        </xs:extension></xs:simpleContent></xs:complexType></xs:element>
      </xs:choice>
      <xs:element name="system-out" type="xs:string" minOccurs="0"/>
    </xs:sequence>
    <xs:attribute name="classname" type="name" use="required"/><xs:attribute name="name" type="name" use="required"/>
    <xs:attribute name="time" type="xs:decimal" use="required"/>
  </xs:complexType></xs:element>
</xs:schema>"""))
FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def parsed(report):
    """The tree, after everything that holds for any report has been checked."""
    text = junit(report)
    assert not FORBIDDEN.search(text)
    SHAPE.assertValid(etree.fromstring(text.encode()))
    root = ElementTree.fromstring(text.encode(), forbid_dtd=True)
    assert len(root) == len(report["sites"])
    for suite in root:
        cases = suite.findall("testcase")
        for key, count in (("tests", len(cases)), ("failures", len(suite.findall("testcase/failure"))), ("skipped", len(suite.findall("testcase/skipped")))):
            assert suite.get(key) == str(count)
        names = [(case.get("classname"), case.get("name")) for case in cases]
        assert len(names) == len(set(names))
    for key in ("tests", "failures", "errors", "skipped"):
        assert root.get(key) == str(sum(int(suite.get(key)) for suite in root))
    return root


def cases_of(site):
    report = {**sample_report(0), "sites": [site]}
    return {case.get("name"): case for case in parsed(report).iter("testcase")}


def small(**changes):
    """A site with one line, which *changes* change."""
    site = copy.deepcopy(sample_report(1, 1)["sites"][0])
    site["lines"][0].update(phone="kitchen", line=1, planned=5062, claimed=5062, seen=5062)
    site["lines"][0].update(changes)
    return site


def finding(code, severity, phone="kitchen", line=1, lines=()):
    return {
        "id": f"{code}/{phone}/{line}", "code": code, "severity": severity, "phone": phone, "line": line, "lines": list(lines), "cause": "why", "evidence": "",
        "text": f"{code} is so.", "remedy": "Do this.", "trend": ""}


def test_samples_have_the_common_shape():
    root = parsed(sample_report())
    assert int(root.get("failures")) > 10 and int(root.get("skipped")) > 40
    assert [suite.get("failures") for suite in root][0] == "0"
    assert parsed(sample_report(0)).get("tests") == "0"


def test_a_line_in_order_passes():
    case = cases_of(small())["kitchen line 1"]
    assert list(case) == []


def test_an_error_fails_with_all_that_is_to_be_done():
    site = small(verdict="wrong_port", severity="error")
    site["findings"] = [finding("wrong_port", "error"), finding("not_applied", "error"), finding("stale_contact", "info")]
    case = cases_of(site)["kitchen line 1"]
    assert case.find("failure").attrib == {"type": "wrong_port", "message": "wrong_port is so."}
    assert case.find("failure").text == "wrong_port: wrong_port is so. Do this.\nnot_applied: not_applied is so. Do this."
    assert case.find("system-out").text == "info: stale_contact: stale_contact is so. Do this."


def test_an_error_fails_without_a_finding_too():
    case = cases_of(small(verdict="wrong_port", severity="error", claimed=5060, seen=0))["kitchen line 1"]
    assert case.find("failure").get("message") == "wrong_port (planned 5062, claimed 5060, seen -)"


def test_a_warning_is_output():
    site = small(verdict="unverified_nat", severity="warning")
    site["findings"] = [finding("unverified_nat", "warning")]
    case = cases_of(site)["kitchen line 1"]
    assert [child.tag for child in case] == ["system-out"] and "unverified_nat is so" in case[0].text


def test_what_was_not_seen_is_skipped():
    site = small(verdict="not_seen", severity="info")
    site["not_seen"] = ["the PBX did not answer", "no password"]
    cases = cases_of(site)
    assert cases["kitchen line 1"].find("skipped").get("message").startswith("not_seen")
    assert cases["site: what was not seen"].find("skipped").text == "the PBX did not answer\nno password"
    assert cases_of(small(verdict="port_unseen", severity="info"))["kitchen line 1"].find("skipped") is not None


def test_the_routers_fault_fails_once():
    site = small(verdict="router_translated", severity="error")
    for lines in ([f"{site['site']}/kitchen line 1"], []):
        site["findings"] = [finding("router_translated", "error", "", 0, lines)]
        cases = cases_of(site)
        assert cases["site: router_translated"].find("failure") is not None
        assert cases["kitchen line 1"].find("failure") is None and "for the whole site" in cases["kitchen line 1"].find("skipped").get("message")
    # another finding of the site that names the line hides nothing, nor does the router's that names other lines, nor one about the phone or no error
    site["findings"] = [finding("stale_contact", "info", "", 0, [f"{site['site']}/kitchen line 1"]), finding("router_translated", "error", "", 0, ["x"])]
    assert cases_of(site)["kitchen line 1"].find("failure") is not None
    for about in (finding("router_translated", "error", "kitchen", 0), finding("router_translated", "info", "", 0)):
        site["findings"] = [about]
        assert cases_of(site)["kitchen line 1"].find("failure") is not None


def test_findings_about_more_than_a_line_are_cases_with_names_of_their_own():
    site = small()
    site["findings"] = [
        finding("pbx_not_read", "error", "", 0), finding("pbx_not_read", "error", "", 0), finding("auth_failed", "warning", "kitchen", 0),
        finding("active_account", "error", "kitchen", 4)]
    assert list(cases_of(site)) == [
        "kitchen line 1", "site: pbx_not_read", "site: pbx_not_read (2)", "kitchen: auth_failed", "kitchen account 4: active_account"]


@given(st.lists(TEXTS, min_size=1, max_size=6))
def test_any_text_parses(texts):
    parsed(full_of(texts))
