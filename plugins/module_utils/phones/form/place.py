# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the fields are: found among the pages of a walk, or read from a profile; and back into a profile.

A located profile, beyond the head that all profiles have (profile.py)::

    login: {how: form, page: /login.htm, user: username, password: pw}      # how: form, http (page: one that asks for it) or none
    logout: /logout.htm                                                     # a link; left out where there is none
    form:
      scope: line                   # or phone: one port for all accounts
      secrets: refuse               # or untouched: somebody has tried on one phone that saving the form leaves its passwords as they are
      scripts: refuse               # or untouched: the same for values that a script of the page fills in
      places:
        - {what: local_port, line: 1, page: /account.htm?n=1, field: lport, label: Local SIP Port, sure: sure, why: its label says 'Local SIP Port'}
        - {what: random_port, line: 1, page: /account.htm?n=1, field: rnd}
        - {what: provisioning, line: 0, page: /update.htm, field: url}     # the server that the phone takes its settings from
        - {what: user, line: 1, page: /account.htm?n=1, field: user}        # who registers, and (active) whether the account is on: for reports
    mac: /status.htm                # the page that shows the MAC
    apply: live                     # or reboot: every save restarts the phone
    reboot: {path: /reboot.cgi, method: POST, form: {go: 1}}                # only ever written by a person; without it no restart is asked for
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import EvenportError, Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import printable, whole
from ansible_collections.evenport.sip.plugins.module_utils.http.forms import Control, Form
from ansible_collections.evenport.sip.plugins.module_utils.phones.form import labels
from ansible_collections.evenport.sip.plugins.module_utils.phones.form.login import Way
from ansible_collections.evenport.sip.plugins.module_utils.phones.form.page import VISIBLE_TEXT, Page
from ansible_collections.evenport.sip.plugins.module_utils.phones.form.walk import Walk
from ansible_collections.evenport.sip.plugins.module_utils.phones.form.words import folded
from ansible_collections.evenport.sip.plugins.module_utils.phones.profile import VERSION, text_at

_SWITCHES = ("checkbox", "radio", "select")
WHATS = ("local_port", "random_port", "user", "active", "provisioning")
_SERVERS = 3                        # fields for a provisioning server that are read
_SHOWN = 6                          # candidates in a message
_ON = re.compile(r"^(?:1|on|yes|true|enabled?|active|ja|ein|an|aktiv\w*|oui|active|activee?|si|activad[oa]|habilitad[oa]|attiv\w*|abilitat\w*|aan|sim"
                 r"|ativ\w*|tak|wlacz\w*|да|вкл\w*|是|启用|开启)$")
_OFF = re.compile(r"^(?:0|off|no|false|disabled?|inactive|nein|aus|deaktiv\w*|inaktiv|non|desactive?e?|desactivad[oa]|deshabilitad[oa]|disattiv\w*"
                  r"|disabilitat\w*|uit|nee|nao|desativ\w*"
                  r"|nie|wylacz\w*|нет|выкл\w*|否|禁用|关闭)$")


@dataclass(frozen=True)
class Spot:
    """One field. ``page`` with its query; ``nth``: which of several fields with that name on the page."""

    what: str
    line: int                       # 0: the whole phone
    page: str
    name: str
    nth: int = 0
    label: str = ""
    level: int = 3                  # 3 sure, 2 likely, 1 unsure
    why: tuple[str, ...] = ()
    value: str = ""                 # as it was when it was found; for messages
    index: int | None = None        # the number in its name or address

    def __str__(self) -> str:
        where = f"line {self.line}" if self.line else "the whole phone"
        field_name = printable(self.name, 40) or "without a name"
        return (f"{printable(self.label or self.name, 40)!r} of {where} (field {field_name} of {printable(self.page, 60)}, now {self.value or 'empty'}): "
                f"{labels.LEVELS[self.level]}, {'; '.join(self.why) or 'from the profile'}")


