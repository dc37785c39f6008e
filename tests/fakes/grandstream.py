# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fake Grandstream: both JSON generations, stateful, with the quirks of the protocol sheet, and faults on demand.

    fake = FakeGrandstream("G3", password="secret", accounts=[{"user": "101", "active": True, "port": 5060}])
    fake.start(); fake.port; fake.values["P40"]; fake.writes; fake.stop()

Faults, besides those of web.py and phone.py (they may be changed while it runs)::

    no_call_state         phone and line status are 404
    botched_header        True or "body": a stray line ends the headers early, they land in the body; "header": it is a line among them
    malformed_cookie      cookies arrive comma-joined in one line
    rotate_sid            dorefresh hands out a new sid
    string_values         enums are shown and stored as strings (KeepAlive, Yes) instead of integers
    no_metaconfig         no alias map (404)
    missing               list of P-codes that this firmware does not have
    referer_removed       every POST and PUT is answered 403, as if something removed the Referer
"""

from __future__ import annotations

import functools
import hashlib
import json
import secrets
import time
from typing import Any

from tests.fakes.phone import FakePhone
from tests.fakes.web import Reply, Request

_ACCOUNTS = {"GXP1610": 1, "GXP1625": 2, "GXP1628": 2, "GXP1630": 3, "GXP1760": 6, "GXP2130": 3, "GXP2135": 4, "GXP2140": 4,
             "GXP2160": 6, "GXP2170": 6, "GRP2612": 2, "GRP2613": 3, "GRP2614": 4, "GRP2615": 5, "GRP2616": 6, "WP826": 2}

# P-codes per account 1..6 with alias and factory value; {n} = account.
_PER_ACCOUNT = {
    "account.{n}.sip.localPort": ((40, 413, 513, 613, 1713, 1813), None),
    "account.{n}.enable": ((271, 401, 501, 601, 1701, 1801), "0"),
    "account.{n}.network.natTraversal": ((52, 414, 514, 614, 1714, 1814), "0"),
    "account.{n}.sip.userid": ((35, 404, 504, 604, 1704, 1804), ""),
    "account.{n}.sip.server.1.address": ((47, 402, 502, 602, 1702, 1802), "192.0.2.10"),
    "account.{n}.sip.transport": ((130, 448, 548, 648, 1748, 1848), "0"),
}
_RPORT = "account.{n}.network.supportRport"     # its P-codes are not in the sheet: the map tells. These are the fake's own.
_RPORT_CODES = (26001, 26101, 26201, 26301, 26401, 26501)
_GLOBAL = {
    "network.rtp.useRandomPort": (78, "0"),
    "sip.keepAliveInterval": (84, "20"),
    "network.stunServer": (76, ""),
    "network.rtp.local.port": (39, "5004"),
    "provisioning.config.serverPath": (237, ""),
    "provisioning.config.protocol": (212, "2"),
}
_TIMERS = {"440": "50", "540": "50", "640": "50"}                               # SIP T1, the trap beside the ports
_NAT = ("No", "STUN", "KeepAlive", "UPnP", "Auto", "VPN")
_PUBLIC = frozenset(("phone_model", "vendor_name", "vendor_fullname", "67", "68", "1395"))
_WORDS = {True: "Yes", False: "No"}


@functools.lru_cache(maxsize=8)
def _filler() -> list[dict[str, str]]:
    """A real map has 2,632 entries; the ones that nobody asks for."""
    return [{"pvalue": str(30000 + number), "alias": f"filler.group.{number % 97}.setting.{number}"} for number in range(2560)]


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class FakeGrandstream(FakePhone):
    """See the module. Counters: those of every FakePhone."""

    server_header = "lighttpd"
    MAC = "000B82123456"

    def __init__(self, generation: str = "G3", *, session_seconds: float = 60.0, **more: Any) -> None:
        self.generation = generation
        self.MODEL = {"G2": "GXP1628", "G3": "GXP2170"}[generation]
        self.FIRMWARE = {"G2": "1.0.4.138", "G3": "1.0.11.106"}[generation]
        self.session_seconds = session_seconds
        self._failures = 0
        self._token = ""
        self._sessions: dict[str, list[float]] = {}     # sid -> [last use, requests]
        self.aliases: dict[str, str] = {}               # P-code without P -> alias; ``values`` has "P40" -> "5060"
        super().__init__(**more)

    # ------------------------------------------------------------------ state

    def account_count(self) -> int:
        return _ACCOUNTS.get(self.model, 6)

    def factory(self, accounts: list[dict[str, Any]]) -> None:
        for alias, (code, value) in _GLOBAL.items():
            self._define(str(code), alias, value)
        for n in range(1, self.accounts + 1):
            for alias, (codes, value) in _PER_ACCOUNT.items():
                self._define(str(codes[n - 1]), alias.format(n=n), value if value is not None else str(5060 + 2 * (n - 1)))
            if self.generation == "G3":
                self._define(str(_RPORT_CODES[n - 1]), _RPORT.format(n=n), "1")
        if self.generation == "G2":
            self._define("131", "", "0")
        for code, value in _TIMERS.items():
            self._define(code, f"account.{code[0]}.sip.timer.t1" if self.generation == "G3" else "", value)
        for n, account in enumerate(accounts, 1):
            self.set(n, "enable", "1" if account.get("active", True) else "0")
            self.set(n, "sip.userid", str(account.get("user", "")))
            if account.get("port") is not None:
                self.set(n, "sip.localPort", str(account["port"]))
        for code in self.faults.get("missing", ()):
            self.values.pop("P" + code.removeprefix("P"), None)
            self.aliases.pop(code.removeprefix("P"), None)

    def _define(self, code: str, alias: str, value: str) -> None:
        self.aliases[code], self.values["P" + code] = alias, value

    def code(self, alias: str) -> str:
        """"account.1.sip.localPort" -> "P40"."""
        return "P" + next(code for code, name in self.aliases.items() if name.lower() == alias.lower())

    def set(self, account: int, name: str, value: str) -> None:
        """Change a value as a person at the web page would; not a counted write, not applied."""
        self.values[self.code(f"account.{account}.{name}")] = value

    def get(self, account: int, name: str) -> str:
        return self.values[self.code(f"account.{account}.{name}")]

    def expire_sessions(self) -> None:
        self._sessions.clear()

    def port_of(self, account: int) -> int | None:
        if self.get(account, "enable") not in ("1", "Yes"):
            return None
        return 0 if self.values.get("P78") in ("1", "Yes") else int(self.get(account, "sip.localPort") or 5060)

    def nat_of(self, account: int) -> str:
        alias = f"account.{account}.network.natTraversal"
        return next((self.values["P" + code] for code, name in self.aliases.items() if name == alias), "")

    # ------------------------------------------------------------------ HTTP

    def handle(self, request: Request) -> Reply:
        if request.method in ("POST", "PUT"):
            own = f"{'https' if self.tls else 'http'}://{request.headers.get('host', '')}"
            good = request.headers.get("referer", "").startswith(own + "/") and request.headers.get("origin") == own
            if not good or self.faults.get("referer_removed"):
                return Reply(403, b"<html><title>403 - Forbidden</title></html>")
        name = request.path.removeprefix("/cgi-bin/")
        handler = {
            "/": self._front, "access": self._access, "dologin": self._login, "dologout": self._logout, "dorefresh": self._refresh,
            "api.values.get": self._values_get, "api.values.post": self._values_post, "api-get_lockout": self._lockout,
            "api-get_phone_status": self._phone_status, "api-get_line_status": self._line_status, "api-sys_operation": self._system,
            "api-get_accounts": self._accounts, "api-get_time": self._time, "config_get": self._config_get, "config_update": self._config_update,
            "metaconfig_get": self._metaconfig,
        }.get(name)
        g3_only = ("access", "config_get", "config_update", "metaconfig_get")
        if handler is None or (self.generation == "G2" and name in g3_only):
            return Reply(404, b"<html><title>404 - Not Found</title></html>")
        return handler(request)

    def _front(self, request: Request) -> Reply:
        return Reply(200, b'<html><title>Grandstream</title><script src="webapp/webapp.nocache.js"></script></html>')

    @staticmethod
    def _error(body: Any, **more: Any) -> Reply:
        return Reply.json({"response": "error", "body": body, **more})

    @staticmethod
    def _success(body: Any, **more: Any) -> Reply:
        return Reply.json({"response": "success", "body": body}, **more)

    # ------------------------------------------------------------------ sessions

    def _lockout(self, request: Request) -> Reply:
        locked = self.faults.get("locked") or self._failures >= 5
        return Reply(body=b"lockout" if locked else b"ok", content_type="text/plain")

    def _access(self, request: Request) -> Reply:
        if request.method != "POST":
            return Reply(405)
        self._token = secrets.token_urlsafe(24)[:31]
        return self._success(self._token)

    def _login(self, request: Request) -> Reply:
        self.login_attempts += 1
        if self.faults.get("locked") or self._failures >= 5:
            return self._error("locked", lockTime=5)
        form = request.form
        if self.generation == "G3":
            right = bool(self._token) and form.get("username") == self.username and form.get("password") == sha256(self.password + self._token)
            self._token = ""
        else:
            alone = self.model.startswith(("GXP14", "GXP16", "GXP17"))
            right = form.get("password") == self.password and (form.get("username") is None if alone else form.get("username") == self.username)
        if not right:
            self._failures += 1
            if self.generation == "G2":
                return self._error("wrong")
            return self._error(f"wrong{5 - self._failures}") if self._failures < 5 else self._error("locked", lockTime=5)
        self._failures = 0
        self.logins += 1
        sid = secrets.token_hex(16)
        self._sessions[sid] = [time.monotonic(), 0]
        role = sha256("admin" + sid) if self.generation == "G3" else "admin"
        cookies = [("Set-Cookie", f"session-identity={sid}; HttpOnly; path=/cgi-bin"), ("Set-Cookie", f"session-role={role}")]
        if self.faults.get("malformed_cookie"):
            cookies = [("Set-Cookie", f"session-role={role}, session-identity={sid}, HttpOnly, path=/cgi-bin")]
        body = {"sid": sid} if self.generation == "G2" else {
            "sid": sid, "role": role, "ver": self.firmware, "mac": self._colons(), "defaultAuth": False, "defaultLogin": False}
        return self._success(body, headers=[] if self.generation == "G2" and not self.faults.get("malformed_cookie") else cookies)

    def _colons(self) -> str:
        return ":".join(self.mac[i:i + 2] for i in range(0, 12, 2)) if len(self.mac) == 12 else self.mac

    def _session(self, request: Request) -> str:
        """The sid of a live session that the request proves, or ''. WP8x6 look at the cookie sid alone, the others at sid and cookies."""
        cookies = request.cookies
        if self.model.startswith("WP"):
            sid = cookies.get("sid", "")
        else:
            sid = request.query.get("sid") or request.form.get("sid") or (cookies.get("session-identity", "") if request.method != "PUT" else "")
            if cookies.get("session-identity") != sid or not cookies.get("session-role"):
                return ""
        state = self._sessions.get(sid)
        if state is None or time.monotonic() - state[0] > self.session_seconds:
            self._sessions.pop(sid, None)
            return ""
        state[1] += 1
        limit = self.faults.get("session_lost_after")
        if limit is not None and state[1] > limit:
            del self._sessions[sid]
            return ""
        return sid

    def _expired(self, request: Request) -> Reply:
        """Two forms: 401 on api-* and config_update, 200 with an error body on the others."""
        if request.path.startswith("/cgi-bin/api-") or request.path.endswith("config_update"):
            return Reply(401, b"<html><title>401</title></html>")
        return self._error({"status": "session-expired"})

    def _logout(self, request: Request) -> Reply:
        if self._sessions.pop(request.form.get("sid", ""), None):
            self.logouts += 1
        return self._success("logout")

    def _refresh(self, request: Request) -> Reply:
        sid = self._session(request)
        if not sid:
            return self._expired(request)
        if self.faults.get("rotate_sid"):
            self._sessions[fresh := secrets.token_hex(16)] = self._sessions.pop(sid)
            sid = fresh
        self._sessions[sid][0] = time.monotonic()
        return self._success({"sid": sid})

    # ------------------------------------------------------------------ values

    def _shown(self, code: str) -> str:
        value = self.values.get("P" + code, "")
        if self.faults.get("string_values"):
            alias = self.aliases.get(code, "")
            if alias.endswith("natTraversal") and value.isdigit():
                return _NAT[int(value)]
            if alias.endswith(("useRandomPort", "supportRport", "enable")) and value in ("0", "1"):
                return _WORDS[value == "1"]
        return value

    def _metaconfig(self, request: Request) -> Reply:
        if self.faults.get("no_metaconfig"):
            return Reply(404)
        entries = [{"pvalue": code, "alias": alias, "type": "string"} for code, alias in self.aliases.items() if alias]
        return Reply.json([*_filler()[:1280], *entries, *_filler()[1280:]], "text/plain")

    def _values_get(self, request: Request) -> Reply:
        asked = (request.form.get("request") or request.query.get("request", "")).split(":")
        plain = [name[1:] if name[:1] == "P" and name[1:].isdigit() else name for name in asked]
        if not set(plain) <= _PUBLIC and not self._session(request):
            return self._expired(request)
        fixed = {"phone_model": self.model, "vendor_name": "Grandstream", "vendor_fullname": "Grandstream Networks, Inc.",
                 "67": self._colons(), "68": self.firmware, "1395": "Grandstream"}
        body = {name: fixed.get(code, self._shown(code)) for name, code in zip(asked, plain, strict=True)}
        return self._botch(self._success(body))

    def _botch(self, reply: Reply) -> Reply:
        mode = self.faults.get("botched_header")
        if not mode:
            return reply
        length = f"Content-Length: {len(reply.body)}\r\n".encode()
        if mode == "header":
            reply.raw = b"HTTP/1.1 200 OK\r\n#!/bin/sh\r\nContent-Type: application/json\r\n" + length + b"\r\n" + reply.body
        else:
            reply.raw = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n#!/bin/sh\r\nContent-Type: application/json\r\n" + length + b"\r\n" + reply.body
        return reply

    def _config_get(self, request: Request) -> Reply:
        if not self._session(request):
            return self._expired(request)
        configs = []
        for key in request.query.get("pvalues", "").split(","):
            code = key if key in self.aliases else next((code for code, alias in self.aliases.items() if alias and alias == key), key)
            value = self._colons() if code == "67" else self.firmware if code == "68" else self._shown(code)
            configs.append({"alias": self.aliases.get(code, ""), "pvalue": code, "value": value})
        return Reply.json({"configs": configs})

    def _config_update(self, request: Request) -> Reply:
        if request.method != "PUT":
            return Reply(501)
        if self.faults.get("write_session_lost") or not self._session(request):
            self.expire_sessions()
            return self._expired(request)
        try:
            data = json.loads(request.body)
        except ValueError:
            return Reply(400)
        if not isinstance(data, dict) or set(data) != {"alias", "pvalue"}:
            return Reply(400)
        by_alias = {alias: code for code, alias in self.aliases.items() if alias}
        changes = {str(code): str(value) for code, value in data["pvalue"].items()}
        changes.update({by_alias.get(name.removeprefix("@"), ""): str(value) for name, value in data["alias"].items()})
        return self._store(changes)

    def _values_post(self, request: Request) -> Reply:
        if request.method != "POST":
            return Reply(405)
        if self.faults.get("write_session_lost") or not self._session(request):
            self.expire_sessions()
            return self._error({"status": "session-expired"})
        return self._botch(self._store({name[1:]: value for name, value in request.form.items() if name[:1] == "P" and name[1:].isdigit()}))

    def _store(self, changes: dict[str, str]) -> Reply:
        self.store({"P" + code: value for code, value in changes.items()})
        return self._success({"status": "right"})

    def valid(self, key: str, value: str) -> bool:
        alias = self.aliases.get(key[1:], "")
        if len(value) > 64:
            return False
        if alias.endswith("localPort"):
            return value.isdigit() and 1 <= int(value) <= 65535
        if alias == "sip.keepAliveInterval":
            return value.isdigit() and 10 <= int(value) <= 160
        if alias.endswith("natTraversal"):
            return value in _NAT if self.faults.get("string_values") else value in "012345"
        return True

    # ------------------------------------------------------------------ state of the phone

    def _phone_status(self, request: Request) -> Reply:
        if self.faults.get("no_call_state"):
            return Reply(404)
        if not self._session(request):
            return self._expired(request)
        self.polls += 1
        return Reply.json({"response": "success", "body": "available" if self.idle() else "oncall", "misc": "0"}, "text/plain")

    def _line_status(self, request: Request) -> Reply:
        if self.faults.get("no_call_state"):
            return Reply(404)
        if not self._session(request):
            return self._expired(request)
        state = "idle" if self.idle() else "connected"
        return Reply.json([{"line": n, "state": state if n == 1 else "idle", "acct": n - 1} for n in range(1, self.accounts + 1)], "text/plain")

    def _accounts(self, request: Request) -> Reply:
        if not self._session(request):
            return self._expired(request)
        return Reply.json({"response": "success", "body": [
            {"id": n, "sip_server": "192.0.2.10", "sip_id": self.get(n, "sip.userid"), "name": "", "auto_cfg": "", "reg": int(n in self.effective)}
            for n in range(1, self.accounts + 1)]}, "text/plain")

    def _time(self, request: Request) -> Reply:
        if not self._session(request):
            return self._expired(request)
        return Reply.json({"response": "success", "body": {"uptime": self.up_time}}, "text/plain")

    def _system(self, request: Request) -> Reply:
        if request.method != "POST" or "json" in request.headers.get("content-type", ""):
            return Reply(501)
        if not self._session(request):
            return self._expired(request)
        if request.form.get("request") != "REBOOT":
            return self._error("unknown")
        return self.restart(Reply.json({"response": "success"}, "text/plain"))
