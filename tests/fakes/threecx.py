# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fake of 3CX v20's configuration API, made from what others' programs ask it and from OData and OAuth. It is not the product.

Made up: how it says no (status 400 invalid_client, as OAuth has it), and the names of the secret fields of a user. More faults than those of
the web server: ``forbidden`` (the role may not read users), ``no_licence`` (the API is not there), ``busy`` (status 429), ``same_page``
($skip is ignored), ``no_count`` ($count is ignored), ``lost`` (somebody else got a token, so ours is none any more).
"""

from __future__ import annotations

import secrets

from tests.fakes.tls import Certificate, self_signed
from tests.fakes.web import FakeWebServer, Reply, Request


class FakeThreeCx(FakeWebServer):
    """``users``: number -> whether something is registered. Only one token is valid at a time."""

    def __init__(self, client: str = "evenport", secret: str = "api-key", tls: Certificate | None = None) -> None:
        super().__init__(tls=tls or self_signed(addresses=("127.0.0.1",)))
        self.client, self.secret = client, secret
        self.users: dict[str, bool] = {}
        self.token = ""
        self.given: list[str] = []
        self.login_attempts = 0
        self.refusal = 400
        self.page_limit = 10000

    def handle(self, request: Request) -> Reply:
        if self.fault("busy", ""):
            return Reply(429, headers=[("Retry-After", "90")])
        if (request.method, request.path) == ("POST", "/connect/token"):
            return self._token(request.form)
        if self.fault("no_licence", ""):
            return Reply(404)
        if self.fault("lost", "") or request.headers.get("authorization") != f"Bearer {self.token}":
            return Reply(401)
        if self.fault("forbidden", ""):
            return Reply(403)
        if (request.method, request.path) == ("GET", "/xapi/v1/Users"):
            return self._users(request.query)
        return Reply(404)

    def _token(self, form: dict[str, str]) -> Reply:
        self.login_attempts += 1
        if form != {"client_id": self.client, "client_secret": self.secret, "grant_type": "client_credentials"}:
            return Reply.json({"error": "invalid_client"}, status=self.refusal)
        self.token = secrets.token_urlsafe(300)
        self.given.append(self.token)
        return Reply.json({"token_type": "Bearer", "expires_in": 3600, "access_token": self.token, "refresh_token": None})

    def _users(self, query: dict[str, str]) -> Reply:
        names = sorted(self.users)
        skip, top = int(query.get("$skip", "0")), int(query.get("$top", "100"))
        if self.fault("same_page", ""):
            skip = 0
        shown = [self._user(number, name) for number, name in enumerate(names)][skip:skip + min(top, self.page_limit)]
        if "$select" in query:
            shown = [{field: user[field] for field in query["$select"].split(",")} for user in shown]
        count = {"@odata.count": len(names)} if query.get("$count") == "true" and not self.fault("no_count", "") else {}
        return Reply.json({"@odata.context": "$metadata#Users", **count, "value": shown})

    def _user(self, number: int, name: str) -> dict:
        return {
            "Id": number, "Number": name, "IsRegistered": self.users[name], "FirstName": f"Person {name}", "AuthID": f"id{name}",
            "AuthPassword": f"pw{name}"}
