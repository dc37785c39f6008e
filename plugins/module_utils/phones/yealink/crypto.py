# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ciphers of Yealink's logins: RSA (PKCS#1 v1.5) as the web page's own script does it, and AES-128-CBC with zero padding.

Sources: third parties' hardware (T31G, T4xS, T46G, T54W). Keys of 1024 bits are seen; they protect nothing today, but they are what the phone takes.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets

from ansible_collections.evenport.sip.plugins.module_utils.errors import BadAnswer, EvenportError

try:
    from cryptography.hazmat.primitives.asymmetric import padding, rsa
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
except ImportError:                             # pragma: no cover - ansible-test imports without third-party libraries
    padding = rsa = Cipher = algorithms = modes = None

_MODULUS = re.compile(r"[0-9a-fA-F]{64,1024}")  # 256 to 4096 bits
_EXPONENT = re.compile(r"[0-9a-fA-F]{1,8}")


class PublicKey:
    """The key that a phone shows, as two hex numbers.

    :raises BadAnswer: no such key
    """

    def __init__(self, modulus: str, exponent: str, where: str) -> None:
        if rsa is None:
            raise EvenportError("The Python library cryptography is missing on the machine that runs this task.", "Run: pip install cryptography")
        self._where = where
        try:
            if not (_MODULUS.fullmatch(modulus) and _EXPONENT.fullmatch(exponent)):
                raise ValueError
            self._key = rsa.RSAPublicNumbers(int(exponent, 16), int(modulus, 16)).public_key()
        except ValueError as error:
            raise BadAnswer(f"{where} shows a login key that is none.", "Restart the phone, then run again; if it stays, update its firmware.") from error

    def seal(self, text: str) -> str:
        """*text* encrypted, as hex."""
        try:
            return wire_hex(self._key.encrypt(text.encode("utf-8"), padding.PKCS1v15()))
        except ValueError as error:             # too long for the key
            raise EvenportError(f"{self._where}: the phone's login key is too short for a password of {len(text)} characters.",
                                "Give the phone a shorter password.") from error


def wire_hex(number: bytes) -> str:
    """As the script library jsbn writes numbers and Yealink's page pads them: no leading zeros, but an even number of digits [HW]."""
    digits = format(int.from_bytes(number, "big"), "x")
    return "0" * (len(digits) % 2) + digits


def random_hex() -> str:
    """The page takes the MD5 of a random number as key and as iv; 128 random bits are the same to the phone."""
    return secrets.token_hex(16)


def random_text() -> str:
    """A number as the page's Math.random() makes it."""
    return f"0.{secrets.randbelow(10**16):016d}"


def md5_hex(text: str) -> str:
    return hashlib.md5(text.encode("utf-8"), usedforsecurity=False).hexdigest()


def aes_base64(text: str, key: str, iv: str) -> str:
    """AES-128-CBC, filled up with zero bytes; key and iv in hex."""
    data = text.encode("utf-8")
    encryptor = Cipher(algorithms.AES(bytes.fromhex(key)), modes.CBC(bytes.fromhex(iv))).encryptor()
    return base64.b64encode(encryptor.update(data + b"\0" * (-len(data) % 16)) + encryptor.finalize()).decode()
