# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of M(evenport.sip.phone): the same work without a new Python process. Everything is imported here, once, in the parent."""

from __future__ import annotations

from typing import Any

from ansible import constants as C

from ansible_collections.evenport.sip.plugins.module_utils.phones import doors
from ansible_collections.evenport.sip.plugins.module_utils.phones.arguments import PHONE
from ansible_collections.evenport.sip.plugins.module_utils.rollout.handover import leave_session, take_session
from ansible_collections.evenport.sip.plugins.plugin_utils.phone_action import PhoneAction


class ActionModule(PhoneAction):

    MODULE = "evenport.sip.phone"
    SPEC = PHONE
    DOOR = staticmethod(doors.phone)

    def handed_over(self, name: str) -> dict[str, Any]:
        """The web session that the scan of this run has left open: one login per phone and run."""
        session = self._task.args.get("session") or take_session(C.DEFAULT_LOCAL_TMP, name)
        return {"session": session} if session else {}

    def hand_over(self, name: str, done: dict[str, Any]) -> None:
        """A web session that the phone keeps although we have done: the next visit of this run would find it taken."""
        session = done.pop("session", None)
        if session:
            leave_session(C.DEFAULT_LOCAL_TMP, name, session)
