# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""FusionPBX's database: the extensions of one domain, and what else has to do with NAT.

[H: FusionPBX's source, 2026] v_extensions has the extensions of all domains, which number them anew, and each belongs to one of v_domains.
``sip_force_contact`` is NULL or empty where the phone's contact is taken as it is. FreeSWITCH asks for an extension's
settings when it registers, and FusionPBX answers from the cache as long as there is something. (v_device_lines.sip_port, which looks like
what this collection plans, is the server's port in most templates: nothing here touches it.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.evenport.sip.plugins.module_utils.errors import DeviceError, PlanError, Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.pbx.sql import Database

SETTING = "sip_force_contact"
CACHE = "/var/cache/fusionpbx"          # what FusionPBX ships
# The values that put the packet's source in the place of the phone's claim, or beside it [H: sofia_reg.c]. The first three are those of
# FusionPBX's page; any other text is taken for the contact itself.
_FORCING = ("ndlb-connectile-dysfunction", "ndlb-connectile-dysfunction-2.0", "ndlb-tls-connectile-dysfunction", "nat-connectile-dysfunction")
# What FusionPBX ships for the profile "internal"; "" is not set, or not enabled [H: sip_profiles/internal.xml].
SHIPPED = {
    "apply-nat-acl": "nat.auto",
    "aggressive-nat-detection": "",
    "NDLB-force-rport": "safe",
    "NDLB-received-in-nat-reg-contact": "",
    "nat-options-ping": "",
}


@dataclass(frozen=True)
class Row:
    """One extension of the domain. *force*: its sip_force_contact."""

    extension: str
    alias: str = ""
    context: str = ""
    force: str | None = None
    enabled: bool = True


def forces(value: str | None) -> bool:
    """Whether FreeSWITCH sends to the packet's source because of this sip_force_contact."""
    return (value or "").lower() in _FORCING


def is_fixed(value: str | None) -> bool:
    """Whether it is a contact that somebody wrote down, which replaces the phone's."""
    return bool(value) and not forces(value)


def unusual(profile: str, settings: Mapping[str, str]) -> str:
    """Where the NAT settings of a SIP profile are not what FusionPBX ships: one sentence, or nothing. *settings*: those that are enabled."""
    now = {name.lower(): value.lower() for name, value in settings.items()}
    other = [
        f"{name} is {now.get(name.lower()) or 'off'} (shipped: {shipped or 'off'})" for name, shipped in SHIPPED.items()
        if _plain(now.get(name.lower(), "")) != shipped]
    return f"The SIP profile {profile} treats NAT otherwise than FusionPBX ships it: {', '.join(other)}." if other else ""


def _plain(value: str) -> str:
    """What switches a switch off, in all ways of writing."""
    return "" if value in ("false", "no", "off", "0", "disabled") else value


class Directory:
    """The domain's part of the database."""

    def __init__(self, database: Database, domain: str) -> None:
        if database.access.engine != "postgresql":
            raise Unsupported("FusionPBX's settings are read and written in PostgreSQL only.", "Take engine out of sip_pbx_database.")
        self.database, self.domain = database, domain

    def __str__(self) -> str:
        return f"FusionPBX's domain {self.domain}"

    def rows(self, names: Sequence[str] | None = None) -> dict[str, Row]:
        """extension -> its row; of all, or of those *names* that there are.

        :raises PlanError: no such domain; DeviceError: an extension is there twice, and nobody knows which one counts
        """
        value = self.database.value
        only = f" AND e.extension IN {self.database.values(names)}" if names else ""
        found = self.database.select(
            ["e.extension", "e.number_alias", "e.user_context", f"e.{SETTING}", "e.enabled"],
            f"FROM v_extensions e JOIN v_domains d ON d.domain_uuid = e.domain_uuid WHERE d.domain_name = {value(self.domain)}{only} ORDER BY e.extension")
        if not found and not self.database.select(["domain_name"], f"FROM v_domains WHERE domain_name = {value(self.domain)}"):
            raise PlanError(f"FusionPBX has no domain {self.domain}.", "Correct sip_pbx_domain: it is the name that stands in its list of domains.")
        rows: dict[str, Row] = {}
        for extension, alias, context, force, enabled in found:
            if extension in rows:
                raise DeviceError(f"The extension {extension} is there twice in {self}.", "Delete one of the two.")
            if extension:
                rows[extension] = Row(extension, alias or "", context or "", force, enabled == "true")
        return rows

    def update(self, extension: str, before: str | None, after: str | None) -> str:
        """The statement that changes the sip_force_contact of one extension, if it still is as it was read."""
        value = self.database.value
        return (f"UPDATE v_extensions SET {SETTING} = {value(after)} WHERE extension = {value(extension)} AND {self.database.same(SETTING, before)} "
                f"AND domain_uuid = (SELECT domain_uuid FROM v_domains WHERE domain_name = {value(self.domain)})")

    def cache_folder(self) -> str:
        """Where FusionPBX keeps its cache, if it keeps it in files."""
        found = self.database.select(
            ["default_setting_value"],
            "FROM v_default_settings WHERE default_setting_category = 'cache' AND default_setting_subcategory = 'location' "
            "AND default_setting_enabled::text = 'true'")
        return next((folder for (folder,) in found if folder and folder.startswith("/")), CACHE)

    def profile_settings(self, profiles: Iterable[str]) -> dict[str, dict[str, str]]:
        """SIP profile -> its enabled NAT settings; of those *profiles* that there are."""
        value = self.database.value
        found: dict[str, dict[str, str]] = {}
        for profile in profiles:
            rows = self.database.select(
                ["s.sip_profile_setting_name", "s.sip_profile_setting_value", "s.sip_profile_setting_enabled"],
                "FROM v_sip_profiles p JOIN v_sip_profile_settings s ON s.sip_profile_uuid = p.sip_profile_uuid "
                f"WHERE p.sip_profile_name = {value(profile)}")
            if rows:
                found[profile] = {
                    name: setting or "" for name, setting, enabled in rows
                    if name and (enabled or "").lower() == "true" and name.lower() in {one.lower() for one in SHIPPED}}
        return found
