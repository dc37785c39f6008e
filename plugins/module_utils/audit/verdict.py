# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict on each line: planned port x port the phone claims x port the PBX sees. Pure.

The rules are evaluated in the order of `judge_contact`; the first that fits decides. They were measured on a real Asterisk behind
real NAT routers (the lab in tests/lab repeats them); the vocabulary is the one of `findings.MEANINGS`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.addresses import is_inside
from ansible_collections.evenport.sip.plugins.module_utils.contacts import Others, Seat, beside, left_behind, on_port, share_out
from ansible_collections.evenport.sip.plugins.module_utils.model import Extension, Line, Registration

PARKING = 200                  # ports above the range that the order of moves (plan/moves.py) may use; ephemeral ports are far above


Place = tuple[str, int]                 # (address, port) as a PBX sees it
Chosen = dict[Line, tuple["Registration | None", Others]]
Phones = dict[tuple[str, str], list[str]]       # (site, phone) -> its extensions
ELSEWHERE = "a phone of another site"   # instead of its extension: one customer's report does not tell of another


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
    with_extensions: tuple[str, ...] = ()                         # duplicate, port_contested: who else is there
    transport: str = ""
    status: str = ""
    claimed_address: str = ""
    is_source: bool = False                                       # seen_address is where the packets come from
    nat_option: bool | None = None
    set: int = 0                                                  # the phone's own setting

    def as_dict(self) -> dict[str, Any]:
        """As docs/report.schema.json has a line, without severity and this_run."""
        line = self.line
        return {
            "phone": line.phone, "line": line.line, "extension": line.extension, "kind": "phone" if line.managed else "softphone",
            "planned": line.port or 0, "set": self.set, "claimed": port_of(self.claimed), "seen": port_of(self.seen), "seen_address": self.seen_address,
            "transport": self.transport, "user_agent": self.user_agent, "nat_option": self.nat_option, "verdict": self.verdict,
            "contacts": [
                {"kind": kind, "claimed": port_of(c.claimed_port), "seen": port_of(c.seen_port), "seen_address": c.seen_address, "user_agent": c.user_agent}
                for kind, c in self.extra_contacts],
        }


def port_of(value: Any) -> int:
    """*value* where it is a port, else 0: whatever a device or a PBX says there."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 65536 else 0


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
    chosen = choose_contacts(list(lines), by_extension(registrations, now))
    neighbours = Neighbours()
    neighbours.add(chosen)
    return judge_chosen(chosen, extensions, neighbours, first_port, last_port)


def by_extension(registrations: Iterable[Registration], now: int = 0) -> dict[str, list[Registration]]:
    """A PBX's registrations by extension, without those that have expired before *now*."""
    contacts: dict[str, list[Registration]] = defaultdict(list)
    for registration in registrations:
        if not (now and registration.expires and registration.expires <= now):
            contacts[registration.extension].append(registration)
    return contacts


class Neighbours:
    """Who is where at one PBX, of all sites: by the place that the PBX sees, and by the port that a phone claims behind an address."""

    def __init__(self) -> None:
        self.seen: dict[Place, Phones] = defaultdict(lambda: defaultdict(list))
        self.claimed: dict[Place, Phones] = defaultdict(lambda: defaultdict(list))

    def add(self, chosen: Chosen) -> None:
        for line, (contact, _others) in chosen.items():
            if contact and contact.transport == "udp" and contact.seen_port:
                self.seen[contact.seen_address, contact.seen_port][line.site, line.phone].append(line.extension)
                self.claimed[contact.seen_address, contact.claimed_port][line.site, line.phone].append(line.extension)


def judge_chosen(chosen: Chosen, extensions: Mapping[str, Extension], neighbours: Neighbours, first_port: int, last_port: int) -> list[LineVerdict]:
    """The verdicts on the lines of ONE site from the contacts that stand for them.

    Two phones on one address and port are in each other's way, whosever they are. Equal addresses alone are not: two sites may share one (a
    provider's NAT, one building). And a router that was given one port by two phones can't keep it for both: that is no fault of the router.
    """
    verdicts = []
    for line, (contact, others) in chosen.items():
        extension = extensions.get(line.extension)
        nat_option = extension.rewrite_contact if extension else None
        if contact is None:
            verdicts.append(LineVerdict(line, "not_registered" if line.managed else "unmanaged", extra_contacts=tuple(others), nat_option=nat_option))
            continue
        rewritten = contact.seen_is_source if nat_option is None else nat_option
        verdict, others_there = judge_contact(line, contact, rewritten, first_port, last_port), ()
        if contact.transport == "udp" and line.managed and (rewritten or _tells_only_seen(contact)):
            others_there = _others_there(line, neighbours.seen.get((contact.seen_address, contact.seen_port), {}))
            if others_there:
                verdict = "duplicate"
            elif verdict == "router_translated":
                others_there = _others_there(line, neighbours.claimed.get((contact.seen_address, contact.claimed_port), {}))
                verdict = "port_contested" if others_there else verdict
        verdicts.append(LineVerdict(
            line, verdict, contact.claimed_port, contact.seen_port, contact.seen_address, contact.user_agent, tuple(others), others_there,
            contact.transport, contact.status, contact.claimed_address, bool(rewritten or contact.seen_is_source or _tells_only_seen(contact)), nat_option))
    return verdicts


def _others_there(line: Line, there: Phones) -> tuple[str, ...]:
    """Who else is there: extensions of this site by name. An extension that two inventories have is one contact, and nobody's duplicate."""
    mine = sorted(e for (site, phone), exts in there.items() if site == line.site and phone != line.phone for e in exts)
    away = any(e != line.extension for (site, dummy), exts in there.items() if site != line.site for e in exts)
    return (*mine, *([ELSEWHERE] if away else []))


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
    if contact.status != "reachable" and is_inside(contact.seen_address) and contact.seen_address == contact.claimed_address:
        # The NAT option is on, but this contact may have been taken down before it was: unless the PBX hears the phone there, that is no proof.
        return "registered_before"
    return "ok" if contact.seen_port == line.port else "router_translated"


def _without_claim(port: int, contact: Registration) -> str:
    """A PBX that does not tell what the phone says of itself. The source port of a TCP or TLS connection is ephemeral: it tells nothing."""
    if not contact.seen_port or contact.transport != "udp":
        return "port_unseen"
    return "ok" if contact.seen_port == port else "other_port_seen"


def _tells_only_seen(contact: Registration) -> bool:
    return bool(contact.seen_port) and not contact.claimed_port


def choose_contacts(lines: Sequence[Line], contacts: Mapping[str, Iterable[Registration]]) -> Chosen:
    """line -> the contact that stands for it, and its other contacts with what each is; by the rule of ``contacts.py``.

    *contacts*: by extension. Several phones may have one extension: each gets the device that is most likely its own. Second devices that
    are nobody's in the inventory are told with the first of these lines.
    """
    of_extension: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        of_extension[line.extension].append(line)
    chosen: Chosen = dict.fromkeys(lines, (None, []))           # keeps the order of the lines
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
    return "wrong_port" if first_port <= contact.claimed_port <= last_port + PARKING else "random_port"
