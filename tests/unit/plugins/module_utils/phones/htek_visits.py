# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all tests of Hteks begin with."""

from __future__ import annotations

from ansible_collections.evenport.sip.plugins.module_utils.http.session import WebSession
from ansible_collections.evenport.sip.plugins.module_utils.model import Identity
from ansible_collections.evenport.sip.plugins.module_utils.phones.htek import driver as htek
from ansible_collections.evenport.sip.plugins.module_utils.phones.work import configure_phone
from tests.unit.plugins.module_utils.phones.contract_suite import target_of

WANTED = {"keep_alive_interval": 30, "lines": [
    {"line": 1, "local_port": 5074, "nat_traversal": "keep_alive", "rport": True},
    {"line": 2, "local_port": 5076, "nat_traversal": "keep_alive", "rport": True}]}
ONE = {"lines": [{"line": 1, "local_port": 5074}]}


def target(fake, **more):
    return target_of(fake, **{"password": fake.password, "timeout": 2.0, **more})


def configure(fake, wanted=None, **more):
    return configure_phone(target(fake), ONE if wanted is None else wanted, **{"in_use": False, **more})


def driver(fake):
    """A driver that is logged in and has read."""
    web = WebSession(target(fake).reach())
    made = htek.Htek(target(fake), web, Identity("htek"))
    made.login()
    made.read()
    return made
