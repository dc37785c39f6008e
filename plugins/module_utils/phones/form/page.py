# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One page of a phone that nobody has documented: its text, its forms, where it leads to, and whether it is a login page. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.http.answer import Answer, printable
from ansible_collections.evenport.sip.plugins.module_utils.http.forms import Control, Form, base_of, forms_in, loose_controls, parse_page, split_url, urljoined
from ansible_collections.evenport.sip.plugins.module_utils.phones.form.words import LOGOUT, dangerous, folded, is_page

UNSEEN = ("script", "style", "noscript", "template")
VISIBLE_TEXT = ("text", "tel", "number", "email", "search", "url")
_LABEL = 2000                   # characters of a link's text
_TEXT = 200000                  # characters of a page's text that are looked at
_MAC = re.compile(r"(?i)\bMAC\b[^\n]{0,30}?\n?[^\n]{0,10}?(?<![0-9a-f:-])([0-9a-f]{2}(?:([:-])[0-9a-f]{2}(?:\2[0-9a-f]{2}){4}|[0-9a-f]{10}))(?![0-9a-f:-])")
_OTHER_MAC = re.compile(r"(?i)gateway|router|server|peer|remote|bluetooth|\bbt\b|wi-?fi|wlan|next hop")
_SCRIPT_LINK = re.compile(r"""(["'])((?:/|\./|\.\./)?[A-Za-z0-9_][A-Za-z0-9_./-]{0,80}"""
                          r"""\.(?:html?|shtml?|asp|aspx|php|jsp|lp)(?:\?[A-Za-z0-9_=&.-]{0,80})?)\1(?!\s*\+)""")
_GOES = re.compile(r"""\blocation(?:\.href)?\s*=\s*(["'])([^"'\s<>]{1,160})\1|\blocation\.(?:replace|assign)\(\s*(["'])([^"'\s<>]{1,160})\3""")
_FUNCTION = re.compile(r"function\s+(\w+)\s*\(|(\w+)\s*[:=]\s*function\b")
_REFRESH = re.compile(r"(?i)^\s*[0-9.]*\s*[;,]\s*(?:url\s*=)?\s*[\"']?([^\"'\s]+)")
_MENU_SCRIPT = re.compile(r"(?i)(?:menu|nav|tree|left|sidebar)[\w.-]*\.js$")
_REQUESTS = re.compile(r"(?i)confirm\s*\(|\$\.|ajax|fetch\s*\(|\.open\s*\(\s*[\"'](?:get|post|put|delete)|\.post\b|\.send\b")


@dataclass(frozen=True)
class Link:
    path: str                   # with its query, without its fragment
    text: str                   # what a person reads
    kind: str = "link"          # link, frame, go (the page goes there by itself), menu (a script that writes a menu)
    page: str = ""              # of a menu: the page that loads it, from which its addresses count


@dataclass(frozen=True)
class Login:
    """A login form."""

    form: Form
    password: Control
    user: Control | None


