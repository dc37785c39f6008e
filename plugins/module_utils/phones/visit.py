# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One visit to one phone: found, recognised, its MAC checked, logged in once, and logged out on every way out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import EvenportError, IdentityMismatch, SessionLost
from ansible_collections.evenport.sip.plugins.module_utils.http.session import WebSession
from ansible_collections.evenport.sip.plugins.module_utils.phones.contract import Driver, Reading
from ansible_collections.evenport.sip.plugins.module_utils.phones.recognise import recognise
from ansible_collections.evenport.sip.plugins.module_utils.phones.target import Target, plain_mac


class Visit:
    """``with Visit(target) as visit``: ``visit.driver`` is logged in (or has taken over *session*), ``visit.read()`` reads.

    On the way out it logs out, unless keep() was called: then the web session stays open for a later visit.
    """

    driver: Driver

    def __init__(self, target: Target, session: Mapping[str, Any] | None = None) -> None:
        self.target = target
        self._session = session or None
        self._resumed = False
        self._kept = False

    def __enter__(self) -> Visit:
        self._web = WebSession(self.target.reach())
        try:
            self.driver = recognise(self.target, self._web, self._session)
            self._check_mac()                   # before the password: it is not for a stranger
            self._resumed = bool(self._session) and self.driver.resume(self._session)
            if not self._resumed:
                self._login()
        except BaseException:
            self._leave()                       # a login can fail after the phone has let us in
            raise
        return self

    def _login(self) -> None:
        self.driver.check_lockout()             # a login that can only fail would prolong the lock
        self.driver.login()                     # the one attempt of this run

    def read(self) -> Reading:
        """Read; the first time also the last chance to learn the MAC.

        A session that was taken over and has ended meanwhile is replaced by one login: its password was accepted in this very run.
        """
        try:
            reading = self.driver.read()
        except SessionLost:
            if not self._resumed:
                raise
            self._login()
            reading = self.driver.read()
        self._resumed = False
        self._check_mac(known=True)
        return reading

    def _check_mac(self, known: bool = False) -> None:
        """:arg known: the phone has had its chance to say its MAC; without one it is not proven to be ours"""
        wanted, shown = plain_mac(self.target.mac), self.driver.identity.mac
        if not wanted or wanted == shown or not (shown or known):
            return
        said = f"has the MAC {_colons(shown)}" if shown else "does not say its MAC"
        raise IdentityMismatch(f"{self.target.name}: the phone at {self.target.host} {said}, the inventory says {_colons(wanted)}. Nothing was written.",
                               "Has it another address now (DHCP)? Correct ansible_host or sip_mac.")

    def keep(self) -> dict[str, Any]:
        """Leave the session open, and hand over what a later Visit needs to take it over."""
        self._kept = True
        return self.driver.session()

    def __exit__(self, kind: Any, error: BaseException | None, *dummy: Any) -> None:
        if isinstance(error, EvenportError) and not self.driver.logs_out:
            error.session = self.driver.session()
        self._leave()

    def _leave(self) -> None:
        try:
            if not self._kept and hasattr(self, "driver"):
                self.driver.logout()
        except EvenportError:
            pass                                # whatever went wrong before is the news; the session ends by itself in about a minute
        finally:
            self._web.close()


def _colons(mac: str) -> str:
    return ":".join(mac[i:i + 2] for i in range(0, 12, 2)).upper()
