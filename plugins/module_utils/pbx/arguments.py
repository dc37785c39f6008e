# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the manager interface, declared once; plugins/doc_fragments/ami.py mirrors them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import PlanError
from ansible_collections.evenport.sip.plugins.module_utils.pbx.access import Access

AMI_OPTIONS: dict[str, dict[str, Any]] = {
    "host": {"type": "str", "default": "127.0.0.1"},
    "port": {"type": "int"},
    "username": {"type": "str", "required": True},
    "password": {"type": "str", "required": True, "no_log": True},
    "tls": {"type": "bool", "default": False},
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path"},
    "fingerprint": {"type": "str"},
    "timeout": {"type": "float", "default": 10.0},
}


def access_from(params: Mapping[str, Any]) -> Access:
    """Checked module parameters -> Access.  :raises PlanError: a port or time that can't be"""
    tls, port, timeout = bool(params.get("tls")), params.get("port"), float(params.get("timeout") or 10)
    if port is None:
        port = 5039 if tls else 5038
    if not 1 <= port <= 65535:
        raise PlanError(f"The manager port {port} can't be.", "Ports are 1 to 65535.")
    if not 0 < timeout <= 600:
        raise PlanError(f"The timeout {timeout:g} can't be.", "It is given in seconds, up to 600.")
    return Access(params["host"], port, params["username"], params["password"], tls, params.get("validate_certs", True),
                  params.get("ca_path") or "", params.get("fingerprint") or "", timeout)


def ports_from(wanted: Mapping[Any, Any] | None) -> dict[str, int]:
    """``wait_for`` -> extension (a text, though YAML may have read a number) -> port. An extension without a port is left out.

    :raises PlanError: something that is no port
    """
    ports = {}
    for extension, port in (wanted or {}).items():
        if port in (None, ""):
            continue
        if isinstance(port, bool) or not str(port).isascii() or not str(port).isdigit() or not 1 <= int(port) <= 65535:
            raise PlanError(f"wait_for: {port!r} is no port for extension {extension}.", "Ports are 1 to 65535.")
        ports[str(extension)] = int(port)
    return ports
