"""What must be true of a router's story. Pure: a story (see journey.py) in, a list of complaints out."""

from __future__ import annotations

from typing import Any

from tests.lab.routers import OUTSIDE, ROUTERS

# Symptoms that the phones must show while they share 5060, with the NAT option on: else the lab's router isn't the poor one
# that it stands for, and the rollout would have proved nothing.
POOR = {"strict": ("register", "call"), "overload": ("call", "group"), "short": ("call",)}


def complaints(story: dict[str, Any]) -> list[str]:
    return [*_before(story), *_runs(story), *_after(story), *_ports(story), *_audit(story)]


def _before(story: dict[str, Any]) -> list[str]:
    shared = story["cells"]["nat option alone"]
    found = [f"the router is not poor: '{symptom}' was good before the rollout" for symptom in POOR.get(story["router"], ()) if shared["good"][symptom]]
    if story["router"] == "overload" and shared["still_ringing"] != ["101"]:
        found.append(f"before the rollout 101 should ring on after the group was answered; it was {shared['still_ringing'] or 'nobody'}")
    return found


def _runs(story: dict[str, Any]) -> list[str]:
    found = [f"{name} failed (exit {run['code']}):\n{_tail(run['output'])}" for name, run in story["runs"].items() if run["code"]]
    second = story["runs"]["second run"]
    if second["changed"]:
        found.append(f"the second run changed {second['changed']} things, not 0")
    for phone, now in story["counters"]["second run"].items():
        was = story["counters"]["rollout"][phone]
        if now["writes"] != was["writes"] or now["reboots"] != was["reboots"]:
            found.append(f"the second run wrote to phone {phone}")
    names = list(story["counters"])
    for before, name in zip(names, names[1:], strict=False):
        for phone, now in story["counters"][name].items():
            logins = now["login_attempts"] - story["counters"][before][phone]["login_attempts"]
            if logins > 1:
                found.append(f"{name} logged in to phone {phone} {logins} times, not once")
    return found


def _after(story: dict[str, Any]) -> list[str]:
    good = story["cells"]["after the rollout"]["good"]
    return [f"after the rollout '{symptom}' is still bad" for symptom, fine in good.items() if not fine]


def _ports(story: dict[str, Any]) -> list[str]:
    """Asterisk itself (not our audit) must see the planned ports; the plan is known: inventory order."""
    planned = {"101": 5060, "102": 5062, "103": 5064, "104": 5066}
    seen = story["seen"]
    if set(seen) != set(planned) or any(address != OUTSIDE for address, _ in seen.values()):
        return [f"Asterisk should see four contacts at {OUTSIDE}: {seen}"]
    if not ROUTERS[story["router"]].keeps_ports:
        return []
    return [f"Asterisk sees {extension} on {seen[extension][1]}, planned is {port}" for extension, port in planned.items() if seen[extension][1] != port]


def _audit(story: dict[str, Any]) -> list[str]:
    report = story["audit"]
    if not report:
        return ["the audit wrote no report"]
    routers = [finding for finding in report["findings"] if finding["code"] == "router_translated"]
    if ROUTERS[story["router"]].keeps_ports:
        return [f"the audit blames the router, which keeps ports: {routers}"] if routers else []
    if len(routers) != 1:
        return [f"the audit should name the router once; it has {len(routers)} findings router_translated"]
    return []


def _tail(output: str) -> str:
    return "\n".join(output.strip().splitlines()[-25:])
