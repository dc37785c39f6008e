# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A learned profile, checked: whatever is in the file, the driver gets known words, templates that parse, and paths on the phone's own address.

The shape (docs/profiles.md explains it to people)::

    profile: 1
    kind: learned
    name: Acme N40
    scope: line                 # line: the recorded line has a port of its own; phone: one port for all lines
    line: 1                     # the line that was recorded; no other is driven
    apply: live                 # live, or reboot: the phone restarts by itself after each write
    auth: ""                    # http: the phone asks with Basic or Digest, and there is no login step
    recognise: {path: /, contains: "<title>Acme N40"}
    identify: [STEP, ...]       # without a login; takes mac
    login: [STEP, ...]
    read: [STEP, ...]           # one of them has value
    write: [STEP, ...]          # one of them uses port
    logout: [STEP, ...]

    STEP: {method: POST, path: /api/login, query: {n: T}, headers: {n: T}, cookies: {n: T},
           body: {json: ...T..., and {$same_as: taken, $set: {k: T}, $without: [k]} for a dictionary that goes back as it came} |
                  {form: [[n, T], ...]} | {form_of: fields, set: [[n, T], ...], without: [n, ...]},
           take: {token: SOURCE}, value: SOURCE, expect: {status: 302, json: {result: ok}}, only_if: {own_box: false}}
    SOURCE: {from: json|form|header|cookie|text|fields, path: JMESPath|field|name|name|text before it|a field of the form}

T is a template of learned_template.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import EvenportError
from ansible_collections.evenport.sip.plugins.module_utils.phones.learned.template import SAME_AS, names_in

GIVEN = frozenset(("username", "password", "port", "line", "line0", "now", "now_ms", "random"))         # names that nobody takes
PHASES = ("identify", "login", "read", "write", "logout")
SOURCES = ("json", "form", "header", "cookie", "text", "fields")
MOST = 40                       # steps of a phase

_WORDS = {"profile", "kind", "name", "scope", "line", "apply", "auth", "recognise", *PHASES}
_STEP_WORDS = {"method", "path", "query", "headers", "cookies", "body", "take", "value", "expect", "only_if"}
_OURS = frozenset(("host", "cookie", "authorization", "content-length", "transfer-encoding", "connection", "proxy-authorization"))
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")


@dataclass(frozen=True)
class Source:
    """Where in an answer a value stands."""

    kind: str
    path: str


@dataclass(frozen=True)
class Step:
    """One request, as templates, and what its answer is good for."""

    where: str                                  # "login[1]", for messages
    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)
    take: dict[str, Source] = field(default_factory=dict)
    value: Source | None = None
    status: int = 0                             # 0: any success
    said: dict[str, Any] = field(default_factory=dict)      # JMESPath -> what it must find
    names: frozenset[str] = frozenset()         # that it uses
    only_if: dict[str, Any] = field(default_factory=dict)   # taken name -> the value without which nothing is written


@dataclass(frozen=True)
class Learned:
    """The whole profile."""

    name: str
    scope: str
    line: int
    apply: str
    auth: str
    steps: dict[str, tuple[Step, ...]]


def parse(profile: Mapping[str, Any], owner: str = "") -> Learned:
    """:arg owner: the phone's name, for messages
    :raises EvenportError: the first thing that is wrong, and where
    """
    try:
        return _learned(profile)
    except ValueError as error:
        prefix = f"{owner}: " if owner else ""
        raise EvenportError(
            f"{prefix}the profile can't be used: {error}.", "docs/profiles.md has its shape; correct it, or make it anew with evenport.sip.phone_profile."
        ) from error


