# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What pages do to a password before they send it: the ways that are known, tried one after the other."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ansible_collections.evenport.sip.plugins.module_utils.phones.learned.template import evaluate

_HASHES = ("md5", "sha1", "sha256", "sha512")
_ALONE = ("password", 'username + ":" + password', "username + password", "password + username")
_WITH_NONCE = (
    "password + NONCE",
    "NONCE + password",
    'password + ":" + NONCE',
    'NONCE + ":" + password',
    "(password | HASH) + NONCE",
    "NONCE + (password | HASH)",
    '(password | HASH) + ":" + NONCE',
    'NONCE + ":" + (password | HASH)',
    "username + password + NONCE",
    "username + NONCE + password",
    "NONCE + username + password",
    'username + ":" + NONCE + ":" + password',
    "(username + password | HASH) + NONCE",
    "(NONCE | HASH) + (password | HASH)",
)
_NONCE = "nonce"                # the name that stands for it here
MOST_NONCES = 300


def may_be_made(text: str) -> bool:
    """Has it the look of a hash or of base64?"""
    return bool(re.fullmatch(r"[0-9A-Fa-f]{32}|[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64}|[0-9A-Fa-f]{128}|[0-9A-Za-z+/]{3,}={0,2}", text))


def find_transform(text: str, username: str, password: str, nonces: Iterable[str]) -> tuple[str, str] | None:
    """How *text* is made of the password: (the inside of a template's braces, the nonce in it or ""); None where no known way gives it.

    In the template the nonce is called nonce.
    """
    if not password or not may_be_made(text):
        return None
    known = {"username": username, "password": password}
    ways = [f"{base} | {name}" for base in _ALONE for name in (*_HASHES, "base64")] + [f"(password | {name}) | base64" for name in _HASHES]
    ways += [f'username + ":" + (password | {name}) | {name}' for name in _HASHES] + [f"(password | {name}) | {name}" for name in _HASHES]
    for way in ways:
        if (found := _matches(way, known, text)):
            return found, ""
    hashes = [name for name in _HASHES if len(evaluate(f"password | {name}", known)) == len(text)]
    ways = [f"{base.replace('HASH', inner)} | {name}" for name in hashes for base in _WITH_NONCE for inner in (_HASHES if "HASH" in base else ("",))]
    for nonce in list(dict.fromkeys(one for one in nonces if 3 <= len(one) <= 200))[-MOST_NONCES:]:
        for way in ways:
            if (found := _matches(way.replace("NONCE", _NONCE), {**known, _NONCE: nonce}, text)):
                return found, nonce
    return None


def _matches(way: str, values: dict[str, str], text: str) -> str:
    """The way with its upper or lower case where it gives *text*, else ""."""
    made = evaluate(way, values)
    if made == text:
        return way
    return f"{way} | upper" if not way.endswith("base64") and made.upper() == text else ""
