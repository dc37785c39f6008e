"""A real MariaDB and a real PostgreSQL on 127.0.0.1, from Debian packages that are extracted and never installed.

    server = MariaDb(mariadb_tree(), Path(tempfile.mkdtemp(prefix="evenport-db-")))
    server.start()
    server.sql("CREATE DATABASE asterisk")
    server.stop()

A tree for each (built once, 5-10 s; 60 and 100 MB), beside the lab's own in its cache. A new server is initialised on its first start.
"""

from __future__ import annotations

import os
import pwd
import shlex
import shutil
import signal
import socket
import subprocess
from pathlib import Path

from tests.lab import processes
from tests.lab.tree import LabUnavailable, cache, command, extracted, library, loader, require

SUITE = "forky"                                                 # as the lab's: MariaDB 11.8, and PostgreSQL 18 without the 120 MB of LLVM
MARIADB = ("mariadb-server-core", "mariadb-client-core")
POSTGRESQL = ("postgresql-18", "postgresql-client-18")
RECIPE = 1                                                      # raise it when a finish function changes what a tree holds
NEEDED = {"setpriv": "util-linux", "unshare": "util-linux"}
POSTGRESQL_BIN = "usr/lib/postgresql/18/bin"
# What the packages depend on or bring and the tests never open: more than half of PostgreSQL's tree.
PROGRAMS = ("mariadb", "mariadbd")                              # of usr/bin and usr/sbin only these stay
SUPERFLUOUS = ("usr/lib/*-linux-gnu*/gconv", "usr/lib/*-linux-gnu*/perl*", "usr/lib/*-linux-gnu*/systemd", "usr/lib/*-linux-gnu*/libperl.so*",
               "usr/lib/systemd", "usr/share/doc", "usr/share/i18n", "usr/share/locale", "usr/share/man", "usr/share/perl*")
# initdb runs "postgres" by its path, which would take the machine's loader and libraries: a script of that name takes the tree's.
POSTGRES = """\
#!/bin/sh
bin=${0%/*}
exec "$bin/../../../../../{loader}" --library-path "$bin/../../../../../{library}" --argv0 "$0" "$bin/postgres.program" "$@"
"""


def mariadb_tree() -> Path:
    """The extracted MariaDB, built now if it isn't there yet. Raises LabUnavailable."""
    require(NEEDED)
    return extracted(cache(), SUITE, MARIADB, RECIPE, _slim)


def postgresql_tree() -> Path:
    """The extracted PostgreSQL, built now if it isn't there yet. Raises LabUnavailable, also where it couldn't be run."""
    require(NEEDED)
    trial = subprocess.run([*_not_as_root(), "true"], capture_output=True, text=True, timeout=30, check=False)
    if trial.returncode:
        raise LabUnavailable(f"PostgreSQL doesn't run as root, and this machine doesn't let root pass for another user: {trial.stderr.strip()}. "
                             "Run the tests as an ordinary user; in a container, allow unshare.")
    return extracted(cache(), SUITE, POSTGRESQL, RECIPE, _finish_postgresql)


