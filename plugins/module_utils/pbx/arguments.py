# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a PBX is reached: the options, declared once; plugins/doc_fragments/pbx.py mirrors them, and roles give them by variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import PlanError
from ansible_collections.evenport.sip.plugins.module_utils.pbx.access import Access, Config, DatabaseAccess
from ansible_collections.evenport.sip.plugins.module_utils.pbx.products import PRODUCTS, Product

_API = {
    "host": {"type": "str", "required": True},
    "port": {"type": "int"},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path"},
    "fingerprint": {"type": "str"},
}
_DATABASE = {
    "engine": {"type": "str", "choices": ["mysql", "postgresql"]},
    "name": {"type": "str"},
    "host": {"type": "str"},
    "port": {"type": "int"},
    "socket": {"type": "path"},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "run_as": {"type": "str"},
}
PBX_OPTIONS: dict[str, dict[str, Any]] = {
    "type": {"type": "str", "choices": list(PRODUCTS), "default": "asterisk"},
    "pbx": {"type": "str"},
    "host": {"type": "str"},
    "port": {"type": "int"},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "tls": {"type": "bool", "default": False},
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path"},
    "fingerprint": {"type": "str"},
    "timeout": {"type": "float", "default": 10.0},
    "read_by": {"type": "str", "choices": ["ami", "cli", "database", "event_socket"]},
    "shell": {"type": "list", "elements": "str", "default": []},
    "database": {"type": "dict", "options": _DATABASE},
    "api": {"type": "dict", "options": _API},
    "domain": {"type": "str"},
    "profiles": {"type": "list", "elements": "str", "default": []},
    "status_file": {"type": "path"},
    "columns": {"type": "dict", "default": {}},
}

NAT_SPEC: dict[str, dict[str, Any]] = {
    **PBX_OPTIONS,
    "extensions": {"type": "list", "elements": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "unknown": {"type": "str", "choices": ["refuse", "skip"], "default": "refuse"},
    "rewrite_contact": {"type": "bool", "default": True},
    "force_rport": {"type": "bool", "default": True},
    "rtp_symmetric": {"type": "bool", "default": True},
    "direct_media": {"type": "bool", "default": False},
    "config_dir": {"type": "path", "default": "/etc/asterisk"},
    "main_file": {"type": "str"},
    "include_file": {"type": "str"},
    "allow_generated": {"type": "bool", "default": False},
    "verify_timeout": {"type": "float", "default": 15.0},
}
REGISTRATIONS_SPEC: dict[str, dict[str, Any]] = {
    **PBX_OPTIONS,
    "extensions": {"type": "list", "elements": "str", "default": []},
    "list_extensions": {"type": "bool", "default": False},
    "wait_for": {"type": "dict"},
    "wait_timeout": {"type": "float", "default": 60.0},
}

# Option <- variable of the PBX's inventory host. The roles' argument specs document them; a test compares.
PBX_VARIABLES = {**{option: f"sip_pbx_{option}" for option in PBX_OPTIONS if option != "pbx"}, "username": "sip_pbx_user"}
FILE_VARIABLES = {option: f"sip_pbx_{option}" for option in ("config_dir", "main_file", "include_file", "allow_generated")}


def config_from(params: Mapping[str, Any], *, writing: bool = False) -> Config:
    """Checked module parameters -> Config.

    :arg writing: the NAT options are to be set, which may need more than reading does
    :raises PlanError: what this type of PBX needs is missing, or a port or time can't be
    """
    product = PRODUCTS[params["type"]]
    timeout = float(params.get("timeout") or 10)
    if not 0 < timeout <= 600:
        raise PlanError(f"The timeout {timeout:g} can't be.", "It is given in seconds, up to 600.")
    read_by = params.get("read_by") or product.read_by[0]
    if read_by not in product.read_by:
        raise PlanError(f"A PBX of the type {product.name} can't be read by {read_by}.", f"Possible: {', '.join(way for way in product.read_by if way)}.")
    _require(product, params, read_by, writing)
    return Config(
        type=product.name,
        access=_access(params, product.port(bool(params.get("tls"))), timeout),
        read_by=read_by,
        shell=tuple(params.get("shell") or ()),
        database=_database(params.get("database") or {}, product) if product.engine else None,
        api=_access(params["api"], 443, timeout, tls=True) if params.get("api") else None,
        domain=params.get("domain") or "",
        profiles=tuple(params.get("profiles") or ()),
        config_dir=params.get("config_dir") or "",
        main_file=params.get("main_file") or "",
        include_file=params.get("include_file") or "",
        allow_generated=bool(params.get("allow_generated")),
        status_file=params.get("status_file") or "",
        columns={str(key): str(value) for key, value in (params.get("columns") or {}).items()},
        patience=float(params.get("verify_timeout") or 15),
    )


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


def _require(product: Product, params: Mapping[str, Any], read_by: str, writing: bool) -> None:
    """Name what is missing by its variable, as most people meet it there."""
    missing = [option for option in product.required(read_by, writing) if not params.get(option)]
    if missing:
        names = " and ".join(PBX_VARIABLES[option] for option in missing)
        raise PlanError(f"A PBX of the type {product.name} needs {names}.", f"Set it for the PBX's host (as an option of the module: {', '.join(missing)}).")


def _access(params: Mapping[str, Any], usual: int, timeout: float, tls: bool = False) -> Access:
    port = params.get("port") or usual
    if not 0 <= port <= 65535:
        raise PlanError(f"The port {port} can't be.", "Ports are 1 to 65535.")
    return Access(
        params.get("host") or "127.0.0.1", port, params.get("username") or "", params.get("password") or "", tls or bool(params.get("tls")),
        params.get("validate_certs", True), params.get("ca_path") or "", params.get("fingerprint") or "", timeout)


def _database(params: Mapping[str, Any], product: Product) -> DatabaseAccess:
    return DatabaseAccess(
        params.get("engine") or product.engine, params.get("name") or product.database, params.get("host") or "", params.get("port") or 0,
        params.get("socket") or "", params.get("username") or "", params.get("password") or "", params.get("run_as") or "")
