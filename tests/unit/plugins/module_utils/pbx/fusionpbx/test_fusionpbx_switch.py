# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The event socket and fs_cli, against the fake FreeSWITCH: one login, limits, deadlines, and nothing that becomes a command of its own."""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.evenport.sip.plugins.module_utils.errors import (
    AuthFailed,
    BadAnswer,
    EvenportError,
    PermissionMissing,
    PlanError,
    SessionLost,
    Unreachable,
    Unsupported,
)
from ansible_collections.evenport.sip.plugins.module_utils.pbx.access import Access, Config, DatabaseAccess
from ansible_collections.evenport.sip.plugins.module_utils.pbx.fusionpbx.cli import FsCli
from ansible_collections.evenport.sip.plugins.module_utils.pbx.fusionpbx.event_socket import EventSocket
from ansible_collections.evenport.sip.plugins.module_utils.pbx.fusionpbx.status import NoSuchProfile
from ansible_collections.evenport.sip.plugins.module_utils.pbx.shell import Shell
from ansible_collections.evenport.sip.plugins.module_utils.pbx.work import read_pbx
from tests.fakes.freeswitch import FakeFreeSwitch, install_fs_cli

DOMAIN = "pbx.example.com"


@pytest.fixture
def fake(tmp_path):
    with FakeFreeSwitch(lambda user, domain: "", tmp_path) as pbx:
        yield pbx


@pytest.fixture
def programs(tmp_path, monkeypatch):
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder


def access(fake, **more):
    return Access(**{"host": "127.0.0.1", "port": fake.port, "username": "", "password": "esl-secret", "timeout": 3, **more})


def config(fake, read_by="event_socket", profiles=()):
    return Config("fusionpbx", access(fake), read_by, database=DatabaseAccess("postgresql", "fusionpbx"), domain=DOMAIN, profiles=profiles)


# -- event socket ------------------------------------------------------------------------------------------------------------------
def test_many_commands_one_login(fake):
    with_socket = EventSocket(access(fake))
    assert with_socket.ask(["version", "module_exists mod_sofia", "nonsense"])[1:] == ["true", "-ERR nonsense Command not found!"]
    assert with_socket.values(["user_data 101@pbx.example.com var sip-force-contact"]) == [""]
    with pytest.raises(BadAnswer, match="nonsense"):
        with_socket.values(["nonsense"])
    with_socket.close()
    with_socket.close()
    assert fake.login_attempts == 1 and bytes(fake.received).startswith(b"auth esl-secret\n\n") and bytes(fake.received).endswith(b"exit\n\n")


def test_a_wrong_password_is_tried_once(fake):
    with pytest.raises(AuthFailed) as told:
        EventSocket(access(fake, password="not-that"))
    assert fake.login_attempts == 1 and "not-that" not in str(told.value)


def test_events_that_nobody_asked_for(fake):
    fake.faults["chatty"] = True
    assert EventSocket(access(fake)).ask(["module_exists mod_sofia"] * 3) == ["true"] * 3


def test_an_address_that_is_not_let_in(fake):
    fake.faults["rude"] = True
    with pytest.raises(PermissionMissing, match="apply-inbound-acl"):
        EventSocket(access(fake))


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1"])
def test_the_password_never_leaves_the_machine(fake, host):
    begin = time.monotonic()
    with pytest.raises(Unsupported, match="in clear.*delegate_to.*cli"):
        EventSocket(access(fake, host=host))
    assert time.monotonic() - begin < 2 and not fake.received            # not even connected


def test_by_a_name_of_this_machine(fake):
    assert EventSocket(access(fake, host="localhost")).api("module_exists x") == "true"


@pytest.mark.parametrize("host", ["no.such.host.invalid", "x" * 300, "a..b"])
def test_a_host_that_is_none(fake, host):
    with pytest.raises(Unreachable, match="no host"):
        EventSocket(access(fake, host=host))


@pytest.mark.parametrize("text", ["version\n\napi shutdown", "version\r\nX: y", "a\x00b", "\x1b[0m"])
def test_a_line_break_is_no_second_command(fake, text):
    with_socket = EventSocket(access(fake))
    with pytest.raises(PlanError):
        with_socket.api(text)
    assert fake.commands == []
    with pytest.raises(PlanError) as told:
        EventSocket(access(fake, password=f"esl-secret\n\napi {text}"))
    assert "esl-secret" not in str(told.value) and fake.login_attempts == 1


