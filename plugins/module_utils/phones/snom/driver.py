# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Snom 3xx, 7xx, D3xx, D7xx; VTech ET605/635/685, which have Snom's firmware [D tables of contents], so the same is expected of them [I].

One SIP port for the whole phone, ``network_id_port``; empty or 0: a random one [D]. Written by ``GET /dummy.htm`` [D]. It answers 200 for settings
that do not exist, too, so what counts is what is read: from the dump ``/settings.htm`` [3P], or from the form that has the field [I]. A phone that
shows the port on neither is not written to. Whether a new port needs a restart is not known.

A later run puts back words, not settings: so what shows a text that no word stands for is left out, or refused before anything is sent. An empty
interval or rport is None and emptied again, as an empty port is ([D] for the port, [I] for these). The exception: a port of 0 is put back as empty
by a later run, which means the same [D].
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import (
    BadAnswer,
    DeviceError,
    EvenportError,
    PermissionMissing,
    Provisioned,
    Unsupported,
)
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import Answer, printable
from ansible_collections.evenport.sip.plugins.module_utils.http.faults import Dropped
from ansible_collections.evenport.sip.plugins.module_utils.http.session import WebSession
from ansible_collections.evenport.sip.plugins.module_utils.model import Identity
from ansible_collections.evenport.sip.plugins.module_utils.phones.contract import Driver, Reading
from ansible_collections.evenport.sip.plugins.module_utils.phones.front import Front
from ansible_collections.evenport.sip.plugins.module_utils.phones.http_login import HttpAuthDriver, log_in
from ansible_collections.evenport.sip.plugins.module_utils.phones.settings import Flat, Place, Value
from ansible_collections.evenport.sip.plugins.module_utils.phones.snom import pages
from ansible_collections.evenport.sip.plugins.module_utils.phones.snom.pages import KEEP_ALIVE, PORT, RPORT, Shown
from ansible_collections.evenport.sip.plugins.module_utils.phones.target import Target

# Other interfaces under the same brand: D8xx [3P]; DECT bases and conference phones, told by a title like theirs [3P] [I].
_D8XX = r"<title>\s*Phone Manager\s*<"
_OTHERS = r"<title>\s*(?:snom\s*)?(?:m9|M[1-9]00|C[56]20)\b"
SIGN = rf'^server: snom embedded|^www-authenticate: .*realm="?snom|<title>\s*(?:snom|VTech ?ET6)|{_D8XX}|{_OTHERS}'

_PAUSE = 0.3                    # seconds between two requests: a Snom's web server chokes on quick ones [3P]; how many it bears is not known
_DUMP = "/settings.htm"
_FORMS = ("/advanced_sip.htm", "/advanced_network.htm", "/advanced.htm")       # "Advanced > SIP/RTP" [D]; its path is not known for sure [I] [R]
_LOWEST = 1024                  # the phone's own range is not known
_RANDOM = ("", "0")             # [D]


