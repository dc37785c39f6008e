# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every PBX gives, whichever it is, and what can be said about registrations without knowing the PBX.

A PBX is read by a :class:`Pbx`, its NAT options are set by a :class:`NatOptions`; ``products.py`` says which two belong together.
Both raise the errors of ``errors.py``, return the data types of ``model.py``, and let nothing else out: never a SIP password, never
a whole answer.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.contacts import contact_that_counts, on_port
from ansible_collections.evenport.sip.plugins.module_utils.errors import DeviceError, EvenportError, PlanError
from ansible_collections.evenport.sip.plugins.module_utils.model import Extension, Registration

POLL_FIRST, POLL_MAX = 0.5, 1.0         # seconds between two reads while waiting: a phone re-registers within a few seconds


# The NAT options, by the names that PJSIP gives them: the words of this collection, whatever a PBX calls its own.
NAT_OPTIONS = ("rewrite_contact", "force_rport", "rtp_symmetric", "direct_media")

Effective = dict[str, dict[str, "bool | None"]]         # extension -> NAT option -> value


class Pbx(ABC):
    """The reading side: one logged-in PBX. Use it as a context manager; leaving it logs out.

    ``live``: what it shows is of now; False for a table that was exported some time ago (:meth:`as_of`), which can't prove a change.
    ``shows_ports``: it tells ports; False where registered or not is all that it tells.
    """

    live = True
    shows_ports = True

    @abstractmethod
    def version(self) -> str:
        """The PBX's own version text; empty where the user may not read it."""

    @abstractmethod
    def endpoints(self) -> list[str]:
        """The names of all extensions that the PBX knows."""

    @abstractmethod
    def extensions(self, names: Iterable[str]) -> list[Extension]:
        """The effective NAT options of these extensions, in that order; one that the PBX doesn't know is left out."""

    @abstractmethod
    def registrations(self, known: Iterable[Extension] | None = None) -> list[Registration]:
        """All contacts of the PBX, one read. *known*: what :meth:`extensions` said, if it has been asked already.

        Without *known* the PBX is asked for the option of the extensions whose contact doesn't show whether it was rewritten.
        """

    def as_of(self) -> int:
        """When what it shows was true, in seconds since the epoch; 0: now."""
        return 0

    @abstractmethod
    def close(self) -> None:
        """Log out. Never raises."""

    def __enter__(self) -> Pbx:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()


@dataclass(frozen=True)
class Wanted:
    """*options* of the *extensions*; None: what the collection set for these extensions goes away. *skip_unknown*: leave out what the PBX doesn't know."""

    extensions: Sequence[str]
    options: Mapping[str, bool] | None
    skip_unknown: bool = False


@dataclass
class NatResult:
    """What became of a :class:`Wanted`. ``before`` and ``after`` hold what differs and nothing else: they are the task's diff."""

    changed: bool = False
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)            # extensions that the PBX doesn't have
    applied: bool = False                                       # the PBX was told to use it: once
    extensions: list[Extension] = field(default_factory=list)   # read at the end
    by_hand: list[str] = field(default_factory=list)            # extensions whose NAT option only a person can set
    pruned: list[str] = field(default_factory=list)             # sections of extensions that are no more, taken out of the owned file
    drift: bool = False                                         # the owned file was not as we had written it
    include_file: str = ""
    notes: list[str] = field(default_factory=list)              # for a person, worth a warning

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "extensions": [extension.as_dict() for extension in self.extensions]}


class NatOptions(ABC):
    """The writing side: how the NAT options of a PBX's extensions are set."""

    @abstractmethod
    def set(self, pbx: Pbx, wanted: Wanted, *, check_mode: bool = False) -> NatResult:
        """Bring the extensions' NAT options to what is wanted: compare, write what differs, apply once, prove it by *pbx*, or put it back.

        Unchanged: nothing is written and nothing applied. In check mode nothing is, ever.

        :raises DeviceError: nothing was changed, or (attribute ``wrote`` is True) it was put back as it was; the message says which
        """


def effective(pbx: Pbx, names: Iterable[str]) -> Effective:
    """extension -> NAT option -> value, as the PBX has them now."""
    return {extension.extension: {option: getattr(extension, option) for option in NAT_OPTIONS} for extension in pbx.extensions(names)}


