# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Grandstream G2: GXP14xx/16xx/17xx, GXP21xx firmware of about 1.0.4 to 1.0.9 [HW].

Plain password, ``api.values.get`` and ``api.values.post`` with P-codes; no map of aliases, so the table decides.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import BadAnswer
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import pick
from ansible_collections.evenport.sip.plugins.module_utils.phones.grandstream import keys
from ansible_collections.evenport.sip.plugins.module_utils.phones.grandstream.common import Grandstream, join, named
from ansible_collections.evenport.sip.plugins.module_utils.phones.settings import Place

_PASSWORD_ONLY = re.compile(r"GXP1[467]")       # GXP14xx, 16xx, 17xx


class GrandstreamG2(Grandstream):

    def login(self) -> None:
        form = {"username": self.target.username, "password": self.target.password}
        if _PASSWORD_ONLY.match(self.identity.model.upper()) and self.target.username == "admin":
            del form["username"]
        self._enter(form)

    def values(self, wanted: Mapping[Any, tuple[keys.Key, int]]) -> dict[Any, str]:
        codes = {name: code for name, (key, line) in wanted.items() if (code := keys.code_of(key, line))}
        answer = self.web.post("/cgi-bin/api.values.get", {"request": join(dict.fromkeys(codes.values())), "sid": self.sid})
        data = self._asked(answer)
        shown = named(data)
        if pick(data, "response") != "success":
            raise BadAnswer(f"{answer.where} answered JSON without values.", "Restart the phone, then run again.")
        # How a code that this firmware lacks is answered is [U]: left out or empty. Either way it is not there for us,
        # except an account's empty port where the account itself exists.
        return {name: shown[code] for name, code in codes.items()
                if code in shown and (shown[code] or not isinstance(name, Place) or self._exists(name, shown))}

    @staticmethod
    def _exists(place: Place, shown: Mapping[str, str]) -> bool:
        return place.setting == "local_port" and bool(shown.get(keys.code_of(keys.ACTIVE, place.line)))

    def code(self, place: Place) -> str:
        return keys.code_of(keys.MANAGED[place.setting], place.line) if place in self._shown else ""

    def send(self, codes: Mapping[str, str]) -> None:
        self._accepted(self.web.post("/cgi-bin/api.values.post", {**{"P" + code: text for code, text in codes.items()}, "sid": self.sid}))
