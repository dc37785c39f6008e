# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is Grandstream's alone. What every phone must do is in contract_suite.py."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.evenport.sip.plugins.module_utils.errors import AuthFailed, BadAnswer, EvenportError, LockedOut, Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import Answer
from ansible_collections.evenport.sip.plugins.module_utils.phones import work
from ansible_collections.evenport.sip.plugins.module_utils.phones.grandstream import common as grandstream_common
from ansible_collections.evenport.sip.plugins.module_utils.phones.grandstream import g3 as grandstream_g3
from ansible_collections.evenport.sip.plugins.module_utils.phones.grandstream import keys as grandstream_keys
from ansible_collections.evenport.sip.plugins.module_utils.phones.settings import SETTINGS, Place
from ansible_collections.evenport.sip.plugins.module_utils.phones.target import Target
from ansible_collections.evenport.sip.plugins.module_utils.phones.visit import Visit
from ansible_collections.evenport.sip.plugins.module_utils.phones.work import configure_phone, inspect_phone
from tests.fakes.grandstream import FakeGrandstream
from tests.fakes.web import Reply
from tests.unit.plugins.module_utils.phones.contract_suite import PASSWORD, TWO_LINES, PhoneContract, Row, refuse, target_of

ONE = {"lines": [{"line": 1, "local_port": 5074, "nat_traversal": "stun", "rport": True}], "random_port": False}


WANTED = {"random_port": False, "keep_alive_interval": 30, "lines": [
    {"line": 1, "local_port": 5074, "nat_traversal": "keep_alive"}, {"line": 2, "local_port": 5076, "nat_traversal": "keep_alive"}]}


def row(name, generation, model, read_path, write_path):
    """Two ports, two NAT modes, one interval: five values change, random_port is right already."""
    return Row(
        name, lambda **more: FakeGrandstream(generation, **{"model": model, "password": PASSWORD, "accounts": TWO_LINES, **more}), "grandstream", generation,
        WANTED, frozenset({"P40", "P413", "P52", "P414", "P84"}), ("P413", "local_port of line 2 is 5062 instead of 5076"),
        {1: 5060, 2: 5062}, {1: 5074, 2: 5076}, read_path, write_path,
        provision=lambda fake: fake.values.update({"P237": "admin:hunter2@prov.example.net/cfg"}))


class TestContract(PhoneContract):
    ROWS = [
        row("g3", "G3", "", "config_get", "config_update"),
        row("wp", "G3", "WP826", "config_get", "config_update"),
        row("g2", "G2", "", "api.values.get", "api.values.post"),
        row("g2-user", "G2", "GXP2160", "api.values.get", "api.values.post"),
    ]

    def test_forbidden_for_a_missing_referer(self, row):
        with row.make(faults={"referer_removed": True}) as fake:
            assert "Referer" in str(refuse(BadAnswer, lambda: configure_phone(target_of(fake), WANTED)))
            assert (fake.login_attempts, fake.writes) == (0, 0)


@pytest.fixture(autouse=True)
def _fresh_maps():
    """Each test is a process of its own as far as the cache of alias maps goes."""
    grandstream_g3._maps.clear()


def target(fake, **more):
    return Target(**{"name": "kitchen", "host": "127.0.0.1", "protocol": "http", "port": fake.port, "password": fake.password, "timeout": 2.0, **more})


# ---------------------------------------------------------------------- quirks


@pytest.mark.parametrize("generation", ["G2", "G3"])
@pytest.mark.parametrize("faults", [
    {"botched_header": "body"}, {"botched_header": "header"}, {"malformed_cookie": True}, {"no_metaconfig": True}, {"no_call_state": True}], ids=str)
def test_quirks_are_survived(generation, faults):
    with FakeGrandstream(generation, faults=faults) as fake:
        assert configure_phone(target(fake), ONE)["changed"]
        assert not configure_phone(target(fake), ONE)["changed"]
        assert fake.values["P40"] == "5074" and fake.writes == 1


