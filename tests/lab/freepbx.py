"""A FreePBX box for tests: its tables in a real MariaDB, a real Asterisk with the files that a fake ``fwconsole reload`` makes of them.

What is not the product: fwconsole (tests/fakes/fwconsole.py, made after documents and source), and everything else of FreePBX.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import uuid
from contextlib import contextmanager
from pathlib import Path

import pytest

from ansible_collections.evenport.sip.plugins.module_utils.pbx.access import Access, Config, DatabaseAccess
from ansible_collections.evenport.sip.plugins.module_utils.pbx.contract import Wanted
from ansible_collections.evenport.sip.plugins.module_utils.pbx.freepbx import FreePbxStore
from ansible_collections.evenport.sip.plugins.module_utils.pbx.opening import open_pbx
from ansible_collections.evenport.sip.plugins.module_utils.pbx.shell import Shell
from ansible_collections.evenport.sip.plugins.module_utils.pbx.sql import Database
from ansible_collections.evenport.sip.plugins.module_utils.pbx.work import set_nat
from tests.fakes import fwconsole
from tests.lab.tree import command

ON = {"rewrite_contact": True, "force_rport": True, "rtp_symmetric": True, "direct_media": False}
OPTIONS = ("rewrite_contact", "force_rport", "rtp_symmetric", "direct_media")
KEYWORDS = (*OPTIONS, "nat", "canreinvite")
# As FreePBX's module.xml has them.
TABLES = """
CREATE TABLE devices (id VARCHAR(20) NOT NULL DEFAULT '', tech VARCHAR(10) NOT NULL DEFAULT '', dial VARCHAR(255) NOT NULL DEFAULT '',
  devicetype VARCHAR(5) NOT NULL DEFAULT '', user VARCHAR(50), description VARCHAR(50), emergency_cid VARCHAR(100), hint_override VARCHAR(100),
  KEY id (id), KEY tech (tech)) {table};
CREATE TABLE sip (id VARCHAR(20) NOT NULL DEFAULT '-1', keyword VARCHAR(30) NOT NULL DEFAULT '', data {data} NOT NULL, flags INT NOT NULL DEFAULT 0,
  PRIMARY KEY (id, keyword)) {table};
CREATE TABLE pjsip LIKE sip;
CREATE TABLE users (extension VARCHAR(20) NOT NULL DEFAULT '', name VARCHAR(50), outboundcid VARCHAR(50), KEY extension (extension)) {table};
CREATE TABLE admin (variable VARCHAR(20) NOT NULL DEFAULT '', value VARCHAR(80) NOT NULL DEFAULT '', PRIMARY KEY (variable)) {table};
INSERT INTO admin VALUES ('need_reload', 'false'), ('version', '17.0.19');
INSERT INTO sip VALUES ('tr-peer-1', 'account', 'oldtrunk', 2), ('tr-peer-1', 'nat', 'no', 3), ('tr-peer-1', 'rewrite_contact', 'no', 4),
  ('199', 'rewrite_contact', 'no', 9);
