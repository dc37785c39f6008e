# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where values stand in requests and in answers, and which answer a request's value has come from."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import EvenportError
from ansible_collections.evenport.sip.plugins.module_utils.har.recording import Exchange
from ansible_collections.evenport.sip.plugins.module_utils.http.forms import forms_of
from ansible_collections.evenport.sip.plugins.module_utils.phones.learned.profile import Source
from ansible_collections.evenport.sip.plugins.module_utils.phones.learned.sources import MISSING, take
from ansible_collections.evenport.sip.plugins.module_utils.phones.learned.template import as_text

# Headers of answers that carry no value for a later request.
_PLAIN_HEADERS = re.compile(
    r"accept-ranges|access-control-.*|age|allow|cache-control|connection|content-.*|cross-origin-.*|date|etag|expires|keep-alive|last-modified|location|"
    r"permissions-policy|pragma|referrer-policy|server|set-cookie|strict-transport-security|transfer-encoding|upgrade|vary|via|www-authenticate|"
    r"x-content-type-options|x-frame-options|x-powered-by|x-xss-protection"
)
_MOST = 20000                   # values of one answer that are looked at


@dataclass(frozen=True)
class Seen:
    """A value in an answer."""

    index: int                  # of its exchange
    source: Source
    value: Any = field(repr=False)
    pointer: tuple[Any, ...] = ()       # names and numbers on the way to it

    @property
    def name(self) -> str:
        return last_name(self.pointer)


def last_name(pointer: tuple[Any, ...]) -> str:
    """The last name on the way: of accounts[0].codecs[1] it is codecs."""
    return next((str(step) for step in reversed(pointer) if isinstance(step, str)), "")


def walk(data: Any, pointer: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every value in JSON, lists and dictionaries too, the outer before the inner."""
    if pointer:
        yield pointer, data
    if len(pointer) < 30:
        inner = data.items() if isinstance(data, Mapping) else enumerate(data) if isinstance(data, list) else ()
        for key, value in inner:
            yield from walk(value, (*pointer, key))


def jmespath_of(pointer: tuple[Any, ...]) -> str:
    """('accounts', 0, 'local-port') -> accounts[0]."local-port"."""
    path = ""
    for step in pointer:
        if isinstance(step, int):
            path += f"[{step}]"
        else:
            path += ("." if path else "") + (step if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", step) else json.dumps(step))
    return path


@lru_cache(maxsize=2000)
def seen_in(exchange: Exchange) -> tuple[Seen, ...]:
    """The values in an answer, the best places first."""
    return tuple(_seen_in(exchange))


def _seen_in(exchange: Exchange) -> Iterator[Seen]:
    if exchange.is_json:
        for number, (pointer, value) in enumerate(walk(exchange.json)):
            if number >= _MOST:
                break
            yield Seen(exchange.index, Source("json", jmespath_of(pointer)), value, pointer)
    for name, value in exchange.answer.headers.items():
        if not _PLAIN_HEADERS.fullmatch(name):
            yield Seen(exchange.index, Source("header", name), value, (name,))
    if exchange.is_page:
        for name, value in fields_of(exchange):
            yield Seen(exchange.index, Source("form", name), value, (name,))


def fields_of(exchange: Exchange) -> list[tuple[str, str]]:
    """(name, value) of all form fields of a page. A name that several forms have with different values is left out."""
    try:
        pairs = [pair for form in forms_of(exchange.answer, exchange.path) for pair in form.pairs]
    except EvenportError:
        return []
    return [(name, value) for name, value in pairs if extracts(exchange, Source("form", name), value)]


def extracts(exchange: Exchange, source: Source, value: Any) -> bool:
    """Does the driver's own way of taking find the recorded value there?"""
    try:
        found = take(source, exchange.answer, exchange.path)
    except EvenportError:
        return False
    return found is not MISSING and as_text(found) == as_text(value)


def find_token(value: str, earlier: list[Exchange], prefer: Callable[[int], bool]) -> tuple[int, Source] | None:
    """The answer that a token has come from: the preferred one, else the first that shows it."""
    places = [
        (one.index, one.source)
        for exchange in earlier
        for one in seen_in(exchange)
        if isinstance(one.value, (str, int)) and not isinstance(one.value, bool) and as_text(one.value) == value and extracts(exchange, one.source, value)
    ]
    for exchange in earlier:
        places += [(exchange.index, Source("cookie", name)) for name in cookies_set(exchange) if extracts(exchange, Source("cookie", name), value)]
    if not places:
        places = [(exchange.index, source) for exchange in earlier if (source := _in_text(exchange, value)) is not None]
    return next((place for place in places if prefer(place[0])), places[0] if places else None)


def cookies_set(exchange: Exchange) -> list[str]:
    """The names of the cookies that an answer sets."""
    return re.findall(r"(?:^|,)\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)=", exchange.answer.headers.get("set-cookie", ""))


def _in_text(exchange: Exchange, value: str) -> Source | None:
    """A token in the text of a page or script, by what stands before it on its line."""
    if exchange.is_json or len(value) < 6:
        return None
    text = exchange.answer.text
    at = text.find(value)
    while at >= 0:
        for length in (16, 24, 40, 60):
            mark = text[max(0, at - length):at].rpartition("\n")[2]
            if len(mark) >= 4 and extracts(exchange, Source("text", mark), value):
                return Source("text", mark)
        at = text.find(value, at + 1)
    return None


def near(one: tuple[Any, ...], other: tuple[Any, ...]) -> int:
    """How many steps two ways begin with alike."""
    return next((number for number, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
