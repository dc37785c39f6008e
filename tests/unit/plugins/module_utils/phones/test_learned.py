# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The driver for learned profiles, against phones that no driver knows. How such profiles are made: ../har and tests/integration/test_phone_profile.py."""

from __future__ import annotations

import copy
import json

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.evenport.sip.plugins.module_utils.errors import AuthFailed, BadAnswer, EvenportError, NotApplied, SessionLost, Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import Answer
from ansible_collections.evenport.sip.plugins.module_utils.phones.learned.profile import SOURCES, Source, parse
from ansible_collections.evenport.sip.plugins.module_utils.phones.learned.sources import take
from ansible_collections.evenport.sip.plugins.module_utils.phones.learned.template import names_in, render, render_all
from ansible_collections.evenport.sip.plugins.module_utils.phones.target import Target
from ansible_collections.evenport.sip.plugins.module_utils.phones.work import inspect_phone
from tests.fakes.scripted import FakeScripted
from tests.fakes.web import FakeWebServer, Reply
from tests.unit.plugins.module_utils.phones.contract_suite import PASSWORD, TWO_LINES, PhoneContract, Row, configure, needs, refuse, target_of

API = yaml.safe_load("""
profile: 1
kind: learned
name: Nimbus N40
scope: phone
recognise: {path: /, contains: <title>Nimbus N40}
identify:
- {path: /api/v1/about, take: {mac: {from: json, path: hardware.mac}}}
login:
- method: POST
  path: /api/v1/session
  body: {json: {user: "{{ username }}", pass: "{{ password }}", remember: false}}
  take: {token: {from: json, path: token}}
  expect: {json: {status: welcome}}
read:
- path: "/api/v1/accounts/{{ line }}"
  query: {_: "{{ now_ms }}"}
  headers: {X-Nimbus-Token: "{{ token }}"}
  take: {own_account: {from: json, path: account}}
  value: {from: json, path: account.localPort}
write:
- path: /api/v1/ticket
  headers: {X-Nimbus-Token: "{{ token }}"}
  take: {ticket: {from: json, path: ticket.value}}
- method: PUT
  path: "/api/v1/accounts/{{ line }}"
  headers: {X-Nimbus-Token: "{{ token }}", X-Nimbus-Ticket: "{{ ticket }}"}
  body: {json: {action: store-account, account: {$same_as: own_account, $set: {localPort: "{{ port }}"}}}}
  expect: {json: {status: stored}}
logout:
- {method: DELETE, path: /api/v1/session, headers: {X-Nimbus-Token: "{{ token }}"}}
""")

FORM = yaml.safe_load("""
profile: 1
kind: learned
name: Nimbus N40
scope: phone
recognise: {contains: <title>Nimbus N40}
identify:
- {path: /api/v1/about, take: {mac: {from: json, path: hardware.mac}}}
login:
- {path: /cgi/nonce, query: {r: "{{ random }}"}, take: {nonce: {from: json, path: nonce}}}
- method: POST
  path: /cgi/login
  body: {form: [[user, "{{ username }}"], [digest, "{{ password + nonce | sha256 }}"]]}
  take: {session_cookie: {from: cookie, path: NSESS}}
read:
- path: /cgi/page
  query: {view: sip-line, line: "{{ line }}"}
  take: {fields: {from: fields, path: localPort}}
  value: {from: form, path: localPort}
write:
- method: POST
  path: /cgi/apply
  body: {form_of: fields, set: [[localPort, "{{ port }}"], [mode, apply-now]]}
logout:
- {method: POST, path: /cgi/logout}
""")

ONE = {"lines": [{"line": 1, "local_port": 5074}]}


def row(name, profile, kind, read_path, write_path, login_path):
    return Row(
        name,
        lambda **more: With(profile, kind, **{"password": PASSWORD, "accounts": TWO_LINES, **more}),
        "form",
        "learned",
        ONE,
        frozenset({"account.1.localPort"}),
        ("account.1.localPort", "local_port of line 1 is 5060 instead of 5074"),
        {1: 5060},
        {1: 5074},
        read_path,
        write_path,
        login_path,
        lock_text="some minutes",
        call_state=False,
        restarts=False,
        partial=False,
    )


class With(FakeScripted):
    """A fake that knows the profile that a test drives it with."""

    def __init__(self, profile, kind, **more):
        self.profile = profile
        super().__init__(kind, **more)


