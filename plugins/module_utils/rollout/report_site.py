# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One site of the report: the verdicts on its lines, its findings, and what could not be seen. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.addresses import is_inside
from ansible_collections.evenport.sip.plugins.module_utils.agents import agent_of
from ansible_collections.evenport.sip.plugins.module_utils.audit import lock as lock_audit
from ansible_collections.evenport.sip.plugins.module_utils.audit.findings import INFO, MEANINGS, WARNING, Finding, found, listed
from ansible_collections.evenport.sip.plugins.module_utils.audit.lines import Places, line_findings, unknown_devices
from ansible_collections.evenport.sip.plugins.module_utils.audit.phones import phone_findings, set_port
from ansible_collections.evenport.sip.plugins.module_utils.audit.verdict import PARKING, LineVerdict, judge_chosen, port_of
from ansible_collections.evenport.sip.plugins.module_utils.errors import EvenportError
from ansible_collections.evenport.sip.plugins.module_utils.phones.target import plain_mac
from ansible_collections.evenport.sip.plugins.module_utils.rollout.inventory import Site, SitePhone
from ansible_collections.evenport.sip.plugins.module_utils.rollout.outcome import Outcome
from ansible_collections.evenport.sip.plugins.module_utils.rollout.pbx_view import PbxView, is_public
from ansible_collections.evenport.sip.plugins.module_utils.rollout.planning import SitePlan, plan_of
from ansible_collections.evenport.sip.plugins.module_utils.rollout.scan import NOT_ASKED, ON_SITE

# Words that say too little by themselves: what such findings have in common is their message, not their word.
_IN_ITS_OWN_WORDS = frozenset((
    "error", "device_failed", "unsupported", "bad_answer", "not_applied", "not_proven", "pbx_failed", "site_stopped", "plan_refused", "certificate_refused",
    "port_taken", "active_account"))


@dataclass(frozen=True)
class Run:
    """What build_report() was given, and the PBXs' views."""

    states: Mapping[str, Mapping[str, Any]]
    outcomes: Mapping[str, Outcome]
    views: Mapping[str, PbxView]
    now: int
    run: str
    journal: Mapping[str, Mapping[str, Any]]
    pbx_types: Mapping[str, str]
    moved: frozenset[str]
    whole: bool


