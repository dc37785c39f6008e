# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From inventory variables to what the plan needs of a site: its phones, range and lock. The plan and the rollout both start here. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import PlanError
from ansible_collections.evenport.sip.plugins.module_utils.phones.brands import BRANDS
from ansible_collections.evenport.sip.plugins.module_utils.plan.lock import Lock, parse_lock
from ansible_collections.evenport.sip.plugins.module_utils.plan.phone import Phone, phones_of
from ansible_collections.evenport.sip.plugins.module_utils.plan.ports import PortRange, whole_number

OF_THE_SITE = ("sip_port_start", "sip_port_end", "sip_port_step", "sip_ports_reserved", "sip_ports", "sip_ports_retired")
OF_THE_PHONE = ("sip_site", "sip_extensions", "sip_mac", "sip_phone_brand", "sip_phone_kind", "sip_phone_transport", "sip_phone_active_accounts")
VARIABLES = (*OF_THE_SITE, *OF_THE_PHONE)
MARKS_A_PHONE = ("sip_extensions", "sip_mac", "sip_phone_kind")


@dataclass
class SitePlan:
    """One site: its phones in inventory order, its range and its lock as the variables have it now."""

    name: str
    phones: list[Phone]
    ports: PortRange
    reserved: list[int]
    lock: Lock
    hosts: list[str] = field(default_factory=list)      # all hosts of the site, softphones too


def plans_of(play_hosts: Sequence[str], groups: Mapping[str, Sequence[str]], variables: Mapping[str, Mapping[str, Any]]) -> list[SitePlan]:
    """The sites that the play's hosts belong to, each whole, whatever the play is limited to. *variables*: host -> those of VARIABLES that are set.

    Raises PlanError with the fix where a phone has no site, or a site that is not a group of its own.
    """
    names: dict[str, None] = {}
    for host in play_hosts:
        site = variables[host].get("sip_site")
        if site is not None:
            _check_group(host, site, groups)
            names[str(site)] = None
        elif any(mark in variables[host] for mark in MARKS_A_PHONE):
            raise PlanError(f"{host} has phone variables but no sip_site.", "Set sip_site in the group_vars of its site, to the name of that group.")
    if not names:
        raise PlanError("No host of this play is a phone: none has sip_site.", "Set sip_site in the group_vars of each site, to the name of that group.")
    return [plan_of(name, [host for host in groups[name] if str(variables[host].get("sip_site")) == name], variables) for name in names]


def _check_group(host: str, site: Any, groups: Mapping[str, Sequence[str]]) -> None:
    if not isinstance(site, str) or site not in groups or site in ("all", "ungrouped"):
        raise PlanError(f"{host}: sip_site is {site!r}, which is no group of the inventory.", "Set it to the name of the group that holds the site's phones.")
    if host not in groups[site]:
        raise PlanError(f"{host}: sip_site is {site}, but the host is not in that group.", f"Put {host} into the group {site}, or correct sip_site.")


def plan_of(name: str, hosts: list[str], variables: Mapping[str, Mapping[str, Any]]) -> SitePlan:
    """The site *name* with these *hosts*, at least one.  :raises PlanError: a variable that can't be, named with its host or site"""
    shared = {key: _same_for_all(name, key, hosts, variables) for key in OF_THE_SITE}
    bounds = [
        whole_number(default if shared[key] is None else shared[key], f"{name}: {key}")
        for key, default in (("sip_port_start", 5060), ("sip_port_end", 5200), ("sip_port_step", 2))
    ]
    reserved = shared["sip_ports_reserved"] or []
    if isinstance(reserved, (str, Mapping)) or not isinstance(reserved, Sequence):
        raise PlanError(f"{name}: sip_ports_reserved must be a list of ports, not {reserved!r}.")
    planned = [host for host in hosts if _kind(host, variables[host]) == "phone"]
    phones = phones_of(
        planned,
        lines={host: max(1, len(extensions_of(host, variables[host].get("sip_extensions")))) for host in planned},
        transports={host: variables[host].get("sip_phone_transport") or "udp" for host in planned},
        brands={host: variables[host].get("sip_phone_brand") or "auto" for host in planned},
        active_accounts={host: _accounts_of(host, variables[host].get("sip_phone_active_accounts")) for host in planned},
        facts=BRANDS,
    )
    return SitePlan(
        name, phones, PortRange(*bounds), [whole_number(port, f"{name}: a port of sip_ports_reserved") for port in reserved],
        parse_lock(shared["sip_ports"], shared["sip_ports_retired"], name), hosts,
    )


def _accounts_of(host: str, given: Any) -> list[Any]:
    """Accounts that somebody says are active on a phone; those that are no planned line sit on its brand's factory ports."""
    if given in (None, ""):
        return []
    if isinstance(given, (str, Mapping)) or not isinstance(given, Sequence):
        raise PlanError(f"{host}: sip_phone_active_accounts must be a list of account numbers, not {given!r}.", "Example: sip_phone_active_accounts: [1, 3]")
    return list(given)


def _same_for_all(site: str, key: str, hosts: Sequence[str], variables: Mapping[str, Mapping[str, Any]]) -> Any:
    first = variables[hosts[0]].get(key)
    for host in hosts:
        if variables[host].get(key) != first:
            what = f"{site}: {key} is not the same for {hosts[0]} and {host}."
            raise PlanError(what, f"Set it once, in the group_vars of {site}: it holds for the whole site.")
    return first


def _kind(host: str, variables: Mapping[str, Any]) -> str:
    kind = variables.get("sip_phone_kind") or "phone"
    if kind not in ("phone", "softphone"):
        raise PlanError(f"{host}: sip_phone_kind is {kind!r}.", "Take phone or softphone.")
    return kind


def extensions_of(host: str, given: Any) -> list[str]:
    """The extensions of a phone's lines, "" for a line that has none; [] where the inventory does not say. One alone may stand without brackets."""
    if given is None:
        return []
    if isinstance(given, (str, int)) and not isinstance(given, bool):
        given = [given]
    if isinstance(given, (Mapping, bool)) or not isinstance(given, Sequence):
        raise PlanError(f"{host}: sip_extensions must be a list, one extension for each line, not {given!r}.", 'Example: sip_extensions: ["101", "102"]')
    return ["" if extension is None else str(extension) for extension in given]
