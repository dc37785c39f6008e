# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a recording to a profile (phones/learned_profile.py), or to sentences that say what could not be understood."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import EvenportError
from ansible_collections.evenport.sip.plugins.module_utils.har.recording import Exchange, looks_random, read_har
from ansible_collections.evenport.sip.plugins.module_utils.har.roles import Leaf, Roles
from ansible_collections.evenport.sip.plugins.module_utils.har.trace import cookies_set, extracts, seen_in, walk
from ansible_collections.evenport.sip.plugins.module_utils.har.values import Unknown, Values, boxes_off, own_form, own_object
from ansible_collections.evenport.sip.plugins.module_utils.phones.learned.profile import Source, parse
from ansible_collections.evenport.sip.plugins.module_utils.phones.learned.template import as_text
from ansible_collections.evenport.sip.plugins.module_utils.phones.target import plain_mac

_FLAG = re.compile(r"(?i)result|status|success|ok|code|ret|retcode|ret_code|response|error|err|errcode|err_code|errno|error_code")
_SECRET_NAME = re.compile(r"(?i)pass|pwd|secret|token|\bkey\b|_key|nonce|session|cookie|ticket|credential")


@dataclass(frozen=True)
class Wanted:
    """What the person who recorded says of it."""

    username: str
    password: str = field(repr=False)
    old_port: int
    new_port: int
    line: int = 1
    scope: str = "line"
    apply: str = "live"
    name: str = ""
    mac: str = ""


@dataclass(frozen=True)
class Lesson:
    """What a recording teaches. ``profile`` is {} where anything stands in ``not_understood``."""

    profile: dict[str, Any]
    not_understood: list[str]
    left_out: list[str]             # what is not in the profile, and need not be
    confidence: list[dict[str, str]]        # step, confidence (high, medium, low), why


def learn(text: str, wanted: Wanted) -> Lesson:
    """:arg text: the HAR file
    :raises EvenportError: it is no recording at all, or the ports can't be these
    """
    if wanted.old_port == wanted.new_port:
        raise EvenportError("The old and the new port of the recording are the same.", "Change the port while recording, and give both numbers.")
    recording = read_har(text)
    return _Builder(recording, wanted).lesson()


