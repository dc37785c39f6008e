# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PBXs whose HTTPS API tells whether an extension is registered, and no more: no address, no port, no NAT option.

What such an API shares with the next one is here: one login, its answers' errors, the list of extensions page by page.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import (
    AuthFailed,
    BadAnswer,
    CertificateRefused,
    EvenportError,
    LockedOut,
    PermissionMissing,
    SessionLost,
    Unreachable,
    Unsupported,
)
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import Answer, printable, whole
from ansible_collections.evenport.sip.plugins.module_utils.http.reach import Reach
from ansible_collections.evenport.sip.plugins.module_utils.http.session import WebSession
from ansible_collections.evenport.sip.plugins.module_utils.model import Extension, Registration
from ansible_collections.evenport.sip.plugins.module_utils.pbx.access import Access
from ansible_collections.evenport.sip.plugins.module_utils.pbx.contract import Pbx

PAGE = 100                              # extensions asked for at once
PAGES = 1000                            # at most; the largest product here holds 10,000 extensions
_NAME = 100                             # characters of an extension's name

People = dict[str, bool]                # extension -> whether it is registered


class RegisteredOnly(Pbx):
    """Logs in on construction: once, whatever comes. ``label`` and ``api`` are for messages: what it is, and where its API is switched on."""

    shows_ports = False
    label: str
    api: str

    def __init__(self, access: Access) -> None:
        self.access, self._logged_in = access, False
        self._web = WebSession(Reach(
            str(self), access.host, port=access.port, validate_certs=access.validate_certs, ca_path=access.ca_path, fingerprint=access.fingerprint,
            timeout=access.timeout, deadline=access.timeout + 1))       # one more: silence is no answer, a slow one is a bad answer
        try:
            self._log_in()
        except BaseException:
            self._web.close()
            raise
        self._logged_in = True

    def __str__(self) -> str:
        return f"{self.label} at {self.access}"

    @abstractmethod
    def _log_in(self) -> None:
        """One attempt.  :raises AuthFailed, LockedOut, ..."""

    @abstractmethod
    def _page(self, number: int, had: int) -> tuple[list[Any], int | None]:
        """Page *number* (from 1) of the list of extensions, *had* of them seen before: (its entries, how many there are in all if it says so)."""

    @abstractmethod
    def _person(self, entry: Any) -> tuple[Any, bool]:
        """An entry's (extension, is it registered)."""

    def version(self) -> str:
        return ""

    def endpoints(self) -> list[str]:
        return list(self._people())

    def extensions(self, names: Iterable[str]) -> list[Extension]:
        known = self._people()
        return [Extension(name) for name in names if name in known]

    def registrations(self, known: Iterable[Extension] | None = None) -> list[Registration]:
        del known
        return [Registration(name, status="registered") for name, registered in self._people().items() if registered]

    def close(self) -> None:
        self._web.close()

    def _people(self) -> People:
        """Every extension. A list that can't be had whole is an error: half of it would make the others look unregistered."""
        people: People = {}
        had = nameless = 0
        for number in range(1, PAGES + 1):
            entries, total = self._page(number, had)
            had, before = had + len(entries), len(people)
            for name, registered in map(self._person, entries):
                text = printable(str(name), _NAME) if isinstance(name, (str, int)) and not isinstance(name, bool) else ""
                if text:
                    people[text] = registered or people.get(text, False)
                else:
                    nameless += 1
            if len(people) + nameless >= total if total is not None else not entries:
                return people
            if len(people) == before:                 # the same page again, or the list ends before its end
                break
        raise BadAnswer(f"{self} did not give its list of extensions whole, but {len(people)} of them and then no new ones.",
                        "Run again; if it stays, please report this with the PBX's version.")

    def _send(self, method: str, path: str, query: Mapping[str, str] | None = None, **options: Any) -> Answer:
        """One request whose answer has the status 200. What went wrong on the way is said with the PBX's own variables."""
        try:
            answer = self._web.request(method, path, query, **options)
        except CertificateRefused as error:
            raise CertificateRefused(error.what, f"If it is the PBX's own certificate, pin it: sip_pbx_fingerprint: {error.fingerprint}; "
                                     "or give its CA with sip_pbx_ca_path.", error.fingerprint) from None
        except Unreachable as error:
            raise type(error)(error.what, "Check sip_pbx_host and sip_pbx_port, and that the machine that runs this task may reach it.") from None
        except BadAnswer as error:
            raise BadAnswer(error.what, f"Is this really the address of {self.label} (sip_pbx_host, sip_pbx_port)?") from None
        if answer.status != 200:
            raise self._refused(answer)
        return answer

    def _refused(self, answer: Answer) -> EvenportError:
        """What a status other than 200 means."""
        if answer.status == 429:
            seconds = whole(answer.headers.get("Retry-After", ""), 0, 10 ** 6)
            return LockedOut(f"{self} has had too many requests and refuses more for a while.", "Wait, then run again; nothing was tried twice.",
                             None if seconds is None else -(-seconds // 60))
        if answer.status == 404:
            return Unsupported(f"{self} has no such API.", f"Switch it on: {self.api}; and check sip_pbx_type.")
        if answer.status == 403:
            return self._forbidden() if self._logged_in else self._unwelcome()
        if answer.status == 401 or (answer.status == 400 and not self._logged_in):      # RFC 6749, 5.2, has both for a wrong client
            return self._lost() if self._logged_in else self._wrong_login()
        return BadAnswer(f"{answer.where} answered with the status {answer.status}.", "Look into the PBX's log.")

    def _wrong_login(self) -> AuthFailed:
        return AuthFailed(f"{self} refuses this client id or secret. It was tried once.",
                          f"Correct sip_pbx_user (client id) and sip_pbx_password (its secret): {self.api}.")

    def _unwelcome(self) -> PermissionMissing:
        return PermissionMissing(f"{self} takes no API login from this machine's address.",
                                 f"Permit it: {self.api}; and look into its list of blocked addresses.")

    def _forbidden(self) -> PermissionMissing:
        return PermissionMissing(f"{self}: this client may not read the extensions.", f"Give it that right: {self.api}.")

    def _lost(self) -> SessionLost:
        return SessionLost(f"{self} does not take its own token any more.", "Does something else use the same client? Give this collection one of its own.")

    def _json(self, answer: Answer) -> Any:
        try:
            return answer.json()
        except BadAnswer as error:
            raise BadAnswer(error.what, f"Is this really the address of {self.label} (sip_pbx_host, sip_pbx_port)?") from None
