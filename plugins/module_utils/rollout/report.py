# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One report of a run: verdicts and findings per site, what the run did to each phone, what is left to do. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.addresses import is_inside
from ansible_collections.evenport.sip.plugins.module_utils.audit.findings import MEANINGS, Finding, site_findings
from ansible_collections.evenport.sip.plugins.module_utils.audit.text import report_lines
from ansible_collections.evenport.sip.plugins.module_utils.audit.verdict import LineVerdict, judge_lines
from ansible_collections.evenport.sip.plugins.module_utils.model import Extension, Line, Registration
from ansible_collections.evenport.sip.plugins.module_utils.rollout.inventory import Site
from ansible_collections.evenport.sip.plugins.module_utils.rollout.outcome import Outcome


@dataclass
class SiteReport:
    site: str
    verdicts: list[LineVerdict]
    findings: list[Finding]
    outcomes: dict[str, Outcome] = field(default_factory=dict)

    def text(self) -> list[str]:
        return report_lines(self.site, self.verdicts, self.findings, self.did())

    def did(self) -> dict[str, str]:
        """phone -> what this run did to it, in a word or two."""
        return {phone: outcome.status for phone, outcome in self.outcomes.items()}


def report_sites(
    sites: Mapping[str, Site], states: Mapping[str, Mapping[str, Any]], reads: Mapping[str, Mapping[str, Any]],
    outcomes: Mapping[str, Outcome] | None = None, *, now: int = 0, moved: Collection[str] = (),
) -> list[SiteReport]:
    """*states*: the scan. *reads*: PBX -> result of pbx_registrations_info. *outcomes*: phone -> what this run did to it.

    *moved*: the phones that this run has written to: a table that a PBX exported before that can't judge them. *now*: seconds since the epoch.
    """
    registrations = {pbx: [Registration.from_dict(one) for one in read.get("registrations", ())] for pbx, read in reads.items()}
    extensions = {pbx: {one["extension"]: Extension.from_dict(one) for one in read.get("extensions", ())} for pbx, read in reads.items()}
    reports = []
    for name, site in sites.items():
        verdicts: dict[Any, LineVerdict] = {}
        nat_off: list[str] = []
        troubles: list[Finding] = []
        for pbx in dict.fromkeys(phone.pbx for phone in site.phones):
            lines = [line for phone in site.phones if phone.pbx == pbx for line in phone.lines()]
            why = _unread(pbx, reads.get(pbx))
            if why:
                verdicts.update((line, LineVerdict(line, "not_seen" if line.managed else "unmanaged")) for line in lines)
                troubles.append(Finding("pbx_not_read", name, why, "Mend that, then run the audit again: nothing is proven until the PBX has been asked."))
            else:
                read = reads[pbx]
                is_live = read.get("live", True)
                too_late = [] if is_live else [line for line in lines if line.managed and line.phone in moved]
                if not is_live:
                    troubles.append(_old_table(name, pbx, read.get("as_of") or 0, now, too_late))
                    verdicts.update((line, LineVerdict(line, "not_seen")) for line in too_late)
                missing = set(map(str, read.get("missing", ())))
                own_network = {phone.name for phone in site.phones if not phone.behind_nat}
                judged = [
                    _in_this_inventory(verdict, missing, own_network)
                    for verdict in judge_lines(
                        [line for line in lines if line not in too_late], registrations[pbx], extensions[pbx],
                        now=now if is_live else read.get("as_of") or 0,             # its registrations were good when it was exported
                        first_port=site.range.start, last_port=site.range.end)]
                verdicts.update((verdict.line, verdict) for verdict in judged)
                nat_off += [v.line.extension for v in judged if v.line.managed and v.line.phone not in own_network and _nat_is_off(v, extensions[pbx])]
        owned = [
            Finding("provisioning_server", name, f"{MEANINGS['provisioning_server'].text} ({server})", MEANINGS["provisioning_server"].remedy, phone.name,
                    fault=False, cause=MEANINGS["provisioning_server"].text)
            for phone in site.phones if (server := _owner(states[phone.name]))]
        ordered = [verdicts[line] for line in site.lines() if line in verdicts]
        unread = [
            Finding(state["code"], name, (state.get("what") or state["msg"]).removeprefix(f"{phone.name}: "), state.get("remedy", ""), phone.name)
            for phone in site.phones if (state := states[phone.name]).get("code")]
        done = {phone.name: outcomes[phone.name] for phone in site.phones if outcomes and phone.name in outcomes}
        troubles += [
            Finding(o.code, name, o.msg.removeprefix(f"{phone}: "), "", phone, cause=o.cause) for phone, o in done.items()
            if o.failed and o.code != "unknown_extension" and not states[phone].get("code")]         # that one is a verdict on its line already
        about_lines = site_findings(name, [v for v in ordered if v.verdict != "not_seen"], nat_off)
        findings = [*troubles, *about_lines, *unread, *_unplanned_accounts(site, states), *owned]
        reports.append(SiteReport(name, ordered, findings, done))
    return reports