@dataclass
class Places:
    """All that is known of where this phone's web page has what."""

    spots: list[Spot]
    scope: str = "line"
    way: Way = field(default_factory=lambda: Way("none"))
    logout: str = ""
    mac: str = ""                   # the page that shows it
    name: str = ""
    contains: str = ""
    secrets: bool = False           # known to survive a save
    scripts: bool = False
    apply: str = "live"
    reboot: dict[str, Any] = field(default_factory=dict)

    def of(self, what: str) -> list[Spot]:
        return [spot for spot in self.spots if spot.what == what]

    def pages(self) -> list[str]:
        return list(dict.fromkeys(spot.page for spot in self.spots))


# ---------------------------------------------------------------------- a field on a page


def control_at(page: Page, spot: Spot) -> tuple[Form, Control] | None:
    """The form and the control of a spot on its page; None where the page has no such field."""
    found = [(form, one) for form in page.forms for one in form.controls if one.name == spot.name and _fits(spot.what, one)]
    return found[spot.nth] if spot.nth < len(found) else None


def _fits(what: str, control: Control) -> bool:
    if what in ("local_port", "user", "provisioning"):
        return control.kind in VISIBLE_TEXT
    return control.kind in _SWITCHES


def switch_of(form: Form, control: Control) -> dict[bool, tuple[Control, str | None]] | None:
    """How a switch is set: True and False -> (control, its value; None: not ticked). None: its choices are not yes and no."""
    if control.kind == "checkbox":
        return {True: (control, control.own), False: (control, None)}
    if control.kind == "select":
        choices = [(control, value, text) for value, text in control.options]
    else:
        group = [one for one in form.controls if one.kind == "radio" and one.name == control.name]
        choices = [(one, one.own, _behind(one)) for one in group]
    states: dict[bool, tuple[Control, str | None]] = {}
    for one, value, text in choices:
        state = _state(text) if _state(text) is not None else _state(value)
        if state is None or state in states:
            return None
        states[state] = (one, value)
    return states if len(states) == 2 else None


def state_of(form: Form, control: Control) -> bool | None:
    """What a switch is set to; None: nothing, or nothing that is yes or no."""
    if control.kind == "checkbox":
        return bool(control.sent)
    for state, (one, value) in (switch_of(form, control) or {}).items():
        if one.sent == (value,):
            return state
    return None


def _state(text: str) -> bool | None:
    words = folded(text)
    return True if _ON.match(words) else False if _OFF.match(words) else None


def _behind(radio: Control) -> str:
    """The word behind a radio button."""
    text = (radio.element.tail or "").strip()
    if text:
        return str(text)
    after = radio.element.getnext()
    return str(after.text_content()).strip() if after is not None and after.tag in ("label", "span", "font", "b") else ""


def is_port(value: str) -> bool:
    """Empty, or 1 to 65535."""
    return not value.strip() or whole(value, 1) is not None


# ---------------------------------------------------------------------- finding


def locate(name: str, walk: Walk, way: Way) -> Places:
    """The places of a phone whose pages have been walked.

    :raises Unsupported: no field, none that is sure enough, or several; with the candidates
    """
    ports, others = _candidates(walk)
    chosen = _choose(name, _numbered(_one_each(ports)), walk)
    scope = "line" if chosen[0].line else "phone"
    spots = [replace(spot, line=spot.line or 1) for spot in chosen] if scope == "phone" else chosen
    spots = [*spots, *_beside(chosen, [one for one in others if one.what == "random_port"], scope), *_accounts(others, spots, scope)]
    spots += [replace(one, line=0) for one in others if one.what == "provisioning"][:_SERVERS]
    shows_mac = next((page.path for page in walk.pages if page.mac and page.mac == walk.mac), "")
    return Places(spots, scope, way, walk.logout, shows_mac)


def _candidates(walk: Walk) -> tuple[list[Spot], list[Spot]]:
    ports, others = [], []
    for page in walk.pages:
        if not any(form.controls for form in page.forms) and not page.loose:
            continue
        said = labels.said_of(page)
        places = _places(page)
        for form in page.forms:
            if page.login and page.login.form is form:
                continue
            for control in form.controls:
                spots = _judged(page, control, said.get(control.element), form, places)
                ports += [one for one in spots if one.what == "local_port"]
                others += [one for one in spots if one.what != "local_port"]
        for control in page.loose:
            judged = (one for one in _judged(page, control, said.get(control.element), None, {}) if one.what == "local_port")
            ports += [replace(one, level=1, why=(*one.why, "but it stands in no form: only a script can save it")) for one in judged]
    return ports, others


