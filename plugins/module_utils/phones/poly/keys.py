# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Poly's parameters and answers mean, no I/O.

Parameters, their defaults and ranges [D] the texts of Polycom's own web interface, SIP 3.1 and 2.2 administrator guides; forms of answers
[HW] Edge E350 8.6.0, Trio 8800 7.2.2. Functions take whatever a device may answer and give a value or nothing, never an error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.http.answer import pick, printable, whole
from ansible_collections.evenport.sip.plugins.module_utils.model import Account
from ansible_collections.evenport.sip.plugins.module_utils.phones.provisioning import owner

PORT = "voIpProt.SIP.local.port"                # 0 to 65535; 0 or empty: signals from 5060, and does not say so in its messages
OLD_PORT = "voIpProt.local.port"                # its name in SIP 1.x to 3.1 [3P]; which firmware takes which is [U], so both are asked for
SIGNAL = "nat.signalPort"                       # empty, or 1024 to 65535: then it counts instead of the port
KEEP_ALIVE = "nat.keepalive.interval"           # 0 to 3600 s, 0: off
NAMES = (PORT, OLD_PORT, SIGNAL, KEEP_ALIVE)
_DEFAULT_PORT = 5060
_LONGEST_KEEP_ALIVE = 3600
_UPTIME = re.compile(r"\s*(\d{1,6})\s*days?\s+(\d{1,4}):(\d{1,2}):(\d{1,2})\s*", re.IGNORECASE)


# ---------------------------------------------------------------------- the port


def port_name(shown: Mapping[str, str]) -> str:
    """The parameter that holds the port on this phone; "" where it knows neither name."""
    return next((name for name in (PORT, OLD_PORT) if name in shown), "")


def port_of(shown: Mapping[str, str]) -> int | None:
    """The port that the phone signals from. None: what is set is no port.

    An empty or zero port *is* 5060 here: the phone signals from there, and what it leaves out of its messages means 5060 in SIP as well.
    So a phone that is planned on 5060 and has an empty field is in order, and is not written.
    """
    override = _number(shown.get(SIGNAL, ""))
    port = override if override != 0 else _number(shown.get(port_name(shown), ""))
    return _DEFAULT_PORT if port == 0 else port


def port_texts(port: int | None, shown: Mapping[str, str], first: Mapping[str, str]) -> dict[str, str]:
    """What to write so that the phone signals from *port*: only what differs from *shown*.

    :arg first: what was shown at first. Its own port is put back in its own words, an override included
    """
    name = port_name(shown)
    if port == port_of(first):
        wanted = {one: first[one] for one in (name, SIGNAL) if one in first}
    else:
        wanted = {name: str(port)}
        if SIGNAL in shown and _number(shown[SIGNAL]) not in (0, port):
            wanted[SIGNAL] = ""
    return {one: text for one, text in wanted.items() if shown.get(one) != text}


def half_written(shown: Mapping[str, str], first: Mapping[str, str]) -> bool:
    """Is it the port of before, and yet not the same settings? For what is shown after a write."""
    return port_of(shown) == port_of(first) and any(shown.get(name) != first.get(name) for name in (port_name(shown), SIGNAL))


def _number(text: str) -> int | None:
    """A port as Poly writes it; 0 for an empty field, None for what is no port."""
    return whole(text) if text.strip() else 0


# ---------------------------------------------------------------------- the keep-alive


def keep_alive_of(shown: Mapping[str, str]) -> int | None:
    """Seconds; None: off, or nothing we know."""
    number = _number(shown.get(KEEP_ALIVE, ""))
    return number if number and number <= _LONGEST_KEEP_ALIVE else None


def keep_alive_known(shown: Mapping[str, str]) -> bool:
    """Could it be put back? What is neither off nor a number in range could not."""
    return _number(shown.get(KEEP_ALIVE, "")) == 0 or keep_alive_of(shown) is not None


def keep_alive_texts(seconds: int | None, shown: Mapping[str, str], first: Mapping[str, str]) -> dict[str, str]:
    """What to write; None: as it was at first if that was off too, else off."""
    off = first.get(KEEP_ALIVE, "0") if keep_alive_of(first) is None else "0"
    text = off if seconds is None else str(seconds)
    return {} if shown.get(KEEP_ALIVE) == text else {KEEP_ALIVE: text}


# ---------------------------------------------------------------------- answers


