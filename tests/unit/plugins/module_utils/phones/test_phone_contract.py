# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from tests.unit.plugins.module_utils.phones.contract_suite import PhoneContract


class TestEveryPhone(PhoneContract):
    """The shared suite; see contract_suite.py."""
