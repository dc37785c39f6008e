# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The phone's side of HTTP authentication (RFC 7617, RFC 7616), for the fakes of brands without sessions."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets

from tests.fakes.web import Request

_FIELD = re.compile(r"(\w+)\s*=\s*(?:\"([^\"]*)\"|([^\s,]+))")
_HASH = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}


class Guard:
    """``scheme`` is Basic, Digest (MD5) or Digest-SHA-256. ``wrong`` counts requests with credentials that are not right."""

    def __init__(self, username: str, password: str, realm: str = "phone", scheme: str = "Basic") -> None:
        self.username, self.password, self.realm, self.scheme = username, password, realm, scheme
        self.wrong = self.right = 0
        self.nonce = secrets.token_hex(16)

    def admits(self, request: Request) -> bool:
        """Do the request's credentials fit? A request without any is not a wrong one."""
        kind, dummy, given = request.headers.get("authorization", "").partition(" ")
        if not kind:
            return False
        wanted = "Basic" if self.scheme == "Basic" else "Digest"
        good = kind == wanted and (self._basic(given) if kind == "Basic" else self._digest(request, given))
        self.right += good
        self.wrong += not good
        return good

    def challenge(self) -> tuple[str, str]:
        """The header of a 401."""
        if self.scheme == "Basic":
            return ("WWW-Authenticate", f'Basic realm="{self.realm}"')
        return ("WWW-Authenticate", f'Digest realm="{self.realm}", nonce="{self.nonce}", qop="auth", algorithm={self._algorithm()}')

    def stale(self) -> tuple[str, str]:
        """The nonce has aged: a new one, and a 401 header that says so."""
        self.nonce = secrets.token_hex(16)
        name, value = self.challenge()
        return (name, value + ", stale=true")

    def _algorithm(self) -> str:
        return "SHA-256" if self.scheme == "Digest-SHA-256" else "MD5"

    def _basic(self, given: str) -> bool:
        try:
            return base64.b64decode(given).decode("utf-8") == f"{self.username}:{self.password}"
        except ValueError:
            return False

    def _digest(self, request: Request, given: str) -> bool:
        got = {name: quoted or plain for name, quoted, plain in _FIELD.findall(given)}

        def digest(text: str) -> str:
            return _HASH[self._algorithm()](text.encode()).hexdigest()

        ha1 = digest(f"{self.username}:{self.realm}:{self.password}")
        ha2 = digest(f"{request.method}:{got.get('uri', '')}")
        wanted = digest(":".join([ha1, self.nonce, got.get("nc", ""), got.get("cnonce", ""), "auth", ha2]))
        path = got.get("uri", "").partition("?")[0]
        return got.get("username") == self.username and got.get("nonce") == self.nonce and path == request.path and got.get("response") == wanted