def values_of(answer: Any, names: tuple[str, ...]) -> dict[str, str] | None:
    """{"data": {"nat.ip": {"Value": "", "Source": "default"}}, "InvalidParams": [...]} -> {"nat.ip": ""}; None: not of this form.

    A name that is not in data is one that this firmware does not have, whatever form InvalidParams has.
    """
    data = pick(answer, "data")
    if not isinstance(data, dict):
        return None
    entries = {name: data[name] for name in names if isinstance(data.get(name), dict)}
    return {name: text_of(entry["Value"]) for name, entry in entries.items() if "Value" in entry}


def unknown_of(answer: Any) -> list[str]:
    """InvalidParams: a list of names, or an object whose values are names [3P]."""
    listed = pick(answer, "InvalidParams")
    named = list(listed.values()) if isinstance(listed, dict) else listed if isinstance(listed, list) else []
    return [printable(one, 60) for one in named if isinstance(one, str) and one]


def text_of(value: Any) -> str:
    return str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""


def seconds_of(uptime: Any) -> int | None:
    """"0 Day 2:26:00", "20 Days 16:11:42", "0 day 2:26:00" (v1), {"Days": "1", "Hours": "1", "Minutes": "41", "Seconds": "28"} (v2) -> seconds."""
    if isinstance(uptime, dict):
        parts = [text_of(uptime.get(name, "")) for name in ("Days", "Hours", "Minutes", "Seconds")]
    else:
        found = _UPTIME.fullmatch(uptime) if isinstance(uptime, str) else None
        parts = list(found.groups()) if found else []
    if len(parts) != 4 or not all(re.fullmatch("[0-9]{1,6}", part) for part in parts):
        return None
    days, hours, minutes, seconds = (int(part) for part in parts)
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def accounts_of(lines: Any, model: str) -> tuple[Account, ...]:
    """lineInfo -> accounts, numbered in the order of their first line key.

    An account is listed once for each line key that it sits on. A lone one under the name of the model is the factory's: nobody has set
    the phone up. ``Port`` is that of the server and is not looked at [HW].
    """
    data = pick(lines, "data")
    distinct: dict[tuple[str, ...], dict[str, Any]] = {}
    for line in data if isinstance(data, list) else [data]:
        if isinstance(line, dict) and "LineNumber" in line:
            distinct.setdefault(tuple(text_of(line.get(name)) for name in ("SIPAddress", "UserID", "Label")), line)
    entries = list(distinct.values())
    if len(entries) == 1 and _placeholder(entries[0], model):
        return (Account(1, False),)
    return tuple(Account(number, True, None, _user(entry)) for number, entry in enumerate(entries, 1))


def _placeholder(line: Mapping[str, Any], model: str) -> bool:
    bare = re.sub(r"\s", "", text_of(line.get("SIPAddress"))).lower()
    named = re.sub(r"\s", "", model).lower()
    return text_of(line.get("RegistrationStatus")).lower() != "registered" and bool(named) and re.sub("^poly(com)?", "", bare) == named


def _user(line: Mapping[str, Any]) -> str:
    address = printable(text_of(line.get("SIPAddress")) or text_of(line.get("UserID")), 160)
    return re.sub("^sips?:", "", address, flags=re.IGNORECASE).partition("@")[0][:80]


def calls_of(answer: Any) -> str | None:
    """callStatus -> "" (idle) or what is going on; None: not of a form we know. v2 lists the calls [HW], v1 shows one [3P]."""
    data = pick(answer, "data")
    calls = data if isinstance(data, list) else [data] if isinstance(data, dict) and data else []
    if not isinstance(data, (list, dict)) or not all(isinstance(call, dict) for call in calls):
        return None
    states = sorted({printable(text_of(call.get("CallState")), 20).lower() or "up" for call in calls})
    return ", ".join(f"a call is {state}" for state in states)


def provisioning_of(network: Any) -> dict[str, Any]:
    """network/info -> Reading.provisioning.

    A server address that is set owns the phone, Poly Lens included: it holds whole configurations. ZTPStatus and the DHCP option alone do not:
    both are on from the factory and tell where the phone would ask, not that somebody answers. ``protected`` is never said: that a value
    set here outlives the server's files is inferred only.
    """
    return owner(text_of(pick(network, "data.ProvServerAddress")), text_of(pick(network, "data.ProvServerType")).strip(),
                 factory=r"ztp\w*\.poly(?:com)?\.com")                          # [R]
