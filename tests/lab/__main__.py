"""python -m tests.lab: the rollout on real parts, behind good and bad routers. Prints the four-symptom matrix.

Exit code 0: all as it should be; 1: something isn't; 2: the lab can't run on this machine (with --may-skip: 0, except in CI).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.lab import processes, report, routers, spaces, tree, verdict

DEFAULT = ("masq", "strict", "overload", "short", "random")
LIMIT = 300             # seconds for one router


def main() -> int:
    options = _options()
    began = time.monotonic()
    try:
        programs = tree.ensure()
        spaces.check()
    except tree.LabUnavailable as reason:
        skip = options.may_skip and not os.environ.get("CI")
        print(f"lab: {'SKIPPED' if skip else 'cannot run'}: {reason}", file=sys.stderr)
        return 0 if skip else 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))     # so that "finally" is reached
    home = Path(tempfile.mkdtemp(prefix="evenport-lab-"))
    trips = [Trip(name, home / name, programs) for name in options.router]
    pool = ThreadPoolExecutor(options.jobs)
    try:
        stories = [pool.submit(trip.travel) for trip in trips]
        bad = sum(_show(name, story.result()) for name, story in zip(options.router, stories, strict=True))
    finally:
        for trip in trips:
            trip.cancel()
        pool.shutdown(cancel_futures=True)
        if options.keep:
            print(f"lab: logs are in {home}")
        else:
            shutil.rmtree(home, ignore_errors=True)
    left = _left_behind(home, options.keep)
    for what in left:
        print(f"FAILED: left behind: {what}")
    print(f"\nlab: {len(options.router) - bad} of {len(options.router)} routers as they should be, {time.monotonic() - began:.0f} s")
    return 1 if bad or left else 0


class Trip:
    """One router's journey, in a world of its own."""

    def __init__(self, name: str, home: Path, programs: Path) -> None:
        self.name, self.home, self.programs = name, home, programs
        self._process: subprocess.Popen[bytes] | None = None

    def travel(self) -> dict[str, Any] | str:
        """Run it; its story, or what went wrong."""
        self.home.mkdir()
        log = self.home / "journey.log"
        command = spaces.world(sys.executable, "-m", "tests.lab.journey", self.name, self.home, self.programs)
        with open(log, "wb") as output:
            # Its standard input is the thread it hangs by: closed when this process ends, however it ends.
            self._process = subprocess.Popen(command, cwd=tree.CHECKOUT, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
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


def _left_behind(home: Path, kept: bool) -> list[str]:
    """Processes, mounts and files of this run that are still there. (Its network namespaces live in processes and mounts only.)"""
    found = [] if kept or not home.exists() else [f"the folder {home}"]
    found += [f"the mount {line}" for line in Path("/proc/mounts").read_text("utf-8").splitlines() if str(home) in line]
    for commandline in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):                                 # it ended while we looked
            words = commandline.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if str(home) in words:
                found.append(f"process {commandline.parent.name}: {words}")
    return found


def _end_of(log: Path) -> str:
    return "\n".join(log.read_text("utf-8", "replace").splitlines()[-30:])


def _show(name: str, story: dict[str, Any] | str) -> bool:
    """Print a router's part; True if there is something to complain about."""
    complaints = [f"the lab broke: {story}"] if isinstance(story, str) else verdict.complaints(story)
    print()
    print(report.table(story) if isinstance(story, dict) else f"Router {name}")
    for complaint in complaints:
        print(f"  FAILED: {complaint}")
    sys.stdout.flush()
    return bool(complaints)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.lab", description=__doc__.splitlines()[0])
    parser.add_argument("--router", nargs="+", choices=sorted(routers.ROUTERS), default=DEFAULT, help="only these routers")
    parser.add_argument("--jobs", type=int, default=2, help="routers at the same time")
    parser.add_argument("--keep", action="store_true", help="keep the logs")
    parser.add_argument("--may-skip", action="store_true", help="succeed, saying why, where the lab can't run (never in CI)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
