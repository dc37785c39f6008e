# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every value that is sent must have an origin.

A recording shows one phone, one session, one password. What is sent to other phones must come from them, from the inventory, or from
the firmware's own scripts; a value whose origin is not found is named, and then there is no profile. Nothing of a recorded
phone's account, and no secret, is ever replayed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import EvenportError
from ansible_collections.evenport.sip.plugins.module_utils.har.recording import Exchange, Recording, is_clock, is_dice, looks_random
from ansible_collections.evenport.sip.plugins.module_utils.har.roles import Leaf, Roles
from ansible_collections.evenport.sip.plugins.module_utils.har.trace import Seen, extracts, find_token, jmespath_of, near, seen_in, walk
from ansible_collections.evenport.sip.plugins.module_utils.phones.learned.profile import GIVEN, Source
from ansible_collections.evenport.sip.plugins.module_utils.phones.learned.sources import take
from ansible_collections.evenport.sip.plugins.module_utils.phones.learned.template import FILTERS, SAME_AS, as_text

_TOKEN_NAME = re.compile(r"(?i)token|nonce|csrf|xsrf|session|\bsid\b|ticket|auth|challenge|uuid|api[-_]?key|stok")
_LINE_NAME = re.compile(r"(?i)^(line|acc|account|acct|profile|ext|extension|index|idx|lineid|line_id|line_no|accountid|account_id|id|num|no)$")
_LINE_SURELY = re.compile(r"(?i)(sip[-_]?)?(line|acc|acct|account|extension)([-_]?(id|no|num|number))?")
_LINE_PATH = re.compile(r"(?i)line|acc|ext|sip|voip")
# Fields that are somebody's account, network or choice: no constant of a page is ever right for them, be it a default or nothing.
_ACCOUNT_NAME = re.compile(
    r"(?i)user|name|pass|pwd|secret|auth|server|proxy|registrar|domain|realm|display|label|uri|url|host|number|mail|\bmac\b|\bip\b|addr|sip_?id|"
    r"key$|port|expir|codec|transport|srtp|dtmf|stun|\bnat|enable|active"
)


class Unknown(Exception):
    """A value without an origin; the text says why."""


