# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PJSIP realtime: real tables in a real MariaDB and PostgreSQL, and a real Asterisk 22 that takes its endpoints from the latter."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import threading
import time
import uuid
from contextlib import contextmanager
from dataclasses import replace

import pytest

from ansible_collections.evenport.sip.plugins.module_utils.errors import (
    AuthFailed,
    BadAnswer,
    DeviceError,
    NotApplied,
    PlanError,
    SessionLost,
    Unreachable,
    Unsupported,
)
from ansible_collections.evenport.sip.plugins.module_utils.model import Registration
from ansible_collections.evenport.sip.plugins.module_utils.pbx.access import Access, Config, DatabaseAccess
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.realtime import RealtimeStore
from ansible_collections.evenport.sip.plugins.module_utils.pbx.contract import Wanted
from ansible_collections.evenport.sip.plugins.module_utils.pbx.sql import Database
from ansible_collections.evenport.sip.plugins.module_utils.pbx.work import read_pbx, set_nat
from tests.lab import realtime
from tests.lab.processes import until
from tests.lab.sip import register
from tests.unit.plugins.module_utils.pbx.pbx_contract import EXTENSIONS, ON, NatContract, ReadingContract, Rig, nothing_secret

NAT = ("rewrite_contact", "force_rport", "rtp_symmetric", "direct_media")
REFUSED = re.compile(r"Access denied for user|password authentication failed for user")


class Tables(Rig):
    """The tables alone, read by ``database``. There is nothing to apply: the calls of apply() are counted. Each question is a login of
    its own, so that only refused ones say something."""

    shows = ON

    def __init__(self, server, path, monkeypatch, words=realtime.BOOLEAN):
        self.server, self.name = server, f"r{uuid.uuid4().hex[:12]}"
        self.engine = "mysql" if "mysql" in server.names else "postgresql"
        self.secrets = (server.password, *(f"pw{name}" for name in EXTENSIONS))
        monkeypatch.setenv("PATH", f"{path}:{server.bin}:{os.environ['PATH']}")
        realtime.create(server, self.name, words)
        realtime.add_phones(server, self.name, EXTENSIONS)
        self.path, self._log, self._applies = path, server.log.stat().st_size, 0
        real = RealtimeStore.apply
        monkeypatch.setattr(RealtimeStore, "apply", lambda store, extensions: (setattr(self, "_applies", self._applies + 1), real(store, extensions)))
        database = DatabaseAccess(self.engine, self.name, server.host, server.port, username=server.user, password=server.password)
        self.config = Config("asterisk_realtime", Access("192.0.2.1", 1, "", "not-used"), "database", database=database, patience=2)

    def sql(self, text):
        return self.server.sql(text, self.name)

    def columns(self, name):
        """The NAT columns of one row as they are; NULL as "NULL"."""
        return dict(zip(NAT, self.sql(f"SELECT {', '.join(NAT)} FROM ps_endpoints WHERE id = '{name}';").rstrip("\n").split("\t"), strict=True))

    def register(self, extension, claimed, seen, user_agent):
        uri = f"sip:{extension}@{claimed[0]}:{claimed[1]}"
        self.sql(f"""INSERT INTO ps_contacts (id, uri, expiration_time, user_agent, via_addr, via_port, call_id, endpoint, prune_on_boot, reg_server)
                     VALUES ('{extension}^3B@{hashlib.md5(uri.encode()).hexdigest()}', '{uri}', {int(time.time()) + 60}, '{user_agent}', '{claimed[0]}',
                     {claimed[1]}, 'x', '{extension}', 'no', 'lab');""")

    def registered(self, extension, claimed, seen):
        return Registration(extension, *claimed, *claimed)          # the NAT option is off: the PBX sends to what the phone claims

    def attempts(self):
        return len(REFUSED.findall(self.server.log.read_text(errors="replace")[self._log:])) or 1

    def wrong_password(self):
        return replace(self.config, access=replace(self.config.access, password="not-that"),
                       database=replace(self.config.database, password="not-that"))

    def stored(self):
        return {name: self.columns(name) for name in EXTENSIONS}

    def others(self):
        rest = ("id, transport, aors, auth, context, disallow, allow, disable_direct_media_on_nat, ice_support, mailboxes, outbound_proxy, "
                "send_pai, callerid, set_var")
        return "".join(self.sql(f"SELECT {what} FROM {table} ORDER BY id;") for what, table in ((rest, "ps_endpoints"), ("*", "ps_auths"), ("*", "ps_aors")))

    def applies(self):
        return self._applies

    def contacts(self):
        return self.sql("SELECT id, uri FROM ps_contacts ORDER BY id;")

    def set(self, *names, options=ON, **more):
        return set_nat(self.config, Wanted(names, options), **more)

    def program(self, text):
        """Instead of the client program; {real} is that one."""
        name = self.server.names[-1]
        file = self.path / name
        file.write_text(text.format(real=self.server.bin / name))
        file.chmod(0o755)


