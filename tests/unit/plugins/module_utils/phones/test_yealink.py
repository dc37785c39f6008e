# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is Yealink's alone: sessions, and what its words mean. What every phone must do is in contract_suite.py."""

from __future__ import annotations

import pytest

from ansible_collections.evenport.sip.plugins.module_utils.errors import (
    Busy,
    DeviceError,
    IdentityMismatch,
    NotApplied,
    Unsupported,
)
from ansible_collections.evenport.sip.plugins.module_utils.phones.work import configure_phone, inspect_phone
from ansible_collections.evenport.sip.plugins.module_utils.phones.yealink import keys as yealink_keys
from tests.fakes.web import Reply
from tests.fakes.yealink import fake_yealink
from tests.fakes.yealink_api import FakeYealinkY5
from tests.fakes.yealink_servlet import FakeYealinkY3, FakeYealinkY4
from tests.unit.plugins.module_utils.phones.contract_suite import PASSWORD, TWO_LINES, PhoneContract, Row, refuse, target_of
from tests.unit.plugins.module_utils.phones.yealink_visits import ONE, configure, target

NAT = {"account.1.nat.nat_traversal", "account.1.nat.rport", "account.2.nat.rport", "account.1.nat.udp_update_time", "account.2.nat.udp_update_time"}
PER_PHONE = {"keep_alive_interval": 20, "lines": [
    {"line": 1, "local_port": 5074, "nat_traversal": "stun", "rport": True}, {"line": 2, "nat_traversal": "keep_alive", "rport": True}]}
PER_LINE = {"keep_alive_interval": 20, "lines": [
    {"line": 1, "local_port": 5074, "nat_traversal": "stun", "rport": True},
    {"line": 2, "local_port": 5076, "nat_traversal": "keep_alive", "rport": True}]}
ONE_FORM = {"lines": [{"line": 1, "local_port": 5074, "nat_traversal": "none", "rport": True}, {"line": 2, "local_port": 5062}]}
STATIC, OLD = "static.auto_provision.server.url", "auto_provision.server.url"


def maker(generation, **fixed):
    def make(**more):
        faults = {**fixed.get("faults", {}), **more.pop("faults", {})}
        return fake_yealink(generation, **{**fixed, "password": PASSWORD, "accounts": TWO_LINES, **more, "faults": faults})
    return make


def row(name, generation, read_path, write_path, login_path, *, url=STATIC, **fixed):
    """One port for the phone or one for each line; stun for line 1, rport for both, one interval for both."""
    line = fixed.get("scope") == "line"
    ports = {"account.1.sip_listen_port", "account.2.sip_listen_port"} if line else {"sip.listen_port"}
    return Row(
        name, maker(generation, **fixed), "yealink", generation, PER_LINE if line else PER_PHONE, frozenset(NAT | ports),
        ("account.2.nat.rport", "rport of line 2 is False instead of True"), {1: 5060, 2: 5062} if line else {1: 5060},
        {1: 5074, 2: 5076} if line else {1: 5074, 2: 5074}, read_path, write_path, login_path, mac_first=False, lock_text="3", call_state=generation == "Y5",
        provision=lambda fake: fake.values.update({url: "http://admin:hunter2@prov.example.net/cfg"}))


Y5 = ("Y5", "readconfig", "writeconfig", "auth/login")
Y4 = ("Y4", "exportcfgconfig", "mod_res", "q=login&Rajax")


