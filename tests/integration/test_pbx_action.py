# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The PBX tasks as people run them: a refused login is tried once in a run, and a wrong variable is named without its value."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
import yaml
from ansible.plugins.connection import local

from tests.fakes.asterisk import FakeAsterisk
from tests.fakes.freeswitch import FakeFreeSwitch
from tests.fakes.pjsip_conf import write_sample
from tests.fakes.wazo import FakeWazo
from tests.fakes.yeastar import FakeYeastar
from tests.playbook import run_playbook

SECRET = "Zebra-77-Okapi"
PHONES = [f"phone{number}" for number in range(1, 6)]
# A connection that is not "local" but leads to this machine, whatever its address: a PBX that is reached by ssh. A copy under another name.
CONNECTION = Path(local.__file__).read_text(encoding="utf-8").replace("name: local", "name: box").replace("transport = 'local'", "transport = 'box'")
READ, NAT = "evenport.sip.pbx_registrations_info", "evenport.sip.pbx_nat"


def task(name, module, **options):
    """One that goes on when it fails; "delegate_to" and "run_once" are the task's."""
    own = {key: options.pop(key) for key in ("delegate_to", "run_once", "loop") if key in options}
    return {"name": name, module: options, "register": name, "ignore_errors": True, **own}


class Play:
    """A folder with an inventory of five phones and the PBXs, and plays of tasks."""

    def __init__(self, folder):
        self.folder, self.pbxs, self.path = folder, {}, os.environ["PATH"]
        (folder / "connection_plugins").mkdir()
        (folder / "connection_plugins" / "box.py").write_text(CONNECTION)

    def add(self, name, **variables):
        self.pbxs[name] = {"ansible_connection": "local", **{key if key.startswith("ansible_") else f"sip_pbx_{key}": value
                                                             for key, value in variables.items()}}

    def run(self, *tasks, hosts="phone1", options=()):
        """{task: its result on the first host}, and what was printed."""
        names = [one["name"] for one in tasks]
        kept = {"name": "Keep", "ansible.builtin.copy": {
            "content": "{{ {" + ", ".join(f"'{name}': {name}" for name in names) + "} | to_json }}", "dest": str(self.folder / "results.json")},
            "run_once": True, "delegate_to": "localhost", "check_mode": False}
        (self.folder / "play.yml").write_text(yaml.safe_dump([{"hosts": hosts, "gather_facts": False, "tasks": [*tasks, kept]}], sort_keys=False))
        (self.folder / "hosts.json").write_text(json.dumps({"all": {
            "vars": {"ansible_python_interpreter": sys.executable},
            "children": {"phones": {"hosts": {name: {"ansible_connection": "local"} for name in PHONES}}, "pbxs": {"hosts": self.pbxs}}}}))
        (self.folder / "hosts.yml").write_text((self.folder / "hosts.json").read_text())
        result = run_playbook(str(self.folder / "play.yml"), self.folder / "hosts.yml", "-vvvv", *options, folder=self.folder, PATH=self.path)
        assert SECRET not in result.out and "Traceback" not in result.out, result.out
        kept = self.folder / "results.json"
        assert kept.exists(), result.out
        found = json.loads(kept.read_text())
        kept.unlink()
        return found, result


@pytest.fixture
def play(tmp_path):
    return Play(tmp_path)


@pytest.fixture
def ami(tmp_path):
    folder = tmp_path / "asterisk"
    folder.mkdir()
    write_sample(folder, ["101", "102"])
    with FakeAsterisk(folder) as fake:
        yield fake


def login(ami, password=SECRET, **more):
    return {"port": ami.port, "user": "evenport", "password": password, "timeout": 2, **more}


