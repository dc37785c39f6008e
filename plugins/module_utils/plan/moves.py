# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The order of a rollout: no phone moves onto a port that another phone of the site still holds. Pure.

Phones hold the ports that they signal from *now*. A phone can be pushed once nobody else holds a port that it is to get; where
phones wait for each other in a ring, one of them steps aside onto a parking port above the range first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import PlanError

PortsOf = Mapping[str, Sequence[int | None]]


@dataclass
class Order:
    """``waves`` is a list of lists of steps {"phone": name, "ports": [port of line 1, ...], "parking": bool}, ready for JSON.

    A step of wave k needs only ports that waves before k have freed. A phone with a parking step has its final step in a later
    wave. ``blocked``: phones that can't move in this run, {name: {"port": 5062, "holder": other phone}}, as the holder is not
    among the planned ones (offline, a softphone, out of the limit) or is itself blocked. ``after``: who must have left a port
    before a phone may take its final step, {name: [other phone, ...]}; a run in which one of those fails must leave the phone alone.
    """

    waves: list[list[dict[str, Any]]] = field(default_factory=list)
    blocked: dict[str, dict[str, Any]] = field(default_factory=dict)
    after: dict[str, list[str]] = field(default_factory=dict)


def order_moves(current: PortsOf, planned: PortsOf, *, end: int = 5200, taken: Iterable[int] = ()) -> Order:
    """Waves that bring *planned* about.

    *current*: the ports that each phone of the site holds now, as far as known. *planned*: the phones of this run and where they
    go; phones that already sit there are in the first wave. *end*: end of the port range, parking ports are even and above it;
    *taken*: further ports not to park on. All phones on 5060, each to a port of its own: one wave.
    """
    now = {phone: list(ports) for phone, ports in current.items()}
    holders: dict[int, dict[str, None]] = {}        # port -> phones that hold it now, in order
    for phone, ports in now.items():
        for port in _ports(ports):
            holders.setdefault(port, {})[phone] = None
    goals = {phone: _ports(ports) for phone, ports in planned.items()}
    owner = {port: phone for phone, ports in goals.items() for port in ports}
    parking = _parking(end, {*holders, *taken, *owner})
    order = Order(blocked=_blocked(goals, owner, holders))
    waiting = [phone for phone in planned if phone not in order.blocked]
    freed: dict[int, dict[str, None]] = {}          # port -> phones that have left it
    while waiting:
        blockers = {phone: _blocker(phone, goals[phone], holders) for phone in waiting}
        steps = [{"phone": phone, "ports": list(planned[phone]), "parking": False} for phone in waiting if blockers[phone] is None]
        for step in steps:
            others = dict.fromkeys(other for port in goals[step["phone"]] for other in freed.get(port, ()) if other != step["phone"])
            if others:
                order.after[step["phone"]] = list(others)
        for phone in _one_of_each_ring(blockers):
            aside = [next(parking) if port in owner and owner[port] != phone else port for port in now[phone]]
            steps.append({"phone": phone, "ports": aside, "parking": True})
        for step in steps:
            for port in _ports(now.get(step["phone"], ())):
                holders[port].pop(step["phone"], None)
                freed.setdefault(port, {})[step["phone"]] = None
            for port in _ports(step["ports"]):
                holders.setdefault(port, {})[step["phone"]] = None
            now[step["phone"]] = step["ports"]
        order.waves.append(steps)
        done = {step["phone"] for step in steps if not step["parking"]}
        waiting = [phone for phone in waiting if phone not in done]
    return order


def _ports(ports: Sequence[int | None]) -> list[int]:
    return [port for port in ports if port is not None]


def _others_on(phone: str, port: int, holders: Mapping[int, Mapping[str, None]]) -> list[str]:
    """The phones that *phone* must wait for. On a port where it sits already it waits for nobody: pushing it changes nothing there."""
    on = holders.get(port, {})
    return [] if phone in on else list(on)


def _blocker(phone: str, goal: Sequence[int], holders: Mapping[int, Mapping[str, None]]) -> str | None:
    return next((other for port in goal for other in _others_on(phone, port, holders)), None)


def _blocked(goals: Mapping[str, Sequence[int]], owner: Mapping[int, str], holders: Mapping[int, Mapping[str, None]]) -> dict[str, dict[str, Any]]:
    """Phones whose goal will not become free, and those that wait for them, found by following the waits backwards."""
    waits_for: dict[str, list[tuple[str, int]]] = {}    # holder -> (phone, port) that wait for it
    blocked: dict[str, dict[str, Any]] = {}
    for phone, ports in goals.items():
        for port in ports:
            if owner[port] != phone:
                raise PlanError(f"{phone} and {owner[port]} are both planned on port {port}.", "Check the lock.")
            for holder in _others_on(phone, port, holders):
                waits_for.setdefault(holder, []).append((phone, port))
                if holder not in goals:
                    blocked.setdefault(phone, {"port": port, "holder": holder})
    todo = list(blocked)
    while todo:
        holder = todo.pop()
        for phone, port in waits_for.get(holder, ()):
            if phone not in blocked:
                blocked[phone] = {"port": port, "holder": holder}
                todo.append(phone)
    return blocked


def _one_of_each_ring(blockers: Mapping[str, str | None]) -> list[str]:
    """Each phone waits for at most one other: walk from each until known ground; a walk that bites its own tail is a ring."""
    walked: dict[str, str] = {}     # phone -> start of the walk that met it first
    rings = []
    for start in blockers:
        phone: str | None = start
        while phone is not None and phone not in walked:
            walked[phone] = start
            phone = blockers.get(phone)
        if phone is not None and walked[phone] == start:
            rings.append(phone)
    return rings


def _parking(end: int, taken: set[int]) -> Iterator[int]:
    for port in range(end + 2 - end % 2, 65534, 2):
        if port not in taken and port + 1 not in taken:
            yield port
    raise PlanError(f"No free port above {end} for a phone to step aside.")
