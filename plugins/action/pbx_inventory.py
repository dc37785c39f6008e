# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's side of evenport.sip.pbx_inventory. See the module for the documentation."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.evenport.sip.plugins.module_utils.errors import EvenportError, PlanError
from ansible_collections.evenport.sip.plugins.module_utils.pbx.starting_inventory import KnownPhone, find_devices
from ansible_collections.evenport.sip.plugins.module_utils.pbx.starting_text import starting_text, summary
from ansible_collections.evenport.sip.plugins.module_utils.rollout.planning import extensions_of
from ansible_collections.evenport.sip.plugins.plugin_utils.changes import Changes
from ansible_collections.evenport.sip.plugins.plugin_utils.fresh_inventory import FreshInventory
from ansible_collections.evenport.sip.plugins.plugin_utils.hosts import variables_of

ARGUMENTS = {
    "reads": {"type": "raw", "required": True},
    "file": {"type": "path", "required": True},
}


class ActionModule(ActionBase):
    BYPASS_HOST_LOOP = True
    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        task_vars = task_vars or {}
        result = super().run(tmp, task_vars)
        _validation, arguments = self.validate_argument_spec(argument_spec=ARGUMENTS)
        try:
            reads = _reads(arguments["reads"])
            found = find_devices(reads, self._known(task_vars), task_vars["hostvars"])
            text = starting_text(found)
            path = os.path.abspath(arguments["file"]) if text else ""
            changed = bool(path) and not _is_there(path, text)
            if changed and not self._task.check_mode:
                _write(path, text)
        except EvenportError as error:
            return {**result, "failed": True, "msg": str(error), "code": error.code}
        words = "would be written to" if self._task.check_mode else "written to" if changed else "all in"
        Display().display("\n".join(["", *summary(found), f"{words.capitalize()} {path}" if path else "Nothing new: no file was written.", ""]))
        diff = {"before": "" if changed else text, "after": text, "before_header": path, "after_header": path}
        return {**result, "changed": changed, "file": path, "inventory": text, "counts": found.counts(), "not_registered": found.idle, "diff": diff}

    def _known(self, task_vars: dict[str, Any]) -> dict[str, dict[str, KnownPhone]]:
        """The extensions of the whole inventory. Which PBX a phone has stands in the inventory alone: -e sip_pbx=... is for this run, not for the phones."""
        hosts = list(task_vars["hostvars"])
        found, dummy = variables_of(hosts, ("sip_extensions", "sip_site"), task_vars, self)         # a host that can't be resolved is known for nothing
        sources = [str(source) for source in task_vars.get("ansible_inventory_sources") or []]
        written = FreshInventory(sources, self._loader.get_basedir(), self._loader._vault.secrets).without_extra_vars().variables()
        known: dict[str, dict[str, KnownPhone]] = {}
        for host, variables in found.items():
            pbx = written.get(host, {}).get("sip_pbx")
            pbx = pbx if isinstance(pbx, str) and "{" not in pbx else ""
            for extension in filter(None, extensions_of(host, variables.get("sip_extensions"))):
                known.setdefault(pbx, {})[extension] = KnownPhone(host, str(variables.get("sip_site") or ""))
        return known


def _reads(given: Any) -> dict[str, Mapping[str, Any]]:
    """PBX -> result, each one whole.  :raises PlanError: it is something else, or a PBX could not be read"""
    items = list(given.items()) if isinstance(given, Mapping) else [(_key(one), one) for one in given] if isinstance(given, (list, tuple)) else [("", given)]
    for pbx, read in items:
        if not pbx or not isinstance(pbx, str) or not isinstance(read, Mapping):
            raise PlanError(
                "reads is no result of evenport.sip.pbx_registrations_info.", "Give a dictionary with the PBX's host as key, or the results of a loop.")
        if "registrations" not in read:
            raise PlanError(f"{pbx} could not be read: {read.get('msg', 'no answer')}", "Mend that, then run again. Nothing was written.")
    return dict(items)


def _key(result: Any) -> Any:
    """The PBX of one result of a loop over a dictionary."""
    item = result.get("item") if isinstance(result, Mapping) else None
    return item.get("key") if isinstance(item, Mapping) else ""


def _is_there(path: str, text: str) -> bool:
    """Whether the file holds this very text.  :raises PlanError: it holds something else, which is somebody's work"""
    if not os.path.lexists(path):
        return False
    try:
        with open(path, encoding="utf-8", newline="") as file:
            if file.read() == text:
                return True
    except (OSError, UnicodeDecodeError):
        pass
    raise PlanError(f"{path} is there already, and what a person may have edited is never overwritten.", "Take another name (sip_discover_file), or remove it.")


def _write(path: str, text: str) -> None:
    changes = Changes()
    try:
        changes.folder(os.path.dirname(path))
        changes.write(path, text)
    except OSError as error:
        changes.undo()
        raise PlanError(f"{path} can't be written: {error.strerror or error}.", "Take another place (sip_discover_file).") from error
