# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Yeastar P-Series and 3CX, who tell registered or not: the contract on their fakes, over real TLS, and what goes wrong."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.evenport.sip.plugins.module_utils.errors import (
    AuthFailed,
    BadAnswer,
    CertificateRefused,
    EvenportError,
    LockedOut,
    PermissionMissing,
    SessionLost,
    Unreachable,
    Unsupported,
)
from ansible_collections.evenport.sip.plugins.module_utils.model import Registration
from ansible_collections.evenport.sip.plugins.module_utils.pbx.access import Access, Config
from ansible_collections.evenport.sip.plugins.module_utils.pbx.opening import open_pbx
from ansible_collections.evenport.sip.plugins.module_utils.pbx.work import read_pbx
from tests.fakes.threecx import FakeThreeCx
from tests.fakes.tls import self_signed
from tests.fakes.web import Reply
from tests.fakes.yeastar import FakeYeastar
from tests.unit.plugins.module_utils.pbx.pbx_contract import EXTENSIONS, ByHandContract, Rig, nothing_secret

CERTIFICATE = self_signed(addresses=("127.0.0.1",))


class ApiRig(Rig):
    sees_user_agent = False
    shows = {}

    def __init__(self, fake, kind, people):
        self.fake, self.people = fake, people
        people.update(dict.fromkeys([*EXTENSIONS, "4540", "4540r"], False))
        self.config = Config(kind, Access("127.0.0.1", fake.port, fake.client, fake.secret, fingerprint=fake.tls.fingerprint, timeout=3))

    @property
    def secrets(self):
        return (self.fake.secret, *self.fake.given, *(f"pw{name}" for name in EXTENSIONS), "refresh-me")

    def register(self, extension, claimed, seen, user_agent):
        self.people[extension] = True

    def registered(self, extension, claimed, seen):
        return Registration(extension, status="registered")

    def attempts(self):
        return self.fake.login_attempts

    def wrong_password(self):
        return replace(self.config, access=replace(self.config.access, password="not-that"))

    def fails(self, kind, config=None):
        """The error, with no secret in it, after one login at most."""
        before = self.fake.login_attempts
        with pytest.raises(kind) as told:
            read_pbx(config or self.config, ["101"])
        assert self.fake.login_attempts - before <= 1
        nothing_secret(self, told.value, told.getrepr(style="long"))
        assert "phone" not in str(told.value) or "sip_phone" not in str(told.value)
        return told.value


@pytest.fixture
def yeastar():
    with FakeYeastar(tls=CERTIFICATE) as fake:
        yield ApiRig(fake, "yeastar", fake.extensions)


@pytest.fixture
def threecx():
    with FakeThreeCx(tls=CERTIFICATE) as fake:
        yield ApiRig(fake, "3cx", fake.users)


class TestYeastar(ByHandContract):
    @pytest.fixture
    def rig(self, yeastar):
        yield yeastar
        assert yeastar.fake.tokens == []            # each was given back: only eight may be out


class TestThreeCx(ByHandContract):
    @pytest.fixture
    def rig(self, threecx):
        return threecx


@pytest.fixture(params=["yeastar", "threecx"])
def rig(request):
    return request.getfixturevalue(request.param)


def shown(rig):
    result = read_pbx(rig.config, ["101"])
    assert not result["shows_ports"] and result["live"]
    return {one["extension"] for one in result["registrations"]}


@pytest.mark.parametrize("limit", [10000, 7])
def test_a_list_of_many_pages(rig, limit):
    rig.fake.page_limit = limit
    rig.people.update({str(number): number % 3 == 0 for number in range(2000, 2350)})
    assert shown(rig) == {str(number) for number in range(2000, 2350) if number % 3 == 0}
    with open_pbx(rig.config) as pbx:
        assert sorted(pbx.endpoints()) == sorted(rig.people)


def test_a_planned_port_is_proved_by_the_registration_alone(rig):
    rig.register("101", (), (), "")
    result = read_pbx(rig.config, wait_for={"101": 5062, "102": 5064}, wait_timeout=0.1)
    assert result["not_shown"] == ["102"] and [one["claimed"] for one in result["planned"]] == [0, 0]


def test_the_same_page_again_and_again_is_no_list(rig):
    rig.people.update(dict.fromkeys((str(number) for number in range(2000, 2150)), True))
    rig.fake.faults["same_page"] = True
    assert "but 100 of them" in str(rig.fails(BadAnswer))
    assert rig.fake.requests < 10


@pytest.mark.parametrize(("fault", "kind"), [
    ("hang", Unreachable), ("drop", Unreachable), ("rubbish", BadAnswer), ("huge", BadAnswer), ("drip", BadAnswer), ("drip_headers", BadAnswer),
    ("html", BadAnswer)])
@pytest.mark.parametrize("where", [True, "GET "])
def test_bad_answers_end_in_time(rig, fault, kind, where):
    rig.fake.faults[fault] = where
    started = time.monotonic()
    error = rig.fails(kind, replace(rig.config, access=replace(rig.config.access, timeout=1)))
    assert time.monotonic() - started < 20 and "sip_pbx_" in str(error)


