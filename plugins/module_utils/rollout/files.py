# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that a run leaves on the controller: reports, the journal of what was changed, and who is to be done again."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

# Reports hold names, MAC and IP addresses: nothing for everybody on the machine. The umask may take more away.
FILE_MODE, FOLDER_MODE = 0o640, 0o750

LARGEST_REPORT = 256 * 2**20        # bytes; that of 1,000 phones has about 2 MB
JOURNAL_READ = 16 * 2**20           # bytes from its end; a push takes about 500


def write_text(path: Path, text: str) -> bool:
    """Write *text* in one step, where the file has something else: a reader sees the old file or the new one, never half of it.

    A new file has FILE_MODE, a new folder FOLDER_MODE; one that is there keeps its mode. Returns whether something was written.
    """
    data = text.encode()
    mode = FILE_MODE
    if path.exists():
        status = path.stat()
        if status.st_size == len(data) and path.read_bytes() == data:
            return False
        mode = status.st_mode & 0o777
    _make_folder(path.parent)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)       # of a run that was killed, long ago
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE), "wb") as file:
            file.write(data)
        if mode != FILE_MODE:
            draft.chmod(mode)
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    return True


def json_text(data: Any) -> str:
    return json.dumps(data, indent=2) + "\n"


def write_json(path: str, data: Any) -> None:
    write_text(Path(path), json_text(data))


def read_report(path: str) -> tuple[Any, str]:
    """(what the JSON file holds, ""), (None, "") where there is no such file, (None, why it can't be read)."""
    try:
        if os.path.getsize(path) > LARGEST_REPORT:
            return None, f"{path} is larger than {LARGEST_REPORT // 2**20} MB"
        return json.loads(Path(path).read_bytes()), ""
    except FileNotFoundError:
        return None, ""
    except OSError as error:
        return None, f"{path} can't be read: {error.strerror}"
    except (ValueError, RecursionError):
        return None, f"{path} is not JSON"


def last_pushes(directory: str, sites: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """phone -> the last entry of the journal about it. *sites*: phone -> site: an entry of another site is another phone of that name.

    Lines that are broken (a disk was full, somebody edited) are left out; of a long journal the end is read (JOURNAL_READ).
    Where there is no journal, or none that can be read, nothing is known: {}.
    """
    found: dict[str, dict[str, Any]] = {}
    for line in _tail(Path(directory, "journal.jsonl")):
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if _is_entry(entry) and sites.get(entry["phone"]) == entry["site"]:
            found[entry["phone"]] = entry
    return found


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


def _make_folder(folder: Path) -> None:
    """With FOLDER_MODE for its parents too, which Path.mkdir makes for everybody."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    for one in reversed(missing):
        one.mkdir(mode=FOLDER_MODE, exist_ok=True)


def _tail(path: Path) -> list[bytes]:
    try:
        with open(path, "rb") as file:
            start = max(0, file.seek(0, os.SEEK_END) - JOURNAL_READ)
            file.seek(start)
            lines = file.read(JOURNAL_READ).split(b"\n")
    except OSError:
        return []
    return lines[1:] if start else lines        # the first one is the rest of a line


def _is_entry(entry: Any) -> bool:
    return (
        isinstance(entry, dict) and all(isinstance(entry.get(key), str) for key in ("phone", "site", "time", "outcome"))
        and all(isinstance(entry.get(key), dict) for key in ("before", "after")))
