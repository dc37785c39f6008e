# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where Yealink keeps each setting: the keys of its configuration files, which all generations share. Data and meaning, no I/O.

Names, defaults and meanings [3P] (templates of FusionPBX, WAZO and others) unless marked. sip.listen_port read from a T54W [HW].

Our words, and what they are made of:

- ``local_port``: sip.listen_port, one for all accounts (v81 and later), or account.N.sip_listen_port (v80 and before).
- ``nat_traversal`` is two keys: nat.nat_traversal 1 is stun; 0 is keep_alive or none, as nat.udp_update_enable is on (1, 2 or 3 [R]) or off (0).
- ``keep_alive_interval`` is nat.udp_update_time, which each account has: that of all active accounts; the longest where they differ.
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
    return "phone" if PHONE_PORT in raw else otherwise


def completed(raw: Raw, scope: str) -> dict[str, str]:
    """An export with the factory's values in the place of what it leaves out."""
    full = {key_of(account, name): value for account in numbers(raw) for name, value in _DEFAULTS.items()}
    full.update({PHONE_PORT: "5060"} if scope == "phone" else {key_of(account, _PORT): "5060" for account in numbers(raw)})
    return {**full, **raw}


def settings_of(raw: Raw, scope: str) -> Flat:
    """What the raw values mean. A place whose key the phone does not have is left out."""
    settings: Flat = {}
    if scope == "phone" and PHONE_PORT in raw:
        settings[Place("local_port", 1)] = whole(raw[PHONE_PORT], 0, 99999)
    intervals = []
    for account in numbers(raw):
        shown = {name: raw[key_of(account, name)] for name in (_PORT, *_DEFAULTS) if key_of(account, name) in raw}
        if scope == "line" and _PORT in shown:
            settings[Place("local_port", account)] = whole(shown[_PORT], 0, 99999)
        if _UPDATE in shown:
            settings[Place("nat_traversal", account)] = _nat(shown.get(_STUN, "0"), shown[_UPDATE])
        if _RPORT in shown:
            settings[Place("rport", account)] = {"0": False, "1": True, "2": True}.get(shown[_RPORT])
        if _TIME in shown and account in _timed(raw):
            intervals.append(whole(shown[_TIME], 0, 99999))
    if intervals:
        settings[Place("keep_alive_interval")] = None if None in intervals else max(filter(None, intervals), default=0)
    return settings


def accounts_of(raw: Raw, settings: Flat, scope: str) -> tuple[Account, ...]:
    found = []
    for account in numbers(raw):
        enabled, user = raw.get(key_of(account, "enable"), ""), printable(raw.get(key_of(account, "user_name"), ""), 80)
        port = settings.get(Place("local_port", account))
        per_line = port if scope == "line" and isinstance(port, int) else None
        # Where the phone doesn't say, an account with a user counts: better one warning too many than two phones on one port.
        found.append(Account(account, enabled == "1" if enabled else bool(user), per_line, user))
    return tuple(found)


def provisioning_of(raw: Raw) -> dict[str, Any]:
    """custom.protect 1: what is set by hand outlives auto provisioning [3P]."""
    url = next((raw[key] for key in _SERVER if raw.get(key)), "")
    return owner(url, factory=_VENDOR, protected=any(raw.get(key) == "1" for key in _PROTECT))


def texts(changes: Mapping[Place, Value], raw: Raw, first: Raw, scope: str) -> dict[str, str]:
    """key -> text to write: only what differs from *raw*, what the phone shows now.

    :arg first: what it showed at first. A value that means the same as then is spelled as then, so that it is put back exactly.
    """
    now, then = settings_of(raw, scope), settings_of(first, scope)
    wanted: dict[str, str] = {}
    for place, value in changes.items():
        keys = _keys(place, raw, scope)
        if place in then and then[place] == value and now.get(place) != value:
            wanted.update({key: first[key] for key in keys if key in first})
        else:
            wanted.update(_spelled(place, value, keys, raw))
    return {key: text for key, text in wanted.items() if raw.get(key) != text}


def check_values(name: str, changes: Mapping[Place, Value], raw: Raw) -> None:
    """:raises Unsupported: a value that a Yealink does not take"""
    low, high = PORT_RANGE
    for place, value in changes.items():
        if place.setting == "local_port" and isinstance(value, int) and not low <= value <= high:
            raise Unsupported(f"{name}: a Yealink's local SIP port is {low} to {high}, not {value}.", "Plan a port within that range.")
        if place.setting == "nat_traversal" and value is not None:
            possible = ("none", "keep_alive", "stun") if key_of(place.line, _STUN) in raw else ("none", "keep_alive")
            if value not in possible:
                raise Unsupported(f"{name}: a Yealink's NAT traversal is one of {', '.join(possible)}, not {value}.",
                                  "Set sip_phone_nat_traversal (option nat_traversal) to one of these.")


def _keys(place: Place, raw: Raw, scope: str) -> list[str]:
    """The keys that a place stands for."""
    if place.setting == "local_port":
        return [PHONE_PORT if scope == "phone" else key_of(place.line, _PORT)]
    if place.setting == "keep_alive_interval":
        return [key_of(account, _TIME) for account in _timed(raw)]
    return [key_of(place.line, name) for name in ((_STUN, _UPDATE) if place.setting == "nat_traversal" else (_RPORT,))]


def _spelled(place: Place, value: Value, keys: list[str], raw: Raw) -> dict[str, str]:
    if value is None:
        return {}                               # "as it was, unreadable": nothing that could be written
    if place.setting == "nat_traversal":
        stun, update = keys
        if value == "stun":
            return {stun: "1"}
        kept = raw.get(update, "") if raw.get(update, "") in ("1", "2", "3") else "1"
        return {**({stun: "0"} if stun in raw else {}), update: kept if value == "keep_alive" else "0"}
    if place.setting == "rport":
        return dict.fromkeys(keys, "1" if value else "0")
    return {key: str(value) for key in keys}


def _timed(raw: Raw) -> list[int]:
    """The accounts whose keep-alive interval counts: the active ones; the first where none is."""
    having = [account for account in numbers(raw) if key_of(account, _TIME) in raw]
    return [account for account in having if raw.get(key_of(account, "enable")) == "1"] or having[:1]


def _nat(stun: str, update: str) -> str | None:
    if stun == "1":
        return "stun"
    if stun not in ("0", "") or update not in ("0", "1", "2", "3"):
        return None
    return "keep_alive" if update != "0" else "none"
