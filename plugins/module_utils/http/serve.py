# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One document for one device that takes its settings by fetching them: an HTTP server that lives for the length of a ``with``.

It listens on the one local address that faces the device, at a port of the system's choice. It has one path, which nobody can guess,
answers the device's own address only (others are hung up on before a byte is read), reads no more than a request's head, and ends
by itself after its time, whatever happens to who started it.
"""

from __future__ import annotations

import hmac
import http.server
import io
import secrets
import socket
import socketserver
import threading
import time
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import DeviceError

_HEAD = 8192                    # bytes of one request's head
_PATIENCE = 5.0                 # seconds for all of it
_REQUESTS = 20                  # connections of the device altogether; it needs one
_TICK = 0.1                     # seconds between two looks at the clock
_STRANGERS = 5                  # addresses that are remembered of those who were turned away


class _Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """A phone that opens a connection and says nothing does not keep its next one waiting: a thread each, few of them."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 4
    timeout = _TICK

    def __init__(self, family: int, address: str, allowed: frozenset[str], path: str, body: bytes, content_type: str) -> None:
        self.address_family = family
        self.allowed, self.path, self.body, self.content_type = allowed, path, body, content_type
        self.left = _REQUESTS
        self.strangers: list[str] = []
        self.fetched, self.over = threading.Event(), threading.Event()
        super().__init__((address, 0), _Handler)

    def verify_request(self, request: Any, client_address: Any) -> bool:
        peer = str(client_address[0]).partition("%")[0]
        if peer not in self.allowed:
            if peer not in self.strangers and len(self.strangers) < _STRANGERS:
                self.strangers.append(peer)
            return False
        self.left -= 1
        return self.left >= 0

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Not a word: a module's standard error belongs to Ansible."""


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "evenport.sip", ""

    def setup(self) -> None:
        super().setup()
        self.rfile = io.BytesIO(_head(self.connection))     # one request, bounded in size and time; there is no second one to read

    def do_GET(self) -> None:
        self.close_connection = True
        # One who has connected in time and asks too late gets nothing: by then we have said that nothing was fetched.
        right = hmac.compare_digest(self.path.encode("utf-8", "replace"), self.server.path.encode()) and not self.server.over.is_set()
        body = self.server.body if right else b""
        self.send_response(200 if right else 404)
        self.send_header("Content-Type", self.server.content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        if right:
            self.server.fetched.set()

    def log_message(self, *args: Any) -> None:
        """Not a word: a module's standard error belongs to Ansible."""


def _head(connection: socket.socket) -> bytes:
    """The bytes up to the end of the head of a request, or what of them came in time."""
    data, deadline = b"", time.monotonic() + _PATIENCE
    while b"\r\n\r\n" not in data and len(data) < _HEAD:
        left = deadline - time.monotonic()
        if left <= 0:
            break
        connection.settimeout(left)
        try:
            piece = connection.recv(_HEAD - len(data))
        except OSError:
            break
        if not piece:
            break
        data += piece
    connection.settimeout(_PATIENCE)                        # for the answer
    return data


class Served:
    """``with Served(name, host, port, body, seconds) as served``: give the device ``served.url``, then ``served.wait(seconds)``.

    :arg name: how messages call the device
    :arg host: the device, as we reach it; *port* is that of its web page and only helps to find the way
    :arg seconds: after which it ends by itself
    :raises DeviceError: no way from here to the device
    """

    def __init__(self, name: str, host: str, port: int, body: bytes, seconds: float, content_type: str = "text/xml") -> None:
        family, local, peers = facing(name, host, port)
        path = "/" + secrets.token_urlsafe(24) + ".xml"
        try:
            self._server = _Server(family, local, peers, path, body, content_type)
        except OSError as error:
            raise DeviceError(f"{name}: no port could be opened on {local} to serve its settings.",
                              "Check the limits of the machine that runs this task.") from error
        self._until = time.monotonic() + seconds
        port_here = self._server.server_address[1]
        self.place = f"[{local}]:{port_here}" if ":" in local else f"{local}:{port_here}"      # without the path: for messages
        self.url = f"http://{self.place}{path}"
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        try:
            while not self._server.over.is_set() and time.monotonic() < self._until:
                self._server.handle_request()               # returns after a tick where nobody came
        finally:
            self._server.over.set()
            self._server.server_close()

    def wait(self, seconds: float) -> bool:
        """Has the device fetched it? Waits at most *seconds* for that."""
        return self._server.fetched.wait(seconds)

    @property
    def turned_away(self) -> list[str]:
        """Addresses that came and are not the device's: behind a NAT it comes from another one than it is reached by."""
        return list(self._server.strangers)

    def __enter__(self) -> Served:
        self._thread.start()
        return self

    def __exit__(self, *dummy: Any) -> None:
        self._server.over.set()
        self._thread.join(5 * _TICK + 1.0)


def facing(name: str, host: str, port: int) -> tuple[int, str, frozenset[str]]:
    """(address family, our address on the way to *host*, the device's own addresses). Sends nothing: a datagram socket only looks up the route.

    IPv4 first, as it is what the phones that fetch their settings know best.
    """
    try:
        found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:
        raise DeviceError(f"{name}: the name {host} is not known.", "Set ansible_host to the phone's IP address.") from error
    peers = frozenset(str(one[4][0]).partition("%")[0] for one in found)
    for one in sorted(found, key=lambda one: one[0] != socket.AF_INET):
        try:
            with socket.socket(one[0], socket.SOCK_DGRAM) as probe:
                probe.connect(one[4])
                return one[0], str(probe.getsockname()[0]), peers
        except OSError:
            continue
    raise DeviceError(f"{name}: there is no way from here to {host}.", "Check the network of the machine that runs this task.")
