# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file that a person saved or pasted -> the tables in it, as rows of cells. What the cells mean is not known here. Pure.

A text can be cut in several ways (tabs, semicolons, commas, columns with blanks between): all that give a table are given, and who knows
what the cells mean chooses. Every way is linear in the text's length.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import BadAnswer, PlanError
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import Answer, printable, whole
from ansible_collections.evenport.sip.plugins.module_utils.http.forms import charset_of, parse_page

try:
    from lxml import etree
except ImportError:                             # pragma: no cover - ansible-test imports without third-party libraries
    etree = None

Grid = list[list[str]]                  # rows of cells; rows may differ in length

SIZE = 16 * 1024 * 1024                 # bytes of a file
ROWS, COLUMNS, CELL = 20000, 100, 500   # rows of all its tables, cells of a row, characters of a cell
_SEPARATORS = ("\t", ";", ",")
_OFFICE = {b"PK\x03\x04": "an Excel or OpenDocument file", b"\xd0\xcf\x11\xe0": "an old Excel file", b"%PDF": "a PDF", b"\x89PNG": "a picture",
           b"\xff\xd8\xff": "a picture"}
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_TITLES = 5                             # lines above the headings
_GAP = re.compile(r" {2,}")
_PAGE = re.compile(r"(?i)</?(?:html|body)\b[^<>]{0,500}>")     # several pages in one file are read as one
_HTML = re.compile(r"(?i)<(?:table|tr|html|body|!doctype html)[\s>]")
_RULE = re.compile(r"[\s\-=+|_]*")
_UNSEEN = ("script", "style", "noscript", "template", "option")
_APART = ("br", "p", "div", "li", "hr")


def tables_in(data: bytes, where: str) -> list[list[Grid]]:
    """Every way to see tables in the file: the tables that it gives, rows with nothing in them left out.

    :arg where: how messages call the file
    :raises PlanError: it is too large, or no text
    """
    if len(data) > SIZE:
        raise PlanError(f"{where} is larger than {SIZE // 1024 // 1024} MB.", "Save the status table alone.")
    for magic, what in _OFFICE.items():
        if data.startswith(magic):
            raise PlanError(f"{where} is {what}, which can't be read.", "Save the table as CSV, or copy it from the browser and paste it into a text file.")
    text = _text(data)
    ways = [_html(text, where)] if _HTML.search(text) else [[grid] for grid in _plain(text, where)]
    return [[[row for row in grid if any(row)] for grid in grids] for grids in ways]


def _text(data: bytes) -> str:
    """UTF-8, UTF-16 (Excel's "Unicode text"), or what Windows writes. A page that names its character set is read as it says."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            text = data[len(mark):].decode(name, "replace")
            break
    else:
        halves = data[:2000]
        if halves.count(0) > len(halves) // 4:                              # UTF-16 without its mark: every other byte of Latin text is 0
            text = data.decode("utf-16-be" if halves[:1] == b"\0" else "utf-16-le", "replace")
        else:
            text = data.decode(charset_of(Answer("", 200, {}, data)), "replace")
    return text.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")


def _plain(text: str, where: str) -> Iterator[Grid]:
    if text.count("\n") > ROWS:
        raise PlanError(f"{where} has more than {ROWS} lines.", "Save the status table alone.")
    lines = [line for line in text.split("\n") if line.strip()]
    for separator in _SEPARATORS:
        if any(separator in line for line in lines) and all(line.count(separator) < COLUMNS for line in lines):
            yield _separated(lines, separator)
    if "\t" not in text and all(len(line) < COLUMNS * CELL for line in lines):
        yield from _columns(text)


def _separated(lines: list[str], separator: str) -> Grid:
    """As a spreadsheet reads it, quotes and all; where the quotes don't fit, a quote is a character like any other."""
    try:
        rows = list(csv.reader([line + "\n" for line in lines], delimiter=separator, strict=True))
    except csv.Error:
        rows = []
    if not rows or any(cell.count("\n") > 3 for row in rows for cell in row):
        rows = [[cell.strip().strip('"') for cell in line.split(separator)] for line in lines]
    return [[_cell(cell) for cell in row] for row in rows]


def _cell(text: str) -> str:
    """One line, no control characters. ="0101" is what some exports write so that a spreadsheet keeps it as a text."""
    return printable(text[2:-1] if text.startswith('="') and text.endswith('"') else text, CELL)


