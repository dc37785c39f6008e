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
    prints a table and the findings with what to do about them, writes reports, and returns the same as data.
  - A router that rewrites ports is one finding about the router.
  - It runs once for all hosts of the play, on the controller, and talks to no device.
options:
  scan:
    description:
      - The result of M(evenport.sip.phone_scan). Left out, nothing is reported and the other options are checked only, so that a wrong word is
        known before any phone is asked.
    type: dict
  reads:
    description: Results of M(evenport.sip.pbx_registrations_info), one for each PBX, from a loop whose items have the PBX as C(key).
    type: list
    elements: dict
    default: []
  run:
    description: What is reported. A rollout in check mode is called a check.
    type: str
    choices: [audit, rollout]
    default: audit
    version_added: 0.3.0
  file:
    description: Write the report as JSON to this file on the controller. It is written in check mode too, as it reports and changes nothing.
    type: path
    default: ""
  directory:
    description:
      - A rollout keeps the journal of what was changed (C(journal.jsonl)) and the list of phones to be done again (C(deferred.txt)) here, on the
        controller. An audit reads the journal, to tell a phone that was set back since. Nothing is written there in check mode.
    type: path
    default: ""
  report_directory:
    description:
      - Write reports into this folder on the controller, a folder for each site, which holds nothing of any other site, and an index of all
        sites. C(docs/reports.md) lists the files. They are written in check mode too.
      - The files of a site of which a limit has left out phones stay as they are.
    type: path
    default: ""
    version_added: 0.3.0
  formats:
    description: What to write there. Without V(json) the next run has nothing to compare with.
    type: list
    elements: str
    choices: [json, html, csv, junit, markdown]
    default: [json, html]
    version_added: 0.3.0
  previous:
    description:
      - Compare with this report, a JSON file. It may be the same as O(file), which is written afterwards.
      - Default is each site's last report in O(report_directory).
    type: path
    default: ""
    version_added: 0.3.0
  where:
    description:
      - Show only what this JMESPath finds in the report, see C(docs/reports.md). The files hold everything all the same.
      - It needs the Python library jmespath on the controller.
    type: str
    default: ""
    version_added: 0.3.0
  fail_on:
    description:
      - Codes of C(docs/findings.md) and severities, V(error), V(warning) or V(info), each of which stands for itself and what is worse. V(new)
        narrows that to what the previous report did not have.
      - This task does not fail of it. It returns RV(failure) for a task after it.
    type: list
    elements: str
    default: []
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
- name: Compare planned, claimed and seen
  evenport.sip.site_report:
    scan: "{{ sip_scan }}"
    reads: "{{ sip_registrations.results }}"
    report_directory: /var/reports
    formats: [json, html, junit]
    fail_on: [error]
  register: sip_report
  run_once: true

- name: Fail where something is wrong
  ansible.builtin.fail:
    msg: "{{ sip_report.failure }}"
  when: sip_report.failure | length > 0
  run_once: true
"""

RETURN = r"""
report:
  description: The report. Its structure is described in C(docs/report.schema.json).
  type: dict
  returned: when O(scan) is given
  contains:
    schema:
      description: Version of this structure.
      type: int
      sample: 2
    previous_at:
      description: When the report was made that this one is compared with, empty for none.
      type: str
      sample: "2026-11-22T05:00:00Z"
    sites:
      description: What is known of each site, with its lines, findings and phones.
      type: list
      elements: dict
      sample: [{"site": "acme_hq", "state": "drift", "counts": {"lines": 8, "ok": 7, "drift": 1}, "lines": [], "findings": []}]
found:
  description: What O(where) has found, any JSON value.
  type: raw
  returned: when O(scan) is given
  sample: ["acme_hq"]
failure:
  description: Which findings of O(fail_on) there are, and reports that could not be written (not in check mode). Empty where all is well.
  type: str
  returned: when O(scan) is given
  sample: "2 finding(s) that fail_on (error) names: duplicate: 2 at acme_hq. The report says what to do."
not_done:
  description: The phones to which this run could not do what it should.
  type: list
  elements: str
  returned: when O(scan) is given
  sample: ["boss"]
deferred:
  description: Those phones that are worth another run.
  type: list
  elements: str
  returned: when O(scan) is given
  sample: ["boss"]
"""

# The work is done by the action plugin of the same name, on the controller.
