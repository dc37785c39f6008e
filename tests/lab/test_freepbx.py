"""FreePBX, as far as it can be had: real tables, a real Asterisk, a fake fwconsole (see :mod:`tests.lab.freepbx`)."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.evenport.sip.plugins.module_utils.errors import AuthFailed, DeviceError, NotApplied, PlanError, Unreachable, Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.model import Registration
from ansible_collections.evenport.sip.plugins.module_utils.pbx.access import Access, DatabaseAccess
from ansible_collections.evenport.sip.plugins.module_utils.pbx.freepbx import PENDING
from ansible_collections.evenport.sip.plugins.module_utils.pbx.opening import open_pbx
from ansible_collections.evenport.sip.plugins.module_utils.pbx.shell import Shell
from ansible_collections.evenport.sip.plugins.module_utils.pbx.sql import Database
from ansible_collections.evenport.sip.plugins.module_utils.pbx.work import read_pbx
from tests.lab.freepbx import ALL_OFF, ON, OPTIONS, PHONES, running, start
from tests.lab.processes import until
from tests.lab.sip import register
from tests.unit.plugins.module_utils.pbx.pbx_contract import EXTENSIONS, NatContract, Rig

CONF = Path(__file__).parent
PEERS = {"201": {"nat": "no", "canreinvite": "yes"}, "202": {"nat": "route"}, "203": {"nat": "yes", "canreinvite": "no"}, "204": {"nat": "never"}}
LIKE_SSH = '#!/bin/sh\nshift\ncd /\nexec env -i PATH="$PATH" sh -c "$*"\n'           # joins the words, has none of our variables


@pytest.fixture
def empty(mariadb, asterisk, tmp_path):
    with running(mariadb, asterisk, tmp_path) as box:
        yield box


@pytest.fixture
def box(empty):
    return empty.install(PHONES)


@pytest.fixture
def both(mariadb, chan_sip, tmp_path):
    """FreePBX 15 or 16 with devices of both kinds, on a real Asterisk 16."""
    with running(mariadb, chan_sip, tmp_path, modules=("res_pjsip.so", "chan_sip.so")) as box:
        box.create()
        box.device("101", ALL_OFF)
        for name, settings in PEERS.items():
            box.device(name, {"dtmfmode": "rfc2833", "host": "dynamic", "type": "friend", **settings}, "sip")
        chan_sip.write_config([], "no")
        (chan_sip.etc / "modules.conf").write_text((CONF / "conf/modules.conf").read_text() + "load = chan_sip.so\n")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            box.pjsip_port = probe.getsockname()[1]
        (chan_sip.etc / "pjsip.conf").write_text(f"[udp]\ntype = transport\nprotocol = udp\nbind = 127.0.0.1:{box.pjsip_port}\n")
        start(box)
        yield box


# -- the contract -----------------------------------------------------------------------------------------------------------------------
class FreePbxRig(Rig):
    secrets = ("ami-secret", "trunk-secret", *(f"pw{name}" for name in EXTENSIONS))
    shows = ON

    def __init__(self, box):
        self.box, self.config = box, box.config

    def register(self, extension, claimed, seen, user_agent):
        register(("127.0.0.1", self.box.pbx.sip_port), extension, f"{claimed[0]}:{claimed[1]}", "127.0.0.2", user_agent=user_agent)

    def registered(self, extension, claimed, seen):
        return Registration(extension, *claimed, *claimed)          # the NAT option is off: the PBX sends to what the phone claims

    def attempts(self):
        log = (self.box.pbx.home / "log/full").read_text(errors="replace")
        return log.count("logged on from") + log.count("failed to authenticate as")

    def wrong_password(self):
        return replace(self.config, access=replace(self.config.access, password="not-that"))

    def stored(self):
        found = {name: {} for name in PHONES}
        for name, keyword, data, flags in self.box.rows():
            found[name][keyword] = (data, flags)
        return found

    def others(self):
        of_devices = f"id IN (SELECT id FROM devices) AND keyword IN {OPTIONS}"
        return "".join(self.box.sql(f"SELECT * FROM {table} ORDER BY 1, 2;") for table in ("devices", "pjsip", "users", "admin")) + self.box.sql(
            f"SELECT * FROM sip WHERE NOT ({of_devices}) ORDER BY 1, 2; SHOW CREATE TABLE sip;")

    def applies(self):
        return len(self.box.calls())

    def contacts(self):
        with open_pbx(self.config) as pbx:
            return sorted(one.extension for one in pbx.registrations())

    @contextmanager
    def deaf(self):
        self.box.faults(ignores=True)
        yield
        self.box.faults()

    @contextmanager
    def failing_apply(self):
        self.box.faults(fails=True)
        yield
        self.box.faults()


@pytest.fixture
def rig(box):
    return FreePbxRig(box)


class TestContract(NatContract):
    pass


# -- what is FreePBX's own --------------------------------------------------------------------------------------------------------------
def test_every_way_to_say_off_becomes_on_and_a_new_row_comes_last(box):
    before = {name: box.rows(f"id = '{name}'") for name in PHONES}
    done = box.set(*PHONES)
    assert done["before"]["102"] == {"rewrite_contact": None, "force_rport": "no", "rtp_symmetric": "no", "direct_media": "yes"}
    assert done["before"]["103"] == {"rewrite_contact": "", "rtp_symmetric": "no", "direct_media": None}        # its force_rport is on without a row
    assert done["after"]["103"] == {"rewrite_contact": "yes", "rtp_symmetric": "yes", "direct_media": "no"}
    assert [box.options(name) for name in PHONES] == [(True, True, True, False)] * len(PHONES)
    changed = {"force_rport": "yes", "rtp_symmetric": "yes", "direct_media": "no"}
    assert box.rows("id = '102'") == [*([name, keyword, changed.get(keyword, data), flags] for name, keyword, data, flags in before["102"]),
                                      ["102", "rewrite_contact", "yes", str(int(before["102"][-1][3]) + 1)]]
    assert ["103", "force_rport"] not in [row[:2] for row in box.rows()] and box.rows("id = '103'")[-1] == ["103", "direct_media", "no", "9"]
    assert not box.set(*PHONES)["changed"] and len(box.calls()) == 1


def test_registrations_survive_and_a_cold_start_has_everybody(box):
    for name in PHONES:
        register(("127.0.0.1", box.pbx.sip_port), name, "192.168.1.50:5062", "127.0.0.2")
    before = read_pbx(box.config)["registrations"]
    assert len(before) == len(PHONES) and box.set("101", "102")["applied"]
    known = {"seen_is_source": None}                                # that is by the option
    assert [{**one, **known} for one in read_pbx(box.config)["registrations"]] == [{**one, **known} for one in before]
    box.pbx.cold_restart()
    with open_pbx(box.config) as pbx:
        assert sorted(pbx.endpoints()) == sorted([*PHONES, "provider"])
    assert [box.options(name)[0] for name in PHONES] == [True, True, False, False, False]
    source = register(("127.0.0.1", box.pbx.sip_port), "101", "192.168.1.50:5062", "127.0.0.2")
    assert read_pbx(box.config)["registrations"][0]["seen_port"] == source


def test_through_a_shell_there_and_by_the_command_line(box, monkeypatch):
    """As on a PBX whose Python is too old. Without SHELL, fwconsole speaks JSON."""
    box.config = replace(box.config, shell=(box.program("likessh", LIKE_SSH), "root@pbx"), read_by="cli", access=Access("192.0.2.1", 1, "nobody", "wrong"))
    assert box.set("101", "4540r")["applied"] and box.options("4540r") == (True, True, True, False)
    assert not box.set("101", "4540r")["changed"]
    box.faults(fails=True)                                          # its 255 is not ssh's
    with pytest.raises(DeviceError, match="status 255") as told:
        box.set("102")
    assert not isinstance(told.value, Unreachable) and told.value.wrote


def test_login_with_a_password(box):
    box.config = replace(box.config, database=DatabaseAccess("mysql", box.name, "127.0.0.1", box.server.port, "", box.server.user, box.server.password))
    assert box.set("101")["applied"]


def test_a_database_that_refuses_is_asked_once(box, tmp_path):
    real = box.program("mysql", f'#!/bin/sh\necho >> {tmp_path}/asked\nexec {box.server.bin}/mysql "$@"\n')
    wrong = replace(box.config, database=DatabaseAccess("mysql", box.name, "127.0.0.1", box.server.port, "", box.server.user, "not-that"))
    before = box.rows()
    with pytest.raises(AuthFailed) as told:
        box.set("101", config=wrong)
    assert len((tmp_path / "asked").read_text()) == 1 and "not-that" not in str(told.value) and Path(real).exists()
    assert box.rows() == before and box.calls() == []


def test_pending_changes_are_named(box):
    assert box.set("101", check_mode=True)["notes"] == []
    box.sql("UPDATE admin SET value = 'true' WHERE variable = 'need_reload';")
    assert box.set("101", check_mode=True)["notes"] == [PENDING] and box.calls() == []
    assert box.set("101")["notes"] == [PENDING] and box.set("101")["notes"] == []


def test_settings_that_nobody_applied(box):
    box.sql("UPDATE sip SET data = 'yes' WHERE id = '101' AND keyword IN ('rewrite_contact', 'force_rport', 'rtp_symmetric'); "
            "UPDATE sip SET data = 'no' WHERE id = '101' AND keyword = 'direct_media';")
    done = box.set("101")
    assert done["changed"] and done["before"]["101"]["rewrite_contact"] is False and done["after"]["101"] == ON
    assert box.options("101") == (True, True, True, False) and len(box.calls()) == 1


@pytest.mark.parametrize("name", ["provider", "byhand", "199"])
def test_trunks_and_what_is_no_device_are_refused(box, name):
    """Asterisk knows them all as endpoints, and the table sip has rows of the last one."""
    with open(box.pbx.etc / "pjsip.conf", "a", encoding="utf-8") as file:
        file.write("[byhand]\ntype=endpoint\nallow=ulaw\n[199]\ntype=endpoint\nallow=ulaw\n")
    box.pbx.rx("module reload res_pjsip.so")
    with open_pbx(box.config) as pbx:
        assert until(lambda: name in pbx.endpoints(), 10)
    before = box.sql("SELECT * FROM sip;")
    with pytest.raises(PlanError, match=f"^{name}: no PJSIP or chan_sip device"):
        box.set("101", name)
    assert box.sql("SELECT * FROM sip;") == before and box.calls() == []


def test_names_that_the_database_takes_for_one(box):
    with open(box.pbx.etc / "pjsip.conf", "a", encoding="utf-8") as file:
        file.write("[4540R]\ntype=endpoint\nallow=ulaw\n")
    box.pbx.rx("module reload res_pjsip.so")
    with open_pbx(box.config) as pbx:
        assert until(lambda: "4540R" in pbx.endpoints(), 10)
    with pytest.raises(PlanError, match=r"^4540R: no"):
        box.set("4540R")
    assert box.set("4540r")["applied"]


def test_a_keyword_that_is_there_twice_is_refused(box):
    box.sql("ALTER TABLE sip DROP PRIMARY KEY; INSERT INTO sip VALUES ('101', 'rewrite_contact', 'yes', 99);")
    with pytest.raises(DeviceError, match="more than one row of rewrite_contact for extension 101"):
        box.set("101", "102")
    box.sql("DELETE FROM sip WHERE flags = 99; INSERT INTO devices (id, tech) VALUES ('102', 'pjsip');")
    with pytest.raises(DeviceError, match="more than one row of .* for extension 102"):
        box.set("101", "102")
    assert box.calls() == [] and box.set("101")["applied"]          # without a primary key it works too


@pytest.mark.parametrize(("table", "data"), [
    ("ENGINE=MyISAM DEFAULT CHARSET=latin1", "VARCHAR(8100)"), ("ENGINE=Aria DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci", "TEXT"),
    ("ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci", "TEXT"),
])
def test_other_engines_and_collations(empty, table, data):
    empty.install({name: PHONES[name] for name in ("101", "102")}, table, data)
    before = empty.sql("SELECT * FROM sip ORDER BY 1, 2;")
    empty.faults(fails=True)
    with pytest.raises(DeviceError):
        empty.set("101", "102")
    assert empty.sql("SELECT * FROM sip ORDER BY 1, 2;") == before
    empty.faults()
    assert empty.set("101", "102")["applied"] and empty.options("102") == (True, True, True, False)


def test_many_at_once(box):
    """One statement file, one reload; the database's limit for a statement (1 MB on old ones) is far."""
    names = [str(number) for number in range(3000, 3150)]
    for name in names:
        box.device(name, ALL_OFF)
    box.apply()
    with open_pbx(box.config) as pbx:
        assert until(lambda: set(names) <= set(pbx.endpoints()), 20)
    assert len(box.set(*names)["after"]) == 150 and len(box.calls()) == 1
    assert box.options("3149") == (True, True, True, False) and not box.set(*names)["changed"]


