# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is Htek's alone, and what happens to every phone that restarts at each write. What every phone must do is in contract_suite.py."""

from __future__ import annotations

import time
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ansible_collections.evenport.sip.plugins.module_utils.errors import AuthFailed, BadAnswer, DeviceError, NotApplied, PermissionMissing, Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import Answer
from ansible_collections.evenport.sip.plugins.module_utils.http.session import WebSession
from ansible_collections.evenport.sip.plugins.module_utils.model import Identity
from ansible_collections.evenport.sip.plugins.module_utils.phones import work
from ansible_collections.evenport.sip.plugins.module_utils.phones.htek import config as htek_config
from ansible_collections.evenport.sip.plugins.module_utils.phones.htek import driver as htek
from ansible_collections.evenport.sip.plugins.module_utils.phones.settings import Place
from ansible_collections.evenport.sip.plugins.module_utils.phones.target import Target
from ansible_collections.evenport.sip.plugins.module_utils.phones.work import configure_phone, inspect_phone
from tests.fakes.htek import FakeHtek
from tests.fakes.web import FakeWebServer, Reply, Request
from tests.unit.plugins.module_utils.phones.contract_suite import PASSWORD, TWO_LINES, PhoneContract, Row, refuse, target_of

WANTED = {"random_port": False, "keep_alive_interval": 30, "lines": [
    {"line": 1, "local_port": 5074, "nat_traversal": "keep_alive", "rport": True},
    {"line": 2, "local_port": 5076, "nat_traversal": "keep_alive", "rport": True}]}
ONE = {"random_port": False, "lines": [{"line": 1, "local_port": 5074}]}


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    """A fake restarts in half a second; a real phone takes a minute."""
    monkeypatch.setattr(work, "_REBOOT_POLL", 0.05)
    monkeypatch.setattr(work, "_REBOOT_STARTS", 1.5)


def row(name, kind, changes, **options):
    return Row(
        name, lambda **more: FakeHtek(kind, **{"password": PASSWORD, "accounts": TWO_LINES, **options, **more}), "htek", kind,
        WANTED, frozenset(changes), ("P740", "local_port of line 2 is 5062 instead of 5076"), {1: 5060, 2: 5062}, {1: 5074, 2: 5076},
        "download_xml_cfg", "HLCFG_XML", "index.htm", sessions=False, resumes=False, mac_first=False, lock_text="", call_state=False, applies="reboot",
        provision=lambda fake: fake.values.update({"P237": "http://admin:hunter2@prov.example.net/cfg"}))


class TestContract(PhoneContract):
    ROWS = [
        row("basic", "basic", {"P40", "P740", "P52", "P730", "P84"}, random=False),
        row("digest", "digest", {"P40", "P740", "P78", "P778", "P52", "P84"}),                  # one NAT setting: both accounts have profile 0
        row("rebrand", "basic", {"P40", "P740", "P78", "P778", "P52", "P730", "P84"}, title="North American Telecom", server="", model="S500"),
    ]


def target(fake, **more):
    return target_of(fake, **{"password": fake.password, "timeout": 2.0, **more})


def configure(fake, wanted=None, **more):
    return configure_phone(target(fake), ONE if wanted is None else wanted, **{"in_use": False, **more})


def driver(fake):
    """A driver that is logged in and has read."""
    web = WebSession(target(fake).reach())
    made = htek.Htek(target(fake), web, Identity("htek"))
    made.login()
    made.read()
    return made


# ---------------------------------------------------------------------- login


@pytest.mark.parametrize("kind", ["basic", "digest"])
@pytest.mark.parametrize("faults", [{}, {"no_first_401": True}])
def test_the_first_request_of_each_start_may_be_refused(kind, faults):
    with FakeHtek(kind, faults=faults) as fake:
        assert configure(fake)["changed"] and fake.get(1, "LocalSipPort") == "5074"
        assert (fake.login_attempts, fake.writes, fake.reboots) == (0, 1, 1)
        assert fake.guard.wrong == 0


