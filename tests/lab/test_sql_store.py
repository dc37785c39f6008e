# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing settings into a database, as all such PBXs have it done: on a real MariaDB, with and without transactions, and a real PostgreSQL."""

from __future__ import annotations

import os
import subprocess
import time
import uuid

import pytest

from ansible_collections.evenport.sip.plugins.module_utils.errors import AuthFailed, BadAnswer, DeviceError, PermissionMissing, SessionLost, Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.pbx.access import DatabaseAccess
from ansible_collections.evenport.sip.plugins.module_utils.pbx.shell import Shell
from ansible_collections.evenport.sip.plugins.module_utils.pbx.sql import Database
from ansible_collections.evenport.sip.plugins.module_utils.pbx.sql_store import SqlStore

TABLES = ["InnoDB", "MyISAM", "Aria", "postgresql"]
WITH_TRANSACTIONS = ["InnoDB", "postgresql"]
BEFORE = [("101", "no", None), ("102", "", "x"), ("103", None, "x")]
CHANGES = {
    "101": ({"a": "no", "b": None}, {"a": "yes", "b": "y"}),
    "102": ({"a": ""}, {"a": None}),
    "103": ({"a": None}, {"a": "yes"}),
}
AFTER = [("101", "yes", "y"), ("102", None, "x"), ("103", "yes", "x")]
BACK = {name: (after, before) for name, (before, after) in CHANGES.items()}
# Instead of the client: {do} decides what becomes of the script in $text; how often it was run is in the file "asked".
CLIENT = """#!/bin/sh
text=$(cat)
echo >> {folder}/asked
lost() {{ echo "ERROR 2013 (HY000): Lost connection to server during query" >&2; exit 1; }}
real() {{ printf '%s\\n' "$text" | {real} "$@"; }}
{do}
real "$@"
"""


class Settings(SqlStore):
    """A table that has a row for each extension."""

    table = "t"

    def read(self, names):
        return self.current(names)

    def current(self, names):
        return {name: {"a": a, "b": b} for name, a, b in self.database.select(["id", "a", "b"], f"FROM t WHERE id IN {self.database.values(names)}")}

    def statements(self, name, before, after):
        return [one for column, new in after.items() for one in self.database.exactly_one(
            f"UPDATE t SET {column} = {self.database.value(new)} WHERE id = {self.database.value(name)} AND {self.database.same(column, before[column])}")]

    def wanted(self, options, now):
        return {}

    def expected(self, options):
        return {}

    def apply(self, extensions):
        pass


class Lab:

    def __init__(self, server, engine, folder):
        self.server, self.folder, self.name = server, folder, f"w{uuid.uuid4().hex[:12]}"
        self.transactions, self.engine = engine in WITH_TRANSACTIONS, "postgresql" if engine == "postgresql" else "mysql"
        server.sql(f"CREATE DATABASE {self.name};")
        self.sql(f"CREATE TABLE t (id VARCHAR(20), a VARCHAR(20), b VARCHAR(20)) {'' if engine == 'postgresql' else f'ENGINE={engine}'};"
                 "INSERT INTO t VALUES ('101', 'no', NULL), ('102', '', 'x'), ('103', NULL, 'x');")

    def sql(self, text):
        return self.server.sql(text, self.name)

    def store(self, timeout=30, **more):
        access = {"host": self.server.host, "port": self.server.port, "username": self.server.user, "password": self.server.password, **more}
        return Settings(Database(DatabaseAccess(self.engine, self.name, **access), Shell(timeout=timeout)))

    def rows(self):
        return self.store().database.select(["id", "a", "b"], "FROM t ORDER BY id")

    def client(self, do):
        program = self.folder / self.server.names[-1]
        program.write_text(CLIENT.format(folder=self.folder, real=self.server.bin / program.name, do=do.format(folder=self.folder)))
        program.chmod(0o755)

    def asked(self):
        return len((self.folder / "asked").read_text())

    def plain(self):
        (self.folder / self.server.names[-1]).unlink()


@pytest.fixture(params=TABLES)
def lab(request, tmp_path, monkeypatch):
    made = Lab(request.getfixturevalue("postgresql" if request.param == "postgresql" else "mariadb"), request.param, tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}:{made.server.bin}:{os.environ['PATH']}")
    yield made
    made.server.sql(f"DROP DATABASE {made.name};")


def test_there_and_back(lab):
    lab.store().write(CHANGES)
    assert lab.rows() == AFTER
    lab.store().write(BACK)
    assert lab.rows() == BEFORE


@pytest.mark.parametrize(("theirs", "name"), [
    ("UPDATE t SET b = 'theirs' WHERE id = '101'", "101"), ("UPDATE t SET a = NULL WHERE id = '101'", "101"), ("UPDATE t SET a = '' WHERE id = '103'", "103"),
    ("DELETE FROM t WHERE id = '102'", "102"), ("DELETE FROM t WHERE id = '103'", "103"),
])
def test_somebody_elses_change_stays_and_nothing_of_ours(lab, theirs, name):
    lab.sql(f"{theirs};")
    there = lab.rows()
    with pytest.raises(DeviceError, match=f"Somebody else changed the NAT settings of extension {name} at the same moment.*Nothing of ours is written") as told:
        lab.store().write(CHANGES)
    first = theirs.startswith("UPDATE t SET a") and name == "101"           # the first statement of all failed
    assert lab.rows() == there and told.value.wrote is not (lab.transactions or first)