def _learned(profile: Mapping[str, Any]) -> Learned:
    _known(profile, _WORDS, "the profile")
    scope, apply, auth = (_choice(profile, word, choices) for word, choices in
                          (("scope", ("line", "phone")), ("apply", ("live", "reboot")), ("auth", ("", "http"))))
    line = profile.get("line", 1)
    if not isinstance(line, int) or isinstance(line, bool) or not 1 <= line <= 64:
        raise ValueError("line is a number from 1 to 64")
    if scope == "phone" and line != 1:
        raise ValueError("with scope: phone, line is 1")
    sign = profile.get("recognise")
    if not isinstance(sign, Mapping) or not sign.get("contains") or set(sign) - {"path", "contains"}:
        raise ValueError("recognise needs contains (what the phone's first page shows), and may have path, and nothing else")
    _path(sign.get("path", "/"), "recognise")
    steps = {phase: _steps(profile.get(phase), phase) for phase in PHASES}
    _complete(steps, auth)
    return Learned(str(profile.get("name") or "learned"), scope, line, apply, auth, steps)


def _complete(steps: dict[str, tuple[Step, ...]], auth: str) -> None:
    if sum(step.value is not None for step in steps["read"]) != 1 or any(step.value for phase in PHASES if phase != "read" for step in steps[phase]):
        raise ValueError("exactly one step has value, and it is one of read")
    if not any("port" in step.names for step in steps["write"]) or any("port" in step.names for phase in PHASES if phase != "write" for step in steps[phase]):
        raise ValueError("{{ port }} stands in write, and only there")
    if any("password" in step.names for phase in ("identify", "read", "logout") for step in steps[phase]):
        raise ValueError("{{ password }} stands in login or write, and only there")
    if sum("password" in step.names for step in steps["login"]) > 1:
        raise ValueError("{{ password }} stands in two steps of login: the password is tried once")
    if bool(auth) == any("password" in step.names for step in steps["login"]):
        raise ValueError("the password goes either into a step of login or, with auth: http, into HTTP authentication")
    known = set(GIVEN)
    for phase in PHASES:
        for step in steps[phase]:
            if step.names - known:
                raise ValueError(f"{step.where} uses {', '.join(sorted(step.names - known))}, which no step before it takes")
            known |= set(step.take)


def _steps(steps: Any, phase: str) -> tuple[Step, ...]:
    if steps is None:
        return ()
    if not isinstance(steps, (list, tuple)) or len(steps) > MOST:
        raise ValueError(f"{phase} is a list of at most {MOST} steps")
    return tuple(_step(step, f"{phase}[{number}]") for number, step in enumerate(steps))


def _step(step: Any, where: str) -> Step:
    if not isinstance(step, Mapping):
        raise ValueError(f"{where} is a step, a dictionary with method and path")
    _known(step, _STEP_WORDS, where)
    method = step.get("method", "GET")
    if method not in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        raise ValueError(f"{where}.method is GET, POST, PUT, PATCH or DELETE")
    path = _path(step.get("path"), where)
    query, headers, cookies = (_texts(step.get(word), f"{where}.{word}") for word in ("query", "headers", "cookies"))
    for name in (*headers, *cookies):
        if not _TOKEN.fullmatch(name):
            raise ValueError(f"{where}: {name!r} is no name of a header or cookie")
        if name in headers and name.lower() in _OURS:
            raise ValueError(f"{where}.headers: {name} is not for a profile to say")
    body = _body(step.get("body"), f"{where}.body")
    take = _mapping(step.get("take"), f"{where}.take")
    if set(take) & GIVEN or not all(re.fullmatch(r"[a-z_][a-z0-9_]{0,60}", name) for name in take):
        raise ValueError(f"{where}.take: names are small letters, digits and _, and none of {', '.join(sorted(GIVEN))}")
    expect = _mapping(step.get("expect"), f"{where}.expect")
    _known(expect, {"status", "json"}, f"{where}.expect")
    status = expect.get("status", 0)
    if not isinstance(status, int) or isinstance(status, bool) or not (status == 0 or 200 <= status < 400):
        raise ValueError(f"{where}.expect.status is a number from 200 to 399")
    names = _names([path, query, headers, cookies, body], where)
    if "form_of" in body:
        names.add(body["form_of"])
    only_if = _mapping(step.get("only_if"), f"{where}.only_if")
    if only_if and not where.startswith("write"):
        raise ValueError(f"{where}.only_if: only steps of write have it")
    names |= set(only_if)
    return Step(where, method, path, query, headers, cookies, body, {name: _source(one, f"{where}.take.{name}") for name, one in take.items()},
                _source(step["value"], f"{where}.value") if step.get("value") is not None else None, status,
                _mapping(expect.get("json"), f"{where}.expect.json"), frozenset(names), only_if)