class Page:
    """A page that was fetched. ``via``: the text of the link that led to it."""

    def __init__(self, path: str, answer: Answer, origin: str, via: str = "") -> None:
        self.path, self.answer, self.origin, self.via = path, answer, origin, via
        # A redirect mostly has no body, which is no page that a parser could read.
        self.root, self.charset = parse_page(answer if answer.body.strip() else replace(answer, body=b"<html></html>"))

    @cached_property
    def forms(self) -> list[Form]:
        return forms_in(self.root, self.charset, self.path, self.origin)

    @cached_property
    def loose(self) -> list[Control]:
        return loose_controls(self.root, self.charset)

    @cached_property
    def title(self) -> str:
        return printable(next((one.text_content() for one in self.root.iter("title")), ""), 60)

    @cached_property
    def text(self) -> str:
        """What a person reads, a block per line."""
        return _visible(self.root)

    @cached_property
    def scripts(self) -> str:
        """All script in the page itself."""
        return "\n".join(one.text or "" for one in self.root.iter("script"))

    @cached_property
    def script_files(self) -> list[str]:
        """Paths of the scripts of the same phone that the page loads."""
        return [path for one in self.root.iter("script") if one.get("src") and (path := self.local(one.get("src")))]

    @cached_property
    def mac(self) -> str:
        """The MAC that the page calls so, twelve lower-case hex digits; "" for none, or for several."""
        found = set()
        for one in _MAC.finditer(self.text):
            if not _OTHER_MAC.search(self.text[max(0, one.start() - 20):one.start(1)]):
                found.add(re.sub(r"[^0-9a-f]", "", one.group(1).lower()))
        return found.pop() if len(found) == 1 else ""

    @cached_property
    def login(self) -> Login | None:
        """The page's login form: one password, at most one text before it, hardly anything else."""
        for form in self.forms:
            seen = [one for one in form.controls if one.kind not in ("hidden", "submit", "image", "reset", "button")]
            passwords = [one for one in seen if one.kind == "password"]
            texts = [one for one in seen if one.kind in VISIBLE_TEXT]
            if len(passwords) != 1 or len(texts) > 1 or len(seen) > 5:
                continue
            before = [one for one in seen[:seen.index(passwords[0])] if one.kind in (*VISIBLE_TEXT, "select")]
            user = next((one for one in before if one.kind != "select"), None) or (before[0] if before and not texts else None)
            return Login(form, passwords[0], user)
        return None

    @cached_property
    def loose_password(self) -> bool:
        """A password input outside of every form."""
        return any(one.kind == "password" for one in self.loose)

    # ------------------------------------------------------------------ where it leads to

    def local(self, address: str) -> str:
        """The path and query of an address on this page, if it leads to the same phone by the same way; "" otherwise."""
        address = address.strip()
        if not address or re.match(r"(?i)(?!https?:)[a-z][a-z0-9+.-]*:", address):
            return ""
        parts = split_url(urljoined(base_of(self.root, self.path, self.origin), address))
        if parts is None or f"{parts.scheme}://{parts.netloc}".lower() != self.origin.lower():
            return ""
        return re.sub(r"\s", "%20", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))

    @cached_property
    def goes(self) -> list[str]:
        """Where the page goes by itself: redirect, refresh, and a script that sets location on its first level."""
        found = [self.answer.headers.get("Location", "")] if 300 <= self.answer.status < 400 else []
        for one in self.root.iter("meta"):
            refresh = _REFRESH.match(one.get("content") or "") if (one.get("http-equiv") or "").lower() == "refresh" else None
            found += [refresh.group(1)] if refresh else []
        for one in self.root.iter("script"):
            script = _first_level(one.text or "")
            found += [go.group(2) or go.group(4) for go in _GOES.finditer(script) if not _does_something(script, go.start(), go.end())]
        return [path for one in found if (path := self.local(one)) and is_page(path)]

    @cached_property
    def frames(self) -> list[Link]:
        found = [Link(self.local(one.get("src") or ""), folded(one.get("name") or ""), "frame") for one in self.root.iter("frame", "iframe")]
        return [one for one in found if one.path and is_page(one.path)]

    def links(self) -> Iterator[Link]:
        """Everything that may be looked at from here, in the page's order. Nothing that its address, its text or its script calls dangerous."""
        yield from (Link(path, "", "go") for path in self.goes)
        yield from self.frames
        for one in self.root.iter("a", "area"):
            yield from self._anchor(one)
        for one in self.root.iter("button", "input", "li", "td", "div", "span", "tr"):
            script = one.get("onclick") or ""
            if script and not dangerous(_said(one)):
                yield from self.scripted(script, _label(one))
        for one in self.root.iter("script"):
            yield from self.scripted(one.text or "", "")
        for path in self.script_files:
            if _MENU_SCRIPT.search(path.partition("?")[0]) and not dangerous(folded(path)):
                yield Link(path, "menu", "menu", self.path)

    def _anchor(self, element: Any) -> Iterator[Link]:
        address, script = element.get("href") or "", element.get("onclick") or ""
        if dangerous(_said(element)) or _REQUESTS.search(script):
            return
        text = _label(element)
        if address.lower().startswith("javascript:"):
            yield from self.scripted(address, text)
        elif (path := self.local(address)) and is_page(path) and not address.startswith("#"):
            yield Link(path, text)
        if script:
            yield from self.scripted(script, text)

    def scripted(self, script: str, text: str) -> Iterator[Link]:
        """Names of pages among the strings of a script, where neither the statement nor the function around them does something dangerous."""
        for found in _SCRIPT_LINK.finditer(script[:_TEXT]):
            if _does_something(script, found.start(), found.end()):
                continue
            path = self.local(found.group(2))
            if path and is_page(path):
                yield Link(path, text or _beside(script, found.start()))

    @cached_property
    def logout(self) -> str:
        """The path of a link that clearly says that it logs out, and nothing else; "" for none."""
        for one in self.root.iter("a", "area"):
            words = folded(one.text_content() + " " + " ".join(_alts(one)))
            path = self.local(one.get("href") or "")
            name = folded(path)
            if not path or ";" in path or not (LOGOUT.search(words) or LOGOUT.search(name)):
                continue
            rest = LOGOUT.sub(" ", words + " " + name)
            if not dangerous(rest):
                return path
        return ""