# -- chan_sip devices, FreePBX 15 and 16 -------------------------------------------------------------------------------------------------
def test_devices_of_both_kinds(both):
    assert both.set("101", *PEERS, check_mode=True)["changed"] and both.calls() == []
    register(("127.0.0.1", both.pjsip_port), "101", "192.168.1.50:5060", "127.0.0.2")
    both.pbx.rx("database put SIP/Registry 201 127.0.0.3:41777:300:201:sip:201@192.168.1.51:5062")      # as chan_sip writes down a registration
    both.pbx.stop()
    both.pbx.start()
    logins = FreePbxRig(both).attempts()
    done = both.set("101", *PEERS)
    assert FreePbxRig(both).attempts() == logins + 1 and len(both.calls()) == 1
    assert done["after"] == {"101": {**dict.fromkeys(OPTIONS, "yes"), "direct_media": "no"}, "201": {"nat": "yes", "canreinvite": "no"},
                             "202": {"nat": "yes", "canreinvite": "no"}, "204": {"nat": "yes", "canreinvite": "no"}}
    assert done["before"]["202"] == {"nat": "route", "canreinvite": None}
    assert [tuple(one[option] for option in OPTIONS) for one in done["extensions"]] == [(True, True, True, False)] * 5
    assert not both.set("101", *PEERS)["changed"]
    found = read_pbx(both.config, ["201", "101", "999"])
    assert [one["extension"] for one in found["extensions"]] == ["201", "101"] and found["missing"] == ["999"]
    assert {one["extension"]: (one["claimed_address"], one["claimed_port"]) for one in found["registrations"]} == {
        "101": ("192.168.1.50", 5060), "201": ("192.168.1.51", 5062)}


