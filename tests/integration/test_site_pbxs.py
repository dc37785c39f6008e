# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same site on PBXs of other kinds: plan, site and audit never ask which one it is."""

from __future__ import annotations

import os
import time

import pytest

from tests.fakes.grandstream_ucm import FakeUcm
from tests.fakes.yeastar import FakeYeastar
from tests.integration.conftest import Rollout
from tests.integration.test_site_playbook import PLANNED

EXTENSIONS = [str(number) for number in range(101, 109)]
NOT_AMI = dict.fromkeys(("sip_pbx_config_dir", "sip_pbx_user", "sip_pbx_password", "sip_pbx_host", "sip_pbx_port"))


@pytest.fixture
def rollout(tmp_path):
    run = Rollout(tmp_path)
    run.site.start()
    yield run
    run.site.stop()


def codes(rollout):
    return {finding["code"] for finding in rollout.findings}


def test_a_pbx_that_tells_only_what_it_sees(rollout):
    with FakeUcm() as ucm:
        for extension in [*EXTENSIONS, "105r"]:
            ucm.add(extension)

        def heard(extension, unused_claimed, seen):
            ucm.addr[extension], ucm.state[extension] = f"{seen[0]}:{seen[1]}", "Idle"
        rollout.site.heard = heard
        rollout.edit("demo-pbx", **{**NOT_AMI, "sip_pbx_type": "grandstream_ucm", "sip_pbx_host": "127.0.0.1", "sip_pbx_port": ucm.port,
                                    "sip_pbx_user": ucm.user, "sip_pbx_password": ucm.password, "sip_pbx_fingerprint": ucm.tls.fingerprint})
        time.sleep(2.5)                                     # the demo's phones register anew every two seconds
        first = rollout.run("site")
        assert not first.failed, first.out
        assert rollout.ports() == PLANNED and set(rollout.verdicts().values()) == {"ok"}
        assert {ucm.used[extension]["nat"] for extension in EXTENSIONS} == {"yes"} and ucm.used["105r"]["nat"] == "no" and ucm.applies == 1
        again = rollout.run("site")
        assert not again.failed and again.changed == 0 and ucm.applies == 1, again.out
        ucm.password = "changed"
        before = ucm.login_attempts
        refused = rollout.run("audit")
        assert "pbx_not_read" in codes(rollout) and ucm.login_attempts == before + 1, refused.out


def test_a_pbx_that_tells_no_ports(rollout):
    with FakeYeastar() as yeastar:
        yeastar.extensions = dict.fromkeys(EXTENSIONS, True)
        rollout.edit("demo-pbx", **{**NOT_AMI, "sip_pbx_type": "yeastar", "sip_pbx_host": "127.0.0.1", "sip_pbx_port": yeastar.port,
                                    "sip_pbx_user": yeastar.client, "sip_pbx_password": yeastar.secret, "sip_pbx_fingerprint": yeastar.tls.fingerprint})
        result = rollout.run("site")
        assert not result.failed, result.out
        assert rollout.ports() == PLANNED, "nobody is put back because the PBX tells no port"
        assert set(rollout.verdicts().values()) == {"port_unseen"}
        sheet = rollout.inventory / ".sip/demo_site-demo-pbx-nat.csv"
        assert sheet.read_text("utf-8-sig").count(",on,") == len(EXTENSIONS) and sheet.with_suffix(".html").exists()
        again = rollout.run("site")
        assert not again.failed and again.changed == 0, again.out


def test_a_pbx_with_a_web_page_only(rollout):
    table, seen = rollout.inventory / "status.csv", {}

    def export(age=0):
        time.sleep(2.5)
        rows = [f"{extension};{address};{port};Registered" for extension, (address, port) in sorted(seen.items())]
        table.write_text("\n".join(["Extension;IP;Port;Status", *rows]) + "\n")
        then = time.time() - age
        os.utime(table, (then, then))
    rollout.site.heard = lambda extension, unused_claimed, place: seen.__setitem__(extension, place)
    rollout.edit("demo-pbx", **{**NOT_AMI, "sip_pbx_type": "web_only", "sip_pbx_status_file": str(table)})
    export(age=3600)
    result = rollout.run("site")
    assert not result.failed, result.out
    assert rollout.ports() == PLANNED, "an old table proves nothing, and nobody is put back for it"
    assert set(rollout.verdicts().values()) == {"not_seen"} and "status_old" in codes(rollout)
    export()
    assert not rollout.run("audit").failed
    assert set(rollout.verdicts().values()) == {"ok"}
