# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's side of evenport.sip.pbx_worksheet. See the module for the documentation."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.evenport.sip.plugins.module_utils.agents import plain
from ansible_collections.evenport.sip.plugins.module_utils.errors import PlanError
from ansible_collections.evenport.sip.plugins.module_utils.model import Line
from ansible_collections.evenport.sip.plugins.module_utils.pbx.products import PRODUCTS, Product
from ansible_collections.evenport.sip.plugins.module_utils.pbx.worksheet import (
    Row,
    cells_of,
    check_page,
    csv_of,
    file_name,
    html_of,
    merged,
    rows_in,
    rows_of,
)
from ansible_collections.evenport.sip.plugins.module_utils.rollout.inventory import VARIABLES, SitePhone, sites_of
from ansible_collections.evenport.sip.plugins.plugin_utils.changes import Changes
from ansible_collections.evenport.sip.plugins.plugin_utils.hosts import variables_of

ARGUMENTS = {
    "scan": {"type": "dict", "required": True},
    "results": {"type": "list", "elements": "dict", "required": True},
    "directory": {"type": "path", "required": True},
}


@dataclass
class Sheet:
    """The two files of one site at one PBX. ``old``: the cells of the CSV that is there; None without one."""

    directory: str
    site: str
    pbx: str
    product: Product
    old: list[list[str]] | None = None
    old_rows: list[Row] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)

    @property
    def title(self) -> str:
        return f"{self.site}, {self.pbx}" if self.site else self.pbx

    def path(self, kind: str) -> str:
        return os.path.join(self.directory, f"{file_name(self.title.replace(', ', '-'))}-nat.{kind}")

    def read(self) -> None:
        """:raises OSError, PlanError: it can't be read, or somebody has made something else of it"""
        table, page = _read(self.path("csv")), _read(self.path("html"))
        if table is not None:
            self.old = cells_of(self.path("csv"), table)
            self.old_rows = rows_in(self.path("csv"), self.old)
        if page is not None:
            check_page(self.path("html"), page)

    def texts(self) -> dict[str, str]:
        """Path -> text of each file that has to be written. A table that a spreadsheet has saved its own way stays, if it says the same."""
        table, page = csv_of(self.rows, self.product), html_of(self.rows, self.title, self.product)
        path = self.path("csv")
        found = {} if self.old == cells_of(path, table.encode()) else {path: table}
        return found if _read(self.path("html")) == page.encode() else {**found, self.path("html"): page}

    def told(self, would_be: bool) -> str:
        """The line for a person."""
        done = sum(row.is_done for row in self.rows)
        words = (f"{len(self.rows) - done} line(s) to be ticked by hand in {self.pbx}" + (f" for {self.site}" if self.site else "")
                 + (f", {done} done" if done else ""))
        return plain(f"{words}: {self.path('csv')}{' (check mode: not written)' if would_be else ''}", 1000)


class ActionModule(ActionBase):
    BYPASS_HOST_LOOP = True
    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        task_vars = task_vars or {}
        result = super().run(tmp, task_vars)
        unused, arguments = self.validate_argument_spec(argument_spec=ARGUMENTS)
        answers = {one["item"]["key"]: one for one in arguments["results"] if one.get("by_hand")}
        try:
            sheets = self._sheets(answers, arguments["scan"], arguments["directory"], task_vars)
            changed = {path: text for sheet in sheets for path, text in sheet.texts().items()}
            before = {path: _read(path) for path in changed}
            if not self._task.check_mode:
                _write(changed)
        except PlanError as error:
            return {**result, "failed": True, "code": error.code, "msg": str(error)}
        except (OSError, UnicodeDecodeError) as error:
            return {**result, "failed": True, "code": "plan_refused",
                    "msg": f"The worksheets can't be written to {arguments['directory']}: {error}. Choose another directory, or move the old file away."}
        diff = [
            {"before_header": path, "after_header": path, "before": (before[path] or b"").decode("utf-8", "replace"), "after": text}
            for path, text in changed.items() if path.endswith(".csv")]
        told = [sheet.told(self._task.check_mode and sheet.path("csv") in changed) for sheet in sheets
                if sheet.rows or sheet.path("csv") in changed]
        for line in told:
            Display().display(line)
        return {**result, "changed": bool(changed), "files": [sheet.path(kind) for sheet in sheets for kind in ("csv", "html")], "msg": "\n".join(told),
                **({"diff": diff} if self._task.diff else {}),
                "by_hand": {pbx: list(map(str, one["by_hand"])) for pbx, one in answers.items()}}

    def _sheets(self, answers: Mapping[str, Any], scan: Mapping[str, Any], directory: str, task_vars: dict[str, Any]) -> list[Sheet]:
        """The sheets with their rows. One for each site: another run may be about another one.

        A line that this play asked its PBX about has the row that comes of it, or none. Any other keeps its row as long as the inventory has it.
        """
        if not answers:
            return []
        kinds, unused = variables_of(answers, ("sip_pbx_type",), task_vars, self)
        products = {pbx: PRODUCTS.get(kinds.get(pbx, {}).get("sip_pbx_type", ""), PRODUCTS["web_only"]) for pbx in answers}
        states = scan["phones"]
        sites = sorted({"", *(one.get("site") or "" for one in states.values())})
        sheets = [Sheet(directory, site, pbx, products[pbx]) for pbx in answers for site in sites]
        for sheet in sheets:
            sheet.read()
        phones, unclear = self._phones(states, {row.phone for sheet in sheets for row in sheet.old_rows}, task_vars)
        for pbx, one in answers.items():
            mine = [phone for phone in phones if phone.pbx == pbx]
            rows = rows_of(one["by_hand"], one.get("extensions") or (), _lines(phone for phone in mine if phone.name in states))
            settled = {*map(str, scan.get("nat_extensions", {}).get(pbx, ()))} - {*map(str, one["by_hand"])}
            others = [line for line in _lines(phone for phone in mine if phone.behind_nat) if line.extension and line.extension not in settled]
            for sheet in (sheet for sheet in sheets if sheet.pbx == pbx):
                sheet.rows = merged(
                    [row for row in rows if row.site == sheet.site], sheet.old_rows, [line for line in others if line.site == sheet.site], unclear)
        return [sheet for sheet in sheets if sheet.rows or sheet.old is not None]

    def _phones(self, states: Mapping[str, Any], written: Iterable[str], task_vars: dict[str, Any]) -> tuple[list[SitePhone], set[str]]:
        """(The phones of the play and those of the inventory that are *written* down, names of those that nobody can tell anything of)."""
        hosts = [name for name in dict.fromkeys([*states, *sorted({*written} - {""})]) if name in states or name in task_vars["hostvars"]]
        found, broken = variables_of(hosts, VARIABLES, task_vars, self)
        phones = [phone for site in sites_of(found).values() for phone in site.phones]
        for phone in phones:
            if phone.name in states:
                phone.ports = states[phone.name]["ports"]       # the scan knows better: a phone may have one port for all its lines
        return phones, {*broken, *(phone.name for phone in phones if phone.error)}


def _lines(phones: Iterable[SitePhone]) -> list[Line]:
    return [line for phone in phones for line in phone.lines()]


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


def _write(sheets: dict[str, str]) -> None:
    """Both files of a PBX or neither: they are to say the same."""
    changes = Changes()
    try:
        for path, text in sheets.items():
            changes.folder(os.path.dirname(path))
            changes.write(path, text)
    except BaseException:
        changes.undo()
        raise
