"""The four-symptom matrix, for people who know telephones."""

from __future__ import annotations

from typing import Any

from tests.lab.routers import ROUTERS

STATIONS = {"as found": "before: all on 5060, NAT option off", "nat option alone": "before: all on 5060, NAT option on",
            "after the rollout": "after the rollout"}
HEADINGS = ("", "registered", "BLF lamps", "incoming call", "ring group, answered elsewhere")


def table(story: dict[str, Any]) -> str:
    """One router's story as a small table with its proof below."""
    router = ROUTERS[story["router"]]
    rows = [HEADINGS, *((title, *_cells(story["cells"][station])) for station, title in STATIONS.items() if station in story["cells"])]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join([f"Router {router.name}: {router.stands_for}", *(f"  {line}" for line in lines), *(f"  {line}" for line in _proof(story))])


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
    seen = ", ".join(f"{extension} on {port}" for extension, (_address, port) in story["seen"].items())
    runs = story["runs"]
    return [f"Asterisk sees: {seen or 'nobody'}.",
            f"Rollout: {runs['rollout']['seconds']:.0f} s, changed={runs['rollout']['changed']}. Second run: changed={runs['second run']['changed']}.",
            *(f"Audit: {finding}" for finding in map(_finding, story["audit"].get("findings", [])))]


def _finding(finding: dict[str, Any]) -> str:
    return f"{finding['code']}: {finding['text']}"
