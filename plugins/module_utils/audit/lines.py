# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the verdicts on one site's lines to its findings. Pure.

What has one cause is one finding, whatever the number of phones: a router that rewrites ports, a SIP ALG in front of all of them, NAT
options that are off, old registrations that have not expired yet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from ansible_collections.evenport.sip.plugins.module_utils.addresses import is_address, is_inside, network_of
from ansible_collections.evenport.sip.plugins.module_utils.agents import agent_of, plain
from ansible_collections.evenport.sip.plugins.module_utils.audit.findings import ERROR, WARNING, Finding, found, listed
from ansible_collections.evenport.sip.plugins.module_utils.audit.verdict import LineVerdict, port_of
from ansible_collections.evenport.sip.plugins.module_utils.contacts import GONE, device_name
from ansible_collections.evenport.sip.plugins.module_utils.model import Registration

AGENT = 60                      # characters of a user agent in a text
_OFF_PORT = ("wrong_port", "random_port", "other_port_seen", "duplicate")       # verdicts that tell already that the port is not the planned one
_MOST_LINES = 3                 # with fewer there is no "most lines" whose address another one could differ from


class Places:
    """The ports that the plan gives to the site's phones, at the addresses that the site's phones come from."""

    def __init__(self, verdicts: Iterable[LineVerdict], tls_phones: Collection[str] = ()) -> None:
        managed = [verdict for verdict in verdicts if verdict.line.managed]
        self.owners = {verdict.line.port: verdict.line for verdict in managed if verdict.line.port}
        self.tls_owners = {
            verdict.line.port + 1: verdict.line for verdict in managed
            if verdict.line.port and (verdict.line.phone in tls_phones or verdict.transport == "tls")}
        self.addresses = {verdict.seen_address for verdict in managed if verdict.seen_address}

    def here(self, address: str) -> bool:
        """A softphone elsewhere, on its own router, is in nobody's way. Where the addresses aren't known, the port alone decides."""
        return not address or not self.addresses or address in self.addresses

    def has(self, address: str, port: int) -> bool:
        return port in self.owners and self.here(address)


def line_findings(verdicts: Sequence[LineVerdict], nat_off: Collection[tuple[str, int]] = (), tls_phones: Collection[str] = ()) -> list[Finding]:
    """Findings of one site's lines. *nat_off*: (phone, line) of those whose NAT option is off at a PBX that is not on the phones' own
    network; *tls_phones*: those that the inventory says to use SIP-TLS."""
    places = Places(verdicts, tls_phones)
    findings = [*_router(verdicts), *_nat_options(verdicts, nat_off), *_left_behind(verdicts), *_addresses(verdicts)]
    alg = _alg_of_the_site(verdicts)
    findings += alg
    told = {"ok", "unmanaged", "not_seen", "router_translated", "nat_option_missing", *(["alg_or_stun"] if alg else [])}
    for verdict in verdicts:
        line = verdict.line
        if verdict.verdict == "unmanaged" and places.has(verdict.seen_address, verdict.seen):
            findings.append(found("unmanaged_on_planned_port", ports_of(verdict), phone=line.phone, line=line.line))
        elif verdict.verdict not in told and not (verdict.verdict == "unverified_nat" and (line.phone, line.line) in nat_off):
            findings.append(found(verdict.verdict, _evidence(verdict), phone=line.phone, line=line.line))
        if line.managed and line.port and verdict.set and verdict.set != line.port and verdict.verdict not in _OFF_PORT:
            findings.append(found("wrong_setting", ports_of(verdict), phone=line.phone, line=line.line))
        findings += [*_tls(verdict, places), *_second_devices(verdict, places)]
    return findings


