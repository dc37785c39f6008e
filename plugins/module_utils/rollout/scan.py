# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading all phones of a play at once, and sorting them by what is to be done. The only I/O is inspect_phone's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import Busy, EvenportError, Provisioned, Unreachable
from ansible_collections.evenport.sip.plugins.module_utils.phones.brands import is_factory_password
from ansible_collections.evenport.sip.plugins.module_utils.plan.moves import Order, order_moves
from ansible_collections.evenport.sip.plugins.module_utils.rollout.inventory import Site, SitePhone

Inspect = Callable[[SitePhone], dict[str, Any]]

# What a phone's scan can come to. "on_site": a box inside the site reads it, in its own task.
IN_ORDER, DRIFTED, OFFLINE, REFUSED, UNMANAGED, ON_SITE = "in_order", "drifted", "offline", "refused", "unmanaged", "on_site"
NOT_ASKED = "not_asked"         # of an audit: the PBX alone tells about it


def scan_sites(sites: Iterable[Site], inspect: Inspect, *, workers: int = 50, audit: bool = False) -> dict[str, dict[str, Any]]:
    """phone -> {"site", "state", "code", "msg", "ports_now", "further", "before", "after", ...}, JSON-able, no secrets.

    Sites and phones with an error of their own are not contacted. A phone that misbehaves, in whatever way, fails alone.
    In an *audit* a phone that is not to be asked, or can't be for want of a password, is NOT_ASKED, with why in "msg"; a rollout refuses it.
    """
    states: dict[str, dict[str, Any]] = {}
    to_read: list[SitePhone] = []
    for site in sites:
        for phone in site.phones:
            error = phone.error or (site.error if phone.managed else None)      # a softphone needs no lock
            if error:
                states[phone.name] = _state(phone, REFUSED, error)
            elif not phone.managed:
                states[phone.name] = _state(phone, UNMANAGED)
            elif audit and phone.unasked:
                states[phone.name] = {**_state(phone, NOT_ASKED), "msg": phone.unasked}
            elif phone.runner:
                states[phone.name] = _state(phone, ON_SITE)
            else:
                states[phone.name] = {}             # keeps inventory order
                to_read.append(phone)
    if to_read:
        with ThreadPoolExecutor(max_workers=min(workers, len(to_read))) as pool:
            for phone, state in zip(to_read, pool.map(lambda one: _read(one, inspect), to_read), strict=True):
                states[phone.name] = state
    return states


def order_of(site: Site, states: Mapping[str, dict[str, Any]]) -> Order:
    """The order in which this site's drifted phones may move. A phone that must not move at all becomes REFUSED in *states*."""
    current: dict[str, list[int | None]] = {}
    for phone in site.phones:
        state = states[phone.name]
        current[phone.name] = state.get("ports_now", [])
        for account, port in state.get("further", {}).items():      # does not move away with the phone's planned lines
            current[f"account {account} of {phone.name}"] = [port]
    drifted = {phone.name: phone.ports for phone in site.phones if states[phone.name]["state"] in (DRIFTED, ON_SITE)}
    order = order_moves(current, drifted, end=site.range.end)
    for name, blocked in order.blocked.items():
        holder, port = blocked["holder"], blocked["port"]
        account = holder.startswith("account ")
        remedy = "Plan it as a line (sip_extensions of that phone), or switch the account off there." if account else f"Bring {holder} in order first."
        what = f"{site.name}/{name} was not moved to port {port}: {holder} is active on it."
        states[name].update(state=REFUSED, code="active_account" if account else "port_taken", msg=f"{what} {remedy}", what=what, remedy=remedy)
    return order


def _read(phone: SitePhone, inspect: Inspect) -> dict[str, Any]:
    try:
        result = inspect(phone)
        if result["port_scope"] == "phone":     # planned before anybody knew: the port of its first line is all its lines'
            phone.ports = [*phone.ports[:1], *[None] * len(phone.ports[1:])]
        return _state(phone, DRIFTED if result["drift"]["after"] else IN_ORDER, None, **_facts(phone, result))
    except (Unreachable, Busy) as error:        # not there, or somebody else holds its only web session: another run may do
        return _state(phone, OFFLINE, error)
    except Provisioned as error:                # read, and not to be written: what it holds may be in somebody's way
        return _state(phone, REFUSED, error, **(_facts(phone, error.found) if error.found else {}))
    except EvenportError as error:
        return _state(phone, REFUSED, error)
    except Exception as error:  # noqa: BLE001 - whatever a device makes us stumble over: its own failure, not the fleet's
        return {**_state(phone, REFUSED), "code": "error", "msg": f"{phone.site}/{phone.name}: reading failed ({type(error).__name__}). Please report this."}


def _facts(phone: SitePhone, result: Mapping[str, Any]) -> dict[str, Any]:
    lines = result["settings"].get("lines", [])
    planned = set(range(1, len(phone.ports) + 1))
    random = result["settings"].get("random_port")
    return {
        "identity": result["identity"],
        "settings": result["settings"],
        "port_scope": result["port_scope"],
        # The phone has just accepted this password: nobody tries another one to find out, and nobody tells it.
        "default_password": is_factory_password(result["identity"].get("brand", ""), phone.variables.get("sip_phone_password")),
        "call_state": result["call_state"],
        "before": result["drift"]["before"],
        "after": result["drift"]["after"],
        # A phone with random ports holds none that could be in anybody's way.
        "ports_now": [] if random else [line.get("local_port") for line in lines if line["line"] in planned],
        "further": {
            str(account["number"]): account["local_port"] for account in result["accounts"]
            if account["active"] and account["number"] not in planned and account["local_port"] and not random
        },
        "provisioning": result.get("provisioning") or {},
    }


def _state(phone: SitePhone, state: str, error: EvenportError | None = None, **more: Any) -> dict[str, Any]:
    return {
        "site": phone.site, "pbx": phone.pbx, "state": state, "code": error.code if error else "", "msg": str(error) if error else "",
        "what": error.what if error else "", "remedy": error.remedy if error else "",
        "ports": phone.ports, "extensions": phone.extensions, **more,
    }
