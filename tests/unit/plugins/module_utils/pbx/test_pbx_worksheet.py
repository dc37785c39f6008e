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

from ansible_collections.evenport.sip.plugins.module_utils.model import Extension, Line
from ansible_collections.evenport.sip.plugins.module_utils.pbx.products import PRODUCTS
from ansible_collections.evenport.sip.plugins.module_utils.pbx.worksheet import Row, csv_of, file_name, html_of, rows_of

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
