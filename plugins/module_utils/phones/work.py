# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The work on one phone, the same for every brand and behind every door: module, action plugin, batch scan.

read, compare, (check mode stops here), wait until nobody is on the phone, ONE write of what differs, read back.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import (
    BadAnswer,
    Busy,
    DeviceError,
    EvenportError,
    NotApplied,
    Provisioned,
    Unreachable,
    Unsupported,
)
from ansible_collections.evenport.sip.plugins.module_utils.phones.contract import Driver, Reading
from ansible_collections.evenport.sip.plugins.module_utils.phones.settings import SETTINGS, Flat, Place, flatten, unflatten
from ansible_collections.evenport.sip.plugins.module_utils.phones.target import Target
from ansible_collections.evenport.sip.plugins.module_utils.phones.visit import Visit

_GONE = "not there"             # in messages: a setting that a phone no longer shows, or not as one value for all its lines
_REFRESH = 25.0                 # seconds: a Grandstream's session ends after about 60 without a refresh
_REBOOT_POLL = 1.0              # seconds between two looks at a phone that restarts, at least; it grows to 5
_REBOOT_STARTS = 30.0           # seconds after a write: a phone that restarts at every write, and still answers from before, did not take it


def inspect_phone(target: Target, wanted: Mapping[str, Any] | None = None, *, keep_session: bool = False, when_provisioned: str = "refuse",
                  session: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Read one phone; nothing is ever written.

    :arg wanted: settings in the user's shape (settings.py); what differs is in ``drift``
    :arg keep_session: with drift, stay logged in and give ``session`` for configure_phone(): one login per phone and run
    :arg when_provisioned: "refuse": a drifted phone that a provisioning server owns raises Provisioned
    :returns: identity, port_scope, call_state (False: the phone can't say whether it is on a call), settings, accounts, provisioning,
        drift {before, after} (both {} when in order), unsupported (wanted, but this phone has no such setting),
        profile (what was found by looking, for the next visit; {} where nothing was looked for), session (None unless kept; a secret)
    """
    asked = flatten(wanted or {})
    with Visit(target, session) as visit:
        reading = visit.read()
        managed, unsupported = _managed(visit.driver, asked, reading)
        changes = _changes(managed, reading)
        visit.driver.check(changes)
        result = _report(visit.driver, reading, unsupported)
        result["call_state"] = visit.driver.call_state
        result["profile"] = visit.driver.profile()
        result["settings"] = unflatten(reading.settings)
        result["drift"] = {"before": _before(managed, reading), "after": unflatten(managed)} if changes else {"before": {}, "after": {}}
        try:
            _check_provisioning(target, changes, reading, when_provisioned)
        except Provisioned as error:
            error.found = result
            raise
        result["session"] = visit.keep() if keep_session and changes else None
        return result


def configure_phone(target: Target, wanted: Mapping[str, Any], *, check_mode: bool = False, when_busy: str = "wait", busy_timeout: float = 600.0,
                    busy_interval: float = 5.0, reboot: str = "never", reboot_timeout: float = 180.0,
                    when_provisioned: str = "refuse", in_use: bool | None = None, session: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Bring one phone to *wanted*.

    :arg when_busy: wait (at most busy_timeout s), skip (raise Busy at once) or force
    :arg reboot: "if_needed": the caller has seen that settings which the phone already holds are not in force (the PBX shows the old
        port): restart it, once and when idle. A run that changes a setting never restarts, as it can't know yet. Each call restarts.
    :arg when_provisioned: "refuse", or "push" although a provisioning server owns the phone and may undo it
    :arg in_use: what the PBX says of calls, for phones that can't say so themselves; None: nobody knows
    :arg session: of inspect_phone(keep_session=True)
    :returns: changed, identity, before, after (managed settings only), applied (none, live, rebooted), accounts, provisioning, unsupported;
        session (a secret) where the phone keeps one that can't be ended, for the next visit of this run; an error has it too
    :raises EvenportError: with ``wrote=True`` once something may have been written
    """
    asked = flatten(wanted)
    with Visit(target, session) as visit:
        driver, reading = visit.driver, visit.read()
        driver.patience = reboot_timeout
        managed, unsupported = _managed(driver, asked, reading)
        changes = _changes(managed, reading)
        restart = reboot == "if_needed" and not changes
        driver.check(changes)
        _check_provisioning(target, changes, reading, when_provisioned)
        result = _report(driver, reading, unsupported)
        result.update(changed=bool(changes) or restart, applied="none", before=_before(managed, reading), after=unflatten(managed))
        if result["changed"] and not check_mode:
            _wait_until_idle(driver, when_busy, busy_timeout, busy_interval, restart or driver.APPLY == "reboot", in_use)
            if changes:
                after = _write(driver, changes, reading)
                result["accounts"] = [asdict(account) for account in after.accounts]
                result["applied"] = "rebooted" if driver.APPLY == "reboot" else "live"
            if restart:
                _restart(driver)
                result["applied"] = "rebooted"
        if not driver.logs_out:
            result["session"] = driver.session()
        return result


def _report(driver: Driver, reading: Reading, unsupported: list[Place]) -> dict[str, Any]:
    return {"identity": driver.identity.as_dict(), "port_scope": driver.port_scope, "accounts": [asdict(account) for account in reading.accounts],
            "provisioning": dict(reading.provisioning), "unsupported": [str(place) for place in unsupported]}


def _managed(driver: Driver, asked: Flat, reading: Reading) -> tuple[Flat, list[Place]]:
    """What is asked for and there, and what is asked for and not there.

    A missing rport switch is no reason to leave a phone on a duplicate port, so it is reported and passed over; a missing line or port is one.
    Where all lines share the phone's one port, that of line 1 is it, and what the plan has for further lines is passed over.
    """
    target = driver.target
    missing = [place for place in asked if place not in reading.settings]
    lines = {place.line for place in reading.settings if place.line} | {account.number for account in reading.accounts}
    for place in missing:
        shares = driver.port_scope == "phone" and place.line > 1
        if shares and not reading.accounts:
            continue                            # a phone that doesn't list its accounts
        if place.line and place.line not in lines:
            raise Unsupported(f"{target.name}: line {place.line} is planned, but the phone has {len(lines)} (account{'s' if len(lines) != 1 else ''}).",
                              "Shorten sip_extensions of this phone, then run plan again.")
        if SETTINGS[place.setting].essential and not shares:
            raise Unsupported(f"{target.name}: this phone shows no key for {place}.", "Its firmware is not known to the collection: set the port by hand.")
    return {place: value for place, value in asked.items() if place not in missing}, missing


def _changes(managed: Flat, reading: Reading) -> Flat:
    return {place: value for place, value in managed.items() if reading.settings[place] != value}


def _check_provisioning(target: Target, changes: Flat, reading: Reading, when_provisioned: str) -> None:
    """A change that a provisioning server would undo is refused, unless the phone keeps what is set by hand or the user wants it all the same."""
    server = reading.provisioning.get("server")
    if changes and server and not reading.provisioning.get("protected") and when_provisioned != "push":
        raise Provisioned(f"{target.name}: the phone takes its settings from {server}, which would undo {', '.join(str(place) for place in changes)}; "
                          "nothing was written.",
                          "Set the port at that server, or take the server off the phone; sip_phone_when_provisioned: push writes it all the same.")


def _before(managed: Flat, reading: Reading) -> dict[str, Any]:
    return unflatten({place: reading.settings[place] for place in managed})


def _wait_until_idle(driver: Driver, when_busy: str, timeout: float, interval: float, restarts: bool, in_use: bool | None) -> None:
    """Return when a change cuts no call, or raise Busy. Of a phone that can't say the PBX may know (*in_use*); where nobody does,
    it counts as idle for a setting, not for a restart."""
    if when_busy == "force":
        return
    name = driver.target.name
    deadline, refreshed = time.monotonic() + timeout, time.monotonic()
    while True:
        state = driver.busy()
        if state is None and in_use:
            raise Busy(f"{name}: the PBX says that the phone is in use; nothing was written.", "Run again later, or set sip_phone_when_busy: force.")
        if state is None and restarts and in_use is None:
            raise Busy(f"{name}: neither the phone nor its PBX says whether it is on a call, so it is not restarted; nothing was written.",
                       "Name its PBX (sip_pbx), or restart it by hand, or set sip_phone_when_busy: force.")
        if not state:
            return
        left = deadline - time.monotonic()
        if when_busy == "skip" or left <= 0:
            waited = "" if when_busy == "skip" else f" after {timeout:g} s"
            raise Busy(f"{name}: the phone is in use ({state}){waited}; nothing was written.", "Run again later, or set sip_phone_when_busy: force.")
        time.sleep(min(interval, left))
        if time.monotonic() - refreshed >= _REFRESH:
            driver.keep_alive()
            refreshed = time.monotonic()


def _write(driver: Driver, changes: Flat, before: Reading) -> Reading:
    """Write once, read back. What was there before is put back where that fails."""
    unclear: EvenportError | None = None
    try:
        driver.write(changes)
    except (Unreachable, BadAnswer) as error:
        unclear = error                         # it may have arrived: only reading tells, sending again never does
    try:
        after = _read_back(driver, changes)
        wrong = [place for place, value in changes.items() if after.settings.get(place, _GONE) != value]
        if not wrong:
            return after
        names = ", ".join(f"{place} is {after.settings.get(place, _GONE)!r} instead of {changes[place]!r}" for place in wrong)
        said = f"{_unnamed(driver, unclear)} Reading" if unclear else "the phone said success, but reading"
        failure: EvenportError = NotApplied(f"{driver.target.name}: {said} back shows: {names}.",
                                            "Has this user the right to change it, or does a provisioning server own the phone? "
                                            + _put_back(driver, changes, before, after))
    except EvenportError as error:
        written = ", ".join(str(place) for place in changes)
        failure = type(error)(f"{driver.target.name}: wrote {written}, but could not read it back: {_unnamed(driver, error)}",
                              _put_back(driver, changes, before, None, gone=isinstance(error, Unreachable)))
    failure.wrote = True
    raise failure


def _unnamed(driver: Driver, error: EvenportError) -> str:
    """What an error says, without the phone's name in front: the sentence around it has that."""
    return error.what.removeprefix(f"{driver.target.name}: ")


def _read_back(driver: Driver, changes: Flat) -> Reading:
    """What the phone holds after a write. One that restarts at every write is read once it is back; one that should and plainly does not
    (it answers, and holds something else) is read as it is."""
    if driver.APPLY != "reboot":
        return driver.read()
    patience = min(_REBOOT_STARTS, driver.patience / 2)
    if not _back(driver, patience):
        try:
            reading = driver.read()
            if any(reading.settings.get(place) != value for place, value in changes.items()):
                return reading
        except (Unreachable, BadAnswer):
            pass                                # it is on its way
        if not _back(driver, driver.patience - patience):
            raise DeviceError(f"the phone did not come back from its restart within {driver.patience:g} s.")
    return driver.read()


def _put_back(driver: Driver, changes: Flat, before: Reading, after: Reading | None, gone: bool = False) -> str:
    """Best effort with the session that there is; the sentence that tells how it went. Nobody waits for a phone that is *gone* a second time."""
    old = {place: before.settings[place] for place in changes if after is None or after.settings.get(place, _GONE) != before.settings[place]}
    if not old:
        return "All settings are as they were."
    listed = ", ".join(f"{place} {value!r}" for place, value in old.items())
    if gone:
        return f"What was there before is not put back, as the phone does not answer: check it when it is up (it had {listed})."
    if after is None and driver.APPLY == "reboot":
        return f"It is not restarted a second time to put back what was there before: check the phone (it had {listed})."
    try:
        with suppress(Unreachable, BadAnswer):  # it may have arrived: reading tells
            driver.write(old)
        shown = _read_back(driver, old).settings
    except EvenportError:
        return f"Putting back what was there before failed too: check the phone (it had {listed})."
    if any(shown.get(place, _GONE) != value for place, value in old.items()):
        return f"Putting back what was there before had no effect: check the phone (it had {listed})."
    return "What was there before has been put back."


def _restart(driver: Driver) -> None:
    """One restart, never two. Waits until the phone's web page is back."""
    try:
        driver.reboot()
        if not _back(driver, driver.patience):
            raise DeviceError(f"{driver.target.name}: asked to restart, but not back within {driver.patience:g} s.",
                              "Look at the phone; it is not restarted a second time.")
    except EvenportError as error:
        error.wrote = True
        raise


def _back(driver: Driver, timeout: float) -> bool:
    """Wait until the phone has been down and is up again. False: not within *timeout*."""
    deadline, pause = time.monotonic() + timeout, min(_REBOOT_POLL, timeout / 10)
    while not driver.restarted():
        if time.monotonic() >= deadline:
            return False
        time.sleep(pause)
        pause = min(pause * 1.3, 5.0)
    return True
