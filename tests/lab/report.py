"""The four-symptom matrix, and what the audit says at each station, for people who know telephones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.lab import verdict
from tests.lab.routers import OUTSIDE, ROUTERS

STATIONS = {"as found": "before: all on 5060, NAT option off", "nat option alone": "before: all on 5060, NAT option on",
            "after the rollout": "after the rollout", "nat option off again": "later: NAT option off again"}
HEADINGS = ("", "registered", "BLF lamps", "incoming call", "ring group, answered elsewhere")
AUDIT_HEADINGS = ("", "Asterisk: said>seen", "verdicts on 101 102 103 104", "findings, in brackets: one for the site")


def table(story: dict[str, Any]) -> str:
    """One router's story as a small table with its proof below."""
    router = ROUTERS[story["router"]]
    symptoms = [(title, *_cells(story["cells"][station])) for station, title in STATIONS.items() if station in story["cells"]]
    audits = [(title, *_audit(story["audits"][station], story["router"], station)) for station, title in STATIONS.items() if station in story["audits"]]
    lines = [*_columns([HEADINGS, *symptoms]), *_proof(story), "The audit says:", *_columns([AUDIT_HEADINGS, *audits])]
    return "\n".join([f"Router {router.name}: {router.stands_for}", *(f"  {line}" for line in lines)])


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """The first row is the heading."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return [lines[0], "  ".join("-" * width for width in widths), *lines[1:]]


def _audit(audit: dict[str, Any], router: str, station: str) -> list[str]:
    said = audit["said"]
    if not said:
        return ["", "BAD no report", ""]
    good = not verdict.audited(audit, ROUTERS[router].audits[station], verdict.PLANNED)
    contacts = audit["contacts"][-1]
    private = any(address != OUTSIDE for dummy, address, dummy_port in contacts.values())
    shown = " ".join(f"{contacts[name][0]}>{contacts[name][2]}" if name in contacts else "-" for name in verdict.PLANNED)
    return [f"{shown}, private" if private else shown, _mark(good, verdict.verdicts_of(said)), "; ".join(verdict.findings_of(said)) or "none"]


def _cells(cell: dict[str, Any]) -> list[str]:
    good = cell["good"]
    return [_mark(good["register"], f"{len(cell['registered'])} of {len(cell['phones'])}"),
            _mark(good["lamps"], f"{len(cell['lamps'])} of {len(cell['watching'])}"),
            _mark(good["call"], "rings, connected" if cell["talks"] else "rings, not connected" if cell["rings"] else "does not ring"),
            _mark(good["group"], _group(cell))]


def _group(cell: dict[str, Any]) -> str:
    silent = len(cell["phones"][:3]) - len(cell["group_rang"])
    if not cell["group_rang"]:
        return "nobody rings"
    rang = f"only {' '.join(cell['group_rang'])} rings" if silent else "all ring"
    return f"{rang}, {' '.join(cell['still_ringing'])} KEEPS RINGING" if cell["still_ringing"] else f"{rang}, then silence"


def _mark(good: bool, text: str) -> str:
    return f"{'ok ' if good else 'BAD'} {text}"


def _proof(story: dict[str, Any]) -> list[str]:
    runs = story["runs"]
    audits = [run["seconds"] for name, run in runs.items() if name.startswith("audit ")]
    return [f"Rollout: {runs['rollout']['seconds']:.0f} s, changed={runs['rollout']['changed']}. Second run: changed={runs['second run']['changed']}. "
            f"Each audit: {max(audits, default=0):.0f} s at most."]
