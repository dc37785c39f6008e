# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which column of a table means what: as a person says, by the headings, by what is in it. Where two could be meant, a person is asked. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from ansible_collections.evenport.sip.plugins.module_utils.errors import PlanError
from ansible_collections.evenport.sip.plugins.module_utils.pbx.table.cells import Grid
from ansible_collections.evenport.sip.plugins.module_utils.pbx.table.words import HEADINGS, folded

MEANINGS = ("extension", "address", "port", "user_agent", "status", "claimed_port")       # what sip_pbx_columns can say
_TOP = 30                               # rows among which the heading is looked for
_MUST_BE_ONE = ("extension", "address", "port", "status")
_EXTENSION = re.compile(r"[0-9]{2,8}[A-Za-z]?")
_SHOWN = 12                             # headings, or values, that a message shows


@dataclass(frozen=True)
class Layout:
    """``columns``: meaning -> column from 0. ``heading``: the row of headings, -1 where there is none. ``given``: the meanings that a person gave."""

    headings: tuple[str, ...]
    heading: int
    columns: Mapping[str, int]
    given: frozenset[str]

    def name(self, meaning: str) -> str:
        """The column as a person finds it."""
        column = self.columns[meaning]
        return repr(self.headings[column]) if column < len(self.headings) and self.headings[column] else f"number {column + 1}"


class Unclear(Exception):
    """Nobody can say what this table's columns mean. ``known``: how many of them could be told."""

    def __init__(self, what: str, known: int = 0) -> None:
        super().__init__(what)
        self.what, self.known = what, known


def check_columns(columns: Mapping[str, str]) -> None:
    """:raises PlanError: sip_pbx_columns says something that can't be"""
    unknown = [key for key in columns if key not in MEANINGS]
    if unknown:
        raise PlanError(f"sip_pbx_columns: {unknown[0]!r} is no meaning of a column.", f"Possible: {', '.join(MEANINGS)}.")


def layout_of(grid: Grid, columns: Mapping[str, str]) -> Layout:
    """*columns*: meaning -> heading, or number from 1, as a person gave them.  :raises Unclear: see there"""
    width = max(map(len, grid), default=0)
    texts = {meaning: folded(value) for meaning, value in columns.items() if not _number(value)}
    heading = _heading_row(grid, texts)
    headings = tuple(grid[heading]) if heading >= 0 else ()
    found = {meaning: _number(value) - 1 for meaning, value in columns.items() if _number(value)}
    if any(column >= width for column in found.values()):
        raise Unclear(f"sip_pbx_columns names a column {max(found.values()) + 1}, but there are {width}. {_list(headings, grid)}")
    for meaning, text in texts.items():
        places = [place for place, one in enumerate(headings) if folded(one) == text]
        if len(places) != 1:
            how = "is no heading" if not places else "is the heading of several columns: give its number instead"
            raise Unclear(f"sip_pbx_columns: {columns[meaning]!r} {how}. {_list(headings, grid)}", len(found))
        found[meaning] = places[0]
    _told_apart(found)
    _by_headings(found, headings, grid)
    body = grid[heading + 1:]
    if "address" not in found:
        _by_content(found, "address", [column for column in _free(found, width) if _all(body, column, _is_place)])
    if "extension" not in found and heading < 0:
        _by_content(found, "extension", [column for column in _free(found, width) if _all(body, column, _EXTENSION.fullmatch)])
    if "extension" not in found:
        raise Unclear(f"no column is recognised as the extension. {_list(headings, grid)}", len(found))
    if not {"address", "port", "status", "claimed_port"} & set(found):
        raise Unclear(f"no column is recognised as address, port or status. {_list(headings, grid)}", len(found))
    return Layout(headings, heading, found, frozenset(columns))


def _heading_row(grid: Grid, texts: Mapping[str, str]) -> int:
    """The row, near the top, in which most columns say what they are; with the headings that a person gave, if any. -1: there is none."""
    best, most = -1, 1
    for number, row in enumerate(grid[:_TOP]):
        words = {folded(cell) for cell in row}
        known = sum(any(words & some for some in both) for both in HEADINGS.values()) + sum(text in words for text in texts.values())
        if known > most and not any(map(_is_place, row)):
            best, most = number, known
    if best < 0 and grid and len(grid[0]) > 1 and not any(char.isdigit() for cell in grid[0] for char in cell):
        return 0                                # no word of it is known, but it is no phone's row either
    return best


def _told_apart(found: Mapping[str, int]) -> None:
    """One column can be address and port at once (203.0.113.1:5062), and no other two."""
    for one, column in found.items():
        for other, same in found.items():
            if one < other and column == same and {one, other} != {"address", "port"}:
                raise PlanError(f"sip_pbx_columns: {one} and {other} are the same column.", "Only address and port can be, where it holds both.")


def _by_headings(found: dict[str, int], headings: Sequence[str], grid: Grid) -> None:
    for meaning, both in HEADINGS.items():
        if meaning in found:
            continue
        for some in both:
            places = [place for place, heading in enumerate(headings) if folded(heading) in some and place not in found.values()]
            if len(places) > 1 and meaning in _MUST_BE_ONE:
                names = " and ".join(repr(headings[place]) for place in places)
                raise Unclear(f"{names} could both be the {meaning}. {_list(headings, grid)}", len(found) + 1)
            if len(places) == 1:
                found[meaning] = places[0]
            if places:
                break


def _by_content(found: dict[str, int], meaning: str, candidates: Sequence[int]) -> None:
    if len(candidates) == 1:
        found[meaning] = candidates[0]


def _free(found: Mapping[str, int], width: int) -> list[int]:
    return [column for column in range(width) if column not in found.values()]


def _all(rows: Grid, column: int, is_such: object) -> bool:
    """Whether all that stands in this column is such, and something does. A dash is nothing."""
    cells = [row[column] for row in rows if column < len(row) and row[column].strip("- ")]
    return bool(cells) and all(map(is_such, cells))      # type: ignore[arg-type]


def _is_place(text: str) -> bool:
    """An IP address, with or without a port. A host name could be anything."""
    host, colon, port = text.strip().rpartition(":")
    for one in (text.strip(), host if colon and port.isdigit() else ""):
        try:
            ip_address(one.strip("[]"))
        except ValueError:
            continue
        return True
    return False


def _number(value: str) -> int:
    """A column's number from 1; 0: it is a heading."""
    return int(value) if value.isascii() and value.isdigit() and len(value) < 5 else 0


def _list(headings: Sequence[str], grid: Grid) -> str:
    """What is there, so that a person can say what is what."""
    row = headings or (grid[0] if grid else ())
    shown = ", ".join(f"{number} {text[:40]!r}" for number, text in enumerate(row[:_SHOWN], 1)) + (", ..." if len(row) > _SHOWN else "")
    return f"{'Headings' if headings else 'No headings; the first row'}: {shown or 'nothing'}."
