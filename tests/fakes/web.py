# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small threaded web server under all fake phones: real sockets, real HTTP, request log, and faults that can be switched on.

Faults (``faults[name] = True`` for every request, or a piece of "METHOD /path")::

    hang          take the request, never answer
    drip          answer headers, then a byte now and then for ever
    drip_headers  the same, but within the headers
    huge          a body without an end, as fast as it goes
    rubbish       bytes that are no HTTP
    drop          hang up instead of answering
    html          200 with a web page instead of the answer
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.fakes.tls import Certificate

_MAX_HEADERS = 65536


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]         # names in lower case
    body: bytes
    peer: str = ""

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    @property
    def cookies(self) -> dict[str, str]:
        pairs = (piece.strip().partition("=") for piece in self.headers.get("cookie", "").split(";"))
        return {name: value for name, equals, value in pairs if equals}


@dataclass
class Reply:
    status: int = 200
    body: bytes = b""
    content_type: str = "text/html"
    headers: list[tuple[str, str]] = field(default_factory=list)
    raw: bytes | None = None        # sent as it is, instead of all the above
    close: bool = False
    after: Callable[[], None] | None = None     # called once the answer is out

    @classmethod
    def json(cls, data: Any, content_type: str = "application/json", **more: Any) -> Reply:
        return cls(body=json.dumps(data).encode(), content_type=content_type, **more)


class Drop(Exception):
    """Raised by a handler: hang up without an answer."""


class FakeWebServer:
    """Subclass and write handle(). ``log`` holds "METHOD /path" of every request."""

    server_header = ""

    def __init__(self, address: str = "127.0.0.1", port: int = 0, tls: Certificate | None = None, faults: dict[str, Any] | None = None) -> None:
        self.address, self.port = address, port
        self.faults: dict[str, Any] = dict(faults or {})
        self.log: list[str] = []
        self.lock = threading.RLock()           # handlers of one fake run one at a time, as in a phone
        self.connections = 0
        self._listener: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self._stopping = threading.Event()
        self.tls = tls

    @property
    def tls(self) -> Certificate | None:
        return self._tls

    @tls.setter
    def tls(self, certificate: Certificate | None) -> None:
        """May be changed at run time: new connections get the new certificate."""
        self._tls, self._context = certificate, certificate.context() if certificate else None

    @property
    def requests(self) -> int:
        return len(self.log)

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.address}:{self.port}"

    def handle(self, request: Request) -> Reply:
        raise NotImplementedError

    # ------------------------------------------------------------------ life

    def start(self) -> FakeWebServer:
        self._stopping.clear()
        self.listen()
        return self

    def stop(self) -> None:
        self._stopping.set()
        self.unlisten()

    def listen(self) -> None:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((self.address, self.port))
        listener.listen(64)
        self.port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def unlisten(self) -> None:
        """Nothing listens any more, and every open connection breaks."""
        listener, self._listener = self._listener, None
        for sock in [listener, *list(self._open)]:
            if sock is not None:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
        if listener is not None:
            listener.close()

    def __enter__(self) -> FakeWebServer:
        return self.start()

    def __exit__(self, *unused: Any) -> None:
        self.stop()

    # ------------------------------------------------------------------ HTTP

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                sock, peer = listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(sock, peer[0]), daemon=True).start()

    def _serve(self, sock: socket.socket, peer: str) -> None:
        self._open.add(sock)
        sock.settimeout(120)
        plain = sock
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._context is not None:
                sock = self._context.wrap_socket(sock, server_side=True)
                self._open.discard(plain)
                self._open.add(sock)
            with sock.makefile("rb") as stream:
                while self._one(sock, stream, peer):
                    pass
        except (OSError, ssl.SSLError, Drop, ValueError):
            pass
        finally:
            self._open.discard(plain)
            self._open.discard(sock)
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def _one(self, sock: socket.socket, stream: Any, peer: str) -> bool:
        greeting = stream.peek(1)[:1] == b"\x16"        # TLS at a plain port: no line of text, and perhaps no end of line ever
        start = [] if greeting else stream.readline(_MAX_HEADERS).decode("latin-1").split()
        if len(start) != 3:
            if start or greeting:
                self._send(sock, Reply(400, b"<html>400 Bad Request</html>", close=True))
            return False
        headers: dict[str, str] = {}
        while (line := stream.readline(_MAX_HEADERS).decode("latin-1").strip()):
            name, dummy, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        if start[0] in ("POST", "PUT") and "content-length" not in headers:
            self._send(sock, Reply(411, b"<html>411 Length Required</html>", close=True))
            return False
        body = stream.read(int(headers.get("content-length", "0")))
        target = urlsplit(start[1])
        request = Request(start[0], target.path, dict(parse_qsl(target.query, keep_blank_values=True)), headers, body, peer)
        line = f"{request.method} {request.path}"
        self.log.append(line)
        self._fault(sock, line)
        with self.lock:
            reply = self.handle(request)
        if "close" in headers.get("connection", "").lower() or start[2] == "HTTP/1.0":
            reply.close = True
        self._send(sock, reply)
        if reply.after:
            reply.after()
        return not (reply.close or reply.raw is not None)

    def _send(self, sock: socket.socket, reply: Reply) -> None:
        if reply.raw is not None:
            sock.sendall(reply.raw)
            return
        known = {status.value: status.phrase for status in HTTPStatus}
        lines = [f"HTTP/1.1 {reply.status} {known.get(reply.status, 'Unknown')}", f"Content-Type: {reply.content_type}", f"Content-Length: {len(reply.body)}"]
        lines += [f"Server: {self.server_header}"] if self.server_header else []
        lines += [f"{name}: {value}" for name, value in reply.headers] + (["Connection: close"] if reply.close else [])
        sock.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + reply.body)

    # ------------------------------------------------------------------ faults

    def fault(self, name: str, path: str) -> bool:
        setting = self.faults.get(name)
        return setting is True or (isinstance(setting, str) and setting in path)

    def _fault(self, sock: socket.socket, path: str) -> None:
        if self.fault("hang", path):
            self._stopping.wait(120)
            raise Drop
        if self.fault("drop", path):
            raise Drop
        if self.fault("rubbish", path):
            sock.sendall(bytes(range(256)) * 4)
            raise Drop
        if self.fault("html", path):
            self._send(sock, Reply(200, b"<html><title>Welcome</title>hello</html>", close=True))
            raise Drop
        if self.fault("huge", path):
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{")
            while not self._stopping.is_set():
                sock.sendall(b" " * 65536)
        for name, start in (("drip", b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"), ("drip_headers", b"HTTP/1.1 200 OK\r\nX-Drip: ")):
            if self.fault(name, path):
                sock.sendall(start)
                while not self._stopping.is_set():
                    sock.sendall(b" ")
                    time.sleep(0.05)
                raise Drop
