# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTML forms as a browser sees and submits them. Parsed by lxml; what "successful" controls are is in the HTML standard, section 4.10.21."""

from __future__ import annotations

import re
from collections.abc import Mapping
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

    def value(self, name: str) -> str | None:
        """The value of the control *name*; None where it has none (absent, or an unticked box)."""
        return next((value for known, value in self.pairs if known == name), None)

    def with_changes(self, changes: Mapping[str, str]) -> list[tuple[str, str]]:
        """All pairs, those of *changes* with another value. A name that the form does not have comes last, as from a script."""
        known = {name for name, dummy in self.pairs}
        return [(name, changes.get(name, value)) for name, value in self.pairs] + [(name, value) for name, value in changes.items() if name not in known]

    def submit(self, web: WebSession, changes: Mapping[str, str]) -> Answer:
        """Submit the form with *changes* and everything else as a browser would send it, in the page's own encoding."""
        pairs = self.with_changes(changes)
        if self.method == "GET":
            return web.request("GET", self.action.partition("?")[0] + "?" + urlencode(pairs, encoding=self.charset, errors="xmlcharrefreplace"))
        if self.enctype == "multipart/form-data":
            return web.upload(self.action, {}, pairs, charset=self.charset)
        body = urlencode(pairs, encoding=self.charset, errors="xmlcharrefreplace").encode("ascii")
        return web.request("POST", self.action, body=body, headers={"Content-Type": "application/x-www-form-urlencoded"})


def parse_page(answer: Answer) -> tuple[Any, str]:
    """(lxml's root element, the page's character set). Whatever a device calls HTML has a tree; comments are not in it.

    :raises BadAnswer: nothing in it that a parser could make a tree of
    """
    if html is None:
        raise EvenportError("The Python library lxml is missing on the machine that runs this task.", "Run: pip install lxml")
    charset = charset_of(answer)
    try:
        text = answer.body.decode(charset, "replace").replace("\x00", "")
        root = html.document_fromstring(text.encode("utf-8", "replace"), parser=html.HTMLParser(encoding="utf-8", remove_comments=True, no_network=True))
    except (etree.ParserError, etree.XMLSyntaxError, ValueError, RecursionError) as error:
        raise BadAnswer(f"{answer.where} answered a page that can't be read.", "Is this address really the phone's web page?") from error
    return root, charset


def charset_of(answer: Answer) -> str:
    """The character set of a page: header, then <meta>, then UTF-8; a browser's own guess would be windows-1252 where it isn't UTF-8."""
    for place in (answer.headers.get("Content-Type", "").encode("latin-1", "replace"), answer.body[:2048]):
        found = _CHARSET.search(place)
        if found:
            try:
                name = found.group(1).decode()
                "".encode(name)
            except LookupError:
                continue
            return name
    try:
        answer.body.decode("utf-8")
    except UnicodeDecodeError:
        return "windows-1252"
    return "utf-8"


def forms_of(answer: Answer, page: str) -> list[Form]:
    """The forms of a page that was fetched from the path *page*, in document order. Forms that lead to another host are left out."""
    root, charset = parse_page(answer)
    base = urljoin("http://phone" + page, next((one.get("href", "") for one in root.iter("base")), ""))
    forms = []
    for element in root.forms:
        target = urlsplit(urljoin(base, element.get("action") or page))
        if target.netloc != "phone":
            continue
        path = (target.path or "/") + (f"?{target.query}" if target.query else "")
        method = "POST" if (element.get("method") or "").upper() == "POST" else "GET"
        pairs = tuple((name, "" if value is None else str(value)) for name, value in element.form_values())
        forms.append(Form(page, path, method, (element.get("enctype") or "").lower(), charset, pairs, element))
    return forms
