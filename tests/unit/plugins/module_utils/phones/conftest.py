# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""For all tests of phones. Tests of the contract that do not concern a brand (sessions, for phones without any) are left out, not skipped."""

from __future__ import annotations

import pytest

from ansible_collections.evenport.sip.plugins.module_utils.phones import work
from ansible_collections.evenport.sip.plugins.module_utils.phones.fanvil import driver as fanvil
from ansible_collections.evenport.sip.plugins.module_utils.phones.fanvil import web as fanvil_web
from ansible_collections.evenport.sip.plugins.module_utils.phones.snom import driver as snom


@pytest.fixture(autouse=True)
def quick_phones(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fake restarts in half a second and digests at once; the pauses that real phones need would only be waited for."""
    monkeypatch.setattr(work, "_REBOOT_POLL", 0.05)
    monkeypatch.setattr(work, "_REBOOT_STARTS", 1.5)
    monkeypatch.setattr(snom, "_PAUSE", 0.0)
    monkeypatch.setattr(fanvil, "DIGEST", 0.2)
    monkeypatch.setattr(fanvil, "BACK_PAUSE", 0.05)
    monkeypatch.setattr(fanvil_web, "NONCE_PAUSE", 0.15)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left_out = [item for item in items if item.get_closest_marker("left_out")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
