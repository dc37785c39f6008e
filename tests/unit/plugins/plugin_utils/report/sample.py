"""Reports to render: valid, varied, the same for the same arguments, and as hostile as a phone's own words can be.

Written from docs/report.schema.json, not from the code that builds real reports: what it says of ports is plausible, not judged.
Every name (site, phone, PBX, extension, evidence) carries its site's number, so that a test sees when one customer's file tells of another.
"""

from __future__ import annotations

import random
from typing import Any

HOSTILE = (
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "</style></script><!-- --> ]]>",
    "`code` **bold** _em_ ~~gone~~ | cell | \\| \\",
    "[click](javascript:alert(1)) ![i](http://evil.example/i.png) http://evil.example www.evil.example @admin #1",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "\t=1+1",
    "\rHYPERLINK",
    "line one\nline two\r\nline three\u2028line four",
    "bell \x07 null \x00 escape \x1b[31mred\x1b[0m del \x7f c1 \x9b31m \ufffe",
    "\u202eevil\u202c right-to-left",
    "Zoë Müller 電話 📞 é",
    "W" * 120,
    "a, \"quoted\"; text",
)
AGENTS = ("Yealink SIP-T46S 66.86.0.15", "Grandstream GRP2614 1.0.11.64", "PolyVVX-VVX_411-UA/6.4.3", "snomD785/10.1.127", "Fanvil X4U 2.12.1")
BRANDS = (("yealink", "T46S"), ("grandstream", "GRP2614"), ("poly", "VVX 411"), ("snom", "D785"), ("fanvil", "X4U"))

# verdict of a managed line -> how it is counted, how bad it is
VERDICTS = {
    "ok": ("ok", "ok"),
    "wrong_port": ("drift", "error"),
    "random_port": ("drift", "error"),
    "duplicate": ("duplicate", "error"),
    "router_translated": ("router", "error"),
    "alg_or_stun": ("router", "warning"),
    "nat_option_missing": ("drift", "error"),
    "unverified_nat": ("drift", "warning"),
    "registered_before": ("drift", "warning"),
    "unknown_extension": ("offline", "error"),
    "not_registered": ("offline", "warning"),
    "not_seen": ("unseen", "info"),
}
STATES = ("ok", "info", "unseen", "offline", "drift", "router", "duplicate", "failed")       # best first
WEIGHT = {"error": 0, "warning": 1, "info": 2}
ABOUT_THE_SITE = ("router_translated", "nat_option_missing")        # one finding for the site, whatever the number of lines


def sample_report(sites: int = 3, lines: int = 40, seed: int = 1) -> dict[str, Any]:
    """*sites* sites of *lines* managed lines each, and some softphones. The first site is in order; the second could not be seen (from three sites on)."""
    chance = random.Random(seed)
    return {
        "schema": 2, "made_by": "evenport.sip 0.3.0", "made_at": "2026-11-23T05:00:00Z", "run": "audit", "previous_at": "2026-11-22T05:00:00Z",
        "sites": [_site(n, lines, chance, "ok" if n == 0 else "not_seen" if n == 1 and sites > 2 else "") for n in range(sites)],
    }


def site_name(number: int) -> str:
    return f"customer_{number:05d}_office"


