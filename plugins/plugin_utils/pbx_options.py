# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the PBX modules, checked on the controller: what is wrong is named by its variable, and no value is ever shown.

Ansible's own messages name the option only, and show what they could not read: of a dictionary given as a text, the password in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.evenport.sip.plugins.module_utils.errors import PlanError

_KINDS = {"int": "a whole number", "float": "a number", "bool": "true or false", "list": "a list", "dict": "a dictionary", "str": "a text", "path": "a path"}


def checked(options: Mapping[str, Any], spec: Mapping[str, Mapping[str, Any]], names: Mapping[str, str]) -> dict[str, Any]:
    """The options in the types that the module makes of them, defaults included.

    What *spec* does not know, and a missing option of the task, are left to the module: it says so without a value.

    :arg names: option -> what people call it, where that is another word: the variable that it comes from
    :raises PlanError: one has another type, or is none of the choices
    """
    params = {option: rules.get("default") for option, rules in spec.items()}
    for option, value in options.items():
        if option in spec and value is not None:
            params[option] = _read(names.get(option, option), option, value, spec[option])
    return params


def _read(name: str, option: str, value: Any, rules: Mapping[str, Any]) -> Any:
    kind, suboptions = rules["type"], rules.get("options")
    # Ansible would split a text at its commas, which makes one word of a whole command.
    as_text = isinstance(value, str) and (option == "shell" or (kind == "dict" and not value.lstrip().startswith("{")))
    validator = ArgumentSpecValidator({"value": {key: rules[key] for key in ("type", "elements", "choices") if key in rules}})
    result = None if as_text else validator.validate({"value": value})
    if result is None or result.error_messages:
        raise PlanError(f"{name} must be {_wanted(option, rules)}.", "Correct it.")
    found = result.validated_parameters["value"]
    for complaint in _in_dictionary(name, found, suboptions) if suboptions else ():
        raise PlanError(complaint, f"Possible are {', '.join(suboptions)}.")
    return {key: _read(f"{name}.{key}", key, one, suboptions[key]) for key, one in found.items() if one is not None} if suboptions else found


def _wanted(option: str, rules: Mapping[str, Any]) -> str:
    if rules.get("choices"):
        return f"one of {', '.join(rules['choices'])}"
    if option == "shell":
        return "a list of words, such as [ssh, -o, BatchMode=yes, root@192.0.2.10], not one text"
    if rules.get("options"):
        return f"a dictionary with {', '.join(rules['options'])}, not a text"
    return _KINDS[rules["type"]]


def _in_dictionary(name: str, found: Mapping[Any, Any], suboptions: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for key in found:
        if key not in suboptions:       # a key that is no word may be a value in the wrong place
            yield f"{name} has no {key}." if re.fullmatch(r"[A-Za-z_]{1,40}", str(key)) else f"{name} has a key that it does not know."
    for key, rules in suboptions.items():
        if rules.get("required") and found.get(key) in (None, ""):
            yield f"{name}.{key} is missing."
