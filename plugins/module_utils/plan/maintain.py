# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person can ask of a lock: retire ports, release them, number anew; then fill the gaps. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ansible_collections.evenport.sip.plugins.module_utils.errors import PlanError
from ansible_collections.evenport.sip.plugins.module_utils.plan.allocation import Plan, allocate
from ansible_collections.evenport.sip.plugins.module_utils.plan.lock import Lock
from ansible_collections.evenport.sip.plugins.module_utils.plan.phone import Phone
from ansible_collections.evenport.sip.plugins.module_utils.plan.ports import PortRange


@dataclass
class Upkeep:
    """The lock as it should be, and what is different about it. The lists hold (phone, line, port), ``moved`` (phone, line, old, new)."""

    lock: Lock
    plan: Plan
    moved: list[tuple[str, int, int, int]] = field(default_factory=list)
    retired: list[tuple[str, int, int]] = field(default_factory=list)
    released: list[int] = field(default_factory=list)


def maintain(
    phones: Sequence[Phone],
    ports: PortRange,
    lock: Lock,
    *,
    reserved: Iterable[int] = (),
    retire: Iterable[str] = (),
    release: Iterable[int] = (),
    renumber: bool = False,
    site: str = "",
) -> Upkeep:
    """Bring a site's lock up to date; *lock* itself is left as it is.

    Phones of the lock that are not among *phones* are kept untouched: they may be disabled or in another slice. *retire*: names of
    phones of this lock; an absent phone loses its entry, a listed one the ports beyond its lines, and the ports join the retired.
    *release*: retired ports of this lock that may be used again, at once. *renumber*: forget the ports of *phones* and number them
    anew in their order. Raises PlanError as the allocation does.
    """
    lock = Lock({name: list(entry) for name, entry in lock.ports.items()}, list(lock.retired))
    released = [port for port in release if port in lock.retired]
    lock.retired = [port for port in lock.retired if port not in released]
    retired = [gone for name in retire for gone in _retire(name, lock, {phone.name: phone for phone in phones}, site)]
    lock.retired += [port for unused, unused, port in retired]
    old = lock.ports
    if renumber:
        listed = {phone.name for phone in phones}
        kept = {name: entry for name, entry in old.items() if name not in listed}
        fresh = allocate(phones, ports, Lock(kept, lock.retired), reserved=reserved, absent="keep", site=site)
        fresh.ports = {name: fresh.ports[name] for name in [*old, *fresh.ports]}     # entries stay where they are in the file
        fresh.new = [new for new in fresh.new if _port_of(old, new[0], new[1]) is None]
    else:
        fresh = allocate(phones, ports, lock, reserved=reserved, absent="keep", site=site)
    moved = [
        (name, line, was, now)
        for name, entry in fresh.ports.items() for line, now in enumerate(entry, start=1)
        if now is not None and (was := _port_of(old, name, line)) not in (None, now)
    ]
    return Upkeep(Lock(fresh.ports, lock.retired), fresh, moved, retired, released)


def _port_of(ports: dict[str, list[int | None]], name: str, line: int) -> int | None:
    entry = ports.get(name, [])
    return entry[line - 1] if line <= len(entry) else None


def _retire(name: str, lock: Lock, phones: dict[str, Phone], site: str) -> list[tuple[str, int, int]]:
    """Take the ports of *name* that no phone uses out of the lock."""
    where = f"{site}: " if site else ""
    if name not in lock.ports:
        raise PlanError(f"{where}{name} is to be retired, but the lock does not have it.", "Correct the name.")
    phone, entry = phones.get(name), lock.ports[name]
    if phone is None:
        del lock.ports[name]
        return [(name, line, port) for line, port in enumerate(entry, start=1) if port is not None]
    surplus = [(name, n, port) for n, port in enumerate(entry, start=1) if port is not None and (n > phone.lines or not phone.has_own_port(n))]
    if not surplus:
        raise PlanError(
            f"{where}{name} is to be retired, but it is a phone of the inventory and uses all its ports.",
            "Take it out of the inventory (or make it sip_phone_kind: softphone) first.",
        )
    gone = {line for unused, line, unused in surplus}
    lock.ports[name] = [None if line in gone else port for line, port in enumerate(entry, start=1)][:phone.lines]
    return surplus
