# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From recordings to profiles, on small recordings that are written here by hand. Real ones: tests/integration/test_phone_profile.py."""

from __future__ import annotations

import base64
import hashlib
import json
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.evenport.sip.plugins.module_utils.errors import EvenportError
from ansible_collections.evenport.sip.plugins.module_utils.har.learn import Wanted, learn
from ansible_collections.evenport.sip.plugins.module_utils.har.recording import looks_random, read_har
from ansible_collections.evenport.sip.plugins.module_utils.har.transforms import find_transform
from ansible_collections.evenport.sip.plugins.module_utils.phones.learned.profile import parse
from ansible_collections.evenport.sip.plugins.module_utils.phones.learned.template import evaluate

PASSWORD = "Okapi-77"
TOKEN = "k3Jf9aQ1zX7bT0pL"
NONCE = "9f8e7d6c5b4a3210"
SECRET = "Quagga-4711"
SCRIPT = 'post("/save", {cmd: "store-all", user: u, mode: 2})'
ACCOUNT = {"user": "101", "secret": SECRET, "server": "pbx.example.net", "serverPort": 5060, "localPort": 5060, "on": True, "codecs": ["PCMA", "G722"]}


class Har:
    """A recording, request by request."""

    def __init__(self) -> None:
        self.entries: list[dict] = []

    def add(self, method, path, answer="", *, form=None, data=None, text=None, headers=(), received=(), status=200, kind="", host="http://127.0.0.1:8080"):
        sent = [{"name": name, "value": value} for name, value in (("User-Agent", "Mozilla/5.0"), ("Accept", "*/*"), *headers)]
        entry = {"startedDateTime": f"2026-03-01T10:00:{len(self.entries):02d}.000Z", "request": {"method": method, "url": host + path, "headers": sent}}
        if form is not None:
            entry["request"]["postData"] = {"mimeType": "application/x-www-form-urlencoded", "text": urlencode(form)}
        elif data is not None:
            entry["request"]["postData"] = {"mimeType": "application/json", "text": json.dumps(data)}
        elif text is not None:
            entry["request"]["postData"] = {"mimeType": "text/xml", "text": text}
        body = answer if isinstance(answer, str) else json.dumps(answer)
        kind = kind or ("text/html" if body.startswith("<") else "application/javascript" if path.endswith(".js") else "application/json")
        entry["response"] = {"status": status, "headers": [{"name": name, "value": value} for name, value in (("Content-Type", kind), *received)],
                             "content": {"mimeType": kind, "text": body}}
        self.entries.append(entry)
        return self

    def front(self, script=SCRIPT):
        return self.add("GET", "/", "<html><title>Acme N9</title><script src=/ui.js></script>").add("GET", "/ui.js", script)

    def login(self, **more):
        return self.add("POST", "/login", {"token": TOKEN}, **{"data": {"user": "admin", "password": PASSWORD}, **more})

    def shows(self, account=None, port=5060, **more):
        return self.add("GET", "/account", {**(account or ACCOUNT), "localPort": port}, **{"headers": [("X-Token", TOKEN)], **more})

    def saves(self, data=None, **more):
        data = {**ACCOUNT, "localPort": 5078} if data is None and "form" not in more else data
        return self.add("POST", "/save", {"result": "ok"}, **{"data": data, "headers": [("X-Token", TOKEN)], **more})

    def learn(self, **more):
        lesson = learn(
            json.dumps({"log": {"entries": self.entries}}), Wanted(**{"username": "admin", "password": PASSWORD, "old_port": 5060, "new_port": 5078, **more})
        )
        dump = json.dumps([lesson.profile, lesson.not_understood, lesson.left_out, lesson.confidence])
        assert not [secret for secret in (PASSWORD, TOKEN, NONCE, SECRET, "pbx.example.net") if secret in dump]
        assert bool(lesson.profile) != bool(lesson.not_understood)
        if lesson.profile:
            parse(lesson.profile)
        return lesson

    def refused(self, **more):
        lesson = self.learn(**more)
        assert lesson.profile == {}
        return " ".join(lesson.not_understood)


