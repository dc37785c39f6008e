# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of the field as data: what phones, PBXs, plan and audit say to each other. No I/O, no Ansible, no logic."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True)
class Registration:
    """One contact that the PBX holds for an extension.

    *claimed* is what the phone says of itself (sent-by of the REGISTER's Via), *seen* is where the PBX sends to (the contact
    URI; with rewrite_contact that is the packet's source, after the router). Ports are integers, 0 where the PBX does not say.
    """

    extension: str
    claimed_address: str = ""
    claimed_port: int = 0
    seen_address: str = ""
    seen_port: int = 0
    transport: str = "udp"          # udp, tcp, tls, ws, wss: lower case
    user_agent: str = ""
    status: str = "unknown"         # reachable, unreachable, nonqualified, unknown, removed; registered where the PBX tells no more
    expires: int = 0                # seconds since the epoch
    seen_is_source: bool = False    # True where the PBX is known to have rewritten the contact to the packet's source

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Registration:
        return cls(**{f.name: data[f.name] for f in fields(cls) if f.name in data})


@dataclass(frozen=True)
class Extension:
    """The PBX's side of a line: its effective NAT options, whatever file or table they come from."""

    extension: str
    rewrite_contact: bool | None = None     # None: the PBX does not say
    force_rport: bool | None = None
    rtp_symmetric: bool | None = None
    direct_media: bool | None = None
    device_state: str = ""
    active_channels: int = 0

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Extension:
        return cls(**{f.name: data[f.name] for f in fields(cls) if f.name in data})


@dataclass(frozen=True)
class Line:
    """One planned SIP account of a phone. ``port`` is None for a line without a port of its own."""

    site: str
    phone: str
    line: int
    extension: str
    port: int | None
    managed: bool = True            # False: a softphone, seen and reported, never pushed

    def __str__(self) -> str:
        return f"{self.site}/{self.phone} line {self.line}"


@dataclass(frozen=True)
class Account:
    """One SIP account as the phone itself has it. ``local_port`` is None where the phone has no port per account."""

    number: int
    active: bool
    local_port: int | None = None
    user: str = ""                  # the extension it registers


@dataclass(frozen=True)
class Identity:
    """What a phone says of itself before anybody logs in."""

    brand: str
    generation: str = ""
    model: str = ""
    firmware: str = ""
    mac: str = ""                   # twelve lower-case hex digits, no separators

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)
