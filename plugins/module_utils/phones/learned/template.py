# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The templates of learned profiles: ``{{ name }}``, ``{{ password + nonce | sha256 }}``. Ours and tiny, so that a profile can execute nothing.

In the braces stand names and "texts" joined by +, filters behind |, and brackets around a part: ``{{ (password | md5) + nonce | md5 }}``.
Filters apply to all that stands before them. A template that is one pair of braces keeps the value's type (a number stays one in JSON).
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import BadAnswer, EvenportError

SAME_AS = "$same_as"
LONGEST = 400                   # characters between two braces

_PIECE = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_TOKEN = re.compile(r"\s*(?:([a-z_][a-z0-9_]{0,60})|\"([^\"]*)\"|([+|()]))")


def as_text(value: Any) -> str:
    """A value as it stands in a form, a header or a path: true and false as in JSON, nothing as ""."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _hashed(name: str) -> Callable[[Any], str]:
    return lambda value: hashlib.new(name, as_text(value).encode(), usedforsecurity=False).hexdigest()


def _number(value: Any) -> Any:
    text = as_text(value)
    return int(text) if re.fullmatch(r"-?[0-9]{1,18}", text, re.ASCII) else value


FILTERS: dict[str, Callable[[Any], Any]] = {
    "md5": _hashed("md5"), "sha1": _hashed("sha1"), "sha256": _hashed("sha256"), "sha512": _hashed("sha512"),
    "base64": lambda value: base64.b64encode(as_text(value).encode()).decode(),
    "upper": lambda value: as_text(value).upper(),
    "lower": lambda value: as_text(value).lower(),
    "text": as_text,
    "number": _number,
    "flag": lambda value: "1" if value is True or value == "true" else "0",
}


def names_in(template: str) -> set[str]:
    """The names that a template uses.

    :raises ValueError: it is no template, with the reason
    """
    if _PIECE.sub("", template).count("{{") or _PIECE.sub("", template).count("}}"):
        raise ValueError("braces without their counterpart")
    return {name for piece in _PIECE.findall(template) for name in _names(_parsed(piece))}


def render(template: str, values: Mapping[str, Any]) -> Any:
    """The template filled in.

    :raises BadAnswer: a name without a value: the phone has not said it
    """
    whole = _PIECE.fullmatch(template)
    if whole and "}}" not in whole[1]:
        return _evaluate(_parsed(whole[1]), values)
    return _PIECE.sub(lambda piece: as_text(_evaluate(_parsed(piece[1]), values)), template)


def render_all(data: Any, values: Mapping[str, Any]) -> Any:
    """Every text in JSON-like data rendered. {"$same_as": name, "$set": {...}, "$without": [...]} is a dictionary that the phone has answered, with changes."""
    if isinstance(data, str):
        return render(data, values)
    if isinstance(data, Mapping) and SAME_AS in data:
        own = values.get(data[SAME_AS])
        if not isinstance(own, Mapping):
            raise BadAnswer(f"the phone has not answered {data[SAME_AS]!r}, which its profile needs here.", "")
        return {**{key: value for key, value in own.items() if key not in data.get("$without", ())}, **render_all(data.get("$set", {}), values)}
    if isinstance(data, Mapping):
        return {key: render_all(value, values) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [render_all(value, values) for value in data]
    return data


@lru_cache(maxsize=2000)
def _parsed(text: str) -> Any:
    """The inside of braces as a tree: ("name", n), ("text", t), ("join", parts), ("filter", part, name)."""
    if len(text) > LONGEST:
        raise ValueError(f"more than {LONGEST} characters in braces")
    tokens, at = [], 0
    text = text.strip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if not found:
            raise ValueError(f"{text[at:at + 20]!r} is neither a name, a \"text\" nor one of + | ( )")
        tokens.append(("name", found[1]) if found[1] else (found[3], "") if found[3] else ("text", found[2]))
        at = found.end()
    tree = _sum(tokens)
    if tokens:
        raise ValueError(f"{tokens[0][0]!r} too many in {text!r}")
    return tree


def _sum(tokens: list[tuple[str, str]]) -> Any:
    parts = [_term(tokens)]
    while tokens and tokens[0][0] == "+":
        tokens.pop(0)
        parts.append(_term(tokens))
    tree = parts[0] if len(parts) == 1 else ("join", tuple(parts))
    while tokens and tokens[0][0] == "|":
        tokens.pop(0)
        kind, name = tokens.pop(0) if tokens else ("", "")
        if kind != "name" or name not in FILTERS:
            raise ValueError(f"{name!r} is no filter; known: {', '.join(FILTERS)}")
        tree = ("filter", tree, name)
    return tree


def _term(tokens: list[tuple[str, str]]) -> Any:
    if not tokens:
        raise ValueError("something is missing in the braces")
    kind, text = tokens.pop(0)
    if kind == "(":
        tree = _sum(tokens)
        if not tokens or tokens.pop(0)[0] != ")":
            raise ValueError("a bracket is not closed")
        return tree
    if kind not in ("name", "text"):
        raise ValueError(f"{kind!r} where a name should be")
    return (kind, text)


def _names(tree: Any) -> set[str]:
    if tree[0] == "join":
        return {name for part in tree[1] for name in _names(part)}
    if tree[0] == "filter":
        return _names(tree[1])
    return {tree[1]} if tree[0] == "name" else set()


def _evaluate(tree: Any, values: Mapping[str, Any]) -> Any:
    if tree[0] == "text":
        return tree[1]
    if tree[0] == "join":
        return "".join(as_text(_evaluate(part, values)) for part in tree[1])
    if tree[0] == "filter":
        return FILTERS[tree[2]](_evaluate(tree[1], values))
    if tree[1] not in values:
        raise BadAnswer(f"the phone has not answered {tree[1]!r}, which its profile needs here.", "")
    return values[tree[1]]


def evaluate(text: str, values: Mapping[str, Any]) -> Any:
    """The inside of braces, evaluated. For who looks for the right one.

    :raises EvenportError: a name without a value
    """
    try:
        return _evaluate(_parsed(text), values)
    except ValueError as error:
        raise EvenportError(f"{text!r} is no template: {error}.") from error
