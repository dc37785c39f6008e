# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waves of a rollout over many sites, and what a wave came to. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.plan.moves import Order
from ansible_collections.evenport.sip.plugins.module_utils.rollout.inventory import Site

Wave = dict[str, Any]


def plan_waves(sites: Mapping[str, Site], orders: Mapping[str, Order], canaries: int = 2) -> tuple[list[Wave], dict[str, list[str]]]:
    """All sites' waves side by side, after a first one with *canaries* phones of each site; and the canaries, site -> phones.

    A wave is {"phones": {name: {"ports": [...], "parking": bool}}, "expected": {pbx: [{"phone", "extension", "port"}]}}.
    A site with no more phones to move than canaries has none: there is nobody left whom they could warn for.
    """
    chosen: dict[str, list[str]] = {}
    waves: list[dict[str, dict[str, Any]]] = [{}]
    for site, order in orders.items():
        movers = {step["phone"] for wave in order.waves for step in wave}
        if len(movers) > canaries > 0:
            chosen[site] = [step["phone"] for step in order.waves[0] if not step["parking"]][:canaries]
        first = set(chosen.get(site, ()))
        for number, wave in enumerate(order.waves, start=1):
            while len(waves) <= number:
                waves.append({})
            for step in wave:
                place = 0 if number == 1 and step["phone"] in first else number
                waves[place][step["phone"]] = {"ports": step["ports"], "parking": step["parking"]}
    phones = {phone.name: phone for site in sites.values() for phone in site.phones}
    return [{"phones": wave, "expected": _expected(wave, phones)} for wave in waves if wave], {site: names for site, names in chosen.items() if names}


def _expected(wave: Mapping[str, Mapping[str, Any]], phones: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """What each PBX is to show after this wave."""
    expected: dict[str, list[dict[str, Any]]] = {}
    for name, step in wave.items():
        phone = phones[name]
        if phone.pbx:
            for extension, port in zip(phone.extensions, step["ports"], strict=False):
                if port is not None:
                    expected.setdefault(phone.pbx, []).append({"phone": name, "extension": extension, "port": port})
    return expected


def settle(
    wave: Wave, pushes: Mapping[str, Mapping[str, Any]], reads: Mapping[str, Mapping[str, Any]], earlier: Mapping[str, Any] | None = None,
    canaries: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Any]:
    """What the run has come to after one wave (or after restarting some of its phones).

    *pushes*: phone -> result of evenport.sip.phone. *reads*: PBX -> result of asterisk_registrations_info with ``wait_for``
    (``not_shown``: extensions whose newest registration does not claim the planned port), or a failed result. *earlier*: what
    this function returned before. Returns, JSON-able:

    ``moved`` phone -> {"before", "after"} of all waves; ``not_shown`` phone -> text, of this wave, still to be mended or put back;
    ``not_proven`` those of all waves; ``failed_phones`` phone -> text, of all waves and whatever the reason;
    ``deferred`` phones worth another run; ``stopped`` site -> text, where every canary failed: that is no single bad phone, so the rest
    of the site is left alone.
    """
    earlier = earlier or {}
    moved = dict(earlier.get("moved") or {})
    failed = dict(earlier.get("failed_phones") or {})
    deferred = dict(earlier.get("deferred") or {})
    waiting = earlier.get("not_shown") or {}
    not_proven = dict(earlier.get("not_proven") or {})
    not_shown: dict[str, str] = {}
    for name in wave["phones"]:
        push = pushes.get(name) or {"skipped": True}
        if push.get("skipped"):
            continue
        if push.get("changed"):
            moved[name] = {"before": moved.get(name, push).get("before", {}), "after": push.get("after", {})}
        if push.get("failed") or push.get("unreachable"):
            failed[name] = str(push.get("msg", "the push failed"))
            if name in waiting:         # it was its restart that failed: it is still to be put back
                not_shown[name] = failed[name] = f"{waiting[name]}; {failed[name]}"
            elif push.get("unreachable") or push.get("code") == "deferred":
                deferred[name] = True
            continue
        trouble = "; ".join(_not_proven(name, wave["expected"], reads))
        failed.pop(name, None)
        if trouble:
            not_shown[name] = failed[name] = trouble
    not_proven = {name: True for name in [*not_proven, *not_shown] if name in failed}
    return {
        "moved": moved, "not_shown": not_shown, "not_proven": not_proven, "failed_phones": failed, "deferred": deferred,
        "stopped": _stopped(canaries or {}, failed),
    }


def _not_proven(phone: str, expected: Mapping[str, Sequence[Mapping[str, Any]]], reads: Mapping[str, Mapping[str, Any]]) -> list[str]:
    troubles = []
    for pbx, rows in expected.items():
        read = reads.get(pbx, {"failed": True})
        mine = [row for row in rows if row["phone"] == phone]
        if mine and (read.get("failed") or read.get("unreachable")):
            troubles.append(f"{pbx} could not be read: {read.get('msg', 'no answer')}")
        else:
            missing = set(map(str, read.get("not_shown", ())))
            troubles += [f"{pbx} does not show extension {row['extension']} on port {row['port']}" for row in mine if row["extension"] in missing]
    return troubles


def _stopped(canaries: Mapping[str, Sequence[str]], failed: Mapping[str, str]) -> dict[str, str]:
    return {
        site: f"The first {len(names)} phone(s) of {site} failed ({', '.join(names)}), so the others were left as they are."
        for site, names in canaries.items() if names and all(name in failed for name in names)
    }