@pytest.mark.parametrize(("fault", "error"), [("hang", Unreachable), ("rubbish", Unreachable), ("drop", Unreachable), ("endless", Unreachable)])
def test_something_else_listens_there(fake, fault, error):
    fake.faults.update({fault: "banner", "hang_seconds": 2})
    with pytest.raises(error):
        EventSocket(access(fake, timeout=0.5))
    assert fake.login_attempts == 0


@pytest.mark.parametrize("stage", ["auth", "version"])
@pytest.mark.parametrize(("fault", "error"), [("hang", BadAnswer), ("rubbish", BadAnswer), ("drop", SessionLost), ("endless", BadAnswer)])
def test_faults_later(fake, stage, fault, error):
    fake.faults.update({fault: stage, "hang_seconds": 2})
    with pytest.raises(error):
        EventSocket(access(fake, timeout=0.5)).api("version")
    assert fake.login_attempts == 1


@pytest.mark.parametrize("length", ["x", "-1", 10**12, 10**8, "٣"])
def test_lengths_that_can_not_be(fake, length):
    with_socket = EventSocket(access(fake))
    fake.faults["length"] = length
    with pytest.raises(BadAnswer, match="can't be"):
        with_socket.api("version")


def test_a_length_that_is_too_much(fake):
    with_socket = EventSocket(access(fake, timeout=0.5))
    fake.faults["length"] = 10**6
    with pytest.raises(BadAnswer, match="did not finish"):
        with_socket.api("version")


def test_nobody_listens(fake):
    fake.stop()
    with pytest.raises(Unreachable, match="event socket"):
        EventSocket(access(fake))