def unknown_to(pbx: Pbx, names: Sequence[str], known: Sequence[str], skip: bool) -> list[str]:
    """Those of *names* that the PBX doesn't know.  :raises PlanError: there are some and *skip* is False; DeviceError: it knows nobody at all"""
    if not known:                                       # what is wrong then is no extension's fault, and nobody's options may go away for it
        raise DeviceError(f"{pbx} has no extensions at all.", "Look into its log: it may not have loaded its configuration.")
    unknown = [name for name in names if name not in set(known)]
    if unknown and not skip:
        raise PlanError(f"{pbx} does not know the extension{'s' if len(unknown) > 1 else ''} {', '.join(unknown)}.",
                        "Create it in the PBX, or correct sip_extensions. Nothing was written.")
    return unknown


def settle(pbx: Pbx, expected: Mapping[str, Sequence[Mapping[str, bool | None]]], patience: float) -> list[str]:
    """Read until every extension has one of its *expected* sets of values (a PBX works in the background). Returns those that don't."""
    end, pause, wrong = time.monotonic() + patience, 0.1, list(expected)
    while True:
        now = effective(pbx, wrong)
        wrong = [name for name in wrong if not any(all(now.get(name, {}).get(option) == value for option, value in good.items()) for good in expected[name])]
        if not wrong or time.monotonic() > end:
            return wrong
        time.sleep(pause)
        pause = min(pause * 2, 1)


def add_remedy(error: EvenportError, text: str) -> None:
    """*error* is on its way out and learns how far the putting back went."""
    error.remedy = f"{error.remedy} {text}".strip()
    error.args = (f"{error.what} {error.remedy}",)


@dataclass(frozen=True)
class Shown:
    """Whether the newest registration of an extension claims its planned port. Ports are 0 where there is no registration.

    ``unclear``: registered, but this PBX tells only the port that it sees, and that is another one: the router's doing, or the phone's.
    """

    extension: str
    planned: int
    claimed: int = 0
    seen: int = 0
    shown: bool = False
    unclear: bool = False

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def newest(registrations: Iterable[Registration], planned: Mapping[str, int] | None = None) -> dict[str, Registration]:
    """The registration that counts, per extension, by the rule of ``contacts.py``: that of its phone, reachable rather than not, the newest.

    A phone that changed its port leaves its old contact behind until that expires, so several per extension are normal. *planned* ports
    decide between several phones of one extension.
    """
    contacts: dict[str, list[Registration]] = {}
    for contact in registrations:
        contacts.setdefault(contact.extension, []).append(contact)
    found = {extension: contact_that_counts(those, (planned or {}).get(extension, 0)) for extension, those in contacts.items()}
    return {extension: contact for extension, contact in found.items() if contact}


def compare(registrations: Iterable[Registration], planned: Mapping[str, int]) -> list[Shown]:
    """Planned against claimed, per extension, in the order of *planned*.

    The claim decides, not what the PBX sees: a router that translates ports is the router's fault, and no reason to undo a phone.
    A phone that registers by TLS signals from its SIP port or from the next one, according to the brand. A PBX that tells no port at all is
    believed that the phone is registered, and one that doesn't tell the claim, what it sees, where that is the planned port.
    """
    best, answer = newest(registrations, planned), []
    for extension, port in planned.items():
        contact = best.get(extension, Registration(extension))
        told = contact.claimed_port or contact.seen_port
        good = on_port(contact, port) or (not told and contact.status == "registered")
        unclear = not good and not contact.claimed_port and bool(contact.seen_port) and contact.status != "unreachable"
        answer.append(Shown(extension, port, contact.claimed_port, contact.seen_port, good, unclear))
    return answer


def wait_until_shown(
    pbx: Pbx, planned: Mapping[str, int], timeout: float, known: Iterable[Extension] | None = None,
    *, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep,
) -> tuple[list[Registration], list[Shown]]:
    """Read the registrations again and again, on one login, until every extension shows its planned port or *timeout* seconds are over.

    :returns: the registrations of the last read, and planned against claimed
    """
    end, pause, known = clock() + timeout, POLL_FIRST, list(known or [])
    while True:
        registrations = pbx.registrations(known)
        shown = compare(registrations, planned)
        left = end - clock()
        if all(one.shown for one in shown) or left <= 0:
            return registrations, shown
        sleep(min(pause, left))
        pause = min(pause * 1.5, POLL_MAX)
