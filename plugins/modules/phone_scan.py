#!/usr/bin/python
# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: phone_scan
short_description: Reads every phone of a play in one task and plans the rollout
version_added: 0.1.0
description:
  - Checks the port locks of all sites of the play, reads every phone at once and sorts the phones by what is to be done. Changes nothing.
  - It runs once for all hosts of the play, on the controller, so that a phone that is in order costs no task of its own.
  - The phones, their addresses and passwords come from the inventory variables that the role P(evenport.sip.phones#role) documents.
  - Used by the roles of this collection. Its result is an interface between them and may change with any release.
options:
  keep_sessions:
    description:
      - Stay logged in to the phones that differ from the plan, so that the task which moves them needs no second login.
      - The web sessions go through a private file of this run, never through a variable.
    type: bool
    default: false
  canaries:
    description: So many phones of each site are moved before the others. V(0) moves all at once.
    type: int
    default: 2
  workers:
    description: So many phones are read at the same time.
    type: int
    default: 50
  audit:
    description:
      - Whether this is for an audit, which leaves a phone without C(sip_phone_password) unasked, and one with C(sip_audit_phones) V(false).
        A rollout refuses the one and does not know the other.
    type: bool
    default: false
    version_added: 0.3.0
extends_documentation_fragment:
  - evenport.sip.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
author:
  - evenport.sip contributors (@evenport)
"""

EXAMPLES = r"""
# This is what the audit and the rollout start with.
- name: Read every phone of the play
  evenport.sip.phone_scan:
  register: sip_scan
  run_once: true

- name: How does the fleet look?
  ansible.builtin.debug:
    var: sip_scan.summary
  run_once: true
"""

RETURN = r"""
phones:
  description: What was found, by phone. The C(state) is one of V(in_order), V(drifted), V(offline), V(refused), V(unmanaged), V(on_site) and V(not_asked).
  type: dict
  returned: success
  sample: {"kitchen": {"site": "acme_hq", "pbx": "pbx1", "state": "drifted", "code": "", "msg": "", "ports": [5062]}}
work:
  description: The phones that get a task of their own, as keys.
  type: dict
  returned: success
  sample: {"kitchen": true}
troubled:
  description: The phones that are offline or were refused, as keys.
  type: dict
  returned: success
  sample: {}
waves:
  description: The order of the rollout. Each wave is finished before the next one starts.
  type: list
  elements: dict
  returned: success
  sample:
    - phones: {"kitchen": {"ports": [5062], "parking": false, "after": []}}
      expected: {"pbx1": [{"phone": "kitchen", "extension": "102", "port": 5062}]}
canaries:
  description: The phones of each site that go first.
  type: dict
  returned: success
  sample: {"acme_hq": ["kitchen", "workshop"]}
extensions:
  description: The extensions of the play's phones, by PBX.
  type: dict
  returned: success
  sample: {"pbx1": ["101", "102"]}
nat_extensions:
  description: Those of them that shall have the NAT option.
  type: dict
  returned: success
  sample: {"pbx1": ["101", "102"]}
summary:
  description: How many phones are in each state.
  type: dict
  returned: success
  sample: {"in_order": 7, "drifted": 1, "offline": 0, "refused": 0, "on_site": 0, "not_asked": 0}
"""

# The work is done by the action plugin of the same name, on the controller.
