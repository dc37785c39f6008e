# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The allocation: the lock decides; what it leaves open takes the lowest free slot, in the order of the phones. Pure and linear."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.evenport.sip.plugins.module_utils.errors import PlanError
from ansible_collections.evenport.sip.plugins.module_utils.plan.lock import Lock
from ansible_collections.evenport.sip.plugins.module_utils.plan.occupancy import Occupancy, claim_lock, refuse_step_one_with_tls
from ansible_collections.evenport.sip.plugins.module_utils.plan.phone import Phone
from ansible_collections.evenport.sip.plugins.module_utils.plan.ports import PortRange


@dataclass
class Plan:
    """``ports`` is the whole new lock: the lock's phones first, in its order, then the new ones in theirs."""

    ports: dict[str, list[int | None]] = field(default_factory=dict)
    new: list[tuple[str, int, int]] = field(default_factory=list)       # (phone, line, port) handed out now
    absent: list[str] = field(default_factory=list)                     # phones of the lock that the list does not have; kept
    surplus: list[tuple[str, int, int]] = field(default_factory=list)   # (phone, line, port) of the lock beyond the phone's lines; kept
    used: int = 0
    slots: int = 0


def allocate(
    phones: Sequence[Phone],
    ports: PortRange | None = None,
    lock: Lock | None = None,
    *,
    reserved: Iterable[int] = (),
    pins: Mapping[str, Sequence[int | None]] | None = None,
    absent: str = "refuse",
    site: str = "",
) -> Plan:
    """Ports for one site. *pins* are ports that a person wants, phone -> [port of line 1, ...]; *absent* is what becomes of phones of
    the lock that are not in the list: "refuse" or "keep". Raises PlanError before anything is handed out where the plan can't be.
    """
    ports, lock, pins = ports or PortRange(), lock or Lock(), pins or {}
    reserved = list(reserved)
    where = f"{site}: " if site else ""
    by_name = {phone.name: phone for phone in phones}
    if len(by_name) != len(phones):
        names = [phone.name for phone in phones]
        raise PlanError(f"{where}{next(n for n in names if names.count(n) > 1)} is in the list of phones twice.", "Name each phone once.")
    refuse_step_one_with_tls(ports, phones, site)
    plan = Plan(slots=len(ports.slots), absent=[name for name in lock.ports if name not in by_name])
    if plan.absent and absent != "keep":
        raise PlanError(
            f"{where}the lock has {plan.absent[0]}{_and_more(plan.absent)}, unknown in the list of phones.",
            "Put it back into the inventory; or retire its ports; or keep them (absent: keep) where the list is only a part of the site.",
        )
    taken = Occupancy(ports, phones, reserved, lock.retired, site)
    claim_lock(taken, lock, by_name)
    plan.ports = {name: list(lines) for name, lines in lock.ports.items()}
    _pin(plan, taken, pins, by_name, where)
    _fill(plan, taken, phones, lock, reserved, where)
    plan.used = sum(port is not None for lines in plan.ports.values() for port in lines)
    return plan


def _and_more(names: Sequence[str]) -> str:
    return f" (and {len(names) - 1} more)" if len(names) > 1 else ""


def _pin(plan: Plan, taken: Occupancy, pins: Mapping[str, Sequence[int | None]], phones: Mapping[str, Phone], where: str) -> None:
    for name, wanted in pins.items():
        phone = phones.get(name)
        if phone is None:
            raise PlanError(f"{where}{name} has a pinned port but is unknown in the list of phones.", "Correct the name, or drop the pin.")
        if len(wanted) > phone.lines:
            raise PlanError(f"{where}{name} line {len(wanted)}: pinned, but the phone has {phone.lines} line(s).", "Drop the pin, or plan the line.")
        entry = plan.ports.setdefault(name, [])
        for line, port in enumerate(wanted, start=1):
            if port is None:
                continue
            if not phone.has_own_port(line):
                raise PlanError(f"{where}{name} line {line}: pinned to {port}, but this brand has one port for the whole phone.", "Pin line 1 only.")
            entry.extend([None] * (line - len(entry)))
            if entry[line - 1] is None:
                taken.claim(port, name, line, phone.transport == "tls", "the pin")
                entry[line - 1] = port
                plan.new.append((name, line, port))
            elif entry[line - 1] != port:
                raise PlanError(f"{where}{name} line {line}: pinned to {port}, but the lock has {entry[line - 1]}.", "Correct the lock, or drop the pin.")


def _fill(plan: Plan, taken: Occupancy, phones: Sequence[Phone], lock: Lock, reserved: Sequence[int], where: str) -> None:
    """Give every open line the lowest free slot. Slots are only ever taken, so one pass over them is enough for UDP and one for TLS."""
    upward = {False: iter(taken.ports.slots), True: iter(taken.ports.slots)}
    for phone in phones:
        entry = plan.ports.setdefault(phone.name, [])
        tls = phone.transport == "tls"
        for line in range(1, max(phone.lines, len(entry)) + 1):
            has = entry[line - 1] if line <= len(entry) else None
            wants = line <= phone.lines and phone.has_own_port(line)
            if has is not None and not wants:
                plan.surplus.append((phone.name, line, has))
            if has is None and wants:
                has = next((slot for slot in upward[tls] if taken.is_free(slot, tls)), None)
                if has is None:
                    raise _exhausted(phone, line, phones, taken, lock, reserved, where)
                taken.take(has, phone.name, line, tls)
                plan.new.append((phone.name, line, has))
            if line > len(entry):
                entry.append(has)
            else:
                entry[line - 1] = has


def _exhausted(phone: Phone, line: int, phones: Sequence[Phone], taken: Occupancy, lock: Lock, reserved: Sequence[int], where: str) -> PlanError:
    ports = taken.ports
    lines = sum(p.lines if p.port_scope == "line" else 1 for p in phones)
    listed = {p.name for p in phones}
    withheld = {
        "retired": set(lock.retired),
        "reserved": set(reserved),
        "kept for phones that are not in the list": {port for name, entry in lock.ports.items() if name not in listed for port in entry},
        "on active accounts that are not planned": {port for p in phones for port in p.further.values()},
    }
    slots = set(ports.slots)
    counted = ", ".join(f"{len(slots & numbers)} {why}" for why, numbers in withheld.items() if slots & numbers)
    return PlanError(
        f"{where}no port is left for {phone.name} line {line}: {len(phones)} phones with {lines} lines need a port each, "
        f"and {ports} in steps of {ports.step} has {len(slots)} slots" + (f", of them {counted}." if counted else "."),
        "Raise sip_port_end; or release retired ports; or put some phones behind a second public address (then a second site); "
        "or take them out of this NAT (VLAN or SBC).",
    )
