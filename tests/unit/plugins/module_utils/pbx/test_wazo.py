# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wazo: the contract on the fakes of its API and its Asterisk, options kept as they are, and every way it can go wrong."""

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
    CertificateRefused,
    DeviceError,
    EvenportError,
    NotApplied,
    PermissionMissing,
    PlanError,
    Unreachable,
)
from ansible_collections.evenport.sip.plugins.module_utils.model import Registration
from ansible_collections.evenport.sip.plugins.module_utils.pbx.access import Access, Config
from ansible_collections.evenport.sip.plugins.module_utils.pbx.contract import Wanted
from ansible_collections.evenport.sip.plugins.module_utils.pbx.wazo import Confd, WazoStore, value_of, with_options
from ansible_collections.evenport.sip.plugins.module_utils.pbx.work import read_pbx, set_nat
from tests.fakes.tls import self_signed
from tests.fakes.wazo import QUEUE, FakeWazo
from tests.fakes.web import Reply
from tests.unit.plugins.module_utils.pbx.pbx_contract import EXTENSIONS, ON, NatContract, Rig, nothing_secret

OFF = [["rewrite_contact", "no"], ["force_rport", "no"], ["rtp_symmetric", "no"], ["direct_media", "yes"]]
OWN = [["set_var", "TIMEOUT(absolute)=36000"], ["callerid", '"Zoë ☎" <101>'], ["set_var", "X=1"], ["context", "default"], ["set_var", "X=1"]]


class WazoRig(Rig):
    shows = ON

    def __init__(self, fake):
        self.fake = fake
        self.config = Config(
            "wazo", Access("127.0.0.1", fake.asterisk.port, "evenport", "ami-secret", timeout=3), "ami", patience=3 * QUEUE,
            api=Access("127.0.0.1", fake.port, fake.user, fake.password, tls=True, fingerprint=fake.tls.fingerprint, timeout=3))

    @property
    def secrets(self):
        return ("ami-secret", "wazo-secret", *(f"pw{name}" for name in EXTENSIONS), *self.fake.given)

    def register(self, extension, claimed, seen, user_agent):
        self.fake.asterisk.register(extension, *claimed, *seen, user_agent=user_agent)

    def registered(self, extension, claimed, seen):
        return Registration(extension, *claimed, *claimed)          # the NAT option is off: the PBX sends to what the phone claims

    def attempts(self):
        return self.fake.asterisk.login_attempts + self.fake.login_attempts

    def wrong_password(self):
        return replace(self.config, access=replace(self.config.access, password="not-that"))

    def stored(self):
        return {name: [pair for pair in self.fake.named(name)["endpoint_section_options"] if pair[0] in ON] for name in EXTENSIONS}

    def others(self):
        others = self.kept().values()
        for one in others:
            one["endpoint_section_options"] = [pair for pair in one["endpoint_section_options"] if pair[0] not in ON]
        return json.dumps([self.fake.templates, list(others)])

    def applies(self):
        return self.fake.reloads

    def contacts(self):
        return [contact.aor for contact in self.fake.asterisk.contacts]

    @contextmanager
    def deaf(self):
        self.fake.faults["live_reload_off"] = True
        yield
        self.fake.faults.clear()

    @contextmanager
    def failing_apply(self):
        self.fake.faults["queue_down"] = True
        yield
        self.fake.faults.clear()

    def on(self, *names, options=None, **more):
        return set_nat(self.config, Wanted(names, ON if options is None else options), **more)

    def kept(self):
        return copy.deepcopy(self.fake.endpoints)


@pytest.fixture(scope="module")
def certificate():
    return self_signed(addresses=("127.0.0.1",))


@pytest.fixture
def rig(tmp_path, certificate):
    fake = FakeWazo(tmp_path, tls=certificate)
    template = fake.add("global", [["rtp_timeout", "7200"], *OFF], template=True)
    for name in EXTENSIONS:
        fake.add(name, OWN, (template,))
    with fake:
        yield WazoRig(fake)


class TestContract(NatContract):
    pass


# -- what is written -----------------------------------------------------------------------------------------------------------------


