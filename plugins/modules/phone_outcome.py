#!/usr/bin/python
# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: phone_outcome
short_description: Ends a phone's rollout with the result that it deserves
version_added: 0.1.0
description:
  - A rollout goes on when a phone fails, so that the others are done and the report is complete. This module comes last and turns what was
    remembered into the phone's result. A phone to which nothing was written and that is worth another run is V(unreachable), any other trouble is V(failed).
  - Where the scan stayed logged in to a phone and nobody came to move it, this logs out.
  - Used by the roles of this collection.
options: {}
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
- name: Say what is wrong and what to do
  evenport.sip.phone_outcome:
"""

RETURN = r"""
msg:
  description: What is wrong, where, and what to do.
  type: str
  returned: always
  sample: "demo_site/boss: no answer within 10 s. Run again when it is on."
code:
  description: The same as a stable word, empty if nothing is wrong.
  type: str
  returned: always
  sample: deferred
"""

# The work is done by the action plugin of the same name, on the controller.
