# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the two servlet generations of Yealink, Y3 and Y4, have in common: pages with variables in their scripts, and how an ended session shows.

Neither can say whether a call is up, as far as is known [U].
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from ansible_collections.evenport.sip.plugins.module_utils.errors import BadAnswer
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import Answer
from ansible_collections.evenport.sip.plugins.module_utils.http.faults import Dropped
from ansible_collections.evenport.sip.plugins.module_utils.http.session import WebSession
from ansible_collections.evenport.sip.plugins.module_utils.model import Identity
from ansible_collections.evenport.sip.plugins.module_utils.phones.target import Target
from ansible_collections.evenport.sip.plugins.module_utils.phones.yealink import keys
from ansible_collections.evenport.sip.plugins.module_utils.phones.yealink.common import Yealink
from ansible_collections.evenport.sip.plugins.module_utils.phones.yealink.crypto import random_text

_LOOK_AT = 400000                               # characters of a page
_LOCK = re.compile(r"You are not authorized.{0,200}?try again(?: after)? (\d{1,4}) minutes?", re.IGNORECASE | re.DOTALL)     # [3P]
_SID = re.compile(r"[0-9A-Za-z_.:-]{1,128}")
_LOGIN_PAGE = re.compile(r"window\.location(?:\.href)?\s*=\s*[\"'][^\"']{0,200}p=login&q=loginForm|id=[\"']idUsername[\"']", re.IGNORECASE)
_MAC = re.compile(r"(?<![0-9A-Fa-f:])(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}(?![0-9A-Fa-f:])")


@dataclass(frozen=True)
class LoginPage:
    """What a login page shows to anybody."""

    text: str
    cookies: Mapping[str, str]                  # that came with it: its session

    def variable(self, name: str) -> str:
        return variable(self.text, name)


class YealinkServlet(Yealink):
    call_state = False

    def __init__(self, target: Target, web: WebSession, identity: Identity) -> None:
        super().__init__(target, web, identity)
        self.page: LoginPage | None = None      # fetched by the recogniser; good for one login

    def check_lockout(self) -> None:
        if self.page is None:
            self.page = self._login_page()
        locked = _LOCK.search(self.page.text[:_LOOK_AT])
        if locked:
            raise self._locked(int(locked.group(1)))

    @abstractmethod
    def _login_page(self) -> LoginPage:
        """Ask for the login page."""

    def _sid(self, text: str) -> str:
        """A session id, fit for a header.

        :raises BadAnswer: none
        """
        if not _SID.fullmatch(text):
            raise BadAnswer(f"{self.target.name}: the login page of {self.web.reach.url} began no web session.", "Restart the phone, then run again.")
        return text

    def _get(self, query: Mapping[str, str]) -> Answer:
        return self._alive(self.web.get("/servlet", query))

    def _alive(self, answer: Answer) -> Answer:
        """An authenticated answer that is worth reading. A phone that no longer knows us shows the way to its login page [I]."""
        if answer.status == 401 or (answer.status in (301, 302, 303) and "p=login" in answer.headers.get("Location", "")) \
                or _LOGIN_PAGE.search(answer.text[:_LOOK_AT]):
            raise self._lost()
        if answer.status not in (200, 301, 302, 303):
            raise BadAnswer(f"{answer.where} answered {answer.status}.", "Restart the phone, then run again; if it stays, update its firmware.")
        return answer

    def _take_token(self, page: Answer) -> str:
        """g_strToken: any page that is shown to a user has one, and whatever changes something needs it [HW]."""
        token = variable(page.text, "g_strToken")
        if not re.fullmatch(r"[0-9A-Za-z]{1,64}", token):
            raise BadAnswer(f"{page.where} shows no token.", "Has this user the right to change settings? Use admin.")
        self.token = token
        return token

    def _take_identity(self, page: Answer) -> None:
        mac = _MAC.search(page.text[:_LOOK_AT])
        self._shown(variable(page.text, "g_phonetype") or variable(page.text, "g_strModel"), variable(page.text, "g_strFirmware"), mac.group() if mac else "")

    def _complete(self, raw: dict[str, str]) -> dict[str, str]:
        self.port_scope = keys.scope_of(raw, self.PORT_SCOPE)
        return keys.completed(raw, self.port_scope)

    def reboot(self) -> None:
        self.was_down = False
        try:
            answer = self._ask_reboot()
        except Dropped:
            return                              # it hung up because it is restarting; never sent twice
        self._alive(answer)

    @abstractmethod
    def _ask_reboot(self) -> Answer:
        """The one request."""


def is_locked(page: LoginPage) -> bool:
    return bool(_LOCK.search(page.text[:_LOOK_AT]))


def variable(text: str, name: str) -> str:
    """The value of ``var name = "..."`` in a page's script; "" for none."""
    found = re.search(rf"\b{re.escape(name)}\s*=\s*[\"']([^\"'\n]{{1,2000}})[\"']", text[:_LOOK_AT])
    return found.group(1) if found else ""


def nonce() -> str:
    """What the page appends against caches."""
    return random_text()
