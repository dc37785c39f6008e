# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all fake Yealinks have in common: settings by cfg key, web sessions, the lock, the ciphers of the login, exports and imports.

Where the protocol sheet says "unknown", the fake does something of its own and says so here: how an ended session shows, what Y4 and Y3
answer to a logout, and the names of the fields of a Y3's advanced account page.

Faults, besides those of web.py and phone.py (they may be changed while it runs)::

    changed_only          an exported configuration holds only what differs from the factory
    no_mac                no page shows a MAC
"""

from __future__ import annotations

import math
import re
import secrets
import threading
import time
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tests.fakes.phone import FakePhone
from tests.fakes.web import Reply, Request

_ACCOUNTS = {"T31G": 2, "T30P": 1, "T23G": 3, "T46G": 16, "T46S": 16, "T46U": 16, "T54W": 16}
_SECRET = re.compile(r"password$")
MASK = "********"

_PER_ACCOUNT = {
    "enable": "0", "label": "", "display_name": "", "user_name": "", "auth_name": "", "password": "", "sip_server.1.address": "", "sip_server.1.port": "5060",
    "sip_server.1.transport_type": "0", "sip_server.1.expires": "3600", "outbound_proxy_enable": "0", "outbound_proxy.1.address": "",
    "nat.nat_traversal": "0", "nat.udp_update_enable": "1", "nat.udp_update_time": "30", "nat.rport": "0",
    "dtmf.type": "1", "session_timer.enable": "0", "subscribe_mwi": "1",
}
_PHONE = {
    "auto_provision.server.url": "", "auto_provision.server.username": "prov", "auto_provision.server.password": "tr0ub4dor",
    "auto_provision.custom.protect": "0", "network.port.min_rtpport": "11780", "network.port.max_rtpport": "12780",
    "security.user_password": "admin:battery-staple",
}
_OTHERS = {"sip.tcp_port_random_mode": "0", "features.action_uri_limit_ip": "any", "features.action_uri.enable": "1", "local_time.time_zone": "-5",
           "lang.wui": "English", "phone_setting.backlight_time": "60", "ringtone.url": "", "sip.notify_reboot_enable": "0"}


# One key of 1024 bits (what a T31G shows) for all fakes of a process. Made here and not on demand: two fakes' threads would make two.
_KEY = rsa.generate_private_key(public_exponent=65537, key_size=1024)


def modulus() -> str:
    return format(_KEY.public_key().public_numbers().n, "x")


def rsa_open(text: str) -> str | None:
    """What somebody encrypted for us, given as hex whose leading zeros may be missing (jsbn); None for anything else."""
    if not re.fullmatch(r"(?:[0-9a-fA-F]{2}){1,128}", text):
        return None
    try:
        return _KEY.decrypt(int(text, 16).to_bytes(128, "big"), padding.PKCS1v15()).decode()
    except (ValueError, OverflowError):
        return None


def aes_open(data: bytes, key: str | None, iv: str | None) -> str:
    """AES-128-CBC with zero padding; key and iv in hex. "" where something is wrong."""
    try:
        decryptor = Cipher(algorithms.AES(bytes.fromhex(key or "")), modes.CBC(bytes.fromhex(iv or ""))).decryptor()
        return (decryptor.update(data) + decryptor.finalize()).rstrip(b"\0").decode()
    except ValueError:
        return ""


def multipart(request: Request) -> dict[str, bytes]:
    """Field -> content of a multipart body."""
    head = f"Content-Type: {request.headers.get('content-type', '')}\r\n\r\n".encode()
    message = BytesParser(policy=HTTP).parsebytes(head + request.body)
    parts = message.iter_parts() if message.is_multipart() else ()
    return {str(part.get_param("name", header="content-disposition")): part.get_payload(decode=True) or b"" for part in parts}


class FakeYealink(FakePhone):
    """``scope``: "phone" (sip.listen_port) or "line" (account.N.sip_listen_port)."""

    MAC = "805EC0123456"
    generation = ""
    static = "static."              # prefix of some keys since v81

    def __init__(self, *, scope: str = "phone", **more: Any) -> None:
        self.scope = scope
        self.lock_minutes = 3
        self.locked_until = 0.0
        self._failures = 0
        self._sessions: dict[str, int] = {}     # session id -> authenticated requests
        self._sock = threading.local()
        self._factory: dict[str, str] = {}
        super().__init__(**more)

    # ------------------------------------------------------------------ settings

    def account_count(self) -> int:
        return _ACCOUNTS.get(self.model, 2)

    def factory(self, accounts: list[dict[str, Any]]) -> None:
        self.values.update({self.static + key: value for key, value in _PHONE.items()})
        self.values.update(_OTHERS)
        if self.scope == "phone":
            self.values.update({"sip.listen_port": "5060", "sip.tls_listen_port": "5061", "sip.listen_mode": "0"})
        for n in range(1, self.accounts + 1):
            self.values.update({f"account.{n}.{key}": value for key, value in _PER_ACCOUNT.items()})
            if self.scope == "line":
                self.values[f"account.{n}.sip_listen_port"] = "5060"
        self._factory = dict(self.values)
        for n, account in enumerate(accounts, 1):
            user = str(account.get("user", ""))
            self.values.update({f"account.{n}.{key}": value for key, value in {
                "enable": "1" if account.get("active", True) else "0", "user_name": user, "auth_name": user, "label": user,
                "password": "correct-horse", "sip_server.1.address": "192.0.2.10"}.items()})
            if account.get("port") is not None and self.scope == "line":
                self.values[f"account.{n}.sip_listen_port"] = str(account["port"])

    def port_of(self, account: int) -> int | None:
        if self.values[f"account.{account}.enable"] != "1":
            return None
        return int(self.values["sip.listen_port" if self.scope == "phone" else f"account.{account}.sip_listen_port"] or 5060)

    def nat_of(self, account: int) -> Any:
        return [self.values.get(f"account.{account}.nat.{name}") for name in ("nat_traversal", "udp_update_enable", "udp_update_time", "rport")]

    def valid(self, key: str, value: str) -> bool:
        if key.endswith("listen_port"):
            return value.isdigit() and 1024 <= int(value) <= 65535
        if key.endswith(("nat_traversal", "udp_update_enable", "nat.rport")):
            return value in ("0", "1", "2", "3")
        return not key.endswith("udp_update_time") or (value.isdigit() and int(value) >= 1)

    def masked(self, key: str) -> str:
        value = self.values[key]
        return MASK if value and _SECRET.search(key) else value

    # ------------------------------------------------------------------ configuration files

    def exported(self) -> bytes:
        changed = self.faults.get("changed_only")
        lines = [f"{key} = {self.masked(key)}" for key in sorted(self.values) if not changed or self.values[key] != self._factory[key]]
        return "\n".join(["#!version:1.0.0.1", '##File header "#!version:1.0.0.1" can not be edited or deleted.##', "", *lines, ""]).encode()

    def imported(self, content: bytes) -> dict[str, str] | None:
        """The known keys of a configuration file; None: no such file."""
        lines = content.decode("utf-8", "replace").splitlines()
        if not lines or lines[0].strip() != "#!version:1.0.0.1":
            return None
        pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith("#"))
        return {key.strip(): value.strip() for key, dummy, value in pairs if key.strip() in self.values}

    # ------------------------------------------------------------------ sessions and lock

    def expire_sessions(self) -> None:
        self._sessions.clear()

    def is_locked(self) -> bool:
        return bool(self.faults.get("locked")) or time.monotonic() < self.locked_until

    def minutes_left(self) -> int:
        return max(1, math.ceil((self.locked_until - time.monotonic()) / 60)) if self.locked_until > time.monotonic() else self.lock_minutes

    def attempt(self, username: str | None, password: str | None) -> str:
        """One login: "done", "none" (wrong) or "lock". After 5 failures it locks; each further attempt starts the time anew."""
        self.login_attempts += 1
        if self.is_locked():
            self.locked_until = time.monotonic() + 60 * self.lock_minutes
            return "lock"
        if username == self.username and password == self.password:
            self._failures = 0
            self.logins += 1
            return "done"
        self._failures += 1
        if self._failures >= 5:
            self._failures = 0
            self.locked_until = time.monotonic() + 60 * self.lock_minutes
        return "none"

    def open_session(self, sid: str = "") -> str:
        sid = sid or secrets.token_hex(16)
        self._sessions[sid] = 0
        return sid

    def session_of(self, request: Request) -> bool:
        """Does the request belong to a live session? Counts it."""
        sid = request.cookies.get("JSESSIONID", "")
        if sid not in self._sessions:
            return False
        self._sessions[sid] += 1
        limit = self.faults.get("session_lost_after")
        if limit is not None and self._sessions[sid] > limit:
            del self._sessions[sid]
            return False
        return True

    def close_session(self, request: Request) -> None:
        if self._sessions.pop(request.cookies.get("JSESSIONID", ""), None) is not None:
            self.logouts += 1

    def colons(self) -> str:
        return "" if self.faults.get("no_mac") else ":".join(self.mac[i:i + 2] for i in range(0, 12, 2))

    # ------------------------------------------------------------------ one path for everything

    def _fault(self, sock: Any, path: str) -> None:
        """Where one path does many things, faults and log go by path and query (see by_query())."""
        self._sock.now = sock
        if path not in ("/servlet", "/api/diagnosis/cfg/file"):
            super()._fault(sock, path)

    def by_query(self, request: Request) -> None:
        """Log and faults of a request by its path and query. Called by the handlers of such paths."""
        whole = f"{request.path}?" + "&".join(f"{name}={value}" for name, value in request.query.items())
        self.log[-1] = f"{request.method} {whole}"
        super()._fault(self._sock.now, whole)

    @staticmethod
    def page(body: str, title: str = "Yealink", **more: Any) -> Reply:
        return Reply(body=f"<html><head><title>{title}</title></head><body>{body}</body></html>".encode(), **more)
