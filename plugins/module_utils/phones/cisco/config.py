# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Cisco's /admin/spacfg.xml: the running configuration and the status in one flat file, and what its values mean. No I/O.

    <flat-profile>
    <MAC_Address group="Info/Product_Information">0002FDFF2103</MAC_Address>
    <Call_State group="Info/Line_1_Call_1_Status">Idle</Call_State>                 repeated for each line and call
    <SIP_Port_1_ group="Ext_1/SIP_Settings">5060</SIP_Port_1_>                      MPP: ua="na" instead of group

[3P] several clients, and a provisioning template that is a copy of an SPA9xx 5.1.15's own file (names of the status part). That every
element is named like the provisioning parameter is [D] for the old ones (SPA900 guide 5.1, page 3-15), [3P] for MPP.

What is left out on purpose: *rport*. The guides describe Insert_VIA_rport and Insert_VIA_received as what the phone adds to its
*responses*, Handle_VIA_rport and Handle_VIA_received as what it makes of an answer [D]. None of them is said to ask for a symmetric
answer (RFC 3581), and Handle_VIA_* may change the contact that the phone registers: so these phones have no place for it.
And *random_port*: there is no such thing here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import BadAnswer, EvenportError, Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import Answer, printable
from ansible_collections.evenport.sip.plugins.module_utils.model import Account
from ansible_collections.evenport.sip.plugins.module_utils.phones.provisioning import owner
from ansible_collections.evenport.sip.plugins.module_utils.phones.settings import Flat, Place, Value

try:
    from defusedxml.ElementTree import fromstring
except ImportError:                             # pragma: no cover - ansible-test imports without third-party libraries
    fromstring = None

INTERVAL = "NAT_Keep_Alive_Intvl"               # seconds, of the phone
_PORT, _KEEP_ALIVE, _MAPPING = "SIP_Port_{}_", "NAT_Keep_Alive_Enable_{}_", "NAT_Mapping_Enable_{}_"
_RULES = ("Profile_Rule", "Profile_Rule_B", "Profile_Rule_C", "Profile_Rule_D")
_OFF, _LONGEST_INTERVAL = "0", 3600             # of the keep-alive; longer ones are outside the vocabulary
_IDLE = ("", "idle", "no service", "disabled", "n/a")                           # of a call; "No Service" and "Disabled" [3P] SPA9xx
_FACTORY_RULE = re.compile(r"/?(?:spa)?\$PSN\.(?:cfg|xml)|/\$MAU?\.(?:cfg|xml)", re.IGNORECASE)     # [D] SPA: /spa$PSN.cfg; MPP: /$PSN.xml


@dataclass(frozen=True)
class Element:
    """One line of the file. ``group`` ("Ext_1/SIP_Settings") or ``ua`` (na, ro, rw: what the phone's user may do) is empty where not given."""

    name: str
    value: str
    group: str = ""
    ua: str = ""


class Config:
    """One read of the file."""

    def __init__(self, elements: Iterable[Element]) -> None:
        self.elements = tuple(elements)
        self._settings: dict[str, Element] = {}
        self._status: dict[str, Element] = {}
        for one in self.elements:
            (self._status if one.group.startswith("Info/") else self._settings).setdefault(one.name, one)

    def setting(self, name: str) -> str | None:
        """The raw text of a setting; None: this phone has no such one."""
        found = self._settings.get(name)
        return found.value if found else None

    def status(self, name: str) -> str:
        """What the status part says; MPP mark nothing as status, so there it is looked for everywhere."""
        found = self._status.get(name) or self._settings.get(name)
        return found.value if found else ""

    def ua(self, name: str) -> str:
        found = self._settings.get(name)
        return found.ua if found else ""

    def on(self, name: str) -> bool | None:
        """A Yes/No setting; None: absent, or neither."""
        return {"yes": True, "no": False}.get((self.setting(name) or "").lower())

    @property
    def lines(self) -> list[int]:
        """The extensions that have a local port, in order."""
        numbers = (re.fullmatch(r"SIP_Port_([1-9][0-9]?)_", name) for name in self._settings)
        return sorted(int(found.group(1)) for found in numbers if found)


