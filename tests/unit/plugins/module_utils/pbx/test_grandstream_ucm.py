# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Grandstream UCM: the contract on the fake, what its lists may look like, and every way it can go wrong."""

from __future__ import annotations

import copy
import json
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.evenport.sip.plugins.module_utils.errors import (
    AuthFailed,
    BadAnswer,
    Busy,
    CertificateRefused,
    DeviceError,
    EvenportError,
    LockedOut,
    NotApplied,
    PermissionMissing,
    SessionLost,
    Unreachable,
    Unsupported,
)
from ansible_collections.evenport.sip.plugins.module_utils.model import Registration
from ansible_collections.evenport.sip.plugins.module_utils.pbx.access import Access, Config
from ansible_collections.evenport.sip.plugins.module_utils.pbx.contract import Wanted
from ansible_collections.evenport.sip.plugins.module_utils.pbx.grandstream_ucm import Place, UcmStore, parse_addr, registrations_from
from ansible_collections.evenport.sip.plugins.module_utils.pbx.opening import open_pbx
from ansible_collections.evenport.sip.plugins.module_utils.pbx.work import read_pbx, set_nat
from tests.fakes.grandstream_ucm import FakeUcm
from tests.fakes.tls import self_signed
from tests.fakes.web import Reply
from tests.unit.plugins.module_utils.pbx.pbx_contract import EXTENSIONS, ON, NatContract, Rig, nothing_secret

NAT = ("nat", "directmedia")
PASSWORDS = ("ucm-secret", *(f"{kind}{name}" for kind in ("pw", "vm") for name in EXTENSIONS))


class UcmRig(Rig):
    shows = ON
    sees_user_agent = False

    def __init__(self, fake):
        self.fake = fake
        self.config = Config("grandstream_ucm", Access("127.0.0.1", fake.port, "cdrapi", "ucm-secret", fingerprint=fake.tls.fingerprint, timeout=3),
                             patience=1)

    @property
    def secrets(self):
        return (*PASSWORDS, *self.fake.given)

    def register(self, extension, claimed, seen, user_agent):
        self.fake.addr[extension], self.fake.state[extension] = f"{seen[0]}:{seen[1]}", "Idle"

    def registered(self, extension, claimed, seen):
        return Registration(extension, seen_address=seen[0], seen_port=seen[1])

    def attempts(self):
        return self.fake.login_attempts

    def wrong_password(self):
        return replace(self.config, access=replace(self.config.access, password="not-that"))

    def stored(self):
        return {name: {setting: self.fake.stored[name][setting] for setting in NAT} for name in EXTENSIONS}

    def others(self):
        return json.dumps([{key: value for key, value in account.items() if key not in NAT} for account in self.fake.stored.values()])

    def applies(self):
        return self.fake.applies

    def contacts(self):
        return sorted(self.fake.addr)

    @contextmanager
    def deaf(self):
        self.fake.faults["ignored"] = True
        yield
        self.fake.faults.clear()

    @contextmanager
    def failing_apply(self):
        self.fake.faults["status"] = ("applyChanges", -45)
        yield
        self.fake.faults.clear()

    def on(self, *names, options=None, **more):
        return set_nat(self.config, Wanted(names, ON if options is None else options), **more)


@pytest.fixture(scope="module")
def certificate():
    return self_signed(addresses=("127.0.0.1",))


@pytest.fixture
def rig(certificate):
    with FakeUcm(tls=certificate) as fake:
        for name in EXTENSIONS:
            fake.add(name)
        fake.add("190", account_type="FXS")
        yield UcmRig(fake)


class TestContract(NatContract):
    pass


