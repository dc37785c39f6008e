# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An Asterisk behind its manager interface: what is the same for every channel driver."""

from __future__ import annotations

from ansible_collections.evenport.sip.plugins.module_utils.errors import DeviceError, PermissionMissing, Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import printable
from ansible_collections.evenport.sip.plugins.module_utils.pbx.access import Access
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.ami import AmiClient, AmiRefused
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.box import AsteriskBox, ReloadBusy


class ManagerBox(AsteriskBox):
    """Logs in on construction, once, whatever comes; or shares the login *ami* of another box."""

    module: str                                             # the channel driver's, as Reload takes it
    section_filter = ""                                     # GetConfig's Filter: what a section has that defines an extension

    def __init__(self, access: Access, ami: AmiClient | None = None) -> None:
        self.access = access
        self._ami = ami or AmiClient(access)

    def __str__(self) -> str:
        return f"Asterisk at {self.access}"

    def version(self) -> str:
        try:
            return printable(self._ami.call("CoreSettings").get("asteriskversion", ""), 200)
        except (AmiRefused, PermissionMissing, Unsupported):
            return ""

    def reload(self) -> None:
        try:
            self._ami.call("Reload", {"Module": self.module})
        except AmiRefused as error:
            if "in progress" in error.message.lower():
                raise ReloadBusy(f"{self} is busy with another reload.", "Run again.") from error
            raise

    def has_section(self, filename: str, name: str) -> bool | None:
        """Whether that file (with what it includes) defines an extension of this name; None where Asterisk doesn't say.

        GetConfig answers with the section's lines, passwords too, so nothing but this one bit leaves. Where there is no such section
        Asterisk 22 answers with an error, 16 with success and no category.
        """
        fields = {"Filename": filename, "Category": name, **({"Filter": self.section_filter} if self.section_filter else {})}
        try:
            answer = self._ami.call("GetConfig", fields)
        except AmiRefused as error:
            return False if "category not found" in error.message.lower() else None
        except DeviceError:
            return None
        return any(key.startswith("category-") for key in answer)

    def close(self) -> None:
        self._ami.close()
