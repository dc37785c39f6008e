# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings from what a phone itself says: the states of the scan (rollout/scan.py), and what the journal says of the last push. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.audit.findings import Finding, found
from ansible_collections.evenport.sip.plugins.module_utils.audit.verdict import port_of
from ansible_collections.evenport.sip.plugins.module_utils.model import Line

State = Mapping[str, Any]
_BACK = ("put back", "failed", "not proven")    # outcomes of a push that was not meant to last, or of which nobody knows


def set_port(state: State, line: int) -> int:
    """The port that the phone is set to for *line*; 0: not known. Of a phone with one port for all lines that one."""
    ports = {entry.get("line"): port_of(entry.get("local_port")) for entry in (state.get("settings") or {}).get("lines") or ()}
    return ports.get(line, 0) or (ports.get(1, 0) if state.get("port_scope") == "phone" else 0)


def phone_findings(
    name: str, state: State, owners: Mapping[int, Line], tls_owners: Mapping[int, Line], verdicts: Collection[str], *,
    push: Mapping[str, Any] | None = None, moved: bool = False, random_wanted: bool = False,
) -> list[Finding]:
    """What one phone's own settings show.

    :arg owners, tls_owners: port -> the line that the plan gives it to, and the line that takes it for SIP-TLS
    :arg verdicts: those on the phone's own lines
    :arg push: the journal's last entry about it: before, after, time, outcome
    :arg moved: this run has written to it since it was read
    """
    findings = _accounts(name, state, owners, tls_owners)
    if state.get("default_password"):
        findings.append(found("default_password", phone=name))
    back = went_back(state, push)
    server = (state.get("provisioning") or {}).get("server", "")
    if back:
        who = f"the provisioning server {server} has done it" if server else "it was reset, or somebody has set it back by hand"
        findings.append(found("reverted", f"{back}; {who}", phone=name))
    elif server and not state.get("code") and not state["provisioning"].get("protected"):
        findings.append(found("provisioning_server", server, phone=name))
    if (state.get("settings") or {}).get("random_port") is True and not (moved or random_wanted or "random_port" in verdicts):
        findings.append(found("random_port_on", phone=name))
    return findings


def went_back(state: State, push: Mapping[str, Any] | None) -> str:
    """What the last push set and the phone has lost again, as a text; "" where it has kept it, and where nobody knows."""
    if not push or "settings" not in state or str(push.get("outcome", "")) in _BACK:
        return ""
    before, after, now = (_flat(settings) for settings in (push.get("before"), push.get("after"), state["settings"]))
    pushed = {place: value for place, value in after.items() if place in before and before[place] != value and place in now}
    if not pushed or any(now[place] != before[place] for place in pushed):
        return ""
    told = ", ".join(f"{_place(place)} {value!r} is {now[place]!r} again" for place, value in pushed.items())
    return f"pushed {push['time']}: {told}" if push.get("time") else told


def _flat(settings: object) -> dict[tuple[str, int], Any]:
    """Settings in the user's shape (phones/settings.py) -> {(name, line): value}; line 0 is the phone. A journal may have been edited."""
    if not isinstance(settings, Mapping):
        return {}
    flat = {(str(name), 0): value for name, value in settings.items() if name != "lines"}
    lines = settings.get("lines")
    for entry in lines if isinstance(lines, list) else ():
        if isinstance(entry, Mapping) and isinstance(entry.get("line"), int):
            flat.update({(str(name), entry["line"]): value for name, value in entry.items() if name != "line"})
    return flat


def _place(place: tuple[str, int]) -> str:
    return f"{place[0]} of line {place[1]}" if place[1] else place[0]


def _accounts(name: str, state: State, owners: Mapping[int, Line], tls_owners: Mapping[int, Line]) -> list[Finding]:
    """Active accounts that the plan doesn't know, on a port that it gives to somebody. They are no lines: their number stands in the text."""
    findings = []
    for account, port in (state.get("further") or {}).items():
        more = [f"account {account}"]
        if port in owners:
            evidence = f"account {account} is active on port {port}, which is planned for {owners[port].phone} line {owners[port].line}"
            findings.append(found("active_account", evidence, phone=name, more=more, text=evidence))
        elif port in tls_owners and tls_owners[port].phone != name:
            evidence = f"account {account} is active on port {port}, which is that of {tls_owners[port].phone} line {tls_owners[port].line}"
            findings.append(found("tls_port_taken", evidence, phone=name, more=more))
    return findings
