# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all tests of Fanvils begin with."""

from __future__ import annotations

from tests.fakes.fanvil import FakeFanvil
from tests.unit.plugins.module_utils.phones.contract_suite import PASSWORD, TWO_LINES, target_of

WANTED = {"keep_alive_interval": 20, "lines": [
    {"line": 1, "local_port": 5074, "nat_traversal": "keep_alive", "rport": True}, {"line": 2, "nat_traversal": "stun", "rport": False}]}
CHANGES = frozenset({"sip.SIPPort", "sip.line.1.UDPUpdateTTL", "sip.line.2.UDPUpdateTTL", "sip.line.2.NATType", "sip.line.2.EnableRport"})
PORT = {"lines": [{"line": 1, "local_port": 5074}]}


def make(kind="v5501", faults=None, **more):
    """A session that nobody can end lasts 0.3 s, so that the next visit need not wait for it."""
    seconds = 60.0 if kind == "older" else 0.3
    return FakeFanvil(kind, **{"password": PASSWORD, "accounts": TWO_LINES, "session_seconds": seconds, "faults": faults, **more})


def target(fake, **more):
    return target_of(fake, **more)
