# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.evenport.sip.plugins.module_utils.errors import BadAnswer, CertificateRefused, EvenportError, Unreachable
from ansible_collections.evenport.sip.plugins.module_utils.http import answer, tls
from ansible_collections.evenport.sip.plugins.module_utils.http.faults import Dropped
from ansible_collections.evenport.sip.plugins.module_utils.http.reach import Reach
from ansible_collections.evenport.sip.plugins.module_utils.http.session import WebSession
from tests.fakes.proxy import FakeProxy
from tests.fakes.tls import self_signed
from tests.fakes.web import FakeWebServer, Reply, Request

SECRET = "hunter2-Zebra"


class Echo(FakeWebServer):
    """Keeps what it was sent; answers what it is told."""

    def __init__(self, reply: Reply | None = None, **more):
        super().__init__(**more)
        self.reply = reply or Reply(200, b"fine")
        self.seen: list[Request] = []

    def handle(self, request):
        self.seen.append(request)
        return self.reply


@pytest.fixture(scope="module")
def certificate():
    return self_signed("127.0.0.1", addresses=("127.0.0.1",))


def reach(server, **more) -> Reach:
    protocol = "https" if server.tls else "http"
    return Reach(**{"name": "kitchen", "host": "127.0.0.1", "protocol": protocol, "port": server.port, "timeout": 2.0, "deadline": 5.0, **more})


def fail(server, kind, path="/", **more) -> EvenportError:
    with WebSession(reach(server, **more)) as web, pytest.raises(kind) as caught:
        web.post(path, {"password": SECRET})
    assert SECRET not in str(caught.value)
    return caught.value


# ---------------------------------------------------------------------- requests


def test_post_is_same_origin_and_get_has_a_literal_query():
    with Echo() as server, WebSession(reach(server)) as web:
        web.post("/cgi-bin/x", {"request": "P40:P41", "password": "a&b=ü"})
        web.get("/y", {"pvalues": "1,2"})
        post, get = server.seen
        assert post.headers["referer"] == server.url + "/" and post.headers["origin"] == server.url
        assert post.body.startswith(b"request=P40:P41&") and post.form["password"] == "a&b=ü"
        assert get.query == {"pvalues": "1,2"} and "referer" not in get.headers
        assert server.connections == 1              # kept alive: a TLS handshake costs a phone's CPU most


def test_a_redirect_is_an_answer_and_not_followed():
    with Echo(Reply(302, headers=[("Location", "http://192.0.2.1/steal")])) as server, WebSession(reach(server)) as web:
        assert web.get("/").status == 302
        assert server.requests == 1


