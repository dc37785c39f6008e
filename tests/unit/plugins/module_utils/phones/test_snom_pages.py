# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Snom's pages, whatever they hold: any text comes to a value or to an EvenportError."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.evenport.sip.plugins.module_utils.errors import EvenportError
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import Answer
from ansible_collections.evenport.sip.plugins.module_utils.model import Identity
from ansible_collections.evenport.sip.plugins.module_utils.phones.snom import driver as snom
from ansible_collections.evenport.sip.plugins.module_utils.phones.snom import pages as snom_pages
from ansible_collections.evenport.sip.plugins.module_utils.phones.work import configure_phone
from tests.fakes.snom import FakeSnom
from tests.fakes.web import Reply
from tests.unit.plugins.module_utils.phones.contract_suite import PASSWORD, target_of

WANTED = {"random_port": False, "lines": [{"line": 1, "local_port": 5074, "rport": True}]}


@pytest.fixture(autouse=True, scope="module")
def _no_pauses():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(snom, "_PAUSE", 0.0)
        yield


def page(body):
    return Answer("x", 200, {}, body if isinstance(body, bytes) else body.encode("utf-8", "replace"))


NAMES = st.sampled_from([snom_pages.PORT, snom_pages.RPORT, "keepalive_interval1", "user_name1", "user_active12", "setting_server", "pnp_server", "user_pass1"])
TEXT = st.text(st.characters(blacklist_categories=("Cs",)), max_size=20)
LINES = st.lists(st.tuples(NAMES, st.sampled_from(["", "!", "&", "$", "&amp;", "#", " "]), st.sampled_from([": ", ":", " :"]), TEXT).map("".join), max_size=8)
TAGS = st.sampled_from(["input", "select", "textarea", "option", "b"])
TYPES = st.sampled_from(["text", "radio", "checkbox", "hidden", "submit", "x"])
STATES = st.sampled_from(["", "checked", "disabled", "readonly", "multiple"])
CONTROL = st.builds('<{} name="{}" value="{}" type={} {}>'.format, TAGS, NAMES, TEXT, TYPES, STATES)
ATTRIBUTES = st.sampled_from(["", "action=http://[x", "action=//x", "method=get", "><meta charset=undefined"])
FORM = st.builds("<form {}>{}</form>{}".format, ATTRIBUTES, st.lists(CONTROL, max_size=6).map("".join), TEXT)


@given(LINES | FORM | st.binary(max_size=200))
def test_parsers_take_any_page(body):
    answer = page("\n".join(body) if isinstance(body, list) else body)
    for parse in (snom_pages.dump, lambda one: snom_pages.controls(one, "/advanced_sip.htm")):
        try:
            shown = parse(answer)
        except EvenportError:
            continue
        assert "user_pass1" not in shown
        snom_pages.accounts(shown)
        snom_pages.provisioning(shown)
    try:
        assert snom_pages.identity(answer, Identity("snom")).brand == "snom"
    except EvenportError as error:
        assert error.remedy


@given(NAMES.filter(lambda name: name != "user_pass1"), st.sampled_from("!&$"), st.text("abc 5&<>;:\"'/@.", max_size=20).map(str.strip))
def test_a_dump_is_read_as_it_was_written(name, flag, value):
    with_entities = value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert snom_pages.dump(page(f"<pre>{name}{flag}: {with_entities}\r\n</pre>")) == {name: (value, flag == "&")}


class Rubbish(FakeSnom):
    """Answers its pages of settings and system with what it is given."""

    body = b""

    def handle(self, request):
        if request.path in ("/settings.htm", "/info.htm", "/advanced_sip.htm", "/line_login.htm"):
            return Reply(body=self.body)
        return super().handle(request)


@settings(max_examples=40, deadline=None)
@given(LINES | FORM)
def test_a_whole_visit_survives_any_page(body):
    with Rubbish("", password=PASSWORD) as fake:
        fake.body = ("\n".join(body) if isinstance(body, list) else body).encode()
        try:
            configure_phone(target_of(fake, mac=""), WANTED, in_use=False)
        except EvenportError as error:
            assert str(error)
