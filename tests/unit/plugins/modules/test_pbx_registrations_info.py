# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""evenport.sip.pbx_registrations_info against the fake PBX; and that the documented options are the real ones."""

from __future__ import annotations

import json
import threading
import time

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args

from ansible_collections.evenport.sip.plugins.doc_fragments.pbx import ModuleDocFragment
from ansible_collections.evenport.sip.plugins.module_utils.model import Extension, Registration
from ansible_collections.evenport.sip.plugins.module_utils.pbx.arguments import PBX_OPTIONS
from ansible_collections.evenport.sip.plugins.module_utils.pbx.contract import compare, newest
from ansible_collections.evenport.sip.plugins.modules import pbx_nat, pbx_registrations_info
from tests.fakes.asterisk import FakeAsterisk
from tests.fakes.pjsip_conf import write_sample

EXTENSIONS = ["101", "102", "103", "104"]


@pytest.fixture
def fake(tmp_path):
    write_sample(tmp_path, EXTENSIONS, nat="yes", qualify=30, max_contacts=3)
    with FakeAsterisk(tmp_path) as pbx:
        for number, name in enumerate(EXTENSIONS):
            pbx.register(name, f"192.168.1.{10 + number}", 5060 + 2 * number, "203.0.113.1", 40000 + number, user_agent="Grandstream GXP2170 1.0.11.64")
        yield pbx


@pytest.fixture
def run(fake, capsys):
    def call(check=False, password="ami-secret", **more):
        args = {"port": fake.port, "username": "evenport", "password": password, "timeout": 2, "_ansible_check_mode": check, **more}
        with patch_module_args(args), pytest.raises(SystemExit) as ended:
            pbx_registrations_info.main()
        out = capsys.readouterr().out
        assert not any(f"pw{name}" in out for name in EXTENSIONS) and "ami-secret" not in out and ended.value.code in (0, 1)
        return json.loads(out)
    return call


@pytest.mark.parametrize("check", [False, True])
def test_all_contacts_and_no_secret(fake, run, check):
    result = run(check)
    assert not result["changed"] and result["version"] == "22.10.1-fake" and fake.login_attempts == 1 == fake.connections
    assert Registration.from_dict(result["registrations"][1]) == Registration(
        "102", "192.168.1.11", 5062, "203.0.113.1", 40001, "udp", "Grandstream GXP2170 1.0.11.64", "reachable",
        result["registrations"][1]["expires"], True)
    assert set(result["registrations"][0]) == set(Registration("1").as_dict())
    assert (result["extensions"], result["missing"], result["planned"], result["not_shown"]) == ([], [], [], [])


def test_extensions_and_missing(run):
    result = run(extensions=["104", "999", 101, "104"])
    assert [one["extension"] for one in result["extensions"]] == ["104", "101"] and result["missing"] == ["999"]
    assert set(result["extensions"][0]) == set(Extension("1").as_dict()) and result["extensions"][0]["rewrite_contact"] is True


def test_all_extensions_are_listed_only_where_they_are_asked_for(fake, run):
    assert "endpoints" not in run() and fake.actions["pjsipshowendpoints"] == 0
    assert run(list_extensions=True)["endpoints"] == EXTENSIONS and fake.actions["pjsipshowendpoints"] == 1


def test_same_host_needs_the_option_to_be_sure(fake, run, tmp_path):
    """No x-ast-orig-host when the phone sits on one host with what the PBX sees: the option is asked for."""
    fake.contacts.clear()
    fake.register("101", "127.0.0.2", 5062, "127.0.0.2", 5088)
    assert run()["registrations"][0]["seen_is_source"] and run(extensions=["101"])["registrations"][0]["seen_is_source"]
    fake.contacts.clear()
    write_sample(tmp_path, EXTENSIONS, nat="no")
    fake.load()
    fake.register("101", "192.168.1.9", 5062, "203.0.113.1", 41000)
    (found,) = run()["registrations"]
    assert (found["seen_port"], found["seen_address"], found["seen_is_source"]) == (5062, "192.168.1.9", False)


def test_tcp_and_ipv6(fake, run):
    fake.contacts.clear()
    fake.register("101", "192.168.1.9", 5062, "203.0.113.1", 33322, transport="tcp")
    fake.register("102", "fd00::9", 5062, "2001:db8::1", 5062)
    tcp, six = run()["registrations"]
    assert (tcp["transport"], tcp["claimed_port"], tcp["seen_port"], tcp["seen_is_source"]) == ("tcp", 5062, 33322, True)
    assert (six["claimed_address"], six["claimed_port"], six["seen_address"], six["seen_port"]) == ("fd00::9", 5062, "2001:db8::1", 5062)


def test_wait_for_a_phone_that_comes(fake, run):
    timer = threading.Timer(0.7, fake.register, ("102", "192.168.1.11", 5070, "203.0.113.1", 5070), {"expires": 3700})
    timer.start()
    start = time.monotonic()
    result = run(wait_for={"102": 5070, 101: 5060, "103": None}, wait_timeout=10)
    timer.join()
    assert result["not_shown"] == [] and 0.5 < time.monotonic() - start < 5 and fake.login_attempts == 1 == fake.connections
    assert {one["extension"]: (one["planned"], one["claimed"], one["seen"], one["shown"]) for one in result["planned"]} == {
        "102": (5070, 5070, 5070, True), "101": (5060, 5060, 40000, True)}                  # a router that translates is not the phone's fault
    assert len([one for one in result["registrations"] if one["extension"] == "102"]) == 2     # the old contact is still there


