# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bodies that are announced as chunked: those that are, those that are not, and what is neither."""
from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.evenport.sip.plugins.module_utils.errors import BadAnswer, EvenportError, Unreachable
from ansible_collections.evenport.sip.plugins.module_utils.http.reach import Reach
from ansible_collections.evenport.sip.plugins.module_utils.http.session import WebSession
from tests.fakes.proxy import FakeProxy
from tests.fakes.tls import self_signed
from tests.fakes.web import FakeWebServer, Reply


class Raw(FakeWebServer):
    """Announces chunks, then sends these pieces, one after the other, and closes."""

    def __init__(self, *pieces: bytes, headers: str = "Server: lighttpd", stay: float = 0.0, **more):
        super().__init__(**more)
        self.pieces, self.headers, self.stay, self.seen = pieces, headers, stay, []

    def handle(self, request):
        self.seen.append(request)
        return Reply(raw=b"")

    def _send(self, sock, reply):
        sock.sendall(f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n{self.headers}\r\n\r\n".encode())
        for piece in self.pieces:
            sock.sendall(piece)
            time.sleep(0.02)
        time.sleep(self.stay)


def reach(server, **more):
    protocol = "https" if server.tls else "http"
    return Reach(**{"name": "kitchen", "host": "127.0.0.1", "protocol": protocol, "port": server.port, "timeout": 1.0, "deadline": 2.0, **more})


def body(server, **more):
    with WebSession(reach(server, **more)) as web:
        return web.get("/").body


@pytest.mark.parametrize("pieces", [
    [b"<html>hello</html>"], [b"<", b"html>", b"x" * 70000, b"</html>"], [b"\r\n<html>"], [b'{"a": 1}'], [b"\x00\xff"], [b"hello\n5\nworld"], [b"x" * 5000],
    [b"ba00a8c0000004a7"],                      # a nonce: hexadecimal digits, but no line
    [b"ba00", b"a8c0", b"000004a7"], [b"12345678901234567890\r\nno size has twenty digits"], [b"-5\r\nhello"], [b"0x5\r\nhello"]])
def test_a_body_that_is_not_chunked_is_taken_as_it_is(pieces):
    with Raw(*pieces) as server:
        assert body(server) == b"".join(pieces)


@pytest.mark.parametrize("pieces", [
    [b"5\r\nhello\r\n0\r\n\r\n"], [b"5", b"\r\nhel", b"lo\r\n0\r", b"\n\r\n"], [b"5;name=value\r\nhello\r\n0\r\n\r\n"], [b"05 \r\nhello\r\n0\r\n\r\n"],
    [b"2\r\nhe\r\n3\r\nllo\r\n0\r\nTrailer: x\r\n\r\n"], [b"5\nhello\r\n0\r\n\r\n"]])
def test_a_body_that_is_chunked_is_put_together(pieces):
    with Raw(*pieces) as server:
        assert body(server) == b"hello"


def test_an_empty_chunked_body():
    with Raw(b"0\r\n\r\n") as server:
        assert body(server) == b""


@pytest.mark.parametrize("pieces", [[b"5\r\nhello\r\nrubbish\r\n"], [b"5\r\nhello"], [b"ff\r\nhello"], [b"5\r\nhello\r\n"], []])
def test_chunks_that_break_off_are_no_answer(pieces):
    with Raw(*pieces) as server, pytest.raises((BadAnswer, Unreachable)):
        body(server)


@pytest.mark.parametrize("name", ["RapidLogic/1.1", "Rapidlogic"])
def test_nothing_at_all_is_an_empty_body_from_this_server_alone(name):
    with Raw(headers=f"Server: {name}") as server:
        assert body(server) == b""


def test_an_announced_length_ends_a_raw_body():
    with Raw(b"<html>hello</html>", b"more", headers="Content-Length: 18") as server:
        assert body(server) == b"<html>hello</html>"
    with Raw(b"<html>", headers="Content-Length: nonsense") as server:
        assert body(server) == b"<html>"


def test_limit_and_deadline_hold_for_raw_bodies_too():
    with Raw(*[b"<" + b"x" * 1000] * 90) as server, pytest.raises(BadAnswer, match="more than 64 kB"):
        body(server, limit=65536)
    with Raw(*[b"<"] * 200) as server:
        started = time.monotonic()
        with pytest.raises(BadAnswer, match="did not end within 1 s"):
            body(server, deadline=1.0)
        assert time.monotonic() - started < 4
    with Raw(*[b"a"] * 200) as server, pytest.raises(BadAnswer, match="did not end within 1 s"):
        body(server, deadline=1.0)                  # a first line that never ends
    with Raw(b"<html>", stay=5.0) as server, pytest.raises(Unreachable):
        body(server, timeout=0.3)                   # a body without an end, on a connection that stays open


@pytest.mark.parametrize("kind", ["http", "socks5"])
def test_through_tls_and_a_proxy(kind):
    certificate = self_signed()
    with Raw(b"<html>hello</html>", tls=certificate) as server, FakeProxy(kind) as proxy:
        assert body(server, proxy=proxy.url, fingerprint=certificate.fingerprint) == b"<html>hello</html>"


def test_headers_of_a_session_go_with_every_request():
    with Raw(b"x\n") as server, WebSession(reach(server)) as web:
        web.get("/")
        web.headers["Connection"] = "close"
        web.get("/")
        web.post("/", {"a": "b"})
        assert [request.headers.get("connection") for request in server.seen] == ["keep-alive", "close", "close"]
        assert server.seen[2].headers["content-type"] == "application/x-www-form-urlencoded"


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60) | st.sampled_from([b"5\r\n", b"f;x", b"a\n", b"\n", b"0\r\n", b"\r\n5\r\n"]))
def test_any_bytes_are_a_body_or_an_error_of_ours(data):
    with Raw(data) as server:
        try:
            assert isinstance(body(server), bytes)
        except EvenportError as error:
            assert str(error).startswith("kitchen")
