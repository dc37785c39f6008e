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

from ansible_collections.evenport.sip.plugins.module_utils.errors import (
    AuthFailed,
    BadAnswer,
    DeviceError,
    PermissionMissing,
    PlanError,
    SessionLost,
    Unreachable,
    Unsupported,
)
from ansible_collections.evenport.sip.plugins.module_utils.pbx.access import DatabaseAccess
from ansible_collections.evenport.sip.plugins.module_utils.pbx.shell import CommandFailed, Shell

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
# The first line of standard input is the password; "read" takes it byte by byte, so that the rest is the client's.
_TAKE = "IFS= read -r {variable} && export {variable}; "
# A password of the user's own option file would win over ours. Newer systems have the client by its second name only.
_MYSQL = 'command -v mysql >/dev/null && exec mysql "$@"; exec mariadb "$@"'
_PSQL = 'LC_ALL=C PGCONNECT_TIMEOUT=10 exec psql "$@"'
_NULL, _END = "~", "."                  # no hex
# What the clients say [measured with MariaDB 11.8 and PostgreSQL 18]. Numbers and SQLSTATEs don't depend on the server's language; only
# when PostgreSQL refuses a connection there is none.
_NUMBER = re.compile(r"^ERROR (\d{4})|(?:^|: )[^\s:]{3,20}:  ([0-9A-Z]{5}): ", re.MULTILINE)
_KINDS = {
    "refused": {"1045", "1130", "1698", "28000", "28P01"},
    "denied": {"1044", "1142", "1143", "1227", "42501"},
    "missing": {"1049", "1054", "1146", "3D000", "42P01", "42703"},
    "lost": {"1053", "1317", "1927", "2006", "2013", "57P01", "57P02"},
    "nobody": {"2002", "2003", "2005", "57P03"},
}
_TEXTS = {
    "refused": r"password authentication failed|Peer authentication failed|no pg_hba.conf entry|fe_sendauth: no password|role \".{0,64}\" does not exist",
    "missing": r"database \".{0,64}\" does not exist",
    "lost": r"server closed the connection|connection to server was lost|terminating connection|Lost connection",
    "denied by": r"FATAL: ",                # in another language: it answers, and doesn't want us
    "nobody": r"could not connect|connection to server .{0,200} failed|Can't connect|could not translate host name",
}
_MISSING = re.compile(r"(?:[Tt]able|relation|[Cc]olumn|[Dd]atabase) ['\"`]?([A-Za-z0-9_.]{1,128})['\"`]?(?: in '[^']*')? (?:doesn't|does not) exist"
                      r"|Unknown (?:column|database) '([A-Za-z0-9_.]{1,128})'")