def test_the_environment_is_not_looked_at(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with Echo() as server, WebSession(reach(server)) as web:
        assert web.get("/").text == "fine"


def test_cookies_of_an_address_are_kept_sent_and_can_be_handed_over():
    with Echo(Reply(200, headers=[("Set-Cookie", "a=1; HttpOnly; path=/cgi-bin"), ("Set-Cookie", "b=2, c=3, HttpOnly, path=/")])) as server:
        with WebSession(reach(server)) as web:
            web.get("/")
            handed = dict(web.cookies)
        with WebSession(reach(server), handed) as web:
            web.get("/other")
        assert server.seen[-1].cookies == {"a": "1", "b": "2", "c": "3"}


# ---------------------------------------------------------------------- answers that are none


@pytest.mark.parametrize(("fault", "kind", "text"), [
    ("hang", Dropped, "did not answer within 0.5 s"),
    ("drop", Dropped, "dropped the connection"),
    ("rubbish", BadAnswer, "no HTTP"),
    ("huge", BadAnswer, "more than 64 kB"),
    ("drip", BadAnswer, "did not end within 1 s"),
    ("drip_headers", BadAnswer, "did not end within 1 s"),
])
def test_faults_end_soon_and_say_what_to_do(fault, kind, text):
    with Echo(faults={fault: True}) as server:
        started = time.monotonic()
        error = fail(server, kind, timeout=0.5, deadline=1.0, limit=65536)
        assert time.monotonic() - started < 4
        assert text in str(error) and "kitchen" in str(error) and error.remedy


def test_an_answer_of_the_largest_size_is_fine():
    with Echo(Reply(200, b"x" * 65536)) as server, WebSession(reach(server, limit=65536)) as web:
        assert len(web.get("/").body) == 65536


@pytest.mark.parametrize(("protocol", "hint"), [("https", "sip_phone_protocol: http"), ("http", "sip_phone_protocol: https")])
def test_nothing_listens(protocol, hint):
    server = Echo().start()
    server.stop()
    error = fail(server, Unreachable, protocol=protocol)
    assert "nothing listens" in str(error) and hint in str(error) and not isinstance(error, Dropped)


def test_http_behind_an_https_address_is_named_and_never_fallen_back_to():
    with Echo() as server:
        error = fail(server, EvenportError, protocol="https")
        assert "sip_phone_protocol: http" in str(error)
        assert server.seen == []


def test_an_unknown_name():
    with Echo() as server:
        assert "not known" in str(fail(server, Unreachable, host="phone.invalid"))


# ---------------------------------------------------------------------- TLS


def test_self_signed_is_refused_with_the_fingerprint_and_nothing_is_sent(certificate):
    with Echo(tls=certificate) as server:
        error = fail(server, CertificateRefused)
        assert error.fingerprint == "sha256:" + certificate.fingerprint
        assert f"sip_phone_fingerprint: {error.fingerprint}" in str(error)
        assert server.requests == 0


def test_the_pin_is_accepted_as_the_message_gave_it_and_refuses_a_changed_certificate(certificate):
    with Echo(tls=certificate) as server:
        pin = fail(server, CertificateRefused).fingerprint
        with WebSession(reach(server, fingerprint=pin)) as web:
            assert web.get("/").text == "fine"
        server.tls = other = self_signed()
        before = server.requests
        error = fail(server, CertificateRefused, fingerprint=pin)
        assert other.fingerprint in str(error) and "another certificate" in str(error)
        assert server.requests == before


def test_a_pin_wins_over_a_trusted_chain(certificate, tmp_path):
    ca = tmp_path / "ca.pem"
    ca.write_bytes(certificate.certificate_pem)
    with Echo(tls=certificate) as server:
        with WebSession(reach(server, ca_path=str(ca))) as web:
            assert web.get("/").status == 200
        fail(server, CertificateRefused, ca_path=str(ca), fingerprint="ab" * 32)


def test_a_trusted_certificate_for_another_name_is_refused(tmp_path):
    elsewhere = self_signed("elsewhere.invalid")
    ca = tmp_path / "ca.pem"
    ca.write_bytes(elsewhere.certificate_pem)
    with Echo(tls=elsewhere) as server:
        assert fail(server, CertificateRefused, ca_path=str(ca)).fingerprint.endswith(elsewhere.fingerprint)


def test_verification_can_be_switched_off(certificate):
    with Echo(tls=certificate) as server, WebSession(reach(server, validate_certs=False)) as web:
        assert web.get("/").status == 200


def test_contexts_are_shared_and_a_missing_ca_is_named(tmp_path):
    assert tls.shared_context(True) is tls.shared_context(True)
    with pytest.raises(EvenportError, match="sip_phone_ca_path"):
        tls.shared_context(True, str(tmp_path / "none.pem"))


@pytest.mark.parametrize("text", ["sha256:" + "aB" * 32, ":".join(["ab"] * 32), "SHA256=" + "ab" * 32, "ab" * 32])
def test_spellings_of_a_fingerprint(text):
    assert tls.plain_fingerprint(text) == "ab" * 32


@pytest.mark.parametrize("text", ["ab", "zz" * 32, "ab" * 20])
def test_no_fingerprint(text):
    with pytest.raises(EvenportError, match="64 hex digits"):
        tls.plain_fingerprint(text)


# ---------------------------------------------------------------------- proxies


@pytest.mark.parametrize("kind", ["http", "socks5"])
@pytest.mark.parametrize("secure", [False, True])
def test_through_a_proxy_that_resolves_the_name(kind, secure, certificate):
    with Echo(tls=certificate if secure else None) as server, FakeProxy(kind, {"phone.site": "127.0.0.1"}) as proxy:
        with WebSession(reach(server, host="phone.site", proxy=proxy.url, fingerprint=certificate.fingerprint)) as web:
            assert web.get("/").text == "fine"
        assert proxy.connected == [("phone.site", server.port)]


@pytest.mark.parametrize("kind", ["http", "socks5"])
def test_the_fingerprint_is_shown_through_a_proxy_too(kind, certificate):
    with Echo(tls=certificate) as server, FakeProxy(kind) as proxy:
        assert fail(server, CertificateRefused, proxy=proxy.url).fingerprint.endswith(certificate.fingerprint)
        assert server.requests == 0


@pytest.mark.parametrize("kind", ["http", "socks5"])
def test_a_proxy_that_refuses_is_named_without_its_password(kind, certificate):
    with Echo(tls=certificate) as server, FakeProxy(kind, refuse=True) as proxy:
        error = fail(server, Unreachable, proxy=proxy.url.replace("127.0.0.1", "user:pa55@127.0.0.1"))
        assert "proxy" in str(error) and "pa55" not in str(error)
    error = fail(server, Unreachable, proxy=proxy.url)                  # and now it is gone altogether
    assert "proxy" in str(error)


def test_an_endless_answer_through_a_proxy_ends(certificate):
    with Echo(tls=certificate, faults={"drip": True}) as server, FakeProxy("socks5") as proxy:
        fail(server, BadAnswer, proxy=proxy.url, fingerprint=certificate.fingerprint, deadline=1.0)


def test_a_proxy_that_is_none():
    with Echo() as server:
        assert "sip_phone_proxy" in str(fail(server, EvenportError, proxy="gopher://127.0.0.1:70"))


# ---------------------------------------------------------------------- parsing what devices send


@given(st.text(max_size=300))
def test_parse_json_raises_one_kind_of_error(text):
    with contextlib.suppress(BadAnswer):
        answer.parse_json(text, "x")


@pytest.mark.parametrize("text", ["[" * 100_000, "1" * 10_000, '{"a":', "\ud800"])
def test_parse_json_survives_hostile_text(text):
    with pytest.raises(BadAnswer):
        answer.parse_json(text, "x")


@given(st.lists(st.text(max_size=80), max_size=4))
def test_parse_cookies_never_fails_and_gives_sendable_cookies(headers):
    for name, value in answer.parse_cookies(headers).items():
        assert name and not set(value) & set(";,\r\n ")


@given(st.binary(max_size=400))
def test_title_is_one_short_printable_line(body):
    title = answer.Answer("x", 200, {}, b"<title>" + body + b"</title>").title
    assert len(title) <= 60 and title.isprintable()