def _columns(text: str) -> Iterator[Grid]:
    """Lines of columns with two or more blanks between. A line without such a gap is a remark, one of dashes is a rule.

    Titles and sums above and below have gaps too, elsewhere: so each block between empty lines is tried as well as the whole, and without
    its first lines.
    """
    blocks = re.split(r"\n[ ]*(?:\n[ ]*)+", text)
    for block in [text, *(blocks if len(blocks) > 1 else ())]:
        rows = [line for line in block.split("\n") if _GAP.search(line.strip()) and not _RULE.fullmatch(line)]
        ink = [int("0" + "".join("0" if char == " " else "1" for char in reversed(line)), 2) for line in rows]
        for first in range(min(_TITLES, len(rows) - 1)):
            yield from _in_line(rows[first:], ink[first:])
        cut = [_GAP.split(line.strip()) for line in rows]
        if len(rows) > 1 and len({len(row) for row in cut}) == 1:
            yield [[_cell(cell) for cell in row] for row in cut]


def _in_line(rows: list[str], ink: list[int]) -> Iterator[Grid]:
    """Cut where all lines have two blanks or more, as a cell may be empty. *ink*: of each line, a bit for each character that is none."""
    anywhere = 0
    for one in ink:
        anywhere |= one
    places = [match.span() for match in re.finditer(r"1+(?:01+)*", f"{anywhere:b}"[::-1])]
    if 1 < len(places) <= COLUMNS:
        yield [[_cell(line[start:end]) for start, end in places] for line in rows]


def _html(text: str, where: str) -> list[Grid]:
    try:
        root, dummy = parse_page(Answer(where, 200, {"Content-Type": "text/html; charset=utf-8"}, f"<html>{_PAGE.sub('', text)}".encode("utf-8", "replace")))
    except BadAnswer as error:
        raise PlanError(f"{where} is a page that can't be read.", "Copy the table from the browser and paste it into a text file.") from error
    tables: list[Grid] = []
    open_tables: list[_Table] = []
    unseen = rows = 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        tag = element.tag if isinstance(element.tag, str) else ""
        here = open_tables[-1] if open_tables else None
        if event == "start":
            if tag in _UNSEEN:
                unseen += 1
            if tag == "table":
                here = _Table()
                open_tables.append(here)
            elif here and not unseen:
                rows += here.start(tag, element)
                if rows > ROWS:
                    raise PlanError(f"{where} has more than {ROWS} rows.", "Save the status table alone.")
            if here and not unseen:
                here.write(element.text)
            continue
        if tag in _UNSEEN:
            unseen -= 1
        if tag == "table":
            done = open_tables.pop().grid()
            here = open_tables[-1] if open_tables else None
            if here and len(done) == 1 and len(done[0]) == 1:
                here.write(done[0][0])              # a table around one cell is layout, not data
            else:
                tables.append(done)
        elif here and tag in ("td", "th"):
            here.cell_open = False
        if here and not unseen:
            here.write(element.tail)
    return tables


class _Table:
    """A table while its page is walked through. Texts of tables within its cells are not its own."""

    def __init__(self) -> None:
        self.rows: list[list[list[str]]] = []       # rows of cells of pieces of text
        self.cell_open = False
        self._spans: dict[int, tuple[int, list[str]]] = {}      # column -> (rows to come, cell) of cells that go down over several rows
        self._cell: list[str] = []

    def start(self, tag: str, element: Any) -> int:
        """A tag begins. Returns how many rows that made."""
        made = 0
        if tag == "tr" or (tag in ("td", "th") and not self.rows):
            self.rows.append([])
            self.cell_open = False
            made = 1
        if tag in ("td", "th"):
            self._add(_span(element, "colspan", COLUMNS), _span(element, "rowspan", ROWS))
        elif tag == "img":
            self.write(f" {element.get('alt') or element.get('title') or ''} ")
        elif tag in _APART:
            self.write(" ")
        return made

    def write(self, text: str | None) -> None:
        if text and self.cell_open and len(self._cell) < CELL:
            self._cell.append(text[:CELL])

    def grid(self) -> Grid:
        return [[printable("".join(cell), CELL) for cell in row] for row in self.rows]

    def _add(self, width: int, height: int) -> None:
        row = self.rows[-1]
        while self._spans.get(len(row), (0, []))[0] and len(row) < COLUMNS:
            left, above = self._spans[len(row)]
            self._spans[len(row)] = (left - 1, above)
            row.append(above)
        self.cell_open = len(row) < COLUMNS
        self._cell = []
        for place in range(min(width, COLUMNS - len(row))):     # the first has the text; the others keep the columns in line
            row.append(self._cell if place == 0 else [])
            self._spans[len(row) - 1] = (height - 1, row[-1])


def _span(element: Any, name: str, most: int) -> int:
    return whole(element.get(name) or "", 1, most) or 1
