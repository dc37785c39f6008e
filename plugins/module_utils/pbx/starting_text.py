# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A starting inventory as YAML that a person edits. Pure.

User agents are whatever a device sends, and stand in comments only, without control characters or line breaks. What stands as a value was
checked (addresses, extensions) or is ours (names, brands), and is written as a JSON text, which is YAML and quoted throughout.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable

from ansible_collections.evenport.sip.plugins.module_utils.agents import plain
from ansible_collections.evenport.sip.plugins.module_utils.model import Registration
from ansible_collections.evenport.sip.plugins.module_utils.pbx.starting_inventory import Device, Found, Group, second_of

_AGENT = 80                 # characters of a user agent in a comment
_WIDE = 140                 # of a wrapped comment

HEADER = """\
---
# Phones that {pbxs} shows and that the inventory did not have yet. Made by evenport.sip.discover, yours from now on: nothing writes it again.
#  1. Rename each group, and sip_site in it, to the name of your site. A group is what one router has behind it, as the PBX sees it.
#  2. See to what is marked LOOK. Take out what is none of your phones.
#  3. Add what no PBX knows: the phones' web password (sip_phone_password, best in ansible-vault), how to reach them.
#  4. ansible-playbook evenport.sip.plan gives each line its port. Softphones are seen and reported, never pushed.
"""


def starting_text(found: Found) -> str:
    """*found* as an inventory file; "" where there is nothing to put into one."""
    if not found.groups:
        return ""
    pbxs = list(dict.fromkeys(pbx for group in found.groups for pbx in group.pbxs))
    lines = [HEADER.format(pbxs=plain(" and ".join(pbxs), 100))]
    for group in found.groups:
        lines += _group(group, found)
    return "".join(lines) + "".join(f"{line}\n" for line in _remarks(found))


def summary(found: Found) -> list[str]:
    """What was found, for a terminal."""
    counts = found.counts()
    lines = [f"{counts['phones']} phone(s) with {counts['lines']} line(s) at {counts['sites']} site(s), {counts['softphones']} softphone(s); "
             f"{counts['known']} registered extension(s) are in the inventory already, {counts['not_registered']} extension(s) are not registered."]
    lines += [f"  {group.name}: {_of(group)}" for group in found.groups]
    return lines + [f"  {line.removeprefix('# ')}" for line in _further(found)]


def _of(group: Group) -> str:
    names = [device.name for device in group.devices]
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def _group(group: Group, found: Found) -> Iterable[str]:
    yield f"{_value(group.name) if group.known else group.name}:\n"
    one_pbx = len(group.pbxs) == 1 and not group.known
    if group.known:
        yield "  # A site of your inventory: these register from where its phones do.\n"
    else:
        yield f"  # {_where(group, found)}\n"
        yield f"  vars:\n    sip_site: {group.name}\n"
        yield f"    sip_pbx: {_value(group.pbxs[0])}\n" if one_pbx else ""
    yield "  hosts:\n"
    for device in group.devices:
        for comment in _comments(device, found):
            yield f"    # {comment}\n"
        yield f"    {device.name}:\n"
        for name, value in _variables(device, one_pbx):
            yield f"      {name}: {value}\n"


def _where(group: Group, found: Found) -> str:
    if all(device.is_softphone for device in group.devices):
        return "Softphones that belong to no phone of these sites."
    if not group.network and found.without_ports.issuperset(group.pbxs):
        return ("LOOK: this PBX tells who is registered, and no addresses, ports or user agents. Nothing will make it tell where these are: sort them by "
                "site yourself.")
    if not group.network:
        export = "export its table again, " if found.exported.issuperset(group.pbxs) else ""
        return ("LOOK: the PBX does not show where these are. Sort them by site: where the extensions' NAT option is off, switch it on, "
                f"{export}remove this file, and run discover again.")
    if "/" in group.network:
        return f"No router in between: {group.network}. If that is the PBX's own network, these need no NAT option (sip_nat_option: false)."
    return f"Behind the router with the address {group.network}."


def _comments(device: Device, found: Found) -> Iterable[str]:
    yield f"{plain(device.contacts[0].user_agent, _AGENT) or 'no user agent'}: {'; '.join(map(_line, device.contacts[:6]))}"
    if device.agent.kind == "unknown" and device.pbx in found.without_ports and not device.contacts[0].user_agent:
        yield "LOOK: the PBX does not tell what this is. A softphone: add sip_phone_kind: softphone. Neither that nor a phone: take it out."
    elif device.agent.kind == "unknown":
        yield "LOOK: is this a phone? Its user agent is none that we know. A softphone: add sip_phone_kind: softphone. Neither: take it out."
    if device.second and not device.is_softphone:
        yield f"LOOK: a second device of extension {device.extensions[0]}. As long as both are there, a call rings on both."
    first = second_of(device.extensions[0])
    if first and any(first in other.extensions for other in found.devices if other.pbx == device.pbx):
        yield f"Registered beside {first}."
    if device.at:
        yield f"Registered beside {plain(device.at, 60)}, which the inventory has."
    if len(device.contacts) > 1 and not device.network and not device.agent.mac:
        yield "LOOK: are these lines of one phone? They have one address, but the PBX does not show behind which router."
    if not device.is_softphone and device.link_local:
        yield f"LOOK: its address {device.link_local} is link-local, good inside its own network only. Add ansible_host."
    elif not device.is_softphone and not device.address:
        yield "LOOK: the PBX does not show the phone's own address. Add ansible_host."


def _line(contact: Registration) -> str:
    says = f"says {contact.claimed_port}" if contact.claimed_port else ""
    seen = f"seen at {contact.seen_address}:{contact.seen_port}" if contact.seen_port else ""
    how = contact.transport if contact.transport != "udp" else ""
    gone = "does not answer" if contact.status == "unreachable" else ""
    told = ", ".join(plain(part, 80) for part in (says, seen, how, gone) if part)
    return f"{contact.extension} {told}" if told else contact.extension


def _variables(device: Device, pbx_of_the_group: bool) -> Iterable[tuple[str, str]]:
    if device.is_softphone:
        yield "sip_phone_kind", "softphone"
    elif device.address:
        yield "ansible_host", _value(device.address)
    yield "sip_extensions", f"[{', '.join(map(_value, device.extensions))}]"
    if not pbx_of_the_group:
        yield "sip_pbx", _value(device.pbx)
    if device.is_softphone:
        return
    if device.agent.brand:
        yield "sip_phone_brand", device.agent.brand
    if device.agent.mac:
        yield "sip_mac", _value(":".join(device.agent.mac[i:i + 2] for i in range(0, 12, 2)).upper())
    if device.transport != "udp":
        yield "sip_phone_transport", device.transport


def _remarks(found: Found) -> Iterable[str]:
    """What is no host: at the end, as comments."""
    yield from _further(found)
    for pbx, names in found.idle.items():
        yield from _wrapped(f"Extensions of {plain(pbx, 60)} that nobody has registered (trunks may be among them):", names)
    for pbx, names in found.unusable.items():
        yield from _wrapped(f"LOOK: left out, as no inventory can hold such an extension of {plain(pbx, 60)}:", [plain(name, 60) for name in names])


def _further(found: Found) -> Iterable[str]:
    for device in found.further_lines:
        yield f"# LOOK: {plain(device.at, 60)} has further lines, add them to its sip_extensions: {', '.join(device.extensions[:8])}"


def _wrapped(text: str, names: Iterable[str]) -> list[str]:
    return textwrap.wrap(f"{text} {', '.join(names)}", _WIDE, initial_indent="# ", subsequent_indent="#   ", break_on_hyphens=False)


def _value(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
