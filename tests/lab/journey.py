"""One router's whole story, inside a world of its own: before, rollout, after, second run, audit. Writes a JSON file.

    python -m tests.lab.journey ROUTER HOME TREE        (started by python -m tests.lab, in new namespaces)
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.fakes.brands import Kind
from tests.lab import controller, inventory, net, routers, scenario, spaces
from tests.lab.asterisk import Asterisk
from tests.lab.phone import DeskPhone

NUMBERS = [101, 102, 103, 104]
CONTACT = re.compile(r"contact\s+: sips?:(?:[^@\s]+@)?([\d.]+):(\d+)")


class Site:
    """Phones, a router and the PBX."""

    def __init__(self, router: routers.Router, home: Path, tree: Path, numbers: list[int], kinds: Sequence[Kind] = ()) -> None:
        self.router, self.home, self.tree = router, home, tree
        net.build(numbers)
        routers.install(router, net.ROUTER, tree)
        self.pbx = Asterisk(tree, home / "pbx", net.PBX, net.PBX_ADDRESS)
        self.phones = [DeskPhone(number, home / str(number), tree, watched=["103"], kind=kinds[index] if kinds else None)
                       for index, number in enumerate(numbers)]
        self._plugged_in = False

    def begin(self, nat_option: bool) -> None:
        """Everything forgets everything: the PBX its contacts, the router its mappings, the phones their calls."""
        for phone in self.phones:
            phone.agent.stop()
        self.pbx.stop()
        routers.forget(net.ROUTER, self.tree)
        self.pbx.write_config([phone.agent.extension for phone in self.phones], nat_option)
        self.pbx.cold_restart()
        for phone in self.phones:
            if self._plugged_in:
                phone.reconnect()
            else:
                phone.plug_in()
        self._plugged_in = True

    def measure(self) -> dict[str, Any]:
        symptoms = scenario.measure(self.pbx, [phone.agent for phone in self.phones], self.router.expiry)
        return {**symptoms.as_dict(), "good": symptoms.good}

    def seen(self) -> dict[str, tuple[str, int]]:
        """Extension -> address and port that Asterisk really sends to."""
        found = {phone.agent.extension: CONTACT.search(self.pbx.rx(f"pjsip show aor {phone.number}")) for phone in self.phones}
        return {extension: (match[1], int(match[2])) for extension, match in found.items() if match}

    def counters(self) -> dict[str, dict[str, int]]:
        return {str(phone.number): phone.counters() for phone in self.phones}

    def end(self) -> None:
        for phone in self.phones:
            phone.unplug()
        self.pbx.stop()


def travel(router: routers.Router, home: Path, tree: Path) -> dict[str, Any]:
    """The story as data: cells (the symptoms at each station), runs, seen, counters, audit. Shapes: see verdict.py, report.py."""
    site = Site(router, home, tree, NUMBERS)
    story: dict[str, Any] = {"router": router.name, "cells": {}, "runs": {}, "counters": {"start": {}}}
    try:
        site.begin(nat_option=True)
        story["cells"]["nat option alone"] = site.measure()
        site.begin(nat_option=False)
        story["cells"]["as found"] = site.measure()
        folder = inventory.write(home / "inventory", site.phones, site.pbx)
        story["counters"]["start"] = site.counters()

        def run(name: str, playbook: str, *options: str) -> None:
            done = controller.play(playbook, folder, home, name, *options)
            story["runs"][name] = {"code": done.code, "changed": done.changed, "seconds": done.seconds, "output": done.output}
            story["counters"][name] = site.counters()

        run("plan", "plan")
        run("rollout", "site")
        story["cells"]["after the rollout"] = site.measure()
        story["seen"] = site.seen()
        run("second run", "site")
        report = home / "audit.json"
        run("audit", "audit", "-e", f"sip_audit_file={report}")
        story["audit"] = json.loads(report.read_text("utf-8")) if report.exists() else {}
    finally:
        site.end()
    return story


def main() -> None:
    name, home, tree = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    spaces.prepare()
    (home / "story.json").write_text(json.dumps(travel(routers.ROUTERS[name], home, tree)), "utf-8")


if __name__ == "__main__":
    main()
