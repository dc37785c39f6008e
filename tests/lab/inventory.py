"""The inventory that a technician with a laptop in the site would write, in a folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.lab.asterisk import Asterisk
from tests.lab.net import PBX_ADDRESS
from tests.lab.phone import PASSWORD, DeskPhone

SITE = "lab_site"


def write(folder: Path, phones: Sequence[DeskPhone], pbx: Asterisk) -> Path:
    """hosts.yml and group_vars/; the lock isn't there yet. The folder."""
    hosts = {f"phone{phone.number}": {"ansible_host": phone.address, "sip_extensions": [str(phone.number)], "sip_mac": phone.mac, **phone.variables}
             for phone in phones}
    # The PBX's files are at hand; its AMI is asked over the network, through the router.
    server = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}",
              "sip_pbx_config_dir": str(pbx.etc), "sip_pbx_host": PBX_ADDRESS, "sip_pbx_port": pbx.ami_port,
              "sip_pbx_user": pbx.ami_user, "sip_pbx_password": pbx.ami_secret}
    site = {"sip_site": SITE, "sip_pbx": "pbx", "sip_phone_protocol": "http", "sip_phone_user": "admin", "sip_phone_password": PASSWORD}
    _yaml(folder / "hosts.yml", {"all": {"children": {SITE: {"hosts": hosts}, "pbxes": {"hosts": {"pbx": server}}}}})
    _yaml(folder / "group_vars" / SITE / "main.yml", site)
    return folder


def _yaml(file: Path, data: Any) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(data, indent=2) + "\n", "utf-8")     # JSON is YAML
