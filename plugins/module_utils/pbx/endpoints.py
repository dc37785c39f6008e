# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Setting the NAT options of Asterisk endpoints: compare, write the owned file, one reload, prove it, or put everything back.

A success message of Asterisk is no proof. What counts is what PJSIPShowEndpoint says afterwards, for the extensions asked for and for
all others that the owned file holds: a section that Asterisk can't place silently switches off what follows it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import DeviceError, NotApplied, PlanError, Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.model import Extension
from ansible_collections.evenport.sip.plugins.module_utils.pbx import files, include_file
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk import NAT_OPTIONS, Asterisk, ReloadBusy
from ansible_collections.evenport.sip.plugins.module_utils.pbx.include_file import Section

Effective = dict[str, dict[str, "bool | None"]]         # extension -> NAT option -> value
Expected = Mapping[str, Sequence[Mapping[str, "bool | None"]]]      # extension -> the sets of values that are good


@dataclass(frozen=True)
class Wanted:
    """*options* of the *extensions*; None: the collection's sections of these extensions go away. *skip_unknown*: leave out what the PBX doesn't know."""

    extensions: Sequence[str]
    options: Mapping[str, bool] | None
    skip_unknown: bool = False


@dataclass(frozen=True)
class Place:
    """Where Asterisk's files are. *patience*: seconds for the reload to show, and for another run to finish."""

    config_dir: str = "/etc/asterisk"
    main_file: str = "pjsip.conf"
    include_file: str = "pjsip_evenport.conf"
    allow_generated: bool = False
    patience: float = 15

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


def set_endpoints(pbx: Asterisk, wanted: Wanted, place: Place, *, check_mode: bool = False) -> dict[str, Any]:
    """Bring the extensions' NAT options to what is wanted. Unchanged: nothing is written and nothing reloaded.

    :raises DeviceError: nothing was changed, or (attribute ``wrote`` is True) the files were put back as they were
    """
    names = list(dict.fromkeys(include_file.check_name(str(name)) for name in wanted.extensions))
    known = pbx.endpoints()
    unknown = _unknown(names if wanted.options is not None else [], known, pbx, wanted.skip_unknown)
    names = [name for name in names if name not in unknown]
    with nullcontext() if check_mode else files.locked(place.config_dir, place.patience):
        main, owned = files.read(place.path(place.main_file)), files.read(place.path(place.include_file))
        if main.text is None:
            raise Unsupported(f"{main.path} does not exist.", "Check config_dir and main_file. An Asterisk without such a file keeps its endpoints elsewhere.")
        sections = _parse(owned)
        old = _effective(pbx, [name for name in {**dict.fromkeys(names), **sections} if name in set(known)])
        change = _plan(names, wanted.options, known, old, sections, main, owned, place)
        if change.writes and include_file.is_generated(main.text) and not place.allow_generated:
            raise Unsupported(
                f"{main.path} is rewritten by Asterisk itself (UpdateConfig, used by some web interface): the next time it would destroy the include file.",
                "Set the NAT options in that interface, or go on at your own risk with allow_generated: true.")
        if change.changed and not check_mode:
            _apply(pbx, change, names if wanted.options is not None else [], wanted.options or {}, old, place)
    final = pbx.extensions([name for name in names if name in set(known)])
    return {
        "changed": change.changed, "before": change.before, "after": change.after, "pruned": change.pruned, "drift": change.drifted, "unknown": unknown,
        "reloaded": change.changed and not check_mode, "include_file": owned.path, "extensions": [extension.as_dict() for extension in final],
    }


def _unknown(names: Sequence[str], known: Sequence[str], pbx: Asterisk, skip: bool) -> list[str]:
    if not known:                                       # and all sections of the owned file would be pruned
        raise DeviceError(f"Asterisk at {pbx.access} has no PJSIP endpoints at all.", "Look into its log: PJSIP may not have loaded its configuration.")
    unknown = [name for name in names if name not in set(known)]
    if unknown and not skip:
        raise PlanError(f"Asterisk at {pbx.access} does not know the extension{'s' if len(unknown) > 1 else ''} {', '.join(unknown)}.",
                        "Create it in the PBX, or correct sip_extensions. Nothing was written.")
    return unknown


def _parse(owned: files.Saved) -> dict[str, Section]:
    try:
        return include_file.parse(owned.text or "")
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
    new_owned = include_file.render(kept) if kept or text is not None else None
    try:
        new_main = include_file.with_include(main.text or "", place.include_file) if kept else main.text or ""
    except Unsupported as error:
        raise Unsupported(f"{main.path}: {error.what}", error.remedy) from error
    drifted = text is not None and text != include_file.render(sections)
    if new_main != main.text:
        before["include line in " + place.main_file], after["include line in " + place.main_file] = "not in place", "last line"
    if drifted:
        before[place.include_file], after[place.include_file] = "edited by hand", "as written by evenport.sip"
    return _Change(main, owned, new_main, new_owned, kept, pruned, drifted, stale, before, after)


