# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The located form: phones whose web page nobody has documented. The field is looked for as an admin would, and changed as a browser would.

Serves brand form, VTech's VSP line and North American Telecom (of both everything about HTTP is unknown [U]), and located profiles. All of it
is inference from how web pages are made, nothing was seen on one of these phones: so it refuses what is not sure, and the read-back is what counts.

form_login.py finds the login, form_walk.py the pages, form_labels.py and form_place.py the field; form_save.py says what a save might lose.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from ansible_collections.evenport.sip.plugins.module_utils.errors import (
    BadAnswer,
    EvenportError,
    NotApplied,
    PermissionMissing,
    SessionLost,
    Unsupported,
)
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import printable, whole
from ansible_collections.evenport.sip.plugins.module_utils.http.faults import Dropped
from ansible_collections.evenport.sip.plugins.module_utils.http.forms import Control, Form
from ansible_collections.evenport.sip.plugins.module_utils.http.session import WebSession
from ansible_collections.evenport.sip.plugins.module_utils.model import Account, Identity
from ansible_collections.evenport.sip.plugins.module_utils.phones.contract import Driver, Reading
from ansible_collections.evenport.sip.plugins.module_utils.phones.form.login import Entrance, Way, button_of
from ansible_collections.evenport.sip.plugins.module_utils.phones.form.page import Page
from ansible_collections.evenport.sip.plugins.module_utils.phones.form.place import (
    Places,
    Spot,
    as_profile,
    control_at,
    from_profile,
    is_port,
    locate,
    state_of,
    switch_of,
)
from ansible_collections.evenport.sip.plugins.module_utils.phones.form.save import why_not
from ansible_collections.evenport.sip.plugins.module_utils.phones.form.walk import Pages, Walk
from ansible_collections.evenport.sip.plugins.module_utils.phones.front import Front
from ansible_collections.evenport.sip.plugins.module_utils.phones.profile import check_recognised
from ansible_collections.evenport.sip.plugins.module_utils.phones.provisioning import owner
from ansible_collections.evenport.sip.plugins.module_utils.phones.settings import Flat, Place, Value
from ansible_collections.evenport.sip.plugins.module_utils.phones.target import Target

_NAMES = ("vtech", "north_american_telecom")            # brands of which only the name is known


def recognise(target: Target, web: WebSession, front: Front, session: Mapping[str, Any] | None = None) -> Driver | None:
    """A driver for whatever answers: asked only where the inventory says so (brand or profile), and after all brands that can be recognised."""
    pages = Pages(web)
    places = None
    if target.profile:
        check_recognised(target, pages)
        places = from_profile(target.name, target.profile)
    else:
        pages.requests += 1
        pages.take("/", front.answer)
    name = target.brand if target.brand in _NAMES else "form"
    known = pages.known.get("/")
    page = Page("/", known, web.reach.url) if known is not None else None
    shown = page.title if page is not None and page.answer.status < 400 else ""
    identity = Identity(name, model=shown or (places.name if places else ""), mac=page.mac if page is not None else "")
    kind = RestartingForm if places and places.apply == "reboot" else LocatedForm
    del session
    return kind(target, web, identity, pages, places)


