# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fake of Yeastar P-Series' OpenAPI, made from the vendor's developer guide and from what others' programs expect. It is not the product.

Not documented, so made up: the errcode of a wrong secret (``wrong_secret``), and how a SIP endpoint's entry in status_list looks apart
from its ``status``. More faults than those of the web server: ``errcode`` (a number: what every request after the login gets),
``same_page`` (the parameter page is ignored), ``half`` (the list ends before total_number).
"""

from __future__ import annotations

import json
import secrets

from tests.fakes.tls import Certificate, self_signed
from tests.fakes.web import FakeWebServer, Reply, Request

BLOCK_AFTER = 5                 # wrong logins of one address
TOKENS = 8                      # at a time, for one client


class FakeYeastar(FakeWebServer):
    """``extensions``: number -> whether its phone is registered. ``linkus``: numbers whose app is online, which is no phone."""

    def __init__(self, client: str = "client-id", secret: str = "client-secret", tls: Certificate | None = None) -> None:
        super().__init__(tls=tls or self_signed(addresses=("127.0.0.1",)))
        self.client, self.secret = client, secret
        self.extensions: dict[str, bool] = {}
        self.linkus: set[str] = set()
        self.tokens: list[str] = []
        self.given: list[str] = []              # all that were ever given out
        self.login_attempts = self.wrong_logins = 0
        self.wrong_secret = 40002
        self.page_limit = 10000
        self.by_status_list = True              # False: as an older firmware, sip_phone.status alone

    def handle(self, request: Request) -> Reply:
        if request.headers.get("user-agent") != "OpenAPI":
            return Reply(403)
        name = request.path.removeprefix("/openapi/v1.0/")
        if (request.method, name) == ("POST", "get_token"):
            return self._get_token(json.loads(request.body))
        if request.query.get("access_token") not in self.tokens:
            return _error(10004, "TOKEN EXPIRED")
        if (request.method, name) == ("GET", "del_token"):
            self.tokens.remove(request.query["access_token"])
            return _error(0, "SUCCESS")
        if self.faults.get("errcode"):
            return _error(self.faults["errcode"], "FAILURE")
        if (request.method, name) == ("GET", "extension/list"):
            return self._list(int(request.query.get("page", "1")), int(request.query.get("page_size", "10")))
        return _error(10001, "INTERFACE NOT EXISTED")

    def _get_token(self, login: dict[str, str]) -> Reply:
        self.login_attempts += 1
        if self.wrong_logins >= BLOCK_AFTER:
            return _error(70004, "ACCOUNT IP BLOCKED", block_expire_time=600)
        if (login.get("username"), login.get("password")) != (self.client, self.secret):
            self.wrong_logins += 1
            return _error(self.wrong_secret, "PARAMETER ERROR")
        if len(self.tokens) >= TOKENS:
            return _error(60002, "MAX LIMITATION EXCEEDED")
        self.tokens.append(secrets.token_hex(16))
        self.given.append(self.tokens[-1])
        return _error(0, "SUCCESS", access_token_expire_time=1800, access_token=self.tokens[-1], refresh_token_expire_time=86400, refresh_token="refresh-me")

    def _list(self, page: int, size: int) -> Reply:
        if self.fault("same_page", ""):
            page = 1
        size = min(size, self.page_limit)
        names = sorted(self.extensions)
        shown = [] if self.fault("half", "") and page > 1 else names[(page - 1) * size:page * size]
        return _error(0, "SUCCESS", total_number=len(names), data=[self._entry(number, name) for number, name in enumerate(shown, 1)])

    def _entry(self, number: int, name: str) -> dict:
        online = int(self.extensions[name])
        phone = {"status_list": [{"status": online, "ext_dev_type": "sip"}]} if self.by_status_list else {"status": online, "ext_dev_type": "sip"}
        return {
            "id": number, "number": name, "caller_id_name": f"Person {name}", "role_name": "", "email_addr": f"{name}@example.com",
            "presence_status": "available", "online_status": {
                "sip_phone": phone, "linkus_desktop": {"status": int(name in self.linkus), "ext_dev_type": "linkusdesktop"},
                "linkus_mobile": {"status": 0, "ext_dev_type": "linkusmobile"}, "linkus_web": {"status": 0, "ext_dev_type": "linkusweb"}}}


def _error(code: int, message: str, **more: object) -> Reply:
    return Reply.json({"errcode": code, "errmsg": message, **more})