class Values:
    """The origins of values. ``takes``: exchange index -> name -> Source; ``users``: index -> the exchanges that need it."""

    def __init__(self, recording: Recording, roles: Roles, line: int) -> None:
        self.exchanges, self.roles, self.line = recording.exchanges, roles, line
        self.takes: dict[int, dict[str, Source]] = {}
        self.users: dict[int, set[int]] = {}
        self.left_out: list[str] = []
        self.replayed: list[str] = []           # constants of the page that are sent to every phone
        self.secrets: set[str] = {roles.password} if roles.password else set()
        self._names: dict[tuple[int, Source], str] = {}
        before = [one for one in self.exchanges if roles.save is None or one.index < roles.save.index]
        start = roles.login.index if roles.login else len(self.exchanges)
        self._statics = "\n".join(one.answer.text for one in before if one.is_script or (one.is_page and one.index < start))

    # ------------------------------------------------------------------ one value of a request

    def template(self, exchange: Exchange, leaf: Leaf, strict: bool) -> Any:
        """A template for the value, or the value itself where it is the same on every phone.

        :arg strict: it changes something on a phone: a plain constant is not good enough
        :raises Unknown: neither
        """
        strict = strict and leaf.part not in ("header", "cookie")       # those hold no account
        if not isinstance(leaf.value, (str, int, float)) or isinstance(leaf.value, bool) or leaf.text == "":
            return self._plain(exchange, leaf, strict)
        text = leaf.text
        if strict and leaf == self.roles.port and exchange is self.roles.save or leaf.text == self.roles.new and exchange in self.roles.also:
            return "{{ port }}" if isinstance(leaf.value, int) or leaf.part != "json" else "{{ port | text }}"
        found = self._password(exchange, leaf)
        if found:
            return found
        if strict and leaf.name:
            found = self._own(exchange, leaf)
            if found:
                return found
        found = self._clock(exchange, leaf) or self._token(exchange, leaf)
        if found:
            return found
        if text == self.roles.username and not strict:
            return "{{ username }}"
        return self._plain(exchange, leaf, strict)

    def _password(self, exchange: Exchange, leaf: Leaf) -> str:
        password, login = self.roles.password, self.roles.login
        if not password or login is None or leaf.part == "path":
            return ""
        if self.roles.is_password(leaf, exchange):
            if leaf.text == password:
                return "{{ password }}"
            way, nonce = self.roles.transform(leaf.text, exchange) or ("password", "")
            self.secrets.add(leaf.text)
            if nonce:
                name = self.taken(find_token(nonce, self._earlier(exchange), self._prefer(exchange)), exchange, "nonce")
                if not name:
                    raise Unknown(f"{exchange.label}: the password is hashed with a value of an earlier answer whose place can't be described")
                way = re.sub(r"\bnonce\b", name, way)
            return "{{ " + way + " }}"
        if exchange is login and leaf.part != "path" and len(password) >= 4 and password in leaf.text and password != self.roles.username:
            return leaf.text.replace(password, "{{ password }}")
        return ""

    def _own(self, exchange: Exchange, leaf: Leaf) -> str:
        """The phone's own value of the same name, read before: what goes back as it was."""
        ways: list[tuple[Any, Seen, str]] = []
        start = self.roles.login.index if self.roles.login else -1
        context = self.roles.value.pointer if self.roles.value else ()
        for earlier in self._earlier(exchange):
            if earlier.index <= start and self.roles.login is not None:
                continue
            for seen in seen_in(earlier):
                if seen.source.kind in ("json", "form") and seen.name.lower() == leaf.name.lower():
                    suffix = _as(seen.value, leaf)
                    if suffix is not None and extracts(earlier, seen.source, seen.value):
                        is_read = earlier is self.roles.read
                        ways.append(((is_read, near(seen.pointer[::-1], leaf.pointer[::-1]), near(seen.pointer, context), earlier.index), seen, suffix))
        if not ways:
            return ""
        ways.sort(key=lambda way: way[0])
        best = ways[-1]
        if len({way[1].source for way in ways if way[0] == best[0]}) > 1:
            raise Unknown(
                f"{exchange.label}: {leaf} could be any of several values that the phone has answered ({', '.join(way[1].source.path for way in ways[-3:])})"
            )
        self.secret(leaf)
        name = self.taken((best[1].index, best[1].source), exchange, f"own_{leaf.name}")
        return "{{ " + name + best[2] + " }}"

    def own_container(self, exchange: Exchange, pointer: tuple[Any, ...], value: Any) -> str:
        """The same for a whole list or dictionary without the port in it; "" where the phone has not answered the like."""
        if not value or not pointer or not isinstance(pointer[-1], str) or any(as_text(inner) == self.roles.new for dummy, inner in walk(value)):
            return ""
        read = self.roles.read
        if read is None or read.index >= exchange.index:
            return ""
        same = [
            seen
            for seen in seen_in(read)
            if seen.name == pointer[-1] and isinstance(seen.pointer[-1], str) and seen.value == value and type(seen.value) is type(value)
        ]
        if len(same) != 1:
            return ""
        for inner_pointer, inner in walk(value, pointer):
            if not isinstance(inner, (list, dict)):
                self.secret(Leaf("json", inner_pointer, inner))
        return "{{ " + self.taken((read.index, same[0].source), exchange, f"own_{pointer[-1]}") + " }}"

    def _clock(self, exchange: Exchange, leaf: Leaf) -> str:
        if is_clock(leaf.text, exchange.time):
            self.left_out.append(f"{exchange.label}: {leaf} is the time, it is made anew for each request.")
            return "{{ now }}" if len(leaf.text) == 10 else "{{ now_ms }}"
        if is_dice(leaf.text):
            self.left_out.append(f"{exchange.label}: {leaf} is a random number, it is made anew for each request.")
            return "{{ random }}"
        return ""

    def _token(self, exchange: Exchange, leaf: Leaf) -> str:
        """What the phone has handed out: taken from where it came from. Also a part of the text ("Bearer ...")."""
        named = bool(_TOKEN_NAME.search(leaf.name)) and leaf.part != "path"
        pieces = [leaf.text] if leaf.part != "path" else []
        pieces += [piece for piece in re.split(r"[\s=;:,&|/]", leaf.text) if looks_random(piece)]
        for piece in pieces:
            if not looks_random(piece) and not (named and len(piece) >= 3):
                continue
            origin = find_token(piece, self._earlier(exchange), self._prefer(exchange))
            if origin:
                self.secrets.add(piece)
                return leaf.text.replace(piece, "{{ " + self.taken(origin, exchange, leaf.name or "part") + " }}")
        if any(looks_random(piece) for piece in pieces):
            raise Unknown(f"{exchange.label}: {leaf} holds a value that looks like a token, and no earlier answer shows where it comes from")
        if named and not self._in_static(leaf) and re.search(r"[0-9]", leaf.text) and len(leaf.text) >= 3:
            raise Unknown(f"{exchange.label}: {leaf} looks like a token, and no earlier answer shows where it comes from")
        return ""

    def _plain(self, exchange: Exchange, leaf: Leaf, strict: bool) -> Any:
        """A constant, where it may be one."""
        if "{{" in leaf.text or "}}" in leaf.text:
            raise Unknown(f"{exchange.label}: {leaf} holds double braces")
        if leaf.part == "path" and leaf.text == str(self.line) and _LINE_PATH.search(exchange.path.split("/")[leaf.pointer[0] - 1]):
            return "{{ line }}"
        if leaf.part in ("query", "form") and _LINE_SURELY.fullmatch(leaf.name) and leaf.text == str(self.line):
            return "{{ line }}"
        if not strict:
            if re.search(r"(?i)pass|pwd|secret|\bpin\b", leaf.name) and leaf.text and not self._in_static(leaf):
                raise Unknown(f"{exchange.label}: {leaf} looks like a secret, and is neither the password nor anything that the phone has answered")
            late = self.roles.login is None or exchange.index > self.roles.login.index
            if late and leaf.part in ("query", "form", "json") and _ACCOUNT_NAME.search(leaf.name) and len(leaf.text) >= 3 and re.search(r"[0-9]", leaf.text):
                raise Unknown(f"{exchange.label}: {leaf} may belong to the recorded phone")
            return leaf.value
        found = self._own(exchange, leaf) if leaf.value is None or isinstance(leaf.value, bool) or leaf.text == "" else ""
        if found:
            return found
        if leaf.part in ("path", "query") and _LINE_NAME.search(leaf.name) and leaf.text in (str(self.line), str(self.line - 1)):
            return "{{ line }}" if leaf.text == str(self.line) else "{{ line0 }}"
        start = self.roles.login.index if self.roles.login else -1
        if leaf.name and any(seen.name.lower() == leaf.name.lower() for one in self._earlier(exchange) if one.index > start for seen in seen_in(one)):
            raise Unknown(f"{exchange.label}: {leaf} is sent with another value than the phone has answered for it: was more changed than the port?")
        page = leaf.part == "query" and not _ACCOUNT_NAME.search(leaf.name)
        addressing = page and any((*leaf.pointer, leaf.text) in one.query for one in self._earlier(exchange))
        if (leaf.part == "path" and not re.fullmatch(r"[0-9]{2,}", leaf.text)) or addressing or self._in_static(leaf):
            if leaf.part != "path":
                self.replayed.append(f"{leaf.name}={leaf.text}")
            return leaf.value
        if leaf.part in ("form", "json") and _LINE_NAME.search(leaf.name) and leaf.text in (str(self.line), str(self.line - 1)):
            name = "line" if leaf.text == str(self.line) else "line0"
            return "{{ " + name + " }}" if isinstance(leaf.value, int) or leaf.part == "form" else "{{ " + name + " | text }}"
        raise Unknown(
            f"{exchange.label}: {leaf} is sent with a value that neither the phone has answered before nor the page's scripts hold: "
            "it may belong to the recorded phone"
        )

    def _in_static(self, leaf: Leaf) -> bool:
        """Does the firmware's own script hold this value for this field? Then it is the same on all its phones."""
        name, text = re.escape(leaf.name), re.escape(leaf.text)
        if _ACCOUNT_NAME.search(leaf.name):
            return False
        beside = rf"(?<![\w-]){name}[\"'`]?\]?\s*[,:=]\s*(?:encodeURIComponent\()?([\"'`]?){text}\1(?![\w.])"
        return bool(re.search(beside if leaf.text else rf"(?<![\w-]){name}[\"'`]?\]?\s*[,:=]\s*([\"'`])\1", self._statics))

    # ------------------------------------------------------------------ names

    def taken(self, origin: tuple[int, Source] | None, user: Exchange, wish: str) -> str:
        """The name under which the value of *origin* is taken, for *user*."""
        if origin is None:
            return ""
        name = self._names.get(origin)
        if not name:
            plain = re.sub(r"[^a-z0-9]+", "_", re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", wish).lower()).strip("_") or "value"
            plain = ("v_" if plain[0].isdigit() or plain in GIVEN or plain in FILTERS or plain == "mac" else "") + plain[:40]
            used = set(self._names.values())
            name = next(one for one in (plain, *(f"{plain}_{number}" for number in range(2, 10000))) if one not in used)
            self._names[origin] = name
        index, source = origin
        self.takes.setdefault(index, {})[name] = source
        self.users.setdefault(index, set()).add(user.index)
        return name

    def _earlier(self, exchange: Exchange) -> list[Exchange]:
        return [one for one in self.exchanges if one.index < exchange.index and one.answer.status < 400]

    def _prefer(self, exchange: Exchange) -> Callable[[int], bool]:
        """Where a token may come from with no request more: what is done anyway."""
        done = {one.index for one in (self.roles.login, self.roles.read) if one is not None} | set(self.takes)
        return lambda index: index in done and index < exchange.index

    def secret(self, leaf: Leaf) -> None:
        """Remember what must not be found in the profile."""
        if isinstance(leaf.value, (str, int)) and not isinstance(leaf.value, bool) and len(leaf.text) >= 3 and _ACCOUNT_NAME.search(leaf.name):
            self.secrets.add(leaf.text)


def _as(value: Any, leaf: Leaf) -> str | None:
    """The filter that makes the sent value of an answered one; None: it is another value."""
    if isinstance(value, (list, dict)):
        return None
    if leaf.part == "json":
        if value == leaf.value and isinstance(value, bool) == isinstance(leaf.value, bool) and isinstance(value, str) == isinstance(leaf.value, str):
            return ""
        if isinstance(value, bool) or isinstance(leaf.value, bool) or value is None or leaf.value is None:
            return None
        return (" | text" if isinstance(leaf.value, str) else " | number") if as_text(value) == leaf.text else None
    if as_text(value) == leaf.text:
        return ""
    return " | flag" if isinstance(value, bool) and leaf.text == ("1" if value else "0") else None


def own_form(values: Values, save: Exchange, template: Callable[[Leaf], Any]) -> dict[str, Any] | None:
    """The body of a saving that sends a whole HTML form back: the phone's own fields, with what the page changes. None where it is no such form.

    Fields are not listed one by one, since a ticked box that the recorded phone did not have must stay ticked on the next one.
    """
    roles, read = values.roles, values.roles.read
    if read is None or roles.value is None or roles.value.source.kind != "form" or save.body_kind != "form" or roles.value.source.path != roles.port.name:
        return None
    source = Source("fields", roles.port.name)
    try:
        pairs = take(source, read.answer, read.path)
    except EvenportError:
        return None
    own, sent = dict(pairs), dict(save.body)
    if len(own) != len(pairs) or len(sent) != len(save.body) or 2 * len(own.keys() & sent.keys()) < len(sent):
        return None                             # several fields of one name, or not that form: field by field then
    name = values.taken((read.index, source), save, "fields")
    for field, text in pairs:
        values.secret(Leaf("form", (field,), text))
    changed = [[field, as_text(template(Leaf("form", (field,), text)))] for field, text in sent.items() if own.get(field) != text]
    without = [field for field in own if field not in sent]
    return {"form_of": name, "set": changed, **({"without": without} if without else {})}


def own_object(values: Values, save: Exchange, pointer: tuple[Any, ...], data: dict[str, Any], changed: Callable[[str, Any], Any]) -> dict[str, Any] | None:
    """The dictionary around the port, where the page sends back what it has read: this phone's own one then, whatever it has in it. None where it is not."""
    roles, read = values.roles, values.roles.read
    if read is None or roles.value is None or roles.port is None or roles.port.pointer[:-1] != pointer or roles.value.source.kind != "json":
        return None
    way = roles.value.pointer[:-1]
    source = Source("json", jmespath_of(way) or "@")
    try:
        own = take(source, read.answer, read.path)
    except EvenportError:
        return None
    if not isinstance(own, dict) or roles.port.name not in own or roles.value.name != roles.port.name \
            or 2 * sum(key in own and own[key] == value for key, value in data.items()) < len(data) or len(data) < 2:
        return None
    name = values.taken((read.index, source), save, f"own_{pointer[-1]}" if pointer else "own_values")
    for inner, value in walk(own):
        values.secret(Leaf("json", inner, value))
    without = [key for key in own if key not in data]
    return {
        SAME_AS: name,
        "$set": {key: changed(key, value) for key, value in data.items() if key not in own or own[key] != value or type(own[key]) is not type(value)},
        **({"$without": without} if without else {}),
    }


def boxes_off(values: Values, save: Exchange) -> dict[str, Any]:
    """name -> value: what is switched off on the recorded phone and missing in the form that it was sent.

    A browser leaves unticked boxes out of a form, so that on a phone where they are ticked the recorded form would switch them off. The driver refuses those.
    """
    roles, read = values.roles, values.roles.read
    if read is None or roles.value is None or roles.value.source.kind != "json" or save.body_kind != "form":
        return {}
    sent = {name.lower() for name, dummy in save.body}
    found = {}
    for seen in seen_in(read):
        off = seen.value is False or (seen.value in (0, "0", "off", "false", "no") and not isinstance(seen.value, bool))
        if off and seen.pointer[:-1] == roles.value.pointer[:-1] and seen.name.lower() not in sent:
            found[values.taken((read.index, seen.source), save, f"own_{seen.name}")] = seen.value
    return found
