# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two kinds of XML that a Fanvil speaks: its configuration (<sysConf>) and the messages of its XML service (<FanvilConfiguration>)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from xml.etree.ElementTree import Element, ParseError, SubElement, tostring

from ansible_collections.evenport.sip.plugins.module_utils.errors import BadAnswer, EvenportError, Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import Answer

try:
    from defusedxml import ElementTree as defused
except ImportError:                             # pragma: no cover - ansible-test imports without third-party libraries
    defused = None

_DEPTH = 6                      # <sysConf> has 4 levels
_SET_BY_HAND = "Set the port by hand on its web page, or at its provisioning server."


def parse(body: bytes) -> Any:
    """The root element of a device's XML; None where it is none."""
    if defused is None:
        raise EvenportError("The Python library defusedxml is missing on the machine that runs this task.", "Run: pip install defusedxml")
    try:
        return defused.fromstring(body)
    except (ParseError, ValueError, LookupError):
        return None


def config_values(name: str, answer: Answer) -> dict[str, str]:
    """The exported configuration as dotted path -> text; <line index="1"> is "line.1".

    Only <sysConf> is taken: a part of one is known to leave the rest alone ([HW] Intelbras V5501 and V3501). Nobody has shown that
    of the text form (``<<VOIP CONFIG FILE>>``), which clients upload whole, or of <VOIP_CONFIG_FILE>.

    :raises Unsupported: another form of configuration
    :raises BadAnswer: nothing that can be read
    """
    if answer.status == 404 or answer.body.lstrip()[:2] == b"<<":
        raise Unsupported(f"{name}: this phone shows its configuration as text only. Whether a part of it can be written is not known, so nothing is.",
                          "Update its firmware. " + _SET_BY_HAND)
    root = parse(answer.body) if answer.status == 200 else None
    if root is None:
        raise BadAnswer(f"{answer.where} answered {answer.status} and no configuration.", "Restart the phone, then run again.")
    if root.tag == "VOIP_CONFIG_FILE":
        raise Unsupported(f"{name}: this phone's configuration is of the form VOIP_CONFIG_FILE. Whether a part of it can be written is not known, "
                          "so nothing is.", _SET_BY_HAND)
    if root.tag != "sysConf":
        raise BadAnswer(f"{answer.where} answered XML that is no configuration.", "Is this address really the phone's web page?")
    found: dict[str, str] = {}
    waiting = [(root, "", 0)]
    while waiting:
        node, prefix, depth = waiting.pop()
        for child in node:
            path = prefix + str(child.tag) + (f".{child.get('index')}" if child.get("index") else "")
            if len(child) and depth < _DEPTH:
                waiting.append((child, path + ".", depth + 1))
            elif not len(child):
                found.setdefault(path, child.text or "")
    return found


def config_part(texts: Mapping[str, str]) -> bytes:
    """A <sysConf> of these settings and no others, "sip.line.1.EnableRport" -> "1"."""
    root = Element("sysConf")
    for path, text in sorted(texts.items(), key=lambda item: (item[0].count("."), item[0])):
        node = root
        for name, index in _steps(path.split(".")):
            found = next((one for one in node if one.tag == name and one.get("index", "") == index), None)
            node = SubElement(node, name, {"index": index} if index else {}) if found is None else found
        node.text = text
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode").encode()


def _steps(parts: list[str]) -> Iterable[tuple[str, str]]:
    """["sip", "line", "1", "EnableRport"] -> ("sip", ""), ("line", "1"), ("EnableRport", "")."""
    for place, name in enumerate(parts):
        if not name.isdigit():
            following = parts[place + 1] if place + 1 < len(parts) else ""
            yield name, following if following.isdigit() else ""


def service_request(command: str, items: Iterable[str]) -> bytes:
    """[D] "HTTP API User Guide" of OpenVox: one <Item> per setting, "key" to get and "key = text" to set."""
    root = Element("FanvilConfiguration", {"Beep": "no", "cmd": command})
    for item in items:
        SubElement(root, "Item").text = item
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode").encode()


def service_reply(answer: Answer) -> tuple[str, dict[str, str]] | None:
    """(RetCode, key -> text) of the XML service; None where something else answered. Texts stand below <info> as key=text [3P]."""
    root = parse(answer.body) if answer.status == 200 else None
    if root is None or root.tag != "FanvilConfiguration":
        return None
    found = {}
    for node in root.iter():
        name, equals, text = (node.text or "").partition("=")
        if equals:
            found[name.strip()] = text.strip().strip('"')
    return (root.findtext("RetCode") or "").strip(), found
