# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of a run, as docs/report.schema.json has it: from inventory, scan, PBX reads and outcomes. Pure.

Linear: each PBX's registrations are looked at once for all its sites (pbx_view.py), each site's lines once.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.audit.findings import MEANINGS
from ansible_collections.evenport.sip.plugins.module_utils.audit.summary import counts_of, sentence_of, state_of, worst_first
from ansible_collections.evenport.sip.plugins.module_utils.rollout.inventory import Site
from ansible_collections.evenport.sip.plugins.module_utils.rollout.outcome import Outcome
from ansible_collections.evenport.sip.plugins.module_utils.rollout.pbx_view import PbxView
from ansible_collections.evenport.sip.plugins.module_utils.rollout.report_site import Run, SiteAudit

SCHEMA = 2


def build_report(
    sites: Mapping[str, Site], states: Mapping[str, Mapping[str, Any]], reads: Mapping[str, Mapping[str, Any]],
    outcomes: Mapping[str, Outcome] | None = None, *, now: int, run: str = "audit", made_by: str = "",
    journal: Mapping[str, Mapping[str, Any]] | None = None, pbx_types: Mapping[str, str] | None = None, moved: Collection[str] = (), whole: bool = True,
) -> dict[str, Any]:
    """The whole report, the same for the same arguments.

    :arg states: the scan's, by phone
    :arg reads: PBX -> result of pbx_registrations_info
    :arg outcomes: phone -> what this run did to it
    :arg now: seconds since the epoch
    :arg run: audit, check or rollout
    :arg journal: phone -> the last push that the journal tells of: before, after, time, outcome
    :arg moved: the phones that this run has written to: a table that a PBX exported before that can't judge them
    :arg whole: the run has all phones of the inventory. Of a part of it nobody can say which devices and which ports of a lock are nobody's
    """
    views: dict[str, PbxView] = {}
    for name, site in sites.items():
        lines = defaultdict(list)
        for phone in site.phones:
            lines[phone.pbx] += phone.lines()
        for pbx, those in lines.items():
            if pbx not in views:
                views[pbx] = PbxView(pbx, reads.get(pbx), now)
            if not views[pbx].why:
                views[pbx].look_for(name, those, () if views[pbx].live else moved)
    about = Run(states, outcomes or {}, views, now, run, journal or {}, pbx_types or {}, frozenset(moved), whole)
    audits = [SiteAudit(site, about) for site in sites.values()]
    given_out = _given_out(audits)
    return {
        "schema": SCHEMA, "made_by": made_by or "evenport.sip", "made_at": iso(now), "run": run, "previous_at": "",
        "sites": [_site(audit, given_out) for audit in audits],
    }


def iso(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _given_out(audits: list[SiteAudit]) -> dict[str, Counter[int]]:
    """Public address -> port -> how many sites there give it out."""
    ports: dict[str, Counter[int]] = defaultdict(Counter)
    for audit in audits:
        for address in audit.usual_addresses:
            ports[address].update(audit.planned)
    return ports


def _site(audit: SiteAudit, given_out: Mapping[str, Counter[int]]) -> dict[str, Any]:
    site = audit.site
    findings = worst_first(audit.findings(given_out), [phone.name for phone in site.phones])
    counts = counts_of(audit.verdicts, findings)
    return {
        "site": site.name,
        "state": state_of(counts, findings),
        "sentence": sentence_of(counts, findings),
        "counts": counts,
        "range": {"first": site.range.start, "last": site.range.end, "step": site.range.step},
        "reserved": audit.reserved,
        "retired": audit.retired,
        "pbxs": [
            {"pbx": view.name, "type": audit.run.pbx_types.get(view.name, ""), "read": not view.why, "why": view.why,
             "as_of": iso(view.as_of) if not view.live and view.as_of else "", "shows_ports": view.shows_ports}
            for view in audit.views if view.name],
        "phones": [audit.phone(phone) for phone in site.phones],
        "lines": [
            {**verdict.as_dict(), "severity": MEANINGS[verdict.verdict].severity, "this_run": audit.did(verdict.line.phone)} for verdict in audit.verdicts],
        "findings": [finding.as_dict() for finding in findings],
        "fixed": [],
        "not_seen": audit.not_seen(),
    }
