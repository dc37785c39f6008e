# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which side of a NAT router an IP address is on. Pure."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

# An own list on purpose: Python's is_private is True for the documentation ranges and False for 100.64.0.0/10 (carrier-grade NAT).
_INSIDE = [ip_network(net) for net in (
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8", "fc00::/7", "fe80::/10", "::1/128",
)]


def is_address(text: str) -> bool:
    """True for an IP address, IPv6 without brackets; False for a host name, a scoped address (its scope may be any text) and anything else."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def is_inside(address: str) -> bool:
    """True for an address that cannot be reached from the internet. A host name is not an address: False."""
    try:
        ip = ip_address(address.strip("[]"))
    except ValueError:
        return False
    return any(ip.version == net.version and ip in net for net in _INSIDE)


def network_of(address: str) -> str:
    """The network that a site most likely has around *address*: /24 of IPv4, /64 of IPv6 (what an ISP gives a customer at least). An address is asked for."""
    ip = ip_address(address)
    return str(ip_network((ip, 24 if ip.version == 4 else 64), strict=False))
