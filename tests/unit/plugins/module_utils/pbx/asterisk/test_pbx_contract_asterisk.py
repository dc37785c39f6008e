# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asterisk with PJSIP in files, read by AMI: the contract on the fake. tests/lab has the real one."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace

import pytest

from ansible_collections.evenport.sip.plugins.module_utils.model import Registration
from ansible_collections.evenport.sip.plugins.module_utils.pbx.access import Access, Config
from tests.fakes.asterisk import FakeAsterisk
from tests.fakes.pjsip_conf import write_sample
from tests.unit.plugins.module_utils.pbx.pbx_contract import EXTENSIONS, ON, NatContract, Rig


class AsteriskRig(Rig):
    secrets = ("ami-secret", *(f"pw{name}" for name in EXTENSIONS))
    shows = ON

    def __init__(self, folder, fake):
        self.folder, self.fake = folder, fake
        self.config = Config("asterisk", Access("127.0.0.1", fake.port, "evenport", "ami-secret", timeout=3), "ami", config_dir=str(folder), patience=1)

    def register(self, extension, claimed, seen, user_agent):
        self.fake.register(extension, *claimed, *seen, user_agent=user_agent)

    def registered(self, extension, claimed, seen):
        return Registration(extension, *claimed, *claimed)          # the NAT option is off: the PBX sends to what the phone claims

    def attempts(self):
        return self.fake.login_attempts

    def wrong_password(self):
        return replace(self.config, access=replace(self.config.access, password="not-that"))

    def stored(self):
        return {name: self.fake.endpoint(name) for name in EXTENSIONS}

    def others(self):
        return "\n".join(line for line in (self.folder / "pjsip.conf").read_text("utf-8").splitlines() if "evenport" not in line)

    def applies(self):
        return self.fake.reloads

    def contacts(self):
        return [contact.aor for contact in self.fake.contacts]

    @contextmanager
    def deaf(self):
        self.fake.faults["reload_ignored"] = True
        yield
        self.fake.faults.clear()

    @contextmanager
    def failing_apply(self):
        self.fake.faults["reload_busy"] = 99
        yield
        self.fake.faults.clear()


@pytest.fixture
def rig(tmp_path):
    write_sample(tmp_path, EXTENSIONS, nat="no", qualify=30, max_contacts=3)
    with FakeAsterisk(tmp_path) as pbx:
        yield AsteriskRig(tmp_path, pbx)


class TestContract(NatContract):
    pass
