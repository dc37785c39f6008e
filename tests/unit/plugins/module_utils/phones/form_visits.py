# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Phones with an ordinary web page, as the tests of the located form visit them."""

from __future__ import annotations

from hypothesis import strategies as st

from ansible_collections.evenport.sip.plugins.module_utils.phones.work import configure_phone, inspect_phone
from tests.fakes.form import FakeFormPhone
from tests.unit.plugins.module_utils.phones.contract_suite import PASSWORD, TWO_LINES, target_of

ONE_PORT = {"random_port": False, "lines": [{"line": 1, "local_port": 5074}]}
KEEPS_LINE_2 = {"random_port": False, "lines": [{"line": 1, "local_port": 5074}, {"line": 2, "local_port": 5062}]}
TWO_PORTS = {"random_port": False, "lines": [{"line": 1, "local_port": 5074}, {"line": 2, "local_port": 5076}]}


def randomly(fake):
    """Random ports switched on, for account 1 or for all."""
    for key in {"konto": ("1.random",), "network": ("phone.random",), "table": ("1.random", "2.random")}[fake.layout]:
        fake.values[key] = "1"
    return fake


def maker(layout, options=None, **fixed):
    """A Row's make(): *options* is what the inventory says of the phone."""

    def make(**more):
        fake = randomly(FakeFormPhone(layout, **{"password": PASSWORD, "accounts": TWO_LINES, **fixed, **more}))
        fake.options = options or {"brand": "form"}
        return fake

    return make


def place(what, line, page, field, **more):
    return {"what": what, "line": line, "page": page, "field": field, **more}


def located(name, contains, login, scope, places, **more):
    return {"profile": 1, "kind": "located", "name": name, "recognise": {"path": "/", "contains": contains}, "login": login,
            "form": {"scope": scope, "secrets": "refuse", "scripts": "refuse", "places": places}, "apply": "live", **more}


# What phone_info saves of two of the fakes: test_a_walk_ends_in_a_profile keeps it so.
KONTO = located(
    "Acme Büro 20", "Acme B", {"how": "form", "page": "/", "user": "user", "password": "pw"}, "line",
    [place("local_port", n, f"/konto.html?nr={n}", "lport", label="Lokaler SIP-Port", sure="sure",
           why="the text before it says 'Lokaler SIP-Port:'; its name is 'lport'") for n in (1, 2)]
    + [place(what, n, f"/konto.html?nr={n}", field) for what, field in (("random_port", "zufall"), ("user", "benutzer"), ("active", "aktiv")) for n in (1, 2)]
    + [place("provisioning", 0, "/netz.html", "prov")],
    logout="/abmelden.html", mac="/status.html")
NETWORK = located(
    "Desk IP-7", "Desk IP-7", {"how": "http", "page": "/"}, "phone",
    [place("local_port", 1, "/sip.htm", "SIPLocalPort", label="Local SIP Port", sure="sure",
           why="the text before it says 'Local SIP Port *'; its name is 'SIPLocalPort'"), place("random_port", 0, "/sip.htm", "rand")]
    + [place(what, n, f"/line.htm?n={n}", what) for what in ("user", "active") for n in (1, 2)],
    mac="/home.htm")
RESTART = {"path": "/restart.do", "method": "POST", "form": {"go": "1"}}


def made(layout="konto", options=None, scheme="Basic", **faults):
    return maker(layout, options, scheme=scheme)(faults=faults)


def configure(fake, wanted=None, target=None, **more):
    """configure_phone as the rollout calls it: the PBX says that nobody is on the phone."""
    return configure_phone(target or target_of(fake), wanted or ONE_PORT, **{"in_use": False, **more})


def inspect(fake, **more):
    return inspect_phone(target_of(fake, **more))


# Pieces of pages, for fuzzing.
PIECES = st.lists(st.sampled_from([
    "<table>", "<tr>", "<td>", "<th colspan=2>", "</table>", "<form method=post action=x>", "</form>", "<input name=a value=5060>", "<input name='b[1]'>",
    "<input type=checkbox name=r value=1>",
    "<select name=r>", "<option selected value=1>Yes", "<option>No", "</select>", "<label for=i>", "</label>", "<input id=i name=sip_local_port value=5060>",
    "Local SIP Port", "SIP Port (local)",
    "Use random port", "Account 1", "Line 2", "<h2>", "</h2>", "<script>location.href='a.htm'</script>", "<a href='/x?n=1'>",
    "<a href='javascript:go(\"b.htm\")'>", "</a>", "<frameset>", "<frame src=f>",
    "<iframe src=//[>", "<base href='http://['>", "<meta http-equiv=refresh content='0;url=x'>", "<input type=password name=p>", "<textarea name=t>",
    "</textarea>", "<button>", "MAC 00:0b:82:12:34:56",
    "<div>", "</div>", "<p>", "&#0;", "&#xD800;", "\x01", "<a href='\x00'>", "<script", "<!--", "User ID", "Active", "<input type=radio name=q value=1>",
    "<input type=radio name=q value=0>No"]), max_size=30)