def _router(verdicts: Iterable[LineVerdict]) -> list[Finding]:
    moved = [verdict for verdict in verdicts if verdict.verdict == "router_translated"]
    if not moved:
        return []
    moves = ", ".join(f"{v.line.phone} {v.claimed or v.set} -> {v.seen}" for v in moved[:4]) + (", ..." if len(moved) > 4 else "")
    addresses = list(dict.fromkeys(v.seen_address for v in moved if not is_inside(v.seen_address)))
    behind = f", behind {listed(addresses)}" if len(addresses) > 1 else ""      # one of them may be somebody's home
    evidence = f"{len(moved)} line(s) ({moves}){behind}"
    return [found("router_translated", evidence, lines=_names(moved), text=f"the router rewrites the ports of {evidence}")]


def _alg_of_the_site(verdicts: Iterable[LineVerdict]) -> list[Finding]:
    """One finding where every line that shows anything shows it: then it is the router, not one phone's STUN."""
    shown = [v for v in verdicts if v.line.managed and v.line.port and v.transport == "udp" and v.seen]
    rewritten = [v for v in shown if v.claimed_address and v.claimed_address == v.seen_address and not is_inside(v.seen_address)]
    wrong = [v for v in rewritten if v.verdict == "alg_or_stun"]
    if not wrong or len(rewritten) < len(shown) or len({v.line.phone for v in rewritten}) < 2:
        return []
    return [found("alg_or_stun", f"{len(rewritten)} line(s) of the site, {len(wrong)} of them on another port than planned", lines=_names(wrong))]


def _nat_options(verdicts: Iterable[LineVerdict], nat_off: Collection[tuple[str, int]]) -> list[Finding]:
    off = [v for v in verdicts if (v.line.phone, v.line.line) in nat_off or v.verdict == "nat_option_missing"]
    if not off:
        return []
    # A phone that answers there is reached without a router in between, by a VPN say.
    severity = WARNING if all(v.status == "reachable" for v in off) else ERROR
    extensions = [v.line.extension for v in off]
    evidence = f"the NAT option of {len(set(extensions))} extension(s) is off ({listed(extensions, 8)})"
    return [found("nat_option_missing", evidence, lines=_names(off), severity=severity)]


def _left_behind(verdicts: Iterable[LineVerdict]) -> list[Finding]:
    """One finding for the site: after a rollout every phone has left one behind."""
    old = [(verdict, contact) for verdict in verdicts for kind, contact in verdict.extra_contacts if kind == "stale_contact"]
    if not old:
        return []
    evidence = listed(f"{v.line.phone} {contact.claimed_port or contact.seen_port or ''}".strip() for v, contact in old)
    return [found("stale_contact", evidence, lines=_names(v for v, dummy in old))]


def _addresses(verdicts: Iterable[LineVerdict]) -> list[Finding]:
    """Phones that come from elsewhere. Two WAN lines that share the load have no majority, and no finding."""
    public: dict[int, list[tuple[LineVerdict, str]]] = {4: [], 6: []}
    for verdict in verdicts:
        if verdict.line.managed and verdict.is_source and is_address(verdict.seen_address) and not is_inside(verdict.seen_address):
            version = 6 if ":" in verdict.seen_address else 4       # with IPv6 each phone has an address of its own, in the site's network
            public[version].append((verdict, network_of(verdict.seen_address) if version == 6 else verdict.seen_address))
    findings: dict[str, Finding] = {}
    for seen in public.values():
        if len(seen) >= _MOST_LINES:
            usual, count = Counter(place for dummy, place in seen).most_common(1)[0]
            for verdict, place in seen if 2 * count > len(seen) else ():
                if place != usual:
                    evidence = f"{verdict.seen_address}; {count} of the site's {len(seen)} lines come from {usual}"
                    findings.setdefault(verdict.line.phone, found("unexpected_address", evidence, phone=verdict.line.phone, line=verdict.line.line))
    return list(findings.values())


