# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Yealink Y3: servlet pages with a login by getsessionid, v80 on T4xG and T2x.

Login, export, and writing by sending a page's whole form back are [HW]. Which field of which page is the local SIP port is [U], and an import
like Y4's is not known here. So the field is looked for: on the advanced page of an account (its name is one tool's guess), by its label
("Local SIP Port" [R]), and only one that also shows the value that the export has for the key is taken. A page that holds a password is never
sent back, as it would come back masked: so STUN, whose switch is on such a page, is neither set nor taken off here. A form is one account's:
changes of two lines are two requests, and where one of them fails, reading back tells. The keep-alive interval is a word for the whole phone, so
it is offered only where it is on one form: no line is written to for the sake of another one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import BadAnswer, DeviceError, EvenportError, Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import Answer
from ansible_collections.evenport.sip.plugins.module_utils.http.faults import Dropped
from ansible_collections.evenport.sip.plugins.module_utils.http.forms import Form, forms_of
from ansible_collections.evenport.sip.plugins.module_utils.http.session import WebSession
from ansible_collections.evenport.sip.plugins.module_utils.model import Identity
from ansible_collections.evenport.sip.plugins.module_utils.phones.settings import Flat, Place, Value
from ansible_collections.evenport.sip.plugins.module_utils.phones.target import Target
from ansible_collections.evenport.sip.plugins.module_utils.phones.yealink import keys
from ansible_collections.evenport.sip.plugins.module_utils.phones.yealink.common import exported
from ansible_collections.evenport.sip.plugins.module_utils.phones.yealink.crypto import PublicKey, aes_base64, md5_hex, random_hex, random_text
from ansible_collections.evenport.sip.plugins.module_utils.phones.yealink.servlet import LoginPage, YealinkServlet, nonce

_LOOK_AT = 400000                               # bytes of a page
_PAGES = ("account-adv", "account-basic")       # account-register holds the password
# Labels of Yealink's English pages [R]; scripts hold them as T("..."), whatever language is shown.
_LABELS = {
    "sip_listen_port": r"\blocal\s+sip\s+port\b",
    "nat.udp_update_enable": r"\bkeep\s*alive\s+type\b",
    "nat.udp_update_time": r"\bkeep\s*alive\s+interval\b",
    "nat.rport": r"\brport\b",
}
_NEEDS = {"local_port": "sip_listen_port", "nat_traversal": "nat.udp_update_enable", "keep_alive_interval": "nat.udp_update_time", "rport": "nat.rport"}


