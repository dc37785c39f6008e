# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""FusionPBX: the contract with FusionPBX's own tables in a real PostgreSQL, and a fake FreeSWITCH that reads them as FusionPBX's scripts do.

Tables and columns are FusionPBX's (its app_config.php files, 2026). Two tenants number their extensions alike; the second is never touched.
"""

from __future__ import annotations

import os
import uuid
from contextlib import contextmanager
from dataclasses import replace

import pytest

from ansible_collections.evenport.sip.plugins.module_utils.errors import (
    AuthFailed,
    DeviceError,
    NotApplied,
    PermissionMissing,
    PlanError,
    Unreachable,
    Unsupported,
)
from ansible_collections.evenport.sip.plugins.module_utils.model import Registration
from ansible_collections.evenport.sip.plugins.module_utils.pbx.access import Access, Config, DatabaseAccess
from ansible_collections.evenport.sip.plugins.module_utils.pbx.contract import Wanted
from ansible_collections.evenport.sip.plugins.module_utils.pbx.fusionpbx.directory import SETTING
from ansible_collections.evenport.sip.plugins.module_utils.pbx.fusionpbx.store import FORCE, force_contact
from ansible_collections.evenport.sip.plugins.module_utils.pbx.work import read_pbx, set_nat
from tests.fakes.freeswitch import FakeFreeSwitch, install_fs_cli
from tests.unit.plugins.module_utils.pbx.pbx_contract import EXTENSIONS, ON, NatContract, Rig, nothing_secret

DOMAIN, OTHER = "pbx.example.com", "other.example.net"
OFF = {**ON, "rewrite_contact": False}
SCHEMA = """
CREATE TABLE v_domains (domain_uuid uuid PRIMARY KEY, domain_parent_uuid uuid, domain_name text, domain_enabled boolean, domain_description text,
    insert_date timestamptz, insert_user uuid, update_date timestamptz, update_user uuid);
CREATE TABLE v_extensions (extension_uuid uuid PRIMARY KEY, domain_uuid uuid, extension text, number_alias text, password text, accountcode text,
    effective_caller_id_name text, outbound_caller_id_number text, max_registrations text, limit_max text, user_context text, call_timeout numeric,
    sip_force_contact text, sip_force_expires numeric, sip_bypass_media text, force_ping boolean, enabled boolean, description text,
    insert_date timestamptz, insert_user uuid, update_date timestamptz, update_user uuid);
CREATE TABLE v_sip_profiles (sip_profile_uuid uuid PRIMARY KEY, sip_profile_name text, sip_profile_hostname text, sip_profile_enabled boolean,
    sip_profile_description text);
CREATE TABLE v_sip_profile_settings (sip_profile_setting_uuid uuid PRIMARY KEY, sip_profile_uuid uuid, sip_profile_setting_name text,
    sip_profile_setting_value text, sip_profile_setting_enabled boolean, sip_profile_setting_description text);
CREATE TABLE v_default_settings (default_setting_uuid uuid PRIMARY KEY, app_uuid uuid, default_setting_category text, default_setting_subcategory text,
    default_setting_name text, default_setting_value text, default_setting_order numeric, default_setting_enabled boolean, default_setting_description text);
