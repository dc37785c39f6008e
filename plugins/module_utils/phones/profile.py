# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A profile: where the web page of one model of phone has what. Data, written by a run or a recording, readable by a person, without secrets.

Every profile begins alike; the rest is the driver's that its kind names::

    profile: 1                  # version of this shape
    kind: located               # located: a place that the driver form has found; learned: made from a recording (M(evenport.sip.phone_profile))
    name: Acme T20              # for people
    recognise:                  # what must be there before a password is sent; the phone's identity is not checked further
      path: /
      contains: Acme T20
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import EvenportError, Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.http.session import WebSession
from ansible_collections.evenport.sip.plugins.module_utils.phones.target import Target

VERSION = 1
KINDS = ("located", "learned")


def kind_of(target: Target) -> str:
    """The kind of the target's profile; "" without a profile.

    :raises EvenportError: no profile of this version
    """
    profile = target.profile
    if not profile:
        return ""
    if profile.get("profile") != VERSION or profile.get("kind") not in KINDS:
        raise EvenportError(f"{target.name}: sip_phone_profile is no profile: it needs profile: {VERSION} and kind: {' or '.join(KINDS)}.",
                            "Take it from evenport.sip.phone_info (profile), or make it with evenport.sip.phone_profile.")
    return str(profile["kind"])


def check_recognised(target: Target, web: WebSession) -> None:
    """Refuse a phone that does not show what its profile says it shows: the password is not for a stranger.

    :raises Unsupported: the page at ``recognise.path`` does not contain ``recognise.contains``
    """
    sign = target.profile.get("recognise")
    path, contains = (str(sign.get("path") or "/"), str(sign.get("contains") or "")) if isinstance(sign, Mapping) else ("/", "")
    if contains and contains not in web.get(path).text:
        raise Unsupported(f"{target.name}: {path} of {web.reach.url} does not show {contains!r}, as its profile {target.profile.get('name', '')!r} says.",
                          "Another model or firmware? Correct sip_phone_profile; nothing was sent to it but this question.")


def text_at(profile: Mapping[str, Any], path: str, default: str = "") -> str:
    """The text at a dotted path ("form.page") of a profile; *default* where there is none."""
    found: Any = profile
    for word in path.split("."):
        found = found.get(word) if isinstance(found, Mapping) else None
    return default if found is None else str(found)
