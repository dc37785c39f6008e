# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each verdict means and what to do about it, and the roll-up from lines to one site's findings. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.agents import agent_of, plain
from ansible_collections.evenport.sip.plugins.module_utils.audit.verdict import LineVerdict
from ansible_collections.evenport.sip.plugins.module_utils.model import Registration

_MOST = 6                       # named one by one in a text
_AGENT = 60                     # characters of a user agent in a text


@dataclass(frozen=True)
class Meaning:
    text: str
    remedy: str
    fault: bool = True          # False: worth knowing, nothing to mend


MEANINGS: dict[str, Meaning] = {
    "ok": Meaning("the PBX sees the planned port", "", fault=False),
    "duplicate": Meaning("several phones arrive at the PBX from one address and port", "Run the rollout: each phone needs its own local SIP port."),
    "wrong_port": Meaning("the phone signals from another port than planned", "Run the rollout; if it was just run, the phone may need a restart."),
    "random_port": Meaning("the phone picks a random local port", "Run the rollout: it switches the phone's random port off."),
    "router_translated": Meaning(
        "the phones use their planned ports but the router rewrites them",
        "Nothing to push to the phones. On the router: keep source ports (static port / consistent NAT), SIP ALG off.",
    ),
    "alg_or_stun": Meaning(
        "a SIP ALG or STUN has rewritten what the phone says of itself; its own port can't be seen from the PBX",
        "Switch the router's SIP ALG and the phone's STUN off, then look again.",
    ),
    "nat_option_missing": Meaning("the PBX sends to the phone's private address", "Run the rollout: it switches the extension's NAT option on."),
    "unverified_nat": Meaning(
        "the phone claims the planned port, but without rewrite_contact the PBX can't see the packets' source", "Switch the extension's NAT option on."),
    "registered_before": Meaning(
        "the NAT option is on, but the phone registered before it was, so the PBX still sends to its private address",
        "It holds from the phone's next registration; restart the phone when nobody is on it if that takes too long."),
    "port_unseen": Meaning(
        "registered, but this PBX does not tell the port that it sees: nothing proves the phone's port",
        "Look where the port can be seen: on the phone's own status page, in the router's table of connections, or in the PBX's own SIP trace.", fault=False),
    "other_port_seen": Meaning(
        "the PBX sees another port than planned, and does not show what the phone itself says: it may be the phone or the router",
        "Compare with the phone's own setting: if that is the planned port, the router rewrites it (static port / consistent NAT, SIP ALG off); "
        "if not, run the rollout."),
    "not_seen": Meaning("its PBX was not read, or shows how it was before the phone was moved: nothing is known of this line", "", fault=False),
    "unknown_extension": Meaning("the PBX knows no such extension", "Create it in the PBX, or correct sip_extensions."),
    "not_registered": Meaning("the PBX has no registration for this extension", "Is the phone on, and are its SIP account's user and password right?"),
    "stale_contact": Meaning("an old registration of the same phone has not expired yet", "It goes by itself.", fault=False),
    "unmanaged": Meaning("a softphone or second device: seen, never pushed", "", fault=False),
    "unmanaged_on_planned_port": Meaning(
        "a softphone or second device sits on a port that the plan gives to a phone",
        "Give it another port, or reserve its port (sip_ports_reserved) and run plan. If it is a phone, add it to the inventory."),
    "auth_failed": Meaning("the phone refused the web password", "Correct sip_phone_password. It was tried once and won't be tried again in this run."),
    "locked": Meaning("the phone refuses logins for a while", "Wait until the lock has passed, then run again."),
    "identity_mismatch": Meaning("another phone answers at this address", "Correct ansible_host or sip_mac."),
    "deferred": Meaning("the phone did not answer, or a call was up", "Run again with --limit later."),
    "pbx_not_read": Meaning("the PBX was not asked or did not answer", "Mend that, then run the audit again."),
    "status_old": Meaning(
        "what the PBX shows was exported some time ago, and can't show what has changed since then", "Export it again, then run the audit."),
    "port_taken": Meaning("another phone still holds the planned port", "Bring that phone in order first."),
    "certificate_refused": Meaning(
        "the phone's or PBX's certificate can't be verified", "Pin its fingerprint, which the message shows, or set the path to its CA."),
    "unsupported": Meaning("not a phone, a firmware or a setting that the collection knows how to drive", "Set the port by hand, or tell us what it is."),
    "bad_answer": Meaning("the device answered what its protocol does not allow", "Restart it, then run again."),
    "session_lost": Meaning("the phone ended our web session in the middle of the work", "Is somebody else logged in? Run again."),
    "not_applied": Meaning(
        "the phone said success, but reading back shows another value", "Has this user the right to change it? Does a provisioning server own it?"),
    "provisioned": Meaning(
        "a provisioning server owns the phone and would undo the change, so nothing was written",
        "Set the port at that server; or take the server off the phone; or set sip_phone_when_provisioned: push and know that it may not last."),
    "provisioning_server": Meaning(
        "a provisioning server may set this phone's port anew", "Set the planned port there too, or take the server off the phone.", fault=False),
    "not_proven": Meaning(
        "the phone was moved but its PBX does not show the port", "It was put back as it was: look at the phone's registration, then run again."),
    "permission_missing": Meaning("the AMI user may not do what is needed", "Give it read = system and write = system."),
    "pbx_failed": Meaning("the PBX's NAT options could not be set, so its phones were left as they are", "Mend what the message says, then run again."),
    "site_stopped": Meaning("all phones that went first failed, so the rest of the site was left as it is", "Mend what their messages say, then run again."),
    "plan_refused": Meaning("the plan or the lock can't be as it is; nothing was touched", "Do what the message says; mostly it is: run plan."),
    "device_failed": Meaning("a phone or a PBX did not do what it should", "See the message."),
    "error": Meaning("something else went wrong with this phone or its variables", "See the message."),
    "active_account": Meaning(
        "an active account that the plan doesn't know sits on a port of the plan", "Plan it as a line (sip_extensions), or switch the account off."),
}


