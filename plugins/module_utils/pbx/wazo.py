# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wazo's NAT options, by its configuration API (wazo-confd). Registrations and effective values are read from its Asterisk.

The extension is the PJSIP section: the *name* of confd's SIP endpoint, which Wazo generates (``yiq8yej0``), and which is the phone's SIP user. It is
not the number that people dial: that hangs on the line, may exist once in each context, and Asterisk's registrations don't know it.

Facts [H: read in wazo-confd 2026-08, wazo-auth, wazo-sysconfd; D where said]:

* ``POST /api/auth/0.1/token`` with Basic gives ``data.token``, 401 for a wrong login; ``DELETE .../token/{token}`` revokes it
* ``GET /api/confd/1.1/endpoints/sip`` (path [D]): ``items`` and ``total``; ``recurse``: the tenants below, too. Own options only, SIP passwords in
  clear (``auth_section_options``): name, uuid and endpoint options are picked, nothing else leaves
* ``endpoint_section_options`` is a list of pairs, names may repeat. ``?view=merged`` adds what the templates say, last word to the endpoint's own
* ``PUT .../endpoints/sip/{uuid}`` changes the fields that are sent [D] and replaces each whole: so the list goes back as it came but for our pairs
* after each PUT, once it is stored, confd has ``module reload res_pjsip.so`` queued; the same request that waits already is left out. There is no
  apply of its own, and none at all while live reload is switched off. When the queue can't be reached, the answer is 500 and the change is stored
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import (
    AuthFailed,
    BadAnswer,
    DeviceError,
    EvenportError,
    NotApplied,
    PermissionMissing,
)
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import Answer, pick
from ansible_collections.evenport.sip.plugins.module_utils.pbx.access import Access
from ansible_collections.evenport.sip.plugins.module_utils.pbx.contract import NAT_OPTIONS, NatOptions, NatResult, Pbx, Wanted, add_remedy
from ansible_collections.evenport.sip.plugins.module_utils.pbx.one_by_one import OneByOne
from ansible_collections.evenport.sip.plugins.module_utils.pbx.store import Settings, StoredOptions
from ansible_collections.evenport.sip.plugins.module_utils.pbx.web import PbxWeb

AUTH, ENDPOINTS = "/api/auth/0.1/token", "/api/confd/1.1/endpoints/sip"
LIFE = 900                              # seconds that the token lives, should nobody revoke it
PAGE, MAX_PAGES = 500, 200
RIGHTS = "confd.endpoints.sip.read, confd.endpoints.sip.*.read and confd.endpoints.sip.*.update"
INHERITED = "inherited "                # before an option's name: what the templates say, for us and never written

Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class Endpoint:
    """One SIP endpoint of confd: its own options, in order, as they are kept."""

    uuid: str
    name: str
    options: tuple[tuple[str, str], ...]


def endpoint_from(item: Any) -> Endpoint:
    """One of confd's endpoints.  :raises BadAnswer: it has another shape"""
    uuid, name, pairs = (pick(item, field) for field in ("uuid", "name", "endpoint_section_options"))
    good = isinstance(pairs, list) and all(isinstance(pair, list) and len(pair) == 2 and all(isinstance(word, str) for word in pair) for pair in pairs)
    if not good or not isinstance(name, str) or not re.fullmatch(r"[0-9A-Fa-f-]{1,64}", str(uuid)):
        raise BadAnswer("Wazo's API answered a SIP endpoint of another shape than we know.", "Compare its version with docs/pbxs.md.")
    return Endpoint(uuid, name, tuple((option, value) for option, value in pairs))


def value_of(pairs: Iterable[tuple[str, str]], option: str) -> str | None:
    """The value that counts: the last one. None: it is not there."""
    return next((value for name, value in reversed(list(pairs)) if name == option), None)


def with_options(pairs: Iterable[tuple[str, str]], settings: Settings) -> Pairs:
    """The whole list with these options set (None: taken out), everything else as it is, in its order. What takes it back is the same call."""
    changed = list(pairs)
    for option, value in settings.items():
        place = next((index for index in range(len(changed) - 1, -1, -1) if changed[index][0] == option), None)
        if place is None:
            changed += [] if value is None else [(option, value)]
        elif value is None:
            del changed[place]
        else:
            changed[place] = (option, value)
    return changed


