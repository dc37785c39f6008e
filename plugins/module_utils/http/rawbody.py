# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A body that is announced as chunked and is not.

The web server RapidLogic 1.1 of Fanvil phones declares ``Transfer-Encoding: chunked`` and sends the body as it is, then closes the
connection ([HW] a third party's Intelbras V5501). A chunked body begins with a line that is a hexadecimal number. A body that doesn't
is read like one of unknown length: to the end of the connection, within the same deadline and the same limit as any other.
"""

from __future__ import annotations

import http.client
import io
import re
from typing import Any

_LINE = 1024                    # bytes looked at; a chunk's size with its extensions is shorter
_SIZE = re.compile(rb"[ \t]*[0-9A-Fa-f]{1,16}[ \t]*(?:;[^\r\n]*)?\r?\n")


class _Joined(io.RawIOBase):
    """What has been read of a stream already, then its rest."""

    def __init__(self, start: bytes, rest: Any) -> None:
        super().__init__()
        self._start, self._rest = start, rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._start[:len(buffer)] or self._rest.read1(len(buffer))
        self._start = self._start[len(data):]
        buffer[:len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._rest.close()
        super().close()


def settle_encoding(response: http.client.HTTPResponse) -> None:
    """Call once the headers of *response* have been read. Blocks for the first line of a body that is announced as chunked.

    Nothing at all instead of a first chunk stays the error that it was, except from a server that calls itself RapidLogic: a Fanvil
    says with an empty body that its only session is taken [HW].
    """
    if not response.chunked or response.length is not None:
        return
    line = response.fp.readline(_LINE)
    response.fp = io.BufferedReader(_Joined(line, response.fp))
    if _SIZE.fullmatch(line) or not (line or "rapidlogic" in response.headers.get("Server", "").lower()):
        return
    length = response.headers.get("Content-Length", "")
    del response.headers["Transfer-Encoding"]
    response.chunked = False
    response.length = int(length) if length.isascii() and length.isdigit() and len(length) < 10 else None
    response.will_close = True
