# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings about a site's port lock: how much room is left, and what nobody uses any more. Pure.

A phone that is missing in the lock is no finding of an audit: it stops the site (plan/validate.py).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ansible_collections.evenport.sip.plugins.module_utils.audit.findings import Finding, found, listed
from ansible_collections.evenport.sip.plugins.module_utils.plan.lock import Lock
from ansible_collections.evenport.sip.plugins.module_utils.plan.occupancy import Occupancy, claim_lock
from ansible_collections.evenport.sip.plugins.module_utils.plan.phone import Phone
from ansible_collections.evenport.sip.plugins.module_utils.plan.ports import PortRange

FEW, TENTH = 3, 10              # nearly full: fewer free slots than this, or less than a tenth of all


def room(site: str, ports: PortRange, lock: Lock, phones: Sequence[Phone], reserved: Collection[int]) -> list[Finding]:
    """*lock* has been validated. :raises PlanError: it can't be"""
    taken = Occupancy(ports, phones, reserved, lock.retired, site)
    claim_lock(taken, lock, {phone.name: phone for phone in phones})
    free = sum(taken.is_free(slot, False) for slot in ports.slots)
    if free >= FEW and free * TENTH >= len(ports.slots):
        return []
    fit = "no further phone fits" if not free else f"{free} more phone{'s' if free > 1 else ''} with one line fit{'' if free > 1 else 's'}"
    return [found("lock_nearly_full", f"{free} of the {len(ports.slots)} ports of {ports} are free: {fit}")]


def stale(lock: Lock, names: Collection[str], used: Collection[int] | None) -> list[Finding]:
    """*names*: all phones of the site; *used*: the ports that anything at the site uses, None where that is not known."""
    gone = [name for name in lock.ports if name not in names and any(lock.ports[name])]
    free = sorted(port for port in lock.retired if used is not None and port not in used)
    findings = []
    if gone:
        findings.append(found(
            "lock_stale", f"{len(gone)} phone(s) are not in the inventory, or are softphones now ({listed(gone)})", more=["phones"],
            remedy="Run plan with sip_plan_retire for those that are gone for good; one that is only switched off in the inventory keeps its ports."))
    if free:
        findings.append(found(
            "lock_stale", f"nothing is seen on {len(free)} retired port(s) any more ({listed(map(str, free))})", more=["retired"],
            remedy="Run plan with sip_plan_release where they may be used again."))
    return findings
