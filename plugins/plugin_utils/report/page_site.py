# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the page of one site shows, ready for its template: rows, findings by cause, the trend. Pure, in linear time.

A row of lines has the anchor "l" and its number: never a name, which a phone may have chosen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.audit.findings import MEANINGS
from ansible_collections.evenport.sip.plugins.plugin_utils.report.groups import Group, grouped
from ansible_collections.evenport.sip.plugins.plugin_utils.report.page_words import (
    COUNTS,
    age_seconds,
    age_words,
    number_of,
    sentence,
    site_sign,
    site_tone,
    verdict_sign,
    verdict_tone,
    verdict_words,
)
from ansible_collections.evenport.sip.plugins.plugin_utils.report.port_map import name_of, port_map

FIRST_SCREEN = 4        # causes that are told there, and things that were not seen
OPEN = 6                # a cause with up to so many phones shows them without a click

View = dict[str, Any]


def site_view(report: Mapping[str, Any], site: Mapping[str, Any]) -> View:
    lines = site["lines"]
    anchors = [f"l{n}" for n in range(1, len(lines) + 1)]
    places = _places(lines, anchors)
    models = {phone["phone"]: " ".join(filter(None, (phone["brand"], phone["model"]))) for phone in site["phones"]}
    managed = [_row(line, anchor, models) for line, anchor in zip(lines, anchors, strict=True) if line["kind"] != "softphone"]
    named = {name_of(line): anchor for line, anchor in zip(lines, anchors, strict=True)}
    causes = [_cause(group, places, named, site["site"]) for group in grouped(site["findings"])]
    urgent = [cause for cause in causes if cause["tone"] in ("error", "warning")]
    return {
        "tone": site_tone(site), "sign": site_sign(site),
        "tiles": [{"group": group, "sign": sign, "words": words, "count": site["counts"][group]} for group, sign, words in COUNTS],
        "bar": _bar(site["counts"]),
        "urgent": urgent[:FIRST_SCREEN], "urgent_more": len(urgent[FIRST_SCREEN:]),
        "map": port_map(site, anchors),
        "rows": managed, "any_done": any(row["done"] for row in managed),
        "groups": _choices((row["group"], row["group_words"]) for row in managed), "verdicts": _choices((row["verdict"], row["words"]) for row in managed),
        "causes": causes, "trend": _trend(report, site),
        "others": _others(lines, anchors, models),
        "meanings": _meanings(lines),
        "pbxs": [{**pbx, "age": _age(pbx, report)} for pbx in site["pbxs"]],
    }


def _places(lines: Iterable[Mapping[str, Any]], anchors: Iterable[str]) -> dict[tuple[str, int], str]:
    """(phone, line) -> anchor; (phone, 0) is the phone's first line."""
    places: dict[tuple[str, int], str] = {}
    for line, anchor in zip(lines, anchors, strict=True):
        places[line["phone"], line["line"]] = anchor
        places.setdefault((line["phone"], 0), anchor)
    return places


def _row(line: Mapping[str, Any], anchor: str, models: Mapping[str, str]) -> View:
    tone = verdict_tone(line["verdict"], line["severity"])
    planned = line["planned"]
    ports = [{"port": planned, "differs": False}]
    ports += [{"port": line[word], "differs": bool(planned and line[word] and line[word] != planned)} for word in ("set", "claimed", "seen")]
    if not planned and line["claimed"] and line["seen"]:
        ports[3]["differs"] = line["claimed"] != line["seen"]
    return {
        "anchor": anchor, "phone": line["phone"], "model": models.get(line["phone"], ""), "line": line["line"], "extension": line["extension"],
        "ports": ports, "address": line["seen_address"], "transport": line["transport"].upper(),
        "nat": {True: "on", False: "off", None: ""}[line["nat_option"]], "agent": line["user_agent"], "done": line["this_run"],
        "verdict": line["verdict"], "words": verdict_words(line["verdict"]), "tone": tone, "sign": verdict_sign(line["verdict"], tone),
        "weight": {"error": 0, "warning": 1, "unseen": 2, "info": 3, "ok": 4}[tone], "group": tone, "group_words": GROUP_WORDS[tone],
        "second": sum(contact["kind"] == "unmanaged" for contact in line["contacts"]),
    }


