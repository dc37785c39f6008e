"""Run a program as a group of its own, with a time limit, keeping what it says."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

_running: set[subprocess.Popen[str]] = set()


def run(argv: tuple[str, ...], env: dict[str, str], cwd: Path, limit: int, say: Callable[[str], None]) -> tuple[int, str]:
    """Returns the exit status and all output (both streams). Each line goes to *say* as it comes. 124: the limit was reached."""
    lines: list[str] = []
    with subprocess.Popen(argv, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace", start_new_session=True) as process:
        _running.add(process)
        late = threading.Event()

        def stop() -> None:
            late.set()
            end(process)

        timer = threading.Timer(limit, stop)
        timer.start()
        try:
            for line in process.stdout or ():
                lines.append(line)
                say(line)
            status = process.wait()
        finally:
            timer.cancel()
            _running.discard(process)
    if late.is_set():
        lines.append(f"stopped: still running after {limit} s\n")
        say(lines[-1])
        status = 124
    return status, "".join(lines)


def end(process: subprocess.Popen[str], patience: float = 10) -> None:
    """Interrupt the whole group, so that it can tidy up; then end what is left of it."""
    for number in (signal.SIGINT, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(patience)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def end_all() -> None:
    for process in list(_running):
        end(process)