def test_an_unknown_certificate_gets_no_password(rig):
    error = rig.fails(CertificateRefused, replace(rig.config, access=replace(rig.config.access, fingerprint="")))
    assert rig.fake.requests == 0 and "sip_pbx_fingerprint" in str(error) and error.fingerprint.endswith(CERTIFICATE.fingerprint)
    rig.fails(CertificateRefused, replace(rig.config, access=replace(rig.config.access, fingerprint="ab" * 32)))
    assert rig.fake.requests == 0


def test_nobody_there(rig):
    rig.fake.stop()
    assert "sip_pbx_host" in str(rig.fails(Unreachable))


@pytest.mark.parametrize(("code", "kind"), [
    (10005, PermissionMissing), (70087, PermissionMissing), (70004, LockedOut), (10004, SessionLost), (10001, Unsupported), (-2, BadAnswer),
    (12345, BadAnswer)])
def test_yeastar_says_no_to_the_list(yeastar, code, kind):
    yeastar.fake.faults["errcode"] = code
    assert yeastar.fails(kind).__class__ is kind
    assert yeastar.fake.tokens == []


def test_yeastar_bans_and_runs_out_of_tokens(yeastar):
    yeastar.fake.wrong_logins = 5
    assert "Blocked IPs" in str(yeastar.fails(LockedOut))
    yeastar.fake.wrong_logins = 0
    yeastar.fake.tokens += list("abcdefgh")
    assert yeastar.fails(LockedOut).minutes == 30


@pytest.mark.parametrize("code", [40002, -1, 10009, 70003])
def test_yeastars_code_for_a_wrong_secret_is_not_known(yeastar, code):
    yeastar.fake.wrong_secret = code
    yeastar.fails(AuthFailed, yeastar.wrong_password())


def test_yeastars_apps_are_no_phones(yeastar):
    yeastar.fake.linkus.update(["101", "102"])
    yeastar.register("102", (), (), "")
    assert shown(yeastar) == {"102"}
    yeastar.fake.by_status_list = False
    assert shown(yeastar) == {"102"}


def test_yeastars_list_that_ends_early(yeastar):
    yeastar.people.update(dict.fromkeys((str(number) for number in range(2000, 2150)), True))
    yeastar.fake.faults["half"] = True
    yeastar.fails(BadAnswer)


@pytest.mark.parametrize(("fault", "kind"), [("forbidden", PermissionMissing), ("no_licence", Unsupported), ("lost", SessionLost), ("busy", LockedOut)])
def test_3cx_says_no(threecx, fault, kind):
    threecx.fake.faults[fault] = True
    error = threecx.fails(kind)
    assert error.__class__ is kind
    if fault == "busy":
        assert error.minutes == 2
    if fault == "no_licence":
        assert "licence" in str(error)


def test_3cx_refuses_with_401_too(threecx):
    threecx.fake.refusal = 401
    threecx.fails(AuthFailed, threecx.wrong_password())


def test_3cx_without_a_count(threecx):
    threecx.people.update(dict.fromkeys((str(number) for number in range(2000, 2250)), True))
    threecx.fake.faults["no_count"] = True
    assert len(shown(threecx)) == 250


def test_3cx_is_asked_for_no_secret(threecx, monkeypatch):
    """A user's record holds passwords: they do not even cross the network."""
    sent = []
    handle = threecx.fake.handle
    monkeypatch.setattr(threecx.fake, "handle", lambda request: sent.append(handle(request)) or sent[-1])
    shown(threecx)
    assert len(sent) > 1 and not any(b"pw101" in reply.body for reply in sent)


RUBBISH = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(["errcode", "data", "total_number", "number", "online_status", "sip_phone", "status", "status_list", "value", "Number", "IsRegistered",
                         "@odata.count", "access_token"]), inner, max_size=5), max_leaves=25)


@settings(max_examples=150)
@given(login=RUBBISH | st.just({"errcode": 0, "access_token": "a-token"}), page=RUBBISH)
@pytest.mark.parametrize("kind", ["yeastar", "3cx"])
def test_any_json_is_a_value_or_our_error(kind, login, page):
    with Rubbish(kind, login, page) as fake:
        config = Config(kind, Access("127.0.0.1", fake.port, "someone", "s3cret-s3cret", fingerprint=CERTIFICATE.fingerprint, timeout=5))
        try:
            result = read_pbx(config, ["101"])
        except EvenportError as error:
            assert "s3cret-s3cret" not in str(error)
        else:
            assert all(isinstance(one["extension"], str) and one["extension"] for one in result["registrations"])
        assert fake.requests < 12


class Rubbish(FakeYeastar):
    def __init__(self, kind, login, page):
        super().__init__(tls=CERTIFICATE)
        self.kind, self.login, self.page = kind, login, page

    def handle(self, request):
        body = self.login if request.method == "POST" else self.page
        return Reply(body=json.dumps(body).encode(), content_type="application/json")
