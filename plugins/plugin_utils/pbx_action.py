# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's side of the PBX modules: options from the PBX host's variables, and one refused login a run.

The work itself is the module's, on the PBX or wherever the task is delegated to: a PBX's interfaces mostly listen on itself alone.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from ansible import constants as C
from ansible.plugins.action import ActionBase

from ansible_collections.evenport.sip.plugins.plugin_utils.hosts import variables_of


class PbxAction(ActionBase):
    """``MODULE`` does the work; ``VARIABLES``: option <- variable of the PBX's host."""

    TRANSFERS_FILES = False

    MODULE: ClassVar[str]
    VARIABLES: ClassVar[Mapping[str, str]]

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        task_vars = task_vars or {}
        result = super().run(None, task_vars)
        given = dict(self._task.args)
        pbx = given.pop("pbx", None)
        if pbx:
            if pbx not in task_vars["hostvars"]:
                return {**result, "failed": True, "code": "plan_refused",
                        "msg": f"{pbx} is no host of this inventory. Give the PBX a host of its own there, or correct sip_pbx."}
            found, broken = variables_of([pbx], self.VARIABLES.values(), task_vars, self)
            if broken:
                return {**result, "failed": True, "code": "plan_refused", "msg": f"{pbx}: its variables can't be resolved: {broken[pbx]}"}
            given = {**{option: found[pbx][name] for option, name in self.VARIABLES.items() if found[pbx].get(name) not in (None, "")}, **given}
        refusal = _Refusal(pbx or "", given)
        earlier = refusal.read() if pbx else ""
        if earlier:
            return {**result, "failed": True, "code": "auth_failed", "msg": earlier}
        result.update(self._execute_module(module_name=self.MODULE, module_args=given, task_vars=task_vars))
        if pbx and result.get("code") == "auth_failed":
            refusal.write(str(result["msg"]))
        return result


class _Refusal:
    """Left in the run's own temporary folder, where the next task of the run finds it: a PBX bans who asks again and again."""

    def __init__(self, pbx: str, options: Mapping[str, Any]) -> None:
        login = json.dumps([pbx, {name: str(options.get(name)) for name in ("type", "host", "port", "username", "password", "database", "api")}])
        self.path = Path(C.DEFAULT_LOCAL_TMP) / f"evenport-refused-{hashlib.sha256(login.encode()).hexdigest()[:32]}"

    def read(self) -> str:
        try:
            return self.path.read_text(encoding="utf-8")
        except OSError:
            return ""

    def write(self, message: str) -> None:
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(handle, "w", encoding="utf-8") as file:
            file.write(message)
