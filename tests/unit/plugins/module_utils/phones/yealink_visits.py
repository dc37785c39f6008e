# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Visits to a fake Yealink, for its test files."""

from __future__ import annotations

from ansible_collections.evenport.sip.plugins.module_utils.phones.target import Target
from ansible_collections.evenport.sip.plugins.module_utils.phones.work import configure_phone

ONE = {"lines": [{"line": 1, "local_port": 5074, "rport": True}]}


def target(fake, **more):
    return Target(**{"name": "kitchen", "host": "127.0.0.1", "protocol": "http", "port": fake.port, "password": fake.password, "mac": fake.mac,
                     "timeout": 1.0, **more})


def configure(fake, wanted=None, **more):
    return configure_phone(target(fake), ONE if wanted is None else wanted, **{"in_use": False, **more})