# -- what it shows -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "places"), [
    ("", []), ("-", []), ("--", []), ("1", []), ("2", []), (" ", []), (",", []), ("(GXP2170)", []),
    ("10.0.0.5", [Place("10.0.0.5")]),
    ("10.0.0.5:5062", [Place("10.0.0.5", 5062)]),
    ("10.0.0.5:5060 (GRP2601)", [Place("10.0.0.5", 5060, "GRP2601")]),
    ("10.0.0.5:5060 (GRP2601, white),192.0.2.1:41777", [Place("10.0.0.5", 5060, "GRP2601, white"), Place("192.0.2.1", 41777)]),
    ("[2001:db8::7]:5064", [Place("2001:db8::7", 5064)]),
    ("[2001:db8::7]", [Place("2001:db8::7")]),
    ("2001:db8::7", [Place("2001:db8::7")]),
    ("fe80::1%eth0", [Place("fe80::1%eth0")]),
    ("phone7.example.net:5066", [Place("phone7.example.net", 5066)]),
    ("10.0.0.5:", [Place("10.0.0.5")]), ("10.0.0.5:0", [Place("10.0.0.5")]), ("10.0.0.5:70000", [Place("10.0.0.5")]), ("10.0.0.5:x", [Place("10.0.0.5")]),
    ("<b>10.0.0.5</b>", []), ("10.0.0.5 10.0.0.6", []),
])
def test_the_forms_of_an_address(text, places):
    assert parse_addr(text) == places


def test_registrations_of_a_row():
    row = {"extension": "101", "status": "InUse", "addr": "10.0.0.5:5060 (GRP2601),10.0.0.6", "secret": "pw101"}
    first, second = registrations_from(row)
    assert first == Registration("101", seen_address="10.0.0.5", seen_port=5060, user_agent="GRP2601", status="registered")
    assert (second.seen_address, second.seen_port) == ("10.0.0.6", 0)
    assert registrations_from({"extension": 102, "status": "Idle", "addr": "-"}) == [Registration("102", status="registered")]
    assert registrations_from({"extension": "103", "status": "Unavailable", "addr": "-"}) == []
    assert registrations_from({"extension": "103", "status": "Unavailable", "addr": "10.0.0.7"})[0].status == "unreachable"


def test_only_sip_accounts_are_extensions(rig):
    rig.fake.add("105", account_type="SIP(WebRTC)")
    rig.fake.add("191", account_type="IAX")
    with open_pbx(rig.config) as pbx:
        assert pbx.endpoints() == [*EXTENSIONS, "105"] and pbx.version() == "1.0.33.30"
        assert pbx.extensions(["190", "105"])[0].extension == "105"
    assert rig.fake.actions[-1] == "logout" and not rig.fake.cookies_alive


def test_a_list_in_pages(rig):
    rig.fake.page_limit = 2
    with open_pbx(rig.config) as pbx:
        assert pbx.endpoints() == EXTENSIONS
    assert rig.fake.actions.count("listAccount") == 3


@pytest.mark.parametrize("fault", ["same_page", "half"])
def test_half_a_list_is_no_list(rig, fault):
    rig.fake.page_limit, rig.fake.faults[fault] = 2, True
    with pytest.raises(BadAnswer, match="whole"):
        read_pbx(rig.config)


def test_who_is_in_a_call(rig):
    rig.fake.state["101"] = "Busy"
    found = read_pbx(rig.config, ["101", "102"])["extensions"]
    assert [(one["device_state"], one["active_channels"]) for one in found] == [("Busy", 1), ("Unavailable", 0)]


def test_a_version_that_may_not_be_read_is_no_fault(rig):
    rig.fake.denied.add("getSystemGeneralStatus")
    assert read_pbx(rig.config)["version"] == ""


# -- writing -------------------------------------------------------------------------------------------------------------------------


def test_only_what_differs_is_sent(rig):
    rig.fake.stored["102"]["directmedia"] = "no"
    rig.fake.stored["103"].update(nat="yes", directmedia="no")
    done = rig.on("101", "102", "103")
    assert rig.fake.updates == [{"extension": "101", "nat": "yes", "directmedia": "no"}, {"extension": "102", "nat": "yes"}]
    assert done["before"] == {"101": {"nat": "no", "directmedia": "yes"}, "102": {"nat": "no"}}
    assert rig.fake.applies == rig.fake.login_attempts == rig.fake.logouts == 1 and rig.fake.used == rig.fake.stored


def test_off_again(rig):
    rig.on("101")
    off = {name: not value for name, value in ON.items()}
    done = rig.on("101", options=off)
    assert rig.stored()["101"] == {"nat": "no", "directmedia": "yes"}
    assert {name: done["extensions"][0][name] for name in off} == off