def parse(answer: Answer) -> Config:
    """:raises BadAnswer: not a phone's configuration"""
    if fromstring is None:
        raise EvenportError("The Python library defusedxml is missing on the machine that runs this task.", "Run: pip install defusedxml")
    # Decoded by hand: old firmware claims nothing and mixes encodings, and one bad byte must not hide all settings. It is only read.
    text = re.sub(r"^\s*<\?xml[^>]{0,200}\?>", "", answer.text.lstrip("\ufeff"))
    text = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]", "?", text)
    try:
        root = fromstring(text)
    except (SyntaxError, ValueError, LookupError, RecursionError) as error:     # ParseError is a SyntaxError, defusedxml's are ValueErrors
        raise _strange(answer) from error
    config = Config(Element(_plain(child.tag), (child.text or "").strip(), child.get("group", ""), child.get("ua", "")) for child in root)
    if _plain(root.tag) != "flat-profile" or not (config.status("Product_Name") or config.status("MAC_Address")):
        raise _strange(answer)
    return config


def _plain(tag: Any) -> str:
    """Without the namespace that some firmware declares; '' for what is no element."""
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def _strange(answer: Answer) -> BadAnswer:
    return BadAnswer(f"{answer.where} answered {answer.status} with something that is no configuration of a Cisco phone.",
                     "Is this address really the phone's web page? A restart of the phone may help.")


# ---------------------------------------------------------------------- what values mean


def settings_of(config: Config) -> Flat:
    """Every managed place that this phone has. What holds something that could not be put back is left out: it is never touched then.

    None is an empty one, and of the keep-alive's interval 0.
    """
    flat: Flat = {}
    interval = config.setting(INTERVAL)
    if interval is not None and (interval == _OFF or number(interval, _LONGEST_INTERVAL)):
        flat[Place("keep_alive_interval")] = number(interval, _LONGEST_INTERVAL)
    for line in config.lines:
        flat[Place("local_port", line)] = number(config.setting(_PORT.format(line)) or "", 65535)
        alive = config.setting(_KEEP_ALIVE.format(line))
        if alive is not None and (alive == "" or _traversal(config, line) is not None):
            flat[Place("nat_traversal", line)] = _traversal(config, line)
    return flat


def half_written(now: Config, first: Config, written: Iterable[str]) -> list[Place]:
    """Places that say the same as at *first* although a setting that they are made of, and that we have written, does not."""
    shown, before = settings_of(now), settings_of(first)
    return [place for place, value in shown.items() if place in before and before[place] == value
            and any(name in written and now.setting(name) != first.setting(name) for name in _names(place))]


def number(text: str, most: int) -> int | None:
    """Decimal or hexadecimal with 0x, as the guide has it [D]; None for anything else, and for 0."""
    found = re.fullmatch(r"0[xX]([0-9A-Fa-f]{1,4})|([0-9]{1,5})", text)
    value = int(found.group(1), 16) if found and found.group(1) else int(found.group(2)) if found else 0
    return value if 0 < value <= most else None


def _traversal(config: Config, line: int) -> str | None:
    """stun: the extension puts its mapped address into SIP, and STUN finds that out. Else by the keep-alives, which work without mapping [D]."""
    if config.on(_MAPPING.format(line)) and config.on("STUN_Enable"):
        return "stun"
    alive = config.on(_KEEP_ALIVE.format(line))
    return None if alive is None else "keep_alive" if alive else "none"


def texts_of(changes: Mapping[Place, Value], now: Config, first: Config) -> dict[str, str]:
    """Setting -> text to write, of those that differ from *now*. A value that was there at *first* is put back as it was written then."""
    texts: dict[str, str] = {}
    before = settings_of(first)
    for place, value in changes.items():
        wanted = _texts(place, value, now)
        if place in before and before[place] == value:
            wanted = {name: first.setting(name) or "" for name in _names(place)}
        texts.update({name: text for name, text in wanted.items() if now.setting(name) is not None and now.setting(name) != text})
    return texts


def _names(place: Place) -> tuple[str, ...]:
    if place.setting == "keep_alive_interval":
        return (INTERVAL,)
    return (_PORT.format(place.line),) if place.setting == "local_port" else (_KEEP_ALIVE.format(place.line), _MAPPING.format(place.line))


def _texts(place: Place, value: Value, now: Config) -> dict[str, str]:
    if place.setting != "nat_traversal":
        empty = _OFF if place.setting == "keep_alive_interval" else ""
        return {_names(place)[0]: empty if value is None else str(value)}
    alive, mapping = _names(place)
    if value == "stun":
        return {mapping: _yes_no(True, now.setting(mapping))}
    texts = {alive: "" if value is None else _yes_no(value == "keep_alive", now.setting(alive))}
    if _traversal(now, place.line) == "stun":   # mapping by a fixed EXT_IP is not STUN's and stays
        texts[mapping] = _yes_no(False, now.setting(mapping))
    return texts


