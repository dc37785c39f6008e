# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what PBXs show to a starting inventory: which devices there are, behind which routers, with which lines. Pure.

``starting_text.py`` writes it down. What a device is known by is ``contacts.py``'s rule; here its contacts for several extensions come
together as the lines of one phone.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_address, ip_network
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.addresses import is_address, is_inside, network_of
from ansible_collections.evenport.sip.plugins.module_utils.agents import Agent, agent_of
from ansible_collections.evenport.sip.plugins.module_utils.contacts import beside, devices_of
from ansible_collections.evenport.sip.plugins.module_utils.model import Registration

# A variable's text is a template to Ansible: an extension with a brace would be run on the controller. No PBX has such an extension.
_EXTENSION = re.compile(r"[^\s{}]{1,64}")
_SECOND = re.compile(r"(\d+)[A-Za-z]+")             # 4540r is a second registration of 4540, mostly a softphone


@dataclass(frozen=True)
class KnownPhone:
    """Where the inventory has an extension already."""

    host: str
    site: str = ""


# PBX ("": the inventory doesn't say which) -> extension -> who has it
Known = Mapping[str, Mapping[str, KnownPhone]]


@dataclass
class Device:
    """One phone or softphone with its lines, in the order of their ports."""

    pbx: str
    agent: Agent
    contacts: list[Registration]
    network: str = ""           # what it is behind: a public address, or a network of private ones; "" where the PBX doesn't show it
    name: str = ""
    second: bool = False        # another device of the same extension stands before it
    at: str = ""                # host of the inventory that it is a further line of, probably

    @property
    def is_softphone(self) -> bool:
        return self.agent.kind == "softphone"

    @property
    def extensions(self) -> list[str]:
        return [contact.extension for contact in self.contacts]

    @property
    def address(self) -> str:
        """Its own address, as it says itself; "" where that is the router's address, one that nobody else can use, or none."""
        contact = self.contacts[0]
        return contact.claimed_address if _is_its_own(contact) and not self.link_local else ""

    @property
    def link_local(self) -> str:
        """The address that it says it has, if that is good on its own link only: nobody can use it without that link's scope (RFC 4007)."""
        claimed = self.contacts[0].claimed_address
        return claimed if is_address(claimed) and ":" in claimed and ip_address(claimed).is_link_local else ""

    @property
    def transport(self) -> str:
        """tcp or tls where all its lines register so; udp otherwise: the careful choice of the plan is made by a person."""
        transports = {contact.transport for contact in self.contacts}
        return transports.pop() if transports in ({"tcp"}, {"tls"}) else "udp"


@dataclass
class Group:
    """The devices behind one router. ``known``: a site that the inventory has; it gets further phones and keeps its variables."""

    name: str
    network: str
    devices: list[Device] = field(default_factory=list)
    known: bool = False

    @property
    def pbxs(self) -> list[str]:
        return sorted({device.pbx for device in self.devices})


@dataclass
class Found:
    """What the PBXs show that the inventory doesn't have. ``idle``: PBX -> extensions that nobody has registered."""

    groups: list[Group] = field(default_factory=list)
    further_lines: list[Device] = field(default_factory=list)           # of phones that the inventory has
    idle: dict[str, list[str]] = field(default_factory=dict)
    unusable: dict[str, list[str]] = field(default_factory=dict)        # PBX -> extensions whose names can't be written into an inventory
    without_ports: set[str] = field(default_factory=set)                # PBXs that tell who is registered, and no more
    exported: set[str] = field(default_factory=set)                     # PBXs known from an exported table only
    known: int = 0                                                      # extensions that are registered and in the inventory

    @property
    def devices(self) -> list[Device]:
        return [device for group in self.groups for device in group.devices]

    def counts(self) -> dict[str, int]:
        phones = [device for device in self.devices if not device.is_softphone]
        return {
            "sites": len({group.name for group in self.groups for device in group.devices if not device.is_softphone}),
            "phones": len(phones), "lines": sum(len(device.contacts) for device in phones), "softphones": len(self.devices) - len(phones),
            "unclear": sum(device.agent.kind == "unknown" for device in phones), "further_lines": sum(len(device.contacts) for device in self.further_lines),
            "not_registered": sum(map(len, self.idle.values())), "known": self.known,
        }


