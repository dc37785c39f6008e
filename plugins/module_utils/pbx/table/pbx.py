# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A PBX with a web page only, read from a table that a person saved or pasted into a file."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping

from ansible_collections.evenport.sip.plugins.module_utils.errors import PlanError
from ansible_collections.evenport.sip.plugins.module_utils.model import Extension, Registration
from ansible_collections.evenport.sip.plugins.module_utils.pbx.contract import Pbx
from ansible_collections.evenport.sip.plugins.module_utils.pbx.table.cells import SIZE
from ansible_collections.evenport.sip.plugins.module_utils.pbx.table.parse import parse_table

_REMEDY = "Save the PBX's status page there (CSV, HTML or pasted text), or correct sip_pbx_status_file."


class TablePbx(Pbx):
    """As true as its file is old: it can't show a change."""

    live = False

    def __init__(self, path: str, columns: Mapping[str, str]) -> None:
        self.path = path
        try:
            with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:     # a pipe would keep us waiting
                state = os.fstat(file.fileno())
                if not stat.S_ISREG(state.st_mode):
                    raise PlanError(f"{path} is no file.", _REMEDY)
                data = file.read(SIZE + 1)
        except FileNotFoundError as error:
            raise PlanError(f"There is no {path} on the machine that runs this task.", _REMEDY) from error
        except OSError as error:
            raise PlanError(f"{path} can't be read: {error.strerror}.", _REMEDY) from error
        self._changed = int(state.st_mtime)
        self._table = parse_table(data, columns, path)

    def __str__(self) -> str:
        return f"The status table {self.path}"

    def version(self) -> str:
        return ""

    def endpoints(self) -> list[str]:
        """Nobody, where the table lists the registered alone: then it says nothing about the others."""
        return list(self._table.extensions) if self._table.complete else []

    def extensions(self, names: Iterable[str]) -> list[Extension]:
        """Nothing is known of their options. Where the table lists the registered alone, an extension that is not in it may well exist."""
        return [Extension(name) for name in names if name in self._table.extensions or not self._table.complete]

    def registrations(self, known: Iterable[Extension] | None = None) -> list[Registration]:
        del known
        return list(self._table.registrations)

    def as_of(self) -> int:
        """When the file was written."""
        return self._changed

    def close(self) -> None:
        """Nothing is open."""
