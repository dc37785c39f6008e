# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fake of the Grandstream UCM's HTTPS API, made from what is written about it and from what others' programs expect. It is not the product.

Made up, as nobody tells: what an unknown extension gets (-26), the status of a wrong user (-71), after how many wrong logins it refuses (5).
More faults than those of the web server:

* ``status``: (action, status) that this action answers; with a third member only so often
* ``ignored`` (True): updateSIPAccount says success and stores nothing
* ``lost``: an action that is done, and hung up on instead of answered
* ``fail_after``: updateSIPAccount answers -25 after so many that were good
* ``same_page``, ``half`` (True): each page is the first; the last extensions are missing from the list, though not from total_item
"""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import Any

from tests.fakes.tls import Certificate, self_signed
from tests.fakes.web import Drop, FakeWebServer, Reply, Request

WRONG_LOGINS = 5
COLUMNS = {"extension", "account_type", "fullname", "out_of_service", "status", "addr", "urgemsg", "newmsg", "oldmsg"}
SETTINGS = {"nat": {"yes", "no"}, "directmedia": {"yes", "no"}, "enable_qualify": {"yes", "no"}, "fullname": None}


class FakeUcm(FakeWebServer):
    """``stored``: extension -> its whole account; ``used``: the same, as of the last apply; ``addr`` and ``state``: what the list shows."""

    def __init__(self, user: str = "cdrapi", password: str = "ucm-secret", tls: Certificate | None = None) -> None:
        super().__init__(tls=tls or self_signed(addresses=("127.0.0.1",)))
        self.user, self.password = user, password
        self.stored: dict[str, dict[str, Any]] = {}
        self.addr: dict[str, str] = {}
        self.state: dict[str, str] = {}
        self.used: dict[str, dict[str, Any]] = {}
        self.given: list[str] = []              # every cookie and challenge that was ever given out
        self.cookies_alive: set[str] = set()
        self.actions: list[str] = []
        self.updates: list[dict[str, Any]] = []
        self.denied: set[str] = set()           # actions that the API user may not do
        self.login_attempts = self.wrong_logins = self.applies = self.logouts = 0
        self.page_limit = 100
        self._challenge = ""

    def add(self, extension: str, **settings: Any) -> None:
        account_type = settings.pop("account_type", "SIP")
        self.stored[extension] = {
            "extension": extension, "account_type": account_type, "fullname": f"Name {extension}", "secret": f"pw{extension}", "vmsecret": f"vm{extension}",
            "nat": "no", "directmedia": "yes", "enable_qualify": "no", "qualifyfreq": 60, "allow": "ulaw,alaw", "max_contacts": 1, **settings}
        self.used[extension] = dict(self.stored[extension])

    def handle(self, request: Request) -> Reply:
        if (request.method, request.path) != ("POST", "/api") or request.headers.get("content-type") != "application/json":
            return Reply(404)
        asked = json.loads(request.body)["request"]
        action = asked["action"]
        self.actions.append(action)
        status, response = self._answer(action, asked)
        if self.faults.get("lost") == action:
            raise Drop
        return Reply.json({"response": response, "status": status})

    def _answer(self, action: str, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        fault = self.faults.get("status")
        if fault and fault[0] == action:
            if len(fault) == 3:
                self.faults["status"] = (*fault[:2], fault[2] - 1) if fault[2] > 1 else None
            return fault[1], {}
        if action == "challenge":
            return self._challenge_for(asked)
        if action == "login":
            return self._login(asked)
        if not asked.get("cookie"):
            return -5, {}
        if asked["cookie"] not in self.cookies_alive:
            return -6, {}
        if action in self.denied:
            return -47, {}
        known = {"logout": self._logout, "getSystemGeneralStatus": self._general, "listAccount": self._list, "getSIPAccount": self._get,
                 "updateSIPAccount": self._update, "applyChanges": self._apply}
        return known[action](asked) if action in known else (-1, {})

    def _login_refused(self, asked: dict[str, Any]) -> int:
        if self.wrong_logins >= WRONG_LOGINS:
            return -68
        return 0 if asked.get("user") == self.user else -71

    def _challenge_for(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        refused = self._login_refused(asked)
        if refused:
            return refused, {}
        self._challenge = f"{secrets.randbelow(10 ** 16):016d}"
        self.given.append(self._challenge)
        return 0, {"challenge": self._challenge}

    def _login(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.login_attempts += 1
        refused = self._login_refused(asked)
        challenge, self._challenge = self._challenge, ""
        good = challenge and asked.get("token") == hashlib.md5(f"{challenge}{self.password}".encode(), usedforsecurity=False).hexdigest()
        if refused or not good:
            self.wrong_logins += 1
            return refused or -37, {}
        cookie = f"sid{secrets.randbelow(10 ** 9)}-{secrets.randbelow(10 ** 10)}"
        self.given.append(cookie)
        self.cookies_alive.add(cookie)
        return 0, {"cookie": cookie}

    def _logout(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.logouts += 1
        self.cookies_alive.discard(asked["cookie"])
        return 0, {}

    def _general(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        return 0, {"product-model": "UCM6304  V1.6A", "prog-version": "1.0.33.30"}

    def _list(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        columns = asked.get("options", "").split(",")
        if not set(columns) <= COLUMNS or not isinstance(asked.get("page"), str):
            return -1, {}
        size, page = min(int(asked["item_num"]), self.page_limit), 1 if self.faults.get("same_page") else int(asked["page"])
        shown = [{**account, "addr": self.addr.get(name, "-"), "status": self.state.get(name, "Unavailable"), "out_of_service": "no"}
                 for name, account in sorted(self.stored.items())]
        rows = shown[:-2] if self.faults.get("half") else shown
        return 0, {"account": [{column: row.get(column) for column in columns} for row in rows[(page - 1) * size:page * size]],
                   "total_item": len(shown), "total_page": max(1, -(-len(shown) // size)), "page": page}

    def _get(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        account = self.stored.get(asked.get("extension", ""))
        return (0, {"extension": dict(account), "sip_presence_settings": [], "voicemail": {"vmsecret": account["vmsecret"]}}) if account else (-26, {})

    def _update(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        fields = {name: value for name, value in asked.items() if name not in ("action", "cookie", "extension")}
        account = self.stored.get(asked.get("extension", ""))
        if account is None:
            return -26, {}
        if any(name not in SETTINGS or (SETTINGS[name] and value not in SETTINGS[name]) for name, value in fields.items()):
            return -15, {}
        if self.faults.get("fail_after") == 0:
            return -25, {}
        if self.faults.get("fail_after"):
            self.faults["fail_after"] -= 1
        self.updates.append({"extension": asked["extension"], **fields})
        if not self.faults.get("ignored"):
            account.update(fields)
        return 0, {"need_apply": "yes"}

    def _apply(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.applies += 1
        self.used = {name: dict(account) for name, account in self.stored.items()}
        return 0, {}
