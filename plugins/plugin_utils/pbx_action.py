# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's side of the PBX modules: options from the PBX host's variables, and one refused login a run.

The work itself is the module's, on the PBX or wherever the task is delegated to: a PBX's interfaces mostly listen on itself alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ansible.plugins.action import ActionBase

from ansible_collections.evenport.sip.plugins.module_utils.errors import PlanError
from ansible_collections.evenport.sip.plugins.module_utils.pbx.access import Config
from ansible_collections.evenport.sip.plugins.module_utils.pbx.arguments import config_from
from ansible_collections.evenport.sip.plugins.plugin_utils.hosts import variables_of
from ansible_collections.evenport.sip.plugins.plugin_utils.pbx_options import checked
from ansible_collections.evenport.sip.plugins.plugin_utils.refused_logins import held, logins_of


class PbxAction(ActionBase):
    """``MODULE`` does the work; ``SPEC``: its options; ``VARIABLES``: option <- variable of the PBX's host; ``WRITING``: it sets NAT options."""

    TRANSFERS_FILES = False

    MODULE: ClassVar[str]
    SPEC: ClassVar[Mapping[str, Mapping[str, Any]]]
    VARIABLES: ClassVar[Mapping[str, str]]
    WRITING: ClassVar[bool]

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        task_vars = task_vars or {}
        result = super().run(None, task_vars)
        given = dict(self._task.args)
        try:
            pbx = _name(given.pop("pbx")) if "pbx" in given else ""
            named = self._of_host(pbx, task_vars) if pbx else {}
            named = {option: value for option, value in named.items() if option not in given}
            given = {**named, **given}
            params, config = self._understood(given, {option: self.VARIABLES[option] for option in named}, pbx or self.MODULE)
        except PlanError as error:
            return {**result, "failed": True, "code": error.code, "msg": str(error)}
        with held(logins_of(config, self._place(), self._interfaces(config, params))) as refusals:
            earlier = refusals.earlier()
            if earlier:
                return {**result, "failed": True, **earlier}
            result.update(self._execute_module(module_name=self.MODULE, module_args=given, task_vars=task_vars))
            refusals.remember(result)
        return result

    def _of_host(self, pbx: str, task_vars: dict[str, Any]) -> dict[str, Any]:
        """The options that the PBX's host has a variable for."""
        if pbx not in task_vars["hostvars"]:
            raise PlanError(f"{pbx} is no host of this inventory.", "Give the PBX a host of its own there, or correct sip_pbx.")
        found, broken = variables_of([pbx], self.VARIABLES.values(), task_vars, self)
        if broken:
            raise PlanError(f"{pbx}: its variables can't be resolved: {broken[pbx]}")
        return {option: found[pbx][name] for option, name in self.VARIABLES.items() if found[pbx].get(name) not in (None, "")}

    def _understood(self, given: Mapping[str, Any], names: Mapping[str, str], who: str) -> tuple[dict[str, Any], Config]:
        """What the module will make of its options.  :raises PlanError: it could make nothing of them; *who* is told"""
        try:
            params = checked(given, self.SPEC, names)
            return params, config_from(params, writing=self.WRITING)
        except PlanError as error:
            raise PlanError(f"{who}: {error.what}", error.remedy) from error

    def _interfaces(self, config: Config, params: Mapping[str, Any]) -> tuple[str, ...]:
        """What the module logs in to: only what was refused there stops it. FusionPBX knows extensions from its database alone."""
        if self.WRITING:
            return "", "database", "api"
        by_database = config.read_by == "database" or (config.type == "fusionpbx" and (params["extensions"] or params["list_extensions"]))
        return ("", "database") if by_database else ("",)

    def _place(self) -> list[str]:
        """Where the task's connection leads. Sites behind routers have the same private addresses: then the way there tells them apart."""
        if self._connection.transport in ("local", "ansible.builtin.local"):
            return ["local"]
        way = [str(self._connection.get_option(name) or "") for name in ("ssh_common_args", "ssh_extra_args") if self._connection.has_option(name)]
        return [str(self._play_context.remote_addr).lower(), str(self._play_context.port or 22), *way]


def _name(pbx: Any) -> str:
    if isinstance(pbx, (list, dict)) or pbx is None or not str(pbx).strip():
        raise PlanError("pbx is not the name of a host.", "Give the inventory host of the PBX (sip_pbx), or leave pbx out.")
    return str(pbx)
