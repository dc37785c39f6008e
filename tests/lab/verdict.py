"""What must be true of a router's story. Pure: a story (see journey.py) in, a list of complaints out."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import shorten
from typing import Any

from tests.lab.routers import OUTSIDE, ROUTERS, Audit

SCHEMA = 2              # of docs/report.schema.json
AFTER = "after the rollout"

# Symptoms that the phones must show while they share 5060, with the NAT option on: else the lab's router isn't the poor one
# that it stands for, and the rollout would have proved nothing.
POOR = {"strict": ("register", "call"), "overload": ("call", "group"), "short": ("call",)}
PLANNED = {"101": 5060, "102": 5062, "103": 5064, "104": 5066}      # inventory order


def complaints(story: dict[str, Any]) -> list[str]:
    return [*_before(story), *_runs(story), *_after(story), *_ports(story), *_audits(story)]


def read_audit(report: Mapping[str, Any]) -> dict[str, Any]:
    """The audit's report file, of a lab's one site: its lines, and its findings, each with the extensions that it is about (on_site: as a whole)."""
    if (report["schema"], report["run"], len(report["sites"])) != (SCHEMA, "audit", 1):
        raise ValueError(f"Not an audit of one site in schema {SCHEMA}: schema {report['schema']}, {report['run']}, {len(report['sites'])} sites")
    site = report["sites"][0]
    names = {f"{site['site']}/{line['phone']} line {line['line']}": line["extension"] for line in site["lines"]}
    findings = []
    for finding in site["findings"]:
        phones = [line["extension"] for line in site["lines"] if line["phone"] == finding["phone"] and finding["line"] in (0, line["line"])]
        about = [names[line] for line in finding["lines"]] or phones
        findings.append({"code": finding["code"], "severity": finding["severity"], "on_site": not finding["phone"], "extensions": about,
                         "evidence": finding["evidence"]})
    return {"lines": site["lines"], "findings": findings}


def verdicts_of(said: Mapping[str, Any]) -> str:
    """In the words of routers.Audit."""
    verdicts = [line["verdict"] for line in said["lines"]]
    return verdicts[0] if len(set(verdicts)) == 1 else " ".join(verdicts)


def findings_of(said: Mapping[str, Any]) -> list[str]:
    """In the words of routers.Audit, sorted."""
    of_site = [f"{one['severity']} {one['code']} ({' '.join(one['extensions'])})" for one in said["findings"] if one["on_site"]]
    of_phones: dict[str, list[str]] = {}
    for one in said["findings"]:
        if not one["on_site"]:
            of_phones.setdefault(f"{one['severity']} {one['code']}", []).extend(one["extensions"])
    return sorted([*of_site, *(f"{what} {' '.join(sorted(phones))}" for what, phones in of_phones.items())])


def audited(audit: Mapping[str, Any], expected: Audit, planned: Mapping[str, int]) -> list[str]:
    """Whether an audit said what it must, and the truth. *audit*: as journey.Site.audit() returns it; *planned*: extension -> port."""
    said = audit["said"]
    if not said:
        return ["the audit wrote no report"]
    found = []
    if [line["extension"] for line in said["lines"]] != list(planned):
        found.append(f"the audit should look at {len(planned)} lines; it looked at {[line['extension'] for line in said['lines']]}")
    if verdicts_of(said) != expected.verdicts:
        found.append(f"the audit says '{_short(verdicts_of(said))}', not '{expected.verdicts}'")
    if findings_of(said) != sorted(expected.findings):
        told = [_short(finding) for finding in findings_of(said)]
        found.append(f"the audit should find {sorted(expected.findings) or 'nothing'}; it found {told or 'nothing'}")
    return found + _untrue(audit, planned)


def _untrue(audit: Mapping[str, Any], planned: Mapping[str, int]) -> list[str]:
    """Where a line isn't what Asterisk's own database and the user agent itself say, or a finding doesn't name whom it is about."""
    found = []
    for line in audit["said"]["lines"]:
        name = line["extension"]
        shown = [line["planned"], line["set"], line["claimed"], line["seen_address"], line["seen"]]
        truth = [[planned.get(name), audit["set"].get(name), *contacts.get(name, (0, "", 0))] for contacts in audit["contacts"]]
        if shown not in truth:
            found.append(f"the audit shows {name} as {shown} (planned, set, claimed, seen), in truth it is {truth[-1]}")
    for one in audit["said"]["findings"]:
        unnamed = [name for name in one["extensions"] if name not in one["evidence"]]
        if one["code"] in ("nat_option_missing", "router_translated") and unnamed:
            found.append(f"the finding {one['code']} does not name {unnamed}: {one['evidence']}")
    return found


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
    found += [f"'{name}' changed {run['changed']} things, not 0" for name, run in story["runs"].items() if name.startswith("audit ") and run["changed"]]
    names = list(story["counters"])
    for before, name in zip(names, names[1:], strict=False):
        for phone, now in story["counters"][name].items():
            logins = now["login_attempts"] - story["counters"][before][phone]["login_attempts"]
            if logins > 1:
                found.append(f"{name} logged in to phone {phone} {logins} times, not once")
            if name.startswith("audit ") and now["writes"] != story["counters"][before][phone]["writes"]:
                found.append(f"'{name}' wrote to phone {phone}")
    return found


def _after(story: dict[str, Any]) -> list[str]:
    good = story["cells"][AFTER]["good"]
    return [f"after the rollout '{symptom}' is still bad" for symptom, fine in good.items() if not fine]


def seen(story: dict[str, Any]) -> dict[str, tuple[str, int]]:
    """Extension -> address and port that Asterisk sends to after the rollout."""
    return {extension: (address, port) for extension, (dummy, address, port) in story["audits"][AFTER]["contacts"][-1].items()}


def _ports(story: dict[str, Any]) -> list[str]:
    """Asterisk itself (not our audit) must see the planned ports."""
    places = seen(story)
    if set(places) != set(PLANNED) or any(address != OUTSIDE for address, dummy in places.values()):
        return [f"Asterisk should see four contacts at {OUTSIDE}: {places}"]
    if not ROUTERS[story["router"]].keeps_ports:
        return []
    return [f"Asterisk sees {extension} on {places[extension][1]}, planned is {port}" for extension, port in PLANNED.items() if places[extension][1] != port]


def _audits(story: dict[str, Any]) -> list[str]:
    """At every station the audit must say what the table beside the router says, and the truth."""
    return [f"{station}: {complaint}" for station, expected in ROUTERS[story["router"]].audits.items()
            for complaint in audited(story["audits"][station], expected, PLANNED)]


def _short(text: str) -> str:
    """Of 70 phones, as much as anybody reads."""
    return shorten(text, 160, placeholder=" ...")


def _tail(output: str) -> str:
    return "\n".join(output.strip().splitlines()[-25:])
