# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an HTTP answer is, once it has been read whole, and the cookies of one device."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import BadAnswer, EvenportError

try:
    import jmespath
except ImportError:                             # pragma: no cover - ansible-test imports without third-party libraries
    jmespath = None

# A cookie's name is a token (RFC 6265); the value ends at ";" and, as phones join fragments with commas, at ",".
_COOKIE = re.compile(r"\s*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)=(\"[^\"]*\"|[^;,\s]*)")
_ATTRIBUTES = frozenset(("path", "domain", "expires", "max-age", "secure", "httponly", "samesite", "version", "comment"))
_TITLE = re.compile(r"<title[^>]*>([^<]{0,200})", re.IGNORECASE)


@dataclass(frozen=True)
class Answer:
    """One answer. ``headers`` look up without regard to case; ``body`` is decoded from its transfer encoding and never above the size limit."""

    where: str                      # "GET /cgi-bin/config_get of https://192.0.2.7": never a query, which may hold a session
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @property
    def title(self) -> str:
        """The title of an HTML page, printable and short: evidence for messages."""
        found = _TITLE.search(self.text[:20000])
        return printable(found.group(1), 60) if found else ""

    def json(self) -> Any:
        """The body as JSON, whatever its Content-Type says. :raises BadAnswer: it is none."""
        return parse_json(self.text, self.where)


def parse_json(text: str, where: str) -> Any:
    """JSON of a device, or BadAnswer: never one of json's own errors (a hostile answer has several ways to raise)."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadAnswer(f"{where} answered {len(text)} characters that are no JSON.",
                        "Is this address really the phone's web page? A restart of the phone may help.") from error


def pick(data: Any, path: str) -> Any:
    """What a JMESPath finds in a device's JSON; None where the answer has another shape than we think, whatever it is."""
    if jmespath is None:
        raise EvenportError("The Python library jmespath is missing on the machine that runs this task.", "Run: pip install jmespath")
    return jmespath.search(path, data)


def printable(text: str, limit: int) -> str:
    """Device text made safe for one line of a message."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:limit]


def whole(text: str, low: int = 0, high: int = 65535) -> int | None:
    """A device's text as a whole number from *low* to *high*: ASCII digits with blanks around them. None: anything else, nothing included."""
    plain = text.strip()
    number = int(plain) if plain.isascii() and plain.isdigit() and len(plain) < 13 else -1
    return number if low <= number <= high else None


def parse_cookies(headers: Iterable[str]) -> dict[str, str]:
    """Set-Cookie lines -> name -> value.

    Tolerant on purpose: a Grandstream may join cookies of one line with commas and leave attributes in pieces
    ([HW] third-party client), and every phone is addressed by IP, where the domain rules of a browser have no meaning.
    """
    cookies: dict[str, str] = {}
    for header in headers:
        for piece in re.split(r"[;,]", header):
            found = _COOKIE.fullmatch(piece.rstrip())
            if found and found.group(1).lower() not in _ATTRIBUTES:
                cookies[found.group(1)] = found.group(2).strip('"')
    return cookies