"""
PROFILE = (("apply-nat-acl", "nat.auto", True), ("aggressive-nat-detection", "true", False), ("NDLB-force-rport", "safe", True),
           ("NDLB-received-in-nat-reg-contact", "true", False), ("nat-options-ping", "true", False), ("sip-port", "$${internal_sip_port}", True))


def text(value):
    return "NULL" if value is None else "'" + value.replace("'", "''") + "'"


class FusionRig(Rig):
    shows = {"rewrite_contact": True}

    def __init__(self, server, name, fake, cache, read_by="event_socket"):
        self.server, self.name, self.fake, self.cache = server, name, fake, cache
        self.secrets = ("esl-secret", server.password, *(f"pw{extension}" for extension in EXTENSIONS))
        self.config = Config(
            "fusionpbx", Access("127.0.0.1", fake.port, "", "esl-secret" if read_by == "event_socket" else "is-not-used", timeout=5), read_by,
            database=DatabaseAccess("postgresql", name, server.host, server.port, "", server.user, server.password), domain=DOMAIN, patience=1)

    def sql(self, statement):
        return self.server.sql(statement, self.name)

    def fill(self):
        self.sql(SCHEMA)
        for domain, context in ((DOMAIN, DOMAIN), (OTHER, OTHER)):
            key = uuid.uuid4()
            self.sql(f"INSERT INTO v_domains VALUES ('{key}', NULL, '{domain}', true, NULL, now(), NULL, NULL, NULL);")
            for extension in (*EXTENSIONS, "4540r"):
                self.extension(key, extension, context)
        internal = uuid.uuid4()
        self.sql(f"INSERT INTO v_sip_profiles VALUES ('{internal}', 'internal', NULL, true, 'The internal profile');")
        for name, value, enabled in PROFILE:
            self.sql(f"INSERT INTO v_sip_profile_settings VALUES ('{uuid.uuid4()}', '{internal}', '{name}', '{value}', {enabled}, NULL);")
        for name, value in (("method", "file"), ("location", str(self.cache))):
            self.sql(f"INSERT INTO v_default_settings VALUES ('{uuid.uuid4()}', NULL, 'cache', '{name}', 'text', '{value}', NULL, true, NULL);")

    def extension(self, domain_key, extension, context, alias=""):
        force = {"101": None, "103": None}.get(extension, "")           # both ways of "not set" that its page leaves behind
        self.sql("INSERT INTO v_extensions (extension_uuid, domain_uuid, extension, number_alias, password, user_context, sip_force_contact, call_timeout, "
                 f"enabled, description, insert_date) VALUES ('{uuid.uuid4()}', '{domain_key}', '{extension}', {text(alias or None)}, 'pw{extension}', "
                 f"'{context}', {text(force)}, 30, true, 'Zoë''s phone', now());")

    def force(self, extension, value, domain=DOMAIN):
        self.sql(f"UPDATE v_extensions SET sip_force_contact = {text(value)} WHERE extension = '{extension}' "
                 f"AND domain_uuid = (SELECT domain_uuid FROM v_domains WHERE domain_name = '{domain}');")

    def look_up(self, user, domain):
        """What FusionPBX's script answers FreeSWITCH from the database."""
        found = self.sql("SELECT COALESCE(e.sip_force_contact, '') FROM v_extensions e JOIN v_domains d ON e.domain_uuid = d.domain_uuid WHERE "
                         f"d.domain_name = '{domain}' AND d.domain_enabled AND e.enabled AND (e.extension = '{user}' OR e.number_alias = '{user}');")
        return found.split("\n")[0] if found else None

    def warm(self):
        """Every phone of both tenants has registered before: the cache holds them all."""
        for domain in (DOMAIN, OTHER):
            for extension in EXTENSIONS:
                self.fake.directory(extension, domain)

    def setting(self, name, value, enabled=True):
        self.sql(f"UPDATE v_sip_profile_settings SET sip_profile_setting_value = '{value}', sip_profile_setting_enabled = {enabled} "
                 f"WHERE sip_profile_setting_name = '{name}';")

    # -- what the suite wants ------------------------------------------------------------------------------------------------------
    def register(self, extension, claimed, seen, user_agent):
        assert self.fake.register(extension, DOMAIN, claimed, seen, user_agent)

    def registered(self, extension, claimed, seen):
        return Registration(extension, *claimed, *seen, seen_is_source=True)

    def attempts(self):
        return self.fake.login_attempts

    def wrong_password(self):
        return replace(self.config, access=replace(self.config.access, password="not-that"))

    def stored(self):
        rows = self.sql("SELECT extension, COALESCE(sip_force_contact, 'null') FROM v_extensions JOIN v_domains USING (domain_uuid) "
                        f"WHERE domain_name = '{DOMAIN}' ORDER BY extension;")
        return {extension: {"sip_force_contact": value} for extension, value in (line.split("\t") for line in rows.splitlines())}

    def others(self):
        mine = f"(SELECT domain_uuid FROM v_domains WHERE domain_name = '{DOMAIN}')"
        return "\n".join([
            self.sql(f"SELECT to_jsonb(e) - 'sip_force_contact' FROM v_extensions e WHERE domain_uuid = {mine} ORDER BY extension;"),
            self.sql(f"SELECT e FROM v_extensions e WHERE domain_uuid <> {mine} ORDER BY extension;"),
            *(self.sql(f"SELECT t FROM {table} t ORDER BY 1;") for table in ("v_domains", "v_sip_profiles", "v_sip_profile_settings", "v_default_settings"))])

    def applies(self):
        return self.fake.commands.count("module_exists mod_memcache")       # asked once by each apply

    def contacts(self):
        return [(one.user, one.contact) for one in self.fake.profiles["internal"]]

    @contextmanager
    def deaf(self):
        """FusionPBX has its cache elsewhere than its database says: what is written does not get through."""
        elsewhere = self.cache / "elsewhere"
        elsewhere.mkdir()
        self.fake.cache, kept = elsewhere, self.fake.cache
        self.warm()
        yield
        self.fake.cache = kept

    @contextmanager
    def failing_apply(self):
        blocking = self.cache / f"directory.101@{DOMAIN}"                   # a folder: rm refuses it, also for root
        blocking.unlink()
        blocking.mkdir()
        yield
        blocking.rmdir()


