# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fake Yealinks of all generations: ``fake_yealink("Y5")``, ``fake_yealink("Y4", variant="B")``, ``fake_yealink("Y3")``."""

from __future__ import annotations

from typing import Any

from tests.fakes.yealink_api import FakeYealinkY5
from tests.fakes.yealink_servlet import FakeYealinkOld, FakeYealinkY3, FakeYealinkY4
from tests.fakes.yealink_state import FakeYealink

_KINDS: dict[str, Any] = {"Y5": FakeYealinkY5, "Y4": FakeYealinkY4, "Y3": FakeYealinkY3}


def fake_yealink(generation: str = "Y5", **more: Any) -> FakeYealink:
    if generation in _KINDS:
        return _KINDS[generation](**more)
    return FakeYealinkOld(generation, **more)
