"""What must be true of a router's story. Pure: a story (see journey.py) in, a list of complaints out."""

from __future__ import annotations

from typing import Any

from tests.lab.inventory import SITE
from tests.lab.routers import OUTSIDE, ROUTERS

# Symptoms that the phones must show while they share 5060, with the NAT option on: else the lab's router isn't the poor one
# that it stands for, and the rollout would have proved nothing.
POOR = {"strict": ("register", "call"), "overload": ("call", "group"), "short": ("call",)}
PLANNED = {"101": 5060, "102": 5062, "103": 5064, "104": 5066}      # inventory order


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
    """Asterisk itself (not our audit) must see the planned ports."""
    seen = story["seen"]
    if set(seen) != set(PLANNED) or any(address != OUTSIDE for address, _port in seen.values()):
        return [f"Asterisk should see four contacts at {OUTSIDE}: {seen}"]
    if not ROUTERS[story["router"]].keeps_ports:
        return []
    return [f"Asterisk sees {extension} on {seen[extension][1]}, planned is {port}" for extension, port in PLANNED.items() if seen[extension][1] != port]


def _audit(story: dict[str, Any]) -> list[str]:
    """One finding about the site's router where it rewrites ports, none where it doesn't; and all that is asked of the lines is in order."""
    report = story["audit"]
    if not report:
        return ["the audit wrote no report"]
    keeps = ROUTERS[story["router"]].keeps_ports
    wanted = "ok" if keeps else "router_translated"
    found = [f"the audit says '{line['verdict']}' of {line['phone']}, not '{wanted}'" for line in report["lines"] if line["verdict"] != wanted]
    if len(report["lines"]) != len(PLANNED):
        found.append(f"the audit looked at {len(report['lines'])} lines, not {len(PLANNED)}")
    named = [(finding["code"], finding["site"], finding["phone"]) for finding in report["findings"]]
    if named != ([] if keeps else [("router_translated", SITE, "")]):
        found.append(f"the audit should find {'nothing' if keeps else 'one thing, the router'}; it found {named}")
    return found


def _tail(output: str) -> str:
    return "\n".join(output.strip().splitlines()[-25:])
