# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the exceptions of requests, urllib3, ssl and sockets to ours. Their own texts never reach a message: they hold URLs with sessions."""

from __future__ import annotations

import socket
import ssl
from http.client import HTTPException, RemoteDisconnected
from typing import TYPE_CHECKING

from ansible_collections.evenport.sip.plugins.module_utils.errors import BadAnswer, DeviceError, EvenportError, Unreachable

if TYPE_CHECKING:
    from ansible_collections.evenport.sip.plugins.module_utils.http.reach import Reach


class Dropped(Unreachable):
    """The connection stood, the request was sent, and then the device hung up or stayed silent: it may have done what was asked."""


def chain(error: BaseException | None) -> list[BaseException]:
    """An exception and all that it wraps (causes, contexts, ``reason`` of urllib3, exceptions among the arguments), each once."""
    found: list[BaseException] = []
    waiting = [error]
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, BaseException) and not any(one is known for known in found):
            found.append(one)
            waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *[arg for arg in one.args if isinstance(arg, BaseException)]]
    return found


def is_certificate_fault(error: BaseException) -> bool:
    """Did the handshake fail because of what certificate the device showed?"""
    return any(isinstance(one, ssl.SSLCertVerificationError) or "Fingerprints did not match" in str(one) for one in chain(error))


def certificate_reason(error: BaseException) -> str:
    """Why OpenSSL refused: "self-signed certificate", "certificate has expired", ..."""
    for one in chain(error):
        if isinstance(one, ssl.SSLCertVerificationError):
            return getattr(one, "verify_message", "") or "verification failed"
    return "verification failed"


def translate(error: BaseException, reach: Reach) -> EvenportError:
    """One transport exception, certificate faults excepted -> the error to raise."""
    links = chain(error)
    names = {kind.__name__ for one in links for kind in type(one).__mro__}
    at = reach.url + (" (through the proxy)" if reach.proxy else "")
    if names & {"InvalidSchema", "InvalidProxyURL", "ProxySchemeUnknown"}:
        return EvenportError(f"{reach.name}: the proxy can't be used.",
                             "Set sip_phone_proxy like socks5h://127.0.0.1:1080 or http://proxy:3128; SOCKS needs: pip install 'requests[socks]'.")
    if names & {"InvalidURL", "LocationParseError", "UnicodeError"}:
        return EvenportError(f"{reach.name}: {reach.host!r} is no address.", "Set ansible_host (option host) to the phone's IP address or name.")
    for one in links:
        if isinstance(one, ssl.SSLError):
            return _tls(one, reach, at)
    if "ProxyError" in names:
        return Unreachable(f"{reach.name}: the proxy did not connect to {reach.url}.", "Check sip_phone_proxy, and that the proxy may reach the phone.")
    return _transport(links, names, reach, at)


def _transport(links: list[BaseException], names: set[str], reach: Reach, at: str) -> DeviceError:
    if names & {"NameResolutionError", "gaierror"}:
        return Unreachable(f"{reach.name}: the name {reach.host} is not known.", "Set ansible_host to the phone's IP address.")
    if "NewConnectionError" in names:           # first: for urllib3 this is a kind of connect time-out
        refused = any(isinstance(one, ConnectionRefusedError) for one in links) or any("Connection refused" in str(one) for one in links)
        if refused:
            return Unreachable(f"{reach.name}: nothing listens at {at}.", scheme_hint(reach))
        return Unreachable(f"{reach.name}: no way to {at}{_why(links)}.", "Is the phone switched on, and is this its address? A site behind NAT needs a proxy.")
    if names & {"ConnectTimeout", "ConnectTimeoutError"}:
        return Unreachable(f"{reach.name}: no answer from {at} within {reach.timeout:g} s.", "Is the phone switched on, and is this its address?")
    if names & {"ReadTimeout", "ReadTimeoutError"} or any(isinstance(one, (TimeoutError, socket.timeout)) for one in links):
        return Dropped(f"{reach.name}: {at} took the connection but did not answer within {reach.timeout:g} s.",
                       "The phone hangs or is very busy: restart it, then run again.")
    if any(isinstance(one, (RemoteDisconnected, ConnectionError)) for one in links):
        return Dropped(f"{reach.name}: {at} dropped the connection without an answer.",
                       "Is the phone restarting? Run again when it is up. " + scheme_hint(reach))
    if names & {"HTTPException", "ContentDecodingError", "InvalidHeader", "DecodeError", "InvalidChunkLength", "ProtocolError"} \
            or any(isinstance(one, HTTPException) for one in links):
        return BadAnswer(f"{reach.name}: {at} answered something that is no HTTP.", "Is this the port of the phone's web page (sip_phone_port)?")
    return Unreachable(f"{reach.name}: talking to {at} failed{_why(links)}.")


def _tls(error: ssl.SSLError, reach: Reach, at: str) -> DeviceError:
    reason = (error.reason or "") + " " + str(error)
    if "WRONG_VERSION_NUMBER" in reason or "HTTP_REQUEST" in reason or "record layer failure" in reason.lower():
        return BadAnswer(f"{reach.name}: what listens at {at} does not speak TLS.", "If this phone's web page is http, set sip_phone_protocol: http.")
    if "EOF" in reason:
        return Unreachable(f"{reach.name}: {at} hung up during the TLS handshake.", "Is the phone restarting? " + scheme_hint(reach))
    return BadAnswer(f"{reach.name}: no TLS could be agreed with {at} ({error.reason or 'handshake failed'}).",
                     "The phone may know only TLS versions that are switched off today: update its firmware.")


def scheme_hint(reach: Reach) -> str:
    """What to try where nothing listens. Never tried here: http would show the password to the network, so a person decides."""
    if reach.protocol == "https":
        return "If this phone's web page is http, set sip_phone_protocol: http (the password then crosses the network in the clear)."
    return "If this phone's web page is https, set sip_phone_protocol: https."


def _why(links: list[BaseException]) -> str:
    for one in links:
        if isinstance(one, OSError) and one.errno and one.strerror:
            return f": {one.strerror}"
    return ""
