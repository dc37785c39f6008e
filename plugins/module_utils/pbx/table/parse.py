# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A status table that a person pasted or exported -> registrations. Pure.

What a PBX's port column means is unknown [U] where nobody says: the phone's own port, or the one that its packets come from. So it is taken
for where the PBX sends to (seen), nothing is taken for claimed, and seen_is_source stays False. ``claimed_port`` in the columns says which
column is the phone's own. Extensions are texts: "4540r", a second registration of the person of 4540, is an extension like any other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address

from ansible_collections.evenport.sip.plugins.module_utils.errors import PlanError
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import whole
from ansible_collections.evenport.sip.plugins.module_utils.model import Registration
from ansible_collections.evenport.sip.plugins.module_utils.pbx.table.cells import Grid, tables_in
from ansible_collections.evenport.sip.plugins.module_utils.pbx.table.layout import Layout, Unclear, check_columns, layout_of
from ansible_collections.evenport.sip.plugins.module_utils.pbx.table.words import folded, state_of

_TRANSPORTS = ("udp", "tcp", "tls", "ws", "wss")
_TECHNOLOGY = re.compile(r"(?i)^(?:SIP|PJSIP|IAX2?)/")
_IN_BRACKETS = re.compile(r"<(?:sips?:)?([^<>\s@:]+)[^<>]*>")
_TOKEN = re.compile(r"[\w.+*#-]+")
_PLACE = re.compile(r"(?:(sips?):)?(?:[^@\s]*@)?(\[[^\[\]\s]+\]|[^\s:;,()<>\[\]/@]+)(?=$|[\s:;,()<>/])(?:\s?:\s?([0-9]{1,5}))?(?![0-9:])(.*)")
_PORT = re.compile(r"([0-9]{1,5})(?:[\s/(]+([A-Za-z]{2,3})\)?)?")
_TRANSPORT = re.compile(r"(?i)transport=([a-z]+)")


@dataclass(frozen=True)
class StatusTable:
    """``extensions``: all that the table lists. ``complete``: it lists some that are not registered, so it is no list of the registered alone."""

    extensions: tuple[str, ...]
    registrations: tuple[Registration, ...]

    @property
    def complete(self) -> bool:
        return len({one.extension for one in self.registrations}) < len(self.extensions)


@dataclass(frozen=True)
class Place:
    """An address cell: a host, a port (0: none), a transport ("": not said)."""

    host: str = ""
    port: int = 0
    transport: str = ""


def parse_table(data: bytes, columns: Mapping[str, str] | None = None, where: str = "The status table") -> StatusTable:
    """*columns*: meaning -> heading or number from 1; what is left out is recognised.  :raises PlanError: it can't be read, or not without doubt"""
    columns = columns or {}
    check_columns(columns)
    choices: list[tuple[Layout, list[Grid]]] = []
    doubts: list[Unclear] = []
    for grids in tables_in(data, where):
        laid_out: list[tuple[Layout, Grid]] = []
        for grid in filter(None, grids):
            try:
                laid_out.append((layout_of(grid, columns), grid))
            except Unclear as unclear:
                doubts.append(unclear)
        best = max((len(layout.columns) for layout, dummy in laid_out), default=0)
        kinds: dict[tuple[str, ...], tuple[Layout, list[Grid]]] = {}
        for layout, grid in laid_out:
            if len(layout.columns) == best:
                kinds.setdefault(tuple(map(folded, layout.headings)), (layout, []))[1].append(grid[layout.heading + 1:])
        if len(kinds) > 1:
            names = " and ".join(f"({', '.join(layout.headings)})"[:200] for layout, dummy in kinds.values())
            doubts.append(Unclear(f"there are several tables that could be meant: {names}.", best + 1))
        else:
            choices += kinds.values()
    layout, grids = max(choices, key=_fits, default=(None, []))
    doubt = max(doubts, key=lambda one: one.known, default=Unclear("there is no table in it."))
    if layout is None or doubt.known > len(layout.columns):
        raise PlanError(f"{where}: {doubt.what}", "Say which column is what, by heading or by number from 1: "
                        "sip_pbx_columns: {extension: ..., address: ..., port: ...}.")
    return _records([row for grid in grids for row in grid], layout, where)


def _fits(choice: tuple[Layout, list[Grid]]) -> tuple[int, int]:
    """How well a way to see the table fits: known columns, then rows that have them all."""
    layout, grids = choice
    last = max(layout.columns.values())
    return len(layout.columns), sum(len(row) > last for grid in grids for row in grid)


