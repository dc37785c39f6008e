# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One fake phone of each kind, for sites where brands are mixed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tests.fakes.cisco import FakeCisco
from tests.fakes.fanvil import FakeFanvil
from tests.fakes.form import FakeFormPhone
from tests.fakes.grandstream import FakeGrandstream
from tests.fakes.htek import FakeHtek
from tests.fakes.phone import FakePhone
from tests.fakes.poly import FakePoly
from tests.fakes.snom import FakeSnom
from tests.fakes.yealink_api import FakeYealinkY5
from tests.fakes.yealink_servlet import FakeYealinkY3, FakeYealinkY4


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
    "yealink": Kind(FakeYealinkY5, "805ec0"),
    "yealink-servlet": Kind(FakeYealinkY4, "805ec0"),
    "yealink-old": Kind(FakeYealinkY3, "805ec0"),
    "poly": Kind(partial(FakePoly, "edge"), "482567"),
    "poly-vvx": Kind(partial(FakePoly, "vvx"), "0004f2"),
    "htek": Kind(partial(FakeHtek, "basic"), "001fc1"),
    "fanvil": Kind(partial(FakeFanvil, "v5501"), "443b32"),
    "snom": Kind(partial(FakeSnom, "Digest"), "000413"),
    "cisco": Kind(partial(FakeCisco, "spa"), "0002fd"),
    "cisco-mpp": Kind(partial(FakeCisco, "mpp"), "0002fd"),
    "form": Kind(partial(FakeFormPhone, "konto"), "02f0aa", {"sip_phone_brand": "form"}),
}
