# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cisco SPA30x/50x/51x/525 and MPP 68xx/78xx/88xx (3PCC firmware), Linksys and Sipura SPA9xx.

Reading is one file, /admin/spacfg.xml (cisco_config.py). There are two ways to write, and which one comes first goes by evidence:

* SPA: the web form (cisco_form.py). [3P] people's programs post it, and nothing has to reach us. Where the page does not show for
  sure which field is which, the resync.
* MPP, and SPA without such a page: ``GET /admin/resync?http://...`` [D] SPA900 guide page 2-15, MPP provisioning guides: the phone fetches
  a profile, here from us (http/serve.py), and sets what it names. MPP have the form's address too, but field numbers nobody has seen on
  a page. Needs a way from the phone to the machine that runs the task, so none behind a proxy.

The phone does not resync, nor restart, during a call [D]. Firmware for Cisco's call manager has none of this: it is refused.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Any
from xml.sax.saxutils import escape

from ansible_collections.evenport.sip.plugins.module_utils.errors import BadAnswer, DeviceError, NotApplied, SessionLost, Unreachable, Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import Answer, printable
from ansible_collections.evenport.sip.plugins.module_utils.http.auth import realm
from ansible_collections.evenport.sip.plugins.module_utils.http.faults import Dropped
from ansible_collections.evenport.sip.plugins.module_utils.http.serve import Served
from ansible_collections.evenport.sip.plugins.module_utils.http.session import WebSession
from ansible_collections.evenport.sip.plugins.module_utils.model import Identity
from ansible_collections.evenport.sip.plugins.module_utils.phones.cisco import config as cisco_config
from ansible_collections.evenport.sip.plugins.module_utils.phones.cisco import form as cisco_form
from ansible_collections.evenport.sip.plugins.module_utils.phones.cisco.config import Config
from ansible_collections.evenport.sip.plugins.module_utils.phones.contract import Driver, Reading
from ansible_collections.evenport.sip.plugins.module_utils.phones.front import Front
from ansible_collections.evenport.sip.plugins.module_utils.phones.http_login import HttpAuthDriver, log_in
from ansible_collections.evenport.sip.plugins.module_utils.phones.settings import Place, Value
from ansible_collections.evenport.sip.plugins.module_utils.phones.target import Target, plain_mac

_CONFIG = "/admin/spacfg.xml"

# Front pages: realm "spa user" and the Sipura title [3P] nmap, WhatWeb; "SPA504G Configuration" [3P]; Linksys' title, the MPP's and "spa admin" [R].
_OURS = (r"realm=\"spa (?:user|admin)\"|<title>\s*(?:sipura|linksys|cisco) spa configuration"
         r"|<title>[^<]{0,20}\b(?:spa-?[0-9]{3}|cp-[0-9]{4})[^<]{0,20}configuration|action=\"?(?:bcisco\.csc|bsipura\.spa)")
_ENTERPRISE = r"/CGI/Java/Serviceability|\bSEP[0-9A-F]{12}\b"                   # [3P] scripts that read such phones' pages
SIGN = f"{_OURS}|{_ENTERPRISE}"

_FETCH = 60.0                   # seconds for the phone to come and fetch its profile
_LAST = 0.5                     # for one that came at the last moment
_APPLY = 15.0                   # seconds until the configuration shows all of what it has begun to show, or what a form has set
_PAUSE = 1.0                    # seconds between two looks


