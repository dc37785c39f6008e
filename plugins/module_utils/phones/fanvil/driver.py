# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fanvil X, V, H, i, C, D and rebrands (Intelbras V, OpenVox C): one SIP port for the whole phone.

Two ways, and which one a phone takes shows at its first question: the XML service [D] (generation "xml"), or the upload of a part of its
configuration in a web session [HW] (generation "session"). [U]: whether a new port is in force without a restart, how logins are locked.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import AuthFailed, BadAnswer, Busy, DeviceError, SessionLost, Unreachable
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import Answer, printable
from ansible_collections.evenport.sip.plugins.module_utils.http.auth import HttpAuth
from ansible_collections.evenport.sip.plugins.module_utils.http.faults import Dropped
from ansible_collections.evenport.sip.plugins.module_utils.http.session import WebSession
from ansible_collections.evenport.sip.plugins.module_utils.model import Identity
from ansible_collections.evenport.sip.plugins.module_utils.phones.contract import Driver, Reading
from ansible_collections.evenport.sip.plugins.module_utils.phones.fanvil import keys
from ansible_collections.evenport.sip.plugins.module_utils.phones.fanvil.web import INFORMATION, OLD_LOGIN, Pages, information, is_login_page, seconds
from ansible_collections.evenport.sip.plugins.module_utils.phones.fanvil.xml import config_part, config_values, service_reply, service_request
from ansible_collections.evenport.sip.plugins.module_utils.phones.front import Front
from ansible_collections.evenport.sip.plugins.module_utils.phones.http_login import log_in
from ansible_collections.evenport.sip.plugins.module_utils.phones.settings import Place, Value
from ansible_collections.evenport.sip.plugins.module_utils.phones.target import Target, plain_mac

DIGEST = 10.0                   # seconds after an upload in which the phone answers 200 and does nothing ([HW] about 10)
BACK_PAUSE = 2.0                # seconds between two looks at a phone that is away after a write

EXPORT = "/default_user_config.xml"
# RapidLogic alone is not enough: printers and routers use it too [3P].
_SERVER = r"(?=[\s\S]*^server:\s*rapid\s?logic)"
_COOKIE = r"(?=[\s\S]*^set-cookie:.*\bauth=[0-9a-f]{16}\b)"                             # [HW] V5501
_OLD_FORM = r"(?=[\s\S]*name=[\"']?nonce\b)(?=[\s\S]*name=[\"']?encoded\b)"             # [3P] older pages
_REALM = r"(?=[\s\S]*^www-authenticate:.*realm=\"VoIP Phone\")"                         # [3P] i10S
SIGN = rf"\A{_SERVER}(?:{_COOKIE}|{_OLD_FORM}|{_REALM})"


def recognise(target: Target, web: WebSession, front: Front, session: Mapping[str, Any] | None = None) -> Driver | None:
    """A driver, or None. The nonce is asked for only where somebody says that it is a Fanvil: it may take the only session."""
    del session
    if not front.shows(SIGN):
        if target.brand != "fanvil" or not front.shows(rf"\A{_SERVER}"):
            return None
        if not re.fullmatch(r"[0-9A-Za-z]{16}", web.get("/key==nonce", headers={"Connection": "close"}).text.strip()):
            return None
    web.headers["Connection"] = "close"         # the body ends where the connection does: see http/rawbody.py
    return Fanvil(target, web, Identity("fanvil"), bool(OLD_LOGIN.search(front.text)))