def _apply(pbx: Asterisk, change: _Change, names: Sequence[str], options: Mapping[str, bool], old: Effective, place: Place) -> None:
    """Write, reload, prove. The include file comes first: the main file must never name a file that isn't there."""
    expected = {name: [dict(options)] for name in names}
    for name, section in change.sections.items():       # another one's section may have been without effect before: not our doing
        expected.setdefault(name, [{**old[name], **section.options}, old[name]])
    try:
        wrong = _write_and_reload(pbx, change, expected, place)
        ghosts = [name for name in wrong if name in names and name not in change.sections]
        if ghosts:                                      # they had the values only because a change of the files was never reloaded
            change.sections.update({name: Section(dict(options)) for name in ghosts})
            change.new_owned = include_file.render(change.sections)
            change.new_main = include_file.with_include(change.new_main, place.include_file)
            wrong = _write_and_reload(pbx, change, expected, place)
        if wrong:
            order = [name for name in change.sections if name in wrong] or wrong
            raise NotApplied(*_reason(pbx, order[0], wrong, place))
    except DeviceError as error:
        _put_back(pbx, change, old, place, error)
        raise


def _write_and_reload(pbx: Asterisk, change: _Change, expected: Expected, place: Place) -> list[str]:
    """Returns the extensions that did not get what is expected."""
    for path, text in ((change.owned.path, change.new_owned), (change.main.path, change.new_main)):
        if text is not None and text != files.read(path).text:
            files.write(path, text, change.main.path)
    _reload(pbx, place.patience)
    return _settle(pbx, expected, place.patience)


def _reason(pbx: Asterisk, first: str, wrong: Sequence[str], place: Place) -> tuple[str, str]:
    others = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
    what = f"Asterisk reloaded, but extension {first}{others} does not have the wanted NAT options."
    if pbx.has_section(place.main_file, first) is False:
        return what, (f"{place.main_file} defines no endpoint {first}: it comes from a database (realtime), pjsip_wizard.conf or another file. "
                      "Set the options there, or name that file as main_file.")
    return what, (f"Look for a later section of {first} that sets them again, for a realtime or pjsip_wizard endpoint of that name, "
                  f"for config_dir (does Asterisk read {place.config_dir}?), and at Asterisk's log of the reload.")


def _put_back(pbx: Asterisk, change: _Change, old: Effective, place: Place, error: DeviceError) -> None:
    """Both files as they were, then a reload. *error* is what goes out: it learns here how far that went."""
    error.wrote = True                                  # type: ignore[attr-defined]
    try:
        if change.writes:
            change.main.put_back(change.main.path)      # first the line that names the include file, then that file
            change.owned.put_back(change.main.path)
    except (DeviceError, OSError) as second:
        _add(error, f"Putting the files back failed too ({second}): check {change.main.path} and {change.owned.path}.")
        return
    try:
        _reload(pbx, place.patience)
        left = _settle(pbx, {name: [values] for name, values in old.items() if name in change.sections or name in change.before}, min(place.patience, 5))
    except DeviceError:
        _add(error, "The files are as they were, but Asterisk could not be told: reload res_pjsip.so.")
        return
    _add(error, f"The files are as they were, but Asterisk still has other values for {', '.join(left)}." if left else "The files are as they were.")


def _add(error: DeviceError, text: str) -> None:
    error.remedy = f"{error.remedy} {text}".strip()
    error.args = (f"{error.what} {error.remedy}",)


def _effective(pbx: Asterisk, names: Sequence[str]) -> Effective:
    return {extension.extension: _options(extension) for extension in pbx.extensions(names)}


def _options(extension: Extension) -> dict[str, bool | None]:
    return {option: getattr(extension, option) for option in NAT_OPTIONS}


def _reload(pbx: Asterisk, patience: float) -> None:
    """One reload; while Asterisk is busy with somebody else's, wait for our turn."""
    end = time.monotonic() + patience
    while True:
        try:
            pbx.reload()
            return
        except ReloadBusy:
            if time.monotonic() > end:
                raise
            time.sleep(0.5)


def _settle(pbx: Asterisk, expected: Expected, patience: float) -> list[str]:
    """Read until every extension has one of its expected sets of values (a reload works in the background). Returns those that don't."""
    end, pause, wrong = time.monotonic() + patience, 0.1, list(expected)
    while True:
        now = _effective(pbx, wrong)
        wrong = [name for name in wrong if not any(all(now.get(name, {}).get(option) == value for option, value in good.items()) for good in expected[name])]
        if not wrong or time.monotonic() > end:
            return wrong
        time.sleep(pause)
        pause = min(pause * 2, 1)
