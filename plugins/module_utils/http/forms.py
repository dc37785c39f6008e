# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTML forms as a browser sees and submits them.

Parsed by lxml. Which controls are sent, and what they send, is in the HTML standard, "constructing the entry list"; lxml's own
form_values() differs where it matters (an input without a value, a list with nothing selected) and is not used.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from ansible_collections.evenport.sip.plugins.module_utils.errors import BadAnswer, EvenportError
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import Answer
from ansible_collections.evenport.sip.plugins.module_utils.http.session import WebSession

try:
    from lxml import etree, html
except ImportError:                             # pragma: no cover - ansible-test imports without third-party libraries
    etree = html = None

_CHARSET = re.compile(rb"charset\s*=\s*[\"']?\s*([0-9A-Za-z_.:-]{1,40})", re.IGNORECASE)
# What browsers read these labels as (WHATWG Encoding).
_READ_AS = {"iso-8859-1": "windows-1252", "iso8859-1": "windows-1252", "latin1": "windows-1252", "latin-1": "windows-1252", "us-ascii": "windows-1252",
            "ascii": "windows-1252", "gb2312": "gb18030", "gbk": "gb18030", "utf8": "utf-8", "utf-16": "utf-8", "utf-16le": "utf-8", "utf-16be": "utf-8"}
_BOXES = ("checkbox", "radio")
_BUTTONS = ("submit", "image", "reset", "button")
_NUMBER = re.compile(r"-?[0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]+)?")


@dataclass(frozen=True, eq=False)
class Control:
    """One control of a form, its names and values as texts."""

    name: str                       # "": a browser never sends it
    kind: str                       # text, hidden, password, number, ...; checkbox, radio, select, textarea, file; submit, image, reset, button
    sent: tuple[str, ...]           # what an untouched one sends: mostly one value, none for an unticked box
    own: str                        # its value attribute: what a box sends once ticked, and a button once pressed
    element: Any = field(repr=False, default=None)      # lxml's

    @property
    def value(self) -> str:
        """What it holds; "" for nothing."""
        return self.sent[0] if self.sent else ""

    @property
    def options(self) -> list[tuple[str, str]]:
        """(value, text) of the options of a select that can be chosen."""
        return [(_option_value(one), _text(one)) for one in self.element.iter("option") if not _disabled(one)] if self.kind == "select" else []


@dataclass(frozen=True)
class Form:
    """One form of a page. ``pairs``: (name, value) of its successful controls in document order, submit buttons left out."""

    page: str                                   # path of the page that holds it
    action: str                                 # path and query to submit to
    method: str                                 # GET or POST
    enctype: str
    charset: str
    pairs: tuple[tuple[str, str], ...]
    element: Any = field(repr=False, compare=False, default=None)       # lxml's, for who looks for labels
    controls: tuple[Control, ...] = field(repr=False, compare=False, default=())

    def value(self, name: str) -> str | None:
        """The value of the control *name*; None where it has none (absent, or an unticked box)."""
        return next((value for known, value in self.pairs if known == name), None)

    def with_changes(self, changes: Mapping[str, str]) -> list[tuple[str, str]]:
        """All pairs, those of *changes* with another value. A name that the form does not have comes last, as from a script."""
        known = {name for name, dummy in self.pairs}
        return [(name, changes.get(name, value)) for name, value in self.pairs] + [(name, value) for name, value in changes.items() if name not in known]

    def filled(self, changes: Mapping[Control, str | None], button: Control | None = None) -> list[tuple[str, str]]:
        """All pairs in document order after a person has changed these controls and pressed *button*.

        :arg changes: control -> its new value; a box: its own value for ticked (the other radios of its name go out), None for not ticked
        """
        chosen = {one.name for one, value in changes.items() if one.kind == "radio" and value is not None}
        pairs: list[tuple[str, str]] = []
        for one in self.controls:
            if one is button:
                pairs += _pressed(one)
            elif one in changes:
                value = changes[one]
                pairs += [] if value is None else [(one.name, _newlines(value))]
            elif not (one.kind == "radio" and one.name in chosen):
                pairs += [(one.name, value) for value in one.sent]
        return pairs

    def submit(self, web: WebSession, changes: Mapping[str, str]) -> Answer:
        """Submit the form with *changes* and everything else as a browser would send it, in the page's own encoding."""
        return self.send(web, self.with_changes(changes))

    def send(self, web: WebSession, pairs: list[tuple[str, str]]) -> Answer:
        """Submit the form with these *pairs*, in the page's own encoding."""
        if self.method == "GET":                # bytes, as the session would encode text as UTF-8; no query in a path, as paths are shown in messages
            query: Any = [(name.encode(self.charset, "xmlcharrefreplace"), value.encode(self.charset, "xmlcharrefreplace")) for name, value in pairs]
            return web.request("GET", self.action.partition("?")[0], query)
        came_from = {"Referer": web.reach.url + self.page}                      # some phones look at it
        if self.enctype == "multipart/form-data":
            return web.upload(self.action, {}, pairs, charset=self.charset, headers=came_from)
        body = urlencode(pairs, encoding=self.charset, errors="xmlcharrefreplace").encode("ascii")
        return web.request("POST", self.action, body=body, headers={"Content-Type": "application/x-www-form-urlencoded", **came_from})


