# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A store behind an API that takes one extension at a time and knows no transactions: all or nothing is made here."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from ansible_collections.evenport.sip.plugins.module_utils.errors import DeviceError, EvenportError
from ansible_collections.evenport.sip.plugins.module_utils.pbx.contract import add_remedy
from ansible_collections.evenport.sip.plugins.module_utils.pbx.store import Changes, Settings, Store


class OneByOne(Store):
    """Each extension is read again right before it is written. Where one fails, those before it get their old settings back.

    A store lives for one change: what is written after a whole write is the way back, and stays as far as it came.
    """

    _written = False

    @abstractmethod
    def current(self, name: str) -> Settings:
        """The NAT settings of one extension, read now."""

    @abstractmethod
    def put(self, name: str, settings: Settings) -> None:
        """Send these settings of one extension (None: not set), right after :meth:`current`. Nothing else of it changes."""

    def write(self, changes: Changes) -> None:
        touched: list[str] = []                 # sent, or perhaps sent: an answer may have been lost
        try:
            for name, (before, after) in changes.items():
                now = self._now(name, after)
                if now == after:
                    continue
                if now != before:
                    raise DeviceError(f"Somebody else changed the NAT settings of extension {name} at the same moment.", "Theirs stay as they are. Run again.")
                touched.append(name)
                self.put(name, after)
        except EvenportError as error:
            if not self._written:
                self._undo(touched, changes, error)
            raise
        self._written = True

    def _now(self, name: str, settings: Settings) -> Settings:
        now = self.current(name)
        return {setting: now.get(setting) for setting in settings}

    def _undo(self, touched: Sequence[str], changes: Changes, error: EvenportError) -> None:
        """The newest first. At the first one that can't be told any more the rest is left to a person, by name."""
        for index in range(len(touched) - 1, -1, -1):
            before, after = changes[touched[index]]
            try:
                if self._now(touched[index], after) != after:
                    continue                    # it had not been taken
                error.wrote = True
                self._put_back(touched[index], before)
            except EvenportError as second:
                error.wrote = True
                add_remedy(error, f"Putting the settings back failed too ({second.what}): check extension {', '.join(touched[:index + 1])}.")
                return
        if error.wrote:
            add_remedy(error, "The settings are as they were.")

    def _put_back(self, name: str, before: Settings) -> None:
        try:
            self.put(name, before)
        except EvenportError:
            if self._now(name, before) != before:       # what counts is what is there, not what was answered
                raise