def _site(number: int, count: int, chance: random.Random, all_are: str) -> dict[str, Any]:
    name = site_name(number)
    phones: list[dict[str, Any]] = []
    lines: list[dict[str, Any]] = []
    while len(lines) < count:
        phone = _phone(name, len(phones), chance, read=all_are != "not_seen")
        phones.append(phone)
        for line in range(1, min(chance.choice((1, 1, 1, 2)), count - len(lines)) + 1):
            verdict = all_are or (list(VERDICTS)[len(lines)] if len(lines) < len(VERDICTS) else chance.choice([*VERDICTS, "ok", "ok", "ok"]))
            lines.append(_line(number, len(lines), phone, line, verdict, chance))
    counts = {group: sum(VERDICTS[line["verdict"]][0] == group for line in lines) for group in ("ok", "drift", "duplicate", "router", "offline", "unseen")}
    findings = [] if all_are == "ok" else _findings(name, lines, phones, chance)
    if all_are != "ok":
        softphones = [_softphone(name, number, n) for n in range(max(1, count // 20))]
        phones += [phone for phone, unused in softphones]
        lines += [line for unused, line in softphones]
    unseen = all_are == "not_seen"
    worst = {"ok": "ok", "offline": "offline", "drift": "drift", "router": "router", "duplicate": "duplicate", "unseen": "unseen"}
    state = max(["ok", *(worst[group] for group, n in counts.items() if n)], key=STATES.index)
    sentence = "All lines are in order: nothing is to be done." if state == "ok" else f"{len(findings)} things at {name} are to be looked at. {HOSTILE[0]}"
    return {
        "site": name, "state": state, "sentence": sentence,
        "counts": {
            "lines": count, **counts, "unmanaged": sum(line["kind"] == "softphone" for line in lines),
            "errors": sum(f["severity"] == "error" for f in findings), "warnings": sum(f["severity"] == "warning" for f in findings),
            "infos": sum(f["severity"] == "info" for f in findings),
        },
        "range": {"first": 5060, "last": 5200, "step": 2}, "reserved": [5070], "retired": [5198],
        "pbxs": [{
            "pbx": f"pbx_{name}", "type": "freepbx", "read": not unseen, "why": f"pbx_{name} did not answer: {HOSTILE[2]}" if unseen else "",
            "as_of": "2026-11-23T04:59:00Z" if number % 2 else "", "shows_ports": not unseen}],
        "phones": phones, "lines": lines, "findings": findings,
        "fixed": [] if all_are else [{
            "id": f"wrong_port/{name}-gone/1", "code": "wrong_port", "phone": f"{name}-gone", "line": 1,
            "text": f"the phone signals from another port than planned {HOSTILE[6]}"}],
        "not_seen": [f"the PBX pbx_{name} did not answer, so its registrations were not seen {HOSTILE[1]}"] if unseen else [],
    }


def _phone(site: str, n: int, chance: random.Random, read: bool) -> dict[str, Any]:
    brand, model = BRANDS[n % len(BRANDS)]
    hostile = n % 3 == 2
    return {
        "phone": f"{site}-{n}{HOSTILE[n // 3 % len(HOSTILE)]}" if hostile else f"{site}-{n}", "kind": "phone", "brand": brand,
        "model": HOSTILE[n % len(HOSTILE)] if hostile else model, "firmware": HOSTILE[(n + 1) % len(HOSTILE)] if n % 7 == 3 else "66.86.0.15",
        "mac": f"{chance.getrandbits(48):012x}", "address": f"192.168.{n // 250 % 250}.{n % 250 + 1}",
        "read": read and n % 5 != 4, "why": "" if read and n % 5 != 4 else f"no password was given {HOSTILE[(n + 2) % len(HOSTILE)]}",
    }


def _line(site: int, n: int, phone: dict[str, Any], line: int, verdict: str, chance: random.Random) -> dict[str, Any]:
    planned = 5060 + 2 * (n % 71)
    there = verdict not in ("not_registered", "unknown_extension", "not_seen")
    claimed = {"wrong_port": 5060, "random_port": 40000 + n % 20000, "duplicate": 5060}.get(verdict, planned) if there else 0
    seen = (20000 + n % 20000 if verdict == "router_translated" else claimed) if there else 0
    agent = HOSTILE[n % len(HOSTILE)] if n % 4 == 3 else AGENTS[n % len(AGENTS)]
    contacts = [
        {"kind": kind, "claimed": 5060, "seen": 5060, "seen_address": f"203.0.113.{site % 250 + 1}", "user_agent": HOSTILE[(n + 5) % len(HOSTILE)]}
        for kind in ("stale_contact", "unmanaged") if there and chance.random() < 0.1]
    return {
        "phone": phone["phone"], "line": line, "extension": f"{site:05d}{n:04d}", "kind": "phone",
        "planned": 0 if verdict == "ok" and n % 11 == 10 else planned,
        "set": planned if phone["read"] else 0, "claimed": claimed, "seen": seen, "seen_address": f"203.0.113.{site % 250 + 1}" if there else "",
        "transport": chance.choice(("udp", "udp", "udp", "tcp", "tls")) if there else "", "user_agent": agent if there else "",
        "nat_option": None if verdict == "not_seen" else verdict not in ("nat_option_missing", "unverified_nat"), "verdict": verdict,
        "severity": VERDICTS[verdict][1], "this_run": "moved" if n % 9 == 8 else "", "contacts": contacts,
    }


def _softphone(site: str, number: int, n: int) -> tuple[dict[str, Any], dict[str, Any]]:
    name = f"{site}-soft-{n}{HOSTILE[n % len(HOSTILE)]}"
    phone = {
        "phone": name, "kind": "softphone", "brand": "", "model": "", "firmware": "", "mac": "", "address": "", "read": False,
        "why": "a softphone has no web page",
    }
    port = 51000 + n % 9000
    return phone, {
        "phone": name, "line": 1, "extension": f"{number:05d}9{n:03d}", "kind": "softphone", "planned": 0, "set": 0, "claimed": port, "seen": port,
        "seen_address": f"198.51.100.{number % 250 + 1}", "transport": "udp", "user_agent": HOSTILE[n % len(HOSTILE)], "nat_option": True,
        "verdict": "unmanaged", "severity": "info", "this_run": "", "contacts": [],
    }


def _findings(site: str, lines: list[dict[str, Any]], phones: list[dict[str, Any]], chance: random.Random) -> list[dict[str, Any]]:
    found = []
    for code in ABOUT_THE_SITE:
        about = [f"{site}/{line['phone']} line {line['line']}" for line in lines if line["verdict"] == code]
        if about:
            found.append(_finding(code, "error", "", 0, about, f"seen on {len(about)} line(s) of {site}", chance))
    if any(line["verdict"] == "not_seen" for line in lines):
        found.append(_finding("pbx_not_read", "error", "", 0, [], f"pbx_{site} did not answer {HOSTILE[13]}", chance))
    for n, line in enumerate(lines):
        if line["verdict"] not in ("ok", "not_seen", *ABOUT_THE_SITE):
            evidence = f"planned {line['planned']}, claimed {line['claimed']}, seen {line['seen']}, {HOSTILE[n % len(HOSTILE)]}"
            found.append(_finding(line["verdict"], line["severity"], line["phone"], line["line"], [], evidence, chance))
    found += [
        _finding("auth_failed", "error", phone["phone"], 0, [], f"{phone['address']} answered 401", chance)
        for n, phone in enumerate(phones) if not phone["read"] and n % 10 == 9]
    found += [
        _finding("provisioning_server", "info", phone["phone"], 0, [], f"http://{site}.example/{HOSTILE[4]}", chance)
        for n, phone in enumerate(phones) if phone["read"] and n % 13 == 5]
    return sorted(found, key=lambda finding: WEIGHT[finding["severity"]])        # stable: inventory order within


def _finding(code: str, severity: str, phone: str, line: int, lines: list[str], evidence: str, chance: random.Random) -> dict[str, Any]:
    cause = f"what {code.replace('_', ' ')} means"
    return {
        "id": f"{code}/{phone}/{line}", "code": code, "severity": severity, "phone": phone, "line": line, "lines": lines, "cause": cause, "evidence": evidence,
        "text": f"{cause}: {evidence}", "remedy": f"Do what mends {code} <b>now</b>.", "trend": chance.choice(("new", "still", "still")),
    }
