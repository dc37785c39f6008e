# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What both generations of Grandstream's JSON interface have in common: session, call state, restart, and what values mean.

Sources: third parties' hardware unless marked otherwise (reference: GXP2170 1.0.11.106, WP826, GXP14xx/16xx/1760W).
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import AuthFailed, BadAnswer, DeviceError, LockedOut, SessionLost, Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import Answer, parse_json, pick, printable, whole
from ansible_collections.evenport.sip.plugins.module_utils.http.faults import Dropped
from ansible_collections.evenport.sip.plugins.module_utils.http.session import WebSession
from ansible_collections.evenport.sip.plugins.module_utils.model import Account, Identity
from ansible_collections.evenport.sip.plugins.module_utils.phones.contract import Driver, Reading
from ansible_collections.evenport.sip.plugins.module_utils.phones.grandstream import keys
from ansible_collections.evenport.sip.plugins.module_utils.phones.provisioning import owner
from ansible_collections.evenport.sip.plugins.module_utils.phones.settings import Flat, Place, Value
from ansible_collections.evenport.sip.plugins.module_utils.phones.target import Target

_SID = re.compile(r"[0-9A-Za-z]{1,64}")


class Grandstream(Driver):
    """One Grandstream phone; the generations fill in login, and how values are read and written."""

    BRAND = "grandstream"

    def __init__(self, target: Target, web: WebSession, identity: Identity) -> None:
        super().__init__(target, web, identity)
        self.sid = ""
        self._shown: dict[Place, str] = {}      # what the phone answered last, in its own spelling
        self._first: dict[Place, str] = {}      # and at first: what "put it back" means for values we can't read

    # ------------------------------------------------------------------ session

    def check_lockout(self) -> None:
        answer = self.web.get("/cgi-bin/api-get_lockout")                       # "ok" or "lockout" [3P]; old firmware has none
        if answer.status == 200 and re.search(r"\blockout\b", answer.text[:200]):
            raise self._locked(None)

    def _locked(self, minutes: int | None) -> LockedOut:
        wait = f"for {minutes} minutes" if minutes is not None else "for some minutes (5 unless set otherwise, at most 60)"
        return LockedOut(f"{self.target.name}: the phone refuses all logins {wait} after too many wrong passwords.",
                         "Wait that long, check sip_phone_user and sip_phone_password, then run again.", minutes)

    def _enter(self, form: Mapping[str, str]) -> None:
        """The one login request, and what its answer means."""
        answer = self.web.post("/cgi-bin/dologin", form)
        if answer.status == 403:
            raise BadAnswer(f"{answer.where} answered 403 (forbidden).",
                            "Is a proxy on the way that removes the Referer header, or web access limited by address?")
        if "user is not allow" in answer.text[:400]:
            raise AuthFailed(f"{self.target.name}: web access is switched off for the user {self.target.username!r}.",
                             "Enable it on the phone, or use admin.")
        data = answer_json(answer)
        body = pick(data, "body")
        if isinstance(body, dict) and pick(data, "response") == "success" and _SID.fullmatch(str(body.get("sid", ""))):
            self._entered(str(body["sid"]), body)
            return
        self._turned_away(answer, data, body)

    def _entered(self, sid: str, body: Mapping[str, Any]) -> None:
        role = str(body.get("role") or self.web.cookies.get("session-role") or "admin")
        # Which of the three the firmware looks at differs ([HW] GXP2170, GXP16xx, WP8x6), and it may set none of them: send all.
        self.web.cookies.update({"session-identity": sid, "sid": sid})
        self.web.cookies.setdefault("session-role", role if re.fullmatch(r"[0-9A-Za-z]{1,64}", role) else "admin")
        self.sid = sid
        mac = re.sub(r"[^0-9a-f]", "", str(body.get("mac", "")).lower())
        if len(mac) == 12 and not self.identity.mac:
            self.identity = Identity(**{**self.identity.as_dict(), "mac": mac})

    def _turned_away(self, answer: Answer, data: Any, body: Any) -> None:
        wrong = re.fullmatch(r"wrong([0-9]?)", body) if isinstance(body, str) else None
        if wrong:
            left = f" ({wrong.group(1)} attempts are left before it locks)" if wrong.group(1) else ""
            raise AuthFailed(f"{self.target.name}: the phone refuses the password of {self.target.username!r}{left}.",
                             "It was tried once and is not repeated. Correct sip_phone_user or sip_phone_password.")
        if body == "locked":
            raise self._locked(whole(str(pick(data, "lockTime")), 0, 9999))
        raise BadAnswer(f"{answer.where} answered {answer.status} with neither a session nor a refusal.", "Restart the phone, then run again.")

    def session(self) -> dict[str, Any]:
        return {self.BRAND: {self.identity.generation: {"sid": self.sid, "cookies": dict(self.web.cookies)}}} if self.sid else {}

    def resume(self, session: Mapping[str, Any]) -> bool:
        state = (session.get(self.BRAND) or {}).get(self.identity.generation)
        if not isinstance(state, Mapping) or not _SID.fullmatch(str(state.get("sid", ""))):
            return False
        self.sid = str(state["sid"])
        self.web.cookies.update({str(name): str(value) for name, value in (state.get("cookies") or {}).items()})
        return True

    def logout(self) -> None:
        if self.sid:
            self.web.post("/cgi-bin/dologout", {"sid": self.sid}, timeout=min(3.0, self.web.reach.timeout))
            self.sid = ""

    def keep_alive(self) -> None:
        data = self._asked(self.web.post("/cgi-bin/dorefresh", {"sid": self.sid}))
        fresh = str(pick(data, "body.sid") or "")
        if _SID.fullmatch(fresh) and fresh != self.sid:                         # it may hand out a new one, the old one is dead then
            self.sid = fresh
            self.web.cookies.update({"session-identity": fresh, "sid": fresh})

    def _asked(self, answer: Answer) -> Any:
        """The JSON of an authenticated request. An ended session shows in two forms: 401, or 200 with a body that says so."""
        if answer.status == 401:
            raise self._lost()
        if answer.status != 200:
            raise BadAnswer(f"{answer.where} answered {answer.status}.", "Restart the phone, then run again; if it stays, update its firmware.")
        data = answer_json(answer)
        if pick(data, "body.status") == "session-expired":
            raise self._lost()
        return data

    def _lost(self) -> SessionLost:
        self.sid = ""                           # nothing is left to log out of
        return SessionLost(f"{self.target.name}: the phone ended our web session in the middle of the work.",
                           "Is somebody else logged in to its web page? Run again when they are done.")

    # ------------------------------------------------------------------ settings

    @abstractmethod
    def values(self, wanted: Mapping[Any, tuple[keys.Key, int]]) -> dict[Any, str]:
        """Raw values of keys (by any name; value: key and line). A key that this phone does not have is left out."""

    @abstractmethod
    def code(self, place: Place) -> str:
        """The P-code to write a place with, without the P. '' : this phone has no such place."""

    @abstractmethod
    def send(self, codes: Mapping[str, str]) -> None:
        """The one write request, P-code -> text."""

    def read(self) -> Reading:
        wanted: dict[Any, tuple[keys.Key, int]] = {place: (keys.MANAGED[place.setting], place.line) for place in keys.places()}
        for line in keys.ACCOUNTS:
            wanted["active", line], wanted["user", line] = (keys.ACTIVE, line), (keys.USER, line)
        wanted["server"], wanted["protocol"] = (keys.Key("", (keys.SERVER,)), 0), (keys.Key("", (keys.PROTOCOL,)), 0)
        wanted["mac"] = (keys.Key("", (keys.MAC,)), 0)
        raw = self.values(wanted)
        lines = [line for line in keys.ACCOUNTS if Place("local_port", line) in raw]
        self._shown = {place: text for place, text in raw.items() if isinstance(place, Place) and (not place.line or place.line in lines)}
        self._first = self._first or dict(self._shown)
        settings: Flat = {place: keys.meaning(place, text) for place, text in self._shown.items()}
        mac = re.sub(r"[^0-9a-f]", "", raw.get("mac", "").lower())
        if len(mac) == 12 and not self.identity.mac:
            self.identity = Identity(**{**self.identity.as_dict(), "mac": mac})
        return Reading(settings, tuple(_account(line, raw, settings) for line in lines), _provisioning(raw))

    def check(self, changes: Mapping[Place, Value]) -> None:
        keys.check_values(self.target.name, changes)
        for place in changes:
            if not self.code(place):
                raise Unsupported(f"{self.target.name}: this {self.identity.model or 'phone'} ({self.identity.firmware}) has no key for {place}; "
                                  "nothing was written.", "Leave the setting out, or update the phone's firmware.")

    def write(self, changes: Mapping[Place, Value]) -> None:
        self.check(changes)
        self.send({self.code(place): self._text(place, value) for place, value in changes.items()})

    def _text(self, place: Place, value: Value) -> str:
        first = self._first.get(place, "")
        if value is None and keys.meaning(place, first) is None:
            return first                        # put back as it was, even if we can't read it
        return keys.spelling(place, value, self._shown.get(place, "") or first)

    def _accepted(self, answer: Answer) -> None:
        data = self._asked(answer)
        if pick(data, "response") != "success":
            raise DeviceError(f"{self.target.name}: the phone refused the change; nothing was written.",
                              "Has this user the right to change settings? Use admin.")

    # ------------------------------------------------------------------ calls and restart

    def busy(self) -> str | None:
        answer = self.web.post("/cgi-bin/api-get_phone_status", {"sid": self.sid})
        if answer.status in (404, 501):
            return None                         # this firmware can't say: the PBX can
        data = self._asked(answer)
        status = pick(data, "body")
        if not isinstance(status, str):
            return None
        if status != "available":
            return f"it is {printable(status, 20)}"
        lines = self.web.post("/cgi-bin/api-get_line_status", {"line": "-1", "sid": self.sid})
        if lines.status != 200:
            return ""
        listed = self._asked(lines)
        listed = listed.get("body") if isinstance(listed, dict) else listed
        states = {str(one.get("state", "idle")) for one in listed if isinstance(one, dict)} if isinstance(listed, list) else set()
        return ", ".join(f"a line is {printable(state, 20)}" for state in sorted(states - {"idle", ""}))

    def reboot(self) -> None:
        self.was_down = False
        try:
            answer = self.web.post("/cgi-bin/api-sys_operation", {"request": "REBOOT", "sid": self.sid})
        except Dropped:
            return                              # it hung up because it is restarting [HW]; never sent twice
        data = self._asked(answer)
        if pick(data, "response") == "error":
            raise DeviceError(f"{self.target.name}: the phone refused to restart.", "Restart it by hand, or give a user who may.")

    def restarted(self) -> bool:
        """Asks with the old session: a phone that has been down no longer knows it."""
        return self.seen_again(lambda: self.values({"port": (keys.MANAGED["local_port"], 1)}))