class Confd:
    """wazo-confd, logged in at wazo-auth on construction, once. The token stays in here and is revoked in the end."""

    def __init__(self, access: Access) -> None:
        self.access, self._token = access, ""
        self._web = PbxWeb(access, str(self), "sip_pbx_api.")
        try:
            self._login()
        except BaseException:
            self._web.close()
            raise

    def __str__(self) -> str:
        return f"Wazo's API at {self.access}"

    def endpoints(self) -> dict[str, Endpoint]:
        """name -> endpoint, of all tenants that the user sees."""
        found: dict[str, Endpoint] = {}
        for page in range(MAX_PAGES):
            data = self._json(self._send("GET", ENDPOINTS, query={"recurse": "true", "order": "name", "limit": str(PAGE), "offset": str(page * PAGE)}))
            items = pick(data, "items")
            if not isinstance(items, list):
                raise BadAnswer(f"{self} answered no list of SIP endpoints.", "Is this really wazo-confd?")
            new = [one for one in map(endpoint_from, items) if one.name not in found]
            found.update({one.name: one for one in new})
            if not new or len(items) < PAGE:
                return found
        raise BadAnswer(f"{self} does not end its list of SIP endpoints.", "Is this really wazo-confd?")

    def own(self, uuid: str) -> Endpoint:
        return endpoint_from(self._json(self._send("GET", f"{ENDPOINTS}/{uuid}")))

    def merged(self, uuid: str) -> Endpoint:
        """With what its templates say."""
        return endpoint_from(self._json(self._send("GET", f"{ENDPOINTS}/{uuid}", query={"view": "merged"})))

    def put(self, uuid: str, options: Iterable[tuple[str, str]]) -> None:
        self._send("PUT", f"{ENDPOINTS}/{uuid}", {"endpoint_section_options": [list(pair) for pair in options]})

    def close(self) -> None:
        """Revoke the token. Never raises: it ends by itself, too."""
        try:
            self._web.send("DELETE", f"{AUTH}/{self._token}")
        except EvenportError:
            pass
        finally:
            self._web.close()

    def __enter__(self) -> Confd:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def _login(self) -> None:
        access = self.access
        proof = base64.b64encode(f"{access.username}:{access.password}".encode()).decode()
        answer = self._web.send("POST", AUTH, {"expiration": LIFE}, headers={"Authorization": f"Basic {proof}"})
        if answer.status == 401:
            refused = AuthFailed(f"{self} refused the user {access.username}.",
                                 "Check sip_pbx_api.username and sip_pbx_api.password. It is not tried again in this run.")
            refused.interface = "api"
            raise refused
        if answer.status != 200:
            raise DeviceError(f"{self} gave the user {access.username} no token (HTTP {answer.status}).",
                              "Has the user too many sessions? Look into wazo-auth's log.")
        token = pick(self._json(answer), "data.token")
        if not re.fullmatch(r"[A-Za-z0-9_.-]{1,256}", str(token)) or not isinstance(token, str):
            raise BadAnswer(f"{self} took the login but gave no token.", "Is this really Wazo?")
        self._token = token

    def _send(self, method: str, path: str, data: Any = None, query: Mapping[str, str] | None = None) -> Answer:
        answer = self._web.send(method, path, data, query=query, headers={"X-Auth-Token": self._token})
        if answer.status in (401, 403):
            raise PermissionMissing(f"{self} does not let the user {self.access.username} {method} {path}.", f"Give it a policy with the access {RIGHTS}.")
        if answer.status == 404:
            raise DeviceError(f"{self} does not know {path}.", "Has the endpoint been deleted just now? Compare its version with docs/pbxs.md.")
        if answer.status >= 300:
            raise DeviceError(f"{self} answered {method} {path} with HTTP {answer.status}.", "Look into wazo-confd's log.")
        return answer

    def _json(self, answer: Answer) -> Any:
        return self._web.json(answer)


class WazoNat(NatOptions):
    """The writing side: a login to confd of its own, only when options are to be set."""

    def __init__(self, access: Access, patience: float = 15) -> None:
        self.access, self.patience = access, patience

    def set(self, pbx: Pbx, wanted: Wanted, *, check_mode: bool = False) -> NatResult:
        with Confd(self.access) as confd:
            try:
                return StoredOptions(WazoStore(confd), self.patience).set(pbx, wanted, check_mode=check_mode)
            except NotApplied as error:
                add_remedy(error, "Wazo tells its Asterisk by itself, unless live reload is switched off (confd: /configuration/live_reload).")
                raise


class WazoStore(OneByOne):
    """``endpoint_section_options`` of SIP endpoints. What a template says already is not written again; templates themselves are never touched."""

    def __init__(self, confd: Confd) -> None:
        self._confd = confd
        self._known: dict[str, Endpoint] = {}
        self._told = False                      # confd has queued a reload for what we wrote

    def read(self, names: Sequence[str]) -> dict[str, Settings]:
        self._known = self._confd.endpoints()
        strange = [name for name in names if name not in self._known]
        if strange:
            raise DeviceError(f"{self._confd} does not know the SIP endpoint {', '.join(strange)}, though Asterisk does.",
                              "Is it in a tenant that this user doesn't see, or in a file of its own? Nothing was written.")
        return {name: {**self._own(name), **self._inherited(name)} for name in names}

    def current(self, name: str) -> Settings:
        self._known[name] = self._confd.own(self._known[name].uuid)
        return self._own(name)

    def wanted(self, options: Mapping[str, bool], now: Mapping[str, str | None]) -> dict[str, str]:
        after = {}
        for option, value in options.items():
            own, inherited = now.get(option), now.get(INHERITED + option)
            if own is not None:
                after[option] = own if _flag(own) == value else _yes(value)
            elif inherited is None or _flag(inherited) != value:
                after[option] = _yes(value)
        return after

    def expected(self, options: Mapping[str, bool]) -> dict[str, bool | None]:
        return dict(options)

    def put(self, name: str, settings: Settings) -> None:
        self._told = True
        self._confd.put(self._known[name].uuid, with_options(self._known[name].options, settings))

    def apply(self, extensions: Sequence[str]) -> None:
        """Nothing, after a write: confd has done it. Otherwise the same options once more, of one extension, which has all of them reloaded."""
        if not self._told and extensions:
            self.current(extensions[0])
            self.put(extensions[0], {})
        self._told = False

    def _own(self, name: str) -> Settings:
        return {option: value_of(self._known[name].options, option) for option in NAT_OPTIONS}

    def _inherited(self, name: str) -> Settings:
        merged = self._confd.merged(self._known[name].uuid).options
        return {INHERITED + option: value_of(merged, option) for option in NAT_OPTIONS}


def _flag(text: str) -> bool | None:
    """A yes or no as Asterisk reads it; None: neither."""
    return {"yes": True, "true": True, "y": True, "t": True, "1": True, "on": True,
            "no": False, "false": False, "n": False, "f": False, "0": False, "off": False}.get(text.strip().lower())


def _yes(value: bool) -> str:
    return "yes" if value else "no"
