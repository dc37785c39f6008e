# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asterisk whose PJSIP endpoints are rows of a database (realtime): read there, and set there.

The tables are those of Asterisk's own contrib/ast-db-manage [H; run on Asterisk 22 with PostgreSQL]:

* ``ps_endpoints``, a row for each extension: the NAT options under our names, yes or no; since 2024 also 0 1 off on false true. NULL
  and an empty text mean Asterisk's default. Asterisk reads the row anew whenever it needs it: there is nothing to reload, unless
  sorcery.conf puts a memory_cache in front.
* ``ps_contacts``, a row for each registration, where sorcery.conf keeps them there too. A ``;`` stands there as ``^3B``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from ansible_collections.evenport.sip.plugins.module_utils.errors import PlanError, Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.model import Extension, Registration
from ansible_collections.evenport.sip.plugins.module_utils.pbx.access import Config
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.ami import Packet
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.pjsip import registrations_from
from ansible_collections.evenport.sip.plugins.module_utils.pbx.contract import NAT_OPTIONS, Pbx
from ansible_collections.evenport.sip.plugins.module_utils.pbx.shell import Shell
from ansible_collections.evenport.sip.plugins.module_utils.pbx.sql import Database
from ansible_collections.evenport.sip.plugins.module_utils.pbx.sql_store import SqlStore
from ansible_collections.evenport.sip.plugins.module_utils.pbx.store import Settings

DEFAULTS = {"rewrite_contact": False, "force_rport": True, "rtp_symmetric": False, "direct_media": True}      # Asterisk's own, where the row says nothing
_WORDS = {**dict.fromkeys(("yes", "true", "on", "1", "y", "t"), True), **dict.fromkeys(("no", "false", "off", "0", "n", "f"), False)}


def meaning(option: str, text: str | None) -> bool | None:
    """What Asterisk makes of a column's text; None for one that isn't a boolean."""
    word = (text or "").strip().lower()
    return _WORDS.get(word) if word else DEFAULTS[option]


def decoded(text: str | None) -> str:
    """What Asterisk wrote into a column as ``^3B`` and the like -> the text itself."""
    return re.sub(r"\^([0-9A-Fa-f]{2})", lambda found: chr(int(found[1], 16)), text or "")


def open_database(config: Config) -> Database:
    """:raises PlanError: the configuration names none"""
    if config.database is None:
        raise PlanError("A PBX of the type asterisk_realtime needs sip_pbx_database.", "Set it for the PBX's host.")
    return Database(config.database, Shell(config.shell))


def endpoint_rows(database: Database, names: Sequence[str]) -> dict[str, Settings]:
    """extension -> its NAT columns as they are written, of those that have a row."""
    if not names:
        return {}
    rows = database.select(("id", *NAT_OPTIONS), f"FROM ps_endpoints WHERE id IN {database.values(names)}")
    return {row[0] or "": dict(zip(NAT_OPTIONS, row[1:])) for row in rows}       # noqa: B905 - as many; strict= is Python 3.10's


class ContactsTable(Pbx):
    """The tables, where nothing else of the PBX can be asked. What Asterisk itself thinks, a contact's status say, is not in them."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def __str__(self) -> str:
        return f"Asterisk's tables in {self.database.access}"

    def version(self) -> str:
        return ""

    def endpoints(self) -> list[str]:
        return [name for (name,) in self.database.select(("id",), "FROM ps_endpoints ORDER BY id") if name]

    def extensions(self, names: Iterable[str]) -> list[Extension]:
        asked = [str(name) for name in names]
        rows = endpoint_rows(self.database, asked)
        return [Extension(name, **{option: meaning(option, text) for option, text in rows[name].items()}) for name in asked if name in rows]

    def registrations(self, known: Iterable[Extension] | None = None) -> list[Registration]:
        """An expired row doesn't count, by the clock of the database's server."""
        now = "UNIX_TIMESTAMP()" if self.database.access.engine == "mysql" else "extract(epoch FROM now())::bigint"
        columns = ("id", "uri", "via_addr", "via_port", "user_agent", "expiration_time", "endpoint")
        rows = self.database.select(columns, f"FROM ps_contacts WHERE expiration_time > {now} ORDER BY id")
        return registrations_from(map(_contact, rows), known, self.extensions)

    def close(self) -> None:
        """Every question is a connection of its own."""


class RealtimeStore(SqlStore):
    """*asked*: a manager interface or command line shows what Asterisk uses; else the tables are all that is looked at."""

    table = "ps_endpoints"
    unproven = ("Does a file define it too? A memory_cache in sorcery.conf shows old values until they expire (object_lifetime_maximum, "
                "object_lifetime_stale): give verify_timeout that long.")

    def __init__(self, database: Database, asked: bool = True) -> None:
        super().__init__(database)
        self.asked = asked

    def read(self, names: Sequence[str]) -> dict[str, Settings]:
        """:raises Unsupported: the PBX knows one of them, but from elsewhere"""
        rows = self.current(names)
        missing = [name for name in names if name not in rows]
        if missing:
            raise Unsupported(f"ps_endpoints in {self.database.access} has no extension {', '.join(missing)}, though Asterisk knows it: a file defines it.",
                              "Set its NAT options by sip_pbx_type asterisk. Nothing was written.")
        return rows

    def wanted(self, options: Mapping[str, bool], now: Mapping[str, str | None]) -> dict[str, str]:
        return {option: "yes" if value else "no" for option, value in self.expected(options).items() if meaning(option, now.get(option)) != value}

    def expected(self, options: Mapping[str, bool]) -> dict[str, bool | None]:
        return {option: options[option] for option in NAT_OPTIONS if option in options}

    def current(self, names: Sequence[str]) -> dict[str, Settings]:
        return endpoint_rows(self.database, names)

    def statements(self, name: str, before: Settings, after: Settings) -> list[str]:
        database = self.database
        values = ", ".join(f"{database.name(column)} = {database.value(text)}" for column, text in after.items())
        row = " AND ".join([f"id = {database.value(name)}", *(database.same(database.name(column), text) for column, text in before.items())])
        return database.exactly_one(f"UPDATE ps_endpoints SET {values} WHERE {row}")

    def apply(self, extensions: Sequence[str]) -> None:
        """Asterisk reads the rows when it needs them."""

    def notes(self) -> list[str]:
        return [] if self.asked else ["Only the tables were looked at, not what Asterisk makes of them (read_by: database)."]


def _contact(row: Sequence[str | None]) -> Packet:
    key, uri, address, port, agent, expires, endpoint = map(decoded, row)
    return {"uri": uri, "viaaddr": address, "viaport": port, "useragent": agent, "expirationtime": expires, "endpoint": endpoint,
            "aor": key.rpartition(";@")[0], "callid": key}      # what has a Call-ID is no static contact