def parse_page(answer: Answer) -> tuple[Any, str]:
    """(lxml's root element, the page's character set). Whatever a device calls HTML has a tree; comments are not in it.

    :raises BadAnswer: nothing in it that a parser could make a tree of
    """
    if html is None:
        raise EvenportError("The Python library lxml is missing on the machine that runs this task.", "Run: pip install lxml")
    charset = charset_of(answer)
    try:
        text = answer.body.decode(charset, "replace").replace("\x00", "")
        root = html.document_fromstring(text.encode("utf-8", "replace"),
                                        parser=html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True))
    except (etree.ParserError, etree.XMLSyntaxError, ValueError, RecursionError) as error:
        raise BadAnswer(f"{answer.where} answered a page that can't be read.", "Is this address really the phone's web page?") from error
    return root, charset


def charset_of(answer: Answer) -> str:
    """The character set of a page: header, then <meta>, then UTF-8; a browser's own guess would be windows-1252 where it isn't UTF-8."""
    for place in (answer.headers.get("Content-Type", "").encode("latin-1", "replace"), answer.body[:2048]):
        found = _CHARSET.search(place)
        name = _usable(found.group(1).decode()) if found else ""
        if name:
            return name
    try:
        answer.body.decode("utf-8")
    except UnicodeDecodeError:
        return "windows-1252"
    return "utf-8"


def _usable(label: str) -> str:
    """The encoding to use for a label; "" for one that is unknown, or no encoding of pages."""
    name = _READ_AS.get(label.lower(), label)
    try:
        same = "<a>".encode(name, "xmlcharrefreplace") == b"<a>" and b"<a>".decode(name, "replace") == "<a>"
    except (LookupError, ValueError):
        return ""
    return name if same else ""


def forms_of(answer: Answer, page: str, origin: str = "") -> list[Form]:
    """The forms of a page that was fetched from the path *page*, in document order. Forms that lead to another host are left out.

    :arg origin: scheme and authority of the device ("https://192.0.2.7"); without it, a form that names its host in full leads elsewhere
    """
    root, charset = parse_page(answer)
    return forms_in(root, charset, page, origin)


def forms_in(root: Any, charset: str, page: str, origin: str = "") -> list[Form]:
    """forms_of() for a page that has been parsed already."""
    own = origin or "http://phone"
    base = base_of(root, page, own)
    controls = _controls(root, charset)
    forms = []
    for element in root.iter("form"):
        target = split_url(urljoined(base, (element.get("action") or "").strip() or own + page))
        if target is None or f"{target.scheme}://{target.netloc}".lower() != own.lower():
            continue
        path = (target.path or "/") + (f"?{target.query}" if target.query else "")
        method = "POST" if (element.get("method") or "").strip().upper() == "POST" else "GET"
        encoding = _usable((element.get("accept-charset") or "").strip()) or charset
        mine = tuple(one for owner, one in controls if owner is element)
        pairs = tuple((one.name, value) for one in mine for value in one.sent)
        forms.append(Form(page, path, method, (element.get("enctype") or "").strip().lower(), encoding, pairs, element, mine))
    return forms