def find_devices(reads: Mapping[str, Mapping[str, Any]], known: Known | None = None, taken: Collection[str] = ()) -> Found:
    """*reads*: PBX -> result of pbx_registrations_info, with ``endpoints`` where it was asked for them. *taken*: host names of the inventory.

    The order in which a PBX lists its contacts never decides anything.
    """
    known, found = known or {}, Found()
    devices: list[Device] = []
    sites: dict[str, set[str]] = defaultdict(set)           # network -> sites of the inventory that phones register from there
    found.without_ports = {pbx for pbx, read in reads.items() if not read.get("shows_ports", True)}
    found.exported = {pbx for pbx, read in reads.items() if not read.get("live", True)}
    for pbx, read in sorted(reads.items()):
        contacts: dict[str, list[Registration]] = defaultdict(list)
        for one in read.get("registrations", ()):
            contact = Registration.from_dict(one)
            contacts[contact.extension].append(contact)
        mine = {**known.get("", {}), **known.get(pbx, {})}
        bad = sorted({name for name in [*contacts, *read.get("endpoints", ())] if not (_EXTENSION.fullmatch(name) and name.isprintable())})
        if bad:
            found.unusable[pbx] = bad
        seen = [sighting for name, those in contacts.items() if name not in bad for sighting in _sightings(pbx, those)]
        for key, lines in _by_device(seen).items():
            old = [contact for contact in lines if contact.extension in mine]
            new = [contact for contact in lines if contact.extension not in mine]
            for contact in old:
                sites[_network(contact)].update(filter(None, [mine[contact.extension].site]))
            if new:
                new.sort(key=lambda contact: (contact.claimed_port or contact.seen_port, extension_order(contact.extension)))
                at = mine[min(old, key=lambda contact: extension_order(contact.extension)).extension].host if old else ""
                devices.append(Device(pbx, agent_of(new[0].user_agent), new, _network(new[0]), second=key[0], at=at))
        found.known += sum(name in mine for name in contacts)
        idle = {*read.get("endpoints", ())} - {*contacts} - {*mine} - {*bad}
        if idle:
            found.idle[pbx] = sorted(idle, key=extension_order)
    devices.sort(key=_device_order)
    found.further_lines = [device for device in devices if device.at and not device.is_softphone]
    new_devices = [device for device in devices if device not in found.further_lines]
    found.groups = _groups(new_devices, {network: names.pop() for network, names in sites.items() if network and len(names) == 1}, known)
    _name([device for group in found.groups for device in group.devices], taken)
    return found


def extension_order(extension: str) -> tuple[int, str]:
    """By number, so that 99 comes before 100 and 4540r right after 4540; names without a number at the end."""
    digits = re.match(r"\d{1,18}", extension)
    return (int(digits[0]) if digits else 10 ** 18, extension)


def second_of(extension: str) -> str:
    """The extension that this one is a second registration of: 4540r -> 4540; "" where it is none."""
    match = _SECOND.fullmatch(extension)
    return match[1] if match else ""


def _sightings(pbx: str, contacts: list[Registration]) -> Iterator[tuple[bool, tuple[str, ...], Registration]]:
    """The devices behind one extension: (whether it is a second one, what it is known by, its contact). What a phone has left behind is none."""
    first, *more = devices_of(contacts)
    stale = [contact for kind, contact in beside(more, [first]) if kind == "stale_contact"]
    for device in (first, *more):
        if device.best not in stale:
            contact = replace(device.best, user_agent=max(one.user_agent for one in device.contacts))        # not all of them may tell it
            if device.agent.mac:
                key = ("mac", device.agent.mac)
            elif _is_its_own(contact):
                key = (device.agent.product, contact.claimed_address, _network(contact))
            else:
                key = (device.agent.product, contact.extension, contact.claimed_address, contact.seen_address)
            yield device is not first, key, contact


