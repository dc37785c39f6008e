"""The databases of the lab: real servers that answer, refuse, forget what was rolled back, and end with the tests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path

import pytest

from tests.lab.databases import MariaDb, operating_user
from tests.lab.processes import until

# A server in a program of its own, which is then killed.
STARTER = """
import sys
from pathlib import Path
from tests.lab import databases
server = getattr(databases, sys.argv[1])(Path(sys.argv[2]), Path(sys.argv[3]))
server.start()
print(server._process.pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture(params=["mariadb", "postgresql"])
def server(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def database(server):
    name = f"t{uuid.uuid4().hex[:12]}"
    server.sql(f"CREATE DATABASE {name};")
    yield name
    server.sql(f"DROP DATABASE {name};")


def client(server, *words, **environment):
    """The client program by its name, found through PATH, with nothing else in its environment."""
    environment = {"PATH": f"{server.bin}:/usr/bin:/bin", "LC_ALL": "C.UTF-8", **environment}
    return subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False, env=environment)


def over_tcp(server, database, password, query):
    if isinstance(server, MariaDb):
        return client(server, "mysql", "-N", "-h", server.host, "-P", str(server.port), "-u", server.user, "-e", query, database, MYSQL_PWD=password)
    return client(server, "psql", "-XAtw", "-h", server.host, "-p", str(server.port), "-U", server.user, "-d", database, "-c", query, PGPASSWORD=password)


def test_commit_and_rollback(server, database):
    engine = "ENGINE=InnoDB" if isinstance(server, MariaDb) else ""
    server.sql(f"CREATE TABLE sip (id VARCHAR(20) PRIMARY KEY, data TEXT) {engine};", database)
    server.sql("BEGIN; INSERT INTO sip VALUES ('101', 'Zoë, café'); COMMIT;", database)
    assert server.sql("BEGIN; UPDATE sip SET data = 'gone'; SELECT data FROM sip; ROLLBACK;", database) == "gone\n"
    assert server.sql("SELECT id, data FROM sip;", database) == "101\tZoë, café\n"


def test_what_the_client_refuses_is_an_error(server, database):
    with pytest.raises(RuntimeError, match="nowhere"):
        server.sql("SELECT * FROM nowhere;", database)


def test_password_over_tcp(server, database):
    right = over_tcp(server, database, server.password, "SELECT 6 * 7")
    assert (right.returncode, right.stdout) == (0, "42\n"), right.stderr
    for wrong in ("wrong", ""):
        done = over_tcp(server, database, wrong, "SELECT 6 * 7")
        assert done.returncode and not done.stdout
        assert any(text in done.stderr for text in ("Access denied for user", "password authentication failed", "no password supplied")), done.stderr


def test_account_of_localhost_over_tcp_and_socket(mariadb):
    """Debian's PBXs have 'user'@'localhost' accounts: they hold for 127.0.0.1 too."""
    user = f"u{uuid.uuid4().hex[:8]}"
    mariadb.sql(f"CREATE USER {user}@localhost IDENTIFIED BY 'pw'; GRANT SELECT ON mysql.* TO {user}@localhost;")
    for where in (["-h", "127.0.0.1"], ["-h", "localhost"], []):
        done = client(mariadb, "mysql", "-N", *where, "-u", user, "-e", "SELECT current_user()", MYSQL_PWD="pw")
        assert done.stdout == f"{user}@localhost\n", done.stderr
    mariadb.sql(f"DROP USER {user}@localhost;")


@pytest.mark.parametrize("name", ["mysql", "mariadb"])
def test_mariadb_by_name_through_the_socket_without_a_password(mariadb, name):
    assert mariadb.socket.is_socket()
    done = client(mariadb, name, "-N", "-u", operating_user(), "-e", "SELECT current_user(), @@socket")
    assert done.stdout == f"{operating_user()}@localhost\t{mariadb.socket}\n", done.stderr
    stranger = client(mariadb, name, "-u", mariadb.user, "-e", "SELECT 1")
    assert stranger.returncode and "Access denied" in stranger.stderr


def test_psql_by_name_through_the_socket_without_a_password(postgresql):
    assert (postgresql.socket / f".s.PGSQL.{postgresql.port}").is_socket()
    done = client(postgresql, "psql", "-XAt", "-U", postgresql.user, "-d", "postgres", "-c", "SELECT current_user, inet_server_addr() IS NULL, upper('é')")
    assert done.stdout == f"{postgresql.user}|t|É\n", done.stderr


def test_the_argument_list_is_the_client(server):
    done = subprocess.run([*server.client, "--version"], capture_output=True, text=True, timeout=30, check=True)
    assert "MariaDB" in done.stdout or "PostgreSQL" in done.stdout


def test_restart_keeps_the_data_and_the_place(server, database):
    server.sql("CREATE TABLE kept (n INT); INSERT INTO kept VALUES (7);", database)
    server.stop()
    assert over_tcp(server, database, server.password, "SELECT n FROM kept").returncode
    server.start()
    assert over_tcp(server, database, server.password, "SELECT n FROM kept").stdout == "7\n"


def test_a_killed_run_leaves_no_server(server):
    home = Path(tempfile.mkdtemp(prefix="evenport-db-"))
    run = subprocess.Popen([sys.executable, "-c", STARTER, type(server).__name__, server.tree, home], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    twin = type(server)(server.tree, home)                      # only to delete its files
    pid = 0
    try:
        pid = int(run.stdout.readline())
        assert Path(f"/proc/{pid}").exists()
        run.send_signal(signal.SIGKILL)
        run.wait(10)
        assert until(lambda: not alive(pid), 20)
    finally:
        run.kill()
        run.communicate(timeout=10)
        if pid and alive(pid):                                  # the test has failed
            os.kill(pid, signal.SIGKILL)
        twin.remove()


def alive(pid: int) -> bool:
    """Whether it runs: a container's first process may leave the dead one as a zombie."""
    try:
        return ") Z" not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def test_the_files_belong_to_who_runs_the_tests(server):
    assert server.data.stat().st_uid == os.geteuid()