@pytest.fixture(autouse=True)
def with_profile(monkeypatch):
    """The contract's targets, with the fake's profile in their inventory."""
    import tests.unit.plugins.module_utils.phones.contract_suite as suite
    monkeypatch.setattr(suite, "target_of", learned)


def learned(fake, **more):
    return target_of(fake, **{"profile": getattr(fake, "profile", API), **more})


class TestContract(PhoneContract):
    ROWS = [
        row("api", API, "api", "api/v1/accounts", "api/v1/ticket", "api/v1/session"),
        row("form", FORM, "form", "cgi/page", "cgi/apply", "cgi/login"),
    ]

    def test_says_who_it_is_and_what_it_has(self, row):
        """As for all brands, but nobody has told which accounts there are."""
        with row.make() as fake:
            found = inspect_phone(learned(fake))
            assert found["identity"] == {"brand": "form", "generation": "learned", "model": "Nimbus N40", "firmware": "", "mac": fake.mac.lower()}
            assert found["settings"] == {"lines": [{"line": 1, "local_port": 5060}]} and found["port_scope"] == "phone" and found["accounts"] == []
            assert found["call_state"] is False and found["profile"] == {} and fake.writes == 0 and (fake.logins, fake.logouts) == (1, 1)

    test_half_an_effect_is_put_back = None      # one value is written: there is no half

    def test_a_line_that_the_phone_does_not_have(self, row):
        """With a port per line, a line that was not recorded is refused; with one for all, further lines have none."""
        with row.make() as fake:
            per_line = learned(fake, profile={**fake.profile, "scope": "line"})
            assert "line 2" in str(refuse(Unsupported, lambda: configure(row, fake, {"lines": [{"line": 2, "local_port": 5078}]}, target=per_line)))
            assert fake.writes == 0 and fake.logouts == fake.logins

    def test_a_brand_given_is_the_brand_that_answers(self, row):
        with row.make() as fake:
            assert inspect_phone(learned(fake, brand="grandstream"))["identity"]["brand"] == "form"        # the profile decides, not the brand

    @needs("sessions")
    def test_another_line_of_the_same_phone(self, row):
        with row.make() as fake:
            second = learned(fake, profile={**fake.profile, "scope": "line", "line": 2})
            before = dict(fake.values)
            assert configure(row, fake, {"lines": [{"line": 2, "local_port": 5090}]}, target=second)["changed"]
            assert {key for key in before if before[key] != fake.values[key]} == {"account.2.localPort"} and fake.effective == {1: 5060, 2: 5090}


# ---------------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize(("kind", "profile"), [("api", API), ("form", FORM)])
def test_a_refusal_with_status_200_is_seen_by_reading_back(kind, profile):
    with With(profile, kind, password=PASSWORD, accounts=TWO_LINES, faults={"refused": True}) as fake:
        error = refuse(NotApplied, lambda: configure(row("", profile, kind, "", "", ""), fake, ONE, target=learned(fake)))
        assert error.wrote and "as they were" in str(error) and fake.writes == 0


def test_a_page_that_shows_something_else_gets_no_password():
    with FakeScripted("api", model="Cumulus C1", password=PASSWORD) as fake:
        error = refuse(Unsupported, lambda: inspect_phone(learned(fake)))
        assert "Nimbus N40" in str(error) and fake.login_attempts == 0 and fake.log == ["GET /"]


def test_a_profile_that_does_not_fit_says_where():
    profile = copy.deepcopy(API)
    profile["read"][0]["take"]["own_account"]["path"] = "konto"
    with FakeScripted("api", password=PASSWORD) as fake:
        assert "own_account: json konto" in str(refuse(BadAnswer, lambda: inspect_phone(learned(fake, profile=profile)))) and fake.logouts == 1


