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
    port_scope: str                         # "line": a local SIP port per SIP account; "phone": one for all
    default_ports: tuple[int, ...]          # of account 1, 2, ... from the factory: further accounts sit on their neighbours' ports
    apply: str                              # live: re-registers by itself; reboot: every change restarts the phone
    evidence: str                           # where the protocol facts come from

    def as_dict(self) -> dict[str, Any]:
        return {key: list(value) if isinstance(value, tuple) else value for key, value in vars(self).items()}


BRANDS = {
    one.name: one for one in (
        Brand(
            name="grandstream",
            label="Grandstream",
            models=("GXP14xx", "GXP16xx", "GXP17xx", "GXP21xx", "GRP26xx", "WP8x6"),
            port_scope="line",
            default_ports=(5060, 5062, 5064, 5066, 5068, 5070),         # [D] GXV34xx, WP810 and GXP17xx manuals
            apply="live",                                               # [U]: expected of an account setting, not proven; a reboot is there if it isn't so
            evidence="third parties' hardware (GXP2170 1.0.11.106, GXP14xx/16xx/1760W, WP826); GRP26xx, and that a change applies without a restart, inferred",
        ),
    )
}


def default_ports(brand: str) -> tuple[int, ...]:
    """The factory ports of a brand's accounts; () for a brand that is not known (yet)."""
    return BRANDS[brand].default_ports if brand in BRANDS else ()
