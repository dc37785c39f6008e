# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Endpoints that pjsip_wizard.conf makes: one section ``[101]`` of type wizard stands for endpoint, auth and aor at once.

Measured on Asterisk 22: a section ``[101](+type=endpoint)`` in pjsip.conf finds no such endpoint, and what follows it is skipped.
``[101](+type=wizard)`` in a file that pjsip_wizard.conf includes last works, with ``endpoint/`` in front of each option: over a template's
and the section's own values, after a reload of res_pjsip.so and after a cold start; registrations stay.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ansible_collections.evenport.sip.plugins.module_utils.errors import PlanError, Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk import files
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.box import AsteriskBox
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.include_file import PjsipDialect, outline
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.owned_file import OwnedFile, Place
from ansible_collections.evenport.sip.plugins.module_utils.pbx.contract import NatOptions, NatResult, Wanted, effective

_PREFIX = "endpoint/"
_DEPTH = 8                              # of files that include files


class WizardDialect(PjsipDialect):
    """pjsip_wizard.conf: PJSIP's options, each with ``endpoint/`` in front."""

    header = "[{name}](+type=wizard)"
    section = re.compile(r"\[([^\]]+)\]\s*\(\s*\+\s*type\s*=\s*wizard\s*\)")
    main_file, include_file = "pjsip_wizard.conf", "pjsip_wizard_evenport.conf"
    noun, elsewhere = "wizard", "pjsip.conf, a database (realtime) or another file"

    def lines(self, options: Mapping[str, bool]) -> list[str]:
        return [_PREFIX + line for line in super().lines(options)]

    def options(self, key: str, value: str) -> dict[str, bool] | None:
        return super().options(key[len(_PREFIX):], value) if key.startswith(_PREFIX) else None


WIZARD = WizardDialect()


def defined(folder: str, name: str = WIZARD.main_file, depth: int = 0) -> set[str]:
    """The sections that this file, with what it includes, defines; none where there is no such file. Templates and additions are none."""
    saved = files.read(os.path.join(folder, name))
    try:
        sections, included = outline(saved.text or "")
    except Unsupported as error:
        raise Unsupported(f"{saved.path}: {error.what}", error.remedy) from error
    found = set(sections)
    for pattern in included if depth < _DEPTH else ():
        for path in sorted(glob.glob(os.path.join(folder, pattern))):
            found |= defined(folder, path, depth + 1)
    return found


class PjsipFiles(NatOptions):
    """The owned file beside pjsip.conf, or the one beside pjsip_wizard.conf where that defines the extensions. *place*: as for pjsip.conf."""

    def __init__(self, place: Place, include_file: str = "") -> None:
        self.place, self.include_file = place, include_file

    def set(self, pbx: AsteriskBox, wanted: Wanted, *, check_mode: bool = False) -> NatResult:
        wizards = defined(self.place.config_dir)
        names = list(dict.fromkeys(map(str, wanted.extensions)))
        theirs = [name for name in names if name in wizards]
        place = self.place
        if theirs:
            known = set(pbx.endpoints())
            if any(name in known and name not in wizards for name in names):
                _refuse_both(pbx, theirs, wanted, place)
            else:
                place = replace(place, main_file=WIZARD.main_file, include_file=self.include_file or WIZARD.include_file, dialect=WIZARD)
        return OwnedFile(place).set(pbx, wanted, check_mode=check_mode)


def _refuse_both(pbx: AsteriskBox, theirs: Sequence[str], wanted: Wanted, place: Place) -> None:
    """Two files would be two reloads. What pjsip_wizard.conf sets right by itself is no reason to refuse.  :raises PlanError: something else is"""
    options = wanted.options
    wrong = list(theirs) if options is None else [
        name for name, values in effective(pbx, theirs).items() if any(values[option] != value for option, value in options.items())]
    if wrong:
        lines = ", ".join(WIZARD.lines(options or {})) or "its lines"
        raise PlanError(
            f"{os.path.join(place.config_dir, WIZARD.main_file)} defines {', '.join(wrong)}, and another file the other extensions.",
            f"Give the extensions of one file at a time, or set there by hand: {lines}. Nothing was written.")
