# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asterisk's command line: what a real Asterisk 22 printed (tests/unit/data/cli), and what it never should. tests/lab has the real one."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.evenport.sip.plugins.module_utils.errors import BadAnswer, DeviceError, EvenportError, Unreachable
from ansible_collections.evenport.sip.plugins.module_utils.model import Extension, Registration
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk import cli
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.box import ReloadBusy
from ansible_collections.evenport.sip.plugins.module_utils.pbx.shell import Shell

DATA = Path(__file__).parents[4] / "data/cli"


def sample(name):
    return (DATA / f"cli-{name}.txt").read_text("utf-8")


REGISTRAR, AORS, ENDPOINT, ENDPOINTS = map(sample, ("database-show-registrar", "pjsip-show-aors", "pjsip-show-endpoint-102", "pjsip-show-endpoints"))
CONTACT = sample("database-show-registrar").split("\n", maxsplit=1)[0]


def test_the_samples():
    assert cli.parse_endpoints(ENDPOINTS) == [str(number) for number in range(101, 109)]
    assert cli.parse_endpoint("102", ENDPOINT) == Extension("102", True, False, True, False, "Not in use", 0)
    status, dynamic = cli.parse_status(AORS)
    assert set(status.values()) == {"NonQualified"} and "5788ffa4fa" in status and dynamic
    assert [(one["aor"], one["viaport"], one["hash"][:10]) for one in cli.parse_registrar(REGISTRAR)] == [
        ("101", "5060", "95ac4f69c8"), ("102", "5062", "a0bfe79fde"), ("103", "5064", "ccc982a8d6"), ("104", "5066", "707ac6238f")]


def test_names_and_states():
    rows = ["101/201                                              Unavailable   0 of 2", "4540r" + " " * 47 + "Ring+Inuse    2 of inf",
            "b.c@d+e*f-g_h" + " " * 39 + "On Hold       1 of inf"]
    text = "".join(f"\n Endpoint:  {row}\n        Aor:  x      1\n" for row in rows)
    assert cli.parse_endpoints(f"{text}\n\nObjects found: 3\n\n") == ["101", "4540r", "b.c@d+e*f-g_h"]
    assert cli.parse_endpoints("No objects found.\n\n") == []
    busy = ENDPOINT.replace("Not in use    0 of inf", "In use        3 of inf")
    assert cli.parse_endpoint("102", busy).active_channels == 3 and cli.parse_endpoint("102", busy).device_state == "In use"
    assert cli.parse_endpoint("999", "Unable to find object 999.\n\n") is None


def test_a_value_may_look_like_a_row():
    """Of a table's repeated name the first counts, and what stands before the table is none of it."""
    text = ENDPOINT.replace(" set_var                            : ", " set_var                            : a=b\n rewrite_contact                    : false")
    assert cli.parse_endpoint("102", text).rewrite_contact is True
    assert cli.parse_endpoint("102", ENDPOINT.replace("     InAuth:  102/102", " rewrite_contact : false")).rewrite_contact is True


@pytest.mark.parametrize("text", [
    "", "Objects found: 8", ENDPOINTS.replace("Objects found: 8", ""), ENDPOINTS.replace("Objects found: 8", "Objects found: 9"), ENDPOINTS[:1500],
    "rubbish\n"])
def test_a_list_that_is_not_whole(text):
    with pytest.raises(BadAnswer):
        cli.parse_endpoints(text)


@pytest.mark.parametrize("text", [
    "", "Unable to find object 1020.\n", ENDPOINT[:ENDPOINT.index(" rtp_symmetric")], ENDPOINT.replace(" : true", " : perhaps"), "rubbish"])
def test_an_endpoint_that_can_not_be_understood(text):
    with pytest.raises(BadAnswer):
        cli.parse_endpoint("102", text)


@pytest.mark.parametrize("text", [
    "", REGISTRAR.replace("4 results", "5 results"), REGISTRAR[:700], REGISTRAR.replace('"}\n', '"\n', 1), REGISTRAR.replace("{", "[", 1),
    f"{CONTACT.replace('{', '[{')}]\n1 results found.\n", "/registrar/contact/101: {}\n1 results found.\n"])
def test_contacts_that_are_not_whole(text):
    with pytest.raises(BadAnswer) as told:
        cli.parse_registrar(text)
    assert "192.168" not in str(told.value)


def test_other_things_in_that_family_are_none_of_ours():
    assert cli.parse_registrar("/registrar/other/x" + " " * 40 + ": y\n1 results found.\n") == []


class Program:
    """A program called asterisk, on PATH: prints the file that is named as the command."""

    def __init__(self, folder):
        self.folder, self.answers = folder, folder / "answers"
        self.answers.mkdir()
        self.script('[ "$1" = -rx ] || exit 9\nexec cat "{answers}/$2"')

    def script(self, text):
        file = self.folder / "asterisk"
        file.write_text("#!/bin/sh\n" + text.replace("{answers}", str(self.answers)) + "\n")
        file.chmod(0o755)

    def says(self, command, text):
        (self.answers / command).write_text(text, "utf-8", newline="")


