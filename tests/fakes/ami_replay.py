# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays captured manager-interface sessions back to a client, byte for byte but for the ActionIDs.

A capture is: banner, login answer, the answers to actions 1, 2, 3 ..., the answer to Logoff. The n-th action of the client gets the n-th answer.
"""

from __future__ import annotations

import contextlib
import re
import socket
import threading


def answers_of(capture: bytes) -> list[bytes]:
    """The answer to the login, then to each action, in order; whatever else was sent stays with what it followed."""
    answers, current = [], None
    for packet in re.split(rb"(?<=\r\n\r\n)", capture.split(b"\r\n", 1)[1]):
        found = re.search(rb"ActionID: (\S+)\r\n", packet)
        if packet.startswith(b"Response: Goodbye"):
            break
        if found and found[1] != current:
            current = found[1]
            answers.append(b"")
        if answers:
            answers[-1] += packet
    return answers


class Replay:
    """``with Replay(path) as server: ... server.port``"""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.capture = file.read()
        self.actions = []

    def __enter__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_exc):
        self._listener.close()

    def _serve(self):
        with contextlib.suppress(OSError):
            sock, _peer = self._listener.accept()
            with sock:
                sock.settimeout(10)
                sock.sendall(self.capture.split(b"\r\n", 1)[0] + b"\r\n")
                answers, buffer = answers_of(self.capture), b""
                while data := sock.recv(65536):
                    buffer += data
                    while b"\r\n\r\n" in buffer:
                        packet, buffer = buffer.split(b"\r\n\r\n", 1)
                        action, number = (re.search(rb"%s: (\S+)" % name, packet)[1] for name in (b"Action", b"ActionID"))
                        self.actions.append(action.decode())
                        if action == b"Logoff":
                            sock.sendall(b"Response: Goodbye\r\nMessage: Thanks for all the fish.\r\n\r\n")
                            return
                        if action == b"Challenge":      # the captures have none
                            sock.sendall(b"Response: Error\r\nActionID: " + number + b"\r\nMessage: Must specify AuthType\r\n\r\n")
                        elif answers:
                            sock.sendall(re.sub(rb"ActionID: \S+", b"ActionID: " + number, answers.pop(0)))
