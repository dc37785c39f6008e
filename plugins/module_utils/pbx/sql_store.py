# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A store in a PBX's database: each row changes only if it still is as it was read, and all of them or none.

A failed transaction says little: the connection may have been lost before its end or after it, and MySQL's tables without transactions
(MyISAM, Aria) keep what came before the failure. So what counts is what is there then.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence

from ansible_collections.evenport.sip.plugins.module_utils.errors import AuthFailed, DeviceError, EvenportError, PermissionMissing, Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.pbx.contract import add_remedy
from ansible_collections.evenport.sip.plugins.module_utils.pbx.sql import Database
from ansible_collections.evenport.sip.plugins.module_utils.pbx.store import Changes, Settings, Store


class SqlStore(Store):
    """``table``: the one that :meth:`statements` change."""

    table: str

    def __init__(self, database: Database) -> None:
        self.database = database

    @abstractmethod
    def current(self, names: Sequence[str]) -> dict[str, Settings]:
        """extension -> its NAT settings as they are in the database now, of those that are there. *names* is not empty.

        :raises DeviceError: one of them is there twice, so nobody knows which one counts
        """

    @abstractmethod
    def statements(self, name: str, before: Settings, after: Settings) -> list[str]:
        """Pure. What brings these settings of one extension from *before* to *after*, by :meth:`Database.exactly_one`: a row that isn't as
        *before* says makes the transaction fail."""

    def write(self, changes: Changes) -> None:
        statements = [statement for name, (before, after) in changes.items() for statement in self.statements(name, before, after)]
        try:
            self.database.change(statements)
        except (AuthFailed, Unsupported):
            raise
        except PermissionMissing as error:
            if self.database.access.engine == "mysql" and len(statements) > 2:      # the first rows may have been allowed, and kept
                _not_known(changes, error)
            raise
        except DeviceError as error:
            if not self._written(changes, error):
                raise

    def _written(self, changes: Changes, error: DeviceError) -> bool:
        """Writing failed with *error*, which learns what is there now. True: all of it is written, and only the answer was lost.

        :raises DeviceError: somebody else changed something, or what a table without transactions kept can't be taken back
        """
        try:
            ours, foreign = _found(changes, self.current(list(changes)))
            if ours == {name: after for name, (dummy, after) in changes.items()}:
                return True
            kept = ours if ours and self._keeps_halves() else {}
        except EvenportError:
            _not_known(changes, error)
            return False
        if kept:
            self._take_back({name: (mine, {setting: changes[name][0][setting] for setting in mine}) for name, mine in kept.items()}, error)
        # With transactions what is as we wanted it was written by somebody else, or the answer of a whole transaction was lost.
        left = f"Extension {', '.join(ours)} has the new values already." if ours and not kept else ""
        error.wrote = bool(ours)
        if foreign:
            told = DeviceError(f"Somebody else changed the NAT settings of extension {', '.join(foreign)} at the same moment.",
                               f"Theirs stay as they are. {left or 'Nothing of ours is written.'} Run again.")
            told.wrote = error.wrote
            raise told from error
        add_remedy(error, left or "The settings are as they were.")
        return False

    def _keeps_halves(self) -> bool:
        """Whether the table has no transactions."""
        if self.database.access.engine != "mysql":
            return False
        rows = self.database.select(
            ("ENGINE",), f"FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = {self.database.value(self.table)}")
        return any(engine in ("MyISAM", "Aria") for (engine,) in rows)

    def _take_back(self, changes: Changes, error: DeviceError) -> None:
        try:
            self.database.change([statement for name, (ours, before) in changes.items() for statement in self.statements(name, ours, before)])
        except DeviceError as second:
            error.wrote = True
            add_remedy(error, f"Taking back what had been written failed too ({second.what}): check extension {', '.join(changes)}.")
            raise error from second


def _found(changes: Changes, now: Mapping[str, Settings]) -> tuple[dict[str, Settings], list[str]]:
    """(extension -> those of its settings that are as we wanted them, the extensions that are neither as they were nor as we wanted them)"""
    ours: dict[str, Settings] = {}
    foreign = []
    for name, (before, after) in changes.items():
        here = now.get(name, {})
        mine = {setting: value for setting, value in after.items() if name in now and here.get(setting) == value}
        if mine:
            ours[name] = mine
        if name not in now or any(here.get(setting) not in (before[setting], after[setting]) for setting in after):
            foreign.append(name)
    return ours, foreign


def _not_known(changes: Changes, error: DeviceError) -> None:
    error.wrote = True
    add_remedy(error, f"Whether the NAT settings of extension {', '.join(changes)} were written is not known: run again.")
