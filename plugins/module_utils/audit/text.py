# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit as text for a terminal. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ansible_collections.evenport.sip.plugins.module_utils.audit.findings import Finding
from ansible_collections.evenport.sip.plugins.module_utils.audit.verdict import LineVerdict


def text_table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Rows as aligned lines; columns that hold only numbers (or nothing) are aligned to the right."""
    body = [["" if cell is None else str(cell) for cell in row] for row in rows]
    widths = [max(len(h), *(len(r[i]) for r in body)) if body else len(h) for i, h in enumerate(headings)]
    numeric = [bool(body) and all(r[i].lstrip("-").isdigit() or r[i] in ("", "-") for r in body) for i in range(len(headings))]

    def fit(cells: Sequence[str]) -> str:
        return "  ".join(c.rjust(w) if n else c.ljust(w) for c, w, n in zip(cells, widths, numeric, strict=True)).rstrip()

    return [fit(list(headings)), fit(["-" * w for w in widths]), *(fit(r) for r in body)]


def report_lines(site: str, verdicts: Sequence[LineVerdict], findings: Sequence[Finding], outcomes: Mapping[str, str] | None = None) -> list[str]:
    """One site's report: a sentence, the table of its lines, the findings with what to do. *outcomes*: phone -> what this run did."""
    faults = [f for f in findings if f.fault]
    good = sum(v.verdict == "ok" for v in verdicts)
    managed = sum(v.line.managed for v in verdicts)
    lines = [f"{site}: {good} of {managed} lines in order" + (f", {len(faults)} finding(s)" if faults else "")]
    headings = ["phone", "line", "extension", "planned", "claimed", "seen", "verdict"]
    rows = [[v.line.phone, v.line.line, v.line.extension, v.line.port or "-", v.claimed or "-", v.seen or "-", v.verdict] for v in verdicts]
    if any((outcomes or {}).values()):
        headings.append("this run")
        rows = [[*row, (outcomes or {}).get(v.line.phone, "")] for row, v in zip(rows, verdicts, strict=True)]
    return [*lines, *text_table(headings, rows), *_finding_lines(findings)]


def _finding_lines(findings: Sequence[Finding]) -> list[str]:
    """The findings, those of many phones with one cause as one: which phones, what it is, what to do."""
    groups: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.code, finding.cause or finding.text, finding.remedy), []).append(finding)
    lines = []
    for (code, cause, remedy), group in groups.items():
        one = group[0]
        names = list(dict.fromkeys(f"{f.phone} line {f.line}" if f.line > 1 else f.phone for f in group if f.phone))
        where = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
        told = one.text if len(group) == 1 else cause
        what_to_do = f" {remedy}" if remedy and remedy not in told else ""
        lines.append(f"{'!' if one.fault else 'i'} {code}: {where}{': ' if where else ''}{told.rstrip('.')}.{what_to_do}")
    return lines
