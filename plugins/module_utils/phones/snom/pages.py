# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Snom's pages say: the dump of its settings, its settings forms, its system information. No I/O.

The dump (``/settings.htm``) has a line per setting, name, permission flag, colon, value::

    network_id_port!: 5060
    user_name1&: 101

Format of the lines [D] Snom's text form of setting files; that the phone shows it [3P]: a site's script that reads a snom300 7.3.30 and
snom821 8.7.x so, and a client that names the page. Flags [D] service.snom.com "Permission Flags": & (R) is write-protected.
The form pages are named by third parties; that a control bears its setting's name is shown for some [3P] and inferred for the port [I].
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from html import unescape
from typing import Any, NamedTuple

from ansible_collections.evenport.sip.plugins.module_utils.errors import BadAnswer
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import Answer, printable, whole
from ansible_collections.evenport.sip.plugins.module_utils.http.forms import Form, forms_of, parse_page
from ansible_collections.evenport.sip.plugins.module_utils.model import Account, Identity
from ansible_collections.evenport.sip.plugins.module_utils.phones.provisioning import owner

PORT, RPORT, KEEP_ALIVE = "network_id_port", "enable_rport_rfc3581", "keepalive_interval"
IDENTITIES = range(1, 13)                       # 12 on the largest models [3P]

# The only settings that are ever kept: a dump holds the passwords of the accounts, and they are none of our business.
_WANTED = re.compile(rf"{PORT}|{RPORT}|setting_server|pnp_server|update_policy|restrict_uri_queries|(?:{KEEP_ALIVE}|user_name|user_active)[0-9]{{1,2}}")
_LINE = re.compile(r"\s*(?:<[^<>]{0,100}>\s*)?([a-z][a-z0-9_]{0,63})(!|\$|&amp;|&)?:(?: (.*))?")
_VENDOR = r"(?:.*\.)?(?:snom\.com|vtechphones\.com)"       # their redirection services: everybody's, from the factory [3P]
_MODEL = re.compile(r"(?i)(?:snom|vtech)[ _-]?((?:D|ET)?[0-9]{3})")
_MAC = re.compile(r"(?i)\bmac(?:[ -]?address)?\s*:\s*([0-9a-f]{12}|[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5})\b")
_HARDWARE = re.compile(r"(?i)\bhardware\s*:\s*((?:D|ET)?[0-9]{3})\b")
_FIRMWARE = re.compile(r"(?i)\bfirmware(?:-version)?\s*:\s*(?:((?:snom|vtech)[^\s/]{0,20}?)-SIP[ /]+)?([0-9]+(?:\.[0-9]+)+)")


class Shown(NamedTuple):
    """A setting as the phone shows it. ``locked``: only the provisioning server may change it."""

    value: str
    locked: bool = False


def dump(answer: Answer) -> dict[str, Shown]:
    """The settings of a dump that we look at, by name; {} where the page is none. Of a name that comes twice, the first."""
    found: dict[str, Shown] = {}
    for line in answer.text.split("\n"):
        parts = _LINE.fullmatch(line.rstrip("\r"))
        if parts and _WANTED.fullmatch(parts.group(1)):
            value = re.sub(r"(?i)<br */?>$", "", (parts.group(3) or "").strip())
            found.setdefault(parts.group(1), Shown(unescape(value).strip(), (parts.group(2) or "").startswith("&")))
    return found


def controls(answer: Answer, path: str) -> dict[str, Shown]:
    """The same from the forms of a page: controls whose name is exactly that of a setting.

    A control that is disabled or read-only is locked; what a page shows of a setting with permission R is not known [I].
    """
    found: dict[str, Shown] = {}
    for form in _parsed(answer, lambda: forms_of(answer, path)):
        for control in form.element.iter("input", "select", "textarea"):
            name = control.get("name") or ""
            text = _text(form, control, name) if _WANTED.fullmatch(name) else None
            if text is not None:
                found.setdefault(name, Shown(text.strip(), control.get("disabled") is not None or control.get("readonly") is not None))
    return found


def _parsed(answer: Answer, parse: Callable[[], Any]) -> Any:
    """What *parse* finds; BadAnswer for a page with an address or a character set that is none."""
    try:
        return parse()
    except ValueError as error:
        raise BadAnswer(f"{answer.where} answered a page that can't be read.", "Restart the phone, then run again.") from error


def _text(form: Form, control: Any, name: str) -> str | None:
    """The value of a control; None for a radio button that is not the chosen one."""
    sent = form.value(name)
    if sent is not None:
        return sent
    kind = (control.get("type") or "").lower()
    if kind == "radio":
        return (control.get("value") or "") if control.get("checked") is not None else None
    if kind == "checkbox":
        return "on" if control.get("checked") is not None else "off"
    return control.value if isinstance(control.value, str) else ""


def identity(answer: Answer, known: Identity) -> Identity:
    """*known*, completed from the system information page. A title is anybody's choice, so what this page says comes first."""
    root, dummy = _parsed(answer, lambda: parse_page(answer))
    text = "\n".join(piece.strip() for piece in root.itertext() if piece.strip())
    mac, hardware, firmware = _MAC.search(text), _HARDWARE.search(text), _FIRMWARE.search(text)
    model = hardware.group(1) if hardware else model_of(firmware.group(1) or "") if firmware else ""
    return Identity(known.brand, known.generation, model.upper() or known.model, printable(firmware.group(2), 40) if firmware else known.firmware,
                    re.sub("[^0-9a-f]", "", mac.group(1).lower()) if mac else known.mac)


def model_of(text: str) -> str:
    """ "snom 320", "snomD305-8325FE", "snom370-SIP" -> "320", "D305", "370"; '' for a name that somebody gave the phone."""
    found = _MODEL.search(text)
    return found.group(1).upper() if found else ""


def port(text: str) -> int | None:
    """A port; None for none (empty or 0: the phone takes a random one [D]) and for what is no port."""
    return whole(text, 1)


def seconds(text: str) -> int | None:
    """An interval; None for empty and for what is_seconds() denies."""
    return whole(text, 1, 3600)


def is_seconds(text: str) -> bool:
    """Is it an interval that could be written again as it stands: a number, or empty? 0 is none: nothing could tell it from empty later."""
    return not text or (seconds(text) is not None and text == str(seconds(text)))


def truth(text: str) -> bool | None:
    return {"on": True, "off": False}.get(text)


def is_truth(text: str) -> bool:
    return text in ("on", "off", "")


def accounts(shown: Mapping[str, Shown]) -> tuple[Account, ...]:
    """The identities of the phone. One without a user is nothing that registers, though it is switched on from the factory [D]."""
    found = []
    for number in IDENTITIES:
        user = shown.get(f"user_name{number}")
        if user is not None:
            active = shown.get(f"user_active{number}", Shown("on")).value != "off" and bool(user.value)
            found.append(Account(number, active, None, printable(user.value, 80)))
    return tuple(found)


def provisioning(shown: Mapping[str, Shown]) -> dict[str, Any]:
    """Who else writes settings. Protected where the phone loads none: update policy never_update [D]."""
    for name in ("setting_server", "pnp_server"):                               # what plug and play delivered stands apart [3P]
        found = owner(shown.get(name, Shown("")).value, factory=_VENDOR, protected=shown.get("update_policy", Shown("")).value == "never_update")
        if found:
            return found
    return {}
