# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where Yealink keeps each setting: the keys of its configuration files, which all generations share. Data and meaning, no I/O.

Names, defaults and meanings [3P] (templates of FusionPBX, WAZO and others) unless marked. sip.listen_port read from a T54W [HW].

Our words, and what they are made of. A later run puts back words, not keys: so each value of a word stands for one spelling of its keys, and where
a phone shows another spelling, the place is left out of the settings. Nothing is changed that could not be put back to the letter.

- ``local_port``: sip.listen_port, one for all accounts (v81 and later), or account.N.sip_listen_port (v80 and before). Empty counts as the
  factory's 5060, as where an export leaves the key out [R]; it is put back as 5060. What 0 means is not known (some texts allow it [R]): it is
  None, and like a number below 1024 refused before anything is sent, as it could not be put back.
- ``nat_traversal`` is two keys, nat.nat_traversal and nat.udp_update_enable: none is 0 and 0, keep_alive 0 and 1, stun 1 and 1. Left out: stun
  without keep-alive, other kinds of keep-alive (2 OPTIONS, 3 NOTIFY [R]), other kinds of NAT traversal.
- ``rport``: nat.rport 0 or 1; 2 is another kind of it [R] and left out.
- ``keep_alive_interval`` is nat.udp_update_time of all active accounts (of the first where none is); left out where they differ.
- ``random_port`` has no key for UDP; sip.tcp_port_random_mode is of TCP alone and left as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import printable, whole
from ansible_collections.evenport.sip.plugins.module_utils.model import Account
from ansible_collections.evenport.sip.plugins.module_utils.phones.provisioning import owner
from ansible_collections.evenport.sip.plugins.module_utils.phones.settings import Flat, Place, Value

ACCOUNTS = range(1, 17)                 # a T4x or T5x has up to 16
PORT_RANGE = (1024, 65535)              # [R]: some texts say 0 to 65535
PHONE_PORT = "sip.listen_port"
_PORT, _STUN, _UPDATE, _TIME, _RPORT = "sip_listen_port", "nat.nat_traversal", "nat.udp_update_enable", "nat.udp_update_time", "nat.rport"
# What templates call the default. They count where a firmware's export leaves out what is as it came from the factory [R].
_DEFAULTS = {_STUN: "0", _UPDATE: "1", _TIME: "30", _RPORT: "0"}
OPTIONAL = tuple(_DEFAULTS)
_SERVER = ("static.auto_provision.server.url", "auto_provision.server.url")         # with "static." since v81
_PROTECT = ("static.auto_provision.custom.protect", "auto_provision.custom.protect")
# (stun, keep-alive) of each word; a phone without the first key has STUN off.
_NAT = {"none": ("0", "0"), "keep_alive": ("0", "1"), "stun": ("1", "1")}
_VENDOR = r"(?:.*\.)?rps(?:cloud)?\.yealink\.com"            # Yealink's own redirection service [R]

Raw = Mapping[str, str]


def key_of(account: int, name: str) -> str:
    return f"account.{account}.{name}"


def wanted_keys() -> list[str]:
    """Every key that we ever read."""
    names = ("enable", "user_name", _PORT, *_DEFAULTS)
    return [PHONE_PORT, *_SERVER, *_PROTECT, *(key_of(account, name) for account in ACCOUNTS for name in names)]


def parse_export(text: str) -> dict[str, str]:
    """``key = value`` lines -> dictionary. Comments and anything else are passed over."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if equals and re.fullmatch(r"[A-Za-z][\w.]{0,100}", key.strip(), re.ASCII):
            found[key.strip()] = value.strip()
    return found


def numbers(raw: Raw) -> list[int]:
    """The accounts of a phone: those that have a value for any key, and always the first."""
    return [account for account in ACCOUNTS if account == 1 or any(raw.get(key_of(account, name)) for name in ("enable", "user_name", _PORT, *_DEFAULTS))]


def scope_of(raw: Raw, otherwise: str) -> str:
    """"phone" or "line", by the keys that the phone has; *otherwise* where it shows neither."""
    if raw.get(PHONE_PORT):
        return "phone"
    if any(raw.get(key_of(account, _PORT)) for account in ACCOUNTS):
        return "line"
    if PHONE_PORT in raw:
        return "phone"
    return "line" if any(key_of(account, _PORT) in raw for account in ACCOUNTS) else otherwise


def completed(raw: Raw, scope: str) -> dict[str, str]:
    """An export with the factory's values in the place of what it leaves out."""
    full = {key_of(account, name): value for account in numbers(raw) for name, value in _DEFAULTS.items()}
    full.update({PHONE_PORT: "5060"} if scope == "phone" else {key_of(account, _PORT): "5060" for account in numbers(raw)})
    return {**full, **raw}