def test_wait_for_a_phone_that_does_not_come(fake, run):
    start = time.monotonic()
    result = run(wait_for={"101": 5060, "102": 5070, "777": 5080}, wait_timeout=0.6)
    assert 0.5 < time.monotonic() - start < 3 and not result.get("failed") and result["not_shown"] == ["102", "777"]
    assert result["planned"][2] == {"extension": "777", "planned": 5080, "claimed": 0, "seen": 0, "shown": False, "unclear": False}
    assert fake.login_attempts == 1


@pytest.mark.parametrize("wait_for", [{"101": 0}, {"101": 70000}, {"101": "x"}, {"101": True}, {"101": [5060]}])
def test_a_port_that_can_not_be(run, fake, wait_for):
    result = run(wait_for=wait_for)
    assert result["failed"] and "no port for extension 101" in result["msg"] and fake.connections == 0


def test_errors_become_results(fake, run):
    assert run(password="wrong")["code"] == "auth_failed" and fake.login_attempts == 1
    fake.permissions["evenport"] = {"reporting"}
    assert "class system" in run()["msg"]
    fake.stop()
    assert run()["code"] == "deferred"


def test_newest_counts():
    old, new = Registration("1", claimed_port=5064, expires=10, status="reachable"), Registration("1", claimed_port=5068, expires=12, status="unknown")
    assert newest([new, old])["1"] is new and newest([old, new])["1"] is new
    dead = Registration("1", claimed_port=5070, expires=12, status="unreachable")
    assert newest([new, dead])["1"] is new and newest([dead, new])["1"] is new


def test_the_newest_that_answers_counts_for_the_proof_as_for_the_audit():
    """A phone that went back is not proven by its old contact; a softphone or another phone of the extension proves or disproves nothing."""
    old, back = Registration("1", "192.168.1.9", 5062, expires=10, status="reachable"), Registration("1", "192.168.1.9", 5060, expires=12, status="reachable")
    assert not compare([old, back], {"1": 5062})[0].shown and compare([back, old], {"1": 5060})[0].shown
    dead = Registration("1", "192.168.1.9", 5062, expires=14, status="unreachable")
    assert not compare([dead, back], {"1": 5062})[0].shown
    soft = Registration("1", "10.0.0.7", 51000, expires=99, status="reachable", user_agent="Z 5.6.6 v2.10.20.5")
    other = Registration("1", "192.168.1.7", 5070, expires=99, status="reachable", user_agent="Fanvil X4 2.1")
    assert compare([soft, other, old], {"1": 5062})[0].shown and not compare([soft, dead], {"1": 5064})[0].shown


def test_a_pbx_that_tells_less_is_believed_what_it_tells():
    assert compare([Registration("1", seen_port=5062, status="registered")], {"1": 5062})[0].shown
    assert not compare([Registration("1", seen_port=41000, status="registered")], {"1": 5062})[0].shown
    assert compare([Registration("1", status="registered")], {"1": 5062})[0].shown and not compare([], {"1": 5062})[0].shown


def test_a_tls_phone_may_signal_from_the_next_port():
    assert compare([Registration("1", claimed_port=5063, transport="tls")], {"1": 5062})[0].shown
    assert not compare([Registration("1", claimed_port=5063)], {"1": 5062})[0].shown


def documented(module):
    options = {**yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"], **yaml.safe_load(module.DOCUMENTATION)["options"]}
    return bare(options)


def bare(options):
    """Documented or real, options with their suboptions: type, choices, default and required alone."""
    return {
        name: {("options" if key == "suboptions" else key): bare(value) if key in ("options", "suboptions") else value
               for key, value in option.items() if key not in ("description", "no_log")}
        for name, option in options.items()}


@pytest.mark.parametrize("module", [pbx_registrations_info, pbx_nat])
def test_documented_options_are_the_real_ones(module):
    assert documented(module) == bare(module.argument_spec())
    assert set(yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"]) == set(PBX_OPTIONS) and PBX_OPTIONS["password"]["no_log"]


@pytest.mark.parametrize("module", [pbx_registrations_info, pbx_nat])
def test_examples_use_documented_options(module):
    for task in yaml.safe_load(module.EXAMPLES):
        for name, options in task.items():
            if name.startswith("evenport.sip."):
                assert set(options) <= set(module.argument_spec())


def test_a_pbx_that_tells_only_what_it_sees_undoes_no_phone():
    """A router that translates ports looks like a wrong phone there; only the audit can say so, and nobody is put back for it."""
    contacts = [Registration("1", seen_address="203.0.113.1", seen_port=41777, status="registered"),
                Registration("2", seen_address="203.0.113.1", seen_port=5062, status="registered"),
                Registration("3", claimed_port=5060, seen_port=5060, status="reachable"),
                Registration("4", seen_address="203.0.113.1", seen_port=5066, status="unreachable")]
    found = {one.extension: (one.shown, one.unclear) for one in compare(contacts, {"1": 5060, "2": 5062, "3": 5064, "4": 5068, "5": 5070})}
    assert found == {"1": (False, True), "2": (True, False), "3": (False, False), "4": (False, False), "5": (False, False)}
