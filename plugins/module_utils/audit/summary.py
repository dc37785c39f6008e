# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One site in short: its counts, its state, and the sentence that says whether it is all right. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ansible_collections.evenport.sip.plugins.module_utils.audit.findings import INFO, MEANINGS, SEVERITIES, STATES, Finding
from ansible_collections.evenport.sip.plugins.module_utils.audit.verdict import LineVerdict

# The states that a managed line is counted as, and what is said of such lines.
_COUNTED = {
    "duplicate": "sharing a port", "router": "rewritten by the router", "drift": "not as planned", "offline": "not registered", "unseen": "not seen",
}


def counts_of(verdicts: Iterable[LineVerdict], findings: Iterable[Finding]) -> dict[str, int]:
    """As docs/report.schema.json has them. Each managed line is in exactly one of ok, drift, duplicate, router, offline and unseen."""
    verdicts = list(verdicts)
    states = Counter(MEANINGS[verdict.verdict].state for verdict in verdicts if verdict.line.managed)
    severities = Counter(finding.severity for finding in findings)
    return {
        "lines": sum(states.values()), **{state: states[state] for state in ("ok", "drift", "duplicate", "router", "offline", "unseen")},
        "unmanaged": sum(not verdict.line.managed for verdict in verdicts),
        **{f"{severity}s": severities[severity] for severity in SEVERITIES},
    }


def state_of(counts: Mapping[str, int], findings: Iterable[Finding]) -> str:
    """The worst of what its lines and its findings make of the site."""
    there = ["ok", *(state for state in _COUNTED if counts[state])]
    there += ["info" if one.severity == INFO else MEANINGS.get(one.code, MEANINGS["error"]).state for one in findings]
    return max(there, key=STATES.index)


def sentence_of(counts: Mapping[str, int], findings: Sequence[Finding]) -> str:
    """Is this site all right, and what is to be done? *findings*: the worst first."""
    lines, ok = counts["lines"], counts["ok"]
    wrong = [f"{counts[state]} {words}" for state, words in _COUNTED.items() if counts[state]]
    if not lines:
        answer = "No phone line of this site is managed"
    elif not wrong:
        answer = f"All {lines} lines are in order" if lines > 1 else "The only line is in order"
    else:
        answer = f"{lines - ok} of {lines} lines {'are' if lines - ok > 1 else 'is'} not in order ({', '.join(wrong)})"
    urgent = [finding for finding in findings if finding.severity != INFO]
    if urgent:
        remedy = next((finding.remedy for finding in urgent if finding.remedy), "see the findings")
        first = remedy.split(". ")[0].rstrip(".")
        return f"{answer}; {len(urgent)} thing{'s' if len(urgent) > 1 else ''} to be mended, first: {first}."
    if wrong:
        return f"{answer}; nothing is known to be wrong with {'them' if lines - ok > 1 else 'it'}."
    return f"{answer}; nothing is to be done."


def worst_first(findings: Iterable[Finding], names: Iterable[str]) -> list[Finding]:
    """The order of the report: by severity, the site's own before those of phones, then as the inventory has them. No id stands there twice."""
    order = {name: number for number, name in enumerate(names)}
    codes = {code: number for number, code in enumerate(MEANINGS)}

    def place(one: Finding) -> tuple[int, int, int, int]:
        return SEVERITIES.index(one.severity), order.get(one.phone, len(order)) if one.phone else -1, one.line, codes.get(one.code, len(codes))

    known: Counter[str] = Counter()
    ordered = []
    for one in sorted(findings, key=place):
        known[one.id] += 1
        ordered.append(one if known[one.id] == 1 else replace(one, more=(*one.more, str(known[one.id]))))
    return ordered
