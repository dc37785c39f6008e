# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A site's plan as rows for results and as a table for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.plan.iana import service
from ansible_collections.evenport.sip.plugins.module_utils.plan.maintain import Upkeep

COLUMNS = (("port", "port"), ("tls_port", "TLS"), ("phone", "phone"), ("line", "line"), ("state", "state"), ("service", "IANA (udp)"), ("note", "note"))


def rows_of(upkeep: Upkeep) -> list[dict[str, Any]]:
    """One row for each port of the lock, by port: port, tls_port (SIP + 1), phone, line, state, service, note."""
    moved = {(name, line): old for name, line, old, unused in upkeep.moved}
    new = {(name, line) for name, line, unused in upkeep.plan.new}
    surplus = {(name, line) for name, line, unused in upkeep.plan.surplus}
    absent = set(upkeep.plan.absent)
    rows = []
    for name, entry in upkeep.lock.ports.items():
        for line, port in enumerate(entry, start=1):
            if port is None:
                continue
            key = (name, line)
            state = "kept, phone not in inventory" if name in absent else "kept, line not in inventory" if key in surplus else "new" if key in new else ""
            iana = service(port)
            rows.append({
                "port": port, "tls_port": port + 1, "phone": name, "line": line, "state": f"was {moved[key]}" if key in moved else state,
                "service": iana.name, "note": iana.note,
            })
    return sorted(rows, key=lambda row: row["port"])


def table_of(site: str, rows: Sequence[dict[str, Any]], upkeep: Upkeep, path: str, words: str) -> str:
    """The table that the playbook prints."""
    lines = [f"Site {site}: {upkeep.plan.used} of {upkeep.plan.slots} ports used, {words} ({path})"]
    cells = [tuple(title for unused, title in COLUMNS), *(tuple(str(row[key]) for key, unused in COLUMNS) for row in rows)]
    shown = [n for n in range(len(COLUMNS)) if any(row[n] for row in cells[1:])]
    widths = [max(len(row[n]) for row in cells) for n in shown]
    lines += ["  " + "  ".join(row[n].ljust(width) for n, width in zip(shown, widths, strict=True)).rstrip() for row in cells]
    if upkeep.lock.retired:
        lines.append(f"  retired, not handed out: {', '.join(map(str, upkeep.lock.retired))}")
    return "\n".join(lines)
