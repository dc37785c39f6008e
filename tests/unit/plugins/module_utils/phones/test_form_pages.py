# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The located form: what it makes of pages and words, without a phone."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.evenport.sip.plugins.module_utils.errors import BadAnswer, Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import Answer
from ansible_collections.evenport.sip.plugins.module_utils.http.forms import forms_of
from ansible_collections.evenport.sip.plugins.module_utils.http.reach import Reach
from ansible_collections.evenport.sip.plugins.module_utils.http.session import WebSession
from ansible_collections.evenport.sip.plugins.module_utils.phones.form import labels as form_labels
from ansible_collections.evenport.sip.plugins.module_utils.phones.form.login import Way, button_of
from ansible_collections.evenport.sip.plugins.module_utils.phones.form.page import Page
from ansible_collections.evenport.sip.plugins.module_utils.phones.form.place import as_profile, from_profile, locate, state_of, switch_of
from ansible_collections.evenport.sip.plugins.module_utils.phones.form.save import is_masked, why_not
from ansible_collections.evenport.sip.plugins.module_utils.phones.form.walk import Pages, Walk
from ansible_collections.evenport.sip.plugins.module_utils.phones.form.words import dangerous, folded, is_page, locked_for
from tests.fakes.web import FakeWebServer
from tests.unit.plugins.module_utils.phones.form_visits import PIECES

# ---------------------------------------------------------------------- politeness


def page_of(body, path="/a/page.htm", via=""):
    return Page(path, Answer("kitchen: GET /", 200, {}, body.encode()), "http://192.0.2.7", via)


@pytest.mark.parametrize(("body", "expected"), [
    ("<a href=sip.htm>SIP</a>", ["/a/sip.htm"]), ("<a href='/x?n=1#top'>x</a>", ["/x?n=1"]), ("<a href='http://192.0.2.7/x'>x</a>", ["/x"]),
    ("<a href='http://192.0.2.8/x'>x</a><a href='//192.0.2.8/x'>x</a><a href='https://192.0.2.7/x'>x</a><a href='http://192.0.2.7:81/x'>x</a>", []),
    ("<a href='mailto:a@b'>x</a><a href='#top'>x</a><a href='tel:1'>x</a><a href='data:text/html,x'>x</a><a href='file:///etc'>x</a>", []),
    ("<a href='/x'>Neu starten</a><a href='/x'><img alt='Log out'></a><a href='/x' title='Factory reset'>x</a><a href='/x' id=btnReboot>x</a>", []),
    ("<a href='/reboot'>x</a><a href='/doReboot.cgi'>x</a><a href='/x?action=reboot'>x</a><a href='/x%72eset.htm'>x</a><a href='/x?cmd=5'>x</a>", []),
    ("<a href='/x?op=view'>x</a>", ["/x?op=view"]),
    ("<a href='/x?sid=a1b2c3d4e5f60718'>x</a><a href='/x;jsessionid=1'>x</a>", []),
    ("<a href='/x' onclick=\"return confirm('sure?')\">x</a>", []),
    ("<frameset><frame src=menu.htm><frame src='/reset.htm'></frameset>", ["/a/menu.htm"]), ("<iframe src='m.htm'></iframe>", ["/a/m.htm"]),
    ("<map><area href='/x' alt='x'></map>", ["/x"]), ("<base href='/b/'><a href='x.htm'>x</a>", ["/b/x.htm"]),
    ("<meta http-equiv=refresh content='0; url=home.htm'>", ["/a/home.htm"]), ("<script>window.location.href = 'home.htm';</script>", ["/a/home.htm"] * 2),
    ("<script>function go(){ location.href='sip.htm'; }</script>", ["/a/sip.htm"]), ("<a href=\"javascript:go('sip.htm')\">SIP</a>", ["/a/sip.htm"]),
    ("<script>function factoryDefaults(){ location.href='x.htm'; }</script>", []), ("<script>if (confirm('Restart?')) location.href='x.htm'</script>", []),
    ("<script>menu = [['SIP','sip.htm'],['Reboot','r.htm'],['Line','line.htm']]</script>", ["/a/sip.htm", "/a/line.htm"]),
    ("<script>$.get('x.htm'); fetch('y.htm'); q.open('GET', 'z.htm'); u = 'page.htm?id=' + n</script>", []),
    ("<script src='/js/menu.js'></script><script src='/js/jquery.js'></script>", ["/js/menu.js"]),
    ("<button onclick=\"location.href='sip.htm'\">SIP</button><button onclick=\"location.href='x.htm'\">Reset</button>", ["/a/sip.htm"]),
    ("<form action='/x'><input type=submit value=SIP></form><link href='/l.htm'><img src='/i.htm'>", []),
    ("<a href='/x.cfg'>x</a><a href='/fw.bin'>x</a><a href='/x.js'>x</a>", []),
])
def test_what_may_be_looked_at(body, expected):
    assert [link.path for link in page_of(body).links()] == expected


