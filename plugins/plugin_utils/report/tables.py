# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report as CSV (RFC 4180): one row for each line, or one for each finding. Pure.

A spreadsheet runs what begins like a formula, and a phone chooses its own user agent: such texts get a leading apostrophe. Numbers stay numbers.
The columns are named in docs/reports.md; new ones come at the end.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.evenport.sip.plugins.plugin_utils.report.texts import one_line

LINE_COLUMNS = (
    "site", "phone", "line", "extension", "kind", "planned", "set", "claimed", "seen", "seen_address", "transport", "nat_option", "verdict", "severity",
    "this_run", "mac", "address", "brand", "model", "firmware", "user_agent", "stale_contacts", "unmanaged_contacts", "made_at",
)
FINDING_COLUMNS = ("site", "severity", "code", "trend", "phone", "line", "cause", "evidence", "remedy", "lines", "id", "made_at")

# Excel reads a file without a byte order mark in the machine's own code page, and "Zoë" becomes "ZoÃ«". Other programs are better off without.
BOM = "\ufeff"

# The full-width ones are formulas in a Chinese or Japanese Excel.
_FORMULA = "=+@\\-\uff1d\uff0b\uff20\uff0d"
_STARTS_A_FORMULA = re.compile(rf"[\t\r\n]|\s*[{_FORMULA}]")
# Where Excel's list separator is the semicolon, it splits a file of commas at semicolons, within quotes too.
_STARTS_AFTER_SEMICOLON = re.compile(rf";(?=[\s\"']*[{_FORMULA}])")


def lines_csv(report: Mapping[str, Any], bom: bool = False) -> str:
    """One row for each line of each site. Ports that are not there or not told are empty; the NAT option is on, off or empty."""
    return _csv(LINE_COLUMNS, _line_rows(report), bom)


def findings_csv(report: Mapping[str, Any], bom: bool = False) -> str:
    """One row for each finding of each site, the worst of a site first."""
    rows = (
        [site["site"], f["severity"], f["code"], f["trend"], f["phone"], f["line"] or "", f["cause"], f["evidence"], f["remedy"], "; ".join(f["lines"]),
         f["id"], report["made_at"]]
        for site in report["sites"] for f in site["findings"])
    return _csv(FINDING_COLUMNS, rows, bom)


def _line_rows(report: Mapping[str, Any]) -> Iterable[list[str | int]]:
    for site in report["sites"]:
        phones = {phone["phone"]: phone for phone in site["phones"]}
        for line in site["lines"]:
            phone = phones.get(line["phone"], {})
            kinds = [contact["kind"] for contact in line["contacts"]]
            yield [
                site["site"], line["phone"], line["line"], line["extension"], line["kind"],
                line["planned"] or "", line["set"] or "", line["claimed"] or "", line["seen"] or "", line["seen_address"], line["transport"],
                "" if line["nat_option"] is None else "on" if line["nat_option"] else "off", line["verdict"], line["severity"], line["this_run"],
                _mac(phone.get("mac", "")), *(phone.get(key, "") for key in ("address", "brand", "model", "firmware")), line["user_agent"],
                kinds.count("stale_contact"), kinds.count("unmanaged"), report["made_at"],
            ]


def _csv(columns: tuple[str, ...], rows: Iterable[list[str | int]], bom: bool) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([cell if isinstance(cell, int) else harmless(cell) for cell in row] for row in rows)
    return (BOM if bom else "") + out.getvalue()


def _mac(digits: str) -> str:
    """With colons: a spreadsheet would take 001565123456 for a number and drop its zeros."""
    return ":".join(digits[n:n + 2] for n in range(0, len(digits), 2))


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula, on one line (so that each row is one line of the file too)."""
    shown = _STARTS_AFTER_SEMICOLON.sub(";'", one_line(text))
    return f"'{shown}" if _STARTS_A_FORMULA.match(text) else shown
