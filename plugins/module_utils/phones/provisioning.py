# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server that a phone takes its settings from: one reading of what brands write in many ways, without anybody's password. No I/O."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.evenport.sip.plugins.module_utils.http.answer import printable

_PROTOCOLS = ("http", "https", "ftp", "ftps", "tftp")
_NOBODY = ("", "0.0.0.0", "::")


def owner(address: str, protocol: str = "", *, factory: str = "", protected: bool = False) -> dict[str, Any]:
    """{"server": "prov.example.net/phones", "protocol": "https", "protected": False} for Reading.provisioning; {}: no server.

    :arg address: as the phone shows it: with or without scheme, user, password, path and query. Only host, port and path are told.
    :arg protocol: what it is fetched by, where the address does not say
    :arg factory: a regular expression of the vendor's own hosts, that all its phones ask from the factory: they own nobody's phone
    :arg protected: the phone keeps what was set by hand
    """
    scheme, mark, rest = address.strip().partition("://")
    # A password may hold a slash, or anything else: all up to the last @ goes, and where a path holds an @, rather that is lost than a password told.
    server = printable(re.split(r"[?#]", (rest if mark else scheme).rpartition("@")[2], maxsplit=1)[0], 200)
    host = _host(server)
    if host in _NOBODY or (factory and re.fullmatch(factory, host)):
        return {}
    said = scheme if mark else protocol
    return {"server": server, "protocol": said.lower() if said.lower() in _PROTOCOLS else "", "protected": protected}


def _host(server: str) -> str:
    try:
        return (urlsplit("//" + server).hostname or "").lower()
    except ValueError:                          # no address of any kind, but it may mean something to the phone
        return server.lower()
