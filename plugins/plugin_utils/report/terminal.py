# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report as text for a terminal. Pure."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.evenport.sip.plugins.plugin_utils.report.groups import Group, grouped, named
from ansible_collections.evenport.sip.plugins.plugin_utils.report.texts import one_line

WIDEST = 60             # of a cell: one very long name would push every other line out of the window


def text_table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Rows as aligned lines; columns that hold only numbers (or nothing) are aligned to the right."""
    body = [["" if cell is None else one_line(str(cell), WIDEST) for cell in row] for row in rows]
    sizes = [[_width(cell) for cell in row] for row in body]
    widths = [max(len(h), *(row[i] for row in sizes)) if body else len(h) for i, h in enumerate(headings)]
    numeric = [bool(body) and all(r[i].lstrip("-").isdigit() or r[i] in ("", "-") for r in body) for i in range(len(headings))]

    def fit(cells: Sequence[str], size: Sequence[int]) -> str:
        padded = []
        for cell, taken, width, number in zip(cells, size, widths, numeric, strict=True):
            gap = " " * (width - taken)
            padded.append(gap + cell if number else cell + gap)
        return "  ".join(padded).rstrip()

    head = list(headings)
    return [fit(head, [len(h) for h in head]), "  ".join("-" * w for w in widths), *(fit(row, size) for row, size in zip(body, sizes, strict=True))]


def report_lines(report: Mapping[str, Any]) -> list[str]:
    """All sites, each after an empty line."""
    return [line for site in report["sites"] for line in ["", *site_lines(site, report["previous_at"])]]


def site_lines(site: Mapping[str, Any], previous_at: str = "") -> list[str]:
    """One site: its sentence, the table of its lines, the findings with what to do. *previous_at*: when the report was made that it is compared with."""
    counts = site["counts"]
    faults = counts["errors"] + counts["warnings"]
    head = f"{one_line(site['site'])}: {counts['ok']} of {counts['lines']} lines in order"
    head += f", {faults} finding(s)" if faults else ""
    headings = ["phone", "line", "extension", "planned", "claimed", "seen", "verdict"]
    rows = [
        [line["phone"], line["line"], line["extension"], line["planned"] or "-", line["claimed"] or "-", line["seen"] or "-", line["verdict"]]
        for line in site["lines"]]
    if any(line["this_run"] for line in site["lines"]):
        headings.append("this run")
        rows = [[*row, line["this_run"]] for row, line in zip(rows, site["lines"], strict=True)]
    return [
        head + (_trend(site, previous_at) if previous_at else ""), one_line(site["sentence"]), *text_table(headings, rows),
        *(_group_line(group) for group in grouped(site["findings"])), *_fixed_lines(site["fixed"]),
        *(f"? not seen: {one_line(sentence)}" for sentence in site["not_seen"]),
    ]


def value_lines(value: Any) -> list[str]:
    """What a JMESPath has found: a list of texts one on a line, anything else as JSON."""
    if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
        return [one_line(one) for one in value]
    return [one_line(line) for line in json.dumps(value, indent=2, ensure_ascii=False).split("\n")]


def _trend(site: Mapping[str, Any], previous_at: str) -> str:
    """Against the previous run. Infos count too: the finding's own line shows them as new or still."""
    new = sum(finding["trend"] == "new" for finding in site["findings"])
    still = sum(finding["trend"] == "still" for finding in site["findings"])
    return f" (since {previous_at}: {new} new, {still} still, {len(site['fixed'])} fixed)"


def _group_line(group: Group) -> str:
    """Which phones, what it is, what to do."""
    trend = f" [{group.trend}]" if group.trend else ""
    where = f"{group.where}: " if group.where else ""
    what_to_do = f" {group.remedy}" if group.remedy and group.remedy not in group.told else ""
    return one_line(f"{'i' if group.severity == 'info' else '!'} {group.code}{trend}: {where}{group.told.rstrip('.')}.{what_to_do}")


def _fixed_lines(fixed: Sequence[Mapping[str, Any]]) -> list[str]:
    by_code: dict[str, list[Mapping[str, Any]]] = {}
    for finding in fixed:
        by_code.setdefault(finding["code"], []).append(finding)
    return [one_line(f"+ fixed: {code}{': ' if (where := named(found)) else ''}{where}") for code, found in by_code.items()]


def _width(text: str) -> int:
    """Columns on the terminal: Chinese and emoji take two, accents that join the letter before them none."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
