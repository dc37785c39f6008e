#!/usr/bin/python
# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pbx_inventory
short_description: Writes a starting inventory from what PBXs know
version_added: 0.3.0
description:
  - Lists the phones that are registered at one or more PBXs as an inventory file that a person edits, so that nobody has to type them.
  - A group is what one router has behind it, as the PBX sees it. A phone with several lines is one host. Brand and MAC address are taken
    from the user agent where it tells them. Softphones, second devices of an extension and what is not clear are there too, and marked.
  - What the inventory has already is left out. A site whose phones register from an address gets the further phones that do.
  - It runs once for all hosts of the play, on the controller, and talks to no device.
options:
  reads:
    description:
      - Results of M(evenport.sip.pbx_registrations_info). Either a dictionary with the PBX's inventory host as key, or the list of a loop
        whose items have the PBX as C(key).
      - Read them with O(evenport.sip.pbx_registrations_info#module:list_extensions=true) to be told who is not registered.
    type: raw
    required: true
  file:
    description:
      - The file to write, on the controller. Folders are made.
      - A file that is there and holds anything else is never overwritten.
    type: path
    required: true
extends_documentation_fragment:
  - evenport.sip.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
author:
  - evenport.sip contributors (@evenport)
seealso:
  - module: evenport.sip.pbx_registrations_info
  - module: evenport.sip.port_lock
"""

EXAMPLES = r"""
- name: Read who is registered
  evenport.sip.pbx_registrations_info:
    pbx: pbx1
    list_extensions: true
  delegate_to: pbx1
  register: sip_read

- name: Write what the inventory does not have yet
  evenport.sip.pbx_inventory:
    reads: {"pbx1": "{{ sip_read }}"}
    file: "{{ inventory_dir }}/discovered-pbx1.yml"
"""

RETURN = r"""
file:
  description: The file that was, or in check mode would be, written. Empty where there is nothing new.
  type: str
  returned: success
  sample: /srv/inventory/discovered-pbx1.yml
inventory:
  description: Its text.
  type: str
  returned: success
counts:
  description: What was found. V(unclear) counts devices whose user agent is not known, V(known) registered extensions that the inventory has.
  type: dict
  returned: success
  sample: {sites: 3, phones: 24, lines: 31, softphones: 4, unclear: 1, further_lines: 0, not_registered: 2, known: 0}
not_registered:
  description: For each PBX, its extensions that nobody has registered, and that the inventory doesn't have.
  type: dict
  returned: success
  sample: {pbx1: ["140", "199"]}
"""

# The work is done by the action plugin of the same name, on the controller.