class PostgreSqlTables(Tables):

    @contextmanager
    def deaf(self):
        self.sql("CREATE FUNCTION deaf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'; "
                 "CREATE TRIGGER deaf BEFORE UPDATE ON ps_endpoints FOR EACH ROW EXECUTE FUNCTION deaf();")
        yield
        self.sql("DROP TRIGGER deaf ON ps_endpoints;")


def tables(server, path, monkeypatch, words=realtime.BOOLEAN):
    return (PostgreSqlTables if "psql" in server.names else Tables)(server, path, monkeypatch, words)


@pytest.fixture(params=["mariadb", "postgresql"])
def server(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def rig(server, tmp_path, monkeypatch):
    made = tables(server, tmp_path, monkeypatch)
    yield made
    if not server.log.exists() or not server._answers():
        server.start()
    server.sql(f"DROP DATABASE {made.name};")


class TestTables(NatContract):
    test_a_failing_apply_is_put_back = None             # there is no apply

    @pytest.mark.parametrize("server", ["postgresql"], indirect=True)       # MariaDB says itself that such a row was not changed
    def test_a_silent_success_is_noticed_and_put_back(self, rig):
        super().test_a_silent_success_is_noticed_and_put_back(rig)


# -- words and defaults ---------------------------------------------------------------------------------------------------------------
def test_what_means_the_same_is_kept_as_it_is_written(rig):
    rig.sql("UPDATE ps_endpoints SET rewrite_contact = 'on', force_rport = '1', rtp_symmetric = 'true', direct_media = 'off' WHERE id = '101';")
    rig.sql("UPDATE ps_endpoints SET rewrite_contact = '0', force_rport = '1', rtp_symmetric = 'false', direct_media = NULL WHERE id = '102';")
    done = rig.set("101", "102")
    assert done["before"] == {"102": {"rewrite_contact": "0", "rtp_symmetric": "false", "direct_media": None}}
    assert done["after"] == {"102": {"rewrite_contact": "yes", "rtp_symmetric": "yes", "direct_media": "no"}}
    assert rig.columns("101") == {"rewrite_contact": "on", "force_rport": "1", "rtp_symmetric": "true", "direct_media": "off"}
    assert rig.columns("102") == {"rewrite_contact": "yes", "force_rport": "1", "rtp_symmetric": "yes", "direct_media": "no"}


def test_null_is_asterisks_default(rig):
    realtime.add_phones(rig.server, rig.name, ["4540r"], None)
    (before,) = read_pbx(rig.config, ["4540r"])["extensions"]
    assert {option: before[option] for option in NAT} == {"rewrite_contact": False, "force_rport": True, "rtp_symmetric": False, "direct_media": False}
    done = rig.set("4540r")
    assert done["after"] == {"4540r": {"rewrite_contact": "yes", "rtp_symmetric": "yes"}}
    assert rig.columns("4540r")["force_rport"] in ("", "NULL") and not rig.set("4540r")["changed"]
    assert "Only the tables" in done["notes"][0]


def test_the_older_type_knows_yes_and_no_only(server, tmp_path, monkeypatch):
    rig = tables(server, tmp_path, monkeypatch, realtime.YES_NO)
    assert rig.set("101")["changed"] and set(rig.columns("101").values()) == {"yes", "no"} and not rig.set("101")["changed"]
    server.sql(f"DROP DATABASE {rig.name};")


def test_some_options_only(rig):
    assert rig.set("101", options={"direct_media": True})["after"] == {"101": {"direct_media": "yes"}}
    assert rig.columns("101") == {"rewrite_contact": "no", "force_rport": "no", "rtp_symmetric": "no", "direct_media": "yes"}


# -- registrations --------------------------------------------------------------------------------------------------------------------
def test_contacts_as_asterisk_writes_them(rig):
    rig.register("101", ("192.168.1.11", 5062), (), "Phone A")
    rig.sql("UPDATE ps_contacts SET uri = 'sip:101@203.0.113.1:41777^3Btransport=TCP^3Bx-ast-orig-host=192.168.1.11:5062';")
    rig.register("102", ("192.168.1.12", 5064), (), "Phone B")
    rig.sql("UPDATE ps_contacts SET endpoint = NULL, via_addr = NULL, via_port = NULL WHERE endpoint = '102';")
    rig.register("103", ("192.168.1.13", 5066), (), "Phone C")
    rig.sql(f"UPDATE ps_contacts SET expiration_time = {int(time.time()) - 1} WHERE endpoint = '103';")
    one, other = (Registration.from_dict(found) for found in read_pbx(rig.config)["registrations"])
    assert one == Registration("101", "192.168.1.11", 5062, "203.0.113.1", 41777, "tcp", "Phone A", "unknown", one.expires, True)
    assert other == Registration("102", "", 0, "192.168.1.12", 5064, "udp", "Phone B", "unknown", other.expires, False)


# -- somebody else --------------------------------------------------------------------------------------------------------------------
def just_before_the_write(monkeypatch, action):
    real = Database.change
    monkeypatch.setattr(Database, "change", lambda database, statements: (action(), real(database, statements))[1])


def test_a_row_that_somebody_else_changes_meanwhile_stays(rig, monkeypatch):
    just_before_the_write(monkeypatch, lambda: rig.sql("UPDATE ps_endpoints SET rtp_symmetric = 'true' WHERE id = '102';"))
    with pytest.raises(DeviceError, match="Somebody else changed the NAT settings of extension 102 .*Nothing of ours is written") as told:
        rig.set("101", "102")
    assert not told.value.wrote and rig.columns("101")["rewrite_contact"] == "no" and rig.columns("102")["rtp_symmetric"] == "true"
    assert rig.applies() == 0


def test_a_row_that_goes_away_meanwhile(rig, monkeypatch):
    just_before_the_write(monkeypatch, lambda: rig.sql("DELETE FROM ps_endpoints WHERE id = '102';"))
    with pytest.raises(DeviceError, match="extension 102"):
        rig.set("101", "102")
    assert rig.columns("101")["rewrite_contact"] == "no"


def test_what_somebody_else_writes_beside_is_not_undone(rig, monkeypatch):
    just_before_the_write(monkeypatch, lambda: rig.sql("UPDATE ps_endpoints SET callerid = 'Neu <101>' WHERE id = '101';"))
    assert rig.set("101")["changed"]
    assert rig.sql("SELECT callerid FROM ps_endpoints WHERE id = '101';") == "Neu <101>\n"


def test_an_extension_that_is_in_no_table_is_refused(rig, monkeypatch):
    """Asterisk knows it from a file. Here only the name list says so; below it is a real Asterisk."""
    realtime.add_phones(rig.server, rig.name, ["4540R"])
    with pytest.raises(PlanError, match="4540r"):                      # another name, whatever the database's collation thinks
        rig.set("101", "4540r")
    assert rig.columns("101")["rewrite_contact"] == "no"


# -- what goes wrong ------------------------------------------------------------------------------------------------------------------
def fails(rig, kind, text, **access):
    for attempt in (lambda config: read_pbx(config, ["101"]), lambda config: set_nat(config, Wanted(["101"], ON))):
        with pytest.raises(kind, match=text) as told:
            attempt(replace(rig.config, database=replace(rig.config.database, **access)))
        assert told.type is kind and not told.value.wrote
        nothing_secret(rig, told.value)


def test_a_wrong_user(rig):
    fails(rig, AuthFailed, "refuses the user", username="nobody-of-this-name")


def test_no_such_database(rig):
    fails(rig, BadAnswer, "has no ", name="no_such_database")


def test_server_down(rig):
    fails(rig, Unreachable, "can't be reached", port=1)
    rig.server.stop()
    fails(rig, Unreachable, "can't be reached")


def test_a_table_or_column_is_missing(rig):
    rig.sql("ALTER TABLE ps_endpoints DROP COLUMN rtp_symmetric;")
    with pytest.raises(DeviceError, match="rtp_symmetric.*Is this the PBX's own database"):
        read_pbx(rig.config, ["101"])
    rig.sql("DROP TABLE ps_contacts;")
    with pytest.raises(DeviceError, match="ps_contacts"):
        read_pbx(rig.config)
    rig.sql("DROP TABLE ps_endpoints;")
    with pytest.raises(DeviceError, match="ps_endpoints"):
        rig.set("101")


SELDOM = 0.3                    # seconds; who asks MariaDB for its transactions within 0.1 s of the last time gets the old answer again


@contextmanager
def locked_row(rig):
    """Another session holds the row of 102."""
    where = ["-h", rig.server.host, f"--port={rig.server.port}", f"--user={rig.server.user}"] if rig.engine == "mysql" else [
        "-qAt", "-h", str(rig.server.socket), "-p", str(rig.server.port), "-U", rig.server.user, "-d"]
    environment = {**os.environ, "MYSQL_PWD": rig.server.password, "PGPASSWORD": rig.server.password}
    words = [*rig.server.client, *where, rig.name]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True, bufsize=1) as other:
        other.stdin.write("BEGIN; UPDATE ps_endpoints SET mailboxes = 'x' WHERE id = '102'; SELECT 'locked';\n")
        other.stdin.flush()
        if rig.engine == "postgresql":
            assert other.stdout.readline() == "locked\n"
        else:
            assert until(lambda: rig.sql("SELECT count(*) FROM information_schema.innodb_trx;") != "0\n", 10, SELDOM)
        yield other
        other.kill()


