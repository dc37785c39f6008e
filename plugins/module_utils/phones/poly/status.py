# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status of a Poly's REST interface: HTTP says 200 and the body says whether anything was done.

Codes [3P] rdbahm/Posh-UCS and PyPI vvxme, which agree; their handling here is ours.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import BadAnswer, Busy, DeviceError, PermissionMissing, SessionLost, Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import Answer, pick, printable

OK, NOT_ALLOWED, NOT_SUPPORTED, NO_CALL = "2000", "4003", "4004", "4007"

_AGAIN = "Run again in a minute; if it stays, restart the phone."
_SWITCH_ON = ('Switch it on: on its web page under Settings > Applications > REST API, or with apps.restapi.enabled="1" in its configuration; '
              "then run again. Where that is missing, the firmware is too old: update it, or set the port by hand.")

# What the phone says, and what to do. Where nothing was done for sure, the error says so by its class; 5000 may be anything, so it is
# a BadAnswer: the work then reads back instead of believing it.
_REFUSALS: dict[str, tuple[type[DeviceError], str, str]] = {
    "4000": (DeviceError, "finds what was asked invalid", "Its firmware may know the setting by another name: set it by hand and tell the collection."),
    "4001": (Busy, "is busy and did nothing", "Run again later."),
    "4002": (DeviceError, "says that the line is not registered", "Check the account on the phone."),
    NOT_ALLOWED: (PermissionMissing, "does not allow that", "Use its user Polycom (sip_phone_user), and check that no lock of the configuration is set on it."),
    NOT_SUPPORTED: (Unsupported, "does not support that", "Update its firmware, or set the port by hand."),
    "4005": (DeviceError, "says that there is no such line", "Check the accounts on the phone."),
    "4006": (DeviceError, "says that an address is not configured", "Check its REST interface on its web page."),
    NO_CALL: (DeviceError, "says that there is no such call", _AGAIN),
    "4008": (DeviceError, "could not export its configuration", _AGAIN),
    "4009": (DeviceError, "finds the request too large", "Update its firmware, or set the port by hand."),
    "4010": (PermissionMissing, "still has the password from the factory and does nothing before that is changed",
             "Log in to its web page, set a new password, and give it as sip_phone_password."),
    "5000": (BadAnswer, "says that it failed", _AGAIN),
}


def checked(name: str, answer: Answer) -> Any:
    """The JSON of an answer whose status is 2000.

    :arg name: the target's, for messages
    :raises SessionLost: the login that was accepted before is so no longer
    :raises DeviceError: what the status says
    """
    if answer.status == 401:
        raise SessionLost(f"{name}: the phone no longer accepts the login that it has accepted before.",
                          "Has its password been changed meanwhile, or is it restarting? Run again when it is up.")
    if answer.status == 403:
        raise PermissionMissing(f"{answer.where} is forbidden.", "Use the phone's user Polycom (sip_phone_user), and check its REST interface on its web page.")
    if answer.status != 200:
        raise BadAnswer(f"{answer.where} answered {answer.status}.", _AGAIN)
    data = answer.json()
    code = code_of(data)
    if code == OK:
        return data
    if not code:
        raise BadAnswer(f"{answer.where} answered JSON without a status.", _AGAIN)
    kind, says, remedy = _REFUSALS.get(code, (BadAnswer, "answers with a status that is not known here", _AGAIN))
    raise kind(f"{answer.where}: the phone {says} (status {code}).", remedy)


def code_of(data: Any) -> str:
    """The status in a body, "" for none."""
    code = pick(data, "Status")
    return printable(str(code), 10) if isinstance(code, (str, int)) and not isinstance(code, bool) else ""


def switched_off(name: str, url: str) -> Unsupported:
    return Unsupported(f"{name}: the Poly at {url} has its REST interface switched off; nothing was sent to it but harmless questions.", _SWITCH_ON)


def off_hint() -> str:
    """A VVX may refuse every login while its interface is off [3P]."""
    return "A VVX does the same while its REST interface is off. " + _SWITCH_ON
