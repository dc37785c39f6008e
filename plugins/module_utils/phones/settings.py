# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The vocabulary: what can be set on a phone, in words that no brand owns.

One shape is used everywhere a user looks (results, before/after, diffs, option ``restore``)::

    {"random_port": False, "keep_alive_interval": 20,
     "lines": [{"line": 1, "local_port": 5060, "nat_traversal": "keep_alive", "rport": True}]}

Drivers and the work between use the flat form, ``{Place("local_port", 1): 5060, Place("random_port"): False}``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from ansible_collections.evenport.sip.plugins.module_utils.errors import EvenportError

Value: TypeAlias = "bool | int | str | None"


@dataclass(frozen=True)
class Setting:
    """One word of the vocabulary. ``option`` is its name as an option of M(evenport.sip.phone)."""

    name: str
    kind: str                       # bool, int or str
    per_line: bool
    option: str
    choices: tuple[str, ...] = ()
    low: int = 0
    high: int = 0
    essential: bool = False         # a phone without it can't be driven; others are skipped and named in the result


SETTINGS = {
    one.name: one for one in (
        Setting("random_port", "bool", False, "random_port"),
        Setting("keep_alive_interval", "int", False, "keep_alive_interval", low=1, high=3600),
        Setting("local_port", "int", True, "ports", low=1, high=65535, essential=True),
        Setting("nat_traversal", "str", True, "nat_traversal", choices=("none", "stun", "keep_alive", "upnp", "auto", "vpn")),
        Setting("rport", "bool", True, "rport"),
    )
}


class Place(NamedTuple):
    """Where a value lives: a setting, and the line (from 1) where it is one per line; 0 = the whole phone."""

    setting: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.setting} of line {self.line}" if self.line else self.setting


Flat = dict[Place, Value]


def flatten(settings: Mapping[str, Any]) -> Flat:
    """The user's shape -> the flat form, checked.

    :raises EvenportError: an unknown word, a wrong type, a value outside its range, a line twice
    """
    flat: Flat = {}
    for name, value in settings.items():
        if name != "lines":
            flat[_place(name, 0)] = checked(_place(name, 0), value)
    for entry in _lines(settings.get("lines")):
        line = entry["line"]
        for name, value in entry.items():
            if name != "line":
                place = _place(name, line)
                if place in flat:
                    raise EvenportError(f"Line {line} is given twice.")
                flat[place] = checked(place, value)
    return flat


def unflatten(flat: Mapping[Place, Value]) -> dict[str, Any]:
    """The flat form -> the user's shape: words in the vocabulary's order, lines ascending, nothing that isn't there."""
    settings: dict[str, Any] = {name: flat[Place(name)] for name in SETTINGS if Place(name) in flat}
    lines = sorted({place.line for place in flat if place.line})
    if lines:
        settings["lines"] = [{"line": line, **{name: flat[Place(name, line)] for name in SETTINGS if Place(name, line) in flat}} for line in lines]
    return settings


def checked(place: Place, value: Any) -> Value:
    """*value* in the type of its setting (Ansible hands over "5060" and "true" now and then), or EvenportError. None stays: "was empty"."""
    setting = SETTINGS[place.setting]
    if value is None:
        return None
    if setting.kind == "bool":
        as_bool = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}.get(str(value).lower())
        if as_bool is None:
            raise EvenportError(f"{place} is true or false, not {value!r}.")
        return as_bool
    if setting.kind == "int":
        number = _integer(value)
        if number is None or not setting.low <= number <= setting.high:
            raise EvenportError(f"{place} is a whole number from {setting.low} to {setting.high}, not {value!r}.")
        return number
    if value not in setting.choices:
        raise EvenportError(f"{place} is one of {', '.join(setting.choices)}, not {value!r}.")
    return str(value)


def _place(name: Any, line: int) -> Place:
    if name not in SETTINGS or SETTINGS[name].per_line != bool(line):
        where = "a line" if line else "the phone"
        raise EvenportError(f"{name!r} is no setting of {where}.", "Known: " + ", ".join(n for n, s in SETTINGS.items() if s.per_line == bool(line)) + ".")
    return Place(name, line)


def _lines(lines: Any) -> Iterable[Mapping[str, Any]]:
    if lines is None:
        return ()
    if isinstance(lines, (str, Mapping)) or not isinstance(lines, Iterable):
        raise EvenportError("lines is a list of dictionaries, one per line.")
    checked_lines = []
    for entry in lines:
        number = _integer(entry.get("line")) if isinstance(entry, Mapping) else None
        if number is None or not 1 <= number <= 64:
            raise EvenportError("Each entry of lines is a dictionary with its line number (from 1) in line.")
        checked_lines.append({**entry, "line": number})
    return checked_lines


def _integer(value: Any) -> int | None:
    """*value* as an int: an int, or a str of ASCII digits. True is no number here, and 5060.5 no port."""
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    text = str(value) if isinstance(value, str) else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
