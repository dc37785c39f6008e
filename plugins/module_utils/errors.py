# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one small hierarchy of errors. Everything below main() and run() raises these; only those two turn them into results.

A message says what is wrong, where, and what to do. It never holds a password, a session token or a whole answer of a device.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class EvenportError(Exception):
    """Base of all. ``code`` is the stable finding name that reports and tests use."""

    code = "error"
    interface = ""              # of a PBX that has several: "database" or "api" where it was that one; "" is what tells the registrations
    session: Mapping[str, Any] = {}     # of a phone that keeps a web session which can't be ended: for the next visit of this run; a secret
    wrote = False               # set on the way out where the device had already been written to: such a failure is never "unreachable"

    def __init__(self, what: str, remedy: str = "") -> None:
        self.what = what
        self.remedy = remedy
        super().__init__(f"{what} {remedy}".strip())


class PlanError(EvenportError):
    """The plan or the lock can't be: refused before anything is written."""

    code = "plan_refused"


class DeviceError(EvenportError):
    """A phone or a PBX did not do what it should. Fails alone; the rest of the fleet goes on."""

    code = "device_failed"


class Unreachable(DeviceError):
    """No answer at all, before anything was written: the device is offline, the work is deferred."""

    code = "deferred"


class CertificateRefused(DeviceError):
    """TLS could not be verified. ``fingerprint`` is the SHA-256 of what the device showed, ready to be pinned."""

    code = "certificate_refused"

    def __init__(self, what: str, remedy: str = "", fingerprint: str = "") -> None:
        super().__init__(what, remedy)
        self.fingerprint = fingerprint


class AuthFailed(DeviceError):
    """The device refused the user name or password. Never tried again in the same run."""

    code = "auth_failed"


class PermissionMissing(DeviceError):
    """The login is good, but its user may not do this."""

    code = "permission_missing"


class LockedOut(DeviceError):
    """The device refuses logins for a while. ``minutes`` is None where it doesn't say how long."""

    code = "locked"

    def __init__(self, what: str, remedy: str = "", minutes: int | None = None) -> None:
        super().__init__(what, remedy)
        self.minutes = minutes


class IdentityMismatch(DeviceError):
    """The device at this address is not the one that the inventory names (another MAC)."""

    code = "identity_mismatch"


class Unsupported(DeviceError):
    """Not a device, a generation or a setting that the collection knows how to drive."""

    code = "unsupported"


class BadAnswer(DeviceError):
    """The device answered something that its protocol does not allow: rubbish, too much, or never ending."""

    code = "bad_answer"


class SessionLost(DeviceError):
    """The device ended the web session in the middle of the work."""

    code = "session_lost"


class Provisioned(DeviceError):
    """A provisioning server owns the phone and would undo what is set by hand: refused before anything is written."""

    code = "provisioned"
    found: Mapping[str, Any] = {}       # what the phone holds, as inspect_phone() gives it, where it was read only


class NotApplied(DeviceError):
    """The device said success, but reading back shows another value."""

    code = "not_applied"


class Busy(DeviceError):
    """A call is up and the change would cut it: deferred."""

    code = "deferred"
