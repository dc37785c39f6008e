#!/usr/bin/python
# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pbx_nat
short_description: Set the NAT options of a PBX's extensions
version_added: 0.3.0
author:
  - evenport.sip contributors (@evenport)
description:
  - Switches the NAT options of extensions on (or sets them as told), on any PBX that offers a way. What differs is written in one go,
    the PBX is told to use it once, and each extension's effective options are read back. Where they did not arrive, everything is put
    back as it was and the task fails. Registrations and calls survive.
  - An extension that has the wanted options already is not touched. When all have them, nothing is written and nothing applied.
  - Asterisk with files (O(type=asterisk), O(type=chan_sip)) gets an include file that belongs to the collection, named by the last line
    of C(pjsip.conf) or C(sip.conf). Nothing else in the configuration is touched.
  - Other PBXs have the settings of their extensions changed, where they keep them, and no other setting.
  - A PBX that offers no way (O(type=yeastar), O(type=3cx), O(type=web_only)) is left alone, see RV(by_hand).
notes:
  - Run it on the PBX, as a user who may write O(config_dir) or use its database (usually C(become=true)); or from elsewhere with O(shell).
  - Sections of extensions that the PBX no longer has are removed from the include file, see RV(pruned). Asterisk would skip the rest of
    the file at the first of them.
  - An include file edited by hand is written anew. NAT options of all extensions and other options in their sections are kept,
    comments are not, see RV(drift). The module fails when the file holds anything else.
  - Only one run at a time works in O(config_dir), the others wait.
  - What a PBX can't express is left out. Grandstream's UCM has one option for the first three, FusionPBX one for O(rewrite_contact).
requirements:
  - Python 3.9 on the machine that it runs on.
options:
  extensions:
    description: The extensions. Those that are not named stay as they are.
    type: list
    elements: str
    required: true
  state:
    description:
      - V(present) sets the options of the O(extensions).
      - V(absent) takes the sections of the O(extensions) out of the include file, so that they are as they were before. For Asterisk with files.
    type: str
    choices: [present, absent]
    default: present
  unknown:
    description:
      - What to do about extensions that the PBX does not know.
      - V(refuse) fails before anything is written. V(skip) does the others and names these, see RV(unknown).
    type: str
    choices: [refuse, skip]
    default: refuse
  rewrite_contact:
    description: Send to the address and port that the phone's packets really come from, instead of what the phone claims.
    type: bool
    default: true
  force_rport:
    description: Answer to the port that a request came from.
    type: bool
    default: true
  rtp_symmetric:
    description: Send audio to the address and port that the phone's audio comes from.
    type: bool
    default: true
  direct_media:
    description: Let phones send audio directly to each other. Behind a router that does not work.
    type: bool
    default: false
  config_dir:
    description: Asterisk's configuration folder. For Asterisk with files.
    type: path
    default: /etc/asterisk
  main_file:
    description: The file in O(config_dir) that defines the extensions and gets the include line. Default is C(pjsip.conf) or C(sip.conf).
    type: str
  include_file:
    description: The file in O(config_dir) that belongs to this collection. Default is C(pjsip_evenport.conf) or C(sip_evenport.conf).
    type: str
  allow_generated:
    description:
      - Go on although O(main_file) is rewritten by Asterisk itself, as some web interfaces make it do (AMI action UpdateConfig).
      - The next such rewriting destroys the include file, and the options are silently off after the next reload.
    type: bool
    default: false
  verify_timeout:
    description: Seconds until the options must show after they were applied, and to wait for another run on the same PBX.
    type: float
    default: 15.0
extends_documentation_fragment:
  - evenport.sip.pbx
  - evenport.sip.attributes
attributes:
  check_mode:
    support: full
    details: Reads the PBX, writes and applies nothing.
  diff_mode:
    support: full
    details: Shows NAT options of the extensions that change, never a file or a secret.
  idempotent:
    support: full
seealso:
  - module: evenport.sip.pbx_registrations_info
