# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A synchronous client of FreeSWITCH's event socket, standard library only.

Protocol [D: FreeSWITCH documentation of mod_event_socket; H: its source, 1.10]: messages are lines ``Name: value``, an empty line, and as many
bytes as Content-Length says. FreeSWITCH begins with ``Content-Type: auth/request``, the client says ``auth PASSWORD``, the reply is a
``command/reply`` with ``Reply-Text: +OK accepted`` or ``-ERR invalid``, and the connection ends. ``api COMMAND`` is answered by one
``api/response``. An address that its access list does not let in gets ``text/rude-rejection`` instead.

There is no TLS, and the password goes as it is: so this client speaks to its own machine and to nothing else. One login per client.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Sequence
from ipaddress import ip_address

from ansible_collections.evenport.sip.plugins.module_utils.errors import (
    AuthFailed,
    BadAnswer,
    PermissionMissing,
    PlanError,
    SessionLost,
    Unreachable,
    Unsupported,
)
from ansible_collections.evenport.sip.plugins.module_utils.pbx.access import Access
from ansible_collections.evenport.sip.plugins.module_utils.pbx.fusionpbx.switch import Switch

MAX_HEAD, MAX_BODY = 65536, 32 * 1024 * 1024    # bytes; a registration takes about 1 kB
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_IS_IT = "Check sip_pbx_port (8021): this may be another service."

Message = tuple[dict[str, str], str]            # headers, names in lower case; body


class EventSocket(Switch):
    """One connection, logged in."""

    def __init__(self, access: Access) -> None:
        self.access, self._rest = access, b""
        if _CONTROL.search(access.password):
            raise PlanError("The password of the event socket has a control character, which would end the login.", "Correct sip_pbx_password.")
        self._socket = _connect(access)
        try:
            self._login()
        except BaseException:
            self._socket.close()
            raise

    def __str__(self) -> str:
        return f"FreeSWITCH at {self.access}"

    def ask(self, commands: Sequence[str]) -> list[str]:
        return [self._api(command) for command in commands]

    def close(self) -> None:
        end = time.monotonic() + 1
        try:
            self._socket.settimeout(1)
            self._socket.sendall(b"exit\n\n")
            while self._socket.recv(65536) and time.monotonic() < end:      # until FreeSWITCH closes: otherwise it logs a broken connection
                pass
        except OSError:
            pass
        finally:
            self._socket.close()

    def _api(self, command: str) -> str:
        if _CONTROL.search(command):            # a line break would begin a command of its own
            raise PlanError("A control character in a command for FreeSWITCH.", "Look for it in sip_pbx_domain, sip_pbx_profiles and the extensions.")
        self._send(f"api {command}")
        return self._expect("api/response")[1].strip()

    def _login(self) -> None:
        try:
            self._expect("auth/request")
        except (BadAnswer, SessionLost) as error:
            raise Unreachable(f"{self.access} takes the connection but does not greet as an event socket.", _IS_IT) from error
        self._send(f"auth {self.access.password}")
        if self._expect("command/reply")[0].get("reply-text") != "+OK accepted":
            raise AuthFailed(f"The event socket at {self.access} refused the password.",
                             "Check sip_pbx_password (switch.event_socket.password in FusionPBX's config.conf). It is not tried again in this run.")

    # -- messages ------------------------------------------------------------------------------------------------------------------
    def _expect(self, kind: str) -> Message:
        """The next message of this Content-Type; events that nobody asked for may come before it."""
        deadline = time.monotonic() + self.access.timeout
        while True:
            headers, body = self._message(deadline)
            found = headers.get("content-type", "")
            if found == kind:
                return headers, body
            if found == "text/rude-rejection":
                raise PermissionMissing(f"The event socket at {self.access} lets nobody in from this address.",
                                        "Add 127.0.0.1 to apply-inbound-acl in event_socket.conf.xml, or set sip_pbx_read_by: cli.")
            if found == "text/disconnect-notice":
                raise SessionLost(f"FreeSWITCH at {self.access} ended the connection.", "Look into its log, then run again.")
            if not found:
                raise BadAnswer(f"{self.access} sends something that is no message of an event socket.", _IS_IT)

    def _message(self, deadline: float) -> Message:
        while b"\n\n" not in self._rest:
            if len(self._rest) > MAX_HEAD:
                raise BadAnswer(f"{self.access} sends a message without end.", _IS_IT)
            self._more(deadline)
        head, dummy, self._rest = self._rest.partition(b"\n\n")
        headers: dict[str, str] = {}
        for line in head.decode("utf-8", "replace").split("\n"):
            name, colon, value = line.partition(":")
            if colon:
                headers.setdefault(name.strip().lower(), value.strip())
        length = headers.get("content-length", "0")
        if not re.fullmatch(r"[0-9]{1,9}", length) or int(length) > MAX_BODY:
            raise BadAnswer(f"{self.access} announces an answer that can't be.", _IS_IT)
        parts, missing = [self._rest[:int(length)]], int(length) - len(self._rest)
        self._rest = self._rest[int(length):]
        while missing > 0:
            self._more(deadline)
            parts.append(self._rest[:missing])
            missing, self._rest = missing - len(parts[-1]), self._rest[missing:]
        return headers, b"".join(parts).decode("utf-8", "replace")

    def _more(self, deadline: float) -> None:
        left = deadline - time.monotonic()
        if left <= 0:
            raise BadAnswer(f"{self.access} did not finish its answer within {self.access.timeout:g} s.", "Raise the timeout if FreeSWITCH is busy.")
        try:
            self._socket.settimeout(left)
            data = self._socket.recv(65536)
        except OSError as error:
            if error.errno is None:             # a timeout: Python 3.9 does not call it TimeoutError
                return
            raise SessionLost(f"{self.access} ended the connection: {error}.", "Run again.") from error
        if not data:
            raise SessionLost(f"{self.access} ended the connection in the middle of an answer.", "Look into FreeSWITCH's log, then run again.")
        self._rest += data

    def _send(self, line: str) -> None:
        try:
            self._socket.settimeout(self.access.timeout)
            self._socket.sendall(f"{line}\n\n".encode())
        except OSError as error:
            raise SessionLost(f"{self.access} ended the connection: {error}.", "Run again.") from error


def _connect(access: Access) -> socket.socket:
    """To an address of this machine, whatever the host is called.  :raises Unsupported: it is elsewhere"""
    try:
        found = [info[4][0] for info in socket.getaddrinfo(access.host, access.port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"There is no host {access.host}.", "Check sip_pbx_host; 127.0.0.1 is usual.") from error
    here = [address for address in found if ip_address(address.partition("%")[0]).is_loopback]
    if not here:
        raise Unsupported(
            f"The event socket at {access} knows no TLS: the password and everything else would cross the network in clear.",
            "Run this on the PBX (delegate_to it, sip_pbx_host: 127.0.0.1), through a tunnel (ssh -L), or set sip_pbx_read_by: cli.")
    reason: OSError | None = None
    for address in here:
        try:
            return socket.create_connection((address, access.port), access.timeout)
        except OSError as error:
            reason = error
    raise Unreachable(f"No connection to the event socket at {access}: {reason}.",
                      "Check that FreeSWITCH runs, and listen-ip and listen-port in event_socket.conf.xml.") from reason
