"""evenport.sip.plan as a person runs it: a real ansible-playbook on real inventories; what Ansible sees is read with ansible-inventory."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.playbook import BIN, Result, run_playbook

SITE = "sip_site: acme_hq\nweb_page: http://{{ inventory_hostname }}/\n"
HEADER = "# written by evenport.sip.plan; commit it\n# phone -> local SIP port of line 1, 2, ... (null: a line without a port of its own)\n"


class Plan:
    """A folder with an inventory, and what one does with it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.source, self.options = folder, str(folder / "hosts.yml"), []
        self.env = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
        self.env |= {"ANSIBLE_NOCOLOR": "1", "LC_ALL": "C.UTF-8"}

    @property
    def lock(self) -> Path:
        return self.folder / "group_vars" / "acme_hq" / "sip_ports.yml"

    @property
    def ports(self) -> dict:
        return yaml.safe_load(self.lock.read_text())["sip_ports"]

    @property
    def retired(self) -> list:
        return yaml.safe_load(self.lock.read_text())["sip_ports_retired"]

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def hosts(self, **phones: dict) -> None:
        hosts = {name.replace("_", "-"): variables or None for name, variables in phones.items()}
        inventory = {"all": {"children": {"acme_hq": {"hosts": hosts}, "pbxs": {"hosts": {"pbx1": {"sip_pbx_port": 5038}}}}}}
        self.write("hosts.yml", yaml.safe_dump(inventory, sort_keys=False))

    def run(self, *options: str) -> Result:
        return run_playbook("evenport.sip.plan", self.source, *self.options, *options, folder=self.folder, **self.env)

    def seen(self) -> tuple[dict, dict]:
        """(all variables of all hosts but the lock, the lock as each phone sees it), from ansible-inventory."""
        command = [str(BIN / "ansible-inventory"), "--list", "-i", self.source, *self.options]
        listed = json.loads(subprocess.run(command, cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=120, check=True).stdout)
        hostvars = listed["_meta"]["hostvars"]
        locks = {host: variables.pop("sip_ports", None) for host, variables in hostvars.items()}
        for variables in hostvars.values():
            variables.pop("sip_ports_retired", None)
        return listed, locks

    def tree(self) -> dict[str, bytes]:
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in sorted(self.folder.rglob("*")) if path.is_file()}


@pytest.fixture
def plan(tmp_path):
    plan = Plan(tmp_path)
    plan.hosts(front_desk={"sip_extensions": ["101", "102"]}, kitchen={}, softy={"sip_phone_kind": "softphone"}, lobby={})
    plan.write("group_vars/acme_hq/main.yml", SITE)
    return plan


@pytest.fixture
def planned(plan):
    assert not plan.run().failed
    return plan


FIRST = {"front-desk": [5060, 5062], "kitchen": [5064], "lobby": [5066]}


def test_create_then_nothing_to_do(plan):
    first = plan.run()
    assert not first.failed and first.changed, first.out
    assert plan.lock.read_text() == HEADER + "sip_ports:\n  front-desk: [5060, 5062]\n  kitchen: [5064]\n  lobby: [5066]\nsip_ports_retired: []\n"
    assert re.search(r"5064 +5065 +kitchen +1 +new +ca-1 +EPICS", first.out)
    before = plan.lock.stat()
    second = plan.run()
    assert not second.failed and not second.changed
    assert (plan.lock.stat().st_mtime_ns, plan.lock.stat().st_ino) == (before.st_mtime_ns, before.st_ino)


def test_check_mode_shows_and_writes_nothing(plan):
    before = plan.tree()
    result = plan.run("--check", "--diff")
    assert not result.failed and result.changed and "+  kitchen: [5064]" in result.out
    assert plan.tree() == before and not plan.lock.exists()


