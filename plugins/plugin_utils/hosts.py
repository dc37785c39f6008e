# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How an action plugin that works for all hosts of a play at once gets at their variables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase

from ansible_collections.evenport.sip.plugins.module_utils.errors import PlanError
from ansible_collections.evenport.sip.plugins.module_utils.phones.arguments import TARGET, WANTED
from ansible_collections.evenport.sip.plugins.module_utils.rollout.inventory import PHONE_OPTIONS, SitePhone

_PHONE = ArgumentSpecValidator({**TARGET, **WANTED})


def variables_of(
    hosts: Iterable[str], names: Iterable[str], task_vars: Mapping[str, Any], action: ActionBase,
) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """({host: {name: value}}, {host: why its variables can't be resolved}) for those of *names* that are set.

    Each host's values are those that a task of its own would see at this place: role defaults below its inventory variables, the
    play's vars above. ``hostvars`` would not do, as it knows neither of the two, and what the task itself sees is one host's mixture.
    """
    names = tuple(names)
    hostvars, task = task_vars["hostvars"], action._task
    play, batch, everybody = task.get_play(), task_vars["ansible_play_batch"], task_vars["ansible_play_hosts_all"]
    found: dict[str, dict[str, Any]] = {}
    broken: dict[str, str] = {}
    for host in hosts:
        variables = hostvars._variable_manager.get_vars(
            play=play, host=hostvars._inventory.get_host(host), task=task, _hosts=batch, _hosts_all=everybody)
        templar = action._templar.copy_with_new_env(available_variables=variables)
        try:
            found[host] = {name: templar.template(variables[name]) for name in names if name in variables}
        except AnsibleError as error:       # a template or vault value of this one host
            broken[host] = str(error)
    return found, broken


def options_of(phone: SitePhone) -> dict[str, Any]:
    """The phone's options in the types that a task of evenport.sip.phone gives them: ``-e sip_phone_validate_certs=no`` is a text before.

    :raises PlanError: one that is missing or wrong, named as the variable that it comes from
    """
    options = phone.options()
    if not options.get("password"):     # an empty one would only cost an attempt before the phone locks
        raise PlanError(f"{phone.site}/{phone.name} has no sip_phone_password, so nobody tried to log in.", "Set it, best in ansible-vault.")
    checked = _PHONE.validate(options)
    if checked.error_messages:
        names = ", ".join(PHONE_OPTIONS[option] for option in options if option in PHONE_OPTIONS and option in re.findall(r"\w+", checked.error_messages[0]))
        raise PlanError(f"{phone.site}/{phone.name}: {'; '.join(checked.error_messages)}.", f"Correct {names}." if names else "Correct its variable.")
    return {option: value for option, value in checked.validated_parameters.items() if option in options}
