# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's side of evenport.sip.wave_settle. See the module for the documentation."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.evenport.sip.plugins.module_utils.rollout.settle import open_wave, settle

ARGUMENTS = {
    "wave": {"type": "dict", "required": True},
    "reads": {"type": "list", "elements": "dict", "default": []},
    "canaries": {"type": "dict", "default": {}},
    "earlier": {"type": "dict", "default": {}},
    "pushed": {"type": "str", "default": "sip_pushed"},
}


class ActionModule(ActionBase):
    BYPASS_HOST_LOOP = True
    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        task_vars = task_vars or {}
        result = super().run(tmp, task_vars)
        _validation, arguments = self.validate_argument_spec(argument_spec=ARGUMENTS)
        wave, earlier, canaries = arguments["wave"], arguments["earlier"], arguments["canaries"]
        reads = {read["item"]["key"]: read for read in arguments["reads"]}
        if not arguments["pushed"]:
            return {**result, "changed": False, **open_wave(wave, reads, earlier, canaries)}
        pushes = {phone: task_vars["hostvars"][phone].get(arguments["pushed"]) or {} for phone in wave["phones"]}
        return {**result, "changed": False, **settle(wave, pushes, reads, earlier, canaries)}
