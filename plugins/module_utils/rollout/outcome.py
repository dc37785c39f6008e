# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run came to for one phone, from the results that its tasks registered. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Outcome:
    """``status`` in a word or two for a table, ``msg`` in full where something is wrong; ``cause``: what many phones may have in common."""

    status: str = ""
    code: str = ""
    msg: str = ""
    cause: str = ""
    deferred: bool = False      # nothing was written and another run may do: unreachable rather than failed

    @property
    def failed(self) -> bool:
        return bool(self.code)


def outcome_of(variables: Mapping[str, Any]) -> Outcome:
    """*variables*: of the phone's host: sip_scan, sip_pbx_failed, sip_pushed, sip_settled, sip_restored, as far as those tasks ran."""
    phone = variables["inventory_hostname"]
    scan = (variables.get("sip_scan") or {}).get("phones", {}).get(phone, {})
    if scan.get("code"):
        return Outcome("deferred" if scan["state"] == "offline" else "refused", scan["code"], scan["msg"], deferred=scan["state"] == "offline")
    if phone not in variables["sip_scan"].get("work", {}):
        return Outcome()
    where = f"{scan['site']}/{phone}"
    pbx_failed = (variables.get("sip_pbx_failed") or {}).get(scan["pbx"])
    if pbx_failed:
        cause = f"left as they are, as their PBX {scan['pbx']} failed first: {pbx_failed}"
        return Outcome("left alone", "pbx_failed", f"{where} was left as it is, as its PBX {scan['pbx']} failed first: {pbx_failed}", cause, deferred=True)
    unknown = set(scan["extensions"]).intersection((variables.get("sip_unknown_extensions") or {}).get(scan["pbx"], ()))
    if unknown:
        why = f"{scan['pbx']} knows no extension {', '.join(sorted(unknown))}. Create it, or correct sip_extensions."
        return Outcome("left alone", "unknown_extension", f"{where} was left as it is: {why}")
    settled = variables.get("sip_settled") or {}
    pushed = variables.get("sip_pushed") or {}
    wrote = phone in settled.get("moved", {})
    blocked = settled.get("blocked", {}).get(phone)
    if blocked:
        was = "was moved aside and stays there for now" if wrote else "was left as it is"
        return Outcome("moved aside" if wrote else "left alone", "port_taken", f"{where} {was}: {blocked}. See to that first, then run again.")
    why = settled.get("failed_phones", {}).get(phone) or (pushed.get("msg") if pushed.get("failed") or pushed.get("unreachable") else "")
    if why and phone in settled.get("not_proven", {}):
        restored = variables.get("sip_restored") or {}
        back = _put_back(restored, pushed, settled["moved"].get(phone, {}))
        return Outcome("put back" if _is_back(restored) else "not proven", "not_proven", f"{where} was moved, but {why.rstrip('.')}. {back}")
    if why:
        deferred = phone in settled.get("deferred", {}) and not wrote
        return Outcome("deferred" if deferred else "failed", pushed.get("code") or "device_failed", why, deferred=deferred)
    if scan["site"] in settled.get("stopped", {}) and not wrote:
        cause = settled["stopped"][scan["site"]]
        in_use = all(canary in settled["deferred"] for canary in variables["sip_scan"].get("canaries", {}).get(scan["site"], ()))
        return Outcome("left alone", "site_stopped", f"{where} was left as it is. {cause}", cause, deferred=in_use)
    if wrote:
        return Outcome("moved, restarted" if (variables.get("sip_restarted") or {}).get("changed") else "moved")
    if phone in settled.get("deferred", {}):
        return Outcome("in use", msg=pushed.get("msg", ""), deferred=True)      # left alone as the user wants it (sip_phone_when_busy: skip), but not forgotten
    return Outcome("would be moved" if pushed.get("changed") else "")


def _is_back(restored: Mapping[str, Any]) -> bool:
    return bool(restored) and not any(restored.get(word) for word in ("skipped", "failed", "unreachable"))


def _put_back(restored: Mapping[str, Any], pushed: Mapping[str, Any], moved: Mapping[str, Any]) -> str:
    if _is_back(restored):
        aside = moved and moved.get("before") != pushed.get("before")
        return "It was put back onto the port where it had stepped aside." if aside else "It was put back as it was."
    return f"Putting it back failed: {restored['msg']}" if restored.get("msg") and not restored.get("skipped") else "It was not put back."
