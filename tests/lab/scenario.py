"""The four symptoms of phones that share a port behind a poor router, measured on a site of four phones."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tests.lab.asterisk import Asterisk
from tests.lab.processes import until
from tests.lab.useragent import UserAgent

BUSY = re.compile("On the phone|Ringing")


@dataclass(frozen=True)
class Symptoms:
    """What the telephone person sees. Lists hold extensions."""

    phones: list[str]
    registered: list[str]           # 1. these phones are registered
    lamps: list[str]                # 2. these phones' BLF lamps for 103 came on, of those that watch it
    watching: list[str]
    rings: bool                     # 3. a call from 104 rings at 103 ...
    talks: bool                     # ... and is connected when 103 answers
    group_rang: list[str]           # 4. of the ring group 101, 102, 103 these rang ...
    still_ringing: list[str]        # ... and these rang on after somebody else had answered

    @property
    def good(self) -> dict[str, bool]:
        return {"register": self.registered == self.phones, "lamps": self.lamps == self.watching, "call": self.rings and self.talks,
                "group": self.group_rang == self.phones[:3] and not self.still_ringing}

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def measure(pbx: Asterisk, phones: Sequence[UserAgent], silence: float = 0.0) -> Symptoms:
    """Measure on the phones 101, 102, 103, 104, just started or not. *silence*: seconds that the router needs to forget them."""
    p101, p102, p103, p104 = phones
    until(lambda: all(phone.registered() for phone in phones), 4)
    registered = _names(phones, UserAgent.registered)
    time.sleep(0.5)                                             # the BLF subscriptions follow the registration

    # An incoming call. The router has heard all phones; 101 was the last.
    time.sleep(silence)
    _speak(p104, p103, p102, p101)
    watching = (p101, p102, p104)
    marks = {phone.extension: len(phone.log()) for phone in watching}
    began = time.monotonic()
    p104.command("dial", p103.extension)
    rings = p103.wait("CALL_INCOMING", began, 4) is not None
    answered = time.monotonic()
    if rings:
        p103.command("accept")
    talks = rings and all(phone.wait("CALL_ESTABLISHED", answered, 5) is not None for phone in (p103, p104))

    def lit(phone: UserAgent) -> bool:
        return bool(BUSY.search(phone.log()[marks[phone.extension]:]))

    until(lambda: all(map(lit, watching)), 1)
    lamps = _names(watching, lit)
    _quiet(pbx, phones)

    # A ring group, called from outside. A mobile answers it after 3 s; while it rings, 102 sends its keep-alive.
    _speak(p104, p103, p102, p101)
    began = time.monotonic()
    pbx.rx("channel originate Local/600@phones/n extension caller@phones")
    rang = [phone for phone in phones[:3] if phone.wait("CALL_INCOMING", began, began + 2 - time.monotonic()) is not None]
    p102.speak()
    time.sleep(max(0.0, began + 5.5 - time.monotonic()))        # answered at 3 s, plus what a lost CANCEL's repetitions take
    still_ringing = [phone.extension for phone in rang if phone.wait("CALL_CLOSED", began, 0) is None]
    _quiet(pbx, phones)

    return Symptoms([phone.extension for phone in phones], registered, lamps, [phone.extension for phone in watching], rings, talks,
                    [phone.extension for phone in rang], still_ringing)


def _names(phones: Sequence[UserAgent], true: Callable[[UserAgent], bool]) -> list[str]:
    return [phone.extension for phone in phones if true(phone)]


def _speak(*phones: UserAgent) -> None:
    """Each sends a packet, in this order: on a poor router the last one owns the port that they share."""
    for phone in phones:
        phone.speak()
        time.sleep(0.1)


def _quiet(pbx: Asterisk, phones: Sequence[UserAgent]) -> None:
    """End every call, on the phones and in the PBX."""
    for phone in phones:
        phone.command("hangupall")
    pbx.rx("channel request hangup all")
    until(lambda: pbx.rx("core show channels count").startswith("0 active channels"), 3)
    time.sleep(0.3)
