# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The located form: how it gets in, whom it trusts, and what it hands on."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.evenport.sip.plugins.module_utils.errors import AuthFailed, EvenportError, IdentityMismatch, LockedOut, Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.phones.form.place import as_profile, from_profile
from ansible_collections.evenport.sip.plugins.module_utils.phones.work import inspect_phone
from tests.fakes.form import FakeFormPhone
from tests.fakes.htek import FakeHtek
from tests.fakes.snom import FakeSnom
from tests.fakes.web import FakeWebServer, Reply
from tests.unit.plugins.module_utils.phones.contract_suite import PASSWORD, TWO_LINES, refuse, target_of
from tests.unit.plugins.module_utils.phones.form_visits import KONTO, NETWORK, ONE_PORT, PIECES, configure, inspect, made, place

# ---------------------------------------------------------------------- login


@pytest.mark.parametrize("mode", ["handler", "library", "no action"])
def test_a_login_that_a_script_hashes_is_refused_before_the_password_is_sent(mode):
    with made("konto", hashed=mode) as fake:
        assert "No password was sent" in str(refuse(Unsupported, lambda: configure(fake)))
        assert fake.login_attempts == 0 and not any(line.startswith("POST") for line in fake.asked)


@pytest.mark.parametrize(("body", "said"), [
    ("<form method=get action=/in><input name=u><input type=password name=p></form>", "into the address"),
    ("<input name=u><input type=password name=p><button onclick=go()>", "in no form"),
    ("<form method=post action='javascript:go()'><input name=u><input type=password name=p></form>", ""),
    ("<form method=post action=/in><input id=u><input type=password id=p></form>", "script"),
    ("<script src=/login.js></script><form method=post action=/in onsubmit='return f()'><input name=u><input type=password name=p></form>",
     "changes the password")])
def test_other_logins_that_can_not_be_driven(body, said):
    class Front(FakeWebServer):
        def handle(self, request):
            return Reply(200, b"function f(){ p.value = CryptoJS.AES(p.value); }") if request.path.endswith(".js") else Reply(200, body.encode())

    with Front() as fake:
        fake.mac, fake.options = "", {"brand": "form"}
        assert said in str(refuse(Unsupported, lambda: configure(fake)))
        assert not any(line.startswith("POST") for line in fake.log)


@pytest.mark.parametrize("faults", [{}, {"redirect_login": True}], ids=str)
def test_a_wrong_password_is_the_login_page_again(faults):
    with made("konto", **faults) as fake:
        refuse(AuthFailed, lambda: configure(fake, target=target_of(fake, password="wrong")))
        assert fake.login_attempts == 1
        assert configure(fake)["changed"]


def test_locked_after_wrong_passwords():
    with made("konto", lock_after=2) as fake:
        for wrong in ("wrong", "wronger"):
            refuse(AuthFailed, lambda wrong=wrong: inspect(fake, password=wrong))
        assert refuse(LockedOut, lambda: inspect(fake)).minutes == 5


def test_a_login_page_that_says_locked_gets_no_attempt():
    class Locked(FakeFormPhone):
        def _login_page(self, request, said=""):
            return super()._login_page(request, "Locked. Please try again in 7 minutes.")

    with Locked("konto", password=PASSWORD) as fake:
        fake.options = {"brand": "form"}
        assert refuse(LockedOut, lambda: inspect(fake)).minutes == 7 and fake.login_attempts == 0


def test_a_list_of_users_is_chosen_from():
    class Users(FakeFormPhone):
        def _login_page(self, request, said=""):
            reply = super()._login_page(request, said)
            reply.body = reply.body.replace(b"<input name=user>",
                                            b"<select name=user><option value=user>User</option><option value=admin>Administrator</option></select>")
            return reply

    with Users("konto", password=PASSWORD, accounts=TWO_LINES) as fake:
        fake.options = {"brand": "form"}
        assert configure(fake)["changed"]
        assert "offers no user" in str(refuse(AuthFailed, lambda: inspect(fake, username="root"))) and fake.login_attempts == fake.logins == 1


def test_a_login_page_behind_frames_and_a_front_page_without_one():
    class Framed(FakeFormPhone):
        def handle(self, request):
            if request.path == "/" and not request.cookies:
                return self.page("", "", head='<script>top.location.href = "/start.html";</script>')
            if request.path == "/start.html":
                return Reply(200, b'<frameset><frame src="/in.html"></frameset>')
            if request.path == "/in.html":
                return self._login_page(request)
            return super().handle(request)

    with Framed("konto", password=PASSWORD, accounts=TWO_LINES) as fake:
        fake.options = {"brand": "form"}
        found_now = inspect(fake)
        assert found_now["profile"]["login"] == {"how": "form", "page": "/in.html", "user": "user", "password": "pw"}
        assert configure(fake, target=target_of(fake, profile=found_now["profile"]))["changed"]


