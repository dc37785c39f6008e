# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Setting the NAT options of extensions in Asterisk's files: compare, write the owned file, one reload, prove it, or put everything back.

A success message of Asterisk is no proof. What counts are the effective options afterwards, of the extensions asked for and of all
others that the owned file holds: a section that Asterisk can't place silently switches off what follows it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import DeviceError, NotApplied, PlanError, Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk import files, include_file
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.box import AsteriskBox, reload_in_turn
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.include_file import PJSIP, Dialect, Section
from ansible_collections.evenport.sip.plugins.module_utils.pbx.contract import (
    Effective,
    NatOptions,
    NatResult,
    Wanted,
    add_remedy,
    effective,
    settle,
    unknown_to,
)

Expected = Mapping[str, Sequence[Mapping[str, "bool | None"]]]      # extension -> the sets of values that are good


@dataclass(frozen=True)
class Place:
    """Where Asterisk's files are, and how they are written. *patience*: seconds for the reload to show, and for another run to finish."""

    config_dir: str = "/etc/asterisk"
    main_file: str = PJSIP.main_file
    include_file: str = PJSIP.include_file
    allow_generated: bool = False
    patience: float = 15
    dialect: Dialect = PJSIP

    def path(self, name: str) -> str:
        if os.path.basename(name) != name or not include_file.NAME.fullmatch(name):
            raise PlanError(f"{name!r} can't be the name of a file in {self.config_dir}.", "Give a plain file name.")
        return os.path.join(self.config_dir, name)


@dataclass
class _Change:
    """What would be done."""

    main: files.Saved
    owned: files.Saved
    new_main: str
    new_owned: str | None
    sections: dict[str, Section]
    pruned: list[str]
    drifted: bool                                       # the owned file is not as we would have written it
    stale: bool                                         # an extension's effective values are not the wanted ones
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)

    @property
    def writes(self) -> bool:
        return self.new_main != self.main.text or self.new_owned != self.owned.text

    @property
    def changed(self) -> bool:
        return self.writes or self.stale


class OwnedFile(NatOptions):
    """The NAT options in a file of our own, included by the last line of Asterisk's."""

    def __init__(self, place: Place) -> None:
        self.place = place

    def set(self, pbx: AsteriskBox, wanted: Wanted, *, check_mode: bool = False) -> NatResult:
        place = self.place
        options = None if wanted.options is None else place.dialect.expected(wanted.options)
        asked = list(dict.fromkeys(map(str, wanted.extensions)))
        odd = [name for name in asked if wanted.skip_unknown and not include_file.NAME.fullmatch(name)]    # one phone's trouble, not the whole PBX's
        names = [include_file.check_name(name) for name in asked if name not in odd]
        known = pbx.endpoints()
        unknown = [*(odd if options is not None else []), *unknown_to(pbx, names if options is not None else [], known, wanted.skip_unknown)]
        names = [name for name in names if name not in unknown]
        with nullcontext() if check_mode else files.locked(place.config_dir, place.patience):
            main, owned = files.read(place.path(place.main_file)), files.read(place.path(place.include_file))
            if main.text is None:
                raise Unsupported(f"{main.path} does not exist.",
                                  f"Check config_dir and main_file. An Asterisk without such a file keeps its {place.dialect.noun}s elsewhere.")
            sections = _parse(owned, place.dialect)
            asked = [name for name in {**dict.fromkeys(names), **sections} if name in set(known)]
            old = effective(pbx, asked)
            if len(old) < len(asked):
                raise DeviceError(f"{pbx} lost extensions while it was read.", "Somebody is changing its configuration. Run again.")
            change = _plan(names, options, known, old, sections, main, owned, place)
            if change.writes and include_file.is_generated(main.text) and not place.allow_generated:
                raise Unsupported(
                    f"{main.path} is rewritten by Asterisk itself (UpdateConfig, used by some web interface): the next time it would destroy the include file.",
                    "Set the NAT options in that interface, or go on at your own risk with allow_generated: true.")
            if change.changed and not check_mode:
                _apply(pbx, change, names if options is not None else [], options or {}, old, place)
        return NatResult(
            changed=change.changed, before=change.before, after=change.after, unknown=unknown, applied=change.changed and not check_mode,
            extensions=pbx.extensions([name for name in names if name in set(known)]), pruned=change.pruned, drift=change.drifted, include_file=owned.path,
            notes=_notes(change))


def _notes(change: _Change) -> list[str]:
    notes = [f"{change.owned.path} was edited by hand. Comments in it are not kept."] if change.drifted else []
    if change.pruned:
        notes.append(f"The PBX does not know {', '.join(change.pruned)} any more: taken out of {change.owned.path}.")
    return notes


def _parse(owned: files.Saved, dialect: Dialect) -> dict[str, Section]:
    try:
        return include_file.parse(owned.text or "", dialect)
    except Unsupported as error:
        raise Unsupported(f"{owned.path}: {error.what}", error.remedy) from error


