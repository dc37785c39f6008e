# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict on each line: planned port x port the phone claims x port the PBX sees. Pure.

The rules are evaluated in the order of `judge_contact`; the first that fits decides. They were measured on a real Asterisk behind
real NAT routers (the lab in tests/lab repeats them); the vocabulary is the one of `findings.MEANINGS`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.model import Extension, Line, Registration

# An own list on purpose: Python's is_private is True for the documentation ranges and False for 100.64.0.0/10 (carrier-grade NAT).
_PARKING = 200                  # ports above the range that the order of moves (plan/moves.py) may use; ephemeral ports are far above

_INSIDE = [ip_network(net) for net in (
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8", "fc00::/7", "fe80::/10", "::1/128",
)]


@dataclass(frozen=True)
class LineVerdict:
    """What the audit says about one line. Ports are 0 where there is none."""

    line: Line
    verdict: str
    claimed: int = 0
    seen: int = 0
    seen_address: str = ""
    user_agent: str = ""
    extra_contacts: tuple[tuple[str, Registration], ...] = ()     # (stale_contact | unmanaged, contact)
    with_extensions: tuple[str, ...] = ()                         # duplicate: who else sits on that address and port

    def as_dict(self) -> dict[str, Any]:
        line = self.line
        return {
            "site": line.site, "phone": line.phone, "line": line.line, "extension": line.extension, "planned": line.port,
            "claimed": self.claimed, "seen": self.seen, "seen_address": self.seen_address, "user_agent": self.user_agent,
            "verdict": self.verdict, "duplicate_of": list(self.with_extensions),
            "other_contacts": [{"kind": kind, "claimed": c.claimed_port, "seen": c.seen_port, "user_agent": c.user_agent} for kind, c in self.extra_contacts],
        }


def is_inside(address: str) -> bool:
    """True for an address that cannot be reached from the internet. A host name is not an address: False."""
    try:
        ip = ip_address(address.strip("[]"))
    except ValueError:
        return False
    return any(ip.version == net.version and ip in net for net in _INSIDE)


def judge_lines(
    lines: Iterable[Line],
    registrations: Iterable[Registration],
    extensions: Mapping[str, Extension],
    *,
    now: int = 0,
    first_port: int = 5060,
    last_port: int = 5200,
) -> list[LineVerdict]:
    """Judge the lines of ONE site against the registrations of its PBX, in the order of *lines*.

    *now* is seconds since the epoch: a contact that has expired before does not count (0: all count, for PBXs that do not say).
    """
    lines = list(lines)
    contacts: dict[str, list[Registration]] = defaultdict(list)
    for registration in registrations:
        if not (now and registration.expires and registration.expires <= now):
            contacts[registration.extension].append(registration)
    chosen = {line: choose_contact(line, contacts.get(line.extension, [])) for line in lines}
    sharers = _who_shares(chosen)
    verdicts = []
    for line in lines:
        contact, others = chosen[line]
        if contact is None:
            verdicts.append(LineVerdict(line, "not_registered" if line.managed else "unmanaged"))
            continue
        extension = extensions.get(line.extension)
        rewritten = contact.seen_is_source if extension is None or extension.rewrite_contact is None else extension.rewrite_contact
        same_place = sharers[(contact.seen_address, contact.seen_port)] if rewritten and contact.transport == "udp" else {}
        others_there = tuple(sorted(e for phone, exts in same_place.items() if phone != line.phone for e in exts))
        verdict = "duplicate" if others_there else judge_contact(line, contact, rewritten, first_port, last_port)
        verdicts.append(LineVerdict(
            line, verdict, contact.claimed_port, contact.seen_port, contact.seen_address, contact.user_agent, tuple(others), others_there))
    return verdicts


def judge_contact(line: Line, contact: Registration, rewritten: bool, first_port: int = 5060, last_port: int = 5200) -> str:
    """The verdict on one live contact of a line, apart from duplicates (they need the neighbours)."""
    if not line.managed:
        return "unmanaged"
    if line.port is None:           # a line that shares its phone's port has nothing of its own to prove
        return "ok"
    claimed_as_planned = contact.claimed_port == line.port or (contact.transport == "tls" and contact.claimed_port == line.port + 1)
    if contact.transport != "udp":  # the contact's port is the ephemeral source port of the connection: only the claim counts
        return "ok" if claimed_as_planned else _off_plan(contact, first_port, last_port)
    if contact.claimed_address == contact.seen_address and contact.claimed_address and not is_inside(contact.claimed_address):
        # A SIP ALG, STUN or UPnP has rewritten Via and Contact alike: the phone's own port cannot be seen from here.
        return "ok" if contact.seen_port == line.port else "alg_or_stun"
    if not claimed_as_planned:
        return _off_plan(contact, first_port, last_port)
    if not rewritten:
        cut_off = contact.status == "unreachable" and is_inside(contact.claimed_address)
        return "nat_option_missing" if cut_off else "unverified_nat"
    if contact.status == "unreachable" and is_inside(contact.seen_address):
        return "registered_before"      # the NAT option is on, but this contact was taken down before it was
    return "ok" if contact.seen_port == line.port else "router_translated"


def choose_contact(line: Line, contacts: list[Registration]) -> tuple[Registration | None, list[tuple[str, Registration]]]:
    """The contact that stands for the line, and the rest with what each is.

    A phone that moved leaves its old contact behind until that expires: unreachable, or from the same phone -> stale. Another
    user agent on the same extension is a second device (a softphone): unmanaged.
    """
    if not contacts:
        return None, []

    def rank(contact: Registration) -> tuple[bool, bool, int]:
        return (contact.status != "unreachable", contact.claimed_port == line.port, contact.expires)

    best = max(contacts, key=rank)
    others = []
    for contact in contacts:
        if contact is not best:
            same_phone = contact.user_agent == best.user_agent and contact.claimed_address == best.claimed_address
            others.append(("stale_contact" if same_phone or contact.status == "unreachable" else "unmanaged", contact))
    return best, others


def _off_plan(contact: Registration, first_port: int, last_port: int) -> str:
    """Inside the range: not configured yet, or swapped with a neighbour. Right above it, where a phone steps aside while its port is still
    held: an interrupted rollout. Elsewhere: the phone picks its port itself."""
    return "wrong_port" if first_port <= contact.claimed_port <= last_port + _PARKING else "random_port"


def _who_shares(chosen: Mapping[Line, tuple[Registration | None, Any]]) -> dict[tuple[str, int], dict[str, list[str]]]:
    """(address, port) as the PBX sees it -> phone -> its extensions there. Lines of one phone may share; phones may not."""
    places: dict[tuple[str, int], dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for line, (contact, _others) in chosen.items():
        if contact and contact.transport == "udp":
            places[(contact.seen_address, contact.seen_port)][line.phone].append(line.extension)
    return places
