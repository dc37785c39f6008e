# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every way to an Asterisk can do, be it the manager interface or its command line, be it PJSIP or chan_sip."""

from __future__ import annotations

import time
from abc import abstractmethod

from ansible_collections.evenport.sip.plugins.module_utils.errors import DeviceError
from ansible_collections.evenport.sip.plugins.module_utils.pbx.contract import Pbx


class AsteriskBox(Pbx):
    """An Asterisk. ``str()`` of it is for messages: where it is asked."""

    @abstractmethod
    def reload(self) -> None:
        """Make the channel driver read its files again. Asterisk answers before every extension has its new values.

        :raises ReloadBusy: another reload is running
        """

    def has_section(self, filename: str, name: str) -> bool | None:
        """Whether that file (with what it includes) defines an extension of this name; None where Asterisk doesn't say."""
        del filename, name
        return None


class ReloadBusy(DeviceError):
    """A reload is in progress already."""


def reload_in_turn(box: AsteriskBox, patience: float) -> None:
    """One reload; while Asterisk is busy with somebody else's, wait *patience* seconds for our turn."""
    end = time.monotonic() + patience
    while True:
        try:
            box.reload()
            return
        except ReloadBusy:
            if time.monotonic() > end:
                raise
            time.sleep(0.5)