class SiteAudit:
    """``verdicts``: in inventory order; ``planned``: the ports that its plan gives out; ``usual_addresses``: the public ones of most of its lines."""

    def __init__(self, site: Site, run: Run) -> None:
        self.site, self.run = site, run
        self.views = [run.views[pbx] for pbx in dict.fromkeys(phone.pbx for phone in site.phones)]
        self._phones = {phone.name: phone for phone in site.phones}
        self._plan = _plan(site)
        self.reserved = sorted({port for port in self._plan.reserved if port_of(port)}) if self._plan else []
        self.retired = sorted({*self._plan.lock.retired}) if self._plan else []
        judged = {verdict.line: verdict for view in self.views for verdict in self._judged(view)}
        self.verdicts = [judged.get(line) or LineVerdict(line, "not_seen" if line.managed else "unmanaged") for line in site.lines()]
        self.verdicts = [self._with_setting(verdict) for verdict in self.verdicts]
        self.planned = {verdict.line.port for verdict in self.verdicts if verdict.line.port}
        at = Counter(v.seen_address for v in self.verdicts if v.line.managed and v.is_source and is_public(v.seen_address))
        self.usual_addresses = [address for address, count in at.items() if 2 * count >= at.total()]

    def _judged(self, view: PbxView) -> Iterator[LineVerdict]:
        """What a PBX's contacts alone can't tell is put in: an extension that it doesn't have, a phone that needs no NAT option or has no port."""
        if view.why:
            return
        for verdict in judge_chosen(view.chosen[self.site.name], view.extensions, view.neighbours, self.site.range.start, self.site.range.end):
            line = verdict.line
            if not line.managed:
                yield verdict
            elif line.extension in view.missing:
                yield LineVerdict(line, "unknown_extension")
            elif verdict.verdict in ("unverified_nat", "nat_option_missing", "registered_before") and not self._phones[line.phone].behind_nat:
                yield replace(verdict, verdict="ok")
            elif verdict.verdict == "unverified_nat" and verdict.status != "reachable" and self._nat_is_off(verdict):
                yield replace(verdict, verdict="nat_option_missing")
            elif verdict.verdict == "ok" and not self._phones[line.phone].ports:        # nobody has planned it: there is nothing to compare with
                yield replace(verdict, verdict="not_seen")
            else:
                yield verdict

    def _with_setting(self, verdict: LineVerdict) -> LineVerdict:
        """With the phone's own setting, which decides where the PBX shows only one port: whose doing is it, the phone's or the router's?"""
        line = verdict.line
        if not line.managed:
            return verdict
        own = set_port(self.run.states.get(line.phone, {}), line.line)
        if line.phone in self.run.moved:            # read before it was moved
            outcome = self.run.outcomes.get(line.phone)
            own = (line.port or 0) if outcome and not outcome.failed else 0
        verdict = replace(verdict, set=own)
        if verdict.verdict == "other_port_seen" and own:
            if own != line.port:
                return replace(verdict, verdict="wrong_port")
            if not self.site.range.start <= verdict.seen <= self.site.range.end + PARKING:      # else it may just need a restart
                return replace(verdict, verdict="router_translated")
        return verdict

    def _nat_is_off(self, verdict: LineVerdict) -> bool:
        """The PBX answers to the phone's private address instead of the packet's source. Not asked of a phone that isn't registered."""
        return (verdict.line.managed and verdict.nat_option is False and is_inside(verdict.seen_address)
                and self._phones[verdict.line.phone].behind_nat)

    def did(self, phone: str) -> str:
        """What this run did to a phone, in a word or two."""
        outcome = self.run.outcomes.get(phone)
        return outcome.status if outcome else ""

    def findings(self, given_out: Mapping[str, Counter[int]]) -> list[Finding]:
        """All of the site's, in no order. *given_out*: public address -> port -> how many sites there give it out."""
        tls = {phone.name for phone in self.site.phones if str(phone.variables.get("sip_phone_transport") or "").lower() == "tls"}
        nat_off = {(v.line.phone, v.line.line) for v in self.verdicts if self._nat_is_off(v)}
        places = Places(self.verdicts, tls)
        findings = [*self._of_the_plan(), *self._of_pbxs(), *line_findings(self.verdicts, nat_off, tls), *self._shared(given_out), *self._of_the_lock()]
        of_phone: dict[str, list[str]] = defaultdict(list)
        for verdict in self.verdicts:
            of_phone[verdict.line.phone].append(verdict.verdict)
        for phone in self.site.phones:
            state, name = self.run.states.get(phone.name, {}), phone.name
            own = phone_findings(
                name, state, places.owners, places.tls_owners, of_phone[name], push=self.run.journal.get(name), moved=name in self.run.moved,
                random_wanted=str(phone.variables.get("sip_phone_random_port")).lower() in ("true", "yes", "1"))
            findings += [*own, *self._of_the_run(phone, state, any(one.code == "reverted" for one in own))]
        if self.run.whole:
            findings += [one for view in self.views if not view.why for address in self.usual_addresses
                         for one in unknown_devices(view.name, view.unknown_at(address), self.verdicts, places.owners)]
        return findings

    def _of_the_plan(self) -> list[Finding]:
        """A plan that can't be is one finding, whatever the number of phones."""
        if not self.site.error:
            return []
        what = _unnamed(self.site.error.what, self.site.name, "")
        return [found("plan_refused", what, cause=what, text=what, remedy=self.site.error.remedy, lines=[str(v.line) for v in self.verdicts if v.line.managed])]

    def _of_the_run(self, phone: SitePhone, state: Mapping[str, Any], told: bool) -> list[Finding]:
        """Why a phone could not be read, or what went wrong with it in this run. What is a verdict on its line, or on its site, is told there."""
        code = state.get("code")
        if code:
            if (code == "provisioned" and told) or (code == "plan_refused" and self.site.error and not phone.error):
                return []
            what = _unnamed(state.get("what") or state.get("msg") or "", self.site.name, phone.name)
            return [_in_words(code, what, phone.name, state.get("remedy", ""))]
        outcome = self.run.outcomes.get(phone.name)
        if not outcome or not outcome.failed or outcome.code == "unknown_extension":
            return []
        return [_in_words(outcome.code, _unnamed(outcome.msg, self.site.name, phone.name), phone.name, cause=outcome.cause)]

    def _of_pbxs(self) -> list[Finding]:
        findings = []
        for view in self.views:
            lines = [v.line for v in self.verdicts if v.line.managed and self._phones[v.line.phone].pbx == view.name]
            if view.why and lines:
                findings.append(found("pbx_not_read", view.why, text=view.why, lines=map(str, lines), more=[view.name] if view.name else []))
            elif not view.live:
                too_late = [line for line in lines if line.phone in self.run.moved]
                age = f"{span(self.run.now - view.as_of)} ago" if view.as_of and self.run.now >= view.as_of else "at a time that it does not tell"
                text = f"what {view.name} shows was exported {age}"
                if too_late:
                    phones = list(dict.fromkeys(line.phone for line in too_late))
                    text += f", before this run moved {len(phones)} phone(s), which nothing proves yet ({listed(phones)})"
                findings.append(found(
                    "status_old", text, text=text, lines=map(str, too_late), more=[view.name], severity=WARNING if too_late else INFO))
        return findings

    def _shared(self, given_out: Mapping[str, Counter[int]]) -> list[Finding]:
        """Another site behind the same public address. It is not named: this report may go to a customer."""
        findings = []
        for address in self.usual_addresses:
            both = sorted(port for port in self.planned if given_out[address][port] > 1)
            if both:
                findings.append(found("shared_address", f"{address}, {len(both)} port(s): {listed(map(str, both))}", more=[address]))
        return findings

    def _of_the_lock(self) -> list[Finding]:
        plan = self._plan
        if not plan or self.site.error:
            return []
        findings = lock_audit.room(self.site.name, plan.ports, plan.lock, plan.phones, plan.reserved)
        names = {phone.name for phone in self.site.phones if phone.managed}
        stale = lock_audit.stale(plan.lock, names, self._used())
        return [*findings, *(one for one in stale if self.run.whole or one.more != ("phones",))]

    def _used(self) -> set[int] | None:
        """The ports that anything at the site is seen on, claims or is set to; None where some of that is not known."""
        if not self.usual_addresses or any(view.why or not view.live or not view.shows_ports for view in self.views):
            return None
        addresses = {verdict.seen_address for verdict in self.verdicts}
        states = [self.run.states.get(phone.name, {}) for phone in self.site.phones]
        further = {port for state in states for port in (state.get("further") or {}).values()}
        return set().union(*(view.ports_at(addresses) for view in self.views), {verdict.set for verdict in self.verdicts}, further)

    def phone(self, phone: SitePhone) -> dict[str, Any]:
        """As docs/report.schema.json has a phone. What nobody has read is taken from the inventory, and from what it tells the PBX."""
        state = self.run.states.get(phone.name, {})
        identity = state.get("identity") or {}
        agent = agent_of(next((v.user_agent for v in self.verdicts if v.line.phone == phone.name and v.user_agent), "") if not identity else "")
        brand = str(phone.variables.get("sip_phone_brand") or "").replace("auto", "")
        return {
            "phone": phone.name, "kind": "phone" if phone.managed else "softphone",
            "brand": identity.get("brand") or brand or agent.brand, "model": identity.get("model") or agent.model,
            "firmware": identity.get("firmware") or agent.firmware,
            "mac": plain_mac(identity.get("mac") or phone.variables.get("sip_mac") or "") or agent.mac,
            "address": str(phone.variables.get("ansible_host") or phone.name) if phone.managed else "",
            "read": "settings" in state, "why": self._why_unread(phone, state),
        }

    def _why_unread(self, phone: SitePhone, state: Mapping[str, Any]) -> str:
        if "settings" in state:
            return ""
        if not phone.managed:
            return "a softphone has no web page"
        if state.get("code"):
            return _unnamed(state.get("what") or state.get("msg") or state["code"], self.site.name, phone.name)
        if state.get("state") == NOT_ASKED:
            return state.get("msg") or "it was not asked"
        return "a box inside the site reads it, in a task of its own" if state.get("state") == ON_SITE else "it was not looked at"

    def not_seen(self) -> list[str]:
        """What this run could not see, and why, in sentences."""
        told = []
        for view in self.views:
            lines = [v for v in self.verdicts if v.line.managed and self._phones[v.line.phone].pbx == view.name]
            if view.why and lines:
                told.append(f"{view.why.rstrip('.')}: how {_lines(len(lines))} registered was not seen.")
            elif lines and not view.shows_ports:
                told.append(f"{view.name} does not tell the ports that it sees: those of {_lines(len(lines))} were not seen.")
        hidden = [v for v in self.verdicts if v.verdict in ("unverified_nat", "nat_option_missing")]
        if hidden:
            told.append(f"Without the NAT option a PBX does not show where packets come from: what the router does to the ports of {_lines(len(hidden))} "
                        "was not seen.")
        unread: dict[str, list[str]] = defaultdict(list)
        for phone in self.site.phones:
            if phone.managed and (why := self._why_unread(phone, self.run.states.get(phone.name, {}))):
                unread["the plan can't be used" if self.site.error and not phone.error else why].append(phone.name)
        told += [f"The settings of {len(names)} phone(s) were not read ({why.rstrip('.')}): {listed(names)}." for why, names in unread.items()]
        if not self.run.whole:
            told.append("Only a part of the inventory was looked at: whether a device, or a phone of the lock, is in none of it was not seen.")
        return told