@pytest.mark.parametrize("kind", ["basic", "digest"])
def test_a_wrong_password_is_sent_once_although_the_first_401_means_nothing(kind):
    with FakeHtek(kind) as fake:
        refuse(AuthFailed, lambda: inspect_phone(target(fake, password="wrong")))
        assert fake.log == ["GET /", "GET /index.htm"] and fake.login_attempts == 1


def test_no_password_is_sent_over_the_wire_by_digest():
    with FakeHtek("digest") as fake:
        seen = []
        handle = fake.handle
        fake.handle = lambda request: (seen.append(request.headers.get("authorization", "")), handle(request))[1]
        inspect_phone(target(fake))
        assert seen[0] == "" and seen[1].startswith("Digest ") and not any(one.startswith("Basic") for one in seen)


def test_what_the_status_page_says():
    with FakeHtek("basic", model="UC926", firmware="2.0.4.6.41") as fake:
        found = inspect_phone(target(fake))
        assert found["identity"] == {"brand": "htek", "generation": "basic", "model": "UC926", "firmware": "2.0.4.6.41", "mac": "001fc121cf23"}
        assert [account["number"] for account in found["accounts"]] == [1, 2, 3, 4, 5, 6]


def test_accounts_that_stand_in_comments_are_not_there_although_the_file_has_them():
    with FakeHtek("basic") as fake:
        assert fake.get(6, "LocalSipPort") == ""
        assert [account["number"] for account in inspect_phone(target(fake))["accounts"]] == [1, 2]


@pytest.mark.parametrize("page", [b"<html><title>IP Phone</title>jscs.account1</html>", b"", b"\x00\xff\xfe"])
def test_a_page_that_is_no_status_page_is_no_login(page):
    class Other(FakeHtek):
        def _index(self, request):
            return Reply(200, page)

    with Other("basic") as fake:
        refuse(BadAnswer, lambda: configure(fake))
        assert fake.writes == 0


# ---------------------------------------------------------------------- settings


def test_labels_decide_and_never_numbers():
    """P578 is the random port of account 3 on old firmware, and the profile of account 2 on newer."""
    wanted = {"random_port": False, "lines": [{"line": 3, "local_port": 5088}]}
    accounts = [{"user": str(n), "port": 5060, "random": n == 3} for n in (1, 2, 3)]
    with FakeHtek("basic", model="UC903", accounts=accounts) as fake:
        configure(fake, wanted)
        assert fake.written == [{"P513": "5088", "P578": "0"}]
    with FakeHtek("digest", model="UC903", accounts=accounts) as fake:
        configure(fake, wanted)
        assert fake.written == [{"P513": "5088", "P20389": "0"}] and fake.values["P578"] == "0" and fake.labels["P578"] == "Account2_Profile"


def test_elements_that_are_called_by_their_labels():
    with FakeHtek("digest", accounts=TWO_LINES, faults={"names": True}) as fake:
        assert configure(fake, WANTED)["changed"] and not configure(fake, WANTED)["changed"]
        assert set(fake.written[0]) == {"P40", "P740", "P78", "P778", "P52", "P84"} and fake.effective == {1: 5074, 2: 5076}


def test_nothing_else_is_uploaded_and_secrets_stay_at_home():
    with FakeHtek("basic") as fake:
        uploads = []
        upload = fake._upload
        fake._upload = lambda request: (uploads.append(request), upload(request))[1]
        configure(fake)
        assert b'name="CfgXmlFile"; filename="config.xml"' in uploads[0].body
        assert b"secret" not in uploads[0].body and len(uploads[0].body) < 800
        assert uploads[0].body.count(b"para=") == 2


