# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one PBX shows, looked at once for all sites that use it. Pure.

Sites that share a PBX, and perhaps a public address (one building, a provider's NAT), are told apart here:

- Two phones are duplicates where this PBX sees them on one address *and* port, whosever they are: it can't reach both. Equal addresses
  alone, or equal ports that two plans give out, are none.
- A device that no inventory has is of a site only where no other site of this run comes from that address.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.addresses import is_address, is_inside
from ansible_collections.evenport.sip.plugins.module_utils.audit.verdict import Chosen, Neighbours, by_extension, choose_contacts
from ansible_collections.evenport.sip.plugins.module_utils.contacts import devices_of
from ansible_collections.evenport.sip.plugins.module_utils.model import Extension, Line, Registration

_INSIDE = "inside"              # all private addresses as one place: behind the PBX's own router nobody knows whose is whose


class PbxView:
    """*read*: result of pbx_registrations_info; None where nobody has asked. *now*: seconds since the epoch."""

    def __init__(self, name: str, read: Mapping[str, Any] | None, now: int) -> None:
        self.name = name
        self.why = _unread(name, read)
        read = read if read and not self.why else {}
        self.live = bool(read.get("live", True))
        self.as_of = int(read.get("as_of") or 0)
        self.shows_ports = bool(read.get("shows_ports", True)) and not self.why
        self.extensions = {one["extension"]: Extension.from_dict(one) for one in read.get("extensions", ())}
        self.missing = set(map(str, read.get("missing", ())))
        registrations = [Registration.from_dict(one) for one in read.get("registrations", ())]
        self.contacts = by_extension(registrations, now if self.live else self.as_of)     # of a table: those that were good when it was exported
        self.chosen: dict[str, Chosen] = {}
        self.neighbours = Neighbours()
        self.sites_at: dict[str, set[str]] = defaultdict(set)
        self._known: set[str] = set()
        self._ports_at: dict[str, set[int]] | None = None
        self._unknown_at: dict[str, list[Registration]] | None = None

    def look_for(self, site: str, lines: Sequence[Line], too_late: Collection[str] = ()) -> None:
        """Find the contacts of a site's lines. *too_late*: phones that an exported table can't judge: they have been moved since."""
        self._known.update(line.extension for line in lines)
        chosen = choose_contacts([line for line in lines if line.phone not in too_late], self.contacts)
        self.chosen[site] = chosen
        self.neighbours.add(chosen)
        for contact in (pair[0] for pair in chosen.values()):
            if contact and contact.seen_address:
                self.sites_at[contact.seen_address].add(site)

    def ports_at(self, addresses: Iterable[str]) -> set[int]:
        """Every port that anything registered from these addresses, or from any private one, says or shows."""
        if self._ports_at is None:
            self._ports_at = defaultdict(set)
            for contact in self._all():
                self._ports_at[_where(contact.seen_address)].update((contact.claimed_port, contact.seen_port))
        return set().union(*(self._ports_at.get(_where(address), ()) for address in [*addresses, ""]))

    def unknown_at(self, address: str) -> list[Registration]:
        """The devices behind this public address whose extensions no inventory has; [] where another site comes from there too."""
        if self._unknown_at is None:
            self._unknown_at = defaultdict(list)
            for extension in sorted(self.contacts.keys() - self._known):
                for device in devices_of(self.contacts[extension]):
                    if device.best.seen_is_source and is_public(device.best.seen_address):
                        self._unknown_at[device.best.seen_address].append(device.best)
        return self._unknown_at.get(address, []) if len(self.sites_at[address]) == 1 else []

    def _all(self) -> Iterable[Registration]:
        return (contact for contacts in self.contacts.values() for contact in contacts)


def is_public(address: str) -> bool:
    return is_address(address) and not is_inside(address)


def _where(address: str) -> str:
    return address if is_public(address) else _INSIDE


def _unread(pbx: str, read: Mapping[str, Any] | None) -> str:
    """Why this PBX says nothing about its lines; "" where it does."""
    if not pbx:
        return "the phones name no PBX (sip_pbx), so nothing proves their ports"
    if read is None:
        return f"{pbx} was not asked"
    if read.get("failed") or read.get("unreachable"):
        return f"{pbx} could not be read: {read.get('msg') or 'no answer'}"
    return ""
