# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways to read a phone that are compared: plays, and (run as a program) a thread pool without Ansible.

Each play does one thing to every host of the group "sites" or of --limit.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.bench.site import CHECKOUT, PASSWORD, WEB_PORT, read_phones

_PHONE = f"""
        host: "{{{{ ansible_host }}}}"
        port: {WEB_PORT}
        protocol: http
        password: "{{{{ sip_phone_password }}}}"
        mac: "{{{{ sip_mac }}}}"
"""

EMPTY = " []\n"

FLOOR = """
    - name: Nothing
      ansible.builtin.debug:
        msg: nothing
"""

SCAN = """
    - name: Read every phone in one task
      evenport.sip.phone_scan:
"""

HOST_TASK = f"""
    - name: Read this phone, in Ansible's worker
      evenport.sip.phone_info:{_PHONE}"""

# The same module file, beside the playbook: there no action plugin stands before it, so that Ansible runs it as it runs any module.
MODULE = f"""
    - name: Read this phone, in a Python process of its own
      ansible.legacy.phone_info:{_PHONE}"""

# What a person would write for a GXP16xx; it leaves out two of our six requests (which generation, is it locked).
_WEB = "http://{{ ansible_host }}:" + str(WEB_PORT)
_COOKIE = "session-identity={{ login.json.body.sid }}; session-role=admin"
_URI = """
    - name: {name}
      ansible.builtin.uri:
        url: "{web}/cgi-bin/{path}"
        method: {method}
        headers: {{"Referer": "{web}/", "Origin": "{web}", "Cookie": "{cookie}"}}
        body_format: form-urlencoded
        body: {body}
        return_content: true
      register: {register}
"""
URI = "".join(
    _URI.format(web=_WEB, name=name, path=path, method=method, cookie=cookie, body=body, register=name.split()[-1]) for name, method, path, cookie, body in (
        ("Ask for the model", "GET", "api.values.get?request=phone_model:P67:P68", "", "{}"),
        ("Open a session with a login", "POST", "dologin", "", '{"password": "{{ sip_phone_password }}"}'),
        ("Read the settings", "POST", "api.values.get", _COOKIE, '{"request": "P40:P413:P52:P414:P78:P84:P271:P401:P35", "sid": "{{ login.json.body.sid }}"}'),
        ("End the session with a logout", "POST", "dologout", _COOKIE, '{"sid": "{{ login.json.body.sid }}"}'),
    )) + """
    - name: Was it read?
      ansible.builtin.assert:
        that: settings.json.body.P40 == '5060'
        quiet: true
"""


def write_play(folder: Path, name: str, tasks: str) -> Path:
    path = folder / f"{name}.yml"
    path.write_text(f"- name: {name}\n  hosts: sites\n  gather_facts: false\n  connection: local\n  vars:\n"
                    f"    ansible_python_interpreter: \"{{{{ ansible_playbook_python }}}}\"\n  tasks:{tasks}", encoding="utf-8")
    library = folder / "library"
    library.mkdir(exist_ok=True)
    if not (library / "phone_info.py").exists():
        (library / "phone_info.py").symlink_to(CHECKOUT / "plugins/modules/phone_info.py")
    return path


def pool(inventory: Path, phones: int, workers: int = 50) -> None:
    """What the scan does without Ansible: the floor of our own code."""
    from ansible_collections.evenport.sip.plugins.module_utils.phones.target import Target
    from ansible_collections.evenport.sip.plugins.module_utils.phones.work import inspect_phone
    targets = [
        Target(name=name, host=host["ansible_host"], protocol="http", port=WEB_PORT, password=PASSWORD, mac=host["sip_mac"])
        for name, host in list(read_phones(inventory).items())[:phones]]
    with ThreadPoolExecutor(workers) as threads:
        models = [reading["identity"]["model"] for reading in threads.map(inspect_phone, targets)]
    print(json.dumps({"read": len(models)}))


if __name__ == "__main__":
    pool(Path(sys.argv[1]), int(sys.argv[2]))