def loose_controls(root: Any, charset: str) -> list[Control]:
    """Controls that belong to no form: only a script could send them."""
    return [one for owner, one in _controls(root, charset) if owner is None]


def base_of(root: Any, page: str, origin: str) -> str:
    """The URL that relative addresses of a page start from."""
    return urljoined(origin + page, next((one.get("href", "") for one in root.iter("base")), ""))


def urljoined(base: str, address: str) -> str:
    """urljoin; what a device writes that is no address joins to itself."""
    try:
        return urljoin(base, address)
    except ValueError:
        return address


def split_url(address: str) -> Any:
    """urlsplit, or None for what is no address."""
    try:
        parts = urlsplit(address)
        return parts if parts.port != 0 else None
    except ValueError:
        return None


# ---------------------------------------------------------------------- controls


def _controls(root: Any, charset: str) -> list[tuple[Any, Control]]:
    """(form element or None, control) of a page in document order."""
    by_id = {one.get("id"): one for one in reversed(list(root.iter("form"))) if one.get("id")}
    found = []
    for element in root.iter("input", "select", "textarea", "button"):
        if any(True for dummy in element.iterancestors("noscript", "template", "datalist")):
            continue                            # a browser has no such controls
        owner = by_id.get(element.get("form")) if element.get("form") else next(element.iterancestors("form"), None)
        found.append((owner, _control(element, charset)))
    return found


def _control(element: Any, charset: str) -> Control:
    name, own = element.get("name") or "", element.get("value")
    kind = (element.get("type") or "text").strip().lower() if element.tag == "input" else element.tag
    if element.tag == "button":
        kind = (element.get("type") or "submit").strip().lower()
        kind = kind if kind in _BUTTONS else "submit"
    if not name or kind in _BUTTONS or kind == "file" or _disabled(element):
        return Control(name, kind, (), own or "", element)
    if kind in _BOXES:
        own = "on" if own is None else own
        return Control(name, kind, (own,) if element.get("checked") is not None else (), own, element)
    if kind == "select":
        return Control(name, kind, tuple(_chosen(element)), "", element)
    if kind == "textarea":
        text = "".join(element.itertext())
        return Control(name, kind, (_newlines(re.sub(r"\A(?:\r\n|\n|\r)", "", text)),), "", element)
    value = charset if kind == "hidden" and name == "_charset_" else _sanitized(kind, own or "")
    return Control(name, kind, (value,), own or "", element)


def _sanitized(kind: str, value: str) -> str:
    if kind == "hidden":
        return _newlines(value)
    if kind == "number":
        return value if _NUMBER.fullmatch(value) else ""
    value = re.sub(r"[\r\n]", "", value)
    return value.strip() if kind in ("email", "url") else value


def _chosen(select: Any) -> Iterator[str]:
    options = list(select.iter("option"))
    chosen = [one for one in options if one.get("selected") is not None]
    if select.get("multiple") is None:
        shown = select.get("size", "1").strip()
        if not chosen and shown in ("", "0", "1"):      # a drop-down list always shows one
            chosen = [one for one in options if not _disabled(one)][:1]
        chosen = chosen[-1:]
    return (_option_value(one) for one in chosen if not _disabled(one))


def _option_value(option: Any) -> str:
    value = option.get("value")
    return _text(option) if value is None else str(value)


def _text(element: Any) -> str:
    return " ".join("".join(element.itertext()).split())


def _disabled(element: Any) -> bool:
    if element.get("disabled") is not None:
        return True
    return any(one.get("disabled") is not None for one in element.iterancestors("optgroup" if element.tag == "option" else "fieldset"))


def _pressed(button: Control) -> list[tuple[str, str]]:
    if button.kind == "image":
        prefix = f"{button.name}." if button.name else ""
        return [(f"{prefix}x", "0"), (f"{prefix}y", "0")]
    return [(button.name, button.own)] if button.name else []


def _newlines(value: str) -> str:
    return re.sub(r"\r\n|\r|\n", "\r\n", value)
