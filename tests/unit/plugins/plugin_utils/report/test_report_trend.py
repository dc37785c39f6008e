"""Compared with the run before: new, still, fixed; and what must not be called fixed."""

from __future__ import annotations

import copy

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.evenport.sip.plugins.plugin_utils.report.trend import with_trend
from tests.unit.plugins.plugin_utils.report.sample import sample_report
from tests.unit.plugins.plugin_utils.report.test_report_schema import VALID

THEN, NOW = "2026-11-22T05:00:00Z", "2026-11-23T05:00:00Z"


def line(phone, verdict="ok", number=1):
    return {**sample_report(1, 1)["sites"][0]["lines"][0], "phone": phone, "line": number, "verdict": verdict}


def phone(name, read=True):
    return {**sample_report(1, 1)["sites"][0]["phones"][0], "phone": name, "read": read}


def finding(code, who="", number=0, lines=()):
    return {
        "id": f"{code}/{who}/{number}", "code": code, "severity": "error", "phone": who, "line": number, "lines": list(lines), "cause": "c", "evidence": "e",
        "text": "t", "remedy": "r", "trend": ""}


def report(when, findings=(), lines=(("a", "ok"),), phones=(("a", True),), pbx=True, state="drift", name="acme"):
    one = {
        **sample_report(1, 1)["sites"][0], "site": name, "state": state, "phones": [phone(*each) for each in phones], "lines": [line(*each) for each in lines],
        "findings": list(findings), "pbxs": [{"pbx": "p", "type": "", "read": pbx, "why": "", "as_of": "", "shows_ports": True}]}
    return {**sample_report(0), "made_at": when, "previous_at": "", "sites": [one]}


def compared(now, before):
    result, notes = with_trend(now, before)
    VALID.validate(result)
    site = result["sites"][0]
    return [one["trend"] for one in site["findings"]], [one["id"] for one in site["fixed"]], notes


def test_new_still_and_fixed():
    before = report(THEN, [finding("wrong_port", "a", 1), finding("locked", "a"), finding("router_translated")])
    now = report(NOW, [finding("wrong_port", "a", 1), finding("duplicate", "a", 1)])
    assert compared(now, before) == (["still", "new"], ["locked/a/0", "router_translated//0"], [])
    assert with_trend(now, before)[0]["previous_at"] == THEN
    assert with_trend(now, before)[0]["sites"][0]["fixed"][0] == {"id": "locked/a/0", "code": "locked", "phone": "a", "line": 0, "text": "t"}


def test_without_a_previous_report():
    result, notes = with_trend(sample_report(), None)
    assert notes == [] and result["previous_at"] == ""
    assert all(not site["fixed"] and all(one["trend"] == "" for one in site["findings"]) for site in result["sites"])


@pytest.mark.parametrize(("code", "number", "now", "fixed"), [
    # the line
    ("wrong_port", 1, {"lines": (("a", "not_seen"),)}, False),
    ("wrong_port", 1, {"lines": (("a", "not_registered"),)}, False),        # switched off, not mended
    ("wrong_port", 1, {"lines": (("a", "port_unseen"),)}, False),
    ("wrong_port", 1, {"lines": ()}, False),                                # no longer planned
    ("wrong_port", 1, {"lines": (("a", "ok"),)}, True),
    ("wrong_port", 1, {"lines": (("a", "duplicate"),)}, True),
    # the phone
    ("wrong_port", 1, {"phones": (("a", False),)}, False),                  # may have come from its own settings
    ("locked", 0, {"phones": (("a", False),)}, False),
    ("locked", 0, {"phones": ()}, False),                                   # --limit
    ("locked", 0, {"lines": (("a", "not_registered"),)}, True),
    ("active_account", 4, {}, True),
    ("active_account", 4, {"phones": (("a", False),)}, False),
])
def test_a_phones_finding_is_fixed_only_if_it_would_have_been_seen(code, number, now, fixed):
    before = report(THEN, [finding(code, "a", number)], lines=(("a", "wrong_port"),))
    assert compared(report(NOW, **now), before)[1] == ([f"{code}/a/{number}"] if fixed else [])


