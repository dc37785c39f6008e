# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The door that most tasks take: the work runs in the worker that Ansible has forked anyway, without a new Python process per phone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from ansible.plugins.action import ActionBase


class PhoneAction(ActionBase):
    """A module's twin. ``MODULE``, ``SPEC`` and ``DOOR`` say which."""

    TRANSFERS_FILES = False
    _requires_connection = False

    MODULE: ClassVar[str]
    SPEC: ClassVar[dict[str, Any]]
    DOOR: ClassVar[Callable[..., dict[str, Any]]]

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        task_vars = task_vars or {}
        result = super().run(None, task_vars)
        name = str(task_vars.get("inventory_hostname", ""))
        if self._delegated_away():
            args = {**self._task.args, **self.handed_over(name), "name": self._task.args.get("name") or name}
            result.update(self._execute_module(module_name=self.MODULE, module_args=args, task_vars=task_vars))
            return result
        dummy, params = self.validate_argument_spec(**self.SPEC)
        params.update(self.handed_over(name))
        done = type(self).DOOR(params, name, check_mode=self._task.check_mode, diff=self._task.diff)
        self.hand_over(name, done)
        result.update(done)
        return result

    def handed_over(self, name: str) -> dict[str, Any]:
        """Options that come from an earlier step of this run rather than from the task."""
        del name
        return {}

    def hand_over(self, name: str, done: dict[str, Any]) -> None:
        """Take out of the result what is for a later step of this run, and nobody else's business."""
        del name, done

    def _delegated_away(self) -> bool:
        """A delegate that is another machine (a box inside the site) does the work there, by the module.

        Without delegate_to a phone's own connection is of no meaning: nobody logs in to a phone by ssh.
        """
        return bool(self._task.delegate_to) and self._connection.transport not in ("local", "ansible.builtin.local")