def _by_device(seen: Iterable[tuple[bool, tuple[str, ...], Registration]]) -> dict[tuple[bool, tuple[str, ...]], list[Registration]]:
    """(second, key) -> contacts. A device that is the first one for any of its extensions is no second device."""
    lines: dict[tuple[str, ...], list[Registration]] = defaultdict(list)
    firsts = set()
    for second, key, contact in seen:
        lines[key].append(contact)
        if not second:
            firsts.add(key)
    return {(key not in firsts, key): contacts for key, contacts in lines.items()}


def _is_its_own(contact: Registration) -> bool:
    """Whether the claimed address is the device's own. Behind a SIP ALG or with STUN it is the router's, and that of all phones there."""
    claimed = contact.claimed_address
    return is_address(claimed) and (claimed != contact.seen_address or is_inside(claimed) or ":" in claimed)


def _network(contact: Registration) -> str:
    seen = contact.seen_address
    if not is_address(seen) or (is_inside(seen) and not contact.seen_is_source):
        return ""                               # it shows nothing but what the phone says: it could be any customer's network
    return seen if ":" not in seen and not is_inside(seen) else network_of(seen)


def _groups(devices: list[Device], sites: Mapping[str, str], known: Known) -> list[Group]:
    groups: dict[str, Group] = {}

    def put(device: Device, name: str, network: str = "", is_known: bool = False) -> None:
        groups.setdefault(name, Group(name, network, known=is_known)).devices.append(device)

    home: dict[tuple[str, str], tuple[str, str, bool]] = {}             # (PBX, extension) -> the group of its phone
    for device in (one for one in devices if not one.is_softphone):
        site = sites.get(device.network, "")
        where = (site or _group_name(device.network, device.pbx), device.network, bool(site))
        put(device, *where)
        home.update({(device.pbx, extension): where for extension in device.extensions})
    for device in (one for one in devices if one.is_softphone):         # beside its person's phone, wherever it is right now
        put(device, *_home_of(device, home, known))
    for group in groups.values():
        group.devices.sort(key=_device_order)
    return sorted(groups.values(), key=_group_order)


def _home_of(device: Device, home: Mapping[tuple[str, str], tuple[str, str, bool]], known: Known) -> tuple[str, str, bool]:
    for extension in device.extensions:
        for name in filter(None, (extension, second_of(extension))):
            if (device.pbx, name) in home:
                return home[(device.pbx, name)]
            phone = known.get(device.pbx, {}).get(name) or known.get("", {}).get(name)
            if phone and phone.site:
                return phone.site, "", True
    return f"softphones_{_slug(device.pbx, '_')}", "", False


def _group_name(network: str, pbx: str) -> str:
    if not network:
        return f"site_unknown_{_slug(pbx, '_')}"
    return "site_" + "_".join(re.findall(r"[0-9a-f]+", network.split("/")[0]))


def _name(devices: Iterable[Device], taken: Collection[str]) -> None:
    """Give every device a host name that nobody has."""
    names = {*taken}
    for device in devices:
        base = f"{'softphone' if device.is_softphone else 'phone'}-{_slug(device.extensions[0], '-')}"
        tries = [base, f"{base}-{_slug(device.pbx, '-')}", *(f"{base}-{number}" for number in range(2, len(names) + 3))]
        device.name = next(name for name in tries if name not in names)
        names.add(device.name)


def _slug(text: str, joint: str) -> str:
    return re.sub(r"[^0-9A-Za-z]+", joint, text).strip(joint) or "x"


def _device_order(device: Device) -> tuple[Any, ...]:
    """By extension; a phone before its softphone; the rest so that nothing is left to chance."""
    contact = device.contacts[0]
    return (
        extension_order(contact.extension), device.is_softphone, device.second, device.pbx,
        contact.claimed_address, contact.seen_address, contact.claimed_port, contact.seen_port, contact.user_agent)


def _group_order(group: Group) -> tuple[Any, ...]:
    """Known sites, then by address, then those without one, then softphones."""
    network = ip_network(group.network) if group.network else None
    kind = 0 if group.known else 1 if network else 3 if group.name.startswith("softphones_") else 2
    return (kind, network.version if network and not group.known else 0,
            int(ip_address(str(network.network_address))) if network and not group.known else 0, group.name)