def test_http_authentication_and_a_token_in_the_path_that_no_message_shows():
    class Guarded(FakeWebServer):
        def handle(self, request):
            if request.path == "/":
                return Reply(body=b"<title>Guarded</title>")
            if request.headers.get("authorization") != "Basic YWRtaW46cHc=":
                return Reply(401, headers=[("WWW-Authenticate", 'Basic realm="x"')])
            if request.path == "/start":
                return Reply.json({"stok": "0123456789abcdef/../x"})
            return Reply(500) if request.path.startswith("/stok=0123456789abcdef%2F..%2Fx/") else Reply(404)

    profile = {
        "profile": 1,
        "kind": "learned",
        "auth": "http",
        "recognise": {"contains": "Guarded"},
        "read": [
            {"path": "/start", "take": {"stok": {"from": "json", "path": "stok"}}},
            {"path": "/stok={{ stok }}/port", "value": {"from": "json", "path": "port"}},
        ],
        "write": [{"method": "POST", "path": "/set", "body": {"form": [["p", "{{ port }}"]]}}],
    }
    with Guarded() as fake:
        target = Target("kitchen", "127.0.0.1", protocol="http", port=fake.port, password="pw", profile=profile)
        with pytest.raises(EvenportError) as caught:
            inspect_phone(target)
        assert "0123456789abcdef" not in str(caught.value) and "{{ stok }}" in str(caught.value)
        assert fake.log[-1] == "GET /stok=0123456789abcdef%2F..%2Fx/port"           # quoted: it stays one part of the path
        with pytest.raises(AuthFailed):
            inspect_phone(Target("kitchen", "127.0.0.1", protocol="http", port=fake.port, password="other", profile=profile))


def test_a_session_that_ends_in_the_second_read_is_named():
    with With(API, "api", password=PASSWORD, accounts=TWO_LINES, faults={"session_lost_after": 0}) as fake:
        refuse(SessionLost, lambda: inspect_phone(learned(fake)))


def test_a_phone_that_is_set_up_unlike_the_recorded_one_is_not_written_to():
    profile = copy.deepcopy(API)
    profile["read"][0]["take"]["own_enabled"] = {"from": "json", "path": "account.enabled"}
    profile["write"][1]["only_if"] = {"own_enabled": False}
    with FakeScripted("api", password=PASSWORD, accounts=TWO_LINES) as fake:
        error = refuse(Unsupported, lambda: configure(row("", API, "api", "", "", ""), fake, ONE, target=learned(fake, profile=profile)))
        assert "own_enabled is true here" in str(error) and fake.writes == 0 and fake.logouts == 1


# ---------------------------------------------------------------------- profiles that can't be


def broken(**changes):
    profile = copy.deepcopy(API)
    for way, value in changes.items():
        place = profile
        *steps, last = way.split("__")
        for step in steps:
            place = place[int(step[1:]) if step[0] == "n" and step[1:].isdigit() else step]
        if value is None:
            del place[last]
        else:
            place[last] = value
    return profile


@pytest.mark.parametrize(("changes", "says"), [
    ({"colour": "red"}, "the profile has unknown words: colour"),
    ({"login__n0__shell": "id"}, "login[0] has unknown words: shell"),
    ({"login__n0__path": "http://evil.example/"}, "login[0].path"),
    ({"login__n0__path": "//evil.example/"}, "login[0].path"),
    ({"login__n0__path": "/\\evil.example/"}, "login[0].path"),
    ({"login__n0__path": "/a?b=c"}, "login[0].path"),
    ({"login__n0__method": "TRACE"}, "login[0].method"),
    ({"login__n0__headers": {"Host": "evil"}}, "Host is not for a profile"),
    ({"login__n0__headers": {"X-A": 1}}, "values are texts"),
    ({"login__n0__headers": {"X A": "1"}}, "no name of a header"),
    ({"login__n0__body": {"json": "{{ password | rot13 }}"}}, "'rot13' is no filter"),
    ({"login__n0__body": {"json": "{{ lookup('file', '/etc/passwd') }}"}}, "no template"),
    ({"login__n0__body": {"xml": "x"}}, "one of json, form, form_of"),
    ({"login__n0__body": {"json": "{{ token }}{{ password }}"}}, "login[0] uses token, which no step before it takes"),
    ({"login__n0__take": {"port": {"from": "json", "path": "x"}}}, "login[0].take: names"),
    ({"login__n0__take": {"token": {"from": "shell", "path": "x"}}}, "login[0].take.token"),
    ({"read__n0__value": None}, "exactly one step has value"),
    ({"write__n1__body": {"json": {}}}, "{{ port }} stands in write"),
    ({"read__n0__headers": {"X": "{{ password }}"}}, "{{ password }} stands in login or write"),
    ({"recognise": {"path": "/"}}, "recognise needs contains"),
    ({"line": 0}, "line is a number"),
    ({"line": 2}, "with scope: phone, line is 1"),
    ({"auth": "http"}, "the password goes either"),
    ({"login__n0__expect": {"status": 500}}, "expect.status"),
    ({"write__n1__body": {"json": {"$same_as": "own_account", "x": "{{ port }}"}}}, "unknown words: x"),
])
def test_a_broken_profile_is_refused_with_where(changes, says):
    with pytest.raises(EvenportError) as caught:
        parse(broken(**changes), "kitchen")
    assert says in str(caught.value) and str(caught.value).startswith("kitchen: ") and caught.value.remedy


