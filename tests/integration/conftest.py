"""The embedded site inside the test process, so that a test sees what the fakes counted."""

from __future__ import annotations

import itertools
import json
import os

import pytest
import yaml

from tests.fakes.demo import copy_inventory
from tests.fakes.site import ORDINARY, DemoSite
from tests.playbook import run_playbook

_nets = itertools.count(1)


def loopback_net():
    """The first three numbers of addresses that no other test of this process has."""
    return f"127.{20 + os.getpid() % 200}.{next(_nets)}."


class Rollout:
    """A running demo site with an inventory of its own, planned ports and all."""

    def __init__(self, folder, kinds=ORDINARY, lock=True):
        self.inventory = copy_inventory(folder / "inventory", loopback_net(), lock=lock)
        self.site = DemoSite(self.inventory, kinds=kinds)
        self.phones = self.site.phones
        self.report_file = folder / "report.json"

    def edit(self, name, **variables):
        """Set (or with None remove) variables of one host in the inventory."""
        path = self.inventory / "hosts.yml"
        hosts = yaml.safe_load(path.read_text())
        for group in hosts.values():
            if name in group["hosts"]:
                group["hosts"][name].update(variables)
                group["hosts"][name] = {key: value for key, value in group["hosts"][name].items() if value is not None}
        path.write_text(yaml.safe_dump(hosts, sort_keys=False))

    def run(self, playbook, *options, **environment):
        self.report_file.unlink(missing_ok=True)
        return run_playbook(f"evenport.sip.{playbook}", self.inventory, "-e", f"sip_audit_file={self.report_file}", *options, **environment)

    @property
    def report(self):
        return json.loads(self.report_file.read_text())

    @property
    def lines(self):
        """The lines of all sites, each with its site."""
        return [{"site": site["site"], **line} for site in self.report["sites"] for line in site["lines"]]

    @property
    def findings(self):
        return [{"site": site["site"], **finding} for site in self.report["sites"] for finding in site["findings"]]

    def verdicts(self):
        return {line["phone"]: line["verdict"] for line in self.lines if line["planned"]}

    def ports(self):
        """The port that each phone signals from now."""
        return {name: phone.effective[1] for name, phone in self.phones.items()}

    def totals(self, counter):
        return {name: getattr(phone, counter) for name, phone in self.phones.items()}


@pytest.fixture
def rollout(tmp_path):
    rollout = Rollout(tmp_path)
    with rollout.site:
        yield rollout
