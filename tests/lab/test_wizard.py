"""Endpoints of pjsip_wizard.conf on a real Asterisk 22: the traps are real, and what we write works."""

from __future__ import annotations

import os
import shlex
from dataclasses import replace

import pytest

from ansible_collections.evenport.sip.plugins.module_utils.errors import NotApplied, PlanError
from ansible_collections.evenport.sip.plugins.module_utils.pbx.access import Access, Config
from ansible_collections.evenport.sip.plugins.module_utils.pbx.contract import Wanted
from ansible_collections.evenport.sip.plugins.module_utils.pbx.work import read_pbx, set_nat
from tests.lab.sip import register

ON = {"rewrite_contact": True, "force_rport": True, "rtp_symmetric": True, "direct_media": False}
WIZARDS = """\
[wizard](!)
type = wizard
accepts_registrations = yes
accepts_auth = yes
endpoint/context = phones
endpoint/disallow = all
endpoint/allow = ulaw
endpoint/rewrite_contact = no
endpoint/force_rport = no
aor/max_contacts = 1
aor/remove_existing = yes

#include phones.d/*.conf
"""
PHONE = "[{name}](wizard)\ninbound_auth/username = {name}\ninbound_auth/password = pw{name}\n"


class Lab:

    def __init__(self, pbx):
        pbx.write_config(["101", "102"], nat_option=False)
        self.pbx, self.main, self.owned, self.pjsip = pbx, pbx.etc / "pjsip_wizard.conf", pbx.etc / "pjsip_wizard_evenport.conf", pbx.etc / "pjsip.conf"
        modules = pbx.etc / "modules.conf"
        modules.write_text(modules.read_text() + "load = res_pjsip_config_wizard.so\n")
        (pbx.home / "phones").mkdir()
        (pbx.etc / "phones.d").symlink_to(pbx.home / "phones")      # etc/ itself holds files only
        for name in ("201", "4540r"):
            (pbx.home / f"phones/{name}.conf").write_text(PHONE.format(name=name))
        self.main.write_text(WIZARDS)
        self.before = self.main.read_bytes(), self.pjsip.read_bytes()
        pbx.start()
        self.config = Config("asterisk", Access(pbx.ami_host, pbx.ami_port, "ansible", "ami-secret", timeout=10), "ami", config_dir=str(pbx.etc), patience=5)

    def set(self, *names, **more):
        return set_nat(self.config, Wanted(names, more.pop("options", ON)), **more)

    def on(self):
        return [one["extension"] for one in read_pbx(self.config, ["101", "102", "201", "4540r"])["extensions"]
                if all(one[option] == value for option, value in ON.items())]

    def untouched(self):
        return (self.main.read_bytes(), self.pjsip.read_bytes()) == self.before and not self.owned.exists() and not (
            self.pbx.etc / "pjsip_evenport.conf").exists()


@pytest.fixture
def lab(asterisk):
    made = Lab(asterisk)
    yield made
    (asterisk.etc / "phones.d").unlink()


@pytest.fixture(params=["ami", "cli"])
def read(request, lab, tmp_path, monkeypatch):
    if request.param == "cli":
        script = tmp_path / "asterisk"
        script.write_text(f'#!/bin/sh\nexec {shlex.join(lab.pbx._command())} "$@"\n')
        script.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        lab.config = replace(lab.config, read_by="cli")
    return lab


def test_check_change_no_change_and_back(read):
    register(("127.0.0.1", read.pbx.sip_port), "201", "192.168.1.50:5062", "127.0.0.2")
    assert read.set("201", "4540r", check_mode=True)["changed"] and read.untouched()
    done = read.set("201", "4540r")
    assert done["applied"] and done["include_file"] == str(read.owned) and read.on() == ["201", "4540r"]
    assert "[201](+type=wizard)\nendpoint/rewrite_contact=yes\n" in read.owned.read_text()
    assert read.main.read_bytes() == read.before[0] + b"#tryinclude pjsip_wizard_evenport.conf\n" and read.pjsip.read_bytes() == read.before[1]
    assert [one["claimed_port"] for one in read_pbx(read.config)["registrations"]] == [5062]
    assert not read.set("201", "4540r")["changed"]
    read.pbx.cold_restart()
    assert read.on() == ["201", "4540r"] and not read.set("4540r")["changed"]
    assert read.set("201", options=None)["changed"] and read.on() == ["4540r"]
    assert "pw201" not in repr(done)


def test_the_others_are_in_pjsip_conf_as_ever(lab):
    assert lab.set("101")["include_file"].endswith("/pjsip_evenport.conf") and lab.on() == ["101"] and lab.main.read_bytes() == lab.before[0]


def test_both_files_at_once_are_refused_before_anything_is_written(lab):
    for more in ({}, {"check_mode": True}):
        with pytest.raises(PlanError, match="pjsip_wizard.conf defines 201, and another file.*endpoint/rewrite_contact=yes, endpoint/force_rport=yes"):
            lab.set("101", "201", **more)
    assert lab.untouched()
    lab.set("201")
    assert lab.set("101", "201")["changed"] and lab.on() == ["101", "201"]         # what the wizard has by now is no reason to refuse


def test_named_as_the_main_file(lab):
    lab.config = replace(lab.config, main_file="pjsip_wizard.conf")
    assert lab.set("201")["changed"] and lab.on() == ["201"]
    with pytest.raises(NotApplied, match="pjsip_wizard.conf defines no wizard 101: it comes from pjsip.conf"):
        lab.set("101", "201")
    assert lab.on() == ["201"]


def test_trap_a_section_in_pjsip_conf_finds_no_such_endpoint(lab):
    lab.config = replace(lab.config, main_file="pjsip.conf", patience=1)
    with pytest.raises(NotApplied, match=r"pjsip.conf defines no endpoint 201: .*pjsip_wizard.conf.*The files are as they were"):
        lab.set("101", "201")
    assert lab.untouched() and lab.on() == []


def test_trap_what_follows_an_unknown_section_is_skipped(lab):
    lab.set("201", "4540r")
    (lab.pbx.home / "phones/201.conf").write_text("")
    lab.pbx.cold_restart()
    assert lab.on() == [] and lab.set("4540r")["pruned"] == ["201"] and lab.on() == ["4540r"]
