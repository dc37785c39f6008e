# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings as a person wants to read them: those with one code, cause and remedy as one. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.evenport.sip.plugins.plugin_utils.report.texts import one_line

UNSEEN = ("not_seen", "port_unseen")        # verdicts that prove nothing: the line, or its port, could not be seen
NAMED = 8                   # of so many phones the names are told; of the rest their number
LONGEST = 40                # characters of such a name


@dataclass(frozen=True)
class Group:
    code: str
    severity: str
    remedy: str
    findings: list[Mapping[str, Any]]

    @property
    def told(self) -> str:
        """One finding with its evidence; of several what they have in common."""
        first = self.findings[0]
        return first["text"] if len(self.findings) == 1 else first["cause"] or first["text"]

    @property
    def where(self) -> str:
        """Whom it is about: "kitchen, lobby line 2 and 3 more"; "" for the whole site."""
        return named(self.findings)

    @property
    def trend(self) -> str:
        """"new", "still" or, of several, how many of each; "" without a previous run."""
        counts = {word: sum(finding["trend"] == word for finding in self.findings) for word in ("new", "still")}
        there = {word: count for word, count in counts.items() if count}
        return "".join(there) if len(there) < 2 else ", ".join(f"{count} {word}" for word, count in there.items())


def grouped(findings: Iterable[Mapping[str, Any]]) -> list[Group]:
    """The order is that of each group's first finding, so the worst stay first."""
    groups: dict[tuple[str, str, str, str], Group] = {}
    for finding in findings:
        key = (finding["code"], finding["severity"], finding["cause"] or finding["text"], finding["remedy"])
        groups.setdefault(key, Group(finding["code"], finding["severity"], finding["remedy"], [])).findings.append(finding)
    return list(groups.values())


def named(findings: Iterable[Mapping[str, Any]]) -> str:
    """Phones of findings, the first few by name. A phone's first line needs no number."""
    phones = list(dict.fromkeys((finding["phone"], finding["line"] if finding["line"] > 1 else 0) for finding in findings if finding["phone"]))
    names = [one_line(phone, LONGEST) + (f" line {line}" if line else "") for phone, line in phones[:NAMED]]
    return ", ".join(names) + (f" and {len(phones) - NAMED} more" if len(phones) > NAMED else "")
