# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A site's ports as a map: one cell for each port of the range, who owns it by the plan, and who really is on it. Pure, in linear time.

On a port is who says so or is seen there. Two phones on one port clash where their packets come from one address (one router); where the PBX is
on the phones' own network each has its own address, and nobody is in the other's way. A registration that was left behind is on no port.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ansible_collections.evenport.sip.plugins.plugin_utils.report.page_words import number_of, verdict_sign, verdict_tone, verdict_words

WHOLE = 2000            # ports; of a larger range only those that somebody has are drawn
ROOMY = 200             # up to so many ports a cell has room for the phone's name
ROW = {True: 10, False: 25}     # cells in a row: with room for names, without
NAMED = 6               # told one by one in a cell
_WORST = ("error", "warning", "unseen", "info", "ok")


class Guest(NamedTuple):
    """Somebody on a port that the plan doesn't give to them."""

    who: str            # "kitchen line 1", "a second device of kitchen line 1"
    phone: str
    row: str
    address: str        # where its packets come from, "" unknown
    planned: int        # its own port, 0 none
    tone: str


@dataclass(frozen=True)
class Cell:
    port: int
    tone: str                   # a tone of page_words, or clash, reserved, retired, free
    sign: str
    label: str                  # the phone, or a word; "" for a free port
    details: tuple[str, ...]    # sentences
    row: str                    # the anchor of the line that it is about, "" none


@dataclass(frozen=True)
class PortMap:
    roomy: bool
    rows: list[list[Cell]] = field(default_factory=list)
    outside: list[Cell] = field(default_factory=list)           # ports that are planned, or clash, but don't belong to the range
    left_out: int = 0                                           # free ports that are not drawn
    used: int = 0                                               # ports of the range that the plan gives to a line
    ports: int = 0                                              # ports of the range


def port_map(site: Mapping[str, Any], anchors: Sequence[str]) -> PortMap:
    """*anchors*: the place on the page of each of the site's lines, in their order."""
    owners, guests = _people(site["lines"], anchors)
    reserved, retired = set(site["reserved"]), set(site["retired"])
    grid = range(site["range"]["first"], site["range"]["last"] + 1, site["range"]["step"])

    def cell(port: int) -> Cell:
        return _cell(port, owners.get(port, ()), guests.get(port, ()), port in reserved, port in retired)

    drawn = [port for port in grid if len(grid) <= WHOLE or port in owners or port in guests or port in reserved or port in retired]
    roomy = len(drawn) <= ROOMY
    cells = [cell(port) for port in drawn]
    elsewhere = [cell(port) for port in sorted({*owners, *guests}) if port not in grid]
    return PortMap(
        roomy, [cells[n:n + ROW[roomy]] for n in range(0, len(cells), ROW[roomy])],
        [one for one in elsewhere if one.port in owners or one.tone == "clash"],
        len(grid) - len(drawn), sum(port in grid for port in owners), len(grid))


def _people(lines: Iterable[Mapping[str, Any]], anchors: Sequence[str]) -> tuple[dict[int, list[tuple[Mapping[str, Any], str]]], dict[int, list[Guest]]]:
    """Each port's owners by the plan (line, anchor), and its guests."""
    owners: dict[int, list[tuple[Mapping[str, Any], str]]] = defaultdict(list)
    guests: dict[int, list[Guest]] = defaultdict(list)
    for line, row in zip(lines, anchors, strict=True):
        who = name_of(line)
        if line["planned"]:
            owners[line["planned"]].append((line, row))
        tone = verdict_tone(line["verdict"], line["severity"])
        for port in _ports(line) - {line["planned"]}:
            guests[port].append(Guest(who, line["phone"], row, line["seen_address"], line["planned"], tone))
        for contact in line["contacts"]:
            if contact["kind"] == "unmanaged":
                for port in _ports(contact):
                    guests[port].append(Guest(f"a second device of {who}", f"{who}\0", row, contact["seen_address"], 0, "info"))
    return owners, guests


def name_of(line: Mapping[str, Any]) -> str:
    return f"{line['phone']} line {line['line']}"


def _ports(one: Mapping[str, Any]) -> set[int]:
    return {one["claimed"], one["seen"]} - {0}


def _cell(port: int, owners: Sequence[tuple[Mapping[str, Any], str]], guests: Sequence[Guest], reserved: bool, retired: bool) -> Cell:
    details = [_of_owner(line) for line, dummy in owners[:NAMED]] + [_of_guest(guest) for guest in guests[:NAMED]]
    more = max(0, len(owners) - NAMED) + max(0, len(guests) - NAMED)
    details += [f"and {number_of(more, 'other')}"] * bool(more) + ["reserved"] * reserved + ["retired: free again once it is released"] * retired
    rows = [row for dummy, row in owners] + [guest.row for guest in guests]
    phones = dict.fromkeys([line["phone"] for line, dummy in owners] + [guest.phone for guest in guests])
    label = (owners[0][0]["phone"] if owners else guests[0].who) if len(phones) == 1 else f"{len(phones)} phones"
    if len(owners) > 1 or _meet(port, owners, guests):
        return Cell(port, "clash", "shared", label, tuple(details), rows[0])
    if owners:
        line, row = owners[0]
        tone = verdict_tone(line["verdict"], line["severity"])
        sign = tone if line["verdict"] == "duplicate" else verdict_sign(line["verdict"], tone)     # it shares another port, not this one
        return Cell(port, tone, sign, line["phone"], tuple(details), row)
    if guests:
        tone = min((guest.tone for guest in guests), key=_WORST.index)
        return Cell(port, tone, "guest", label, tuple(details), rows[0])
    kind = "reserved" if reserved else "retired" if retired else "free"
    return Cell(port, kind, kind, "" if kind == "free" else kind, tuple(details), "")


def _meet(port: int, owners: Sequence[tuple[Mapping[str, Any], str]], guests: Sequence[Guest]) -> bool:
    """Whether two phones are on the port at one address, or at one that isn't known: then the port's owner may be in a guest's way any time."""
    there = [(line["phone"], line["seen_address"] if port in _ports(line) else "") for line, dummy in owners]
    there += [(guest.phone, guest.address) for guest in guests]
    if len({phone for phone, dummy in there}) < 2:
        return False
    at: dict[str, set[str]] = defaultdict(set)
    for phone, address in there:
        at[address].add(phone)
    nowhere = at.pop("", set())
    return any(len(phones | nowhere) > 1 for phones in at.values()) or len(nowhere) > 1


def _of_owner(line: Mapping[str, Any]) -> str:
    ports = ", ".join(f"{word} {line[word]}" for word in ("set", "claimed", "seen") if line[word] and line[word] != line["planned"])
    extension = f", extension {line['extension']}" if line["extension"] else ""
    return f"{name_of(line)}{extension}: {verdict_words(line['verdict']).lower()}{f' ({ports})' if ports else ''}"


def _of_guest(guest: Guest) -> str:
    planned = f", planned {guest.planned}" if guest.planned else ", which has no port in the plan"
    return f"{guest.who} is here{planned}"
