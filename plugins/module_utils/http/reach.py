# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a device's web interface is reached: address, trust, proxy, patience."""

from __future__ import annotations

from dataclasses import dataclass

_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True)
class Reach:
    """Everything about the way to a device and nothing about what it is.

    ``timeout`` seconds to connect and between two pieces of an answer; ``deadline`` seconds for one whole answer;
    ``limit`` bytes of one body. ``fingerprint`` (64 hex digits) replaces the check of the certificate's chain and name.
    """

    name: str                       # how messages call the device
    host: str
    protocol: str = "https"         # https or http; chosen by a person, never by us: there is no fallback from one to the other
    port: int = 0                   # 0: the protocol's own
    validate_certs: bool = True
    ca_path: str = ""
    fingerprint: str = ""
    proxy: str = ""                 # http://..., socks5h://... (may hold a password: never in messages)
    timeout: float = 10.0
    deadline: float = 30.0
    limit: int = 4 * 1024 * 1024

    @property
    def url(self) -> str:
        """Scheme and authority, the default port left out: also the value of the Origin header."""
        host = f"[{self.host}]" if ":" in self.host and not self.host.startswith("[") else self.host
        return f"{self.protocol}://{host}" + (f":{self.port}" if self.port and self.port != _PORTS[self.protocol] else "")