@pytest.mark.parametrize("text", [
    "Reboot", "Restart now", "Factory Reset", "Firmware upgrade", "Log out", "Logoff", "Neustart", "Neu starten", "Zurücksetzen", "Werkseinstellungen",
    "Abmelden", "Aktualisieren",
    "Löschen", "Redémarrer", "Réinitialiser", "Mise à jour", "Déconnexion", "Supprimer", "Reiniciar", "Restablecer", "Cerrar sesión", "Salir", "Borrar",
    "Riavvia", "Ripristina",
    "Aggiorna", "Esci", "Disconnetti", "Herstarten", "Afmelden", "Fabrieksinstellingen", "Verwijderen", "Redefinir", "Atualizar", "Sair", "Excluir",
    "Uruchom ponownie", "Wyloguj",
    "Przywróć ustawienia fabryczne", "Usuń", "Aktualizacja", "Перезагрузка", "重启", "恢复出厂设置", "Dial", "Save", "Restore defaults", "Shut down"])
def test_words_that_are_not_clicked(text):
    assert dangerous(folded(text))


@pytest.mark.parametrize("text", ["SIP", "Account 1", "Konto 2", "Network", "Phone information", "Presets", "SIP-Einstellungen", "Erweitert", "Réseau",
                                  "Compte", "Cuenta 1",
                                  "Impostazioni", "Linea 1", "Netwerk", "Conta", "Sieć", "Settings", "Registration", "Advanced", "Status", "Call features",
                                  "VoIP"])
def test_words_that_may_be_clicked(text):
    assert not dangerous(folded(text))


@pytest.mark.parametrize(("body", "expected"), [
    ("<a href='/abmelden.htm'>Abmelden</a>", "/abmelden.htm"), ("<a href='/x?a=logout'>x</a>", "/x?a=logout"),
    ("<a href='/out'><img alt='Log out'></a>", "/out"),
    ("<a href='/reboot.htm'>Log out and restart</a>", ""), ("<a href='javascript:logout()'>Logout</a>", ""),
    ("<a href='http://192.0.2.8/logout'>Logout</a>", ""),
    ("<a href='/exit'>Exit</a>", "")])
def test_the_way_out_is_a_link_that_says_so(body, expected):
    assert page_of(body).logout == expected


# ---------------------------------------------------------------------- what might be lost


@pytest.mark.parametrize(("value", "masked"), [
    ("********", True), ("•••", True), ("xxxxxx", True), ("......", True), ("*", True), ("5f4dcc3b5aa765d61d8327deb882cf99", True),
    ("unchanged", True), ("", False), ("s3cret", False), ("1111", False), ("xx", False)])
def test_masks(value, masked):
    assert is_masked(value) is masked


def risk(inner, script="", path="/a.htm", **known):
    page = page_of(f"<script>{script}</script><form method=post action=x>{inner}</form>", path)
    return why_not(page, page.forms[0], **{"secrets_known": False, "scripts_known": False, **known})[1]


