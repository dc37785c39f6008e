# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asterisk with PJSIP, read through its manager interface.

Two ports per registration [D, measured on Asterisk 22]: the sent-by of the REGISTER's Via is the phone's own local port; the contact URI
is, with rewrite_contact, the address and port the packet really came from, otherwise only what the phone claims. The list of inbound
registrations needs the manager class ``system`` and holds dynamic contacts only.

Answers of Asterisk hold SIP passwords in clear (AuthDetail): every field that leaves this file is picked by name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import IPv6Address

from ansible_collections.evenport.sip.plugins.module_utils.errors import Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.model import Extension, Registration
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.ami import AmiRefused, Packet
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.manager import ManagerBox
from ansible_collections.evenport.sip.plugins.module_utils.pbx.contract import NAT_OPTIONS

_HOST = re.compile(r"(\[[^\]\s]*\]|[^\s:;,?<>@\[\]/]+)(?::(\d*))?(?=[;?>,\s]|$)")


@dataclass(frozen=True)
class ContactUri:
    """What a contact URI says. ``was_rewritten``: Asterisk kept the phone's own claim in x-ast-orig-host, so host and port are the source."""

    host: str = ""
    port: int = 0
    transport: str = "udp"
    was_rewritten: bool = False


def parse_uri(text: str) -> ContactUri:
    """A SIP contact URI -> where it points. Odd user parts (with ``;`` or ``@``) and unknown parameters are fine; rubbish gives an empty one."""
    scheme, colon, rest = text.strip().strip("<>").partition(":")
    if not colon or scheme.lower() not in ("sip", "sips"):
        return ContactUri()
    starts = [0] if "@" not in rest else [index + 1 for index, char in enumerate(rest) if char == "@"]
    match = next((found for found in (_HOST.match(rest, start) for start in starts) if found), None)
    if match is None:
        return ContactUri()
    parameters = {}
    for word in rest[match.end():].partition("?")[0].split(";"):
        name, _equals, value = word.partition("=")
        parameters.setdefault(name.strip().lower(), value.strip().lower())
    transport = parameters.get("transport") or ("tls" if scheme.lower() == "sips" else "udp")
    return ContactUri(match[1].strip("[]"), _port(match[2]) or _default(transport), transport, "x-ast-orig-host" in parameters)


def parse_via(text: str, transport: str = "udp") -> tuple[str, int]:
    """Sent-by of a Via, ``host[:port]``, IPv6 with or without brackets -> (host, port). A port that isn't written is the standard's (RFC 3261, 18.1.1)."""
    text = text.strip()
    if not text:
        return "", 0
    host, colon, port = text.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit():
        host, port = text, ""
    elif ":" in host and not host.startswith("["):          # bare IPv6: Asterisk appends the port, if what is left is still an address
        try:
            IPv6Address(host)
        except ValueError:
            host, port = text, ""
    return host.strip("[]"), _port(port) or _default(transport)


def registration_from(event: Packet, rewriting: frozenset[str] = frozenset()) -> Registration | None:
    """A ContactStatusDetail or ContactList event -> a Registration; None for a contact that nobody registered (a static one).

    *rewriting*: extensions that are known to have rewrite_contact on
    """
    uri = parse_uri(event.get("uri", ""))
    if "viaaddr" in event:
        host, port = event["viaaddr"].strip("[]"), _port(event.get("viaport", ""))
        port = port or (_default(uri.transport) if host else 0)
    else:
        host, port = parse_via(event.get("viaaddress", ""), uri.transport)
    extension = event.get("endpointname") or event.get("endpoint") or event.get("aor", "")
    if not extension or not (host or uri.host):
        return None
    if not host and not event.get("callid") and not event.get("regexpire"):
        return None                                         # ContactList also holds static contacts: they have no Via
    return Registration(
        extension=extension, claimed_address=host, claimed_port=port, seen_address=uri.host, seen_port=uri.port, transport=uri.transport,
        user_agent=_text(event.get("useragent", "")), status=_text(event.get("status", "")).lower() or "unknown",
        expires=_number(event.get("regexpire") or event.get("expirationtime", "")), seen_is_source=uri.was_rewritten or extension in rewriting)


def registrations_from(events: Iterable[Packet], known: Iterable[Extension] | None, ask: Callable[[list[str]], list[Extension]]) -> list[Registration]:
    """All contacts -> Registrations. *known*: the extensions' options, if they are known already; else *ask* for those that matter."""
    events = list(events)
    found = [registration for registration in map(registration_from, events) if registration]
    if known is None:
        known = ask(sorted({registration.extension for registration in found if not registration.seen_is_source}))
    rewriting = frozenset(extension.extension for extension in known if extension.rewrite_contact)
    return [registration for registration in (registration_from(event, rewriting) for event in events) if registration]


def extension_from(event: Packet) -> Extension:
    """An EndpointDetail event -> the effective NAT options, whatever file or table they come from."""
    options = {name: _flag(event.get(name.replace("_", ""), "")) for name in NAT_OPTIONS}
    return Extension(event.get("objectname", ""), **options, device_state=_text(event.get("devicestate", "")),
                     active_channels=_number(event.get("activechannels", "")))


class Asterisk(ManagerBox):
    """PJSIP's endpoints and contacts."""

    module, section_filter = "res_pjsip.so", "type=(endpoint|wizard)"

    def endpoints(self) -> list[str]:
        try:
            events = self._ami.listing("PJSIPShowEndpoints")
        except AmiRefused as error:
            if "no endpoints" in error.message.lower():
                return []
            raise
        return [event["objectname"] for event in events if event.get("objectname")]

    def extensions(self, names: Iterable[str]) -> list[Extension]:
        answers = self._ami.listings("PJSIPShowEndpoint", [{"Endpoint": name} for name in names])
        details = [event for events in answers if events for event in events if event.get("event") == "EndpointDetail"]
        return [extension_from(event) for event in details]

    def registrations(self, known: Iterable[Extension] | None = None) -> list[Registration]:
        return registrations_from(self._contacts(), known, self.extensions)

    def _contacts(self) -> list[Packet]:
        try:
            return self._ami.listing("PJSIPShowRegistrationInboundContactStatuses")
        except Unsupported:                                 # the registrar module or the action is missing
            try:
                return self._ami.listing("PJSIPShowContacts")
            except AmiRefused as error:
                if "no contacts" in error.message.lower():
                    return []
                raise


def _port(text: str | None) -> int:
    number = _number(text or "")
    return number if number <= 65535 else 0


def _number(text: str) -> int:
    return int(text) if re.fullmatch(r"[0-9]{1,15}", text) else 0


def _default(transport: str) -> int:
    return 5061 if transport in ("tls", "wss") else 5060


def _flag(text: str) -> bool | None:
    return {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}.get(text.lower())


def _text(text: str) -> str:
    """A phone chooses its user agent: no control characters, no novel."""
    return "".join(char if char.isprintable() else "?" for char in text[:200])