class TestContract(PhoneContract):
    ROWS = [
        row("y5", *Y5),
        row("y5-line", *Y5, scope="line", faults={"plain": True}),
        row("y5-file", "Y5", "action=export", "action=import", "auth/login", faults={"wui_ids": True}),
        row("y4-a", *Y4),
        row("y4-b", *Y4, variant="B", faults={"changed_only": True}),
        Row("y3", maker("Y3"), "yealink", "Y3", ONE_FORM,
            frozenset({"account.1.sip_listen_port", "account.1.nat.udp_update_enable", "account.1.nat.rport"}),
            ("account.1.nat.rport", "rport of line 1 is False instead of True"), {1: 5060, 2: 5062}, {1: 5074, 2: 5062},
            "localconfig", "q=write", "getsessionid", mac_first=False, lock_text="3", call_state=False, partial=False,
            provision=lambda fake: fake.values.update({OLD: "http://admin:hunter2@prov.example.net/cfg"})),
    ]

    def test_a_session_is_given_back_whatever_goes_wrong(self, row):
        for wanted in ({"lines": [{"line": 1, "local_port": 80}]}, {"lines": [{"line": 1, "nat_traversal": "upnp"}]}):
            with row.make() as fake:
                refuse(Unsupported, lambda fake=fake, wanted=wanted: configure_phone(target_of(fake), wanted))
                assert (fake.logins, fake.logouts, fake.writes) == (1, 1, 0)

    def test_secrets_are_neither_sent_back_nor_lost(self, row):
        with row.make() as fake:
            secrets = {key: value for key, value in fake.values.items() if key.endswith("password")}
            configure_phone(target_of(fake), row.wanted, in_use=False)
            assert len(secrets) > 2 and all(fake.values[key] == value for key, value in secrets.items())
            assert not any("password" in key for written in fake.written for key in written)


# ---------------------------------------------------------------------- ports per phone and per line


@pytest.mark.parametrize(("generation", "scope"), [("Y5", "phone"), ("Y5", "line"), ("Y4", "phone"), ("Y4", "line"), ("Y3", "line")])
@pytest.mark.parametrize("faults", [{}, {"changed_only": True}], ids=str)
def test_whose_the_port_is_shows_by_the_keys_the_phone_has(generation, scope, faults):
    with fake_yealink(generation, scope=scope, faults=faults, accounts=TWO_LINES) as fake:
        found = inspect_phone(target(fake))
        assert found["port_scope"] == scope
        assert [account["local_port"] for account in found["accounts"][:2]] == ([5060, 5062] if scope == "line" else [None, None])
        assert found["settings"]["lines"][0] == {"line": 1, "local_port": 5060, "nat_traversal": "keep_alive", "rport": False}


def test_an_export_that_leaves_out_the_factorys_values_is_completed_and_written_once():
    with fake_yealink("Y4", faults={"changed_only": True}) as fake:
        assert configure(fake, PER_PHONE | {"lines": PER_PHONE["lines"][:1]})["changed"]
        assert not configure(fake, PER_PHONE | {"lines": PER_PHONE["lines"][:1]})["changed"] and fake.writes == 1


def test_y5_accounts_that_only_have_empty_values_do_not_exist():
    with fake_yealink("Y5", model="T31G", faults={"unknown_keys": "empty"}) as fake:
        assert [account["number"] for account in inspect_phone(target(fake))["accounts"]] == [1, 2]


@pytest.mark.parametrize("unknown", ["omit", "empty"])
@pytest.mark.parametrize("scope", ["phone", "line"])
def test_y5_a_switch_that_the_phone_does_not_have_is_passed_over_and_named(unknown, scope):
    with fake_yealink("Y5", scope=scope, faults={"unknown_keys": unknown}, accounts=TWO_LINES) as fake:
        del fake.values["account.1.nat.rport"]
        result = configure(fake)
        assert result["changed"] and result["unsupported"] == ["rport of line 1"] and result["port_scope"] == scope
        assert [account["local_port"] for account in result["accounts"]][:2] == ([5074, 5062] if scope == "line" else [None, None])


@pytest.mark.parametrize("faults", [{"unknown_keys": "refuse"}, {"wui_ids": True}, {"wui_ids": True, "unknown_keys": "refuse"},
                                    {"wui_ids": True, "unknown_keys": "empty"}, {"write_by_id": True}], ids=str)
