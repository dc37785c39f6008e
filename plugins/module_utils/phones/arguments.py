# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of everything that talks to a phone, declared once: modules, action plugins and the batch scan use these.

plugins/doc_fragments/phone.py mirrors them for people; a unit test keeps the two equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import EvenportError
from ansible_collections.evenport.sip.plugins.module_utils.phones.brands import BRANDS
from ansible_collections.evenport.sip.plugins.module_utils.phones.settings import SETTINGS, flatten
from ansible_collections.evenport.sip.plugins.module_utils.phones.target import Target

# How to reach the phone and who it is.
TARGET: dict[str, dict[str, Any]] = {
    "host": {"type": "str", "required": True},
    "name": {"type": "str"},
    "protocol": {"type": "str", "choices": ["https", "http"], "default": "https"},
    "port": {"type": "int"},
    "username": {"type": "str", "default": "admin"},
    "password": {"type": "str", "required": True, "no_log": True},
    "mac": {"type": "str"},
    "brand": {"type": "str", "choices": ["auto", *BRANDS], "default": "auto"},
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path"},
    "fingerprint": {"type": "str"},
    "proxy": {"type": "str", "no_log": True},       # its URL may hold a password
    "timeout": {"type": "float", "default": 10.0},
    "profile": {"type": "dict"},
}

# What the phone shall be like, and how careful to be about it.
WANTED: dict[str, dict[str, Any]] = {
    "ports": {"type": "list", "elements": "raw"},   # raw: null is a line without a port of its own, which "int" would refuse
    "random_port": {"type": "bool"},
    "nat_traversal": {"type": "str", "choices": list(SETTINGS["nat_traversal"].choices)},
    "keep_alive_interval": {"type": "int"},
    "rport": {"type": "bool"},
    "restore": {"type": "dict"},
    "when_provisioned": {"type": "str", "choices": ["refuse", "push"], "default": "refuse"},
    "in_use": {"type": "bool"},
    "when_busy": {"type": "str", "choices": ["wait", "skip", "force"], "default": "wait"},
    "busy_timeout": {"type": "float", "default": 600.0},
    "busy_interval": {"type": "float", "default": 5.0},
    "reboot": {"type": "str", "choices": ["never", "if_needed"], "default": "never"},
    "reboot_timeout": {"type": "float", "default": 180.0},
    "session": {"type": "dict", "no_log": True},
}

PHONE_INFO: dict[str, Any] = {"argument_spec": TARGET}
PHONE: dict[str, Any] = {
    "argument_spec": {**TARGET, **WANTED},
    "mutually_exclusive": [("restore", "ports")],
    "required_one_of": [("ports", "random_port", "nat_traversal", "keep_alive_interval", "rport", "restore")],
}


def target_from(params: Mapping[str, Any], name: str = "") -> Target:
    """Options -> Target. Empty text is as good as none, since inventories write it so.

    :arg name: what messages call the phone where the option ``name`` doesn't say; the host if that is empty too
    :raises EvenportError: an address, MAC or port that can't be one
    """
    timeout = float(params.get("timeout") or TARGET["timeout"]["default"])
    if not 0 < timeout <= 600:
        raise EvenportError(f"A timeout of {timeout:g} s can't work.", "Set sip_phone_timeout (option timeout) to 1 to 600 seconds.")
    verify = params.get("validate_certs")
    return Target(
        name=params.get("name") or name or str(params["host"]), host=str(params["host"]), protocol=params.get("protocol") or "https",
        port=int(params.get("port") or 0), username=params.get("username") or "admin", password=str(params.get("password") or ""),
        mac=params.get("mac") or "", brand=params.get("brand") or "auto", validate_certs=True if verify is None else bool(verify),
        ca_path=params.get("ca_path") or "", fingerprint=params.get("fingerprint") or "", proxy=params.get("proxy") or "", timeout=timeout,
        profile=params.get("profile") or {},
    )


def wanted_from(params: Mapping[str, Any]) -> dict[str, Any]:
    """Options -> settings in the user's shape (settings.py), only what is asked for; {} if nothing is.

    nat_traversal and rport go to each line that ``ports`` names (a null there is a line too), or to line 1 without ports.

    :raises EvenportError: a port that is none, a restore with unknown words
    """
    if params.get("restore"):
        flatten(params["restore"])                  # checked here, so that it fails before anybody is asked anything
        return dict(params["restore"])
    wanted: dict[str, Any] = {name: params[name] for name in ("random_port", "keep_alive_interval") if params.get(name) is not None}
    per_line = {name: params[name] for name in ("nat_traversal", "rport") if params.get(name) is not None}
    ports = params.get("ports")
    lines = []
    for number, port in enumerate(ports if ports is not None else [None], 1):
        entry = {"line": number, **({"local_port": port} if port not in (None, "") else {}), **per_line}
        if len(entry) > 1:
            lines.append(entry)
    if lines:
        wanted["lines"] = lines
    flatten(wanted)
    return wanted
