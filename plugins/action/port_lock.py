# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action port_lock: plan all sites of the play at once and keep their locks beside the inventory. Runs on the controller only."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.evenport.sip.plugins.module_utils.errors import EvenportError, PlanError
from ansible_collections.evenport.sip.plugins.module_utils.rollout.planning import VARIABLES, SitePlan, plans_of
from ansible_collections.evenport.sip.plugins.plugin_utils.fresh_inventory import FreshInventory
from ansible_collections.evenport.sip.plugins.plugin_utils.hosts import variables_of
from ansible_collections.evenport.sip.plugins.plugin_utils.lock_jobs import Job, check_wishes, plan_job, refuse_other_definitions, write_jobs
from ansible_collections.evenport.sip.plugins.plugin_utils.lock_place import require_files
from ansible_collections.evenport.sip.plugins.plugin_utils.plan_table import rows_of, table_of

ARGUMENTS = {
    "retire": {"type": "list", "elements": "str", "default": []},
    "release": {"type": "list", "elements": "int", "default": []},
    "renumber": {"type": "bool", "default": False},
    "move": {"type": "bool", "default": False},
}


class ActionModule(ActionBase):
    """All hosts of the play in one task; documented as the module evenport.sip.port_lock."""

    BYPASS_HOST_LOOP = True
    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        unused, options = self.validate_argument_spec(ARGUMENTS)
        try:
            jobs = self._jobs(options, task_vars or {})
        except EvenportError as error:
            return {**result, "failed": True, "msg": str(error), "code": error.code}
        words = "would change" if self._task.check_mode else "written"
        for job in jobs:
            table = table_of(job.site.name, rows_of(job.upkeep), job.upkeep, job.place.lock, "unchanged" if job.text is None else words)
            Display().display(f"{table}\n")
        result.update(
            changed=any(job.text is not None for job in jobs),
            sites={job.site.name: job.as_result() for job in jobs},
            diff=[part for job in jobs for part in job.diff()],
            warnings=[text for job in jobs for text in job.warnings()],
        )
        return result

    def _jobs(self, options: dict[str, Any], task_vars: dict[str, Any]) -> list[Job]:
        """Plan, check and (not in check mode) write. All sites or none."""
        sources = [str(source) for source in task_vars["ansible_inventory_sources"] or []]
        require_files(sources)
        sites, files = self._sites(task_vars)
        check_wishes(sites, options["retire"], options["release"])
        jobs = [plan_job(site, [files[host] for host in site.hosts], sources, options) for site in sites]
        before = FreshInventory(sources, self._loader.get_basedir(), self._loader._vault.secrets)
        variables = before.variables()
        for job in jobs:
            refuse_other_definitions(job, before, variables)
        todo = [job for job in jobs if job.text is not None]
        if todo and not self._task.check_mode:
            write_jobs(todo, before, variables)
        return jobs

    def _sites(self, task_vars: dict[str, Any]) -> tuple[list[SitePlan], dict[str, str | None]]:
        """The sites of the play's hosts, whole, and the inventory file of each of their hosts."""
        play_hosts, groups = list(task_vars["ansible_play_hosts_all"]), task_vars["groups"]
        variables = self._variables(play_hosts, task_vars)
        named = dict.fromkeys(v["sip_site"] for v in variables.values() if isinstance(v.get("sip_site"), str))
        members = dict.fromkeys(host for site in named for host in groups.get(site, ()))
        variables |= self._variables([host for host in members if host not in variables], task_vars)
        return plans_of(play_hosts, groups, variables), {host: found.get("inventory_file") for host, found in variables.items()}

    def _variables(self, hosts: list[str], task_vars: dict[str, Any]) -> dict[str, dict[str, Any]]:
        found, broken = variables_of(hosts, (*VARIABLES, "inventory_file"), task_vars, self)
        for host, why in broken.items():
            raise PlanError(f"{host}: its variables can't be resolved: {why}", "The plan needs the variables of every phone of a site.")
        return found
