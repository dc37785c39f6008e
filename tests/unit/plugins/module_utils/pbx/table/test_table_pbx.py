# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A PBX with a web page only: the contract on a made-up table, and what is different about a table."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from ansible_collections.evenport.sip.plugins.module_utils.errors import PlanError
from ansible_collections.evenport.sip.plugins.module_utils.model import Registration
from ansible_collections.evenport.sip.plugins.module_utils.pbx.access import Access, Config
from ansible_collections.evenport.sip.plugins.module_utils.pbx.arguments import config_from
from ansible_collections.evenport.sip.plugins.module_utils.pbx.contract import Wanted
from ansible_collections.evenport.sip.plugins.module_utils.pbx.work import read_pbx, set_nat
from tests.unit.plugins.module_utils.pbx.pbx_contract import EXTENSIONS, ON, ByHandContract, Rig


class TableRig(Rig):
    secrets, shows, logs_in = ("no-secret-at-all",), {}, False

    def __init__(self, path):
        self.path, self.rows = path, {name: ["", "", "Unregistered", ""] for name in EXTENSIONS}
        self.config = Config("web_only", Access("127.0.0.1", 0, "", ""), status_file=str(path))
        self.save()

    def save(self):
        lines = [["Extension", "IP", "Port", "Status", "User agent"], *([name, *row] for name, row in self.rows.items())]
        self.path.write_text("".join(";".join(line) + "\n" for line in lines), "utf-8")

    def register(self, extension, claimed, seen, user_agent):
        self.rows[extension] = [seen[0], str(seen[1]), "Registered", user_agent]
        self.save()

    def registered(self, extension, claimed, seen):
        return Registration(extension, "", 0, *seen)

    def attempts(self):
        return 0

    def wrong_password(self):
        raise NotImplementedError


@pytest.fixture
def rig(tmp_path):
    return TableRig(tmp_path / "status.csv")


class TestContract(ByHandContract):
    test_a_wrong_password_is_tried_once = None          # there is no login


def test_a_table_is_as_old_as_its_file_and_proves_no_change(rig):
    rig.register("101", (), ("203.0.113.1", 5060), "")
    os.utime(rig.path, (1700000000.7, 1700000000.7))
    result = read_pbx(rig.config, ["101"], wait_for={"101": 5062, "104": 5064}, wait_timeout=30)
    assert (result["live"], result["as_of"], result["shows_ports"], result["not_shown"], result["planned"]) == (False, 1700000000, True, [], [])


def test_a_table_of_the_registered_alone_says_nothing_about_others(rig):
    rig.rows = {}
    rig.register("101", (), ("203.0.113.1", 5060), "")
    result = read_pbx(rig.config, ["101", "102"])
    assert result["missing"] == [] and [one["extension"] for one in result["extensions"]] == ["101", "102"]
    done = set_nat(rig.config, Wanted(["101", "102"], ON))
    assert done["by_hand"] == ["101", "102"] and done["unknown"] == []


def test_two_registrations_of_a_person(rig):
    rig.register("4540", (), ("203.0.113.1", 5062), "Yealink SIP-T46S")
    rig.register("4540r", (), ("198.51.100.7", 50121), "Bria 6.5")
    assert [(one["extension"], one["seen_port"]) for one in read_pbx(rig.config)["registrations"]] == [("4540", 5062), ("4540r", 50121)]


def test_columns_come_from_the_options(rig):
    config = config_from({"type": "web_only", "status_file": str(rig.path), "columns": {"claimed_port": 3}, "timeout": 5})
    rig.register("101", (), ("203.0.113.1", 5060), "")
    found = read_pbx(config)["registrations"][0]
    assert (found["claimed_port"], found["seen_port"], found["seen_address"]) == (5060, 0, "203.0.113.1")
    with pytest.raises(PlanError, match="sip_pbx_status_file"):
        config_from({"type": "web_only", "timeout": 5})


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.mkdir(), os.mkfifo, lambda path: path.write_bytes(b"")])
def test_no_such_file(tmp_path, rig, make):
    path = tmp_path / "other"
    make(path)
    with pytest.raises(PlanError, match=str(path)):
        read_pbx(replace(rig.config, status_file=str(path)))
