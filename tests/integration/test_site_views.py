"""Ports don't move, however much of the site a run gets to see: limit, serial, reordered, disabled, added, an AWX-style slice."""

from __future__ import annotations

import json
import subprocess

import pytest
import yaml

from tests.playbook import BIN, run_playbook

PLANNED = {
    "front-desk": 5060, "kitchen": 5062, "workshop": 5064, "office-anna": 5066, "office-ben": 5068, "meeting-room": 5070, "warehouse": 5072, "boss": 5074,
}

# What a controller gives a job of a sliced template: only some hosts, in groups cut to them, with all group vars.
SLICE = """#!/usr/bin/env python3
import json
whole = json.loads({whole!r})
names = sorted(whole["_meta"]["hostvars"])
kept = set(names[{first}::{count}]) | {{"demo-pbx"}}
for group in whole.values():
    if "hosts" in group:
        group["hosts"] = [name for name in group["hosts"] if name in kept]
whole["_meta"]["hostvars"] = {{name: values for name, values in whole["_meta"]["hostvars"].items() if name in kept}}
print(json.dumps(whole))
"""


def everything(inventory):
    listed = subprocess.run([str(BIN / "ansible-inventory"), "-i", str(inventory), "--list"], capture_output=True, text=True, check=True, timeout=60)
    return listed.stdout


def rewrite(rollout, change):
    path = rollout.inventory / "hosts.yml"
    hosts = yaml.safe_load(path.read_text())
    hosts["demo_site"]["hosts"] = change(hosts["demo_site"]["hosts"])
    path.write_text(yaml.safe_dump(hosts, sort_keys=False))


@pytest.mark.parametrize("change", ["reordered", "disabled", "added"])
def test_hosts_come_and_go(rollout, change):
    rewrite(rollout, {
        "reordered": lambda hosts: dict(reversed(hosts.items())),
        "disabled": lambda hosts: {name: value for name, value in hosts.items() if name != "front-desk"},
        "added": lambda hosts: {"kitchen": hosts["kitchen"], "newcomer": {"sip_phone_kind": "softphone"}, **hosts},
    }[change])
    result = rollout.run("site")
    assert not result.failed, result.out
    assert rollout.ports() == PLANNED


def test_slices_of_the_site_give_the_same_ports(rollout, tmp_path):
    whole = everything(rollout.inventory).replace("{{ inventory_dir }}", str(rollout.inventory))
    for number in range(2):
        script = tmp_path / f"slice{number}.py"
        script.write_text(SLICE.format(whole=whole, first=number, count=2))
        script.chmod(0o755)
        result = run_playbook("evenport.sip.site", script, "-e", f"sip_output_directory={tmp_path}/out")
        assert not result.failed, result.out
    assert rollout.ports() == PLANNED


def test_one_phone_at_a_time_with_the_role(rollout, tmp_path):
    """A play of one's own with serial: 1 and the role: every phone still gets the port that the lock has for it."""
    play = tmp_path / "mine.yml"
    play.write_text(json.dumps([{
        "hosts": "demo_site", "gather_facts": False, "serial": 1,
        "tasks": [{"name": "Roll out", "ansible.builtin.import_role": {"name": "evenport.sip.site", "rolespec_validate": False}}],
    }]))
    result = run_playbook(str(play), rollout.inventory, "--limit", "kitchen,workshop,boss")
    assert not result.failed, result.out
    assert rollout.ports() == {**dict.fromkeys(PLANNED, 5060), "kitchen": 5062, "workshop": 5064, "boss": 5074}


def test_the_role_in_a_play_of_ones_own_does_nothing_the_second_time(rollout, tmp_path):
    play = tmp_path / "mine.yml"
    play.write_text(json.dumps([{"hosts": "demo_site", "gather_facts": False, "roles": ["evenport.sip.site"]}]))
    assert not run_playbook(str(play), rollout.inventory).failed
    assert rollout.ports() == PLANNED
    again = run_playbook(str(play), rollout.inventory)
    assert (again.failed, again.changed) == (False, 0), again.out
    assert {phone.writes for phone in rollout.phones.values()} == {1}


def test_from_the_checkout(rollout):
    """As README says it for who works in a checkout: the playbook by its path."""
    from tests.fakes.demo import CHECKOUT
    result = run_playbook(str(CHECKOUT / "playbooks/site.yml"), rollout.inventory, folder=CHECKOUT)
    assert not result.failed, result.out
    assert rollout.ports() == PLANNED
