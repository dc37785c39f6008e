# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SQL through a client program: what is given to it, and what may come back. tests/lab has the real servers."""

from __future__ import annotations

import contextlib
import re
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.evenport.sip.plugins.module_utils.errors import (
    AuthFailed,
    BadAnswer,
    DeviceError,
    EvenportError,
    PermissionMissing,
    PlanError,
    SessionLost,
    Unreachable,
    Unsupported,
)
from ansible_collections.evenport.sip.plugins.module_utils.pbx.access import DatabaseAccess
from ansible_collections.evenport.sip.plugins.module_utils.pbx.shell import CommandFailed, Shell
from ansible_collections.evenport.sip.plugins.module_utils.pbx.sql import Database

ENGINES = ["mysql", "postgresql"]
CLIENTS = {"mysql": "mysql", "postgresql": "psql"}
PASSWORD = "pass word 'x\" $HOME"


class Client:
    """A client program that keeps what it was given and says what it is told."""

    def __init__(self, folder, engine, name=""):
        self.folder, self.name = folder, name or CLIENTS[engine]
        self.says(b"")

    def says(self, output, complaint=b"", status=0):
        (self.folder / "output").write_bytes(output)
        (self.folder / "complaint").write_bytes(complaint)
        program = self.folder / self.name
        program.write_text(f'#!/bin/sh\ncd {self.folder}\nfor word; do echo "$word"; done > arguments\necho "$MYSQL_PWD$PGPASSWORD" > password\n'
                           f'echo "$HOME" > home\ncat > input\ncat output\ncat complaint >&2\nexit {status}\n')
        program.chmod(0o755)

    def got(self, what):
        return (self.folder / what).read_text("utf-8")


@pytest.fixture(params=ENGINES)
def engine(request):
    return request.param


