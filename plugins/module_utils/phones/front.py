# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A phone's front page: asked for without a login, once, when somebody first looks at it."""

from __future__ import annotations

import re
from functools import cached_property

from ansible_collections.evenport.sip.plugins.module_utils.http.answer import Answer
from ansible_collections.evenport.sip.plugins.module_utils.http.session import WebSession

_LOOK_AT = 20000                # characters of a page; signs stand at its top


class Front:
    """``GET /``. Costs a request where it is looked at, and none where not."""

    def __init__(self, web: WebSession) -> None:
        self._web = web

    @cached_property
    def answer(self) -> Answer:
        return self._web.get("/")

    @cached_property
    def text(self) -> str:
        """Headers, a line each ("server: lighttpd"), and the top of the page."""
        headers = "".join(f"{name.lower()}: {value}\n" for name, value in self.answer.headers.items())
        return headers + self.answer.text[:_LOOK_AT]

    def shows(self, sign: str) -> bool:
        """:arg sign: a regular expression; ^ is the start of any line, case does not matter"""
        return bool(re.search(sign, self.text, re.IGNORECASE | re.MULTILINE))