def test_y5_without_cfg_keys_the_configuration_file_serves(faults):
    with fake_yealink("Y5", faults=faults) as fake:
        assert configure(fake)["changed"] and not configure(fake)["changed"]
        assert fake.writes == 1 and fake.written[0] == {"sip.listen_port": "5074", "account.1.nat.rport": "1"}


@pytest.mark.parametrize("faults", [{"public_mac": True}, {"no_token": True}, {"plain": True}], ids=str)
def test_y5_other_manners(faults):
    with fake_yealink("Y5", faults=faults) as fake:
        assert configure(fake)["changed"] and not configure(fake)["changed"] and fake.writes == 1


def test_y5_a_mac_that_anybody_sees_is_compared_before_the_password():
    with fake_yealink("Y5", faults={"public_mac": True}) as fake:
        refuse(IdentityMismatch, lambda: inspect_phone(target(fake, mac="805ec0ffffff")))
        assert fake.login_attempts == 0


@pytest.mark.parametrize("generation", ["Y3", "Y4", "Y5"])
def test_a_phone_that_does_not_say_its_mac_is_not_written(generation):
    with fake_yealink(generation, faults={"no_mac": True}) as fake:
        refuse(IdentityMismatch, lambda: configure(fake))
        assert fake.writes == 0 and fake.logouts == fake.logins == 1


def test_y5_without_call_state_the_pbx_is_asked():
    with fake_yealink("Y5", faults={"no_call_state": True}) as fake:
        refuse(Busy, lambda: configure(fake, in_use=True))
        assert configure(fake)["changed"]


# ---------------------------------------------------------------------- what the words mean


@pytest.mark.parametrize(("before", "wanted", "written"), [
    (("0", "1"), "stun", {"account.1.nat.nat_traversal": "1"}),
    (("1", "1"), "keep_alive", {"account.1.nat.nat_traversal": "0"}),
    (("1", "1"), "none", {"account.1.nat.nat_traversal": "0", "account.1.nat.udp_update_enable": "0"}),
    (("0", "0"), "keep_alive", {"account.1.nat.udp_update_enable": "1"}),
    (("0", "0"), "stun", {"account.1.nat.nat_traversal": "1", "account.1.nat.udp_update_enable": "1"}),
    (("0", "1"), "none", {"account.1.nat.udp_update_enable": "0"}),
])
def test_nat_traversal_is_two_keys(before, wanted, written):
    with fake_yealink("Y4", variant="B") as fake:
        fake.values.update({"account.1.nat.nat_traversal": before[0], "account.1.nat.udp_update_enable": before[1]})
        values = dict(fake.values)
        before = configure(fake, {"lines": [{"line": 1, "nat_traversal": wanted}]})["before"]
        assert fake.written == [written]
        assert not configure(fake, {"lines": [{"line": 1, "nat_traversal": wanted}]})["changed"]
        assert configure(fake, before)["changed"] and fake.values == values


GENERATIONS = [("Y5", "phone"), ("Y5", "line"), ("Y4", "phone"), ("Y4", "line"), ("Y3", "line")]
ODD = [("nat_traversal", {"nat.nat_traversal": "1", "nat.udp_update_enable": "0"}), ("nat_traversal", {"nat.udp_update_enable": "2"}),
       ("nat_traversal", {"nat.udp_update_enable": "3"}), ("nat_traversal", {"nat.nat_traversal": "2"}), ("nat_traversal", {"nat.udp_update_enable": ""}),
       ("rport", {"nat.rport": "2"}), ("rport", {"nat.rport": ""})]


