# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which logins a PBX has refused in this run: a PBX bans who asks again and again, and prolongs the ban of who asks meanwhile.

One small file for each login, in the run's own temporary folder, which all of Ansible's processes of this run share, and no other run.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from ansible import constants as C

from ansible_collections.evenport.sip.plugins.module_utils.pbx.access import Config

REFUSALS = ("auth_failed", "locked")


def logins_of(config: Config, place: list[str], interfaces: tuple[str, ...]) -> dict[str, list[Any]]:
    """interface ("", "database", "api") -> the login there, without its password: where the module runs, what is asked there, and as whom.

    The PBX's name in the inventory is no part of it, so that two names of one box count as one.

    :arg place: where the task's connection leads
    """
    access, database, api = config.access, config.database, config.api
    by_shell = config.shell if config.read_by == "cli" else ()
    logins: dict[str, list[Any]] = {"": [place, by_shell, config.type, config.read_by, _host(access.host), access.port, access.username]}
    if database:
        logins["database"] = [place, config.shell, database.engine, _host(database.host), database.port, database.socket, database.name,
                              database.username, database.run_as]
    if api:
        logins["api"] = [place, _host(api.host), api.port, api.username]
    return {interface: login for interface, login in logins.items() if interface in interfaces}


class Refusals:
    """The memories of some logins, which nobody else has at the same time: see :func:`held`."""

    def __init__(self, files: Mapping[str, TextIO]) -> None:
        self._files = files

    def earlier(self) -> dict[str, Any]:
        """The result of the task that was refused; {} if none was."""
        for file in self._files.values():
            file.seek(0)
            with contextlib.suppress(ValueError):       # empty
                return json.load(file)
        return {}

    def remember(self, result: Mapping[str, Any]) -> None:
        """Keep a module's result if it is a refusal."""
        file = self._files.get(str(result.get("interface") or ""))
        if file and result.get("code") in REFUSALS:
            file.seek(0)
            file.truncate()
            json.dump({"code": str(result["code"]), "msg": str(result["msg"]), "interface": str(result.get("interface") or "")}, file)
            file.flush()


@contextlib.contextmanager
def held(logins: Mapping[str, list[Any]]) -> Iterator[Refusals]:
    """Wait until no other task of this run is at work with one of these logins, however long that takes, and keep them for us.

    Otherwise a task of five hosts would try a wrong password five times at once, before any of them could tell the others.
    """
    paths = {interface: _path(interface, login) for interface, login in logins.items()}
    with contextlib.ExitStack() as stack:
        files = {}
        for interface, path in sorted(paths.items(), key=lambda pair: pair[1]):         # in one order, so that no two wait for each other
            files[interface] = stack.enter_context(open(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+", encoding="utf-8"))
            fcntl.flock(files[interface], fcntl.LOCK_EX)
        yield Refusals(files)


def _path(interface: str, login: list[Any]) -> Path:
    return Path(C.DEFAULT_LOCAL_TMP) / f"evenport-login-{hashlib.sha256(json.dumps([interface, login]).encode()).hexdigest()[:32]}"


def _host(host: str) -> str:
    return "127.0.0.1" if host.lower() in ("localhost", "::1") else host.lower()