@pytest.mark.parametrize(("faults", "raw"), [({}, "1"), ({"string_values": True}, "STUN")])
def test_enums_are_written_in_the_spelling_that_the_phone_uses(faults, raw):
    with FakeGrandstream("G3", faults=faults) as fake:
        assert configure_phone(target(fake), ONE)["changed"]
        assert fake.written[0]["P52"] == raw
        assert not configure_phone(target(fake), ONE)["changed"]


def test_a_session_id_that_rotates_while_a_call_is_waited_for(monkeypatch):
    monkeypatch.setattr(work, "_REFRESH", 0.0)
    with FakeGrandstream("G3", faults={"busy": 3, "rotate_sid": True}) as fake:
        assert configure_phone(target(fake), ONE, busy_interval=0.01)["changed"]
        assert (fake.logins, fake.logouts, fake.writes) == (1, 1, 1) and "POST /cgi-bin/dorefresh" in fake.log


def test_a_session_that_ends_while_waiting_is_not_replaced(monkeypatch):
    with FakeGrandstream("G3", faults={"busy": 2}, session_seconds=0.05) as fake, pytest.raises(EvenportError) as caught:
        configure_phone(target(fake), ONE, busy_interval=0.2)
    assert caught.value.code == "session_lost" and (fake.login_attempts, fake.writes) == (1, 0)


# ---------------------------------------------------------------------- keys


def test_the_traps_are_not_in_the_table():
    codes = {code for key in (*grandstream_keys.MANAGED.values(), grandstream_keys.USER, grandstream_keys.ACTIVE) for code in key.codes}
    assert not codes & {"440", "540", "640", "704", "804"}


@pytest.mark.parametrize("generation", ["G2", "G3"])
def test_timers_beside_the_ports_are_not_touched(generation):
    with FakeGrandstream(generation, accounts=[{"user": "1"}, {"user": "2"}]) as fake:
        configure_phone(target(fake), {"lines": [{"line": 2, "local_port": 5088}]})
        assert fake.values["P440"] == "50" and fake.written == [{"P413": "5088"}]


def test_keys_come_from_the_phones_own_map():
    """GRP templates place account 5 elsewhere: the map decides, not the table."""
    with FakeGrandstream("G3") as fake:
        for old, new in (("1713", "713"), ("52", "27777")):
            fake.aliases[new], fake.values["P" + new] = fake.aliases.pop(old), fake.values.pop("P" + old)
        fake.aliases["1713"], fake.values["P1713"] = "account.5.something.else", "7"
        configure_phone(target(fake), {"lines": [{"line": 1, "nat_traversal": "keep_alive"}, {"line": 5, "local_port": 5096}]})
        assert fake.written == [{"P27777": "2", "P713": "5096"}] and fake.values["P1713"] == "7"


def test_an_alias_in_another_case():
    with FakeGrandstream("G3") as fake:
        fake.aliases["40"] = "account.1.sip.localport"
        assert configure_phone(target(fake), ONE)["changed"]


@pytest.mark.parametrize("faults", [{}, {"no_metaconfig": True}])
def test_a_port_whose_alias_is_missing_is_not_written(faults):
    with FakeGrandstream("G3", faults=faults) as fake:
        fake.aliases["40"] = "account.1.sip.timer.t9"
        with pytest.raises(EvenportError) as caught:
            configure_phone(target(fake), ONE)
        assert caught.value.code == "unsupported" and fake.writes == 0


@pytest.mark.parametrize("generation", ["G2", "G3"])
def test_what_a_phone_lacks_is_skipped_and_named(generation):
    with FakeGrandstream(generation, faults={"missing": ["52", "131", "26001"]}) as fake:
        result = configure_phone(target(fake), ONE)
        assert result["changed"] and result["unsupported"] == ["nat_traversal of line 1", "rport of line 1"]
        assert fake.written == [{"P40": "5074"}]