INSERT INTO pjsip VALUES ('2', 'trunk_name', 'provider', 0), ('2', 'rewrite_contact', 'no', 0), ('2', 'secret', 'trunk-secret', 0);
INSERT INTO users VALUES ('101', 'Zoë; O''Brien\\tx', NULL), ('102', 'B', '');
"""
INNODB = "ENGINE=InnoDB DEFAULT CHARSET=utf8 COLLATE=utf8_unicode_ci"
ALL_OFF = {"rewrite_contact": "no", "force_rport": "no", "rtp_symmetric": "no", "direct_media": "yes"}
# NAT option off in the ways that a table can say it: explicitly, by nothing, by an empty text.
PHONES = {
    "101": ALL_OFF,
    "102": {"force_rport": "no", "rtp_symmetric": "no", "direct_media": "yes"},
    "103": {"rewrite_contact": "", "rtp_symmetric": "no"},
    "104": ALL_OFF,
    "4540r": ALL_OFF,
}


@contextmanager
def running(server, pbx, folder, **more):
    """A box whose programs are found first, its tables not made yet; its database goes away afterwards."""
    box = FreePbx(server, pbx, folder, **more)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{box.path}:{os.environ['PATH']}")
        patch.setenv("SHELL", "/bin/sh")
        try:
            yield box
        finally:
            server.sql(f"DROP DATABASE IF EXISTS {box.name};")


class FreePbx:
    """The box: ``bin`` is its PATH, ``faults`` are fwconsole's."""

    def __init__(self, server, pbx, folder, modules=("res_pjsip.so",)):
        self.server, self.pbx, self.folder, self.name = server, pbx, folder, f"t{uuid.uuid4().hex[:12]}"
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.asterisk = command(pbx.tree, "usr/sbin/asterisk", "-C", pbx.etc / "asterisk.conf")
        self.modules = modules
        self.faults()
        self.program("fwconsole", f"#!/bin/sh\nFAKE_FWCONSOLE={folder} exec {sys.executable} {Path(fwconsole.__file__)} \"$@\"\n")
        self.program("asterisk", f"#!/bin/sh\nexec {shlex.join(self.asterisk)} \"$@\"\n")
        self.path = f"{self.bin}:{server.bin}"
        self.config = Config("freepbx", Access(pbx.ami_host, pbx.ami_port, "ansible", "ami-secret", timeout=10), "ami",
                             database=DatabaseAccess("mysql", self.name), patience=5)

    def program(self, name, text):
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)
        return str(self.bin / name)

    def faults(self, **faults):
        config = {"database": self.name, "etc": str(self.pbx.etc), "asterisk": self.asterisk, "modules": self.modules, "faults": faults}
        (self.folder / "config.json").write_text(json.dumps(config))

    def create(self, table=INNODB, data="VARCHAR(8100)"):
        self.server.sql(f"CREATE DATABASE {self.name};")
        self.sql(TABLES.format(table=table, data=data))

    def device(self, name, settings, tech="pjsip", context="phones"):
        common = {"sipdriver": f"chan_{tech}", "secret": f"pw{name}", "dtmfmode": "rfc4733", "account": name, "context": context}
        rows = ", ".join(f"('{name}', '{keyword}', '{data}', {flag})" for flag, (keyword, data) in enumerate({**common, **settings}.items(), 2))
        self.sql(f"INSERT INTO devices (id, tech, dial, user) VALUES ('{name}', '{tech}', '{tech.upper()}/{name}', '{name}'); INSERT INTO sip VALUES {rows};")

    def install(self, phones, table=INNODB, data="VARCHAR(8100)"):
        """Tables with these PJSIP devices, and a running Asterisk that uses them."""
        self.create(table, data)
        for name, settings in phones.items():
            self.device(name, settings)
        self.pbx.write_config([], nat_option=False)
        start(self)
        return self

    def sql(self, text):
        return self.server.sql(text, self.name)

    def apply(self):
        """What Apply Config does: here, without leaving a trace among the calls."""
        subprocess.run([str(self.bin / "fwconsole"), "reload"], check=True, capture_output=True, timeout=60)
        (self.folder / "calls").unlink()

    def calls(self):
        return (self.folder / "calls").read_text().splitlines() if (self.folder / "calls").exists() else []

    def rows(self, where=f"id IN (SELECT id FROM devices) AND keyword IN {KEYWORDS}"):
        return [line.split("\t") for line in self.sql(f"SELECT id, keyword, data, flags FROM sip WHERE {where} ORDER BY id, flags;").splitlines()]

    def options(self, name):
        ((one,),) = (open_pbx(self.config).extensions([name]),)
        return tuple(getattr(one, option) for option in OPTIONS)

    def set(self, *names, options=None, config=None, **more):
        return set_nat(config or self.config, Wanted(names, options or ON, more.pop("skip", False)), **more)

    def store(self, timeout=60.0, **more):
        return FreePbxStore(Database(self.config.database, Shell()), Shell((), timeout), **more)


def start(box):
    """Asterisk with the files that FreePBX generates, as Apply Config leaves it."""
    generated = {"pjsip.conf": ("pjsip.endpoint.conf", "pjsip.aor.conf", "pjsip.auth.conf"), "sip.conf": ("sip_additional.conf",)}
    for main, names in generated.items():
        for name in names:
            (box.pbx.etc / name).touch()
        with open(box.pbx.etc / main, "a", encoding="utf-8") as file:
            file.writelines(f"#include {name}\n" for name in names)
    box.pbx.start()
    box.apply()
