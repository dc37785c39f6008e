# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The supported PBXs as data: one row each. The option ``type``, its checks and the tables of README and docs are made from it.

``opening.py`` has the code of each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

AMI_PORTS, API_PORTS = (5038, 5039), (443, 443)
_AMI_LOGIN = {"ami": ("username", "password")}


@dataclass(frozen=True)
class Product:
    """What is true of a kind of PBX before any of them is asked."""

    name: str                               # the option's value
    label: str
    nat: str                                # how its NAT option is set; "" where only a person can
    status: str                             # what its registrations are read from
    ports: str                              # both: claimed and seen; seen: one port, where the PBX sends to; none: registered or not, no more
    evidence: tuple[tuple[str, str], ...]   # (grade of EVIDENCE, what is known that way)
    read_by: tuple[str, ...] = ("",)        # ways to its registrations, the usual one first
    port_of: tuple[int, int] = AMI_PORTS    # of that interface: without and with TLS
    engine: str = ""                        # its database, where NAT options or contacts are kept in one
    database: str = ""                      # that database's usual name
    needs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)      # options; key: a way of read_by, "writing", or "always"
    by_hand: str = ""                       # where a person sets its NAT option, in the words of its own page; only with an empty nat

    def port(self, tls: bool) -> int:
        return self.port_of[1 if tls else 0]

    def required(self, read_by: str, writing: bool) -> list[str]:
        """The options without which it can't be asked."""
        keys = ["always", read_by, *(["writing"] if writing else [])]
        return [option for key in keys for option in self.needs.get(key, ())]


# How we know what we know of a PBX.
EVIDENCE = {
    "run": "the product itself, or its own parts, run in our tests",
    "documented": "the vendor's document or the product's source says so; the tests run against a fake made after it",
    "code": "somebody else's code says so; the tests run against a fake made after it",
    "inferred": "concluded from the others; nobody has shown it",
    "unknown": "nobody has told us",
}

PRODUCTS = {
    one.name: one for one in (
        Product(
            name="asterisk",
            label="Asterisk, PJSIP in files",
            nat="a file of our own, included by pjsip.conf or pjsip_wizard.conf; one reload",
            status="manager interface (AMI), or Asterisk's command line",
            ports="both",
            read_by=("ami", "cli"),
            needs=_AMI_LOGIN,
            evidence=(("run", "Asterisk 22"), ("documented", "13.14 to 21")),
        ),
        Product(
            name="asterisk_realtime",
            label="Asterisk, PJSIP in a database (realtime)",
            nat="SQL on ps_endpoints, in PostgreSQL or MariaDB",
            status="manager interface, command line, or SQL on ps_contacts",
            ports="both",
            read_by=("ami", "cli", "database"),
            engine="mysql",
            database="asterisk",
            needs={**_AMI_LOGIN, "writing": ("database",), "database": ("database",)},
            evidence=(("run", "Asterisk 22 on PostgreSQL; MariaDB's tables"), ("documented", "an Asterisk on MariaDB")),
        ),
        Product(
            name="chan_sip",
            label="Asterisk, chan_sip (up to 20, and vendors' PBXs made of it)",
            nat="a file of our own, included by sip.conf; one reload",
            status="manager interface: SIPpeers, SIPshowpeer",
            ports="both",
            read_by=("ami",),
            needs=_AMI_LOGIN,
            evidence=(("run", "Asterisk 16.28"), ("documented", "17 to 20"), ("unknown", "before 16")),
        ),
        Product(
            name="freepbx",
            label="FreePBX, PBXact 15 to 17",
            nat="the device's own settings, in its database; one fwconsole reload",
            status="manager interface, or Asterisk's command line",
            ports="both",
            read_by=("ami", "cli"),
            engine="mysql",
            database="asterisk",
            needs=_AMI_LOGIN,
            evidence=(("documented", "settings, tables, reload"), ("run", "MariaDB, Asterisk 22 and 16"), ("unknown", "a whole FreePBX")),
        ),
        Product(
            name="fusionpbx",
            label="FusionPBX (FreeSWITCH)",
            nat="sip_force_contact in its database, and its cache key",
            status="sofia xmlstatus, by event socket or fs_cli",
            ports="both",
            read_by=("event_socket", "cli"),
            port_of=(8021, 8021),
            engine="postgresql",
            database="fusionpbx",
            needs={"always": ("domain",), "event_socket": ("password",)},
            evidence=(("documented", "settings, tables, status"), ("run", "PostgreSQL"), ("unknown", "a whole FusionPBX")),
        ),
        Product(
            name="grandstream_ucm",
            label="Grandstream UCM62xx, UCM63xx",
            nat="HTTPS API: nat and directmedia, yes or no; one apply",
            status="HTTPS API: listAccount",
            ports="seen",
            port_of=(8089, 8089),
            needs={"always": ("host", "username", "password")},
            evidence=(("code", "login, actions, settings and their values, status codes; the address of a UCM6304 with 1.0.33"),
                      ("inferred", "what its one NAT option does inside"), ("unknown", "how other models write the address; a whole UCM")),
        ),
        Product(
            name="wazo",
            label="Wazo",
            nat="confd: options of the SIP endpoint, which it has reloaded by itself; an extension is the endpoint's name",
            status="manager interface, or Asterisk's command line",
            ports="both",
            read_by=("ami", "cli"),
            needs={**_AMI_LOGIN, "writing": ("api",)},
            evidence=(("documented", "confd, its login"), ("run", "Asterisk 22"), ("unknown", "a whole Wazo")),
        ),
        Product(
            name="yeastar",
            label="Yeastar P-Series",
            nat="",
            status="OpenAPI: registered or not",
            ports="none",
            port_of=(8088, 8088),
            needs={"always": ("host", "username", "password")},
            by_hand="Extension and Trunk > Extension, edit, Advanced: NAT",
            evidence=(("documented", "login, list of extensions"), ("code", "blocked addresses, the page with the NAT option"),
                      ("unknown", "a NAT setting of the API")),
        ),
        Product(
            name="3cx",
            label="3CX v20",
            nat="",
            status="configuration API: registered or not",
            ports="none",
            port_of=API_PORTS,
            needs={"always": ("host", "username", "password")},
            by_hand="Users, edit, Options: PBX delivers audio",
            evidence=(("code", "login, list of users"), ("inferred", "which of its options comes closest"), ("unknown", "a NAT setting of the API")),
        ),
        Product(
            name="web_only",
            label="Protel, Protelity, and any other with a web page only",
            nat="",
            status="its status table, pasted or exported (CSV, HTML, text)",
            ports="seen",
            needs={"always": ("status_file",)},
            by_hand="Extension configuration: NAT option",
            evidence=(("documented", "that Protel's pages have a NAT option and a SIP status with ports"),
                      ("unknown", "the engine; how its tables look; what the port column means")),
        ),
    )
}
