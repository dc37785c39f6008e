# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Configuration files of a PBX: read whole, replaced atomically, put back when something goes wrong."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass

from ansible_collections.evenport.sip.plugins.module_utils.errors import Busy, DeviceError


@dataclass(frozen=True)
class Saved:
    """A file as it was. *text* is None where there was none."""

    path: str
    text: str | None

    def put_back(self, like: str) -> None:
        if self.text is not None:
            write(self.path, self.text, like)
        elif os.path.lexists(self.path):
            os.unlink(self.path)


def read(path: str) -> Saved:
    """Every byte survives: what is no UTF-8 is carried along, line ends stay.  :raises DeviceError: there, but unreadable"""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
            return Saved(path, file.read())
    except FileNotFoundError:
        return Saved(path, None)
    except OSError as error:
        raise DeviceError(f"{path} can't be read: {error.strerror}.", "Run as root on the PBX (become: true).") from error


def write(path: str, text: str, like: str) -> None:
    """Replace *path* (through a symbolic link: its target) by a complete new file, or leave the old one as it is.

    Owner, mode, ACL and labels stay; a new file takes them from *like*, which Asterisk can read. The modification time is
    always new, because Asterisk skips files that look unchanged.

    :raises DeviceError: no space, no right ...: the old file is intact
    """
    target = os.path.realpath(path)
    temporary = ""
    try:
        model = target if os.path.exists(target) else os.path.realpath(like)
        status = os.stat(model)
        handle, temporary = tempfile.mkstemp(dir=os.path.dirname(target), prefix=f".{os.path.basename(target)}.", suffix=".new")
        with open(handle, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            file.write(text)
            file.flush()
            if (status.st_uid, status.st_gid) != (os.geteuid(), os.fstat(file.fileno()).st_gid):
                os.fchown(file.fileno(), status.st_uid, status.st_gid)
            os.fchmod(file.fileno(), stat.S_IMODE(status.st_mode))
            _copy_attributes(model, temporary)
            os.fsync(file.fileno())
        os.replace(temporary, target)
        temporary = ""
        folder = os.open(os.path.dirname(target), os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        if temporary:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
        raise DeviceError(f"{path} can't be written: {error.strerror}. The old file is intact.",
                          "Check free space and rights; run as root on the PBX (become: true).") from error


def _copy_attributes(source: str, target: str) -> None:
    """SELinux label and ACL, where the system has them and lets us."""
    with contextlib.suppress(OSError, AttributeError):
        for name in os.listxattr(source):
            with contextlib.suppress(OSError):
                os.setxattr(target, name, os.getxattr(source, name))


@contextlib.contextmanager
def locked(folder: str, seconds: float) -> Iterator[None]:
    """Only one of us at a time works in *folder*: sites roll out in parallel and may share a PBX. Leaves no file behind.

    :raises Busy: not free within *seconds*
    """
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise DeviceError(f"{folder} can't be opened: {error.strerror}.", "Check config_dir, and run as root on the PBX (become: true).") from error
    try:
        end = time.monotonic() + seconds
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > end:
                    raise Busy(f"Another run is changing {folder}.", "Run again when it is done.") from error
                time.sleep(0.1)
        yield
    finally:
        os.close(handle)                                    # gives the lock back
