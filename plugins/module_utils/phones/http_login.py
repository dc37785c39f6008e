# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Login of the brands without sessions: HTTP authentication, Basic or Digest as the phone asks for it (Poly, Htek, Snom, Cisco)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import AuthFailed, BadAnswer
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import Answer
from ansible_collections.evenport.sip.plugins.module_utils.http.auth import HttpAuth
from ansible_collections.evenport.sip.plugins.module_utils.http.session import WebSession
from ansible_collections.evenport.sip.plugins.module_utils.phones.contract import Driver
from ansible_collections.evenport.sip.plugins.module_utils.phones.target import Target


class HttpAuthDriver(Driver):
    """A brand without web sessions: the login goes with each request, so there is nothing to hand over and nothing to end."""

    def session(self) -> dict[str, Any]:
        return {}

    def resume(self, session: Mapping[str, Any]) -> bool:
        return False

    def logout(self) -> None:
        return


def log_in(target: Target, web: WebSession, ask: Callable[[], Answer], refusal: Answer | None = None) -> Answer:
    """The answer of *ask* (a harmless request that needs the login), with the password sent once and only after the phone asked for it.

    :arg refusal: a 401 of this phone that is at hand already; its challenge is answered instead of asking for a new one
    :returns: an answer that is no 401. Without a password on the phone, what it answers to anybody.
    :raises AuthFailed: 401 again, or 403
    """
    answer = refusal or ask()
    if answer.status != 401:
        return answer
    web.auth = HttpAuth(target.username, target.password)
    if not web.auth.take(answer):
        web.auth = None
        raise BadAnswer(f"{answer.where} wants a login of a kind that is not known here.", "Update the phone's firmware, or set the port by hand.")
    answer = ask()
    if answer.status in (401, 403):
        raise AuthFailed(f"{target.name}: the phone refuses the password of {target.username!r}.",
                         "It was tried once and is not repeated. Correct sip_phone_user or sip_phone_password.")
    return answer
