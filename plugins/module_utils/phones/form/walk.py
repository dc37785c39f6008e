# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A polite walk over a phone's own pages: only GET, only this phone, each page once, few pages, and nothing that does anything.

What may be followed at all is decided in form_page.py and form_words.py; here are the limits.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from dataclasses import replace

from ansible_collections.evenport.sip.plugins.module_utils.errors import BadAnswer, EvenportError, SessionLost, Unreachable
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import Answer
from ansible_collections.evenport.sip.plugins.module_utils.http.reach import Reach
from ansible_collections.evenport.sip.plugins.module_utils.http.session import WebSession
from ansible_collections.evenport.sip.plugins.module_utils.phones.form.page import Link, Page
from ansible_collections.evenport.sip.plugins.module_utils.phones.form.words import LIKELY, folded, folded_name

MAX_DEPTH = 3                   # clicks from the home page; frames cost none
MAX_PAGES = 60                  # requests
MAX_BYTES = 8 * 1024 * 1024     # of all answers together
MAX_ALIKE = 16                  # addresses that differ in their query alone: accounts, not a log's 400 pages


class Pages:
    """Fetches pages, each once, and keeps count."""

    def __init__(self, web: WebSession) -> None:
        self.web = web
        self.requests = self.bytes = 0
        self.known: dict[str, Answer] = {}

    def get(self, path: str) -> Answer:
        if path not in self.known:
            self.requests += 1
            try:
                answer = self.web.get(path)
            except BadAnswer:
                self.bytes += self.web.reach.limit      # at worst
                raise
            self.take(path, answer)
        return self.known[path]

    def take(self, path: str, answer: Answer) -> None:
        """An answer that is at hand already."""
        self.bytes += len(answer.body)
        self.known[path] = answer

    def forget(self) -> None:
        """After a login every page is another."""
        self.known.clear()

    @property
    def reach(self) -> Reach:
        """As a WebSession has it: where pages are only looked at, this stands in for one."""
        return self.web.reach

    @property
    def left(self) -> bool:
        return self.requests < MAX_PAGES and self.bytes < MAX_BYTES


class Walk:
    """``run(home)``, then ``pages`` (in the order of looking), ``logout``, ``mac``, ``cut`` (why it did not see everything; "": it did)."""

    def __init__(self, pages: Pages, lost: Callable[[Page], bool]) -> None:
        """:arg lost: is this page the login page again?"""
        self._pages, self._lost = pages, lost
        self.pages: list[Page] = []
        self.logout = self.mac = self.cut = ""
        self.failure: EvenportError | None = None
        self._broken = 0
        self._seen: set[str] = set()
        self._bodies: set[bytes] = set()
        self._alike: dict[str, int] = {}
        self._queue: list[tuple[int, int, int, Link]] = []

    def run(self, home: Iterable[Page]) -> None:
        for page in home:
            self._seen.add(page.path)
            self._look(page, 0)
        while self._queue:
            if not self._pages.left:
                self.cut = f"the walk ended after {self._pages.requests} requests and {self._pages.bytes // 1024} kB"
                return
            dummy, depth, dummy_order, link = heapq.heappop(self._queue)
            self._visit(link, depth)

    def _visit(self, link: Link, depth: int) -> None:
        try:
            answer = self._pages.get(link.path)
            if answer.status in (301, 302, 303, 307, 308) or (answer.status == 200 and _is_html(answer)):
                page = Page(link.path, answer, self._pages.web.reach.url, link.text)
            elif answer.status == 200 and link.kind == "menu":
                self._look_at_menu(Page(link.page, replace(answer, body=b""), self._pages.web.reach.url), answer.text, depth)
                return
            else:
                return
        except BadAnswer as error:
            self._missed(error)
            return
        except Unreachable as error:
            self._missed(error)
            self._broken += 1
            if self._broken > 1:                # it does not want to be asked
                raise
            return
        if self._lost(page):
            raise SessionLost(f"{self._pages.web.reach.name}: the phone shows its login page again in the middle of the work.",
                              "Is somebody else logged in to its web page? Run again when they are done.")
        self._look(page, depth)

    def _missed(self, error: EvenportError) -> None:
        self.failure = self.failure or error
        self.cut = self.cut or "a page could not be read"

    def _look(self, page: Page, depth: int) -> None:
        if page.answer.body and page.answer.body in self._bodies:
            return                              # the same page under another address: "/" and "/index.htm"
        self._bodies.add(page.answer.body)
        self.pages.append(page)
        self.logout = self.logout or page.logout
        self.mac = self.mac or page.mac
        for link in page.links():
            self._add(link, depth)

    def _look_at_menu(self, page: Page, script: str, depth: int) -> None:
        for link in page.scripted(script, ""):
            self._add(link, depth)

    def _add(self, link: Link, depth: int) -> None:
        """:arg depth: of the page that the link stands on"""
        depth += 0 if link.kind in ("frame", "go", "menu") else 1
        place = link.path.partition("?")[0]
        if link.path in self._seen or depth > MAX_DEPTH or len(self._seen) > 20 * MAX_PAGES:
            return
        if self._alike.get(place, 0) >= MAX_ALIKE:
            return
        self._seen.add(link.path)
        self._alike[place] = self._alike.get(place, 0) + 1
        likely = link.kind != "link" or LIKELY.search(folded(link.text)) or LIKELY.search(folded_name(link.path))
        heapq.heappush(self._queue, (0 if likely else 1, depth, len(self._seen), link))


def _is_html(answer: Answer) -> bool:
    kind = answer.headers.get("Content-Type", "").lower()
    return "html" in kind or (not kind or "text/plain" in kind or "octet" in kind) and b"<" in answer.body[:2000]
