# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""FreeSWITCH's list of registrations -> Registrations. Pure.

``sofia xmlstatus profile NAME reg`` [H: mod_sofia.c, 1.10] looks like XML and is none: of what a phone chose itself only contact and user agent
are escaped, and control characters come through. But each field is a line of its own, and no SIP header holds a line break: so it is read
line by line, and what a phone writes into its Call-ID can't become another field, another registration, or the end of all others.

Two ports per registration: network-ip and network-port are where the REGISTER really came from, always. The contact is what the phone
claims, also behind NAT, where FreeSWITCH adds the source as ``fs_path`` and calls it ``Registered(UDP-NAT)`` or, by force
(NDLB-connectile-dysfunction-2.0), ``Registered(AUTO-NAT-2.0)``. Only ``Registered(AUTO-NAT)`` (NDLB-connectile-dysfunction) has the
claim replaced by the source: then nobody can tell it any more [H: sofia_reg.c].
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote

from ansible_collections.evenport.sip.plugins.module_utils.errors import BadAnswer, DeviceError
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import printable, whole
from ansible_collections.evenport.sip.plugins.module_utils.model import Registration
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.pjsip import ContactUri, parse_uri

_FIELD = re.compile(r"\s*<([a-z-]{1,32})>(.*)</([a-z-]{1,32})>\s*")
_STATUS = re.compile(r"\s*Registered\(([A-Z0-9.-]{1,20})\)")
_SECONDS = re.compile(r"expsecs\((-?[0-9]{1,10})\)\s*$")
_PROFILE = re.compile(r"<profile>\s{0,9}<name>([^<]{1,100})</name>\s{0,9}<type>profile</type>")
_TRANSPORTS = ("udp", "tcp", "tls", "ws", "wss")
_REPLACED = ("AUTO-NAT", "TLSHACK")     # the contact is the source, not the claim

Fields = dict[str, str]


class NoSuchProfile(DeviceError):
    """FreeSWITCH runs no SIP profile of this name."""


def profile_names(text: str) -> list[str]:
    """The answer to ``sofia xmlstatus`` -> the SIP profiles that run, without aliases and gateways.  :raises BadAnswer: it is something else"""
    if "<profiles>" not in text or not text.rstrip().endswith("</profiles>"):
        raise BadAnswer("FreeSWITCH does not list its SIP profiles.", "Is mod_sofia loaded? Try fs_cli -x 'sofia status' on the PBX.")
    return list(dict.fromkeys(_PROFILE.findall(text)))          # one with TLS is there twice


def registrations_from(text: str, profile: str, domain: str, now: int) -> list[Registration]:
    """The answer to ``sofia xmlstatus profile PROFILE reg`` -> the registrations of *domain*.

    :arg now: seconds since the epoch; FreeSWITCH tells the time that is left
    :raises NoSuchProfile: there is none; BadAnswer: something else, or cut off
    """
    if text.strip() == "Invalid Profile!":
        raise NoSuchProfile(f"FreeSWITCH runs no SIP profile {profile}.", "Correct sip_pbx_profiles; fs_cli -x 'sofia status' lists them.")
    if not text.rstrip().endswith("</profile>"):
        raise BadAnswer(f"FreeSWITCH does not give the registrations of the SIP profile {profile} to their end.",
                        f"Try fs_cli -x 'sofia xmlstatus profile {profile} reg' on the PBX.")
    found = (_registration(fields, domain.lower(), now) for fields in _records(text.split("\n")))
    return [registration for registration in found if registration]


def parse_contact(text: str) -> ContactUri:
    """``"name" <sip:101@192.168.1.50:5062;fs_nat=yes;...>`` -> where it points, as the phone says; rubbish gives an empty one."""
    begin, end = text.rfind("<"), text.rfind(">")
    return parse_uri(text[begin + 1:end] if 0 <= begin < end else text)


def _records(lines: Iterable[str]) -> Iterator[Fields]:
    """The fields of each registration."""
    fields: Fields | None = None
    for line in map(str.strip, lines):
        if line == "<registration>":
            fields = {}
        elif line == "</registration>":
            if fields:
                yield fields
            fields = None
        elif fields is not None:
            found = _FIELD.fullmatch(line)
            if found and found[1] == found[3]:
                fields[found[1]] = found[2]


def _registration(fields: Fields, domain: str, now: int) -> Registration | None:
    """One of *domain*, else None. As FusionPBX itself counts them: by the host of the user, or by the realm [H: its registrations page]."""
    extension, dummy, host = fields.get("user", "").rpartition("@")
    extension = unquote(extension)
    if not extension or not extension.isprintable() or domain not in (host.lower(), fields.get("sip-auth-realm", "").lower()):
        return None
    status = _STATUS.match(fields.get("status", ""))
    kind = status[1] if status else ""
    contact = parse_contact(html.unescape(fields.get("contact", "")))
    transport = kind.partition("-")[0].lower()
    seconds = _SECONDS.search(fields.get("status", ""))
    return Registration(
        extension=extension[:100],
        claimed_address="" if kind in _REPLACED else printable(contact.host, 255),
        claimed_port=0 if kind in _REPLACED else contact.port,
        seen_address=printable(fields.get("network-ip", ""), 64).strip("[]"),
        seen_port=whole(fields.get("network-port", "")) or 0,
        transport=transport if transport in _TRANSPORTS else contact.transport if contact.transport in _TRANSPORTS else "udp",
        user_agent=printable(html.unescape(fields.get("agent", "")), 200),
        status=_reachable(fields),
        expires=max(now + int(seconds[1]), 1) if seconds else 0,
        seen_is_source=True,
    )


def _reachable(fields: Fields) -> str:
    """FreeSWITCH calls a contact Reachable that it never pinged [H]: a time of 0 tells the two apart."""
    ping = fields.get("ping-status", "").lower()
    if ping == "unreachable":
        return "unreachable"
    return "reachable" if ping == "reachable" and fields.get("ping-time", "").strip("0.") else "registered"
