# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration of an Htek as XML: what is downloaded, what is uploaded, and what it means. No I/O.

    <hl_provision version="1"><config version="1"><P40 para="Account1.LocalSipPort">5060</P40> ...          [HW] form, [3P] labels

A setting is known by its label, never by its number: P578 is the random port of account 3 in one scheme, the profile of account 2 in the other
[HW]. Labels are joined by a dot on old firmware and by an underscore on newer [HW, 3P]; templates of the newest call the element itself by its
label (<Account1_LocalSipPort>) [3P], which is taken as well. On newer firmware what concerns NAT is in profiles that accounts share [3P].
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

from ansible_collections.evenport.sip.plugins.module_utils.errors import BadAnswer, EvenportError
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import Answer, whole
from ansible_collections.evenport.sip.plugins.module_utils.phones.provisioning import owner
from ansible_collections.evenport.sip.plugins.module_utils.phones.settings import Place, Value

try:
    from xml.etree.ElementTree import ParseError

    from defusedxml import DefusedXmlException, ElementTree
except ImportError:                             # pragma: no cover - ansible-test imports without third-party libraries
    DefusedXmlException = ParseError = ValueError
    ElementTree = None

# [I]: the numbers are those of Grandstream, whose codes Htek has taken over (P52 among them); templates set 2 for phones behind NAT [3P].
NAT = ("none", "stun", "keep_alive", "upnp", "auto", "vpn")
_TAG = re.compile(r"[A-Za-z_][\w.\-]{0,99}", re.ASCII)


@dataclass(frozen=True)
class Element:
    """One setting as the phone spells it. ``para`` is "" where the tag is the label itself."""

    tag: str
    para: str
    text: str


class Configuration:
    """What was downloaded. ``elements``: label in lower case, joined by underscores -> Element."""

    def __init__(self, elements: Mapping[str, Element]) -> None:
        self.elements = elements

    def accounts(self) -> list[int]:
        """Numbers of the accounts that have a local port."""
        found = (re.fullmatch(r"account([0-9]{1,2})_localsipport", label) for label in self.elements)
        return sorted({int(one.group(1)) for one in found if one})

    def label(self, number: int, name: str) -> str:
        """The label of an account's setting, or of its profile's; "" where this firmware has neither."""
        own = f"account{number}_{name}"
        if own in self.elements:
            return own
        profile = self.text(f"account{number}_profile")                         # 0 is Profile1 [I], as there are 0 to 5 of them [HW]
        shared = f"profile{int(profile) + 1}_{name}" if re.fullmatch(r"[0-9]{1,2}", profile) else ""
        return shared if shared in self.elements else ""

    def phone_label(self, *names: str) -> str:
        """The label of a setting of the whole phone, by its last word; "" where this firmware has none."""
        for label in self.elements:
            if label.rpartition("_")[2] in names and not re.match(r"(account|profile)[0-9]", label):
                return label
        return ""

    def text(self, label: str) -> str:
        return self.elements[label].text if label in self.elements else ""


def parse_configuration(answer: Answer) -> Configuration:
    """:raises BadAnswer: no configuration of an Htek"""
    if ElementTree is None:
        raise EvenportError("The Python library defusedxml is missing on the machine that runs this task.", "Run: pip install defusedxml")
    try:
        root = ElementTree.fromstring(answer.body)
    except (ParseError, DefusedXmlException, ValueError, LookupError, RecursionError) as error:
        raise BadAnswer(f"{answer.where} answered {len(answer.body)} bytes that are no XML.", "Restart the phone, then run again.") from error
    elements: dict[str, Element] = {}
    if root.tag == "hl_provision":
        for one in root.iterfind("config/*"):
            if isinstance(one.tag, str) and _TAG.fullmatch(one.tag):
                para = one.get("para") or ""
                elements.setdefault(normal(para or one.tag), Element(one.tag, para, (one.text or "").strip()))
    if not elements:
        raise BadAnswer(f"{answer.where} answered XML that is no configuration.", "Update the phone's firmware, or set the port by hand.")
    return Configuration(elements)


def normal(label: str) -> str:
    """"Account1.LocalSipPort", "Account1_LocalSipPort" -> "account1_localsipport"."""
    return re.sub(r"[.\s]+", "_", label.strip()).lower()


def render(elements: Iterable[tuple[Element, str]]) -> bytes:
    """A file with these elements and new texts only; the phone keeps what is not in it [HW].

    The phone URL-decodes each text before it stores it [HW: a raw %12 became the byte 0x12], so all is percent-encoded first, then escaped for XML.
    """
    lines = [f"    <{one.tag}{f' para={quoteattr(one.para)}' if one.para else ''}>{escape(quote(text, safe=''))}</{one.tag}>" for one, text in elements]
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', '<hl_provision version="1">', '  <config version="1">', *lines,
                      "  </config>", "</hl_provision>", ""]).encode()


def port_of(text: str) -> int | None:
    """None: empty, or no port."""
    return whole(text, 1)


def nat_of(text: str) -> str | None:
    return NAT[int(text)] if re.fullmatch(r"[0-5]", text, re.ASCII) else None


def truth(text: str) -> bool | None:
    return {"1": True, "0": False}.get(text)


def interval_of(text: str) -> int | None:
    """Seconds; None: 0, which is off [I], or nothing that the vocabulary has a word for."""
    return whole(text, 1, 3600)


def spelling(place: Place, value: Value) -> str:
    """Our value -> the phone's text. None is the one text without a value that can be put back: an empty one, and 0 for the keep-alive."""
    if value is None:
        return "0" if place.setting == "keep_alive_interval" else ""
    return str(NAT.index(value)) if isinstance(value, str) else str(int(value))


def provisioning(text: str) -> dict[str, Any]:
    """P237, ConfigServerPath [3P]. Htek's own host is the factory's [I], and no server of the customer's."""
    return owner(text, factory=r"(?:.*\.)?htek\.com")
