"""Markdown: what a CommonMark reader with GitHub's tables makes of it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from ansible_collections.evenport.sip.plugins.plugin_utils.report.markdown import COUNTED, GROUPS, LONGEST, escaped, markdown
from ansible_collections.evenport.sip.plugins.plugin_utils.report.texts import one_line
from tests.unit.plugins.plugin_utils.report.hostile import TEXTS, full_of
from tests.unit.plugins.plugin_utils.report.sample import sample_report

READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
OURS = {
    "heading_open", "heading_close", "paragraph_open", "paragraph_close", "inline",
    "bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close",
    *(f"{part}_{way}" for part in ("table", "thead", "tbody", "tr", "th", "td") for way in ("open", "close")),
}
FOUND_ON_THE_PAGE = re.compile(r"://|www\.|[@#!~%$&^]\w", re.IGNORECASE)      # what GitHub and GitLab make links of, in the finished text


def shown(token):
    """The text that a reader sees, without the joiners."""
    return "".join(child.content for child in token.children).replace("\u2060", "")


def tables_of(text):
    """Each table as rows of cells; everything that is no table, heading, paragraph or list of ours is refused on the way."""
    tables: list[list[list[str]]] = []
    before = ""
    for token in READER.parse(text):
        assert token.type in OURS, token
        if token.type == "table_open":
            tables.append([])
        elif token.type == "tr_open":
            tables[-1].append([])
        elif token.type == "inline":
            assert {child.type for child in token.children} <= {"text", "text_special", "strong_open", "strong_close"}, token
            assert not FOUND_ON_THE_PAGE.search("".join(child.content for child in token.children))
            if before in ("th_open", "td_open"):
                tables[-1][-1].append(shown(token))
        before = token.type
    return tables


def columns(text):
    """The number of cells of each row, as its pipes say."""
    return [[row.count("|") - 1 for row in block.splitlines()] for block in text.split("\n\n") if block.startswith("|")]


def test_a_ticket():
    report = sample_report(3, 14)
    text = markdown(report)
    tables = tables_of(text)
    assert tables[0][0] == ["site", "state", *COUNTED]
    assert [row[0] for row in tables[0][1:]] == [site["site"] for site in report["sites"]]
    assert [row[2:] for row in tables[0][1:]] == [[str(site["counts"][key]) for key in COUNTED] for site in report["sites"]]
    assert len(tables) == 3             # the first site is in order: nothing more to tell
    assert tables[2][0] == ["severity", "finding", "trend", "times", "where", "cause", "what to do"]
    assert "**Fixed:** wrong\\_port (customer\\_00002\\_office-gone)" in text and "**Not seen:**" in text


def test_a_table_of_findings_without_a_previous_report_has_no_trend():
    report = sample_report(1, 5)
    site = report["sites"][0]
    site["findings"] = [{**finding, "trend": ""} for finding in sample_report(3, 14)["sites"][2]["findings"]]
    assert tables_of(markdown(report))[1][0] == ["severity", "finding", "times", "where", "cause", "what to do"]


def test_many_phones_with_one_cause_are_one_row():
    small, large = (markdown({**sample_report(0), "sites": sample_report(3, lines)["sites"][2:]}) for lines in (400, 4000))
    rows = {row[1]: row for row in tables_of(large)[1]}
    assert int(rows["duplicate"][3]) > 100 and re.search(r" and \d+ more$", rows["duplicate"][4])
    assert len(large) < 1.2 * len(small)            # short enough for a ticket, however large the site


def test_no_more_findings_than_a_ticket_takes():
    report = sample_report(3, 14)
    site = report["sites"][2]
    site["findings"] = [{**site["findings"][0], "cause": f"cause {n}", "text": f"text {n} " + "x" * 1000} for n in range(GROUPS + 7)]
    text = markdown(report)
    assert len(tables_of(text)[2]) == GROUPS + 1 and "\n\nAnd 7 more.\n\n" in text
    assert max(map(len, tables_of(text)[2][1])) == LONGEST


@pytest.mark.parametrize("text", [
    "<b>", "a|b", "a\\|b", "`|`", "\\", "**a**", "[a](b)", "&amp;", "&#124;", "$x$", "~~a~~", "http://e.example", "WWW.e.example", "@admin", "#1", "a@b.c"])
def test_a_text_is_shown_as_it_is(text):
    assert tables_of(f"| a | b |\n| --- | --- |\n| {escaped(text)} | x |\n") == [[["a", "b"], [text, "x"]]]


@given(TEXTS)
def test_any_text_in_a_cell_is_shown_as_it_is(text):
    rows = tables_of(f"| a | b |\n| --- | --- |\n| {escaped(text)} | x |\n")
    assert rows == [[["a", "b"], [one_line(text, LONGEST).replace("\u2060", "").strip(), "x"]]]


@given(st.lists(TEXTS, min_size=1, max_size=6))
def test_any_report_keeps_its_tables(texts):
    report = full_of(texts)
    text = markdown(report)
    text.encode()
    for counts in columns(text):
        assert len(set(counts)) == 1
    tables = tables_of(text)
    assert len(tables) == 1 + sum(bool(site["findings"]) for site in report["sites"])
    assert all(len({len(row) for row in table}) == 1 for table in tables)
    headings = [token.tag for token in READER.parse(text) if token.type == "heading_open"]
    assert headings == ["h1", *("h2" for dummy in report["sites"])]