@pytest.mark.parametrize(("options", "sent"), [
    ({"rewrite_contact": True}, {"nat": "yes"}), ({"rtp_symmetric": True}, {"nat": "yes"}), ({"direct_media": False}, {"directmedia": "no"}),
    ({"rewrite_contact": True, "force_rport": False}, {"nat": "yes"}),
])
def test_one_word_for_three_options(rig, options, sent):
    rig.on("101", options=options)
    assert rig.fake.updates == [{"extension": "101", **sent}]
    assert not rig.on("101", options=options)["changed"]


@pytest.mark.parametrize("told", [None, "", "maybe", 1])
def test_direct_media_that_is_not_told_is_left_alone(rig, told):
    rig.fake.stored["101"]["directmedia"] = told
    done = rig.on("101", "102")
    assert rig.fake.updates == [{"extension": "101", "nat": "yes"}, {"extension": "102", "nat": "yes", "directmedia": "no"}]
    assert "101" in done["notes"][0] and "102" not in done["notes"][0] and rig.fake.stored["101"]["directmedia"] == told
    assert not rig.on("101", "102")["changed"]


def test_a_nat_option_that_is_not_told_is_not_guessed(rig):
    del rig.fake.stored["102"]["nat"]
    with pytest.raises(Unsupported, match="102"):
        rig.on("101", "102")
    assert rig.fake.updates == [] and rig.fake.applies == 0


def test_the_first_one_is_refused(rig):
    stored, rig.fake.faults["fail_after"] = rig.stored(), 0
    with pytest.raises(DeviceError, match="-25") as told:
        rig.on(*EXTENSIONS)
    assert rig.stored() == stored and not told.value.wrote and rig.fake.updates == [] and rig.fake.applies == 0


def test_the_way_back_after_a_failed_apply_stays_as_far_as_it_came(rig):
    stored = rig.stored()
    rig.fake.faults.update(status=("applyChanges", -45), fail_after=3)
    with pytest.raises(DeviceError, match="check extension 101, 102") as told:
        rig.on("101", "102")
    assert told.value.wrote and rig.stored()["101"] == stored["101"] and rig.stored()["102"] != stored["102"]


def test_the_way_back_is_refused_too(rig):
    rig.fake.faults["fail_after"] = 2
    with pytest.raises(DeviceError, match="check extension 101, 102") as told:
        rig.on(*EXTENSIONS)
    assert told.value.wrote and rig.fake.applies == 0


def test_all_or_nothing_when_one_is_refused(rig):
    stored = rig.stored()
    refuse_third(rig.fake)
    with pytest.raises(DeviceError, match="-25") as told:
        rig.on(*EXTENSIONS)
    assert rig.stored() == stored and told.value.wrote and "as they were" in str(told.value) and rig.fake.applies == 0
    assert [one["extension"] for one in rig.fake.updates] == ["101", "102", "102", "101"]


def refuse_third(fake):
    """The third update is refused, once."""
    answer, count = fake._update, [0]

    def third(asked):
        count[0] += 1
        return (-25, {}) if count[0] == 3 else answer(asked)
    fake._update = third


def test_somebody_elses_change_stays(rig):
    with open_pbx(rig.config) as pbx:
        store = UcmStore(pbx)
        rig.fake.stored["102"]["nat"] = "yes"
        with pytest.raises(DeviceError, match="Somebody else.*102") as told:
            store.write({"101": ({"nat": "no"}, {"nat": "yes"}), "102": ({"nat": "no", "directmedia": "yes"}, {"nat": "yes", "directmedia": "no"})})
    assert rig.stored()["101"]["nat"] == "no" and rig.stored()["102"] == {"nat": "yes", "directmedia": "yes"}
    assert "as they were" in str(told.value)


def test_an_update_whose_answer_is_lost_is_put_back(rig):
    stored, rig.fake.faults["lost"] = rig.stored(), "updateSIPAccount"
    with pytest.raises(Unreachable) as told:
        rig.on("101", "102")
    assert rig.stored() == stored and told.value.wrote and "as they were" in str(told.value) and rig.fake.applies == 0


def test_an_apply_whose_answer_is_lost_is_put_back(rig):
    stored, rig.fake.faults["lost"] = rig.stored(), "applyChanges"
    with pytest.raises(Unreachable) as told:
        rig.on("101", "102")
    assert rig.stored() == stored and told.value.wrote and "apply its configuration" in str(told.value)
    nothing_secret(rig, told.value)


