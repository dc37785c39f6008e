# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which side of a NAT router an address is on."""

from __future__ import annotations

import pytest

from ansible_collections.evenport.sip.plugins.module_utils.addresses import is_address, is_inside, network_of


@pytest.mark.parametrize(("address", "inside"), [
    ("192.168.1.5", True), ("10.0.0.1", True), ("172.31.0.1", True), ("100.64.0.1", True), ("169.254.1.1", True), ("fd00::1", True), ("[fe80::1]", True),
    ("203.0.113.1", False), ("172.32.0.1", False), ("2001:db8::1", False), ("phone.example.net", False), ("", False),
])
def test_inside_addresses(address, inside):
    assert is_inside(address) is inside


def test_networks():
    assert [is_address(text) for text in (
        "192.0.2.1", "2001:db8::1", "[2001:db8::1]", "pbx", "", "1.2.3", "fe80::1%{{ x }}",
    )] == [True, True] + [False] * 5
    assert (network_of("192.168.1.77"), network_of("2001:db8:1:2:3::4")) == ("192.168.1.0/24", "2001:db8:1:2::/64")
