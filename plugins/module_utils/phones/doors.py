# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What main() of the modules and run() of the action plugins do: options in, a result out. The two are doors to these functions.

Here, and nowhere below, errors become results.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import Busy, CertificateRefused, EvenportError, LockedOut, Unreachable
from ansible_collections.evenport.sip.plugins.module_utils.phones.arguments import target_from, wanted_from
from ansible_collections.evenport.sip.plugins.module_utils.phones.work import configure_phone, inspect_phone


def phone_info(params: Mapping[str, Any], name: str = "", *, check_mode: bool = False, diff: bool = False) -> dict[str, Any]:
    """The task evenport.sip.phone_info. It only reads, so that check mode and diff make no difference."""
    del check_mode, diff
    try:
        found = inspect_phone(target_from(params, name))
    except EvenportError as error:
        return failure(error)
    return {"changed": False, **{key: found[key] for key in ("identity", "port_scope", "call_state", "settings", "accounts", "provisioning", "profile")}}


def phone(params: Mapping[str, Any], name: str = "", *, check_mode: bool = False, diff: bool = False) -> dict[str, Any]:
    """The task evenport.sip.phone."""
    try:
        result = configure_phone(
            target_from(params, name), wanted_from(params), check_mode=check_mode,
            when_busy=params["when_busy"], busy_timeout=params["busy_timeout"], busy_interval=params["busy_interval"],
            reboot=params["reboot"], reboot_timeout=params["reboot_timeout"],
            when_provisioned=params["when_provisioned"], in_use=params.get("in_use"), session=params.get("session"))
    except EvenportError as error:
        failed = failure(error, skip=params["when_busy"] == "skip" and isinstance(error, Busy))
        return {**failed, "session": dict(error.session)} if error.session else failed
    if diff:
        result["diff"] = {"before": result["before"], "after": result["after"]}
    return result


def failure(error: EvenportError, skip: bool = False) -> dict[str, Any]:
    """An error as a result: ``unreachable`` only while nothing has been written, since rescue and rollback never run for it."""
    result: dict[str, Any] = {"changed": error.wrote, "msg": str(error), "code": error.code}
    if skip:
        return {**result, "skipped": True}
    if isinstance(error, CertificateRefused):
        result["fingerprint"] = error.fingerprint
    if isinstance(error, LockedOut):
        result["minutes"] = error.minutes
    return {**result, "unreachable" if isinstance(error, Unreachable) and not error.wrote else "failed": True}
