"""Linux namespaces without root: a private world for the lab, and one network namespace for every machine in it."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.lab.tree import LabUnavailable

# User (as root of nothing but itself), network, mounts, processes. With a PID namespace everything dies with its first
# process, whatever happens: no clean-up code can be skipped. Without --kill-child the first process would outlive unshare.
WORLD = ("unshare", "--map-root-user", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
NAMED = Path("/run/netns")
CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)                       # os.setns is there from Python 3.12 on only


def check() -> None:
    """Raises LabUnavailable where the kernel or a container doesn't let this user make namespaces."""
    trial = subprocess.run([*WORLD, "true"], capture_output=True, text=True, timeout=30, check=False)
    if trial.returncode:
        raise LabUnavailable(f"The lab needs unprivileged user namespaces: {trial.stderr.strip()}. Look at the sysctls kernel.unprivileged_userns_clone, "
                             "user.max_user_namespaces and kernel.apparmor_restrict_unprivileged_userns; in a container, allow unshare and mount.")


def world(*command: object) -> list[str]:
    """The argument list that runs *command* in a new private world."""
    return [*WORLD, *map(str, command)]


def prepare() -> None:
    """First thing inside a new world. "ip netns" wants a writable /run of its own.

    Standard input ends when the program that made the world does, however that ends; then the world's first process (this
    one) takes everything with it.
    """
    if os.getpid() != 1:
        sys.exit("This part of the lab runs in namespaces of its own: start it with python -m tests.lab.")
    threading.Thread(target=_die_with_parent, daemon=True).start()
    sh("mount", "-t", "tmpfs", "none", "/run")
    NAMED.mkdir()


def _die_with_parent() -> None:
    sys.stdin.read()
    os._exit(1)


def sh(*command: object, stdin: str | None = None) -> str:
    """Run a short command where the calling thread is; its output. RuntimeError, with what it said, when it fails."""
    words = [str(word) for word in command]
    done = subprocess.run(words, input=stdin, capture_output=True, text=True, timeout=30, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)} ended with {done.returncode}: {done.stderr.strip()}")
    return done.stdout


@contextmanager
def inside(namespace: str | None) -> Iterator[None]:
    """The calling thread stands in the network namespace; sockets, processes and threads made here stay there for good."""
    if namespace is None:
        yield
        return
    here = os.open("/proc/thread-self/ns/net", os.O_RDONLY)     # "self" would be the main thread's
    there = os.open(NAMED / namespace, os.O_RDONLY)
    try:
        _setns(there)
        try:
            yield
        finally:
            _setns(here)
    finally:
        os.close(here)
        os.close(there)


def _setns(descriptor: int) -> None:
    if _libc.setns(descriptor, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")
