# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is Htek's alone, and what happens to every phone that restarts at each write. What every phone must do is in contract_suite.py."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ansible_collections.evenport.sip.plugins.module_utils.errors import AuthFailed, BadAnswer, NotApplied, Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import Answer
from ansible_collections.evenport.sip.plugins.module_utils.model import Identity
from ansible_collections.evenport.sip.plugins.module_utils.phones.htek import config as htek_config
from ansible_collections.evenport.sip.plugins.module_utils.phones.htek import driver as htek
from ansible_collections.evenport.sip.plugins.module_utils.phones.settings import Place
from ansible_collections.evenport.sip.plugins.module_utils.phones.target import Target
from ansible_collections.evenport.sip.plugins.module_utils.phones.work import inspect_phone
from tests.fakes.htek import FakeHtek
from tests.fakes.web import Reply, Request
from tests.unit.plugins.module_utils.phones.contract_suite import PASSWORD, TWO_LINES, PhoneContract, Row, refuse
from tests.unit.plugins.module_utils.phones.htek_visits import (
    ONE,
    WANTED,
    configure,
    driver,
    target,
)


def row(name, kind, changes, **options):
    random = options.setdefault("random", False)
    half = ("P778", "instead of 5076") if random else ("P740", "local_port of line 2 is 5062 instead of 5076")
    return Row(
        name, lambda **more: FakeHtek(kind, **{"password": PASSWORD, "accounts": TWO_LINES, **options, **more}), "htek", kind,
        WANTED, frozenset(changes), half, {1: None, 2: None} if random else {1: 5060, 2: 5062}, {1: 5074, 2: 5076},
        "download_xml_cfg", "HLCFG_XML", "index.htm", sessions=False, resumes=False, mac_first=False, lock_text="", call_state=False, applies="reboot",
        provision=lambda fake: fake.values.update({"P237": "http://admin:hunter2@prov.example.net/cfg"}))


class TestContract(PhoneContract):
    ROWS = [
        row("basic", "basic", {"P40", "P740", "P52", "P730", "P84"}),
        row("digest", "digest", {"P40", "P740", "P52", "P84"}),                                 # one NAT setting: both accounts have profile 0
        row("random", "digest", {"P40", "P740", "P78", "P778", "P52", "P84"}, random=True),
        row("rebrand", "basic", {"P40", "P740", "P52", "P730", "P84"}, title="North American Telecom", server="", model="S500"),
    ]

    def test_restore_puts_everything_back(self, row):
        """What a random account has stored for a port has no effect; only the visit that overwrites it knows it."""
        if row.name != "random":
            super().test_restore_puts_everything_back(row)
            return
        with row.make() as fake:
            before = dict(fake.values)
            configure(fake, configure(fake, WANTED)["before"])
            assert {code for code in before if fake.values[code] != before[code]} == {"P40", "P740"}
            assert all(port >= 32768 for port in fake.effective.values())


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
    wanted = {"lines": [{"line": 3, "local_port": 5088}]}
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


@pytest.mark.parametrize("text", ["7", "on", "²"])
def test_what_can_not_be_read_is_not_touched_and_named(text):
    with FakeHtek("basic") as fake:
        fake.values.update(P52=text, P136=text, P84="5000")
        result = configure(fake, {"keep_alive_interval": 30, "lines": [{"line": 1, "local_port": 5074, "nat_traversal": "keep_alive", "rport": True}]})
        assert sorted(result["unsupported"]) == ["keep_alive_interval", "nat_traversal of line 1", "rport of line 1"]
        assert fake.written == [{"P40": "5074", "P78": "0"}]


def test_a_keep_alive_that_is_off_is_off_again():
    with FakeHtek("basic") as fake:
        fake.values["P84"] = "0"
        before = configure(fake, {"keep_alive_interval": 30})["before"]
        assert before == {"keep_alive_interval": None} and fake.values["P84"] == "30"
        configure(fake, before)
        assert fake.values["P84"] == "0"


@pytest.mark.parametrize("text", ["0", "70000", "none"])
def test_a_port_that_is_none_is_not_written_over(text):
    with FakeHtek("basic", random=False) as fake:
        fake.values["P40"] = text
        assert "no port" in str(refuse(Unsupported, lambda: configure(fake)))
        assert fake.writes == 0


# ---------------------------------------------------------------------- random ports, which each account has for itself


def test_a_phone_as_from_the_factory_registers_from_a_random_port_until_it_is_switched_off():
    ports = []
    with FakeHtek("basic", accounts=[{"user": "101"}], on_register=lambda fake, number, port: ports.append(port)) as fake:
        assert ports[-1] >= 32768
        before = configure(fake)["before"]
        assert before == {"lines": [{"line": 1, "local_port": None}]}
        assert fake.written == [{"P40": "5074", "P78": "0"}] and ports[-1] == 5074
        assert configure(fake, before)["changed"] and fake.written[1:] == [{"P78": "1"}] and ports[-1] >= 32768