def waiting(rig):
    """The numbers of the sessions that wait for the row."""
    if rig.engine == "mysql":
        return rig.sql("SELECT trx_mysql_thread_id FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT';").split()
    return rig.sql(f"SELECT pid FROM pg_stat_activity WHERE datname = '{rig.name}' AND wait_event_type = 'Lock';").split()


def test_the_connection_is_lost_in_the_middle(rig):
    """The server ends the session between two statements of the transaction: 101 was written by then, and isn't."""
    stored, errors = rig.stored(), []

    def work():
        try:
            rig.set("101", "102")
        except DeviceError as error:
            errors.append(error)

    with locked_row(rig):
        worker = threading.Thread(target=work)
        worker.start()
        assert until(lambda: waiting(rig), 15, SELDOM)
        (number,) = waiting(rig)
        rig.sql(f"KILL {number};" if rig.engine == "mysql" else f"SELECT pg_terminate_backend({number});")
        worker.join(30)
    assert [type(error) for error in errors] == [SessionLost] and "The settings are as they were" in str(errors[0])
    assert rig.stored() == stored and rig.applies() == 0


LOSES_THE_END = """#!/bin/sh
text=$(cat)
printf '%s\\n' "$text" | {real} "$@"
status=$?
case $text in *COMMIT*) echo "ERROR 2013 (HY000): Lost connection to server during query" >&2; exit 1;; esac
exit $status
"""
LOST_FOR_GOOD = """#!/bin/sh
text=$(cat)
case $text in *COMMIT*) : > "{real}.lost"; echo "server closed the connection unexpectedly" >&2; exit 2;; esac
[ -e "{real}.lost" ] && {{ rm "{real}.lost"; echo "server closed the connection unexpectedly" >&2; exit 2; }}
printf '%s\\n' "$text" | {real} "$@"
"""


