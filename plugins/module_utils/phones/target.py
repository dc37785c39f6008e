# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which phone, and how to reach it: the left half of every task."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import EvenportError
from ansible_collections.evenport.sip.plugins.module_utils.http.reach import Reach


def plain_mac(text: str) -> str:
    """'00:0B:82:12:34:56', '000b.8212.3456', '00-0b-82-...' -> '000b82123456'; anything else -> ''."""
    plain = re.sub(r"[\s:.\-]", "", str(text)).lower()
    return plain if re.fullmatch(r"[0-9a-f]{12}", plain) else ""


@dataclass(frozen=True)
class Target:
    """One phone. ``name`` is what messages call it; ``mac`` (any spelling) empty: not checked."""

    name: str
    host: str
    username: str = "admin"
    password: str = field(default="", repr=False)
    mac: str = ""
    brand: str = "auto"
    protocol: str = "https"
    port: int = 0
    validate_certs: bool = True
    ca_path: str = ""
    fingerprint: str = ""
    proxy: str = field(default="", repr=False)      # may hold a password of the proxy
    timeout: float = 10.0
    profile: Mapping[str, Any] = field(default_factory=dict)        # where this model's web page has what: see profile.py

    def __post_init__(self) -> None:
        if self.mac and not plain_mac(self.mac):
            raise EvenportError(f"{self.name}: {self.mac!r} is no MAC address.", "Set sip_mac to the twelve hex digits on the phone's label.")
        if not re.fullmatch(r"[0-9A-Za-z._:%\[\]-]+", self.host):
            raise EvenportError(f"{self.name}: {self.host!r} is no host.", "Set ansible_host (option host) to an IP address or name, without scheme and path.")
        if self.protocol not in ("https", "http"):
            raise EvenportError(f"{self.name}: protocol {self.protocol!r} is neither https nor http.", "Set sip_phone_protocol.")
        if not 0 <= self.port <= 65535:
            raise EvenportError(f"{self.name}: {self.port} is no port.", "Set sip_phone_port to the port of the phone's web page, or leave it out.")

    def reach(self) -> Reach:
        """The HTTP half. One answer may take three time-outs altogether (the alias map of a Grandstream is 200 kB from a slow CPU)."""
        return Reach(name=self.name, host=self.host, protocol=self.protocol, port=self.port, validate_certs=self.validate_certs, ca_path=self.ca_path,
                     fingerprint=self.fingerprint, proxy=self.proxy, timeout=self.timeout, deadline=3 * self.timeout)