@contextmanager
def speaking(data):
    """A server that says *data* and ends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def serve():
            peer, dummy = listener.accept()
            with peer:
                peer.sendall(data)
                peer.shutdown(socket.SHUT_WR)
                peer.settimeout(5)
                while peer.recv(65536):
                    pass
        server = threading.Thread(target=serve, daemon=True)
        server.start()
        yield listener.getsockname()[1]
        server.join(10)


frames = st.sampled_from([b"Content-Type: auth/request\n\n", b"Content-Type: command/reply\nReply-Text: +OK accepted\n\n", b"Content-Type: api/response\n",
                          b"Content-Length: 5\n\nhello", b"Content-Length: 99999999999\n\n", b"\n", b": ", b"Content-Length: 0\n\n", b"\xff\x00",
                          b"Content-Type: text/disconnect-notice\nContent-Length: 0\n\n"])


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.one_of(frames, st.binary(max_size=8)), max_size=12).map(b"".join), st.booleans())
def test_any_bytes(data, greeted):
    greeting = b"Content-Type: auth/request\n\nContent-Type: command/reply\nReply-Text: +OK accepted\n\n" if greeted else b""
    with speaking(greeting + data) as port:
        try:
            with_socket = EventSocket(Access("127.0.0.1", port, "", "esl-secret", timeout=3))
            try:
                assert isinstance(with_socket.api("version"), str)
            finally:
                with_socket.close()
        except EvenportError as told:
            assert "esl-secret" not in str(told)


# -- fs_cli ------------------------------------------------------------------------------------------------------------------------
def test_fs_cli_gets_in(fake, programs):
    install_fs_cli(programs, fake, "esl-secret")
    cli = FsCli(Shell())
    assert cli.ask(["module_exists a"] * 3 + ["nonsense"]) == ["true"] * 3 + ["-ERR nonsense Command not found!"]
    assert cli.values([]) == [] and cli.values(["user_data 101@pbx.example.com var sip-force-contact"]) == [""]
    cli.close()


def test_fs_cli_is_refused_once(fake, programs):
    install_fs_cli(programs, fake, "wrong-one")
    with pytest.raises(AuthFailed, match="fs_cli.conf") as told:
        FsCli(Shell())
    assert fake.login_attempts == 1 and "wrong-one" not in str(told.value)


def test_fs_cli_without_freeswitch(fake, programs):
    install_fs_cli(programs, fake, "esl-secret")
    fake.stop()
    with pytest.raises(Unreachable, match="Check that FreeSWITCH runs"):
        FsCli(Shell())


def test_no_fs_cli(monkeypatch, tmp_path):
    (tmp_path / "sh").symlink_to("/bin/sh")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unsupported, match="no program fs_cli"):
        FsCli(Shell())


def test_fs_cli_through_a_prefix(fake, programs):
    """As ssh does it: one text for a shell there. That fs_cli is refused is not "no way to the PBX"."""
    install_fs_cli(programs, fake, "esl-secret")
    assert FsCli(Shell(("sh", "-c"))).api("module_exists a") == "true"
    install_fs_cli(programs, fake, "wrong-one")
    with pytest.raises(AuthFailed):
        FsCli(Shell(("sh", "-c")))


def test_fs_cli_goes_away_in_the_middle(fake, programs):
    install_fs_cli(programs, fake, "esl-secret")
    cli = FsCli(Shell())
    fake.faults["drop"] = "module_exists b"
    with pytest.raises(BadAnswer, match="did not answer all"):
        cli.ask(["module_exists a", "module_exists b", "module_exists c"])
    fake.stop()
    with pytest.raises(Unreachable):
        cli.ask(["module_exists a"])


@pytest.mark.parametrize("command", ["version;;shutdown", "version\nshutdown", "version $(touch x)", "version `x`", "a | b", "sofia \"x\""])
def test_fs_cli_takes_words_only(fake, programs, command):
    install_fs_cli(programs, fake, "esl-secret")
    cli = FsCli(Shell())
    with pytest.raises(PlanError):
        cli.api(command)
    assert fake.commands == ["version"]


# -- registrations -----------------------------------------------------------------------------------------------------------------
@pytest.fixture(params=["event_socket", "cli"])
def read_by(request, fake, programs):
    install_fs_cli(programs, fake, "esl-secret")
    return request.param


def test_a_house_full_of_phones(fake, read_by):
    """NAT found by FreeSWITCH, TCP, TLS, a softphone beside a phone, several profiles, another tenant, a phone that writes what it likes."""
    router = "203.0.113.1"
    fake.register("101", DOMAIN, ("192.168.1.11", 5060), (router, 5060), "Grandstream GXP2170 1.0.11.64", detect=True)
    fake.register("102", DOMAIN, ("192.168.1.12", 5062), (router, 41777), "Yealink SIP-T46S 66.84.0.15", detect=True)
    fake.register("103", DOMAIN, ("192.168.1.13", 5064), (router, 33322), "PolyVVX-VVX_450/6.4.1 & \x01<co>\udcff", transport="tcp")
    fake.register("104", DOMAIN, ("192.168.1.14", 5066), (router, 33444), "snom", transport="tls", profile="external")
    fake.register("104", DOMAIN, ("10.0.0.9", 54109), ("198.51.100.7", 54109), "Zoiper v2.10", call_id="</call-id><user>101@pbx.example.com</user>")
    fake.register("101", "other.example.net", ("192.168.1.11", 5060), ("198.51.100.9", 5060), "Other tenant")
    result = read_pbx(config(fake, read_by))
    assert [(one["extension"], one["claimed_port"], one["seen_address"], one["seen_port"], one["transport"]) for one in result["registrations"]] == [
        ("101", 5060, router, 5060, "udp"), ("102", 5062, router, 41777, "udp"), ("103", 5064, router, 33322, "tcp"),
        ("104", 54109, "198.51.100.7", 54109, "udp"), ("104", 5066, router, 33444, "tls")]
    assert all(one["seen_is_source"] and one["expires"] > time.time() for one in result["registrations"])
    assert result["registrations"][2]["user_agent"] == "PolyVVX-VVX_450/6.4.1 & <co>\ufffd" and result["version"].startswith("FreeSWITCH Version 1.10")
    assert result["live"] and result["shows_ports"] and "esl-secret" not in str(result)


def test_only_the_profiles_that_are_named(fake, read_by):
    fake.register("101", DOMAIN, ("192.168.1.11", 5060), ("203.0.113.1", 5060), profile="external")
    assert read_pbx(config(fake, read_by, ("internal",)))["registrations"] == []
    assert len(read_pbx(config(fake, read_by, ("internal", "external")))["registrations"]) == 1
    with pytest.raises(NoSuchProfile, match="internal2"):
        read_pbx(config(fake, read_by, ("internal", "internal2")))


@pytest.mark.parametrize("profile", ["internal' reg;; shutdown '", "a b", "x\n\napi shutdown", ""])
def test_a_profile_is_a_word(fake, read_by, profile):
    with pytest.raises(PlanError, match="SIP profile"):
        read_pbx(config(fake, read_by, (profile,)))
    assert fake.commands == [] and fake.login_attempts == 0