@given(st.text(st.characters(codec="utf-8"), max_size=30))
@example("%12")
@example("100%25")
@example("a & <b> \"c\"")
def test_a_text_arrives_as_it_was_although_the_phone_url_decodes_it(text):
    fake = FakeHtek("basic", filler=0)
    body = htek_config.render([(htek_config.Element("P3", 'Account1."Name"', ""), text)])
    boundary = b"xyz"
    form = b"--xyz\r\nContent-Disposition: form-data; name=\"CfgXmlFile\"; filename=\"config.xml\"\r\n\r\n" + body + b"\r\n--xyz--\r\n"
    fake.faults["ignore_reboot"] = True
    fake._upload(Request("POST", "/", {}, {"content-type": "multipart/form-data; boundary=" + boundary.decode()}, form))
    assert fake.values["P3"] == text
    assert ElementTree.fromstring(body).find("config/P3").get("para") == 'Account1."Name"'


def test_a_profile_that_lines_share_takes_one_value():
    with FakeHtek("digest", accounts=TWO_LINES) as fake:
        both = {"lines": [{"line": 1, "nat_traversal": "stun"}, {"line": 2, "nat_traversal": "keep_alive"}]}
        assert "shares a profile" in str(refuse(Unsupported, lambda: configure(fake, both)))
        assert fake.writes == 0
        fake.set(2, "Profile", "1")
        configure(fake, both)
        assert fake.written == [{"P52": "1", "P730": "2"}]


@pytest.mark.parametrize("kind", ["basic", "digest"])
def test_what_a_phone_lacks_is_skipped_and_named(kind):
    side = "Account" if kind == "basic" else "Profile"
    keep_alive = "KeepAtiveInterval" if kind == "basic" else "NW_Adv_KeepAtiveInterval"
    lacks = [f"{side}1.NatTraversal", f"{side}1.RPort", keep_alive, *(f"Account{n}.UseRandomPort" for n in range(1, 7))]
    with FakeHtek(kind, faults={"missing": lacks}) as fake:
        wanted = {"random_port": False, "keep_alive_interval": 30, "lines": [{"line": 1, "local_port": 5074, "nat_traversal": "stun", "rport": True}]}
        result = configure(fake, wanted)
        assert sorted(result["unsupported"]) == ["keep_alive_interval", "nat_traversal of line 1", "random_port", "rport of line 1"]
        assert fake.written == [{"P40": "5074"}]


def test_a_port_without_a_label_is_not_written():
    with FakeHtek("basic", faults={"missing": ["Account1.LocalSipPort"]}) as fake:
        refuse(Unsupported, lambda: configure(fake))
        assert fake.writes == 0 and "P40" not in fake.values


@pytest.mark.parametrize("port", [1, 1023])
def test_ports_below_the_range_are_refused_before_anything_is_sent(port):
    with FakeHtek("basic") as fake:
        assert "1024 to 65535" in str(refuse(Unsupported, lambda: configure(fake, {"lines": [{"line": 1, "local_port": port}]})))
        assert fake.writes == 0


@pytest.mark.parametrize(("path", "expected"), [
    ("", {}),
    ("prov.example.com/phones", {"server": "prov.example.com/phones", "protocol": "", "protected": False}),
    ("https://user:secret@prov.example.com/", {"server": "prov.example.com/", "protocol": "https", "protected": False}),
    ("TFTP://192.0.2.9", {"server": "192.0.2.9", "protocol": "tftp", "protected": False}),
    ("javascript://x", {"server": "x", "protocol": "", "protected": False}),
    ("http://rps.htek.com/x", {}),
    ("http://nothtek.com/x", {"server": "nothtek.com/x", "protocol": "http", "protected": False}),
])
@pytest.mark.parametrize("kind", ["basic", "digest"])
def test_provisioning_is_reported_without_credentials(kind, path, expected):
    with FakeHtek(kind) as fake:
        fake.values["P237"] = path
        assert inspect_phone(target(fake))["provisioning"] == expected


# ---------------------------------------------------------------------- random ports


