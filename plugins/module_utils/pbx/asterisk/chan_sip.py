# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asterisk with chan_sip (up to 20; deprecated since 17), read through its manager interface. Measured on Asterisk 16.28.

* ``SIPpeers`` lists all peers, trunks and those of users.conf too; ``SIPshowpeer`` answers in one packet. Neither holds a secret, both need
  the manager class ``system`` or ``reporting``. Peers in a database (realtime) are listed only while they are cached [D: rtcachefriends].
* The Via's port is shown nowhere. The claim is the Contact (``Reg-Contact``), which a SIP ALG or STUN rewrites like the Via.
* ``Address-IP`` and ``Address-Port`` are where Asterisk sends to: with ``force_rport``, or where the phone asked for rport, the source of the
  REGISTER, otherwise the Contact. Which of the two is kept nowhere: so the address is known to be the source where it is not the Contact.
  An address from before the option was switched on stays the Contact until the phone registers again.
* ``SIP-Forcerport`` and ``SIP-Comedia`` are Y, N, or A and a: ``auto``, just now on or off for this phone. Any reload, and a restart, makes A
  an a until the phone registers again, whereas the address stays. So auto is neither on nor off: None.
* ``force_rport`` decides whom Asterisk sends to as well: it is read as rewrite_contact, too.
* ``RegExpire`` is counted anew from a reload and from a restart, the user agent is lost by a restart.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from ipaddress import ip_address

from ansible_collections.evenport.sip.plugins.module_utils.errors import PermissionMissing, Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import printable, whole
from ansible_collections.evenport.sip.plugins.module_utils.model import Extension, Registration
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.ami import AmiRefused, Packet
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.manager import ManagerBox
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.pjsip import ContactUri, parse_uri

# The first word of Status -> our words. Without qualify it is Unmonitored, with it and not asked yet UNKNOWN.
STATUS = {"ok": "reachable", "lagged": "reachable", "unreachable": "unreachable", "unmonitored": "nonqualified"}
_CHANNEL = re.compile(r"SIP/(.+)-[0-9a-f]{8}")                  # of a call of that peer, whoever called


def registration_from(peer: Packet, now: int) -> Registration | None:
    """A SIPshowpeer answer -> the peer's registration; None where it has none, or is a trunk with a fixed address. *now*: seconds since the epoch."""
    address, port = _address(peer), whole(peer.get("address-port", ""), 1)
    if not address or not port or peer.get("dynamic", "").upper() != "Y":
        return None
    contact = parse_uri(peer.get("reg-contact", ""))
    left = re.fullmatch(r"([0-9]{1,9}) seconds", peer.get("regexpire", ""))
    return Registration(
        extension=peer.get("objectname", ""), claimed_address=contact.host, claimed_port=contact.port, seen_address=address, seen_port=port,
        transport=contact.transport, user_agent=printable(peer.get("sip-useragent", ""), 200), status=_status(peer),
        expires=now + int(left[1]) if left else 0, seen_is_source=_differs(contact, address, port))


def extension_from(peer: Packet, calls: Mapping[str, int] | None) -> Extension:
    """A SIPshowpeer answer -> the effective NAT options. *calls*: channels per extension; None: nobody could say, so neither is the device state known."""
    force_rport, comedia, direct_media = (_flag(peer.get(name, "")) for name in ("sip-forcerport", "sip-comedia", "sip-directmedia"))
    name = peer.get("objectname", "")
    here = calls.get(name, 0) if calls is not None else 0
    if calls is None:
        state = ""
    elif here:
        state = "In use"
    else:
        state = "Not in use" if _address(peer) and _status(peer) != "unreachable" else "Unavailable"
    return Extension(name, force_rport, force_rport, comedia, direct_media, state, here)


class ChanSip(ManagerBox):
    """A peer counts by the very name that is asked for, as 16.28 finds it: 4540R is not 4540r."""

    module = "chan_sip.so"

    def endpoints(self) -> list[str]:
        return [entry["objectname"] for entry in self._ami.listing("SIPpeers") if entry.get("objectname")]

    def extensions(self, names: Iterable[str]) -> list[Extension]:
        peers = self._peers(names)
        calls = self._calls() if peers else None
        return [extension_from(peer, calls) for peer in peers]

    def registrations(self, known: Iterable[Extension] | None = None) -> list[Registration]:
        del known                                               # a peer's answer tells its option as well
        registered = [entry["objectname"] for entry in self._ami.listing("SIPpeers") if entry.get("objectname") and _is_registered(entry)]
        peers, now = self._peers(registered), int(time.time())
        return [registration for registration in (registration_from(peer, now) for peer in peers) if registration]

    def _peers(self, names: Iterable[str]) -> list[Packet]:
        """The answers to SIPshowpeer, in the order of *names*, without the unknown."""
        names = list(names)
        answers = zip(names, self._ami.calls("SIPshowpeer", [{"Peer": name} for name in names]))    # noqa: B905 - as many; strict= is Python 3.10's
        return [answer for name, answer in answers if answer and answer.get("objectname") == name]

    def _calls(self) -> Counter[str] | None:
        """How many channels each extension has, ringing ones too. SIPshowpeer doesn't tell whether a phone is in use."""
        try:
            channels = [_CHANNEL.fullmatch(event.get("channel", "")) for event in self._ami.listing("CoreShowChannels")]
        except (AmiRefused, PermissionMissing, Unsupported):
            return None
        return Counter(channel[1] for channel in channels if channel)


def _is_registered(entry: Packet) -> bool:
    return entry.get("dynamic", "").lower() == "yes" and entry.get("ipport", "0") != "0"


def _address(peer: Packet) -> str:
    address = peer.get("address-ip", "").strip("[]")
    return "" if address == "(null)" else printable(address, 200)


def _status(peer: Packet) -> str:
    word = re.match(r"\w*", peer.get("status", ""))
    return STATUS.get(word[0].lower() if word else "", "unknown")


def _differs(contact: ContactUri, address: str, port: int) -> bool:
    """Whether that is not where the Contact points to. A Contact's host name may have been looked up: then only ports can be compared."""
    if not contact.host or contact.port != port:
        return bool(contact.host)
    try:
        return ip_address(contact.host) != ip_address(address)
    except ValueError:
        return False


def _flag(letter: str) -> bool | None:
    return {"Y": True, "N": False}.get(letter)
