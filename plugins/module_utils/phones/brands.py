# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The supported brands as data: one row each. README and docs tables are made from it, the recogniser and the options read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Brand:
    """What is true of a brand before any of its phones is asked."""

    name: str                               # the option's value
    label: str
    models: tuple[str, ...]
    how: str                                # what the phone is spoken to by
    port_scope: str                         # "line": a local SIP port per SIP account; "phone": one for all; "varies": the driver finds out
    default_ports: tuple[int, ...]          # of account 1, 2, ... from the factory: further accounts sit on their neighbours' ports
    apply: str                              # live: re-registers by itself; reboot: every change restarts the phone
    evidence: tuple[tuple[str, str], ...]   # (grade of EVIDENCE, what is known that way)
    factory_passwords: tuple[tuple[str, str], ...] = ()     # of its web page: (password, grade); () where it has none, its own each, or nobody knows

    def as_dict(self) -> dict[str, Any]:
        return {key: list(value) if isinstance(value, tuple) else value for key, value in vars(self).items()}


# How we know what we know. None of it is our own hardware, so nothing here is called verified.
EVIDENCE = {
    "documented": "a vendor's document or text says so",
    "hardware": "somebody else's code, capture or notes from a real phone",
    "code": "somebody else's code or template, nobody says that it was tried",
    "inferred": "concluded from the others; nobody has shown it",
    "unknown": "nobody has told us; the run finds out and says so",
}