@pytest.mark.parametrize(("inner", "script", "expected"), [
    ("<input name=p><input type=submit>", "", ""),
    ("<input name=p><input type=submit>", "function check(f){ if (f.p.value == '') return false; }", ""),
    ("<input name=p><input type=submit>", "document.f.p.value = '5060';", "form.scripts"),
    ("<input name=p><input type=submit>", "$('#p').val('5060')", "form.scripts"),
    ("<select name=s><option>a<option>b</select><input type=submit>", "", ""),
    ("<select name=s><option>a<option>b</select><input type=submit>", "x()", "form.scripts"),
    ("<select name=s><option>a<option selected>b</select><input type=submit>", "x()", ""),
    ("<input type=radio name=r value=1><input type=radio name=r value=2><input type=submit>", "x()", "form.scripts"),
    ("<input name=p><input type=button onclick='doSave()'>", "", "form.scripts"),
    ("<input name=p><input type=button onclick='document.forms[0].submit()'>", "", ""),
    ("<input name=p><button formaction='/other'>Save</button>", "", "form.scripts"),
    ("<input type=password name=k disabled value='***'><input type=submit>", "", ""),
    ("<input type=hidden name=AdminPassword value='****'><input type=submit>", "", "form.secrets"),
    ("<input type=password name=k placeholder='leave blank to keep'><input type=submit>", "", "form.secrets"),
])
def test_what_a_save_might_lose(inner, script, expected):
    assert risk(inner, script) == expected


@pytest.mark.parametrize(("inner", "expected"), [
    ("<input type=submit value=Reset><input type=submit name=a value=Apply>", "a"), ("<input type=submit name=a value=Go>", "a"),
    ("<button name=a>Übernehmen</button><button name=b>Löschen</button>", "a"),
    ("<input type=submit name=a value='Reboot'>", None), ("<input type=submit name=a value=One><input type=submit name=b value=Two>", None),
    ("<input type=reset name=a value=Save>", None),
    ("<input type=submit name=a value='Save' disabled><input type=submit name=b value='Enregistrer'>", "b"), ("<input type=image name=a alt=Save>", "a"),
    ("<input type=submit name=a value='Restore defaults'><input type=submit name=b value='Send'>", "b"), ("", None)])
def test_the_button_that_saves(inner, expected):
    button = button_of(forms_of(Answer("", 200, {}, f"<form>{inner}</form>".encode()), "/")[0])
    assert (button.name if button else None) == expected


# ---------------------------------------------------------------------- where is it, and how sure


@pytest.mark.parametrize("label", [phrase for phrases in form_labels.EXACT.values() for phrase in phrases])
def test_every_exact_label_is_sure(label):
    assert form_labels.meaning_of(label) == "exact"


@pytest.mark.parametrize("label", [phrase for phrases in form_labels.LOOSE.values() for phrase in phrases])
def test_every_loose_label_is_less_than_sure(label):
    assert form_labels.meaning_of(label) in ("loose", "within")


def walked(*pages):
    walk = Walk(Pages(None), lambda page: False)
    walk.pages = list(pages)
    return walk


def found(*pages):
    places = locate("kitchen", walked(*pages), Way("none"))
    return places.scope, {spot.line: spot.name for spot in places.of("local_port")}


FIELD = "<form action=x>{}</form>"


@pytest.mark.parametrize(("body", "expected"), [
    ("<label for=p>Local SIP Port</label><input id=p name=a>", {1: "a"}), ("<label>Local SIP Port <input name=a></label>", {1: "a"}),
    ("<p>Local SIP Port<br><input name=a>", {1: "a"}), ("<div><b>Local SIP Port</b></div><div><div><input name=a></div></div>", {1: "a"}),
    ("<dl><dt>Local SIP Port<dd><input name=a></dl>", {1: "a"}), ("<input name=a aria-label='Local SIP Port'>", {1: "a"}),
    ("<input name=a placeholder='Local SIP Port'>", {1: "a"}),
    ("<input name=a title='Local SIP Port'>", {1: "a"}), ("<ul><li>Local SIP Port <input type=number name=a></ul>", {1: "a"}),
    ("<table><tr><td>SIP Server Port<td><input name=b><td>Local SIP Port<td><input name=a></table>", {1: "a"}),
    ("<table><tr><th>Line<th>User<th>Local SIP Port<tr><td>1<td><input name=u1><td><input name=p1><tr><td>2<td><input name=u2><td><input name=p2></table>",
     {1: "p1", 2: "p2"}),
    ("<table><tr><th>&nbsp;<th>Account 1<th>Account 2<tr><td>Local SIP Port<td><input name=a><td><input name=b></table>", {1: "a", 2: "b"}),
    ("<h3>Account 1</h3>Local SIP Port <input name=a><h3>Account 2</h3>Local SIP Port <input name=b>", {1: "a", 2: "b"}),
    ("<fieldset><legend>Line 2</legend>Local SIP Port <input name=b></fieldset><fieldset><legend>Line 1</legend>Local SIP Port <input name=a></fieldset>",
     {1: "a", 2: "b"}),
    ("Local SIP Port <input name='acc[0].port'><br>Local SIP Port <input name='acc[1].port'>", {1: "acc[0].port", 2: "acc[1].port"}),
    ("Local SIP Port 1 <input name=a><br>Local SIP Port 2 <input name=b>", {1: "a", 2: "b"}),
    ("Account 2: Local SIP Port <input name=b>", {2: "b"}),
])
def test_how_a_label_belongs_to_a_field(body, expected):
    assert found(page_of(FIELD.format(body)))[1] == expected


