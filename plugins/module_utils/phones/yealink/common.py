# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all generations of Yealink have in common: one web session that is always given back, settings by the keys of yealink_keys.py."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import (
    AuthFailed,
    BadAnswer,
    Busy,
    EvenportError,
    LockedOut,
    SessionLost,
)
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import Answer, printable
from ansible_collections.evenport.sip.plugins.module_utils.http.session import WebSession
from ansible_collections.evenport.sip.plugins.module_utils.model import Identity
from ansible_collections.evenport.sip.plugins.module_utils.phones.contract import Driver, Reading
from ansible_collections.evenport.sip.plugins.module_utils.phones.settings import Flat, Place, Value
from ansible_collections.evenport.sip.plugins.module_utils.phones.target import Target, plain_mac
from ansible_collections.evenport.sip.plugins.module_utils.phones.yealink import keys

VERSION_LINE = "#!version:1.0.0.1"              # the first line of every configuration file [3P] WAZO, FusionPBX
_COOKIE = re.compile(r"[^\s;,]{0,400}")


class Yealink(Driver):
    """One Yealink phone; the generations fill in how one logs in, reads and writes."""

    BRAND = "yealink"
    GENERATION = ""
    PORT_SCOPE = "phone"                        # where the phone shows neither key

    def __init__(self, target: Target, web: WebSession, identity: Identity) -> None:
        super().__init__(target, web, identity)
        self.port_scope = self.PORT_SCOPE
        self.token = ""
        self._open = False                      # a session is ours, or may be
        self._raw: dict[str, str] = {}          # what the phone showed last
        self._first: dict[str, str] = {}        # and at first
        self._unread = False                    # something may have been written since

    # ------------------------------------------------------------------ session

    def login(self) -> None:
        """One attempt. Whatever goes wrong once it has been sent, the session is given back: nobody else could log in [HW]."""
        try:
            self._log_in()
        except (AuthFailed, LockedOut, Busy):
            self._open = False                  # refused: there is no session
            raise
        except BaseException:
            self._give_back()
            raise

    @abstractmethod
    def _log_in(self) -> None:
        """The one attempt; sets ``_open`` right before it is sent."""

    @abstractmethod
    def _log_out(self, timeout: float) -> None:
        """The one request that ends the session."""

    def _give_back(self) -> None:
        with suppress(EvenportError):           # whatever went wrong before is the news
            self.logout()

    def logout(self) -> None:
        if self._open:
            self._open = False
            self._log_out(min(3.0, self.web.reach.timeout))

    def session(self) -> dict[str, Any]:
        if not self._open:
            return {}
        return {self.BRAND: {self.GENERATION: {"cookies": dict(self.web.cookies), "token": self.token, "identity": asdict(self.identity)}}}

    def resume(self, session: Mapping[str, Any]) -> bool:
        state = kept(session, self.GENERATION)
        cookies = state.get("cookies")
        if not isinstance(cookies, Mapping) or not cookies or not all(_COOKIE.fullmatch(str(value)) for value in cookies.values()):
            return False
        self.web.cookies.update({str(name): str(value) for name, value in cookies.items()})
        self.token = str(state.get("token") or "")
        self._open = True
        return True

    def _lost(self) -> SessionLost:
        self._open = False                      # nothing is left to log out of
        return SessionLost(f"{self.target.name}: the phone ended our web session in the middle of the work.",
                           "Is somebody else logged in to its web page? Run again when they are done.")

    def _refused(self, how: str = "") -> AuthFailed:
        return AuthFailed(f"{self.target.name}: the phone refuses the password of {self.target.username!r}{how}.",
                          "It was tried once and is not repeated. Correct sip_phone_user or sip_phone_password.")

    def _locked(self, minutes: int | None) -> LockedOut:
        wait = f"for {minutes} minutes" if minutes is not None else "for some minutes (3 from the factory)"
        return LockedOut(f"{self.target.name}: the phone refuses all logins {wait} after too many wrong passwords.",
                         "Wait that long without another attempt, as each one starts the time anew; check sip_phone_user and sip_phone_password, "
                         "then run again.", minutes)

    # ------------------------------------------------------------------ settings

    @abstractmethod
    def _values(self) -> dict[str, str]:
        """The values of all keys that the phone has; those that an export leaves out are filled in."""

    @abstractmethod
    def _send(self, changes: Mapping[str, str]) -> None:
        """Write these keys (never none of them)."""

    def read(self) -> Reading:
        self._raw = self._values()
        self._unread = False
        self._first = self._first or dict(self._raw)
        settings = self._offered(keys.settings_of(self._raw, self.port_scope))
        return Reading(settings, keys.accounts_of(self._raw, settings, self.port_scope), keys.provisioning_of(self._raw))

    def _offered(self, settings: Flat) -> Flat:
        """What of it can be written on this generation; the rest counts as not there."""
        return settings

    def check(self, changes: Mapping[Place, Value]) -> None:
        keys.check_values(self.target.name, changes, self._raw, self._first, self.port_scope)

    def write(self, changes: Mapping[Place, Value]) -> None:
        if self._unread:                        # what has to be put back shows only then
            self.read()
        self.check(changes)
        wanted = keys.texts(changes, self._raw, self.port_scope)
        if wanted:
            self._unread = True
            self._send(wanted)

    def _shown(self, model: str = "", firmware: str = "", mac: str = "") -> None:
        """Complete the identity with what the phone shows."""
        known = self.identity
        self.identity = replace(known, model=known.model or printable(model, 40), firmware=known.firmware or printable(firmware, 40),
                                mac=known.mac or plain_mac(mac))

    # ------------------------------------------------------------------ restart

    @abstractmethod
    def _look(self) -> None:
        """A harmless request with our session. :raises SessionLost: the phone no longer knows it"""

    def restarted(self) -> bool:
        """Asks with the old session: a phone that has been down no longer knows it."""
        return self.seen_again(self._look)


def kept(session: Mapping[str, Any] | None, generation: str) -> Mapping[str, Any]:
    """What session() of that generation has handed over; {} for anything else."""
    brand = (session or {}).get("yealink")
    state = brand.get(generation) if isinstance(brand, Mapping) else None
    return state if isinstance(state, Mapping) else {}


def kept_identity(session: Mapping[str, Any] | None, generation: str) -> Identity | None:
    """The identity in a session(); None where it is not of that generation."""
    shown = kept(session, generation).get("identity")
    if not isinstance(shown, Mapping):
        return None
    return Identity("yealink", generation, str(shown.get("model", "")), str(shown.get("firmware", "")), plain_mac(str(shown.get("mac", ""))))


def configuration(changes: Mapping[str, str]) -> bytes:
    """A configuration file of these keys and nothing else: an import applies only what is in it ([HW] T31G)."""
    return "\n".join([VERSION_LINE, *(f"{key} = {text}" for key, text in changes.items()), ""]).encode()


def exported(answer: Answer) -> dict[str, str]:
    """The keys of an exported configuration.

    :raises BadAnswer: no configuration
    """
    raw = keys.parse_export(answer.text)
    if not any(key.startswith(("account.", "sip.", "static.", "auto_provision.")) for key in raw):
        raise BadAnswer(f"{answer.where} answered no configuration file.", "Has this user the right to export the configuration? Use admin.")
    return raw
