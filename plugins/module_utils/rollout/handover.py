# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One login per phone and run: the scan leaves a drifted phone's web session here for the task that pushes it.

The two run in different processes of one ansible-playbook. The session goes through a file of mode 0600 in the run's own
temporary directory (mode 0700, removed by ansible-core at the end); it never enters a variable, so no verbosity can print it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.phones.target import Target
from ansible_collections.evenport.sip.plugins.module_utils.phones.visit import Visit


def leave_session(run_directory: str, phone: str, session: Mapping[str, Any]) -> None:
    path = _path(run_directory, phone)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(session, file)


def take_session(run_directory: str, phone: str) -> dict[str, Any] | None:
    """The session that the scan left for *phone*, once: None for who comes second, or where there was no scan."""
    path = _path(run_directory, phone)
    try:
        text = path.read_text(encoding="utf-8")
        path.unlink()
        session = json.loads(text)
    except (OSError, ValueError):
        return None
    return session if isinstance(session, dict) else None


def end_session(target: Target, session: Mapping[str, Any]) -> None:
    """Log out of a session that nobody came to use."""
    with Visit(target, session):
        pass


def _path(run_directory: str, phone: str) -> Path:
    return Path(run_directory, "evenport_sessions", sha256(phone.encode()).hexdigest())
