# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report's codes, states and times in words that fit into a table, for the HTML page. What a code means in full is MEANINGS' business. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ansible_collections.evenport.sip.plugins.plugin_utils.report.groups import UNSEEN

# One tone has one colour. Besides, each has a sign of its own: a page must be read without seeing colours, and from a black-and-white printer.
TONES = ("ok", "info", "warning", "error", "unseen")

VERDICTS = {
    "ok": "In order",
    "duplicate": "Port shared",
    "wrong_port": "Wrong port",
    "random_port": "Random port",
    "router_translated": "Router rewrites",
    "alg_or_stun": "ALG or STUN",
    "nat_option_missing": "NAT option off",
    "unverified_nat": "NAT not proven",
    "registered_before": "Registered before",
    "port_unseen": "Port not shown",
    "other_port_seen": "Other port seen",
    "not_seen": "Not seen",
    "unknown_extension": "No such extension",
    "not_registered": "Not registered",
    "stale_contact": "Old registration",
    "unmanaged": "Not managed",
    "unmanaged_on_planned_port": "On a phone's port",
    "tls_port_taken": "TLS port taken",
    "pbx_not_read": "PBX not read",
    "pbx_failed": "PBX failed",
}
SIGNS = {"duplicate": "shared", "not_registered": "offline", "unknown_extension": "offline"}        # else the sign is that of the tone
STATES = {
    "ok": "In order",
    "info": "In order, with notes",
    "unseen": "Not fully seen",
    "offline": "Phones offline",
    "drift": "Not as planned",
    "router": "Router rewrites ports",
    "duplicate": "Ports shared",
    "failed": "Failed",
}
# What counts of a site are called: each managed line is in one of the first six.
COUNTS = (
    ("ok", "ok", "in order"),
    ("drift", "error", "not as planned"),
    ("duplicate", "shared", "sharing a port"),
    ("router", "warning", "port rewritten"),
    ("offline", "offline", "not registered"),
    ("unseen", "unseen", "not seen"),
)
RUNS = {"audit": "Audit", "check": "Check before a rollout", "rollout": "Rollout"}


def verdict_words(code: str) -> str:
    return VERDICTS.get(code) or code.replace("_", " ").capitalize()


def verdict_tone(code: str, severity: str) -> str:
    """A line that was not seen is neither good nor bad."""
    return "unseen" if code in UNSEEN else severity if severity in TONES else "info"


def verdict_sign(code: str, tone: str) -> str:
    return SIGNS.get(code, tone)


def site_tone(site: Mapping[str, Any]) -> str:
    """The colour of a site's state: that of the worst finding; a site of which nothing is known is not "ok"."""
    counts, state = site["counts"], site["state"]
    if state == "failed" or counts["errors"]:
        return "error"
    if counts["warnings"]:
        return "warning"
    return {"ok": "ok", "info": "info", "unseen": "unseen"}.get(state, "warning")


def site_sign(site: Mapping[str, Any]) -> str:
    return {"duplicate": "shared", "offline": "offline"}.get(site["state"], site_tone(site))


def number_of(count: int, one: str, many: str = "") -> str:
    """1 line, 2 lines"""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def sentence(text: str) -> str:
    """A text that begins like a sentence. Nothing else of it changes: it may hold names."""
    return text[:1].upper() + text[1:]


def when(time: str) -> str:
    """2026-11-23T05:00:00Z -> 23 November 2026, 05:00 UTC; anything else stays as it is."""
    parsed = _time(time)
    return f"{parsed.day} {_MONTHS[parsed.month - 1]} {parsed:%Y, %H:%M} UTC" if parsed else time


def age_seconds(since: str, until: str) -> int | None:
    """Seconds from one time to another, at least 0; None where one of them is none."""
    start, end = _time(since), _time(until)
    return max(0, int((end - start).total_seconds())) if start and end else None


def age_words(seconds: int) -> str:
    """59 s -> now; 300 s -> 5 min; 7200 s -> 2 h; 200000 s -> 2 days"""
    if seconds < 60:
        return "now"
    if seconds < 3600:
        return f"{seconds // 60} min"
    return f"{seconds // 3600} h" if seconds < 172800 else f"{seconds // 86400} days"


def _time(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


# strftime would take the names from the machine's language.
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")