def test_a_new_phone_in_the_middle_and_hosts_reordered(planned):
    planned.lock.write_text(planned.lock.read_text().replace("[5064]", "[5064]   # bad cable"))
    planned.hosts(lobby={}, new={"sip_phone_transport": "tls"}, kitchen={}, front_desk={"sip_extensions": ["101", "102"]})
    assert planned.run().changed
    assert planned.lock.read_text().endswith("  kitchen: [5064]   # bad cable\n  lobby: [5066]\n  new: [5068]\nsip_ports_retired: []\n")


def test_a_disabled_phone_keeps_its_port_and_is_named(planned):
    before = planned.lock.read_bytes()
    planned.hosts(front_desk={"sip_extensions": ["101"]}, lobby={})
    result = planned.run()
    assert not result.failed and not result.changed and planned.lock.read_bytes() == before
    assert "ports kept: kitchen." in result.words and "sip_plan_retire=kitchen" in result.words
    assert "front-desk line 2 (5062)" in result.words


def test_limit_plans_the_whole_site(plan):
    assert plan.run("--limit", "lobby").changed and plan.ports == FIRST
    assert not plan.run("--limit", "kitchen").changed


def test_retire_release_renumber(planned):
    planned.hosts(front_desk={"sip_extensions": ["101", "102"]}, lobby={}, new={})
    assert "sip_plan_retire" not in planned.run("-e", "sip_plan_retire=kitchen").words
    assert planned.ports == {"front-desk": [5060, 5062], "lobby": [5066], "new": [5068]} and planned.retired == [5064]
    planned.hosts(newer={}, front_desk={"sip_extensions": ["101", "102"]}, lobby={}, new={})
    assert planned.run("-e", "sip_plan_release=5064").changed
    assert planned.ports["newer"] == [5064] and planned.retired == []
    before = planned.lock.read_bytes()
    shown = planned.run("-e", "sip_plan_renumber=true", "--check", "--diff")
    assert "-  newer: [5064]" in shown.out and "+  newer: [5060]" in shown.out and "was 5064" in shown.out and planned.lock.read_bytes() == before
    assert planned.run("-e", "sip_plan_renumber=true").changed
    assert planned.ports == {"front-desk": [5062, 5064], "lobby": [5066], "new": [5068], "newer": [5060]}


@pytest.mark.parametrize(("wish", "words"), [
    ("sip_plan_retire=nobody", "nobody is to be retired"), ("sip_plan_retire=kitchen", "it is a phone of the inventory"),
    ("sip_plan_release=5999", "Port 5999"),
])
def test_wishes_that_can_not_be_met(planned, wish, words):
    before = planned.tree()
    result = planned.run("-e", wish)
    assert result.failed and words in result.words and planned.tree() == before


AWX = """#!/usr/bin/env python3
import json, os
count, number = int(os.environ.get("SLICES", 1)), int(os.environ.get("SLICE", 1))
hosts = sorted(os.environ["PHONES"].split())[number - 1::count]      # AWX: order_by('name'), then hosts[n-1::count]
site = {"sip_site": "acme_hq"}
hostvars = {host: {"sip_extensions": ["1"]} for host in hosts}
print(json.dumps({"_meta": {"hostvars": hostvars}, "acme_hq": {"hosts": hosts, "vars": site}}))
"""


def test_slices_of_awx_move_nothing(plan):
    plan.write("hosts.yml", "")
    plan.write("awx.py", AWX).chmod(0o755)
    plan.source, plan.env["PHONES"] = str(plan.folder / "awx.py"), "a1 a2 a3 a4 a5"
    assert plan.run().changed
    before, ports = plan.lock.read_bytes(), plan.ports
    assert sorted(ports.values()) == [[5060], [5062], [5064], [5066], [5068]]
    for number in ("1", "2"):
        plan.env |= {"SLICES": "2", "SLICE": number}
        result = plan.run()
        assert not result.failed and not result.changed and plan.lock.read_bytes() == before
        assert plan.seen()[1] == dict.fromkeys(plan.env["PHONES"].split()[int(number) - 1::2], ports)
    plan.env["PHONES"] += " a6"
    assert plan.run().changed and plan.ports == {**ports, "a6": [5070]}


