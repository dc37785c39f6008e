# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Learned profiles as people make and use them: a real Chromium on a phone's page, its recording, the module, then other phones of the model."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.browser import chromium
from tests.browser.devtools import Browser
from tests.browser.har import Recorder
from tests.fakes.scripted import FakeScripted
from tests.lab.tree import LabUnavailable

RECORDED = "Okapi-77/&+ü"           # the password of the phone that was recorded
OTHERS = "Zebra%20+9"               # and of the others
ACCOUNTS = [{"user": "70014477", "active": True, "port": 5060, "secret": "Recorded-Quagga-1", "registrar": "pbx.recorded.example"},
            {"user": "70014478", "active": False}]
OTHER_ACCOUNTS = [
    {
        "user": "81059933",
        "active": True,
        "port": 5062,
        "secret": "Kitchen-Dodo-2",
        "registrar": "pbx.kitchen.example",
        "transport": "tls",
        "codecs": "G722",
        "srtp": "true",
    },
    {"user": "81059934", "active": True, "port": 5064},
]

LEARN = """
- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - name: Learn
      evenport.sip.phone_profile:
        har: "{{ playbook_dir }}/recording.har"
        password: "{{ recorded }}"
        old_port: 5060
        new_port: 5078
        mac: "{{ recorded_mac }}"
        dest: "{{ playbook_dir }}/profile.yml"
"""

DRIVE = """
- hosts: localhost
  connection: local
  gather_facts: false
  vars:
    sip_phone_profile: "{{ lookup('ansible.builtin.file', playbook_dir ~ '/profile.yml') | from_yaml }}"
  tasks:
    - name: Drive
      evenport.sip.phone:
        host: 127.0.0.1
        port: "{{ at }}"
        protocol: http
        password: "{{ other }}"
        mac: "{{ other_mac | default(omit) }}"
        ports: [5074]
        in_use: false
        profile: "{{ sip_phone_profile }}"
"""


@pytest.fixture(scope="session")
def programs():
    """A Chromium, fetched now, once, if need be. Where none can be had the tests are skipped with the reason; in CI they fail."""
    try:
        return chromium.command()
    except LabUnavailable as reason:
        if os.environ.get("CI", "").lower() not in ("", "0", "false"):
            raise
        pytest.skip(str(reason))


def record(fake: FakeScripted, sanitized: bool = False) -> str:
    """What an admin does once: log in, open the page, change the port, save, log out."""
    with Browser() as browser:
        recorder = Recorder(browser)
        browser.open(fake.url + "/")
        browser.type("#user", fake.username)
        browser.type("#pass", fake.password)
        browser.click("#enter")
        browser.click("#sip")
        browser.wait("document.getElementById('state').textContent == 'account 5060'")
        browser.type("#localPort", "5078")
        browser.click("#save")
        browser.wait("document.getElementById('state').textContent == 'saved'")
        browser.click("#out")
        browser.wait("document.getElementById('state').textContent == 'out'")
        har = json.dumps(recorder.har(sanitized))
    assert fake.values["account.1.localPort"] == "5078" and fake.writes == 1
    return har


def play(folder: Path, text: str, *options: str, **variables: object) -> tuple[int, str]:
    """ansible-playbook's status and all that it printed."""
    (folder / "play.yml").write_text(text, encoding="utf-8")
    (folder / "vars.json").write_text(json.dumps(variables), encoding="utf-8")
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "ANSIBLE_LOCALHOST_WARNING": "0", "ANSIBLE_NOCOLOR": "1", "ANSIBLE_INVENTORY_UNPARSED_WARNING": "0"}
    command = [
        str(Path(sys.executable).with_name("ansible-playbook")),
        "play.yml",
        "-e",
        "@vars.json",
        "-e",
        json.dumps({"ansible_python_interpreter": sys.executable}),
        *options,
    ]
    done = subprocess.run(command, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, check=False)
    return done.returncode, done.stdout


def secrets_of(har: str, fake: FakeScripted) -> set[str]:
    """What must not get out of a recording."""
    found = {fake.password, *(fake.values[f"account.1.{key}"] for key in ("authPassword", "userName", "authName", "registrar", "displayName"))}
    for entry in json.loads(har)["log"]["entries"]:
        for header in (*entry["request"]["headers"], *entry["response"]["headers"]):
            if header["name"].lower() in ("cookie", "set-cookie", "x-nimbus-token", "x-nimbus-ticket"):
                found |= {value for value in re.split(r"[;=\s]+", header["value"]) if len(value) > 12}
        found |= set(re.findall(r"[0-9a-f]{20,}", entry["request"].get("postData", {}).get("text", "") + str(entry["response"]["content"].get("text"))))
    return {one for one in found if one}


