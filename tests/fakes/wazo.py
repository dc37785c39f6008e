# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fake Wazo: wazo-auth and wazo-confd behind one https port, and what they write for the Asterisk beside them. It is not the product.

Made from their API descriptions and from reading their source. What it does as they do: PUT changes the fields that are sent and replaces each
whole; options of templates come first, own ones last; a reload is queued after the answer's data is stored, and one that waits already is left out.
Made up: the wording of errors, and that a request waits QUEUE seconds for its turn. More faults than those of the web server:

* ``live_reload_off`` (True): stored, and Asterisk is never told
* ``queue_down`` (True): stored, and answered with 500
* ``ignored`` (True): 204, and nothing stored
* ``status``: ("METHOD", HTTP status) that requests to confd get; with a third member only so often
* ``lost`` (True): a PUT that is done, and hung up on instead of answered
"""

from __future__ import annotations

import base64
import json
import pathlib
import secrets
import threading
import uuid
from typing import Any

from tests.fakes.asterisk import FakeAsterisk
from tests.fakes.tls import Certificate, self_signed
from tests.fakes.web import Drop, FakeWebServer, Reply, Request

QUEUE = 0.5
SECTIONS = ("aor", "auth", "endpoint", "identify", "registration")
TOKEN, ENDPOINTS = "/api/auth/0.1/token", "/api/confd/1.1/endpoints/sip"


class FakeWazo(FakeWebServer):
    """``endpoints``, ``templates``: uuid -> as the API shows it. ``asterisk`` reads what is written into *folder*."""

    def __init__(self, folder: pathlib.Path, user: str = "evenport-api", password: str = "wazo-secret", tls: Certificate | None = None) -> None:
        super().__init__(tls=tls or self_signed(addresses=("127.0.0.1",)))
        self.folder, self.user, self.password = folder, user, password
        self.templates: dict[str, dict[str, Any]] = {}
        self.endpoints: dict[str, dict[str, Any]] = {}
        self.tokens: set[str] = set()
        self.given: list[str] = []              # every token that was ever given out
        self.rights = {"read", "update"}
        self.login_attempts = self.revoked = self.reloads = 0
        self.puts: list[tuple[str, dict[str, Any]]] = []
        self._waiting: threading.Timer | None = None
        self.generate()
        self.asterisk = FakeAsterisk(folder)

    def start(self) -> FakeWazo:
        super().start()
        self.asterisk.start()
        return self

    def stop(self) -> None:
        super().stop()
        if self._waiting:
            self._waiting.cancel()
        self.asterisk.stop()

    # -- what it holds -------------------------------------------------------------------------------------------------------------
    def add(self, name: str, options: list[list[str]], templates: tuple[str, ...] = (), template: bool = False) -> str:
        number = str(uuid.uuid4())
        known = self.templates if template else self.endpoints
        known[number] = {
            "uuid": number, "tenant_uuid": "54eb71f8-1f4b-4ae4-8730-638062fbe521", "name": name, "label": f"label of {name}", "asterisk_id": None,
            **{f"{section}_section_options": [] for section in SECTIONS},
            "endpoint_section_options": [list(pair) for pair in options],
            "auth_section_options": [["username", name], ["password", f"pw{name}"]],
            "aor_section_options": [["max_contacts", "3"], ["qualify_frequency", "30"]],
            "templates": [{"uuid": one, "label": self.templates[one]["label"]} for one in templates], "transport": None, "line": {"id": 1, "links": []}}
        self.load()
        return number

    def named(self, name: str) -> dict[str, Any]:
        return next(one for one in self.endpoints.values() if one["name"] == name)

    def combined(self, one: dict[str, Any], section: str) -> list[list[str]]:
        inherited = [pair for template in one["templates"] for pair in self.combined(self.templates[template["uuid"]], section)]
        return [*inherited, *one[f"{section}_section_options"]]

    def generate(self) -> None:
        text = "[global]\ntype=global\n"
        for one in self.endpoints.values():
            for section in ("endpoint", "auth", "aor"):
                lines = "".join(f"{name}={value}\n" for name, value in one["auth_section_options"] * (section == "auth")
                                + self.combined(one, section) * (section != "auth"))
                own = f"auth={one['name']}\naors={one['name']}\n" if section == "endpoint" else ""
                text += f"[{one['name']}]\ntype={section}\n{own}{lines}"
        (self.folder / "pjsip.conf").write_text(text, "utf-8")

    def load(self) -> None:
        self.generate()
        self.asterisk.load()

    def _queue_reload(self) -> None:
        if self.faults.get("live_reload_off") or self._waiting:
            return
        self._waiting = threading.Timer(QUEUE, self._reload)
        self._waiting.daemon = True
        self._waiting.start()

    def _reload(self) -> None:
        with self.lock:
            self._waiting = None
            self.reloads += 1
            self.load()

    # -- the APIs ------------------------------------------------------------------------------------------------------------------
    def handle(self, request: Request) -> Reply:
        if request.path.startswith(TOKEN):
            return self._auth(request)
        if not request.path.startswith(ENDPOINTS):
            return _error(404, "Not Found")
        if request.headers.get("x-auth-token") not in self.tokens:
            return _error(401, "Unauthorized")
        fault = self.faults.get("status")
        if fault and fault[0] == request.method:
            if len(fault) == 3:
                self.faults["status"] = (*fault[:2], fault[2] - 1) if fault[2] > 1 else None
            return _error(fault[1], "Unexpected error")
        if ("update" if request.method == "PUT" else "read") not in self.rights:
            return _error(401, "Unauthorized")
        number = request.path[len(ENDPOINTS):].strip("/")
        if not number:
            return self._list(request.query)
        if number not in self.endpoints:
            return Reply.json(["Resource Not Found - SIPEndpoint was not found"], status=404)
        return self._put(number, json.loads(request.body)) if request.method == "PUT" else self._get(number, request.query)

    def _auth(self, request: Request) -> Reply:
        if request.method == "DELETE":
            self.revoked += request.path[len(TOKEN) + 1:] in self.tokens
            self.tokens.discard(request.path[len(TOKEN) + 1:])
            return Reply.json({"data": {"message": "success"}})
        self.login_attempts += 1
        proof = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {proof}" or not 0 < json.loads(request.body).get("expiration", 7200) <= 315360000:
            return _error(401, "Authentication Failed")
        token = str(uuid.UUID(bytes=secrets.token_bytes(16)))
        self.tokens.add(token)
        self.given.append(token)
        return Reply.json({"data": {"token": token, "auth_id": "1", "acl": ["confd.#"]}})

    def _list(self, query: dict[str, str]) -> Reply:
        if query.get("order", "label") not in ("name", "label", "asterisk_id"):
            return Reply.json(["Input Error - order"], status=400)
        items = sorted(self.endpoints.values(), key=lambda one: one[query.get("order", "label")])
        start = int(query.get("offset", "0"))
        return Reply.json({"total": len(items), "items": items[start:start + int(query.get("limit", str(len(items))))]})

    def _get(self, number: str, query: dict[str, str]) -> Reply:
        one = self.endpoints[number]
        if query.get("view") == "merged":
            one = {**one, **{f"{section}_section_options": [list(pair) for pair in dict(map(tuple, self.combined(one, section))).items()]
                             for section in SECTIONS}}
        return Reply.json(one)

    def _put(self, number: str, body: dict[str, Any]) -> Reply:
        if not set(body) <= set(self.endpoints[number]) or any(
                len(pair) != 2 or not all(isinstance(word, str) and word for word in pair) for pair in body.get("endpoint_section_options", [])):
            return Reply.json(["Input Error - endpoint_section_options"], status=400)
        self.puts.append((self.endpoints[number]["name"], body))
        if self.faults.get("ignored"):
            return Reply(204)
        self.endpoints[number].update(body)
        if self.faults.get("queue_down"):
            return _error(500, "Unexpected error")
        self._queue_reload()
        if self.faults.get("lost"):
            raise Drop
        return Reply(204)


def _error(status: int, message: str) -> Reply:
    return Reply.json({"reason": [message], "status_code": status}, status=status)
