# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which request of a recording was what: the login, the reading of the port, the saving of the new one, the logout."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.har.recording import Exchange
from ansible_collections.evenport.sip.plugins.module_utils.har.trace import Seen, extracts, last_name, near, seen_in, walk
from ansible_collections.evenport.sip.plugins.module_utils.har.transforms import find_transform
from ansible_collections.evenport.sip.plugins.module_utils.phones.learned.template import as_text

PASSWORD_NAME = re.compile(r"(?i)pass|pwd|psw|secret|digest|hash|\bpin\b|cred")
_LEAVING = re.compile(r"(?i)log[-_]?(out|off)|sign[-_]?(out|off)")


@dataclass(frozen=True)
class Leaf:
    """One value in a request. ``part``: path, query, header, cookie, form or json."""

    part: str
    pointer: tuple[Any, ...]
    value: Any = field(repr=False)

    @property
    def name(self) -> str:
        return last_name(self.pointer)

    @property
    def text(self) -> str:
        return as_text(self.value)

    def __str__(self) -> str:
        return f"part {self.pointer[0] + 1} of the path" if self.part == "path" else f"{self.part} field {'.'.join(map(str, self.pointer))}"


def leaves(exchange: Exchange, parts: tuple[str, ...] = ("query", "header", "body")) -> Iterator[Leaf]:
    """The single values of a request."""
    if "query" in parts:
        yield from (Leaf("query", (name,), value) for name, value in exchange.query)
    if "header" in parts:
        yield from (Leaf("header", (name,), value) for name, value in exchange.headers.items())
    if "body" in parts and exchange.body_kind == "form":
        yield from (Leaf("form", (name,), value) for name, value in exchange.body)
    if "body" in parts and exchange.body_kind == "json":
        yield from (Leaf("json", pointer, value) for pointer, value in walk(exchange.body) if not isinstance(value, (dict, list)))


def nonces_before(exchange: Exchange, exchanges: tuple[Exchange, ...]) -> list[str]:
    """What earlier answers held that may have gone into a hash. The realm of a refusal too."""
    found = []
    for earlier in exchanges:
        if earlier.index >= exchange.index:
            break
        found += [as_text(one.value) for one in seen_in(earlier) if isinstance(one.value, (str, int)) and not isinstance(one.value, bool)]
        found += [value for name, value in re.findall(r"([!#$%&'*+.^_`|~\w-]+)=([^;,\s]+)", earlier.answer.headers.get("set-cookie", ""))]
    return found