class LocatedForm(Driver):
    """One phone. ``places`` is where its page has what: from a profile, an earlier process or, at the first read, a walk."""

    BRAND = "form"
    call_state = False

    def __init__(self, target: Target, web: WebSession, identity: Identity, pages: Pages, places: Places | None) -> None:
        super().__init__(target, web, identity)
        self.places = places
        self._pages = pages
        self._entrance = Entrance(target, pages)
        self._walk: Walk | None = None
        self._seen: dict[str, Page] = {}            # path -> page as it was read last
        self._first: dict[Spot, str] = {}           # values as they were at first, in the phone's own spelling
        self._had_random: dict[Spot, bool] = {}
        self._in = False
        self._fresh = False                         # the pages in _seen are of a walk that has just ended
        front = pages.known.get("/")
        self._front_title = Page("/", front, web.reach.url).title if front is not None else ""
        if places:
            self.port_scope = places.scope

    # ------------------------------------------------------------------ session

    def login(self) -> None:
        way = self.places.way if self.places else None
        self._seen = {}
        if way is not None and way.how == "none":
            return
        self._entrance = Entrance(self.target, self._pages)
        self._entrance.find(way)
        self._in = self._entrance.way.how == "form"
        self._entrance.enter()
        for page in self._entrance.home:
            self._learn(page)

    def _learn(self, page: Page) -> None:
        """What a page says of the phone."""
        model = self.identity.model or (page.title if page.answer.status == 200 else "")
        if (page.mac and not self.identity.mac) or model != self.identity.model:
            self.identity = Identity(self.identity.brand, model=model, mac=self.identity.mac or page.mac)

    def session(self) -> dict[str, Any]:
        """The cookies, and where everything is: so that the write needs no second walk, whatever the way of login."""
        profile = as_profile(self.places) if self.places else {}
        return {self.BRAND: {"cookies": dict(self.web.cookies), "profile": profile}} if profile else {}

    def resume(self, session: Mapping[str, Any]) -> bool:
        state = session.get(self.BRAND)
        if not isinstance(state, Mapping) or not isinstance(state.get("profile"), Mapping):
            return False
        if self.places is None:
            try:
                self.places = from_profile(self.target.name, state["profile"])
            except EvenportError:
                return False
            self.port_scope = self.places.scope
        cookies = state.get("cookies")
        if self.places.way.how != "form" or not isinstance(cookies, Mapping) or not cookies:
            return self.places.way.how == "none"
        self.web.cookies.update({str(name): str(value) for name, value in cookies.items()})
        self._entrance.way = self.places.way
        self._in = True
        self._pages.forget()
        return True

    def logout(self) -> None:
        """By a link that clearly says so; where there is none, the session dies with our cookies."""
        pages = self._walk.pages if self._walk else self._entrance.home
        known = (self.places.logout if self.places else "") or (self._walk.logout if self._walk else "")
        path = known or next((page.logout for page in pages if page.logout), "")
        if self._in and path:
            self._in = False
            self.web.request("GET", path, timeout=min(3.0, self.web.reach.timeout))
        self.web.cookies.clear()

    # ------------------------------------------------------------------ reading

    def read(self) -> Reading:
        if self.places is None:
            self._find()
        places = self._known()
        for path in places.pages():
            only_reported = not any(spot.page == path and spot.what in ("local_port", "random_port") for spot in places.spots)
            if path not in self._seen or not (self._fresh or only_reported):
                self._seen[path] = self._fetch(path)
        self._fresh = False
        if places.mac and not self.identity.mac:
            self._learn(self._fetch(places.mac))
        return self._reading(places)

    def _find(self) -> None:
        self._walk = Walk(self._pages, self._entrance.is_login)
        self._walk.run(self._entrance.home)
        for page in self._walk.pages:
            self._learn(page)
        self.places = locate(self.target.name, self._walk, self._entrance.way)
        self.places.name = self.identity.model
        self.places.contains = self._sign()
        self.port_scope = self.places.scope
        self._seen = {page.path: page for page in self._walk.pages}
        self._fresh = True

    def _sign(self) -> str:
        """What the front page shows to anybody, for the profile: the longest plain piece of its title, as its text may be in any character set."""
        pieces = re.findall(r"[0-9A-Za-z][0-9A-Za-z ._-]*", self._front_title)
        return max((piece.strip() for piece in pieces), key=len, default="")

    def _known(self) -> Places:
        if self.places is None:
            raise SessionLost(f"{self.target.name}: the phone's page has not been looked at yet.", "Run again.")
        return self.places

    def _fetch(self, path: str) -> Page:
        """A page of the places, as it is now."""
        answer = self.web.get(path)
        page = Page(path, answer, self.web.reach.url)
        if 300 <= answer.status < 400:
            goes = page.goes[0] if page.goes else ""
            if not goes or (self._in and goes.partition("?")[0] == self._way.page.partition("?")[0]):
                raise self._lost()
            answer = self.web.get(goes)
            page = Page(path, answer, self.web.reach.url)
        if self._entrance.is_login(page) or (answer.status == 401 and self._in):
            raise self._lost()
        if answer.status in (401, 403):
            raise PermissionMissing(f"{self.target.name}: this user may not see {path}.", "Give sip_phone_user a user who may change the SIP settings (admin).")
        if answer.status != 200:
            raise BadAnswer(f"{answer.where} answered {answer.status}.", "Restart the phone, then run again; with a profile: is it of this model and firmware?")
        return page

    @property
    def _way(self) -> Way:
        return self.places.way if self.places else self._entrance.way

    def _lost(self) -> SessionLost:
        self._in = False
        return SessionLost(f"{self.target.name}: the phone shows its login page again in the middle of the work.",
                           "Is somebody else logged in to its web page? Run again when they are done.")

    def _at(self, spot: Spot, page: Page | None = None) -> tuple[Form, Control]:
        found = control_at(page or self._seen[spot.page], spot)
        if found is None:
            raise Unsupported(f"{self.target.name}: {spot.page} has no field {printable(spot.name, 40)!r} for {spot.what} any more; nothing was written.",
                              "Another model or firmware than the profile's? Leave sip_phone_profile out once, so that the field is looked for.")
        return found

    def _reading(self, places: Places) -> Reading:
        settings: Flat = {}
        for spot in places.of("local_port"):
            dummy, control = self._at(spot)
            if not is_port(control.value):
                raise BadAnswer(f"{self.target.name}: the local SIP port on {spot.page} is {printable(control.value, 20)!r}, which is no port.",
                                "Correct it on the phone's page, or make its profile again.")
            self._first.setdefault(spot, control.value)
            settings[Place("local_port", spot.line)] = int(control.value) if control.value.strip() else None
        states = {spot: state_of(*self._at(spot)) for spot in places.of("random_port")}
        if states:
            settings[Place("random_port")] = None if None in states.values() else any(states.values())
        for spot, state in states.items():
            self._had_random.setdefault(spot, bool(state))
        return Reading(settings, self._accounts(places, settings), self._provisioning(places))

    def _provisioning(self, places: Places) -> dict[str, Any]:
        """The server in the first such field that is filled in. Whether the phone keeps what is set by hand is not known."""
        for spot in places.of("provisioning"):
            found = owner(self._at(spot)[1].value)
            if found:
                return found
        return {}

    def _accounts(self, places: Places, settings: Flat) -> tuple[Account, ...]:
        users = {spot.line: printable(self._at(spot)[1].value, 80) for spot in places.of("user")}
        active = {spot.line: state_of(*self._at(spot)) for spot in places.of("active")}
        ports = {spot.line for spot in places.of("local_port")} if places.scope == "line" else set()
        accounts = []
        for line in sorted({*users, *active, *ports}):
            port = settings.get(Place("local_port", line)) if places.scope == "line" else None
            # Where the phone doesn't say, an account with a user counts, and so does one of which nothing but its port is known.
            on = active.get(line)
            accounts.append(Account(line, (bool(users[line]) if line in users else True) if on is None else on, port if isinstance(port, int) else None,
                                    users.get(line, "")))
        return tuple(accounts)

    # ------------------------------------------------------------------ writing

    def check(self, changes: Mapping[Place, Value]) -> None:
        places = self._known()
        for place, value in changes.items():
            if place.setting == "local_port" and isinstance(value, int):
                for spot in self._spots(place):
                    self._check_range(spot, value)
        for spot in {spot for spot, unused in self._edits(changes)}:
            page = self._seen[spot.page]
            why, switch = why_not(page, self._at(spot)[0], secrets_known=places.secrets, scripts_known=places.scripts)
            if why:
                remedy = "Record a profile of this model (evenport.sip.phone_profile), or set the port by hand."
                if switch:
                    remedy = ("Try it on one phone by hand: save the page without a change, and see that it still registers and works. "
                              f"Then set {switch}: untouched in its sip_phone_profile; or set the port by hand.")
                raise Unsupported(f"{self.target.name}: the form on {spot.page} is not sent: {why}. Nothing was written.", remedy)

    def _check_range(self, spot: Spot, value: int) -> None:
        element = self._at(spot)[1].element
        low, high = (whole(element.get(name) or "", 0, 9999999) for name in ("min", "max"))
        if (low is not None and value < low) or (high is not None and value > high):
            raise Unsupported(f"{self.target.name}: the phone's page takes {1 if low is None else low} to {65535 if high is None else high} as local port, "
                              f"not {value}; nothing was written.", "Plan another port for it.")

    def _spots(self, place: Place) -> list[Spot]:
        places = self._known()
        found = [spot for spot in places.of(place.setting) if place.setting == "random_port" or spot.line == place.line]
        if not found:
            raise Unsupported(f"{self.target.name}: no field for {place} is known on the phone's page; nothing was written.",
                              "Leave the setting out, or set it by hand.")
        return found

    def _edits(self, changes: Mapping[Place, Value]) -> list[tuple[Spot, Value]]:
        """What to change on which field, fields that are right already left out.

        A random switch per line is one setting here. Off is off for all lines. On means putting back what was: the lines that had it on at first,
        and in a process that never saw it on, the lines whose port goes along.
        """
        with_port = {place.line for place in changes if place.setting == "local_port"}
        edits: list[tuple[Spot, Value]] = []
        for place, value in changes.items():
            spots = self._spots(place)
            if place.setting == "random_port":
                had = [spot for spot in spots if self._had_random.get(spot)] or [spot for spot in spots if spot.line in with_port]
                spots = had if value and had else spots
                spots = [spot for spot in spots if state_of(*self._at(spot)) is not value]
            edits += [(spot, value) for spot in spots]
        return edits

    def write(self, changes: Mapping[Place, Value]) -> None:
        """One submit per form: lines that have a page each take one each."""
        self.check(changes)
        waiting = self._edits(changes)
        sent = False
        while waiting:
            try:
                page = self._fetch(waiting[0][0].page)          # fresh: its token, and what somebody else may have changed meanwhile
                form = self._at(waiting[0][0], page)[0]
                here = [(spot, value) for spot, value in waiting if spot.page == page.path and self._at(spot, page)[0] is form]
                waiting = [edit for edit in waiting if edit not in here]
                self._submit(page, form, here)
            except EvenportError as error:
                error.wrote = error.wrote or sent
                raise
            sent = True

    def _submit(self, page: Page, form: Form, edits: list[tuple[Spot, Value]]) -> None:
        places = self._known()
        why, dummy = why_not(page, form, secrets_known=places.secrets, scripts_known=places.scripts)
        changes: dict[Control, str | None] = {}
        for spot, value in edits:
            control = self._at(spot, page)[1]
            if spot.what == "random_port":
                switch = switch_of(form, control)
                if switch is None:
                    raise self._changed(page)
                changed, text = switch[bool(value)]
                changes[changed] = text
            else:
                if control.value != self._at(spot)[1].value:
                    raise self._changed(page)
                changes[control] = self._text(spot, value)
        if why:
            raise self._changed(page)
        answer = form.send(self.web, form.filled(changes, button_of(form)))
        landed = Page(page.path, answer, self.web.reach.url)
        if self._in and (answer.status == 401 or self._entrance.is_login(landed) or (
                300 <= answer.status < 400 and landed.goes and landed.goes[0].partition("?")[0] == self._way.page.partition("?")[0] != "/")):
            raise self._lost()
        if answer.status >= 400:
            raise BadAnswer(f"{answer.where} answered {answer.status};", "Has this user the right to change settings? Use admin.")

    def _changed(self, page: Page) -> NotApplied:
        return NotApplied(f"{self.target.name}: {page.path} has changed since it was read; nothing was sent.",
                          "Does somebody else change the phone now? Run again.")

    def _text(self, spot: Spot, value: Value) -> str:
        first = self._first.get(spot, "")
        if value is None:
            return first if not first.strip() else ""
        return first if first.strip() == first and first and int(first) == value else str(value)

    # ------------------------------------------------------------------ the rest

    def profile(self) -> dict[str, Any]:
        return as_profile(self.places) if self.places else {}

    def reboot(self) -> None:
        reboot = self._known().reboot
        if not reboot:
            raise Unsupported(f"{self.target.name}: how to restart this phone is not known; it was not restarted.",
                              "Restart it by hand, or add reboot: {path, method, form} to its sip_phone_profile.")
        fields = {str(name): str(value) for name, value in (reboot.get("form") or {}).items()}
        try:
            if reboot.get("method", "GET") == "POST":
                self.web.request("POST", str(reboot["path"]), body=urlencode(fields).encode(), headers={"Content-Type": "application/x-www-form-urlencoded"})
            else:
                self.web.request("GET", str(reboot["path"]), fields or None)
        except Dropped:
            return                                  # it hangs up because it restarts; never sent twice

    def restarted(self) -> bool:
        """A phone that has been down shows its login page to our old session; one without sessions has been seen down."""
        return self.seen_again(lambda: self._fetch(self._known().spots[0].page))


class RestartingForm(LocatedForm):
    """One whose profile says that every save restarts it."""

    APPLY = "reboot"