def test_lines_come_from_links_titles_and_addresses():
    one = "<form action=x>Local SIP Port <input name=p value=506{}></form>"
    pages = [page_of(one.format(n), "/acc.htm", f"Line {n}") for n in (1, 2)]
    assert found(*[page_of(one.format(n), f"/a{n}", via=f"Line {n}") for n in (1, 2)]) == ("line", {1: "p", 2: "p"})
    assert found(*[page_of(one.format(n), f"/acc.htm?id={n}") for n in (0, 1)]) == ("line", {1: "p", 2: "p"})
    assert found(*[page_of(one.format(n), f"/acc{n}.htm") for n in (1, 2)]) == ("line", {1: "p", 2: "p"})
    assert found(page_of(one.format(0), "/sip.htm")) == ("phone", {1: "p"})
    with pytest.raises(Unsupported, match="several fields"):
        found(*[page_of(one.format(n), f"/{name}.htm") for n, name in ((1, "x"), (2, "y"))])
    assert len(pages) == 2


@pytest.mark.parametrize("bodies", [
    ["Local SIP Port <input name=a><br>Local SIP Port <input name=b>"], ["<h2>Line 1</h2>Local SIP Port <input name=a><br>Local SIP Port <input name=b>"],
    ["Local SIP Port <input name=a>", "Local SIP Port <input name=b>"], ["Local SIP Port <input name=a>", "<h2>Line 1</h2>Local SIP Port <input name=b>"],
    ["Local Port <input name=sip_a><br>Listen port <input name=sip_b>"]])
def test_several(bodies):
    with pytest.raises(Unsupported):
        found(*[page_of(FIELD.format(body), f"/{chr(97 + n)}.htm") for n, body in enumerate(bodies)])


def test_the_surer_one_wins():
    page = page_of(FIELD.format("Local SIP Port <input name=a><br>SIP Port <input name=b><br>Shared local SIP port <input name=c>"))
    assert found(page) == ("phone", {1: "a"})


def test_a_field_without_a_form_is_shown_and_not_taken():
    with pytest.raises(Unsupported, match="stands in no form"):
        found(page_of("Local SIP Port <input name=a>"))


@pytest.mark.parametrize(("inner", "state", "values"), [
    ("<input type=checkbox name=r value=1 checked>", True, {True: "1", False: None}), ("<input type=checkbox name=r>", False, {True: "on", False: None}),
    ("<select name=r><option value=2 selected>Enabled<option value=3>Disabled</select>", True, {True: "2", False: "3"}),
    ("<select name=r><option value=0>0<option value=1>1</select>", False, {True: "1", False: "0"}),
    ("<input type=radio name=r value=a>Ja <input type=radio name=r value=b checked>Nein", False, {True: "a", False: "b"}),
    ("<input type=radio name=r value=a><label>On</label><input type=radio name=r value=b><label>Off</label>", None, {True: "a", False: "b"}),
    ("<select name=r><option>Auto<option>Yes<option>No</select>", None, None), ("<select name=r><option>Yes</select>", None, None)])
def test_switches(inner, state, values):
    form = forms_of(Answer("", 200, {}, f"<form>{inner}</form>".encode()), "/")[0]
    switch = switch_of(form, form.controls[0])
    assert state_of(form, form.controls[0]) is state
    assert (switch and {key: value for key, (dummy, value) in switch.items()}) == values


# ---------------------------------------------------------------------- login


