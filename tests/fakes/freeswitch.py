# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fake FreeSWITCH under a FusionPBX, made from the sheet, the documentation and the source of both: it is not the product.

It has an event socket, SIP profiles with registrations, and FusionPBX's cache between itself and the database. What it is asked is kept in
``commands``. ``faults`` makes it misbehave:

* ``refuse_login`` (True): every password is wrong; ``rude`` (True): the access list doesn't let us in
* ``hang``, ``rubbish``, ``drop``: "banner", "auth" or the beginning of an API command. Silence; bytes that are no message; the end in the middle
* ``endless``: the beginning of an API command whose answer never ends (a head without end); ``length``: what Content-Length says instead
* ``chatty`` (True): events that nobody asked for before each answer
* ``memcache``: what its memcached answers instead of obeying
"""

from __future__ import annotations

import contextlib
import shlex
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from tests.fakes.listener import Listener

GOODBYE = "Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n"
REWRITING = ("ndlb-connectile-dysfunction", "ndlb-tls-connectile-dysfunction", "nat-connectile-dysfunction")


@dataclass
class Registered:
    user: str
    host: str
    contact: str
    agent: str
    status: str
    expires: int
    ip: str
    port: int
    call_id: str
    ping: str = "Reachable"             # FreeSWITCH says so of all that it never pinged
    ping_time: int = 0                  # microseconds


class FakeFreeSwitch(Listener):
    def __init__(self, look_up: Callable[[str, str], str | None], cache: Path | None = None, password: str = "esl-secret", address: str = "127.0.0.1") -> None:
        """*look_up*: what FusionPBX's database says, (extension, domain) -> sip_force_contact, None for nobody. *cache*: its folder; None: memcached."""
        super().__init__()
        self.look_up, self.cache, self.password, self.address = look_up, cache, password, address
        self.memcached: dict[str, str] = {}
        self.profiles: dict[str, list[Registered]] = {"internal": [], "external": []}
        self.faults: dict = {}
        self.commands: list[str] = []
        self.login_attempts = self.refused = 0
        self.received = bytearray()     # everything that clients sent

    # -- phones --------------------------------------------------------------------------------------------------------------------
    def register(self, extension, domain, claimed, seen, agent="Fake Phone 1.0", *, profile="internal", transport="udp", expires=3600, call_id="", display='""',
                 detect=False):
        """A REGISTER whose contact is *claimed*, from *seen*. *detect*: FreeSWITCH finds by itself that this is NAT. False: refused."""
        force = self.directory(extension, domain)
        if force is None:
            return False
        parameters = "" if transport == "udp" else f";transport={transport}"
        user, source = f"sip:{quote(extension)}@", f"{_host(seen[0])}:{seen[1]}"
        contact, status = f"{user}{_host(claimed[0])}:{claimed[1]}{parameters}", transport.upper()
        if detect or transport in ("ws", "wss"):
            contact, status = f"{contact};fs_nat=yes;fs_path={quote(user + source + parameters, safe='')}", f"{transport.upper()}-NAT"
        if force.lower() == "ndlb-connectile-dysfunction-2.0":
            status, path = "AUTO-NAT-2.0", quote(user + source, safe="")
            contact += "" if "fs_path=" in contact else f";fs_nat=yes;fs_path={path}"
        elif force.lower() in REWRITING:
            contact, status = f"{user}{source}{parameters};fs_nat=yes", "AUTO-NAT"
        elif force:
            contact = force
        call_id = call_id or f"{domain}-{extension}-{claimed[1]}@{claimed[0]}"
        kept = [one for one in self.profiles[profile] if one.call_id != call_id]
        if status.startswith("AUTO") or "-NAT" in status:
            expires = min(expires, 30)
        self.profiles[profile] = [*kept, Registered(
            extension, domain, f"{display} <{contact}>", agent, f"Registered({status})", int(time.time()) + expires, seen[0], seen[1], call_id)]
        return True

    def directory(self, user, domain):
        """What it is given for an extension: from the cache as long as there is something, else from the database, which then goes into the cache."""
        key = f"directory:{user}@{domain}"
        if self.cache is None:
            if key in self.memcached:
                return self.memcached[key]
        elif (file := self.cache / key.replace(":", ".").replace("/", "_")).exists():
            return file.read_text("utf-8")
        value = self.look_up(user, domain)
        if value is not None:
            if self.cache is None:
                self.memcached[key] = value
            else:
                file.write_text(value, "utf-8")
        return value

    # -- API commands --------------------------------------------------------------------------------------------------------------
    def api(self, command):
        self.commands.append(command)
        name, dummy, rest = command.partition(" ")
        words = [word.strip("'") for word in rest.split(" ")]
        if name == "version":
            return "FreeSWITCH Version 1.10.12-fake+git~20260821T000000Z~cc93a683ca~64bit (git cc93a68 2026-08-21 00:00:00Z 64bit)\n"
        if name == "module_exists":
            return "true" if rest != "mod_memcache" or self.cache is None else "false"
        if name == "memcache" and self.cache is None and words[0] == "delete":
            if "memcache" in self.faults:
                return self.faults["memcache"]
            return "+OK\n" if self.memcached.pop(words[1], None) is not None else "-ERR NOT FOUND\n"
        if name == "user_data" and words[1:] == ["var", "sip-force-contact"]:
            user, dummy, domain = words[0].partition("@")
            return self.directory(user, domain) or "-ERR no reply\n"
        if name == "sofia" and words == ["xmlstatus"]:
            return self._profiles()
        if name == "sofia" and words[:2] == ["xmlstatus", "profile"] and words[3:] == ["reg"]:
            return self._registrations(words[2])
        return f"-ERR {name} Command not found!\n"

    def _profiles(self):
        one = "<profile>\n<name>{}</name>\n<type>profile</type>\n<data>sip:mod_sofia@198.51.100.10:5060</data>\n<state>RUNNING (0){}</state>\n</profile>\n"
        text = "".join(one.format(name, "") + one.format(name, " (TLS)") for name in self.profiles)
        gateway = "<gateway>\n<name>4a0b</name>\n<type>gateway</type>\n<data>sip:x@y</data>\n<state>FAIL_WAIT</state>\n</gateway>\n (retry: NEVER)\n"
        alias = "<alias>\n<name>pbx.example.com</name>\n<type>alias</type>\n<data>internal</data>\n<state>ALIASED</state>\n</alias>\n"
        return f'<?xml version="1.0" encoding="ISO-8859-1"?>\n<profiles>\n{text}{gateway}{alias}</profiles>\n'

    def _registrations(self, profile):
        if profile not in self.profiles:
            return "Invalid Profile!\n"
        rows = "".join(self._row(one) for one in self.profiles[profile])
        return f'<?xml version="1.0" encoding="ISO-8859-1"?>\n<profile>\n  <registrations>\n{rows}  </registrations>\n</profile>\n'

    def _row(self, one):
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(one.expires))
        fields = {
            "call-id": one.call_id, "user": f"{one.user}@{one.host}", "contact": _encoded(one.contact), "agent": _encoded(one.agent),
            "status": f"{one.status}(unknown) exp({when}) expsecs({one.expires - int(time.time())})", "ping-status": one.ping,
            "ping-time": f"{one.ping_time / 1000:.2f}", "host": "pbx", "network-ip": one.ip, "network-port": one.port, "sip-auth-user": quote(one.user),
            "sip-auth-realm": one.host, "mwi-account": f"{one.user}@{one.host}"}
        return "    <registration>\n" + "".join(f"        <{name}>{value}</{name}>\n" for name, value in fields.items()) + "    </registration>\n"

    # -- the event socket ----------------------------------------------------------------------------------------------------------
    def _serve(self, sock):
        self._sockets.add(sock)
        with contextlib.suppress(OSError):
            self._talk(sock)
        self._sockets.discard(sock)
        sock.close()

    def _talk(self, sock):
        self._misbehave(sock, "banner")
        if self.faults.get("rude"):
            _send(sock, "text/rude-rejection", "Access Denied, go away.\n")
            return
        sock.sendall(b"Content-Type: auth/request\n\n")
        logged_in, buffer = False, b""
        while data := sock.recv(65536):
            self.received += data
            buffer += data
            while b"\n\n" in buffer:
                head, buffer = buffer.split(b"\n\n", 1)
                command = head.decode().strip().split("\n")[0]          # fs_cli adds a header
                if command == "exit":
                    _reply(sock, "+OK bye")
                elif logged_in and command.startswith("api "):
                    self._answer(sock, command[4:])
                    continue
                elif not logged_in and self._login(sock, command):
                    logged_in = True
                    continue
                _send(sock, "text/disconnect-notice", GOODBYE)
                return

    def _login(self, sock, command):
        self.login_attempts += 1
        self._misbehave(sock, "auth")
        good = command == f"auth {self.password}" and not self.faults.get("refuse_login")
        self.refused += not good
        _reply(sock, "+OK accepted" if good else "-ERR invalid")
        return good

    def _answer(self, sock, command):
        if self.faults.get("chatty"):
            _send(sock, "text/event-plain", "Event-Name: HEARTBEAT\n\n")
        self._misbehave(sock, command)
        _send(sock, "api/response", self.api(command) or "-ERR no reply\n", self.faults.get("length"))

    def _misbehave(self, sock, stage):
        if self._is("hang", stage):
            time.sleep(self.faults.get("hang_seconds", 5))
        elif self._is("rubbish", stage):
            sock.sendall(b"\x00\xff\xfe<html>\r\n\n\n" * 5)
        elif self._is("drop", stage):
            sock.sendall(b"Content-Type: api/response\nContent-Length: 100\n\n<profile>")
        elif self._is("endless", stage):
            sock.sendall(b"X-Header: and so on\n" * 10000)
        else:
            return
        raise ConnectionAbortedError

    def _is(self, fault, stage):
        return bool(self.faults.get(fault)) and stage.startswith(self.faults[fault])


def install_fs_cli(folder: Path, fake: FakeFreeSwitch, password: str) -> None:
    """A program fs_cli in *folder* that logs in to *fake*, as one whose configuration holds *password*."""
    script = folder / "fs_cli"
    program = Path(__file__).with_name("fs_cli.py")
    script.write_text(f"#!/bin/sh\nexec {shlex.join([sys.executable, '-S', str(program), fake.address, str(fake.port), password])} \"$@\"\n", "utf-8")
    script.chmod(0o755)


def _host(address):
    return f"[{address}]" if ":" in address else address


def _encoded(text):
    """What FreeSWITCH escapes: these five, and control characters it leaves."""
    for char, entity in (("&", "&amp;"), ('"', "&quot;"), ("'", "&apos;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(char, entity)
    return text


def _reply(sock, text):
    sock.sendall(f"Content-Type: command/reply\nReply-Text: {text}\n\n".encode())


def _send(sock, kind, body, length=None):
    data = body.encode("utf-8", "surrogateescape")
    sock.sendall(f"Content-Type: {kind}\nContent-Length: {len(data) if length is None else length}\n\n".encode() + data)
