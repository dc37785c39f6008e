# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Poly and Polycom phones with UC software: VVX, Edge E, Trio, CCX. One REST interface for reading, writing, call state and restart.

Sources: reading, identity, lines, network, call state [HW] Edge E350 8.6.0.1321 and Trio 8800 7.2.2; config/set, restart and status codes
[3P] rdbahm/Posh-UCS, PyPI vvxme; CCX [I]. Whether a changed port needs a restart, and whether logins are ever locked: [U].

The interface is off from the factory. Its one user is "Polycom": where the inventory leaves the user at "admin", that one is meant.
All accounts signal from one port. A client that punches holes in a NAT by STUN, a random port and an rport switch do not exist here;
the keep-alive is its interval, 0 s is off.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import AuthFailed, BadAnswer, DeviceError, Unreachable, Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import Answer, pick, printable
from ansible_collections.evenport.sip.plugins.module_utils.http.faults import Dropped
from ansible_collections.evenport.sip.plugins.module_utils.http.session import WebSession
from ansible_collections.evenport.sip.plugins.module_utils.model import Identity
from ansible_collections.evenport.sip.plugins.module_utils.phones.contract import Reading
from ansible_collections.evenport.sip.plugins.module_utils.phones.http_login import HttpAuthDriver, log_in
from ansible_collections.evenport.sip.plugins.module_utils.phones.poly import keys, status
from ansible_collections.evenport.sip.plugins.module_utils.phones.settings import Flat, Place, Value
from ansible_collections.evenport.sip.plugins.module_utils.phones.target import Target, plain_mac

INFO = ("/api/v1/mgmt/device/info", "/api/v2/mgmt/device/info")                 # v2 alone: seen on a Trio
_LINES = ("/api/v1/mgmt/lineInfo", "/api/v2/mgmt/lineInfo")
_CALLS = ("/api/v2/webCallControl/callStatus", "/api/v1/webCallControl/callStatus")
_NETWORK = "/api/v1/mgmt/network/info"
_GET, _SET, _RESTART = "/api/v1/mgmt/config/get", "/api/v1/mgmt/config/set", "/api/v1/mgmt/safeRestart"
_MOST_NAMES = 20                                # of one config/get or config/set [3P]

# Not UC software: these have an XML interface of their own, and nothing of what is written here.
OTHERS = r"\bVVX ?D230\b|\bRove\b|\bOBi(?:hai|talk|\d{3,4})\b"

_PAUSE = 3.0                                    # seconds between two looks at a phone that is away
_CLOCKS = 5                                     # seconds that two readings of the uptime may be apart without a restart


