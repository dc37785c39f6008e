# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One fake phone of each kind, for sites where brands are mixed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tests.fakes.grandstream import FakeGrandstream
from tests.fakes.phone import FakePhone


@dataclass(frozen=True)
class Kind:
    """``make(**options of FakePhone)``; ``variables``: what the inventory has to say of such a phone beyond the usual."""

    make: Callable[..., FakePhone]
    mac: str                                    # the first half, of the maker's range
    variables: Mapping[str, Any] = field(default_factory=dict)

    def mac_of(self, number: int) -> str:
        """A MAC address of its own for phone *number* of a site."""
        return f"{self.mac}{number:06d}"


KINDS = {
    "grandstream": Kind(partial(FakeGrandstream, "G3"), "000b82"),
    "grandstream-old": Kind(partial(FakeGrandstream, "G2"), "000b82"),
}
