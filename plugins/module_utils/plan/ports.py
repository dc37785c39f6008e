# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ports that a site may hand out: 5060 to 5200 in steps of two gives 71 slots. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import PlanError


def whole_number(value: Any, what: str) -> int:
    """*value* as an int; "5060" counts too, as ``-e sip_port_end=5300`` gives text. A bool or 5060.5 is refused."""
    if isinstance(value, str) and value.strip().isdigit():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise PlanError(f"{what} must be a whole number, not {value!r}.")
    return int(value)


@dataclass(frozen=True)
class PortRange:
    """The slots *start*, *start* + *step*, ... up to and including *end*.

    The step is even, so that the odd port above each slot stays free: a phone takes SIP + 1 for SIP-TLS ([D] Grandstream
    GXV3370 security guide p. 13). A step of 1 is allowed for sites without TLS; allocation refuses it where a phone uses TLS.
    """

    start: int = 5060
    end: int = 5200
    step: int = 2

    def __post_init__(self) -> None:
        if not 1024 <= self.start <= self.end <= 65534:
            raise PlanError(f"sip_port_start {self.start} and sip_port_end {self.end} are no port range.", "Take ports from 1024 to 65534, start first.")
        if self.step < 1 or (self.step > 1 and self.step % 2):
            raise PlanError(f"sip_port_step {self.step} does not keep SIP ports apart from SIP-TLS ports (SIP + 1).", "Take an even step; 2 is usual.")
        if self.step > 1 and self.start % 2:
            raise PlanError(f"sip_port_start {self.start} is odd: every SIP port would be odd too.", f"Start at {self.start + 1}.")

    @property
    def slots(self) -> range:
        return range(self.start, self.end + 1, self.step)

    def objection(self, port: int) -> str:
        """Why *port* can't be a SIP port of this range; empty where it can. It need not be a slot: 5062 is fine with a step of 4."""
        if not self.start <= port <= self.end:
            return f"is outside {self}"
        if self.step > 1 and port % 2:
            return "is odd"
        return ""

    def __str__(self) -> str:
        return f"{self.start}-{self.end}"
