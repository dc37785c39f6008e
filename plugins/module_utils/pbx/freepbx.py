# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NAT options of FreePBX and PBXact 15 to 17: the devices' own settings in its database, put to use by one ``fwconsole reload``.

Read in the source of core 15.0.22, 16.0.68 and 17.0.18 and of framework 15 [H]; nobody has run a whole FreePBX for us:

* ``devices`` (id, tech) has a row for each device; ``sip`` (id, keyword, data, flags; primary key id, keyword) its settings, also those
  of chan_sip devices. Trunks keep theirs under other ids: what isn't in ``devices`` is never touched.
* ``flags`` is the place of the keyword in the form, counted from 2 on; chan_sip's file is written in that order, and 1 says "disabled".
  A keyword that we add comes last.
* Of a PJSIP device an absent or empty keyword (PHP's "0" too) means: rewrite_contact=no, force_rport=yes, rtp_symmetric=yes; direct_media
  is left to Asterisk, which means yes.
* Of a chan_sip device ``nat`` is what sip.conf knows, and yes = force_rport,comedia, route = force_rport, never = no; ``canreinvite`` is
  directmedia.
* ``fwconsole reload`` writes every file anew and reloads Asterisk, hence applies what others left waiting too: admin.need_reload is
  'true' then. It says "Reload Complete" in the PBX's language, ends with 255 for nearly every failure, and refuses ("Process is already
  running") while another one runs.

Not used, on purpose: the GraphQL mutations and ``bulkimport``. Both delete the extension and make it anew, with defaults for all that
they don't know.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence

from ansible_collections.evenport.sip.plugins.module_utils.errors import BadAnswer, DeviceError, NotApplied, PlanError, Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.box import ReloadBusy
from ansible_collections.evenport.sip.plugins.module_utils.pbx.contract import NAT_OPTIONS
from ansible_collections.evenport.sip.plugins.module_utils.pbx.shell import CommandFailed, Shell
from ansible_collections.evenport.sip.plugins.module_utils.pbx.sql import Database
from ansible_collections.evenport.sip.plugins.module_utils.pbx.sql_store import SqlStore
from ansible_collections.evenport.sip.plugins.module_utils.pbx.store import Settings

RELOAD_TIME = 300                       # seconds: a large PBX needs minutes
KEYWORDS = {"pjsip": NAT_OPTIONS, "sip": ("nat", "canreinvite")}        # tech -> its NAT settings in the table sip
MISSING = {"rewrite_contact": False, "force_rport": True, "rtp_symmetric": True, "direct_media": True}
ABBREVIATIONS = {"yes": "force_rport,comedia", "route": "force_rport", "never": "no"}
PENDING = "Changes that somebody made in FreePBX's web pages still wait for Apply Config: a reload for NAT options applies them too."

_PATH = "PATH=$PATH:/usr/sbin:/usr/local/sbin:/var/lib/asterisk/bin"    # what ssh gives often lacks these
_LOOK = f"{_PATH}; command -v fwconsole >/dev/null || exit 3"
# The status goes with the text: 255 would look like ssh's own failure. A session of its own: one that takes too long is left alone, as,
# killed, it could leave half a configuration file.
_RELOAD = f'{_PATH}; setsid fwconsole reload 2>&1; echo "; status $?"'


def pjsip_value(keyword: str, data: str | None) -> bool | None:
    """What FreePBX makes of a PJSIP device's keyword (None: no row); None for a value that Asterisk would refuse."""
    if data in (None, "", "0"):
        return MISSING[keyword]
    return {"yes": True, "true": True, "on": True, "1": True, "no": False, "false": False, "off": False}.get(data.strip().lower())


def pjsip_wanted(options: Mapping[str, bool], now: Mapping[str, str | None]) -> dict[str, str | None]:
    """Keywords of a PJSIP device; one that means the same already stays as it is, absent too."""
    return {
        keyword: now.get(keyword) if pjsip_value(keyword, now.get(keyword)) == value else _yes(value)
        for keyword, value in options.items() if keyword in NAT_OPTIONS}


def nat_words(data: str | None) -> frozenset[str] | None:
    """A chan_sip device's ``nat`` -> the words that hold, none for "no"; None: not set, so what sip.conf's [general] says."""
    if data is None or not data.strip():
        return None
    text = data.strip().lower()
    words = frozenset(word.strip() for word in ABBREVIATIONS.get(text, text).split(","))
    return frozenset() if "no" in words else words


def chan_sip_wanted(options: Mapping[str, bool], now: Mapping[str, str | None]) -> dict[str, str | None]:
    """Keywords of a chan_sip device, as FreePBX's form offers them; one that means the same already stays as it is.

    :raises PlanError: rewrite_contact and force_rport are to differ, and chan_sip has one word for both
    """
    source = {options[option] for option in ("rewrite_contact", "force_rport") if option in options}
    if len(source) > 1:
        raise PlanError("A chan_sip device has one option for rewrite_contact and force_rport: they can't differ.", "Give both the same value.")
    here = nat_words(now.get("nat"))
    words = {"force_rport": source.pop() if source else None, "comedia": options.get("rtp_symmetric")}
    wanted = frozenset(word for word, on in words.items() if (on if on is not None else word in (here or ())))
    media = (now.get("canreinvite") or "").strip().lower()
    answer: dict[str, str | None] = {}
    if set(words.values()) != {None}:
        answer["nat"] = now.get("nat") if here == wanted else {0: "no", 1: next(iter(wanted), ""), 2: "yes"}[len(wanted)]
    if "direct_media" in options:
        same = media and (media != "no") == options["direct_media"]     # nonat and update: on, with exceptions
        answer["canreinvite"] = now.get("canreinvite") if same else _yes(options["direct_media"])
    return answer


def reload_answer(text: str) -> tuple[int, str]:
    """What ``fwconsole reload`` printed, with our line behind it -> its status, and "complete", "busy" or "" as far as it says.

    :raises BadAnswer: our line is missing
    """
    said, mark, status = text.rpartition("; status ")
    if not mark or not re.fullmatch(r"[0-9]{1,3}\s*", status):
        raise BadAnswer("fwconsole reload was cut off before its end.", "Run it by hand on the PBX.")
    if "already running" in said:
        return int(status), "busy"
    return int(status), "complete" if "Reload Complete" in said else ""


class FreePbxStore(SqlStore):
    """*shell*: for fwconsole; its time limit should be :data:`RELOAD_TIME`. *patience*: seconds to wait for somebody else's reload."""

    table = "sip"

    def __init__(self, database: Database, shell: Shell, patience: float = 60) -> None:
        if database.access.engine != "mysql":
            raise PlanError("FreePBX keeps its settings in MySQL or MariaDB.", "Take engine out of sip_pbx_database.")
        super().__init__(database)
        self.shell, self.patience = shell, patience

    def read(self, names: Sequence[str]) -> dict[str, Settings]:
        """With the key ``tech``, which :meth:`wanted` needs and nobody changes."""
        self._look_for_fwconsole()
        found = self.current(names)
        strangers = [name for name in names if found.get(name, {}).get("tech") not in KEYWORDS]
        if strangers:
            raise PlanError(f"{', '.join(strangers)}: no PJSIP or chan_sip device of FreePBX, though its Asterisk has an extension of that name.",
                            "A trunk, or made by hand in a _custom file? Take it out of sip_extensions, or set its NAT option there. Nothing was written.")
        return found

    def wanted(self, options: Mapping[str, bool], now: Mapping[str, str | None]) -> dict[str, str]:
        settings = chan_sip_wanted(options, now) if now.get("tech") == "sip" else pjsip_wanted(options, now)
        return {keyword: data for keyword, data in settings.items() if data is not None}

    def expected(self, options: Mapping[str, bool]) -> dict[str, bool | None]:
        return {option: options[option] for option in NAT_OPTIONS if option in options}

    def current(self, names: Sequence[str]) -> dict[str, Settings]:
        """Device, as it is written there (the database takes 4540R for it too) -> tech and its NAT keywords.

        :raises DeviceError: one of them is there twice, so nobody knows which one counts
        """
        found: dict[str, Settings] = {}
        seen = set()
        for name, tech, keyword, data in self.database.select(
            ("d.id", "d.tech", "s.keyword", "s.data"),
            f"FROM devices d LEFT JOIN sip s ON s.id = d.id AND s.keyword IN {self.database.values(sum(KEYWORDS.values(), ()))} "
            f"WHERE d.id IN {self.database.values(names)}",
        ):
            if (name, keyword) in seen:
                raise DeviceError(f"{self.database.access} has more than one row of {keyword or 'the device'} for extension {name}.",
                                  "Save the extension in FreePBX's web page, which writes its rows anew, then run again. Nothing was written.")
            seen.add((name, keyword))
            settings = found.setdefault(name, {"tech": tech})
            if keyword in KEYWORDS.get(tech, ()):
                settings[keyword] = data or ""
        return found

    def statements(self, name: str, before: Settings, after: Settings) -> list[str]:
        answer = []
        for keyword, new in after.items():
            old = before.get(keyword)
            device, key = self.database.value(name), self.database.value(keyword)
            same = self.database.same("COALESCE(data, '')", old)
            row = f"id = {device} AND keyword = {key} AND {same}"
            if old is None:
                statement = (f"INSERT INTO sip (id, keyword, data, flags) SELECT d.id, {key}, {self.database.value(new)}, "
                             "(SELECT COALESCE(MAX(s.flags), 1) + 1 FROM sip s WHERE s.id = d.id) "
                             f"FROM devices d WHERE d.id = {device} AND NOT EXISTS (SELECT s.id FROM sip s WHERE s.id = d.id AND s.keyword = {key})")
            elif new is None:
                statement = f"DELETE FROM sip WHERE {row}"
            else:
                statement = f"UPDATE sip SET data = {self.database.value(new)} WHERE {row}"
            answer += self.database.exactly_one(statement)
        return answer

    def apply(self, extensions: Sequence[str]) -> None:
        del extensions                                  # one reload is for all of them
        end = time.monotonic() + self.patience
        while True:
            try:
                self._reload()
                return
            except ReloadBusy:
                if time.monotonic() > end:
                    raise
                time.sleep(1)

    def notes(self) -> list[str]:
        return [PENDING] if self._waiting() else []

    def _look_for_fwconsole(self) -> None:
        try:
            self.shell.run("sh", "-c", _LOOK)
        except CommandFailed as error:
            raise Unsupported(f"There is no program fwconsole on {self.shell}.", "Is it a FreePBX? Check sip_pbx_type and sip_pbx_shell.") from error

    def _reload(self) -> None:
        try:
            text = self.shell.run("sh", "-c", _RELOAD)
        except BadAnswer as error:
            raise BadAnswer(f"fwconsole reload on {self.shell} did not come to an end within {self.shell.timeout:g} s.",
                            "It may still be running: look into the PBX's log.") from error
        status, said = reload_answer(text)
        if said == "busy":
            raise ReloadBusy(f"{self.shell} is busy with another reload.", "Run again when it is done.")
        if status == 127:
            raise Unsupported(f"There is no program fwconsole on {self.shell}.", "Is it a FreePBX? Check sip_pbx_type and sip_pbx_shell.")
        if status:
            raise DeviceError(f"fwconsole reload on {self.shell} failed (status {status}).", "Run it there by hand: it says why.")
        if said != "complete" and self._waiting():      # it speaks the PBX's language; the flag doesn't
            raise NotApplied(f"fwconsole reload on {self.shell} ended, but FreePBX still waits for one.", "Run it there by hand: it says why.")

    def _waiting(self) -> bool:
        """Whether FreePBX's web pages show Apply Config."""
        rows = self.database.select(("value",), f"FROM admin WHERE variable = {self.database.value('need_reload')}")
        return any(value == "true" for (value,) in rows)


def _yes(value: bool) -> str:
    return "yes" if value else "no"