@pytest.fixture
def client(engine, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return Client(tmp_path, engine)


def database(engine, **more):
    access = {"host": "192.0.2.1", "port": 1234, "username": "pbx", "password": PASSWORD, **more}
    return Database(DatabaseAccess(engine, "asterisk", **access), Shell(timeout=20))


def test_the_password_is_no_argument_and_no_sql(client, engine):
    database(engine).change(["UPDATE x"])
    assert client.got("password") == PASSWORD + "\n" and client.got("input") == "BEGIN;\nUPDATE x;\nCOMMIT;\n"
    assert PASSWORD not in client.got("arguments")
    words = client.got("arguments").splitlines()
    assert words[-1] == "asterisk" and {"--host=192.0.2.1", "--port=1234"} <= set(words) and ("--user=pbx" in words or "--username=pbx" in words)
    assert PASSWORD not in repr(database(engine).access)


def test_by_itself(client, engine):
    """Nothing given: the client's own user, option file and socket count."""
    database(engine, host="", port=0, username="", password="", socket="/run/db").change(["UPDATE x"])
    assert client.got("password") == "\n" and client.got("input").startswith("BEGIN") and client.got("home") != "/nonexistent\n"
    assert ("--socket=/run/db" if engine == "mysql" else "--host=/run/db") in client.got("arguments")


def test_an_option_file_does_not_win_over_the_given_user(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    client = Client(tmp_path, "mysql")
    database("mysql").change(["UPDATE x"])
    assert client.got("home") == "/nonexistent\n"


def test_the_clients_second_name(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    client = Client(tmp_path, "mysql", "mariadb")
    database("mysql").change(["UPDATE x"])
    assert "UPDATE x" in client.got("input")


def test_no_client(tmp_path, monkeypatch, engine):
    (tmp_path / "sh").symlink_to("/bin/sh")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unsupported, match=f"no client for it on the PBX .{CLIENTS[engine]}"):
        database(engine).select(["a"], "FROM b")


@pytest.mark.parametrize("password", ["a\nDROP TABLE x;", "a\rb", "a\0b"])
def test_a_password_of_more_than_one_line(engine, password):
    with pytest.raises(PlanError):
        database(engine, password=password)


def test_no_such_engine():
    with pytest.raises(PlanError):
        Database(DatabaseAccess("sqlite", "x"), Shell())


def test_names(engine):
    quoted = "`sip`" if engine == "mysql" else '"sip"'
    assert database(engine).name("sip") == quoted
    for name in ("", "a b", 'a"', "a`b", "1a", "a;b", "ä", "a" * 64):
        with pytest.raises(PlanError):
            database(engine).name(name)


@given(st.text(max_size=30), st.sampled_from(ENGINES))
def test_a_value_is_a_literal_of_harmless_characters(text, engine):
    try:
        literal = database(engine).value(text)
    except PlanError:
        assert "\0" in text or re.search("[\ud800-\udfff]", text)
        return
    assert re.fullmatch(r"_utf8mb4 X'[0-9a-f]*'|E'(\\U[0-9a-f]{8})*'", literal)
    octets = bytes.fromhex(literal[11:-1]).decode() if engine == "mysql" else "".join(chr(int(code, 16)) for code in re.findall(r"\\U(.{8})", literal))
    assert octets == text


def test_null_and_lists(engine):
    assert database(engine).value(None) == "NULL"
    assert database(engine).values(["a", "b"]).count(",") == 1


def test_a_condition_knows_null(engine):
    sign = "<=>" if engine == "mysql" else "IS NOT DISTINCT FROM"
    assert database(engine).same("a", None) == f"a {sign} NULL"
    assert database(engine).same("COALESCE(a, '')", "x") == f"COALESCE(a, '') {sign} {database(engine).value('x')}"


def test_a_change_is_counted_right_behind_it(engine):
    text = "; ".join(database(engine).exactly_one("UPDATE t SET a = 1"))
    assert text == {"mysql": "UPDATE t SET a = 1; SELECT 18446744073709551615 + (ROW_COUNT() <> 1)",
                    "postgresql": "WITH changed AS (UPDATE t SET a = 1 RETURNING 1) SELECT 1 / (count(*) = 1)::int FROM changed"}[engine]


# -- what comes back ------------------------------------------------------------------------------------------------------------------
def test_rows(client, engine):
    client.says(b"3130 31|~|.\n||.\n".replace(b" ", b""))
    assert database(engine).select(["a", "b"], "FROM c") == [("101", None), ("", "")]
    client.says(b"|.\n")
    assert database(engine).select(["a"], "FROM c") == [("",)]             # a row of one empty text is a row
    client.says(b"")
    assert database(engine).select(["a"], "FROM c") == []


@pytest.mark.parametrize("output", [
    b"rubbish\n", b"31|31\n", b"31|.\n", b"31|31|31|.\n", b"3|31|.\n", b"31|3", b"ff|31|.\n", b"\xff\xfe|31|.\n", b"Welcome!\n31|31|.\n"])
def test_what_was_not_asked_for(client, engine, output):
    client.says(output)
    with pytest.raises(BadAnswer) as told:
        database(engine).select(["a", "b"], "FROM c")
    assert PASSWORD not in str(told.value)


@settings(max_examples=30, deadline=5000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(output=st.binary(max_size=60), complaint=st.binary(max_size=60), status=st.sampled_from([0, 1, 2, 127, 255]))
def test_anything_is_rows_or_an_error(client, engine, output, complaint, status):
    client.says(output, complaint, status)
    with contextlib.suppress(EvenportError):
        database(engine).select(["a", "b"], "FROM c")


MYSQL = [
    (AuthFailed, "ERROR 1045 (28000): Access denied for user 'x'@'localhost' (using password: YES)"),
    (AuthFailed, "ERROR 1698 (28000): Access denied for user 'root'@'localhost'"),
    (AuthFailed, "mysql: Deprecated program name.\nERROR 1045 (28000): Zugriff verweigert"),
    (BadAnswer, "ERROR 1049 (42000): Unknown database 'asterisk'"),
    (BadAnswer, "ERROR 1146 (42S02) at line 1: Table 'asterisk.sip' doesn't exist"),
    (BadAnswer, "ERROR 1054 (42S22) at line 1: Unknown column 'rewrite_contact' in 'SELECT'"),
    (PermissionMissing, "ERROR 1142 (42000) at line 2: UPDATE command denied to user 'x'@'localhost' for table `asterisk`.`sip`"),
    (Unreachable, "ERROR 2002 (HY000): Can't connect to local server through socket '/run/mysqld/mysqld.sock' (2)"),
    (Unreachable, "ERROR 2005 (HY000): Unknown server host 'pbx' (-2)"),
    (SessionLost, "ERROR 2013 (HY000) at line 2: Lost connection to server during query"),
    (SessionLost, "ERROR 1927 (70100) at line 2: Connection was killed"),
    (DeviceError, "ERROR 1690 (22003) at line 2: BIGINT UNSIGNED value is out of range in '18446744073709551615 + 1'"),
]
POSTGRESQL = [
    (AuthFailed, 'psql: error: connection to server at "127.0.0.1", port 5432 failed: FATAL:  password authentication failed for user "x"'),
    (AuthFailed, 'psql: FATAL:  Peer authentication failed for user "x"'),
    (AuthFailed, 'psql: error: connection to server on socket "/run/s" failed: FATAL:  role "x" does not exist'),
    (AuthFailed, 'psql: error: connection to server at "x" (192.0.2.1), port 5432 failed: fe_sendauth: no password supplied'),
    (AuthFailed, 'psql: error: connection to server at "x", port 5432 failed: FATAL:  no pg_hba.conf entry for host "192.0.2.1", user "x"'),
    (DeviceError, 'psql: error: connection to server at "x", port 5432 failed: FATAL:  Passwort-Authentifizierung für Benutzer »x« fehlgeschlagen'),
    (BadAnswer, 'psql: error: connection to server at "x", port 5432 failed: FATAL:  database "asterisk" does not exist'),
    (BadAnswer, 'psql:<stdin>:1: ERROR:  42P01: relation "ps_endpoints" does not exist\nLINE 1: SELECT 1\nLOCATION:  parserOpenTable, parse_relation.c:1449'),
    (BadAnswer, 'FEHLER:  42703: Spalte »x« existiert nicht'),
    (PermissionMissing, "ERROR:  42501: permission denied for table ps_endpoints"),
    (Unreachable, 'psql: error: connection to server at "127.0.0.1", port 1 failed: Connection refused\n\tIs the server running on that host?'),
    (Unreachable, 'psql: error: could not translate host name "pbx" to address: Name or service not known'),
    (Unreachable, "psql: could not connect to server: No such file or directory"),
    (SessionLost, "FATAL:  57P01: terminating connection due to administrator command\nserver closed the connection unexpectedly\n"),
    (SessionLost, "psql:<stdin>:3: server closed the connection unexpectedly\n\tThis probably means"),
    (DeviceError, "psql:<stdin>:2: ERROR:  22012: division by zero\nLOCATION:  int4div, int.c:870"),
]


@pytest.mark.parametrize(("engine", "kind", "said"), [("mysql", *row) for row in MYSQL] + [("postgresql", *row) for row in POSTGRESQL])
def test_what_the_client_complains_of(tmp_path, monkeypatch, engine, kind, said):
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    Client(tmp_path, engine).says(b"", (said + "\nstatement with secret-pw").encode(), 1)
    with pytest.raises(kind) as told:
        database(engine).select(["a"], "FROM b")
    assert told.type is kind and not isinstance(told.value, CommandFailed)
    assert "secret-pw" not in str(told.value) and PASSWORD not in str(told.value)


@pytest.mark.parametrize("said", ["connection to server " * 50_000, "\"x\" does not exist" * 50_000, "ERROR:  " * 100_000, "a" * 500_000 + ":  42P01"])
def test_a_long_complaint_takes_no_long_time(tmp_path, monkeypatch, engine, said):
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    Client(tmp_path, engine).says(b"", said.encode(), 1)
    began = time.monotonic()
    with pytest.raises(EvenportError):
        database(engine).select(["a"], "FROM b")
    assert time.monotonic() - began < 15
