# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Chromium for tests: the machine's own, or Debian's headless shell, extracted once under .cache/chromium (no root, no installation).

The extracted one runs through its tree's own loader, so that the machine's libraries don't matter. Chromium looks for its data beside
the program that runs, and that is the loader: so a copy of it lies beside Chromium. Its child processes start through a script that does the same.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tests.lab.tree import CHECKOUT, extracted, library, loader

SUITE = "trixie"                                                # Debian 13: a released suite always has a Chromium, a testing one sometimes has none
PACKAGES = ("chromium-headless-shell",)
RECIPE = 1                                                      # raise it when _finish() changes what the tree holds
PROGRAM = "chromium-headless-shell"
# Graphics drivers for machines with a screen: more than a third of the tree.
NOT_NEEDED = ("libLLVM*", "libz3.so*", "dri", "libgallium*", "libvulkan*", "libicudata.a")
_CHILD = """#!/bin/sh
here=$(dirname "$0")
exec "$here/loader" --library-path "$EVENPORT_CHROMIUM_LIBRARIES" "$here/{program}" "$@"
"""


def command() -> tuple[list[str], dict[str, str]]:
    """How to start a Chromium: the first words of its command line, and what its environment needs.

    :raises LabUnavailable: there is none and none can be had; the message says why
    """
    for name in ("chromium-headless-shell", "chromium", "google-chrome"):
        own = shutil.which(name, path="/usr/bin:/usr/local/bin")
        if own:
            return [own], {}
    folder = Path(os.environ.get("EVENPORT_CHROMIUM_CACHE") or CHECKOUT / ".cache" / "chromium")
    root = extracted(folder, SUITE, PACKAGES, RECIPE, _finish)
    program = root / "usr/lib/chromium"
    libraries = f"{library(root)}:{library(root) / 'pulseaudio'}"
    return [str(program / "loader"), "--library-path", libraries, str(program / PROGRAM), f"--browser-subprocess-path={program / 'child'}"], \
        {"EVENPORT_CHROMIUM_LIBRARIES": libraries, "FONTCONFIG_SYSROOT": str(root)}


def _finish(root: Path) -> None:
    for pattern in NOT_NEEDED:
        for path in library(root).glob(pattern):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    program = root / "usr/lib/chromium"
    shutil.copy(loader(root).resolve(), program / "loader")
    (program / "loader").chmod(0o755)
    (program / "child").write_text(_CHILD.format(program=PROGRAM), encoding="ascii")
    (program / "child").chmod(0o755)
    print("lab: Chromium is ready", flush=True)