def test_the_whole_list_goes_back_as_it_came(rig):
    others = {name: one for name, one in rig.kept().items() if one["name"] != "101"}
    rig.fake.named("101")["endpoint_section_options"] = [OWN[0], ["force_rport", "No"], *OWN[1:], ["rewrite_contact", "true"]]
    rig.fake.load()
    done = rig.on("101")
    assert rig.fake.puts == [("101", {"endpoint_section_options": [
        OWN[0], ["force_rport", "yes"], *OWN[1:], ["rewrite_contact", "true"], ["rtp_symmetric", "yes"], ["direct_media", "no"]]})]
    assert done["before"] == {"101": {"force_rport": "No", "rtp_symmetric": None, "direct_media": None}}
    assert done["after"] == {"101": {"force_rport": "yes", "rtp_symmetric": "yes", "direct_media": "no"}}
    assert {name: one for name, one in rig.kept().items() if one["name"] != "101"} == others
    assert rig.fake.login_attempts == rig.fake.revoked == 1 and not rig.fake.tokens


def test_of_a_repeated_option_the_last_counts(rig):
    rig.fake.named("101")["endpoint_section_options"] = [["rewrite_contact", "yes"], ["rewrite_contact", "no"]]
    rig.fake.load()
    rig.on("101", options={"rewrite_contact": True})
    assert rig.fake.named("101")["endpoint_section_options"] == [["rewrite_contact", "yes"], ["rewrite_contact", "yes"]]


def test_what_a_template_says_is_not_written_again(rig):
    nat = rig.fake.add("nat", [["rewrite_contact", "yes"], ["rtp_symmetric", "yes"]], template=True)
    number = next(iter(rig.fake.endpoints))
    rig.fake.endpoints[number]["templates"].append({"uuid": nat, "label": "nat"})
    rig.fake.load()
    rig.on("101", "102")
    assert [(name, [pair for pair in body["endpoint_section_options"] if pair not in OWN]) for name, body in rig.fake.puts] == [
        ("101", [["force_rport", "yes"], ["direct_media", "no"]]),
        ("102", [["rewrite_contact", "yes"], ["force_rport", "yes"], ["rtp_symmetric", "yes"], ["direct_media", "no"]])]
    assert not rig.on("101", "102")["changed"]


def test_a_default_is_not_relied_on(rig):
    rig.fake.named("101")["templates"] = []
    rig.fake.load()
    rig.on("101", options={"force_rport": True})            # Asterisk's default, but nobody has said it
    assert rig.fake.puts[0][1]["endpoint_section_options"] == [*OWN, ["force_rport", "yes"]]


def test_stored_by_somebody_but_not_in_use(rig):
    rig.fake.named("101")["endpoint_section_options"] = [["rewrite_contact", "yes"]]
    done = rig.on("101", options={"rewrite_contact": True})
    assert done["changed"] and done["applied"] and done["before"] == {"101": {"rewrite_contact": False}} and done["extensions"][0]["rewrite_contact"]
    assert rig.fake.puts == [("101", {"endpoint_section_options": [["rewrite_contact", "yes"]]})] and rig.fake.reloads == 1
    assert not rig.on("101", options={"rewrite_contact": True})["changed"]


def test_the_extension_is_the_endpoints_name(rig):
    rig.fake.add("yiq8yej0", [], ())
    with pytest.raises(PlanError, match="8020"):
        rig.on("8020")
    assert rig.on("yiq8yej0", "101")["applied"]


def test_many_pages(rig, monkeypatch):
    monkeypatch.setattr("ansible_collections.evenport.sip.plugins.module_utils.pbx.wazo.PAGE", 2)
    with Confd(rig.config.api) as confd:
        assert list(confd.endpoints()) == EXTENSIONS
    assert rig.fake.log.count("GET /api/confd/1.1/endpoints/sip") == 3


def test_an_endpoint_that_only_asterisk_has(rig):
    rig.fake.endpoints = {number: one for number, one in rig.fake.endpoints.items() if one["name"] != "103"}
    with pytest.raises(DeviceError, match="103.*tenant"):
        rig.on("101", "103")
    assert rig.fake.puts == []


# -- all or nothing ------------------------------------------------------------------------------------------------------------------


def test_one_is_refused(rig):
    kept, put, count = rig.kept(), rig.fake._put, []

    def third(number, body):
        count.append(number)
        return Reply(503) if len(count) == 3 else put(number, body)
    rig.fake._put = third
    with pytest.raises(DeviceError, match="503") as told:
        rig.on(*EXTENSIONS)
    assert rig.fake.endpoints == kept and told.value.wrote and "as they were" in str(told.value)
    assert [name for name, dummy in rig.fake.puts] == ["101", "102", "102", "101"]
    nothing_secret(rig, told.value)


