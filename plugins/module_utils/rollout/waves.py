# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waves of a rollout over many sites: who moves when, and what each PBX is to show then. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.plan.moves import Order
from ansible_collections.evenport.sip.plugins.module_utils.rollout.inventory import Site

Wave = dict[str, Any]


def plan_waves(
    sites: Mapping[str, Site], orders: Mapping[str, Order], canaries: int = 2, mute: Collection[str] = (),
) -> tuple[list[Wave], dict[str, list[str]]]:
    """All sites' waves side by side, after a first one with *canaries* phones of each site; and the canaries, site -> phones.

    A wave is {"phones": {name: {"ports": [...], "parking": bool, "after": [phones that must have left a port for it]}},
    "expected": {pbx: [{"phone", "extension", "port"}]}, "ask": {pbx: [extensions]}, "mute": {pbx: {phone: [extensions]}}}.
    The last two have those of *mute*: phones that can't say themselves whether they are in use, so that their PBX is to be asked.
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
                after = [] if step["parking"] else list(order.after.get(step["phone"], ()))
                waves[place][step["phone"]] = {"ports": step["ports"], "parking": step["parking"], "after": after}
    phones = {phone.name: phone for site in sites.values() for phone in site.phones}
    return [_wave(wave, phones, mute) for wave in waves if wave], {site: names for site, names in chosen.items() if names}


def _wave(steps: Mapping[str, Mapping[str, Any]], phones: Mapping[str, Any], mute: Collection[str]) -> Wave:
    muted = _mute(steps, phones, mute)
    asked = {pbx: [extension for extensions in theirs.values() for extension in extensions] for pbx, theirs in muted.items()}
    return {"phones": steps, "expected": _expected(steps, phones), "ask": asked, "mute": muted}


def _expected(wave: Mapping[str, Mapping[str, Any]], phones: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """What each PBX is to show after this wave."""
    expected: dict[str, list[dict[str, Any]]] = {}
    for name, step in wave.items():
        phone = phones[name]
        if phone.pbx:
            for extension, port in zip(phone.extensions, step["ports"], strict=False):
                if extension and port is not None:
                    expected.setdefault(phone.pbx, []).append({"phone": name, "extension": extension, "port": port})
    return expected


def _mute(wave: Mapping[str, Any], phones: Mapping[str, Any], mute: Collection[str]) -> dict[str, dict[str, list[str]]]:
    """Whom to ask about calls on the phones of this wave that can't tell."""
    asked: dict[str, dict[str, list[str]]] = {}
    for name in wave:
        extensions = list(filter(None, phones[name].extensions))
        if name in mute and phones[name].pbx and extensions:
            asked.setdefault(phones[name].pbx, {})[name] = extensions
    return asked
