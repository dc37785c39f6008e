# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The phone tasks as people run them: ansible-playbook against fake phones, through the action plugin and through the module."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from ansible.plugins.connection import local

from tests.fakes.grandstream import FakeGrandstream
from tests.fakes.tls import self_signed

PASSWORD = "Zebra-77-Okapi"

# A connection that is not "local" but leads to this machine: what a box inside the site is to the controller. A copy under another name.
CONNECTION = Path(local.__file__).read_text(encoding="utf-8").replace("name: local", "name: site_box").replace("transport = 'local'", "transport = 'site_box'")

PLAY = """
- hosts: phones
  gather_facts: false
  tasks:
    - name: Push
      evenport.sip.phone:
        host: "{{ ansible_host }}"
        port: "{{ sip_phone_port }}"
        protocol: "{{ sip_phone_protocol | default('http') }}"
        password: "{{ sip_phone_password }}"
        mac: "{{ sip_mac | default(omit) }}"
        fingerprint: "{{ sip_phone_fingerprint | default(omit) }}"
        timeout: 2
        ports: "{{ sip_ports_of_phone }}"
        random_port: false
        nat_traversal: keep_alive
      delegate_to: "{{ sip_site_runner | default(omit) }}"
    - name: Look
      evenport.sip.phone_info:
        host: "{{ ansible_host }}"
        port: "{{ sip_phone_port }}"
        protocol: "{{ sip_phone_protocol | default('http') }}"
        password: "{{ sip_phone_password }}"
        fingerprint: "{{ sip_phone_fingerprint | default(omit) }}"
        timeout: 2
      delegate_to: "{{ sip_site_runner | default(omit) }}"
      when: not ansible_check_mode
"""