class Poly(HttpAuthDriver):
    """One phone. ``refusal`` is the 401 that the recogniser got: its challenge is the one that is answered."""

    BRAND = "poly"
    port_scope = "phone"

    def __init__(self, target: Target, web: WebSession, identity: Identity, info: str = INFO[0], refusal: Answer | None = None) -> None:
        super().__init__(replace(target, username="Polycom") if target.username == "admin" else target, web, identity)
        self._info, self._refusal = info, refusal
        self._shown: dict[str, str] = {}        # parameters as the phone showed them last
        self._first: dict[str, str] = {}        # and at first: what "put it back" means
        self._up: tuple[int, float] | None = None                               # uptime in s, and when that was
        self._before: tuple[int, float] | None = None                           # the same, when a restart was asked for
        self._wrote = self._gone = False         # gone: waited for after a write, in vain

    # ------------------------------------------------------------------ login

    def login(self) -> None:
        refusal, self._refusal = self._refusal, None
        self._enter(refusal)

    def _enter(self, refusal: Answer | None = None) -> None:
        try:
            answer = log_in(self.target, self.web, self._ask_info, refusal)
        except AuthFailed as error:
            raise AuthFailed(error.what, f"{error.remedy} {status.off_hint()}") from None
        self._introduced(answer)

    def _ask_info(self) -> Answer:
        return self.web.get(self._info)

    def _introduced(self, answer: Answer) -> None:
        """device/info: model, firmware, MAC and uptime, in the form of v1 or of v2."""
        data = pick(status.checked(self.target.name, answer), "data")
        model = printable(keys.text_of(pick(data, "ModelNumber")), 40)
        if re.search(OTHERS, model, re.IGNORECASE):
            raise other_poly(self.target, model)
        firmware = keys.text_of(pick(data, "FirmwareRelease || Firmware.Application")).partition(" ")[0]
        shown = plain_mac(keys.text_of(pick(data, "MACAddress")))
        self.identity = replace(self.identity, model=model or self.identity.model, firmware=printable(firmware, 40), mac=shown or self.identity.mac)
        seconds = keys.seconds_of(pick(data, "UpTimeSinceLastReboot || UpTime"))
        self._up = None if seconds is None else (seconds, time.monotonic())

    # ------------------------------------------------------------------ settings

    def read(self) -> Reading:
        """After a write of ours also the wait for a phone that restarts because of it [3P], once and no longer than our patience.

        Once it has been away it is logged in to anew: the password was accepted in this very visit.
        """
        deadline = time.monotonic() + (self.patience if self._wrote and not self._gone else 0.0)
        away = False
        while True:
            try:
                if away:
                    self._enter_anew()
                return self._read()
            except AuthFailed:
                raise
            except DeviceError as error:
                away = away or isinstance(error, Unreachable)
                if not away or time.monotonic() >= deadline:
                    self._gone = self._gone or (away and self._wrote)
                    raise
                time.sleep(min(_PAUSE, max(deadline - time.monotonic(), 0.0)))

    def _read(self) -> Reading:
        self._shown = self._values(keys.NAMES)
        self._first = self._first or dict(self._shown)
        settings: Flat = {}
        # What a write of ours has half done must not look like what was there before: without a place it is put back as well.
        if keys.port_name(self._shown) and not (self._wrote and keys.half_written(self._shown, self._first)):
            settings[Place("local_port", 1)] = keys.port_of(self._shown)
        if keys.KEEP_ALIVE in self._shown and keys.keep_alive_known(self._shown):
            settings[Place("keep_alive_interval")] = keys.keep_alive_of(self._shown)
        return Reading(settings, keys.accounts_of(self._first_known(_LINES), self.identity.model), keys.provisioning_of(self._first_known((_NETWORK,))))

    def _values(self, names: tuple[str, ...]) -> dict[str, str]:
        """Parameters by name; those that this firmware does not have are left out."""
        found: dict[str, str] = {}
        for start in range(0, len(names), _MOST_NAMES):
            some = names[start:start + _MOST_NAMES]
            answer = self._post(_GET, {"data": list(some)})
            values = keys.values_of(status.checked(self.target.name, answer), some)
            if values is None:
                raise BadAnswer(f"{answer.where} answered JSON without values.", "Restart the phone, then run again; if it stays, update its firmware.")
            found.update(values)
        return found

    def _first_known(self, paths: tuple[str, ...]) -> Any:
        """The answer of the first of these paths that this firmware has; None for none."""
        for path in paths:
            answer = self.web.get(path)
            if answer.status != 404:
                return status.checked(self.target.name, answer)
        return None

    def _post(self, path: str, body: dict[str, Any]) -> Answer:
        return self.web.request("POST", path, body=json.dumps(body).encode(), headers={"Content-Type": "application/json"})

    def check(self, changes: Mapping[Place, Value]) -> None:
        """The ranges of the vocabulary are Poly's own; 0 of either is not in it. What holds no port could not be put back, and stays."""
        phone = f"this {self.identity.model or 'phone'} ({self.identity.firmware})"
        for place in changes:
            known = keys.port_name(self._shown) if place == Place("local_port", 1) else place == Place("keep_alive_interval") and keys.KEEP_ALIVE in self._shown
            if not known:
                raise Unsupported(f"{self.target.name}: {phone} has no parameter for {place}; nothing was written.",
                                  "Leave the setting out, or update the phone's firmware.")
        if Place("local_port", 1) in changes and keys.port_of(self._first) is None:
            raise Unsupported(f"{self.target.name}: {phone} holds something for its port that is no port and could not be put back; nothing was written.",
                              f"Set {keys.port_name(self._shown)} and {keys.SIGNAL} at the phone or its provisioning server, then run again.")
        if changes.get(Place("local_port", 1), 0) is None:
            raise Unsupported(f"{self.target.name}: {phone} always has a port, so it can't be without one; nothing was written.",
                              "Give it a port (sip_ports).")

    def write(self, changes: Mapping[Place, Value]) -> None:
        """What the phone would not know by name it says beside its success; reading back tells what that means."""
        self.check(changes)
        texts: dict[str, str] = {}
        for place, value in changes.items():
            spell = keys.port_texts if place.setting == "local_port" else keys.keep_alive_texts
            texts.update(spell(value if isinstance(value, int) else None, self._shown, self._first))
        if not texts:
            return
        self._wrote = True
        answer = self._post(_SET, {"data": texts})
        unknown = keys.unknown_of(status.checked(self.target.name, answer))
        if unknown:
            raise BadAnswer(f"{answer.where}: the phone does not know {', '.join(unknown)};", "Update its firmware.")

    # ------------------------------------------------------------------ calls and restart

    def busy(self) -> str | None:
        for path in _CALLS:
            answer = self.web.get(path)
            code = status.code_of(answer.json()) if answer.status == 200 else ""
            if code == status.NO_CALL:
                return ""
            if answer.status != 404 and code not in (status.NOT_ALLOWED, status.NOT_SUPPORTED):
                return keys.calls_of(status.checked(self.target.name, answer))
        return None                             # this phone can't say: the PBX can

    def reboot(self) -> None:
        """safeRestart: the phone accepts it at any time and waits for the end of a call by itself."""
        self.was_down = False
        self._before = self._up
        try:
            answer = self._post(_RESTART, {})
        except Dropped:
            return                              # it hung up because it is restarting; never sent twice
        status.checked(self.target.name, answer)

    def restarted(self) -> bool:
        """It has been away, or its uptime began anew."""
        try:
            self._enter_anew()
        except AuthFailed:
            raise
        except DeviceError as error:
            self.was_down = self.was_down or isinstance(error, Unreachable)
            return False
        return self.was_down or self._began_anew()

    def _began_anew(self) -> bool:
        if not self._before or not self._up:
            return False
        (before, then), (seconds, now) = self._before, self._up
        return seconds + _CLOCKS < before + (now - then)

    def _enter_anew(self) -> None:
        """A phone that has restarted knows its Digest nonces no longer: ask for one, as an old one may count as a wrong password."""
        self.web.auth = None
        self._enter()


def other_poly(target: Target, model: str) -> Unsupported:
    """What is said of a Poly that has another interface than this one."""
    return Unsupported(f"{target.name}: this {model} is a Poly without UC software (VVX D230, Rove, OBi), which the collection does not drive.",
                       "Set its port by hand.")