class Snom(HttpAuthDriver):
    """HTTP authentication with each request, or none: from the factory everything is open [D]."""

    BRAND = "snom"
    call_state = False          # only commands that act are known, none that tells
    port_scope = "phone"

    def __init__(self, target: Target, web: WebSession, identity: Identity, front: Answer) -> None:
        super().__init__(target, web, identity)
        self._front = front
        self._asked = time.monotonic()          # of the last request
        self._form = ""                         # the page whose form has the port, where the dump has not
        self._rest: dict[str, Shown] = {}       # what other form pages show: nothing that we write, so read once
        self._shown: dict[str, Shown] = {}
        self._unread = False                    # something may have been written since
        self._timed = False                     # the interval has been one word in this visit
        self._first: dict[str, Shown] = {}      # what "put it back" means: empty and 0 both are random ports

    def _get(self, path: str, query: Mapping[str, str] | None = None) -> Answer:
        """One request, and no sooner than the phone bears it."""
        time.sleep(max(0.0, self._asked + _PAUSE - time.monotonic()))
        try:
            answer = self.web.get(path, query)
        finally:
            self._asked = time.monotonic()
        check_scheme(self.target, answer)
        return answer

    # ------------------------------------------------------------------ login

    def login(self) -> None:
        answer = log_in(self.target, self.web, lambda: self._get("/info.htm"), self._front if self._front.status == 401 else None)
        if answer.status == 200:
            self.identity = pages.identity(answer, self.identity)

    # ------------------------------------------------------------------ settings

    def read(self) -> Reading:
        self._shown = self._settings()
        self._unread = False
        self._first = self._first or self._shown
        number = pages.port(self._shown[PORT].value)
        settings: Flat = {Place("random_port"): True if self._shown[PORT].value in _RANDOM else False if number else None, Place("local_port", 1): number}
        if RPORT in self._shown and pages.is_truth(self._shown[RPORT].value):  # one switch for the phone, shown as that of line 1
            settings[Place("rport", 1)] = pages.truth(self._shown[RPORT].value)
        intervals = {self._shown[name].value for name in self._intervals()}
        if len(intervals) == 1 and pages.is_seconds(*intervals):               # one per identity; where they differ, it is nobody's word
            settings[Place("keep_alive_interval")] = pages.seconds(*intervals)
            self._timed = True
        elif intervals and self._timed:         # they differ since a write of ours: that is neither what was wanted nor None
            settings[Place("keep_alive_interval")] = " and ".join(printable(text, 10) or "nothing" for text in sorted(intervals))
        return Reading(settings, pages.accounts(self._shown), pages.provisioning(self._shown))

    def _settings(self) -> dict[str, Shown]:
        """:raises Unsupported: no page shows the port, by exactly its name"""
        denied = False
        for path in (self._form,) if self._form else (_DUMP, *_FORMS):
            answer = self._get(path)
            if answer.status >= 500:
                raise BadAnswer(f"{answer.where} answered {answer.status}.", "Restart the phone, then run again.")
            denied |= answer.status in (401, 403)
            shown = {} if answer.status != 200 else pages.dump(answer) if path == _DUMP else pages.controls(answer, path)
            if PORT in shown and path != _DUMP:
                self._form = path
                self._rest = self._rest or self._other_pages()
            if PORT in shown:
                return {**self._rest, **shown}
        who = " ".join(word for word in (self.identity.model, self.identity.firmware) if word)
        if denied:
            raise PermissionMissing(f"{self.target.name}: this Snom {who} does not let {self.target.username!r} see {PORT}, so nothing is written.",
                                    "Give the user of administrator mode (sip_phone_user), or switch the phone's web page to administrator mode.")
        raise Unsupported(f"{self.target.name}: this Snom {who} shows {PORT} neither in {_DUMP} nor in a form of {', '.join(_FORMS)}: "
                          "it can't be read, so nothing is written.",
                          f'Set it in the phone\'s provisioning file (<{PORT} perm="RW">5062</{PORT}>), or by hand on its web page.')

    def _other_pages(self) -> dict[str, Shown]:
        """Who provisions the phone, and its identities. A page that isn't there tells nothing."""
        found: dict[str, Shown] = {}
        for path, query in [("/advanced_update.htm", None), *[("/line_login.htm", {"l": str(number)}) for number in pages.IDENTITIES]]:
            answer = self._get(path, query)
            shown = pages.controls(answer, path) if answer.status == 200 else {}
            found.update(shown)
            if query and f"user_name{query['l']}" not in shown:
                break                           # the phone has no more of them
        return found

    def _intervals(self) -> list[str]:
        """The settings of the keep-alive intervals that matter: of the identities that register, else of the first."""
        lines = [account.number for account in pages.accounts(self._shown) if account.active] or [1]
        return [f"{KEEP_ALIVE}{line}" for line in lines if f"{KEEP_ALIVE}{line}" in self._shown]

    def check(self, changes: Mapping[Place, Value]) -> None:
        name = self.target.name
        for place in changes:
            known = {"local_port": place.line == 1, "random_port": True, "rport": place.line == 1 and RPORT in self._shown,
                     "keep_alive_interval": bool(self._intervals())}
            if not known.get(place.setting):
                raise Unsupported(f"{name}: this Snom has no setting for {place}; nothing was written.", "Leave it out.")
        random, number = changes.get(Place("random_port")), changes.get(Place("local_port", 1))
        self._check_port_returns(changes)
        if random is False and number is None and pages.port(self._first[PORT].value) is None:      # else it is put back
            raise Unsupported(f"{name}: a Snom takes a random port as long as {PORT} is empty; it has no other switch, and no port is given.",
                              "Give the port too: plan the phone (sip_extensions), or option ports.")
        if random and number:
            raise Unsupported(f"{name}: a Snom has either a port or random ports, not both.", "Leave out random_port, or the port.")
        if isinstance(number, int) and number < _LOWEST:
            raise Unsupported(f"{name}: {number} is no port for a Snom here: ports below {_LOWEST} are not known to work.", f"Take one from {_LOWEST} on.")
        texts = self._spelled(changes)
        locked = [key for key in texts if self._shown[key].locked]
        if locked:
            raise Provisioned(f"{name}: {', '.join(locked)} is locked on the phone (permission R), only its provisioning server can change it.",
                              'Set it there, or give it perm="RW" there; sip_phone_when_provisioned: push does not help against a lock.')
        if texts and self._shown.get("restrict_uri_queries", Shown("off")).value == "on":
            raise PermissionMissing(f"{name}: the phone takes no settings by its web address (restrict_uri_queries is on).", _unblock())

    def _check_port_returns(self, changes: Mapping[Place, Value]) -> None:
        """What is there now is a port that we could write, or a random one; else it is not touched."""
        first = self._first[PORT].value
        if {Place("random_port"), Place("local_port", 1)} & changes.keys() and first not in _RANDOM and (pages.port(first) or 0) < _LOWEST:
            raise Unsupported(f"{self.target.name}: {PORT} is {printable(first, 20)!r} now, and could not be put back; nothing was written.",
                              f"Empty it on the phone's web page (a random port), or set a port from {_LOWEST} on, then run again.")

    def _spelled(self, changes: Mapping[Place, Value]) -> dict[str, str]:
        """What to write, setting -> text: only what differs from what the phone shows. None empties, which a port takes as random."""
        texts: dict[str, str] = {}
        for place, value in changes.items():
            if place.setting in ("local_port", "random_port"):
                number, first = changes.get(Place("local_port", 1)), self._first[PORT].value
                as_it_was = changes.get(Place("random_port")) is False or first in _RANDOM
                texts[PORT] = str(number) if number is not None else first if as_it_was else ""
            elif place.setting == "rport":
                texts[RPORT] = "" if value is None else "on" if value else "off"
            else:
                texts.update(dict.fromkeys(self._intervals(), "" if value is None else str(value)))
        return {key: text for key, text in texts.items() if text != self._shown[key].value}

    def write(self, changes: Mapping[Place, Value]) -> None:
        if self._unread:                        # what has to be put back shows only then
            self.read()
        self.check(changes)
        texts = self._spelled(changes)
        if texts:
            self._unread = True
            # several settings in one request [D]; store_settings: beyond the next restart [D]
            self._accepted(self._get("/dummy.htm", {"settings": "save", "store_settings": "save", **texts}), "change settings")

    def _accepted(self, answer: Answer, what: str) -> None:
        if answer.status in (401, 403):
            raise PermissionMissing(f"{self.target.name}: the phone answered {answer.status}: {self.target.username!r} may not {what} by its web address.",
                                    _unblock())
        if answer.status >= 500:
            raise BadAnswer(f"{answer.where} answered {answer.status}.", "Restart the phone, then run again.")
        if answer.status >= 400:
            raise DeviceError(f"{answer.where} answered {answer.status}: this phone can't {what} by its web address; nothing was written.",
                              "Set the port in its provisioning file, or by hand.")

    # ------------------------------------------------------------------ restart

    def reboot(self) -> None:
        self.was_down = False
        try:
            answer = self._get("/advanced_update.htm", {"reboot": "Reboot"})    # [D]; 302, or it hangs up
        except Dropped:
            return
        self._accepted(answer, "restart it")

    def restarted(self) -> bool:
        """The front page is away, then it is back. A Snom takes about a minute, and is looked at every few seconds."""
        return self.seen_again(lambda: self._get("/"))