class Roles:
    """The requests that matter, and sentences where one could not be told. ``port``: the field of ``save`` that holds the new port."""

    def __init__(self, exchanges: tuple[Exchange, ...], username: str, password: str, old_port: int, new_port: int) -> None:
        self.exchanges, self.username, self.password = exchanges, username, password
        self.old, self.new = str(old_port), str(new_port)
        self.problems: list[str] = []
        self._transforms: dict[str, tuple[str, str] | None] = {}
        self.confirmed = False                  # a later answer shows the new port where the old one was
        self.save, self.port = self._find_save()
        self.http_auth = any(_authorization(one).startswith(("basic", "digest")) for one in exchanges)
        self.login = None if self.http_auth else self._find_login()
        self.read, self.value = self._find_read() if self.save else (None, None)
        self.also = self._find_more_saves()
        self.logout = self._find_logout()

    # ------------------------------------------------------------------ save

    def _find_save(self) -> tuple[Exchange | None, Leaf | None]:
        holding = [(one, [leaf for leaf in leaves(one, ("query", "body")) if leaf.text == self.new]) for one in self.exchanges]
        holding = [(one, found) for one, found in holding if found and one.answer.status < 400]
        holding = [pair for pair in holding if pair[0].method != "GET"] or holding
        if not holding:
            other = [one.label for one in self.exchanges if one.body_kind == "other" and self.new in str(one.body)]
            more = f"; {', '.join(other)} has it in a body that is neither JSON nor a form" if other else ""
            self.problems.append(f"No request sends the new port {self.new} as a value of its own{more}.")
            return None, None
        save, found = holding[-1]
        if len(found) > 1:
            self.problems.append(
                f"{save.label} sends {self.new} in several fields ({', '.join(leaf.name for leaf in found)}): record with a port that stands nowhere else."
            )
        return save, found[0]

    def _find_more_saves(self) -> list[Exchange]:
        """What the page sent before (a check of the port) or after it (apply, commit) that belongs to the saving."""
        if self.save is None:
            return []
        known = {(one.method, one.path) for one in self.exchanges if one.index < self.save.index} | {(self.save.method, self.save.path)}
        also = [
            one
            for one in self.exchanges
            if one.index < self.save.index
            and one.method != "GET"
            and (one.method, one.path) != (self.save.method, self.save.path)
            and any(leaf.text == self.new for leaf in leaves(one, ("query", "body")))
        ]
        return also + [one for one in self.exchanges if one.index > self.save.index and one.method != "GET" and (one.method, one.path) not in known
                       and one.answer.status < 400 and not _LEAVING.search(one.path + repr(one.body)) and (one.method != "DELETE")]

    # ------------------------------------------------------------------ login

    def _find_login(self) -> Exchange | None:
        before = [one for one in self.exchanges if self.save is None or one.index < self.save.index]
        for exchange in reversed(before):
            if exchange.answer.status < 400 and any(self.is_password(leaf, exchange) for leaf in leaves(exchange)):
                return exchange
        hidden = [(one, leaf) for one in before for leaf in leaves(one, ("query", "body")) if leaf.text and PASSWORD_NAME.search(leaf.name)]
        if hidden:
            exchange, leaf = hidden[-1]
            self.problems.append(f"{exchange.label}: {leaf} is neither the password nor made of it in a way that is known (hashes with a nonce, base64): "
                                 "the page computes it in a way that can't be learned from a recording.")
        elif any(one.body_kind == "other" for one in before):
            self.problems.append("The login was not found: a request has a body that is neither JSON nor a form.")
        else:
            self.problems.append(
                "The login was not found: no request holds the password. Record from before the login, in a private window, and give the password "
                "that was used."
            )
        return None

    def is_password(self, leaf: Leaf, exchange: Exchange) -> bool:
        if not self.password or not leaf.text:
            return False
        if leaf.text == self.password:
            return self.password != self.username or bool(PASSWORD_NAME.search(leaf.name))
        return self.transform(leaf.text, exchange) is not None

    def transform(self, text: str, exchange: Exchange) -> tuple[str, str] | None:
        """How *text* is made of the password (transforms.py). Looked for once: what is sent again later was made of the same."""
        if text not in self._transforms:
            self._transforms[text] = find_transform(text, self.username, self.password, nonces_before(exchange, self.exchanges))
        return self._transforms[text]

    # ------------------------------------------------------------------ read

    def _find_read(self) -> tuple[Exchange | None, Seen | None]:
        start = self.login.index if self.login else -1
        places: dict[Any, tuple[Any, Exchange, Seen]] = {}
        for exchange in self.exchanges:
            if start < exchange.index < self.save.index and exchange.answer.status < 400:
                for seen in seen_in(exchange):
                    if (
                        seen.source.kind in ("json", "form")
                        and as_text(seen.value) == self.old
                        and not isinstance(seen.value, bool)
                        and extracts(exchange, seen.source, seen.value)
                    ):
                        score = (
                            self._is_confirmed(exchange, seen),
                            seen.name.lower() == self.port.name.lower(),
                            near(seen.pointer[::-1], self.port.pointer[::-1]),
                        )
                        places[exchange.same, seen.source] = (score, exchange, seen)
        best = sorted(places.values(), key=lambda place: (place[0], place[1].index))
        if not best:
            self.problems.append(
                f"No answer after the login shows the old port {self.old} as a value of JSON or of a form field, so the port could not be read."
            )
            return None, None
        score, exchange, seen = best[-1]
        rivals = [other for other in best[:-1] if other[0] == score and other[1].same == exchange.same]
        if rivals or not (score[0] or score[1]) and len(best) > 1:
            named = ", ".join(dict.fromkeys(other[2].source.path for other in best[::-1]))
            self.problems.append(
                f"The old port {self.old} stands in several places ({named}): reload the page after saving, before the recording ends, or record with a port "
                "that stands nowhere else."
            )
            return None, None
        self.confirmed = score[0]
        return exchange, seen

    def _is_confirmed(self, exchange: Exchange, seen: Seen) -> bool:
        """Does the same question, asked after the saving, show the new port there?"""
        return any(later.index > self.save.index and later.same == exchange.same and extracts(later, seen.source, self.new) for later in self.exchanges)

    # ------------------------------------------------------------------ logout

    def _find_logout(self) -> Exchange | None:
        for exchange in reversed(self.exchanges):
            if self.save and exchange.index > self.save.index:
                words = exchange.path + " ".join(value for dummy, value in exchange.query) + (repr(exchange.body) if exchange.body else "")
                if _LEAVING.search(words) or (exchange.method == "DELETE" and self.login and exchange.path == self.login.path):
                    return exchange
        return None


def _authorization(exchange: Exchange) -> str:
    return next((value.lower() for name, value in exchange.headers.items() if name.lower() == "authorization"), "")
