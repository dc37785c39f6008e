# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's side of evenport.sip.pbx_worksheet. See the module for the documentation."""

from __future__ import annotations

import os
from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.evenport.sip.plugins.module_utils.pbx.products import PRODUCTS
from ansible_collections.evenport.sip.plugins.module_utils.pbx.worksheet import csv_of, file_name, html_of, rows_of
from ansible_collections.evenport.sip.plugins.module_utils.rollout.inventory import VARIABLES, sites_of
from ansible_collections.evenport.sip.plugins.plugin_utils.changes import Changes
from ansible_collections.evenport.sip.plugins.plugin_utils.hosts import variables_of

ARGUMENTS = {
    "scan": {"type": "dict", "required": True},
    "results": {"type": "list", "elements": "dict", "required": True},
    "directory": {"type": "path", "required": True},
}


class ActionModule(ActionBase):
    BYPASS_HOST_LOOP = True
    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        task_vars = task_vars or {}
        result = super().run(tmp, task_vars)
        unused, arguments = self.validate_argument_spec(argument_spec=ARGUMENTS)
        by_hand = {one["item"]["key"]: one for one in arguments["results"] if one.get("by_hand")}
        sheets = self._sheets(by_hand, arguments["scan"]["phones"], arguments["directory"], task_vars)
        try:
            before = {path: _read(path) for path in sheets}
            changed = [path for path, text in sheets.items() if before[path] != text.encode()]
            if not self._task.check_mode:
                _write({path: sheets[path] for path in changed})
        except (OSError, UnicodeDecodeError) as error:
            return {**result, "failed": True, "code": "plan_refused",
                    "msg": f"The worksheets can't be written to {arguments['directory']}: {error}. Choose another directory, or move the old file away."}
        diff = [
            {"before_header": path, "after_header": path, "before": (before[path] or b"").decode("utf-8", "replace"), "after": sheets[path]}
            for path in changed if path.endswith(".csv")]
        return {**result, "changed": bool(changed), "files": list(sheets), **({"diff": diff} if self._task.diff else {}),
                "by_hand": {pbx: list(map(str, one["by_hand"])) for pbx, one in by_hand.items()}}

    def _sheets(self, by_hand: dict[str, Any], states: dict[str, Any], directory: str, task_vars: dict[str, Any]) -> dict[str, str]:
        """Path -> text of each file."""
        found, unused = variables_of(states, VARIABLES, task_vars, self) if by_hand else ({}, {})
        phones = [phone for site in sites_of(found).values() for phone in site.phones]
        for phone in phones:
            phone.ports = states[phone.name]["ports"]           # the scan knows better: a phone may have one port for all its lines
        kinds, unused = variables_of(by_hand, ("sip_pbx_type",), task_vars, self) if by_hand else ({}, {})
        sheets = {}
        for pbx, one in by_hand.items():
            product = PRODUCTS.get(kinds.get(pbx, {}).get("sip_pbx_type", ""), PRODUCTS["web_only"])
            rows = rows_of(one["by_hand"], one.get("extensions") or (), [line for phone in phones if phone.pbx == pbx for line in phone.lines()])
            for site in dict.fromkeys(row.site for row in rows):        # one for each site: another run may be about another one
                mine = [row for row in rows if row.site == site]
                title = f"{site}, {pbx}" if site else pbx
                start = os.path.join(directory, f"{file_name(title.replace(', ', '-'))}-nat")
                sheets[f"{start}.csv"], sheets[f"{start}.html"] = csv_of(mine, product), html_of(mine, title, product)
        return sheets


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
