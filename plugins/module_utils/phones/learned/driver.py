# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Phones that no driver knows, driven as somebody's browser did it once: a profile made from a recording (M(evenport.sip.phone_profile)).

What a profile can hold is in learned_profile.py. Nothing here knows a brand; what is known of a phone is its recording, and nobody
has seen another one of its kind do the same. So everything that does not go as recorded ends the work.
"""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode

from ansible_collections.evenport.sip.plugins.module_utils.errors import AuthFailed, BadAnswer, EvenportError, LockedOut, SessionLost, Unreachable, Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import Answer, printable, whole
from ansible_collections.evenport.sip.plugins.module_utils.http.session import WebSession
from ansible_collections.evenport.sip.plugins.module_utils.model import Identity
from ansible_collections.evenport.sip.plugins.module_utils.phones import http_login
from ansible_collections.evenport.sip.plugins.module_utils.phones.contract import Driver, Reading
from ansible_collections.evenport.sip.plugins.module_utils.phones.front import Front
from ansible_collections.evenport.sip.plugins.module_utils.phones.learned.profile import GIVEN, Learned, Source, Step, parse
from ansible_collections.evenport.sip.plugins.module_utils.phones.learned.sources import MISSING, take
from ansible_collections.evenport.sip.plugins.module_utils.phones.learned.template import as_text, render, render_all
from ansible_collections.evenport.sip.plugins.module_utils.phones.profile import check_recognised
from ansible_collections.evenport.sip.plugins.module_utils.phones.settings import Place, Value
from ansible_collections.evenport.sip.plugins.module_utils.phones.target import Target, plain_mac

_MODEL = "Is it another model or firmware than the recorded one? Then record again (evenport.sip.phone_profile)."


def recognise(target: Target, web: WebSession, front: Front, session: Mapping[str, Any] | None = None) -> Driver | None:
    """The driver for the target's profile of kind "learned".

    :raises Unsupported: the phone does not show the profile's sign
    :raises EvenportError: the profile can't be used
    """
    del front, session                          # the sign may stand on another page
    learned = parse(target.profile, target.name)
    check_recognised(target, web)
    driver = LearnedDriver(target, web, Identity("form", "learned", learned.name), learned)
    driver.identify()
    return driver


class LearnedDriver(Driver):
    """Steps of a profile, one after the other."""

    BRAND = "form"
    call_state = False

    def __init__(self, target: Target, web: WebSession, identity: Identity, learned: Learned) -> None:
        super().__init__(target, web, identity)
        self.learned = learned
        self.port_scope = learned.scope
        self.APPLY = learned.apply              # a profile's, not the class's
        self._taken: dict[str, Any] = {}        # what the phone has answered, by the profile's names

    # ------------------------------------------------------------------ session

    def identify(self) -> None:
        for step in self.learned.steps["identify"]:
            self._answered(step, self._send(step))

    def login(self) -> None:
        if self.learned.auth == "http":
            first = self.learned.steps["read"][0]
            http_login.log_in(self.target, self.web, lambda: self._send(first))
        for step in self.learned.steps["login"]:
            answer = self._send(step)
            if "password" in step.names:
                self._admitted(step, answer)
            else:
                self._answered(step, answer)

    def _admitted(self, step: Step, answer: Answer) -> None:
        """The answer to the password. Anything but what the recording shows counts as a refusal: there is no second attempt anyway."""
        if answer.status in (423, 429):
            raise LockedOut(
                f"{self.target.name}: the phone refuses logins for now (status {answer.status}).",
                "Wait some minutes, check sip_phone_password, then run again.",
            )
        if answer.status >= 500:
            raise BadAnswer(f"{answer.where} answered {answer.status}.", "Restart the phone, then run again.")
        wrong = self._differs(step, answer)
        if not wrong and any(value is MISSING for value in self._take(step, answer).values()):
            wrong = "nothing that proves the login"
        if wrong:
            raise AuthFailed(f"{self.target.name}: the phone does not take the password of {self.target.username!r} ({wrong}).",
                             "It was tried once and is not repeated. Correct sip_phone_user or sip_phone_password; if they are right, record the phone again.")
        self._answered(step, answer)

    def session(self) -> dict[str, Any]:
        return {"learned": {"taken": dict(self._taken), "cookies": dict(self.web.cookies)}}

    def resume(self, session: Mapping[str, Any]) -> bool:
        state = session.get("learned")
        if self.learned.auth or not isinstance(state, Mapping) or not isinstance(state.get("taken"), Mapping):
            return False
        self._taken = {str(name): value for name, value in state["taken"].items() if name not in GIVEN}
        self.web.cookies.update({str(name): str(value) for name, value in (state.get("cookies") or {}).items()})
        return True

    def logout(self) -> None:
        for step in self.learned.steps["logout"]:
            self._send(step, timeout=min(3.0, self.web.reach.timeout))

    # ------------------------------------------------------------------ settings

    def read(self) -> Reading:
        port: Value = None
        for step in self.learned.steps["read"]:
            answer = self._send(step)
            self._answered(step, answer)
            if step.value is not None:
                port = _port(self._found(step.value, step, answer))
        return Reading({Place("local_port", self.learned.line): port}, ())

    def check(self, changes: Mapping[Place, Value]) -> None:
        for place, value in changes.items():
            if place != Place("local_port", self.learned.line) or not isinstance(value, int):
                raise Unsupported(f"{self.target.name}: the profile {self.learned.name!r} can't set {place} to {value!r}; nothing was written.",
                                  "It drives the local port of the line that was recorded, and nothing else.")
        for step in self.learned.steps["write"]:
            for name, value in step.only_if.items():
                if self._taken.get(name, value) != value:
                    raise Unsupported(
                        f"{self.target.name}: {name} is {printable(as_text(self._taken[name]), 30)} here and was {value!r} on the recorded phone; its page "
                        "would then send more fields, and the recording does not show which. Nothing was written.",
                        "Record a phone that is set up like this one, and give it that profile.")

    def write(self, changes: Mapping[Place, Value]) -> None:
        self.check(changes)
        given = {"port": next(iter(changes.values()))}
        sent = False
        for step in self.learned.steps["write"]:
            try:
                answer = self._send(step, given)
                refused = answer.status in (401, 403)       # looked at the session, not at the port
                sent = sent or ("port" in step.names and not refused)
                self._answered(step, answer)
            except Unreachable:
                raise
            except EvenportError as error:
                if not sent:
                    raise
                raise BadAnswer(error.what, error.remedy) from error        # whether it was stored, only reading tells

    # ------------------------------------------------------------------ restart

    def reboot(self) -> None:
        raise Unsupported(f"{self.target.name}: the profile {self.learned.name!r} has no way to restart the phone.", "Restart it by hand.")

    def restarted(self) -> bool:
        """Up again, once it has really been down. Only after writes that restart (apply: reboot)."""
        return self.seen_again(lambda: self.web.get(str(self.target.profile["recognise"].get("path") or "/"), timeout=2.0))

    # ------------------------------------------------------------------ steps

    def _send(self, step: Step, given: Mapping[str, Any] | None = None, timeout: float | None = None) -> Answer:
        """One request. What it raises and where its answer says it comes from hold no token: the template of the path stands for the path."""
        try:
            values = {**self._taken, **self._given(), **(given or {})}
            path = _filled_path(step, values)
            query = {name: _clean(render(text, values)) for name, text in step.query.items()} or None
            headers = {name: _line(render(text, values)) for name, text in step.headers.items()}
            self.web.cookies.update({name: _line(render(text, values), ";,") for name, text in step.cookies.items()})
            body, content_type = _body(step, values)
        except BadAnswer as error:
            raise BadAnswer(f"{self.target.name}: {step.where}: {error.what}", error.remedy or _MODEL) from None
        if body is not None and not any(name.lower() == "content-type" for name in headers):
            headers["Content-Type"] = content_type
        shown = f"{self.target.name}: {step.method} {step.path} of {self.web.reach.url}"
        try:
            return replace(self.web.request(step.method, path, query, body=body, headers=headers, timeout=timeout), where=shown)
        except EvenportError as error:
            if path in error.what and path != step.path:
                error.what = error.what.replace(path, step.path)
                error.args = (f"{error.what} {error.remedy}".strip(),)
            raise

    def _given(self) -> dict[str, Any]:
        now = time.time()
        return {"username": self.target.username, "password": self.target.password, "line": self.learned.line, "line0": self.learned.line - 1,
                "now": int(now), "now_ms": int(now * 1000), "random": f"0.{random.randrange(10 ** 16):016d}"}

    def _differs(self, step: Step, answer: Answer) -> str:
        """In what an answer differs from the recorded one; "" for nothing that matters."""
        if step.status and answer.status != step.status or not step.status and not 200 <= answer.status < 300:
            return f"status {answer.status}" + (f" instead of {step.status}" if step.status else "")
        for path, wanted in step.said.items():
            try:
                said = take(Source("json", path), answer, step.path)
            except BadAnswer:
                said = MISSING
            if said != wanted or isinstance(said, bool) != isinstance(wanted, bool):
                return f"{path} is not {wanted!r}"
        return ""

    def _answered(self, step: Step, answer: Answer) -> None:
        """Check an answer and keep what it is good for."""
        differs = self._differs(step, answer)
        login = step.where.startswith(("login", "identify"))
        if differs and not login and (answer.status < 400 or answer.status in (401, 403, 419)):
            raise SessionLost(
                f"{self.target.name}: {step.method} {step.path} was not answered as in the recording ({differs}): it was refused, "
                "or the web session has ended.",
                "Is somebody else logged in to its web page? Run again when they are done.",
            )
        if differs:
            raise BadAnswer(f"{answer.where} was not answered as in the recording ({differs}).", _MODEL)
        for name, value in self._take(step, answer).items():
            if value is MISSING:
                source = step.take[name]
                raise BadAnswer(f"{answer.where} was answered without what its profile takes from there ({name}: {source.kind} {source.path}).", _MODEL)
            if name == "mac":
                mac = plain_mac(as_text(value))
                self.identity = replace(self.identity, mac=mac or self.identity.mac)
            self._taken[name] = value

    def _take(self, step: Step, answer: Answer) -> dict[str, Any]:
        return {name: self._found(source, step, answer) for name, source in step.take.items()}

    def _found(self, source: Source, step: Step, answer: Answer) -> Any:
        try:
            return take(source, answer, step.path)
        except BadAnswer as error:
            if step.where.startswith("login"):
                return MISSING
            raise BadAnswer(f"{answer.where}: {error.what.removeprefix(answer.where).strip()}", _MODEL) from None


def _port(value: Any) -> Value:
    text = as_text(value) if value is not MISSING and not isinstance(value, bool) else ""
    return whole(text, 1)


def _filled_path(step: Step, values: Mapping[str, Any]) -> str:
    """The path with values quoted, so that none of them can lead elsewhere."""
    return re.sub(r"\{\{.*?\}\}", lambda piece: quote(_clean(render(piece.group(), values)), safe="=:,;@~+"), step.path)


def _clean(value: Any) -> str:
    """As text that has a UTF-8 form: JSON can hold half characters."""
    return as_text(value).encode("utf-8", "replace").decode()


def _line(value: Any, more: str = "") -> str:
    """A value fit for a header or cookie."""
    text = as_text(value)
    if not text.isascii() or not text.isprintable() or any(char in text for char in more):
        raise BadAnswer("the phone has answered something that can't stand in a header.", _MODEL)
    return text


def _body(step: Step, values: Mapping[str, Any]) -> tuple[bytes | None, str]:
    if "json" in step.body:
        return json.dumps(render_all(step.body["json"], values), ensure_ascii=False).encode("utf-8", "replace"), "application/json"
    if "form" in step.body:
        pairs = [(name, as_text(render(text, values))) for name, text in step.body["form"]]
    elif "form_of" in step.body:
        own = values.get(step.body["form_of"])
        changes = {name: as_text(render(text, values)) for name, text in step.body.get("set", [])}
        if not isinstance(own, list):
            raise BadAnswer("the phone's own form is not at hand.", _MODEL)
        kept = [(as_text(name), as_text(value)) for name, value in own if name not in step.body.get("without", [])]
        known = {name for name, dummy in kept}
        pairs = [(name, changes.get(name, value)) for name, value in kept] + [(name, value) for name, value in changes.items() if name not in known]
    else:
        return (None, "") if step.method == "GET" else (b"", "application/x-www-form-urlencoded")
    return urlencode(pairs, errors="replace").encode("ascii"), "application/x-www-form-urlencoded"
