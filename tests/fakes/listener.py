# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fake that listens for line-by-line conversations: it starts, serves each connection in a thread of its own, and hangs up on all when it stops."""

from __future__ import annotations

import contextlib
import socket
import threading


class Listener:
    """A subclass sets ``address`` and ``port`` (0: a free one) before it starts, and has ``_serve(sock)``, which keeps its socket in ``_sockets``."""

    address = "127.0.0.1"
    port = 0
    connections = 0
    _listener = None

    def __init__(self):
        self._sockets: set[socket.socket] = set()

    def start(self):
        self._listener = socket.create_server((self.address, self.port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()
        return self

    def stop(self):
        listener, self._listener = self._listener, None
        for sock in [listener, *list(self._sockets)]:
            if sock is not None:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
                sock.close()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_exc):
        self.stop()

    def _accept(self, listener):
        while self._listener is listener:
            try:
                sock, _peer = listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        raise NotImplementedError
