"""The pages as a browser's parser, a customer and somebody without a network get them. What a real browser does: tests/integration/test_report_page.py."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lxml import etree, html

from ansible_collections.evenport.sip.plugins.module_utils.audit.findings import MEANINGS
from ansible_collections.evenport.sip.plugins.module_utils.audit.findings import STATES as WORST_LAST
from ansible_collections.evenport.sip.plugins.plugin_utils.report.page import render_index, render_site
from ansible_collections.evenport.sip.plugins.plugin_utils.report.page_words import STATES, VERDICTS, age_seconds, age_words, site_tone, verdict_words, when
from ansible_collections.evenport.sip.plugins.plugin_utils.report.texts import one_line
from tests.unit.plugins.plugin_utils.report.hostile import TEXTS, full_of
from tests.unit.plugins.plugin_utils.report.sample import HOSTILE, sample_report

TAG_UNKNOWN = 801           # libxml2 knows HTML 4 only: section, nav, svg and others are strangers to it


def read(text):
    """The page's tree; a fault of its markup (an element not closed, an id twice, a bare "&") fails."""
    parser = html.HTMLParser(encoding="utf-8", recover=True)
    root = html.document_fromstring(text.encode(), parser=parser)
    faults = [entry for entry in parser.error_log if entry.type != TAG_UNKNOWN]
    assert not faults, faults[:3]
    return root


def pages(report):
    return [*(render_site(report, site) for site in report["sites"]), render_index(report, {site["site"]: f"{site['site']}.html" for site in report["sites"]})]


def skeleton(root):
    """Each element with the names of its attributes."""
    return [(element.tag, *sorted(element.attrib)) for element in root.iter(etree.Element)]


def cells_of(root, table):
    return [[" ".join(cell.text_content().split()) for cell in row] for row in root.xpath(f"//table[@id='{table}']//tr")]


def test_the_markup_is_sound():
    for text in pages(sample_report(3, 40)):
        root = read(text)
        ids = Counter(root.xpath("//@id"))
        assert not [name for name, times in ids.items() if times > 1]
        for name in ("href", "aria-labelledby", "aria-controls", "data-table"):
            targets = [value.lstrip("#") for value in root.xpath(f"//@{name}") if name != "href" or value.startswith("#")]
            assert targets and not set(targets) - set(ids), name
        assert root.get("lang") == "en" and root.xpath("count(//main)") == root.xpath("count(//h1)") == 1 and root.xpath("//title/text()")
        assert not root.xpath("//table[not(caption)] | //th[not(@scope)] | //section[not(@aria-labelledby)] | //svg[not(@aria-hidden)]")
        levels = [int(heading.tag[1]) for heading in root.iter("h1", "h2", "h3")]
        assert levels[0] == 1 and all(after <= before + 1 for before, after in zip(levels, levels[1:], strict=False))


def test_markup_that_is_not_sound_is_seen():
    with pytest.raises(AssertionError):
        read("<!DOCTYPE html><title>x</title><p><b>one<p></i>")


def test_nothing_comes_from_outside_and_only_our_own_script_may_run():
    for text in pages(sample_report(3, 20)):
        root = read(text)
        policy = root.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")[0]
        assert policy.startswith("default-src 'none'; ") and "unsafe" not in policy and "http" not in policy
        for name in ("script", "style"):
            inner, = re.findall(rf"<{name}>(.*?)</{name}>", text, re.DOTALL)
            assert f"{name}-src 'sha256-{base64.b64encode(hashlib.sha256(inner.encode()).digest()).decode()}'" in policy
            assert len(root.xpath(f"//{name}")) == 1
            code = re.sub(r"(?:^|\s)//.*$|/\*.*?\*/", "", inner, flags=re.MULTILINE)
            assert not re.search(r"url\(|@import|//|fetch|XMLHttp|WebSocket|innerHTML|eval|localStorage|cookie", code)
        assert list(root.head).index(root.xpath("//meta[@http-equiv]")[0]) < list(root.head).index(root.xpath("//style")[0])
        assert not root.xpath("//@src | //@srcset | //@action | //@style | //link | //img | //iframe | //object | //base | //@*[starts-with(name(), 'on')]")
        assert all(value.startswith(("#", "./")) for value in root.xpath("//@href"))


def test_the_same_report_gives_the_same_bytes():
    assert pages(sample_report(3, 30)) == pages(sample_report(3, 30))


def test_a_customer_sees_nothing_of_another():
    report = sample_report(4, 30)
    for site in report["sites"]:
        text = render_site(report, site)
        assert set(re.findall(r"customer_\d{5}", text)) == {site["site"][:14]}
        assert text == render_site({**report, "sites": [site]}, site)