def settings_of(raw: Raw, scope: str) -> Flat:
    """What the raw values mean. A place whose key the phone does not have is left out."""
    settings: Flat = {}
    if scope == "phone" and PHONE_PORT in raw:
        settings[Place("local_port", 1)] = _port(raw[PHONE_PORT])
    for account in numbers(raw):
        shown = {name: raw[key_of(account, name)] for name in (_PORT, *_DEFAULTS) if key_of(account, name) in raw}
        if scope == "line" and _PORT in shown:
            settings[Place("local_port", account)] = _port(shown[_PORT])
        nat = next((word for word, pair in _NAT.items() if pair == (shown.get(_STUN, "0"), shown.get(_UPDATE))), None)
        if nat:
            settings[Place("nat_traversal", account)] = nat
        if shown.get(_RPORT) in ("0", "1"):
            settings[Place("rport", account)] = shown[_RPORT] == "1"
    intervals = {raw[key_of(account, _TIME)] for account in timed(raw)}
    seconds = whole(next(iter(intervals)), 1, 3600) if len(intervals) == 1 else None
    if seconds is not None and intervals == {str(seconds)}:
        settings[Place("keep_alive_interval")] = seconds
    return settings


def _port(text: str) -> int | None:
    return whole(text, 1) if text else 5060


def accounts_of(raw: Raw, settings: Flat, scope: str) -> tuple[Account, ...]:
    found = []
    for account in numbers(raw):
        user = printable(raw.get(key_of(account, "user_name"), ""), 80)
        port = settings.get(Place("local_port", account))
        per_line = port if scope == "line" and isinstance(port, int) else None
        found.append(Account(account, _active(raw, account), per_line, user))
    return tuple(found)


def _active(raw: Raw, account: int) -> bool:
    """Where the phone doesn't say, an account with a user counts: better one warning too many than two phones on one port."""
    enabled = raw.get(key_of(account, "enable"), "")
    return enabled == "1" if enabled else bool(raw.get(key_of(account, "user_name")))


def provisioning_of(raw: Raw) -> dict[str, Any]:
    """custom.protect 1: what is set by hand outlives auto provisioning [3P]."""
    url = next((raw[key] for key in _SERVER if raw.get(key)), "")
    return owner(url, factory=_VENDOR, protected=any(raw.get(key) == "1" for key in _PROTECT))


def texts(changes: Mapping[Place, Value], raw: Raw, scope: str) -> dict[str, str]:
    """key -> text to write: only what differs from *raw*, what the phone shows now."""
    wanted: dict[str, str] = {}
    for place, value in changes.items():
        wanted.update(_spelled(place, value, raw, scope))
    return {key: text for key, text in wanted.items() if raw.get(key) != text}


def check_values(name: str, changes: Mapping[Place, Value], raw: Raw, first: Raw, scope: str) -> None:
    """:arg first: what the phone showed before anything was written

    :raises Unsupported: a value that a Yealink does not take, or a port that it could not be given again
    """
    low, high = PORT_RANGE
    for place, value in changes.items():
        if value is None:
            raise Unsupported(f"{name}: {place} can't be emptied on a Yealink; nothing was written.", "Give it a value, or leave it out.")
        if place.setting == "local_port":
            if not isinstance(value, int) or not low <= value <= high:
                raise Unsupported(f"{name}: a Yealink's local SIP port is {low} to {high}, not {value}.", "Plan a port within that range.")
            shown = first.get(_port_key(place, scope), "")
            if shown and whole(shown, low, high) is None:
                raise Unsupported(f"{name}: {place} is {printable(shown, 20)!r} now, and could not be put back: a Yealink's is {low} to {high}; "
                                  "nothing was written.", "Set it to 5060 on the phone's web page, then run again.")
        if place.setting == "nat_traversal":
            possible = ("none", "keep_alive", "stun") if key_of(place.line, _STUN) in raw else ("none", "keep_alive")
            if value not in possible:
                raise Unsupported(f"{name}: a Yealink's NAT traversal is one of {', '.join(possible)}, not {value}.",
                                  "Set sip_phone_nat_traversal (option nat_traversal) to one of these.")


def _port_key(place: Place, scope: str) -> str:
    return PHONE_PORT if scope == "phone" else key_of(place.line, _PORT)


def _spelled(place: Place, value: Value, raw: Raw, scope: str) -> dict[str, str]:
    if place.setting == "local_port":
        return {_port_key(place, scope): str(value)}
    if place.setting == "keep_alive_interval":
        return {key_of(account, _TIME): str(value) for account in timed(raw)}
    if place.setting == "rport":
        return {key_of(place.line, _RPORT): "1" if value else "0"}
    stun, update = _NAT[str(value)]
    has_stun = key_of(place.line, _STUN) in raw
    return {**({key_of(place.line, _STUN): stun} if has_stun else {}), key_of(place.line, _UPDATE): update}


def timed(raw: Raw) -> list[int]:
    """The accounts whose keep-alive interval counts: the active ones; the first where none is."""
    having = [account for account in numbers(raw) if key_of(account, _TIME) in raw]
    return [account for account in having if _active(raw, account)] or having[:1]
