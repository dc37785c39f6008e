# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's side of evenport.sip.phone_outcome. See the module for the documentation."""

from __future__ import annotations

from typing import Any

from ansible import constants as C
from ansible.plugins.action import ActionBase

from ansible_collections.evenport.sip.plugins.module_utils.errors import EvenportError
from ansible_collections.evenport.sip.plugins.module_utils.phones.arguments import target_from
from ansible_collections.evenport.sip.plugins.module_utils.rollout.handover import end_session, take_session
from ansible_collections.evenport.sip.plugins.module_utils.rollout.inventory import VARIABLES, SitePhone
from ansible_collections.evenport.sip.plugins.module_utils.rollout.outcome import outcome_of
from ansible_collections.evenport.sip.plugins.plugin_utils.hosts import options_of, variables_of


class ActionModule(ActionBase):
    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        task_vars = task_vars or {}
        result = super().run(tmp, task_vars)
        self.validate_argument_spec(argument_spec={})
        name = task_vars["inventory_hostname"]
        self._end_left_session(name, task_vars)
        outcome = outcome_of(task_vars)         # not hostvars: that would template the whole fleet's scan once more for each phone
        if outcome.failed:
            result["unreachable" if outcome.deferred else "failed"] = True
        return {**result, "changed": False, "msg": outcome.msg, "code": outcome.code}

    def _end_left_session(self, name: str, task_vars: dict[str, Any]) -> None:
        """The scan stays logged in where there is work to do; where nobody came to do it, log out now."""
        session = take_session(C.DEFAULT_LOCAL_TMP, name)
        if session:
            found, _broken = variables_of([name], VARIABLES, task_vars, self)
            try:
                options = options_of(SitePhone(name, "", found.get(name, {})))
                end_session(target_from(options, name), session)
            except EvenportError as error:
                self._display.vv(f"{name}: not logged out ({error}); the session will end by itself.")
