# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Grandstream G3: GXP21xx firmware 1.0.11 and later, WP8x6, GSC35xx [HW]; GRP26xx [I].

sha256 challenge, ``config_get`` and ``PUT config_update``; every key is looked up in the phone's own map of aliases.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import BadAnswer
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import pick
from ansible_collections.evenport.sip.plugins.module_utils.http.session import WebSession
from ansible_collections.evenport.sip.plugins.module_utils.model import Identity
from ansible_collections.evenport.sip.plugins.module_utils.phones.grandstream import keys
from ansible_collections.evenport.sip.plugins.module_utils.phones.grandstream.common import Grandstream, answer_json
from ansible_collections.evenport.sip.plugins.module_utils.phones.settings import Place
from ansible_collections.evenport.sip.plugins.module_utils.phones.target import Target

# alias (lower case) -> P-code, by (model, firmware): the map belongs to the firmware, and it is 200 kB. One read serves a whole site.
_maps: dict[tuple[str, str], dict[str, str]] = {}


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class GrandstreamG3(Grandstream):

    def __init__(self, target: Target, web: WebSession, identity: Identity) -> None:
        super().__init__(target, web, identity)
        self.token = ""                         # the challenge that told the generation; good for one login
        self._map: dict[str, str] | None = None
        self._confirmed: set[Any] = set()       # names whose alias the phone has shown beside the value

    def login(self) -> None:
        if not self.token:
            data = answer_json(self.web.post("/cgi-bin/access", {"access": digest(self.target.username)}))
            self.token = challenge(data)
            if not self.token:
                self._turned_away(self.web.get("/cgi-bin/api-get_lockout"), data, pick(data, "body"))
        token, self.token = self.token, ""
        self._enter({"username": self.target.username, "password": digest(self.target.password + token)})

    def session(self) -> dict[str, Any]:
        """With the few entries of the phone's map that we need, so that the next process does not read 200 kB again."""
        state = super().session()
        if state and self._map:
            state[self.BRAND][self.identity.generation]["aliases"] = {alias: self._map[alias] for alias in keys.aliases() if alias in self._map}
        return state

    def resume(self, session: Mapping[str, Any]) -> bool:
        if not super().resume(session):
            return False
        kept = session[self.BRAND][self.identity.generation].get("aliases")
        if isinstance(kept, Mapping) and kept:
            self._map = {str(alias): str(code) for alias, code in kept.items()}
        return True

    def values(self, wanted: Mapping[Any, tuple[keys.Key, int]]) -> dict[Any, str]:
        codes = {name: code for name, (key, line) in wanted.items() if (code := self._lookup(name, key, line))}
        answer = self.web.get("/cgi-bin/config_get", {"pvalues": ",".join(dict.fromkeys(codes.values())), "sid": self.sid})
        shown = _configs(self._asked(answer))
        if shown is None:
            raise BadAnswer(f"{answer.where} answered JSON without a list of values.", "Restart the phone, then run again.")
        found = {}
        for name, code in codes.items():
            alias, text = shown.get(code, ("", ""))
            if not alias and not text and isinstance(name, Place):
                continue                        # unknown to this phone: empty value AND empty alias
            if isinstance(name, Place) and alias and alias != keys.alias_of(*wanted[name]):
                continue                        # the code means something else here: never touch it
            found[name] = text
        self._confirmed |= {name for name in found if shown.get(codes[name], ("", ""))[0]}
        return found

    def _lookup(self, name: Any, key: keys.Key, line: int) -> str:
        """The P-code of a key. Through the phone's map where it has one; the table serves only to *read* what is not ours to write."""
        known = self._aliases()
        code = known.get(keys.alias_of(key, line), "")
        return code or ("" if known and isinstance(name, Place) else keys.code_of(key, line))

    def code(self, place: Place) -> str:
        """Refused ('') unless the phone itself, by its map or with the value, has named the key by the alias that we mean."""
        key, known = keys.MANAGED[place.setting], self._aliases()
        if known:
            return known.get(keys.alias_of(key, place.line), "")
        return keys.code_of(key, place.line) if place in self._confirmed else ""

    def _aliases(self) -> dict[str, str]:
        version = (self.identity.model, self.identity.firmware)
        if self._map is None and all(version):
            self._map = _maps.get(version)
        if self._map is None:
            answer = self.web.get("/cgi-bin/metaconfig_get")
            try:
                self._map = parse_metaconfig(answer_json(answer)) if answer.status == 200 else {}
            except BadAnswer:
                self._map = {}                  # no map: the aliases that come with the values then decide
            if self._map and all(version):
                _maps[version] = self._map
        return self._map

    def send(self, codes: Mapping[str, str]) -> None:
        # POST is answered 501, a flat dictionary 400 [HW].
        body = json.dumps({"alias": {}, "pvalue": dict(codes)}).encode()
        self._accepted(self.web.request("PUT", "/cgi-bin/config_update", {"sid": self.sid}, body=body, headers={"Content-Type": "application/json"}))


def challenge(data: Any) -> str:
    """The token of {"response": "success", "body": "<token>"}: printable ASCII; '' for anything else."""
    token = pick(data, "response == 'success' && body")
    return token if isinstance(token, str) and 0 < len(token) <= 256 and token.isascii() and token.isprintable() else ""


def parse_metaconfig(data: Any) -> dict[str, str]:
    """[{"pvalue": "40", "alias": "account.1.sip.localPort", ...}, ...] -> alias in lower case -> code without P. Odd entries are passed over."""
    found: dict[str, str] = {}
    for entry in data if isinstance(data, list) else ():
        alias, code = (entry.get("alias"), str(entry.get("pvalue", "")).removeprefix("P")) if isinstance(entry, dict) else ("", "")
        if isinstance(alias, str) and alias and code.isascii() and code.isdigit() and len(code) < 10:
            found.setdefault(alias.lower(), code)
    return found


def _configs(data: Any) -> dict[str, tuple[str, str]] | None:
    """{"configs": [{"alias", "pvalue", "value"}]} -> code -> (alias in lower case, value)."""
    listed = pick(data, "configs")
    if not isinstance(listed, list):
        return None
    return {str(one.get("pvalue", "")).removeprefix("P"): (_text(one.get("alias")).lower(), _text(one.get("value"))) for one in listed if isinstance(one, dict)}


def _text(value: Any) -> str:
    return "" if value is None else str(value)
