# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a Fanvil keeps each setting, and what its values mean: no I/O.

A key is the dotted path in the exported <sysConf>, "sip.line.1.EnableRport": the XML service names settings the same way ([D] for
sip.line.1.EnableReg, [I] for sip.SIPPort: each key is asked for before it is written). Names and defaults [3P] templates of FusionPBX
and Wazo. Left alone, as nobody says what they mean: SignalPort, PhonePort, EnableChgPort of a line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import printable, whole
from ansible_collections.evenport.sip.plugins.module_utils.model import Account
from ansible_collections.evenport.sip.plugins.module_utils.phones.provisioning import owner
from ansible_collections.evenport.sip.plugins.module_utils.phones.settings import SETTINGS, Flat, Place, Value

PORT = "sip.SIPPort"
SERVER, PROTOCOL = "ap.FlashServerIP", "ap.FlashProtocol"
MAX_LINES = 20
# EnableReg and RegisterUser [D]; RegEnabled and RegUser [3P], a client of the XML service.
ACTIVE, USER = ("EnableReg", "RegEnabled"), ("PhoneNumber", "RegisterUser", "RegUser")
RPORT, NAT, KEEP_ALIVE, INTERVAL = "EnableRport", "NATType", "NATUDPUpdate", "UDPUpdateTTL"
OF_LINE = (*ACTIVE, *USER, RPORT, NAT, KEEP_ALIVE, INTERVAL)
PORTS = range(1024, 65536)      # what the phone takes is [U]
_PROTOCOLS = {"1": "ftp", "2": "tftp", "4": "http", "5": "https"}       # 4 and 5 [3P]; 1 and 2 [R]
_SPANS = frozenset(str(number) for number in range(SETTINGS["keep_alive_interval"].high + 1))
_RPORTS = {"1": True, "0": False}
_NOTHING = "0"                  # no port, no interval: a port 0 is in one template [3P], an empty one in none. What they mean is [U]
_LINE_KEY = re.compile(r"sip\.line\.([1-9][0-9]?)\.\w+")


def key(line: int, name: str) -> str:
    return f"sip.line.{line}.{name}"


def lines(values: Mapping[str, str]) -> list[int]:
    return sorted({int(found.group(1)) for name in values if (found := _LINE_KEY.fullmatch(name))})


def settings(values: Mapping[str, str]) -> Flat:
    """Raw values -> everything that is managed. One port for the whole phone, shown at line 1.

    What could not be put back to the letter by somebody who knows the result only is left out, the port excepted: a phone with a port that
    can't be read has to get one.
    """
    flat: Flat = {}
    if PORT in values:
        flat[Place("local_port", 1)] = _number(values[PORT])
    spans = {values[key(line, INTERVAL)] for line in _used(values, INTERVAL)}
    if len(spans) == 1 and (text := spans.pop()) in _SPANS:         # one per line here, and one word for all of them
        flat[Place("keep_alive_interval")] = int(text) or None
    for line in lines(values):
        for place, value in ((Place("rport", line), _RPORTS.get(values.get(key(line, RPORT), ""))), (Place("nat_traversal", line), _nat(values, line))):
            if value is not None:
                flat[place] = value
    return flat


def _nat(values: Mapping[str, str], line: int) -> str | None:
    """NATType 1 is STUN: Wazo sets it where it sets a STUN server [I]. NATUDPUpdate 0: off; 1 and 2 are two kinds of keep-alive packet,
    2 in newer templates and 1 in older ones [3P], which is which [R]."""
    kind, packets = values.get(key(line, NAT), "0").strip() or "0", values.get(key(line, KEEP_ALIVE))
    if packets is None or kind not in ("0", "1"):
        return None
    return "stun" if kind == "1" else {"0": "none", "1": "keep_alive", "2": "keep_alive"}.get(packets.strip())


def _used(values: Mapping[str, str], name: str) -> list[int]:
    """The lines whose *name* counts: the active ones, or all where none is."""
    having = [line for line in lines(values) if key(line, name) in values]
    return [line for line in having if _active(values, line)] or having


