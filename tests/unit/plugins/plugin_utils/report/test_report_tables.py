"""CSV: what a spreadsheet and csv.reader make of it."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.evenport.sip.plugins.plugin_utils.report.tables import BOM, FINDING_COLUMNS, LINE_COLUMNS, findings_csv, harmless, lines_csv
from ansible_collections.evenport.sip.plugins.plugin_utils.report.texts import one_line
from tests.unit.plugins.plugin_utils.report.hostile import TEXTS, full_of
from tests.unit.plugins.plugin_utils.report.sample import sample_report

PAGE = (Path(__file__).parents[5] / "docs" / "reports.md").read_text(encoding="utf-8")
A_FORMULA = re.compile("[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")


def read(text):
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


@pytest.mark.parametrize(("text", "shown"), [
    ("=1+1", "'=1+1"), ("+49301234", "'+49301234"), ("-5", "'-5"), ("@SUM(1)", "'@SUM(1)"), ("\t=1", "' =1"), ("\tx", "' x"), ("\rx", "' x"), ("\nx", "' x"),
    ("  =1", "'  =1"), ("\x00=1", "\ufffd=1"), ("\uff1d1", "'\uff1d1"), ("a;=cmd|'x'!A1", "a;'=cmd|'x'!A1"), ("a; \"=1", "a;' \"=1"), ("a;b", "a;b"),
    ("'=1", "'=1"), ("5060", "5060"), ("", ""), ("front-desk", "front-desk"), ("a\r\nb", "a b"), ("Zoë 電話", "Zoë 電話"),
])
def test_texts_that_a_spreadsheet_would_run(text, shown):
    assert harmless(text) == shown


@given(TEXTS)
def test_no_text_stays_a_formula(text):
    shown = harmless(text)
    assert not A_FORMULA.match(shown.lstrip())
    assert not any(A_FORMULA.match(part.lstrip(" \"'")) and not part.startswith("'") for part in shown.split(";")[1:])
    assert len(shown.splitlines()) <= 1
    shown.encode()


def test_numbers_stay_numbers_and_what_is_not_known_is_empty():
    report = sample_report(3, 20)
    rows = [dict(zip(LINE_COLUMNS, row, strict=True)) for row in read(lines_csv(report))[1:]]
    lines = [line for site in report["sites"] for line in site["lines"]]
    assert len(rows) == len(lines)
    for row, line in zip(rows, lines, strict=True):
        for column in ("planned", "set", "claimed", "seen"):
            assert row[column] == (str(line[column]) if line[column] else "")
        assert row["nat_option"] == {True: "on", False: "off", None: ""}[line["nat_option"]]
        assert row["line"] == str(line["line"])
        assert row["mac"] == "" or re.fullmatch("([0-9a-f]{2}:){5}[0-9a-f]{2}", row["mac"])


def test_excel_gets_its_mark_and_others_do_not():
    report = sample_report(1, 1)
    assert lines_csv(report, bom=True) == BOM + lines_csv(report)
    assert findings_csv(report, bom=True).encode().startswith(b"\xef\xbb\xbfsite,severity,")
    assert not lines_csv(report).startswith(BOM)


def test_lines_end_as_rfc_4180_says():
    text = lines_csv(sample_report())
    assert text.endswith("\r\n")
    assert text.count("\r\n") == text.count("\n") == text.count("\r") == 1 + sum(len(site["lines"]) for site in sample_report()["sites"])


@given(st.lists(TEXTS, min_size=1, max_size=6))
def test_a_reader_gets_back_what_was_written(texts):
    report = full_of(texts)
    rows = read(lines_csv(report))
    lines = [(site, line) for site in report["sites"] for line in site["lines"]]
    assert rows[0] == list(LINE_COLUMNS) and len(rows) == len(lines) + 1
    for row, (site, line) in zip(rows[1:], lines, strict=True):
        cells = dict(zip(LINE_COLUMNS, row, strict=True))
        for column, text in (("site", site["site"]), *((key, line[key]) for key in ("phone", "extension", "user_agent", "seen_address", "this_run"))):
            assert cells[column] == harmless(text)
            assert cells[column].replace("'", "") == one_line(text).replace("'", "")
    rows = read(findings_csv(report))
    findings = [finding for site in report["sites"] for finding in site["findings"]]
    assert rows[0] == list(FINDING_COLUMNS) and len(rows) == len(findings) + 1
    for row, finding in zip(rows[1:], findings, strict=True):
        cells = dict(zip(FINDING_COLUMNS, row, strict=True))
        assert all(cells[key] == harmless(finding[key]) for key in ("code", "phone", "cause", "evidence", "remedy", "severity", "trend", "id"))
        assert cells["lines"] == harmless("; ".join(finding["lines"]))


@pytest.mark.parametrize(("heading", "columns"), [("| Lines | |", LINE_COLUMNS), ("| Findings | |", FINDING_COLUMNS)])
def test_the_page_names_the_columns_in_their_order(heading, columns):
    rows = PAGE.partition(heading)[2].partition("\n\n")[0].splitlines()[2:]
    assert [name for row in rows for name in re.findall("`([a-z_]+)`", row.split("|")[1])] == list(columns)
