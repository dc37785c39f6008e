# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An answer that must end: a deadline below http.client.

A read time-out alone starts anew with every byte, so a device that drips one byte now and then, in the headers even, would hold
a worker for ever. Here every read of an answer, from the status line on, gets only what is left of one total.
"""

from __future__ import annotations

import functools
import http.client
import io
import time
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import BadAnswer
from ansible_collections.evenport.sip.plugins.module_utils.http.rawbody import settle_encoding


class _DeadlinedReader(io.RawIOBase):
    """The raw side of a socket's file: each read waits for the read time-out, or for what is left of the deadline if that is less."""

    def __init__(self, sock: Any, total: float) -> None:
        super().__init__()
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._timeout = sock.gettimeout()
        self._total = total
        self._deadline = time.monotonic() + total

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise self._too_long()
        self._sock.settimeout(left if self._timeout is None else min(left, self._timeout))
        try:
            return self._raw.readinto(buffer)
        except TimeoutError:
            if time.monotonic() >= self._deadline:
                raise self._too_long() from None
            raise
        finally:
            if self._sock.fileno() != -1:
                self._sock.settimeout(self._timeout)

    def _too_long(self) -> BadAnswer:
        # Not an OSError on purpose: it passes through urllib3 and requests as it is.
        return BadAnswer(f"An answer did not end within {self._total:g} s.", "The device or the way to it is overloaded or faulty: restart it, then run again.")

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


class _DeadlinedSocket:
    """What http.client.HTTPResponse needs of a socket: makefile()."""

    def __init__(self, sock: Any, total: float) -> None:
        self._sock, self._total = sock, total

    def makefile(self, *dummy_args: Any, **dummy_kwargs: Any) -> io.BufferedReader:
        return io.BufferedReader(_DeadlinedReader(self._sock, self._total), 65536)


@functools.lru_cache(maxsize=32)
def deadlined(connection_class: type, total: float) -> type:
    """A subclass of one of urllib3's connection classes (plain, TLS, SOCKS) whose answers end within *total* seconds."""

    class Response(http.client.HTTPResponse):
        def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
            super().__init__(_DeadlinedSocket(sock, total), *args, **kwargs)

        def begin(self) -> None:
            super().begin()
            settle_encoding(self)

    return type("Deadlined" + connection_class.__name__, (connection_class,), {"response_class": Response})
