"""The SQL client on a real MariaDB and a real PostgreSQL: what goes in comes out, whatever it is and however the server is set."""

from __future__ import annotations

import os
import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.evenport.sip.plugins.module_utils.errors import AuthFailed, DeviceError, PermissionMissing
from ansible_collections.evenport.sip.plugins.module_utils.pbx.access import DatabaseAccess
from ansible_collections.evenport.sip.plugins.module_utils.pbx.shell import Shell
from ansible_collections.evenport.sip.plugins.module_utils.pbx.sql import Database
from tests.lab.databases import operating_user

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)


class Lab:

    def __init__(self, server):
        self.server, self.name = server, f"s{uuid.uuid4().hex[:12]}"
        self.engine = "mysql" if "mysql" in server.names else "postgresql"
        server.sql(f"CREATE DATABASE {self.name};")

    def sql(self, text):
        return self.server.sql(text, self.name)

    def database(self, shell=None, **more):
        access = {"host": self.server.host, "port": self.server.port, "username": self.server.user, "password": self.server.password, **more}
        return Database(DatabaseAccess(self.engine, self.name, **access), shell or Shell(timeout=30))


@pytest.fixture(params=["mariadb", "postgresql"])
def lab(request, monkeypatch):
    made = Lab(request.getfixturevalue(request.param))
    monkeypatch.setenv("PATH", f"{made.server.bin}:{os.environ['PATH']}")
    yield made
    made.server.sql(f"DROP DATABASE {made.name};")


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(TEXT, st.one_of(st.none(), TEXT)), min_size=1, max_size=5))
def test_what_goes_in_comes_out(lab, rows):
    wide = "TEXT CHARACTER SET utf8mb4" if lab.engine == "mysql" else "TEXT"
    lab.sql(f"DROP TABLE IF EXISTS t; CREATE TABLE t (n INT, a {wide}, b {wide});")
    database = lab.database()
    database.change([f"INSERT INTO t VALUES ({number}, {database.value(a)}, {database.value(b)})" for number, (a, b) in enumerate(rows)])
    assert database.select(["a", "b"], "FROM t ORDER BY n") == rows
    assert database.select(["n"], f"FROM t WHERE a = {database.value(rows[0][0])} AND n = 0") == [("0",)]


def test_one_empty_text_is_a_row(lab):
    lab.sql("CREATE TABLE t (a VARCHAR(10)); INSERT INTO t VALUES (''), (NULL);")
    assert sorted(lab.database().select(["a"], "FROM t"), key=str) == [("",), (None,)]


def test_all_or_nothing(lab):
    lab.sql("CREATE TABLE t (a INT UNIQUE);")
    with pytest.raises(DeviceError, match="refused a statement"):
        lab.database().change(["INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (1)"])
    assert lab.database().select(["a"], "FROM t") == []
    lab.database().change(["INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (2)"])
    assert lab.database().select(["a"], "FROM t ORDER BY a") == [("1",), ("2",)]


ONE_ROW = ["UPDATE t SET b = 1 WHERE a = 1", "DELETE FROM t WHERE a = 1", "INSERT INTO t SELECT a + 9, b FROM t WHERE a = 1"]
OTHERS = ["UPDATE t SET b = 1 WHERE a = 7", "UPDATE t SET b = 1 WHERE a > 1", "DELETE FROM t WHERE a > 1", "INSERT INTO t SELECT 9, 0 FROM t WHERE a > 1"]


@pytest.mark.parametrize(("statement", "good"), [*((one, True) for one in ONE_ROW), *((one, False) for one in OTHERS)])
def test_exactly_one(lab, statement, good):
    lab.sql("CREATE TABLE t (a INT, b INT); INSERT INTO t VALUES (1, 0), (2, 0), (3, 0);")
    before, database = lab.sql("SELECT * FROM t ORDER BY a;"), lab.database()
    if good:
        database.change(database.exactly_one(statement))
    else:
        with pytest.raises(DeviceError, match="refused a statement"):
            database.change([*database.exactly_one(ONE_ROW[0]), *database.exactly_one(statement)])
    assert (lab.sql("SELECT * FROM t ORDER BY a;") != before) is good


