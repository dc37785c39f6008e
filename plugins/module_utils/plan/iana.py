# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a planned port is registered for at IANA. Information for people, never a reason to refuse a port. Pure.

A name at IANA does not forbid a port on a phone. It matters only where a firewall, a router's SIP ALG or another service on
site goes by it.
"""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.evenport.sip.plugins.module_utils.plan.iana_data import UDP

# Ports that are busy in practice. [D] registry or vendor document, [R] common practice without a source: check on site.
NOTES: dict[int, str] = {
    5060: "SIP's own port: PBXs listen here and a router's SIP ALG looks here first",         # [D]
    5064: "EPICS Channel Access really uses it on UDP (laboratories, plants)",              # [D]
    5072: "AYIYA tunnels (IPv6 over UDP) use it",                                           # [D]
    5078: "PixelPusher LED controllers send here on UDP",                                   # [D]
    5080: "FreeSWITCH's external profile listens here by default",                          # [R]
    5090: "3CX tunnel in practice",                                                         # [R]
    5170: "VTech VSP phones open a plug-and-play socket here",                              # [D]
}


@dataclass(frozen=True)
class Service:
    """The UDP registration of a port: service *name* ("" where unassigned), *description*, and a *note* for ports busy in practice."""

    name: str = ""
    description: str = ""
    note: str = ""


def service(port: int) -> Service:
    """Known are 5060-5200, the default range; a port outside gets an empty Service."""
    name, description = UDP.get(port, ("", ""))
    return Service(name, description, NOTES.get(port, ""))
