"""A part of the lab that runs in a world of its own, seen from outside: started, waited for, ended, and looked for afterwards."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.lab import processes, spaces, tree

LIMIT = 300             # seconds


class Trip:
    """``python -m MODULE ARGUMENT HOME TREE`` in new namespaces; it writes its story to HOME/story.json."""

    def __init__(self, module: str, argument: str, home: Path, programs: Path) -> None:
        self.home = home
        self._command = spaces.world(sys.executable, "-m", module, argument, home, programs)
        self._process: subprocess.Popen[bytes] | None = None

    def travel(self) -> dict[str, Any] | str:
        """Run it; its story, or what went wrong."""
        self.home.mkdir()
        log = self.home / "journey.log"
        with open(log, "wb") as output:
            # Its standard input is the thread it hangs by: closed when this process ends, however it ends (spaces.prepare).
            self._process = subprocess.Popen(self._command, cwd=tree.CHECKOUT, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT,
                                             start_new_session=True)
        try:
            code = self._process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            return f"not finished after {LIMIT} s:\n{_end_of(log)}"
        finally:
            self.cancel()
        return json.loads((self.home / "story.json").read_text("utf-8")) if code == 0 else _end_of(log)

    def cancel(self) -> None:
        """End it; everything inside dies with it."""
        processes.end(self._process, gently=0)


def left_behind(home: Path) -> list[str]:
    """Processes and mounts of a run that are still there. (Its network namespaces live in those, and nowhere else.)"""
    found = [f"the mount {line}" for line in Path("/proc/mounts").read_text("utf-8").splitlines() if str(home) in line]
    for commandline in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):                                 # it ended while we looked
            words = commandline.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if str(home) in words:
                found.append(f"process {commandline.parent.name}: {words}")
    return found


def _end_of(log: Path) -> str:
    return "\n".join(log.read_text("utf-8", "replace").splitlines()[-30:])