@dataclass(frozen=True)
class Finding:
    """One audited difference with its cause and its remedy. A finding about a site's router has no phone."""

    code: str
    site: str
    text: str
    remedy: str
    phone: str = ""
    line: int = 0
    lines: tuple[str, ...] = ()
    fault: bool = True
    cause: str = ""             # the text without this line's ports: what findings of many phones have in common

    def as_dict(self) -> dict[str, Any]:
        return {
            "code": self.code, "site": self.site, "phone": self.phone, "line": self.line, "lines": list(self.lines),
            "text": self.text, "remedy": self.remedy, "fault": self.fault,
        }


def site_findings(site: str, verdicts: Iterable[LineVerdict], nat_off: Iterable[str] = ()) -> list[Finding]:
    """Findings of one site. *nat_off*: its extensions whose NAT option is off at a PBX that is not on the phones' own network.

    A router that rewrites ports is ONE finding, whatever the number of phones behind it; so are the contacts that have not expired yet.
    """
    verdicts = list(verdicts)
    by_code: dict[str, list[LineVerdict]] = defaultdict(list)
    for verdict in verdicts:
        by_code[verdict.verdict].append(verdict)
    taken = _Places(verdicts)
    findings = []
    translated = by_code.pop("router_translated", [])
    if translated:
        moves = ", ".join(f"{v.line.phone} {v.claimed} -> {v.seen}" for v in translated[:4]) + (", ..." if len(translated) > 4 else "")
        meaning = MEANINGS["router_translated"]
        findings.append(Finding(
            "router_translated", site, f"the router rewrites the ports of {len(translated)} line(s) ({moves})", meaning.remedy,
            lines=tuple(str(v.line) for v in translated)))
    for code, group in by_code.items():
        for verdict in group:
            line = verdict.line
            if code == "nat_option_missing":
                continue            # told once for the site, below
            if code == "unmanaged" and taken.has(verdict.seen_address, verdict.seen):
                meaning_here, code_here = MEANINGS["unmanaged_on_planned_port"], "unmanaged_on_planned_port"
            elif code in ("ok", "unmanaged"):
                continue
            else:
                meaning_here, code_here = MEANINGS[code], code
            findings.append(Finding(
                code_here, site, _with_ports(meaning_here.text, verdict), meaning_here.remedy, line.phone, line.line,
                fault=meaning_here.fault, cause=meaning_here.text))
    findings += _second_devices(site, verdicts, taken)
    findings += _left_behind(site, verdicts)
    nat_off = list(dict.fromkeys([*nat_off, *(v.line.extension for v in by_code.get("nat_option_missing", []))]))
    if nat_off:
        meaning = MEANINGS["nat_option_missing"]
        named = ", ".join(nat_off[:8]) + (f" and {len(nat_off) - 8} more" if len(nat_off) > 8 else "")
        findings.append(Finding("nat_option_missing", site, f"{meaning.text}: the NAT option of {len(nat_off)} extension(s) is off ({named})", meaning.remedy))
    order = list(MEANINGS)
    return sorted(findings, key=lambda f: (not f.fault, order.index(f.code) if f.code in order else len(order)))     # stable: inventory order within