@pytest.mark.parametrize(("generation", "scope"), GENERATIONS)
@pytest.mark.parametrize(("word", "shown"), ODD, ids=str)
@pytest.mark.parametrize("nat", ["none", "keep_alive"])
def test_a_spelling_that_no_word_could_put_back_is_not_touched(generation, scope, word, shown, nat):
    with fake_yealink(generation, scope=scope) as fake:
        fake.values.update({f"account.1.{key}": value for key, value in shown.items()})
        before = dict(fake.values)
        wanted = {"lines": [{"line": 1, "local_port": 5074, "nat_traversal": nat, "rport": word == "nat_traversal"}]}
        if generation == "Y3" and "" in shown.values():                 # its form can't send a choice that is empty
            assert "not found for sure" in str(refuse(Unsupported, lambda: configure(fake, wanted)))
            assert fake.values == before
            return
        result = configure(fake, wanted)
        assert result["unsupported"] == [f"{word} of line 1"] and fake.effective[1] == 5074
        assert configure(fake, result["before"])["changed"] and fake.values == before


# ---------------------------------------------------------------------- the interval: one word for all accounts

TIMES = {n: f"account.{n}.nat.udp_update_time" for n in range(1, 4)}
MANY = [pair for pair in GENERATIONS if pair[0] != "Y3"]


@pytest.mark.parametrize(("generation", "scope"), MANY)
def test_an_interval_that_all_active_accounts_have_is_put_back_by_a_later_run(generation, scope):
    accounts = [*TWO_LINES, {"user": "103", "active": False}]
    with fake_yealink(generation, model="T46U", scope=scope, accounts=accounts) as fake:
        fake.values.update({TIMES[1]: "45", TIMES[2]: "45", TIMES[3]: "60"})
        before = dict(fake.values)
        result = configure(fake, {**ONE, "keep_alive_interval": 20})
        assert [fake.values[TIMES[n]] for n in TIMES] == ["20", "20", "60"] and result["before"]["keep_alive_interval"] == 45
        assert configure(fake, result["before"])["changed"] and fake.values == before


@pytest.mark.parametrize(("generation", "scope"), GENERATIONS)
@pytest.mark.parametrize("shown", [("30", "45"), ("30", ""), ("0", "0"), ("3601", "3601"), ("020", "020"), ("x", "x")], ids=str)
def test_intervals_that_differ_or_that_no_word_stands_for_are_not_touched(generation, scope, shown):
    with fake_yealink(generation, scope=scope, accounts=TWO_LINES) as fake:
        fake.values.update({TIMES[1]: shown[0], TIMES[2]: shown[1]})
        before = dict(fake.values)
        result = configure(fake, {**ONE, "keep_alive_interval": 25})
        if (generation, shown[1]) != ("Y5", ""):                        # empty when asked for by key: that account has no such setting
            assert result["unsupported"] == ["keep_alive_interval"] and "keep_alive_interval" not in result["before"]
        assert configure(fake, result["before"])["changed"] and fake.values == before


@pytest.mark.parametrize(("generation", "scope"), MANY)
@pytest.mark.parametrize("stuck", [1, 2])
def test_an_interval_that_one_account_did_not_take_is_noticed_and_put_back(generation, scope, stuck):
    with fake_yealink(generation, scope=scope, accounts=TWO_LINES, faults={"silent_success": [TIMES[stuck]]}) as fake:
        before = dict(fake.values)
        error = refuse(NotApplied, lambda: configure(fake, {**ONE, "keep_alive_interval": 20}))
        assert fake.written[0][TIMES[1]] == fake.written[0][TIMES[2]] == "20"
        assert "keep_alive_interval is 'not there' instead of 20" in str(error) and "has been put back" in str(error) and fake.values == before


# ---------------------------------------------------------------------- ports that could not be put back


def port_key(scope):
    return "sip.listen_port" if scope == "phone" else "account.1.sip_listen_port"


@pytest.mark.parametrize(("generation", "scope"), GENERATIONS)
def test_an_empty_port_is_the_factorys_and_comes_back_as_that(generation, scope):
    with fake_yealink(generation, scope=scope) as fake:
        fake.values[port_key(scope)] = ""
        assert not configure(fake, {"lines": [{"line": 1, "local_port": 5060}]})["changed"]
        result = configure(fake, {"lines": [{"line": 1, "local_port": 5070}]})
        assert result["before"] == {"lines": [{"line": 1, "local_port": 5060}]} and fake.effective[1] == 5070
        assert configure(fake, result["before"])["changed"] and fake.effective[1] == 5060


