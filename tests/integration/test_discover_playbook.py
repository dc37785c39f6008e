# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""evenport.sip.discover as a person runs it: a real ansible-playbook, a fake Asterisk, and what Ansible makes of the file that it writes."""

from __future__ import annotations

import json
import os
import subprocess

import pytest
import yaml

from tests.fakes.asterisk import FakeAsterisk
from tests.fakes.pjsip_conf import write_sample
from tests.playbook import BIN, run_playbook

YEALINK, FANVIL, ZOIPER = "Yealink SIP-T46S 66.84.0.15", "Fanvil X4 2.10.2.6887 0c383e07e16c", "Z 5.6.6 v2.10.20.5"
EVIL = "Evil: {{ lookup('pipe', 'touch pwned') }} # \u2028sites: {} 1.0"
EXTENSIONS = ["101", "102", "103", "201", "4540", "4540r", "199", "300"]


class Discovery:
    """An inventory that has nothing but the PBX, and the PBX."""

    def __init__(self, folder, pbx):
        self.folder, self.pbx = folder, pbx
        self.inventory = folder / "inventory"
        self.file = self.inventory / "discovered-pbx1.yml"
        self.inventory.mkdir()
        self.hosts(pbxs={"hosts": {"pbx1": {
            "ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}", "ansible_remote_tmp": str(folder / "tmp"),
            "sip_pbx_host": "127.0.0.1", "sip_pbx_port": pbx.port, "sip_pbx_user": "evenport", "sip_pbx_password": "ami-secret"}}})

    def hosts(self, **groups):
        path = self.inventory / "hosts.yml"
        path.write_text(yaml.safe_dump({**(yaml.safe_load(path.read_text()) if path.exists() else {}), **groups}))

    def run(self, *options, playbook="evenport.sip.discover"):
        given = ["-e", "sip_pbx=pbx1"] if playbook.endswith("discover") else []
        return run_playbook(playbook, self.inventory, *given, *options, folder=self.folder)

    def listed(self):
        """(group -> its hosts, host -> variables) as ansible-inventory has them."""
        env = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
        command = [str(BIN / "ansible-inventory"), "--list", "-i", str(self.inventory)]
        done = subprocess.run(command, cwd=self.folder, env=env, capture_output=True, text=True, timeout=120, check=True)
        data = json.loads(done.stdout)
        assert "WARN" not in done.stderr, done.stderr
        return {name: group["hosts"] for name, group in data.items() if "hosts" in group}, data["_meta"]["hostvars"]


@pytest.fixture
def discovery(tmp_path):
    config = tmp_path / "asterisk"
    config.mkdir()
    write_sample(config, EXTENSIONS, nat="yes", qualify=30, max_contacts=3)
    with FakeAsterisk(config) as pbx:
        pbx.register("101", "192.168.1.11", 5060, "203.0.113.1", 5060, user_agent=YEALINK)
        pbx.register("102", "192.168.1.11", 5062, "203.0.113.1", 5062, user_agent=YEALINK)         # its second line
        pbx.register("4540", "192.168.1.12", 5060, "203.0.113.1", 41000, user_agent=FANVIL)
        pbx.register("4540r", "10.9.9.9", 51000, "198.51.100.7", 51000, user_agent=ZOIPER)
        pbx.register("300", "10.8.8.8", 51000, "198.51.100.8", 51000, user_agent=ZOIPER)           # has no phone
        pbx.register("103", "192.168.1.13", 5060, "203.0.113.1", 41001, user_agent=EVIL)
        pbx.register("201", "192.168.1.11", 5060, "203.0.113.2", 5060, user_agent=YEALINK)          # another customer with the same addresses inside
        yield Discovery(tmp_path, pbx)


def test_nobody_types_what_the_pbx_knows(discovery):
    result = discovery.run()
    assert not result.failed and result.changed == 1, result.out
    assert "4 phone(s) with 5 line(s) at 2 site(s), 2 softphone(s)" in result.words and "1 extension(s) are not registered" in result.words
    assert discovery.pbx.login_attempts == 1 and discovery.pbx.actions["pjsipshowendpoints"] == 1
    members, hosts = discovery.listed()
    assert members["site_203_0_113_1"] == ["phone-101", "phone-103", "phone-4540", "softphone-4540r"] and members["site_203_0_113_2"] == ["phone-201"]
    assert members["softphones_pbx1"] == ["softphone-300"] and "sites" not in members and not (discovery.folder / "pwned").exists()
    phone = hosts["phone-101"]
    assert (phone["ansible_host"], phone["sip_extensions"], phone["sip_phone_brand"], phone["sip_pbx"]) == ("192.168.1.11", ["101", "102"], "yealink", "pbx1")
    assert hosts["phone-4540"]["sip_mac"] == "0C:38:3E:07:E1:6C" and "sip_phone_brand" not in hosts["phone-103"]
    assert hosts["softphone-4540r"]["sip_phone_kind"] == "softphone"
    text = discovery.file.read_text()
    assert "nobody has registered" in text and "199" in text and "ami-secret" not in text + result.out and "pw101" not in text + result.out