def _places(page: Page) -> dict[Control, int]:
    """Each control's place among those of its name and sort, as control_at() counts."""
    seen: dict[Any, int] = {}
    found: dict[Control, int] = {}
    for form in page.forms:
        for one in form.controls:
            key = (one.name, one.kind in VISIBLE_TEXT, one.kind in _SWITCHES)
            found[one] = seen[key] = seen.get(key, -1) + 1
    return found


def _judged(page: Page, control: Control, said: labels.Said | None, form: Form | None, places: dict[Control, int]) -> list[Spot]:
    if said is None:
        return []
    ident = control.element.get("id") or ""
    index = labels.index_in(control.name or ident, page.path)
    found = []

    def spot(what: str, verdict: labels.Verdict) -> None:
        line = labels.line_of(said, verdict.label, page)
        found.append(Spot(what, line, page.path, control.name, places.get(control, 0), verdict.label.strip(" :*"), verdict.level, verdict.why,
                          printable(control.value, 20), index))

    if control.kind in VISIBLE_TEXT:
        port = labels.judge_port(said, control.name, ident, page)
        if port is not None and is_port(control.value):
            spot("local_port", _usable(port, control))
        rank = labels.rank_in(said, labels.USER)
        if rank >= 0 and port is None and control.name:
            spot("user", labels.Verdict(3, str(rank), ()))
        if port is None and form is not None and control.name and labels.rank_in(said, labels.PROVISIONING) >= 0:
            spot("provisioning", labels.Verdict(3, "", ()))
    elif control.kind in _SWITCHES and form is not None and control.name:
        verdict = labels.judge_random(said, control.name)
        if verdict is not None and switch_of(form, control) is not None:
            spot("random_port", verdict)
        rank = labels.rank_in(said, labels.ACTIVE)
        if rank >= 0 and verdict is None and switch_of(form, control) is not None:
            spot("active", labels.Verdict(3, str(rank), ()))
    return found


def _usable(verdict: labels.Verdict, control: Control) -> labels.Verdict:
    why = ""
    if control.element.get("readonly") is not None or control.element.get("disabled") is not None or not control.sent:
        why = "but it can't be changed there"
    elif not control.name:
        why = "but it has no name: only a script can save it"
    return replace(verdict, level=1, why=(*verdict.why, why)) if why else verdict


def _one_each(spots: list[Spot]) -> list[Spot]:
    """The same field once, where several pages show it or several links lead to its page."""
    found: dict[Any, Spot] = {}
    for spot in spots:
        key = (spot.page, spot.name, spot.nth)
        known = found.get(key)
        if known is None or spot.level > known.level:
            found[key] = spot
    return list(found.values())


def _numbered(spots: list[Spot]) -> list[Spot]:
    """Lines for fields whose page does not say one, where the numbers in their names or addresses do. Names may count from 0, people don't."""
    best = max((spot.level for spot in spots), default=0)
    silent = dict.fromkeys(spot for spot in spots if not spot.line and spot.level == best)
    numbers = [spot.index for spot in silent]
    if len(silent) < 2 or any(spot.line and spot.level == best for spot in spots) or None in numbers or len(set(numbers)) != len(numbers):
        return spots
    first = min(number for number in numbers if number is not None)
    if first > 1:
        return spots
    return [replace(spot, line=(spot.index or 0) + 1 - first) if spot in silent else spot for spot in spots]


def _choose(name: str, spots: list[Spot], walk: Walk) -> list[Spot]:
    """One field per line, or one for the whole phone."""
    if walk.cut:
        spots = [replace(spot, level=2, why=(*spot.why, walk.cut)) if spot.level == 3 else spot for spot in spots]
    best = max((spot.level for spot in spots), default=0)
    if best < 2:
        raise _not_found(name, spots, walk)
    top = [spot for spot in spots if spot.level == best]
    per_line = bool(top[0].line)
    clash = any(bool(spot.line) != per_line for spot in top)
    lines = sorted({spot.line for spot in spots if spot.level > 1 and bool(spot.line) == per_line})
    chosen = []
    for line in lines:
        there = [spot for spot in spots if spot.line == line and spot.level > 1]
        most = max(spot.level for spot in there)
        there = [spot for spot in there if spot.level == most]
        clash = clash or len(there) > 1
        chosen.append(there[0])
    if clash:
        raise Unsupported(f"{name}: several fields may be the local SIP port; nothing was written: {_listed(top)}.",
                          "Look which one it is, and give it with sip_phone_profile (kind: located), or set the port by hand.")
    return chosen