def test_the_first_is_refused(rig):
    rig.fake.faults["status"] = ("PUT", 400)
    with pytest.raises(DeviceError, match="400") as told:
        rig.on("101", "102")
    assert not told.value.wrote and rig.fake.puts == []


def test_an_answer_is_lost(rig):
    kept, rig.fake.faults["lost"] = rig.kept(), True
    with pytest.raises(Unreachable) as told:
        rig.on("101", "102")
    assert rig.fake.endpoints == kept and told.value.wrote and "as they were" in str(told.value)


def test_the_queue_is_down(rig):
    kept, rig.fake.faults["queue_down"] = rig.kept(), True
    with pytest.raises(DeviceError, match="500") as told:
        rig.on("101", "102")
    assert rig.fake.endpoints == kept and told.value.wrote and "as they were" in str(told.value)


def test_a_put_that_does_nothing(rig):
    kept, rig.fake.faults["ignored"] = rig.kept(), True
    with pytest.raises(NotApplied, match="101") as told:
        rig.on("101")
    assert rig.fake.endpoints == kept and "live reload" in str(told.value)


def test_somebody_elses_change_stays(rig):
    with Confd(rig.config.api) as confd:
        store = WazoStore(confd)
        store.read(["101", "102"])
        rig.fake.named("102")["endpoint_section_options"].append(["rewrite_contact", "no"])
        kept = rig.kept()
        with pytest.raises(DeviceError, match="Somebody else.*102"):
            store.write({name: ({"rewrite_contact": None}, {"rewrite_contact": "yes"}) for name in ("101", "102")})
    assert rig.fake.endpoints == kept


def test_another_option_that_somebody_changes_meanwhile_is_kept(rig):
    with Confd(rig.config.api) as confd:
        store = WazoStore(confd)
        store.read(["101"])
        rig.fake.named("101")["endpoint_section_options"].insert(0, ["language", "fr_FR"])
        store.write({"101": ({"rewrite_contact": None}, {"rewrite_contact": "yes"})})
    assert rig.fake.named("101")["endpoint_section_options"] == [["language", "fr_FR"], *OWN, ["rewrite_contact", "yes"]]


def test_asterisk_goes_away_before_the_proof(rig):
    kept, put = rig.kept(), rig.fake._put

    def and_stop(number, body):
        rig.fake.asterisk.stop()
        return put(number, body)
    rig.fake._put = and_stop
    with pytest.raises(EvenportError) as told:
        rig.on("101")
    assert rig.fake.endpoints == kept and told.value.wrote and "as they were" in str(told.value)


# -- logging in ----------------------------------------------------------------------------------------------------------------------


def test_reading_asks_nobody_but_asterisk(rig):
    assert read_pbx(replace(rig.config, api=None), ["101"])["extensions"] and rig.fake.requests == 0


def test_writing_needs_the_api(rig):
    with pytest.raises(PlanError, match="sip_pbx_api"):
        set_nat(replace(rig.config, api=None), Wanted(["101"], ON))


def test_a_wrong_api_password(rig):
    with pytest.raises(AuthFailed, match="sip_pbx_api.password") as told:
        set_nat(replace(rig.config, api=replace(rig.config.api, password="not-that")), Wanted(["101"], ON))
    assert rig.fake.login_attempts == 1 and "not-that" not in str(told.value)


@pytest.mark.parametrize(("missing", "method"), [("read", "GET"), ("update", "PUT")])
def test_a_user_without_the_right(rig, missing, method):
    rig.fake.rights.discard(missing)
    with pytest.raises(PermissionMissing, match=f"{method}.*confd.endpoints.sip") as told:
        rig.on("101", "102")
    assert rig.fake.puts == [] and not told.value.wrote and rig.fake.login_attempts == 1 and not rig.fake.tokens
    nothing_secret(rig, told.value)


def test_the_token_is_revoked_whatever_happens(rig):
    for options, kind in (({"direct_media": False}, None), (None, EvenportError)):
        if kind:
            with pytest.raises(kind):
                set_nat(rig.config, Wanted(["101"], options))       # state: absent
        else:
            rig.on("101", options=options)
    assert rig.fake.revoked == 2 and not rig.fake.tokens


@pytest.mark.parametrize("answer", [{}, {"data": None}, {"data": {"token": None}}, {"data": {"token": "a/../b"}}, {"data": {"token": "x\r\ny"}}, [], "t"])
def test_a_login_without_a_token(rig, answer):
    rig.fake._auth = lambda request: Reply.json(answer)
    with pytest.raises(BadAnswer, match="token"):
        rig.on("101")