SITUATIONS = ["folder", "file", "bare file", "file and folder", "neither"]


@pytest.mark.parametrize(("kind", "situation"), [
    *[(kind, situation) for kind in ("file", "folder") for situation in SITUATIONS], ("nested", "folder"), ("nested", "file"), ("two sources", "neither"),
])
def test_writing_hides_no_variable(plan, kind, situation):
    (plan.folder / "group_vars" / "acme_hq" / "main.yml").unlink()
    (plan.folder / "group_vars" / "acme_hq").rmdir()
    plan.write("group_vars/all.yml", "from_all: 1\n")
    plan.write("host_vars/kitchen.yml", "of_the_host: 1\n")
    if situation in ("folder", "file and folder"):
        plan.write("group_vars/acme_hq/vars", SITE)
    if situation in ("file", "file and folder"):
        plan.write("group_vars/acme_hq.yml", SITE)
    if situation == "bare file":
        plan.write("group_vars/acme_hq", SITE)
    if situation == "neither":
        hosts = (plan.folder / "hosts.yml").read_text()
        plan.write("hosts.yml", hosts.replace("    acme_hq:\n", "    acme_hq:\n      vars: {sip_site: acme_hq}\n"))
    if kind == "nested":
        (plan.folder / "deep").mkdir()
        (plan.folder / "hosts.yml").rename(plan.folder / "deep" / "hosts.yml")
    if kind in ("folder", "nested"):
        plan.source = str(plan.folder)
    if kind == "two sources":
        (plan.folder / "first").mkdir()
        (plan.folder / "first" / "more").write_text("[others]\nelsewhere\n")
        plan.options = ["-i", str(plan.folder / "first")]
    variables, locks = plan.seen()
    assert set(locks.values()) == {None}
    if situation in ("file", "bare file"):
        before = plan.tree()
        refused = plan.run()
        assert refused.failed and "would hide the file" in refused.words and "sip_plan_move=true" in refused.words and plan.tree() == before
        assert plan.run("-e", "sip_plan_move=true", "--check").changed and plan.tree() == before
        result = plan.run("-e", "sip_plan_move=true")
        assert (plan.folder / "group_vars" / "acme_hq" / "main.yml").read_text() == SITE
    else:
        result = plan.run()
    assert not result.failed, result.out
    after, locks = plan.seen()
    assert after == variables
    assert {host: lock for host, lock in locks.items() if lock} == dict.fromkeys(["front-desk", "kitchen", "softy", "lobby"], FIRST)
    assert not plan.run().changed
    assert not [name for name in plan.tree() if name.endswith("~")]


@pytest.mark.parametrize("alone", [True, False])
def test_encrypted_group_vars(plan, alone):
    (plan.folder / "group_vars" / "acme_hq" / "main.yml").unlink()
    (plan.folder / "group_vars" / "acme_hq").rmdir()
    secret = plan.write("group_vars/acme_hq.yml" if alone else "group_vars/acme_hq/vault.yml", SITE + "sip_phone_password: open-sesame\n")
    plan.options = ["--vault-password-file", str(plan.write("password", "x"))]
    vault = [str(BIN / "ansible-vault"), "encrypt", *plan.options, str(secret)]
    subprocess.run(vault, cwd=plan.folder, env=plan.env, check=True, capture_output=True, timeout=60)
    content, variables = secret.read_bytes(), plan.seen()[0]
    result = plan.run("-vvvv", "--diff", *(["-e", "sip_plan_move=true"] if alone else []))
    assert not result.failed and plan.ports == FIRST and "open-sesame" not in result.out
    assert plan.seen()[0] == variables
    assert (plan.folder / "group_vars" / "acme_hq" / ("main.yml" if alone else "vault.yml")).read_bytes() == content


