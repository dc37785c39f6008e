# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is it a Grandstream, and of which generation? Found out before anybody logs in, as a plain password sent to a G3 counts as a wrong one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import BadAnswer
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import printable
from ansible_collections.evenport.sip.plugins.module_utils.http.session import WebSession
from ansible_collections.evenport.sip.plugins.module_utils.model import Identity
from ansible_collections.evenport.sip.plugins.module_utils.phones.contract import Driver
from ansible_collections.evenport.sip.plugins.module_utils.phones.front import Front
from ansible_collections.evenport.sip.plugins.module_utils.phones.grandstream.common import answer_json, named
from ansible_collections.evenport.sip.plugins.module_utils.phones.grandstream.g2 import GrandstreamG2
from ansible_collections.evenport.sip.plugins.module_utils.phones.grandstream.g3 import GrandstreamG3, challenge, digest
from ansible_collections.evenport.sip.plugins.module_utils.phones.target import Target, plain_mac

_GENERATIONS = {"G2": GrandstreamG2, "G3": GrandstreamG3}


def recognise(target: Target, web: WebSession, front: Front, session: Mapping[str, Any] | None = None) -> Driver | None:
    """A driver, or None: no Grandstream with a JSON interface (the oldest, G0 and G1, have none).

    :arg front: not looked at; the values are asked for without a login and say more
    :arg session: a web session of ours that may still be open there; its generation is known, and no new challenge is asked for
    """
    del front
    answer = web.get("/cgi-bin/api.values.get", {"request": "phone_model:vendor_name:P67:P68"})        # [HW] freesdn, no login needed
    if answer.status != 200:
        return None
    try:
        shown = named(answer_json(answer))
    except BadAnswer:
        return None
    model = printable(shown.get("phone_model", ""), 40)
    if not model:
        return None
    generation = next(iter((session or {}).get("grandstream") or {}), "")
    token = ""
    if generation not in _GENERATIONS:
        generation, token = _generation(target, web)
    identity = Identity("grandstream", generation, model, printable(shown.get("68", ""), 40), plain_mac(shown.get("67", "")))
    driver = _GENERATIONS[generation](target, web, identity)
    if isinstance(driver, GrandstreamG3):
        driver.token = token
    return driver


def _generation(target: Target, web: WebSession) -> tuple[str, str]:
    """("G3", challenge) or ("G2", ""). The request names the user (hashed) and holds no password: it is no login attempt [HW]."""
    answer = web.post("/cgi-bin/access", {"access": digest(target.username)})
    if answer.status == 404:
        return "G2", ""
    if answer.status != 200:
        raise BadAnswer(f"{answer.where} answered {answer.status}.", "Is something on the way that changes requests (a proxy without Referer)?")
    return "G3", challenge(answer_json(answer))
