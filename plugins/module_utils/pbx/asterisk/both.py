# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An Asterisk that may run both channel drivers beside each other, as FreePBX 15 and 16 do: each extension is one driver's, by one login."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from ansible_collections.evenport.sip.plugins.module_utils.errors import Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.model import Extension, Registration
from ansible_collections.evenport.sip.plugins.module_utils.pbx.access import Access
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.ami import AmiClient
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.chan_sip import ChanSip
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.pjsip import Asterisk
from ansible_collections.evenport.sip.plugins.module_utils.pbx.contract import Pbx

Answer = TypeVar("Answer")


class BothDrivers(Pbx):
    """PJSIP's extensions and chan_sip's. A driver that isn't loaded has none. Where a name is known to both, PJSIP's counts."""

    def __init__(self, access: Access) -> None:
        self._ami = AmiClient(access)
        self._pjsip = Asterisk(access, self._ami)
        self._drivers: list[Pbx] = [self._pjsip, ChanSip(access, self._ami)]

    def __str__(self) -> str:
        return str(self._pjsip)

    def version(self) -> str:
        return self._pjsip.version()

    def endpoints(self) -> list[str]:
        return list(dict.fromkeys(name for names in self._each(lambda driver: driver.endpoints()) for name in names))

    def extensions(self, names: Iterable[str]) -> list[Extension]:
        names, found = list(names), {}
        for answer in self._each(lambda driver: driver.extensions([name for name in names if name not in found])):
            found.update({one.extension: one for one in answer})
        return [found[name] for name in names if name in found]

    def registrations(self, known: Iterable[Extension] | None = None) -> list[Registration]:
        known = None if known is None else list(known)
        return [one for answer in self._each(lambda driver: driver.registrations(known)) for one in answer]

    def close(self) -> None:
        self._ami.close()

    def _each(self, ask: Callable[[Pbx], list[Answer]]) -> Iterator[list[Answer]]:
        """The answer of each driver that is loaded.  :raises Unsupported: none is"""
        for driver in list(self._drivers):
            try:
                yield ask(driver)
            except Unsupported:
                self._drivers.remove(driver)
                if not self._drivers:
                    raise
