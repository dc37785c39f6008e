# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is it a Yealink, and of which generation? Asked without a login; the firmware's number does not tell (a T31G with 124.86 is a Y4)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import BadAnswer, Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import Answer, printable
from ansible_collections.evenport.sip.plugins.module_utils.http.faults import Dropped
from ansible_collections.evenport.sip.plugins.module_utils.http.session import WebSession
from ansible_collections.evenport.sip.plugins.module_utils.model import Identity
from ansible_collections.evenport.sip.plugins.module_utils.phones.contract import Driver
from ansible_collections.evenport.sip.plugins.module_utils.phones.front import Front
from ansible_collections.evenport.sip.plugins.module_utils.phones.target import Target
from ansible_collections.evenport.sip.plugins.module_utils.phones.yealink.common import kept_identity
from ansible_collections.evenport.sip.plugins.module_utils.phones.yealink.servlet import LoginPage
from ansible_collections.evenport.sip.plugins.module_utils.phones.yealink.y3 import YealinkY3
from ansible_collections.evenport.sip.plugins.module_utils.phones.yealink.y4 import YealinkY4
from ansible_collections.evenport.sip.plugins.module_utils.phones.yealink.y5 import YealinkY5, public_info

# What only a Yealink's front page has: the way to its login page, its server, the realm of the oldest.
SIGN = r"servlet\?m=mod_listener|servlet\?p=login|^server: yealink|(?:Enterprise IP phone|Gigabit Color IP Phone) SIP-"
_Y1 = r"^www-authenticate: basic realm=\"(?:Enterprise IP phone|Gigabit Color IP Phone)"
_Y4 = r"servlet\?m=mod_listener"
_Y3 = r"servlet\?p=login"
_MODEL = re.compile(r"(?:Enterprise IP phone|(?:Gigabit )?Color IP Phone) (?:SIP-)?([0-9A-Za-z_ -]{2,20})", re.IGNORECASE)


def recognise(target: Target, web: WebSession, front: Front, session: Mapping[str, Any] | None = None) -> Driver | None:
    """A driver, or None: no Yealink.

    :arg session: a web session of ours that may still be open there: its generation is known, and no new one is begun
    :raises Unsupported: a Yealink of a generation that is not driven (Y1, Y2)
    """
    if front.shows(_Y1):
        raise _too_old(target, "Y1, the CGI of v70 and before")
    for generation, sign, kind in (("Y4", _Y4, YealinkY4), ("Y3", _Y3, YealinkY3)):
        known = kept_identity(session, generation)
        if known and front.shows(sign):
            return kind(target, web, known)
    if front.shows(_Y4):
        return _y4(target, web)
    try:
        driver = _by_login_page(target, web) if kept_identity(session, "Y5") is None else None
        return driver or _y5(target, web)
    except (Dropped, BadAnswer):
        if target.brand == "yealink" or front.shows(SIGN):
            raise
        return None                             # some other device that does not like such questions


def _by_login_page(target: Target, web: WebSession) -> Driver | None:
    answer = web.get("/servlet", {"p": "login", "q": "loginForm", "jumpto": "status"})
    if answer.status in (301, 302) and "servlet?m=mod_listener" in answer.headers.get("Location", ""):
        return _y4(target, web)
    if answer.status != 200:
        return None                             # a Y5 leads to /api
    text = answer.text[:400000]
    if re.search(_Y4, text) or re.search(r"\bg_rsa_n\b", text):
        return _y4(target, web)
    if "rsa.js?" in text:
        return _y3(target, web, answer)
    if re.search(r"T\([\"'](?:Enterprise IP phone|Gigabit Color IP Phone)", text):
        raise _too_old(target, "Y2, the servlet of v72 and v73")
    return None


def _y3(target: Target, web: WebSession, answer: Answer) -> Driver:
    """The page asks for a script by the firmware's version: rsa.js?28.80.0.95 [3P]."""
    model, version = _MODEL.search(answer.text[:400000]), re.search(r"rsa\.js\?([0-9.]{3,30})", answer.text[:400000])
    identity = Identity("yealink", "Y3", printable(model.group(1), 40).strip() if model else "", version.group(1) if version else "")
    driver = YealinkY3(target, web, identity)
    driver.page = LoginPage(answer.text, {})
    return driver


def _y4(target: Target, web: WebSession) -> Driver | None:
    driver = YealinkY4(target, web, Identity("yealink", "Y4"))
    page = driver.fetch_page()
    return driver if page else None


def _y5(target: Target, web: WebSession) -> Driver | None:
    info = public_info(web)
    if not info:
        return None
    driver = YealinkY5(target, web, Identity("yealink", "Y5"))
    driver.begin(info)
    return driver


def _too_old(target: Target, what: str) -> Unsupported:
    return Unsupported(f"{target.name}: this is a Yealink of generation {what}, which this collection does not drive: its web page has no key for the port.",
                       "Update its firmware to v81 or later, or set the port by hand; nothing was sent to it but harmless questions.")