SPY = """#!/usr/bin/env python3
import json, os, time
here = os.path.dirname(os.path.abspath(__file__))
spied = {"spy": os.path.exists(os.path.join(here, "group_vars/acme_hq/sip_ports.yml")), "clock": time.time_ns()}
if os.environ["SPY"] == "off":
    del spied["spy"]
print(json.dumps({"_meta": {"hostvars": {"a1": spied}}, "acme_hq": {"hosts": ["a1", "a2"]}}))
"""


def test_a_variable_that_changes_with_the_lock_has_everything_put_back(plan):
    plan.write("spy.py", SPY).chmod(0o755)
    plan.source, plan.env["SPY"] = str(plan.folder / "spy.py"), "on"
    before = plan.tree()
    result = plan.run()
    assert result.failed and "changed the variable spy of a1;" in result.words and plan.tree() == before
    plan.env["SPY"] = "off"
    result = plan.run()
    assert not result.failed and plan.ports == {"a1": [5060], "a2": [5062]}         # the clock changes by itself, with or without a lock


@pytest.mark.parametrize(("name", "text"), [
    ("group_vars/acme_hq/main.yml", SITE + "sip_ports: {kitchen: [5080]}\n"), ("group_vars/all.yml", "sip_ports_retired: [5062]\n"),
    ("host_vars/kitchen.yml", "sip_ports: {kitchen: [5080]}\n"), ("group_vars/acme_hq/sip_ports.yaml", "sip_ports: {}\n"),
])
@pytest.mark.parametrize("first", [True, False])
def test_a_lock_that_is_defined_elsewhere_is_refused(plan, name, text, first):
    if not first:
        plan.run()
    path = plan.write(name, text)
    before = plan.tree()
    result = plan.run()
    assert result.failed and plan.tree() == before
    assert "not the same for" in result.words or f"also defined in {path}" in result.words


def test_a_lock_in_extra_vars_is_refused(planned):
    result = planned.run("-e", '{"sip_ports": {"kitchen": [5080]}}')
    assert result.failed and "defined somewhere else" in result.words and planned.ports == FIRST


@pytest.mark.parametrize(("hosts", "words"), [
    ({"lost": {"sip_site": None, "sip_extensions": ["1"]}}, "lost has phone variables but no sip_site. Set sip_site"),
    ({"lost": {"sip_site": "nowhere"}}, "lost: sip_site is 'nowhere', which is no group of the inventory"),
    ({"lost": {"sip_site": "pbxs"}}, "lost: sip_site is pbxs, but the host is not in that group"),
    ({"a": {"sip_port_end": 5100}, "b": {}}, "acme_hq: sip_port_end is not the same for a and b"),
    ({"a": {"sip_extensions": {"1": "101"}}}, "a: sip_extensions must be a list"),
    ({"a": {"sip_phone_brand": "acme"}}, "a: 'acme' is no brand"),
    ({"a": {"sip_phone_transport": "tls", "sip_port_step": 1}}, "acme_hq: a uses SIP-TLS"),
    ({"a": {"sip_extensions": [str(n) for n in range(72)]}}, "acme_hq: no port is left for a line 72"),
])
def test_refusals_write_nothing(plan, hosts, words):
    plan.hosts(**hosts)
    before = plan.tree()
    result = plan.run()
    assert result.failed and words in result.words and plan.tree() == before


def test_a_lock_with_a_duplicate_is_refused(planned):
    planned.lock.write_text(planned.lock.read_text().replace("5066", "5064"))
    result = planned.run()
    assert result.failed and "lobby line 1: port 5064 of the lock is duplicate, it already belongs to kitchen line 1" in result.words


def test_an_inventory_without_a_file_is_refused(plan):
    plan.source = "a,b,"
    result = plan.run()
    assert result.failed and "The hosts come from no inventory file" in result.words and "give that with -i" in result.words