"""

EXAMPLES = r"""
- name: NAT options on for the phones of a site
  evenport.sip.pbx_nat:
    username: evenport
    password: "{{ vault_ami_password }}"
    extensions: ["101", "102", "4540r"]
  become: true
  delegate_to: pbx1

- name: The same on a FreePBX, from a machine that reaches it by ssh
  evenport.sip.pbx_nat:
    type: freepbx
    read_by: cli
    shell: [ssh, -o, BatchMode=yes, root@192.0.2.10]
    extensions: ["101", "102"]
  delegate_to: localhost

- name: As the roles do it, with the variables sip_pbx_... of the inventory host pbx1
  evenport.sip.pbx_nat:
    pbx: pbx1
    extensions: ["101", "102"]
  delegate_to: pbx1

- name: Show what would change
  evenport.sip.pbx_nat:
    username: evenport
    password: "{{ vault_ami_password }}"
    extensions: "{{ groups['acme_hq'] | map('extract', hostvars, 'sip_extensions') | flatten }}"
  become: true
  check_mode: true
  diff: true

- name: Back to what pjsip.conf says
  evenport.sip.pbx_nat:
    username: evenport
    password: "{{ vault_ami_password }}"
    extensions: ["102"]
    state: absent
  become: true
"""

RETURN = r"""
before:
  description: What differed, per extension its NAT options. Other keys name the include line and the include file.
  type: dict
  returned: success
  sample:
    "101": {rewrite_contact: false, force_rport: true, rtp_symmetric: false, direct_media: true}
after:
  description: The same afterwards, or as it would be in check mode.
  type: dict
  returned: success
  sample:
    "101": {rewrite_contact: true, force_rport: true, rtp_symmetric: true, direct_media: false}
extensions:
  description: The extensions with their effective NAT options, read at the end.
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
pruned:
  description: Extensions that the PBX does not know any more, whose sections were taken out of the include file.
  type: list
  elements: str
  returned: success
  sample: []
unknown:
  description: Those of the O(extensions) that the PBX does not know.
  type: list
  elements: str
  returned: success
  sample: []
by_hand:
  description: Extensions whose NAT option only a person can switch on, in the PBX's own pages.
  type: list
  elements: str
  returned: success
  sample: []
notes:
  description: What a person should know. Each is a warning of the task too.
  type: list
  elements: str
  returned: success
  sample: []
drift:
  description: Whether the include file was not as this module had written it.
  type: bool
  returned: success
  sample: false
applied:
  description: Whether the PBX was told to use what was written.
  type: bool
  returned: success
  sample: true
include_file:
  description: Path of the include file; empty where there is none.
  type: str
  returned: success
  sample: /etc/asterisk/pjsip_evenport.conf
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.evenport.sip.plugins.module_utils.errors import EvenportError
from ansible_collections.evenport.sip.plugins.module_utils.pbx.arguments import NAT_SPEC, config_from
from ansible_collections.evenport.sip.plugins.module_utils.pbx.contract import NAT_OPTIONS, Wanted
from ansible_collections.evenport.sip.plugins.module_utils.pbx.work import set_nat


def argument_spec():
    return NAT_SPEC


def main():
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    params = module.params
    if params["pbx"] is not None:
        module.fail_json(msg="pbx is for the action plugin on the controller, and this call has passed it by. Give the options of the PBX themselves, or "
                             "use evenport.sip.pbx_nat as a task.", code="plan_refused")
    options = {name: params[name] for name in NAT_OPTIONS} if params["state"] == "present" else None
    try:
        result = set_nat(config_from(params, writing=True), Wanted(params["extensions"], options, params["unknown"] == "skip"), check_mode=module.check_mode)
    except EvenportError as error:
        module.fail_json(msg=str(error), code=error.code, wrote=error.wrote, interface=error.interface)
    for note in result["notes"]:
        module.warn(note)
    module.exit_json(**result, diff={"before": result["before"], "after": result["after"]})


if __name__ == "__main__":
    main()
