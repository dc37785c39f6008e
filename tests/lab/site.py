"""A whole site rolled out at once, beside the four phones of a journey: every brand behind one strict router, or very many phones.

    python -m tests.lab --mixed
    python -m tests.lab --scale 70
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from tests.fakes.brands import KINDS
from tests.lab import controller, inventory, routers, spaces, verdict
from tests.lab.journey import Site

ROOM = 63               # phones that leave a tenth of the plan's 71 even ports free (5060 to 5200); with more the audit says so


def travel(what: str, home: Path, tree: Path) -> dict[str, Any]:
    """The rollout as data: a line of text, and complaints. *what*: "mixed", or the number of phones."""
    kinds = list(KINDS.values()) if what == "mixed" else []
    count = len(kinds) or int(what)
    site = Site(routers.ROUTERS["strict" if kinds else "masq"], home, tree, list(range(101, 101 + count)), kinds)
    complaints = []
    try:
        site.begin(nat_option=False)
        before = site.contacts()
        folder = inventory.write(home / "inventory", site.phones, site.pbx)
        runs = [controller.play(playbook, folder, home, f"{number}-{playbook}", limit=240) for number, playbook in enumerate(("plan", "site", "site"))]
        complaints += [f"a run ended with {run.code}:\n{run.output[-2000:]}" for run in runs if run.code]
        if runs[2].changed:
            complaints.append(f"the second run changed {runs[2].changed} things")
        planned = {str(phone.number): 5060 + 2 * index for index, phone in enumerate(site.phones)}
        audit = site.audit(folder, "audit")
        if audit["run"]["code"]:
            complaints.append(f"the audit ended with {audit['run']['code']}:\n{audit['run']['output'][-2000:]}")
        complaints += verdict.audited(audit, routers.FINE if count <= ROOM else routers.FINE_BUT_FULL, planned)
        seen = {extension: (address, port) for extension, (dummy, address, port) in audit["contacts"][-1].items()}
        if seen != {extension: (routers.OUTSIDE, port) for extension, port in planned.items()}:
            wrong = {extension: place for extension, place in seen.items() if place != (routers.OUTSIDE, planned[extension])}
            complaints.append(f"Asterisk sees {len(seen)} of {count} phones; {len(wrong)} not where they were planned: {dict(list(wrong.items())[:4])}")
        ports = sorted(port for dummy, port in seen.values())
        who = f"{', '.join(KINDS)}: " if kinds else ""
        text = f"{who}{len(before)} of {count} registered before; plan {runs[0].seconds:.0f} s, rollout {runs[1].seconds:.0f} s, second run " \
               f"{runs[2].seconds:.0f} s (changed={runs[2].changed}); Asterisk sees {len(seen)} phones, from {min(ports, default=0)} to " \
               f"{max(ports, default=0)}\n  Audit: {audit['run']['seconds']:.0f} s, {_in_short(audit['said'])}"
        return {"text": text, "complaints": complaints}
    finally:
        site.end()


def _in_short(said: dict[str, Any]) -> str:
    if not said:
        return "no report"
    verdicts = Counter(line["verdict"] for line in said["lines"])
    return f"{', '.join(f'{count} {word}' for word, count in verdicts.items())}; findings: {'; '.join(verdict.findings_of(said)) or 'none'}"


def main() -> None:
    what, home, tree = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    spaces.prepare()
    (home / "story.json").write_text(json.dumps(travel(what, home, tree)), "utf-8")


if __name__ == "__main__":
    main()
