# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTPS API of Grandstream's UCM: login, requests, what its status codes mean. No UCM was had for this: what is known, and how well:

* every request is ``POST /api`` with ``{"request": {"action": ..., "cookie": ..., ...}}``, every answer ``{"response": {...}, "status": 0}``, HTTP 200
  for failures too [M, several clients]; status codes as in the table below [M: the vendor's list as three clients repeat it]
* login: ``challenge`` gives a text, ``login`` with the MD5 of it and the password gives a cookie that goes into each request's body; it
  ends after some minutes without a request [M]
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import (
    AuthFailed,
    BadAnswer,
    Busy,
    DeviceError,
    EvenportError,
    LockedOut,
    PermissionMissing,
    SessionLost,
    Unsupported,
)
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import pick
from ansible_collections.evenport.sip.plugins.module_utils.pbx.access import Access
from ansible_collections.evenport.sip.plugins.module_utils.pbx.web import PbxWeb

APPLY_TIMEOUT = 90                      # seconds: a UCM writes all its files anew

_LATER = "Run again in a minute, when nobody is working on the UCM's web page."
# status -> (class of the error, what the vendor's list calls it, what to do). Others are told by their number.
STATUS: dict[int, tuple[type[DeviceError], str, str]] = {
    -1: (DeviceError, "invalid parameters", "The firmware may be too old or too new for this request; compare with docs/pbxs.md."),
    -5: (SessionLost, "it wants a login", "Its session has ended in the middle of the work. Run again."),
    -6: (SessionLost, "the cookie is not valid any more", "Its session has ended in the middle of the work. Run again."),
    -8: (DeviceError, "system timeout", "Look at the UCM's load, then run again."),
    -9: (DeviceError, "abnormal system error", "Look into the UCM's log."),
    -15: (DeviceError, "invalid value", ""),
    -16: (DeviceError, "no such item", ""),
    -19: (Unsupported, "not supported", "Update the UCM's firmware."),
    -24: (DeviceError, "it could not work on its data", "Look into the UCM's log."),
    -25: (DeviceError, "it could not change its data", "Look into the UCM's log."),
    -26: (DeviceError, "it could not read its data", "Look into the UCM's log."),
    -37: (AuthFailed, "wrong account or password",
          "Check sip_pbx_user and sip_pbx_password: the user of the HTTPS API, not the one of the web page. It is not tried again in this run."),
    -43: (DeviceError, "its data has changed in between", "Run again."),
    -45: (DeviceError, "asked too often, or somebody else does the same", _LATER),
    -46: (DeviceError, "asked too often, or somebody else does the same", _LATER),
    -47: (PermissionMissing, "no permission", "Give the API user this right and permit this machine's address (on the UCM: HTTPS API settings)."),
    -51: (DeviceError, "another task is running", _LATER),
    -57: (DeviceError, "asked too often, or somebody else does the same", _LATER),
    -68: (LockedOut, "logins are restricted",
          "Too many wrong ones came from here, or too many at once: wait, or lift the block on the UCM. It is not tried again in this run."),
    -69: (Busy, "a conference is going on", "Run again when it is over."),
    -70: (LockedOut, "logins are forbidden", "Lift the block of this user or address on the UCM. It is not tried again in this run."),
    -71: (AuthFailed, "no such user",
          "Check sip_pbx_user: the user of the HTTPS API, not the one of the web page. It is not tried again in this run."),
    -98: (Busy, "calls on digital lines are up", "Run again when they are over."),
}


class UcmApi:
    """One login to the HTTPS API, on construction, and never a second one. Its cookie stays in here."""

    def __init__(self, access: Access) -> None:
        self.access, self._cookie = access, ""
        self._web = PbxWeb(access, str(self))
        try:
            challenge = _given(self._call("challenge", user=access.username, version="1.0").get("challenge"))
            if not challenge:
                raise BadAnswer(f"{self} gave no challenge.", "Is its HTTPS API switched on?")
            token = hashlib.md5(f"{challenge}{access.password}".encode(), usedforsecurity=False).hexdigest()     # the vendor's protocol
            self._cookie = _given(self._call("login", user=access.username, token=token).get("cookie"))
            if not self._cookie:
                raise BadAnswer(f"{self} took the login but gave no session.", "Look into its log.")
        except BaseException:
            self._web.close()
            raise

    def __str__(self) -> str:
        return f"UCM at {self.access}"

    def ask(self, action: str, **fields: str) -> dict[str, Any]:
        """The ``response`` of one action; {} where there is none.

        :raises DeviceError: one of the classes in STATUS
        """
        return self._call(action, cookie=self._cookie, **fields)

    def apply(self) -> None:
        """One applyChanges, which may take its time."""
        web, self._web = self._web, PbxWeb(replace(self.access, timeout=max(self.access.timeout, APPLY_TIMEOUT)), str(self))
        try:
            self.ask("applyChanges")
        finally:
            self._web.close()
            self._web = web

    def _call(self, action: str, **fields: str) -> dict[str, Any]:
        answer = self._web.send("POST", "/api", {"request": {"action": action, **fields}})
        if answer.status != 200:
            raise BadAnswer(f"{self} answered {action} with HTTP {answer.status}.", "Is its HTTPS API switched on, at this port (sip_pbx_port, usually 8089)?")
        data = self._web.json(answer)
        status = pick(data, "status")
        status = int(status) if re.fullmatch(r"-?[0-9]{1,6}", str(status)) else None
        if status is None:
            raise BadAnswer(f"{self} answered {action} without a status.", "Is this really a UCM's HTTPS API?")
        if status:
            kind, meaning, remedy = STATUS.get(status, (DeviceError, "not in the vendor's list", "Look into the UCM's log."))
            raise kind(f"{self} refused {action} of the API user {self.access.username}: {meaning} (status {status}).", remedy)
        response = pick(data, "response")
        return response if isinstance(response, dict) else {}

    def close(self) -> None:
        """Log out. Never raises."""
        try:
            self.ask("logout")
        except EvenportError:
            pass
        finally:
            self._web.close()


def _given(value: Any) -> str:
    """What is to be sent back as it came."""
    return str(value)[:1000] if isinstance(value, (str, int)) else ""
