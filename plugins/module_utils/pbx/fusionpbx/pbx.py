# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""FusionPBX, which runs FreeSWITCH: extensions from its database, registrations and what is in use from FreeSWITCH.

FreeSWITCH detects NAT by itself (apply-nat-acl and others of the SIP profile) and then sends to the packet's source, whatever an extension's
sip_force_contact says. So an extension without it is "not told" (None) and no fault. ``user_data`` shows what FreeSWITCH is given for an
extension, by way of FusionPBX's cache: what counts when the phone registers the next time [H: mod_commands.c, directory.lua].
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from ansible_collections.evenport.sip.plugins.module_utils.http.answer import printable
from ansible_collections.evenport.sip.plugins.module_utils.model import Extension, Registration
from ansible_collections.evenport.sip.plugins.module_utils.pbx.access import Config
from ansible_collections.evenport.sip.plugins.module_utils.pbx.contract import Pbx
from ansible_collections.evenport.sip.plugins.module_utils.pbx.fusionpbx.cli import FsCli
from ansible_collections.evenport.sip.plugins.module_utils.pbx.fusionpbx.directory import Directory, Row, forces
from ansible_collections.evenport.sip.plugins.module_utils.pbx.fusionpbx.event_socket import EventSocket
from ansible_collections.evenport.sip.plugins.module_utils.pbx.fusionpbx.status import profile_names, registrations_from
from ansible_collections.evenport.sip.plugins.module_utils.pbx.fusionpbx.switch import Switch, is_word, word
from ansible_collections.evenport.sip.plugins.module_utils.pbx.shell import Shell
from ansible_collections.evenport.sip.plugins.module_utils.pbx.sql import Database


class FusionPbx(Pbx):
    """One domain of it. Logs in to FreeSWITCH on construction: once, whatever comes."""

    def __init__(self, config: Config) -> None:
        self.domain = word(config.domain, "domain")
        self.profiles = [word(name, "SIP profile") for name in config.profiles]
        shell = Shell(config.shell)
        self.directory = Directory(Database(config.database, shell), self.domain)
        self.switch: Switch = FsCli(shell) if config.read_by == "cli" else EventSocket(config.access)

    def __str__(self) -> str:
        return f"FusionPBX ({self.domain})"

    def version(self) -> str:
        return printable(self.switch.api("version"), 100)

    def endpoints(self) -> list[str]:
        return list(self.directory.rows())

    def extensions(self, names: Iterable[str]) -> list[Extension]:
        names = list(names)
        rows = self.directory.rows(names) if names else {}
        here = [rows[name] for name in names if name in rows]
        # FreeSWITCH is given nothing for an extension that is switched off.
        asked = [row.extension for row in here if row.enabled and is_word(row.extension)]
        answers = self.switch.values([f"user_data {name}@{self.domain} var sip-force-contact" for name in asked])
        used = {name: answers[place] for place, name in enumerate(asked)}
        return [Extension(row.extension, rewrite_contact=_rewrites(row, used.get(row.extension))) for row in here]

    def registrations(self, known: Iterable[Extension] | None = None) -> list[Registration]:
        del known                               # a registration says itself how its contact came to be
        found = []
        for profile in self.profiles or profile_names(self.switch.api("sofia xmlstatus")):
            answer = self.switch.api(f"sofia xmlstatus profile '{word(profile, 'SIP profile')}' reg")
            found += registrations_from(answer, profile, self.domain, int(time.time()))
        return found

    def close(self) -> None:
        self.switch.close()


def _rewrites(row: Row, used: str | None) -> bool | None:
    """*used*: the sip_force_contact that FreeSWITCH is given; None: it was not asked.

    False only where it is written and not in use, because the cache still holds the old one.
    """
    if used is None:
        return True if forces(row.force) else None
    if forces(used):
        return True
    return False if forces(row.force) else None