def _unblock() -> str:
    return ("Set restrict_uri_queries to off, and where the phone has an administrator password use_hidden_tags to off, and give the user of "
            "administrator mode; or set the port in its provisioning file.")


def check_scheme(target: Target, answer: Answer) -> None:
    """A Snom sends to the other of http and https (webserver_type) by a 307 [3P]. Not followed: who decides what crosses the network is a person."""
    location = answer.headers.get("Location", "").lower()
    other = "http" if target.protocol == "https" else "https"
    if answer.status in (301, 307, 308) and location.startswith(other + "://"):
        raise _wrong_scheme(target, f"sends to {other} ({answer.status})", other)


def _wrong_scheme(target: Target, said: str, other: str) -> EvenportError:
    port = f" (and sip_phone_port, now {target.port})" if target.port else ""
    clear = "; the password then crosses the network in the clear" if other == "http" else ""
    return DeviceError(f"{target.name}: the phone {said}; nothing was written.", f"Set sip_phone_protocol: {other}{port}{clear}.")


def recognise(target: Target, web: WebSession, front: Front, session: Mapping[str, Any] | None = None) -> Driver | None:
    """A driver, or None: no Snom. The front page says it all; nothing else is asked for.

    :raises Unsupported: a Snom with another web interface
    :raises DeviceError: a Snom, but by the wrong one of http and https
    """
    del session
    try:
        shown = front.answer
    except Dropped as error:                    # [3P]: an empty reply on the wrong scheme
        other = "http" if target.protocol == "https" else "https"
        raise Dropped(error.what, f"{error.remedy} A Snom also hangs up where it wants {other}: then set sip_phone_protocol: {other}.") from None
    if not front.shows(SIGN):
        if target.brand == "snom":
            check_scheme(target, shown)
        return None
    check_scheme(target, shown)
    if front.shows(_D8XX):
        raise Unsupported(f"{target.name}: the title 'Phone Manager' is that of a Snom D8xx, whose web page takes no settings from outside.",
                          f'Set its port in its provisioning file: <{PORT} perm="RW">5062</{PORT}>.')
    if front.shows(_OTHERS):
        raise Unsupported(f"{target.name}: {shown.title!r} looks like a Snom DECT base or conference phone: another web page than desk phones have.",
                          "Set its port in its provisioning file, or by hand.")
    if shown.status == 403 and target.protocol == "http":                       # [3P] nmap: "secure connection required"
        raise _wrong_scheme(target, "refuses http (403)", "https")
    return Snom(target, web, Identity("snom", "", pages.model_of(printable(shown.title, 60))), shown)
