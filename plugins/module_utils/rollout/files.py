# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that a run leaves beside the inventory: the journal of what was changed, and who is to be done again."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any


def write_json(path: str, data: Any) -> None:
    """Write *data* in one step: a reader sees the old file or the new one, never half of it."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    draft.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
    draft.replace(target)


def append_journal(directory: str, entries: Iterable[Mapping[str, Any]]) -> None:
    """One JSON line per changed phone: time, site, phone, before, after, outcome. Managed settings only, so no secret can be in it."""
    lines = [json.dumps(entry, sort_keys=True) + "\n" for entry in entries]
    if lines:
        Path(directory).mkdir(parents=True, exist_ok=True)
        with open(Path(directory, "journal.jsonl"), "a", encoding="utf-8") as file:
            file.writelines(lines)


def write_deferred(directory: str, phones: Iterable[str], looked_at: Iterable[str] = ()) -> str:
    """The phones to be done again, as a file for ``--limit @file``. Returns its path, "" when nobody is left (the file goes).

    :arg looked_at: the phones of this run. Others that an earlier run has noted, of another site say, stay noted.
    """
    path = Path(directory, "deferred.txt")
    seen = {*looked_at}
    noted = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    names = list(dict.fromkeys([*(name for name in noted if name not in seen), *phones]))
    if not names:
        path.unlink(missing_ok=True)
        return ""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
    return str(path)
