# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A PBX's database, asked through the command-line client that every such PBX has: nothing is to be installed on it.

Values travel as hex both ways, so that there is nothing to quote and nothing to unescape, whatever an extension is called, whichever
the server and its settings. The password goes by standard input, never by an argument.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ansible_collections.evenport.sip.plugins.module_utils.errors import AuthFailed, BadAnswer, DeviceError, PlanError, Unreachable
from ansible_collections.evenport.sip.plugins.module_utils.pbx.access import DatabaseAccess
from ansible_collections.evenport.sip.plugins.module_utils.pbx.shell import CommandFailed, Shell

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
# The first line of standard input is the password; "read" takes it byte by byte, so that the rest is the client's.
_TAKE = 'IFS= read -r {variable} && export {variable}; exec "$@"'
_NULL = "~"                             # no hex
_REFUSED = re.compile(r"Access denied|password authentication failed|Peer authentication failed|role \".{0,64}\" does not exist", re.IGNORECASE)
_NOBODY = re.compile(r"Can't connect|could not connect|connection to server .{0,200} failed|Connection refused|No such file or directory", re.IGNORECASE)


class Database:
    """One database. Every call is one client, one connection, one transaction."""

    def __init__(self, access: DatabaseAccess, shell: Shell) -> None:
        if access.engine not in ("mysql", "postgresql"):
            raise PlanError(f"{access.engine!r} is no database that the collection speaks to.", "Give mysql or postgresql.")
        self.access, self.shell = access, shell

    def value(self, value: str | None) -> str:
        """A text as an SQL expression; NULL for None."""
        if value is None:
            return "NULL"
        if self.access.engine == "mysql":
            return f"CONVERT(UNHEX('{_hex(value)}') USING utf8)"
        return f"convert_from(decode('{_hex(value)}', 'hex'), 'UTF8')"

    def values(self, values: Sequence[str]) -> str:
        """``(a, b, c)`` for IN; it must not be empty."""
        return "(" + ", ".join(map(self.value, values)) + ")"

    def name(self, name: str) -> str:
        """A table's or column's name, checked.  :raises PlanError: none"""
        if not NAME.fullmatch(name):
            raise PlanError(f"{name!r} can't be the name of a table or column.", "Letters, digits and _ are possible.")
        return f"`{name}`" if self.access.engine == "mysql" else f'"{name}"'

    def select(self, columns: Sequence[str], rest: str) -> list[tuple[str | None, ...]]:
        """Rows of texts. *columns*: names or expressions. *rest*: from FROM on, of names and :meth:`value` only."""
        if self.access.engine == "mysql":
            fields = [f"COALESCE(HEX(CONVERT({column} USING utf8)), '{_NULL}')" for column in columns]
            joined = f"CONCAT_WS('|', {', '.join(fields)})"
        else:
            fields = [f"COALESCE(encode(convert_to(({column})::text, 'UTF8'), 'hex'), '{_NULL}')" for column in columns]
            joined = f"concat_ws('|', {', '.join(fields)})"
        return [self._row(line, len(columns)) for line in self._run([f"SELECT {joined} {rest}"]).splitlines() if line]

    def change(self, statements: Sequence[str]) -> None:
        """All of them or none. (A MySQL table without transactions, MyISAM, keeps what came before a failure.)"""
        self._run(["BEGIN", *statements, "COMMIT"])

    def _row(self, line: str, columns: int) -> tuple[str | None, ...]:
        fields = line.strip().split("|")
        try:
            if len(fields) == columns:
                return tuple(None if field == _NULL else bytes.fromhex(field).decode("utf-8", "surrogateescape") for field in fields)
        except ValueError:
            pass
        raise BadAnswer(f"{self.access} answered something that was not asked for.", "Does the client print anything of its own? Try it by hand.")

    def _run(self, statements: Sequence[str]) -> str:
        access = self.access
        script = "".join(f"{statement};\n" for statement in statements)
        if access.password:
            variable = "MYSQL_PWD" if access.engine == "mysql" else "PGPASSWORD"
            argv, script = ["sh", "-c", _TAKE.format(variable=variable), "sh", *self._client()], f"{access.password}\n{script}"
        else:
            argv = self._client()
        if access.run_as:
            argv = ["runuser", "-u", access.run_as, "--", *argv]
        try:
            return self.shell.run(*argv, stdin=script)
        except CommandFailed as error:
            raise self._failed(error) from None

    def _client(self) -> list[str]:
        access = self.access
        if access.engine == "mysql":
            where = [("--host", access.host), ("--port", str(access.port or "")), ("--socket", access.socket), ("--user", access.username)]
            argv = ["mysql", "--batch", "--skip-column-names", "--default-character-set=utf8", "--connect-timeout=10"]
            return [*argv, *(f"{option}={value}" for option, value in where if value), access.name]
        where = [("--host", access.host or access.socket), ("--port", str(access.port or "")), ("--username", access.username)]
        argv = ["psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--no-password", "--set=ON_ERROR_STOP=1"]
        return [*argv, *(f"{option}={value}" for option, value in where if value), access.name]

    def _failed(self, error: CommandFailed) -> DeviceError:
        """Of what the client said only the kind is told on: it may repeat the statement."""
        if _REFUSED.search(error.said):
            return AuthFailed(f"{self.access} refuses the user {self.access.username or 'that its client runs as'}.",
                              "Check the user and password of sip_pbx_database; it is not tried again in this run.")
        if _NOBODY.search(error.said):
            return Unreachable(f"{self.access} can't be reached.", "Check host, port and socket of sip_pbx_database, and that the server runs.")
        missing = re.search(r"(?:[Tt]able|relation|[Cc]olumn|[Dd]atabase) ['\"`]?([A-Za-z0-9_.]{1,128})['\"`]?(?: in '[^']*')? (?:doesn't|does not) exist"
                            r"|Unknown (?:column|database) '([A-Za-z0-9_.]{1,128})'", error.said)
        if missing:
            return BadAnswer(f"{self.access} has no {missing[1] or missing[2]}.", "Is this the PBX's own database, and is sip_pbx_type right?")
        return DeviceError(f"{self.access} refused a statement; nothing was changed.", "Look into the database server's log.")


def _hex(value: str) -> str:
    return value.encode("utf-8", "surrogateescape").hex()
