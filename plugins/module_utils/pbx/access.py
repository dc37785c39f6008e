# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a PBX's interfaces are, and how to log in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Access:
    """Where and how to log in to one interface. *timeout*: seconds for connecting, and for each whole answer."""

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


@dataclass(frozen=True)
class DatabaseAccess:
    """A PBX's own database, asked through its own command-line client. Empty: what that client does by itself."""

    engine: str                         # mysql (MariaDB too) or postgresql
    name: str
    host: str = ""
    port: int = 0
    socket: str = ""                    # path of MariaDB's socket, folder of PostgreSQL's
    username: str = ""
    password: str = field(default="", repr=False)
    run_as: str = ""                    # the system user who runs the client: postgres, for PostgreSQL's usual peer login

    def __str__(self) -> str:
        return f"the database {self.name}" + (f" at {self.host}" if self.host else "")


@dataclass(frozen=True)
class Config:
    """All that a PBX can be told by. ``products.py`` says which product needs what."""

    type: str
    access: Access                      # of the interface that tells the registrations
    read_by: str = ""                   # ami, cli or database; "": the product's usual way
    shell: tuple[str, ...] = ()         # what brings a command to the PBX (ssh root@pbx); nothing: we run on it
    database: DatabaseAccess | None = None
    api: Access | None = None           # of the interface that sets NAT options, where it is another one
    domain: str = ""                    # the tenant, where extensions are numbered anew in each
    profiles: tuple[str, ...] = ()      # SIP profiles
    config_dir: str = ""
    main_file: str = ""
    include_file: str = ""
    allow_generated: bool = False
    status_file: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    patience: float = 15                # seconds until a change must show, and to wait for another run on the same PBX
