# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The manager interface (AMI) of the fake Asterisk: one Conversation per TCP connection. Texts and field names as captured from Asterisk 22."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time

CLASSES = {                                     # action -> manager classes of which the user needs one ("write =")
    "pjsipshow": {"system"}, "coresettings": {"system", "reporting"}, "reload": {"system", "config"}, "ping": None, "logoff": None,
    "getconfig": {"system", "config"}, "updateconfig": {"config"}, "command": {"command"},
}


def host_part(address):
    return f"[{address}]" if ":" in address else address


class Conversation:
    """One manager session."""

    def __init__(self, pbx, sock):
        self.pbx, self.sock, self.user, self.challenge, self.action_id, self.events = pbx, sock, None, "", "", False

    def run(self):
        if self.misbehave("banner"):
            return
        self.sock.sendall(b"Asterisk Call Manager/11.0.0\r\n")
        buffer = b""
        while data := self.sock.recv(65536):
            self.pbx.received += data
            buffer += data
            while b"\r\n\r\n" in buffer:
                raw, buffer = buffer.split(b"\r\n\r\n", 1)
                fields = {}
                for line in raw.decode().split("\r\n"):
                    name, _colon, value = line.partition(":")
                    fields.setdefault(name.strip().lower(), value.strip())
                if self.answer(fields) == "close":
                    return

    def misbehave(self, stage):
        faults = self.pbx.faults
        if faults.get("hang") == stage:
            time.sleep(faults.get("hang_seconds", 5))
            return True
        if faults.get("rubbish") == stage:
            self.sock.sendall(b"\x00\xff\xfe<html>\r\n" * 5 + b"\r\n\r\n")
            return True
        return False

    def send(self, *lines):
        if self.pbx.faults.get("chatty") and self.user:
            self.sock.sendall(b"Event: PeerStatus\r\nPrivilege: system,all\r\nPeer: PJSIP/101\r\n\r\n")
        head = [lines[0]] + ([f"ActionID: {self.action_id}"] if self.action_id else [])
        self.sock.sendall("".join(f"{line}\r\n" for line in [*head, *lines[1:], ""]).encode())

    def error(self, message):
        self.send("Response: Error", f"Message: {message}")

    def answer(self, fields):
        action, self.action_id = fields.get("action", "").lower(), fields.get("actionid", "")
        self.pbx.actions[action] += 1
        if self.misbehave(action):
            return "close"
        if action in ("challenge", "login"):
            return getattr(self, f"do_{action}")(fields)
        method = getattr(self, f"do_{action}", None)
        if method is None or action in self.pbx.faults.get("unknown", ()):
            return self.error(f"Invalid/unknown command: {fields.get('action')}. Use Action: ListCommands to show available commands.")
        needed = CLASSES["pjsipshow" if action.startswith("pjsipshow") else action]
        granted = self.pbx.permissions.get(self.user, {"system", "config", "reporting", "command"})
        if self.user is None or (needed and not needed & set(granted)):
            return self.error("Permission denied")
        return method(fields)

    # -- actions -------------------------------------------------------------------------------------------------------------------
    def do_challenge(self, fields):
        if fields.get("authtype", "").upper() != "MD5" or self.pbx.faults.get("no_challenge"):
            return self.error("Must specify AuthType")
        self.challenge = str(secrets.randbelow(10**9))
        return self.send("Response: Success", f"Challenge: {self.challenge}")

    def do_login(self, fields):
        self.pbx.login_attempts += 1
        secret = self.pbx.users.get(fields.get("username"))
        if fields.get("authtype", "").upper() == "MD5":
            key = hashlib.md5(f"{self.challenge}{secret}".encode(), usedforsecurity=False).hexdigest()
            good = bool(self.challenge) and secret is not None and fields.get("key") == key
        else:
            good = secret is not None and fields.get("secret") == secret
        if not good or self.pbx.faults.get("refuse_login"):
            self.error("Authentication failed")
            return "close"
        self.pbx.logins += 1
        self.user = fields["username"]
        self.send("Response: Success", "Message: Authentication accepted")
        if fields.get("events", "").lower() != "off":
            self.action_id = ""
            self.send("Event: FullyBooted", "Privilege: system,all", "Uptime: 4", "LastReload: 4", "Status: Fully Booted")
        return None

    def do_logoff(self, _fields):
        self.send("Response: Goodbye", "Message: Thanks for all the fish.")
        return "close"

    def do_ping(self, _fields):
        self.send("Response: Success", "Ping: Pong", f"Timestamp: {time.time():f}")

    def do_coresettings(self, _fields):
        self.send("Response: Success", "AMIversion: 11.0.0", "AsteriskVersion: 22.10.1-fake", "SystemName: fake", "CoreMaxCalls: 0")

    def do_reload(self, fields):
        if fields.get("module") not in ("res_pjsip.so", "res_pjsip"):
            return self.error("No such module")
        if self.pbx.faults.get("reload_busy"):
            self.pbx.faults["reload_busy"] -= 1
            return self.error("A reload is in progress")
        self.pbx.reloads += 1
        if not self.pbx.faults.get("reload_ignored"):
            if self.pbx.faults.get("slow_reload"):
                threading.Timer(self.pbx.faults["slow_reload"], self.pbx.load).start()
            else:
                self.pbx.load()
        return self.send("Response: Success", "Message: Module Reloaded")

    def listing(self, message, events, complete, action):
        """An AMI list: start, the events, and an end that counts them."""
        self.send("Response: Success", "EventList: start", f"Message: {message}")
        for number, event in enumerate(events):
            if self.pbx.faults.get("drop") == action and number == 1:
                return "close"
            self.send(*event)
        while self.pbx.faults.get("endless") == action:
            self.send(*(events[0] if events else ["Event: Nothing"]))
        self.send(f"Event: {complete}", "EventList: Complete", f"ListItems: {len(events)}")
        return None

    def do_pjsipshowregistrationinboundcontactstatuses(self, _fields):
        with self.pbx.lock:
            events = [_contact_status(contact, self.pbx) for contact in self.pbx.contacts]
        return self.listing("Following are ContactStatusEvents for each Inbound registration", events, "ContactStatusDetailComplete",
                            "pjsipshowregistrationinboundcontactstatuses")

    def do_pjsipshowcontacts(self, _fields):
        with self.pbx.lock:
            events = [["Event: ContactList", "ObjectType: contact", f"ObjectName: {contact.id}", f"ViaAddr: {contact.via_address}",
                       f"CallId: {contact.call_id}", "RegServer: fake", "Path: ", f"Endpoint: {contact.aor}", f"ViaPort: {contact.via_port}",
                       f"Uri: {contact.uri}", f"UserAgent: {contact.user_agent}", f"ExpirationTime: {contact.expires}", f"Status: {contact.status}",
                       "RoundtripUsec: N/A"] for contact in self.pbx.contacts]
        if not events:
            return self.error("No Contacts found\n")       # the message ends in a newline, so an empty packet follows
        return self.listing("A listing of Contacts follows, presented as ContactList events", events, "ContactListComplete", "pjsipshowcontacts")

    def do_pjsipshowendpoints(self, _fields):
        with self.pbx.lock:
            events = [["Event: EndpointList", "ObjectType: endpoint", f"ObjectName: {name}", "Transport: ", f"Aor: {name}", f"Auths: {name}",
                       "OutboundAuths: ", "Contacts: " + "".join(f"{contact.aor}/{contact.uri}," for contact in self.pbx.contacts if contact.aor == name),
                       f"DeviceState: {self.device_state(name)}", f"ActiveChannels: {self.pbx.channels[name]}"]
                      for kind, name in self.pbx.objects if kind == "endpoint"]
        if not events:
            return self.error("No endpoints found\n")
        return self.listing("A listing of Endpoints follows, presented as EndpointList events", events, "EndpointListComplete", "pjsipshowendpoints")

    def device_state(self, name):
        if self.pbx.channels[name]:
            return "In use"
        return "Not in use" if any(contact.aor == name for contact in self.pbx.contacts) else "Unavailable"

    def do_pjsipshowendpoint(self, fields):
        name = fields.get("endpoint", "")
        with self.pbx.lock:
            options = self.pbx.endpoint(name)
            if options is None:
                return self.error(f"Unable to retrieve endpoint {name}\n")
            camel = {key: "".join(word.capitalize() for word in key.split("_")) for key in options}
            auth, mine = self.pbx.objects.get(("auth", name)), [contact for contact in self.pbx.contacts if contact.aor == name]
            events = [["Event: EndpointDetail", "ObjectType: endpoint", f"ObjectName: {name}", "Webrtc: no", f"Aors: {name}", "Context: phones",
                       "MediaAddress: ", *(f"{camel[key]}: {str(value).lower()}" for key, value in options.items()), "IceSupport: false",
                       f"Auth: {name}", "Transport: ", "DisableDirectMediaOnNat: false", "RtpKeepalive: 0",
                       f"DeviceState: {self.device_state(name)}", f"ActiveChannels: {self.pbx.channels[name]}"]]
            if auth:
                events.append(["Event: AuthDetail", "ObjectType: auth", f"ObjectName: {name}", f"Username: {auth.get('username')}", "Md5Cred: ", "Realm: ",
                               "AuthType: userpass", f"Password: {auth.get('password')}", f"EndpointName: {name}"])
            events.append(["Event: AorDetail", "ObjectType: aor", f"ObjectName: {name}", "MaxContacts: 1",
                           f"Contacts: {','.join(f'{contact.aor}/{contact.uri}' for contact in mine)}", f"TotalContacts: {len(mine)}", f"EndpointName: {name}"])
            events += [_contact_status(contact, self.pbx) for contact in mine]
        return self.listing("Following are Events for each object associated with the Endpoint", events, "EndpointDetailComplete", "pjsipshowendpoint")


def _contact_status(contact, pbx):
    aor = pbx.objects.get(("aor", contact.aor))
    return ["Event: ContactStatusDetail", f"AOR: {contact.aor}", f"URI: {contact.uri}", f"UserAgent: {contact.user_agent}", f"RegExpire: {contact.expires}",
            f"ViaAddress: {host_part(contact.via_address)}:{contact.via_port}", f"CallID: {contact.call_id}", f"Status: {contact.status}",
            f"RoundtripUsec: {'829' if contact.status == 'Reachable' else 'N/A'}", f"EndpointName: {contact.aor}", f"ID: {contact.id}",
            "AuthenticateQualify: 0", "OutboundProxy: ", "Path: ", f"QualifyFrequency: {aor.get('qualify_frequency', '0') if aor else 0}",
            "QualifyTimeout: 3.000", "Qualify2xxOnly: 0"]
