# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every fake phone is, whatever its brand: accounts that signal from a port each, settings under the brand's own names, counters, restarts.

A brand's fake subclasses FakePhone, fills ``values`` in factory(), says in port_of() what they come to, and answers HTTP in handle().

Faults that all brands share, besides those of web.py (they may be changed while it runs)::

    silent_success        True, or a list of keys of ``values``: writes answer success and store nothing
    busy                  True: on a call; N: for N polls of the call state, then idle
    locked                every login is refused for a while, in the brand's own words
    drop_on_write         store the values, then hang up instead of answering
    reboot_needed         changed ports are applied after a restart only
    slow_reboot           seconds that a restart takes (default 0.5)
    ignore_reboot         a restart is accepted and never happens
    drop_on_reboot        hang up instead of answering the request for a restart
    session_lost_after    N: each session ends after N authenticated requests (brands with sessions)
    write_session_lost    the session ends at the write (brands with sessions)
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from tests.fakes.tls import Certificate
from tests.fakes.web import Drop, FakeWebServer, Reply


class FakePhone(FakeWebServer):
    """Counters: logins, login_attempts, logouts, writes, reboots, polls (of the call state), requests (and ``log``).

    A brand with HTTP authentication has no logins to count: there, login_attempts are the wrong passwords, logins and logouts stay 0.
    """

    MODEL: ClassVar[str]
    FIRMWARE: ClassVar[str]
    MAC: ClassVar[str] = "000000000001"         # of the brand's own range

    def __init__(self, *, model: str = "", firmware: str = "", mac: str = "", username: str = "admin", password: str = "secret",
                 accounts: list[dict[str, Any]] | None = None, address: str = "127.0.0.1", port: int = 0, tls: Certificate | None = None,
                 faults: dict[str, Any] | None = None, on_register: Callable[[Any, int, int], None] | None = None) -> None:
        super().__init__(address, port, tls, faults)
        self.model, self.firmware, self.mac = model or self.MODEL, firmware or self.FIRMWARE, mac or self.MAC
        self.username, self.password = username, password
        self.on_register = on_register                  # (fake, account, port): that account registers from there now
        self.logins = self.login_attempts = self.logouts = self.writes = self.reboots = self.polls = 0
        self.written: list[dict[str, str]] = []         # what each write request asked for, by the keys of ``values``
        self.values: dict[str, str] = {}                # every setting, by the brand's own key
        self.effective: dict[int, int] = {}             # account -> port that it signals from now
        self._nat: dict[int, Any] = {}
        self._booted = time.monotonic()
        given = accounts if accounts is not None else [{"user": "101", "active": True, "port": 5060}]
        self.accounts = max(len(given), self.account_count())
        self.factory(given)

    # ------------------------------------------------------------------ what a brand says

    def account_count(self) -> int:
        """How many accounts this model has."""
        return 2

    def factory(self, accounts: list[dict[str, Any]]) -> None:
        """Fill ``values``. *accounts*: of account 1, 2, ...: {"user": "101", "active": True, "port": 5060}; port may be missing or None (the default)."""
        raise NotImplementedError

    def port_of(self, account: int) -> int | None:
        """The local port that the stored settings come to; 0: a random one; None: the account is off."""
        raise NotImplementedError

    def nat_of(self, account: int) -> Any:
        """The account's stored NAT settings: a change of them makes it register anew, as saving an account does."""
        return None

    def valid(self, key: str, value: str) -> bool:
        """What a firmware would not take, it leaves out without a word."""
        return True

    def expire_sessions(self) -> None:
        """End all web sessions (brands that have them)."""

    # ------------------------------------------------------------------ life

    def start(self) -> Any:
        super().start()
        self.apply(everything=True)
        return self

    @property
    def up_time(self) -> int:
        """Seconds since the last restart."""
        return int(time.monotonic() - self._booted)

    def apply(self, everything: bool = False) -> None:
        """Bring the effective ports up to date, and register what changed."""
        for account in range(1, self.accounts + 1):
            port, nat = self.port_of(account), self.nat_of(account)
            if port is None:
                self.effective.pop(account, None)
                continue
            if not port:
                held = self.effective.get(account, 0)
                port = held if held >= 32768 and not everything else random.randint(32768, 60999)
            if everything or self.effective.get(account) != port or self._nat.get(account) != nat:
                self.effective[account], self._nat[account] = port, nat
                if self.on_register:
                    self.on_register(self, account, port)

    def store(self, changes: Mapping[str, str]) -> None:
        """One write request, accepted. Call it under whatever check the brand makes; answer success afterwards (or Drop, which it raises)."""
        self.writes += 1
        self.written.append(dict(changes))
        silent = self.faults.get("silent_success")
        for key, value in changes.items():
            if silent is True or (isinstance(silent, (list, tuple)) and key in silent):
                continue
            if key in self.values and self.valid(key, value):
                self.values[key] = value
        if not self.faults.get("reboot_needed"):
            self.apply()
        if self.faults.get("drop_on_write"):
            raise Drop

    def idle(self) -> bool:
        """Nobody is on the phone. Count the poll first where the brand has one (``polls``)."""
        busy = self.faults.get("busy")
        return not busy if isinstance(busy, bool) or busy is None else self.polls > busy

    def restart(self, reply: Reply) -> Reply:
        """A restart was asked for and accepted: count it, do it in a moment, and answer *reply* (or Drop)."""
        self.reboots += 1
        if not self.faults.get("ignore_reboot"):
            threading.Thread(target=self._restart, daemon=True).start()
        if self.faults.get("drop_on_reboot"):
            raise Drop
        reply.close = True
        return reply

    def _restart(self) -> None:
        time.sleep(0.05)                        # the answer goes out first
        self.unlisten()
        time.sleep(float(self.faults.get("slow_reboot", 0.5)))
        if self._stopping.is_set():
            return
        with self.lock:
            self.expire_sessions()
            self._booted = time.monotonic()
            self.polls = 0
            self.listen()
            self.apply(everything=True)
