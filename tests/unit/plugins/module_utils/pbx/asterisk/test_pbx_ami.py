# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The manager-interface client against a PBX that behaves, and one that doesn't. Real sockets."""

from __future__ import annotations

import socket
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.evenport.sip.plugins.module_utils.errors import (
    AuthFailed,
    BadAnswer,
    CertificateRefused,
    DeviceError,
    PermissionMissing,
    SessionLost,
    Unreachable,
    Unsupported,
)
from ansible_collections.evenport.sip.plugins.module_utils.pbx.access import Access
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.ami import AmiClient, format_action, parse_packet
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.pjsip import Asterisk
from tests.fakes.asterisk import FakeAsterisk
from tests.fakes.pjsip_conf import write_sample
from tests.fakes.tls import self_signed

EXTENSIONS = [str(number) for number in range(101, 141)]
CONTACTS = "pjsipshowregistrationinboundcontactstatuses"


@pytest.fixture
def fake(tmp_path):
    write_sample(tmp_path, EXTENSIONS, nat="yes")
    with FakeAsterisk(tmp_path, permissions={"auditor": {"system"}, "weak": {"reporting"}, "nobody": {"call"}},
                      users=dict.fromkeys(("evenport", "auditor", "weak", "nobody"), "ami-secret")) as pbx:
        for number, extension in enumerate(EXTENSIONS):
            pbx.register(extension, f"192.168.1.{number + 1}", 5060 + 2 * number, "203.0.113.1", 5060 + 2 * number)
        yield pbx


def access(fake, password="ami-secret", username="evenport", timeout=2.0, **more):
    return Access("127.0.0.1", fake.port, username, password, timeout=timeout, **more)


def test_one_login_by_challenge_and_the_secret_stays_home(fake):
    with Asterisk(access(fake)) as pbx:
        assert pbx.version() == "22.10.1-fake"
        assert pbx.endpoints() == EXTENSIONS
        assert [one.extension for one in pbx.registrations()] == EXTENSIONS
    assert (fake.logins, fake.login_attempts, fake.connections) == (1, 1, 1)
    assert b"ami-secret" not in fake.received and b"Events: off" in fake.received
    assert fake.actions["logoff"] == 1


def test_many_extensions_in_order_and_the_unknown_left_out(fake):
    names = [*reversed(EXTENSIONS), "no-such", "999"]
    with Asterisk(access(fake)) as pbx:
        assert [one.extension for one in pbx.extensions(names)] == list(reversed(EXTENSIONS))


def test_unsolicited_events_do_no_harm(fake):
    fake.faults["chatty"] = True
    with Asterisk(access(fake)) as pbx:
        assert len(pbx.registrations()) == len(EXTENSIONS) and len(pbx.extensions(EXTENSIONS)) == len(EXTENSIONS)


def test_wrong_secret_is_asked_once(fake):
    with pytest.raises(AuthFailed, match="not tried again") as refused:
        Asterisk(access(fake, "wrong"))
    assert (fake.login_attempts, fake.logins, fake.connections) == (1, 0, 1)
    assert "wrong" not in str(refused.value) and refused.value.code == "auth_failed"


def test_without_challenge_the_secret_goes_only_over_loopback_or_tls(fake):
    fake.faults["no_challenge"] = True
    Asterisk(access(fake)).close()
    assert fake.logins == 1 and b"Secret: ami-secret" in fake.received


def test_without_challenge_and_tls_the_secret_is_not_sent_over_a_network(fake, monkeypatch):
    fake.faults["no_challenge"] = True
    monkeypatch.setattr(socket.socket, "getpeername", lambda _self: ("192.0.2.1", 5038))        # loopback is all that a test has
    with pytest.raises(Unsupported, match="sip_pbx_tls"):
        Asterisk(access(fake))
    assert b"ami-secret" not in fake.received and fake.login_attempts == 0