GROUP_WORDS = {"error": "Errors", "warning": "Warnings", "unseen": "Not seen", "info": "Notes", "ok": "In order"}


def _choices(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str, int]]:
    """(value, words, how many) for a list to choose from, in the order of the alphabet."""
    count: dict[tuple[str, str], int] = {}
    for pair in pairs:
        count[pair] = count.get(pair, 0) + 1
    return sorted(((value, words, many) for (value, words), many in count.items()), key=lambda choice: (choice[1], choice[0]))


def _cause(group: Group, places: Mapping[tuple[str, int], str], named: Mapping[str, str], site: str) -> View:
    first = group.findings[0]
    members = [
        {
            "who": finding["phone"] and finding["phone"] + (f" line {finding['line']}" if finding["line"] else ""),
            "row": places.get((finding["phone"], finding["line"]), ""), "evidence": finding["evidence"], "new": finding["trend"] == "new",
        } for finding in group.findings]
    names = [name.removeprefix(f"{site}/") for finding in group.findings for name in finding["lines"]]
    about = [(name, named.get(name, "")) for name in names]
    phones = len(dict.fromkeys(finding["phone"] for finding in group.findings if finding["phone"]))
    return {
        "code": group.code, "tone": group.severity, "sign": verdict_sign(group.code, group.severity),
        "title": sentence(first["cause"] or first["text"]), "trend": group.trend,
        "remedy": group.remedy or ("Nothing is to be done." if group.severity == "info" else ""),
        "size": number_of(phones, "phone") if phones else number_of(len(about), "line") if about else "the site",
        "members": members, "about": about, "open": len(members) + len(about) <= OPEN,
    }


def _trend(report: Mapping[str, Any], site: Mapping[str, Any]) -> View:
    findings = site["findings"]
    return {
        "since": report["previous_at"],
        "new": [finding for finding in findings if finding["trend"] == "new"], "still": sum(finding["trend"] == "still" for finding in findings),
        "fixed": site["fixed"],
    }


def _others(lines: Sequence[Mapping[str, Any]], anchors: Sequence[str], models: Mapping[str, str]) -> list[View]:
    """Softphones, second devices and registrations that were left behind."""
    kinds = {"stale_contact": "old registration", "unmanaged": "second device"}
    found = []
    for line, anchor in zip(lines, anchors, strict=True):
        if line["kind"] == "softphone":
            found.append({
                "kind": "softphone", "who": line["phone"], "row": "", "anchor": anchor, "extension": line["extension"], "claimed": line["claimed"],
                "seen": line["seen"], "address": line["seen_address"], "agent": line["user_agent"] or models.get(line["phone"], ""),
            })
        found += [
            {
                "kind": kinds[contact["kind"]], "who": name_of(line), "row": anchor, "anchor": "", "extension": line["extension"],
                "claimed": contact["claimed"], "seen": contact["seen"], "address": contact["seen_address"], "agent": contact["user_agent"],
            } for contact in line["contacts"]]
    return found


def _meanings(lines: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """The verdicts of this page in full, in the vocabulary's order."""
    there = {line["verdict"] for line in lines}
    return [(verdict_words(code), sentence(meaning.text)) for code, meaning in MEANINGS.items() if code in there]


def _bar(counts: Mapping[str, int]) -> list[View]:
    """The managed lines by kind as parts of a bar: where each starts and how wide it is, in thousandths."""
    groups = [group for group, dummy, unused in COUNTS]
    total = sum(counts[group] for group in groups)
    parts, at = [], 0
    for group in groups:
        if counts[group]:
            parts.append({"group": group, "x": round(at * 1000 / total, 2), "width": round(counts[group] * 1000 / total, 2)})
            at += counts[group]
    return parts


def _age(pbx: Mapping[str, Any], report: Mapping[str, Any]) -> str:
    seconds = age_seconds(pbx["as_of"], report["made_at"])
    return f"{age_words(seconds)} old" if seconds is not None and seconds >= 60 else ""
