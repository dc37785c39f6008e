# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every PBX gives, whichever it is, and what can be said about registrations without knowing the PBX.

A PBX is one file with one class. It raises the errors of ``errors.py``, returns the data types of ``model.py``, and lets nothing else
out: never a SIP password, never a whole answer.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.model import Extension, Registration

POLL_FIRST, POLL_MAX = 0.5, 1.0         # seconds between two reads while waiting: a phone re-registers within a few seconds


class Pbx(ABC):
    """One logged-in PBX. Use it as a context manager; leaving it logs out."""

    kind = ""

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

    @abstractmethod
    def close(self) -> None:
        """Log out. Never raises."""

    def __enter__(self) -> Pbx:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()


@dataclass(frozen=True)
class Shown:
    """Whether the newest registration of an extension claims its planned port. Ports are 0 where there is no registration."""

    extension: str
    planned: int
    claimed: int = 0
    seen: int = 0
    shown: bool = False

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def newest(registrations: Iterable[Registration]) -> dict[str, Registration]:
    """The registration that counts, per extension: the latest to expire; of two equal ones the one that isn't unreachable.

    A phone that changed its port leaves its old contact behind until that expires, so several per extension are normal.
    """
    best: dict[str, Registration] = {}
    for contact in registrations:
        other = best.get(contact.extension)
        if other is None or (contact.expires, contact.status != "unreachable") >= (other.expires, other.status != "unreachable"):
            best[contact.extension] = contact
    return best


def compare(registrations: Iterable[Registration], planned: Mapping[str, int]) -> list[Shown]:
    """Planned against claimed, per extension, in the order of *planned*.

    The claim decides, not what the PBX sees: a router that translates ports is the router's fault, and no reason to undo a phone.
    A phone that registers by TLS signals from its SIP port or from the next one, according to the brand.
    """
    best, answer = newest(registrations), []
    for extension, port in planned.items():
        contact = best.get(extension, Registration(extension))
        good = contact.claimed_port == port or (contact.transport == "tls" and contact.claimed_port == port + 1)
        answer.append(Shown(extension, port, contact.claimed_port, contact.seen_port, good))
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
