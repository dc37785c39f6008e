# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts of a report made fit for any format: a phone may call itself anything. Pure.

What else a format needs escaped is that format's own business.
"""

from __future__ import annotations

import re

_BREAKS = re.compile(r"[\t\n\x0b\x0c\r\x1c-\x1e\x85\u2028\u2029]+")
# Control characters can command a terminal and XML 1.0 forbids most of them; marks of writing direction show a text as another one; half a
# surrogate pair can't be written as UTF-8; the last two are no characters, and XML 1.0 forbids them too.
_HARMFUL = re.compile(r"[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def one_line(text: str, longest: int = 0) -> str:
    """*text* on one line and without anything that acts: line breaks and tabs become a space, what can't be shown becomes U+FFFD.

    *longest*: no more characters than that, the last one an ellipsis where something was cut off (0: all of it).
    """
    if longest and len(text) > longest:
        text = text[:longest - 1] + "…"
    return _HARMFUL.sub("\ufffd", _BREAKS.sub(" ", text))
