#!/usr/bin/python
# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: phone
short_description: Set the local SIP ports of an IP phone through its web page
version_added: 0.1.0
author:
  - evenport.sip contributors (@evenport)
description:
  - Gives each line (SIP account) of a phone its local SIP port, and sets what keeps that port open through a router.
  - Reads the phone, compares, writes only what differs in one request, and reads it back. A phone that is in order is only read.
  - Logs in once and always logs out. Never writes to or restarts a phone during a call, unless told so with O(when_busy=force).
  - Supports Grandstream, Yealink, Poly, Htek, Fanvil, Snom, Cisco and their rebrands, and finds out brand and generation itself. On any other phone with a
    web page the field of the local SIP port is looked for (O(brand=form)) or taken from a O(profile). The table of models is in the collection's README.
  - Some phones have one local SIP port for all their lines. There the first of O(ports) is it, and the others are named in RV(unsupported).
  - Runs inside the Ansible worker, without a new Python process per phone. With C(delegate_to) a host whose connection is not
    C(local), it runs on that host as a module, which helps where only a machine inside the site reaches the phones.
options:
  ports:
    description:
      - Local SIP port of line 1, 2, and so on. V(null) is a line without a port of its own, whose port is left alone.
      - Ports of further accounts are not changed.
    type: list
    elements: raw
  random_port:
    description: Whether the phone picks a random local port, which makes O(ports) useless. Normally V(false).
    type: bool
  nat_traversal:
    description: How the lines keep their way through the router. For each line that O(ports) names, or line 1 without O(ports).
    type: str
    choices: [none, stun, keep_alive, upnp, auto, vpn]
  keep_alive_interval:
    description: Seconds between two keep-alive packets. Brands take different ranges; Grandstream 10 to 160.
    type: int
  rport:
    description: Ask the PBX to answer to the port that packets come from (C(rport), RFC 3581). For the same lines as O(nat_traversal).
    type: bool
  restore:
    description: Put settings back. Takes RV(before) of an earlier result as it is. Replaces all options above.
    type: dict
  when_provisioned:
    description:
      - What to do with a phone that takes its settings from a provisioning server, which would undo the change.
      - V(refuse) fails with RV(code=provisioned) if something has to change. A phone that is in order, or that keeps what was set by hand, is not refused.
      - V(push) writes all the same.
    type: str
    choices: [refuse, push]
    default: refuse
  in_use:
    description:
      - Whether somebody is on the phone, as far as its PBX knows. For brands whose web page does not tell (RV(evenport.sip.phone_info#module:call_state)).
      - Without it such a phone takes settings that apply at once, but nothing that restarts it.
    type: bool
  when_busy:
    description:
      - What to do while somebody is on the phone and something has to change.
      - V(wait) waits up to O(busy_timeout), then fails with RV(code=deferred).
      - V(skip) skips the task at once.
      - V(force) does not look. The call may be cut.
    type: str
    choices: [wait, skip, force]
    default: wait
  busy_timeout:
    description: Seconds to wait for the end of a call.
    type: float
    default: 600.0
  busy_interval:
    description: Seconds between two looks at a phone that is in use.
    type: float
    default: 5.0
  reboot:
    description:
      - V(if_needed) restarts a phone that already holds all wanted settings. Use it only after the PBX still shows the old port,
        since each run with it restarts the phone. A run that changes a setting does not restart, as only the PBX can tell that it must.
      - The phone is restarted once, never during a call, and is waited for.
    type: str
    choices: [never, if_needed]
    default: never
  reboot_timeout:
    description: Seconds to wait for the phone's web page after a restart.
    type: float
    default: 180.0
  session:
    description: A web session that an earlier step of the same run has left open. For the roles of this collection.
    type: dict
extends_documentation_fragment:
  - evenport.sip.phone
  - evenport.sip.attributes
attributes:
  check_mode:
    support: full
    details: Nothing that changes a phone is sent. It logs in, reads and logs out.
  diff_mode:
    support: full
    details: Shows the managed settings only.
  idempotent:
    support: partial
    details: With O(reboot=if_needed) each run restarts the phone.
seealso:
  - module: evenport.sip.phone_info
  - module: evenport.sip.pbx_registrations_info
"""

EXAMPLES = r"""
- name: Two lines on ports of their own
  evenport.sip.phone:
    host: 192.0.2.21
    password: "{{ vault_phone_password }}"
    mac: 00:0B:82:12:34:56
    fingerprint: sha256:4f5e2a3f0d5b7c1e9a8b6c4d2e0f1a3b5c7d9e8f6a4b2c0d1e3f5a7b9c8d6e4f
    ports: [5060, 5062]
    random_port: false
    nat_traversal: keep_alive
    keep_alive_interval: 20
    rport: true
  register: pushed

- name: Put back what was there before
  evenport.sip.phone:
    host: 192.0.2.21
    password: "{{ vault_phone_password }}"
    restore: "{{ pushed.before }}"

- name: Through an SSH tunnel into the site (ssh -D 1080 box.acme.example), old phone with http
  evenport.sip.phone:
    host: 192.168.1.22
    protocol: http
    proxy: socks5h://127.0.0.1:1080
    password: "{{ vault_phone_password }}"
    ports: [5064]

- name: From a machine inside the site
  evenport.sip.phone:
    host: 192.168.1.22
    password: "{{ vault_phone_password }}"
    ports: [5064]
  delegate_to: box.acme.example
"""

RETURN = r"""
before:
  description: The managed settings as they were. Can be given to O(restore).
  type: dict
  returned: success
  sample: {"random_port": false, "lines": [{"line": 1, "local_port": 5060, "nat_traversal": "none", "rport": true}]}
after:
  description: The managed settings as they are now, or would be in check mode. Read back from the phone.
  type: dict
  returned: success
  sample: {"random_port": false, "lines": [{"line": 1, "local_port": 5064, "nat_traversal": "keep_alive", "rport": true}]}
applied:
  description:
    - How the change came into force.
    - V(live) means that the phone took it without a restart. Whether it registers from the new port only the PBX knows.
  type: str
  returned: success
  sample: live
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
accounts:
  description: All SIP accounts of the phone, the unused ones too.
  type: list
  elements: dict
  returned: success
  sample: [{"number": 1, "active": true, "local_port": 5064, "user": "101"}]
provisioning:
  description:
    - The server that the phone fetches its configuration from, which may undo changes. Empty if none is set.
    - C(protected) is true where the phone keeps what was set by hand.
  type: dict
  returned: success
  sample: {"server": "prov.example.com/phones", "protocol": "https", "protected": false}
unsupported:
  description: Settings that were asked for and that this phone does not have.
  type: list
  elements: str
  returned: success
  sample: ["rport of line 2"]
code:
  description:
    - Stable name of what went wrong.
    - One of V(deferred), V(auth_failed), V(locked), V(identity_mismatch), V(unsupported), V(certificate_refused), V(bad_answer),
      V(session_lost), V(not_applied), V(provisioned), V(permission_missing), V(device_failed) and V(error).
    - A phone that does not answer is C(unreachable) as long as nothing has been written, and failed afterwards.
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
from ansible_collections.evenport.sip.plugins.module_utils.phones.arguments import PHONE


def main() -> None:
    module = AnsibleModule(supports_check_mode=True, **PHONE)
    result = doors.phone(module.params, check_mode=module.check_mode, diff=module._diff)
    result.pop("session", None)         # a secret, and there is no later step that it could be for
    if result.get("failed"):
        module.fail_json(**result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