def test_two_steps_with_the_password_are_two_attempts():
    with pytest.raises(EvenportError, match="tried once"):
        parse({**API, "login": API["login"] * 2})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["profile", "login", "path", "json", "$same_as", "x"]), inner, max_size=4),
    max_leaves=12,
)


@given(st.sampled_from(sorted(API)), JSON)
def test_any_profile_is_taken_or_refused(word, data):
    try:
        parse({**API, word: data})
    except EvenportError as error:
        assert error.remedy


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["/api/v1/about", "/api/v1/session", "/api/v1/accounts/1", "/api/v1/ticket"]), JSON)
def test_a_visit_survives_any_json(path, data):
    class Rubbish(With):
        def handle(self, request):
            return Reply.json(data) if request.path == path and request.method != "DELETE" else super().handle(request)

    with Rubbish(API, "api", password=PASSWORD, accounts=TWO_LINES) as fake:
        try:
            configure(row("", API, "api", "", "", ""), fake, ONE, target=learned(fake))
        except EvenportError as error:
            assert PASSWORD not in str(error)
        assert fake.login_attempts <= 1 and fake.writes <= 1


# ---------------------------------------------------------------------- templates and sources


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("plain", "plain"),
        ("{{ port }}", 5074),
        ("{{ port | text }}", "5074"),
        ("a{{ port }}b{{ yes }}", "a5074btrue"),
        ("{{ yes }}", True),
        ("{{ yes | flag }}", "1"),
        ("{{ none }}", None),
        ("x{{ none }}", "x"),
        ('{{ a + ":" + b | base64 }}', "QTpC"),
        ("{{ (a | lower) + b }}", "aB"),
        ("{{ own }}", {"k": [1]}),
        ("{{ a | md5 | upper }}", "7FC56270E7A70FA81A5935B72EACBE29"),
        ("{{ digits | number }}", 12),
    ],
)
def test_templates(template, value):
    assert render(template, {"port": 5074, "yes": True, "none": None, "a": "A", "b": "B", "own": {"k": [1]}, "digits": "12"}) == value


@pytest.mark.parametrize(
    "template",
    [
        "{{",
        "}}",
        "{{ }}",
        "{{ a b }}",
        "{{ a | }}",
        "{{ (a }}",
        "{{ a.b }}",
        "{{ a[0] }}",
        "{{ a() }}",
        "{{ 'a' }}",
        "{{ a + }}",
        "{{ a" + " + a" * 300 + " }}",
    ],
)
def test_what_is_no_template(template):
    with pytest.raises(ValueError):
        names_in(template)


def test_a_dictionary_goes_back_as_it_came():
    own = {"a": 1, "b": [2], "port": 5060, "old": 0}
    assert render_all({"x": {"$same_as": "own", "$set": {"port": "{{ port }}"}, "$without": ["old"]}}, {"own": own, "port": 5074}) == {
        "x": {"a": 1, "b": [2], "port": 5074}
    }
    with pytest.raises(BadAnswer):
        render_all({"$same_as": "own"}, {"own": [1]})


@given(st.text(max_size=60))
def test_names_in_takes_any_text(text):
    try:
        names = names_in("{{" + text + "}}")
    except ValueError:
        return
    assert isinstance(names, set)


@given(st.sampled_from(SOURCES), st.text(min_size=1, max_size=12), st.binary(max_size=200) | JSON.map(lambda data: json.dumps(data).encode()))
def test_sources_take_any_answer(kind, path, body):
    try:
        take(Source(kind, path), Answer("x", 200, {"Content-Type": "text/html"}, body), "/")
    except EvenportError as error:
        assert str(error)