def test_a_phone_as_from_the_factory_registers_from_a_random_port_until_it_is_switched_off():
    ports = []
    with FakeHtek("basic", accounts=[{"user": "101"}], on_register=lambda fake, number, port: ports.append(port)) as fake:
        assert ports[-1] >= 32768
        before = configure(fake)["before"]
        assert before == {"random_port": True, "lines": [{"line": 1, "local_port": None}]}
        assert fake.written == [{"P40": "5074", "P78": "0"}] and ports[-1] == 5074
        assert configure(fake, before)["changed"] and fake.values["P78"] == "1" and fake.values["P40"] == "" and ports[-1] >= 32768


def test_an_inactive_account_gets_its_port_too_and_back():
    with FakeHtek("basic", accounts=[{"user": "101", "port": 5060, "random": False}, {"user": "", "active": False}]) as fake:
        values = dict(fake.values)
        result = configure(fake, {"lines": [{"line": 2, "local_port": 5062}], "random_port": False})
        assert fake.written == [{"P740": "5062", "P778": "0"}]
        configure(fake, result["before"])
        assert fake.values == values


def test_only_the_active_accounts_are_switched_off():
    with FakeHtek("basic", model="UC903", accounts=[{"user": "1", "port": 5060}, {"user": "2", "port": 5060}, {"user": "", "active": False}]) as fake:
        configure(fake, {"random_port": False})
        assert fake.written == [{"P78": "0", "P778": "0"}]


class Memory:
    """A phone's answers to Htek.read() and what its writes send, without a network: for many cases."""

    def __init__(self, accounts):
        self.fake = FakeHtek("basic", accounts=accounts, filler=10)
        self.fake.accounts = len(accounts)

    def driver(self):
        """Of a new visit."""
        made = htek.Htek(Target("kitchen", "127.0.0.1"), None, Identity("htek"))
        made._shown = set(range(1, self.fake.accounts + 1))
        made._ask = lambda ask: ask()
        made.web = self
        return made

    def get(self, path):
        return Answer(path, 200, {}, self.fake._download(Request("GET", path, {}, {}, b"")).body)

    def upload(self, path, files):
        for one in ElementTree.fromstring(files["CfgXmlFile"][1]).findall("config/*"):
            self.fake.values[one.tag] = one.text or ""
        return Answer(path, 200, {}, b"")

    def push(self, wanted):
        """As the work does it: read, compare, write what differs, read back. -> what was there before, of what was wanted"""
        visit = self.driver()
        before = visit.read().settings
        changes = {place: value for place, value in wanted.items() if before[place] != value}
        if changes:
            visit.write(changes)
            after = visit.read().settings
            assert all(after[place] == value for place, value in wanted.items()), (wanted, after)
            assert self.driver().read().settings == after
        return {place: before[place] for place in wanted}, visit

    def used(self):
        """What each account really uses."""
        return {number: 0 if self.fake.get(number, "UseRandomPort") == "1" else self.fake.get(number, "LocalSipPort")
                for number in range(1, self.fake.accounts + 1)}


ACCOUNT = st.fixed_dictionaries({"user": st.just("1"), "active": st.sampled_from([True, True, False]), "random": st.booleans(),
                                 "port": st.sampled_from(["", "5060", "5072", "5074", "5360"])})         # 5072 and 5074: as planned already


def sane(account):
    """A fixed port has a number."""
    return account["random"] or account["port"]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ACCOUNT.filter(sane), min_size=1, max_size=3))