def test_nothing_listens_any_more_after_the_apply(rig):
    apply = rig.fake._apply

    def and_gone(asked):
        answer = apply(asked)
        rig.fake.unlisten()
        return answer
    rig.fake._apply = and_gone
    with pytest.raises(Unreachable) as told:
        rig.on("101", "102")
    assert told.value.wrote and "check extension 101, 102" in str(told.value)


# -- what it refuses -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("action", "status", "kind", "words"), [
    ("challenge", -71, AuthFailed, "sip_pbx_user"), ("challenge", -47, PermissionMissing, "address"), ("challenge", -1, DeviceError, "invalid parameters"),
    ("login", -37, AuthFailed, "sip_pbx_password"), ("login", -68, LockedOut, "wait"), ("login", -70, LockedOut, "block"),
    ("listAccount", -5, SessionLost, "Run again"), ("listAccount", -6, SessionLost, "Run again"), ("listAccount", -47, PermissionMissing, "listAccount"),
    ("listAccount", -45, DeviceError, "minute"), ("listAccount", -57, DeviceError, "minute"), ("listAccount", -1, DeviceError, "firmware"),
    ("listAccount", -12345, DeviceError, "-12345"), ("listAccount", 7, DeviceError, "7"),
])
def test_status_codes_of_reading(rig, action, status, kind, words):
    rig.fake.faults["status"] = (action, status)
    with pytest.raises(kind, match=words) as told:
        read_pbx(rig.config, ["101"])
    assert f"status {status}" in str(told.value) and rig.fake.login_attempts <= 1 and rig.fake.actions.count("challenge") == 1
    nothing_secret(rig, told.value)


@pytest.mark.parametrize(("status", "kind"), [(-45, DeviceError), (-51, DeviceError), (-69, Busy), (-98, Busy), (-6, SessionLost), (-47, PermissionMissing)])
def test_an_apply_that_is_refused_once(rig, status, kind):
    stored, rig.fake.faults["status"] = rig.stored(), ("applyChanges", status, 1)
    with pytest.raises(kind) as told:
        rig.on("101", "102")
    assert rig.stored() == stored and rig.fake.used == rig.fake.stored and told.value.wrote and rig.fake.login_attempts == 1


def test_a_user_who_may_not_write(rig):
    rig.fake.denied.add("updateSIPAccount")
    with pytest.raises(PermissionMissing, match="cdrapi") as told:
        rig.on("101", "102")
    assert not told.value.wrote and rig.fake.applies == 0


def test_a_session_that_ends_in_the_middle(rig):
    with open_pbx(rig.config) as pbx:
        rig.fake.cookies_alive.clear()
        with pytest.raises(SessionLost):
            pbx.registrations()
    assert rig.fake.login_attempts == 1


def test_locked_after_too_many(rig):
    while rig.fake.wrong_logins < 5:
        with pytest.raises(AuthFailed):
            read_pbx(rig.wrong_password())
    with pytest.raises(LockedOut):
        read_pbx(rig.config)


@pytest.mark.parametrize("action", ["challenge", "login"])
@pytest.mark.parametrize("response", [{}, [], None, {"challenge": None, "cookie": {"a": 1}}, {"challenge": "", "cookie": ""}, "text"])
def test_a_login_without_what_it_is_for(rig, action, response):
    answer = rig.fake._answer
    rig.fake._answer = lambda name, asked: (0, response) if name == action else answer(name, asked)
    with pytest.raises(BadAnswer):
        read_pbx(rig.config)
    assert rig.fake.login_attempts <= 1


# -- the connection ------------------------------------------------------------------------------------------------------------------


def test_its_certificate(rig, tmp_path):
    access = rig.config.access
    with pytest.raises(CertificateRefused, match=f"sip_pbx_fingerprint: sha256:{rig.fake.tls.fingerprint}") as told:
        read_pbx(replace(rig.config, access=replace(access, fingerprint="")))
    with pytest.raises(CertificateRefused, match="another certificate"):
        read_pbx(replace(rig.config, access=replace(access, fingerprint="0" * 64)))
    assert rig.fake.actions == [] and "phone" not in str(told.value)
    (tmp_path / "ca.pem").write_bytes(rig.fake.tls.certificate_pem)
    assert read_pbx(replace(rig.config, access=replace(access, fingerprint="", ca_path=str(tmp_path / "ca.pem"))))["version"]
    assert read_pbx(replace(rig.config, access=replace(access, fingerprint="", validate_certs=False)))["version"]
    with pytest.raises(EvenportError, match="sip_pbx_ca_path") as told:
        read_pbx(replace(rig.config, access=replace(access, fingerprint="", ca_path=str(tmp_path / "none.pem"))))
    assert "phone" not in str(told.value)


