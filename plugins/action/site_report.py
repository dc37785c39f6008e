# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's side of evenport.sip.site_report. See the module for the documentation."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.evenport.sip.plugins.module_utils.rollout.files import append_journal, write_deferred, write_json
from ansible_collections.evenport.sip.plugins.module_utils.rollout.inventory import VARIABLES, sites_of
from ansible_collections.evenport.sip.plugins.module_utils.rollout.outcome import outcome_of
from ansible_collections.evenport.sip.plugins.module_utils.rollout.report import as_json, report_sites
from ansible_collections.evenport.sip.plugins.plugin_utils.hosts import variables_of

display = Display()

ARGUMENTS = {
    "scan": {"type": "dict", "required": True},
    "reads": {"type": "list", "elements": "dict", "default": []},
    "file": {"type": "path", "default": ""},
    "directory": {"type": "path", "default": ""},
}


class ActionModule(ActionBase):
    BYPASS_HOST_LOOP = True
    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        task_vars = task_vars or {}
        result = super().run(tmp, task_vars)
        _validation, arguments = self.validate_argument_spec(argument_spec=ARGUMENTS)
        hostvars = task_vars["hostvars"]
        states = arguments["scan"]["phones"]
        found, _broken = variables_of(states, VARIABLES, task_vars, self)
        sites = sites_of(found)
        for phone in (phone for site in sites.values() for phone in site.phones):
            phone.ports = states[phone.name]["ports"]       # the scan knows better: a phone may have one port for all its lines
        of_the_run = _same_for_all(hostvars, arguments["scan"])
        outcomes = {phone: outcome_of({**of_the_run, **_own(hostvars[phone], phone)}) for phone in [*arguments["scan"]["work"], *arguments["scan"]["troubled"]]}
        moved = of_the_run.get("sip_settled", {}).get("moved", {})
        reports = report_sites(
            sites, states, {read["item"]["key"]: read for read in arguments["reads"]},
            outcomes, now=int(time.time()), moved=moved)
        lines = [line for report in reports for line in ["", *report.text()]]
        deferred = [phone for phone in states if phone in outcomes and outcomes[phone].deferred]
        data = as_json(reports)
        if arguments["file"]:
            write_json(arguments["file"], data)
        if arguments["directory"] and not self._task.check_mode:
            try:
                append_journal(arguments["directory"], (
                    _entry(phone, states[phone], change, outcomes[phone].status) for phone, change in moved.items() if phone in outcomes))
                path = write_deferred(arguments["directory"], deferred, states)
                lines += [f"\nTo be done again: --limit @{path}"] if path else []
            except OSError as error:
                display.warning(f"No journal was written: {error}. Set sip_output_directory to a place that can be written, or to \"\".")
        display.display("\n".join(lines))
        return {**result, "changed": False, "report": data, "deferred": deferred, "not_done": [phone for phone, outcome in outcomes.items() if outcome.failed]}


def _same_for_all(hostvars: Mapping[str, Any], scan: Mapping[str, Any]) -> dict[str, Any]:
    """What all phones that had work to do have in common, looked up once: each look resolves the whole of it anew."""
    found: dict[str, Any] = {"sip_scan": scan}
    for name in ("sip_settled", "sip_pbx_failed", "sip_unknown_extensions"):
        holder = next((hostvars[phone] for phone in scan["work"] if name in hostvars[phone]), None)
        if holder is not None:
            found[name] = holder[name]
    return found


def _own(variables: Mapping[str, Any], phone: str) -> dict[str, Any]:
    return {"inventory_hostname": phone, **{name: variables[name] for name in ("sip_pushed", "sip_restarted", "sip_restored") if name in variables}}


def _entry(phone: str, state: Mapping[str, Any], change: Mapping[str, Any], outcome: str) -> dict[str, Any]:
    """A push that failed after it wrote doesn't say what was there before; the scan does."""
    before = change["before"] or state.get("before", {})
    return {"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "site": state["site"], "phone": phone, **change, "before": before, "outcome": outcome}