@pytest.mark.parametrize("value", [None, "", "x"])
def test_null_is_a_value_like_any_other(lab, value):
    lab.sql("CREATE TABLE t (a VARCHAR(9)); INSERT INTO t VALUES (NULL), (''), ('x');")
    database = lab.database()
    assert database.select(["a"], f"FROM t WHERE {database.same('a', value)}") == [(value,)]


@pytest.mark.parametrize("collation", [
    "latin1_swedish_ci", "utf8mb3_general_ci", "utf8mb3_unicode_ci", "utf8mb4_general_ci", "utf8mb4_unicode_ci", "utf8mb4_bin",
    "utf8mb4_uca1400_ai_ci", "ascii_general_ci", "utf8mb4_nopad_bin"])
def test_every_collation(mariadb, monkeypatch, collation):
    lab = Lab(mariadb)
    monkeypatch.setenv("PATH", f"{mariadb.bin}:{os.environ['PATH']}")
    charset = collation.split("_", 1)[0]
    lab.sql(f"CREATE TABLE t (id VARCHAR(40) CHARACTER SET {charset} COLLATE {collation}, e ENUM('yes', 'no') CHARACTER SET {charset} COLLATE {collation});"
            "INSERT INTO t VALUES ('101', 'no'), ('4540r', NULL);")
    database = lab.database()
    database.change([f"UPDATE t SET e = {database.value('yes')} WHERE id = {database.value('101')} AND e <=> {database.value('no')}",
                     f"UPDATE t SET e = {database.value('no')} WHERE id IN {database.values(['4540r', 'x'])} AND e <=> {database.value(None)}"])
    assert database.select(["id", "e"], "FROM t ORDER BY id") == [("101", "yes"), ("4540r", "no")]
    mariadb.sql(f"DROP DATABASE {lab.name};")


def test_a_user_that_may_only_read(lab):
    lab.sql("CREATE TABLE t (a INT); INSERT INTO t VALUES (1);")
    user = f"u{uuid.uuid4().hex[:8]}"
    if lab.engine == "mysql":
        lab.sql(f"CREATE USER {user}@localhost IDENTIFIED BY 'pw'; GRANT SELECT ON {lab.name}.* TO {user}@localhost;")
    else:
        lab.sql(f"CREATE USER {user} PASSWORD 'pw'; GRANT SELECT ON t TO {user};")
    database = lab.database(username=user, password="pw")
    assert database.select(["a"], "FROM t") == [("1",)]
    with pytest.raises(PermissionMissing, match=f"{user} has no right to it"):
        database.change(["UPDATE t SET a = 2"])
    lab.sql(f"DROP USER {user}@localhost;" if lab.engine == "mysql" else f"DROP OWNED BY {user}; DROP USER {user};")


def test_the_given_password_counts_not_that_of_an_option_file(lab, tmp_path, monkeypatch):
    (tmp_path / ".my.cnf").write_text("[client]\nuser=nobody\npassword=from-the-file\n")
    (tmp_path / ".pgpass").write_text("*:*:*:*:from-the-file\n")
    (tmp_path / ".pgpass").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert lab.database().select(["1"], "") == [("1",)]
    with pytest.raises(AuthFailed):
        lab.database(password="wrong").select(["1"], "")


def test_through_the_socket_without_a_password(lab):
    user = operating_user() if lab.engine == "mysql" else lab.server.user
    assert lab.database(host="", port=0 if lab.engine == "mysql" else lab.server.port, password="", username=user,
                        socket=str(lab.server.socket)).select(["1"], "") == [("1",)]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_run_as_another_system_user(lab):
    user = operating_user()
    database = lab.database(run_as=user, **({} if lab.engine == "postgresql" else {"username": lab.server.user}))
    assert database.select(["1"], "") == [("1",)]
    with pytest.raises(DeviceError) as told:
        lab.database(run_as="no-such-system-user").select(["1"], "")
    assert lab.server.password not in str(told.value)
