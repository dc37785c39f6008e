# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is it a Poly with UC software, and is its REST interface on? Found out before the password goes anywhere.

Over https the phone's certificate shows its MAC then already: Poly's factory makes it the common name [HW].
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import BadAnswer, EvenportError
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import Answer, printable
from ansible_collections.evenport.sip.plugins.module_utils.http.session import WebSession
from ansible_collections.evenport.sip.plugins.module_utils.model import Identity
from ansible_collections.evenport.sip.plugins.module_utils.phones.contract import Driver
from ansible_collections.evenport.sip.plugins.module_utils.phones.front import Front
from ansible_collections.evenport.sip.plugins.module_utils.phones.poly import status
from ansible_collections.evenport.sip.plugins.module_utils.phones.poly.driver import INFO, OTHERS, Poly, other_poly
from ansible_collections.evenport.sip.plugins.module_utils.phones.target import Target

try:
    from cryptography import x509
    from cryptography.x509.oid import NameOID
except ImportError:                             # pragma: no cover - ansible-test imports without third-party libraries
    x509 = NameOID = None

SIGN = r"^server: poly(com)? [\w ]*telephone httpd"                             # [HW] Edge E even on 404, [3P] VVX and Trio
_OUI = ("0004f2", "64167f", "482567")           # [D] IEEE list: Polycom; Plantronics' own blocks are on headsets too


def recognise(target: Target, web: WebSession, front: Front, session: Mapping[str, Any] | None = None) -> Driver | None:
    """A driver, or None: no Poly. A 401 at the path of the interface proves nothing alone: other brands answer it everywhere.

    :raises Unsupported: a Poly whose REST interface is off, or one that is no UC software
    """
    del session                                 # there are none
    path, answer = INFO[0], web.get(INFO[0])
    mac, vendor = certificate_of(web.certificate)
    if not (_signed(answer) or (mac and (mac[:6] in _OUI or "poly" in vendor.lower())) or _looks_like_one(target, answer, front)):
        return None
    if answer.status == 404:
        path, answer = INFO[1], web.get(INFO[1])
    challenged = "WWW-Authenticate" in answer.headers
    if answer.status in (403, 404) or (answer.status == 401 and not challenged):
        raise status.switched_off(target.name, web.reach.url)
    if answer.status not in (200, 401):
        raise BadAnswer(f"{answer.where} answered {answer.status}.",
                        "Does it send http to https? Then set sip_phone_protocol: https; otherwise restart the phone.")
    return Poly(target, web, Identity("poly", "UCS", mac=mac), path, answer if answer.status == 401 else None)


def _signed(answer: Answer) -> bool:
    return bool(re.match("poly(com)? ", answer.headers.get("Server", ""), re.IGNORECASE))


def _looks_like_one(target: Target, answer: Answer, front: Front) -> bool:
    """By the front page; or the inventory says so, and what asks for a password is the interface alone and not the whole web page."""
    if front.shows(OTHERS):
        raise other_poly(target, printable(front.answer.title, 40) or "phone")
    if front.shows(SIGN):
        return True
    return target.brand == "poly" and answer.status == 401 and front.answer.status != 401


def certificate_of(der: bytes) -> tuple[str, str]:
    """(MAC, issuer) of a certificate whose common name is a MAC, as Poly's factory makes them [HW]; ("", "") for any other or none."""
    if not der:
        return "", ""
    if x509 is None:
        raise EvenportError("The Python library cryptography is missing on the machine that runs this task.", "Run: pip install cryptography")
    try:
        shown = x509.load_der_x509_certificate(der)
        names = [str(one.value) for one in shown.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
        issuer = shown.issuer.rfc4514_string()
    except (ValueError, TypeError, x509.InvalidVersion, x509.UnsupportedGeneralNameType):
        return "", ""
    mac = next((name.lower() for name in names if re.fullmatch("[0-9A-Fa-f]{12}", name)), "")
    return (mac, issuer) if mac else ("", "")
