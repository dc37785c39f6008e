#!/usr/bin/python
# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: phone_info
short_description: Read the identity and the SIP port settings of an IP phone through its web page
version_added: 0.1.0
author:
  - evenport.sip contributors (@evenport)
description:
  - Recognises a phone, checks its MAC address, logs in once, reads and logs out.
  - Returns what M(evenport.sip.phone) can set, for all lines that the phone has. Changes nothing and returns no secrets.
  - Runs inside the Ansible worker, and on another host with C(delegate_to), like M(evenport.sip.phone).
extends_documentation_fragment:
  - evenport.sip.phone
  - evenport.sip.attributes
  - evenport.sip.attributes.info_module
seealso:
  - module: evenport.sip.phone
"""

EXAMPLES = r"""
- name: Read a phone
  evenport.sip.phone_info:
    host: 192.0.2.21
    password: "{{ vault_phone_password }}"
  register: found

- name: Show where its lines signal from
  ansible.builtin.debug:
    msg: "{{ found.identity.model }} line {{ item.line }}: {{ item.local_port }}"
  loop: "{{ found.settings.lines }}"

- name: Look for the local SIP port on the page of a phone that nobody knows
  evenport.sip.phone_info:
    host: 192.0.2.22
    password: "{{ vault_phone_password }}"
    brand: form
  register: unknown_phone

- name: Save the place for all phones of this model
  ansible.builtin.copy:
    content: "{{ unknown_phone.profile | to_nice_yaml }}"
    dest: "{{ inventory_dir }}/profiles/acme-t20.yml"
    mode: "0644"
  delegate_to: localhost
"""

RETURN = r"""
identity:
  description: What the phone says of itself.
  type: dict
  returned: success
  sample: {"brand": "grandstream", "generation": "G3", "model": "GXP2170", "firmware": "1.0.11.106", "mac": "000b82123456"}
port_scope:
  description: V(line) if each line has a local SIP port, V(phone) if all share the one of line 1.
  type: str
  returned: success
  sample: line
call_state:
  description: Whether this phone can say that somebody is on it. Where V(false), only the PBX knows.
  type: bool
  returned: success
  sample: true
settings:
  description: All settings that the collection knows and this phone has.
  type: dict
  returned: success
  sample:
    random_port: false
    keep_alive_interval: 20
    lines: [{"line": 1, "local_port": 5060, "nat_traversal": "none", "rport": true}]
accounts:
  description: All SIP accounts of the phone, the unused ones too.
  type: list
  elements: dict
  returned: success
  sample: [{"number": 1, "active": true, "local_port": 5060, "user": "101"}]
provisioning:
  description: The server that the phone fetches its configuration from. Empty if none is set. C(protected) is true where the phone keeps what was set by hand.
  type: dict
  returned: success
  sample: {"server": "prov.example.com/phones", "protocol": "https", "protected": false}
profile:
  description:
    - Where the field of the local SIP port was found, with O(brand=form). Save it and give it to O(profile), and nothing is looked for again.
    - Empty for brands that need no looking.
  type: dict
  returned: success
  sample: {}
code:
  description: Stable name of what went wrong, as of M(evenport.sip.phone).
  type: str
  returned: failure
  sample: auth_failed
fingerprint:
  description: The fingerprint of the certificate that the phone shows.
  type: str
  returned: when RV(code=certificate_refused)
  sample: sha256:4f5e2a3f0d5b7c1e9a8b6c4d2e0f1a3b5c7d9e8f6a4b2c0d1e3f5a7b9c8d6e4f
minutes:
  description: For how long the phone refuses logins, V(null) if it does not say.
  type: int
  returned: when RV(code=locked)
  sample: 5
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.evenport.sip.plugins.module_utils.phones import doors
from ansible_collections.evenport.sip.plugins.module_utils.phones.arguments import PHONE_INFO


def main() -> None:
    module = AnsibleModule(supports_check_mode=True, **PHONE_INFO)
    result = doors.phone_info(module.params)
    if result.get("failed"):
        module.fail_json(**result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