def test_a_blocked_address_is_not_asked_again(play):
    with FakeYeastar() as yeastar:
        yeastar.wrong_logins = 5
        play.add("pbx1", type="yeastar", host="127.0.0.1", port=yeastar.port, user="client-id", password=SECRET, fingerprint=yeastar.tls.fingerprint)
        found, dummy = play.run(task("first", READ, pbx="pbx1"), task("again", NAT, pbx="pbx1", extensions=["101"]))
        assert found["first"]["code"] == found["again"]["code"] == "locked" and found["again"]["msg"] == found["first"]["msg"]
        assert yeastar.login_attempts == 1


def test_five_hosts_at_once_try_a_wrong_password_once(play, ami):
    play.add("pbx1", **login(ami))
    found, result = play.run(task("read", READ, pbx="pbx1", delegate_to="pbx1"), hosts="phones", options=("--forks", "5"))
    assert ami.login_attempts == 1 and found["read"]["code"] == "auth_failed"
    assert {result.recap(name)["ignored"] for name in PHONES} == {1}


def test_five_hosts_at_once_with_the_right_password_are_all_served(play, ami):
    play.add("pbx1", **login(ami, "ami-secret"))
    dummy, result = play.run(task("read", READ, pbx="pbx1", delegate_to="pbx1"), hosts="phones", options=("--forks", "5"))
    assert ami.login_attempts == ami.logins == 5 and not any(result.recap(name)["ignored"] for name in PHONES)


def test_two_names_of_one_box_are_one_login(play, ami):
    play.add("pbx1", **login(ami))
    play.add("tenant2", **login(ami, host="localhost"))
    found, dummy = play.run(task("first", READ, pbx="pbx1"), task("second", READ, pbx="tenant2"), task("written", NAT, pbx="tenant2", extensions=["101"]))
    assert ami.login_attempts == 1 and {one["code"] for one in found.values()} == {"auth_failed"}
    play.add("other", **login(ami, user="somebody"))
    play.run(task("first", READ, pbx="pbx1"), task("second", READ, pbx="other"))
    assert ami.login_attempts == 3


def test_where_the_connection_leads_tells_boxes_apart(play, ami):
    """The AMI of each listens on its own 127.0.0.1, so that their logins look the same."""
    for name, address in (("pbx1", "192.0.2.10"), ("same", "192.0.2.10"), ("pbx2", "192.0.2.11")):
        play.add(name, ansible_connection="box", ansible_host=address, **login(ami))
    play.run(*(task(name, READ, pbx=name, delegate_to=name) for name in ("pbx1", "same")))
    assert ami.login_attempts == 1
    play.run(*(task(name, READ, pbx=name, delegate_to=name) for name in ("pbx1", "pbx2")))
    assert ami.login_attempts == 3
    play.pbxs["same"]["ansible_port"] = 2222                # another box behind the same router
    play.run(*(task(name, READ, pbx=name, delegate_to=name) for name in ("pbx1", "same")))
    assert ami.login_attempts == 5


def test_options_without_a_pbx_are_remembered_too(play, ami):
    options = {"port": ami.port, "username": "evenport", "password": SECRET, "timeout": 2}
    found, dummy = play.run(task("first", READ, **options), task("again", READ, **options), task("nat", NAT, extensions=["101"], **options))
    assert ami.login_attempts == 1 and {one["code"] for one in found.values()} == {"auth_failed"}
    assert "not tried again in this run" in found["again"]["msg"]
    play.run(task("first", READ, **options))                # another run may try
    assert ami.login_attempts == 2


def client(folder, name="mysql", says="ERROR 1045 (28000): Access denied for user 'x'@'localhost'"):
    """A database client that refuses everybody and counts how often it was asked."""
    (folder / "bin").mkdir()
    (folder / f"bin/{name}").write_text(f'#!/bin/sh\ncat > /dev/null\necho x >> {folder}/asked\necho "{says}" >&2\nexit 1\n')
    (folder / f"bin/{name}").chmod(0o755)
    return f"{folder}/bin:{os.environ['PATH']}", lambda: (folder / "asked").read_text().count("x")


