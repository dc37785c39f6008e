# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The located form: the walk, the field, the save. What every phone must do is in contract_suite.py."""

from __future__ import annotations

import pytest

from ansible_collections.evenport.sip.plugins.module_utils.errors import NotApplied, SessionLost, Unreachable, Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.phones.form import walk as form_walk
from ansible_collections.evenport.sip.plugins.module_utils.phones.work import inspect_phone
from tests.fakes.form import FakeFormPhone
from tests.fakes.web import Reply
from tests.unit.plugins.module_utils.phones.contract_suite import PASSWORD, TWO_LINES, PhoneContract, Row, refuse, target_of
from tests.unit.plugins.module_utils.phones.form_visits import (
    KEEPS_LINE_2,
    KONTO,
    NETWORK,
    ONE_PORT,
    RESTART,
    TWO_PORTS,
    configure,
    inspect,
    made,
    maker,
)

COMMON = {"brand": "form", "generation": "", "mac_first": False, "call_state": False, "restarts": False, "partial": False, "lock_text": ""}


def row(name, layout, options, **more):
    network = {"wanted": ONE_PORT, "changes": frozenset({"phone.port", "phone.random"}), "half": ("phone.port", "local_port of line 1 is 5060 instead of 5074"),
               "ports": {1: 5060}, "effective": {1: 5074, 2: 5074}, "read_path": "sip.htm", "write_path": "save_sip", "login_path": "sip.htm",
               "sessions": False}
    konto = {"wanted": KEEPS_LINE_2, "changes": frozenset({"1.port", "1.random"}), "half": ("1.port", "local_port of line 1 is 5060 instead of 5074"),
             "ports": {1: 5060, 2: 5062}, "effective": {1: 5074, 2: 5062}, "read_path": "konto.html", "write_path": "konto_speichern",
             "login_path": "login.cgi", "lock_text": "5",
             "provision": lambda fake: fake.values.update({"phone.provisioning": "https://admin:hunter2@prov.example.net/cfg"})}
    table = {"wanted": TWO_PORTS, "changes": frozenset({"1.port", "2.port", "1.random", "2.random"}),
             "half": ("2.port", "local_port of line 2 is 5062 instead of 5076"),
             "ports": {1: 5060, 2: 5062}, "effective": {1: 5074, 2: 5076}, "read_path": "lines", "write_path": "cgi/save", "login_path": "cgi",
             "sessions": False}
    scheme = {"scheme": more.pop("scheme")} if "scheme" in more else {}
    return Row(name=name, make=maker(layout, options, **scheme), **{**COMMON, **{"konto": konto, "network": network, "table": table}[layout], **more})


class TestContract(PhoneContract):
    ROWS = [
        row("konto", "konto", {"brand": "form"}),
        row("network", "network", {"brand": "form"}),
        row("table", "table", {"brand": "form"}, scheme="Digest"),
        row("konto-profile", "konto", {"profile": {**KONTO, "reboot": RESTART}}, restarts=True),
        row("network-profile", "network", {"profile": NETWORK}, scheme="Digest"),
    ]


# ---------------------------------------------------------------------- politeness


@pytest.mark.parametrize("layout", ["konto", "network", "table"])
def test_no_dangerous_address_is_ever_asked(layout):
    with made(layout, traps=True) as fake:
        assert configure(fake)["changed"]
        assert fake.dangers == 0 and fake.reboots == 0 and fake.writes == 1
        assert {line.split()[0] for line in fake.asked} <= {"GET", "POST"} and sum(line.startswith("POST") for line in fake.asked) == 1 + fake.logins
        walked = [line for line in fake.asked if line.startswith("GET /endless")]
        assert len(walked) <= form_walk.MAX_ALIKE and sum("/big.htm" in line for line in fake.asked) == 1
        assert fake.requests < form_walk.MAX_PAGES


def test_a_page_that_could_not_be_read_makes_less_sure():
    with made("network", traps=True) as fake:
        place = inspect(fake)["profile"]["form"]["places"][0]
        assert place["sure"] == "likely" and "could not be read" in place["why"]


def test_each_page_is_fetched_once():
    with made("konto") as fake:
        inspect(fake)
        asked = [line for line in fake.asked if line != "GET /abmelden.html"]
        assert len(asked) == len(set(asked)) == 7