class _Builder:

    def __init__(self, recording: Any, wanted: Wanted) -> None:
        self.recording, self.wanted = recording, wanted
        self.roles = Roles(recording.exchanges, wanted.username, wanted.password, wanted.old_port, wanted.new_port)
        self.values = Values(recording, self.roles, wanted.line)
        self.problems = list(self.roles.problems)
        self.steps: dict[int, dict[str, Any]] = {}

    def lesson(self) -> Lesson:
        if self.roles.save is None or self.roles.read is None or (self.roles.login is None and not self.roles.http_auth):
            return Lesson({}, self._hinted(), [*self.recording.left_out], [])
        self._build_steps()
        proof = self._proof()
        identify = self._learn_mac()
        sign = self._sign()
        profile: dict[str, Any] = {
            "profile": 1,
            "kind": "learned",
            "name": self.wanted.name or self._title(sign) or "recorded phone",
            "scope": self.wanted.scope,
            "line": self.wanted.line,
            "apply": self.wanted.apply,
            **({"auth": "http"} if self.roles.http_auth else {}),
            "recognise": sign,
            **({"identify": identify} if identify else {}),
            **self._phases(),
        }
        confidence = self._confidence(proof)
        left_out = [*self.recording.left_out, *self.values.left_out, *self._unused()]
        self._check(profile)
        if self.problems:
            return Lesson({}, self._hinted(), _once(left_out), [])
        return Lesson(profile, [], _once(left_out), confidence)

    def _hinted(self) -> list[str]:
        hint = ["The recording holds no cookies: the browser has left them out. Where it can, export the HAR with sensitive data; it stays on this machine."]
        return _once([*self.problems, *(hint if self.problems and self.recording.sanitized else [])])

    # ------------------------------------------------------------------ steps

    def _build_steps(self) -> None:
        roles = self.roles
        chosen = [one for one in (roles.login, roles.read, roles.save, *roles.also) if one is not None]
        strict = {one.index for one in (roles.save, *roles.also) if one is not None}
        waiting = list(chosen)
        while waiting:                          # an answer that is needed needs its own request, and that may need others
            exchange = waiting.pop(0)
            if exchange.index in self.steps:
                continue
            self.steps[exchange.index] = {}
            self.steps[exchange.index] = self._request(exchange, exchange.index in strict)
            self._cookies(exchange)
            waiting += [one for one in self.recording.exchanges if one.index in self.values.users and one.index not in self.steps]
        self._rotating()

    def _request(self, exchange: Exchange, strict: bool) -> dict[str, Any]:
        def template(leaf: Leaf) -> Any:
            try:
                return self.values.template(exchange, leaf, strict)
            except Unknown as error:
                self.problems.append(f"{error}.")
                return ""

        words = (as_text(template(Leaf("path", (number,), part))) if part else "" for number, part in enumerate(exchange.path.split("/")))
        step: dict[str, Any] = {"method": exchange.method, "path": "/".join(words)}
        query = {name: as_text(template(Leaf("query", (name,), value))) for name, value in exchange.query}
        headers = {
            name: as_text(template(Leaf("header", (name,), value)))
            for name, value in exchange.headers.items()
            if name.lower() != "authorization" or not self.roles.http_auth
        }
        if exchange.body_kind == "json" and "json" not in exchange.content_type.lower() and exchange.content_type:
            headers["Content-Type"] = exchange.content_type
        if len(query) != len(exchange.query):
            self.problems.append(f"{exchange.label}: a name stands twice in its query.")
        for word, value in (("query", query), ("headers", headers)):
            if value:
                step[word] = value
        body = self._body(exchange, strict, template)
        off = boxes_off(self.values, exchange) if "form" in body and exchange is self.roles.save else {}
        return {**step, **({"only_if": off} if off else {}), **({"body": body} if body else {})}

    def _body(self, exchange: Exchange, strict: bool, template: Any) -> dict[str, Any]:
        if exchange.body_kind == "form":
            own = own_form(self.values, exchange, template) if strict and exchange is self.roles.save else None
            return own or {"form": [[name, as_text(template(Leaf("form", (name,), value)))] for name, value in exchange.body]}
        if exchange.body_kind == "json":
            return {"json": self._json(exchange, strict, template, (), exchange.body)}
        if exchange.body_kind == "other":
            self.problems.append(f"{exchange.label} has a body that is neither JSON nor a form (upload, XML or text).")
        return {}

    def _json(self, exchange: Exchange, strict: bool, template: Any, pointer: tuple[Any, ...], data: Any) -> Any:
        if isinstance(data, (dict, list)):
            own = self.values.own_container(exchange, pointer, data) if strict else ""
            if own:
                return own
            if isinstance(data, dict):
                whole = own_object(self.values, exchange, pointer, data, lambda key, value: self._json(exchange, strict, template, (*pointer, key), value)) \
                    if exchange is self.roles.save else None
                if whole:
                    return whole
                return {key: self._json(exchange, strict, template, (*pointer, key), value) for key, value in data.items()}
            return [self._json(exchange, strict, template, (*pointer, number), value) for number, value in enumerate(data)]
        return template(Leaf("json", pointer, data))

    def _cookies(self, exchange: Exchange) -> None:
        """Cookies that an answer has set come by themselves, if that request is made. Others were made by a script, or were there before."""
        for name, value in exchange.cookies.items():
            self.values.secrets.add(value)
            setters = [one for one in self.recording.exchanges if one.index < exchange.index and name in cookies_set(one)]
            if setters:
                kept = [one for one in setters if one in (self.roles.login, self.roles.read)]
                self.values.users.setdefault((kept or setters)[-1].index, set()).add(exchange.index)
                continue
            if not looks_random(value):
                if value:
                    self.values.left_out.append(f"{exchange.label}: the cookie {name}, which no answer has set, is left out.")
                continue
            try:
                self.steps[exchange.index].setdefault("cookies", {})[name] = as_text(self.values.template(exchange, Leaf("cookie", (name,), value), False))
            except Unknown:
                self.problems.append(
                    f"{exchange.label}: the cookie {name} was there before the recording began, or a script has made it: record in a private window."
                )

    def _rotating(self) -> None:
        """A header whose value the phone renews with each answer: every answer that has it renews ours, that of the saving too."""
        origins: dict[str, set[Source]] = {}
        for step in self.steps.values():
            for header, text in step.get("headers", {}).items():
                for takes in self.values.takes.values():
                    origins.setdefault(header, set()).update(
                        source for name, source in takes.items() if text == "{{ " + name + " }}" and source.kind == "header"
                    )
        for header, sources in origins.items():
            if len(sources) != 1 or sum(source in takes.values() for takes in self.values.takes.values() for source in sources) < 2:
                continue
            source = next(iter(sources))
            names = {name for takes in self.values.takes.values() for name, one in takes.items() if one == source}
            first = sorted(names, key=lambda name: (len(name), name))[0]
            for step in self.steps.values():
                if step.get("headers", {}).get(header) in {"{{ " + name + " }}" for name in names}:
                    step["headers"][header] = "{{ " + first + " }}"
            for takes in self.values.takes.values():
                for name in names & takes.keys():
                    takes[first] = takes.pop(name)
            for one in self.recording.exchanges:
                if one.index in self.steps and one.answer.headers.get(source.path):
                    self.values.takes.setdefault(one.index, {})[first] = source

    # ------------------------------------------------------------------ phases

    def _phases(self) -> dict[str, Any]:
        phases: dict[str, list[dict[str, Any]]] = {"login": [], "read": [], "write": []}
        for index in sorted(self.steps):
            phases[self._phase(index)].append(self._step(index))
        logout = self._logout()
        return {**{name: steps for name, steps in phases.items() if steps}, **({"logout": [logout]} if logout else {})}

    def _phase(self, index: int) -> str:
        roles = self.roles
        if roles.login is not None and index <= roles.login.index:
            return "login"
        if index == roles.read.index:
            return "read"
        if index == roles.save.index or any(index == one.index for one in roles.also):
            return "write"
        users = {self._phase(user) for user in self.values.users.get(index, ()) if user > index}
        return next(iter(users)) if len(users) == 1 else "login" if roles.login is not None or not users else "read"

    def _step(self, index: int) -> dict[str, Any]:
        exchange = next(one for one in self.recording.exchanges if one.index == index)
        step = dict(self.steps[index])
        if self.values.takes.get(index):
            step["take"] = {name: {"from": source.kind, "path": source.path} for name, source in self.values.takes[index].items()}
        if exchange is self.roles.read:
            step["value"] = {"from": self.roles.value.source.kind, "path": self.roles.value.source.path}
        expect = self._expect(exchange)
        return {**step, "expect": expect} if expect else step

    def _expect(self, exchange: Exchange) -> dict[str, Any]:
        """What tells a success from a refusal: the status where it is no plain success, and what the page itself probably looks at."""
        expect: dict[str, Any] = {} if 200 <= exchange.answer.status < 300 else {"status": exchange.answer.status}
        said = {one.source.path: one.value for one in seen_in(exchange) if one.source.kind == "json" and len(one.pointer) <= 2 and _FLAG.fullmatch(one.name)
                and (isinstance(one.value, (bool, int)) or (isinstance(one.value, str) and re.fullmatch(r"[A-Za-z ]{1,20}|[0-9]{1,3}", one.value)))
                and as_text(one.value) not in (self.roles.old, self.roles.new)} if exchange in (self.roles.login, self.roles.save, *self.roles.also) else {}
        return {**expect, "json": said} if said else expect

    def _logout(self) -> dict[str, Any]:
        if self.roles.logout is None:
            return {}
        problems, self.problems = self.problems, []
        known = {index: dict(takes) for index, takes in self.values.takes.items()}
        step = self._request(self.roles.logout, False)
        new = self.problems or any(self.values.takes[index] != known.get(index) for index in self.values.takes)
        self.values.takes.clear()
        self.values.takes.update(known)
        self.problems = problems
        if new:
            self.values.left_out.append(
                f"{self.roles.logout.label}: the logout needs something that is not known, so that sessions are left to end by themselves."
            )
            return {}
        return step

    # ------------------------------------------------------------------ who is it

    def _title(self, sign: dict[str, str]) -> str:
        """The title that the phone is recognised by: it holds neither an address nor a secret."""
        return " ".join(sign.get("contains", "").rpartition(">")[2].split()) if "<title" in sign.get("contains", "").lower() else ""

    def _sign(self) -> dict[str, str]:
        """What the first page shows to anybody, and no other maker's page does: its title, else the name of its first script."""
        host = re.sub(r":\d+$", "", self.recording.origin.partition("://")[2])
        for page in self.recording.exchanges:
            if not page.is_page or (self.roles.login is not None and page.index > self.roles.login.index) or page.answer.status != 200:
                continue
            for pattern in (r"<title[^>]*>[^<]{2,80}", r"<script[^>]{0,40}\ssrc=[\"']?[^\"'>?\s]{3,80}"):
                for found in re.findall(pattern, page.answer.text[:20000], re.IGNORECASE):
                    secret = any(secret in found for secret in self.values.secrets if len(secret) > 3)
                    if not (secret or host in found or "\n" in found or plain_mac(found.rpartition(">")[2]) or page.query or "{{" in page.path):
                        return {"path": page.path, "contains": found}
        self.problems.append("No page before the login shows a title or a script by which the phone could be recognised. Record from the very first page on.")
        return {}

    def _learn_mac(self) -> list[dict[str, Any]]:
        """Where an answer shows the MAC: without a login best, else in a step that is made anyway."""
        mac = plain_mac(self.wanted.mac)
        if not mac:
            return []
        places = [(one, seen.source) for one in self.recording.exchanges if one.index < self.roles.save.index for seen in seen_in(one)
                  if isinstance(seen.value, str) and plain_mac(seen.value) == mac and extracts(one, seen.source, seen.value)]
        start = self.roles.login.index if self.roles.login else -1
        for exchange, source in places:
            if exchange.index < start and exchange.method == "GET" and not exchange.headers:
                problems = len(self.problems)
                step = self._request(exchange, False)
                if len(self.problems) == problems and "{{" not in json.dumps(step):
                    return [{**step, "take": {"mac": {"from": source.kind, "path": source.path}}}]
                del self.problems[problems:]
        for exchange, source in places:
            if exchange.index in self.steps:
                self.values.takes.setdefault(exchange.index, {})["mac"] = source
                return []
        self.values.left_out.append(
            "No answer that is needed anyway shows the MAC in JSON or in a form field: the phones' MAC can't be checked, leave sip_mac out."
        )
        return []

    # ------------------------------------------------------------------ how sure

    def _proof(self) -> tuple[str, str]:
        """How sure it is that a wrong password is seen, and why."""
        login = self.roles.login
        if login is None:
            return "high", "HTTP authentication."
        if self.values.takes.get(login.index) or self._expect(login):
            return "high", "The answer shows whether the password is right."
        if cookies_set(login):
            self.values.takes.setdefault(login.index, {})["session_cookie"] = Source("cookie", cookies_set(login)[0])
            return "medium", "That the password is right is told by a cookie that the answer sets."
        return "low", "Nothing in its answer tells whether the password is right: a wrong one shows at the next request."

    def _confidence(self, proof: tuple[str, str]) -> list[dict[str, str]]:
        roles, found = self.roles, []

        def say(step: str, exchange: Exchange | None, level: str, why: str) -> None:
            found.append({"step": f"{step}: {exchange.label}" if exchange else step, "confidence": level, "why": why})

        say("login", roles.login, *proof)
        if roles.confirmed:
            say("read", roles.read, "high", "The same request, asked after the saving, shows the new port in the same place.")
        else:
            say("read", roles.read, "medium", "The old port stands there; the recording does not show it again after the saving.")
        replayed = _once(self.values.replayed)
        level = "high" if roles.confirmed and not replayed and not roles.also else "medium"
        why = "All that is sent comes from the phone itself." if not replayed else \
            f"Besides the phone's own values, it sends what the page's scripts hold: {', '.join(replayed)}."
        say("write", roles.save, level, why)
        if self.steps[roles.save.index].get("only_if"):
            say(
                "write",
                roles.save,
                "medium",
                "Phones on which something is switched on that was off on the recorded one are refused: the page would send a field more for them. "
                "A recording of such a phone makes a profile for those.",
            )
        for exchange in roles.also:
            say("write", exchange, "medium", "It was sent with the saving for the first time, so it is taken for a part of it.")
        return found

    def _unused(self) -> list[str]:
        last = max([self.roles.save.index, *(one.index for one in self.roles.also)])
        labels = _once([one.label for one in self.recording.exchanges if one.method != "GET" and one.index < last and one.index not in self.steps])
        return [f"{label} was left out: nothing that is needed comes from it." for label in labels]

    # ------------------------------------------------------------------ the last look

    def _check(self, profile: Mapping[str, Any]) -> None:
        """Nothing of the recorded phone may be in the profile, and the driver must be able to read it."""
        secrets = {secret for secret in self.values.secrets if len(secret) >= 3}
        for exchange in self.recording.exchanges:
            secrets |= {as_text(seen.value) for seen in seen_in(exchange) if seen.source.kind in ("json", "form") and _is_secret(seen.name, seen.value)}
        for where, text in literals(profile):
            for secret in secrets:
                if re.search(rf"(?<![0-9A-Za-z]){re.escape(secret)}(?![0-9A-Za-z])", text):
                    self.problems.append(
                        f"{where} of the profile would hold a value that is a secret or somebody's account in the recording: record with values (a password, "
                        "an account) that are no common words."
                    )
        if not self.problems:
            try:
                parse(profile)
            except EvenportError as error:
                self.problems.append(error.what)


def _is_secret(name: str, value: Any) -> bool:
    """An answered value that must not get into a profile. Stars are none, and "Bearer" or "true" beside a token are none either."""
    text = as_text(value)
    if isinstance(value, (bool, float, dict, list)) or not _SECRET_NAME.search(name) or not re.search(r"[^*•xX.\s]{4}", text):
        return False
    return bool(re.search(r"(?i)pass|pwd|secret", name)) or not re.fullmatch(r"[A-Za-z ]{1,12}|[0-9]{1,5}", text)


def literals(profile: Any, where: str = "") -> list[tuple[str, str]]:
    """All texts in a profile, what stands in braces and the ways into answers left out."""
    found = []
    for pointer, value in walk(profile):
        place = ".".join(map(str, pointer))
        if (
            isinstance(value, (str, int))
            and not isinstance(value, bool)
            and not re.search(r"(^|\.)(take|value)\.", place)
            and pointer[0] not in ("profile", "kind", "name", "line", "scope", "apply")
        ):
            found.append((f"{where}{place}", re.sub(r"\{\{.*?\}\}", " ", str(value))))
    return found


def _once(items: list[str]) -> list[str]:
    return list(dict.fromkeys(items))
