# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS to devices whose certificates are mostly their own: contexts built once, and fingerprint pins."""

from __future__ import annotations

import os
import re
import ssl
import threading

from ansible_collections.evenport.sip.plugins.module_utils.errors import EvenportError

_contexts: dict[tuple[bool, str], ssl.SSLContext] = {}
_lock = threading.Lock()


def shared_context(verify: bool, ca_path: str = "") -> ssl.SSLContext:
    """One context per (verify, CA) and process: building one takes about 41 ms of CPU, more than all the rest of a phone's work.

    :arg verify: False where a pin replaces the chain, or where the user switched verification off
    :arg ca_path: file or folder of CA certificates in PEM; empty: the system's
    :raises EvenportError: the CA file can't be used
    """
    key = (verify, ca_path if verify else "")
    with _lock:                                 # threads of a scan that arrive together build it once
        if key not in _contexts:
            _contexts[key] = _build(*key)
        return _contexts[key]


def _build(verify: bool, ca_path: str) -> ssl.SSLContext:
    if not verify:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    try:
        if not ca_path:
            return ssl.create_default_context()
        path = os.path.expanduser(ca_path)
        return ssl.create_default_context(capath=path) if os.path.isdir(path) else ssl.create_default_context(cafile=path)
    except (OSError, ValueError) as error:      # ssl.SSLError is an OSError
        raise EvenportError(f"The CA certificates in {ca_path} can't be used: {type(error).__name__}.",
                            "Set sip_phone_ca_path (option ca_path) to a file or folder of PEM certificates.") from error


def plain_fingerprint(text: str) -> str:
    """'sha256:AB:CD...', 'AB CD' or 'abcd...' -> 64 lower-case hex digits; '' stays ''.

    :raises EvenportError: not a SHA-256 fingerprint
    """
    if not text:
        return ""
    plain = re.sub(r"[\s:]", "", re.sub(r"^sha-?256[:=\s]", "", text.strip(), flags=re.IGNORECASE)).lower()
    if not re.fullmatch(r"[0-9a-f]{64}", plain):
        raise EvenportError(f"{text!r} is no SHA-256 fingerprint.", "It has 64 hex digits, with or without colons (openssl x509 -fingerprint -sha256).")
    return plain


def shown_fingerprint(plain: str) -> str:
    """How messages print a fingerprint: as it can be pasted into YAML (the prefix keeps it a string in any case)."""
    return f"sha256:{plain}" if plain else ""
