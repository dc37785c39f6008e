# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two functions behind the modules: reading a PBX, and setting its NAT options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.pbx.access import Config
from ansible_collections.evenport.sip.plugins.module_utils.pbx.contract import Wanted, wait_until_shown
from ansible_collections.evenport.sip.plugins.module_utils.pbx.opening import open_nat_options, open_pbx


def read_pbx(
    config: Config, extensions: Sequence[str] = (), wait_for: Mapping[str, int] | None = None, wait_timeout: float = 60, *, list_extensions: bool = False,
) -> dict[str, Any]:
    """One login, everything that an audit or a verification needs. JSON-able, no secrets.

    :arg extensions: whose NAT options to return as well
    :arg wait_for: extension -> planned port; read again until all are claimed, or *wait_timeout* seconds are over.
        A PBX that is not live, an exported table, can't show a change: nothing is waited for and nothing is "not shown".
    :arg list_extensions: return the names of all extensions as ``endpoints``; nobody is asked for them otherwise
    """
    names = list(dict.fromkeys(map(str, extensions)))
    with open_pbx(config) as pbx:
        version = pbx.version()
        known = pbx.extensions(names) if names else None
        shown = []
        if wait_for and pbx.live:
            registrations, shown = wait_until_shown(pbx, wait_for, wait_timeout, known)
            if known is None:                       # while waiting nobody asked for the options; the last answer is the one that counts
                registrations = pbx.registrations()
        else:
            registrations = pbx.registrations(known)
        endpoints = {"endpoints": pbx.endpoints()} if list_extensions else {}
        live, shows_ports, as_of = pbx.live, pbx.shows_ports, pbx.as_of()
    found = {extension.extension for extension in known or ()}
    return {
        "version": version,
        "live": live,
        "shows_ports": shows_ports,
        "as_of": as_of,
        "registrations": [registration.as_dict() for registration in registrations],
        "extensions": [extension.as_dict() for extension in known or ()],
        "missing": [name for name in names if name not in found],
        "planned": [one.as_dict() for one in shown],
        # Waited for like the others, but no reason to restart or undo a phone that says itself that it is on its port.
        "not_shown": [one.extension for one in shown if not one.shown and not one.unclear],
        **endpoints,
    }


def set_nat(config: Config, wanted: Wanted, *, check_mode: bool = False) -> dict[str, Any]:
    """One login, one write, one apply. JSON-able, no secrets."""
    with open_pbx(config) as pbx:
        return open_nat_options(config).set(pbx, wanted, check_mode=check_mode).as_dict()
