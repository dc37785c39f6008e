# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The worksheet's two texts: what is in them, and that no name in them can do harm."""

from __future__ import annotations

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from ansible_collections.evenport.sip.plugins.module_utils.errors import PlanError
from ansible_collections.evenport.sip.plugins.module_utils.model import Extension, Line
from ansible_collections.evenport.sip.plugins.module_utils.pbx.products import PRODUCTS
from ansible_collections.evenport.sip.plugins.module_utils.pbx.worksheet import (
    Row,
    cells_of,
    check_page,
    csv_of,
    file_name,
    html_of,
    merged,
    rows_in,
    rows_of,
)

WEB_ONLY = PRODUCTS["web_only"]
LINES = [Line("b_site", "boss", 1, "201", 5060), Line("a_site", "kitchen", 2, "4540r", 5064), Line("a_site", "kitchen", 1, "4540", 5062),
         Line("a_site", "attic", 10, "104", None), Line("a_site", "attic", 9, "103", 5070), Line("a_site", "lobby", 1, "999", 5080)]
KNOWN = [Extension("201", True).as_dict(), Extension("4540", False).as_dict(), Extension("103").as_dict()]
ROWS = rows_of(["201", "4540", "4540r", "103", "104", "777"], KNOWN, LINES)


def table_of(text):
    """What a spreadsheet reads."""
    assert text.startswith("\ufeff") and text.endswith("\r\n")
    return list(csv.reader(io.StringIO(text[1:], newline=""), strict=True))


def test_rows_by_site_phone_and_line():
    wanted = [
        Row("", "", 0, "777"), Row("a_site", "attic", 9, "103", 5070), Row("a_site", "attic", 10, "104", 0),
        Row("a_site", "kitchen", 1, "4540", 5062, "off"), Row("a_site", "kitchen", 2, "4540r", 5064), Row("b_site", "boss", 1, "201", 5060, "on")]
    assert wanted == ROWS and rows_of(["777", "104", "201", "103", "4540r", "4540"], KNOWN[::-1], LINES[::-1]) == wanted


def test_the_spreadsheet():
    heading, *rows = table_of(csv_of(ROWS, WEB_ONLY))
    assert heading == ["site", "phone", "line", "extension", "planned port", "to be on: Extension configuration: NAT option", "the PBX shows", "done"]
    assert rows[0] == ["", "", "", "777", "", "on", "", ""] and rows[3] == ["a_site", "kitchen", "1", "4540", "5062", "on", "off", ""]


def test_the_page():
    text = html_of(ROWS, "acme-pbx", WEB_ONLY)
    page = html.document_fromstring(text)
    assert page.findtext(".//h1") == "acme-pbx: NAT option" and page.findtext(".//b") == "Extension configuration: NAT option"
    rows = [[cell.text_content() for cell in row.iter("td")] for row in page.iter("tr")][1:]
    assert rows[3] == ["", "a_site", "kitchen", "1", "4540", "5062", "on", "off"] and len(rows) == len(ROWS)
    assert len(page.findall(".//input[@type='checkbox']")) == len(ROWS)
    assert not re.search(r"(?i)https?:|<script|<link|src=|url\(|@import", text) and "default-src 'none'" in text
    assert text == html_of(ROWS, "acme-pbx", WEB_ONLY)


@pytest.mark.parametrize("name", ["=1+1", "+49", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "\uff1d1"])
def test_no_formula_leaves_the_spreadsheet(name):
    for cell in (cell for row in table_of(csv_of([Row(name, name, 1, name, 5060, name)], WEB_ONLY))[1:] for cell in row):
        assert not re.match(r"\s*[=+\-@\uff1d]", cell)
    ports = table_of(csv_of([Row("a", "b", 1, "101", 5060)], WEB_ONLY))[1]
    assert ports[4] == "5060"                   # a number stays one


@given(names=st.lists(st.text(max_size=20), min_size=4, max_size=4))
def test_any_name(names):
    site, phone, extension, pbx = names
    rows = [Row(site, phone, 1, extension, 5060, "off"), Row("x", "y", 2, "102", 5062)]
    read = table_of(csv_of(rows, WEB_ONLY))
    assert len(read) == 3 and all(len(row) == 8 for row in read) and read[2][:5] == ["x", "y", "2", "102", "5062"]
    assert not any(re.match(r" *[=+\-@\t\r]", cell) for row in read for cell in row)
    page = html.document_fromstring(html_of(rows, pbx, WEB_ONLY).encode(), parser=html.HTMLParser(encoding="utf-8"))
    cells = [[cell.text_content() for cell in row.iter("td")] for row in page.iter("tr")][1:]
    assert len(cells) == 2 and cells[1][1:6] == ["x", "y", "2", "102", "5062"]
    assert {one.tag for one in page.iter()} == {
        "html", "head", "meta", "title", "style", "body", "h1", "p", "b", "table", "thead", "tbody", "tr", "th", "td", "input"}


