# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Htek (Hanlong), Sangoma S and rebrands: one GET reads everything, one POST writes a part, and every accepted write restarts the phone.

Sources: a third party's hardware (UC902G 2.42.6.5.45R14) unless marked otherwise. Unknown: lock-out, the answer to a good upload, the range of a port.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import BadAnswer, DeviceError, PermissionMissing, Unreachable, Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import Answer, printable
from ansible_collections.evenport.sip.plugins.module_utils.http.faults import Dropped
from ansible_collections.evenport.sip.plugins.module_utils.http.session import WebSession
from ansible_collections.evenport.sip.plugins.module_utils.model import Account, Identity
from ansible_collections.evenport.sip.plugins.module_utils.phones.contract import Driver, Reading
from ansible_collections.evenport.sip.plugins.module_utils.phones.front import Front
from ansible_collections.evenport.sip.plugins.module_utils.phones.htek import config
from ansible_collections.evenport.sip.plugins.module_utils.phones.htek.page import StatusPage, parse_status
from ansible_collections.evenport.sip.plugins.module_utils.phones.http_login import HttpAuthDriver, log_in
from ansible_collections.evenport.sip.plugins.module_utils.phones.settings import Flat, Place, Value
from ansible_collections.evenport.sip.plugins.module_utils.phones.target import Target

# Old firmware says HanLong; that newer firmware, which does not, has kept the realm is inferred. A rebrand is found by the same, whatever its title.
SIGN = r"^server: hanlong|^www-authenticate: .*realm=\"?IP Phone\"?|jscs\.product_type"
PORT_RANGE = (1024, 65535)                      # not documented anywhere
_EMPTY_PORT = 5060                              # [I]: what an empty LocalSipPort means where random ports are off
_RANDOM = "random"                              # in a read-back after a write: still random, but another port is stored than before
_UPLOAD = "/HLCFG_XML_configuration.htm"
_REBOOTS = ("/rb_phone.htm", "/Phone_ActionURL&key=Reboot")                     # [HW] the button of the page; [D] by way of a third party


@dataclass(frozen=True)
class Line:
    """One account. ``random``: UseRandomPort is on, and what LocalSipPort holds (``port``) has no effect."""

    number: int
    active: bool
    random: bool
    port: str
    user: str

    @property
    def local_port(self) -> int | None:
        """None: a random one, or what is stored is no port."""
        if self.random:
            return None
        return config.port_of(self.port) if self.port else _EMPTY_PORT