def recognise(target: Target, web: WebSession, front: Front, session: Mapping[str, Any] | None = None) -> Driver | None:
    """A driver, or None: no Cisco of these.

    A 401 may come from anything: then only the sign on the front page or its realm make it a Cisco, as a password goes there next;
    or the inventory says so, and the page that asks for the password is this one and not the front page.

    :raises Unsupported: a Cisco whose web page can't be used
    """
    del session                                 # there are none
    answer = web.get(_CONFIG)
    if answer.status == 200:
        try:
            config = cisco_config.parse(answer)
        except BadAnswer:
            return None
        driver = Cisco(target, web, Identity("cisco"))
        driver.took(config)
        driver.first_answer = answer
        return driver
    ours = realm(answer).lower() in ("spa user", "spa admin")
    if answer.status == 401 and (ours or front.shows(_OURS) or (target.brand == "cisco" and front.answer.status != 401)):
        driver = Cisco(target, web, Identity("cisco"))
        driver.first_answer = answer
        return driver
    if front.shows(_ENTERPRISE):
        raise Unsupported(f"{target.name}: this Cisco has firmware for a call manager (CUCM), which has no web page to set anything on.",
                          "Set its ports at the call manager (voipControlPort), or convert it to multiplatform firmware.")
    if front.shows(_OURS):
        raise Unsupported(f"{target.name}: the phone's web page is for its user only: {_CONFIG} answered {answer.status}.",
                          "Enable it on the phone or in its profile: Enable_Web_Server and Enable_Web_Admin_Access.")
    return None


