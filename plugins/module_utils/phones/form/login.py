# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Log in to a web page that nobody has documented: HTTP authentication or the page's own form, found out before the password is sent, and sent once.

A form that changes the password by script before it sends it (a hash, an encryption) can't be driven from its HTML: it is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ansible_collections.evenport.sip.plugins.module_utils.errors import AuthFailed, BadAnswer, EvenportError, LockedOut, SessionLost, Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import Answer
from ansible_collections.evenport.sip.plugins.module_utils.http.forms import Control, Form
from ansible_collections.evenport.sip.plugins.module_utils.phones.form.page import Login, Page
from ansible_collections.evenport.sip.plugins.module_utils.phones.form.walk import Pages
from ansible_collections.evenport.sip.plugins.module_utils.phones.form.words import LOGIN, REFUSED, dangerous, folded, folded_name, locked_for
from ansible_collections.evenport.sip.plugins.module_utils.phones.http_login import log_in
from ansible_collections.evenport.sip.plugins.module_utils.phones.target import Target

_LOOKS = 8                      # pages on the way to the login page, at most
_SCRIPTS = 6                    # script files of a login page that are looked at
_HASHES = re.compile(r"(?i)md5|\bsha-?[1235]|\bhex_sha|encrypt|cryptojs|crypto\.subtle|\brsa|\baes\b|\bbtoa\b|base64(?!,)")
_REMEDY = "Record a profile of this model with a browser (evenport.sip.phone_profile), or set the port by hand."


@dataclass(frozen=True)
class Way:
    """How a phone is logged in to: "http" (page: one that asks for it), "form" (the page that holds it, names of its inputs) or "none"."""

    how: str
    page: str = "/"
    user: str = ""
    password: str = ""


