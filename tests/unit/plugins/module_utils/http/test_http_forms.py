# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.evenport.sip.plugins.module_utils.errors import BadAnswer
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import Answer
from ansible_collections.evenport.sip.plugins.module_utils.http.forms import charset_of, forms_of, loose_controls, parse_page
from ansible_collections.evenport.sip.plugins.module_utils.http.reach import Reach
from ansible_collections.evenport.sip.plugins.module_utils.http.session import WebSession
from tests.fakes.web import FakeWebServer, Reply, Request


def page(html, content_type="text/html; charset=utf-8"):
    body = html if isinstance(html, bytes) else html.encode()
    return Answer("kitchen: GET /a/page.htm of http://192.0.2.7", 200, {"Content-Type": content_type} if content_type else {}, body)


def form(html, **more):
    return forms_of(page(html, **more), "/a/page.htm")[0]


def pairs(inner):
    return list(form(f"<form action=x>{inner}</form>").pairs)


# ---------------------------------------------------------------------- what a browser sends


@pytest.mark.parametrize(("inner", "expected"), [
    ("<input name=a value=1>", [("a", "1")]),
    ("<input name=a>", [("a", "")]),                                            # no value attribute is an empty value
    ("<input value=1>", []),
    ("<input name=a value=1 disabled>", []),
    ("<fieldset disabled><input name=a value=1></fieldset><input name=b readonly value=2>", [("b", "2")]),
    ("<input type=checkbox name=a>", []),
    ("<input type=checkbox name=a checked>", [("a", "on")]),
    ("<input type=hidden name=a value=0><input type=checkbox name=a value=1 checked>", [("a", "0"), ("a", "1")]),
    ("<input type=radio name=a value=1><input type=radio name=a value=2 checked>", [("a", "2")]),
    ("<input type=submit name=a value=1><input type=reset name=b><input type=button name=c value=3><button name=d>x</button><input type=image name=e>", []),
    ("<input type=file name=a>", []),
    ("<input type=PassWord name=a value=x>", [("a", "x")]),
    ("<input type=number name=a value=5060><input type=number name=b value=x>", [("a", "5060"), ("b", "")]),
    ("<input type=url name=a value=' x '>", [("a", "x")]),
    ("<input type=hidden name=_charset_>", [("_charset_", "utf-8")]),
    ("<select name=a><option value=1>x<option value=2>y</select>", [("a", "1")]),                       # a drop-down list always shows one
    ("<select name=a><option value=1 disabled>x<option value=2>y</select>", [("a", "2")]),
    ("<select name=a><option value=1>x<option> z  z </select>", [("a", "1")]),
    ("<select name=a><option selected> z  z </select>", [("a", "z z")]),
    ("<select name=a><option selected value=1><option selected value=2></select>", [("a", "2")]),
    ("<select name=a size=3><option value=1>x</select>", []),
    ("<select name=a multiple><option value=1 selected>x<option value=2>y<option value=3 selected>z</select>", [("a", "1"), ("a", "3")]),
    ("<select name=a><optgroup disabled><option value=1 selected>x</optgroup></select>", []),
    ("<select name=a></select>", []),
    ("<textarea name=a>\nx\ny</textarea>", [("a", "x\r\ny")]),
    ("<textarea name=a></textarea>", [("a", "")]),
    ("<!-- <input name=a value=1> --><noscript><input name=b value=1></noscript><template><input name=c></template><datalist><input name=d></datalist>", []),
    ("<input name=a value='&uuml;&amp;&lt;'>", [("a", "ü&<")]),
])
def test_successful_controls(inner, expected):
    assert pairs(inner) == expected


def test_controls_outside_of_their_form_and_of_none():
    answer = page("<form id=f action=x><input name=a value=1><input name=z form=g value=9></form>"
                  "<input name=b form=f value=2><input name=c value=3><form id=g></form>")
    first, second = forms_of(answer, "/")
    assert first.pairs == (("a", "1"), ("b", "2")) and second.pairs == (("z", "9"),)
    assert [one.name for one in loose_controls(*parse_page(answer))] == ["c"]