@pytest.fixture
def make_rig(postgresql, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{postgresql.bin}{os.pathsep}{os.environ['PATH']}")
    name, fakes = f"t{uuid.uuid4().hex[:12]}", []
    postgresql.sql(f"CREATE DATABASE {name};")

    def make(read_by="event_socket", memcached=False):
        cache = tmp_path / "cache"
        cache.mkdir()

        def look_up(user, domain):              # the rig comes after the fake
            return rig.look_up(user, domain)
        fake = FakeFreeSwitch(look_up, None if memcached else cache)
        fakes.append(fake.start())
        rig = FusionRig(postgresql, name, fake, cache, read_by)
        rig.fill()
        rig.warm()
        return rig

    yield make
    for fake in fakes:
        fake.stop()
    postgresql.sql(f"DROP DATABASE {name};")


@pytest.fixture
def rig(make_rig):
    return make_rig()


class TestByEventSocket(NatContract):
    pass


class CliRig(FusionRig):
    """fs_cli has the password, in its own configuration."""

    def wrong_password(self):
        self.install("wrong")
        return self.config

    def install(self, password):
        install_fs_cli(self.cache.parent, self.fake, password)

    def attempts(self):
        """Each command is a login of fs_cli; what counts is how often one was refused."""
        return self.fake.refused or min(self.fake.login_attempts, 1)


class TestByFsCli(NatContract):

    @pytest.fixture
    def rig(self, make_rig):
        rig = make_rig("cli")
        rig.__class__ = CliRig
        rig.install("esl-secret")
        return rig


class TestWithMemcached(NatContract):

    @pytest.fixture
    def rig(self, make_rig):
        return make_rig(memcached=True)

    def test_a_silent_success_is_noticed_and_put_back(self, rig):
        """memcached says that it has deleted, and has not."""
        stored = rig.stored()
        rig.fake.faults["memcache"] = "+OK\n"
        with pytest.raises(NotApplied) as told:
            self.on(rig, "101", "102")
        assert told.value.wrote and rig.stored() == stored

    def test_a_failing_apply_is_put_back(self, rig):
        stored, others = rig.stored(), rig.others()
        rig.fake.faults["memcache"] = "-ERR SYSTEM ERROR\n"
        with pytest.raises(DeviceError, match="cache") as told:
            self.on(rig, "101", "102")
        assert told.value.wrote and (rig.stored(), rig.others()) == (stored, others) and "could not be told" in str(told.value)
        nothing_secret(rig, told.value)


def on(rig, *names, options=None, **more):
    return set_nat(rig.config, Wanted(names, ON if options is None else options, more.pop("skip", False)), **more)


def shown(rig, *names):
    return {one["extension"]: one["rewrite_contact"] for one in read_pbx(rig.config, names)["extensions"]}


def test_the_next_register_uses_it_and_the_one_before_stays(rig):
    rig.register("101", ("192.168.1.11", 5062), ("203.0.113.1", 41777), "Yealink SIP-T46S 66.84.0.15")
    on(rig, "101")
    before = read_pbx(rig.config)["registrations"][0]
    assert (before["claimed_port"], before["seen_port"]) == (5062, 41777)
    rig.register("101", ("192.168.1.11", 5062), ("203.0.113.1", 41777), "Yealink SIP-T46S 66.84.0.15")
    after = read_pbx(rig.config)["registrations"][0]
    assert (after["claimed_address"], after["claimed_port"]) == ("192.168.1.11", 5062)
    assert (after["seen_address"], after["seen_port"], after["seen_is_source"]) == ("203.0.113.1", 41777, True)


def test_a_claim_that_freeswitch_has_overwritten_is_not_known(rig):
    rig.force("101", "NDLB-connectile-dysfunction")             # ticked by a person; it is kept
    on(rig, "101")
    rig.register("101", ("192.168.1.11", 5062), ("203.0.113.1", 41777), "Yealink SIP-T46S 66.84.0.15")
    found = read_pbx(rig.config)["registrations"][0]
    assert (found["claimed_address"], found["claimed_port"]) == ("", 0)
    assert (found["seen_address"], found["seen_port"], found["seen_is_source"]) == ("203.0.113.1", 41777, True)


def test_the_other_tenant_is_untouched_and_unseen(rig):
    rig.fake.register("101", OTHER, ("192.168.7.11", 5060), ("203.0.113.9", 5060), "Somebody else's phone")
    rig.register("101", ("192.168.1.11", 5062), ("203.0.113.1", 5062), "Ours")
    on(rig, *EXTENSIONS)
    assert rig.look_up("101", OTHER) == "" and rig.fake.directory("101", OTHER) == ""
    assert (rig.cache / f"directory.101@{OTHER}").exists()
    assert [one["user_agent"] for one in read_pbx(rig.config)["registrations"]] == ["Ours"]


@pytest.mark.parametrize("value", ["NDLB-connectile-dysfunction", "NDLB-tls-connectile-dysfunction", "ndlb-connectile-dysfunction"])
def test_what_forces_already_is_kept_as_it_is_written(rig, value):
    rig.force("102", value)
    on(rig, "102")                              # the cache still had the old one: that is an apply without a write
    assert rig.stored()["102"] == {"sip_force_contact": value} and shown(rig, "102") == {"102": True}
    assert not on(rig, "102")["changed"]


def test_what_is_written_and_not_in_use_is_shown_and_applied(rig):
    rig.force("103", FORCE)
    assert shown(rig, "103", "104") == {"103": False, "104": None}
    planned = on(rig, "103", check_mode=True)
    assert planned["changed"] and planned["before"] == {"103": {"rewrite_contact": False}} and planned["after"] == {"103": {"rewrite_contact": True}}
    assert on(rig, "103")["applied"] and shown(rig, "103") == {"103": True} and rig.applies() == 1


def test_off_again(rig):
    on(rig, "101", "102")
    done = on(rig, "101", "102", "104", options=OFF)
    assert done["before"] == {name: {"sip_force_contact": FORCE} for name in ("101", "102")}
    assert {name: value["sip_force_contact"] for name, value in rig.stored().items()} == {"101": "", "102": "", "103": "null", "104": "", "4540r": ""}
    assert {one["extension"]: one["rewrite_contact"] for one in done["extensions"]} == {"101": None, "102": None, "104": None}
    assert not on(rig, "101", "102", "103", "104", options=OFF)["changed"]


def test_a_fixed_contact_is_left_and_named(rig):
    rig.force("104", "sip:104@198.51.100.7:5060")
    done = on(rig, "101", "104")
    assert rig.stored()["104"] == {"sip_force_contact": "sip:104@198.51.100.7:5060"} and list(done["before"]) == ["101"]
    assert any("extension 104" in note for note in done["notes"])


def test_alias_and_context_of_their_own(rig):
    """A number alias is cached beside the extension; the page's name for it is that of the context, the scripts' that of the domain."""
    rig.sql("UPDATE v_extensions SET number_alias = '900', user_context = 'room/1' WHERE extension = '102' "
            f"AND domain_uuid = (SELECT domain_uuid FROM v_domains WHERE domain_name = '{DOMAIN}');")
    rig.fake.directory("900", DOMAIN)
    (rig.cache / "directory.102@room_1").write_text("", "utf-8")
    on(rig, "102")
    assert rig.fake.directory("900", DOMAIN) == FORCE and not (rig.cache / "directory.102@room_1").exists()


def test_an_extension_with_a_letter(rig):
    assert on(rig, "4540r")["changed"] and shown(rig, "4540r") == {"4540r": True}


def test_an_extension_that_is_switched_off(rig):
    rig.sql("UPDATE v_extensions SET enabled = false WHERE extension = '104';")
    (rig.cache / f"directory.104@{DOMAIN}").unlink()
    assert on(rig, "104")["changed"] and shown(rig, "104") == {"104": True} and not on(rig, "104")["changed"]


def test_somebody_else_changes_it_meanwhile(rig):
    """Between our reading and our writing: theirs stays, and of ours nothing is written."""
    store, (was, other, ours) = force_contact(rig.config).store, ({SETTING: value} for value in (None, "", FORCE))
    rig.force("102", "NDLB-connectile-dysfunction")
    stored = rig.stored()
    with pytest.raises(DeviceError, match="Somebody else changed the NAT settings of extension 102 .*Nothing of ours is written") as told:
        store.write({"101": (was, ours), "102": (other, ours)})
    assert rig.stored() == stored and not told.value.wrote
    with pytest.raises(DeviceError, match="Somebody else .*extension 999"):
        store.write({"101": (was, ours), "999": (other, ours)})
    assert rig.stored() == stored


def test_another_tenants_row_is_not_the_one_that_is_counted(rig):
    """The same number and the same value in both tenants: one row is ours."""
    force_contact(rig.config).store.write({"102": ({SETTING: ""}, {SETTING: FORCE})})
    assert rig.stored()["102"] == {SETTING: FORCE} and rig.look_up("102", OTHER) == ""


def test_a_user_that_may_only_read(rig):
    name = f"r{uuid.uuid4().hex[:8]}"
    rig.sql(f"CREATE USER {name} PASSWORD 'reads'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name};")
    stored = rig.stored()
    rig.config = replace(rig.config, database=replace(rig.config.database, username=name, password="reads"))
    try:
        assert shown(rig, "101") == {"101": None}
        with pytest.raises(PermissionMissing):
            on(rig, "101")
        assert rig.stored() == stored and rig.applies() == 0
    finally:
        rig.sql(f"DROP OWNED BY {name}; DROP USER {name};")


def test_a_wrong_password_of_the_database(rig):
    rig.config = replace(rig.config, database=replace(rig.config.database, password="not-that"))
    with pytest.raises(AuthFailed) as told:
        on(rig, "101")
    nothing_secret(rig, told.value)
    assert "not-that" not in str(told.value)


def test_no_such_domain(rig):
    rig.config = replace(rig.config, domain="nowhere.example.com")
    with pytest.raises(PlanError, match="no domain nowhere.example.com"):
        on(rig, "101")


def test_the_same_extension_twice(rig):
    key = rig.sql(f"SELECT domain_uuid FROM v_domains WHERE domain_name = '{DOMAIN}';").strip()
    rig.extension(key, "101", DOMAIN)
    stored = rig.sql("SELECT * FROM v_extensions ORDER BY extension_uuid;")
    with pytest.raises(DeviceError, match="101 is there twice"):
        on(rig, "101")
    assert rig.sql("SELECT * FROM v_extensions ORDER BY extension_uuid;") == stored


def test_names_that_would_be_commands(rig):
    stored = rig.stored()
    for name in ("101 var password", "101\n\napi shutdown", "101'; DROP TABLE v_domains; --", "101;;shutdown", ""):
        with pytest.raises(PlanError):
            on(rig, "101", name)
    assert rig.stored() == stored and not [command for command in rig.fake.commands if "shutdown" in command or "password" in command]


def test_an_extension_that_no_command_can_hold(rig):
    """It can be read, and is not written: FreeSWITCH could not be told."""
    key = rig.sql(f"SELECT domain_uuid FROM v_domains WHERE domain_name = '{DOMAIN}';").strip()
    rig.extension(key, "10 1", DOMAIN)
    assert shown(rig, "10 1", "101") == {"10 1": None, "101": None}
    stored = rig.stored()
    with pytest.raises(PlanError, match="characters"):
        on(rig, "101", "10 1")
    assert rig.stored() == stored and rig.applies() == 0


def test_freeswitch_goes_away_during_the_apply(rig):
    """The database has it, FreeSWITCH can't be told: put back, and said."""
    stored = rig.stored()
    rig.fake.faults["drop"] = "module_exists"
    with pytest.raises(DeviceError, match="ended the connection") as told:
        on(rig, "101", "102")
    assert told.value.wrote and rig.stored() == stored and "The settings are as they were" in str(told.value)
    rig.fake.faults.clear()
    assert shown(rig, "101") == {"101": None}


def test_many(rig):
    """300 extensions: one transaction, one apply."""
    key = rig.sql(f"SELECT domain_uuid FROM v_domains WHERE domain_name = '{DOMAIN}';").strip()
    rig.sql("INSERT INTO v_extensions (extension_uuid, domain_uuid, extension, password, user_context, enabled) SELECT gen_random_uuid(), "
            f"'{key}', (2000 + n)::text, 'x', '{DOMAIN}', true FROM generate_series(1, 300) n;")
    rig.fake.look_up = lambda user, domain: FORCE       # asking PostgreSQL by a program of its own for each is slow
    done = on(rig, *(str(2000 + number) for number in range(1, 301)))
    assert len(done["before"]) == 300 and rig.applies() == 1
    assert rig.sql(f"SELECT count(*) FROM v_extensions WHERE sip_force_contact = '{FORCE}';").strip() == "300"


def test_nothing_to_say_about_a_profile_as_it_is_shipped(rig):
    assert on(rig, "101")["notes"] == []


def test_an_unusual_profile_is_one_sentence(rig):
    rig.setting("apply-nat-acl", "nat.auto", False)
    rig.setting("aggressive-nat-detection", "true")
    rig.setting("NDLB-force-rport", "disabled")
    assert on(rig, "101", check_mode=True)["notes"] == [
        "The SIP profile internal treats NAT otherwise than FusionPBX ships it: apply-nat-acl is off (shipped: nat.auto), "
        "aggressive-nat-detection is true (shipped: off), NDLB-force-rport is disabled (shipped: safe)."]


def test_nothing_runs_on_the_event_socket_of_another_machine(rig):
    rig.config = replace(rig.config, access=replace(rig.config.access, host="192.0.2.1"))
    with pytest.raises(Unsupported, match="no TLS.*sip_pbx_read_by: cli"):
        on(rig, "101")
    assert rig.attempts() == 0


def test_no_freeswitch(rig):
    rig.fake.stop()
    with pytest.raises(Unreachable, match="event socket"):
        on(rig, "101")