def test_a_phone_that_wants_no_login():
    class Open(FakeFormPhone):
        def allowed(self, request):
            return True

    with Open("network", password=PASSWORD, accounts=TWO_LINES) as fake:
        fake.options = {"brand": "form"}
        profile = inspect(fake)["profile"]
        assert profile["login"] == {"how": "none"}
        session = inspect_phone(target_of(fake), ONE_PORT, keep_session=True)["session"]
        assert configure(fake, session=json.loads(json.dumps(session)))["changed"] and fake.guard.right == fake.guard.wrong == 0


# ---------------------------------------------------------------------- who is it


def test_the_mac_is_looked_for_and_has_to_be_there():
    with made("konto") as fake:
        assert "02:00:00:12:AB:02" in str(refuse(IdentityMismatch, lambda: inspect(fake, mac="02000012ab02"))) and fake.writes == 0

    class Silent(FakeFormPhone):
        def _mac_shown(self):
            return "unknown"

    with Silent("konto", password=PASSWORD) as fake:
        fake.options = {"brand": "form"}
        assert "does not say its MAC" in str(refuse(IdentityMismatch, lambda: configure(fake))) and fake.writes == 0
        assert configure(fake, target=target_of(fake, mac=""))["changed"]


@pytest.mark.parametrize("brand", ["vtech", "north_american_telecom"])
def test_a_name_on_the_label_is_no_protocol(brand):
    """Whatever can be recognised is driven as what it is; only what nobody knows is looked at."""
    for kind, name in ((FakeHtek, "htek"), (FakeSnom, "snom")):
        with kind(password=PASSWORD) as fake:
            assert inspect(fake, brand=brand, mac="")["identity"]["brand"] == name
    with made("konto") as fake:
        assert inspect(fake, brand=brand)["identity"]["brand"] == brand
        assert configure(fake, target=target_of(fake, brand=brand))["changed"]


def test_nobody_is_looked_at_unless_a_person_says_so():
    with made("konto", {"brand": "auto"}) as fake:
        refuse(Unsupported, lambda: configure(fake))
        assert fake.login_attempts == 0


# ---------------------------------------------------------------------- profiles


@pytest.mark.parametrize(("layout", "expected"), [("konto", KONTO), ("network", NETWORK)])
def test_a_walk_ends_in_a_profile(layout, expected):
    with made(layout) as fake:
        profile = inspect(fake)["profile"]
        assert json.loads(json.dumps(profile)) == expected
        assert PASSWORD not in json.dumps(profile) and fake.MAC not in json.dumps(profile)
        assert as_profile(from_profile("kitchen", profile)) == profile


def test_with_a_profile_nobody_walks():
    with made("konto", {"profile": KONTO}) as fake:
        configure(fake)
        assert fake.asked == [
            "GET /", "POST /login.cgi", "GET /main.html", "GET /konto.html?nr=1", "GET /konto.html?nr=2", "GET /netz.html", "GET /status.html",
            "GET /konto.html?nr=1", "POST /konto_speichern.cgi",                                                                        # fresh page, save
            "GET /konto.html?nr=1", "GET /konto.html?nr=2", "GET /abmelden.html"]                                                      # read back, out
    lean = {**NETWORK, "mac": "", "form": {**NETWORK["form"], "places": NETWORK["form"]["places"][:2]}}
    with made("network", {"profile": lean, "mac": ""}) as fake:
        configure(fake)
        assert fake.asked == ["GET /", "GET /", "GET /sip.htm", "GET /sip.htm", "POST /save_sip", "GET /sip.htm"]


@pytest.mark.parametrize("layout", ["konto", "network"])
def test_the_push_needs_no_second_walk(layout):
    with made(layout) as fake:
        session = inspect_phone(target_of(fake), ONE_PORT, keep_session=True)["session"]
        asked = len(fake.asked)
        assert configure(fake, session=json.loads(json.dumps(session)))["changed"]
        assert not any("voip" in line or "main" in line or "menu" in line for line in fake.asked[asked:])
        assert fake.login_attempts == fake.logins == (1 if layout == "konto" else 0)


def test_another_phone_than_the_profiles_gets_no_password():
    with made("network", {"profile": KONTO}) as fake:
        assert "does not show 'Acme B'" in str(refuse(Unsupported, lambda: configure(fake)))
        assert fake.asked == ["GET /"] and fake.guard.wrong == fake.guard.right == 0


