# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A recording of a browser (HAR 1.2) as what the reader of it needs: requests with their values one by one, and answers.

Pure: text in, data out. A recording is full of secrets: nothing here puts a value of it into a message.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from ansible_collections.evenport.sip.plugins.module_utils.errors import BadAnswer, EvenportError
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import Answer, parse_cookies

LARGEST = 100 * 1024 * 1024     # characters of a HAR file
MOST = 5000                     # requests

# What every browser sends by itself, and a script does not need. Everything else in a request is the page's own.
_BROWSERS = re.compile(
    r"(?i):.*|accept(-charset|-encoding|-language)?|cache-control|connection|content-length|cookie|dnt|host|if-.*|keep-alive|origin|pragma|priority|"
    r"purpose|referer|sec-.*|te|upgrade-insecure-requests|user-agent|x-client-data|x-devtools-.*"
)
_SCENERY = re.compile(r"(?i)\.(css|png|jpe?g|gif|svg|ico|woff2?|ttf|eot|map)$")


class Headers(dict[str, str]):
    """Headers of an answer; looked up without regard to case."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        super().__init__()
        for name, value in pairs:
            known = name.lower()
            self[known] = f"{self[known]}, {value}" if known in self else value

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)


@dataclass(frozen=True, eq=False, repr=False)        # full of secrets
class Exchange:
    """One request of the page to the phone and its answer. ``body_kind``: "", json, form or other."""

    index: int
    method: str
    path: str                       # as sent, percent signs and all
    query: tuple[tuple[str, str], ...]
    headers: dict[str, str]         # the page's own, by their name as sent
    cookies: dict[str, str]
    body_kind: str
    body: Any                       # json: data; form: tuple of pairs; other: text
    content_type: str
    time: float                     # seconds since the epoch, 0 where it is not known
    answer: Answer
    json: Any = field(default=None)         # the answer, where it is JSON
    is_json: bool = False

    @property
    def label(self) -> str:
        """How people call it. Parts of the path that look like a token are not shown."""
        return f"{self.method} {'/'.join('...' if looks_random(part) else part for part in self.path.split('/'))}"

    @property
    def is_page(self) -> bool:
        return "html" in self.answer.headers.get("content-type", "").lower()

    @property
    def is_script(self) -> bool:
        return "javascript" in self.answer.headers.get("content-type", "").lower() or (self.path.endswith(".js") and not self.is_page)

    @property
    def same(self) -> tuple[Any, ...]:
        """What makes two requests the same question."""
        return (self.method, self.path, tuple((name, value) for name, value in self.query if not is_clock(value, self.time) and not is_dice(value)),
                repr(self.body) if self.method != "GET" else "")


@dataclass(frozen=True)
class Recording:
    """The requests to one phone, in their order."""

    origin: str
    exchanges: tuple[Exchange, ...]
    left_out: tuple[str, ...]       # sentences
    sanitized: bool                 # no cookie in it at all: the browser has left them out


def looks_random(text: str) -> bool:
    """Does it look made by a machine, so that it may be a token? Long, and no word."""
    if len(text) < 8 or re.search(r"\s", text):
        return False
    digits, letters = bool(re.search(r"[0-9]", text)), bool(re.search(r"[A-Za-z]", text))
    if re.fullmatch(r"[0-9A-Fa-f]{8,}", text) and digits:
        return True
    if (
        digits
        and letters
        and len(text) >= 10
        and not re.fullmatch(r"[A-Za-z]{3,}[-_.]?[0-9]{1,4}|[0-9]{1,3}(\.[0-9]{1,3}){3}(:[0-9]+)?|[\w.-]+\.[a-z]{1,5}", text)
    ):
        return True
    return len(text) >= 24 and not re.search(r"[A-Za-z]+[ _.,/-][A-Za-z]+[ _.,/-]", text)


def is_clock(text: str, now: float) -> bool:
    """The time of the recording in seconds or milliseconds: what pages put behind an address so that no cache answers."""
    return bool(now and re.fullmatch(r"[0-9]{10}|[0-9]{13}", text)) and abs(int(text[:10]) - now) < 2 * 86400


def is_dice(text: str) -> bool:
    """What Math.random() gives."""
    return bool(re.fullmatch(r"0\.[0-9]{9,20}", text))


def read_har(text: str) -> Recording:
    """:raises EvenportError: no HAR, or none that holds requests to one phone"""
    if len(text) > LARGEST:
        raise EvenportError("The recording is larger than 100 MB.", "Record only the login, the page of the port and the saving.")
    try:
        entries = json.loads(text.removeprefix("\ufeff"))["log"]["entries"]
        if not isinstance(entries, list):
            raise ValueError
    except (ValueError, TypeError, KeyError, RecursionError):
        raise EvenportError("The recording is no HAR file.", 'In the browser\'s developer tools, tab Network, choose "Save all as HAR with content".') from None
    if len(entries) > MOST:
        raise EvenportError(f"The recording holds {len(entries)} requests, more than {MOST}.", "Record only the login, the page of the port and the saving.")
    entries = sorted((entry for entry in entries if _usable(entry)), key=lambda entry: str(entry.get("startedDateTime", "")))
    origin = next((_origin(entry) for entry in entries if "html" in _type(entry)), _origin(entries[0]) if entries else "")
    if not origin:
        raise EvenportError("The recording holds no request to a web page.", "Record from before the login until after the saving.")
    ours = [entry for entry in entries if _origin(entry) == origin]
    others = sorted({urlsplit(_origin(entry)).hostname or "?" for entry in entries if _origin(entry) != origin})
    left_out = [f"Requests to {', '.join(others)} were left out: the profile talks to the phone only."] if others else []
    exchanges = tuple(one for number, entry in enumerate(ours) if (one := _exchange(number, entry)) is not None)
    seen = any(exchange.cookies or exchange.answer.headers.get("set-cookie") for exchange in exchanges)
    return Recording(origin, exchanges, tuple(left_out), not seen)


def _usable(entry: Any) -> bool:
    try:
        request, response = entry["request"], entry["response"]
        return bool(
            urlsplit(request["url"]).scheme in ("http", "https")
            and request["method"] not in ("OPTIONS", "HEAD", "CONNECT")
            and int(response["status"]) > 0
            and not _SCENERY.search(urlsplit(request["url"]).path)
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return False


def _origin(entry: Any) -> str:
    return "{0.scheme}://{0.netloc}".format(urlsplit(entry["request"]["url"]))


def _type(entry: Any) -> str:
    content = entry["response"].get("content")
    return str(content.get("mimeType", "")).lower() if isinstance(content, Mapping) else ""


def _exchange(number: int, entry: Mapping[str, Any]) -> Exchange | None:
    try:
        request, response = entry["request"], entry["response"]
        url = urlsplit(request["url"])
        sent = _pairs(request.get("headers"))
        own = {name: value for name, value in sent if not _BROWSERS.fullmatch(name) and name.lower() != "content-type"}
        cookies = {name: value for header, line in sent if header.lower() == "cookie" for name, value in parse_cookies([line]).items()}
        cookies.update(_pairs(request.get("cookies")))
        content_type = next((value for name, value in sent if name.lower() == "content-type"), "")
        kind, body = _body(request.get("postData"), content_type)
        answer = _answer(request["method"], url.path or "/", response)
        try:
            data, is_json = answer.json() if answer.text.lstrip()[:1] in ("{", "[") else None, answer.text.lstrip()[:1] in ("{", "[")
        except BadAnswer:
            data, is_json = None, False
        return Exchange(
            number,
            str(request["method"]),
            url.path or "/",
            tuple(parse_qsl(url.query, keep_blank_values=True)),
            own,
            cookies,
            kind,
            body,
            content_type,
            _time(entry.get("startedDateTime")),
            answer,
            data,
            is_json,
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None                             # an entry that is not as HAR says: as if it were not there


def _answer(method: str, path: str, response: Mapping[str, Any]) -> Answer:
    content = response.get("content") or {}
    text = str(content.get("text") or "")
    try:
        body = base64.b64decode(text) if content.get("encoding") == "base64" else text.encode("utf-8", "replace")
    except (binascii.Error, ValueError):
        body = b""
    pairs = _pairs(response.get("headers"))
    if not any(name.lower() == "content-type" for name, dummy in pairs):
        pairs.append(("content-type", str(content.get("mimeType") or "")))
    if not any(name.lower() == "set-cookie" for name, dummy in pairs):
        pairs += [("set-cookie", f"{name}={value}") for name, value in _pairs(response.get("cookies"))]
    return Answer(f"{method} {path}", int(response["status"]), Headers(pairs), body)


def _body(data: Any, content_type: str) -> tuple[str, Any]:
    if not isinstance(data, Mapping):
        return "", None
    text = str(data.get("text") or "")
    kind = (content_type or str(data.get("mimeType") or "")).lower()
    if not text and data.get("params"):
        return ("form", tuple((name, unquote(value)) for name, value in _pairs(data["params"]))) if "multipart" not in kind else ("other", "")
    if not text:
        return "", None
    if text.lstrip()[:1] in ("{", "["):
        try:
            return "json", json.loads(text)
        except (ValueError, RecursionError):
            return "other", text
    if "multipart" in kind or "xml" in kind or text.lstrip()[:1] == "<":
        return "other", text
    if "urlencoded" in kind or re.match(r"[^=&\s]{1,80}=", text):
        return "form", tuple(parse_qsl(text, keep_blank_values=True))
    return "other", text


def _pairs(data: Any) -> list[tuple[str, str]]:
    """name and value of HAR's lists of such."""
    return [(str(one["name"]), str(one.get("value", ""))) for one in data or [] if isinstance(one, Mapping) and "name" in one]


def _time(text: Any) -> float:
    try:
        return datetime.fromisoformat(str(text).replace("Z", "+00:00")).timestamp()
    except (ValueError, OverflowError):
        return 0.0
