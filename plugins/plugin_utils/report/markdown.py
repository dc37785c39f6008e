# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report as Markdown for a ticket or a merge request: what is wrong, where, and what to do. Not every line: for those there is the page. Pure.

Tables as GitHub and GitLab have them. All texts are escaped: nothing in them is a link, a mention, markup or HTML.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.evenport.sip.plugins.plugin_utils.report.groups import grouped, named
from ansible_collections.evenport.sip.plugins.plugin_utils.report.texts import one_line

COUNTED = ("lines", "ok", "drift", "duplicate", "router", "offline", "unseen", "unmanaged")
GROUPS = 20             # of so many findings a site tells, then how many more there are
LONGEST = 500           # characters of one cell

# As a character reference a character is never markup, whatever stands before it: "\\|" means different things to different readers.
_REFERENCES = {char: f"&#{ord(char)};" for char in "\\`|<>&$"}
_ESCAPED = str.maketrans({**_REFERENCES, **{char: f"\\{char}" for char in "*_[]#~"}})
# GitHub and GitLab look for links, mentions and references (@admin, #1, !1) in the finished page, where an escaped character is like any other:
# an invisible word joiner (U+2060) keeps what would be found apart.
_JOINER = "\u2060"
_FOUND = re.compile(r"(?<=[@#!~%$&^])(?=\w)|(?<=:)(?=//)|(?<=www)(?=\.)", re.IGNORECASE)


def markdown(report: Mapping[str, Any]) -> str:
    """The whole report: a table of the sites, then for each that has something to tell its findings by cause."""
    sites = report["sites"]
    compared = f" Compared with {report['previous_at']}." if report["previous_at"] else ""
    parts = [
        f"# SIP ports: {report['run']} of {report['made_at']}",
        f"By {escaped(report['made_by'])}.{compared}",
        table(["site", "state", *COUNTED], [[site["site"], site["state"], *(str(site["counts"][key]) for key in COUNTED)] for site in sites], right_from=2),
    ]
    for site in sites:
        parts += _site(site)
    return "\n\n".join(parts) + "\n"


def _site(site: Mapping[str, Any]) -> list[str]:
    if not (site["findings"] or site["fixed"] or site["not_seen"]):
        return []
    groups = grouped(site["findings"])
    parts = [f"## {escaped(site['site'])}", f"**{site['state']}.** {escaped(site['sentence'])}"]
    if groups:
        trend = any(group.trend for group in groups)
        rows = [
            [group.severity, group.code, *([group.trend] if trend else []), str(len(group.findings)), group.where or "the site", group.told, group.remedy]
            for group in groups[:GROUPS]]
        parts.append(table(["severity", "finding", *(["trend"] if trend else []), "times", "where", "cause", "what to do"], rows))
    if len(groups) > GROUPS:
        parts.append(f"And {len(groups) - GROUPS} more.")
    if site["fixed"]:
        by_code: dict[str, list[Mapping[str, Any]]] = {}
        for finding in site["fixed"]:
            by_code.setdefault(finding["code"], []).append(finding)
        parts.append("**Fixed:** " + "; ".join(f"{escaped(code)} ({escaped(named(found) or 'the site')})" for code, found in by_code.items()))
    if site["not_seen"]:
        parts.append("**Not seen:**\n\n" + "\n".join(f"- **!** {escaped(sentence)}" for sentence in site["not_seen"]))
    return parts


def table(headings: Sequence[str], rows: Iterable[Sequence[str]], right_from: int = 1000) -> str:
    """Headings are ours, cells are escaped. Columns from *right_from* on are numbers."""
    rule = ["---:" if n >= right_from else "---" for n in range(len(headings))]
    body = [[escaped(cell) for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [list(headings), rule, *body])


def escaped(text: str) -> str:
    """*text* as the reader sees it and nothing more. Not for the start of a line, where "1." or "-" would begin a list."""
    return _FOUND.sub(_JOINER, one_line(text, LONGEST)).translate(_ESCAPED).strip()
