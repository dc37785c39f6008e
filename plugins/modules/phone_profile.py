#!/usr/bin/python
# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: phone_profile
short_description: Learn from a browser's recording how a phone's web page sets the local SIP port
version_added: 0.1.0
author:
  - evenport.sip contributors (@evenport)
description:
  - For phones that no driver of this collection knows, and whose pages are built by scripts.
  - Somebody logs in to one such phone with a browser, changes the local SIP port of one line once, and saves what the developer tools have recorded
    as a HAR file. This module makes a profile of it. With that, M(evenport.sip.phone), M(evenport.sip.phone_info) and the rollout drive all phones of that
    model.
  - Talks to no phone.
  - Every value that the page sent must have an origin. It comes from the phone itself (a token, the other settings of the account), from the inventory
    (user name, password, port), or from the page's own scripts, which are the same on all phones of a model. If one does not, the profile is refused, and
    RV(not_understood) says why.
  - No password, token, cookie or account of the recorded phone gets into the profile or the result. The recording itself is full of them. Keep it private
    and delete it.
options:
  har:
    description: The recording, a HAR file with content, on the machine where the task runs.
    type: path
    required: true
  username:
    description: User name that was used while recording.
    type: str
    default: admin
  password:
    description:
      - Password that was used while recording. It is needed to find where it goes and how the page changes it before it is sent.
      - It should be no common word, as it is looked for everywhere in the recording.
    type: str
    required: true
  old_port:
    description: The local SIP port before it was changed in the recording.
    type: int
    required: true
  new_port:
    description: The local SIP port that was saved in the recording. It should stand nowhere else on the page.
    type: int
    required: true
  line:
    description: The line whose port was changed. The profile drives this line and no other.
    type: int
    default: 1
  scope:
    description: V(line) if each line has a port of its own on this model, V(phone) if all lines share one.
    type: str
    choices: [line, phone]
    default: line
  apply:
    description: V(reboot) if this model restarts by itself after the port has been saved.
    type: str
    choices: [live, reboot]
    default: live
  name:
    description: What to call the profile. Default is the title of the phone's page.
    type: str
  mac:
    description:
      - MAC address of the recorded phone. With it, the place where the page shows it is learned, so that O(evenport.sip.phone#module:mac) can be checked.
    type: str
  dest:
    description:
      - Write the profile to this YAML file.
      - Nothing is written where the recording is not understood.
    type: path
extends_documentation_fragment:
  - evenport.sip.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
requirements:
  - PyYAML
  - jmespath
  - lxml, for pages with forms
seealso:
  - module: evenport.sip.phone
"""

EXAMPLES = r"""
- name: Make a profile of a recording
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Learn how the Acme N40 is driven
      evenport.sip.phone_profile:
        har: ~/Downloads/acme-n40.har
        password: "{{ vault_acme_recording_password }}"
        old_port: 5060
        new_port: 5078
        mac: 00:11:22:33:44:55
        dest: "{{ playbook_dir }}/profiles/acme-n40.yml"

# group_vars/acme_n40.yml:
# sip_phone_profile: "{{ lookup('ansible.builtin.file', 'profiles/acme-n40.yml') | from_yaml }}"
"""

RETURN = r"""
profile:
  description: The profile, as for O(evenport.sip.phone#module:profile).
  type: dict
  returned: success
  sample: {"profile": 1, "kind": "learned", "name": "Acme N40"}
confidence:
  description: For each step, how sure it is (V(high), V(medium), V(low)) and why.
  type: list
  elements: dict
  returned: success
  sample: [{"step": "read: GET /api/accounts/1", "confidence": "high", "why": "The same request, asked after the saving, shows the new port there."}]
left_out:
  description: What of the recording is not in the profile and need not be.
  type: list
  elements: str
  returned: always
  sample: ["GET /api/accounts/1: query field _ is the time, it is made anew for each request."]
not_understood:
  description: What could not be understood, one sentence each. Empty if there is a profile.
  type: list
  elements: str
  returned: always
  sample: []
dest:
  description: Where the profile is, if O(dest) was given.
  type: str
  returned: success and O(dest) given
  sample: profiles/acme-n40.yml
code:
  description: V(not_understood), or V(error) where the file is no recording at all.
  type: str
  returned: failure
  sample: not_understood
"""

import os
import tempfile
from typing import Any

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ansible_collections.evenport.sip.plugins.module_utils.errors import EvenportError
from ansible_collections.evenport.sip.plugins.module_utils.har.learn import Wanted, learn

try:
    import yaml
except ImportError:
    yaml = None

ARGUMENTS: dict[str, dict[str, Any]] = {
    "har": {"type": "path", "required": True},
    "username": {"type": "str", "default": "admin"},
    "password": {"type": "str", "required": True, "no_log": True},
    "old_port": {"type": "int", "required": True},
    "new_port": {"type": "int", "required": True},
    "line": {"type": "int", "default": 1},
    "scope": {"type": "str", "choices": ["line", "phone"], "default": "line"},
    "apply": {"type": "str", "choices": ["live", "reboot"], "default": "live"},
    "name": {"type": "str"},
    "mac": {"type": "str"},
    "dest": {"type": "path"},
}

HEADER = "# How one model of phone is driven: made by evenport.sip.phone_profile from a recording (docs/profiles.md). Holds no secret.\n---\n"


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    if yaml is None:
        module.fail_json(msg=missing_required_lib("PyYAML"), code="error", not_understood=[], left_out=[])
    given = module.params
    try:
        text = read(given["har"])
        lesson = learn(text, Wanted(given["username"], given["password"], given["old_port"], given["new_port"], given["line"], given["scope"], given["apply"],
                                    given["name"] or "", given["mac"] or ""))
    except EvenportError as error:
        module.fail_json(msg=str(error), code=error.code, not_understood=[], left_out=[])
    if lesson.not_understood:
        module.fail_json(msg="The recording could not be understood, so there is no profile and nothing was written: " + " ".join(lesson.not_understood),
                         code="not_understood", not_understood=lesson.not_understood, left_out=lesson.left_out)
    result: dict[str, Any] = {"changed": False, "profile": lesson.profile, "confidence": lesson.confidence, "left_out": lesson.left_out, "not_understood": []}
    if given["dest"]:
        result.update(store(module, given["dest"], HEADER + yaml.safe_dump(lesson.profile, sort_keys=False, allow_unicode=True, width=150)))
    module.exit_json(**result)


def read(path: str) -> str:
    """:raises EvenportError: it can't be read"""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError as error:
        raise EvenportError(
            f"The recording {path} can't be read: {error.strerror}.", "Give the path of a HAR file on the machine where the task runs."
        ) from error


def store(module: AnsibleModule, path: str, text: str) -> dict[str, Any]:
    """Write the profile where it differs from what is there."""
    before = ""
    if os.path.exists(path):
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                before = file.read()
        except OSError as error:
            module.fail_json(msg=f"{path} can't be read: {error.strerror}.", code="error", not_understood=[], left_out=[])
    if before != text and not module.check_mode:
        try:
            handle, draft = tempfile.mkstemp(dir=module.tmpdir)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            module.atomic_move(draft, path)
        except OSError as error:
            module.fail_json(msg=f"{path} can't be written: {error.strerror}.", code="error", not_understood=[], left_out=[])
    diff = {"diff": {"before": before, "after": text, "before_header": path, "after_header": path}} if module._diff else {}
    return {"changed": before != text, "dest": path, **diff}


if __name__ == "__main__":
    main()
