# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The contract between the work and the brands: what every driver can do, and what it must never do.

A driver speaks one brand's web protocol over one WebSession and knows nothing of Ansible, of check mode, of plans. It is written
like its protocol sheet: each method one or two requests, each with the source and confidence of what it relies on.
The order of calls is the work's (work.py) and always this::

    recognise -> identity (MAC gate) -> check_lockout -> login or resume -> read -> [busy -> write -> read] -> logout

How brands fit in that don't look like a Grandstream: where HTTP authentication is used (Poly, Htek, Snom, Cisco), login() is
http_login.log_in() and logout() does nothing; where one session exists at a time (Yealink, Fanvil), login() raises Busy
naming the other user; where a write restarts the phone (Htek), APPLY is "reboot" and write() returns once it has been accepted;
where only the whole configuration can be read or written (Htek, Fanvil, Cisco), read() keeps it and write() sends back a copy
in which nothing else changed.

A port per phone: where all accounts share one socket (Yealink, Poly, Fanvil, Snom), ``port_scope`` is "phone", the port is that of
line 1 in the Reading, and the other lines have none; accounts have ``local_port`` None.

Besides its Driver, a brand has one function ``recognise(target, web, front, session)`` in the table of recognise.py.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from ansible_collections.evenport.sip.plugins.module_utils.errors import BadAnswer, SessionLost, Unreachable, Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.http.session import WebSession
from ansible_collections.evenport.sip.plugins.module_utils.model import Account, Identity
from ansible_collections.evenport.sip.plugins.module_utils.phones.settings import Flat, Place, Value
from ansible_collections.evenport.sip.plugins.module_utils.phones.target import Target


@dataclass(frozen=True)
class Reading:
    """One read of a phone. A place that is missing in ``settings`` does not exist on this phone; None there: exists, but is empty."""

    settings: Flat
    accounts: tuple[Account, ...]
    # {"server": "...", "protocol": "http", "protected": False}; {}: no server set, or only the vendor's own from the factory.
    # protected: True where the phone keeps what was set by hand. No user or password in the server's address.
    provisioning: dict[str, Any] = field(default_factory=dict)


class Driver(ABC):
    """One phone of one brand. Made by the recogniser only, with an open session and nobody logged in.

    Every method may raise Unreachable, BadAnswer and CertificateRefused (from the session), and SessionLost once logged in.
    None repeats a request that may have taken effect.
    """

    BRAND: ClassVar[str]
    APPLY: ClassVar[str] = "live"           # "live", or "reboot" where every write restarts the phone
    # Of the brand, or of the one phone where that differs; then set by read() at the latest.
    call_state: bool = True                 # False: busy() can never say; the PBX is asked instead
    port_scope: str = "line"                # "phone": one local port for all accounts
    logs_out: bool = True                   # False: a session that was needed can't be ended, it dies by itself; a later visit of the run takes it over
    patience: float = 180.0                 # seconds that the phone may be away after a write or a restart of ours; the work sets it

    def __init__(self, target: Target, web: WebSession, identity: Identity) -> None:
        self.target = target
        self.web = web
        self.identity = identity
        self.was_down = False                   # since a restart of ours was asked for: see restarted()

    def check_lockout(self) -> None:
        """:raises LockedOut: the phone refuses logins now, so that ours would only prolong it. Brands that can't say so pass."""
        return

    @abstractmethod
    def login(self) -> None:
        """Log in, with exactly one attempt. May complete ``identity`` (a MAC that is shown to users only).

        :raises AuthFailed: user name or password refused
        :raises LockedOut: refused for a while
        :raises Busy: somebody else holds the only session
        """

    @abstractmethod
    def session(self) -> dict[str, Any]:
        """The login as JSON-able data for another process. Its values are secrets, all of them: they are masked in results."""

    @abstractmethod
    def resume(self, session: Mapping[str, Any]) -> bool:
        """Take over a session() of an earlier process. False: not one of ours. Whether it still lives shows at the next request."""

    @abstractmethod
    def logout(self) -> None:
        """End the session. Called on every way out; must not need anything that came after login()."""

    @abstractmethod
    def read(self) -> Reading:
        """Everything that is managed or reported, in as few requests as the protocol allows. May complete ``identity``."""

    @abstractmethod
    def write(self, changes: Mapping[Place, Value]) -> None:
        """Set these places and no others, in ONE request; one for each form where only forms can be sent.

        Success only means that the phone did not object: the work reads back.

        :raises Unsupported: a place or a value that this phone can't take; raised before anything is sent
        :raises DeviceError: the phone refused; nothing was written
        """

    def check(self, changes: Mapping[Place, Value]) -> None:
        """What write() would refuse without asking the phone, asked before anything is sent: ranges narrower than the vocabulary's, missing keys."""
        return

    def busy(self) -> str | None:
        """"": idle. Text: what is going on ("a call is up"). None: this phone can't say."""
        return None

    def profile(self) -> dict[str, Any]:
        """What a later visit may skip looking for (see profile.py), without any secret; {} where there was nothing to find."""
        return {}

    def keep_alive(self) -> None:
        """Keep the web session from ending while we wait for a call to end. Called about every 25 s."""
        return

    def reboot(self) -> None:
        """Ask for a restart, once. A connection that drops meanwhile means yes. Brands that nobody knows how to restart leave it at this.

        :raises Unsupported: this phone can't be restarted by its web page
        """
        raise Unsupported(f"{self.target.name}: how to restart this phone by its web page is not known; it was not restarted.", "Restart it by hand.")

    def restarted(self) -> bool:
        """After reboot(), or after write() where APPLY is "reboot": is the phone up again? True only once it has really been down.

        Unreachable counts as not yet. May log in anew: the restart was ours, and the password has been accepted in this visit.
        """
        return False

    def seen_again(self, look: Callable[[], object]) -> bool:
        """restarted() of a brand that shows no up-time. *look* is a harmless request: it fails while the phone is down, and a phone that has
        been down no longer knows our session. reboot() sets ``was_down`` to False."""
        try:
            look()
        except SessionLost:
            return True
        except (Unreachable, BadAnswer):
            self.was_down = True
            return False
        return self.was_down
