# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Fanvil's web pages: who may see them, its one session, and the page that takes a configuration.

Sources: [HW] a third party's Intelbras V5501 and V3501; older firmware [3P] Issabel, Elastix.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Mapping
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import AuthFailed, BadAnswer, Busy, DeviceError, SessionLost, Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import Answer, printable, whole
from ansible_collections.evenport.sip.plugins.module_utils.http.auth import HttpAuth
from ansible_collections.evenport.sip.plugins.module_utils.http.forms import forms_of, parse_page
from ansible_collections.evenport.sip.plugins.module_utils.http.session import WebSession
from ansible_collections.evenport.sip.plugins.module_utils.phones.http_login import log_in
from ansible_collections.evenport.sip.plugins.module_utils.phones.target import Target

NONCE_TRIES = 5                 # asking for a nonce is no login; a client that works with real phones asks as often, so far apart [HW]
NONCE_PAUSE = 4.0               # seconds

INFORMATION = "/information.htm"
CONFIG_PAGE = "/config.htm"
_LOGIN_PAGE = re.compile(r"logon_content|XSTR_HLP_AUTH_ERROR|name\s*=\s*[\"']?encoded", re.IGNORECASE)
OLD_LOGIN = re.compile(r"<input[^>]{0,200}name\s*=\s*[\"']?nonce\b[^>]{0,200}>", re.IGNORECASE)
_VALUE = re.compile(r"value\s*=\s*[\"']?([0-9A-Za-z]*)", re.IGNORECASE)
_NONCE = re.compile(r"[0-9A-Za-z]{8,64}")
_FIELDS = ("CONFIG", "System")  # of the configuration's file input: [HW] V5501 and [3P] X, C, D, H; [3P] older


