# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where Grandstream keeps each setting, and how it spells values: the data of reference section "Parameters", no I/O.

P-codes and ranges [3P] FusionPBX templates and xrobau/elastix; aliases [HW] metaconfig of a GXP2170. Two traps are left out on purpose
and must stay out: P440/P540/P640 look like "ports of account 2..4" but are SIP T1 timers, and P704/P804 are no user ids.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ansible_collections.evenport.sip.plugins.module_utils.errors import Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import whole
from ansible_collections.evenport.sip.plugins.module_utils.phones.settings import SETTINGS, Place, Value

ACCOUNTS = range(1, 7)
KEEP_ALIVE_RANGE = (10, 160)            # seconds [3P] FusionPBX; narrower than the vocabulary's
NAT = ("none", "stun", "keep_alive", "upnp", "auto", "vpn")                     # position = the integer surface
NAT_STRINGS = ("No", "STUN", "KeepAlive", "UPnP", "Auto", "VPN")                # the alias surface
PROTOCOLS = ("tftp", "http", "https", "ftp", "ftps")                            # P212, both surfaces
SERVER, PROTOCOL, MAC = "237", "212", "67"


class Key(NamedTuple):
    """One setting: its alias (N = account) and its P-codes without the P, of accounts 1.. or of the phone."""

    alias: str
    codes: tuple[str, ...]


MANAGED = {
    "local_port": Key("account.N.sip.localPort", ("40", "413", "513", "613", "1713", "1813")),
    "nat_traversal": Key("account.N.network.natTraversal", ("52", "414", "514", "614", "1714", "1814")),
    "rport": Key("account.N.network.supportRport", ("131",)),                   # code: RFC 3581 switch of old firmware, account 1 only
    "random_port": Key("network.rtp.useRandomPort", ("78",)),
    "keep_alive_interval": Key("sip.keepAliveInterval", ("84",)),
}
ACTIVE = Key("account.N.enable", ("271", "401", "501", "601", "1701", "1801"))  # alias [I]
USER = Key("account.N.sip.userid", ("35", "404", "504", "604", "1704", "1804"))


def alias_of(key: Key, line: int) -> str:
    """Lower case: one family writes localport, the others localPort [3P]."""
    return key.alias.replace(".N.", f".{line}.").lower()


def code_of(key: Key, line: int) -> str:
    """'' where the table has none."""
    index = max(line - 1, 0)
    return key.codes[index] if index < len(key.codes) else ""


def places() -> list[Place]:
    """Every place that a Grandstream may have."""
    return [Place(name, line) for name in MANAGED for line in (ACCOUNTS if SETTINGS[name].per_line else (0,))]


def aliases() -> set[str]:
    """Every alias that we ever look up."""
    return {alias_of(key, line) for key in (*MANAGED.values(), ACTIVE, USER) for line in ACCOUNTS}


def meaning(place: Place, raw: str) -> Value:
    """The phone's text -> our value, from either surface (integers, strings). None: empty, or nothing we know."""
    text = raw.strip()
    kind = SETTINGS[place.setting].kind
    if kind == "bool":
        return truth(text)
    if kind == "int":
        return whole(text, 0, 99999)
    if text.isascii() and text.isdigit():
        return NAT[int(text)] if len(text) <= 2 and int(text) < len(NAT) else None
    strings = [name.lower() for name in NAT_STRINGS]
    return NAT[strings.index(text.lower())] if text.lower() in strings else None


def truth(text: str) -> bool | None:
    return {"1": True, "yes": True, "true": True, "0": False, "no": False, "false": False}.get(text.strip().lower())


def spelling(place: Place, value: Value, shown: str) -> str:
    """Our value -> the phone's text, on the surface that *shown* (what it answers for this place now) belongs to; integers if that is empty."""
    strings = bool(shown) and not shown.strip().isdigit()
    if value is None:
        return ""
    if isinstance(value, bool):
        return (("Yes" if value else "No") if shown.strip().lower() in ("yes", "no") else ("true" if value else "false") if strings else str(int(value)))
    if isinstance(value, int):
        return str(value)
    return (NAT_STRINGS if strings else tuple("012345"))[NAT.index(value)]


def check_values(name: str, changes: Mapping[Place, Value]) -> None:
    """:raises Unsupported: a value outside what Grandstream takes"""
    low, high = KEEP_ALIVE_RANGE
    for place, value in changes.items():
        if place.setting == "keep_alive_interval" and isinstance(value, int) and not low <= value <= high:
            raise Unsupported(f"{name}: a Grandstream's keep-alive interval is {low} to {high} s, not {value}.",
                              "Set sip_phone_keep_alive_interval (option keep_alive_interval) within that range.")
