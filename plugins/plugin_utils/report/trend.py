# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report compared with the one before: which findings are new, which are still there, which have been fixed. Pure.

A finding that is gone has been fixed only where this run looked as well as the one before: a PBX that did not answer mends nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.evenport.sip.plugins.plugin_utils.report.texts import one_line

SCHEMA = 2

# How much is known of a line with this verdict; of any other verdict: all. A phone that is switched off has no wrong port, but is not mended either.
_TOLD = {"not_seen": 0, "not_registered": 1, "unknown_extension": 1, "port_unseen": 1}
_ALL = 2

_USED: dict[str, dict[str, type]] = {
    "phones": {"phone": str, "read": bool},
    "lines": {"phone": str, "line": int, "verdict": str},
    "findings": {"id": str, "code": str, "phone": str, "line": int, "lines": list, "text": str},
}


def with_trend(report: Mapping[str, Any], previous: object) -> tuple[dict[str, Any], list[str]]:
    """The same report with trend, fixed and previous_at filled, and notes for the person who runs it. The arguments stay as they are.

    *previous* is what was read from a file: None where there is none. Anything but a report of this schema is ignored, with a note.
    """
    if previous is None:
        return _alone(report), []
    why = _unusable(previous)
    if why:
        return _alone(report), [f"The previous report is not compared with: {why}."]
    before = {site["site"]: site for site in previous["sites"]}
    sites = [_compared(site, before[site["site"]]) if site["site"] in before else _with(site, "new", []) for site in report["sites"]]
    now = {site["site"] for site in report["sites"]}
    added = [site["site"] for site in report["sites"] if site["site"] not in before]
    gone = [name for name in before if name not in now]
    notes = [f"Not in the previous report, so all its findings are new: {_some(added)}."] if added else []
    notes += [f"Only in the previous report, so nothing is known of it now: {_some(gone)}."] if gone else []
    return {**report, "previous_at": previous["made_at"], "sites": sites}, notes


def _alone(report: Mapping[str, Any]) -> dict[str, Any]:
    return {**report, "previous_at": "", "sites": [_with(site, "", []) for site in report["sites"]]}


def _with(site: Mapping[str, Any], trend: str, fixed: list[dict[str, Any]]) -> dict[str, Any]:
    return {**site, "findings": [{**finding, "trend": trend} for finding in site["findings"]], "fixed": fixed}


def _compared(site: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    known = {finding["id"] for finding in before["findings"]}
    there = {finding["id"] for finding in site["findings"]}
    sight = _Sight(site, before)
    fixed = {
        finding["id"]: {key: finding[key] for key in ("id", "code", "phone", "line", "text")}
        for finding in before["findings"] if finding["id"] not in there and sight.as_good(finding)}
    findings = [{**finding, "trend": "still" if finding["id"] in known else "new"} for finding in site["findings"]]
    return {**site, "findings": findings, "fixed": list(fixed.values())}


class _Sight:
    """Whether this run would have seen a finding of the one before, were it still there."""

    def __init__(self, site: Mapping[str, Any], before: Mapping[str, Any]) -> None:
        self.whole = site["state"] != "failed" and all(pbx["read"] for pbx in site["pbxs"])
        self.read = {phone["phone"]: phone["read"] for phone in site["phones"]}
        self.read_before = {phone["phone"] for phone in before["phones"] if phone["read"]}
        self.lines = {(line["phone"], line["line"]): _TOLD.get(line["verdict"], _ALL) for line in site["lines"]}
        self.lines_before = {(line["phone"], line["line"]): _TOLD.get(line["verdict"], _ALL) for line in before["lines"]}
        self.named = {f"{site['site']}/{phone} line {line}": told for (phone, line), told in self.lines.items()}

    def as_good(self, finding: Mapping[str, Any]) -> bool:
        phone, line = finding["phone"], (finding["phone"], finding["line"])
        if not phone:       # the router's ports can't be seen on phones that are off
            return self.whole and (not finding["lines"] or any(self.named.get(name) == _ALL for name in finding["lines"]))
        if phone not in self.read or self.lines.get(line, -1) < self.lines_before.get(line, -1):    # gone from the inventory, left out by --limit, or off
            return False
        needed = not finding["line"] or phone in self.read_before       # what is about the phone itself, or may come from its own settings
        return self.read[phone] or not needed


def _unusable(previous: object) -> str:
    """Why this is no report to compare with; "" where it is. Only what is used below is looked at."""
    if not isinstance(previous, Mapping):
        return "it is not a report"
    if previous.get("schema") != SCHEMA:
        return f"it has schema {str(previous.get('schema', 'none'))[:20]}, not {SCHEMA}"
    sites = previous.get("sites")
    if not (isinstance(previous.get("made_at"), str) and isinstance(sites, list) and all(map(_is_site, sites))):
        return "it has another shape than its schema says"
    return ""


def _is_site(site: object) -> bool:
    return isinstance(site, Mapping) and isinstance(site.get("site"), str) and all(_all_have(site.get(key), types) for key, types in _USED.items())


def _all_have(items: object, types: Mapping[str, type]) -> bool:
    return isinstance(items, list) and all(isinstance(one, Mapping) and all(isinstance(one.get(key), kind) for key, kind in types.items()) for one in items)


def _some(names: list[str]) -> str:
    return ", ".join(one_line(name) for name in names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
