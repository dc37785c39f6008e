# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""3CX v20 by its configuration API (XAPI): which users have something registered.

[D] the vendor's example: an API client (Integrations > API) with "XAPI access", an Enterprise licence, one valid token at a time.
[M] code of others: POST /connect/token as a form (grant_type client_credentials), ``access_token``, Bearer; GET /xapi/v1/Users is OData with
$select, $top, $skip, $count, entries in ``value`` with ``Number`` and ``IsRegistered``; the port is that of the web client, 443 or 5001.
[I] a refused client is answered as OAuth has it (RFC 6749, 5.2): status 400 or 401. IsRegistered is also true for the vendor's own apps.
[U] a field for a NAT option, or for a port: none is in the models. There is nothing that ends a token before its time.

A user's record holds SIP passwords: two fields of it are asked for and no more.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from ansible_collections.evenport.sip.plugins.module_utils.errors import BadAnswer
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import pick
from ansible_collections.evenport.sip.plugins.module_utils.pbx.registered_only import PAGE, RegisteredOnly

_LOGIN, _USERS = "/connect/token", "/xapi/v1/Users"


class ThreeCx(RegisteredOnly):

    label = "3CX"
    api = "Integrations > API in the admin console, XAPI access, with an administrator's role; it needs an Enterprise licence"

    def _log_in(self) -> None:
        form = {"client_id": self.access.username, "client_secret": self.access.password, "grant_type": "client_credentials"}
        answer = self._send("POST", _LOGIN, body=urlencode(form).encode(), headers={"Content-Type": "application/x-www-form-urlencoded"})
        token = pick(self._json(answer), "access_token")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token:
            raise BadAnswer(f"{self} answered the login with something unknown.", "Is this really a 3CX v20 (sip_pbx_host, sip_pbx_port)?")
        self._web.headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}

    def _page(self, number: int, had: int) -> tuple[list[Any], int | None]:
        del number
        query = {"$select": "Number,IsRegistered", "$orderby": "Number", "$top": str(PAGE), "$skip": str(had), "$count": "true"}
        data = self._json(self._send("GET", _USERS, query))
        entries, total = pick(data, "value"), pick(data, '"@odata.count"')
        if not isinstance(entries, list):
            raise BadAnswer(f"{self} answered with no list of users.", "Look for an update of the PBX, then please report this.")
        return entries, total if isinstance(total, int) else None

    def _person(self, entry: Any) -> tuple[Any, bool]:
        return pick(entry, "Number"), pick(entry, "IsRegistered") is True