class Entrance:
    """Finds the login, and uses it once. Afterwards ``way`` says how, ``home`` holds the pages that were seen behind it."""

    def __init__(self, target: Target, pages: Pages) -> None:
        self.target, self.pages = target, pages
        self.way = Way("none")
        self.home: list[Page] = []
        self._refusal: Answer | None = None
        self._login: Login | None = None
        self._page: Page | None = None

    # ------------------------------------------------------------------ before the password

    def find(self, way: Way | None = None) -> None:
        """Look for the login from the front page on, or on the page that *way* names.

        :raises LockedOut: the page says that logins are locked
        :raises Unsupported: a login that can't be driven
        """
        waiting, seen = [way.page if way else "/"], set()
        pages: list[Page] = []
        while waiting and len(seen) < (1 if way else _LOOKS):
            path = waiting.pop(0)
            if path in seen:
                continue
            seen.add(path)
            answer = self.pages.get(path)
            if answer.status == 401:
                self._refusal, self.way = answer, Way("http", path)
                return
            page = Page(path, answer, self._origin)
            pages.append(page)
            if page.login and (not way or way.how == "form"):
                self._at(page, page.login, checked=way is not None)
                return
            if page.loose_password:
                raise Unsupported(f"{self.target.name}: the password field of {path} is in no form, so that only the page's script can send it.", _REMEDY)
            waiting += [*page.goes, *(frame.path for frame in page.frames)]
            waiting += [link.path for link in page.links() if link.kind == "link" and (LOGIN.search(folded(link.text)) or LOGIN.search(folded_name(link.path)))]
        if way and way.how == "form":
            raise BadAnswer(f"{self.target.name}: {way.page} has no login form, as the phone's profile says.", "Another firmware? Make the profile again.")
        self.home = [page for page in pages if page.answer.status == 200]
        first = next(iter(pages), None)
        if not self.home and first is not None:
            away = first.answer.headers.get("Location", "")
            raise BadAnswer(f"{first.answer.where} answered {first.answer.status} and no page.",
                            "Set sip_phone_protocol: https, where it sends us." if away.lower().startswith("https:")
                            else "Is this address really the phone's web page?")

    @property
    def _origin(self) -> str:
        return str(self.pages.web.reach.url)

    def _at(self, page: Page, login: Login, checked: bool) -> None:
        self._page, self._login = page, login
        locked, minutes = locked_for(page.text)
        if locked and minutes is not None:      # without a time it may be a mere hint to users
            raise self._locked(minutes)
        if not checked:
            self._drivable(page, login)
        self.way = Way("form", page.path, login.user.name if login.user else "", login.password.name)

    def _drivable(self, page: Page, login: Login) -> None:
        """:raises Unsupported: pressing its button does not just send what was typed"""
        form = login.form
        action = (form.element.get("action") or "").strip()
        handlers = [one.get(name) or "" for one in [form.element, *(control.element for control in form.controls)] for name in ("onsubmit", "onclick")]
        scripted = any(handler.strip() for handler in handlers)
        why = ""
        if not login.password.name or action.lower().startswith("javascript:"):
            why = "only the page's script can send it"
        elif form.method == "GET":
            why = "it would put the password into the address"
        elif not action.strip("#") and scripted:
            why = "it has no address to send to but a script"
        elif any(_HASHES.search(text) for text in [page.scripts, *handlers, *page.script_files, *self._script_texts(page)]):
            why = "a script of the page changes the password before it is sent (a hash or an encryption)"
        if why:
            raise Unsupported(f"{self.target.name}: the login form of {page.path} can't be filled in from here: {why}. No password was sent.", _REMEDY)

    def _script_texts(self, page: Page) -> list[str]:
        found = []
        for path in page.script_files[:_SCRIPTS]:
            try:
                found.append(self.pages.get(path).text)
            except BadAnswer:
                continue                        # a script that can't be read hashes nothing here either
        return found

    def _locked(self, minutes: int | None) -> LockedOut:
        wait = f"for {minutes} minutes" if minutes is not None else "for some time"
        return LockedOut(f"{self.target.name}: the phone refuses all logins {wait} after too many wrong passwords.",
                         "Wait that long, check sip_phone_user and sip_phone_password, then run again.", minutes)

    # ------------------------------------------------------------------ the one attempt

    def enter(self) -> None:
        """:raises AuthFailed: refused; :raises LockedOut: refused for a while; :raises SessionLost: accepted and forgotten at once"""
        if self._refusal is not None:
            path = self.way.page
            answer = log_in(self.target, self.pages.web, lambda: self.pages.web.get(path), self._refusal)
            self._refusal = None
            self.pages.forget()
            self.pages.requests += 1
            self.pages.take(path, answer)
            self.home = [Page(path, answer, self._origin)]
        elif self._login is not None and self._page is not None:
            self._submit(self._page, self._login)
            self._login = None

    def _submit(self, page: Page, login: Login) -> None:
        form, before = login.form, dict(self.pages.web.cookies)
        filled: dict[Control, str | None] = {login.password: self.target.password}
        if login.user is not None:
            filled[login.user] = self._user(login.user)
        self.pages.forget()
        answer = form.send(self.pages.web, form.filled(filled, button_of(form)))
        fresh = self.pages.web.cookies != before
        if answer.status in (401, 403):
            raise self._refused(answer.text)
        if answer.status >= 400:
            raise BadAnswer(f"{answer.where} answered {answer.status} to the login.",
                            "Restart the phone, then run again; or " + _REMEDY[0].lower() + _REMEDY[1:])
        landed = Page(form.action, answer, self._origin)
        if self.is_login(landed) or (not any(True for dummy in landed.links()) and REFUSED.search(folded(landed.text[:2000]))):
            raise self._refused(landed.text)
        self.home = [landed] if answer.status == 200 else []
        self._land(landed, page.path, fresh)

    def _land(self, landed: Page, login_page: str, fresh: bool) -> None:
        """Go where the answer to the login sends us; to the front page if it doesn't say."""
        goes = landed.goes
        for path in goes[:1] or ([] if any(True for dummy in landed.links()) else ["/"]):
            home = Page(path, self.pages.get(path), self._origin)
            back = path.partition("?")[0] == login_page.partition("?")[0]
            if self.is_login(home) and goes and fresh and not back:
                raise SessionLost(f"{self.target.name}: the phone took the password, and shows its login page again.",
                                  "Is somebody else logged in to its web page? Run again when they are done.")
            if self.is_login(home) and goes:
                raise self._refused(home.text)
            if self.is_login(home) or home.answer.status in (401, 403):
                raise BadAnswer(f"{landed.answer.where} neither let us in nor refused the password.", _REMEDY)
            self.home.append(home)

    def _refused(self, text: str) -> EvenportError:
        locked, minutes = locked_for(text)
        if locked:
            return self._locked(minutes)
        return AuthFailed(f"{self.target.name}: the phone refuses the password of {self.target.username!r}.",
                          "It was tried once and is not repeated. Correct sip_phone_user or sip_phone_password.")

    def _user(self, control: Control) -> str:
        if control.kind != "select":
            return self.target.username
        wanted = folded(self.target.username)
        value = next((value for value, text in control.options if wanted in (folded(value), folded(text))), None)
        if value is None:
            offered = ", ".join(text for dummy, text in control.options[:8])
            raise AuthFailed(f"{self.target.name}: the login page offers no user {self.target.username!r}, but {offered}. No password was sent.",
                             "Correct sip_phone_user.")
        return value

    def is_login(self, page: Page) -> bool:
        """Is this the login page (again)? Seen by the names of its inputs, so that a page of settings with a password is none."""
        if self.way.how != "form":
            return False
        login = page.login
        return login is not None and login.password.name == self.way.password and (login.user.name if login.user else "") == self.way.user


_SAVES = re.compile(r"\bsave|\bapply|\bsubmit|\bok\b|\bset\b|\bsend|confirm|update|accept|change|modify|store|speicher|ubernehm|\bsenden|bestatig"
                    r"|absenden|enregistr|appliqu|valid|envoy"
                    r"|guardar|aplicar|acept|enviar|\bsalva|\bapplica|conferma|invia|opslaan|toepass|verzend|gravar|confirm|zapisz|zastosuj|zatwierdz"
                    r"|log ?in|log ?on|sign ?in|anmeld|connexion"
                    r"|acced|entrar|aanmeld|zaloguj|保存|提交|确定|登录")
_NEVER = re.compile(r"cancel|abbrech|annul|cancelar|annuler|anuluj|(?<!p)reset|default|refresh|help|hilfe|aide|ayuda|delete|losch|factory|werks|reboot"
                    r"|restart|neustart|\btest|\bback\b|zuruck")


def button_of(form: Form) -> Control | None:
    """The button that a person would press to save or to log in: the first that says so, else the only one. None: the form has none that fits."""
    buttons = [one for one in form.controls if one.kind in ("submit", "image") and one.element.get("disabled") is None]
    words = {one: folded(" ".join([one.own, one.element.text_content() or "", one.name, one.element.get("alt") or "",
                                   one.element.get("title") or ""])) for one in buttons}
    good = [one for one in buttons if not _NEVER.search(words[one])]
    saves = [one for one in good if _SAVES.search(words[one])]
    harmless = [one for one in good if not dangerous(words[one])]
    return next(iter(saves), None) or (harmless[0] if len(harmless) == 1 else None)