def test_the_end_of_the_transaction_is_not_heard(rig):
    """It was written: that is looked up, and is as good as an answer."""
    rig.program(LOSES_THE_END)
    assert rig.set("101")["changed"] and rig.columns("101")["rewrite_contact"] == "yes" and rig.applies() == 1


def test_nobody_can_tell_whether_it_was_written(rig):
    rig.program(LOST_FOR_GOOD)
    with pytest.raises(SessionLost, match="Whether the NAT settings of extension 101 were written is not known") as told:
        rig.set("101")
    assert told.value.wrote


def test_a_table_without_transactions_keeps_no_half(mariadb, tmp_path, monkeypatch):
    rig = tables(mariadb, tmp_path, monkeypatch)
    rig.sql("ALTER TABLE ps_endpoints ENGINE = MyISAM;")
    just_before_the_write(monkeypatch, lambda: rig.sql("UPDATE ps_endpoints SET rtp_symmetric = 'true' WHERE id = '102';"))
    with pytest.raises(DeviceError, match=r"extension 102 .*Nothing of ours is written"):
        rig.set("101", "102")
    assert rig.columns("101")["rewrite_contact"] == "no"
    mariadb.sql(f"DROP DATABASE {rig.name};")


def test_through_something_like_ssh(rig, tmp_path):
    prefix = tmp_path / "likessh"
    prefix.write_text('#!/bin/sh\nshift\ncd /\nexec env -i PATH="$PATH" sh -c "$*"\n')
    prefix.chmod(0o755)
    rig.config = replace(rig.config, shell=(str(prefix), "root@pbx"))
    rig.register("101", ("192.168.1.11", 5060), (), "Büro é")
    assert rig.set("101")["changed"] and [one["user_agent"] for one in read_pbx(rig.config)["registrations"]] == ["Büro é"]


