#!/usr/bin/python
# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: wave_settle
short_description: Says what a wave of a rollout came to
version_added: 0.1.0
description:
  - Compares what was pushed to the phones of a wave with what their PBXs show, and adds it to what earlier waves came to.
  - It runs once for all hosts of the play, on the controller, and talks to no device.
  - Used by the roles of this collection. Its result is an interface between them and may change with any release.
options:
  wave:
    description: One of RV(evenport.sip.phone_scan#module:waves).
    type: dict
    required: true
  reads:
    description: Results of M(evenport.sip.pbx_registrations_info), one for each PBX, from a loop whose items have the PBX as C(key).
    type: list
    elements: dict
    default: []
  pushed:
    description: The variable that holds each phone's result of M(evenport.sip.phone). Empty before a wave, to see who may move.
    type: str
    default: sip_pushed
  earlier:
    description: What this module returned for the wave before.
    type: dict
    default: {}
  canaries:
    description: RV(evenport.sip.phone_scan#module:canaries).
    type: dict
    default: {}
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
- name: See what this wave came to
  evenport.sip.wave_settle:
    wave: "{{ sip_wave }}"
    reads: "{{ sip_reads.results }}"
    earlier: "{{ sip_settled | default({}) }}"
  run_once: true
  register: sip_settled
"""

RETURN = r"""
moved:
  description: The phones that were changed so far, with their settings before and after.
  type: dict
  returned: success
  sample: {"kitchen": {"before": {"lines": [{"line": 1, "local_port": 5060}]}, "after": {"lines": [{"line": 1, "local_port": 5062}]}}}
not_shown:
  description: The phones of this wave whose ports the PBX does not show, and why.
  type: dict
  returned: success
  sample: {"kitchen": "pbx1 does not show extension 102 on port 5062"}
unread:
  description: Those of RV(not_shown) whose PBX could not be read, as keys. Restarting them would show nothing.
  type: dict
  returned: success
  sample: {}
blocked:
  description: Phones that must not move, since one that holds a port for them has not left it, and which one that is.
  type: dict
  returned: success
  sample: {}
done:
  description: Phones whose last step went well, as keys.
  type: dict
  returned: success
  sample: {"workshop": true}
failed_phones:
  description: All phones that failed so far, and why.
  type: dict
  returned: success
  sample: {}
deferred:
  description: The failed phones that are worth another run, as keys.
  type: dict
  returned: success
  sample: {}
stopped:
  description: Sites where every canary failed; the rest of such a site is left as it is.
  type: dict
  returned: success
  sample: {}
"""

# The work is done by the action plugin of the same name, on the controller.