@given(one=st.text(max_size=30), other=st.text(max_size=30))
def test_names_of_files(one, other):
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", file_name(one)) and len(file_name(one)) < 120
    assert one == other or file_name(one) != file_name(other)


def test_a_usual_name_stays():
    assert file_name("acme-pbx.example.com") == "acme-pbx.example.com" and file_name("../../etc/passwd").startswith("_.._etc_passwd-")


def read(data):
    return rows_in("x.csv", cells_of("x.csv", data if isinstance(data, bytes) else data.encode()))


DONE = [Row("a_site", "attic", 9, "103", 5070, "", "ok, Max\n12 May"), Row("a_site", "=x", 2, "0104", 0, "off", "=1"), Row("", "", 0, "777")]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
def test_what_a_spreadsheet_saves_is_read_back(delimiter, quoting):
    assert read(csv_of(DONE, WEB_ONLY)) == DONE
    text = io.StringIO()
    cells = table_of(csv_of(DONE, WEB_ONLY))
    csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator="\n").writerows([*([*row, "", ""] for row in cells), [""] * 10])
    assert read(text.getvalue()) == DONE and cells_of("x.csv", text.getvalue().encode()) == cells


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(site=TEXT, phone=TEXT, done=TEXT)
def test_any_text_of_a_person_stays_to_the_letter(site, phone, done):
    first = csv_of([Row(site, phone, 1, "101", 5060, "off", done), Row("x", "y", 2, "102")], WEB_ONLY)
    rows = read(first)
    assert rows[0].done == done and csv_of(rows, WEB_ONLY) == first
    html.document_fromstring(html_of(rows, "pbx", WEB_ONLY).encode(), parser=html.HTMLParser(encoding="utf-8"))


GOOD = csv_of(DONE, WEB_ONLY)


@pytest.mark.parametrize(("data", "why"), [
    (b"", "heading"), (b"shopping,list\r\nmilk,2\r\n", "heading"), (GOOD.replace(",done", ",done,notes"), "heading"),
    (GOOD.replace("phone,", "telefon,"), "heading"),
    (GOOD.encode("utf-16"), "UTF-8"), (GOOD.replace("Max", "M\xe4x").encode("cp1252", "ignore"), "UTF-8"), (GOOD + ',,,1,,on,,"open', "no CSV"),
    (GOOD + ",,,1,,on,,done,and more\r\n", "more cells"), (GOOD + "a,b,first,1,,on,,\r\n", "numbers"), (GOOD + "a,b,1,1,5.06E3,on,,\r\n", "numbers"),
    (GOOD + ",,,777,,on,,me too\r\n", "twice")])
def test_a_file_that_is_not_ours_or_not_any_more_is_refused(data, why):
    with pytest.raises(PlanError, match=rf"x\.csv is no worksheet.*{why}.*left as it is"):
        read(data)


def test_a_page_that_is_not_ours_is_refused():
    check_page("x.html", html_of(ROWS, "acme-pbx", WEB_ONLY).encode())
    with pytest.raises(PlanError, match="x.html is no worksheet"):
        check_page("x.html", b"<html><title>Mine</title>")


def test_done_stays_with_its_line():
    rows = [Row("s", "kitchen", 1, "0101", 5062), Row("s", "kitchen", 2, "102", 5064)]
    old = [Row("s", "kitchen", 1, "101", 5060, "off", "Max"), Row("s", "kitchen", 2, "109", 5064, "", "another extension"),
           Row("s", "boss", 1, "0201", 5066, "", "Eva"), Row("s", "gone", 1, "301", 5068, "", "x"), Row("s", "broken", 1, "401", 5070, "", "y")]
    others = [Line("s", "boss", 1, "0201", None), Line("s", "boss", 2, "202", None), Line("s", "kitchen", 1, "0101", None)]
    assert merged(rows, old, others, {"broken"}) == [
        Row("s", "boss", 1, "0201", 5066, "", "Eva"), Row("s", "broken", 1, "401", 5070, "", "y"),
        Row("s", "kitchen", 1, "0101", 5062, "", "Max"), Row("s", "kitchen", 2, "102", 5064)]


def test_the_page_shows_what_is_done():
    rows = [Row("s", "a", 1, "101", done="Max,\n<b>12 May"), Row("s", "b", 1, "102", done="no"), Row("s", "c", 1, "103")]
    page = html.document_fromstring(html_of(rows, "pbx", WEB_ONLY))
    rows = page.findall(".//tbody/tr")
    found = [(row.get("class"), row.find(".//input").get("checked") is not None, row.find("td").text_content().strip()) for row in rows]
    assert found == [("done", True, "Max, <b>12 May"), (None, False, "no"), (None, False, "")]
    assert "these 3 line(s), 1 of which are done" in page.findtext(".//p")