def _not_found(name: str, spots: list[Spot], walk: Walk) -> EvenportError:
    looked = "1 page was" if len(walk.pages) == 1 else f"{len(walk.pages)} pages were"
    seen = f"{looked} looked at" + (f" ({walk.cut})" if walk.cut else "")
    remedy = "Record a profile of this model with a browser (evenport.sip.phone_profile), write one (kind: located), or set the port by hand."
    if spots:
        return Unsupported(f"{name}: no field is surely the local SIP port; {seen}, nothing was written. Candidates: {_listed(spots)}.", remedy)
    if walk.failure is not None:
        return type(walk.failure)(f"{name}: the local SIP port was not found; {seen}; {walk.failure.what}", walk.failure.remedy or remedy)
    return Unsupported(f"{name}: the local SIP port was not found on the phone's web page; {seen}, nothing was written.", remedy)


def _listed(spots: list[Spot]) -> str:
    ordered = sorted(spots, key=lambda spot: -spot.level)
    more = f"; and {len(ordered) - _SHOWN} more" if len(ordered) > _SHOWN else ""
    return "; ".join(str(spot) for spot in ordered[:_SHOWN]) + more


def _beside(ports: list[Spot], switches: list[Spot], scope: str) -> list[Spot]:
    """The random switches on the pages of the ports: one per port and line, or one for the page."""
    found = []
    for page in dict.fromkeys(port.page for port in ports):
        here = _first_of_group([one for one in switches if one.page == page])
        lines = {port.line for port in ports if port.page == page}
        if scope == "line" and len(lines) == 1 and len(here) == 1:
            here = [replace(here[0], line=next(iter(lines)))]
        if len({one.line for one in here}) == len(here) and {one.line for one in here} <= lines | {0}:
            found += here
    return found


def _first_of_group(spots: list[Spot]) -> list[Spot]:
    """Of radio buttons of one name, the first."""
    found: dict[tuple[str, str], Spot] = {}
    for spot in spots:
        found.setdefault((spot.page, spot.name), spot)
    return list(found.values())


def _accounts(others: list[Spot], ports: list[Spot], scope: str) -> list[Spot]:
    """Per line the best field for its user, and the switch of the account on the same page."""
    lone = len(ports) == 1
    found: list[Spot] = []
    for what in ("user", "active"):
        best: dict[int, Spot] = {}
        for spot in others:
            line = spot.line or (1 if lone and scope == "line" and spot.page == ports[0].page else 0)
            line = line or next((port.line for port in ports if port.page == spot.page and sum(one.page == spot.page for one in ports) == 1
                                 and scope == "line"), 0)
            known = best.get(line)
            if spot.what == what and line and (known is None or int(spot.label) < int(known.label)):
                best[line] = replace(spot, line=line)
        users = {spot.line: spot.page for spot in found}
        found += [replace(spot, label="") for line, spot in sorted(best.items()) if what == "user" or users.get(line) == spot.page]
    return found


# ---------------------------------------------------------------------- profile


def as_profile(places: Places) -> dict[str, Any]:
    """A located profile as data; {} where an address holds something of this phone alone."""
    entries = []
    for spot in places.spots:
        entry: dict[str, Any] = {"what": spot.what, "line": spot.line, "page": spot.page, "field": spot.name}
        entry.update({"nth": spot.nth} if spot.nth else {})
        entry.update({"label": spot.label, "sure": labels.LEVELS[spot.level], "why": "; ".join(spot.why)} if spot.what == "local_port" else {})
        entries.append(entry)
    login = {"how": places.way.how, **({"page": places.way.page} if places.way.how != "none" else {}),
             **({"user": places.way.user, "password": places.way.password} if places.way.how == "form" else {})}
    profile: dict[str, Any] = {
        "profile": VERSION, "kind": "located", "name": places.name, "recognise": {"path": "/", "contains": places.contains}, "login": login,
        "form": {"scope": places.scope, "secrets": "untouched" if places.secrets else "refuse", "scripts": "untouched" if places.scripts else "refuse",
                 "places": entries},
        "apply": places.apply,
    }
    profile.update({"logout": places.logout} if places.logout else {})
    profile.update({"mac": places.mac} if places.mac else {})
    profile.update({"reboot": dict(places.reboot)} if places.reboot else {})
    return profile


