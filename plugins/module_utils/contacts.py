# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several contacts of one extension told apart: whose they are, and which one counts. Pure.

One rule for the audit's verdicts, for the proof that a phone has moved and for the starting inventory:

1. Contacts are grouped by device. A device is known by the MAC in its user agent; where it tells none, by its product (the user agent
   without the firmware's version) and the address that it says it has. The Call-ID would tell more, but most PBXs don't show it.
2. Of a device the newest reachable contact counts, "newest" being the one that expires last. The others are what it left behind when it
   changed its port (measured on Asterisk 22: the old contact stays until it expires): stale.
3. Of several devices a phone comes before a softphone, a reachable one before one that is not, then the one on the planned port, then
   the newest. The others are second devices: seen, named and left alone.

What this can't tell: a phone that got a new address and tells no MAC looks like a second phone of the same model, until its old contact
is found unreachable or expires; two phones of one model that have the same private address at two sites look like one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass

from ansible_collections.evenport.sip.plugins.module_utils.agents import Agent, agent_of
from ansible_collections.evenport.sip.plugins.module_utils.model import Registration

GONE = frozenset(("unreachable", "removed"))        # anything else may well be there: nonqualified, unknown, registered


@dataclass(frozen=True)
class Device:
    """One device's contacts for one extension, the one that counts first."""

    contacts: tuple[Registration, ...]
    agent: Agent

    @property
    def best(self) -> Registration:
        return self.contacts[0]

    @property
    def is_softphone(self) -> bool:
        return self.agent.kind == "softphone"


@dataclass(frozen=True)
class Seat:
    """What is looked for among the contacts of an extension: a phone with this planned port (0: none), or a softphone."""

    port: int = 0
    softphone: bool = False


Others = list[tuple[str, Registration]]             # (stale_contact | unmanaged, contact)


def on_port(contact: Registration, port: int | None) -> bool:
    """Whether the phone signals from *port*, as far as this PBX tells: the claim decides, what the PBX sees only where there is no claim.

    A phone that registers by TLS signals from its SIP port or from the next one, according to the brand.
    """
    told = contact.claimed_port or contact.seen_port
    return bool(port and told) and (told == port or (contact.transport == "tls" and told == port + 1))


def devices_of(contacts: Iterable[Registration], ports: Iterable[int] = ()) -> list[Device]:
    """The devices behind the *contacts* of ONE extension: phones first, reachable ones first, the newest first.

    :arg ports: where the PBX gives no time, a contact on one of these is taken for the newer one
    """
    ports = tuple(ports)
    groups: dict[tuple[str, str], list[Registration]] = defaultdict(list)
    for contact in contacts:
        groups[_identity(contact)].append(contact)
    for key in [key for key in groups if not key[0]]:           # a contact without a user agent is of whoever else has its address, if that is clear
        named = [other for other, group in groups.items() if other[0] and any(_place(contact) == key[1] for contact in group)]
        if len(named) == 1:
            groups[named[0]] += groups.pop(key)
    devices = [
        Device(tuple(sorted(group, key=lambda contact: _rank(contact, ports), reverse=True)), agent_of(max(contact.user_agent for contact in group)))
        for group in groups.values()]
    return sorted(devices, key=lambda device: (not device.is_softphone, _rank(device.best, ports)), reverse=True)


def share_out(seats: Sequence[Seat], contacts: Iterable[Registration]) -> tuple[list[Device | None], list[Device]]:
    """Who of the devices of ONE extension has which of the *seats* (mostly one), in their order; and the devices that have none.

    Where a softphone is expected besides, it does not stand in for the phone.
    """
    devices = devices_of(contacts, [seat.port for seat in seats])
    soft_expected = any(seat.softphone for seat in seats)

    def fit(pair: tuple[int, int]) -> tuple[bool, bool, bool, int, int]:
        seat, device = seats[pair[0]], devices[pair[1]]
        return (seat.softphone != device.is_softphone, device.best.status in GONE, not on_port(device.best, seat.port), pair[1], pair[0])

    taken: dict[int, int] = {}
    pairs = [(s, d) for s, seat in enumerate(seats) for d, device in enumerate(devices) if seat.softphone or not (soft_expected and device.is_softphone)]
    for s, d in sorted(pairs, key=fit):
        if s not in taken and d not in taken.values():
            taken[s] = d
    return [devices[taken[s]] if s in taken else None for s in range(len(seats))], [device for d, device in enumerate(devices) if d not in taken.values()]


def left_behind(device: Device) -> Others:
    """What the device has left behind: its contacts but the one that counts."""
    return [("stale_contact", contact) for contact in device.contacts[1:]]


def beside(devices: Iterable[Device], known: Iterable[Device]) -> Others:
    """What devices without a seat are. One that does not answer and is of the same product as a *known* one is that phone at an old address."""
    products = {device.agent.product for device in known} - {""}
    found: Others = []
    for device in devices:
        old = device.best.status in GONE and device.agent.product in products
        found += [("stale_contact" if old else "unmanaged", device.best), *left_behind(device)]
    return found


def contact_that_counts(contacts: Iterable[Registration], port: int = 0) -> Registration | None:
    """The contact of ONE extension that counts for a phone with that planned *port*; None where there is no contact."""
    (device,), dummy = share_out([Seat(port)], contacts)
    return device.best if device else None


def device_name(contact: Registration) -> str:
    """What rule 1 knows the device by, as a text: the same in every run, as long as it keeps its address or tells its MAC."""
    kind, value = _identity(contact)
    return value if kind == "mac" else f"{kind}@{value}"


def _identity(contact: Registration) -> tuple[str, str]:
    agent = agent_of(contact.user_agent)
    return ("mac", agent.mac) if agent.mac else (agent.product, _place(contact))


def _place(contact: Registration) -> str:
    """The address that the device says it has. A phone in a web page makes one up at each start (RFC 7118: *.invalid)."""
    made_up = not contact.claimed_address or contact.claimed_address.endswith(".invalid")
    return contact.seen_address if made_up else contact.claimed_address


def _rank(contact: Registration, ports: Iterable[int]) -> tuple:
    """The higher, the newer. The whole record at the end, so that the order in which a PBX lists its contacts never decides."""
    return (contact.status not in GONE, contact.expires, any(on_port(contact, port) for port in ports), astuple(contact))