class YealinkY3(YealinkServlet):
    GENERATION = "Y3"
    PORT_SCOPE = "line"

    def __init__(self, target: Target, web: WebSession, identity: Identity) -> None:
        super().__init__(target, web, identity)
        self._page = ""                         # where the port is set
        self._fields: dict[str, str] = {}       # cfg key of an account (without "account.N.") -> field of that page

    # ------------------------------------------------------------------ session

    def _login_page(self) -> LoginPage:
        answer = self.web.get("/servlet", {"p": "login", "q": "loginForm", "jumpto": "status"})
        return LoginPage(answer.text, {})

    def _log_in(self) -> None:
        self.page = None
        answer = self.web.get("/servlet", {"p": "login", "q": "getsessionid", "random": nonce()})
        parts = answer.text.strip().split(",")
        if answer.status != 200 or len(parts) != 3:
            raise BadAnswer(f"{answer.where} answered no login key.", "Restart the phone, then run again; if it stays, update its firmware.")
        key = PublicKey(parts[0], parts[1], f"{self.target.name}: {self.web.reach.url}")
        session = self._sid(parts[2])
        self.web.cookies["JSESSIONID"] = session
        aes_key, aes_iv = random_hex(), random_hex()
        plain = f"rand={random_text()};sessionid={session};username={self.target.username};pwd={self.target.password};"
        data = aes_base64(f"MD5={md5_hex(plain)};{plain}", aes_key, aes_iv)
        form = {"key": key.seal(aes_key), "iv": key.seal(aes_iv), "data": data, "jumpto": "status", "acc": ""}
        self._open = True
        self._verdict(self.web.post("/servlet", form, query={"p": "login", "q": "login"}))

    def _verdict(self, answer: Answer) -> None:
        """302 is in, 200 is the login page again, 404 says that the cookie was missing [HW]."""
        if answer.status in (301, 302, 303):
            return
        if answer.status == 404:
            raise BadAnswer(f"{answer.where} answered that our session is not known to it.", "Is something on the way that removes cookies (a proxy)?")
        if answer.status != 200 or not re.search(r"rsa\.js|loginForm|name=[\"']pwd[\"']", answer.text[:400000]):
            raise BadAnswer(f"{answer.where} answered the login with {answer.status} and no login page.", "Restart the phone, then run again.")
        self.page = LoginPage(answer.text, {})
        self.check_lockout()
        raise self._refused()

    def _log_out(self, timeout: float) -> None:
        self.web.get("/servlet", {"p": "login", "q": "logout"}, timeout=timeout)       # [I]: as on Y4

    # ------------------------------------------------------------------ reading

    def _load(self, page: str, account: int = 0) -> Answer:
        return self._get({"p": page, "q": "load", **({"acc": str(account - 1)} if account else {})})

    def _values(self) -> dict[str, str]:
        status = self._load("status")
        self._take_identity(status)
        token = self._take_token(status)
        answer = self._alive(self.web.upload("/servlet", {"localConfigFile": ("", b"", "application/octet-stream")}, {"token": token},
                                             query={"p": "settings-config", "q": "localconfig", "type": "export", "configfile": "1"}))
        raw = self._complete(exported(answer))
        if not self._page:
            self._find(raw)
        return raw

    def _find(self, raw: Mapping[str, str]) -> None:
        """Which page and fields account 1 is set with. The other accounts' pages are the same ones."""
        for page in _PAGES:
            try:
                answer = self._load(page, 1)
            except BadAnswer:
                continue                        # this firmware has no such page
            form, fields = located(answer, {key: raw.get(keys.key_of(1, key)) for key in _LABELS})
            if form is not None and "sip_listen_port" in fields:
                self._page, self._fields = page, fields
                return

    def _offered(self, settings: Flat) -> Flat:
        """A port is shown even where it can't be set; of the rest only what has a field, no NAT traversal where STUN is on, and no interval of two forms."""
        passed_over = {place for place, value in settings.items() if (place.setting == "nat_traversal" and value == "stun")
                       or (place.setting == "keep_alive_interval" and len(keys.timed(self._raw)) > 1)}
        return {place: value for place, value in settings.items()
                if place.setting == "local_port" or (_NEEDS[place.setting] in self._fields and place not in passed_over)}

    # ------------------------------------------------------------------ writing

    def check(self, changes: Mapping[Place, Value]) -> None:
        super().check(changes)
        name = self.target.name
        for place, value in changes.items():
            if _NEEDS.get(place.setting) not in self._fields or self.port_scope != "line":
                raise Unsupported(f"{name}: the field for {place} is not found for sure on the phone's pages ({', '.join(_PAGES)}); nothing was written.",
                                  "Set it by hand, or update the phone's firmware to v81 or later.")
            if place.setting == "nat_traversal" and value == "stun":
                raise Unsupported(f"{name}: on a Yealink with v80, STUN is set on a page that holds the account's password, which is not sent back.",
                                  "Choose another NAT traversal, or set it by hand.")

    def _send(self, changes: Mapping[str, str]) -> None:
        sent, unclear = False, None
        for account in keys.ACCOUNTS:
            fields = {self._fields[key]: changes[keys.key_of(account, key)] for key in self._fields if keys.key_of(account, key) in changes}
            if not fields:
                continue
            try:
                form = self._form(account)
                try:
                    self._submit(form, account, fields)
                except Dropped as error:        # it may have been written; the next account's form is another request
                    unclear = unclear or error
            except EvenportError as error:
                if sent:
                    raise BadAnswer(error.what, error.remedy) from error        # an earlier account has been written: reading back tells
                raise
            sent = True
        if unclear:
            raise unclear                       # reading back tells

    def _form(self, account: int) -> Form:
        answer = self._load(self._page, account)
        self._take_token(answer)
        form, fields = located(answer, {key: self._raw.get(keys.key_of(account, key)) for key in self._fields})
        if form is None or any(fields.get(key) != name for key, name in self._fields.items()):
            raise DeviceError(f"{self.target.name}: the page of account {account} shows other fields or values than the phone's configuration.",
                              "Does somebody else change settings at this moment? Run again.")
        return form

    def _submit(self, form: Form, account: int, fields: Mapping[str, str]) -> None:
        target = replace(form, action=f"/servlet?p={self._page}&q=write&acc={account - 1}", method="POST")
        answer = target.submit(self.web, {**fields, "token": self.token})
        if answer.status == 403:                # "User Identity Forbidden": the token was wrong [HW]
            raise DeviceError(f"{self.target.name}: the phone refused the change (403); nothing was written.",
                              "Has this user the right to change settings? Use admin.")
        self._alive(answer)

    # ------------------------------------------------------------------ restart

    def _ask_reboot(self) -> Answer:
        token = self._take_token(self._load("settings-upgrade"))
        return self.web.get("/servlet", {"p": "settings-upgrade", "q": "reboot", "token": token, "Rajax": nonce()})                 # [3P]

    def keep_alive(self) -> None:
        self._look()

    def _look(self) -> None:
        self._load("status")


def located(answer: Answer, shown: Mapping[str, str | None]) -> tuple[Form | None, dict[str, str]]:
    """The one form that holds fields of these keys (key -> the value it has to show), and their names.

    A field counts where its row has the label and no other row has it, and its value is the one that is expected. Passed over are a form with a
    password, and one that can't send what is empty as empty (a choice without an empty option): sending it would change that.
    """
    best: tuple[Form | None, dict[str, str]] = (None, {})
    for form in forms_of(replace(answer, body=answer.body[:_LOOK_AT]), page="/servlet"):
        if any(control.get("type", "").lower() == "password" and control.get("value") for control in form.element.iter("input")):
            continue
        rows, fields = _rows(form), {}
        for key, value in shown.items():
            names = [name for name, text in rows if re.search(_LABELS[key], text, re.IGNORECASE)]
            sent = [text for name, text in form.pairs if name in names]
            if len(names) == 1 and value is not None and sent == [value]:
                fields[key] = names[0]
            elif len(names) == 1 and value == "" and sent:
                fields = {}
                break
        if len(fields) > len(best[1]):
            best = (form, fields)
    return best


def _rows(form: Form) -> list[tuple[str, str]]:
    """(name, text of its row) of the text and select fields."""
    texts: dict[Any, str] = {}                  # each row's text once, however many fields it holds
    rows = []
    for control in form.element.iter("input", "select"):
        kind = "text" if control.tag == "select" else control.get("type", "text").lower()
        row = next(control.iterancestors("tr", "li", "dl", "div"), None)
        if control.get("name") and kind in ("text", "number", "tel") and row is not None:
            if row not in texts:
                texts[row] = row.text_content()[:2000]
            rows.append((str(control.get("name")), texts[row]))
    return rows
