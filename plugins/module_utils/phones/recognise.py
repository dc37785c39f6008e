# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which brand answers there? Its front page mostly says so; else harmless questions, one brand after the other.

A password is sent to a phone that has been recognised only. The order is that of what can disturb least.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import Answer, printable
from ansible_collections.evenport.sip.plugins.module_utils.http.session import WebSession
from ansible_collections.evenport.sip.plugins.module_utils.phones.brands import BRANDS
from ansible_collections.evenport.sip.plugins.module_utils.phones.cisco import driver as cisco
from ansible_collections.evenport.sip.plugins.module_utils.phones.contract import Driver
from ansible_collections.evenport.sip.plugins.module_utils.phones.fanvil import driver as fanvil
from ansible_collections.evenport.sip.plugins.module_utils.phones.form import driver as form
from ansible_collections.evenport.sip.plugins.module_utils.phones.front import Front
from ansible_collections.evenport.sip.plugins.module_utils.phones.grandstream import recognise as grandstream
from ansible_collections.evenport.sip.plugins.module_utils.phones.htek import driver as htek
from ansible_collections.evenport.sip.plugins.module_utils.phones.learned import driver as learned
from ansible_collections.evenport.sip.plugins.module_utils.phones.poly import recognise as poly
from ansible_collections.evenport.sip.plugins.module_utils.phones.profile import kind_of
from ansible_collections.evenport.sip.plugins.module_utils.phones.snom import driver as snom
from ansible_collections.evenport.sip.plugins.module_utils.phones.target import Target
from ansible_collections.evenport.sip.plugins.module_utils.phones.yealink import recognise as yealink

Ask = Callable[[Target, WebSession, Front, Any], "Driver | None"]


@dataclass(frozen=True)
class Probe:
    """How a brand is found out. ``sign``: a regular expression on the front page (status, headers, text) that only this brand's has."""

    ask: Ask
    sign: str = ""
    unasked: bool = True        # ask it even where the front page shows no sign; False where that could disturb another brand's phone
    label: bool = False         # the brand is a label on others' phones, or not known: whatever else can be recognised goes first


# In the order of asking.
PROBES: dict[str, Probe] = {
    "grandstream": Probe(grandstream.recognise, r"Grandstream Device Configuration|webapp\.nocache\.js|^server: grandstream"),
    "yealink": Probe(yealink.recognise, yealink.SIGN),
    "poly": Probe(poly.recognise, poly.SIGN),
    "cisco": Probe(cisco.recognise, cisco.SIGN),
    "snom": Probe(snom.recognise, snom.SIGN, unasked=False),
    "htek": Probe(htek.recognise, htek.SIGN, unasked=False),         # there is no question that it answers without a login
    "fanvil": Probe(fanvil.recognise, fanvil.SIGN, unasked=False),
    "vtech": Probe(form.recognise, unasked=False, label=True),
    "north_american_telecom": Probe(form.recognise, unasked=False, label=True),
    "form": Probe(form.recognise, unasked=False),
}

# Phones whose inventory says how they are driven (sip_phone_profile).
PROFILES: dict[str, Probe] = {
    "learned": Probe(learned.recognise),
    "located": Probe(form.recognise),
}

# What a front page gives away of phones that no driver here takes. Only for the message of a refusal.
_SIGNS = (
    (r"^server: aragorn|realm=\"aastra", "a Mitel/Aastra"),
    (r"siemens gigaset", "a Gigaset"),
    (r"goform/websLogin|^location: .*/index\.asp", "a Flyingvoice"),
)


def recognise(target: Target, web: WebSession, session: Mapping[str, Any] | None = None) -> Driver:
    """The driver of the phone at *target*, its identity filled in and nobody logged in.

    :raises Unsupported: nothing that we drive, with what was seen
    """
    front = Front(web)
    asked = _asked(target, front)
    for probe in asked:
        driver = probe.ask(target, web, front, session)
        if driver:
            return driver
    wanted = f"no {BRANDS[target.brand].label}" if target.brand in BRANDS else "no phone that this collection drives by itself"
    looks, remedy = _guess(front, asked)
    raise Unsupported(f"{target.name}: what answers at {web.reach.url} is {wanted}: its front page shows {evidence(front.answer)}{looks}.",
                      f"{remedy} Nothing was sent to it but harmless questions.")


def _guess(front: Front, asked: Sequence[Probe]) -> tuple[str, str]:
    """What a phone that nobody took looks like, and what to do."""
    others = [name for name in _signed(front) if PROBES[name] not in asked]
    if others:
        return f"; it looks like {BRANDS[others[0]].label}", f"Set sip_phone_brand: {others[0]}, or leave it out."
    if PROBES["grandstream"] in asked and front.shows(PROBES["grandstream"].sign):
        return "; it looks like a Grandstream without the JSON interface (G0, G1)", "Update its firmware."
    maker = next((maker for sign, maker in _SIGNS if front.shows(sign)), "")
    return f"; it looks like {maker}" if maker else "", "Check ansible_host. For a phone with a web page that nobody knows, try sip_phone_brand: form."


def _asked(target: Target, front: Front) -> list[Probe]:
    """The probes to try, in order."""
    kind = kind_of(target)
    if kind:
        return [PROFILES[kind]]
    own = [PROBES[target.brand]] if target.brand in PROBES else []
    if own and not own[0].label:
        return own
    signed = _signed(front)
    return [PROBES[name] for name in signed] + [probe for name, probe in PROBES.items() if name not in signed and probe.unasked] + own


def _signed(front: Front) -> list[str]:
    return [name for name, probe in PROBES.items() if probe.sign and front.shows(probe.sign)]


def evidence(front: Answer) -> str:
    """What a front page shows, in one line, safe to print."""
    parts = [f"status {front.status}"]
    for header in ("Server", "WWW-Authenticate", "Location"):
        if header in front.headers:
            text = re.sub(r",?\s*(?:nonce|opaque)=(?:\"[^\"]*\"|[^\s,]*)", "", front.headers[header])       # what is secret for a while tells nobody anything
            parts.append(f"{header} {printable(text, 60)!r}")
    if front.title:
        parts.append(f"title {front.title!r}")
    return ", ".join(parts)