def test_the_walk_ends(monkeypatch):
    monkeypatch.setattr(form_walk, "MAX_PAGES", 12)
    monkeypatch.setattr(form_walk, "MAX_ALIKE", 100)
    with made("network", traps=True) as fake:
        places = inspect(fake)["profile"]["form"]["places"]
        assert places[0]["sure"] == "likely"
        assert 12 <= fake.requests <= 12 + 4            # the pages of the accounts and of the MAC may be read again


def test_a_phone_that_stops_answering_is_not_asked_again_and_again():
    with made("konto", drop="konto.html") as fake:
        refuse(Unreachable, lambda: configure(fake))
        assert sum("konto.html" in line for line in fake.log) == 2 and fake.logouts == fake.logins == 1


def test_without_a_way_out_the_cookies_are_dropped():
    with made("konto", no_logout=True) as fake:
        assert configure(fake)["changed"] and fake.logouts == 0


# ---------------------------------------------------------------------- one form, one field


def browser(fake, n="1"):
    """What a browser would send from the account's page (tokens apart), read off the fake's own values."""
    own = {key.partition(".")[2]: value for key, value in fake.values.items() if key.startswith(f"{n}.")}
    return [("nr", n), ("aktiv", "1"), ("benutzer", own["user"]), ("anzeige", own["display"]), ("server", own["server"]), ("server_port", own["server_port"]),
            ("proxy", ""),
            ("proxy_port", own["proxy_port"]), ("lport", own["port"]), ("zufall", own["random"]), ("transport", own["transport"]),
            *(("codecs", codec) for codec in own["codecs"].split(",")), ("rtp", own["rtp_port"]), ("ablauf", own["expires"]), ("notiz", own["note"]),
            ("speichern", "Speichern")]


def test_every_other_control_is_sent_as_a_browser_sends_it():
    with made("konto") as fake:
        configure(fake)
        assert [pair for pair in fake.posted[0] if pair[0] != "token"] == browser(fake) and fake.values["1.port"] == "5074"
        assert fake.values["1.display"] == "Küche & Flur <1>" and fake.values["1.note"] == "Tür\r\nlinks"


@pytest.mark.parametrize("faults", [{"get_form": True}, {"multipart": True}], ids=str)
def test_other_ways_to_submit(faults):
    with made("network", **faults) as fake:
        assert configure(fake)["changed"] and fake.values["phone.greeting"] == "Grüße"
        assert [name for name, dummy in fake.posted[0]] == ["token", "devname", "SIPLocalPort", "rand", "rtp", "hello", "upnp", "ka", "qos", "ntp", "Submit"]


def test_lines_with_a_page_each_take_a_submit_each():
    with made("konto") as fake:
        assert configure(fake, TWO_PORTS)["changed"] and fake.writes == 2
        assert (fake.values["1.port"], fake.values["2.port"], fake.values["1.random"], fake.values["2.random"]) == ("5074", "5076", "0", "0")
        assert not configure(fake, TWO_PORTS)["changed"]


def test_half_of_several_submits_is_put_back():
    with made("konto", silent_success=["2.port"]) as fake:
        before = dict(fake.values)
        error = refuse(NotApplied, lambda: configure(fake, TWO_PORTS))
        assert "local_port of line 2 is 5062 instead of 5076" in str(error) and "put back" in str(error) and error.wrote and fake.values == before


def test_a_session_lost_between_two_submits_is_honest():
    class Forgetful(FakeFormPhone):
        def store(self, changes):
            super().store(changes)
            self.expire_sessions()

    with Forgetful("konto", password=PASSWORD, accounts=TWO_LINES) as fake:
        fake.options = {"brand": "form"}
        assert refuse(SessionLost, lambda: configure(fake, TWO_PORTS)).wrote and fake.writes == 1 and fake.login_attempts == 1


