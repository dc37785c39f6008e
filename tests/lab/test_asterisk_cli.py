"""A real Asterisk 22 read by its command line: the same as by its manager interface, which may be closed then."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import sqlite3
import time
from dataclasses import replace

import pytest

from ansible_collections.evenport.sip.plugins.module_utils.errors import (
    DeviceError,
    PermissionMissing,
    PlanError,
    Unreachable,
    Unsupported,
)
from ansible_collections.evenport.sip.plugins.module_utils.pbx.access import Access, Config
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.cli import AsteriskCli
from ansible_collections.evenport.sip.plugins.module_utils.pbx.contract import Wanted
from ansible_collections.evenport.sip.plugins.module_utils.pbx.shell import Shell
from ansible_collections.evenport.sip.plugins.module_utils.pbx.work import read_pbx, set_nat
from tests.lab.processes import until
from tests.lab.sip import register

PHONES = ["101", "102", "103", "4540r"]
ON = {"rewrite_contact": True, "force_rport": True, "rtp_symmetric": True, "direct_media": False}
OPTIONS = ("rewrite_contact", "force_rport", "rtp_symmetric", "direct_media")
# What ssh does with a command: its words joined by blanks, given to a shell. It starts in another folder, without our variables but PATH.
LIKE_SSH = '#!/bin/sh\nshift\ncd /\nexec env -i PATH="$PATH" sh -c "$*"\n'


class Lab:

    def __init__(self, pbx, folder):
        self.pbx, self.bin = pbx, folder / "bin"
        self.bin.mkdir()
        self.program(f'#!/bin/sh\necho called >> {folder / "calls"}\nexec {shlex.join(pbx._command())} "$@"\n')
        self.calls = folder / "calls"
        self.config = Config("asterisk", Access("192.0.2.1", 1, "nobody", "wrong"), "cli", config_dir=str(pbx.etc), patience=5)   # no such manager interface
        self.ami = replace(self.config, access=Access(pbx.ami_host, pbx.ami_port, "ansible", "ami-secret", timeout=10), read_by="ami")

    def program(self, text, name="asterisk"):
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)
        return str(self.bin / name)

    def register(self, name, via, address="127.0.0.2", **more):
        return register(("127.0.0.1", self.pbx.sip_port), name, via, address, **more)

    def set(self, *names, config=None, **more):
        return set_nat(replace(config or self.config, shell=()), Wanted(names, more.pop("options", ON)), **more)


@pytest.fixture
def lab(asterisk, tmp_path, monkeypatch):
    asterisk.write_config(PHONES, nat_option=False, qualify=1)
    asterisk.start()
    made = Lab(asterisk, tmp_path)
    monkeypatch.setenv("PATH", f"{made.bin}:{os.environ['PATH']}")
    return made


@pytest.fixture(params=["here", "like ssh"])
def reached(request, lab):
    if request.param == "like ssh":
        lab.config = replace(lab.config, shell=(lab.program(LIKE_SSH, "likessh"), "root@pbx"))
    return lab


def test_the_same_as_by_the_manager_interface(reached):
    reached.set("102")
    reached.register("101", "192.168.1.50:5062")
    source = reached.register("102", "192.168.1.50:5064", user_agent='Phone "x" {y}: \\z /é')
    reached.register("4540r", "127.0.0.2:5066", "127.0.0.3")
    assert until(lambda: {one["status"] for one in read_pbx(reached.ami)["registrations"]} == {"unreachable"}, 10)       # nobody answers OPTIONS
    by_cli, by_ami = (read_pbx(config, ["102", "4540r", "999", "101"]) for config in (reached.config, reached.ami))
    for result in (by_cli, by_ami):
        result["registrations"].sort(key=lambda one: one["extension"])
    assert by_cli == by_ami and by_cli["missing"] == ["999"]
    found = {one["extension"]: one for one in by_cli["registrations"]}
    assert (found["102"]["claimed_port"], found["102"]["seen_address"], found["102"]["seen_port"], found["102"]["seen_is_source"]) == (
        5064, "127.0.0.2", source, True)
    assert found["101"]["seen_port"] == 5062 and not found["101"]["seen_is_source"]
    assert "pw10" not in repr(by_cli) and "ami-secret" not in repr(by_cli)


def test_nat_option_set_and_reloaded(reached):
    main = (reached.pbx.etc / "pjsip.conf").read_bytes()
    reached.register("101", "192.168.1.50:5062")
    assert reached.set("101", "4540r", check_mode=True)["changed"] and (reached.pbx.etc / "pjsip.conf").read_bytes() == main
    done = reached.set("101", "4540r")
    assert done["changed"] and done["applied"] and [one["extension"] for one in done["extensions"]] == ["101", "4540r"]
    assert all(one[option] == value for one in done["extensions"] for option, value in ON.items())
    assert read_pbx(reached.ami, PHONES)["extensions"] == read_pbx(reached.config, PHONES)["extensions"]
    assert [one["extension"] for one in read_pbx(reached.config)["registrations"]] == ["101"]          # it survives the reload
    again = reached.set("101", "4540r")
    assert not again["changed"] and not again["applied"] and again["before"] == {}
    assert reached.set("101", options=None)["extensions"][0]["rewrite_contact"] is False
    assert "pw10" not in repr((done, again)) and "pw4540r" not in repr((done, again))
    with pytest.raises(PlanError, match="999"):
        reached.set("101", "999")


def test_many_extensions_are_one_call_of_the_shell(lab, monkeypatch):
    calls, real = [], Shell.run
    monkeypatch.setattr(Shell, "run", lambda shell, *argv, stdin="": calls.append(argv) or real(shell, *argv, stdin=stdin))
    with AsteriskCli(Shell()) as pbx:
        assert [one.extension for one in pbx.extensions(PHONES * 40)] == PHONES * 40
        assert len(calls) == 1 and lab.calls.read_text().count("called") == 160
        assert pbx.endpoints() == PHONES
        assert pbx.version() == read_pbx(lab.ami)["version"]


def test_nobody_registered_and_nobody_at_all(lab):
    assert read_pbx(lab.config)["registrations"] == []
    lab.pbx.stop()
    lab.pbx.write_config([], nat_option=False)
    lab.pbx.start()
    with AsteriskCli(Shell()) as pbx:
        assert pbx.endpoints() == [] and pbx.registrations() == []
        with pytest.raises(DeviceError, match="no extensions at all"):
            lab.set("101")


def test_a_trunk_is_no_registration(lab):
    """Its contact is in no registrar; and who has only such contacts is not taken for a PBX that keeps its contacts elsewhere."""
    with (lab.pbx.etc / "pjsip.conf").open("a") as file:
        file.write("\n[trunk](phone)\naors=trunk\n[trunk]\ntype=aor\ncontact=sip:127.0.0.1:9\n")
    with AsteriskCli(Shell()) as pbx:
        pbx.reload()
        assert until(lambda: "trunk" in pbx.endpoints(), 5) and pbx.registrations() == []
        lab.register("101", "192.168.1.50:5062")
        assert [one.extension for one in pbx.registrations()] == ["101"]


def test_an_expired_contact_does_not_count(lab):
    lab.register("101", "192.168.1.50:5062")
    lab.register("102", "192.168.1.50:5064")
    with contextlib.ExitStack() as stack:
        database = stack.enter_context(contextlib.closing(sqlite3.connect(lab.pbx.home / "var/astdb.sqlite3", timeout=10)))
        stack.enter_context(database)           # commits
        rows = "SELECT key, value FROM astdb WHERE key LIKE '/registrar/contact/101;%'"
        assert until(lambda: database.execute(rows).fetchall(), 10)                         # Asterisk writes it out in the background
        key, value = database.execute(rows).fetchone()
        old = {**json.loads(value), "expiration_time": str(int(time.time()) - 5)}
        database.execute("UPDATE astdb SET value = ? WHERE key = ?", (json.dumps(old, separators=(",", ":")), key))
    assert lab.pbx.rx("database show registrar").count("/registrar/contact/") == 2
    assert [one["extension"] for one in read_pbx(lab.config)["registrations"]] == ["102"]


def test_contacts_in_another_database_are_said_to_be_there(asterisk, tmp_path, monkeypatch):
    asterisk.write_config(PHONES, nat_option=False)
    (asterisk.etc / "sorcery.conf").write_text("[res_pjsip]\ncontact=memory\n")
    asterisk.start()
    lab = Lab(asterisk, tmp_path)
    monkeypatch.setenv("PATH", f"{lab.bin}:{os.environ['PATH']}")
    assert read_pbx(lab.config)["registrations"] == []
    lab.register("101", "192.168.1.50:5062")
    assert len(read_pbx(lab.ami)["registrations"]) == 1
    with pytest.raises(Unsupported, match="another database .*sip_pbx_read_by"):
        read_pbx(lab.config)


def test_without_pjsip(asterisk, tmp_path, monkeypatch):
    asterisk.write_config(PHONES, nat_option=False)
    (asterisk.etc / "modules.conf").write_text("[modules]\nautoload=no\n")
    asterisk.start()
    monkeypatch.setenv("PATH", f"{Lab(asterisk, tmp_path).bin}:{os.environ['PATH']}")
    with AsteriskCli(Shell()) as pbx, pytest.raises(Unsupported, match="Is PJSIP loaded"):
        pbx.endpoints()
    with AsteriskCli(Shell()) as pbx, pytest.raises(DeviceError, match="could not reload"):
        pbx.reload()


def test_a_stopped_asterisk(reached):
    reached.pbx.stop()
    with pytest.raises(Unreachable, match=r"No Asterisk answers .*asterisk\.ctl.*Is it running"):
        read_pbx(reached.config)
    with pytest.raises(Unreachable):
        reached.set("101")


def test_no_program(lab, tmp_path, monkeypatch):
    (lab.bin / "asterisk").unlink()
    empty = tmp_path / "empty"
    empty.mkdir()
    for name in ("sh", "date", "env"):
        (empty / name).symlink_to(f"/bin/{name}")
    monkeypatch.setenv("PATH", str(empty))
    with pytest.raises(Unsupported, match="no program asterisk on the PBX"):
        read_pbx(lab.config)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_no_right_to_the_control_socket(lab):
    lab.pbx.home.chmod(0o755)
    (lab.pbx.home / "run").chmod(0o755)
    (lab.pbx.home / "run/asterisk.ctl").chmod(0o700)
    folder = lab.bin.parent
    for parent in (folder, *folder.parents):
        if parent.stat().st_mode & 0o5 != 0o5 and parent.stat().st_uid == 0 and "pytest" in str(parent):
            parent.chmod(0o755)
    lab.program(f'#!/bin/sh\nexec {shlex.join(lab.pbx._command())} "$@"\n')
    config = replace(lab.config, shell=("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "sh", "-c"))
    with pytest.raises(PermissionMissing, match=r"may not use .*asterisk\.ctl"):
        read_pbx(config)
    (lab.pbx.home / "run").chmod(0o700)
    with pytest.raises(PermissionMissing):
        read_pbx(config)


def test_colours_do_not_matter(asterisk, tmp_path, monkeypatch):
    asterisk.write_config(PHONES, nat_option=False)
    conf = asterisk.etc / "asterisk.conf"
    conf.write_text(conf.read_text().replace("nocolor = yes", "nocolor = no\nforceblackbackground = yes"))
    asterisk.start()
    lab = Lab(asterisk, tmp_path)
    monkeypatch.setenv("PATH", f"{lab.bin}:{os.environ['PATH']}")
    monkeypatch.setenv("TERM", "xterm-256color")
    lab.register("101", "192.168.1.50:5062")
    assert read_pbx(lab.config, ["101"]) == read_pbx(lab.ami, ["101"])