def test_size_and_work_grow_with_the_lines():
    small, large = (sample_report(3, lines)["sites"][2] for lines in (400, 4000))
    report = sample_report(0)
    assert len(render_site(report, large)) < 11 * len(render_site(report, small))
    fleet = sample_report(100, 4)
    assert len(render_index(fleet, {})) < 11 * len(render_index(sample_report(10, 4), {}))


def test_what_a_phone_calls_itself_is_text():
    report = sample_report(3, 60)
    root = read(render_site(report, report["sites"][2]))
    said = root.text_content()
    shown = " ".join(said.split())
    for text in HOSTILE:
        assert " ".join(one_line(text).split()) in shown, text
    assert not re.search("[\x00-\x08\x0e-\x1f\x7f\u202a-\u202e]", said)


@settings(max_examples=40, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=6))
@example(["\ud800", "\udc80", "\x00"])
@example([" ", "\t", "\u2028"])
def test_no_text_changes_the_page(texts):
    """The elements and attributes are those of the same report with harmless texts."""
    plain, report = full_of([f"a{texts.index(text)}" if text else "" for text in texts]), full_of(texts)
    for harmless, hostile in zip(pages(plain), pages(report), strict=True):
        hostile.encode()
        assert skeleton(read(hostile)) == skeleton(read(harmless))


def test_the_table_says_what_the_report_says():
    report = sample_report(3, 40)
    site = report["sites"][2]
    rows = cells_of(read(render_site(report, site)), "table-lines")
    managed = [line for line in site["lines"] if line["kind"] == "phone"]
    assert rows[0] == ["Phone", "Line", "Extension", "Planned", "Set", "Claimed", "Seen", "Verdict", "NAT option", "From", "User agent", "This run"]
    assert len(rows) == len(managed) + 1
    for row, line in zip(rows[1:], managed, strict=True):
        assert [row[1], row[2], row[3]] == [str(line["line"]), line["extension"], str(line["planned"] or "–")]
        for cell, word in zip(row[4:7], ("set", "claimed", "seen"), strict=True):
            assert cell.replace(" differs", "") == str(line[word] or "–")
            if line["planned"]:
                assert cell.endswith("differs") == (line[word] not in (0, line["planned"])), "what differs from the plan is marked"
        assert row[7] == VERDICTS[line["verdict"]] and row[8] == {True: "on", False: "off", None: "–"}[line["nat_option"]]


def test_a_row_that_the_plan_says_nothing_of_marks_what_the_router_changed():
    report = sample_report(1, 1)
    report["sites"][0]["lines"][0].update(planned=0, claimed=5060, seen=6000)
    assert cells_of(read(render_site(report, report["sites"][0])), "table-lines")[1][3:7] == ["–", "5060", "5060", "6000 differs"]


def test_the_first_screen_answers():
    report = sample_report(3, 40)
    good, unseen, bad = (read(render_site(report, site)) for site in report["sites"])
    assert good.xpath("string(//*[@id='answer-text'])") == report["sites"][0]["sentence"]
    assert "Nothing needs to be done." in good.xpath("string(//*[@id='do'])") and not good.xpath("//*[@id='do']//li")
    assert report["sites"][1]["not_seen"][0] in unseen.xpath("string(//*[@id='unseen'])")
    todo = bad.xpath("//*[@id='do']//li")
    assert len(todo) == 4 and all("Do what mends" in one.text_content() for one in todo) and "further causes" in bad.xpath("string(//*[@id='do'])")
    tiles = {tile.xpath("string(dt)").strip(): tile.xpath("string(dd)") for tile in bad.xpath("//*[@id='answer']//div[contains(@class, 'tile')]")}
    assert tiles["lines"] == "40" and tiles["in order"] == str(report["sites"][2]["counts"]["ok"])


def test_findings_by_cause_lead_to_their_lines():
    report = sample_report(3, 40)
    site = report["sites"][2]
    root = read(render_site(report, site))
    causes = {cause.xpath("string(.//code)"): cause for cause in root.xpath("//article")}
    assert set(causes) == {finding["code"] for finding in site["findings"]}
    drifted = [finding for finding in site["findings"] if finding["code"] == "wrong_port"]
    links = causes["wrong_port"].xpath(".//a")
    assert [link.text_content() for link in links] == [one_line(f"{one['phone']} line {one['line']}") for one in drifted]
    rows = {row.get("id"): row.xpath("string(th)") for row in root.xpath("//tr[@id]")}
    assert all(link.text_content().rpartition(" line ")[0] in rows[link.get("href")[1:]] for link in links)
    assert len(causes["router_translated"].xpath(".//a")) == sum(line["verdict"] == "router_translated" for line in site["lines"])