def test_there_is_no_switch_of_the_whole_phone():
    with FakeHtek("basic") as fake:
        result = configure(fake, {"random_port": False, **ONE})
        assert result["unsupported"] == ["random_port"] and fake.written == [{"P40": "5074", "P78": "0"}]


@pytest.mark.parametrize("kind", ["basic", "digest"])
@pytest.mark.parametrize("port", ["", "5060", "5064"])
def test_an_account_that_nobody_plans_is_not_touched(kind, port):
    """Its random port would become 5060, somebody else's perhaps."""
    with FakeHtek(kind, accounts=[{"user": "101", "port": 5060}, {"user": "102", "port": port}]) as fake:
        values = dict(fake.values)
        before = configure(fake)["before"]
        assert fake.effective[1] == 5074 and fake.effective[2] >= 32768 and set(fake.written[0]) == {"P40", "P78"}
        assert [account["local_port"] for account in inspect_phone(target(fake))["accounts"]] == [5074, None]
        configure(fake, before)
        assert fake.values == {**values, "P40": "5074"} and all(used >= 32768 for used in fake.effective.values())


def test_an_empty_port_counts_as_5060_for_everybody():
    with FakeHtek("basic", accounts=[{"user": "101", "random": False}, {"user": "102", "random": False}]) as fake:
        found = inspect_phone(target(fake))
        assert [account["local_port"] for account in found["accounts"]] == [5060, 5060]
        before = configure(fake)["before"]
        assert before == {"lines": [{"line": 1, "local_port": 5060}]} and fake.written == [{"P40": "5074"}]
        configure(fake, before)
        assert (fake.values["P40"], fake.values["P78"], fake.values["P740"]) == ("5060", "0", "") and fake.effective == {1: 5060, 2: 5060}


@pytest.mark.parametrize("port", ["", "5062"])
def test_half_of_the_pair_is_put_back_to_the_letter(port):
    """The port is stored, and its account stays random: the same port as before to the network, but not the same settings."""
    with FakeHtek("basic", accounts=[{"user": "101", "port": port}], faults={"silent_success": ["P78"]}) as fake:
        values = dict(fake.values)
        error = refuse(NotApplied, lambda: configure(fake))
        assert "local_port of line 1 is 'random' instead of 5074" in str(error) and "has been put back" in str(error)
        assert fake.values == values and fake.writes == 2


def test_a_switch_that_this_firmware_lacks_can_not_be_put_on():
    with FakeHtek("basic", accounts=[{"user": "101", "port": 5060}], faults={"missing": ["Account1.UseRandomPort"]}) as fake, pytest.raises(Unsupported):
        driver(fake).check({Place("local_port", 1): None})


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
        return {number: 0 if self.fake.get(number, "UseRandomPort") == "1" else self.fake.get(number, "LocalSipPort") or "5060"
                for number in range(1, self.fake.accounts + 1)}


ACCOUNT = st.fixed_dictionaries({"user": st.just("1"), "active": st.sampled_from([True, True, False]), "random": st.booleans(),
                                 "port": st.sampled_from(["", "5060", "5072", "5074", "5360"])})         # 5072 and 5074: as planned already


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ACCOUNT, min_size=1, max_size=3), st.sets(st.integers(1, 3), min_size=1))
def test_ports_are_read_back_and_restored_in_another_visit(accounts, planned):
    """Of the accounts that are planned their use comes back, and the others' settings are never touched."""
    phone = Memory(accounts)
    used, values = phone.used(), dict(phone.fake.values)
    wanted = {Place("local_port", number): 5070 + 2 * number for number in planned if number <= len(accounts)}
    before, dummy = phone.push(wanted)
    assert phone.used() == {**used, **{place.line: str(port) for place, port in wanted.items()}}
    phone.push(before)
    assert phone.used() == used
    stored = {phone.fake.code(f"Account{place.line}.LocalSipPort") for place in wanted}
    assert {code for code, value in values.items() if phone.fake.values[code] != value} <= stored


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ACCOUNT, min_size=2, max_size=3))
def test_what_a_visit_has_written_it_puts_back_to_the_letter(accounts):
    phone = Memory(accounts)
    values = dict(phone.fake.values)
    before, visit = phone.push({Place("local_port", 1): 5074, Place("local_port", 2): 5076})
    now = visit.read().settings
    old = {place: value for place, value in before.items() if now[place] != value}
    if old:
        visit.write(old)
    assert phone.fake.values == values
