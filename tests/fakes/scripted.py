# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Phones of a maker that nobody has heard of, with a page that scripts build. What a learned profile is proved with.

``api``: a single page. JSON login whose answer holds a token (for a header) and sets a session cookie; JSON reading and writing of a whole
account; each write needs a ticket that is good for once. ``form``: pieces of HTML that scripts fetch and send back; the login sends
SHA-256 of the password and a nonce; a hidden field that changes with each page guards the write. ``sealed``: like ``api``, but the login scrambles the
password in a way of its own.

It has a page that works in a browser, and that browser is the only one who knows how: no driver is made for it.

Faults, besides those of phone.py: session_lost_after, write_session_lost, refused (a write is answered with an error, status 200).
"""

from __future__ import annotations

import hashlib
import html
import json
import secrets
from typing import Any

from tests.fakes.phone import FakePhone
from tests.fakes.scripted_pages import API_SCRIPT, FORM_SCRIPT, SEALED_LOGIN, page
from tests.fakes.web import Reply, Request

PER_ACCOUNT = ("enabled", "displayName", "userName", "authName", "authPassword", "registrar", "registrarPort", "localPort", "transport", "codecs")
BOXES = ("enabled", "srtp")


class FakeScripted(FakePhone):
    MODEL = "Nimbus N40"
    FIRMWARE = "3.1.4"
    MAC = "02A5C3000001"

    def __init__(self, kind: str = "api", **options: Any) -> None:
        self.kind = kind
        self.sessions: dict[str, dict[str, Any]] = {}           # cookie -> token, requests
        self.tickets: set[str] = set()
        self.nonce = ""
        super().__init__(**options)

    def factory(self, accounts: list[dict[str, Any]]) -> None:
        self.values = {"phone.language": "en", "phone.timezone": "UTC+1", "phone.ntp": "ntp.example.net", "phone.volume": "7", "phone.dnd": "false",
                       "phone.admin_password": self.password}
        for number in range(1, self.accounts + 1):
            given = accounts[number - 1] if number <= len(accounts) else {}
            user = given.get("user", "")
            own = {"enabled": "true" if given.get("active") else "false", "displayName": f"Desk {user}", "userName": user, "authName": f"auth{user}",
                   "authPassword": given.get("secret", f"sip-{user}-Quagga"), "registrar": given.get("registrar", "pbx.example.net"), "registrarPort": "5060",
                   "localPort": str(given.get("port") or 5060 + 2 * (number - 1)), "transport": given.get("transport", "udp"),
                   "codecs": given.get("codecs", "PCMA,PCMU,G722"), "srtp": given.get("srtp", "false")}
            self.values.update({f"account.{number}.{key}": value for key, value in own.items()})

    def port_of(self, account: int) -> int | None:
        on = self.values[f"account.{account}.enabled"] == "true"
        return int(self.values[f"account.{account}.localPort"]) if on else None

    def expire_sessions(self) -> None:
        self.sessions.clear()

    # ------------------------------------------------------------------ requests

    def handle(self, request: Request) -> Reply:
        if request.path == "/":
            return Reply(body=page(self.model, {"api": "app", "form": "ui", "sealed": "app"}[self.kind]).encode())
        if request.path == "/static/app.js":
            return Reply(
                body=(API_SCRIPT if self.kind == "api" else API_SCRIPT.replace("/*LOGIN*/", SEALED_LOGIN)).encode(), content_type="application/javascript"
            )
        if request.path == "/static/ui.js":
            return Reply(body=FORM_SCRIPT.encode(), content_type="application/javascript")
        if request.path == "/api/v1/about":
            return Reply.json({"model": self.model, "firmware": self.firmware, "hardware": {"mac": self.mac}})
        return self._form(request) if self.kind == "form" else self._api(request)

    def _session(self, request: Request) -> str:
        """The cookie of a session that lives, or ""."""
        known = request.cookies.get("NSESS", "")
        session = self.sessions.get(known)
        if session is None:
            return ""
        session["requests"] += 1
        limit = self.faults.get("session_lost_after")
        if limit is not None and session["requests"] > limit:
            del self.sessions[known]
            return ""
        return known

    def opened(self) -> tuple[str, str]:
        self.logins += 1
        cookie, token = secrets.token_hex(12), secrets.token_urlsafe(24)
        self.sessions[cookie] = {"token": token, "requests": 0}
        return cookie, token

    # ------------------------------------------------------------------ api

    def _api(self, request: Request) -> Reply:
        path, method = request.path, request.method
        if path == "/api/v1/session" and method == "POST":
            return self._api_login(request)
        cookie = self._session(request)
        if not cookie or not secrets.compare_digest(request.headers.get("x-nimbus-token", ""), self.sessions[cookie]["token"]):
            return Reply.json({"status": "denied"}, status=401)
        if path == "/api/v1/session" and method == "DELETE":
            self.logouts += 1
            del self.sessions[cookie]
            return Reply.json({"status": "bye"})
        if path == "/api/v1/ticket":
            ticket = secrets.token_hex(16)
            self.tickets.add(ticket)
            return Reply.json({"ticket": {"value": ticket, "uses": 1}})
        if path.startswith("/api/v1/accounts/"):
            number = path.rpartition("/")[2]
            if number.isdigit() and 1 <= int(number) <= self.accounts:
                return self._api_read(int(number)) if method == "GET" else self._api_write(request, int(number), cookie)
        return Reply.json({"status": "unknown"}, status=404)

    def _api_login(self, request: Request) -> Reply:
        self.login_attempts += 1
        if self.faults.get("locked"):
            return Reply.json({"status": "locked"}, status=429)
        given = _json(request)
        wanted = self.password if self.kind == "api" else "".join(f"{ord(char) ^ 90:04x}" for char in self.password)[::-1]
        if given.get("user") != self.username or given.get("pass") != wanted:
            return Reply.json({"status": "denied"}, status=200)
        cookie, token = self.opened()
        return Reply.json({"status": "welcome", "token": token, "role": "admin"}, headers=[("Set-Cookie", f"NSESS={cookie}; Path=/; HttpOnly")])

    def _api_read(self, number: int) -> Reply:
        own = {key: self.values[f"account.{number}.{key}"] for key in PER_ACCOUNT}
        return Reply.json(
            {
                "account": {
                    **own,
                    "index": number - 1,
                    "enabled": own["enabled"] == "true",
                    "localPort": int(own["localPort"]),
                    "registrarPort": int(own["registrarPort"]),
                    "codecs": own["codecs"].split(","),
                },
                "registered": True,
            }
        )

    def _api_write(self, request: Request, number: int, cookie: str) -> Reply:
        if self.faults.get("write_session_lost"):
            del self.sessions[cookie]
            return Reply.json({"status": "denied"}, status=401)
        ticket = request.headers.get("x-nimbus-ticket", "")
        if ticket not in self.tickets:
            return Reply.json({"status": "stale ticket"}, status=409)
        self.tickets.discard(ticket)
        given = _json(request).get("account", {})
        if set(given) != {*PER_ACCOUNT, "index"} or _json(request).get("action") != "store-account" or given["index"] != number - 1:
            return Reply.json({"status": "incomplete"}, status=422)
        if self.faults.get("refused"):
            return Reply.json({"status": "failed"})
        changes = {
            key: ",".join(value)
            if isinstance(value, list)
            else {True: "true", False: "false"}.get(value, str(value))
            if isinstance(value, bool)
            else str(value)
            for key, value in given.items()
            if key != "index"
        }
        self.store({f"account.{number}.{key}": value for key, value in changes.items()})
        return Reply.json({"status": "stored"})

    # ------------------------------------------------------------------ form

    def _form(self, request: Request) -> Reply:
        if request.path == "/cgi/nonce":
            self.nonce = secrets.token_hex(10)
            return Reply.json({"nonce": self.nonce})
        if request.path == "/cgi/login":
            self.login_attempts += 1
            if self.faults.get("locked"):
                return Reply(429, b"locked")
            wanted = hashlib.sha256((self.password + self.nonce).encode()).hexdigest()
            if request.form.get("user") != self.username or not self.nonce or request.form.get("digest") != wanted:
                return Reply(body=b"error=denied")
            self.nonce = ""
            return Reply(body=b"ok", headers=[("Set-Cookie", f"NSESS={self.opened()[0]}; Path=/")])
        cookie = self._session(request)
        if not cookie:
            return Reply(403, b"denied")
        if request.path == "/cgi/logout":
            self.logouts += 1
            del self.sessions[cookie]
            return Reply(body=b"bye")
        if request.path == "/cgi/page" and request.query.get("view") == "sip-line":
            return self._form_page(int(request.query.get("line", "1")), cookie)
        if request.path == "/cgi/apply" and request.method == "POST":
            return self._form_write(request, cookie)
        return Reply(404)

    def _form_page(self, number: int, cookie: str) -> Reply:
        guard = self.sessions[cookie]["guard"] = secrets.token_hex(16)
        fields = [f'<input type="hidden" name="guard" value="{guard}">', f'<input type="hidden" name="line" value="{number}">']
        for key in (*PER_ACCOUNT, "srtp"):
            value = self.values[f"account.{number}.{key}"]
            if key in BOXES:
                fields.append(f'<label>{key} <input type="checkbox" name="{key}" value="on"{" checked" if value == "true" else ""}></label>')
            elif key == "transport":
                fields.append(
                    '<select name="transport">'
                    + "".join(f'<option value="{one}"{" selected" if one == value else ""}>{one}</option>' for one in ("udp", "tcp", "tls"))
                    + "</select>"
                )
            else:
                kind = "password" if key == "authPassword" else "text"
                fields.append(f'<label>{key} <input type="{kind}" name="{key}" id="{key}" value="{html.escape(value)}"></label>')
        return Reply(body=f'<form id="line" action="/cgi/apply" method="post">{"<br>".join(fields)}</form>'.encode(), content_type="text/html; charset=utf-8")

    def _form_write(self, request: Request, cookie: str) -> Reply:
        if self.faults.get("write_session_lost"):
            del self.sessions[cookie]
            return Reply(403, b"denied")
        given = request.form
        if given.pop("guard", "") != self.sessions[cookie].pop("guard", None) or given.pop("mode", "") != "apply-now":
            return Reply(body=b"error=guard")
        number = int(given.pop("line", "1"))
        changes = {key: ("true" if given.get(key) == "on" else "false") if key in BOXES else given.get(key, "") for key in (*PER_ACCOUNT, "srtp")}
        if not self.faults.get("refused"):
            self.store({f"account.{number}.{key}": value for key, value in changes.items()})
        return Reply(body=b"done")


def _json(request: Request) -> dict[str, Any]:
    try:
        data = json.loads(request.body)
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}
