# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS of the manager interface: verified by a CA, or by the pinned SHA-256 of the certificate. Checked before anything is sent."""

from __future__ import annotations

import hashlib
import hmac
import socket
import ssl

from ansible_collections.evenport.sip.plugins.module_utils.errors import CertificateRefused, DeviceError, EvenportError, Unreachable
from ansible_collections.evenport.sip.plugins.module_utils.http.tls import plain_fingerprint, shared_context, shown_fingerprint
from ansible_collections.evenport.sip.plugins.module_utils.pbx.access import Access

PIN = "If this is your PBX, pin it: sip_pbx_fingerprint: {}. Or name its CA with sip_pbx_ca_path."


def secured(plain: socket.socket, access: Access) -> ssl.SSLSocket:
    """The connection after a handshake that satisfies *access*.  :raises CertificateRefused: with the fingerprint that was shown"""
    try:
        pin = plain_fingerprint(access.fingerprint)
        context = shared_context(access.validate_certs and not pin, access.ca_path)
    except EvenportError as error:
        raise DeviceError(error.what.replace("sip_phone_", "sip_pbx_"), error.remedy.replace("sip_phone_", "sip_pbx_")) from error
    try:
        wrapped = context.wrap_socket(plain, server_hostname=access.host)
    except ssl.SSLCertVerificationError as error:
        shown = shown_fingerprint(_peek(access))
        raise CertificateRefused(f"The TLS certificate of {access} could not be verified: {error.verify_message}.", PIN.format(shown), shown) from error
    except OSError as error:
        raise Unreachable(f"No TLS with the manager interface at {access}: {error}.",
                          "Check tlsenable and tlsbindaddr in manager.conf (TLS is a port of its own, 5039), or set sip_pbx_tls: false.") from error
    found = _fingerprint(wrapped)
    if pin and not hmac.compare_digest(found, pin):
        wrapped.close()
        shown = shown_fingerprint(found)
        raise CertificateRefused(f"{access} shows another certificate than the pinned one: {shown}.",
                                 "Find out why it changed before you pin the new one (sip_pbx_fingerprint).", shown)
    return wrapped


def _fingerprint(wrapped: ssl.SSLSocket) -> str:
    return hashlib.sha256(wrapped.getpeercert(binary_form=True) or b"").hexdigest()


def _peek(access: Access) -> str:
    """The certificate of a PBX that failed verification, for the message only: a second handshake, nothing is sent over it."""
    try:
        with socket.create_connection((access.host, access.port), access.timeout) as plain, \
                shared_context(False).wrap_socket(plain, server_hostname=access.host) as wrapped:
            return _fingerprint(wrapped)
    except OSError:
        return ""
