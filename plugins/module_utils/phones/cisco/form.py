# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The web form of an SPA: which field, named by a number of this very firmware, is which setting.

The form is submitted to bcisco.csc (Sipura and Linksys: bsipura.spa) with the changed fields only, ``63151=5074`` [3P]. The numbers
differ between models and firmwares, so none is known here: they are read off the page, by its labels. A label is the parameter's name
with spaces for underscores, and without the extension's number, which is that of its tab [D] SPA900 guide 5.1, page 3-15; a tab is a
``<div id="Ext 1">`` and a field stands in the cell after its label [3P]. What is found that way is believed only if it shows the value
that the configuration file has for that setting.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.http.answer import Answer
from ansible_collections.evenport.sip.plugins.module_utils.http.forms import Form, forms_of

PAGE = "/admin/advanced"        # admin's own view with all fields; "basic" hides the port
_ACTION = re.compile(r"/(?:bcisco\.csc|bsipura\.spa)$")
_PER_LINE = re.compile(r"(.+)_([1-9][0-9]?)_")


@dataclass(frozen=True)
class Fields:
    """What to submit, and where to: field name -> value."""

    action: str
    values: dict[str, str]


def locate(answer: Answer, changes: Mapping[str, str], shown: Mapping[str, str]) -> Fields | None:
    """The fields for *changes* (setting -> text). None: this page does not show for sure which they are.

    :arg shown: setting -> what the configuration file says now, to check the fields by
    :raises BadAnswer: no page at all
    """
    for form in forms_of(answer, PAGE):
        if form.method == "POST" and _ACTION.search(form.action.partition("?")[0]):
            controls = _controls(form)
            found = [_field(controls, setting, text, shown[setting]) for setting, text in changes.items()]
            values = {field[0]: field[1] for field in found if field}
            return Fields(form.action, values) if len(values) == len(changes) else None
    return None


def _controls(form: Form) -> list[tuple[str, Any]]:
    """(label, control) of all text fields and selections."""
    labels: dict[Any, str] = {}                 # by cell: worked out once, however much stands in one
    found = []
    for control in form.element.iter("input", "select"):
        cell = next(control.iterancestors("td"), None)
        if cell is None or (control.get("type") or "text").lower() != "text":
            continue
        if cell not in labels:
            labels[cell] = _label(cell)
        found.append((labels[cell], control))
    return found


def _field(controls: list[tuple[str, Any]], setting: str, text: str, shown: str) -> tuple[str, str] | None:
    """(field name, value to send) of a setting."""
    tab, label = _place(setting)
    found = [control for words, control in controls if words == label and (not tab or _in_tab(control, tab))]
    if len(found) != 1 or not re.fullmatch(r"[0-9]{1,6}", found[0].get("name") or ""):
        return None
    control = found[0]
    if control.tag == "input":
        return (control.get("name"), text) if (control.get("value") or "").strip() == shown else None
    options = {_words(option.text): option for option in control.iter("option")}
    chosen = [words for words, option in options.items() if option.get("selected") is not None]
    if chosen != [_words(shown)] or _words(text) not in options:
        return None
    option = options[_words(text)]
    return control.get("name"), option.get("value") if option.get("value") is not None else (option.text or "").strip()


def _place(setting: str) -> tuple[str, str]:
    """(tab, label): "SIP_Port_1_" -> ("ext 1", "sip port"). A setting of the phone may stand on any tab."""
    found = _PER_LINE.fullmatch(setting)
    return (f"ext {found.group(2)}", _words(found.group(1))) if found else ("", _words(setting))


def _words(text: str | None) -> str:
    """Lower case, no colon, one space between words."""
    return " ".join(re.sub(r"[_\s\xa0:]+", " ", text or "").split()).lower()


def _label(cell: Any) -> str:
    """The words of the cell before."""
    before = cell.getprevious()
    return _words("".join(islice(before.itertext(), 20))[:100]) if before is not None and before.tag == "td" else ""


def _in_tab(control: Any, tab: str) -> bool:
    return any(_words(one.get("id")) == tab for one in control.iterancestors("div"))