class Playbook:
    """A folder with the play above and an inventory of fakes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "connection_plugins").mkdir()
        (folder / "connection_plugins" / "site_box.py").write_text(CONNECTION)
        (folder / "site.yml").write_text(PLAY)
        self.hosts: dict[str, dict] = {}

    def add(self, name: str, fake: FakeGrandstream, **variables) -> None:
        self.hosts[name] = {"ansible_host": "127.0.0.1", "sip_phone_port": fake.port, "sip_phone_password": PASSWORD,
                            "sip_ports_of_phone": [5074 + 2 * len(self.hosts)], **variables}

    def run(self, *options: str) -> tuple[int, str, dict[str, dict[str, int]]]:
        """Exit code, all output, and the recap: host -> {"ok": 2, "changed": 1, ...}."""
        box = {"ansible_connection": "site_box", "ansible_python_interpreter": sys.executable}
        (self.folder / "hosts.json").write_text(json.dumps({"all": {"children": {"phones": {"hosts": self.hosts}}, "hosts": {"box": box}}}))
        (self.folder / "hosts.yml").write_text((self.folder / "hosts.json").read_text())
        environment = {**os.environ, "LC_ALL": "C.UTF-8", "ANSIBLE_LOCALHOST_WARNING": "0", "ANSIBLE_NOCOLOR": "1", "ANSIBLE_DEVEL_WARNING": "0"}
        program = Path(sys.executable).with_name("ansible-playbook")
        done = subprocess.run([str(program), "-i", "hosts.yml", "site.yml", *options], cwd=self.folder, env=environment, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, check=False)
        recap = {host: {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", rest)}
                 for host, rest in re.findall(r"^(\S+)\s+: (ok=.*)$", done.stdout, re.MULTILINE)}
        return done.returncode, done.stdout, recap


@pytest.fixture
def playbook(tmp_path):
    return Playbook(tmp_path)


def test_check_change_nothing_more(playbook):
    with FakeGrandstream("G3", password=PASSWORD) as new, FakeGrandstream("G2", password=PASSWORD) as old:
        playbook.add("kitchen", new, sip_mac=new.mac)
        playbook.add("front-desk", old, sip_mac=old.mac)
        code, text, recap = playbook.run("--check", "--diff", "-vvvv")
        assert code == 0 and PASSWORD not in text
        assert [one["changed"] for one in recap.values()] == [1, 1] and (new.writes, old.writes) == (0, 0)
        assert re.search(r'\+.*"local_port": 5074', text) and re.search(r'-.*"local_port": 5060', text)
        code, text, recap = playbook.run("-vvvv")
        assert code == 0 and PASSWORD not in text
        assert [one["changed"] for one in recap.values()] == [1, 1] and (new.writes, old.writes) == (1, 1)
        code, text, recap = playbook.run()
        assert [one["changed"] for one in recap.values()] == [0, 0] and (new.writes, old.writes) == (1, 1)
        assert new.values["P40"] == "5074" and old.values["P40"] == "5076"


def test_each_fails_alone_with_what_to_do(playbook):
    with FakeGrandstream(password=PASSWORD) as fine, FakeGrandstream(password="other") as wrong, \
            FakeGrandstream(password=PASSWORD, faults={"silent_success": True}) as liar, \
            FakeGrandstream(password=PASSWORD, faults={"locked": True}) as locked, \
            FakeGrandstream(password=PASSWORD, faults={"rubbish": True}) as rubbish, \
            FakeGrandstream(password=PASSWORD, faults={"hang": True}) as hanging, \
            FakeGrandstream(password=PASSWORD, tls=self_signed()) as secure, FakeGrandstream(password=PASSWORD) as gone:
        gone.stop()
        playbook.add("fine", fine)
        playbook.add("wrong", wrong)
        playbook.add("liar", liar)
        playbook.add("locked", locked)
        playbook.add("rubbish", rubbish)
        playbook.add("hanging", hanging)
        playbook.add("secure", secure, sip_phone_protocol="https")
        playbook.add("pinned", secure, sip_phone_protocol="https", sip_phone_fingerprint="sha256:" + secure.tls.fingerprint)
        playbook.add("stranger", fine, sip_mac="000b82ffffff")
        playbook.add("gone", gone)
        code, text, recap = playbook.run("-vvvv", "--forks", "4")
        assert code != 0 and PASSWORD not in text
        assert {host for host, one in recap.items() if one["failed"]} == {"wrong", "liar", "locked", "rubbish", "secure", "stranger"}
        assert {host for host, one in recap.items() if one["unreachable"]} == {"hanging", "gone"}
        assert recap["fine"]["changed"] == recap["pinned"]["changed"] == 1
        for code in ("auth_failed", "not_applied", "locked", "bad_answer", "certificate_refused", "identity_mismatch", "deferred"):
            assert f'"code": "{code}"' in text
        assert f"sip_phone_fingerprint: sha256:{secure.tls.fingerprint}" in text
        assert wrong.login_attempts == 1 and "Traceback" not in text


@pytest.mark.parametrize("where", ["box", "localhost"])
def test_delegated(playbook, where):
    """A delegate that is another machine runs the module there; localhost is this very process."""
    with FakeGrandstream(password=PASSWORD) as fake:
        playbook.add("kitchen", fake, sip_site_runner=where, sip_mac=fake.mac)
        code, text, recap = playbook.run("-vvvv")
        assert code == 0 and PASSWORD not in text, text
        assert recap["kitchen"]["changed"] == 1 and fake.writes == 1
        assert ("AnsiballZ_phone.py" in text) == (where == "box")
        code, text, recap = playbook.run("--check", "-vvvv")
        assert code == 0 and recap["kitchen"]["changed"] == 0 and fake.writes == 1
        playbook.hosts["kitchen"]["sip_mac"] = "000b82ffffff"
        code, text, recap = playbook.run("-vvvv")
        assert recap["kitchen"]["failed"] == 1 and "kitchen: the phone at 127.0.0.1 has the MAC" in text and PASSWORD not in text


def test_a_wrong_option_is_named_without_the_password(playbook):
    with FakeGrandstream(password=PASSWORD) as fake:
        playbook.add("kitchen", fake, sip_phone_protocol="gopher")
        code, text, recap = playbook.run("-vvvv")
        assert recap["kitchen"]["failed"] == 1 and "gopher" in text and PASSWORD not in text and fake.requests == 0