def _yes_no(value: bool, shown: str | None) -> str:
    word = "Yes" if value else "No"
    return word.lower() if (shown or "").islower() else word


def check_values(name: str, changes: Mapping[Place, Value], now: Config, first: Config) -> None:
    """:raises Unsupported: what these phones can't be set to"""
    has = settings_of(now)
    for place, value in changes.items():
        if place not in has:
            raise Unsupported(f"{name}: this phone has no setting for {place}; nothing was written.", "Leave the setting out, or update the phone's firmware.")
        if place.setting == "local_port" and has[place] is None and now.setting(_PORT.format(place.line)):
            raise Unsupported(f"{name}: {_PORT.format(place.line)} holds something that is no port and could not be put back; nothing was written.",
                              "Set a port at the phone's web page (Voice, Ext), then run again.")
        if place.setting == "nat_traversal" and value not in ("none", "keep_alive") and value != settings_of(first).get(place) \
                and not (value == "stun" and now.on("STUN_Enable")):
            raise Unsupported(f"{name}: a Cisco's nat_traversal is none or keep_alive, or stun where its STUN_Enable is set; not {value}.",
                              "Set sip_phone_nat_traversal (option nat_traversal) to keep_alive.")


# ---------------------------------------------------------------------- what else it says


def accounts_of(config: Config) -> tuple[Account, ...]:
    """All extensions. Active: enabled and with a user, as one without registers nothing (whether it binds its port is [U])."""
    found = []
    for line in config.lines:
        user = printable(config.setting(f"User_ID_{line}_") or "", 80)
        enabled = config.on(f"Line_Enable_{line}_")
        found.append(Account(line, bool(user) and enabled is not False, number(config.setting(_PORT.format(line)) or "", 65535), user))
    return tuple(found)


def provisioning_of(config: Config) -> dict[str, Any]:
    """The first Profile_Rule that names a server. {}: Provision_Enable is No, or only the rule from the factory, which needs a DHCP option.

    A rule looks like ``[--uid u --pwd p](condition)? http://server/$MA.xml | /other`` [D]; conditions are not worked out.
    "protected" where nothing makes the phone fetch by itself: not at a start, not now and then, not by SIP.
    """
    if config.on("Provision_Enable") is False:
        return {}
    for name in _RULES:
        rule = re.sub(r"\[[^\]]{0,500}\]", " ", printable(config.setting(name) or "", 2000)).strip()
        if not rule or _FACTORY_RULE.fullmatch(rule):
            continue
        found = re.search(r"\b(https?|tftp)://([^\s|?]{1,200})", rule, re.IGNORECASE)
        # A rule without a server takes that of DHCP option 66 [D], over TFTP.
        server = owner(found.group(), protected=_never_fetches(config)) if found else {}
        return server or {"server": "the server of DHCP option 66", "protocol": "tftp", "protected": _never_fetches(config)}
    return {}


def _never_fetches(config: Config) -> bool:
    triggers = ("Resync_Trigger_1", "Resync_Trigger_2", "Resync_At__HHmm_")
    return (config.on("Resync_On_Reset") is False and config.setting("Resync_Periodic") in ("", "0") and config.on("Resync_From_SIP") is False
            and not any(config.setting(name) for name in triggers))


def calls_of(config: Config) -> str | None:
    """"": no call. Text: what is going on. None: the file has no call state (its names on MPP are [U]).

    Call_State in a group for each line and call [3P] SPA9xx; Call_1_State_1_ and Hook_State_1_ [3P] capture of an ATA.
    """
    states = [one.value for one in config.elements if re.fullmatch(r"Call_State|Call_[0-9]_State(?:_[0-9]{1,2}_)?", one.name)]
    hooks = [one.value.lower() for one in config.elements if re.fullmatch(r"Hook_State_[0-9]{1,2}_", one.name)]
    if not states and not hooks:
        return None
    busy = [f"a call is {state}" for state in sorted({printable(state, 20) for state in states if state.lower() not in _IDLE})]
    return ", ".join(busy + (["a handset is off the hook"] if "off" in hooks else []))


def up_time_of(config: Config) -> int | None:
    """Seconds since the phone's start: "00:04:33" [3P], with or without days before it [R]; None where it doesn't say."""
    found = re.fullmatch(r"(?:([0-9]{1,5})\s{0,3}(?:days?|d)\b\D{0,8})?([0-9]{1,5}):([0-9]{2}):([0-9]{2})", config.status("Elapsed_Time"))
    if not found:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return days * 86400 + hours * 3600 + minutes * 60 + seconds