def span(seconds: int) -> str:
    """3725 -> "1 hour"."""
    for size, word in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            return f"{seconds // size} {word}{'s' if seconds >= 2 * size else ''}"
    return "less than a minute"


def _plan(site: Site) -> SitePlan | None:
    """Range, lock and reserved ports as the inventory has them; None where that can't be used."""
    managed = [phone for phone in site.phones if phone.managed and not phone.error]
    try:
        return plan_of(site.name, [phone.name for phone in managed], {phone.name: phone.variables for phone in managed}) if managed else None
    except EvenportError:
        return None


def _in_words(code: str, what: str, phone: str, remedy: str = "", cause: str = "") -> Finding:
    common = cause or (what if code in _IN_ITS_OWN_WORDS else "")
    return found(code if code in MEANINGS else "error", what, phone=phone, cause=common, text=what, remedy=remedy)


def _unnamed(text: str, site: str, phone: str) -> str:
    """A message without the name in front, so that those of many phones are the same; the report has the name beside it."""
    for name in (f"{site}/{phone}", phone, site):
        for mark in (": ", " "):
            if name and text.startswith(f"{name}{mark}"):
                return text[len(name) + len(mark):]
    return text


def _lines(count: int) -> str:
    return f"{count} line{'s are' if count != 1 else ' is'}"