def test_a_refused_database_does_not_stop_the_reading(play, ami, tmp_path):
    play.path, asked = client(tmp_path)
    database = {"engine": "mysql", "username": "freepbx", "password": SECRET}
    play.add("pbx1", type="asterisk_realtime", database=database, **login(ami, "ami-secret"))
    found, dummy = play.run(
        task("nat", NAT, pbx="pbx1", extensions=["101"]), task("read", READ, pbx="pbx1"), task("again", NAT, pbx="pbx1", extensions=["101"]),
        task("table", READ, pbx="pbx1", read_by="database"))
    assert "failed" not in found["read"] or not found["read"]["failed"]
    assert [found[name]["code"] for name in ("nat", "again", "table")] == ["auth_failed"] * 3 and asked() == 1
    assert found["nat"]["interface"] == found["again"]["interface"] == "database" and ami.logins == 2


def test_fusionpbx_knows_extensions_from_its_database_alone(play, tmp_path):
    play.path, asked = client(tmp_path, "psql", "psql: FATAL:  Peer authentication failed for user x")
    with FakeFreeSwitch({}.get) as switch:
        play.add("pbx1", type="fusionpbx", port=switch.port, password=switch.password, domain="acme.example.com", profiles=["internal"],
                 database={"username": "fusionpbx", "password": SECRET})
        found, dummy = play.run(
            task("nat", NAT, pbx="pbx1", extensions=["101"]), task("read", READ, pbx="pbx1"), task("options", READ, pbx="pbx1", extensions=["101"]),
            task("names", READ, pbx="pbx1", list_extensions=True))
        assert not found["read"].get("failed"), found["read"]
        assert [found[name]["code"] for name in ("nat", "options", "names")] == ["auth_failed"] * 3 and asked() == 1


def test_a_refused_settings_interface_does_not_stop_the_reading(play, tmp_path):
    folder = tmp_path / "wazo"
    folder.mkdir()
    with FakeWazo(folder) as wazo:
        wazo.add("101", [])
        api = {"host": "127.0.0.1", "port": wazo.port, "username": wazo.user, "password": SECRET, "fingerprint": wazo.tls.fingerprint}
        play.add("pbx1", type="wazo", api=api, **login(wazo.asterisk, "ami-secret"))
        found, dummy = play.run(
            task("nat", NAT, pbx="pbx1", extensions=["101"]), task("read", READ, pbx="pbx1"), task("again", NAT, pbx="pbx1", extensions=["101"]))
        assert not found["read"].get("failed") and wazo.login_attempts == 1 and wazo.asterisk.logins == 2
        assert found["nat"]["code"] == found["again"]["code"] == "auth_failed" and found["again"]["interface"] == "api"


@pytest.mark.parametrize(("variables", "said"), [
    ({"type": f"x{SECRET}"}, "pbx1: sip_pbx_type must be one of asterisk,"),
    ({"port": f"x{SECRET}"}, "pbx1: sip_pbx_port must be a whole number."),
    ({"tls": SECRET}, "pbx1: sip_pbx_tls must be true or false."),
    ({"timeout": SECRET}, "pbx1: sip_pbx_timeout must be a number."),
    ({"database": f"mysql://evenport:{SECRET}@db/asterisk"}, "pbx1: sip_pbx_database must be a dictionary with engine,"),
    ({"database": f"mysql://db/asterisk?password={SECRET}"}, "pbx1: sip_pbx_database must be a dictionary with engine,"),
    ({"api": [SECRET]}, "pbx1: sip_pbx_api must be a dictionary with host,"),
    ({"api": '{"host": "' + SECRET}, "pbx1: sip_pbx_api must be a dictionary with host,"),
    ({"api": {"host": "127.0.0.1", "pasword": SECRET}}, "pbx1: sip_pbx_api has no pasword. Possible are host,"),
    ({"api": {"host": "127.0.0.1", f"https://{SECRET}": None}}, "pbx1: sip_pbx_api has a key that it does not know. Possible are host,"),
    ({"api": {"password": SECRET}}, "pbx1: sip_pbx_api.host is missing."),
    ({"database": {"engine": SECRET}}, "pbx1: sip_pbx_database.engine must be one of mysql, postgresql."),
    ({"database": {"port": SECRET}}, "pbx1: sip_pbx_database.port must be a whole number."),
    ({"shell": f"sshpass -p {SECRET} ssh root@192.0.2.10"}, "pbx1: sip_pbx_shell must be a list of words"),
    ({"columns": SECRET}, "pbx1: sip_pbx_columns must be a dictionary"),
    ({"user": ""}, "pbx1: A PBX of the type asterisk needs sip_pbx_user."),
])
def test_a_wrong_variable_is_named_and_its_value_is_not(play, ami, variables, said):
    play.add("pbx1", **{**login(ami), **variables})
    found, dummy = play.run(task("read", READ, pbx="pbx1"))
    assert found["read"]["code"] == "plan_refused" and said in found["read"]["msg"], found["read"]["msg"]
    assert SECRET not in json.dumps(found) and ami.connections == 0