def test_rport_of_old_firmware_is_account_1_alone():
    with FakeGrandstream("G2", accounts=[{"user": "1"}, {"user": "2"}]) as fake:
        wanted = {"lines": [{"line": line, "rport": True} for line in (1, 2)]}
        assert configure_phone(target(fake), wanted)["unsupported"] == ["rport of line 2"]
        assert fake.written == [{"P131": "1"}]


def test_one_alias_map_serves_all_phones_of_a_firmware():
    with FakeGrandstream("G3", mac="000B82000001") as first, FakeGrandstream("G3", mac="000B82000002") as second, \
            FakeGrandstream("G3", mac="000B82000003", firmware="1.0.11.107") as other:
        for fake in (first, second, other):
            inspect_phone(target(fake))
        assert [sum("metaconfig" in line for line in fake.log) for fake in (first, second, other)] == [1, 0, 1]


def test_a_process_that_takes_a_session_over_does_not_read_the_map_again():
    with FakeGrandstream("G3") as fake:
        session = inspect_phone(target(fake), ONE, keep_session=True)["session"]
        grandstream_g3._maps.clear()                # as in the other process
        assert configure_phone(target(fake), ONE, session=session)["changed"]
        assert sum("metaconfig" in line for line in fake.log) == 1


@pytest.mark.parametrize("interval", [9, 161])
def test_an_interval_that_grandstream_refuses(interval):
    with FakeGrandstream("G3") as fake, pytest.raises(Unsupported, match="10 to 160"):
        configure_phone(target(fake), {"keep_alive_interval": interval})
    assert fake.writes == 0


# ---------------------------------------------------------------------- what else is read


@pytest.mark.parametrize(("count", "model"), [(1, "GXP1610"), (3, "GXP2130"), (6, "GXP2170")])
@pytest.mark.parametrize("generation", ["G2", "G3"])
def test_accounts_are_those_that_exist(generation, count, model):
    with FakeGrandstream(generation, model=model) as fake:
        found = inspect_phone(target(fake))
        assert [account["number"] for account in found["accounts"]] == list(range(1, count + 1))
        assert [account["active"] for account in found["accounts"]] == [True] + [False] * (count - 1)


@pytest.mark.parametrize(("server", "protocol", "expected"), [
    ("", "2", {}),
    ("prov.example.com/phones", "2", {"server": "prov.example.com/phones", "protocol": "https", "protected": False}),
    ("fm.grandstream.com/gs", "2", {}),
    ("user:secret@prov.example.com", "FTPS", {"server": "prov.example.com", "protocol": "ftps", "protected": False}),
    ("prov.example.com", "9", {"server": "prov.example.com", "protocol": "", "protected": False}),
])
def test_provisioning_is_reported_without_credentials(server, protocol, expected):
    with FakeGrandstream("G3") as fake:
        fake.values.update(P237=server, P212=protocol)
        assert inspect_phone(target(fake))["provisioning"] == expected


def test_random_port_is_seen_and_switched_off():
    ports = []
    with FakeGrandstream("G3", on_register=lambda fake, number, port: ports.append(port)) as fake:
        fake.values["P78"] = "1"
        fake.apply(everything=True)
        assert ports[-1] >= 32768
        assert configure_phone(target(fake), ONE)["before"]["random_port"] is True
        assert ports[-1] == 5074


def test_a_mac_that_only_users_see_is_checked_before_the_write():
    class Shy(FakeGrandstream):
        def _values_get(self, request):
            reply = super()._values_get(request)
            return Reply(body=reply.body.replace(b'"P67": "00:0B:82:12:34:56"', b'"P67": ""'), content_type="application/json")

    with Shy("G3") as fake, pytest.raises(EvenportError) as caught:
        configure_phone(target(fake, mac="000b82999999"), ONE)
    assert caught.value.code == "identity_mismatch" and fake.writes == 0
    with Shy("G3") as fake:
        assert configure_phone(target(fake, mac="000b82123456"), ONE)["changed"]


