# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two small proxies with a log of where they connected: HTTP (plain and CONNECT) and SOCKS5 (names resolved at the proxy)."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import threading
from urllib.parse import urlsplit


class FakeProxy:
    """``kind``: "http" or "socks5". ``names`` (name -> address) is a DNS that only the proxy knows."""

    def __init__(self, kind: str, names: dict[str, str] | None = None, refuse: bool = False) -> None:
        self.kind, self.names, self.refuse = kind, names or {}, refuse
        self.connected: list[tuple[str, int]] = []
        self.port = 0

    @property
    def url(self) -> str:
        return f"{'http' if self.kind == 'http' else 'socks5h'}://127.0.0.1:{self.port}"

    def __enter__(self) -> FakeProxy:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *unused: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, dummy = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError, ValueError, IndexError):
            client.settimeout(20)
            server = self._http(client) if self.kind == "http" else self._socks(client)
            if server is not None:
                with server:
                    self._pump(client, server)

    def _connect(self, host: str, port: int) -> socket.socket:
        self.connected.append((host, port))
        return socket.create_connection((self.names.get(host, host), port), timeout=10)

    def _http(self, client: socket.socket) -> socket.socket | None:
        head = b""
        while b"\r\n\r\n" not in head:
            piece = client.recv(65536)
            if not piece:
                return None
            head += piece
        method, target, version = head.split(b"\r\n", 1)[0].decode().split()
        if self.refuse:
            client.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            return None
        if method == "CONNECT":
            host, dummy, port = target.rpartition(":")
            server = self._connect(host, int(port))
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            return server
        parts = urlsplit(target)
        server = self._connect(parts.hostname or "", parts.port or 80)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        # One request per connection, so that each one is seen here.
        server.sendall(f"{method} {path} {version}\r\nConnection: close\r\n".encode() + head.split(b"\r\n", 1)[1])
        return server

    def _socks(self, client: socket.socket) -> socket.socket | None:
        client.sendall(b"\x05\x00" if client.recv(262)[0] == 5 else b"\x05\xff")
        request = client.recv(262)
        if request[3] == 3:
            host, rest = request[5:5 + request[4]].decode(), request[5 + request[4]:]
        else:
            host, rest = socket.inet_ntoa(request[4:8]), request[8:]
        (port,) = struct.unpack("!H", rest[:2])
        if self.refuse:
            client.sendall(b"\x05\x05\x00\x01" + bytes(6))
            return None
        server = self._connect(host, port)
        client.sendall(b"\x05\x00\x00\x01" + bytes(6))
        return server

    @staticmethod
    def _pump(client: socket.socket, server: socket.socket) -> None:
        while True:
            ready, dummy, dummy2 = select.select([client, server], [], [], 20)
            if not ready:
                return
            for one in ready:
                data = one.recv(65536)
                if not data:
                    return
                (server if one is client else client).sendall(data)