def test_the_trend_and_second_contacts_are_told():
    report = sample_report(3, 40)
    site = report["sites"][2]
    root = read(render_site(report, site))
    trend = root.xpath("string(//*[@id='trend'])")
    assert f"New: {sum(one['trend'] == 'new' for one in site['findings'])}" in trend and "Fixed: 1" in trend and "22 November 2026, 05:00 UTC" in trend
    others = cells_of(root, "table-others")[1:]
    kinds = Counter(row[0] for row in others)
    contacts = Counter(contact["kind"] for line in site["lines"] for contact in line["contacts"])
    assert kinds == {"softphone": 2, "second device": contacts["unmanaged"], "old registration": contacts["stale_contact"]} and all(kinds.values())
    first = {**report, "previous_at": ""}
    assert "no earlier report" in read(render_site(first, site)).xpath("string(//*[@id='trend'])")


def test_the_index_has_the_worst_first_and_leads_to_the_pages():
    report = sample_report(6, 15)
    for site, state in zip(report["sites"], ("ok", "unseen", "offline", "failed", "router", "drift"), strict=True):
        site["state"] = state
    report["sites"][2]["pbxs"][0].update(as_of="2026-11-21T05:00:00Z")
    names = {site["site"]: f"a b/../{site['site']}?x#y\".html" for site in report["sites"][:5]}
    root = read(render_index(report, names))
    assert [row[1] for row in cells_of(root, "table-sites")[1:]] == [STATES[state] for state in ("failed", "router", "drift", "offline", "unseen", "ok")]
    assert root.xpath("//tbody//a/@href")[0] == "./a%20b/../customer_00003_office%3Fx%23y%22.html"
    assert len(root.xpath("//tbody//a")) == 5, "a site without a page has no link"
    ages = {row[1]: row[-1] for row in cells_of(root, "table-sites")}
    assert ages[STATES["offline"]] == "2 days" and ages[STATES["unseen"]] == "not read" and ages[STATES["ok"]] == "now"
    row = next(row for row in cells_of(root, "table-sites") if row[1] == STATES["drift"])
    site = report["sites"][5]
    assert row[2:10] == [str(site["counts"][key]) for key in ("lines", "ok", "drift", "duplicate", "router", "offline", "unseen", "unmanaged")]
    assert row[10:13] == [str(sum(one["trend"] == word for one in site["findings"])) for word in ("new", "still")] + [str(len(site["fixed"]))]


@pytest.mark.parametrize(("tones", "says"), [
    (["ok", "ok"], "All 2 sites that could be seen are in order."),
    (["ok", "unseen"], "All 1 site that could be seen is in order. 1 site could not be fully seen."),
    (["ok", "drift"], "1 of 2 sites needs somebody's attention."), (["drift", "drift"], "2 of 2 sites need somebody's attention."),
    (["unseen", "unseen"], "No site could be seen."), ([], "No site could be seen."),
])
def test_the_fleet_in_a_sentence(tones, says):
    report = sample_report(1, 2)
    report["sites"] = [{**report["sites"][0], "site": f"site{n}", "state": state} for n, state in enumerate(tones)]
    assert read(render_index(report, {})).xpath("string(//*[@id='answer-text'])") == says


def test_every_state_code_and_time_has_words():
    assert list(STATES) == list(WORST_LAST) and set(VERDICTS) <= set(MEANINGS)
    assert verdict_words("auth_failed") == "Auth failed" and all(len(verdict_words(code)) <= 26 for code in MEANINGS)
    site = sample_report(1, 1)["sites"][0]
    assert [site_tone({**site, "state": state}) for state in STATES] == ["ok", "info", "unseen", "warning", "warning", "warning", "warning", "error"]
    assert site_tone({**site, "counts": {**site["counts"], "errors": 1}}) == "error"
    assert when("2026-11-03T05:00:00Z") == "3 November 2026, 05:00 UTC" and when("") == "" and when("<b>") == "<b>"
    assert age_seconds("2026-11-23T04:00:00Z", "2026-11-23T05:00:00Z") == 3600 and age_seconds("", "2026-11-23T05:00:00Z") is None
    assert [age_words(seconds) for seconds in (0, 59, 60, 3599, 3600, 172799, 172800)] == ["now", "now", "1 min", "59 min", "1 h", "47 h", "2 days"]


def test_a_site_without_anything():
    report = sample_report(1, 0)
    root = read(render_site(report, {**report["sites"][0], "phones": [], "pbxs": [], "reserved": [], "retired": []}))
    assert not root.xpath("//table") and "No line of this site is managed." in root.xpath("string(//*[@id='lines'])")