def test_a_wrong_option_of_the_task_is_named_as_such(play, ami):
    play.add("pbx1", **login(ami))
    found, dummy = play.run(
        task("given", NAT, pbx="pbx1", extensions=["101"], allow_generated="perhaps"), task("alone", READ, database=f"mysql://x:{SECRET}@db"),
        task("nothing", NAT, pbx="pbx1"))
    assert "pbx1: allow_generated must be true or false." in found["given"]["msg"]
    assert f"{READ}: database must be a dictionary" in found["alone"]["msg"] and "missing required arguments: extensions" in found["nothing"]["msg"]
    assert ami.connections == 0


def test_texts_of_the_command_line_are_understood(play, ami):
    play.add("pbx1", **{**login(ami, "ami-secret"), "port": str(ami.port), "tls": "no", "timeout": "2", "columns": '{"port": "Port"}'})
    found, dummy = play.run(task("read", READ, pbx="pbx1"))
    assert found["read"].get("version") == "22.10.1-fake", found["read"]


@pytest.mark.parametrize("pbx", ["", None, ["pbx1"]])
def test_an_empty_pbx_is_refused(play, ami, pbx):
    play.add("pbx1", **login(ami))
    found, dummy = play.run(task("read", READ, pbx=pbx, username="evenport", password=SECRET, port=ami.port))
    assert "pbx is not the name of a host." in found["read"]["msg"] and found["read"]["code"] == "plan_refused" and ami.connections == 0


def test_the_old_names_know_pbx_too(play, ami):
    play.add("pbx1", config_dir=str(ami.config_dir), **login(ami, "ami-secret"))
    found, result = play.run(task("read", "evenport.sip.asterisk_registrations_info", pbx="pbx1", extensions=["101"]),
                             task("nat", "evenport.sip.asterisk_endpoints", pbx="pbx1", extensions=["101"]))
    assert found["read"].get("extensions"), found["read"]
    assert found["nat"]["changed"] and ami.endpoint("101")["rewrite_contact"] and "Use evenport.sip.pbx_nat" in result.words


@pytest.mark.parametrize("module", ["pbx_nat", "pbx_registrations_info"])
def test_a_module_that_gets_pbx_itself_says_so(play, ami, tmp_path, module):
    """Reached without the action: a copy of the module in the playbook's own library."""
    (tmp_path / "library").mkdir()
    source = Path(__file__).parents[2] / "plugins" / "modules" / f"{module}.py"
    (tmp_path / "library" / "bare.py").write_text(source.read_text())
    more = {"extensions": ["101"]} if module == "pbx_nat" else {}
    found, dummy = play.run(task("bare", "bare", pbx="pbx1", username="evenport", password=SECRET, port=ami.port, **more))
    assert found["bare"]["failed"] and "pbx is for the action plugin" in found["bare"]["msg"] and ami.connections == 0