class Database:
    """One database. Every call is one client, one connection, one transaction."""

    def __init__(self, access: DatabaseAccess, shell: Shell) -> None:
        if access.engine not in ("mysql", "postgresql"):
            raise PlanError(f"{access.engine!r} is no database that the collection speaks to.", "Give mysql or postgresql.")
        if re.search(r"[\0\r\n]", access.password) or access.name.startswith("-"):
            raise PlanError(f"The password or the name of {access} can't be one.", "Correct sip_pbx_database.")
        self.access, self.shell = access, shell

    def value(self, value: str | None) -> str:
        """A text as an SQL literal, which takes on the type and the collation of the column beside it; NULL for None.

        :raises PlanError: nothing that a database could hold
        """
        if value is None:
            return "NULL"
        try:
            octets = value.encode("utf-8")
        except UnicodeEncodeError:
            octets = b"\0"
        if 0 in octets:
            raise PlanError(f"{value!r} can't be in a database.", "Correct it: it has a character that is none.")
        if self.access.engine == "mysql":
            return f"_utf8mb4 X'{octets.hex()}'"
        return "E'" + "".join(f"\\U{ord(char):08x}" for char in value) + "'"

    def values(self, values: Sequence[str]) -> str:
        """``(a, b, c)`` for IN; it must not be empty."""
        return "(" + ", ".join(map(self.value, values)) + ")"

    def name(self, name: str) -> str:
        """A table's or column's name, checked.  :raises PlanError: none"""
        if not NAME.fullmatch(name):
            raise PlanError(f"{name!r} can't be the name of a table or column.", "Letters, digits and _ are possible.")
        return f"`{name}`" if self.access.engine == "mysql" else f'"{name}"'

    def same(self, column: str, value: str | None) -> str:
        """The condition that *column* (a name or an expression) has this value. None is a value like any other, unlike SQL's NULL."""
        return f"{column} {'<=>' if self.access.engine == 'mysql' else 'IS NOT DISTINCT FROM'} {self.value(value)}"

    def exactly_one(self, statement: str) -> list[str]:
        """An INSERT, UPDATE or DELETE, for :meth:`change`, which makes the whole transaction fail unless it changes exactly one row.

        The failure is an error of arithmetic: in MySQL a number out of range, in PostgreSQL a division by zero.
        """
        if self.access.engine == "mysql":
            return [statement, "SELECT 18446744073709551615 + (ROW_COUNT() <> 1)"]
        return [f"WITH changed AS ({statement} RETURNING 1) SELECT 1 / (count(*) = 1)::int FROM changed"]

    def select(self, columns: Sequence[str], rest: str) -> list[tuple[str | None, ...]]:
        """Rows of texts. *columns*: names or expressions. *rest*: from FROM on, of names and :meth:`value` only."""
        if self.access.engine == "mysql":
            fields = [f"COALESCE(HEX(CONVERT({column} USING utf8mb4)), '{_NULL}')" for column in columns]
            joined = f"CONCAT_WS('|', {', '.join(fields)}, '{_END}')"
        else:
            fields = [f"COALESCE(encode(convert_to(({column})::text, 'UTF8'), 'hex'), '{_NULL}')" for column in columns]
            joined = f"concat_ws('|', {', '.join(fields)}, '{_END}')"
        return [self._row(line, len(columns)) for line in self._run([f"SELECT {joined} {rest}"]).splitlines() if line]

    def change(self, statements: Sequence[str]) -> None:
        """All of them or none. (A MySQL table without transactions, MyISAM, keeps what came before a failure.)"""
        self._run(["BEGIN", *statements, "COMMIT"])

    def _row(self, line: str, columns: int) -> tuple[str | None, ...]:
        *fields, end = line.strip().split("|")
        try:
            if (len(fields), end) == (columns, _END):
                return tuple(None if field == _NULL else bytes.fromhex(field).decode("utf-8") for field in fields)
        except ValueError:
            pass
        raise BadAnswer(f"{self.access} answered something that was not asked for.", "Does the client print anything of its own? Try it by hand.")

    def _run(self, statements: Sequence[str]) -> str:
        access = self.access
        script, program = "".join(f"{statement};\n" for statement in statements), _MYSQL if access.engine == "mysql" else _PSQL
        if access.password:
            variable = "MYSQL_PWD" if access.engine == "mysql" else "PGPASSWORD"
            program, script = _TAKE.format(variable=variable) + program, f"{access.password}\n{script}"
        if access.engine == "mysql" and (access.username or access.password):
            program = f"HOME=/nonexistent; {program}"
        argv = ["sh", "-c", program, "sh", *self._options()]
        if access.run_as:
            argv = ["runuser", "-u", access.run_as, "--", *argv]
        try:
            return self.shell.run(*argv, stdin=script)
        except CommandFailed as error:
            raise self._failed(error) from None
        except Unsupported as error:
            raise Unsupported(f"{access} can't be asked: there is no client for it on {self.shell} ({'mysql' if access.engine == 'mysql' else 'psql'}).",
                              "Run on the PBX (delegate_to), install that client there, or check sip_pbx_shell and sip_pbx_database.") from error

    def _options(self) -> list[str]:
        access = self.access
        if access.engine == "mysql":
            where = [("--host", access.host), ("--port", str(access.port or "")), ("--socket", access.socket), ("--user", access.username)]
            options = ["--batch", "--skip-column-names", "--default-character-set=utf8mb4", "--connect-timeout=10"]
        else:
            where = [("--host", access.host or access.socket), ("--port", str(access.port or "")), ("--username", access.username)]
            options = ["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--no-password", "--set=ON_ERROR_STOP=1", "--set=VERBOSITY=verbose"]
        return [*options, *(f"{option}={value}" for option, value in where if value), access.name]

    def _failed(self, error: CommandFailed) -> DeviceError:
        """Of what the client said only the kind is told on: it may repeat the statement."""
        access, kind = self.access, _kind(error.said)
        if kind == "refused":
            refused = AuthFailed(f"{access} refuses the user {access.username or 'that its client runs as'}.",
                                 "Check the user and password of sip_pbx_database; it is not tried again in this run.")
            refused.interface = "database"
            return refused
        if kind == "denied":
            return PermissionMissing(f"{access} refused a statement: the user {access.username or 'that its client runs as'} has no right to it.",
                                     "Grant it SELECT, INSERT, UPDATE and DELETE on the PBX's tables, or use the PBX's own user.")
        if kind == "missing":
            found = _MISSING.search(error.said)
            what = f"no {found[1] or found[2]}" if found else "not the tables or columns that were expected"
            return BadAnswer(f"{access} has {what}.", "Is this the PBX's own database, and is sip_pbx_type right?")
        if kind == "lost":
            return SessionLost(f"{access} ended the connection in the middle of a statement.", "Look into the database server's log, then run again.")
        if kind == "denied by":
            return DeviceError(f"{access} answers but lets nobody in.", "Check the user, password and name of sip_pbx_database; the server's log says why.")
        if kind == "nobody":
            return Unreachable(f"{access} can't be reached.", "Check host, port and socket of sip_pbx_database, and that the server runs.")
        return DeviceError(f"{access} refused a statement.", "Look into the database server's log.")


def _kind(said: str) -> str:
    found = _NUMBER.search(said)
    number = (found[1] or found[2]) if found else ""
    by_number = next((kind for kind, numbers in _KINDS.items() if number in numbers), "")
    return by_number or next((kind for kind, text in _TEXTS.items() if re.search(text, said)), "")
