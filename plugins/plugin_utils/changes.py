# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing files so that all of it can be put back: each file is replaced in one step, and the steps are remembered."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable


class Changes:
    """What was done to files and folders. ``undo()`` puts everything back as it was, newest first."""

    def __init__(self) -> None:
        self._back: list[Callable[[], None]] = []

    def folder(self, path: str) -> None:
        """Make *path* and the folders above it."""
        missing = []
        while not os.path.isdir(path):
            missing.append(path)
            path = os.path.dirname(path)
        for folder in reversed(missing):
            os.mkdir(folder)
            self._back.append(lambda folder=folder: os.rmdir(folder))

    def move(self, source: str, target: str) -> None:
        """Move *source* to *target*, whose folder may need the very name of *source*."""
        aside = f"{source}.moving~"         # Ansible ignores names that end in "~"
        os.rename(source, aside)
        self._back.append(lambda: os.rename(aside, source))
        self.folder(os.path.dirname(target))
        os.rename(aside, target)
        self._back.append(lambda: os.rename(target, aside))

    def write(self, path: str, text: str) -> None:
        """Replace *path* (or what it links to) by *text*: readers see the old or the new file, never a part."""
        path = os.path.realpath(path)
        old = None
        if os.path.exists(path):
            with open(path, encoding="utf-8", newline="") as file:
                old = file.read()
        self._replace(path, text)
        self._back.append((lambda: os.remove(path)) if old is None else (lambda: self._replace(path, old)))

    def undo(self) -> None:
        while self._back:
            self._back.pop()()

    @staticmethod
    def _replace(path: str, text: str) -> None:
        handle, temporary = tempfile.mkstemp(prefix=".", suffix="~", dir=os.path.dirname(path))
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            if os.path.exists(path):
                shutil.copymode(path, temporary)
            else:
                umask = os.umask(0)
                os.umask(umask)
                os.chmod(temporary, 0o666 & ~umask)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
