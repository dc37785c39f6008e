# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A synchronous client of Asterisk's manager interface (AMI), standard library only.

Protocol [D: Asterisk documentation; field forms captured from Asterisk 22]: lines ``Name: value`` end in CRLF, a packet ends in an empty
line. Every action carries an ActionID, its answer repeats it. A list is a response with ``EventList: start``, events, and a last event
with ``EventList: Complete``. Some error messages end in a newline, so an empty packet follows; events that nobody asked for may come in between.

The secret never crosses plain TCP: the login is the MD5 challenge. One login per client, and a refused one is not tried again (PBXs ban
the address of whoever does).
"""

from __future__ import annotations

import collections
import hashlib
import itertools
import re
import socket
import ssl
import time
from collections.abc import Iterable, Mapping

from ansible_collections.evenport.sip.plugins.module_utils.errors import (
    AuthFailed,
    BadAnswer,
    DeviceError,
    PermissionMissing,
    SessionLost,
    Unreachable,
    Unsupported,
)
from ansible_collections.evenport.sip.plugins.module_utils.pbx.access import Access
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk import tls

MAX_LINE, MAX_FIELDS, MAX_EVENTS = 65536, 2000, 100_000        # a PBX with 100,000 contacts is not one box any more
WINDOW = 16                                                     # actions on the way at once: about 1 kB, far below any socket buffer
CLASSES = {"reload": "system or config", "getconfig": "system or config", "updateconfig": "config",
           **dict.fromkeys(("sippeers", "sipshowpeer", "coreshowchannels"), "system or reporting")}             # all others that we use: system
MODULES = {"pjsipshowregistrationinboundcontactstatuses": "res_pjsip_registrar.so", "pjsipnotify": "res_pjsip_notify.so",
           **dict.fromkeys(("sippeers", "sipshowpeer"), "chan_sip.so")}                                          # all others: res_pjsip.so
_ABSENT = re.compile(r"Unable to retrieve|Peer .* not found\.")         # how PJSIP and chan_sip begin to say that they have no such object

Packet = dict[str, str]                                         # names in lower case: URI and Uri are one


class AmiRefused(DeviceError):
    """Asterisk answered ``Response: Error``. *message* is its own text."""

    def __init__(self, what: str, message: str) -> None:
        super().__init__(what)
        self.message = message


def parse_packet(lines: Iterable[str]) -> Packet:
    """``Name: value`` lines -> a dict; what has no colon is skipped, of a repeated name the first counts."""
    packet: Packet = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            packet.setdefault(name.strip().lower(), value.strip())
    return packet


def format_action(action: str, action_id: str, fields: Mapping[str, str]) -> bytes:
    """The bytes of one action. A line break in a value would start a header of its own: refused."""
    lines = [("Action", action), ("ActionID", action_id), *fields.items()]
    for name, value in lines:
        if re.search(r"[\x00-\x1f\x7f]", f"{name}{value}"):
            raise DeviceError(f"A control character in {name} for the manager interface.", "Take it out of the option's value.")
    return "".join(f"{name}: {value}\r\n" for name, value in lines).encode() + b"\r\n"


class AmiClient:
    """One connection, logged in. Raises Unreachable, CertificateRefused, AuthFailed, PermissionMissing, Unsupported, BadAnswer, SessionLost, AmiRefused."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self._lines: collections.deque[bytes] = collections.deque()
        self._rest = b""
        self._ids = itertools.count(1)
        try:
            self._socket = socket.create_connection((access.host, access.port), access.timeout)
        except (OSError, UnicodeError) as error:        # UnicodeError: a host name that can't be one
            raise Unreachable(f"No connection to the manager interface at {access}: {error}.",
                              "Check manager.conf (enabled, bindaddr, port), the firewall, and sip_pbx_host and sip_pbx_port.") from error
        try:
            if access.tls:
                self._socket = tls.secured(self._socket, access)
            self._banner()
            self._login()
        except BaseException:
            self._socket.close()
            raise

    # -- asking --------------------------------------------------------------------------------------------------------------------
    def call(self, action: str, fields: Mapping[str, str] | None = None) -> Packet:
        """The response of one action.  :raises AmiRefused: and the like, when it is an error"""
        return self._ask([(action, fields or {})])[0][0]

    def listing(self, action: str, fields: Mapping[str, str] | None = None) -> list[Packet]:
        """The events of one list, without its end."""
        return self._ask([(action, fields or {})])[0][1]

    def calls(self, action: str, many: Iterable[Mapping[str, str]]) -> list[Packet | None]:
        """The responses of the same action for many objects, several on the way at once. None where Asterisk has no such object."""
        return [answer and answer[0] for answer in self._many(action, many)]

    def listings(self, action: str, many: Iterable[Mapping[str, str]]) -> list[list[Packet] | None]:
        """The same for an action that answers with a list: its events."""
        return [answer and answer[1] for answer in self._many(action, many)]

    def close(self) -> None:
        """Log off and close, within a second. Never raises: the work is done by then."""
        end = time.monotonic() + 1
        try:
            self._socket.settimeout(1)
            self._socket.sendall(format_action("Logoff", "logoff", {}))
            while self._socket.recv(65536) and time.monotonic() < end:      # until Asterisk closes: otherwise it logs a broken connection
                pass
        except OSError:
            pass
        finally:
            self._socket.close()

    def _many(self, action: str, many: Iterable[Mapping[str, str]]) -> list[tuple[Packet, list[Packet]] | None]:
        """Answers in the order of *many*, None where Asterisk has no such object."""
        requests = [(action, fields) for fields in many]
        answers: list[tuple[Packet, list[Packet]]] = []
        for start in range(0, len(requests), WINDOW):
            answers += self._ask(requests[start:start + WINDOW], tolerant=True)
        return [None if _is_error(response) else (response, events) for response, events in answers]

    def _ask(self, requests: list[tuple[str, Mapping[str, str]]], tolerant: bool = False) -> list[tuple[Packet, list[Packet]]]:
        """Send all, then collect each one's answer by its ActionID. *tolerant*: that there is no such object is an answer, not an error."""
        waiting = {str(next(self._ids)): request for request in requests}
        answers: dict[str, tuple[Packet, list[Packet]]] = {}
        deadline = time.monotonic() + self.access.timeout
        self._send(b"".join(format_action(action, number, fields) for number, (action, fields) in waiting.items()))
        order = list(waiting)
        while waiting:
            packet = self._packet(deadline)
            number = packet.get("actionid", "")
            if number not in waiting:
                continue                            # an event that nobody asked for
            if "response" in packet and number not in answers:
                if _is_error(packet) and not (tolerant and _ABSENT.match(packet.get("message", ""))):
                    raise self._refused(waiting[number][0], packet.get("message", ""))
                answers[number] = (packet, [])
                done = packet.get("eventlist", "").lower() != "start"
            elif number in answers:
                done = packet.get("eventlist", "").lower() in ("complete", "cancelled")
                if not done:
                    answers[number][1].append(packet)
            else:
                continue
            if len(answers[number][1]) > MAX_EVENTS:
                raise BadAnswer(f"{self.access} does not end its answer to {waiting[number][0]}.", "Check that this is an Asterisk.")
            if done:
                del waiting[number]
                deadline = time.monotonic() + self.access.timeout
        return [answers[number] for number in order]

    def _refused(self, action: str, message: str) -> DeviceError:
        name, user = action.lower(), self.access.username
        if message.lower().startswith("permission denied"):
            return PermissionMissing(f"The manager user {user} at {self.access} may not use {action}.",
                                     f"Give it the class {CLASSES.get(name, 'system')} in manager.conf (write =) and reload the manager.")
        if "unknown command" in message.lower():
            module = MODULES.get(name, "res_pjsip.so")
            needed = "Asterisk up to 20 with chan_sip" if module == "chan_sip.so" else "Asterisk 13.14 or newer with PJSIP"
            return Unsupported(f"Asterisk at {self.access} does not know {action}.", f"Load {module} (modules.conf); {needed} is needed.")
        return AmiRefused(f"Asterisk at {self.access} refused {action}: {message[:200] or 'without a reason'}.", message)

    # -- logging in ----------------------------------------------------------------------------------------------------------------
    def _banner(self) -> None:
        remedy = "Check sip_pbx_port (5038, with TLS 5039) and sip_pbx_tls: this may be another service."
        try:
            line = self._line(time.monotonic() + self.access.timeout)
        except (BadAnswer, SessionLost) as error:
            raise Unreachable(f"{self.access} takes the connection but does not greet as a manager interface.", remedy) from error
        if not line.startswith(b"Asterisk Call Manager/"):
            raise BadAnswer(f"{self.access} is no Asterisk manager interface.", remedy)

    def _login(self) -> None:
        access = self.access
        challenge = self._challenge()
        if challenge:
            key = hashlib.md5(f"{challenge}{access.password}".encode(), usedforsecurity=False).hexdigest()
            proof = {"AuthType": "MD5", "Username": access.username, "Key": key}
        elif access.tls or self._socket.getpeername()[0] in ("127.0.0.1", "::1"):
            proof = {"Username": access.username, "Secret": access.password}
        else:
            raise Unsupported(f"{access} offers no MD5 challenge, and without TLS the secret would cross the network in clear.", "Use sip_pbx_tls: true.")
        try:
            self.call("Login", {**proof, "Events": "off"})
        except (AmiRefused, PermissionMissing) as error:
            raise AuthFailed(f"The manager interface at {access} refused the user {access.username}.",
                             "Check sip_pbx_user, sip_pbx_password and permit/deny in manager.conf. It is not tried again in this run.") from error

    def _challenge(self) -> str:
        try:
            return self.call("Challenge", {"AuthType": "MD5"}).get("challenge", "")
        except (AmiRefused, PermissionMissing, Unsupported):
            return ""

    # -- bytes ---------------------------------------------------------------------------------------------------------------------
    def _send(self, data: bytes) -> None:
        try:
            self._socket.settimeout(self.access.timeout)
            self._socket.sendall(data)
        except OSError as error:
            raise SessionLost(f"{self.access} ended the connection: {error}.", "Run again.") from error

    def _packet(self, deadline: float) -> Packet:
        """The next packet that is not empty."""
        lines: list[str] = []
        while True:
            line = self._line(deadline)
            if line:
                lines.append(line.decode("utf-8", "replace"))
                if len(lines) > MAX_FIELDS:
                    raise BadAnswer(f"{self.access} does not end its packet.", "Check that this is an Asterisk.")
            elif lines:
                packet = parse_packet(lines)
                if not packet:
                    raise BadAnswer(f"{self.access} sends something that is no manager packet.", "Check that this is an Asterisk.")
                return packet

    def _line(self, deadline: float) -> bytes:
        while not self._lines:
            left = deadline - time.monotonic()
            if left <= 0:
                raise BadAnswer(f"{self.access} did not finish its answer within {self.access.timeout:g} s.", "Raise timeout if the PBX is far away or busy.")
            try:
                self._socket.settimeout(left)
                data = self._socket.recv(65536)
            except (TimeoutError, ssl.SSLWantReadError):
                continue
            except OSError as error:
                raise SessionLost(f"{self.access} ended the connection: {error}.", "Run again.") from error
            if not data:
                raise SessionLost(f"{self.access} ended the connection in the middle of an answer.", "Look into Asterisk's log, then run again.")
            *lines, self._rest = (self._rest + data).split(b"\n")
            if len(self._rest) > MAX_LINE:
                raise BadAnswer(f"{self.access} sends a line without end.", "Check that this is an Asterisk.")
            self._lines.extend(line.rstrip(b"\r") for line in lines)
        return self._lines.popleft()


def _is_error(packet: Packet) -> bool:
    return packet.get("response", "").lower() == "error"
