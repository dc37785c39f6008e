# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A phone as the plan sees it, and how brand facts and a site's options become one. Pure: the caller brings the brand facts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from ansible_collections.evenport.sip.plugins.module_utils.errors import PlanError
from ansible_collections.evenport.sip.plugins.module_utils.plan.ports import whole_number

TRANSPORTS = ("udp", "tcp", "tls")


class BrandFacts(Protocol):
    """What the plan must know of a brand."""

    port_scope: str                     # "line": each account has a local port; "phone": all share one; "varies": planned as "line", the careful choice
    default_ports: tuple[int, ...]      # default local port of account 1, 2, ...


@dataclass(frozen=True)
class Phone:
    """One phone of a site. *further* holds the ports of accounts that are active on the phone but not planned: {account: port}."""

    name: str
    lines: int = 1
    transport: str = "udp"
    port_scope: str = "line"
    further: Mapping[int, int] = field(default_factory=dict)

    def has_own_port(self, line: int) -> bool:
        return line == 1 or self.port_scope != "phone"


def phones_of(
    names: Iterable[str],
    *,
    lines: int | Mapping[str, int] = 1,
    transports: Mapping[str, str] | None = None,
    brands: Mapping[str, str] | None = None,
    active_accounts: Mapping[str, Iterable[int]] | None = None,
    facts: Mapping[str, BrandFacts] | None = None,
) -> list[Phone]:
    """The phones *names*, in that order. A phone that an option does not mention has one line, UDP and a port for each line.

    ``active_accounts`` are account numbers that are active on the phone; those above its planned lines sit on the brand's
    default ports. Brand "auto" (or none) is planned with a port for each line, the careful choice.
    """
    transports, brands, active_accounts, facts = transports or {}, brands or {}, active_accounts or {}, facts or {}
    phones = []
    for name in names:
        count = whole_number(lines.get(name, 1) if isinstance(lines, Mapping) else lines, f"{name}: the number of lines")
        if count < 1:
            raise PlanError(f"{name}: the number of lines must be 1 or more, not {count}.")
        transport = str(transports.get(name, "udp")).lower()
        if transport not in TRANSPORTS:
            raise PlanError(f"{name}: {transport!r} is no transport.", f"Take one of {', '.join(TRANSPORTS)}.")
        brand = str(brands.get(name, "auto")).lower()
        known = facts.get(brand)
        if known is None and brand != "auto":
            raise PlanError(f"{name}: {brand!r} is no brand that the plan knows.", f"Take one of {', '.join(['auto', *sorted(facts)])}.")
        further = {}
        for account in active_accounts.get(name, ()):
            number = whole_number(account, f"{name}: an active account")
            if number > count:
                further[number] = _default_port(name, number, brand, known)
        phones.append(Phone(name, count, transport, known.port_scope if known else "line", further))
    return phones


def _default_port(name: str, account: int, brand: str, known: BrandFacts | None) -> int:
    if known is None:
        raise PlanError(f"{name}: account {account} is active, but its default port depends on the brand, which is not given.", "Set the phone's brand.")
    if not 0 < account <= len(known.default_ports):
        raise PlanError(
            f"{name}: account {account} is active, but the default port of that account of {brand} is not known.",
            "Plan it as a line, or switch it off on the phone.",
        )
    return known.default_ports[account - 1]
