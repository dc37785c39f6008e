# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NAT options that a PBX keeps as settings of its extensions, in a database or behind an API: one way to change them for all such PBXs.

A product says in a :class:`Store` where its settings are and what they are called; what "unchanged", "check mode", "prove it" and
"put back" mean is here, once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import EvenportError, NotApplied, Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.pbx.contract import (
    NatOptions,
    NatResult,
    Pbx,
    Wanted,
    add_remedy,
    effective,
    settle,
    unknown_to,
)

Settings = dict[str, "str | None"]              # the product's own name of a setting -> its value; None: not set
Changes = Mapping[str, "tuple[Settings, Settings]"]     # extension -> (the settings that differ as they were read, as they shall be)


class Store(ABC):
    """Where a product keeps the NAT options of its extensions, in its own words."""

    unproven = "Look for another place that sets them again, and into the PBX's log."      # what to do where it doesn't use what was written

    @abstractmethod
    def read(self, names: Sequence[str]) -> dict[str, Settings]:
        """extension -> its NAT settings, of those extensions that have any. One read for all of them."""

    @abstractmethod
    def wanted(self, options: Mapping[str, bool], now: Mapping[str, str | None]) -> dict[str, str]:
        """Pure. The settings that express *options* for an extension that has *now*. What the product can't express is left out.

        A value in *now* that means the same is kept as it is written.
        """

    @abstractmethod
    def expected(self, options: Mapping[str, bool]) -> dict[str, bool | None]:
        """Pure. Those of the NAT options that :meth:`Pbx.extensions` shows once the settings are in use. None: shown as not told."""

    @abstractmethod
    def write(self, changes: Changes) -> None:
        """All of *changes*, and nothing else. A setting that is no longer as it was read is somebody else's change: it stays, and this raises.

        :raises EvenportError: nothing of it is there, or not any more, or the message names the extensions where it may be; its ``wrote``
            is False only where nothing was ever there. The caller has nothing to put back then.
        """

    @abstractmethod
    def apply(self, extensions: Sequence[str]) -> None:
        """Make the PBX use what was written: one apply for all of them."""

    def notes(self) -> list[str]:
        """What a person should know about this PBX's NAT settings beside the extensions' own."""
        return []


class StoredOptions(NatOptions):
    """Compare, write what differs, apply once, prove it, or put it back. *patience*: seconds until the change must show."""

    def __init__(self, store: Store, patience: float = 15) -> None:
        self.store, self.patience = store, patience

    def set(self, pbx: Pbx, wanted: Wanted, *, check_mode: bool = False) -> NatResult:
        if wanted.options is None:
            raise Unsupported("This PBX keeps NAT options as settings of its extensions, and nobody wrote down what they were before.",
                              "state: absent is for include files. Give the options that you want.")
        names = list(dict.fromkeys(map(str, wanted.extensions)))
        unknown = unknown_to(pbx, names, pbx.endpoints(), wanted.skip_unknown)
        names = [name for name in names if name not in unknown]
        now = self.store.read(names) if names else {}
        changes = self._changes(names, wanted.options, now)
        expected = self.store.expected(wanted.options)
        idle = self._idle(pbx, [name for name in names if name not in changes], expected)
        result = NatResult(
            bool(changes or idle), unknown=unknown, applied=bool(changes or idle) and not check_mode, notes=self.store.notes(),
            before={**{name: before for name, (before, dummy) in changes.items()}, **idle},
            after={**{name: after for name, (dummy, after) in changes.items()}, **{name: dict(expected) for name in idle}})
        if result.applied:
            self._bring(pbx, changes, list(idle), expected)
        result.extensions = pbx.extensions(names)
        return result

    def _idle(self, pbx: Pbx, names: Sequence[str], expected: Mapping[str, bool | None]) -> dict[str, dict[str, Any]]:
        """Extensions whose settings are right but not in use: somebody wrote them and never applied them. What the PBX uses instead."""
        here = effective(pbx, names) if expected and names else {}
        return {
            name: {option: values[option] for option in expected} for name, values in here.items()
            if any(values[option] is not None and values[option] != value for option, value in expected.items())}

    def _changes(self, names: Sequence[str], options: Mapping[str, bool], now: Mapping[str, Settings]) -> Changes:
        changes: dict[str, tuple[Settings, Settings]] = {}
        for name in names:
            have = now.get(name, {})
            after = {setting: value for setting, value in self.store.wanted(options, have).items() if have.get(setting) != value}
            if after:
                changes[name] = ({setting: have.get(setting) for setting in after}, dict(after))
        return changes

    def _bring(self, pbx: Pbx, changes: Changes, idle: Sequence[str], expected: Mapping[str, bool | None]) -> None:
        names = [*changes, *idle]
        if changes:
            self.store.write(changes)                   # where it fails, it has put back itself what it could
        try:
            self.store.apply(names)
            self._prove(pbx, names, expected)
        except EvenportError as error:
            if changes:
                self._put_back(changes, error)
            raise

    def _prove(self, pbx: Pbx, names: Sequence[str], expected: Mapping[str, bool | None]) -> None:
        """A success message is no proof: what the PBX uses is read."""
        wrong = settle(pbx, {name: [expected] for name in names}, self.patience) if expected else []
        if wrong:
            others = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
            raise NotApplied(f"{pbx} took the NAT options, but extension {wrong[0]}{others} does not have them.",
                             self.store.unproven)

    def _put_back(self, changes: Changes, error: EvenportError) -> None:
        error.wrote = True
        try:
            self.store.write({name: (after, before) for name, (before, after) in changes.items()})
        except EvenportError as second:
            add_remedy(error, f"Putting the settings back failed too ({second.what}): check extension {', '.join(changes)}.")
            return
        try:
            self.store.apply(list(changes))
        except EvenportError:
            add_remedy(error, "The settings are as they were, but the PBX could not be told: apply its configuration.")
            return
        add_remedy(error, "The settings are as they were.")


class ByHand(NatOptions):
    """A PBX that offers nobody a way to its NAT options: nothing is done, and it is said for which extensions a person has to."""

    def __init__(self, why: str) -> None:
        self.why = why

    def set(self, pbx: Pbx, wanted: Wanted, *, check_mode: bool = False) -> NatResult:
        del check_mode
        names, known = list(dict.fromkeys(map(str, wanted.extensions))), pbx.endpoints()
        unknown = unknown_to(pbx, names, known, wanted.skip_unknown) if known else []
        here = pbx.extensions(names)
        on = {one.extension for one in here if one.rewrite_contact}
        return NatResult(unknown=unknown, extensions=here, by_hand=[name for name in names if name not in on and name not in unknown], notes=[self.why])