def _body(body: Any, where: str) -> dict[str, Any]:
    if body is None or body == {}:
        return {}
    if not isinstance(body, Mapping) or len({"json", "form", "form_of"} & set(body)) != 1:
        raise ValueError(f"{where} is one of json, form, form_of")
    if "json" in body:
        _known(body, {"json"}, where)
    elif "form" in body:
        _known(body, {"form"}, where)
        _pairs(body["form"], f"{where}.form")
    else:
        _known(body, {"form_of", "set", "without"}, where)
        if not isinstance(body["form_of"], str):
            raise ValueError(f"{where}.form_of is a name that a step has taken")
        _pairs(body.get("set", []), f"{where}.set")
        without = body.get("without", [])
        if not isinstance(without, list) or not all(isinstance(name, str) for name in without):
            raise ValueError(f"{where}.without is a list of field names")
    return dict(body)


def _pairs(pairs: Any, where: str) -> None:
    if not isinstance(pairs, (list, tuple)) or not all(isinstance(pair, (list, tuple)) and len(pair) == 2 and all(isinstance(one, str) for one in pair)
                                                       for pair in pairs):
        raise ValueError(f"{where} is a list of [name, template], both texts")


def _path(path: Any, where: str) -> str:
    """A path on the phone's own address: no scheme, no other host, nothing that could become one."""
    if not isinstance(path, str) or not re.match(r"/(?![/\\])", path) or re.search(r"[\s\x00-\x1f\x7f?#\\]", re.sub(r"\{\{.*?\}\}", "", path)):
        raise ValueError(f"{where}.path begins with one / and has neither blanks nor ? (that is query)")
    return path


def _source(source: Any, where: str) -> Source:
    if (
        not isinstance(source, Mapping)
        or set(source) != {"from", "path"}
        or source["from"] not in SOURCES
        or not isinstance(source["path"], str)
        or not source["path"]
    ):
        raise ValueError(f"{where} is a dictionary of from ({', '.join(SOURCES)}) and path")
    return Source(source["from"], source["path"])


def _names(data: Any, where: str) -> set[str]:
    """The names in all templates of JSON-like data. Keys are no templates."""
    if isinstance(data, str):
        try:
            return names_in(data)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{where}: {data[:60]!r} is no template: {error}") from error
    if isinstance(data, Mapping) and SAME_AS in data:
        _known(data, {SAME_AS, "$set", "$without"}, where)
        if not isinstance(data[SAME_AS], str) or not isinstance(data.get("$set", {}), Mapping) or not isinstance(data.get("$without", []), list):
            raise ValueError(f"{where}: {SAME_AS} is a name that a step has taken, $set a dictionary, $without a list")
        return {data[SAME_AS]} | _names(data.get("$set", {}), where)
    if isinstance(data, Mapping):
        data = list(data.values())
    return {name for one in data for name in _names(one, where)} if isinstance(data, (list, tuple)) else set()


def _texts(data: Any, where: str) -> dict[str, str]:
    texts = _mapping(data, where)
    if not all(isinstance(value, str) for value in texts.values()):
        raise ValueError(f"{where}: values are texts (put numbers in quotation marks)")
    return texts


def _mapping(data: Any, where: str) -> dict[str, Any]:
    if data is None:
        return {}
    if not isinstance(data, Mapping) or not all(isinstance(key, str) for key in data):
        raise ValueError(f"{where} is a dictionary")
    return dict(data)


def _known(data: Mapping[str, Any], words: set[str], where: str) -> None:
    unknown = sorted(str(word) for word in data if word not in words)
    if unknown:
        raise ValueError(f"{where} has unknown words: {', '.join(unknown)}")


def _choice(profile: Mapping[str, Any], word: str, choices: tuple[str, ...]) -> str:
    value = profile.get(word, choices[0])
    if value not in choices:
        raise ValueError(f"{word} is one of {', '.join(choices)}")
    return str(value)