@pytest.mark.parametrize("kind", ["api", "form"])
def test_recorded_once_driven_everywhere(programs, tmp_path, kind):
    with FakeScripted(kind, password=RECORDED, accounts=ACCOUNTS) as recorded:
        har = record(recorded)
    (tmp_path / "recording.har").write_text(har, encoding="utf-8")

    status, said = play(tmp_path, LEARN, "--check", "--diff", recorded=RECORDED, recorded_mac=recorded.mac)
    assert status == 0 and "changed=1" in said and "+kind: learned" in said and not (tmp_path / "profile.yml").exists(), said
    status, said = play(tmp_path, LEARN, "-vvv", recorded=RECORDED, recorded_mac=recorded.mac)
    assert status == 0 and "changed=1" in said, said
    text = (tmp_path / "profile.yml").read_text(encoding="utf-8")
    status, again = play(tmp_path, LEARN, recorded=RECORDED, recorded_mac=recorded.mac)
    assert status == 0 and "changed=0" in again and (tmp_path / "profile.yml").read_text(encoding="utf-8") == text

    secrets = secrets_of(har, recorded)
    assert len(secrets) >= 8
    result = said.replace(str(tmp_path), "")
    assert not [one for one in secrets if one in text or one in result]
    assert yaml.safe_load(text)["recognise"]["contains"] == "<title>Nimbus N40 console"

    with FakeScripted(kind, password=OTHERS, accounts=OTHER_ACCOUNTS, mac="02A5C3009999") as other:
        before = dict(other.values)
        mac = {"other_mac": other.mac} if kind == "api" else {}         # the form's page does not show it
        status, said = play(tmp_path, DRIVE, "--check", other=OTHERS, at=other.port, **mac)
        assert status == 0 and "changed=1" in said and other.writes == 0, said
        status, said = play(tmp_path, DRIVE, other=OTHERS, at=other.port, **mac)
        assert status == 0 and "changed=1" in said and other.writes == 1, said
        assert {key: value for key, value in other.values.items() if before[key] != value} == {
            "account.1.localPort": "5074"
        }  # and nothing of the recorded phone
        assert other.effective == {1: 5074, 2: 5064}
        status, said = play(tmp_path, DRIVE, other=OTHERS, at=other.port, **mac)
        assert status == 0 and "changed=0" in said and other.writes == 1 and other.logins == other.logouts == other.login_attempts == 3
        status, said = play(tmp_path, DRIVE, "-vvv", other=OTHERS[:-1], at=other.port, **mac)
        assert status != 0 and '"code": "auth_failed"' in said and OTHERS[:-1] not in said and other.login_attempts == 4 and other.writes == 1


def test_a_password_that_is_scrambled_in_a_way_of_its_own_is_not_understood(programs, tmp_path):
    with FakeScripted("sealed", password=RECORDED, accounts=ACCOUNTS) as recorded:
        har = record(recorded)
    (tmp_path / "recording.har").write_text(har, encoding="utf-8")
    status, said = play(tmp_path, LEARN, "-vvv", recorded=RECORDED, recorded_mac=recorded.mac)
    assert status != 0 and '"code": "not_understood"' in said and "json field pass is neither the password nor made of it" in said, said
    assert not (tmp_path / "profile.yml").exists() and not [one for one in secrets_of(har, recorded) if one in said]


def test_an_export_without_cookies_is_enough_where_cookies_come_by_themselves(programs, tmp_path):
    """Chromium's export leaves cookies out unless told otherwise."""
    with FakeScripted("api", password=RECORDED, accounts=ACCOUNTS) as recorded:
        har = record(recorded, sanitized=True)
    assert "NSESS" not in har
    (tmp_path / "recording.har").write_text(har, encoding="utf-8")
    status, said = play(tmp_path, LEARN, recorded=RECORDED, recorded_mac=recorded.mac)
    assert status == 0, said
    with FakeScripted("api", password=OTHERS, accounts=OTHER_ACCOUNTS) as other:
        status, said = play(tmp_path, DRIVE, other=OTHERS, at=other.port)
        assert status == 0 and other.values["account.1.localPort"] == "5074", said