def test_random_ports_are_read_back_and_restored_whatever_they_are(accounts):
    phone = Memory(accounts)
    used, values = phone.used(), dict(phone.fake.values)
    wanted = {Place("random_port"): False, **{Place("local_port", number): 5070 + 2 * number for number in range(1, len(accounts) + 1)}}
    before, dummy = phone.push(wanted)
    assert set(phone.used().values()) == {str(port) for place, port in wanted.items() if place.line}
    phone.push(before)
    assert phone.used() == used
    uniform = all(account["random"] and account["active"] and account["port"] for account in accounts)
    if uniform or not any(account["random"] and account["port"] for account in accounts):       # else a port without effect is lost
        assert phone.fake.values == values


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ACCOUNT.filter(sane), min_size=2, max_size=3))
def test_what_a_visit_has_written_it_puts_back_to_the_letter(accounts):
    phone = Memory(accounts)
    values = dict(phone.fake.values)
    before, visit = phone.push({Place("random_port"): False, Place("local_port", 1): 5074})
    now = visit.read().settings
    old = {place: value for place, value in before.items() if now[place] != value}
    if old:
        visit.write(old)
    assert phone.fake.values == values


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ACCOUNT.filter(sane).map(lambda account: {**account, "random": True, "active": True}), min_size=2, max_size=3))
def test_an_account_that_nobody_plans_comes_back_with_the_others(accounts):
    """All accounts use random ports, one of them is planned; the other's switch is part of random_port."""
    phone = Memory(accounts)
    used = phone.used()
    before, dummy = phone.push({Place("random_port"): False, Place("local_port", 1): 5074})
    phone.push(before)
    if all(account["port"] for account in accounts) or not any(account["port"] for account in accounts[1:]):
        assert phone.used() == used


# ---------------------------------------------------------------------- the restart that follows each write


def test_read_back_waits_for_the_restart():
    with FakeHtek("basic", faults={"slow_reboot": 1.0}) as fake:
        result = configure(fake)
        assert result["applied"] == "rebooted" and (fake.writes, fake.reboots) == (1, 1)
        upload = fake.log.index("POST /HLCFG_XML_configuration.htm")
        assert fake.log[-1] == "GET /download_xml_cfg" and "GET /index.htm" in fake.log[upload:-1]
        assert "GET /download_xml_cfg" not in fake.log[upload:-1]


def test_in_order_means_no_upload_and_no_restart():
    with FakeHtek("basic", accounts=[{"user": "101", "port": 5074, "random": False}]) as fake:
        assert configure(fake)["changed"] is False
        assert (fake.writes, fake.reboots) == (0, 0) and not any(line.startswith("POST") for line in fake.log)


def test_a_page_instead_of_a_restart_is_no_success():
    with FakeHtek("basic", faults={"refused": True}) as fake:
        error = refuse(NotApplied, lambda: configure(fake))
        assert error.wrote and "As they were" not in str(error) and "as they were" in str(error) and (fake.writes, fake.reboots) == (0, 0)
        assert sum("POST" in line for line in fake.log) == 1


def test_forbidden_is_no_write():
    with FakeHtek("basic", faults={"forbidden": True}) as fake:
        error = refuse(PermissionMissing, lambda: configure(fake))
        assert not error.wrote and fake.writes == 0


def test_a_phone_that_does_not_come_back_from_its_write_is_left_alone():
    with FakeHtek("basic", faults={"slow_reboot": 30}) as fake:
        error = refuse(DeviceError, lambda: configure(fake, reboot_timeout=2.0))
        assert error.wrote and "did not come back" in str(error) and "it had random_port True" in str(error)
        assert (fake.writes, fake.reboots) == (1, 1)


def test_a_phone_that_takes_the_settings_but_does_not_restart_is_no_success():
    with FakeHtek("basic", faults={"ignore_reboot": True}) as fake:
        error = refuse(DeviceError, lambda: configure(fake, reboot_timeout=2.0))
        assert error.wrote and "did not come back" in str(error) and fake.writes == 1


def test_a_write_that_needs_longer_than_it_usually_takes_to_go_down(monkeypatch):
    """The look in between finds the new settings before the restart: it is waited for all the same."""
    monkeypatch.setattr(work, "_REBOOT_STARTS", 0.3)

    class Late(FakeHtek):
        def _restart(self):
            time.sleep(1.0)
            super()._restart()

    with Late("basic") as fake:
        assert configure(fake)["applied"] == "rebooted" and fake.effective == {1: 5074} and fake.writes == 1


