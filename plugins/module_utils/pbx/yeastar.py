# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Yeastar P-Series (appliance, software, cloud) by its OpenAPI: which extensions have a SIP phone registered.

[D] the vendor's developer guide: POST get_token with client id and secret as JSON, a User-Agent header in every request, the token as the
query parameter ``access_token``, 30 minutes, 8 tokens at a time (hence del_token at the end); GET extension/list with page and page_size;
online_status.sip_phone.status_list holds the SIP endpoints, the Linkus clients are beside it; errcode 0, 10004 token expired, 10005 access
denied, 60002 limit exceeded. The API is at the web page's port: 8088, in the cloud 443. The P520 has none.
[M] code of others: sip_phone.status, 70004 "account IP blocked", 70087 "IP forbidden".
[U] the errcode of a wrong secret: whatever get_token refuses for no other reason counts as that. How the entries of status_list look; a
``status`` of 1 in any of them is taken for registered. A field for the NAT option: none was found in what extension/update takes.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import BadAnswer, EvenportError, LockedOut, Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import pick
from ansible_collections.evenport.sip.plugins.module_utils.pbx.registered_only import PAGE, RegisteredOnly

_API = "/openapi/v1.0/"
_TOKEN_EXPIRED, _DENIED, _LIMIT, _BLOCKED, _FORBIDDEN = 10004, 10005, 60002, 70004, 70087
_SERVER_ERROR = -2
_NO_API = (10001, 10002, 10003)         # no such interface; version out of maintenance, or not supported


class Yeastar(RegisteredOnly):

    label = "Yeastar P-Series"
    api = "Integrations > API in the PBX's web page"

    def close(self) -> None:
        with suppress(EvenportError):
            self._send("GET", _API + "del_token", {"access_token": self._token})        # only 8 may be out at a time
        super().close()

    def _log_in(self) -> None:
        self._web.headers = {"User-Agent": "OpenAPI"}
        body = json.dumps({"username": self.access.username, "password": self.access.password}).encode()
        data = self._json(self._send("POST", _API + "get_token", body=body, headers={"Content-Type": "application/json"}))
        code, token = pick(data, "errcode"), pick(data, "access_token")
        if not isinstance(code, int) or (code == 0 and not (isinstance(token, str) and token)):
            raise BadAnswer(f"{self} answered the login with something unknown.", "Is this really a Yeastar P-Series (sip_pbx_host, sip_pbx_port)?")
        if code != 0:
            raise self._error(code)
        self._token = token

    def _page(self, number: int, had: int) -> tuple[list[Any], int | None]:
        query = {"access_token": self._token, "page": str(number), "page_size": str(PAGE), "sort_by": "number", "order_by": "asc"}
        data = self._json(self._send("GET", _API + "extension/list", query))
        code = pick(data, "errcode")
        if code != 0:
            raise self._error(code if isinstance(code, int) else _SERVER_ERROR)
        entries, total = pick(data, "data"), pick(data, "total_number")
        if entries is None and total == 0:
            entries = []
        if not isinstance(entries, list) or not isinstance(total, int):
            raise BadAnswer(f"{self} answered with no list of extensions.", "Look for an update of the PBX, then please report this.")
        return entries, total

    def _person(self, entry: Any) -> tuple[Any, bool]:
        return pick(entry, "number"), 1 in (pick(entry, "online_status.sip_phone.[status, status_list[].status][]") or ())

    def _error(self, code: int) -> EvenportError:
        if code == _BLOCKED:
            return LockedOut(f"{self} has blocked this machine's address after wrong logins.", "Unblock it: Security > Security Rules > Blocked IPs, or wait.")
        if code == _FORBIDDEN:
            return self._unwelcome()
        if code == _DENIED:
            return self._forbidden()
        if code in _NO_API:
            return Unsupported(f"{self} does not have this API.", f"Switch it on: {self.api}. A P520 has none.")
        if not self._logged_in and code == _LIMIT:
            return LockedOut(f"{self} has no token left for this client, which has 8.",
                             "They end after 30 minutes. Give this collection a client of its own.", 30)
        if not self._logged_in and code != _SERVER_ERROR:
            return self._wrong_login()
        if code == _TOKEN_EXPIRED:
            return self._lost()
        return BadAnswer(f"{self} does not do what it is asked (error {code}).", "Look into the PBX's log, then run again.")
