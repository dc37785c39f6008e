# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person has to tick in a PBX's own pages, as a CSV for a spreadsheet and as a page for print. Pure; the same rows give the same text."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.model import Line
from ansible_collections.evenport.sip.plugins.module_utils.pbx.products import Product

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")        # the last four: their full-width sisters
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
td.number, td.tick {{ text-align: right }}
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
    """One line of a phone whose NAT option a person has to set. ``port``: 0 where it has none of its own. ``shown``: on, off, "" (it doesn't say)."""

    site: str
    phone: str
    line: int
    extension: str
    port: int = 0
    shown: str = ""


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


def csv_of(rows: Sequence[Row], product: Product) -> str:
    """RFC 4180, with the mark by which a spreadsheet knows UTF-8. A text that a spreadsheet would run as a formula gets an apostrophe."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(map(_harmless, ["site", "phone", "line", "extension", "planned port", f"to be on: {product.by_hand}", "the PBX shows", "done"]))
    for row in rows:
        names = map(_harmless, (row.site, row.phone))
        writer.writerow([*names, row.line or "", _harmless(row.extension), row.port or "", "on", _harmless(row.shown), ""])
    return "\ufeff" + text.getvalue()


def html_of(rows: Sequence[Row], pbx: str, product: Product) -> str:
    """One page that needs nothing but itself, with a box to tick for each row, on paper or in the browser (which keeps no tick)."""
    headings = ("done", "site", "phone", "line", "extension", "planned port", "NAT option", "the PBX shows")
    advice = (f"Switch the option on for each of these {len(rows)} line(s), in the PBX's own pages: <b>{escape(product.by_hand)}</b>."
              f" No program can do it for this kind of PBX ({escape(product.label)}).")
    return _PAGE.format(
        title=f"{escape(_plain(pbx))}: NAT option", advice=advice, headings="".join(f"<th>{one}</th>" for one in headings),
        rows="\n".join(map(_html_row, rows)))


def file_name(pbx: str) -> str:
    """The PBX's name as the start of a file's name. One that can't be is changed, and stays different from any other."""
    safe = re.sub(r"[^A-Za-z0-9_.-]", "_", pbx).lstrip(".-")[:100]
    return safe if safe and safe == pbx else f"{safe or 'pbx'}-{hashlib.sha256(pbx.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def _html_row(row: Row) -> str:
    box = f'<td class="tick"><input type="checkbox" aria-label="{escape(_plain(row.extension))} done"></td>'
    cells = ((row.site, ""), (row.phone, ""), (row.line or "", "number"), (row.extension, ""), (row.port or "", "number"), ("on", ""), (row.shown, ""))
    return f"<tr>{box}{''.join(_html_cell(value, kind) for value, kind in cells)}</tr>"


def _html_cell(value: Any, kind: str) -> str:
    return f"<td{f' class={kind!r}' if kind else ''}>{escape(_plain(str(value)))}</td>"


def _plain(text: str) -> str:
    """No control characters: they are nothing that a person could read, and some make a file that is no text."""
    return "".join(char if char.isprintable() else "?" for char in text)


def _harmless(text: str) -> str:
    return "'" + _plain(text) if text.lstrip(" ").startswith(_FORMULA) else _plain(text)