BRANDS = {
    one.name: one for one in (
        Brand(
            name="grandstream",
            label="Grandstream",
            models=("GXP14xx", "GXP16xx", "GXP17xx", "GXP21xx", "GRP26xx", "WP8x6"),
            how="JSON interface",
            port_scope="line",
            default_ports=(5060, 5062, 5064, 5066, 5068, 5070),         # [D] GXV34xx, WP810 and GXP17xx manuals
            apply="live",                                               # [U]: expected of an account setting, not proven; a reboot is there if it isn't so
            evidence=(("hardware", "GXP2170 1.0.11.106, GXP14xx/16xx/1760W, WP826"), ("inferred", "GRP26xx"), ("unknown", "whether a change needs a restart")),
            factory_passwords=(("admin", "code"),),          # until about 2017; since then a password of its own on each label
        ),
        Brand(
            name="yealink",
            label="Yealink",
            models=("T2x", "T3x", "T4x", "T5x"),
            how="JSON interface (v86 and newer), configuration import (v81 to v85, and all T3x), web form (v80)",
            port_scope="varies",
            default_ports=(5060,),                                      # old firmware: 5060 for all accounts; new: one port
            apply="live",
            evidence=(("hardware", "login of all three generations, import on a T31G, reading by name on a T54W, writing forms on v80"),
                      ("code", "names and defaults of the settings"), ("inferred", "writing by name on v86+, the form's field on v80, the login of a T2x E2"),
                      ("unknown", "whether a change needs a restart, call state before v86")),
            factory_passwords=(("admin", "documented"),),
        ),
        Brand(
            name="poly",
            label="Poly, Polycom",
            models=("VVX", "Edge E", "Trio", "CCX"),
            how="REST interface, which has to be switched on first",
            port_scope="phone",
            default_ports=(5060,),                                      # [D]: also where the field is empty or 0
            apply="live",                                               # [U]: expected; a phone that restarts at the write is waited for
            evidence=(("documented", "names and ranges of the settings"), ("hardware", "reading, on Edge E350 8.6 and Trio 8800 7.2"),
                      ("code", "writing, restart"), ("inferred", "CCX"), ("unknown", "whether a change needs a restart")),
            factory_passwords=(("456", "code"),),            # until 5.9; since then it has to be changed at the first login
        ),
        Brand(
            name="htek",
            label="Htek, Sangoma S, ClearlyIP",
            models=("UC8xx", "UC9xx", "Sangoma S2xx to S7xx"),
            how="configuration download and partial upload (XML)",
            port_scope="line",
            default_ports=(5060,),                                      # empty or 5060 in templates, and random until that is switched off
            apply="reboot",                                             # [HW]: every accepted upload
            evidence=(("hardware", "UC902G 2.42: login, download, upload, restart"), ("code", "names of the settings, Sangoma S"),
                      ("inferred", "ClearlyIP, meaning of the NAT values"), ("unknown", "lock-out after wrong passwords, range of the port")),
            factory_passwords=(("admin", "code"),),
        ),
        Brand(
            name="fanvil",
            label="Fanvil and rebrands (Intelbras V, OpenVox C)",
            models=("X", "V", "H", "i", "C", "D"),
            how="XML service, or configuration upload in a web session",
            port_scope="phone",
            default_ports=(5060,),
            apply="live",                                               # [HW] no restart upon an upload; [3P] other models do restart
            evidence=(("documented", "the XML service, the restart"), ("hardware", "upload and reading, on Intelbras V5501 and V3501"),
                      ("code", "Fanvil's own models, names of the settings"), ("inferred", "the port's name in the XML service, the kinds of NAT traversal"),
                      ("unknown", "whether a change needs a restart")),
            factory_passwords=(("admin", "code"),),
        ),
        Brand(
            name="snom",
            label="Snom, VTech ET6xx",
            models=("3xx", "7xx", "D3xx", "D7xx", "ET605", "ET635", "ET685"),
            how="settings dump or settings form, and dummy.htm",
            port_scope="phone",
            default_ports=(),                                           # random from the factory [D]
            apply="live",
            evidence=(("documented", "writing, meaning of the port, locks"), ("code", "recognition, the settings dump of a 300 and an 821"),
                      ("inferred", "the settings form; that ET6xx is the same"), ("unknown", "whether a change needs a restart")),
        ),
        Brand(
            name="cisco",
            label="Cisco SPA and MPP, Linksys SPA9xx",
            models=("SPA30x", "SPA50x", "SPA51x", "SPA525", "SPA9xx", "68xx", "78xx", "88xx"),
            how="spacfg.xml; web form (SPA), or resync of a profile that the phone fetches from us (MPP)",
            port_scope="line",
            default_ports=tuple(range(5060, 5076)),                     # [D] Sipura manual, Webex help: 5060 + (extension - 1)
            apply="live",
            evidence=(("documented", "resync, restart, names and defaults of the settings"), ("code", "reading, the form, call state of SPA9xx"),
                      ("inferred", "finding the form's fields by their labels"), ("unknown", "whether a change needs a restart, call state of MPP")),
        ),
        Brand(
            name="vtech",
            label="VTech ErisTerminal",
            models=("VSP60x", "VSP7xx", "VSP8xx", "VCS75x"),
            how="located form",
            port_scope="line",
            default_ports=(5060, 5070, 5080, 5090, 5100, 5110),         # [3P] templates; 4 to 6 inferred
            apply="live",
            evidence=(("code", "names and defaults of the settings, in provisioning files"), ("unknown", "the web page: the field is looked for on it"),
                      ("unknown", "whether a change needs a restart")),
            factory_passwords=(("admin", "code"),),
        ),
        Brand(
            name="north_american_telecom",
            label="North American Telecom",
            models=("any",),
            how="that of the maker it turns out to be; else located form",
            port_scope="varies",
            default_ports=(),
            apply="live",
            evidence=(("unknown", "who makes it: found out on the phone, never guessed"),),
        ),
        Brand(
            name="form",
            label="Any other phone with a web page",
            models=("any",),
            how="located form, or a learned profile",
            port_scope="varies",
            default_ports=(),
            apply="live",
            evidence=(("unknown", "everything: the field is looked for on the page, and refused where that is not sure"),),
        ),
    )
}


def default_ports(brand: str) -> tuple[int, ...]:
    """The factory ports of a brand's accounts; () for a brand that is not known (yet)."""
    return BRANDS[brand].default_ports if brand in BRANDS else ()


def is_factory_password(brand: str, password: object) -> bool:
    """Whether *password* is one that phones of this brand leave the factory with, as far as is known."""
    return any(str(password) == one for one, dummy in (BRANDS[brand].factory_passwords if brand in BRANDS else ()))