def _label(element: Any) -> str:
    return printable(" ".join([element.text_content()[:_LABEL], *_alts(element), element.get("value") or ""]), 60)


def _alts(element: Any) -> list[str]:
    found = [element.get("title") or "", element.get("aria-label") or ""]
    return found + [one.get(name) or "" for one in element.iter("img") for name in ("alt", "title", "src")]


def _said(element: Any) -> str:
    """All that an element says of itself, for the search for danger."""
    own = [element.get(name) or "" for name in ("id", "name", "class", "onclick", "value", "href")]
    return folded(" ".join([_label(element), *own])) + " " + folded(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", " ".join(own)))


def _does_something(script: str, start: int, end: int) -> bool:
    statement = re.split(r"[;\n{}\[\]]", script[max(0, start - 200):start])[-1] + re.split(r"[;\n{}\[\]]", script[end:end + 200])[0]
    functions = [one.group(1) or one.group(2) for one in _FUNCTION.finditer(script[max(0, start - 2000):start])]
    around = functions[-1] if functions else ""
    words = folded(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", f"{around} {statement}"))
    return bool(_REQUESTS.search(statement)) or dangerous(words) or dangerous(folded(around))


def _beside(script: str, start: int) -> str:
    """The string that stands before a page's name in a menu: ['Line 1','line.htm?n=1']."""
    found = re.search(r"""["']([^"'\n]{1,60})["']\s*[,:]\s*\Z""", script[max(0, start - 80):start])
    return found.group(1) if found else ""


def _first_level(script: str) -> str:
    """A script without what stands in braces: that runs when the page loads."""
    kept, depth = [], 0
    for piece in re.split(r"([{}])", script[:_TEXT]):
        if piece in "{}" and piece:
            depth = depth + 1 if piece == "{" else max(0, depth - 1)
        elif not depth:
            kept.append(piece)
    return " ".join(kept)


_INLINE = ("a", "b", "i", "u", "em", "strong", "span", "font", "small", "label", "input", "img", "sup", "sub", "code", "tt", "big", "td", "th")


def _visible(root: Any) -> str:
    """Texts of a page; cells of a row stay on one line."""
    parts: list[str] = []
    size = 0

    def put(text: str | None) -> None:
        nonlocal size
        if text and size < _TEXT:
            parts.append(text[:_TEXT])
            size += len(text)

    skip: Any = None
    for event, element in walked(root):
        if skip is not None:
            if event == "end" and element is skip:
                skip = None
                put(element.tail)
            continue
        if event == "start":
            if element.tag in (*UNSEEN, "title"):
                skip = element
                continue
            parts.append(" " if element.tag in _INLINE else "\n")
            put(element.text)
        else:
            parts.append(" " if element.tag in _INLINE else "\n")
            put(element.tail)
    return "\n".join(line for line in (" ".join(piece.split()) for piece in re.split(r"\n", "".join(parts))) if line)


def walked(root: Any) -> Iterator[tuple[str, Any]]:
    """("start" or "end", element) of a tree in document order, however deep it is."""
    stack = [(root, iter(root))]
    yield "start", root
    while stack:
        element, children = stack[-1]
        child = next(children, None)
        if child is None:
            stack.pop()
            yield "end", element
        elif isinstance(child.tag, str):
            stack.append((child, iter(child)))
            yield "start", child