def test_half_an_effect_costs_one_more_restart_and_no_third():
    with FakeHtek("basic", faults={"silent_success": ["P40"]}) as fake:
        values = dict(fake.values)
        error = refuse(NotApplied, lambda: configure(fake))
        assert "put back" in str(error) and (fake.writes, fake.reboots) == (2, 2) and fake.values == values


@pytest.mark.parametrize("faults", [{}, {"no_up_time": True}, {"drop_on_reboot": True}, {"no_up_time": True, "drop_on_write": True}])
def test_a_restart_is_seen_by_the_up_time_or_by_its_silence(faults):
    with FakeHtek("basic", faults=faults) as fake:
        assert configure(fake)["applied"] == "rebooted" and fake.effective == {1: 5074}


def test_a_busy_phone_that_misses_a_question_has_not_restarted():
    with FakeHtek("basic") as fake:
        one = driver(fake)
        one._restarting()
        fake.faults["drop"] = "index"
        assert not one.restarted()
        del fake.faults["drop"]
        assert not one.restarted()                      # up for a week
        one._asked -= 700000
        assert one.restarted()                          # asked for before that week


@pytest.mark.parametrize(("faults", "asked"), [
    ({}, ["GET /rb_phone.htm"]), ({"no_reboot_page": True}, ["GET /rb_phone.htm", "GET /Phone_ActionURL&key=Reboot"]),
    ({"drop_on_reboot": True}, ["GET /rb_phone.htm"])])
def test_reboot_asks_once(faults, asked):
    with FakeHtek("digest", faults=faults) as fake:
        one = driver(fake)
        fake.log.clear()
        one.reboot()
        assert fake.reboots == 1 and fake.log == asked


def test_a_phone_without_a_page_that_restarts_it():
    class Old(FakeHtek):
        def _reboot(self, request):
            return Reply(404)

    with Old("basic") as fake:
        refuse(DeviceError, driver(fake).reboot)


# ---------------------------------------------------------------------- recognising


class Page(FakeWebServer):
    def __init__(self, reply):
        super().__init__()
        self.reply, self.logins = reply, 0

    def handle(self, request):
        self.logins += "authorization" in request.headers
        return self.reply if request.path == "/" else Reply(404)


@pytest.mark.parametrize("reply", [
    Reply(200, b"<title>IP Phone</title>"),
    Reply(401, headers=[("WWW-Authenticate", 'Basic realm="snom"')]),
    Reply(401, headers=[("WWW-Authenticate", 'Basic realm="Gigabit Color IP Phone SIP-T46G"')]),
    Reply(401, headers=[("WWW-Authenticate", 'Basic realm="My IP Phone"')]),
    Reply(401, b'realm="IP Phone"', headers=[("WWW-Authenticate", 'Digest realm="spa user", nonce="x"')]),
], ids=range(5))
def test_a_stranger_gets_no_password(reply):
    with Page(reply) as fake:
        refuse(Unsupported, lambda: inspect_phone(Target("kitchen", "127.0.0.1", port=fake.port, protocol="http", password="secret", brand="htek")))
        assert fake.logins == 0 and fake.log == ["GET /"]


@pytest.mark.parametrize("brand", ["auto", "htek", "north_american_telecom"])
@pytest.mark.parametrize("kind", ["basic", "digest"])
def test_a_rebrand_is_found_by_its_protocol(kind, brand):
    with FakeHtek(kind, title="North American Telecom", server="") as fake:
        assert inspect_phone(target(fake, brand=brand))["identity"]["brand"] == "htek"


def test_nothing_is_crawled():
    """There are addresses that restart or reset it at once."""
    with FakeHtek("basic") as fake:
        configure(fake)
        assert {line.partition(" ")[2] for line in fake.log} == {"/", "/index.htm", "/download_xml_cfg", "/HLCFG_XML_configuration.htm"}
