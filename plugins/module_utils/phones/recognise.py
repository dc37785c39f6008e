# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which brand answers there? Harmless requests, one brand after the other; a password is sent to a phone that has been recognised only."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import Answer, printable
from ansible_collections.evenport.sip.plugins.module_utils.http.session import WebSession
from ansible_collections.evenport.sip.plugins.module_utils.phones import grandstream
from ansible_collections.evenport.sip.plugins.module_utils.phones.brands import BRANDS
from ansible_collections.evenport.sip.plugins.module_utils.phones.contract import Driver
from ansible_collections.evenport.sip.plugins.module_utils.phones.target import Target

Probe = Callable[[Target, WebSession, Any], "Driver | None"]

# In the order of asking. Probes that may take a phone's only session go last.
PROBES: dict[str, Probe] = {
    "grandstream": grandstream.recognise,
}

# What a front page gives away (status line, headers and page as one text) -> who made it. Only for the message of a refusal.
_SIGNS = (
    (r"Grandstream Device Configuration|webapp\.nocache\.js|server: grandstream", "a Grandstream without the JSON interface (G0, G1): update its firmware"),
    (r"server: snom|realm=\"snom", "a Snom"),
    (r"server: aragorn|realm=\"aastra", "a Mitel/Aastra"),
    (r"polycom|poly edge", "a Poly"),
    (r"servlet\?m=|server: yealink|enterprise ip phone sip-|gigabit color ip phone", "a Yealink"),
    (r"server: hanlong", "an Htek"),
    (r"server: rapidlogic", "a Fanvil or one of its rebrands"),
    (r"realm=\"spa user|sipura spa", "a Cisco/Sipura SPA"),
    (r"siemens gigaset", "a Gigaset"),
)


def recognise(target: Target, web: WebSession, session: Mapping[str, Any] | None = None) -> Driver:
    """The driver of the phone at *target*, its identity filled in and nobody logged in.

    :raises Unsupported: nothing that we drive, with what was seen
    """
    asked = {target.brand: PROBES[target.brand]} if target.brand in PROBES else PROBES
    for probe in asked.values():
        driver = probe(target, web, session)
        if driver:
            return driver
    front = web.get("/")
    wanted = f"no {BRANDS[target.brand].label}" if target.brand in BRANDS else "no phone that this collection drives"
    looks = _maker(front)
    guess = f"; it looks like {looks}" if looks else ""
    raise Unsupported(f"{target.name}: what answers at {web.reach.url} is {wanted}: its front page shows {evidence(front)}{guess}.",
                      "Check ansible_host and sip_phone_brand; nothing was sent to it but harmless questions.")


def evidence(front: Answer) -> str:
    """What a front page shows, in one line, safe to print."""
    parts = [f"status {front.status}"]
    for header in ("Server", "WWW-Authenticate", "Location"):
        if header in front.headers:
            parts.append(f"{header} {printable(front.headers[header], 60)!r}")
    if front.title:
        parts.append(f"title {front.title!r}")
    return ", ".join(parts)


def _maker(front: Answer) -> str:
    text = "\n".join(f"{name}: {value}" for name, value in front.headers.items()) + "\n" + front.text[:20000]
    return next((maker for sign, maker in _SIGNS if re.search(sign, text, re.IGNORECASE)), "")
