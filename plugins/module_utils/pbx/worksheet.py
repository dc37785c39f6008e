# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person has to tick in a PBX's own pages, as a CSV for a spreadsheet and as a page for print. Pure; the same rows give the same text.

The CSV's column "done" is the person's own. It is read back from the old file, so the rest of that file has to be ours still.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import PlanError
from ansible_collections.evenport.sip.plugins.module_utils.model import Line
from ansible_collections.evenport.sip.plugins.module_utils.pbx.products import Product

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")        # the last four: their full-width sisters
_HEADING = ("site", "phone", "line", "extension", "planned port", "to be on: ", "the PBX shows", "done")        # the sixth goes on with where the option is
_NOT_DONE = ("", "-", "0", "n", "no", "false")          # what a person writes of a line that is still to be done; the last is what a box of a spreadsheet saves
_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
body {{ font: 11pt sans-serif; margin: 1.5em; color: #000; background: #fff }}
table {{ border-collapse: collapse }}
th, td {{ border: 1px solid #777; padding: .25em .6em; text-align: left }}
th {{ background: #eee }}
td.number {{ text-align: right }}
tr.done td {{ color: #666; background: #f4f4f4 }}
thead {{ display: table-header-group }}
tr {{ break-inside: avoid }}
@media print {{ body {{ margin: 0 }} th {{ background: none }} }}
</style>
</head>
<body>
<h1>{title}</h1>
<p>{advice}</p>
<table>
<thead><tr>{headings}</tr></thead>
<tbody>
{rows}
</tbody>
</table>
</body>
</html>
"""


@dataclass(frozen=True, order=True)
class Row:
    """One line of a phone whose NAT option a person has to set.

    ``port``: 0 where it has none of its own. ``shown``: on, off, "" (it doesn't say). ``done``: what a person has written of it.
    """

    site: str
    phone: str
    line: int
    extension: str
    port: int = 0
    shown: str = ""
    done: str = ""

    @property
    def is_done(self) -> bool:
        return self.done.strip().lower() not in _NOT_DONE

    @property
    def key(self) -> tuple[str, str, int, str]:
        """What it is known by in an old file. A spreadsheet takes 0101 for a number and saves 101."""
        return (self.site, self.phone, self.line, self.extension.lstrip("0") if self.phone else self.extension)


def rows_of(by_hand: Iterable[str], extensions: Iterable[Mapping[str, Any]], lines: Iterable[Line]) -> list[Row]:
    """By site, phone and line.

    :arg by_hand: the extensions
    :arg extensions: what the PBX says of them, see model.Extension
    :arg lines: those of all phones of this PBX. An extension that none of them has is a row without a phone.
    """
    wanted = dict.fromkeys(map(str, by_hand))
    shown = {str(one.get("extension", "")): {True: "on", False: "off"}.get(one.get("rewrite_contact"), "") for one in extensions}
    rows = [Row(line.site, line.phone, line.line, line.extension, line.port or 0, shown.get(line.extension, "")) for line in lines if line.extension in wanted]
    found = {row.extension for row in rows}
    return sorted([*rows, *(Row("", "", 0, name, 0, shown.get(name, "")) for name in wanted if name not in found)])


def merged(rows: Iterable[Row], old: Iterable[Row], others: Iterable[Line], unclear: Collection[str] = ()) -> list[Row]:
    """*rows* with the texts that the *old* ones have in "done", and the old rows of *others* as they are.

    :arg others: the lines that the inventory has for this sheet, also those of phones that this run doesn't look at (--limit)
    :arg unclear: phones whose lines nobody can tell, as their variables can't be resolved: what the sheet has of them stays
    """
    was = {row.key: row for row in old}
    found = {row.key: replace(row, done=was[row.key].done) if row.key in was else row for row in rows}
    for line in others:
        now = Row(line.site, line.phone, line.line, line.extension)
        if now.key in was:
            found.setdefault(now.key, replace(was[now.key], extension=line.extension))
    return sorted({**{key: row for key, row in was.items() if row.phone in unclear}, **found}.values())


def csv_of(rows: Sequence[Row], product: Product) -> str:
    """RFC 4180, with the mark by which a spreadsheet knows UTF-8. A text that a spreadsheet would run as a formula gets an apostrophe.

    What a person has written into "done" stays to the letter: a formula there is their own.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(_harmless(f"{one}{product.by_hand}" if one.endswith(": ") else one) for one in _HEADING)
    for row in rows:
        names = map(_harmless, (row.site, row.phone))
        writer.writerow([*names, row.line or "", _harmless(row.extension), row.port or "", "on", _harmless(row.shown), row.done])
    return "\ufeff" + text.getvalue()


def cells_of(path: str, data: bytes) -> list[list[str]]:
    """The cells of a worksheet that a person may have saved with a spreadsheet: with commas, semicolons or tabs, the heading first.

    :raises PlanError: it is none of ours, or nobody could tell what of it is a person's text
    """
    try:
        text = data.decode("utf-8-sig")
        mark = next((mark for mark in ",;\t" if text.startswith((f"site{mark}", f'"site"{mark}'))), "")
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)) if mark else []
    except UnicodeDecodeError:
        raise _not_ours(path, "it is not saved as UTF-8") from None
    except csv.Error as error:
        raise _not_ours(path, f"it is no CSV file: {error}") from None
    heading = rows[0] if rows else []
    while heading and not heading[-1]:
        heading = heading[:-1]
    same = [cell.startswith(one) if one.endswith(": ") else cell == one for cell, one in zip(heading, _HEADING)]         # noqa: B905 - lengths are compared
    if len(heading) != len(_HEADING) or not all(same):
        raise _not_ours(path, "its first row is not the heading that a worksheet has")
    cells = [[*row, *[""] * (len(_HEADING) - len(row))] for row in rows if any(row)]
    for row in cells:
        if any(row[len(_HEADING):]):
            raise _not_ours(path, f"the row of extension {_plain(row[3])} has more cells than the heading")
    return [row[:len(_HEADING)] for row in cells]


def rows_in(path: str, cells: Sequence[Sequence[str]]) -> list[Row]:
    """The rows of ``cells_of()``.  :raises PlanError: as there"""
    rows: dict[tuple[str, str, int, str], Row] = {}
    for cell in cells[1:]:
        (site, phone, line, extension, port), (shown, done) = cell[:5], cell[6:]
        if not re.fullmatch(r"[0-9]{0,9}", line) or not re.fullmatch(r"[0-9]{0,9}", port):
            raise _not_ours(path, f"the row of extension {_plain(extension)} has something else than numbers as line and planned port")
        row = Row(_as_it_was(site), _as_it_was(phone), int(line or 0), _as_it_was(extension), int(port or 0), _as_it_was(shown), done)
        if row.key in rows:
            raise _not_ours(path, f"it has extension {_plain(extension)} twice")
        rows[row.key] = row
    return list(rows.values())


def check_page(path: str, data: bytes) -> None:
    """:raises PlanError: what stands there is no page of ours"""
    if b": NAT option</title>" not in data[:2000]:
        raise _not_ours(path, "its title is another one")


def _not_ours(path: str, why: str) -> PlanError:
    return PlanError(f"{path} is no worksheet, or not one any more: {why}. It was left as it is.",
                     'Put right what is said here (only the column "done" is for your text), or move the file away; then run again.')


def html_of(rows: Sequence[Row], pbx: str, product: Product) -> str:
    """One page that needs nothing but itself, with a box to tick for each row, on paper or in the browser (which keeps no tick: the CSV does)."""
    headings = ("done", "site", "phone", "line", "extension", "planned port", "NAT option", "the PBX shows")
    done = sum(row.is_done for row in rows)
    advice = (f"Switch the option on for each of these {len(rows)} line(s){f', {done} of which are done' if done else ''}, in the PBX's own pages: "
              f"<b>{escape(product.by_hand)}</b>. No program can do it for this kind of PBX ({escape(product.label)}).")
    return _PAGE.format(
        title=f"{escape(_plain(pbx))}: NAT option", advice=advice, headings="".join(f"<th>{one}</th>" for one in headings),
        rows="\n".join(map(_html_row, rows)))


def file_name(pbx: str) -> str:
    """The PBX's name as the start of a file's name. One that can't be is changed, and stays different from any other."""
    safe = re.sub(r"[^A-Za-z0-9_.-]", "_", pbx).lstrip(".-")[:100]
    return safe if safe and safe == pbx else f"{safe or 'pbx'}-{hashlib.sha256(pbx.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def _html_row(row: Row) -> str:
    ticked = " checked" if row.is_done else ""
    note = f" {escape(_plain(' '.join(row.done.split())))}" if row.done.strip() else ""
    box = f'<td><input type="checkbox" aria-label="{escape(_plain(row.extension))} done"{ticked}>{note}</td>'
    cells = ((row.site, ""), (row.phone, ""), (row.line or "", "number"), (row.extension, ""), (row.port or "", "number"), ("on", ""), (row.shown, ""))
    start = '<tr class="done">' if row.is_done else "<tr>"
    return f"{start}{box}{''.join(_html_cell(value, kind) for value, kind in cells)}</tr>"


def _html_cell(value: Any, kind: str) -> str:
    return f"<td{f' class={kind!r}' if kind else ''}>{escape(_plain(str(value)))}</td>"


def _plain(text: str) -> str:
    """No control characters: they are nothing that a person could read, and some make a file that is no text."""
    return "".join(char if char.isprintable() else "?" for char in text)


def _harmless(text: str) -> str:
    return "'" + _plain(text) if text.lstrip(" ").startswith(_FORMULA) else _plain(text)


def _as_it_was(cell: str) -> str:
    """The text of which _harmless() made this cell."""
    return cell[1:] if cell.startswith("'") and _harmless(cell[1:]) == cell else cell