def _owner(state: Mapping[str, Any]) -> str:
    """The provisioning server that may undo what a phone in order has; "" where there is none, or where the phone keeps what was set by hand."""
    provisioning = state.get("provisioning") or {}
    return "" if state.get("code") or provisioning.get("protected") else provisioning.get("server", "")


def as_json(reports: list[SiteReport]) -> dict[str, Any]:
    return {
        "schema": 1,
        "lines": [{**verdict.as_dict(), "this_run": report.did().get(verdict.line.phone, "")} for report in reports for verdict in report.verdicts],
        "findings": [finding.as_dict() for report in reports for finding in report.findings],
    }


def _in_this_inventory(verdict: LineVerdict, missing: set[str], own_network: set[str]) -> LineVerdict:
    """The verdict with what the PBX's contacts alone can't tell: an extension that it doesn't have; a phone that needs no NAT option."""
    if verdict.line.managed and verdict.line.extension in missing:
        return LineVerdict(verdict.line, "unknown_extension")
    if verdict.verdict == "unverified_nat" and verdict.line.phone in own_network:
        return replace(verdict, verdict="ok")
    return verdict


def _nat_is_off(verdict: LineVerdict, extensions: Mapping[str, Extension]) -> bool:
    """The PBX answers to the phone's private address instead of the packet's source. Not asked of a phone that isn't registered."""
    extension = extensions.get(verdict.line.extension)
    return extension is not None and extension.rewrite_contact is False and is_inside(verdict.seen_address)


def _old_table(site: str, pbx: str, as_of: int, now: int, too_late: list[Line]) -> Finding:
    """One finding for the PBX: how old its table is; a fault where this run has moved phones since then."""
    age = f"{_span(now - as_of)} ago" if as_of and now >= as_of else "at a time that it does not tell"
    text = f"what {pbx} shows was exported {age}"
    phones = list(dict.fromkeys(line.phone for line in too_late))
    if phones:
        named = ", ".join(phones[:6]) + (f" and {len(phones) - 6} more" if len(phones) > 6 else "")
        text += f", before this run moved {len(phones)} phone(s), which nothing proves yet ({named})"
    return Finding("status_old", site, text, MEANINGS["status_old"].remedy, lines=tuple(map(str, too_late)), fault=bool(phones))


def _span(seconds: int) -> str:
    for size, word in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            return f"{seconds // size} {word}{'s' if seconds >= 2 * size else ''}"
    return "less than a minute"


def _unread(pbx: str, read: Mapping[str, Any] | None) -> str:
    """Why this PBX says nothing about its lines; "" where it does."""
    if not pbx:
        return "the phones name no PBX (sip_pbx), so nothing proves their ports"
    if read is None:
        return f"{pbx} was not asked"
    if read.get("failed") or read.get("unreachable"):
        return f"{pbx} could not be read: {read.get('msg', 'no answer')}"
    return ""


def _unplanned_accounts(site: Site, states: Mapping[str, Mapping[str, Any]]) -> list[Finding]:
    """Active accounts that the plan doesn't know, on a port that it gives to somebody."""
    owners = {port: phone.name for phone in site.phones for port in phone.ports if port}
    return [
        Finding(
            "active_account", site.name, f"account {account} is active on port {port}, which is planned for {owners[port]}",
            "Plan it as a line (sip_extensions), or switch the account off", phone.name, int(account))
        for phone in site.phones for account, port in states[phone.name].get("further", {}).items() if port in owners
    ]