@pytest.mark.parametrize("lab", WITH_TRANSACTIONS, indirect=True)      # without, rows are changed before they are counted: current() refuses doubles
def test_two_rows_are_not_one(lab):
    lab.sql("INSERT INTO t VALUES ('103', NULL, 'x');")
    there = lab.rows()
    with pytest.raises(DeviceError, match="refused a statement.*The settings are as they were") as told:
        lab.store().write(CHANGES)
    assert lab.rows() == there and not told.value.wrote


def test_somebody_else_wrote_the_same(lab):
    lab.sql("UPDATE t SET a = 'yes' WHERE id = '103';")
    if lab.transactions:
        with pytest.raises(DeviceError, match=r"Extension 103 has the new values already\.") as told:
            lab.store().write(CHANGES)
        assert told.value.wrote and lab.rows() == [*BEFORE[:2], ("103", "yes", "x")]
    else:                                                                   # all of it is there then
        lab.store().write(CHANGES)
        assert lab.rows() == AFTER


def test_only_the_answer_is_lost(lab):
    lab.client('case $text in *COMMIT*) real "$@"; lost;; esac')
    lab.store().write(CHANGES)
    assert lab.asked() == 2 and lab.rows() == AFTER


def test_lost_before_the_end(lab):
    """After BEGIN and the first statement, with what counts its rows; what comes next gets through."""
    lab.client('[ $(wc -l < {folder}/asked) -gt 1 ] || {{ text=$(printf "%s\\n" "$text" | head -n 3); real "$@"; lost; }}')
    with pytest.raises(SessionLost, match="The settings are as they were") as told:
        lab.store().write(CHANGES)
    assert lab.rows() == BEFORE and told.value.wrote is not lab.transactions


def test_nobody_can_tell(lab):
    lab.client("lost")
    with pytest.raises(SessionLost, match=r"Whether the NAT settings of extension 101, 102, 103 were written is not known: run again\.") as told:
        lab.store().write(CHANGES)
    lab.plain()
    assert told.value.wrote and lab.rows() == BEFORE


@pytest.mark.parametrize("lab", [one for one in TABLES if one not in WITH_TRANSACTIONS], indirect=True)    # with them there is nothing to take back
def test_what_cannot_be_taken_back_is_named(lab):
    lab.sql("UPDATE t SET a = 'theirs' WHERE id = '102';")
    lab.client("[ $(wc -l < {folder}/asked) -lt 4 ] || lost")
    with pytest.raises(DeviceError, match=r"Taking back what had been written failed too .*: check extension 101\.$") as told:
        lab.store().write(CHANGES)
    assert told.value.wrote and lab.asked() == 4


def test_time_over(lab):
    """Another session holds the row (or table) for longer than we have time."""
    keep = "LOCK TABLES t WRITE; SELECT SLEEP(3);" if lab.engine == "mysql" else "BEGIN; UPDATE t SET b = b; SELECT pg_sleep(3); ROLLBACK;"
    with subprocess.Popen([*lab.server.client, *_where(lab)], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
                          env={**os.environ, "MYSQL_PWD": lab.server.password, "PGPASSWORD": lab.server.password}) as other:
        other.stdin.write(keep)
        other.stdin.close()
        time.sleep(0.5)
        with pytest.raises(BadAnswer, match="did not end within 1 s") as told:
            lab.store(timeout=1).write(CHANGES)
        other.wait(20)
    # A locked MySQL table can't be read either; in PostgreSQL it is seen that nothing was written.
    assert told.value.wrote is (lab.engine == "mysql") and ("is not known" in str(told.value)) is told.value.wrote
    if lab.transactions:
        assert lab.rows() == BEFORE


def _where(lab):
    if lab.engine == "mysql":
        return ["-h", lab.server.host, f"--port={lab.server.port}", f"--user={lab.server.user}", lab.name]
    return ["-q", "-h", str(lab.server.socket), "-p", str(lab.server.port), "-U", lab.server.user, "-d", lab.name]


def test_a_wrong_password_is_tried_once(lab):
    lab.client(":")
    with pytest.raises(AuthFailed) as told:
        lab.store(password="not-that").write(CHANGES)
    assert lab.asked() == 1 and not told.value.wrote and lab.rows() == BEFORE


def test_no_client(lab):
    lab.client("exit 127")
    with pytest.raises(Unsupported) as told:
        lab.store().write(CHANGES)
    assert lab.asked() == 1 and not told.value.wrote


@pytest.mark.parametrize("column", ["", "(a)"])
def test_a_user_who_may_not(lab, column):
    """Nothing of the table, or only one column, so that what came before was allowed: a table without transactions has that then."""
    user = f"u{uuid.uuid4().hex[:8]}"
    grants = f"SELECT{f', UPDATE {column}' if column else ''} ON"
    if lab.engine == "mysql":
        lab.sql(f"CREATE USER {user}@localhost IDENTIFIED BY 'pw'; GRANT {grants} {lab.name}.t TO {user}@localhost;")
    else:
        lab.sql(f"CREATE USER {user} PASSWORD 'pw'; GRANT {grants} t TO {user};")
    lab.client(":")
    with pytest.raises(PermissionMissing, match=f"{user} has no right to it") as told:
        lab.store(username=user, password="pw").write(CHANGES)
    assert lab.asked() == 1
    mysql = lab.engine == "mysql"
    assert told.value.wrote is mysql and ("extension 101, 102, 103 were written is not known" in str(told.value)) is mysql
    assert lab.rows() == BEFORE or (column and not lab.transactions)
    lab.sql(f"DROP USER {user}@localhost;" if mysql else f"DROP OWNED BY {user}; DROP USER {user};")
