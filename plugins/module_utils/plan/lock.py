# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The port lock: a site's committed assignment, phone -> port of line 1, 2, ... (None: a line without a port of its own). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import PlanError


@dataclass
class Lock:
    """``ports`` keeps the order of the file. ``retired`` are ports that must not be handed out again until somebody releases them."""

    ports: dict[str, list[int | None]] = field(default_factory=dict)
    retired: list[int] = field(default_factory=list)


def parse_lock(ports: Any, retired: Any = None, site: str = "") -> Lock:
    """The variables ``sip_ports`` and ``sip_ports_retired`` as a Lock.

    Only the shape is checked here (a person may have edited the file); what the ports mean for the site is checked against its
    phones and its range. Raises PlanError naming phone and line. None counts as empty.
    """
    where = f"{site}: " if site else ""
    if not isinstance(ports or {}, Mapping):
        raise PlanError(f"{where}sip_ports must be a mapping of phones to lists of ports, not {type(ports).__name__}.", "Example: front-desk: [5060, 5062]")
    lock = Lock()
    for phone, lines in (ports or {}).items():
        if not isinstance(phone, str):
            raise PlanError(f"{where}the phone {phone!r} in sip_ports is a {type(phone).__name__}, not a name.", f'Write "{phone}" in quotes.')
        if isinstance(lines, str) or not isinstance(lines, Sequence):
            raise PlanError(f"{where}{phone} in sip_ports must be a list of ports, one for each line, not {lines!r}.", f"Example: {phone}: [5060]")
        for number, port in enumerate(lines, start=1):
            if port is not None and not _is_port(port):
                what = f"{where}{phone} line {number} in sip_ports: {port!r} is no port."
                raise PlanError(what, "Write a number such as 5060, or null for a line without a port of its own.")
        lock.ports[str(phone)] = list(lines)
    if isinstance(retired, (str, Mapping)) or not isinstance(retired or [], Sequence):
        raise PlanError(f"{where}sip_ports_retired must be a list of ports, not {retired!r}.")
    for port in retired or []:
        if not _is_port(port):
            raise PlanError(f"{where}sip_ports_retired: {port!r} is no port.")
        lock.retired.append(port)
    return lock


def _is_port(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 65536