def test_chan_sip_devices_are_put_back(both):
    before = both.sql("SELECT * FROM sip ORDER BY 1, 2;")
    both.faults(ignores=True)
    both.config = replace(both.config, patience=1)
    with pytest.raises(NotApplied, match=r"The settings are as they were\."):
        both.set("201", "202")
    assert both.sql("SELECT * FROM sip ORDER BY 1, 2;") == before
    both.faults()
    assert both.set("204", options={**ON, "rtp_symmetric": False})["after"]["204"] == {"nat": "force_rport", "canreinvite": "no"}
    assert both.options("204") == (True, True, False, False)
    with pytest.raises(PlanError, match="they can't differ"):
        both.set("201", options={**ON, "force_rport": False})


def test_without_chan_sip_or_without_pjsip(both):
    with open_pbx(both.config) as pbx:
        assert sorted(pbx.endpoints()) == ["101", *PEERS, "provider"] and pbx.version().startswith("16.")
    modules = both.pbx.etc / "modules.conf"
    both.pbx.stop()
    modules.write_text(modules.read_text().replace("load = chan_sip.so", ""))
    both.pbx.start()
    with open_pbx(both.config) as pbx:
        assert sorted(pbx.endpoints()) == ["101", "provider"] and pbx.registrations() == [] and pbx.extensions(["201"]) == []
    both.pbx.stop()
    modules.write_text((CONF / "conf16/modules.conf").read_text())
    both.pbx.start()
    with open_pbx(both.config) as pbx:
        assert sorted(pbx.endpoints()) == list(PEERS) and pbx.registrations() == [] and [one.extension for one in pbx.extensions(["101", "201"])] == ["201"]
    both.pbx.stop()
    modules.write_text(modules.read_text().replace("load = chan_sip.so", ""))
    both.pbx.start()
    with open_pbx(both.config) as pbx, pytest.raises(Unsupported):
        pbx.endpoints()


def test_values_are_literals_to_the_database(box):
    """MariaDB up to 10.x, measured with 10.5, refuses to compare FreePBX's columns with anything stronger ("Illegal mix of collations")."""
    value = Database(box.config.database, Shell()).value("101")
    assert box.sql(f"SELECT COERCIBILITY({value}) = COERCIBILITY('101');") == "1\n"