@pytest.mark.parametrize(("text", "expected"), [
    ("Locked. Try again in 3 minutes", (True, 3)), ("Konto gesperrt, bitte 90 Sekunden warten", (True, 2)),
    ("Trop de tentatives, compte verrouillé", (True, None)),
    ("Accounts are locked for 5 minutes after 3 wrong passwords", (False, None)), ("too many failed attempts", (True, None)), ("wrong password", (False, None)),
    ("Bloqueado por 10 minutos", (True, 10)), ("clock", (False, None))])
def test_words_of_a_lock(text, expected):
    assert locked_for(text) == expected


# ---------------------------------------------------------------------- who is it


@pytest.mark.parametrize(("text", "mac"), [
    ("MAC: 00:0b:82:12:34:56", "000b82123456"), ("<tr><td>MAC Address<td>000B-8212-3456", ""), ("MAC-Adresse</b> 000B82123456 x", "000b82123456"),
    ("<dt>MAC<dd>00-0B-82-12-34-56", "000b82123456"), ("Gateway MAC 00:0b:82:12:34:56", ""), ("Macaroni 000B82123456", ""), ("MAC 00:0b:82:12:34:56:78", ""),
    ("MAC 00:0b:82:12:34:56 MAC 00:0b:82:12:34:57", ""), ("MAC 00:0b:82-12:34:56", "")])
def test_which_text_is_the_mac(text, mac):
    assert page_of(f"<p>{text}").mac == mac


# ---------------------------------------------------------------------- fuzzing


@settings(deadline=None)
@given(PIECES | st.text(max_size=60).map(lambda text: [text]))
def test_any_page_is_looked_at_without_a_stumble(pieces):
    body = "".join(pieces).encode("utf-8", "surrogatepass")
    try:
        page = Page("/a", Answer("x", 200, {}, body), "http://192.0.2.7")
    except BadAnswer:
        return
    assert all(link.path.startswith("/") for link in page.links())
    assert isinstance(page.mac + page.logout + page.title + page.text, str) and (page.login is None or page.login.password)
    for form in page.forms:
        why_not(page, form, secrets_known=False, scripts_known=False)
    try:
        places = locate("kitchen", walked(page, Page("/b?n=2", Answer("x", 200, {}, body), "http://192.0.2.7", "Line 2")), Way("none"))
    except Unsupported as error:
        assert error.remedy
        return
    profile = as_profile(places)
    assert as_profile(from_profile("kitchen", profile)) == profile


@given(st.text(max_size=80))
def test_words_take_any_text(text):
    is_page("/" + text)
    assert isinstance(dangerous(folded(text)), bool)
    locked_for(text)
    form_labels.meaning_of(text)
    form_labels.meaning_of_name(text)
    form_labels.line_in(text)
    form_labels.index_in(text, "/" + text)


@pytest.mark.parametrize("body", [
    "<form>" + "<table><tr><td>Local SIP Port<td><input name=a value=5060></table>" * 4000 + "</form>",
    "<form><table><tr>" + "<td>Local SIP Port<td><input name=a>" * 6000, "<form><label>Local SIP Port" + "<input name=a>" * 9000,
    "<form><h1>" + "Line 1 " * 9000 + "</h1>" + "<input name=a>" * 3000,
    "<form><table><tr>" + "<td><input type=hidden>" * 3000 + "<tr><td>Local SIP Port" + "<td><input name=a>" * 3000, "<a href=x.htm>SIP</a>" * 9000,
    "<script>" + "a='x.htm';" * 9000 + "</script>",
    "<div onclick=\"location.href='x.htm'\">" * 200 + "x" * 400000, "<script>" + "{" * 300000 + "</script>", "MAC " * 90000, "<form>" * 9000,
    "<div>" * 9000 + "<input name=a>",
], ids=range(12))
def test_a_large_page_is_read_in_time(body):
    started = time.monotonic()
    page = page_of(body)
    assert all(link.path for link in page.links()) and page.mac == "" and page.logout == ""
    with pytest.raises(Unsupported):
        locate("kitchen", walked(page), Way("none"))
    assert time.monotonic() - started < 20


def test_a_walk_over_nothing():
    with FakeWebServer() as server, WebSession(Reach("kitchen", "127.0.0.1", "http", server.port, timeout=1.0)) as web:
        walk = Walk(Pages(web), lambda page: False)
        walk.run([])
        assert walk.pages == [] and not server.log