def test_a_profile_of_another_firmware():
    with made("konto", {"profile": KONTO}, port_name="sipport") as fake:
        assert "no field 'lport'" in str(refuse(Unsupported, lambda: configure(fake))) and fake.writes == 0
    with made("konto", {"profile": {**KONTO, "login": {**KONTO["login"], "page": "/konto.html"}}}) as fake:
        assert configure(fake)["changed"]                   # any page shows the login form
    with made("network", {"profile": {**KONTO, "recognise": {}, "login": {**KONTO["login"], "page": "/sip.htm"}}}) as fake:
        refuse(EvenportError, lambda: configure(fake))
        assert fake.writes == 0


def test_every_save_restarts_it_says_the_profile():
    class Restarting(FakeFormPhone):
        def store(self, changes):
            super().store(changes)
            self.restart(Reply())

    with Restarting("konto", password=PASSWORD, accounts=TWO_LINES, faults={"slow_reboot": 0.2}) as fake:
        fake.options = {"profile": {**KONTO, "apply": "reboot"}}
        assert "nor its PBX" in str(refuse(EvenportError, lambda: configure(fake, in_use=None))) and fake.writes == 0
    assert from_profile("kitchen", {**KONTO, "apply": "reboot"}).apply == "reboot"


def test_without_a_known_way_it_is_not_restarted():
    with made("konto") as fake:
        configure(fake)
        assert "how to restart" in str(refuse(Unsupported, lambda: configure(fake, reboot="if_needed"))) and fake.reboots == 0


@pytest.mark.parametrize("change", [
    {"form": None}, {"form": {}}, {"form": {"places": []}}, {"form": {"places": [1]}}, {"form": {"places": [place("x", 1, "/a", "b")]}},
    {"form": {"places": [place("user", 1, "/a", "b")]}}, {"form": {"places": [place("local_port", 0, "/a", "b")]}},
    {"form": {"places": [place("local_port", 1, "a", "b")]}},
    {"form": {"places": [place("local_port", 1, "//192.0.2.9/a", "b")]}}, {"form": {"places": [place("local_port", 1, "http://x/a", "b")]}},
    {"form": {"places": [place("local_port", 1, "/a", "")]}},
    {"form": {"places": [place("local_port", 1, "/a", "b"), place("local_port", 1, "/a", "c")]}}, {"form": {"places": [place("local_port", True, "/a", "b")]}},
    {"form": {"scope": "phone", "places": [place("local_port", 2, "/a", "b")]}}, {"form": {"scope": "x", "places": [place("local_port", 1, "/a", "b")]}},
    {"form": {"places": [place("local_port", 1, "/a", "b", nth=-1)]}}, {"login": {"how": "x"}}, {"login": {"how": "form"}},
    {"login": {"how": "http", "page": "x"}}, {"logout": "x"},
    {"mac": "//x"}, {"apply": "x"}, {"reboot": 1}, {"reboot": {"path": "x"}}, {"reboot": {"path": "/x", "method": "DELETE"}},
    {"reboot": {"path": "/x", "form": [1]}}])
def test_a_profile_that_is_none(change):
    with pytest.raises(EvenportError, match="kitchen: sip_phone_profile"):
        from_profile("kitchen", {**KONTO, **change})


# ---------------------------------------------------------------------- fuzzing


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=8), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
    st.sampled_from(["form", "places", "login", "how", "page", "what", "line", "field", "nth", "reboot", "path", "method", "scope", "why"]), inner, max_size=4),
    max_leaves=10)


@given(JSON, JSON)
def test_any_profile_is_one_or_refused(data, entry):
    for profile in (data, {**KONTO, "login": data}, {**KONTO, "form": {"places": [entry, data]}}, {**KONTO, "reboot": data},
                    {**KONTO, "form": {**KONTO["form"], "scope": data}}):
        if isinstance(profile, dict):
            try:
                as_profile(from_profile("kitchen", profile))
            except EvenportError as error:
                assert str(error)


class Rubbish(FakeFormPhone):
    """Answers every page behind the login with what it is given."""

    answer = b""

    def _konto(self, request):
        if request.path in ("/konto.html", "/main.html") and self.allowed(request):
            return Reply(200, self.answer)
        return super()._konto(request)


@settings(max_examples=30, deadline=None)
@given(PIECES)
def test_a_whole_visit_survives_any_page(pieces):
    with Rubbish("konto", password=PASSWORD, accounts=TWO_LINES) as fake:
        fake.options, fake.answer = {"brand": "form", "mac": ""}, "".join(pieces).encode("utf-8", "surrogatepass")
        try:
            configure(fake)
        except EvenportError as error:
            assert str(error)
        assert fake.login_attempts <= 1 and fake.dangers == 0