@pytest.mark.parametrize(("user", "clue"), [("weak", "class system"), ("nobody", "class system")])
def test_permission_denied_says_which_class(fake, user, clue):
    with Asterisk(access(fake, username=user)) as pbx, pytest.raises(PermissionMissing, match=clue) as refused:
        pbx.registrations()
    assert refused.value.code == "permission_missing" and "manager.conf" in str(refused.value)


def test_system_alone_is_enough_to_read(fake):
    with Asterisk(access(fake, username="auditor")) as pbx:
        assert pbx.registrations() and pbx.endpoints() and pbx.extensions(["101"]) and pbx.version()


def test_version_is_no_reason_to_fail(fake):
    with Asterisk(access(fake, username="nobody")) as pbx:
        assert pbx.version() == ""


def test_unknown_command_names_the_module(fake):
    fake.faults["unknown"] = {"pjsipshowendpoint"}
    with Asterisk(access(fake)) as pbx, pytest.raises(Unsupported, match="res_pjsip.so"):
        pbx.extensions(["101"])


def test_falls_back_to_the_other_contact_list(fake):
    fake.faults["unknown"] = {CONTACTS}
    with Asterisk(access(fake)) as pbx:
        assert len(pbx.registrations()) == len(EXTENSIONS)
        fake.contacts.clear()
        assert pbx.registrations() == []                # "No Contacts found" and its extra blank line
        assert pbx.version()                            # and the session is still in step


def test_nothing_listens():
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with pytest.raises(Unreachable, match=f"127.0.0.1:{port}.*sip_pbx_port"):
        AmiClient(Access("127.0.0.1", port, "u", "p", timeout=2))


def test_a_host_name_that_is_none():
    with pytest.raises(Unreachable):
        AmiClient(Access("." * 300, 5038, "u", "p", timeout=2))


@pytest.mark.parametrize(("stage", "error"), [("banner", Unreachable), ("challenge", BadAnswer), ("login", BadAnswer), (CONTACTS, BadAnswer)])
def test_a_pbx_that_hangs_costs_the_timeout_and_no_more(fake, stage, error):
    fake.faults.update(hang=stage, hang_seconds=3)
    start = time.monotonic()
    with pytest.raises(error), Asterisk(access(fake, timeout=0.3)) as pbx:
        pbx.registrations()
    assert time.monotonic() - start < 2.5


@pytest.mark.parametrize("stage", ["banner", "challenge", "login", CONTACTS])
def test_rubbish(fake, stage):
    fake.faults["rubbish"] = stage
    with pytest.raises(BadAnswer), Asterisk(access(fake)) as pbx:
        pbx.registrations()


def test_connection_ends_in_the_middle_of_a_list(fake):
    fake.faults["drop"] = CONTACTS
    with Asterisk(access(fake)) as pbx, pytest.raises(SessionLost, match="in the middle"):
        pbx.registrations()


def test_a_list_without_end(fake):
    fake.faults["endless"] = CONTACTS
    start = time.monotonic()
    with Asterisk(access(fake, timeout=0.5)) as pbx, pytest.raises(BadAnswer):
        pbx.registrations()
    assert time.monotonic() - start < 3


