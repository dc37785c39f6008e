"""Start and end the lab's own processes: bounded waits, and never a process that the lab did not start."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tests.lab.spaces import inside


def launch(command: list[str], log: Path, namespace: str | None = None) -> subprocess.Popen[bytes]:
    """Start a program in the namespace, its output in *log*. In a session of its own: a Ctrl-C is for the lab to handle."""
    with inside(namespace), open(log, "wb") as output:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)


def end(process: subprocess.Popen[bytes] | None, gently: float = 3.0) -> None:
    """Ask the process to end, and after *gently* seconds make it."""
    if process is None or process.poll() is not None:
        return
    if gently:
        process.terminate()
        try:
            process.wait(gently)
            return
        except subprocess.TimeoutExpired:
            pass
    process.kill()
    process.wait(5)


def until(true: Callable[[], object], seconds: float, pause: float = 0.05) -> bool:
    """Wait until *true()*, at most *seconds*; whether it became true."""
    last = time.monotonic() + seconds
    while not true():
        if time.monotonic() > last:
            return False
        time.sleep(pause)
    return True