class Htek(HttpAuthDriver):
    """One phone.

    Random ports are switched per account, so there is no random_port of the phone: an account that uses one has ``local_port`` None. A port that is
    written switches its account's random port off, None switches it on again. Accounts that are not among the changes are never touched.
    What can't be told from outside: the port that a random account has stored has no effect and is not reported. It is put back by the visit that
    has overwritten it; a later one switches the random port on, and what is stored stays. An empty port counts as 5060 and is put back so.
    """

    BRAND = "htek"
    APPLY = "reboot"
    call_state = False                          # only factory test addresses could tell [3P]

    def __init__(self, target: Target, web: WebSession, identity: Identity, refusal: Answer | None = None) -> None:
        super().__init__(target, web, identity)
        self._refusal = refusal                 # the 401 that it was recognised by
        self._shown: set[int] = set()           # accounts on the status page
        self._config = config.Configuration({})
        self._lines: list[Line] = []
        self._first: tuple[config.Configuration, Flat] | None = None            # the first read, to put it back to the letter
        self._sent: set[str] = set()
        self._asked = 0.0                       # when a restart was asked for

    # ------------------------------------------------------------------ login

    def login(self) -> None:
        answer = log_in(self.target, self.web, lambda: self.web.get("/index.htm"), self._refusal)
        page = self._status(answer)
        self._shown = page.accounts
        self.identity = Identity(self.BRAND, self.identity.generation, page.model, page.firmware, page.mac)

    def _status(self, answer: Answer) -> StatusPage:
        page = parse_status(self._good(answer))
        if not page.model:
            raise BadAnswer(f"{answer.where} is no status page of an Htek.", "Check ansible_host and sip_phone_brand.")
        return page

    def _ask(self, ask: Callable[[], Answer]) -> Answer:
        """An authenticated request. After a start the phone may answer 401 to a right login once [3P], and nonces are forgotten: its challenge is
        answered once, which repeats nothing, as a refused request has done nothing."""
        return log_in(self.target, self.web, ask)

    def _good(self, answer: Answer) -> Answer:
        if answer.status == 403:
            raise PermissionMissing(f"{answer.where} is forbidden to {self.target.username!r}.", "Set sip_phone_user to the administrator.")
        if answer.status != 200:
            raise BadAnswer(f"{answer.where} answered {answer.status}.", "Restart the phone, then run again; if it stays, update its firmware.")
        return answer

    # ------------------------------------------------------------------ read

    def read(self) -> Reading:
        self._config = config.parse_configuration(self._good(self._ask(lambda: self.web.get("/download_xml_cfg"))))
        numbers = self._config.accounts()       # the file may have more accounts than the phone: its page tells
        self._lines = [self._line(number) for number in numbers if number in self._shown or not self._shown]
        settings: Flat = {}
        for line in self._lines:
            settings[Place("local_port", line.number)] = _RANDOM if self._half_written(line) else line.local_port
            for setting, meaning in (("nat_traversal", config.nat_of), ("rport", config.truth)):
                self._take(settings, Place(setting, line.number), meaning)
        self._take(settings, Place("keep_alive_interval"), config.interval_of)
        self._first = self._first or (self._config, dict(settings))
        accounts = tuple(Account(line.number, line.active, line.local_port, line.user) for line in self._lines)
        return Reading(settings, accounts, config.provisioning(self._config.text(self._config.phone_label("configserverpath"))))

    def _take(self, settings: Flat, place: Place, meaning: Callable[[str], Value]) -> None:
        """Add what this firmware has. What can't be read could not be put back, so it is left out and never touched."""
        label = self._label(place)
        text = self._config.text(label)
        if label and (meaning(text) is not None or text == config.spelling(place, None)):
            settings[place] = meaning(text)

    def _half_written(self, line: Line) -> bool:
        """Has a write of this visit stored the port of a line that is random all the same? It must not look like what was there before."""
        label = f"account{line.number}_localsipport"
        return line.random and label in self._sent and self._first is not None and line.port != self._first[0].text(label)

    def _line(self, number: int) -> Line:
        def text(name: str) -> str:
            return self._config.text(f"account{number}_{name}")

        user = printable(text("sipuserid"), 80)
        active = config.truth(text("active"))   # where the phone doesn't say, an account with a user counts
        return Line(number, bool(user) if active is None else active, text("userandomport") == "1", text("localsipport"), user)

    # ------------------------------------------------------------------ write

    def check(self, changes: Mapping[Place, Value]) -> None:
        if self._back(changes):
            return                              # to the letter, whatever it was
        low, high = PORT_RANGE
        unreadable = {line.number for line in self._lines if line.local_port is None and not line.random}
        for place, value in changes.items():
            if place.setting == "local_port" and isinstance(value, int) and not low <= value <= high:
                raise Unsupported(f"{self.target.name}: the local port of an Htek is set from {low} to {high} only, not {value}.",
                                  "Give it a port within that range (sip_ports).")
            if place.setting == "local_port" and place.line in unreadable:
                raise Unsupported(f"{self.target.name}: the local port of line {place.line} holds something that is no port and could not be put back; "
                                  "nothing was written.", "Set a port at the phone's web page, then run again.")
        self._texts(changes)

    def write(self, changes: Mapping[Place, Value]) -> None:
        self.check(changes)
        texts = self._back(changes) or self._texts(changes)
        elements = [(self._config.elements[label], text) for label, text in texts.items() if text != self._config.text(label)]
        self._sent.update(texts)
        self._restarting()
        file = ("config.xml", config.render(elements), "text/xml")
        answer = self._ask(lambda: self.web.upload(_UPLOAD, {"CfgXmlFile": file}))
        if answer.status == 403:
            self._good(answer)
        if not 200 <= answer.status < 400:
            raise DeviceError(f"{self.target.name}: the phone refused the change (status {answer.status}); nothing was written.",
                              "Has this user the right to change settings? Use admin.")

    def _back(self, changes: Mapping[Place, Value]) -> dict[str, str]:
        """Where *changes* are what was there at first: the texts of then, to the letter, of all that was written since."""
        if self._first is None or any(self._first[1].get(place) != value for place, value in changes.items()):
            return {}
        return {label: self._first[0].text(label) for label in self._sent}

    def _texts(self, changes: Mapping[Place, Value]) -> dict[str, str]:
        """Label -> new text. :raises Unsupported: a place that this phone does not have, or two values for one setting"""
        texts: dict[str, str] = {}
        for place, value in changes.items():
            if not self._label(place):
                raise self._missing(place)
            spelled = self._port_texts(place, value) if place.setting == "local_port" else {self._label(place): config.spelling(place, value)}
            for label, text in spelled.items():
                if texts.setdefault(label, text) != text:
                    raise Unsupported(f"{self.target.name}: {place} can't be {value!r}, as its line shares a profile with one that gets another.",
                                      "Give both the same, or separate their profiles at the phone's web page.")
        return texts

    def _port_texts(self, place: Place, value: Value) -> dict[str, str]:
        """A port and the line's own switch; None: the switch alone."""
        switch = f"account{place.line}_userandomport"
        has_switch = switch in self._config.elements
        if value is None and not has_switch:
            raise self._missing(place)
        texts = {} if value is None else {self._label(place): config.spelling(place, value)}
        return {**texts, switch: config.spelling(place, value is None)} if has_switch else texts

    def _label(self, place: Place) -> str:
        """The label of a place; "" where this phone has none."""
        name = {"local_port": "localsipport", "nat_traversal": "nattraversal", "rport": "rport"}.get(place.setting)
        if name:
            return self._config.label(place.line, name)
        # The first is how the phone spells it [3P].
        return self._config.phone_label("keepativeinterval", "keepaliveinterval") if place.setting == "keep_alive_interval" else ""

    def _missing(self, place: Place) -> Unsupported:
        return Unsupported(f"{self.target.name}: this phone has no setting for {place}; nothing was written.", "Leave it out, or update the firmware.")

    # ------------------------------------------------------------------ restart

    def reboot(self) -> None:
        for path in _REBOOTS:
            self._restarting()
            try:
                answer = self._ask(lambda path=path: self.web.get(path))
            except Dropped:
                return                          # it hung up because it is restarting
            if answer.status != 404:
                self._good(answer)
                return
        raise DeviceError(f"{self.target.name}: the phone has no page that restarts it.", "Restart it by hand.")

    def _restarting(self) -> None:
        self._asked, self.was_down = time.monotonic(), False

    def restarted(self) -> bool:
        """By the up-time of the status page: was the start after we asked? The page counts whole seconds; one more makes it certain, and so does
        a phone that did not answer meanwhile."""
        now = time.monotonic() - self._asked
        try:
            up_time = self._status(self._ask(lambda: self.web.get("/index.htm"))).up_time
        except (Unreachable, BadAnswer):
            self.was_down = True
            return False
        if up_time is None:
            return self.was_down
        return up_time + 1 <= now or (self.was_down and up_time <= now)


def recognise(target: Target, web: WebSession, front: Front, session: Mapping[str, Any] | None = None) -> Driver | None:
    """A driver, or None. Newer firmware shows no more than the realm "IP Phone" without a login; the page after it must then be an Htek's."""
    del session
    if not front.shows(SIGN):
        return None
    refusal = front.answer if front.answer.status == 401 else None
    scheme = front.answer.headers.get("WWW-Authenticate", "").partition(" ")[0].lower()
    return Htek(target, web, Identity("htek", scheme if scheme in ("basic", "digest") else ""), refusal)
