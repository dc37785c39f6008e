#!/usr/bin/python
# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pbx_registrations_info
short_description: Read the SIP registrations of a PBX
version_added: 0.3.0
author:
  - evenport.sip contributors (@evenport)
description:
  - Reads all registrations of a PBX (its "SIP status") with one login. Every kind of PBX gives the same answer.
  - Each one shows two ports, the one that the phone claims (its own local SIP port) and the one that the PBX sees, after the router.
    Some PBXs tell only one of them, some none.
  - Can wait until phones that have just been changed show up with their planned ports.
  - Returns no SIP password and nothing else that the PBX holds about an account.
notes:
  - The port that the PBX really sees is visible only where the extension has its NAT option on (PJSIP, C(rewrite_contact=yes)).
    See RV(registrations[].seen_is_source).
requirements:
  - Python 3.9 on the machine that it runs on.
options:
  extensions:
    description: Return the effective NAT options of these extensions too.
    type: list
    elements: str
    default: []
  list_extensions:
    description: Return the names of all extensions that the PBX knows, see RV(endpoints). It costs one more question to the PBX.
    type: bool
    default: false
  wait_for:
    description:
      - Extensions and the ports planned for them. The registrations are read again until the newest one of each extension
        claims its port, or O(wait_timeout) is over. An extension without a port is not waited for.
      - The claim decides. What the PBX sees may differ behind a router that translates ports, see RV(planned).
    type: dict
  wait_timeout:
    description: How many seconds to wait for O(wait_for). The module does not fail when the time is over, see RV(not_shown).
    type: float
    default: 60.0
extends_documentation_fragment:
  - evenport.sip.pbx
  - evenport.sip.attributes
  - evenport.sip.attributes.info_module
seealso:
  - module: evenport.sip.pbx_nat
"""

EXAMPLES = r"""
- name: Read the registrations of a PBX
  evenport.sip.pbx_registrations_info:
    host: pbx.example.com
    tls: true
    username: evenport
    password: "{{ vault_ami_password }}"
  register: pbx

- name: Show who registers from where
  ansible.builtin.debug:
    msg: "{{ item.extension }} claims {{ item.claimed_port }}, the PBX sees {{ item.seen_address }}:{{ item.seen_port }}"
  loop: "{{ pbx.registrations }}"
  loop_control:
    label: "{{ item.extension }}"

- name: Wait until two phones show their new ports
  evenport.sip.pbx_registrations_info:
    host: 192.0.2.10
    username: evenport
    password: "{{ vault_ami_password }}"
    wait_for:
      "101": 5060
      "102": 5062
    wait_timeout: 90
  register: proof
  failed_when: proof.not_shown | length > 0
"""

RETURN = r"""
registrations:
  description: One entry per contact. An extension may have several, as old contacts stay until they expire.
  type: list
  elements: dict
  returned: success
  contains:
    extension:
      description: The extension (PJSIP endpoint).
      type: str
    claimed_address:
      description: The phone's own address, as it says itself.
      type: str
    claimed_port:
      description: The phone's own local SIP port, as it says itself. 0 where the PBX does not know.
      type: int
    seen_address:
      description: Where the PBX sends to.
      type: str
    seen_port:
      description: The port that the PBX sends to, 0 where it does not tell. With a transport other than C(udp) it is the ephemeral port of the connection.
      type: int
    transport:
      description: One of C(udp), C(tcp), C(tls), C(ws), C(wss).
      type: str
    user_agent:
      description: What the phone calls itself.
      type: str
    status:
      description: One of C(reachable), C(unreachable), C(nonqualified), C(unknown), C(removed), and C(registered) where the PBX tells no more.
      type: str
    expires:
      description: When the registration ends, in seconds since the epoch.
      type: int
    seen_is_source:
      description: Whether the seen address and port are known to be the source of the phone's packets, after the router.
      type: bool
  sample:
    - extension: "101"
      claimed_address: 192.168.1.101
      claimed_port: 5060
      seen_address: 203.0.113.1
      seen_port: 5060
      transport: udp
      user_agent: Grandstream GXP2170 1.0.11.64
      status: reachable
      expires: 1795386551
      seen_is_source: true
extensions:
  description: The effective NAT options of the extensions asked for, whatever file or table they come from.
  type: list
  elements: dict
  returned: success
  sample:
    - extension: "101"
      rewrite_contact: true
      force_rport: true
      rtp_symmetric: true
      direct_media: false
      device_state: Not in use
      active_channels: 0
missing:
  description: Extensions asked for that the PBX does not know.
  type: list
  elements: str
  returned: success
  sample: []
planned:
  description: For each extension of O(wait_for), the planned port, and what its newest registration claims and the PBX sees (0 without one).
  type: list
  elements: dict
  returned: success
  contains:
    unclear:
      description: It is registered, but the PBX tells only the port that it sees, and that is another one. The router's doing, or the phone's.
      type: bool
  sample:
    - extension: "101"
      planned: 5060
      claimed: 5060
      seen: 44349
      shown: true
      unclear: false
not_shown:
  description:
    - Extensions of O(wait_for) whose newest registration does not claim the planned port.
    - Where the PBX does not tell what a phone claims, another port that it sees is no proof against the phone, see RV(planned[].unclear).
  type: list
  elements: str
  returned: success
  sample: []
endpoints:
  description: The names of all extensions that the PBX knows, registered or not. Trunks may be among them.
  type: list
  elements: str
  returned: when O(list_extensions=true)
  sample: ["101", "102", "4540", "4540r"]
version:
  description: Version of the PBX. Empty where it does not tell.
  type: str
  returned: success
  sample: 22.10.1
live:
  description: Whether this is how it is now. False for a table that was exported some time ago, see RV(as_of).
  type: bool
  returned: success
  sample: true
as_of:
  description: When it was so, in seconds since the epoch. 0 is now.
  type: int
  returned: success
  sample: 0
shows_ports:
  description: Whether this PBX tells ports. False where all that it tells is who is registered.
  type: bool
  returned: success
  sample: true
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.evenport.sip.plugins.module_utils.errors import EvenportError
from ansible_collections.evenport.sip.plugins.module_utils.pbx.arguments import REGISTRATIONS_SPEC, config_from, ports_from
from ansible_collections.evenport.sip.plugins.module_utils.pbx.work import read_pbx


def argument_spec():
    return REGISTRATIONS_SPEC


def main():
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    params = module.params
    if params["pbx"] is not None:
        module.fail_json(msg="pbx is for the action plugin on the controller, and this call has passed it by. Give the options of the PBX themselves, or "
                             "use evenport.sip.pbx_registrations_info as a task.", code="plan_refused")
    try:
        result = read_pbx(config_from(params), params["extensions"], ports_from(params["wait_for"]), params["wait_timeout"],
                          list_extensions=params["list_extensions"])
    except EvenportError as error:
        module.fail_json(msg=str(error), code=error.code, interface=error.interface)
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