class Cisco(HttpAuthDriver):

    BRAND = "cisco"
    call_state = False                          # until the file shows one: then set on the instance

    def __init__(self, target: Target, web: WebSession, identity: Identity) -> None:
        super().__init__(target, web, identity)
        self.first_answer: Answer | None = None                 # of the recogniser: the configuration, or the 401 to log in with
        self._now = self._first = Config(())
        self._written: set[str] = set()         # names of all settings that were
        self._read_at = 0.0

    # ------------------------------------------------------------------ login

    def login(self) -> None:
        """Nothing is sent where the phone has no password: then everybody may do everything [D]."""
        first = self.first_answer if self.first_answer and self.first_answer.status in (200, 401) else None
        self.first_answer = log_in(self.target, self.web, lambda: self.web.get(_CONFIG), first)

    def _request(self, ask: Callable[[], Answer]) -> Answer:
        """*ask*, once more with a new Digest nonce where that is all that was wrong: a 401 has done nothing, and the password was accepted before.

        Old Digest (no qop) does not say "stale", and a phone that has restarted knows no old nonce.
        """
        answer = ask()
        if answer.status == 401 and self.web.auth and "digest" in answer.headers.get("WWW-Authenticate", "").lower() and self.web.auth.take(answer):
            answer = ask()
        if answer.status == 401:
            raise SessionLost(f"{self.target.name}: the phone no longer takes the password that it took before.",
                              "Has somebody changed it just now? Run again with the new one.")
        return answer

    # ------------------------------------------------------------------ reading

    def took(self, config: Config) -> None:
        """Remember a configuration, and complete the identity from it."""
        self._now, self._read_at = config, time.monotonic()
        if not self._first.elements:
            self._first = config
        model = printable(config.status("Product_Name"), 40)
        self.identity = Identity("cisco", "SPA" if re.match(r"SPA|PAP|WIP", model, re.IGNORECASE) else "MPP", model,
                                 printable(config.status("Software_Version"), 40), plain_mac(config.status("MAC_Address")))
        self.call_state = cisco_config.calls_of(config) is not None

    def _look(self) -> Config:
        """The configuration as it is now. The answer that came with recognition or login counts as the first look."""
        answer, self.first_answer = self.first_answer, None
        if answer is None or answer.status == 401:
            answer = self._request(lambda: self.web.get(_CONFIG))
        if answer.status in (403, 404):
            raise Unsupported(f"{self.target.name}: {_CONFIG} answered {answer.status}: the phone does not let its administrator in by web.",
                              "Enable it on the phone or in its profile: Enable_Web_Server and Enable_Web_Admin_Access.")
        if answer.status != 200:
            raise BadAnswer(f"{answer.where} answered {answer.status}.", "Restart the phone, then run again.")
        self.took(cisco_config.parse(answer))
        return self._now

    def read(self) -> Reading:
        config = self._look()
        settings = cisco_config.settings_of(config)
        for place in cisco_config.half_written(config, self._first, self._written):
            del settings[place]                 # it must not look as if nothing had changed: so it is put back as well
        return Reading(settings, cisco_config.accounts_of(config), cisco_config.provisioning_of(config))

    def busy(self) -> str | None:
        return cisco_config.calls_of(self._look()) if self.call_state else None

    # ------------------------------------------------------------------ writing

    def check(self, changes: Mapping[Place, Value]) -> None:
        cisco_config.check_values(self.target.name, changes, self._now, self._first)
        if changes and self.identity.generation == "MPP":
            self._check_resync()

    def _check_resync(self) -> None:
        if self.target.proxy:
            raise Unsupported(f"{self.target.name}: this {self.identity.model} takes settings only by fetching them, and it can't reach us behind a proxy; "
                              "nothing was written.",
                              "Run this task on a machine at the site (delegate_to) without sip_phone_proxy, or set them at its provisioning server.")
        if self._now.on("Provision_Enable") is False:
            raise Unsupported(f"{self.target.name}: this {self.identity.model} takes settings only by fetching them, and its Provision_Enable is No; "
                              "nothing was written.", "Set Provision Enable to Yes on its web page (Voice, Provisioning), or the port by hand.")

    def write(self, changes: Mapping[Place, Value]) -> None:
        self.check(changes)
        texts = cisco_config.texts_of(changes, self._now, self._first)
        if not texts:
            return
        fields = self._fields(texts) if self.identity.generation == "SPA" else None
        if fields is None:
            self._check_resync()
        self._written.update(texts)
        if fields is None:
            self._resync(texts)
            self._await_applied(changes, texts)
            return
        try:
            self._submit(fields)
        except (Unreachable, BadAnswer):
            self._settle(texts, _APPLY)         # it may have arrived
            raise
        self._settle(texts, _APPLY)

    def _fields(self, texts: Mapping[str, str]) -> cisco_form.Fields | None:
        """Asked for right before the write: the page must show what is in force now."""
        answer = self._request(lambda: self.web.get(cisco_form.PAGE))
        if answer.status != 200:
            return None
        return cisco_form.locate(answer, texts, {name: self._now.setting(name) or "" for name in texts})

    def _submit(self, fields: cisco_form.Fields) -> None:
        answer = self._request(lambda: self.web.post(fields.action, fields.values))
        if answer.status >= 500:
            raise BadAnswer(f"{answer.where} answered {answer.status}.", "Restart the phone, then run again.")
        if answer.status >= 400:
            raise DeviceError(f"{self.target.name}: the phone refused the change ({answer.status}); nothing was written.", "Use the user admin.")

    def _resync(self, texts: Mapping[str, str]) -> None:
        """Returns once the phone has fetched the profile. A fetch that comes later finds nobody, so nothing is written then.

        :raises DeviceError: it did not come
        """
        reach = self.web.reach
        unclear: DeviceError | None = None
        answer = None
        with Served(self.target.name, reach.host, reach.port or 80, self._profile(texts), _FETCH + 2 * reach.timeout) as served:
            try:
                answer = self._request(lambda: self.web.get("/admin/resync?" + served.url))
            except (Dropped, BadAnswer) as error:
                unclear = error                 # it may come all the same
            if answer is not None and answer.status >= 400:
                raise DeviceError(f"{self.target.name}: the phone refused to resync ({answer.status}); nothing was written.",
                                  "Use the user admin, and check Provision Enable on its web page.")
            served.wait(_FETCH)
        if served.wait(_LAST):                  # nobody can come any more, but one may still be on its way out
            return
        if isinstance(unclear, Dropped):
            raise unclear
        if unclear:
            raise BadAnswer(f"{self.target.name}: the phone answered the resync with something that is no HTTP, and did not come.", unclear.remedy)
        strangers = " and ".join(served.turned_away)
        other = f" Somebody came from {strangers} and was turned away, as that is not the phone's address: is there a NAT between?" if strangers else ""
        raise DeviceError(f"{self.target.name}: the phone has not fetched its settings from {served.place} within {_FETCH:g} s; nothing was written.{other}",
                          "Can it reach this machine (firewall, NAT, another VLAN)? It does not come during a call. Else set the port by hand.")

    def _profile(self, texts: Mapping[str, str]) -> bytes:
        """Only what changes. ``ua`` is repeated where the phone shows it: without it a parameter falls back to the factory's user access [D]."""
        lines = []
        for name, text in texts.items():
            ua = self._now.ua(name)
            lines.append(f"<{name}" + (f' ua="{ua}"' if ua in ("na", "ro", "rw") else "") + f">{escape(text)}</{name}>")
        return ("<flat-profile>" + "".join(lines) + "</flat-profile>").encode()

    def _await_applied(self, changes: Mapping[Place, Value], texts: Mapping[str, str]) -> None:
        """What was fetched is applied, if not at once.

        :raises NotApplied: not within our patience; where it is applied in parts only, nothing is raised: the work reads back and tells
        """
        old = [self._now.setting(name) for name in texts]
        there = self._settle(texts, self.patience)
        if not there or [self._now.setting(name) for name in texts] != old:
            return
        shown = cisco_config.settings_of(self._now)
        names = ", ".join(f"{place} is {shown.get(place)!r} instead of {value!r}" for place, value in changes.items() if shown.get(place) != value)
        error = NotApplied(f"{self.target.name}: the phone has fetched its settings, but has not applied them within {self.patience:g} s: {names}.",
                           "So far they are as they were, but it may still apply what it has fetched: read the phone again in a few minutes.")
        error.wrote = True
        raise error

    def _settle(self, texts: Mapping[str, str], patience: float) -> bool:
        """Wait until the configuration shows *texts*: what is accepted or fetched is not yet applied, and the web page may go for a while,
        as some are said to restart after a change [R]; then it is waited for as long as our patience lasts.

        :arg patience: seconds, while it shows what was there before; once that changes, the rest has a short time to follow
        :returns: is the phone there? Says nothing of success: the work reads back
        """
        started, limit, there = time.monotonic(), patience, True
        seen = [self._now.setting(name) for name in texts]
        while True:
            try:
                now, there = self._look(), True
                before, seen = seen, [now.setting(name) for name in texts]
                if seen == list(texts.values()):
                    return True
                if seen != before:
                    limit = min(limit, time.monotonic() - started + _APPLY)
            except (Unreachable, BadAnswer, SessionLost, Unsupported):
                limit, there = self.patience, False
            if time.monotonic() - started >= limit:
                return there
            time.sleep(_PAUSE)

    # ------------------------------------------------------------------ restart

    def reboot(self) -> None:
        self.was_down = False
        try:
            answer = self._request(lambda: self.web.get("/admin/reboot"))       # "reboots only when it is idle" [D]
        except Dropped:
            return                              # it hung up because it is restarting; never sent twice
        if answer.status >= 400:
            raise DeviceError(f"{self.target.name}: the phone refused to restart ({answer.status}).", "Restart it by hand, or use the user admin.")

    def restarted(self) -> bool:
        """By its running time, which began anew, or because it was seen away."""
        before, since = cisco_config.up_time_of(self._now), self._read_at
        asked = time.monotonic()
        try:
            answer = self._request(lambda: self.web.get(_CONFIG))
            now = cisco_config.up_time_of(cisco_config.parse(answer))
        except SessionLost:
            return self.was_down               # it is there, that's all
        except (Unreachable, BadAnswer):
            self.was_down = True
            return False
        # It shows whole seconds: had it gone on running, it would show more than this.
        return self.was_down or (before is not None and now is not None and now + 1 <= before + (asked - since))