def plain():
    return Har().front().login().shows().saves().shows(port=5078)


# ---------------------------------------------------------------------- what is understood


def test_the_whole_way():
    lesson = plain().learn()
    assert lesson.profile == {
        "profile": 1,
        "kind": "learned",
        "name": "Acme N9",
        "scope": "line",
        "line": 1,
        "apply": "live",
        "recognise": {"path": "/", "contains": "<title>Acme N9"},
        "login": [
            {
                "method": "POST",
                "path": "/login",
                "body": {"json": {"user": "{{ username }}", "password": "{{ password }}"}},
                "take": {"x_token": {"from": "json", "path": "token"}},
            }
        ],
        "read": [
            {
                "method": "GET",
                "path": "/account",
                "headers": {"X-Token": "{{ x_token }}"},
                "take": {"own_values": {"from": "json", "path": "@"}},
                "value": {"from": "json", "path": "localPort"},
            }
        ],
        "write": [
            {
                "method": "POST",
                "path": "/save",
                "headers": {"X-Token": "{{ x_token }}"},
                "body": {"json": {"$same_as": "own_values", "$set": {"localPort": "{{ port }}"}}},
                "expect": {"json": {"result": "ok"}},
            }
        ],
    }
    assert [step["confidence"] for step in lesson.confidence] == ["high", "high", "high"]


def test_a_form_of_scripts_is_filled_from_json_field_by_field():
    form = [("cmd", "store-all"), ("user", "101"), ("secret", SECRET), ("server", "pbx.example.net"), ("on", "1"), ("localPort", "5078")]
    lesson = Har().front().login().shows().saves(form=form).learn()
    assert lesson.profile["write"][0]["body"] == {
        "form": [
            ["cmd", "store-all"],
            ["user", "{{ own_user }}"],
            ["secret", "{{ own_secret }}"],
            ["server", "{{ own_server }}"],
            ["on", "{{ own_on | flag }}"],
            ["localPort", "{{ port }}"],
        ]
    }
    assert "cmd=store-all" in lesson.confidence[-1]["why"] and lesson.confidence[-1]["confidence"] == "medium"


def test_a_box_that_was_off_is_no_licence_to_switch_it_off_elsewhere():
    form = [("user", "101"), ("localPort", "5078")]
    lesson = Har().front().login().shows({**ACCOUNT, "srtp": False}).saves(form=form).learn()
    assert lesson.profile["write"][0]["only_if"] == {"own_srtp": False} and lesson.profile["read"][0]["take"]["own_srtp"] == {"from": "json", "path": "srtp"}
    assert "switched on" in " ".join(step["why"] for step in lesson.confidence)


def test_a_token_in_a_page_and_one_in_a_path():
    har = Har().add("GET", "/", f'<title>Acme N9</title><meta name="csrf" content="{NONCE}">').add("GET", "/ui.js", SCRIPT)
    har.login(headers=[("X-CSRF", NONCE)])
    har.add("GET", f"/stok={TOKEN}/account", ACCOUNT).saves(headers=[("X-CSRF", NONCE)])
    profile = har.learn().profile
    assert profile["login"][0]["take"] == {"x_csrf": {"from": "text", "path": '"csrf" content="'}} and profile["login"][1]["headers"] == {
        "X-CSRF": "{{ x_csrf }}"
    }
    assert profile["read"][0]["path"] == "/stok={{ part }}/account" and profile["login"][1]["take"] == {"part": {"from": "json", "path": "token"}}


def test_a_header_that_each_answer_renews():
    har = Har().front().login(received=[("X-Next", "aaaa1111bbbb2222")])
    har.shows(headers=[("X-Next", "aaaa1111bbbb2222")], received=[("X-Next", "cccc3333dddd4444")])
    har.saves(headers=[("X-Next", "cccc3333dddd4444")], received=[("X-Next", "eeee5555ffff6666")]).shows(port=5078, headers=[("X-Next", "eeee5555ffff6666")])
    profile = har.learn().profile
    steps = [profile[phase][0] for phase in ("login", "read", "write")]
    assert all(step["take"]["x_next"] == {"from": "header", "path": "x-next"} for step in steps)
    assert all(step["headers"] == {"X-Next": "{{ x_next }}"} for step in steps[1:])