@pytest.mark.parametrize("flood", [b"x" * 200_000, b"A: b\r\n" * 5000])
def test_a_line_or_packet_without_end(flood):
    """Written out here, as no PBX would: the greeting and then a flood."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def serve():
            sock, _peer = listener.accept()
            with sock:
                sock.sendall(b"Asterisk Call Manager/11.0.0\r\n" + flood)
                time.sleep(0.5)
        threading.Thread(target=serve, daemon=True).start()
        with pytest.raises(BadAnswer, match="without end|does not end"):
            AmiClient(Access("127.0.0.1", listener.getsockname()[1], "u", "p", timeout=2))


def test_a_drip_of_bytes_is_cut_off():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def serve():
            sock, _peer = listener.accept()
            with sock:
                try:
                    for _number in range(40):
                        sock.sendall(b"A")
                        time.sleep(0.05)
                except OSError:
                    pass
        threading.Thread(target=serve, daemon=True).start()
        start = time.monotonic()
        with pytest.raises(Unreachable):
            AmiClient(Access("127.0.0.1", listener.getsockname()[1], "u", "p", timeout=0.4))
        assert time.monotonic() - start < 1.5


@pytest.mark.parametrize("name", ["101\r\nAction: Reload", "101\n", "1\x000", "a\x7f"])
def test_header_injection_is_refused(fake, name):
    with Asterisk(access(fake)) as pbx, pytest.raises(DeviceError, match="control character"):
        pbx.extensions([name])
    assert fake.reloads == 0 and fake.actions["pjsipshowendpoint"] == 0


@pytest.mark.parametrize("field", ["username", "password"])
def test_odd_credentials(fake, field):
    with pytest.raises(DeviceError):
        Asterisk(access(fake, **{field: "a\r\nAction: Reload"}))
    assert fake.reloads == 0 and fake.logins == 0


@given(st.text(), st.text())
def test_an_action_is_one_packet_or_refused(name, value):
    try:
        data = format_action("Ping", "1", {name: value})
    except (DeviceError, UnicodeEncodeError):
        return
    assert data.count(b"\r\n\r\n") == 1 and data.endswith(b"\r\n\r\n") and data.count(b"\n") == 4


@given(st.binary(max_size=500))
def test_no_bytes_break_the_packet_parser(data):
    assert all("\n" not in name for name in parse_packet(data.decode("utf-8", "replace").split("\n")))


def test_password_is_not_in_the_repr():
    assert "geheim" not in repr(Access("h", 1, "u", "geheim"))


# -- TLS -------------------------------------------------------------------------------------------------------------------------------
@pytest.fixture
def secure(tmp_path):
    write_sample(tmp_path, ["101"])
    certificate = self_signed("pbx.invalid", ("127.0.0.1",))
    with FakeAsterisk(tmp_path, tls=certificate.context()) as pbx:
        pbx.certificate = certificate
        yield pbx


def test_self_signed_is_refused_with_the_fingerprint_to_pin(secure):
    with pytest.raises(CertificateRefused, match=f"sip_pbx_fingerprint: sha256:{secure.certificate.fingerprint}") as refused:
        Asterisk(access(secure, tls=True))
    assert refused.value.fingerprint == f"sha256:{secure.certificate.fingerprint}"
    assert secure.login_attempts == 0 and not secure.received


@pytest.mark.parametrize("shape", [str, str.upper, lambda pin: ":".join(pin[at:at + 2] for at in range(0, 64, 2)), "sha256:{}".format])
def test_accepted_with_the_pin(secure, shape):
    with Asterisk(access(secure, tls=True, fingerprint=shape(secure.certificate.fingerprint))) as pbx:
        assert pbx.endpoints() == ["101"]
    assert secure.logins == 1


def test_another_certificate_than_the_pinned_one_gets_no_login(secure):
    with pytest.raises(CertificateRefused, match="another certificate"):
        Asterisk(access(secure, tls=True, fingerprint="0" * 64))
    assert secure.login_attempts == 0 and not secure.received


def test_verified_by_a_ca(secure, tmp_path):
    path = tmp_path / "ca.pem"
    path.write_bytes(secure.certificate.certificate_pem)
    Asterisk(access(secure, tls=True, ca_path=str(path))).close()
    with pytest.raises(DeviceError, match="sip_pbx_ca_path"):
        Asterisk(access(secure, tls=True, ca_path="/nonexistent"))
    with pytest.raises(DeviceError, match="fingerprint"):
        Asterisk(access(secure, tls=True, fingerprint="abc"))


def test_switched_off(secure):
    Asterisk(access(secure, tls=True, validate_certs=False)).close()
    assert secure.logins == 1


def test_tls_to_a_plain_port_and_the_other_way_round(fake, secure):
    with pytest.raises(Unreachable, match="5039"):
        Asterisk(access(fake, tls=True, validate_certs=False))
    with pytest.raises(Unreachable):
        Asterisk(access(secure, timeout=0.5))