def operating_user() -> str:
    """The name of the user that runs the tests, as the server reads it (the environment may say another one)."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:                                            # a container's number without a name: no server could know it
        return "root"


class Server:
    """What both have. ``home``: data/ (the database), bin/ (the client by its usual names, for a PATH), log, the socket.

    The server ends with the thread that started it, however that ends; what it leaves then is its home.
    """

    user, password = "evenport", "database-secret"              # may do everything; the password is for TCP
    names: tuple[str, ...] = ()                                 # of the client program
    program = ""                                                # the client's path in the tree
    ask_to_end = signal.SIGTERM

    def __init__(self, tree: Path, home: Path) -> None:
        self.tree, self.home = tree, home.resolve()
        if len(str(self.home)) > 80:                            # a unix socket's path ends at 107 bytes
            raise LabUnavailable(f"{self.home} is too long a path for a database's socket; choose a shorter one.")
        self.host, self.port = "127.0.0.1", _free()
        self.data, self.bin, self.log = (self.home / name for name in ("data", "bin", "log"))
        self.socket = self.home
        self.client = command(tree, self.program)               # the argument list that runs the client program
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait until it answers (0.1-0.3 s, the first time 0.5-1.2 s). A database of an earlier start is still there."""
        if not self.data.exists():
            self._scripts()
            self._initialise()
        process = self._process = processes.launch(self._server(), self.log)
        processes.until(lambda: process.poll() is not None or self._answers(), 30)
        if process.poll() is not None or not self._answers():
            self.stop()
            raise RuntimeError(f"{type(self).__name__} did not start:\n{_last_lines(self.log)}")

    def stop(self) -> None:
        """Ends every connection. Waits for the server's end."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(self.ask_to_end)
            processes.until(lambda: process.poll() is not None, 10)
            processes.end(process)

    def remove(self) -> None:
        """Stop and delete everything."""
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    def sql(self, text: str, database: str = "") -> str:
        """What the server's own client prints for *text*: a line for each row, tabs between the columns. RuntimeError, with what it said, when it fails."""
        done = self._ask(text, database)
        if done.returncode:
            raise RuntimeError(f"{self.names[0]} ended with {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def environment(self) -> dict[str, str]:
        """The variables that tell the client program where this server is; the scripts in bin/ set them where they are not set."""
        raise NotImplementedError

    def _server(self) -> list[str]:
        raise NotImplementedError

    def _initialise(self) -> None:
        raise NotImplementedError

    def _ask(self, text: str, database: str) -> subprocess.CompletedProcess[str]:
        raise NotImplementedError

    def _answers(self) -> bool:
        return self._ask("SELECT 1;", "").stdout.strip() == "1"

    def _scripts(self) -> None:
        self.bin.mkdir(parents=True, exist_ok=True)
        where = "".join(f': "${{{name}:={value}}}"; export {name}\n' for name, value in self.environment().items())
        for name in self.names:
            script = self.bin / name
            script.write_text(f'#!/bin/sh\n{where}exec {shlex.join(self.client)} "$@"\n', "utf-8")
            script.chmod(0o755)


class MariaDb(Server):
    """``socket`` is the socket's path. Through it, the user of the operating system that runs the tests may do everything
    without a password (unix_socket, as root on Debian)."""

    names, program = ("mariadb", "mysql"), "usr/bin/mariadb"

    def __init__(self, tree: Path, home: Path) -> None:
        super().__init__(tree, home)
        self.socket = self.home / "mysqld.sock"

    def environment(self) -> dict[str, str]:
        return {"MYSQL_UNIX_PORT": str(self.socket), "MYSQL_TCP_PORT": str(self.port)}

    def _server(self) -> list[str]:
        return [*_until_parent_ends("KILL"), *self._mariadbd(f"--socket={self.socket}", "--bind-address=127.0.0.1", f"--port={self.port}",
                                                             f"--pid-file={self.home / 'pid'}")]

    def _mariadbd(self, *more: str) -> list[str]:
        # Durable it needn't be, and small: by itself MariaDB begins with 140 MB of files.
        return command(self.tree, "usr/sbin/mariadbd", "--no-defaults", f"--datadir={self.data}", f"--basedir={self.tree / 'usr'}",
                       f"--lc-messages-dir={self._share()}", f"--character-sets-dir={self._share() / 'charsets'}", f"--tmpdir={self.home}",
                       "--innodb-flush-log-at-trx-commit=0", "--innodb-undo-tablespaces=0", "--innodb-log-file-size=8M",
                       "--innodb-data-file-path=ibdata1:5M:autoextend", "--innodb-autoextend-increment=1", "--innodb-buffer-pool-size=32M",
                       "--skip-innodb-use-native-aio",          # containers often forbid it
                       *(["--user=root"] if os.geteuid() == 0 else []), *more)

    def _share(self) -> Path:
        return self.tree / "usr/share/mariadb"

    def _initialise(self) -> None:
        """What mariadb-install-db does, which would look for its programs on the machine."""
        self.data.mkdir(parents=True)
        system_user, user, password = (_quoted(word) for word in (operating_user(), self.user, self.password))
        text = ["CREATE DATABASE mysql;", "USE mysql;", f"SET @auth_root_socket = {system_user}, @skip_auth_anonymous = 1;"]
        for name in ("mariadb_system_tables", "mariadb_performance_tables", "mariadb_system_tables_data", "maria_add_gis_sp_bootstrap"):
            text.append((self._share() / f"{name}.sql").read_text("utf-8"))
        text += ["FLUSH PRIVILEGES;", f"CREATE USER {user} IDENTIFIED BY {password};", f"GRANT ALL ON *.* TO {user} WITH GRANT OPTION;", ""]
        _initialised(self._mariadbd("--bootstrap", "--skip-networking"), self.data, "\n".join(text))

    def _ask(self, text: str, database: str) -> subprocess.CompletedProcess[str]:
        words = ["--no-defaults", "--batch", "--skip-column-names", "--default-character-set=utf8mb4", f"--socket={self.socket}",
                 f"--user={self.user}", f"--database={database}"]
        return _run([*self.client, *words], text, MYSQL_PWD=self.password)


class PostgreSql(Server):
    """``socket`` is the socket's directory; every user is trusted through it."""

    names, program, ask_to_end = ("psql",), f"{POSTGRESQL_BIN}/psql", signal.SIGINT     # SIGTERM would wait for clients

    def environment(self) -> dict[str, str]:
        return {"PGHOST": str(self.socket), "PGPORT": str(self.port)}

    def _server(self) -> list[str]:
        options = {"listen_addresses": self.host, "port": self.port, "unix_socket_directories": self.socket, "fsync": "off", "full_page_writes": "off",
                   "synchronous_commit": "off", "shared_buffers": "32MB"}
        words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        # The innermost, because a change of user takes it away again; SIGQUIT because the server then ends its own processes.
        return [*self._environment(), *_not_as_root(), *_until_parent_ends("QUIT"), str(self.tree / POSTGRESQL_BIN / "postgres"), "-D", str(self.data), *words]

    def _initialise(self) -> None:
        secret = self.home / "password"
        secret.write_text(self.password, "utf-8")
        initdb = command(self.tree, f"{POSTGRESQL_BIN}/initdb", "-D", self.data, "--no-sync", "--username", self.user, "--pwfile", secret,
                         "--auth-local=trust", "--auth-host=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--wal-segsize=1")
        try:
            _initialised([*self._environment(), *_not_as_root(), *initdb], self.data)
        finally:
            secret.unlink()

    def _environment(self) -> list[str]:
        """The tree's C.UTF-8, and the one time zone that needs no file: Debian's PostgreSQL reads the machine's zoneinfo, where there is one."""
        return ["env", "TZ=GMT", f"LOCPATH={self.tree / 'usr/lib/locale'}"]

    def _ask(self, text: str, database: str) -> subprocess.CompletedProcess[str]:
        words = ["-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-h", str(self.socket), "-p", str(self.port), "-U", self.user]
        return _run([*self.client, *words, "-d", database or "postgres"], text)


def _not_as_root() -> list[str]:
    """PostgreSQL's programs refuse to run as root.

    So root runs them in a user namespace where it is called 1000: no other user has to exist or be able to read the checkout,
    and the files stay root's. An ordinary user needs nothing.
    """
    return ["unshare", "--user", "--map-user=1000", "--map-group=1000"] if os.geteuid() == 0 else []


def _until_parent_ends(signal_name: str) -> list[str]:
    """The server must not outlive a test run that was killed."""
    return ["setpriv", "--pdeathsig", signal_name]


def _initialised(words: list[str], data: Path, text: str = "") -> None:
    try:
        done = _run(words, text)
        if done.returncode:
            raise RuntimeError(f"The database could not be initialised:\n{done.stderr[-2000:]}")
    except BaseException:
        shutil.rmtree(data, ignore_errors=True)                 # the next start shall not take it for a whole one
        raise


def _run(words: list[str], text: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, input=text, capture_output=True, text=True, encoding="utf-8", errors="replace", timeout=60, check=False,
                          env={**os.environ, **environment})


def _quoted(word: str) -> str:
    return "'" + word.replace("\\", "\\\\").replace("'", "''") + "'"


def _last_lines(log: Path) -> str:
    return "\n".join(log.read_text("utf-8", "replace").splitlines()[-10:])


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _slim(root: Path) -> None:
    for path in (*root.glob("usr/bin/*"), *root.glob("usr/sbin/*")):
        if path.name not in PROGRAMS:
            path.unlink()
    for pattern in SUPERFLUOUS:
        for path in root.glob(pattern):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()


def _finish_postgresql(root: Path) -> None:
    _slim(root)
    script = root / POSTGRESQL_BIN / "postgres"
    script.rename(script.with_name("postgres.program"))
    script.write_text(POSTGRES.replace("{loader}", str(loader(root).relative_to(root))).replace("{library}", str(library(root).relative_to(root))), "utf-8")
    script.chmod(0o755)