def test_clocks_and_dice_are_named_and_made_anew():
    har = Har().front().login().shows().saves()
    for entry, query in ((har.entries[2], "?_=1772359200123"), (har.entries[3], "?r=0.8123456789012"), (har.entries[4], "?t=1772359200")):
        entry["request"]["url"] += query
    lesson = har.learn()
    assert [lesson.profile[phase][0]["query"] for phase in ("login", "read", "write")] == [{"_": "{{ now_ms }}"}, {"r": "{{ random }}"}, {"t": "{{ now }}"}]
    assert len([one for one in lesson.left_out if "made anew" in one]) == 3


def test_what_is_not_needed_is_left_out_and_named():
    har = Har().front().login().add("POST", "/telemetry", {"ok": True}, data={"screen": "1280x720"}).shows().add("GET", "/status", {"calls": 0}).saves()
    har.add("GET", "/x.js", "", host="http://cdn.example.net").add("POST", "/logout", "", headers=[("X-Token", TOKEN)])
    lesson = har.learn()
    assert "POST /telemetry" in " ".join(lesson.left_out) and "cdn.example.net" in " ".join(lesson.left_out)
    assert [len(lesson.profile[phase]) for phase in ("login", "read", "write", "logout")] == [1, 1, 1, 1]


def test_what_the_page_sends_after_saving_belongs_to_it():
    lesson = Har().front().login().shows().saves().add("POST", "/commit", {"result": "ok"}, headers=[("X-Token", TOKEN)]).learn()
    assert [step["path"] for step in lesson.profile["write"]] == ["/save", "/commit"] and "for the first time" in lesson.confidence[-1]["why"]


def test_the_old_port_in_several_places_is_told_by_name_or_by_what_changed():
    assert plain().learn().profile["read"][0]["value"]["path"] == "localPort"           # and not serverPort, which is 5060 too
    other = {"sip": {"a": 5060, "b": 5060}}
    har = Har().front().login().add("GET", "/account", other, headers=[("X-Token", TOKEN)]).saves({"cmd": "store-all", "lport": 5078})
    assert "sip.b" in har.refused() and "stands in several places" in har.refused()
    har.add("GET", "/account", {"sip": {"a": 5060, "b": 5078}}, headers=[("X-Token", TOKEN)])
    assert har.learn().profile["read"][0]["value"]["path"] == "sip.b"


def test_the_mac_is_learned_where_it_stands():
    about = {"net": {"mac": "02-A5-C3-00-00-01"}}
    har = Har().front().add("GET", "/about", about).login().shows().saves()
    assert har.learn(mac="02a5c3000001").profile["identify"] == [{"method": "GET", "path": "/about", "take": {"mac": {"from": "json", "path": "net.mac"}}}]
    assert "leave sip_mac out" in " ".join(plain().learn(mac="02a5c3000001").left_out)


def test_the_line_is_a_placeholder():
    har = Har().front().login().shows().saves()
    for entry in har.entries[3:]:
        entry["request"]["url"] = entry["request"]["url"].replace("/account", "/lines/2?acc=2").replace("/save", "/lines/2")
    profile = har.learn(line=2).profile
    assert profile["line"] == 2 and profile["read"][0]["path"] == "/lines/{{ line }}" and profile["read"][0]["query"] == {"acc": "{{ line }}"}


def test_http_authentication():
    basic = [("Authorization", "Basic " + base64.b64encode(f"admin:{PASSWORD}".encode()).decode())]
    profile = Har().front().shows(headers=basic).saves(headers=basic).learn().profile
    assert profile["auth"] == "http" and "login" not in profile and "headers" not in profile["read"][0]


# ---------------------------------------------------------------------- what is not