def test_the_plan_gives_ports_to_what_was_found_and_a_second_run_finds_nothing_new(discovery):
    assert discovery.run().changed == 1
    planned = discovery.run(playbook="evenport.sip.plan")
    assert not planned.failed, planned.out
    locks = {lock.parent.name: yaml.safe_load(lock.read_text())["sip_ports"] for lock in discovery.inventory.glob("group_vars/*/sip_ports.yml")}
    assert locks == {
        "site_203_0_113_1": {"phone-101": [5060, 5062], "phone-103": [5064], "phone-4540": [5066]}, "site_203_0_113_2": {"phone-201": [5060]},
        "softphones_pbx1": {}}
    before = discovery.file.read_bytes()
    again = discovery.run()
    assert not again.failed and again.changed == 0 and "Nothing new" in again.words and discovery.file.read_bytes() == before


def test_check_mode_shows_and_writes_nothing(discovery):
    result = discovery.run("--check", "--diff")
    assert not result.failed and result.changed == 1 and "+    phone-101:" in result.out and "Would be written to" in result.words
    assert not discovery.file.exists()


def test_a_file_that_somebody_may_have_edited_is_never_overwritten(discovery):
    other = discovery.folder / "elsewhere" / "found.yml"
    assert discovery.run("-e", f"sip_discover_file={other}").changed == 1
    text = other.read_text()
    same = discovery.run("-e", f"sip_discover_file={other}")
    assert not same.failed and same.changed == 0
    other.write_text(text.replace("site_203_0_113_1", "acme_hq"))
    for check in ((), ("--check",)):
        refused = discovery.run("-e", f"sip_discover_file={other}", *check)
        assert refused.failed and "never overwritten" in refused.words and "sip_discover_file" in refused.words
    assert other.read_text() == text.replace("site_203_0_113_1", "acme_hq")
    (discovery.folder / "a file").write_text("")
    assert "can't be written" in discovery.run("-e", json.dumps({"sip_discover_file": str(discovery.folder / "a file" / "x.yml")})).words


def test_what_is_known_is_left_out_and_a_new_phone_joins_its_site(discovery):
    discovery.hosts(acme={"vars": {"sip_site": "acme", "sip_pbx": "pbx1"}, "hosts": {"front-desk": {"sip_extensions": [101, "102"]}}},
                    far={"vars": {"sip_site": "far", "sip_pbx": "pbx2"}, "hosts": {"other": {"sip_extensions": ["201"]}}})
    assert discovery.run().changed == 1
    members, hosts = discovery.listed()
    assert sorted(members["acme"]) == ["front-desk", "phone-103", "phone-4540", "softphone-4540r"] and members["site_203_0_113_2"] == ["phone-201"]
    assert hosts["phone-103"]["sip_site"] == "acme"


def test_without_a_pbx_or_with_one_that_refuses_nothing_is_written(discovery):
    missing = run_playbook("evenport.sip.discover", discovery.inventory, folder=discovery.folder)
    assert missing.failed and "Say which PBX to ask" in missing.words
    refused = discovery.run("-e", "sip_pbx_password=wrong")
    assert refused.failed and discovery.pbx.login_attempts == 1 and not discovery.file.exists()


@pytest.mark.parametrize("limit", [(), ("--limit", "pbx1")])
def test_a_name_that_is_no_host_fails(discovery, limit):
    wrong = run_playbook("evenport.sip.discover", discovery.inventory, "-e", "sip_pbx=TYPO", *limit, folder=discovery.folder)
    assert wrong.status == 2 and "The inventory has no host or group TYPO, so no PBX was asked" in wrong.words
    assert discovery.pbx.login_attempts == 0 and not list(discovery.inventory.glob("discovered*"))
    group = run_playbook("evenport.sip.discover", discovery.inventory, "-e", "sip_pbx=pbxs", *limit, folder=discovery.folder)
    assert not group.failed and discovery.file.exists(), group.out