def _active(values: Mapping[str, str], line: int) -> bool:
    return any(values.get(key(line, name), "").strip() == "1" for name in ACTIVE)


def _number(text: str) -> int | None:
    """1 to 65535; None for anything else."""
    return whole(text, 1)


def accounts(values: Mapping[str, str]) -> tuple[Account, ...]:
    found = []
    for line in lines(values):
        user = next((text for name in USER if (text := values.get(key(line, name), "").strip())), "")
        known = any(key(line, name) in values for name in ACTIVE)
        # Where the phone doesn't say, an account with a user counts: better one warning too many than two phones on one port.
        found.append(Account(line, _active(values, line) if known else bool(user), None, printable(user, 80)))
    return tuple(found)


def provisioning(values: Mapping[str, str]) -> dict[str, Any]:
    """FlashMode 0 may switch the server off [R]: not relied on, a server that is set counts."""
    return owner(values.get(SERVER, ""), _PROTOCOLS.get(values.get(PROTOCOL, "").strip(), ""),
                 factory=r".*\.fanvil\.com")                                    # the vendor's own redirection [R]


def check(name: str, changes: Mapping[Place, Value], values: Mapping[str, str], first: Mapping[str, str]) -> None:
    """:raises Unsupported: what this phone has no key for, or a Fanvil no value. What it had at *first* can always be put back."""
    for place, value in changes.items():
        if not any(one in values for one in _keys_of(place, values)):
            raise Unsupported(f"{name}: this phone has no key for {place}; nothing was written.", "Leave the setting out, or update the phone's firmware.")
        if _is_first(place, value, first):
            continue
        if place.setting == "local_port" and isinstance(value, int) and value not in PORTS:
            raise Unsupported(f"{name}: the local port {value} is outside {PORTS.start} to {PORTS.stop - 1}; nothing was written.",
                              "Choose a port in that range.")
        if place.setting == "nat_traversal" and value not in ("none", "stun", "keep_alive"):
            raise Unsupported(f"{name}: a Fanvil has no NAT traversal {value!r}; nothing was written.",
                              "Use none, stun or keep_alive (sip_phone_nat_traversal).")
        if place.setting == "rport" and value is None:
            raise Unsupported(f"{name}: {place} can't be empty; nothing was written.", "Say true or false.")


def texts(changes: Mapping[Place, Value], values: Mapping[str, str], first: Mapping[str, str]) -> dict[str, str]:
    """Checked changes -> key -> text, of those keys only that differ from *values*.

    :arg first: what the phone showed at first: who wants that again gets it to the letter, even what we can't read. Nobody else can know
        what stood where there was no number: then it is 0.
    """
    wanted: dict[str, str] = {}
    for place, value in changes.items():
        if _is_first(place, value, first):
            wanted.update({name: first[name] for name in _keys_of(place, values) if name in first})
        elif place.setting == "nat_traversal":
            wanted.update(_nat_texts(place.line, str(value), values))
        else:
            wanted.update(dict.fromkeys(_keys_of(place, values), _NOTHING if value is None else str(int(value))))
    return {name: text for name, text in wanted.items() if name in values and values[name] != text}


def _is_first(place: Place, value: Value, first: Mapping[str, str]) -> bool:
    return bool(first) and settings(first).get(place) == value


def _keys_of(place: Place, values: Mapping[str, str]) -> list[str]:
    """[]: a Fanvil has no such setting."""
    if place.setting == "keep_alive_interval":
        return [key(line, INTERVAL) for line in _used(values, INTERVAL)]
    names = {"rport": (RPORT,), "nat_traversal": (NAT, KEEP_ALIVE)}.get(place.setting, ())
    return [PORT] if place == Place("local_port", 1) else [key(place.line, name) for name in names]


def _nat_texts(line: int, value: str, values: Mapping[str, str]) -> dict[str, str]:
    if value == "stun":
        return {key(line, NAT): "1"}
    packets = values.get(key(line, KEEP_ALIVE), "").strip()
    kept = packets if packets in ("1", "2") else "2"
    return {key(line, NAT): "0", key(line, KEEP_ALIVE): kept if value == "keep_alive" else "0"}