def test_a_field_of_the_recorded_phone_is_never_replayed():
    assert (
        "json field proxy is sent with a value that neither"
        in Har().front().login().shows().saves({**ACCOUNT, "localPort": 5078, "proxy": "sbc.example.net"}).refused()
    )
    assert "form field volume" in Har().front().login().shows().saves(form=[("volume", "7"), ("user", "101"), ("localPort", "5078")]).refused()
    # A script that holds an account is no reason to send it to others.
    own = SCRIPT + ' let user = "104";'
    assert "form field user" in Har().front(own).login().shows().saves(form=[("user", "104"), ("localPort", "5078")]).refused()


@pytest.mark.parametrize(("field", "script"), [
    (("transport", "udp"), "let transport = 'udp'; choose(transport, ['udp', 'tls'])"),         # the recorded phone's choice, and a word of the page
    (("proxy", ""), "let form = {proxy: ''}"),                                                   # empty there, and perhaps not here
    (("expires", "60"), "let form = {expires: 60}"),
    (("ring", "soft"), "let rings = ['soft', 'loud']; read(ring)"),                              # a word of the page, but not of this field
])
def test_a_default_of_the_page_is_no_value_for_every_phone(field, script):
    assert f"form field {field[0]}" in Har().front(SCRIPT + script).login().shows().saves(form=[("cmd", "store-all"), field, ("localPort", "5078")]).refused()


@pytest.mark.parametrize(("path", "says"), [
    ("/save?user=101", "query field user"), ("/save/10177", "part 3 of the path"), ("/save?volume=7", "query field volume")])
def test_an_address_that_is_somebodys_account_is_no_address_for_others(path, says):
    har = Har().front().login().add("GET", "/look?user=101", {"ok": 1}).shows().saves()
    har.entries[-1]["request"]["url"] = har.entries[-1]["request"]["url"].replace("/save", path)
    own = {"localPort": 5060, "on": True}
    har.entries[-2]["response"]["content"]["text"], har.entries[-1]["request"]["postData"]["text"] = json.dumps(own), json.dumps({**own, "localPort": 5078})
    assert says in har.refused()


def test_an_account_in_the_question_for_the_port_is_no_question_for_others():
    har = Har().front().login().shows().saves()
    har.entries[3]["request"]["url"] += "?extension_number=10177"
    assert "query field extension_number may belong to the recorded phone" in har.refused()


def test_a_second_change_in_the_recording_is_seen():
    assert "was more changed than the port" in Har().front().login().shows().saves({**ACCOUNT, "localPort": 5078, "server": "new.example.net"}).refused()


def test_a_value_that_could_be_two_is_refused():
    two = {"a": {"on": True}, "b": {"on": True}, "x": {"localPort": 5060}}
    assert (
        "could be any of several"
        in Har().front().login().add("GET", "/account", two, headers=[("X-Token", TOKEN)]).saves(form=[("on", "true"), ("localPort", "5078")]).refused()
    )


@pytest.mark.parametrize(
    ("har", "says"),
    [
        (Har().front().shows().saves(), "no request holds the password"),
        (Har().front().login(data={"user": "admin", "password": "a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6"}).shows().saves(), "neither the password nor made of it"),
        (Har().front().login().shows(), "No request sends the new port 5078"),
        (Har().front().login().shows().add("POST", "/save", "", text="<p>5078</p>", headers=[("X-Token", TOKEN)]), "neither JSON nor a form"),
        (Har().front().login().saves(), "No answer after the login shows the old port 5060"),
        (Har().front().login().shows().saves({**ACCOUNT, "localPort": 5078, "tlsPort": 5078}), "in several fields (localPort, tlsPort)"),
        (
            Har().front().login().shows().saves(headers=[("X-Token", TOKEN), ("X-Sign", "77aa88bb99cc00dd11ee")]),
            "header field X-Sign holds a value that looks like a token",
        ),
        (Har().front().login().shows(headers=[("X-Token", TOKEN), ("Cookie", "SID=f00dfacef00dface")]).saves(), "record in a private window"),
        (Har().add("GET", "/", "<p>hello").login().shows().saves(), "Record from the very first page on"),
        (Har().front().login(data={"user": "admin", "password": PASSWORD, "pin": "4712"}).shows().saves(), "json field pin looks like a secret"),
    ],
)
def test_what_is_not_understood_is_said(har, says):
    assert says in har.refused()