def test_a_field_that_somebody_else_changes_meanwhile_is_left_alone():
    class Changing(FakeFormPhone):
        pages = 0

        def _konto_page(self, n):
            self.pages += 1
            if self.pages == 3:
                self.values["1.port"] = "5099"
            return super()._konto_page(n)

    with Changing("konto", password=PASSWORD, accounts=TWO_LINES) as fake:
        fake.options = {"brand": "form"}
        assert "somebody else" in str(refuse(NotApplied, lambda: configure(fake))) and fake.writes == 0


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_save_that_is_refused_is_read_back(status):
    with made("konto", refuse_save=status) as fake:
        error = refuse(NotApplied, lambda: configure(fake))
        assert f"answered {status}" in str(error) and "as they were" in str(error) and fake.writes == 0 and len(fake.posted) == 1


def test_an_empty_port_is_a_port_and_is_put_back_empty():
    with made("konto") as fake:
        fake.values["1.port"] = ""
        wanted = {"lines": [{"line": 1, "local_port": 5074}]}
        before = configure(fake, wanted)["before"]
        assert before == {"lines": [{"line": 1, "local_port": None}]} and fake.values["1.port"] == "5074"
        assert configure(fake, before)["changed"] and fake.values["1.port"] == ""


@pytest.mark.parametrize(("port", "fine"), [(1024, True), (1023, False), (49151, True), (49152, False)])
def test_the_pages_own_limits(port, fine):
    with made("network", narrow=True) as fake:
        wanted = {"lines": [{"line": 1, "local_port": port}]}
        if fine:
            assert configure(fake, wanted)["changed"]
        else:
            assert "1024 to 49151" in str(refuse(Unsupported, lambda: configure(fake, wanted, check_mode=True))) and fake.writes == 0


# ---------------------------------------------------------------------- what might be lost


@pytest.mark.parametrize("layout", ["konto", "network"])
@pytest.mark.parametrize(("faults", "said"), [
    ({"secret": "masked"}, "masked"), ({"secret": "masked", "secret_type": "text"}, "masked"), ({"secret": "hint"}, "does not show a password"),
    ({"file": True}, "uploads a file"), ({"scripted": True}, "script"), ({"secret": "clear", "get_form": True}, "into the address"),
], ids=str)
def test_a_form_that_might_lose_something_is_not_sent(layout, faults, said):
    with made(layout, **faults) as fake:
        found = inspect(fake)
        assert found["settings"]["lines"][0]["local_port"] == 5060 and found["profile"]["form"]["places"][0]["field"]           # it is shown where the field is
        for check_mode in (True, False):
            error = refuse(Unsupported, lambda check_mode=check_mode: configure(fake, check_mode=check_mode))
            assert said in str(error) and "s3cr" not in str(error)
        refuse(Unsupported, lambda: inspect_phone(target_of(fake), ONE_PORT))
        assert fake.writes == 0 and not fake.posted and fake.logouts == fake.logins


def test_an_empty_password_of_an_account_that_has_a_user_may_be_a_hidden_one():
    with made("konto", secret="empty") as fake:
        assert "form.secrets" in str(refuse(Unsupported, lambda: configure(fake)))
        fake.values["1.user"] = ""                  # no user, no password: empty is the truth
        fake.values["1.secret"] = ""
        assert configure(fake)["changed"]


def test_a_password_in_clear_goes_back_as_it_is():
    with made("konto", secret="clear") as fake:
        assert configure(fake)["changed"]
        assert dict(fake.posted[0])["secret"] == fake.values["1.secret"] == "s3cr&t+ü"


@pytest.mark.parametrize(("faults", "switch"), [({"secret": "masked"}, "secrets"), ({"scripted": True}, "scripts")])
def test_somebody_who_has_tried_it_may_say_so(faults, switch):
    profile = {**KONTO, "form": {**KONTO["form"], switch: "untouched"}}
    with made("konto", {"profile": profile}, **faults) as fake:
        assert configure(fake)["changed"] and fake.values["1.secret"] == "s3cr&t+ü" and fake.values["1.port"] == "5074"
        assert inspect(fake)["profile"]["form"][switch] == "untouched"


def test_a_file_input_has_no_switch():
    profile = {**KONTO, "form": {**KONTO["form"], "secrets": "untouched", "scripts": "untouched"}}
    with made("konto", {"profile": profile}, file=True) as fake:
        assert "file" in str(refuse(Unsupported, lambda: configure(fake))) and fake.writes == 0


# ---------------------------------------------------------------------- where is it, and how sure