@pytest.fixture
def program(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    made = Program(tmp_path)
    made.says("database show registrar", REGISTRAR)
    made.says("pjsip show aors", AORS)
    for number in (101, 102, 103, 104):
        made.says(f"pjsip show endpoint {number}", ENDPOINT.replace("102", str(number)))
    return made


def alive(text, seconds=60):
    return text.replace('"expiration_time":"1795387804"', f'"expiration_time":"{int(time.time()) + seconds}"')


PBX = cli.AsteriskCli(Shell(timeout=10))


def test_registrations(program):
    program.says("database show registrar", alive(REGISTRAR))
    program.says("pjsip show aors", AORS.replace("5788ffa4fa NonQual", "95ac4f69c8 Unavail").replace("3a6679c57d NonQual", "a0bfe79fde Avail"))
    found = PBX.registrations()
    assert [(one.extension, one.claimed_port, one.seen_port, one.status) for one in found] == [
        ("101", 5060, 5060, "unreachable"), ("102", 5062, 5062, "reachable"), ("103", 5064, 5064, "unknown"), ("104", 5066, 5066, "unknown")]
    assert found[0] == Registration("101", "192.168.1.101", 5060, "203.0.113.1", 5060, "udp", "baresip v1.1.0 (x86_64/linux)", "unreachable",
                                    found[0].expires, True)


def test_expired_ones_do_not_count(program):
    program.says("database show registrar", alive(REGISTRAR, -1))
    assert PBX.registrations() == []


def test_the_extension_is_the_aors_where_the_contact_names_no_endpoint(program):
    line = alive(CONTACT).replace('"endpoint":"101",', "").replace(";x-ast-orig-host=192.168.1.101:5060", "")
    program.says("database show registrar", f"{line}\n1 results found.\n")
    (one,) = PBX.registrations()
    assert one.extension == "101" and one.seen_is_source            # by the option, which was asked for


def test_who_registers_is_not_always_a_name_for_a_command(program):
    odd = alive(CONTACT).replace('"endpoint":"101"', '"endpoint":"a b; core stop now"').replace(";x-ast-orig-host=192.168.1.101:5060", "")
    program.says("database show registrar", odd + "\n1 results found.\n")
    assert [(one.extension, one.seen_is_source) for one in PBX.registrations()] == [("a b; core stop now", False)]
    assert [one.extension for one in PBX.extensions(["101", "$(reboot)"])] == ["101"]       # nobody's name, so nobody is asked for it
    assert [one.extension for one in PBX.extensions(["102", "101"])] == ["102", "101"]


def test_a_phone_can_put_nothing_between_the_answers(program):
    program.says("database show registrar", alive(CONTACT.replace("baresip v1.1.0 (x86_64/linux)", "x\\n0123456789abcdef0123456789abcdef\\n\\u001b[31m"))
                 + "\n1 results found.\n")
    assert PBX.registrations()[0].user_agent == "x?0123456789abcdef0123456789abcdef??[31m"


@pytest.mark.parametrize(("said", "kind"), [
    ("Module 'res_pjsip.so' reloaded successfully.\n", None), ("A module reload request is already in progress; please be patient\n", ReloadBusy),
    ("Asterisk cannot reload a module yet; request queued\n", ReloadBusy), ("The module 'res_pjsip.so' reported a reload failure\n", DeviceError),
    ("No such module 'res_pjsip.so'\n", DeviceError), ("", DeviceError)])
def test_reload(program, said, kind):
    program.says("module reload res_pjsip.so", said)
    if not kind:
        PBX.reload()
        return
    with pytest.raises(kind) as told:
        PBX.reload()
    assert told.type is kind


@pytest.mark.parametrize(("version", "text"), [
    ("22.10.1+dfsg+~cs6.17.60671434-1", sample("core-show-version")), ("20.9.3", "Asterisk 20.9.3 built by mockbuild @ jenkins on a x86_64 running Linux\n"),
    ("certified/18.9-cert4", "Asterisk certified/18.9-cert4 built by root @ x on a x86_64\n"), ("", "rubbish\n")])
def test_version(program, version, text):
    program.says("core show version", text)
    assert PBX.version() == version


def test_a_login_that_greets(program):
    program.says("core show version", sample("core-show-version"))
    greeting = program.folder / "greeting"
    greeting.write_text('#!/bin/sh\necho "Welcome to pbx"\nexec sh -c "$1"\n')
    greeting.chmod(0o755)
    assert cli.AsteriskCli(Shell([str(greeting)])).version().startswith("22.")


@pytest.mark.parametrize(("script", "kind"), [
    ('echo "Unable to connect to remote asterisk (does /nowhere/asterisk.ctl exist?)" >&2; exit 1', Unreachable),
    ("echo 'secret-pw' >&2; exit 1", DeviceError), ("kill -9 $$", DeviceError), ("kill -9 $PPID", DeviceError), ("yes", BadAnswer)])
def test_a_program_that_fails(program, script, kind):
    program.script(script)
    with pytest.raises(kind) as told:
        cli.AsteriskCli(Shell(timeout=20)).endpoints()
    assert "secret-pw" not in str(told.value)


LINES = st.lists(st.one_of(st.text(max_size=60), st.sampled_from((REGISTRAR + AORS + ENDPOINT + ENDPOINTS).split("\n"))), max_size=12).map("\n".join)


@settings(max_examples=200, deadline=2000)
@given(st.one_of(st.text(), LINES))
def test_any_text_is_a_value_or_an_error(text):
    for parse in (cli.parse_endpoints, cli.parse_registrar, cli.parse_status, lambda text: cli.parse_endpoint("102", text)):
        with contextlib.suppress(EvenportError):
            parse(text)


@pytest.mark.parametrize("text", [" Endpoint:  " + "a  " * 100_000, "   Contact: " + "0123456789 " * 50_000, "   Aor: " + " 1" * 100_000,
                                  "/registrar/contact/" + ";@" * 100_000, "/registrar/contact/1;@" + "a" * 32 + ": " + "{" * 100_000 + "}\n1 results found.\n"])
def test_long_lines_take_no_long_time(text):
    began = time.monotonic()
    test_any_text_is_a_value_or_an_error.hypothesis.inner_test(text)
    assert time.monotonic() - began < 20
