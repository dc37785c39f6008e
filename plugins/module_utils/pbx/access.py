# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a PBX's manager interface is, and how to log in."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Access:
    """Where and how to log in. *timeout*: seconds for connecting, and for each whole answer."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    tls: bool = False
    validate_certs: bool = True
    ca_path: str = ""
    fingerprint: str = ""
    timeout: float = 10

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"
