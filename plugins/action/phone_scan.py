# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's side of evenport.sip.phone_scan: one task reads every phone of the play. See the module for the documentation."""

from __future__ import annotations

from typing import Any

from ansible import constants as C
from ansible.plugins.action import ActionBase

from ansible_collections.evenport.sip.plugins.module_utils.errors import PlanError
from ansible_collections.evenport.sip.plugins.module_utils.phones.arguments import target_from, wanted_from
from ansible_collections.evenport.sip.plugins.module_utils.phones.work import inspect_phone
from ansible_collections.evenport.sip.plugins.module_utils.rollout.handover import leave_session
from ansible_collections.evenport.sip.plugins.module_utils.rollout.inventory import VARIABLES, SitePhone, sites_of
from ansible_collections.evenport.sip.plugins.module_utils.rollout.scan import (
    DRIFTED,
    IN_ORDER,
    NOT_ASKED,
    OFFLINE,
    ON_SITE,
    REFUSED,
    order_of,
    scan_sites,
)
from ansible_collections.evenport.sip.plugins.module_utils.rollout.waves import plan_waves
from ansible_collections.evenport.sip.plugins.plugin_utils.hosts import options_of, variables_of

ARGUMENTS = {
    "keep_sessions": {"type": "bool", "default": False},
    "canaries": {"type": "int", "default": 2},
    "workers": {"type": "int", "default": 50},
    "audit": {"type": "bool", "default": False},
}


class ActionModule(ActionBase):
    BYPASS_HOST_LOOP = True
    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        task_vars = task_vars or {}
        result = super().run(tmp, task_vars)
        _validation, arguments = self.validate_argument_spec(argument_spec=ARGUMENTS)
        found, broken = variables_of(task_vars["ansible_play_batch"], VARIABLES, task_vars, self)
        sites = sites_of(found, " -i ".join(task_vars.get("ansible_inventory_sources") or ["<inventory>"]))
        if not sites and not broken:
            return {**result, "failed": True, "msg": (
                "No host of this play has sip_site, so there is no phone to work on. "
                "Set sip_site: <group> in group_vars/<group>/main.yml of each site.")}

        def inspect(phone: SitePhone) -> dict[str, Any]:
            options = options_of(phone)
            reading = inspect_phone(
                target_from(options, phone.name), wanted_from(options), keep_session=arguments["keep_sessions"],
                when_provisioned=options.get("when_provisioned") or "refuse")
            if reading.get("session"):
                leave_session(C.DEFAULT_LOCAL_TMP, phone.name, reading["session"])
            return reading

        states = scan_sites(sites.values(), inspect, workers=arguments["workers"], audit=arguments["audit"])
        orders = {}
        for name, site in sites.items():
            try:
                if not site.error:
                    orders[name] = order_of(site, states)
            except PlanError as error:
                site.error = error
                for phone in (phone for phone in site.phones if phone.managed):
                    states[phone.name].update(state=REFUSED, code=error.code, msg=str(error))
        phones = [phone for site in sites.values() for phone in site.phones if phone.managed and not site.error and not phone.error]
        waves, canaries = plan_waves(
            sites, orders, arguments["canaries"], {phone for phone, state in states.items() if not state.get("call_state", state["state"] != ON_SITE)})
        for host, why in broken.items():
            states[host] = {
                "site": "", "pbx": "", "state": REFUSED, "code": "error", "msg": f"{host}: its variables can't be resolved: {why}",
                "ports": [], "extensions": [],
            }
        return {
            **result,
            "changed": False,
            "phones": states,
            "work": {phone: True for wave in waves for phone in wave["phones"]},
            "troubled": {phone: True for phone, state in states.items() if state["state"] in (OFFLINE, REFUSED)},
            "waves": waves,
            "canaries": canaries,
            "extensions": _extensions_by_pbx(phones),
            "nat_extensions": _extensions_by_pbx([phone for phone in phones if phone.behind_nat]),
            "summary": {state: sum(one["state"] == state for one in states.values()) for state in (IN_ORDER, DRIFTED, OFFLINE, REFUSED, ON_SITE, NOT_ASKED)},
        }


def _extensions_by_pbx(phones: list[SitePhone]) -> dict[str, list[str]]:
    """PBX -> the extensions of these phones, in inventory order."""
    wanted: dict[str, dict[str, None]] = {}
    for phone in phones:
        if phone.pbx:
            wanted.setdefault(phone.pbx, {}).update(dict.fromkeys(filter(None, phone.extensions)))
    return {pbx: list(extensions) for pbx, extensions in wanted.items()}