# -- a real Asterisk ------------------------------------------------------------------------------------------------------------------
class RealAsterisk(PostgreSqlTables):
    """Read by the manager interface."""

    def __init__(self, pbx, server, path, monkeypatch):
        super().__init__(server, path, monkeypatch)
        self.pbx = pbx
        self.access = Access(pbx.ami_host, pbx.ami_port, "ansible", "ami-secret", timeout=10)
        self.secrets += ("ami-secret",)
        self.config = replace(self.config, access=self.access, read_by="ami")

    def register(self, extension, claimed, seen, user_agent):
        register(("127.0.0.1", self.pbx.sip_port), extension, f"{claimed[0]}:{claimed[1]}", "127.0.0.2", user_agent=user_agent)

    def attempts(self):
        log = (self.pbx.home / "log/full").read_text(errors="replace")
        return log.count("Manager 'ansible' logged on") + log.count("failed to authenticate as 'ansible'")

    def wrong_password(self):
        return replace(self.config, access=replace(self.access, password="not-that"))


@pytest.fixture
def real(asterisk, postgresql, tmp_path, monkeypatch):
    made = RealAsterisk(asterisk, postgresql, tmp_path, monkeypatch)
    realtime.configure(asterisk, postgresql, made.name, "[201](phone)\naors=201\n[201]\ntype=aor\nmax_contacts=1\n")
    asterisk.start()
    yield made
    asterisk.stop()
    postgresql.sql(f"DROP DATABASE {made.name} WITH (FORCE);")


