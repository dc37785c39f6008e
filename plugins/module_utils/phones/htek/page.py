# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the status page of an Htek (index.htm) says. [HW] third party: a captured page of a UC902G, 2.42.6.5.45R14.

A row is two cells: the label, which is a call of JavaScript (``jscs.product_type``), and the value, which may be one too
(``jscs.account_disabled``). Rows of what this model does not have stand inside HTML comments.
"""

from __future__ import annotations

import re

from ansible_collections.evenport.sip.plugins.module_utils.http.answer import Answer, printable
from ansible_collections.evenport.sip.plugins.module_utils.http.forms import parse_page
from ansible_collections.evenport.sip.plugins.module_utils.phones.target import plain_mac

_LABEL = re.compile(r"jscs\.([0-9A-Za-z_]{1,60})")
_ROM = re.compile(r"ROM--([0-9][0-9A-Za-z.\-]{0,39})")
_PART = re.compile(r"([0-9]{1,6})\s{0,3}(day|hour|min|sec)")
_SECONDS = {"day": 86400, "hour": 3600, "min": 60, "sec": 1}


class StatusPage:
    """:arg rows: label -> value, both without ``jscs.``"""

    def __init__(self, rows: dict[str, str]) -> None:
        self.rows = rows

    @property
    def model(self) -> str:
        return printable(self.rows.get("product_type", ""), 40)

    @property
    def firmware(self) -> str:
        """The version of the ROM, out of "BOOT--...ROM--2.42.6.5.45R14(...)DSP--..."; the whole text where it looks otherwise."""
        text = self.rows.get("firmware_version", "")
        found = _ROM.search(text)
        return found.group(1) if found else printable(text, 40)

    @property
    def mac(self) -> str:
        return plain_mac(self.rows.get("mac_address", ""))

    @property
    def up_time(self) -> int | None:
        """Whole seconds since the start ("7 day(s) 23 hour(s) 32 min(s) 36 sec(s)"); None where the page does not say."""
        parts = _PART.findall(self.rows.get("system_up_time", "")[:200])
        return sum(int(number) * _SECONDS[unit] for number, unit in parts) if parts else None

    @property
    def accounts(self) -> set[int]:
        """Numbers of the accounts that this model has; empty where the page lists none."""
        found = (re.fullmatch(r"account([0-9]{1,2})", label) for label in self.rows)
        return {int(one.group(1)) for one in found if one}


def parse_status(answer: Answer) -> StatusPage:
    """Any page gives a StatusPage; without ``product_type`` it is not that of an Htek. :raises BadAnswer: no HTML at all"""
    root, dummy = parse_page(answer)
    rows: dict[str, str] = {}
    for cell in root.iter("td"):
        script = cell.find(".//script")
        value = cell.getnext()
        label = _LABEL.search(script.text or "") if script is not None else None
        if label and value is not None and label.group(1) not in rows:
            text = " ".join(value.itertext())
            called = _LABEL.search(text)
            rows[label.group(1)] = called.group(1) if called else text.strip()
    return StatusPage(rows)
