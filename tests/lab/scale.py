"""One big site: 70 phones behind one ordinary router, rolled out at once. Part of the lab on demand.

    python -m tests.lab --scale 70
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.lab import controller, inventory, routers, spaces
from tests.lab.journey import Site


def travel(count: int, home: Path, tree: Path) -> dict[str, Any]:
    """The rollout as data: a line of text, and complaints."""
    site = Site(routers.ROUTERS["masq"], home, tree, list(range(101, 101 + count)))
    complaints = []
    try:
        site.begin(nat_option=False)
        folder = inventory.write(home / "inventory", site.phones, site.pbx)
        runs = [controller.play(playbook, folder, home, f"{number}-{playbook}") for number, playbook in enumerate(("plan", "site", "site"))]
        complaints += [f"a run ended with {run.code}:\n{run.output[-2000:]}" for run in runs if run.code]
        if runs[2].changed:
            complaints.append(f"the second run changed {runs[2].changed} things")
        planned = {str(phone.number): (routers.OUTSIDE, 5060 + 2 * index) for index, phone in enumerate(site.phones)}
        seen = site.seen()
        if seen != planned:
            wrong = {extension: found for extension, found in seen.items() if planned[extension] != found}
            complaints.append(f"Asterisk sees {len(seen)} of {count} phones; not where they were planned: {wrong}")
        text = f"plan {runs[0].seconds:.0f} s, rollout {runs[1].seconds:.0f} s, second run {runs[2].seconds:.0f} s (changed={runs[2].changed}); " \
               f"Asterisk sees {len(seen)} phones, from 5060 to {max(port for _address, port in seen.values())}"
        return {"text": text, "complaints": complaints}
    finally:
        site.end()


def main() -> None:
    count, home, tree = int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
    spaces.prepare()
    (home / "story.json").write_text(json.dumps(travel(count, home, tree)), "utf-8")


if __name__ == "__main__":
    main()
