# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Grandstream UCM62xx, UCM63xx, by their HTTPS API (the login is in ucm_api.py). No UCM was had for this: what is known, and how well:

* ``listAccount`` gives the columns that ``options`` names, in pages; a column that the firmware doesn't know fails the whole call. Rows are in
  ``account``, pages are counted by ``total_page`` [M], rows by ``total_item`` [H, the UCM's own web page]
* ``addr``: a list with commas; ``-``, ``1`` and ``2`` stand for nothing [H, the UCM's own web page]. A UCM6304 with 1.0.33.30 writes
  ``10.0.0.5:5060 (GRP2601)`` [M]; what others write is unknown [U], so a missing port is told as 0
* ``getSIPAccount`` gives ``extension`` with all settings, SIP password in clear (``secret``) [M]; two are picked by name and nothing else leaves
* ``updateSIPAccount`` needs ``extension`` and takes any subset of the rest; ``nat`` and ``directmedia`` are ``yes`` or ``no`` [M: the vendor's table as a
  client's notes quote it; H for the values: the web page]. It answers ``need_apply``; ``applyChanges`` applies everything that waits [M]
* what ``nat`` does inside is not written anywhere: it is read and set as rewrite_contact, force_rport and rtp_symmetric together [I]
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import BadAnswer, DeviceError, SessionLost, Unreachable, Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import pick, printable, whole
from ansible_collections.evenport.sip.plugins.module_utils.model import Extension, Registration
from ansible_collections.evenport.sip.plugins.module_utils.pbx.access import Access
from ansible_collections.evenport.sip.plugins.module_utils.pbx.contract import NatOptions, NatResult, Pbx, Wanted
from ansible_collections.evenport.sip.plugins.module_utils.pbx.one_by_one import OneByOne
from ansible_collections.evenport.sip.plugins.module_utils.pbx.store import Settings, StoredOptions
from ansible_collections.evenport.sip.plugins.module_utils.pbx.ucm_api import UcmApi

PAGE, MAX_PAGES = 100, 500              # a UCM has at most some thousand extensions
NAT, MEDIA = "nat", "directmedia"
ALL_IN_ONE = ("rewrite_contact", "force_rport", "rtp_symmetric")       # what the one setting stands for; the first that is wanted decides
IN_CALL = ("inuse", "ringing", "busy")


@dataclass(frozen=True)
class Place:
    """Where a contact is, as far as ``addr`` tells. ``port`` 0: not told. ``model``: what stands in brackets behind it."""

    host: str
    port: int = 0
    model: str = ""


def parse_addr(text: str) -> list[Place]:
    """The column ``addr`` -> contacts: "ip", "ip:port", "[v6]:port", "v6", each with " (model)" or without, commas between. What is none is left out."""
    pieces = re.split(r",(?![^()]*\))", text[:2000])
    return [place for place in map(_place, pieces) if place]


def _place(piece: str) -> Place | None:
    where, dummy, model = piece.partition("(")
    where = where.strip()
    if where.startswith("["):
        host, dummy, port = where[1:].partition("]")
        port = port.lstrip(":")
    elif where.count(":") == 1:
        host, dummy, port = where.partition(":")
    else:
        host, port = where, ""
    return Place(host, whole(port, 1) or 0, printable(model.rstrip(") "), 100)) if _is_host(host) else None


def _is_host(text: str) -> bool:
    try:
        return bool(ip_address(text.partition("%")[0]))
    except ValueError:                          # a name; all digits ("1", "2") are none
        return bool(re.fullmatch(r"[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63}){0,9}", text)) and bool(re.search(r"[A-Za-z]", text))


def registrations_from(row: Mapping[str, Any]) -> list[Registration]:
    """A row of listAccount -> its contacts; one without an address where the UCM shows it in use but not from where."""
    extension, state = _text(row.get("extension")), _text(row.get("status")).lower()
    status = "unreachable" if state == "unavailable" else "registered"
    found = [Registration(extension, seen_address=place.host, seen_port=place.port, user_agent=place.model, status=status)
             for place in parse_addr(_text(row.get("addr"), 2000))]
    return found or ([Registration(extension, status=status)] if state == "idle" or state in IN_CALL else [])


class GrandstreamUcm(Pbx):
    """Logs in on construction: once, whatever comes. SIP accounts only; IAX and FXS have no SIP port."""

    def __init__(self, access: Access) -> None:
        self.api = UcmApi(access)
        self._rows: dict[str, dict[str, Any]] = {}

    def __str__(self) -> str:
        return str(self.api)

    def version(self) -> str:
        try:
            return _text(self.api.ask("getSystemGeneralStatus").get("prog-version"))
        except (SessionLost, Unreachable):
            raise
        except DeviceError:
            return ""

    def endpoints(self) -> list[str]:
        return list(self._list())

    def extensions(self, names: Iterable[str]) -> list[Extension]:
        known = self._rows or self._list()
        return [_extension(name, self.settings(name), _text(known[name].get("status"))) for name in names if name in known]

    def registrations(self, known: Iterable[Extension] | None = None) -> list[Registration]:
        del known                               # whether the address is the packet's source or the phone's claim is told nowhere [U]
        return [registration for row in self._list().values() for registration in registrations_from(row)]

    def settings(self, name: str) -> Settings:
        """The NAT settings of one extension as they are stored, in the UCM's words; those that it doesn't tell as yes or no are left out."""
        account = pick(self.api.ask("getSIPAccount", extension=name), "extension")
        if not isinstance(account, dict):
            raise BadAnswer(f"{self} told nothing about extension {name}.", "Look at it on the UCM's web page.")
        return {setting: account[setting] for setting in (NAT, MEDIA) if account.get(setting) in ("yes", "no")}

    def _list(self) -> dict[str, dict[str, Any]]:
        """extension -> its row. Half of the list would make the others look unregistered, so it is had whole or not at all."""
        rows: dict[str, dict[str, Any]] = {}
        for page in range(1, MAX_PAGES + 1):
            answer = self.api.ask("listAccount", options="extension,account_type,status,addr", item_num=str(PAGE), page=str(page), sidx="extension", sord="asc")
            new = {name: row for name, row in _rows(answer) if name not in rows}
            rows.update(new)
            if page >= (whole(str(answer.get("total_page"))) or 1) and len(rows) >= (whole(str(answer.get("total_item"))) or 0):
                self._rows = {name: row for name, row in rows.items() if _text(row.get("account_type") or "SIP").upper().startswith("SIP")}
                return self._rows
            if not new:
                break
        raise BadAnswer(f"{self} did not give its list of extensions whole, but {len(rows)} of them and then no new ones.", "Run again.")

    def close(self) -> None:
        self.api.close()


class UcmNat(NatOptions):
    """The writing side. It works in the reading side's session: a UCM counts logins, and one is enough."""

    def __init__(self, patience: float = 15) -> None:
        self.patience = patience

    def set(self, pbx: Pbx, wanted: Wanted, *, check_mode: bool = False) -> NatResult:
        if not isinstance(pbx, GrandstreamUcm):
            raise Unsupported(f"{pbx} is no UCM.", "Check sip_pbx_type.")
        return StoredOptions(UcmStore(pbx), self.patience).set(pbx, wanted, check_mode=check_mode)


class UcmStore(OneByOne):
    """``nat`` and ``directmedia`` of SIP accounts. Only what the UCM itself shows under that name is ever sent to it."""

    def __init__(self, pbx: GrandstreamUcm) -> None:
        self._pbx = pbx
        self._silent: list[str] = []            # extensions whose direct media is not told

    def read(self, names: Sequence[str]) -> dict[str, Settings]:
        found = {name: self.current(name) for name in names}
        self._silent = [name for name, settings in found.items() if MEDIA not in settings]
        return found

    def current(self, name: str) -> Settings:
        settings = self._pbx.settings(name)
        if NAT not in settings:
            raise Unsupported(f"{self._pbx} does not tell the NAT option of extension {name}.", "Set it on its web page: Extensions, Media, NAT.")
        return settings

    def wanted(self, options: Mapping[str, bool], now: Mapping[str, str | None]) -> dict[str, str]:
        decides = _decides(options)
        after = {NAT: _yes(options[decides])} if decides else {}
        return {**after, MEDIA: _yes(options["direct_media"])} if "direct_media" in options and MEDIA in now else after

    def expected(self, options: Mapping[str, bool]) -> dict[str, bool | None]:
        decides = _decides(options)
        shown: dict[str, bool | None] = dict.fromkeys(ALL_IN_ONE, options[decides]) if decides else {}
        return {**shown, "direct_media": options["direct_media"]} if "direct_media" in options and not self._silent else shown

    def put(self, name: str, settings: Settings) -> None:
        self._pbx.api.ask("updateSIPAccount", extension=name, **{setting: value for setting, value in settings.items() if value is not None})

    def apply(self, extensions: Sequence[str]) -> None:
        self._pbx.api.apply()

    def notes(self) -> list[str]:
        return [f"{self._pbx} does not tell direct media of extension {', '.join(self._silent)}: it is left as it is."] if self._silent else []


def _extension(name: str, settings: Settings, state: str) -> Extension:
    nat, media = ({"yes": True, "no": False}.get(settings.get(setting) or "") for setting in (NAT, MEDIA))
    return Extension(name, rewrite_contact=nat, force_rport=nat, rtp_symmetric=nat, direct_media=media, device_state=state,
                     active_channels=1 if state.lower() in IN_CALL else 0)


def _rows(answer: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    rows = answer.get("account")
    named = [(_text(row.get("extension")), row) for row in (rows if isinstance(rows, list) else []) if isinstance(row, dict)]
    return [(name, row) for name, row in named if name]


def _decides(options: Mapping[str, bool]) -> str:
    return next((name for name in ALL_IN_ONE if name in options), "")


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _text(value: Any, limit: int = 200) -> str:
    """What the UCM says, made safe; a number may stand for a text. Anything else is nothing."""
    return printable(str(value), limit) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