def test_an_export_without_cookies_is_named_where_something_is_missing():
    assert "The recording holds no cookies" in Har().front().login().shows().saves(headers=[("X-Token", TOKEN), ("X-Sign", "77aa88bb99cc00dd11ee")]).refused()


def test_a_secret_that_is_a_common_word_is_not_let_through():
    har = Har().front().login(data={"user": "root", "password": "account"}).shows().saves()
    lesson = learn(json.dumps({"log": {"entries": har.entries}}), Wanted("root", "account", 5060, 5078))
    assert lesson.profile == {} and "no common words" in lesson.not_understood[0]


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"log": {}}', '{"log": {"entries": 5}}', '{"log": {"entries": []}}', '{"log": {"entries": [1, {}, {"request": 5}]}}']
)
def test_what_is_no_recording(text):
    with pytest.raises(EvenportError) as caught:
        learn(text, Wanted("admin", PASSWORD, 5060, 5078))
    assert caught.value.remedy


def test_ports_that_are_the_same():
    with pytest.raises(EvenportError, match="are the same"):
        plain().learn(new_port=5060)


# ---------------------------------------------------------------------- pieces


@pytest.mark.parametrize(
    "way",
    [
        "password | md5",
        "password | sha256",
        "password | base64",
        'username + ":" + password | base64',
        "(password | md5) | base64",
        "password | md5 | upper",
        "password + nonce | sha256",
        "nonce + password | md5",
        "(password | md5) + nonce | md5",
        'username + ":" + nonce + ":" + password | md5',
        "(password | sha256) + nonce | sha256",
    ],
)
def test_known_ways_to_hide_a_password_are_found(way):
    made = evaluate(way, {"username": "admin", "password": PASSWORD, "nonce": NONCE})
    found = find_transform(made, "admin", PASSWORD, ["x" * 9, NONCE, "12345"])
    assert found and evaluate(found[0], {"username": "admin", "password": PASSWORD, "nonce": found[1]}) == made
    assert bool(found[1]) == ("nonce" in way)


def test_a_hash_of_something_else_is_not_found():
    assert find_transform(hashlib.md5(b"other").hexdigest(), "admin", PASSWORD, [NONCE]) is None


@pytest.mark.parametrize(
    ("text", "random"),
    [
        (TOKEN, True),
        (NONCE, True),
        ("account-register-sip", False),
        ("application/json", False),
        ("XMLHttpRequest", False),
        ("2", False),
        ("127.0.0.1:8080", False),
        ("eyJhbGciOiJIUzI1NiJ9.e30.x", True),
        ("line1", False),
        ("localPort", False),
        ("app.min.js", False),
    ],
)
def test_what_looks_like_a_token(text, random):
    assert looks_random(text) == random


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
    st.sampled_from(["name", "value", "text", "mimeType", "url", "localPort", "x"]), inner, max_size=4), max_leaves=8)


@settings(max_examples=200, deadline=None)
@given(
    st.integers(0, 5), st.sampled_from(["request", "response"]), st.sampled_from(["method", "url", "headers", "postData", "status", "content", "cookies"]), JSON
)
def test_any_recording_is_understood_or_refused(number, half, word, data):
    har = plain()
    har.entries[number][half][word] = data
    try:
        lesson = learn(json.dumps({"log": {"entries": har.entries}}), Wanted("admin", PASSWORD, 5060, 5078))
    except EvenportError as error:
        assert error.remedy
    else:
        assert TOKEN not in json.dumps(lesson.profile)


@settings(max_examples=100, deadline=None)
@given(JSON, st.sampled_from([2, 3, 4]))
def test_any_answer_is_understood_or_refused(data, number):
    har = plain()
    har.entries[number]["response"]["content"]["text"] = json.dumps(data)
    learn(json.dumps({"log": {"entries": har.entries}}), Wanted("admin", PASSWORD, 5060, 5078))


def test_entries_are_put_in_their_order():
    har = plain()
    har.entries.reverse()
    assert [one.path for one in read_har(json.dumps({"log": {"entries": har.entries}})).exchanges][:3] == ["/", "/ui.js", "/login"]
