# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter even_ports: argument checks, then the pure allocation of module_utils/plan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.evenport.sip.plugins.module_utils.errors import PlanError
from ansible_collections.evenport.sip.plugins.module_utils.phones.brands import BRANDS
from ansible_collections.evenport.sip.plugins.module_utils.plan.allocation import allocate
from ansible_collections.evenport.sip.plugins.module_utils.plan.lock import parse_lock
from ansible_collections.evenport.sip.plugins.module_utils.plan.phone import phones_of
from ansible_collections.evenport.sip.plugins.module_utils.plan.ports import PortRange, whole_number


def even_ports(
    phones: Any,
    start: int = 5060,
    end: int = 5200,
    step: int = 2,
    lines: Any = None,
    lock: Any = None,
    retired: Any = None,
    reserved: Any = None,
    pins: Any = None,
    transports: Any = None,
    brands: Any = None,
    active_accounts: Any = None,
    absent: str = "refuse",
) -> dict[str, Any]:
    """Phone -> port; or, with *lines* or *lock*, phone -> [port of line 1, ...], the form of the lock."""
    try:
        ports = PortRange(whole_number(start, "start"), whole_number(end, "end"), whole_number(step, "step"))
        plan = allocate(
            phones_of(
                _names(phones), lines=_lines(lines), transports=_mapping(transports, "transports"), brands=_mapping(brands, "brands"),
                active_accounts={name: _list(value, f"active_accounts of {name}") for name, value in _mapping(active_accounts, "active_accounts").items()},
                facts=BRANDS,
            ),
            ports,
            parse_lock(lock, retired),
            reserved=[whole_number(port, "a reserved port") for port in _list(reserved, "reserved")],
            pins={name: _pin(name, value) for name, value in _mapping(pins, "pins").items()},
            absent=_absent(absent),
        )
    except PlanError as error:
        raise AnsibleFilterError(f"even_ports: {error}") from error
    if lines is None and lock is None:
        return {name: entry[0] for name, entry in plan.ports.items()}
    return plan.ports


def _names(phones: Any) -> list[str]:
    if isinstance(phones, (str, bytes)) or not isinstance(phones, Iterable):
        raise PlanError(f"the input must be a list of phones, not {phones!r}.", "Example: groups['acme_hq'] | evenport.sip.even_ports")
    names = list(phones)
    for name in names:
        if not isinstance(name, str) or not name:
            raise PlanError(f"the list of phones has {name!r}, which is no name.", "Write names in quotes.")
    return [str(name) for name in names]


def _lines(lines: Any) -> Any:
    return lines if isinstance(lines, Mapping) else 1 if lines is None else whole_number(lines, "lines")


def _mapping(value: Any, option: str) -> Mapping[str, Any]:
    if not isinstance(value or {}, Mapping):
        raise PlanError(f"{option} must be a mapping by phone, not {value!r}.")
    return value or {}


def _list(value: Any, option: str) -> list[Any]:
    if isinstance(value, (str, Mapping)) or not isinstance(value or [], Iterable):
        raise PlanError(f"{option} must be a list, not {value!r}.")
    return list(value or [])


def _pin(name: str, value: Any) -> list[int | None]:
    ports = value if isinstance(value, (list, tuple)) else [value]
    return [None if port is None else whole_number(port, f"{name}: a pinned port") for port in ports]


def _absent(value: Any) -> str:
    if value not in ("refuse", "keep"):
        raise PlanError(f"absent is {value!r}.", "Take refuse or keep.")
    return value


class FilterModule:
    def filters(self) -> dict[str, Any]:
        return {"even_ports": even_ports}