def test_http_is_never_spoken(rig):
    rig.fake.tls = None
    with pytest.raises(EvenportError) as told:
        read_pbx(rig.config)
    assert rig.fake.actions == [] and "http:" not in str(told.value) and "phone" not in str(told.value)


def test_nobody_there(rig):
    rig.fake.unlisten()
    with pytest.raises(Unreachable, match="sip_pbx_host") as told:
        read_pbx(rig.config)
    assert "phone" not in str(told.value)


@pytest.mark.parametrize("fault", ["hang", "drip", "drip_headers", "huge", "rubbish", "drop", "html"])
def test_faults_of_the_web_server(rig, fault):
    rig.fake.faults[fault] = True
    start = time.monotonic()
    with pytest.raises(EvenportError) as told:
        read_pbx(replace(rig.config, access=replace(rig.config.access, timeout=1)), ["101"])
    assert time.monotonic() - start < 30 and "phone" not in str(told.value) and rig.fake.requests == 1
    nothing_secret(rig, told.value)


@pytest.mark.parametrize("status", [301, 400, 404, 500])
def test_another_http_status(rig, status):
    rig.fake.handle = lambda request: Reply(status)
    with pytest.raises(BadAnswer, match="8089"):
        read_pbx(rig.config)


# -- rubbish -------------------------------------------------------------------------------------------------------------------------

WORDS = st.sampled_from(["response", "status", "account", "extension", "addr", "nat", "directmedia", "total_page", "total_item"])
JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20), lambda inner: (
    st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(max_size=6), inner, max_size=5)), max_leaves=20)


@given(st.text(max_size=300))
def test_fuzz_an_address(text):
    for place in parse_addr(text):
        assert place.host and 0 <= place.port <= 65535 and place.model.isprintable()


@pytest.mark.parametrize("text", ["(" * 100_000, "," * 100_000, "(," * 50_000, "1.1.1.1:" * 20_000, "a." * 50_000])
def test_a_long_address(text):
    start = time.monotonic()
    parse_addr(text)
    assert time.monotonic() - start < 5


@pytest.fixture(scope="module")
def rubbish(certificate):
    with FakeUcm(tls=certificate) as fake:
        fake.add("101")
        yield UcmRig(fake)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(action=st.sampled_from(["challenge", "login", "listAccount", "getSIPAccount", "updateSIPAccount", "applyChanges"]), data=JSON)
def test_fuzz_what_it_answers(rubbish, action, data):
    """Any JSON instead of one action's answer, or of its response: a result, or one of our errors."""
    fake = rubbish.fake
    whole_answer, answer = type(fake).handle, type(fake)._answer
    fake.wrong_logins = 0
    before = copy.deepcopy(fake.stored)
    for response_only in (True, False):
        if response_only:
            fake._answer = lambda name, asked: (0, data) if name == action else answer(fake, name, asked)
        else:
            fake._answer = lambda name, asked: answer(fake, name, asked)
            fake.handle = lambda request: Reply.json(data) if json.loads(request.body)["request"]["action"] == action else whole_answer(fake, request)
        try:
            result = set_nat(replace(rubbish.config, patience=0), Wanted(["101"], ON))
            nothing_secret(rubbish, result)
        except EvenportError as error:
            nothing_secret(rubbish, error)
        finally:
            del fake.__dict__["_answer"]
            fake.__dict__.pop("handle", None)
            fake.stored = copy.deepcopy(before)
            fake.given.clear()


@settings(max_examples=50, deadline=None)
@given(body=st.binary(max_size=200))
def test_fuzz_not_even_json(rubbish, body):
    rubbish.fake.handle = lambda request: Reply(body=body)
    try:
        with pytest.raises(EvenportError):
            read_pbx(rubbish.config)
    finally:
        del rubbish.fake.handle


def test_a_silent_success_says_who(rig):
    rig.fake.faults["ignored"] = True
    with pytest.raises(NotApplied, match="101"):
        rig.on("101")