class Pages:
    """Fetches pages and leaves it to the phone how: without a login, by Basic, or in its one session.

    :arg old: the front page has the nonce in its login form: firmware that knows a logout and does not look at Basic
    """

    def __init__(self, target: Target, web: WebSession, old: bool) -> None:
        self.target, self.web, self.old = target, web, old
        self.entered = self.lost = False
        self.reads = False                      # reading takes the session too
        self.inherited = False                  # the session is one of an earlier visit
        self.held = ""                          # such a session, not used yet

    def fetch(self, path: str) -> Answer:
        """GET a page, with whatever login it takes; each way to log in is tried once at most.

        :raises SessionLost: we had the session, and have it no more
        """
        answer = self._get(path)
        if answer.status == 401 and self.web.auth is None:
            answer = log_in(self.target, self.web, lambda: self._get(path), answer)
        if answer.status in (401, 403):
            if self.inherited:
                raise self._lost()
            raise AuthFailed(f"{self.target.name}: the phone does not show {path} to {self.target.username!r}.",
                             "Use the phone's administrator (sip_phone_user).")
        if not is_login_page(answer):
            return answer
        if self.entered or self.lost:
            raise self._lost()
        if self.web.auth is None and not self.old:
            answer = self._basic(path)
        if is_login_page(answer):
            self.enter()
            self.reads = True
            answer = self._get(path)
        if is_login_page(answer):
            raise self._lost()
        return answer

    def _basic(self, path: str) -> Answer:
        """Reads take Basic and no session ([HW] V5501), even where the page did not ask for it. A phone that answers as if nothing
        had been sent (its login page) has not looked at it; one that has and refuses is believed."""
        self.web.auth = HttpAuth(self.target.username, self.target.password)
        answer = self._get(path)
        if answer.status in (401, 403):
            raise self._refused()
        if is_login_page(answer):
            self.web.auth = None
        return answer

    def enter(self) -> None:
        """Take the phone's session: one login.

        :raises Busy: somebody else has it
        """
        nonce = self._nonce()
        word = hashlib.md5(f"{self.target.username}:{self.target.password}:{nonce}".encode(), usedforsecurity=False).hexdigest()
        form = {"encoded": f"{self.target.username}:{word}"}
        form.update({"nonce": nonce, "goto": "Logon", "URL": "/"} if self.old else {"CurLanguage": "en", "ReturnPage": "/"})
        answer = self.web.post("/", form)
        if answer.status == 503:
            raise self._crowded()
        if answer.status in (401, 403) or is_login_page(answer):
            raise self._refused()
        if answer.status >= 400:
            raise BadAnswer(f"{answer.where} answered {answer.status} to the login.", "Restart the phone, then run again.")
        self.entered, self.inherited = True, False

    def _nonce(self) -> str:
        """What the login is hashed with; where it came from says whether the firmware is an old one. Empty while a session is held [HW]."""
        for left in reversed(range(NONCE_TRIES)):
            page = self._get("/")
            field = OLD_LOGIN.search(page.text)
            self.old = bool(field)
            if field:
                found = _VALUE.search(field.group(0))
                nonce = found.group(1) if found else ""
                self.web.cookies["auth"] = nonce
            else:
                answer = self._get("/key==nonce", {"now": str(int(time.time() * 1000))})
                nonce = self.web.cookies.get("auth", "") if answer.status == 404 else answer.text.strip()[:16]
                self.web.cookies.setdefault("auth", nonce)
            if _NONCE.fullmatch(nonce):
                return nonce
            if nonce:
                raise BadAnswer(f"{self.target.name}: the phone's web page gave no nonce to log in with.", "Restart the phone, then run again.")
            if left:
                time.sleep(NONCE_PAUSE)
        raise self.busy()

    def leave(self) -> None:
        """Log out where the firmware knows how [3P]; newer ones let the session expire [HW]."""
        if self.entered and self.old:
            self.web.post("/LogOut.htm", {"DefaultLogout": "Logout"}, timeout=min(3.0, self.web.reach.timeout))
        self.entered = False

    def forget(self) -> None:
        """We begin anew: whatever session we were in is gone."""
        self.entered = self.lost = self.inherited = False
        self.web.cookies.pop("auth", None)

    def doubt(self) -> None:
        """The phone was away and may have restarted. A session that only uploads need is kept, and tried at the next one: where the phone
        has not restarted, it still holds it and gives out no other."""
        kept = self.session().get("auth", "") if not self.reads else ""
        self.forget()
        self.held = kept

    @property
    def stays(self) -> bool:
        """Does the phone hold a session of ours that we can't end?"""
        return not self.old and bool(self.session())

    def session(self) -> dict[str, Any]:
        cookie = self.web.cookies.get("auth", "") if self.entered else self.held
        return {"auth": cookie, "reads": self.reads} if cookie else {}

    def resume(self, state: Any) -> bool:
        """Take over a session(). False where reading goes by Basic: then it is kept for the upload."""
        cookie = str(state.get("auth", "")) if isinstance(state, Mapping) else ""
        if not _NONCE.fullmatch(cookie):
            return False
        self.held = cookie
        self.reads = bool(state.get("reads"))
        if self.reads:
            self._take_over()
        return self.reads

    def _take_over(self) -> None:
        self.web.cookies["auth"], self.held = self.held, ""
        self.entered = self.inherited = True

    # ------------------------------------------------------------------ upload

    def upload_form(self) -> tuple[str, str]:
        """(path, name of the file input) of the form that takes a configuration; in the session, which is taken for it.

        :raises Unsupported: no such form, or none that can be told from others
        """
        if self.held and not self.entered:
            self._take_over()
        if not self.entered and not self.lost:
            self.enter()                        # reading may have gone without it, an upload never does [HW]
        answer = self.fetch(CONFIG_PAGE)
        found = [(form.action, name) for form in (forms_of(answer, CONFIG_PAGE) if answer.status == 200 else ())
                 for name in form.element.xpath(".//input[@type='file']/@name")]
        known = [one for one in found if one[1] in _FIELDS] or (found if len(found) == 1 else [])
        if not known:
            names = ", ".join(repr(printable(name, 30)) for dummy, name in found[:5]) or "none"
            raise Unsupported(f"{self.target.name}: {CONFIG_PAGE} has no file input for a configuration that is known here (it has: {names}); "
                              "nothing was written.", "Set the port by hand on its web page.")
        return known[0][0], str(known[0][1])

    def upload(self, path: str, field: str, config: bytes) -> None:
        """Once, and with the session that upload_form() has shown to be ours.

        :raises SessionLost: the phone did not take it, but asked for a login
        :raises DeviceError: refused
        """
        answer = self.web.upload(path, {field: ("config.xml", config, "text/xml")})
        if answer.status == 401 or is_login_page(answer):
            raise self._lost()
        if answer.status >= 400:
            raise DeviceError(f"{self.target.name}: the phone refused the configuration ({answer.status}); nothing was written.",
                              "Has this user the right to change settings? Use admin.")

    # ------------------------------------------------------------------ answers

    def _get(self, path: str, query: Mapping[str, str] | None = None) -> Answer:
        answer = self.web.get(path, query)
        if answer.status == 503:                # "Server Too Busy": its few connections are used up ([HW] another client's i10S)
            raise self._crowded()
        return answer

    def busy(self) -> Busy:
        """No nonce: the session is taken. Where no session can be ended, it may as well be one of ours."""
        who = "somebody else is logged in to the phone's web page" if self.old else (
            "somebody is logged in to the phone's web page, or a session of ours has not ended yet (this phone can't end one)")
        return Busy(f"{self.target.name}: {who}, and it serves one at a time.",
                    "Run again when they are done; such a session ends by itself after a while (how long is not known).")

    def _crowded(self) -> Busy:
        return Busy(f"{self.target.name}: the phone's web page is too busy to answer (503).",
                    "Run again later; where it stays so, close whatever else asks this phone, or restart it.")

    def _refused(self) -> AuthFailed:
        return AuthFailed(f"{self.target.name}: the phone refuses the password of {self.target.username!r}.",
                          "It was tried once and is not repeated. Correct sip_phone_user or sip_phone_password.")

    def _lost(self) -> SessionLost:
        self.entered, self.lost = False, True   # nothing is left to log out of, and no second login
        return SessionLost(f"{self.target.name}: the phone ended our web session in the middle of the work.",
                           "Is somebody else logged in to its web page? Run again when they are done.")


