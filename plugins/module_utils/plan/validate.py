# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check before a rollout: is a site's lock whole and sound? Read only, nothing is allocated here. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ansible_collections.evenport.sip.plugins.module_utils.errors import PlanError
from ansible_collections.evenport.sip.plugins.module_utils.plan.lock import Lock
from ansible_collections.evenport.sip.plugins.module_utils.plan.occupancy import Occupancy, claim_lock, refuse_step_one_with_tls
from ansible_collections.evenport.sip.plugins.module_utils.plan.phone import Phone
from ansible_collections.evenport.sip.plugins.module_utils.plan.ports import PortRange


def validate_site(
    site: str, phones: Sequence[Phone], lock: Lock, ports: PortRange | None = None, *, reserved: Iterable[int] = (), inventory: str = "<inventory>",
) -> dict[str, list[int | None]]:
    """The planned ports of *phones*, exactly one entry for each of their lines (None: no port of its own).

    *lock* is the whole site's, *phones* may be a part of it (``--limit``, a slice): phones of the lock that are not in the list
    keep their ports and are checked like all others. Raises PlanError where a phone or a line is missing from the lock, with the
    command that adds it, and for everything that the allocation refuses.
    """
    ports = ports or PortRange()
    missing = [(phone.name, line) for phone in phones for line in _missing_lines(phone, lock)]
    if missing:
        name, line = missing[0]
        others = len({phone for phone, unused in missing}) - 1
        raise PlanError(
            f"{site}: {name} line {line} has no port in the lock (sip_ports)" + (f", and {others} more phone(s) miss theirs." if others else "."),
            f"Run: ansible-playbook evenport.sip.plan -i {inventory}",
        )
    refuse_step_one_with_tls(ports, phones, site)
    claim_lock(Occupancy(ports, phones, reserved, lock.retired, site), lock, {phone.name: phone for phone in phones})
    return {
        phone.name: [lock.ports[phone.name][line - 1] if phone.has_own_port(line) else None for line in range(1, phone.lines + 1)]
        for phone in phones
    }


def _missing_lines(phone: Phone, lock: Lock) -> list[int]:
    entry = lock.ports.get(phone.name, [])
    return [line for line in range(1, phone.lines + 1) if phone.has_own_port(line) and (line > len(entry) or entry[line - 1] is None)]