def from_profile(name: str, profile: Mapping[str, Any]) -> Places:
    """:raises EvenportError: not a located profile, with what is missing"""
    form = profile.get("form")
    entries = form.get("places") if isinstance(form, Mapping) else None
    if not isinstance(entries, (list, tuple)) or not entries:
        raise _bad(name, "form.places lists no field")
    spots = [_spot(name, entry) for entry in entries]
    ports = [spot for spot in spots if spot.what == "local_port"]
    scope = text_at(profile, "form.scope", "line")
    if not ports or len({spot.line for spot in ports}) != len(ports):
        raise _bad(name, "form.places needs one local_port per line")
    if scope not in ("line", "phone") or (scope == "phone" and [spot.line for spot in ports] != [1]):
        raise _bad(name, "form.scope is line, or phone with one local_port of line 1")
    how = text_at(profile, "login.how", "none")
    if how not in ("form", "http", "none"):
        raise _bad(name, "login.how is form, http or none")
    way = Way(how, _path(name, text_at(profile, "login.page", "/")), text_at(profile, "login.user"), text_at(profile, "login.password"))
    if how == "form" and not way.password:
        raise _bad(name, "login.password is the name of the password's input")
    apply = text_at(profile, "apply", "live")
    if apply not in ("live", "reboot"):
        raise _bad(name, "apply is live or reboot")
    reboot = profile.get("reboot") or {}
    whole = isinstance(reboot, Mapping) and text_at(reboot, "method", "GET") in ("GET", "POST") and isinstance(reboot.get("form") or {}, Mapping)
    if not whole:
        raise _bad(name, "reboot is {path: ..., method: GET or POST, form: {name: value}}")
    if reboot:
        _path(name, text_at(reboot, "path"))
    return Places(spots, scope, way, _path(name, text_at(profile, "logout"), empty=True), _path(name, text_at(profile, "mac"), empty=True),
                  text_at(profile, "name"),
                  text_at(profile, "recognise.contains"), text_at(profile, "form.secrets") == "untouched", text_at(profile, "form.scripts") == "untouched",
                  apply, dict(reboot))


def _spot(name: str, entry: Any) -> Spot:
    if not isinstance(entry, Mapping) or entry.get("what") not in WHATS:
        raise _bad(name, f"each of form.places has a what of {', '.join(WHATS)}")
    line, nth = entry.get("line", 0), entry.get("nth", 0)
    if isinstance(line, bool) or isinstance(nth, bool) or not isinstance(line, int) or not isinstance(nth, int) or not 0 <= line <= 64 or not 0 <= nth <= 1000:
        raise _bad(name, "line is 0 to 64, nth from 0")
    if entry["what"] not in ("random_port", "provisioning") and not line:
        raise _bad(name, f"{entry['what']} needs its line, from 1")
    if not str(entry.get("field") or ""):
        raise _bad(name, "each of form.places has the name of its field")
    level = next((level for level, word in labels.LEVELS.items() if word == entry.get("sure")), 3)
    return Spot(str(entry["what"]), line, _path(name, str(entry.get("page") or "")), str(entry["field"]), nth, str(entry.get("label") or ""), level,
                tuple(str(entry["why"]).split("; ")) if entry.get("why") else ())


def _path(name: str, path: str, empty: bool = False) -> str:
    if (not path and empty) or re.fullmatch(r"/(?!/)[^\s#]*", path):
        return path
    raise _bad(name, f"{printable(path, 60)!r} is no path of the phone's own (it begins with one /)")


def _bad(name: str, what: str) -> EvenportError:
    return EvenportError(f"{name}: sip_phone_profile can't be used: {what}.", "Take it from evenport.sip.phone_info (profile) of a phone of this model.")
