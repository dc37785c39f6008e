# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the waves of a rollout came to, from the phones' pushes and the PBXs' registrations. Pure.

The words, all JSON-able, phone -> what is said of it:

``moved``          {"before", "after"}, over all waves
``done``           its last step went well
``not_shown``      of this wave: the PBX does not show it on its port; to be restarted, or put back
``unread``         of those: the PBX could not be asked, so that a restart would show nothing
``not_proven``     those of all waves for whom it stayed so
``blocked``        who holds a port that it is to get has not left it
``failed_phones``  all with which something is wrong, whatever the reason
``deferred``       those who are worth another run
``in_use``         phones that can't say so themselves: whether their PBX has them on a call; who is not in it, nobody knows
``stopped``        by site: every canary failed. That is no single bad phone, so the rest of the site is left alone
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.rollout.waves import Wave

# Device states of Asterisk in which somebody is on the phone, or about to be.
_IN_USE = frozenset(("inuse", "busy", "ringing", "ringinuse", "ringinginuse", "onhold"))

Results = Mapping[str, Mapping[str, Any]]

WORDS = ("moved", "done", "not_shown", "unread", "not_proven", "blocked", "failed_phones", "deferred", "stopped", "in_use")


def open_wave(
    wave: Wave, reads: Results | None = None, earlier: Mapping[str, Any] | None = None, canaries: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Any]:
    """Before a wave: who may not move now, because a phone of an earlier wave did not leave the port that it was to leave.

    *reads*: PBX -> result of pbx_registrations_info with the extensions of ``wave["ask"]``.
    """
    now = {**_copy(earlier), "not_shown": {}, "unread": {}, "in_use": _in_use(wave, reads or {})}
    for name, step in wave["phones"].items():
        in_the_way = [other for other in step.get("after", ()) if other not in now["done"]]
        if in_the_way and name not in now["failed_phones"]:
            now["blocked"][name] = now["failed_phones"][name] = f"{', '.join(in_the_way)} did not leave the port that it is to get"
    return _close(now, canaries)


def settle(
    wave: Wave, pushes: Results, reads: Results, earlier: Mapping[str, Any] | None = None, canaries: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Any]:
    """After the pushes of a wave; or, where *earlier* has phones that are not shown, after restarting those.

    *pushes*: phone -> result of evenport.sip.phone. *reads*: PBX -> result of pbx_registrations_info with ``wait_for``
    (``not_shown``: extensions whose newest registration does not claim the planned port), or a failed result.
    """
    now = {**_copy(earlier), "not_shown": {}, "unread": {}, "in_use": _in_use(wave, reads)}
    restarted = (earlier or {}).get("not_shown") or {}
    for name in wave["phones"]:
        if name in (restarted or wave["phones"]) and (name in restarted or name not in now["failed_phones"]):
            _settle_phone(now, name, wave, pushes.get(name) or {"skipped": True}, reads, restarted.get(name, ""))
    return _close(now, canaries)


def _settle_phone(now: dict[str, Any], name: str, wave: Wave, push: Mapping[str, Any], reads: Results, trouble: str) -> None:
    """*trouble*: why it was restarted, "" where it wasn't."""
    if push.get("skipped"):
        if trouble:
            now["not_shown"][name] = trouble
        elif push.get("code") == "deferred":        # in use, and sip_phone_when_busy: skip
            now["deferred"][name] = True
        return
    now["done"].pop(name, None)
    if push.get("changed"):
        now["moved"][name] = {"before": now["moved"].get(name, push).get("before", {}), "after": push.get("after", {})}
    if push.get("failed") or push.get("unreachable"):
        now["failed_phones"][name] = str(push.get("msg", "the push failed"))
        if trouble:                                 # it was its restart that failed: it is still to be put back
            now["not_shown"][name] = now["failed_phones"][name] = f"{trouble}; {now['failed_phones'][name]}"
        elif push.get("unreachable") or push.get("code") == "deferred":
            now["deferred"][name] = True
        return
    # A phone that was right all along has nothing to prove: it must not be restarted or put back because its PBX is silent.
    trouble = "; ".join(_not_proven(name, wave["expected"], reads)) if push.get("changed") else ""
    if not trouble:
        now["failed_phones"].pop(name, None)
        now["done"][name] = True
        return
    now["not_shown"][name] = now["failed_phones"][name] = trouble
    if _silent(name, wave["expected"], reads):
        now["unread"][name] = True


def _in_use(wave: Wave, reads: Results) -> dict[str, bool]:
    """Which phones of the wave that can't say so themselves are in use, as their PBX has it. Who is not in it: nobody knows."""
    known: dict[str, bool] = {}
    for pbx, phones in (wave.get("mute") or {}).items():
        read = reads.get(pbx, {"failed": True})
        states = {} if read.get("failed") or read.get("unreachable") else {one["extension"]: one for one in read.get("extensions", ())}
        for phone, extensions in phones.items():
            if all(states.get(extension, {}).get("device_state") for extension in extensions):      # a PBX that doesn't say is no "not in use"
                known[phone] = any(_busy(states[extension]) for extension in extensions)
    return known


def _busy(extension: Mapping[str, Any]) -> bool:
    state = "".join(char for char in str(extension.get("device_state", "")).lower() if char.isalpha())
    return bool(extension.get("active_channels")) or state in _IN_USE


def _copy(earlier: Mapping[str, Any] | None) -> dict[str, Any]:
    return {word: dict((earlier or {}).get(word) or {}) for word in WORDS}


def _close(now: dict[str, Any], canaries: Mapping[str, Sequence[str]] | None) -> dict[str, Any]:
    now["not_proven"] = {name: True for name in [*now["not_proven"], *now["not_shown"]] if name in now["failed_phones"]}
    now["stopped"] = {
        site: f"The first {len(names)} phone(s) of {site} failed ({', '.join(names)}), so the others were left as they are."
        for site, names in (canaries or {}).items() if names and all(name in now["failed_phones"] for name in names)
    }
    return now


def _silent(phone: str, expected: Mapping[str, Sequence[Mapping[str, Any]]], reads: Results) -> bool:
    """Whether a PBX that is to show this phone could not be read."""
    asked = [reads.get(pbx, {"failed": True}) for pbx, rows in expected.items() if any(row["phone"] == phone for row in rows)]
    return any(read.get("failed") or read.get("unreachable") for read in asked)


def _not_proven(phone: str, expected: Mapping[str, Sequence[Mapping[str, Any]]], reads: Results) -> list[str]:
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
