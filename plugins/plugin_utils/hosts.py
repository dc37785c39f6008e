# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How an action plugin that works for all hosts of a play at once gets at their variables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleError


def variables_of(hosts: Iterable[str], names: Iterable[str], task_vars: Mapping[str, Any], templar: Any) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """({host: {name: value}}, {host: why its variables can't be resolved}) for those of *names* that are set.

    ``hostvars`` knows the inventory, facts and extra vars, but neither role defaults nor the play's own vars. Those are what the
    task sees and its own host's hostvars don't: they hold for every host, below its own. One look at each host, nothing is
    computed per pair of hosts.
    """
    names = tuple(names)
    hostvars = task_vars["hostvars"]
    own = hostvars[task_vars["inventory_hostname"]]
    shared = {name: templar.template(task_vars[name]) for name in names if name in task_vars and name not in own}
    found: dict[str, dict[str, Any]] = {}
    broken: dict[str, str] = {}
    for host in hosts:
        variables = hostvars[host]
        try:
            found[host] = {**shared, **{name: variables[name] for name in names if name in variables}}
        except AnsibleError as error:       # a template or vault value of this one host
            broken[host] = str(error)
    return found, broken