@pytest.mark.parametrize("status", [400, 403, 500, 503])
def test_a_login_that_fails_otherwise(rig, status):
    rig.fake._auth = lambda request: Reply(status)
    with pytest.raises(DeviceError, match=str(status)):
        rig.on("101")


# -- the connection ------------------------------------------------------------------------------------------------------------------


def test_its_certificate(rig, tmp_path):
    def config(**more):
        return replace(rig.config, api=replace(rig.config.api, **{"fingerprint": "", **more}))
    with pytest.raises(CertificateRefused, match=f"sip_pbx_api.fingerprint: sha256:{rig.fake.tls.fingerprint}") as told:
        set_nat(config(), Wanted(["101"], ON))
    with pytest.raises(CertificateRefused, match="another certificate"):
        set_nat(config(fingerprint="0" * 64), Wanted(["101"], ON))
    assert rig.fake.requests == 0 and "phone" not in str(told.value)
    (tmp_path / "ca.pem").write_bytes(rig.fake.tls.certificate_pem)
    assert set_nat(config(ca_path=str(tmp_path / "ca.pem")), Wanted(["101"], ON), check_mode=True)["changed"]
    assert set_nat(config(validate_certs=False), Wanted(["101"], ON), check_mode=True)["changed"]


def test_http_is_never_spoken(rig):
    rig.fake.tls = None
    with pytest.raises(EvenportError) as told:
        rig.on("101")
    assert rig.fake.login_attempts == 0 and "http:" not in str(told.value)


@pytest.mark.parametrize("at", [True, "GET /api/confd"])
@pytest.mark.parametrize("fault", ["hang", "drip", "drip_headers", "huge", "rubbish", "drop", "html"])
def test_faults_of_the_web_server(rig, fault, at):
    kept, rig.fake.faults[fault] = rig.kept(), at
    start = time.monotonic()
    with pytest.raises(EvenportError) as told:
        set_nat(replace(rig.config, api=replace(rig.config.api, timeout=1)), Wanted(["101"], ON))
    assert time.monotonic() - start < 30 and rig.fake.endpoints == kept and "phone" not in str(told.value)
    nothing_secret(rig, told.value)


# -- pure, and rubbish ---------------------------------------------------------------------------------------------------------------

NAMES = st.sampled_from(["rewrite_contact", "force_rport", "set_var", "context"])
PAIRS = st.lists(st.tuples(NAMES, st.sampled_from(["yes", "no", "X=1"])), max_size=8)


@given(PAIRS, st.dictionaries(st.sampled_from(["rewrite_contact", "force_rport"]), st.sampled_from(["yes", "no"])))
def test_setting_and_taking_back(pairs, wanted):
    before = {option: value_of(pairs, option) for option in wanted}
    after = with_options(pairs, wanted)
    assert {option: value_of(after, option) for option in wanted} == wanted
    assert [pair for pair in after if pair[0] not in wanted] == [pair for pair in pairs if pair[0] not in wanted]
    assert with_options(after, before) == pairs


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=20), lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
    st.sampled_from(["items", "total", "uuid", "name", "endpoint_section_options", "data", "token"]) | st.text(max_size=6), inner, max_size=5), max_leaves=20)


@pytest.fixture(scope="module")
def rubbish(tmp_path_factory, certificate):
    fake = FakeWazo(tmp_path_factory.mktemp("wazo"), tls=certificate)
    fake.add("101", OFF)
    with fake:
        yield WazoRig(fake)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(place=st.sampled_from(["_auth", "_list", "_get"]), data=JSON | st.binary(max_size=50), inside=st.booleans())
def test_fuzz_what_it_answers(rubbish, place, data, inside):
    """Anything instead of an answer, or as the options in a good one: nothing is written, and it is one of our errors or a plan."""
    fake = rubbish.fake
    if inside and not isinstance(data, bytes):
        one = {**fake.named("101"), "endpoint_section_options": data}
        data = {"items": [one], "total": 1} if place == "_list" else {"data": {"token": data}} if place == "_auth" else one
    setattr(fake, place, lambda *asked: Reply(body=data) if isinstance(data, bytes) else Reply.json(data))
    try:
        nothing_secret(rubbish, set_nat(rubbish.config, Wanted(["101"], ON), check_mode=True))
    except EvenportError as error:
        nothing_secret(rubbish, error)
    finally:
        delattr(fake, place)
    assert fake.puts == []
