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
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.addresses import is_inside
from ansible_collections.evenport.sip.plugins.module_utils.contacts import Others, Seat, beside, left_behind, on_port, share_out
from ansible_collections.evenport.sip.plugins.module_utils.model import Extension, Line, Registration

_PARKING = 200                  # ports above the range that the order of moves (plan/moves.py) may use; ephemeral ports are far above


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
    chosen = choose_contacts(lines, contacts)
    sharers = _who_shares(chosen)
    verdicts = []
    for line in lines:
        contact, others = chosen[line]
        if contact is None:
            verdicts.append(LineVerdict(line, "not_registered" if line.managed else "unmanaged", extra_contacts=tuple(others)))
            continue
        extension = extensions.get(line.extension)
        rewritten = contact.seen_is_source if extension is None or extension.rewrite_contact is None else extension.rewrite_contact
        place = (contact.seen_address, contact.seen_port)
        same_place = sharers.get(place, {}) if line.managed and (rewritten or _tells_only_seen(contact)) else {}
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
    if not contact.claimed_port:
        return _without_claim(line.port, contact)
    claimed_as_planned = on_port(contact, line.port)
    if contact.transport != "udp":  # the contact's port is the ephemeral source port of the connection: only the claim counts
        return "ok" if claimed_as_planned else _off_plan(contact, first_port, last_port)
    if not contact.seen_port:
        return "port_unseen" if claimed_as_planned else _off_plan(contact, first_port, last_port)
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


def _without_claim(port: int, contact: Registration) -> str:
    """A PBX that does not tell what the phone says of itself. The source port of a TCP or TLS connection is ephemeral: it tells nothing."""
    if not contact.seen_port or contact.transport != "udp":
        return "port_unseen"
    return "ok" if contact.seen_port == port else "other_port_seen"


def _tells_only_seen(contact: Registration) -> bool:
    return bool(contact.seen_port) and not contact.claimed_port


def choose_contacts(lines: Iterable[Line], contacts: Mapping[str, Iterable[Registration]]) -> dict[Line, tuple[Registration | None, Others]]:
    """line -> the contact that stands for it, and its other contacts with what each is; by the rule of ``contacts.py``.

    *contacts*: by extension. Several phones may have one extension: each gets the device that is most likely its own. Second devices that
    are nobody's in the inventory are told with the first of these lines.
    """
    of_extension: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        of_extension[line.extension].append(line)
    chosen: dict[Line, tuple[Registration | None, Others]] = {}
    for extension, those in of_extension.items():
        devices, more = share_out([Seat(line.port or 0, softphone=not line.managed) for line in those], contacts.get(extension, ()))
        for line, device in zip(those, devices, strict=True):
            chosen[line] = (device.best, left_behind(device)) if device else (None, [])
        contact, others = chosen[those[0]]
        chosen[those[0]] = contact, others + beside(more, [device for device in devices if device])
    return chosen


def _off_plan(contact: Registration, first_port: int, last_port: int) -> str:
    """Inside the range: not configured yet, or swapped with a neighbour. Right above it, where a phone steps aside while its port is still
    held: an interrupted rollout. Elsewhere: the phone picks its port itself."""
    return "wrong_port" if first_port <= contact.claimed_port <= last_port + _PARKING else "random_port"


def _who_shares(chosen: Mapping[Line, tuple[Registration | None, Any]]) -> dict[tuple[str, int], dict[str, list[str]]]:
    """(address, port) as the PBX sees it -> phone -> its extensions there. Lines of one phone may share; phones may not."""
    places: dict[tuple[str, int], dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for line, (contact, _others) in chosen.items():
        if contact and contact.transport == "udp" and contact.seen_port:
            places[(contact.seen_address, contact.seen_port)][line.phone].append(line.extension)
    return places