class Fanvil(Driver):
    """:arg old: the front page is that of older firmware, which has the nonce in its login form"""

    BRAND = "fanvil"
    call_state = False
    port_scope = "phone"

    def __init__(self, target: Target, web: WebSession, identity: Identity, old: bool) -> None:
        super().__init__(target, web, identity)
        self.pages = Pages(target, web, old)
        self.service = False                    # the XML service answers
        self._values: dict[str, str] = {}       # what the phone showed last, by dotted path
        self._first: dict[str, str] = {}        # and at first
        self._written = False                   # written, and not yet read back
        self._back_by = 0.0                     # when a phone that was written to is given up (time.monotonic())
        self._up_time: int | None = None

    # ------------------------------------------------------------------ session

    def login(self) -> None:
        self.pages.forget()
        reply = service_reply(log_in(self.target, self.web, lambda: self._ask("get", [keys.PORT])))
        self.service = bool(reply and reply[1].get(keys.PORT, "").isdigit())            # 4b only where it knows the key [I]
        self._identify()

    def session(self) -> dict[str, Any]:
        """{} where there is none: Basic is enough to read, the session is taken for an upload only."""
        state = self.pages.session()
        return {self.BRAND: state} if state else {}

    def resume(self, session: Mapping[str, Any]) -> bool:
        """False as well where Basic is enough to read: then the session is kept for the upload, and login() says who we are."""
        if not self.pages.resume(session.get(self.BRAND)):
            return False
        self.identity = replace(self.identity, generation="session")
        return True

    def logout(self) -> None:
        self.pages.leave()

    @property
    def logs_out(self) -> bool:
        """False: the phone holds a session of ours, and its firmware knows no logout ([HW] V5501)."""
        return not self.pages.stays

    def _identify(self) -> None:
        shown = information(self.pages.fetch(INFORMATION))
        self._up_time = seconds(shown.get("UP_TIME", ""))
        self.identity = Identity(self.BRAND, "xml" if self.service else "session", printable(shown.get("MODEL", ""), 40),
                                 printable(shown.get("SW", ""), 40), plain_mac(shown.get("MAC", "")))

    # ------------------------------------------------------------------ settings

    def read(self) -> Reading:
        try:
            reading = self._read()
        except Unreachable:
            if not self._written or time.monotonic() >= self._back_by:
                raise
            self._wait_until_back()             # it has gone away later than we thought; reading may be repeated
            reading = self._read()
        self._written = False
        return reading

    def _read(self) -> Reading:
        if not self.identity.mac:
            self._identify()                    # a session that was taken over
        self._values = self._read_service() if self.service else config_values(self.target.name, self.pages.fetch(EXPORT))
        self._first = self._first or dict(self._values)
        return Reading(keys.settings(self._values), keys.accounts(self._values), keys.provisioning(self._values))

    def _read_service(self) -> dict[str, str]:
        """By key, line after line until one that is not there. Which keys a firmware knows shows at line 1."""
        values = {**self._get([keys.PORT]), **self._get([keys.SERVER, keys.PROTOCOL])}
        first = self._get([keys.key(1, name) for name in keys.OF_LINE])
        values.update(first)
        names = [name for name in keys.OF_LINE if keys.key(1, name) in first]
        for line in range(2, keys.MAX_LINES + 1):
            more = self._get([keys.key(line, name) for name in names], apart=False) if names else {}
            if not more:
                break
            values.update(more)
        return values

    def _get(self, wanted: list[str], apart: bool = True) -> dict[str, str]:
        """What the XML service shows of these keys. How it answers a key that it does not know is [U]: perhaps with nothing at all for
        the others too, so that each is asked for by itself then."""
        answer = self._ask("get", wanted)
        reply = service_reply(answer)
        if reply is None:
            raise BadAnswer(f"{answer.where} answered {answer.status} and nothing of the XML service.", "Restart the phone, then run again.")
        found = {name: text for name, text in reply[1].items() if name in wanted}
        if not found and apart and len(wanted) > 1:
            for name in wanted:
                found.update(self._get([name]))
        return found

    def _ask(self, command: str, items: Iterable[str]) -> Answer:
        return self.web.request("POST", "/xmlService", body=service_request(command, items), headers={"Content-Type": "text/xml"})

    def check(self, changes: Mapping[Place, Value]) -> None:
        keys.check(self.target.name, changes, self._values, self._first)

    def write(self, changes: Mapping[Place, Value]) -> None:
        self.check(changes)
        texts = keys.texts(changes, self._values, self._first)
        if self.service:
            self._send(lambda: self._set(texts))
            return
        part = config_part(texts)
        try:
            self._upload(part)
        except SessionLost:
            if not self.pages.inherited:
                raise
            self.pages.forget()                 # that of an earlier visit is dead. The phone took nothing, and the password is good: one login
            try:
                self._upload(part)
            except AuthFailed as error:
                if self.pages.entered:
                    raise
                raise self.pages.busy() from error

    def _upload(self, part: bytes) -> None:
        try:
            path, field = self.pages.upload_form()
        except Busy as error:
            raise Busy(f"{error.what} Nothing was written.", error.remedy) from error
        except (Unreachable, BadAnswer) as error:
            raise DeviceError(f"{error.what} Nothing was written.", error.remedy) from error
        self._send(lambda: self.pages.upload(path, field, part))

    def _set(self, texts: Mapping[str, str]) -> None:
        answer = self._ask("set", [f"{name} = {text}" for name, text in texts.items()])
        reply = service_reply(answer)
        if answer.status == 200 and (reply is None or not reply[0]):
            raise BadAnswer(f"{answer.where} answered without a RetCode.", "Restart the phone, then run again.")
        if reply is None or reply[0] != "0":
            code = f"RetCode {printable(reply[0], 10)}" if reply else f"status {answer.status}"
            raise DeviceError(f"{self.target.name}: the phone refused the change ({code}); nothing was written.",
                              "Has this user the right to change settings, and is this address one of its PUSH XML Server IP?")

    def _send(self, ask: Callable[[], None]) -> None:
        """The one request that writes, and what the phone needs after it, however it answered."""
        try:
            ask()
        except (Unreachable, BadAnswer):
            self._digest()
            raise
        self._digest()

    def _digest(self) -> None:
        self._written = True
        self._back_by = time.monotonic() + self.patience
        time.sleep(DIGEST)
        self._wait_until_back()

    def _wait_until_back(self) -> None:
        """Some models restart upon an upload and some don't ([HW], [3P]). A phone that is away for good shows at the next read."""
        while True:
            try:
                if self.web.get(INFORMATION).status < 500:
                    return
            except BadAnswer:
                return
            except Unreachable:
                self.pages.doubt()
            if time.monotonic() >= self._back_by:
                return
            time.sleep(BACK_PAUSE)

    # ------------------------------------------------------------------ restart

    def reboot(self) -> None:
        """By Active URI, which takes Basic [D]. The up-time tells afterwards whether it has happened."""
        self.was_down = False
        self._up_time = self._up_time_now()
        if self.web.auth is None:
            self.web.auth = HttpAuth(self.target.username, self.target.password)        # accepted in this very visit
        try:
            answer = self.web.get("/cgi-bin/ConfigManApp.com", {"key": "Reboot"})
        except Dropped:
            return
        if answer.status >= 400 or is_login_page(answer):
            raise DeviceError(f"{self.target.name}: the phone refused to restart ({answer.status}).",
                              "Restart it by hand, or allow this address on its page (Active URI Limit IP).")

    def restarted(self) -> bool:
        before = self._up_time
        try:
            now = self._up_time_now()
        except (Unreachable, BadAnswer):
            self.was_down = True
            return False
        if before is None:
            return self.was_down
        return self.was_down or now is None or now < before            # None: the page wants a login again, so our session is gone

    def _up_time_now(self) -> int | None:
        """None where a page needs a session that we have no more."""
        answer = self.web.get(INFORMATION)
        if answer.status >= 500:
            raise BadAnswer(f"{answer.where} answered {answer.status}.", "Is the phone still starting?")
        return None if is_login_page(answer) else seconds(information(answer).get("UP_TIME", ""))