def answer_json(answer: Answer) -> Any:
    """JSON of an answer. An old GXP14xx puts a stray line before its HTTP headers, so that they land in the body and the JSON on the last line [HW]."""
    text = answer.text
    if text.lstrip()[:1] not in ("{", "["):
        lines = [line for line in text.splitlines() if line.startswith("{")]
        if lines:
            return parse_json(lines[-1], answer.where)
    return parse_json(text, answer.where)


def named(data: Any) -> dict[str, str]:
    """{"response": "success", "body": {"P40": "5060", "68": "1.0"}} -> {"40": "5060", "68": "1.0"}; {} for anything else."""
    body = pick(data, "response == 'success' && body")
    if not isinstance(body, dict):
        return {}
    return {re.sub(r"^P(?=[0-9])", "", name): str(value) for name, value in body.items() if isinstance(value, (str, int))}


def join(codes: Iterable[str]) -> str:
    return ":".join("P" + code for code in codes)


def _account(line: int, raw: Mapping[Any, str], settings: Flat) -> Account:
    user = raw.get(("user", line), "").strip()
    active = keys.truth(raw.get(("active", line), ""))
    port = settings.get(Place("local_port", line))
    # Where the phone doesn't say, an account with a user counts: better one warning too many than two phones on one port.
    return Account(line, bool(user) if active is None else active, port if isinstance(port, int) else None, printable(user, 80))


def _provisioning(raw: Mapping[Any, str]) -> dict[str, Any]:
    """P237 is host and path without a scheme, P212 the protocol [HW]. From the factory it is fm.grandstream.com/gs [R]."""
    shown = raw.get("protocol", "").strip().lower()
    protocol = keys.PROTOCOLS[int(shown)] if re.fullmatch("[0-4]", shown) else shown if shown in keys.PROTOCOLS else ""
    return owner(raw.get("server", ""), protocol, factory=r"(?:.*\.)?grandstream\.com")
