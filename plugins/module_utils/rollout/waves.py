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

    A wave is {"phones": {name: {"ports": [...], "parking": bool, "after": [phones that must have left a port for it]}},
    "expected": {pbx: [{"phone", "extension", "port"}]}}.
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
    return [{"phones": wave, "expected": _expected(wave, phones)} for wave in waves if wave], {site: names for site, names in chosen.items() if names}


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


def settle(
    wave: Wave, pushes: Mapping[str, Mapping[str, Any]], reads: Mapping[str, Mapping[str, Any]], earlier: Mapping[str, Any] | None = None,
    canaries: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Any]:
    """What the run has come to before a wave (no *pushes*), after it, or after restarting some of its phones.

    *pushes*: phone -> result of evenport.sip.phone. *reads*: PBX -> result of asterisk_registrations_info with ``wait_for``
    (``not_shown``: extensions whose newest registration does not claim the planned port), or a failed result. *earlier*: what
    this function returned before. Returns, JSON-able:

    ``moved`` phone -> {"before", "after"} of all waves; ``not_shown`` phone -> text, of this wave, still to be mended or put back;
    ``unread`` those of them whose PBX could not be asked: a restart would show nothing; ``not_proven`` those of all waves;
    ``done`` phones whose last step went well; ``blocked`` phone -> text: who holds a port that it is to get has not left;
    ``failed_phones`` phone -> text, of all waves and whatever the reason;
    ``deferred`` phones worth another run; ``stopped`` site -> text, where every canary failed: that is no single bad phone, so the rest
    of the site is left alone.
    """
    earlier = earlier or {}
    moved = dict(earlier.get("moved") or {})
    failed = dict(earlier.get("failed_phones") or {})
    deferred = dict(earlier.get("deferred") or {})
    waiting = (earlier.get("not_shown") or {}) if any(pushes.values()) else {}      # a new wave begins without the troubles of the last
    not_proven = dict(earlier.get("not_proven") or {})
    done = dict(earlier.get("done") or {})
    blocked = dict(earlier.get("blocked") or {})
    not_shown: dict[str, str] = {}
    unread: dict[str, bool] = {}
    for name, step in wave["phones"].items():
        in_the_way = [other for other in step.get("after", ()) if other not in done]
        if in_the_way and name not in failed:
            blocked[name] = failed[name] = f"{', '.join(in_the_way)} did not leave the port that it is to get"
        push = pushes.get(name) or {"skipped": True}
        if name not in (waiting or wave["phones"]) or (name in failed and name not in waiting):
            continue                    # its result is one of an earlier wave, or of this wave and told already
        if push.get("skipped"):
            not_shown.update({name: waiting[name]} if name in waiting else {})
            deferred.update({name: True} if push.get("code") == "deferred" and name not in waiting else {})     # in use, and sip_phone_when_busy: skip
            continue
        done.pop(name, None)
        if push.get("changed"):
            moved[name] = {"before": moved.get(name, push).get("before", {}), "after": push.get("after", {})}
        if push.get("failed") or push.get("unreachable"):
            failed[name] = str(push.get("msg", "the push failed"))
            if name in waiting:         # it was its restart that failed: it is still to be put back
                not_shown[name] = failed[name] = f"{waiting[name]}; {failed[name]}"
            elif push.get("unreachable") or push.get("code") == "deferred":
                deferred[name] = True
            continue
        # A phone that was right all along has nothing to prove: it must not be restarted or put back because its PBX is silent.
        trouble = "; ".join(_not_proven(name, wave["expected"], reads)) if push.get("changed") else ""
        failed.pop(name, None)
        if trouble:
            not_shown[name] = failed[name] = trouble
            unread.update({name: True} if _silent(name, wave["expected"], reads) else {})
        else:
            done[name] = True
    not_proven = {name: True for name in [*not_proven, *not_shown] if name in failed}
    return {
        "moved": moved, "not_shown": not_shown, "unread": unread, "not_proven": not_proven, "done": done, "blocked": blocked,
        "failed_phones": failed, "deferred": deferred, "stopped": _stopped(canaries or {}, failed),
    }


def _silent(phone: str, expected: Mapping[str, Sequence[Mapping[str, Any]]], reads: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether a PBX that is to show this phone could not be read."""
    asked = [reads.get(pbx, {"failed": True}) for pbx, rows in expected.items() if any(row["phone"] == phone for row in rows)]
    return any(read.get("failed") or read.get("unreachable") for read in asked)


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