def _tls(verdict: LineVerdict, places: Places) -> list[Finding]:
    """Whether this line, by whatever is known of it, sits on the port that another phone takes for SIP-TLS."""
    told = {verdict.set, *((verdict.claimed, verdict.seen) if verdict.transport == "udp" and places.here(verdict.seen_address) else ())}
    for port in sorted(told & places.tls_owners.keys()):
        owner = places.tls_owners[port]
        if owner.phone != verdict.line.phone:
            evidence = f"{port} is that of {owner.phone} line {owner.line}"
            return [found("tls_port_taken", evidence, phone=verdict.line.phone, line=verdict.line.line)]
    return []


def _second_devices(verdict: LineVerdict, places: Places) -> list[Finding]:
    findings = []
    for kind, contact in verdict.extra_contacts:
        if kind == "unmanaged":
            code = "unmanaged_on_planned_port" if places.has(contact.seen_address, contact.seen_port) else "unmanaged"
            evidence = f"extension {verdict.line.extension} has {device_text(contact)} too"
            findings.append(found(code, evidence, phone=verdict.line.phone, line=verdict.line.line, more=[plain(device_name(contact))]))
    return findings


def unknown_devices(pbx: str, contacts: Iterable[Registration], verdicts: Iterable[LineVerdict], owners: Mapping[int, object]) -> list[Finding]:
    """Devices of extensions that no inventory has, at the site's own address. *owners*: the ports of its plan.

    One that is, by all its addresses, a phone of the site is an account of that phone which the inventory doesn't have.
    """
    phones = {(v.claimed_address, v.seen_address, v.seen): v.line.phone for v in verdicts if v.line.managed and v.claimed_address}
    findings = []
    for contact in contacts:
        itself = phones.get((contact.claimed_address, contact.seen_address, contact.seen_port), "")
        on_plan = port_of(contact.seen_port) in owners and contact.transport == "udp" and not itself
        is_phone = agent_of(contact.user_agent).kind == "phone" and not itself
        evidence = f"extension {plain(contact.extension, AGENT)} of {pbx}: {device_text(contact)}"
        findings.append(found(
            "unmanaged_on_planned_port" if on_plan else "unknown_device", f"{evidence}; it is on {itself} itself" if itself else evidence,
            more=[pbx, plain(contact.extension), plain(device_name(contact))], severity=WARNING if is_phone and not on_plan else ""))
    return findings


def device_text(contact: Registration) -> str:
    """A device by what it calls itself and its ports."""
    name = plain(contact.user_agent, AGENT) or "a device without a name"
    says = f"says {contact.claimed_port}" if contact.claimed_port else ""
    seen = f"seen at {contact.seen_address}:{contact.seen_port}" if contact.seen_port else ""
    where = ", ".join(filter(None, (says, seen)))
    return f"{name} ({where})" if where else name


def ports_of(verdict: LineVerdict) -> str:
    """All that is known of a line's port."""
    parts = [f"planned {verdict.line.port or '-'}", *([f"set {verdict.set}"] if verdict.set else []), f"claimed {verdict.claimed or '-'}",
             f"seen {verdict.seen or '-'}"]
    return ", ".join(parts)


def _evidence(verdict: LineVerdict) -> str:
    if verdict.verdict == "port_contested":
        return f"{ports_of(verdict)}; {verdict.claimed} is also used by {listed(verdict.with_extensions)}"
    if verdict.with_extensions:
        return f"{verdict.seen_address}:{verdict.seen} also holds {listed(verdict.with_extensions)}"
    if not (verdict.claimed or verdict.seen):
        return f"extension {verdict.line.extension}" if verdict.line.extension else "no extension is named (sip_extensions)"
    parts = [ports_of(verdict)]
    if verdict.line.managed and agent_of(verdict.user_agent).kind == "softphone":
        parts.append(f"it is a softphone that has registered here ({plain(verdict.user_agent, AGENT)}): the phone itself may be off")
    elif verdict.status in GONE:
        parts.append("the PBX does not reach it")
    return "; ".join(parts)


def _names(verdicts: Iterable[LineVerdict]) -> list[str]:
    return list(dict.fromkeys(str(verdict.line) for verdict in verdicts))