@pytest.mark.parametrize("layout", ["konto", "network"])
def test_two_that_may_be_it_are_both_shown_and_neither_is_touched(layout):
    with made(layout, ambiguous=True) as fake:
        for call in (lambda: configure(fake), lambda: inspect(fake)):
            error = refuse(Unsupported, call)
            names = {"konto": ("lport", "other"), "network": ("SIPLocalPort", "lsp2")}[layout]
            assert all(name in str(error) for name in names) and "5060" in str(error) and "sip_phone_profile" in str(error)
        assert fake.writes == 0 and not fake.posted and fake.logouts == fake.logins


@pytest.mark.parametrize(("label", "field", "sure"), [
    ("Lokaler SIP-Port", "x", "sure"), ("Port SIP local", "x", "sure"), ("Puerto SIP local", "x", "sure"), ("Porta SIP locale", "x", "sure"),
    ("Lokale SIP-poort", "x", "sure"),
    ("Porta SIP local", "x", "sure"), ("Lokalny port SIP", "x", "sure"), ("SIP Port (local)", "x", "sure"),
    ("Local SIP UDP/TCP Port (default: 5060)", "x", "sure"),
    ("Local SIP Port of this telephone", "x", "likely"), ("Local Port", "x", "likely"), ("Local Port", "sipLocalPort", "sure"),
    ("Listening port", "sip_listen_port", "sure"),
    ("SIP Port", "sipLocalPort", "likely"), ("Nieznane", "local_sip_port", "likely"),
])
def test_labels(label, field, sure):
    with made("network", label=label, port_name=field) as fake:
        place = inspect(fake)["profile"]["form"]["places"][0]
        assert (place["field"], place["sure"]) == (field, sure) and place["why"]
        assert configure(fake)["changed"]


@pytest.mark.parametrize(("label", "field"), [
    ("SIP Port", "x"), ("Local SIP Port", "rtp_port"), ("Port", "x"), ("SIP server port", "x"), ("SIP-Server-Port", "sipLocalPort"),
    ("Outbound proxy port", "x"), ("RTP local port", "x"),
    ("Local SIP TLS port", "x"), ("Local SIP TCP port", "x"), ("Web port", "x"), ("STUN local port", "x"), ("Local SIP port range", "x"),
    ("PnP local SIP port", "x"), ("Public SIP port", "x"),
    ("Name", "x"), ("Local VPN port", "x")])
def test_labels_of_something_else_or_not_sure_enough(label, field):
    with made("network", label=label, port_name=field) as fake:
        refuse(Unsupported, lambda: configure(fake))
        assert fake.writes == 0


@pytest.mark.parametrize("faults", [{"readonly": True}, {"port_name": ""}], ids=str)
def test_a_field_that_can_not_be_saved(faults):
    with made("network", **faults) as fake:
        assert "Candidates" in str(refuse(Unsupported, lambda: configure(fake))) and fake.writes == 0


@pytest.mark.parametrize("value", ["0", "65536", "sip", "50 60", "192.0.2.1", "-1"])
def test_what_holds_no_port_is_no_port(value):
    with made("network") as fake:
        fake.values["phone.port"] = value
        refuse(Unsupported, lambda: configure(fake))
        assert fake.writes == 0


def test_a_phone_without_a_random_switch_says_so():
    with made("network", {"profile": {**NETWORK, "form": {**NETWORK["form"], "places": NETWORK["form"]["places"][:1]}}}) as fake:
        result = configure(fake)
        assert result["unsupported"] == ["random_port"] and fake.values["phone.port"] == "5074" and fake.values["phone.random"] == "1"


def test_a_menu_that_stands_in_a_script_file():
    class Scripted(FakeFormPhone):
        def _network_menu(self):
            return self.page("Menu", '<script src="/js/menu.js"></script>')

        def _network(self, request):
            if request.path == "/js/menu.js" and self.allowed(request):
                return Reply(200, b"add('SIP Networking', 'sip.htm'); add('Reboot', 'boot.htm');", content_type="text/javascript")
            return super()._network(request)

    with Scripted("network", password=PASSWORD, accounts=TWO_LINES) as fake:
        fake.options = {"brand": "form", "mac": ""}
        assert configure(fake)["changed"] and not any("boot" in line for line in fake.asked)
