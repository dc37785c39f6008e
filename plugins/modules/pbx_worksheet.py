#!/usr/bin/python
# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pbx_worksheet
short_description: Writes down what only a person can set in a PBX's own pages
version_added: 0.3.0
description:
  - For each PBX that offers no way to its NAT options, writes a worksheet, as CSV and as a page to print. It has a row for each line of a phone,
    with site, phone, line, extension, planned port, the NAT option that is wanted, what the PBX shows now if it says so, and a box to tick.
    Its heading says where the option is in the PBX's pages.
  - The files hold what the phones need, sorted by site, phone and line. They are written anew when that changes.
  - The CSV's column C(done) is yours. What you write there stays with its line and shows in the page. V(no), V(n), V(-), V(0) and V(false) mean
    that it is not done. Save the file as CSV in UTF-8, with commas, semicolons or tabs.
  - Lines that this play did not ask the PBX about (C(--limit)) stay as long as the inventory has them with this site and PBX. Lines that
    need nobody's hand any more or whose phone is gone disappear, with what is written there.
  - A file that is no worksheet or can't be read back is never overwritten, and the module fails.
  - One line for each worksheet is shown on the terminal, with the number of lines to be ticked, and the path.
  - It runs once for all hosts of the play, on the controller, and talks to no device.
options:
  scan:
    description: The result of M(evenport.sip.phone_scan).
    type: dict
    required: true
  results:
    description:
      - Results of M(evenport.sip.pbx_nat), one for each PBX, from a loop whose items have the PBX as C(key).
      - Those that name nobody in C(by_hand), or failed, are left out.
    type: list
    elements: dict
    required: true
  directory:
    description: Where the files go on the controller, as C(<site>-<pbx>-nat.csv) and C(<site>-<pbx>-nat.html). It is made if need be.
    type: path
    required: true
extends_documentation_fragment:
  - evenport.sip.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: Shows the CSV files.
  idempotent:
    support: full
seealso:
  - module: evenport.sip.pbx_nat
author:
  - evenport.sip contributors (@evenport)
"""

EXAMPLES = r"""
- name: Write the worksheets
  evenport.sip.pbx_worksheet:
    scan: "{{ sip_scan }}"
    results: "{{ sip_extended.results }}"
    directory: /var/worksheets
  run_once: true
"""

RETURN = r"""
files:
  description: The worksheets, those that were right already too.
  type: list
  elements: str
  returned: success
  sample: ["/var/worksheets/acme_hq-pbx1-nat.csv", "/var/worksheets/acme_hq-pbx1-nat.html"]
msg:
  description: A line for each worksheet, with how many lines are to be ticked in which PBX, and the path.
  type: str
  returned: always
  sample: "2 line(s) to be ticked by hand in pbx1 for acme_hq, 1 done: /var/worksheets/acme_hq-pbx1-nat.csv"
by_hand:
  description: For each PBX the extensions whose NAT option a person has to set.
  type: dict
  returned: success
  sample:
    pbx1: ["101", "102"]
"""

# The work is done by the action plugin of the same name, on the controller.
