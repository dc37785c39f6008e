#!/usr/bin/python
# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: site_report
short_description: Compares planned, claimed and seen ports and reports per site
version_added: 0.1.0
description:
  - Judges each line of each site by three ports, the planned one, the one that the phone claims and the one that the PBX sees,
    prints a table and the findings with what to do about them, and returns the same as data.
  - A router that rewrites ports is one finding about the router.
  - It runs once for all hosts of the play, on the controller, and talks to no device.
options:
  scan:
    description: The result of M(evenport.sip.phone_scan).
    type: dict
    required: true
  reads:
    description: Results of M(evenport.sip.pbx_registrations_info), one for each PBX, from a loop whose items have the PBX as C(key).
    type: list
    elements: dict
    default: []
  file:
    description: Write the report as JSON to this file on the controller. It is written in check mode too, as it reports and changes nothing.
    type: path
    default: ""
  directory:
    description:
      - Keep the journal of what was changed (C(journal.jsonl)) and the list of phones to be done again (C(deferred.txt)) here, on the controller.
      - Nothing is written there in check mode.
    type: path
    default: ""
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
- name: Compare planned, claimed and seen
  evenport.sip.site_report:
    scan: "{{ sip_scan }}"
    reads: "{{ sip_registrations.results }}"
    file: /var/reports/acme_hq.json
  run_once: true
"""

RETURN = r"""
report:
  description: The report.
  type: dict
  returned: success
  contains:
    schema:
      description: Version of this structure.
      type: int
      sample: 1
    lines:
      description: One entry for each line.
      type: list
      elements: dict
      sample:
        - {site: acme_hq, phone: kitchen, line: 1, extension: "102", planned: 5062, claimed: 5062, seen: 41235, verdict: router_translated}
    findings:
      description: What is wrong, why and what to do, the worst kind first within a site.
      type: list
      elements: dict
      sample: [{"code": "router_translated", "site": "acme_hq", "text": "the router rewrites the ports of 8 line(s)", "remedy": "..."}]
not_done:
  description: The phones to which this run could not do what it should.
  type: list
  elements: str
  returned: success
  sample: ["boss"]
deferred:
  description: Those phones that are worth another run.
  type: list
  elements: str
  returned: success
  sample: ["boss"]
"""

# The work is done by the action plugin of the same name, on the controller.