def is_login_page(answer: Answer) -> bool:
    """A refusal of this phone is 200 with the login page again [HW]."""
    return bool(_LOGIN_PAGE.search(answer.text[:200_000]))


def information(answer: Answer) -> dict[str, str]:
    """information.htm -> {"MODEL": "V5501", "SW": "2.2.29", "MAC": "44:3b:32:...", "UP_TIME": "75:12:09", ...} [HW].

    A label is a <span id="XSTR_LBL_INFO_MODEL"> in a cell, its value the next cell; behind a MAC "(Invalid)" may stand, in a <font>.
    """
    found: dict[str, str] = {}
    root, dummy = parse_page(answer)
    for span in root.iter("span"):
        name = str(span.get("id") or "")
        cell = next(span.iterancestors("td"), None)
        value = cell.getnext() if cell is not None else None
        if name.startswith("XSTR_LBL_INFO_") and value is not None and value.tag == "td":
            found.setdefault(name.removeprefix("XSTR_LBL_INFO_"), printable((value.text or "").strip() or str(value.text_content())[:200], 60))
    return found


def seconds(text: str) -> int | None:
    """An up-time: "75:12:09", "3 days 4:05", "75 h 12 min", "4711"; how it is written is [U]. None: nothing of the kind."""
    days = re.search(r"\b([0-9]{1,5})\s*d", text, re.IGNORECASE)
    total = 86400 * int(days.group(1)) if days else 0
    clock = re.search(r"\b([0-9]{1,6}):([0-9]{1,2})(?::([0-9]{1,2}))?\b", text)
    if clock:
        return total + 3600 * int(clock.group(1)) + 60 * int(clock.group(2)) + int(clock.group(3) or 0)
    units = re.findall(r"\b([0-9]{1,9})\s*([hms])", text, re.IGNORECASE)
    if units or days:
        return total + sum(int(number) * {"h": 3600, "m": 60, "s": 1}[unit.lower()] for number, unit in units)
    return whole(text, 0, 10 ** 11)