@pytest.mark.parametrize(("generation", "scope"), GENERATIONS)
@pytest.mark.parametrize("shown", ["0", "80", "70000", "x"])
def test_a_port_that_could_not_be_put_back_is_not_touched(generation, scope, shown):
    with fake_yealink(generation, scope=scope) as fake:
        fake.values[port_key(scope)] = shown
        assert inspect_phone(target(fake))["settings"]["lines"][0]["local_port"] == (80 if shown == "80" else None)
        for check in (lambda: configure(fake), lambda: inspect_phone(target(fake), ONE)):
            assert "could not be put back" in str(refuse(Unsupported, check))
        assert fake.writes == 0 and fake.logouts == fake.logins


def test_nothing_can_be_emptied():
    with fake_yealink("Y5") as fake:
        refuse(Unsupported, lambda: configure(fake, {"lines": [{"line": 1, "local_port": None}]}))
        assert fake.writes == 0


@pytest.mark.parametrize("kind", [FakeYealinkY5, FakeYealinkY4, FakeYealinkY3])
def test_what_is_put_back_is_looked_at_first_where_reading_back_failed(kind):
    """What the phone showed before the write must not be taken for what it holds now."""
    class Odd(kind):
        broken = 1

        def handle(self, request):
            reads = request.path == "/api/inner/readconfig" or "exportcfgconfig" in request.query.values() or "export" in request.query.values()
            if self.writes and self.broken and reads:
                self.broken -= 1
                return Reply(500)
            return super().handle(request)

    with Odd() as fake:
        before = dict(fake.values)
        error = refuse(DeviceError, lambda: configure(fake))
        assert "could not read it back" in str(error) and "has been put back" in str(error) and fake.values == before and fake.writes == 2


def test_random_port_is_no_setting_of_a_yealink_and_its_tcp_mode_is_left_alone():
    with fake_yealink("Y5") as fake:
        assert configure(fake, {**ONE, "random_port": False})["unsupported"] == ["random_port"]
        assert fake.values["sip.tcp_port_random_mode"] == "0" and "sip.tcp_port_random_mode" not in fake.written[0]


@pytest.mark.parametrize("port", [1, 1023])
def test_a_port_that_a_yealink_refuses(port):
    with fake_yealink("Y5") as fake:
        assert "1024 to 65535" in str(refuse(Unsupported, lambda: configure(fake, {"lines": [{"line": 1, "local_port": port}]})))


@pytest.mark.parametrize(("generation", "prefix"), [("Y5", "static."), ("Y4", "static."), ("Y3", "")])
def test_a_phone_that_keeps_what_is_set_by_hand_is_written(generation, prefix):
    with fake_yealink(generation) as fake:
        fake.values.update({prefix + "auto_provision.server.url": "https://prov.example.net", prefix + "auto_provision.custom.protect": "1"})
        assert inspect_phone(target(fake))["provisioning"] == {"server": "prov.example.net", "protocol": "https", "protected": True}
        assert configure(fake)["changed"]


@pytest.mark.parametrize(("url", "expected"), [
    ("", {}), ("tftp://192.0.2.7", {"server": "192.0.2.7", "protocol": "tftp"}), ("prov.example.net/x", {"server": "prov.example.net/x", "protocol": ""}),
    ("https://user:p@ss@prov.example.net/a", {"server": "prov.example.net/a", "protocol": "https"}),
    ("https://rps.yealink.com", {}), ("https://", {}), ("http://[::1", {"server": "[::1", "protocol": "http"})])
def test_provisioning_without_credentials(url, expected):
    assert yealink_keys.provisioning_of({STATIC: url}) == ({**expected, "protected": False} if expected else {})
