# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which evenport.sip this is."""

from __future__ import annotations

import json
import re
from pathlib import Path

_ROOT = Path(__file__).parents[2]


def made_by(root: Path = _ROOT) -> str:
    """"evenport.sip 0.3.0": from what ansible-galaxy has installed, or from a checkout."""
    try:
        version = json.loads((root / "MANIFEST.json").read_bytes())["collection_info"]["version"]
    except (OSError, ValueError, KeyError, TypeError):
        version = _of_checkout(root / "galaxy.yml")
    return f"evenport.sip {version}".strip()


def _of_checkout(path: Path) -> str:
    try:
        found = re.search(r"^version: *(\S+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        return ""
    return found[1] if found else ""