def test_without_the_phones_passwords_the_pbx_is_enough():
    phones = (("a", False), ("b", False))
    before = report(THEN, [finding("wrong_port", "a", 1), finding("not_registered", "b", 1)], (("a", "wrong_port"), ("b", "not_registered")), phones)
    now = report(NOW, [], (("a", "ok"), ("b", "port_unseen")), phones)
    assert compared(now, before)[1] == ["wrong_port/a/1", "not_registered/b/1"]


def test_a_phone_that_could_not_be_read_and_still_can_not_is_not_mended():
    before = report(THEN, [finding("auth_failed", "a")], phones=(("a", False),))
    assert compared(report(NOW, [finding("deferred", "a")], phones=(("a", False),)), before)[:2] == (["new"], [])


@pytest.mark.parametrize(("lines", "now", "fixed"), [
    ([], {}, True), ([], {"pbx": False}, False), ([], {"state": "failed"}, False),
    (["acme/a line 1"], {}, True), (["acme/a line 1"], {"lines": (("a", "not_registered"),)}, False), (["acme/gone line 1"], {}, False),
    (["acme/gone line 1", "acme/a line 1"], {}, True),
])
def test_a_sites_finding_is_fixed_only_if_the_site_was_seen(lines, now, fixed):
    before = report(THEN, [finding("router_translated", lines=lines)])
    assert compared(report(NOW, **now), before)[1] == (["router_translated//0"] if fixed else [])


def test_one_of_two_alike_that_is_gone_is_not_called_fixed():
    before = report(THEN, [finding("pbx_not_read"), finding("pbx_not_read")])
    assert compared(report(NOW, [finding("pbx_not_read")]), before) == (["still"], [], [])


def test_sites_that_come_and_go():
    before = report(THEN, [finding("locked", "a")], name="gone\x1b[2J")
    trends, fixed, notes = compared(report(NOW, [finding("locked", "a")]), before)
    assert (trends, fixed) == (["new"], [])
    assert notes == [
        "Not in the previous report, so all its findings are new: acme.", "Only in the previous report, so nothing is known of it now: gone\ufffd[2J."]


def broken(*path, value=None):
    whole = copy.deepcopy(report(THEN, [finding("locked", "a")]))
    inner = whole
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return whole


@pytest.mark.parametrize(("previous", "why"), [
    ([], "it is not a report"), ("text", "it is not a report"), ({}, "it has schema none, not 2"),
    ({"schema": 1, "lines": [], "findings": []}, "it has schema 1, not 2"), ({"schema": "x" * 999}, f"it has schema {'x' * 20}, not 2"),
    *((one, "it has another shape than its schema says") for one in (
        {"schema": 2}, broken("sites"), broken("made_at"), broken("sites", 0), broken("sites", 0, "site"), broken("sites", 0, "phones"),
        broken("sites", 0, "phones", 0), broken("sites", 0, "phones", 0, "read"), broken("sites", 0, "lines", 0, "verdict"), broken("sites", 0, "findings"),
        broken("sites", 0, "findings", 0, "id", value=["x"]),
        broken("sites", 0, "findings", 0, "line", value="1"), broken("sites", 0, "findings", 0, "lines"))),
])
def test_another_previous_report_is_ignored_with_a_note(previous, why):
    now = report(NOW, [finding("locked", "a")])
    assert compared(now, previous) == ([""], [], [f"The previous report is not compared with: {why}."])


KEYS = st.sampled_from(["schema", "sites", "made_at", "site", "findings", "lines", "phones", "phone", "line", "id", "read", "verdict", "code", "text"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(1, 3) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner), max_leaves=30)


@given(JSON, JSON)
def test_no_previous_file_makes_it_stumble(anything, sites):
    for previous in (anything, {"schema": 2, "made_at": THEN, "sites": sites}, {"schema": 2, "made_at": THEN, "sites": [sites]}):
        with_trend(report(NOW, [finding("locked", "a")]), previous)


def test_the_arguments_stay_as_they_are_and_the_same_run_again_is_still():
    now, before = sample_report(), sample_report()
    result, notes = with_trend(now, before)
    assert now == before == sample_report() and notes == []
    assert all(one["trend"] == "still" for site in result["sites"] for one in site["findings"]) and not any(site["fixed"] for site in result["sites"])
    jsonschema.validate(result, VALID.schema)