class _Places:
    """The ports that the plan gives to the site's phones, at the addresses that the site's phones come from."""

    def __init__(self, verdicts: Iterable[LineVerdict]) -> None:
        managed = [verdict for verdict in verdicts if verdict.line.managed]
        self.ports = {verdict.line.port for verdict in managed if verdict.line.port}
        self.addresses = {verdict.seen_address for verdict in managed if verdict.seen_address}

    def has(self, address: str, port: int) -> bool:
        """A softphone elsewhere, on its own router, is in nobody's way. Where the addresses aren't known, the port alone decides."""
        return port in self.ports and (not address or not self.addresses or address in self.addresses)


def _second_devices(site: str, verdicts: Iterable[LineVerdict], taken: _Places) -> list[Finding]:
    found = []
    for verdict in verdicts:
        for kind, contact in verdict.extra_contacts:
            if kind == "unmanaged":
                code = "unmanaged_on_planned_port" if taken.has(contact.seen_address, contact.seen_port) else "unmanaged"
                meaning, line = MEANINGS[code], verdict.line
                text = f"{meaning.text}: extension {line.extension} has {_device(contact)} too"
                found.append(Finding(code, site, text, meaning.remedy, line.phone, line.line, fault=meaning.fault, cause=meaning.text))
    return found


def _left_behind(site: str, verdicts: Iterable[LineVerdict]) -> list[Finding]:
    """One finding for the site: after a rollout every phone has left one behind."""
    old = [(verdict.line, contact) for verdict in verdicts for kind, contact in verdict.extra_contacts if kind == "stale_contact"]
    if not old:
        return []
    meaning = MEANINGS["stale_contact"]
    named = ", ".join(f"{line.phone} {contact.claimed_port or contact.seen_port or ''}".strip() for line, contact in old[:_MOST])
    more = f" and {len(old) - _MOST} more" if len(old) > _MOST else ""
    lines = tuple(dict.fromkeys(str(line) for line, dummy in old))
    return [Finding("stale_contact", site, f"{meaning.text} ({named}{more})", meaning.remedy, lines=lines, fault=meaning.fault)]


def _device(contact: Registration) -> str:
    """A second device by what it calls itself and its ports."""
    name = plain(contact.user_agent, _AGENT) or "a device without a name"
    says = f"says {contact.claimed_port}" if contact.claimed_port else ""
    seen = f"seen at {contact.seen_address}:{contact.seen_port}" if contact.seen_port else ""
    where = ", ".join(filter(None, (says, seen)))
    return f"{name} ({where})" if where else name


def _with_ports(text: str, verdict: LineVerdict) -> str:
    if verdict.with_extensions:
        return f"{text}: {verdict.seen_address}:{verdict.seen} also holds {', '.join(verdict.with_extensions[:_MOST])}"
    if verdict.claimed or verdict.seen:
        told = f"{text} (planned {verdict.line.port or '-'}, claimed {verdict.claimed or '-'}, seen {verdict.seen or '-'})"
        soft = verdict.line.managed and agent_of(verdict.user_agent).kind == "softphone"
        return f"{told}; it is a softphone that has registered here ({plain(verdict.user_agent, _AGENT)}): the phone itself may be off" if soft else told
    return text