# ---------------------------------------------------------------------- lock-out


def test_the_countdown_is_passed_on_and_the_lock_is_respected():
    with FakeGrandstream("G3") as fake:
        for left in (4, 3, 2, 1):
            with pytest.raises(AuthFailed, match=f"{left} attempts are left"):
                inspect_phone(target(fake, password="wrong"))
        with pytest.raises(LockedOut, match="5 minutes") as caught:
            inspect_phone(target(fake, password="wrong"))
        assert caught.value.minutes == 5 and fake.login_attempts == 5
        with pytest.raises(LockedOut):
            inspect_phone(target(fake))
        assert fake.login_attempts == 5                 # the lock was seen without a login


# ---------------------------------------------------------------------- recognising


@pytest.mark.parametrize("generation", ["G2", "G3"])
def test_the_generation_is_known_before_the_login(generation):
    with FakeGrandstream(generation) as fake:
        inspect_phone(target(fake))
        assert fake.log.index("POST /cgi-bin/access") < fake.log.index("POST /cgi-bin/dologin") and fake.login_attempts == 1


# ---------------------------------------------------------------------- fuzzing what phones send

NAMES = st.sampled_from(["response", "body", "sid", "configs", "alias", "pvalue", "value", "status", "P40", "40", "success", "x"])
JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | NAMES,
                    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12)


@given(JSON)
def test_parsers_take_any_json(data):
    assert isinstance(grandstream_common.named(data), dict)
    assert isinstance(grandstream_g3.challenge(data), str)
    assert all(code.isdigit() for code in grandstream_g3.parse_metaconfig(data).values())
    grandstream_g3._configs(data)


@given(st.binary(max_size=300))
def test_answer_json_takes_any_bytes(body):
    try:
        grandstream_common.answer_json(Answer("x", 200, {}, body))
    except BadAnswer as error:
        assert error.remedy


@given(st.sampled_from(grandstream_keys.places()), st.text(max_size=10))
def test_meaning_takes_any_text_and_spelling_is_its_inverse(place, raw):
    value = grandstream_keys.meaning(place, raw)
    if value is not None:
        assert grandstream_keys.meaning(place, grandstream_keys.spelling(place, value, raw)) == value


@given(st.sampled_from(grandstream_keys.places()), st.data())
def test_every_value_survives_both_surfaces(place, data):
    setting = SETTINGS[place.setting]
    kinds = {"bool": st.booleans(), "int": st.integers(setting.low, setting.high or 1), "str": st.sampled_from(setting.choices or ("none",))}
    value = data.draw(kinds[setting.kind])
    for shown in ("", "0", "No", "KeepAlive"):
        assert grandstream_keys.meaning(place, grandstream_keys.spelling(place, value, shown)) == value


class Rubbish(FakeGrandstream):
    """Answers every authenticated path with the JSON it is given."""

    answer: object = None

    def handle(self, request):
        if request.path in ("/cgi-bin/config_get", "/cgi-bin/metaconfig_get", "/cgi-bin/config_update"):
            return Reply.json(self.answer)
        return super().handle(request)


@settings(max_examples=40, deadline=None)
@given(JSON)
def test_a_whole_visit_survives_any_json(data):
    with Rubbish("G3") as fake:
        fake.answer = data
        try:
            configure_phone(target(fake), ONE)
        except EvenportError as error:
            assert str(error)
        assert fake.login_attempts == 1


def test_a_visit_logs_out_when_it_is_interrupted():
    with FakeGrandstream("G3") as fake:
        with pytest.raises(KeyboardInterrupt), Visit(target(fake)):
            raise KeyboardInterrupt
        assert fake.logouts == 1


def test_places_print_as_people_say_them():
    assert str(Place("local_port", 2)) == "local_port of line 2" and str(Place("random_port")) == "random_port"
