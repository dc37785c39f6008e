# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all tests of Snoms begin with."""

from __future__ import annotations

from tests.fakes.snom import FakeSnom
from tests.unit.plugins.module_utils.phones.contract_suite import PASSWORD, TWO_LINES

WANTED = {"random_port": False, "keep_alive_interval": 30, "lines": [{"line": 1, "local_port": 5074, "rport": True}]}
SHORT = {"random_port": False, "lines": [{"line": 1, "local_port": 5074, "rport": True}]}       # a form page has no interval
CHANGES = frozenset({"network_id_port", "enable_rport_rfc3581", "keepalive_interval1", "keepalive_interval2"})
RANDOM = [{"user": "101"}, {"user": "102"}]
SERVER = "https://admin:hunter2@prov.example.net/snom/{mac}?key=hunter2"


def basic(**more):
    return FakeSnom("Basic", **{"password": PASSWORD, "accounts": TWO_LINES, **more})
