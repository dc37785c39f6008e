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
    text: str = ""
    failed: bool = False
    deferred: bool = False      # worth another run later
    wrote: bool = False


def outcome_of(variables: Mapping[str, Any]) -> Outcome:
    """*variables*: of the phone's host: sip_scan, sip_pbx_failed, sip_pushed, sip_settled, sip_restored, as far as those tasks ran."""
    phone = variables["inventory_hostname"]
    scan = (variables.get("sip_scan") or {}).get("phones", {}).get(phone, {})
    if scan.get("code"):
        return Outcome(scan["msg"], failed=True, deferred=scan["state"] == "offline")
    where = f"{scan.get('site')}/{phone}"
    if phone not in variables["sip_scan"].get("work", {}):
        return Outcome()
    pbx_failed = (variables.get("sip_pbx_failed") or {}).get(scan["pbx"])
    if pbx_failed:
        return Outcome(f"{where} was left as it is, as its PBX {scan['pbx']} failed first: {pbx_failed}", failed=True, deferred=True)
    settled = variables.get("sip_settled") or {}
    pushed = variables.get("sip_pushed") or {}
    wrote = phone in settled.get("moved", {})
    why = settled.get("failed_phones", {}).get(phone) or (pushed.get("msg") if pushed.get("failed") or pushed.get("unreachable") else "")
    if why and wrote:
        return Outcome(f"{where} was moved, but {why}. {_put_back(variables.get('sip_restored') or {})}", failed=True, wrote=True)
    if why:
        return Outcome(why, failed=True, deferred=phone in settled.get("deferred", {}))
    if scan["site"] in settled.get("stopped", {}) and not wrote:
        return Outcome(f"{where} was left as it is. {settled['stopped'][scan['site']]}", failed=True)
    if wrote:
        restarted = (variables.get("sip_restarted") or {}).get("changed")
        return Outcome("moved, after a restart" if restarted else "moved", wrote=True)
    return Outcome("would be moved" if pushed.get("changed") else "")


def _put_back(restored: Mapping[str, Any]) -> str:
    if not restored or restored.get("skipped"):
        return "It was not put back."
    if restored.get("failed") or restored.get("unreachable"):
        return f"Putting it back failed: {restored.get('msg', 'no answer')}"
    return "It was put back as it was."