def _records(rows: Grid, layout: Layout, where: str) -> StatusTable:
    titles = tuple(map(folded, layout.headings))
    extensions: dict[str, None] = {}
    registrations: dict[Registration, None] = {}
    ports = [row[layout.columns["port"]] for row in rows if layout.columns.get("port", len(row)) < len(row)]
    if any(map(folded, ports)) and not any(place_of(cell).port or _port(cell)[0] is not None or state_of(cell) for cell in ports):
        raise PlanError(f"{where}: the column {layout.name('port')} holds no ports.", "Say which one does: sip_pbx_columns: {port: ...}.")
    for row in rows:
        if tuple(map(folded, row)) == titles:               # printed again on the next page
            continue
        cells = {meaning: row[column] if column < len(row) else "" for meaning, column in layout.columns.items()}
        extension = extension_of(cells["extension"], alone=sum(map(bool, row)) < 2)
        if extension:
            extensions[extension] = None
            registration = _registration(extension, cells, layout, where)
            if registration:
                registrations[registration] = None
    if not extensions:
        raise PlanError(f"{where}: the column {layout.name('extension')} holds no extensions.", "Say which one does: sip_pbx_columns: {extension: ...}.")
    return StatusTable(tuple(extensions), tuple(registrations))


def extension_of(text: str, alone: bool = False) -> str:
    """"SIP/101", "101/101", "101@192.0.2.1", "Anna <101>", "101 Anna" -> "101"; "" for what names no extension.

    *alone*: it is all that its row has, so that it may be a remark ("12 peers").
    """
    text = _TECHNOLOGY.sub("", text.strip())
    inside = _IN_BRACKETS.search(text)
    if inside:
        text = inside[1]
    else:
        before, dummy, after = text.removeprefix("sip:").partition("@")[0].partition("/")[0].partition("(")
        text = before if _has_digit(before) or not _has_digit(after) else after.rstrip(") ")
    words = _TOKEN.findall(text)
    numbers = list(filter(_has_digit, words))
    if len(words) == 1 and text.strip() == words[0] and len(words[0]) <= 80 and (numbers or not alone) and words[0].strip("-.*#"):
        return words[0]
    return numbers[0] if len(numbers) == 1 and not alone and len(numbers[0]) <= 80 else ""


def _has_digit(text: str) -> bool:
    return any(char.isdigit() for char in text)


def place_of(text: str) -> Place:
    """"203.0.113.1", "203.0.113.1:5062", "[2001:db8::1]:5062", "sip:101@phone.example.com:5062;transport=tcp" -> Place; empty for anything else."""
    text = text.strip().strip("<>")
    try:
        return Place("" if ip_address(text).is_unspecified else text)
    except ValueError:
        match = _PLACE.fullmatch(text)
    if not match:
        return Place()
    host = match[2].strip("[]")
    try:
        if ip_address(host).is_unspecified:
            return Place()
    except ValueError:
        if not re.fullmatch(r"(?=.*[A-Za-z])[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+", host):
            return Place()
    told = _TRANSPORT.search(match[4])
    transport = told[1].lower() if told else "tls" if match[1] == "sips" else ""
    return Place(host, whole(match[3] or "") or 0, transport if transport in _TRANSPORTS else "")


def _port(text: str) -> tuple[int | None, str]:
    """"5062", "5062/udp" -> (port, transport); None: no port stands there."""
    match = _PORT.fullmatch(text.strip())
    number = whole(match[1]) if match else None
    transport = (match[2] or "").lower() if match else ""
    return number, transport if transport in _TRANSPORTS else ""


def _registration(extension: str, cells: Mapping[str, str], layout: Layout, where: str) -> Registration | None:
    """None: this extension is not registered."""
    place = place_of(cells.get("address", ""))
    beside = place_of(cells.get("port", ""))                # a column given as the port may hold address and port
    own, transport = _port(cells.get("port", ""))
    told = own if own is not None else beside.port or None
    if told and place.port and told != place.port and "port" not in layout.given:
        raise PlanError(
            f"{where}: the columns {layout.name('address')} and {layout.name('port')} hold two different ports ({place.port} and {told} for {extension}).",
            "Say which is the one that the phone claims, and which the other: sip_pbx_columns: {claimed_port: ..., port: ...}.")
    port = told if told is not None else place.port
    claim = place_of(cells.get("claimed_port", ""))
    claimed = claim.port or _port(cells.get("claimed_port", ""))[0] or 0
    if not _is_registered(cells, bool(place.host or port or claim.host or claimed) and told != 0, where):
        return None
    return Registration(
        extension, claimed_address=claim.host, claimed_port=claimed,
        seen_address=place.host or beside.host, seen_port=port,
        transport=place.transport or beside.transport or transport or _transport(cells.get("transport", "")),
        user_agent=cells.get("user_agent", "")[:200], status="unreachable" if state_of(cells.get("status", "")) == "unreachable" else "registered")


def _is_registered(cells: Mapping[str, str], somewhere: bool, where: str) -> bool:
    """The status decides, where it says something; otherwise that the phone is *somewhere*: an address or a port, and that port is not 0."""
    says = state_of(cells.get("status", ""))
    if says in ("yes", "unreachable", "no"):
        return says != "no"
    if {"address", "port", "claimed_port"} & set(cells):
        return somewhere
    if says == "" and folded(cells["status"]):
        raise PlanError(f"{where}: it is not known whether {cells['status'][:60]!r} (extension {cells['extension'][:60]!r}) means registered.",
                        "Write it as Registered or Unregistered in the file, and please report this.")
    return False


def _transport(text: str) -> str:
    words = folded(text).split()
    return next((one for one in _TRANSPORTS if one in words), "udp")