def test_a_form_spread_over_a_table():
    assert list(form("<table><form action=x><tr><td><input name=a value=1></td></tr></form></table>").pairs) == [("a", "1")]


@pytest.mark.parametrize(("action", "expected"), [
    ("save", "/a/save"), ("/save?x=1", "/save?x=1"), ("", "/a/page.htm"), ("?n=2", "/a/page.htm?n=2"), (" ../save ", "/save"), ("#top", "/a/page.htm"),
    ("http://192.0.2.7/save", "/save"), ("http://192.0.2.8/save", None), ("//192.0.2.8/save", None), ("https://192.0.2.7/save", None),
    ("javascript:go()", None),
    ("http://[bad/save", None), ("http://192.0.2.7:x/", None),
])
def test_where_a_form_leads_to(action, expected):
    found = forms_of(page(f'<form action="{action}"><input name=a></form>'), "/a/page.htm", "http://192.0.2.7")
    assert [one.action for one in found] == ([expected] if expected else [])


def test_base_and_a_full_address_without_an_origin():
    assert form("<base href=/deep/><form action=save></form>").action == "/deep/save"
    assert forms_of(page("<form action='http://192.0.2.7/save'></form>"), "/") == []


# ---------------------------------------------------------------------- changing something

ALL = ("<form method=post action=save><input type=hidden name=t value=1><input name=port value=5060><input name=port value=5062>"
       "<input type=radio name=r value=y checked><input type=radio name=r value=n>"
       "<input type=checkbox name=c value=1 checked><input type=checkbox name=d value=2>"
       "<input type=submit name=go value=Save><input type=submit name=del value=Delete><input type=image name=i><input name=z value=last></form>")


def test_one_control_is_changed_and_nothing_else():
    one = form(ALL)
    found = {(control.name, control.own): control for control in one.controls}
    kept = [("t", "1"), ("port", "5060"), ("port", "5062"), ("r", "y"), ("c", "1"), ("z", "last")]
    assert one.filled({}) == kept == list(one.pairs)
    second = [control for control in one.controls if control.name == "port"][1]
    assert one.filled({second: "5074"}) == [("t", "1"), ("port", "5060"), ("port", "5074"), ("r", "y"), ("c", "1"), ("z", "last")]
    assert one.filled({found["r", "n"]: "n"}) == [("t", "1"), ("port", "5060"), ("port", "5062"), ("r", "n"), ("c", "1"), ("z", "last")]
    assert one.filled({found["c", "1"]: None, found["d", "2"]: "2"}) == [("t", "1"), ("port", "5060"), ("port", "5062"), ("r", "y"), ("d", "2"), ("z", "last")]
    assert one.filled({}, found["go", "Save"]) == [*kept[:-1], ("go", "Save"), kept[-1]]
    image = next(control for control in one.controls if control.kind == "image")
    assert one.filled({}, image) == [*kept[:-1], ("i.x", "0"), ("i.y", "0"), kept[-1]]
    assert one.value("port") == "5060" and one.value("d") is None
    assert one.with_changes({"t": "2", "new": "x"})[0] == ("t", "2") and one.with_changes({"new": "x"})[-1] == ("new", "x")


def test_options_of_a_list():
    one = form("<form><select name=a><option value=1>Yes<option value=2 disabled>No<option>Maybe</select><input name=b></form>").controls
    assert one[0].options == [("1", "Yes"), ("Maybe", "Maybe")] and one[1].options == [] and one[0].value == "1"


# ---------------------------------------------------------------------- on the wire


class Echo(FakeWebServer):
    seen: Request | None = None

    def handle(self, request):
        self.seen = request
        return Reply(200, b"fine")


