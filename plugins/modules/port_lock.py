# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of the same name; there is no module to run."""

from __future__ import annotations

DOCUMENTATION = r"""
module: port_lock
version_added: 0.1.0
short_description: Plan the local SIP ports of all sites of a play and keep them in the inventory
description:
  - Gives every line of every phone behind one NAT router its own even SIP port and writes the assignment, the I(port lock), to
    C(group_vars/SITE/sip_ports.yml) beside the inventory. Commit that file.
  - Inventory order decides a phone's first port only. From then on the lock decides, and a run only fills gaps. A new phone takes
    the lowest free port; reordering, disabling or removing hosts, C(--limit) and slices never move a port.
  - Phones are the hosts that have C(sip_site) set, the name of the group of their site. Each site that a host of the play belongs
    to is planned whole, whatever the play is limited to.
  - Reads of each phone C(sip_site), C(sip_extensions) (one for each line), C(sip_phone_kind) (a V(softphone) gets no port),
    C(sip_phone_brand) and C(sip_phone_transport).
  - Reads of each site C(sip_port_start), C(sip_port_end), C(sip_port_step), C(sip_ports_reserved), C(sip_ports) and C(sip_ports_retired).
  - All sites are written or none. A plan that can't be is refused with one message that names the phone, the line and what would help.
  - After writing, the inventory is loaded again. If anything but C(sip_ports) and C(sip_ports_retired) changed for any host, all is
    put back and the task fails.
  - Comments, order and quotes of an existing file stay; what does not change is not touched.
  - A table for each site is printed to the terminal.
options:
  retire:
    description:
      - Phones whose ports are no longer used. Their ports join C(sip_ports_retired) and are not handed out again until released.
      - For a phone that the inventory no longer has, its entry goes. For one that has fewer lines than before, the ports of those lines go.
      - Without it, phones that the inventory lacks keep their ports, as they may be disabled or in another slice.
    type: list
    elements: str
    default: []
  release:
    description: Retired ports that may be handed out again.
    type: list
    elements: int
    default: []
  renumber:
    description: Forget the ports of all phones of the sites and number them anew in inventory order. Look at it with C(--check --diff) first.
    type: bool
    default: false
  move:
    description:
      - Where a site's variables are in the file C(group_vars/SITE.yml), a folder C(group_vars/SITE/) would hide that file.
      - With V(true), the file becomes C(group_vars/SITE/main.yml), its content as it is. With V(false), such a site is refused.
    type: bool
    default: false
attributes:
  action:
    description: Has a corresponding action plugin, so that it runs on the controller.
    support: full
  bypass_host_loop:
    description: Runs once for all hosts of the play.
    support: full
  check_mode:
    description: Predicts the change without writing anything.
    support: full
  diff_mode:
    description: Shows the lock files before and after.
    support: full
  idempotent:
    description: A second run changes nothing.
    support: full
author:
  - evenport.sip contributors (@evenport)
"""

EXAMPLES = r"""
- name: Plan the ports of all sites
  hosts: all
  gather_facts: false
  tasks:
    - name: Fill the gaps of the locks
      evenport.sip.port_lock:

- name: Two phones were taken away for good
  hosts: acme_hq
  gather_facts: false
  tasks:
    - name: Retire the ports of the two
      evenport.sip.port_lock:
        retire:
          - lobby
          - kitchen

- name: Use their ports again
  hosts: acme_hq
  gather_facts: false
  tasks:
    - name: Release two ports
      evenport.sip.port_lock:
        release:
          - 5062
          - 5064
"""

RETURN = r"""
sites:
  description: One entry for each site of the play.
  returned: success
  type: dict
  contains:
    changed:
      description: Whether the lock of this site changed (or would, in check mode).
      type: bool
    file:
      description: The lock file.
      type: str
      sample: /srv/msp/inventory/group_vars/acme_hq/sip_ports.yml
    ports:
      description: The lock, phone to the port of line 1, 2 and so on. Null is a line without a port of its own.
      type: dict
      sample: {front-desk: [5060, 5062], kitchen: [5064]}
    retired:
      description: Ports that are not handed out.
      type: list
      elements: int
    rows:
      description: One row for each port, by port, as in the printed table.
      type: list
      elements: dict
      sample:
        - port: 5064
          tls_port: 5065
          phone: kitchen
          line: 1
          state: new
          service: ca-1
          note: EPICS Channel Access really uses it on UDP (laboratories, plants)
    new:
      description: Lines that got a port in this run.
      type: list
      elements: dict
      sample: [{phone: kitchen, line: 1, port: 5064}]
    moved:
      description: Lines whose port changed (O(renumber)).
      type: list
      elements: dict
      sample: [{phone: kitchen, line: 1, before: 5070, port: 5064}]
    kept:
      description: Phones of the lock that are not among the phones of the inventory. Their ports are kept.
      type: list
      elements: str
    surplus:
      description: Lines of the lock that the inventory does not have. Their ports are kept.
      type: list
      elements: dict
    used:
      description: Number of ports in use.
      type: int
    slots:
      description: Number of ports in the range.
      type: int
      sample: 71
code:
  description: Name of the refusal, always V(plan_refused).
  returned: failure
  type: str
  sample: plan_refused
"""
