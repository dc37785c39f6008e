"""The terminal's table."""

from __future__ import annotations

import copy

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.evenport.sip.plugins.plugin_utils.report.terminal import WIDEST, report_lines, site_lines, text_table, value_lines
from tests.unit.plugins.plugin_utils.report.hostile import TEXTS, full_of
from tests.unit.plugins.plugin_utils.report.sample import sample_report

LINE = {
    "phone": "kitchen", "line": 1, "extension": "102", "kind": "phone", "planned": 5062, "set": 5062, "claimed": 5062, "seen": 5062,
    "seen_address": "203.0.113.1", "transport": "udp", "user_agent": "", "nat_option": True, "verdict": "ok", "severity": "ok", "this_run": "", "contacts": [],
}


def finding(code, phone="", line=0, **more):
    return {
        "id": f"{code}/{phone}/{line}", "code": code, "severity": "error", "phone": phone, "line": line, "lines": [], "cause": "the cause",
        "evidence": "evidence", "text": "the cause (evidence)", "remedy": "Do this.", "trend": "", **more}


def site(lines, findings=(), **more):
    whole = copy.deepcopy(sample_report(1, 1)["sites"][0])
    whole["counts"].update(
        lines=sum(line["kind"] == "phone" for line in lines), ok=sum(line["verdict"] == "ok" for line in lines),
        errors=sum(one["severity"] == "error" for one in findings), warnings=sum(one["severity"] == "warning" for one in findings))
    return {**whole, "site": "acme_hq", "sentence": "All lines are in order.", "lines": list(lines), "findings": list(findings), **more}


def test_a_site_in_order():
    assert site_lines(site([LINE, {**LINE, "phone": "lobby", "line": 2, "extension": "7", "planned": 0, "claimed": 0, "seen": 41235}])) == [
        "acme_hq: 2 of 2 lines in order",
        "All lines are in order.",
        "phone    line  extension  planned  claimed   seen  verdict",
        "-------  ----  ---------  -------  -------  -----  -------",
        "kitchen     1        102     5062     5062   5062  ok",
        "lobby       2          7        -        -  41235  ok",
    ]


def test_what_this_run_did_is_a_column_of_its_own():
    lines = site_lines(site([LINE, {**LINE, "phone": "lobby", "this_run": "moved"}]))
    assert lines[2].endswith("  verdict  this run") and lines[5].endswith("  ok       moved")


def test_findings_of_many_phones_with_one_cause_are_one():
    found = [finding("wrong_port", f"phone{n}", 1 + n % 2) for n in range(11)]
    assert site_lines(site([LINE], found))[5:] == [
        "! wrong_port: phone0, phone1 line 2, phone2, phone3 line 2, phone4, phone5 line 2, phone6, phone7 line 2 and 3 more: the cause. Do this."]
    assert site_lines(site([LINE], found))[0] == "acme_hq: 1 of 1 lines in order, 11 finding(s)"


def test_one_finding_tells_its_evidence_and_other_causes_stay_apart():
    found = [
        finding("duplicate", "a", 1), finding("pbx_not_read", cause="", text="pbx1 was not asked", remedy=""),
        finding("wrong_port", "b", 1, cause="another", text="another one."), finding("stale_contact", "c", 1, severity="info"),
        finding("wrong_port", "d", 1, severity="warning"), finding("wrong_port", "e", 1)]
    assert site_lines(site([LINE], found))[5:] == [
        "! duplicate: a: the cause (evidence). Do this.", "! pbx_not_read: pbx1 was not asked.", "! wrong_port: b: another one. Do this.",
        "i stale_contact: c: the cause (evidence). Do this.", "! wrong_port: d: the cause (evidence). Do this.",
        "! wrong_port: e: the cause (evidence). Do this."]


def test_new_still_and_fixed():
    found = [finding("wrong_port", f"phone{n}", 1, trend="new" if n < 2 else "still") for n in range(5)] + [finding("duplicate", "a", 1, trend="new")]
    fixed = [{"id": "x", "code": "locked", "phone": "boss", "line": 0, "text": "t"}, {"id": "y", "code": "pbx_not_read", "phone": "", "line": 0, "text": "t"}]
    lines = site_lines(site([LINE], found, fixed=fixed, not_seen=["the PBX\x1b[2J did not answer"]), "2026-11-22T05:00:00Z")
    assert lines[0] == "acme_hq: 1 of 1 lines in order, 6 finding(s) (since 2026-11-22T05:00:00Z: 3 new, 3 still, 2 fixed)"
    assert lines[5:] == [
        "! wrong_port [2 new, 3 still]: phone0, phone1, phone2, phone3, phone4: the cause. Do this.", "! duplicate [new]: a: the cause (evidence). Do this.",
        "+ fixed: locked: boss", "+ fixed: pbx_not_read", "? not seen: the PBX\ufffd[2J did not answer"]


def test_columns_are_aligned_for_the_eye():
    assert text_table(["phone", "port"], [["a", 5060], ["kitchen", 80]]) == ["phone    port", "-------  ----", "a        5060", "kitchen    80"]
    assert text_table(["phone"], []) == ["phone", "-----"]
    assert text_table(["phone", "x"], [["電話", "a"], ["é", "b"], ["w" * 500, None]]) == [
        "phone" + " " * (WIDEST - 3) + "x", "-" * WIDEST + "  -", "電話" + " " * (WIDEST - 2) + "a", "é" + " " * (WIDEST + 1) + "b", "w" * (WIDEST - 1) + "…"]


def test_all_sites():
    lines = report_lines(sample_report())
    heads = [n for n, line in enumerate(lines) if " of 40 lines in order" in line and line.startswith("customer")]
    assert [n for n, line in enumerate(lines) if not line] == [n - 1 for n in heads] and len(heads) == 3


@given(st.lists(TEXTS, min_size=1, max_size=6))
def test_no_text_commands_the_terminal_or_breaks_a_line(texts):
    report = full_of(texts)
    for one in report["sites"]:
        lines = site_lines(one, report["previous_at"])
        assert len(lines) <= 4 + len(one["lines"]) + len(one["findings"]) + len(one["fixed"]) + len(one["not_seen"])
        for line in lines:
            assert not any(ord(char) < 32 or 127 <= ord(char) < 160 or char in "\u2028\u2029\u202e" for char in line)
            line.encode()


def test_what_an_expression_has_found_is_shown_harmless():
    assert value_lines(["Zoë", "a\x1b[2J", "b\nc"]) == ["Zoë", "a\ufffd[2J", "b c"]
    assert value_lines([]) == ["[]"] and value_lines(None) == ["null"] and value_lines(8) == ["8"]
    assert value_lines({"a": ["Zoë\u202e\u2028\x9b"]}) == ["{", '  "a": [', '    "Zoë\ufffd \ufffd"', "  ]", "}"]
