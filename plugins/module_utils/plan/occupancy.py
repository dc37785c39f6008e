# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who holds which port of a site: the one place where two claims on one port meet. Pure, one dictionary access for each claim."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ansible_collections.evenport.sip.plugins.module_utils.errors import PlanError
from ansible_collections.evenport.sip.plugins.module_utils.plan.lock import Lock
from ansible_collections.evenport.sip.plugins.module_utils.plan.phone import Phone
from ansible_collections.evenport.sip.plugins.module_utils.plan.ports import PortRange


@dataclass(frozen=True)
class Holder:
    """A port's holder: a *line* of a phone, the *tls* port of a line, an unplanned *account*, or nobody (*reserved*, *retired*)."""

    kind: str
    phone: str = ""
    number: int = 0         # of the line or account

    def __str__(self) -> str:
        return {
            "line": f"{self.phone} line {self.number}",
            "tls": f"the SIP-TLS port (SIP + 1) of {self.phone} line {self.number}",
            "account": f"account {self.number} of {self.phone}, active on the phone but not planned",
            "reserved": "reserved (sip_ports_reserved)",
            "retired": "retired (sip_ports_retired)",
        }[self.kind]

    def remedy(self, port: int, loser: Holder) -> str:
        entry = f"take the port of {loser.phone} line {loser.number} out of sip_ports and run the plan again"
        return {
            "line": f"Give one of them another port: {entry}.",
            "tls": f"Move one of them: {entry}.",
            "account": f"Plan that account as a line (sip_extensions of {self.phone}) or switch it off on the phone; or {entry}.",
            "reserved": f"Take {port} out of sip_ports_reserved, or {entry}.",
            "retired": f"Release {port} (take it out of sip_ports_retired), or {entry}.",
        }[self.kind]


class Occupancy:
    """The ports of one site that are taken. Ports nobody planned come first, so that a planned line that meets one is what is refused."""

    def __init__(self, ports: PortRange, phones: Iterable[Phone] = (), reserved: Iterable[int] = (), retired: Iterable[int] = (), site: str = "") -> None:
        self.ports = ports
        self.where = f"{site}: " if site else ""
        self.holders: dict[int, Holder] = {}
        for port in reserved:
            self.holders.setdefault(port, Holder("reserved"))
        for port in retired:
            self.holders.setdefault(port, Holder("retired"))
        for phone in phones:
            for account, port in phone.further.items():
                self.holders.setdefault(port, Holder("account", phone.name, account))

    def is_free(self, port: int, tls: bool) -> bool:
        return port not in self.holders and not (tls and port + 1 in self.holders)

    def take(self, port: int, phone: str, line: int, tls: bool) -> None:
        """Enter a port known to be free."""
        self.holders[port] = Holder("line", phone, line)
        if tls:
            self.holders[port + 1] = Holder("tls", phone, line)

    def claim(self, port: int, phone: str, line: int, tls: bool, source: str) -> None:
        """Enter a port that somebody asks for (*source*: the lock, a pin), or refuse it."""
        mine = Holder("line", phone, line)
        holder = self.holders.get(port)
        objection = self.ports.objection(port)
        if objection:
            also = f" It is {holder}." if holder else ""
            even = "even and " if self.ports.step > 1 else ""
            raise PlanError(
                f"{self.where}{mine}: port {port} of {source} {objection}.{also}",
                f"Ports of this site are {even}from {self.ports}: correct {source}, or change sip_port_start and sip_port_end.",
            )
        if holder:
            verb = "duplicate, it already belongs to" if holder.kind == "line" else "already"
            raise PlanError(f"{self.where}{mine}: port {port} of {source} is {verb} {holder}.", holder.remedy(port, mine))
        above = self.holders.get(port + 1) if tls else None
        if above:
            raise PlanError(
                f"{self.where}{mine}: port {port} of {source} needs {port + 1} for SIP-TLS (SIP + 1), which is already {above}.", above.remedy(port + 1, mine)
            )
        self.take(port, phone, line, tls)


def claim_lock(taken: Occupancy, lock: Lock, phones: dict[str, Phone]) -> None:
    """Enter every port of the lock. A phone that is not among *phones* keeps its ports and counts as one without TLS."""
    for name, lines in lock.ports.items():
        phone = phones.get(name)
        tls = phone is not None and phone.transport == "tls"
        for line, port in enumerate(lines, start=1):
            if port is not None:
                taken.claim(port, name, line, tls, "the lock")


def refuse_step_one_with_tls(ports: PortRange, phones: Iterable[Phone], site: str = "") -> None:
    where = f"{site}: " if site else ""
    if ports.step == 1:
        for phone in phones:
            if phone.transport == "tls":
                raise PlanError(
                    f"{where}{phone.name} uses SIP-TLS, which takes the port above the SIP port (SIP + 1), so a step of 1 would give that port away.",
                    "Set sip_port_step to 2.",
                )
