# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From inventory variables to sites, phones and lines. Pure: what the variables are called is known here and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import EvenportError
from ansible_collections.evenport.sip.plugins.module_utils.model import Line
from ansible_collections.evenport.sip.plugins.module_utils.plan.ports import PortRange
from ansible_collections.evenport.sip.plugins.module_utils.plan.validate import validate_site
from ansible_collections.evenport.sip.plugins.module_utils.rollout.planning import extensions_of, plan_of

# Option of evenport.sip.phone <- inventory variable. roles/phones/tasks/move.yml spells the same pairs in YAML; a test compares them.
PHONE_OPTIONS = {
    "host": "ansible_host",
    "port": "sip_phone_port",
    "protocol": "sip_phone_protocol",
    "username": "sip_phone_user",
    "password": "sip_phone_password",
    "mac": "sip_mac",
    "brand": "sip_phone_brand",
    "validate_certs": "sip_phone_validate_certs",
    "ca_path": "sip_phone_ca_path",
    "fingerprint": "sip_phone_fingerprint",
    "proxy": "sip_phone_proxy",
    "timeout": "sip_phone_timeout",
    "profile": "sip_phone_profile",
    "when_provisioned": "sip_phone_when_provisioned",
    "random_port": "sip_phone_random_port",
    "nat_traversal": "sip_phone_nat_traversal",
    "keep_alive_interval": "sip_phone_keep_alive_interval",
    "rport": "sip_phone_rport",
}

OTHER_VARIABLES = (
    "sip_site", "sip_pbx", "sip_nat_option", "sip_extensions", "sip_phone_kind", "sip_phone_transport", "sip_phone_active_accounts",
    "sip_site_runner", "sip_audit_phones",
    "sip_ports", "sip_ports_retired", "sip_ports_reserved", "sip_port_start", "sip_port_end", "sip_port_step",
)

VARIABLES = (*PHONE_OPTIONS.values(), *OTHER_VARIABLES)


@dataclass
class SitePhone:
    """One phone of the play with what its inventory says. ``error`` is set where that can't be used."""

    name: str
    site: str
    variables: Mapping[str, Any]
    extensions: list[str] = field(default_factory=list)
    ports: list[int | None] = field(default_factory=list)       # planned, from the lock
    error: EvenportError | None = None

    @property
    def managed(self) -> bool:
        return self.variables.get("sip_phone_kind", "phone") != "softphone"

    @property
    def pbx(self) -> str:
        return self.variables.get("sip_pbx") or ""

    @property
    def behind_nat(self) -> bool:
        """Whether its extensions shall have the NAT option: yes, unless the inventory says that the phone is in the PBX's own network."""
        return not _is_no(self.variables.get("sip_nat_option", True))

    @property
    def runner(self) -> str:
        return self.variables.get("sip_site_runner") or ""

    @property
    def unasked(self) -> str:
        """Why an audit does not ask the phone itself; "" where it does."""
        if _is_no(self.variables.get("sip_audit_phones", True)):
            return "sip_audit_phones is false"
        return "" if self.variables.get("sip_phone_password") else "it has no sip_phone_password"

    def options(self) -> dict[str, Any]:
        """The options of evenport.sip.phone that the inventory gives; what it leaves out has the module's own default."""
        options = {option: self.variables[name] for option, name in PHONE_OPTIONS.items() if self.variables.get(name) not in (None, "")}
        options.setdefault("host", self.name)
        return {**options, "ports": self.ports} if self.ports else options

    def lines(self) -> list[Line]:
        """The phone's lines as the plan and the PBX know them. A softphone has extensions but no ports of ours."""
        count = max(len(self.extensions), len(self.ports))
        pick = [*self.extensions, *[""] * (count - len(self.extensions))]
        ports = [*self.ports, *[None] * (count - len(self.ports))]
        return [Line(self.site, self.name, number + 1, pick[number], ports[number], self.managed) for number in range(count)]


@dataclass
class Site:
    """A site's phones in inventory order. ``error``: its lock can't be used, nothing at this site is touched."""

    name: str
    phones: list[SitePhone] = field(default_factory=list)
    range: PortRange = field(default_factory=PortRange)
    error: EvenportError | None = None

    def lines(self) -> list[Line]:
        return [line for phone in self.phones for line in phone.lines()]


def sites_of(hosts: Mapping[str, Mapping[str, Any]], inventory: str = "<inventory>") -> dict[str, Site]:
    """The sites of a play with each phone's planned ports, from *hosts*: name -> variables (those of VARIABLES that are set).

    A host without ``sip_site`` is no phone and left out. A site whose lock is missing, short or unsound carries its error.
    """
    sites: dict[str, Site] = {}
    for name, variables in hosts.items():
        site_name = variables.get("sip_site")
        if site_name:
            phone = SitePhone(name, site_name, variables)
            site = sites.setdefault(site_name, Site(site_name))
            site.phones.append(phone)
            try:
                phone.extensions = extensions_of(f"{site_name}/{name}", variables.get("sip_extensions"))
            except EvenportError as error:
                phone.error = error
    for site in sites.values():
        try:
            _plan(site, inventory)
        except EvenportError as error:
            site.error = error
    return sites


def _is_no(value: Any) -> bool:
    """``-e name=no`` gives a text."""
    return str(value).lower() in ("false", "no", "off", "0")


def _plan(site: Site, inventory: str) -> None:
    managed = [phone for phone in site.phones if phone.managed and not phone.error]
    if not managed:
        return
    plan = plan_of(site.name, [phone.name for phone in managed], {phone.name: phone.variables for phone in managed})
    site.range = plan.ports
    planned = validate_site(site.name, plan.phones, plan.lock, plan.ports, reserved=plan.reserved, inventory=inventory)
    for phone in managed:
        phone.ports = planned[phone.name]
