"""What is chosen from a report: sites, a JMESPath, the findings that make a run fail."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.evenport.sip.plugins.module_utils.audit.findings import MEANINGS
from ansible_collections.evenport.sip.plugins.module_utils.errors import PlanError
from ansible_collections.evenport.sip.plugins.plugin_utils.report.select import (
    LONGEST,
    NAMED,
    fail_on,
    failure,
    only_sites,
    readable,
    refuse_unknown,
    sites_of_value,
    where,
)
from tests.unit.plugins.plugin_utils.report.sample import sample_report, site_name

REPORT = sample_report(4, 40)
PAGE = (Path(__file__).parents[5] / "docs" / "reports.md").read_text(encoding="utf-8")
EXAMPLES = [row.split(" | ")[1].strip("` |") for row in PAGE.partition("| Which | `sip_audit_where` |")[2].partition("\n\n")[0].splitlines()[2:]]


def test_where_finds_what_was_asked_for():
    assert where("sites[?state!='ok'].site", REPORT) == [site["site"] for site in REPORT["sites"][1:]]
    assert where("sites[].counts.lines | sum(@)", REPORT) == 160
    assert where("nothing.like.it", REPORT) is None


def test_the_pages_examples_find_something():
    assert len(EXAMPLES) == 4
    for expression in EXAMPLES:
        assert len(where(expression, REPORT)) > 2, expression


@pytest.mark.parametrize(("expression", "told"), [
    ("", "can't be"), (" ", "can't be read at character 2, where it ends too early"), ("sites[", "can't be read at character 7, where it ends too early"),
    ("sites[?state==", "can't be read at character 15, where it ends too early"), ("sites[?state=='x", "can't be read at character 15, at \"'x\""),
    ("sites[0].a-b", "can't be read at character 11, at \"-b\""), ("sites[0:a]", "can't be read at character 9, at \"a]\""),
    ("sites[0].nope(@)", "calls nope() at character 10, which is no function of JMESPath"),
    ("sites | length(@, @)", "gives length() at character 9 2 argument(s) instead of 1"),
    ("sites | abs(@)", "gives abs() at character 9 a value of type array instead of number"), ("sites[::0]", "can't be applied to the report: slice step"),
    ("sites[].lines[?seen > 'a'][]", "can't be applied to the report: '>' not supported"), ("(" * 1999, "is nested too deeply"),
    ("&sites", "can't be applied to the report"), ("[&sites]", "can't be applied to the report"), ("a" * (LONGEST + 1), "more than 2000"),
])
def test_a_fault_is_one_clear_sentence(expression, told):
    with pytest.raises(PlanError) as caught:
        where(expression, REPORT)
    message = str(caught.value)
    assert told in message and message.startswith("where: ") and "\n" not in message and len(message) < 500
    assert "customer_" not in message           # jmespath's own messages hold the values


WORDS = st.sampled_from([
    "sites", "[", "]", "[]", "[?", "state", "==", "'ok'", "`1`", ".", "|", "||", "&", "&&", "!", "@", "(", ")", "{", "}", ":", ",", "*", "[0]", "[::0]", "-",
    "\"", "'", "`", "length(", "sort_by(", "max_by(", "sum(", "join(", "keys(", "to_number(", "map(", "not_null(",
    "lines", "seen", ">", "<", "nope(", "\n", "é", "\ud800"])


@given(st.lists(WORDS, max_size=12).map("".join))
def test_any_expression_finds_a_value_or_is_a_plan_error(expression):
    try:
        json.dumps(where(expression, sample_report(1, 2)))
    except PlanError as error:
        assert "\n" not in str(error)


def test_only_sites_keeps_the_reports_order():
    names = [site_name(2), site_name(0)]
    chosen = only_sites(REPORT, names)
    assert [site["site"] for site in chosen["sites"]] == sorted(names)
    assert chosen["made_at"] == REPORT["made_at"] and len(REPORT["sites"]) == 4


def test_the_sites_that_an_expression_finds():
    for expression in ("sites[?state!='ok']", "sites[?state!='ok'].site", f"[`\"{site_name(1)}\"`, sites[2], sites[3].site]"):
        names = sites_of_value(where(expression, REPORT), REPORT)
        assert [site["site"] for site in only_sites(REPORT, names)["sites"]] == [site_name(n) for n in (1, 2, 3)]
    for expression in ("sites[?state=='nope']", "sites[0]", "sites[].lines[]", "made_at", "sites[].counts", "['nope']", "nope"):
        assert sites_of_value(where(expression, REPORT), REPORT) == []


def found(*words, report=REPORT):
    return {(one["severity"], one["code"]) for one in fail_on(words, report)}


def test_a_severity_stands_for_what_is_worse_too():
    everything = [finding for site in REPORT["sites"] for finding in site["findings"]]
    assert fail_on([], REPORT) == []
    assert len(fail_on(["info"], REPORT)) == len(everything)
    assert {severity for severity, unused in found("error")} == {"error"}
    assert {severity for severity, unused in found("warning")} == {"error", "warning"}
    assert len(fail_on(["error"], REPORT)) == sum(one["severity"] == "error" for one in everything)


def test_codes_and_severities_add_up():
    assert {code for unused, code in found("duplicate", "alg_or_stun")} == {"duplicate", "alg_or_stun"}
    assert found("error", "provisioning_server") == found("error") | {("info", "provisioning_server")}
    one = fail_on(["duplicate"], REPORT)[0]
    assert one["site"] == site_name(2) and one["remedy"]


def test_new_narrows_the_rest():
    new = [one for one in fail_on(["warning"], REPORT) if one["trend"] == "new"]
    assert 0 < len(new) < len(fail_on(["warning"], REPORT))
    assert fail_on(["new"], REPORT) == fail_on(["new", "warning"], REPORT) == new
    assert {one["code"] for one in fail_on(["new", "duplicate"], REPORT)} == {"duplicate"}
    assert len(fail_on(["new", "duplicate"], REPORT)) < len(fail_on(["duplicate"], REPORT))


def test_without_a_previous_report_every_finding_is_new():
    alone = {**REPORT, "previous_at": "", "sites": [{**site, "findings": [{**f, "trend": ""} for f in site["findings"]]} for site in REPORT["sites"]]}
    assert len(fail_on(["new", "duplicate"], alone)) == len(fail_on(["duplicate"], REPORT)) > 0


@pytest.mark.parametrize(("word", "told"), [
    ("duplicates", "Did you mean duplicate"), ("errors", "Did you mean error"), ("Warning", "Did you mean warning"),
    ("router", "Did you mean router_translated"),
    ("xyzzy", "Severities are error, warning, info"), ("ok", "\"ok\" is no code"), ("bad\x1b[2J", "bad\ufffd[2J"), (5, "\"5\" is no code"), (None, "\"None\""),
])
def test_an_unknown_word_is_refused_by_name(word, told):
    with pytest.raises(PlanError, match=re.escape(told)):
        fail_on(["error", word], REPORT)


def test_every_code_is_a_word():
    fail_on([code for code in MEANINGS if code != "ok"], REPORT)


def test_the_sentence_of_a_failure_counts_by_code_and_site():
    def one(code, site):
        return {"code": code, "site": site}
    assert failure(["error"], []) == ""
    assert failure(["error", "new"], [one("duplicate", "a"), one("pbx_not_read", "b"), one("duplicate", "b\x1b"), one("duplicate", "a")]) == (
        "4 finding(s) that fail_on (error, new) names: duplicate: 2 at a, 1 at b\ufffd; pbx_not_read: 1 at b. The report says what to do.")
    many = failure(["error"], [one("duplicate", f"s{n}") for n in range(NAMED + 3)])
    assert many.count(" at s") == NAMED and "and 3 at 3 more sites." in many


def test_words_and_expressions_are_checked_without_a_report():
    refuse_unknown(["error", "new", "duplicate"])
    assert readable("length(sites[0].lines)")               # nothing to apply it to yet, so nothing that doesn't fit
    with pytest.raises(PlanError, match="character 7"):
        readable("sites[")


@pytest.mark.parametrize(("expression", "names"), [
    ("sites[?state!='nonsense']", [site_name(n) for n in range(4)]), ("sites[1:].site", [site_name(n) for n in range(1, 4)]),
    ("sites[].phones[].phone", []), ("sites[].{counts: counts}", []), ("sites[].counts", []), ("length(sites)", []), ("nothing", []),
])
def test_what_is_sites_and_what_is_something_else(expression, names):
    assert sites_of_value(where(expression, REPORT), REPORT) == names
