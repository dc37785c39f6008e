"""One router's whole story, inside a world of its own: before, rollout, after, second run, an audit at every station. Writes a JSON file.

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
from tests.lab import controller, inventory, net, routers, scenario, spaces, verdict
from tests.lab.asterisk import Asterisk
from tests.lab.phone import DeskPhone
from tests.lab.processes import until

NUMBERS = [101, 102, 103, 104]
CONTACT = re.compile(r"^/registrar/contact/(\w+);\S+\s*: (\{.*\})\s*$", re.M)
URI = re.compile(r"sips?:(?:[^@\s]+@)?([\d.]+):(\d+)")


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

    def contacts(self) -> dict[str, tuple[int, str, int]]:
        """Extension -> (port in the Via of its REGISTER, address and port that Asterisk really sends to), from Asterisk's own database."""
        until(lambda: all(phone.agent.registered() for phone in self.phones), 4)
        found = {extension: json.loads(contact) for extension, contact in CONTACT.findall(self.pbx.rx("database show registrar/contact"))}
        places = {extension: URI.match(contact["uri"]) for extension, contact in found.items()}
        return {extension: (int(found[extension]["via_port"]), place[1], int(place[2])) for extension, place in sorted(places.items()) if place}

    def audit(self, folder: Path, name: str) -> dict[str, Any]:
        """Run the audit: what it said, and beside it the truth: Asterisk's contacts, and the ports that the user agents really have."""
        before = self.contacts()                                # and after it: a phone may register anew while the audit runs
        report = self.home / f"{name}.json"
        done = controller.play("audit", folder, self.home, name, "-e", json.dumps({"sip_audit_file": str(report)}))
        said = verdict.read_audit(json.loads(report.read_text("utf-8"))) if report.exists() else {}
        ports = {phone.agent.extension: phone.agent.port for phone in self.phones}
        return {"run": _as_data(done), "said": said, "contacts": [before, self.contacts()], "set": ports}

    def counters(self) -> dict[str, dict[str, int]]:
        return {str(phone.number): phone.counters() for phone in self.phones}

    def end(self) -> None:
        for phone in self.phones:
            phone.unplug()
        self.pbx.stop()


def travel(router: routers.Router, home: Path, tree: Path) -> dict[str, Any]:
    """The story as data: cells (the symptoms at each station), audits (what was said there, and the truth), runs, counters."""
    site = Site(router, home, tree, NUMBERS)
    story: dict[str, Any] = {"router": router.name, "cells": {}, "audits": {}, "runs": {}, "counters": {"start": {}}}

    def run(playbook: str, name: str) -> None:
        story["runs"][name] = _as_data(controller.play(playbook, folder, home, name))
        story["counters"][name] = site.counters()

    def audit(station: str) -> None:
        story["audits"][station] = site.audit(folder, f"audit {station}")
        story["runs"][f"audit {station}"] = story["audits"][station].pop("run")
        story["counters"][f"audit {station}"] = site.counters()

    try:
        site.begin(nat_option=True)
        folder = inventory.write(home / "inventory", site.phones, site.pbx)
        story["counters"]["start"] = site.counters()
        run("plan", "plan")
        audit("nat option alone")                               # soon: before a phone registers anew, through another mapping
        story["cells"]["nat option alone"] = site.measure()
        site.begin(nat_option=False)
        audit("as found")
        story["cells"]["as found"] = site.measure()
        run("site", "rollout")
        story["cells"]["after the rollout"] = site.measure()
        run("site", "second run")
        audit("after the rollout")
        site.begin(nat_option=False)                            # the phones keep their ports
        audit("nat option off again")
    finally:
        site.end()
    return story


def _as_data(done: controller.Run) -> dict[str, Any]:
    return {"code": done.code, "changed": done.changed, "seconds": done.seconds, "output": done.output}


def main() -> None:
    name, home, tree = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    spaces.prepare()
    (home / "story.json").write_text(json.dumps(travel(routers.ROUTERS[name], home, tree)), "utf-8")


if __name__ == "__main__":
    main()