def sent(html, **options):
    with Echo() as server, WebSession(Reach("kitchen", "127.0.0.1", "http", server.port, timeout=2.0)) as web:
        one = forms_of(page(html, **options), "/a/page.htm")[0]
        one.submit(web, {"a": "ü&€"})
        return server


@pytest.mark.parametrize(("charset", "expected"), [
    ("utf-8", b"a=%C3%BC%26%E2%82%AC&b=%C3%A4+1"), ("iso-8859-1", b"a=%FC%26%80&b=%E4+1"), ("us-ascii", b"a=%FC%26%80&b=%E4+1"),
    ("iso-8859-2", b"a=%FC%26%26%238364%3B&b=%E4+1")])
def test_the_pages_own_encoding(charset, expected):
    html = "<form method=post action=save><input name=a><input name=b value='&auml; 1'></form>"
    assert sent(html, content_type=f"text/html; charset={charset}").seen.body == expected


def test_accept_charset_multipart_and_get():
    html = "<form method=post action=save accept-charset=windows-1252><input name=a></form>"
    assert sent(html).seen.body == b"a=%FC%26%80"
    server = sent("<form method=post enctype=multipart/form-data action=save><input name=a></form>", content_type="text/html; charset=iso-8859-1")
    assert b'name="a"\r\n\r\n\xfc&\x80\r\n' in server.seen.body and server.log == ["POST /a/save"]
    server = sent("<form action='save?old=1'><input name=a><input name=b value='x y'></form>")
    assert server.log == ["GET /a/save"] and server.seen.query == {"a": "ü&€", "b": "x y"}     # a form that is sent by GET replaces the query


@pytest.mark.parametrize("enctype", ["", "enctype=multipart/form-data"])
def test_a_submit_says_which_page_it_comes_from(enctype):
    server = sent(f"<form method=post {enctype} action=save><input name=a></form>")
    assert server.seen.headers["referer"] == f"{server.url}/a/page.htm" and server.seen.headers["origin"] == server.url


def test_a_value_sent_by_get_is_in_no_message():
    with WebSession(Reach("kitchen", "127.0.0.1", "http", 1, timeout=0.5)) as web, pytest.raises(Exception, match="nothing listens") as caught:
        form("<form action=save><input name=a></form>").submit(web, {"a": "hunter2"})
    assert "hunter2" not in str(caught.value)


# ---------------------------------------------------------------------- character sets and rubbish


@pytest.mark.parametrize(("content_type", "body", "expected"), [
    ("text/html; charset=ISO-8859-1", b"", "windows-1252"), ("text/html", b"<meta charset=latin1>", "windows-1252"), ("text/html", "ü".encode(), "utf-8"),
    ("text/html", b"\xfc", "windows-1252"), ("text/html; charset=nonsense", b"x", "utf-8"), ("text/html; charset=idna", b"x", "utf-8"),
    ("text/html; charset=undefined", b"x", "utf-8"), ("text/html; charset=rot13", b"x", "utf-8"), ("text/html; charset=utf-16", b"x", "utf-8"),
    ("", b'<meta http-equiv=Content-Type content="text/html; charset=windows-1250">', "windows-1250")])
def test_charset(content_type, body, expected):
    assert charset_of(page(body, content_type)) == expected


@given(st.binary(max_size=400) | st.text(alphabet="<>/=\"' abfinmoprstu!-&;\x00ü", max_size=300).map(str.encode),
       st.sampled_from(["", "text/html", "text/html; charset=utf-8", "text/html; charset=utf-7", "text/html; charset=big5", "text/html; charset=punycode"]))
def test_any_bytes_are_forms_or_a_bad_answer(body, content_type):
    try:
        for one in forms_of(page(b"<form action=/x><input name=a>" + body, content_type), "/", "http://192.0.2.7"):
            one.filled(dict.fromkeys(one.controls, "1"))
    except BadAnswer as error:
        assert error.remedy