class TestRealAsterisk(NatContract):
    test_a_failing_apply_is_put_back = None             # there is no apply, and nothing between the row and what Asterisk uses
    test_a_silent_success_is_noticed_and_put_back = None

    @pytest.fixture
    def rig(self, real):
        return real


class TestRealAsteriskReadByItsTables(ReadingContract):

    @pytest.fixture
    def rig(self, real):
        real.config = replace(real.config, read_by="database", access=replace(real.access, password="not-used"))
        real.wrong_password = lambda: replace(Tables.wrong_password(real), read_by="database")
        real.attempts = lambda: Tables.attempts(real)
        return real


def test_asterisk_uses_what_was_written(real):
    real.register("101", ("192.168.1.50", 5062), (), "Test Phone 1.0")
    assert real.set("101")["changed"]
    assert real.contacts().startswith("101^3B@") and len(read_pbx(real.config)["registrations"]) == 1           # it survives
    source = register(("127.0.0.1", real.pbx.sip_port), "101", "192.168.1.50:5064", "127.0.0.2")
    by_ami, by_table = (read_pbx(replace(real.config, read_by=way), ["101"]) for way in ("ami", "database"))
    (one,), (other,) = by_ami["registrations"], by_table["registrations"]
    assert {**one, "status": ""} == {**other, "status": ""} and (one["status"], other["status"]) == ("nonqualified", "unknown")
    assert (one["claimed_port"], one["seen_address"], one["seen_port"], one["seen_is_source"]) == (5064, "127.0.0.2", source, True)
    real.pbx.cold_restart()
    assert not real.set("101")["changed"]


def test_read_by_the_command_line(real, monkeypatch):
    script = real.path / "asterisk"
    script.write_text(f'#!/bin/sh\nexec {" ".join(real.pbx._command())} "$@"\n')
    script.chmod(0o755)
    real.config = replace(real.config, read_by="cli")
    assert real.set("101")["extensions"][0]["rewrite_contact"] is True and not real.set("101")["changed"]
    real.register("101", ("192.168.1.50", 5062), (), "Test Phone 1.0")
    with pytest.raises(Unsupported, match="another database .*sip_pbx_read_by"):        # they are in ps_contacts
        read_pbx(real.config)


def test_an_endpoint_of_a_file_is_named_and_nothing_written(real):
    stored = real.stored()
    assert "201" in [one["extension"] for one in read_pbx(real.config, ["201"])["extensions"]]
    for more in ({}, {"check_mode": True}):
        with pytest.raises(Unsupported, match="ps_endpoints .* has no extension 201, though Asterisk knows it"):
            real.set("101", "201", **more)
    assert real.stored() == stored


def test_a_memory_cache_shows_old_values(asterisk, postgresql, tmp_path, monkeypatch):
    rig = RealAsterisk(asterisk, postgresql, tmp_path, monkeypatch)
    cache = "endpoint/cache = memory_cache,object_lifetime_maximum=600\n"
    realtime.configure(asterisk, postgresql, rig.name, sorcery=realtime.SORCERY.replace("endpoint =", f"{cache}endpoint =", 1))
    asterisk.start()
    stored = rig.stored()
    assert read_pbx(rig.config, ["101"])["extensions"][0]["rewrite_contact"] is False          # now it is in the cache
    with pytest.raises(NotApplied, match="memory_cache in sorcery.conf.*The settings are as they were") as told:
        rig.set("101")
    assert told.value.wrote and rig.stored() == stored
    asterisk.stop()
    postgresql.sql(f"DROP DATABASE {rig.name} WITH (FORCE);")


def test_a_wrong_database_password_is_tried_once_and_says_so(real):
    wrong = Tables.wrong_password(real)
    stored = real.stored()
    with pytest.raises(AuthFailed, match="sip_pbx_database") as told:
        set_nat(replace(wrong, access=real.access), Wanted(["101", "102"], ON))
    assert Tables.attempts(real) == 1 and real.attempts() == 1 and real.stored() == stored and "not-that" not in str(told.value)
