#!/usr/bin/python
# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: asterisk_endpoints
short_description: Set the NAT options of Asterisk PJSIP endpoints
version_added: 0.1.0
author:
  - evenport.sip contributors (@evenport)
description:
  - Sets the NAT options of a list of extensions on an Asterisk PBX whose C(pjsip.conf) is written by hand.
  - The options go into one file that belongs to this collection, as sections that add to an existing one (C(+type=endpoint)), included by the last line
    of C(pjsip.conf). Nothing else in the configuration is touched.
  - Then PJSIP is reloaded once, and each extension's effective options are read back. Where they did not arrive,
    both files are put back as they were and the task fails. Registrations and calls survive the reload.
  - An extension that has the wanted options already, from a template or a database, gets no section. When all have them, nothing is
    written and nothing reloaded.
notes:
  - Run it on the PBX, as a user who may write O(config_dir) (usually C(become=true)).
  - Sections of extensions that the PBX no longer has are removed, see RV(pruned). Asterisk would skip the rest of the file at the first of them.
  - An include file edited by hand is written anew. NAT options of all extensions and other options in their sections are kept,
    comments are not, see RV(drift). The module fails when the file holds anything else.
  - Only one run at a time works in O(config_dir), the others wait.
requirements:
  - Asterisk 16 or newer with PJSIP, endpoints in configuration files. Tested with Asterisk 22.
options:
  extensions:
    description: The extensions (names of PJSIP endpoints). Sections of other extensions in the include file stay.
    type: list
    elements: str
    required: true
  state:
    description:
      - V(present) sets the options of the O(extensions).
      - V(absent) takes the sections of the O(extensions) out of the include file, so that they are as they were before.
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
    description: Asterisk's configuration folder.
    type: path
    default: /etc/asterisk
  main_file:
    description: The file in O(config_dir) that defines the endpoints and gets the include line.
    type: str
    default: pjsip.conf
  include_file:
    description: The file in O(config_dir) that belongs to this collection.
    type: str
    default: pjsip_evenport.conf
  allow_generated:
    description:
      - Go on although O(main_file) is rewritten by Asterisk itself, as some web interfaces make it do (AMI action UpdateConfig).
      - The next such rewriting destroys the include file, and the options are silently off after the next reload.
    type: bool
    default: false
  verify_timeout:
    description: Seconds until the options must show after the reload, and to wait for another run on the same PBX.
    type: float
    default: 15.0
extends_documentation_fragment:
  - evenport.sip.ami
  - evenport.sip.attributes
attributes:
  check_mode:
    support: full
    details: Reads the PBX and the files, writes and reloads nothing.
  diff_mode:
    support: full
    details: Shows NAT options of the extensions that change, never a file or a secret.
  idempotent:
    support: full
seealso:
  - module: evenport.sip.asterisk_registrations_info
"""

EXAMPLES = r"""
- name: NAT options on for the phones of a site
  evenport.sip.asterisk_endpoints:
    username: evenport
    password: "{{ vault_ami_password }}"
    extensions: ["101", "102", "4540r"]
  become: true
  delegate_to: pbx1

- name: Show what would change
  evenport.sip.asterisk_endpoints:
    username: evenport
    password: "{{ vault_ami_password }}"
    extensions: "{{ groups['acme_hq'] | map('extract', hostvars, 'sip_extensions') | flatten }}"
  become: true
  check_mode: true
  diff: true

- name: Back to what pjsip.conf says
  evenport.sip.asterisk_endpoints:
    username: evenport
    password: "{{ vault_ami_password }}"
    extensions: ["102"]
    state: absent
  become: true
"""

RETURN = r"""
before:
  description: What differed, per extension the effective NAT options. Other keys name the include line and the include file.
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
drift:
  description: Whether the include file was not as this module had written it.
  type: bool
  returned: success
  sample: false
reloaded:
  description: Whether PJSIP was reloaded.
  type: bool
  returned: success
  sample: true
include_file:
  description: Path of the include file.
  type: str
  returned: success
  sample: /etc/asterisk/pjsip_evenport.conf
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.evenport.sip.plugins.module_utils.errors import EvenportError
from ansible_collections.evenport.sip.plugins.module_utils.pbx.arguments import AMI_OPTIONS, access_from
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk import NAT_OPTIONS, Asterisk
from ansible_collections.evenport.sip.plugins.module_utils.pbx.endpoints import Place, Wanted, set_endpoints


def argument_spec():
    return {
        **AMI_OPTIONS,
        "extensions": {"type": "list", "elements": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "unknown": {"type": "str", "choices": ["refuse", "skip"], "default": "refuse"},
        "rewrite_contact": {"type": "bool", "default": True},
        "force_rport": {"type": "bool", "default": True},
        "rtp_symmetric": {"type": "bool", "default": True},
        "direct_media": {"type": "bool", "default": False},
        "config_dir": {"type": "path", "default": "/etc/asterisk"},
        "main_file": {"type": "str", "default": "pjsip.conf"},
        "include_file": {"type": "str", "default": "pjsip_evenport.conf"},
        "allow_generated": {"type": "bool", "default": False},
        "verify_timeout": {"type": "float", "default": 15.0},
    }


def main():
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    params = module.params
    options = {name: params[name] for name in NAT_OPTIONS} if params["state"] == "present" else None
    place = Place(params["config_dir"], params["main_file"], params["include_file"], params["allow_generated"], params["verify_timeout"])
    try:
        with Asterisk(access_from(params)) as pbx:
            result = set_endpoints(pbx, Wanted(params["extensions"], options, params["unknown"] == "skip"), place, check_mode=module.check_mode)
    except EvenportError as error:
        module.fail_json(msg=str(error), code=error.code, wrote=getattr(error, "wrote", False))
    if result["drift"]:
        module.warn(f"{result['include_file']} was edited by hand. Comments in it are not kept.")
    if result["pruned"]:
        module.warn(f"The PBX does not know {', '.join(result['pruned'])} any more: taken out of {result['include_file']}.")
    module.exit_json(**result, diff={"before": result["before"], "after": result["after"]})


if __name__ == "__main__":
    main()
