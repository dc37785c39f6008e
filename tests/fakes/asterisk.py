# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fake Asterisk 22 as seen through its manager interface (AMI), for tests and the demo.

Stateful: registrations come and go, Reload reads the config folder. It counts what it is asked. ``faults`` makes it misbehave:

* ``refuse_login`` (True): every login fails
* ``hang``, ``rubbish``, ``drop``: "banner" or the name of an action. Silence; bytes that are no AMI; end of connection in the middle of a list
* ``endless``: the name of an action whose list never ends
* ``reload_ignored`` (True): says "Module Reloaded" and does nothing; ``slow_reload``: seconds until a reload works
* ``reload_busy``: as many times Reload answers "A reload is in progress"
* ``unknown``: names of actions whose module isn't loaded; ``no_challenge`` (True): no MD5 login
* ``chatty`` (True): unsolicited events between all packets
"""

from __future__ import annotations

import collections
import hashlib
import secrets
import threading
import time
from dataclasses import dataclass

from tests.fakes.ami import Conversation, host_part
from tests.fakes.listener import Listener
from tests.fakes.pjsip_conf import NAT_DEFAULTS, Reader, valid


@dataclass
class Contact:
    aor: str
    uri: str
    via_address: str
    via_port: int
    user_agent: str
    expires: int
    status: str
    call_id: str

    @property
    def id(self):
        return f"{self.aor};@{hashlib.md5(self.uri.encode(), usedforsecurity=False).hexdigest()}"


class FakeAsterisk(Listener):
    def __init__(self, config_dir, address="127.0.0.1", port=0, users=None, permissions=None, tls=None, faults=None):
        """*users*: name -> secret. *permissions*: name -> set of classes (default: all). *tls*: an ssl.SSLContext for servers."""
        super().__init__()
        self.config_dir, self.address, self.port, self.tls = str(config_dir), address, port, tls
        self.users = {"evenport": "ami-secret"} if users is None else dict(users)
        self.permissions, self.faults = dict(permissions or {}), dict(faults or {})
        self.logins = self.login_attempts = self.reloads = 0
        self.actions = collections.Counter()
        self.received = bytearray()             # everything that clients sent, to prove what crossed the wire
        self.log: list[str] = []                # what Asterisk would log while reading its files
        self.objects: dict = {}
        self.contacts: list[Contact] = []
        self.channels: collections.Counter = collections.Counter()      # extension -> active channels
        self.lock = threading.RLock()
        self.load(cold=True)

    # -- the PBX -------------------------------------------------------------------------------------------------------------------
    def load(self, cold=False):
        """Read the config folder: a cold start takes what is there, a reload keeps an object that can't be read any more."""
        reader = Reader(self.config_dir)
        objects = reader.load()
        with self.lock:
            self.log += reader.log
            if objects is None:
                self.objects = {} if cold else self.objects
                return
            good = valid(objects)
            self.objects = good if cold else {**{key: old for key, old in self.objects.items() if key in objects}, **good}

    def endpoint(self, extension):
        """Effective NAT options of an endpoint, or None."""
        category = self.objects.get(("endpoint", extension))
        return None if category is None else {name: category.get(name, default) in ("yes", "true", "1", "on") for name, default in NAT_DEFAULTS.items()}

    def register(self, extension, claimed_address, claimed_port, source_address=None, source_port=None, user_agent="Fake Phone 1.0", expires=3600,
                 transport="udp"):
        """A REGISTER with Via and Contact *claimed*, arriving from *source*. False: refused."""
        source_address, source_port = source_address or claimed_address, source_port or claimed_port
        with self.lock:
            options, aor = self.endpoint(extension), self.objects.get(("aor", extension))
            if options is None or aor is None:
                return False
            uri = f"sip:{extension}@{host_part(claimed_address)}:{claimed_port}" + (f";transport={transport.upper()}" if transport != "udp" else "")
            if options["rewrite_contact"]:
                uri = uri.replace(f"{host_part(claimed_address)}:{claimed_port}", f"{host_part(source_address)}:{source_port}")
                if claimed_address != source_address:       # saved only when the host differs
                    uri += f";x-ast-orig-host={host_part(claimed_address)}:{claimed_port}"
            until = int(time.time()) + expires
            known = next((contact for contact in self.contacts if contact.aor == extension and contact.uri == uri), None)
            if known:                                       # a refresh does not copy the Via
                known.expires, known.user_agent = until, user_agent
                return True
            mine = [contact for contact in self.contacts if contact.aor == extension]
            if len(mine) >= int(aor.get("max_contacts", "1")):
                if aor.get("remove_existing") not in ("yes", "true"):
                    return False
                self.contacts.remove(min(mine, key=lambda contact: contact.expires))
            answers = options["rewrite_contact"] or claimed_address == source_address
            status = "NonQualified" if aor.get("qualify_frequency", "0") == "0" else "Reachable" if answers else "Unreachable"
            self.contacts.append(Contact(extension, uri, claimed_address, claimed_port, user_agent, until, status, secrets.token_hex(8)))
            return True

    # -- the server ----------------------------------------------------------------------------------------------------------------
    def _serve(self, sock):
        self._sockets.add(sock)
        try:
            sock.settimeout(60)
            if self.tls:
                sock = self.tls.wrap_socket(sock, server_side=True)
                self._sockets.add(sock)
            Conversation(self, sock).run()
        except (OSError, ValueError):
            pass
        finally:
            self._sockets.discard(sock)
            sock.close()
