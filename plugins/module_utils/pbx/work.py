# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a PBX: the function behind the module, the batch scan and the verification."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.pbx.access import Access
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk import Asterisk
from ansible_collections.evenport.sip.plugins.module_utils.pbx.contract import wait_until_shown


def read_asterisk(access: Access, extensions: Sequence[str] = (), wait_for: Mapping[str, int] | None = None, wait_timeout: float = 60) -> dict[str, Any]:
    """One login, everything that an audit or a verification needs. JSON-able, no secrets.

    :arg extensions: whose NAT options to return as well
    :arg wait_for: extension -> planned port; read again until all are claimed, or *wait_timeout* seconds are over
    """
    names = list(dict.fromkeys(map(str, extensions)))
    with Asterisk(access) as pbx:
        version = pbx.version()
        known = pbx.extensions(names) if names else None
        shown = []
        if wait_for:
            registrations, shown = wait_until_shown(pbx, wait_for, wait_timeout, known)
            if known is None:                       # while waiting nobody asked for the options; the last answer is the one that counts
                registrations = pbx.registrations()
        else:
            registrations = pbx.registrations(known)
    found = {extension.extension for extension in known or ()}
    return {
        "version": version,
        "registrations": [registration.as_dict() for registration in registrations],
        "extensions": [extension.as_dict() for extension in known or ()],
        "missing": [name for name in names if name not in found],
        "planned": [one.as_dict() for one in shown],
        "not_shown": [one.extension for one in shown if not one.shown],
    }
