# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP authentication as a device asks for it: Basic or Digest, never before it has asked, and one attempt.

Digest is computed by requests. Its own way of answering a challenge is not used: it would read the body of the 401 without a limit.
"""

from __future__ import annotations

import base64
import re

from ansible_collections.evenport.sip.plugins.module_utils.http.answer import Answer

try:
    from requests.auth import HTTPDigestAuth
    from requests.utils import parse_dict_header
except ImportError:                             # pragma: no cover - ansible-test imports without third-party libraries
    HTTPDigestAuth = parse_dict_header = None

# One challenge of a WWW-Authenticate header: a device may offer several, in one line or in many.
_CHALLENGE = re.compile(r"(?i)\b(basic|digest)\s+(.*?)(?=,\s*(?:basic|digest)\s|$)", re.DOTALL)
_ALGORITHMS = ("", "MD5", "MD5-SESS", "SHA", "SHA-256", "SHA-512")


class HttpAuth:
    """User and password for one device. ``take()`` its challenge, then ``header()`` for each request."""

    def __init__(self, username: str, password: str) -> None:
        self._username, self._password = username, password
        self._digest = None

    def take(self, refusal: Answer) -> bool:
        """Take the challenge of a 401. Digest rather than Basic where both are offered. False: nothing that we can answer."""
        offers = {scheme.lower(): parse_dict_header(rest.strip()) for scheme, rest in _CHALLENGE.findall(refusal.headers.get("WWW-Authenticate", ""))}
        digest = offers.get("digest")
        if digest and digest.get("nonce") and str(digest.get("algorithm", "")).upper() in _ALGORITHMS:
            self._digest = HTTPDigestAuth(self._username, self._password)
            self._digest.init_per_thread_state()
            self._digest._thread_local.chal = digest
            return True
        self._digest = None
        return "basic" in offers

    def header(self, method: str, url: str) -> str:
        """The value of Authorization for one request."""
        if self._digest:
            return str(self._digest.build_digest_header(method, url))
        return "Basic " + base64.b64encode(f"{self._username}:{self._password}".encode()).decode()


def is_stale(refusal: Answer) -> bool:
    """A 401 that says: the password is right, only the nonce has aged. What was asked has not been done."""
    return refusal.status == 401 and bool(re.search(r"(?i)\bstale\s*=\s*\"?true", refusal.headers.get("WWW-Authenticate", "")))


def realm(refusal: Answer) -> str:
    """The realm of a 401; '' for none."""
    found = re.search(r"(?i)\brealm\s*=\s*(?:\"([^\"]*)\"|([^\s,]+))", refusal.headers.get("WWW-Authenticate", ""))
    return (found.group(1) or found.group(2) or "") if found else ""