def _plan(names: Sequence[str], options: Mapping[str, bool] | None, known: Sequence[str], old: Effective, sections: dict[str, Section],
          main: files.Saved, owned: files.Saved, place: Place) -> _Change:
    """Pure. An extension that has the wanted values already, from a template say, gets no section of its own."""
    kept, pruned = include_file.prune(sections, known)
    before: dict[str, Any] = {name: dict(sections[name].options) for name in pruned}
    after: dict[str, Any] = {}
    stale = False
    for name in names:
        if options is None:
            if kept.pop(name, None) is not None:
                before[name] = dict(old[name])
                after[name] = "as without evenport.sip"
            continue
        differs = any(old[name][option] != value for option, value in options.items())
        stale = stale or differs
        if differs or name in kept:
            kept[name] = replace(kept.get(name, Section()), options=dict(options))
        if differs or kept.get(name) != sections.get(name):
            before[name], after[name] = dict(old[name]), dict(options)
    text = owned.text
    new_owned = include_file.render(kept, place.dialect) if kept or text is not None else None
    try:
        new_main = include_file.with_include(main.text or "", place.include_file) if kept else main.text or ""
    except Unsupported as error:
        raise Unsupported(f"{main.path}: {error.what}", error.remedy) from error
    drifted = text is not None and text != include_file.render(sections, place.dialect)
    if new_main != main.text:
        before["include line in " + place.main_file], after["include line in " + place.main_file] = "not in place", "last line"
    if drifted:
        before[place.include_file], after[place.include_file] = "edited by hand", "as written by evenport.sip"
    return _Change(main, owned, new_main, new_owned, kept, pruned, drifted, stale, before, after)


def _apply(pbx: AsteriskBox, change: _Change, names: Sequence[str], options: Mapping[str, bool], old: Effective, place: Place) -> None:
    """Write, reload, prove. The include file comes first: the main file must never name a file that isn't there."""
    expected = {name: [dict(options)] for name in names}
    for name, section in change.sections.items():       # another one's section may have been without effect before: not our doing
        expected.setdefault(name, [{**old[name], **section.options}, old[name]])
    try:
        wrong = _write_and_reload(pbx, change, expected, place)
        ghosts = [name for name in wrong if name in names and name not in change.sections]
        if ghosts:                                      # they had the values only because a change of the files was never reloaded
            change.sections.update({name: Section(dict(options)) for name in ghosts})
            change.new_owned = include_file.render(change.sections, place.dialect)
            change.new_main = include_file.with_include(change.new_main, place.include_file)
            wrong = _write_and_reload(pbx, change, expected, place)
        if wrong:
            order = [name for name in include_file.in_order(change.sections) if name in wrong] or wrong    # the first one is the cause
            raise NotApplied(*_reason(pbx, order[0], wrong, place))
    except DeviceError as error:
        _put_back(pbx, change, old, place, error)
        raise


def _write_and_reload(pbx: AsteriskBox, change: _Change, expected: Expected, place: Place) -> list[str]:
    """Returns the extensions that did not get what is expected."""
    for path, text in ((change.owned.path, change.new_owned), (change.main.path, change.new_main)):
        if text is not None and text != files.read(path).text:
            files.write(path, text, change.main.path)
    reload_in_turn(pbx, place.patience)
    return settle(pbx, expected, place.patience) or settle(pbx, expected, 0)    # all of them again: what was right at first may have been so before the reload


def _reason(pbx: AsteriskBox, first: str, wrong: Sequence[str], place: Place) -> tuple[str, str]:
    dialect, others = place.dialect, f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
    what = f"Asterisk reloaded, but extension {first}{others} does not have the wanted NAT options."
    if pbx.has_section(place.main_file, first) is False:
        return what, (f"{place.main_file} defines no {dialect.noun} {first}: it comes from {dialect.elsewhere}. "
                      "Set the options there, or name that file as main_file.")
    return what, (f"Look for a later section of {first} that sets them again, for a {dialect.noun} of that name from {dialect.elsewhere}, "
                  f"for config_dir (does Asterisk read {place.config_dir}?), and at Asterisk's log of the reload.")


def _put_back(pbx: AsteriskBox, change: _Change, old: Effective, place: Place, error: DeviceError) -> None:
    """Both files as they were, then a reload. *error* is what goes out: it learns here how far that went."""
    error.wrote = True                                  # type: ignore[attr-defined]
    try:
        if change.writes:
            change.main.put_back(change.main.path)      # first the line that names the include file, then that file
            change.owned.put_back(change.main.path)
    except (DeviceError, OSError) as second:
        add_remedy(error, f"Putting the files back failed too ({second}): check {change.main.path} and {change.owned.path}.")
        return
    try:
        reload_in_turn(pbx, place.patience)
        left = settle(pbx, {name: [values] for name, values in old.items() if name in change.sections or name in change.before}, min(place.patience, 5))
    except DeviceError:
        add_remedy(error, "The files are as they were, but Asterisk could not be told: reload it.")
        return
    add_remedy(error, f"The files are as they were, but Asterisk still has other values for {', '.join(left)}." if left else "The files are as they were.")
