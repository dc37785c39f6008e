# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""May this form be saved at all? What could be lost when all its controls are sent back as the page shows them. No I/O.

What a browser sends is what a person's click on Save sends, and phones mostly know their own mask of a password. But nobody has proved
it for an unknown phone, so that it is refused until somebody has tried it once and says so in the profile.
"""

from __future__ import annotations

import re

from ansible_collections.evenport.sip.plugins.module_utils.http.forms import Control, Form
from ansible_collections.evenport.sip.plugins.module_utils.phones.form import labels
from ansible_collections.evenport.sip.plugins.module_utils.phones.form.login import button_of
from ansible_collections.evenport.sip.plugins.module_utils.phones.form.page import VISIBLE_TEXT, Page
from ansible_collections.evenport.sip.plugins.module_utils.phones.form.words import folded, folded_name

_SECRET_NAME = re.compile(r"pass(?:w|word|wd|phrase|code)?\b|\bpwd?\b|passw|secret|kennwort|passwort|\bpin\b|motdepasse|contrasena|senha|haslo")
_MASK = re.compile(r"([*•●·∙xX.#?_-])\1{2,}|[*•●·∙]+")
_DIGEST = re.compile(r"(?i)[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}")
_PLACEHOLDERS = ("unchanged", "hidden", "masked", "not shown", "password", "null", "empty", "none", "configured", "protected", "encrypted")
_HINT = re.compile(r"configur|unchanged|\bis set\b|\bset\b|hidden|stored|leave|blank|keep|konfigurier|unverandert|gesetzt|gespeichert|leer|inchange|vide"
                   r"|sin cambios|vacio|invariat|vuoto"
                   r"|ongewijzigd|leeg|inalterad|vazio|bez zmian|puste")
_ASSIGNS = re.compile(r"\.(?:value|checked|selected|selectedIndex)\s*=(?!=)|\.val\(\s*[^)\s]|\.(?:prop|attr)\(\s*[\"'](?:value|checked"
                      r"|selected)[\"']\s*,|setAttribute\(\s*[\"'](?:value|checked|selected)",
                      re.IGNORECASE)
_PLAIN_SUBMIT = re.compile(r"(?i)\s*(?:javascript:)?\s*(?:return\s+)?(?:this\.form|(?:window\.)?document\.(?:forms\[[^\]]{1,20}\]|\w+))\.submit\(\);?\s*")


def why_not(page: Page, form: Form, *, secrets_known: bool, scripts_known: bool) -> tuple[str, str]:
    """(what may be lost by saving this form, the switch of the profile that says it is known to be safe; "" where there is none); ("", "") for nothing."""
    if any(one.kind == "file" for one in form.controls):
        return "it uploads a file, too", ""
    if form.enctype == "text/plain":
        return "it is sent as plain text, which nobody can read back for certain", ""
    secret = _secret_risk(page, form)
    if secret and form.method == "GET":
        return "it puts a password into the address", ""
    if secret and not secrets_known:
        return secret, "form.secrets"
    script = _script_risk(page, form)
    if script and not scripts_known:
        return script, "form.scripts"
    buttons = [one for one in form.controls if one.kind in ("submit", "image")]
    if buttons and button_of(form) is None:
        return "none of its buttons surely saves", ""
    return "", ""


def _secret_risk(page: Page, form: Form) -> str:
    said = labels.said_of(page)
    for one in form.controls:
        if not one.sent or not (one.kind == "password" or (one.kind in (*VISIBLE_TEXT, "hidden", "textarea") and _SECRET_NAME.search(folded_name(one.name)))):
            continue
        if form.method == "GET" and one.value:
            return "it puts a password into the address"
        if is_masked(one.value):
            return "it shows a password masked, and sending the mask back might replace the password"
        if one.kind == "password" and not one.value and _is_set(one, form, said):
            return "it does not show a password that is set, and sending it empty might delete it"
    return ""


def is_masked(value: str) -> bool:
    """Something that stands for a password rather than the password itself."""
    text = value.strip()
    return bool(text) and bool(_MASK.fullmatch(text) or _DIGEST.fullmatch(text) or folded(text) in _PLACEHOLDERS)


def _is_set(control: Control, form: Form, said: dict) -> bool:
    """Does anything say that an empty password is set all the same? A hint, or a user who has one."""
    hints = [control.element.get("placeholder") or "", control.element.get("title") or ""]
    hints += [text for by, text in (said[control.element].labels if control.element in said else []) if by == "the text behind it"]
    if any(_HINT.search(folded(hint)) or is_masked(hint) for hint in hints):
        return True
    return any(one.kind in VISIBLE_TEXT and one.value and one.element in said and labels.rank_in(said[one.element], labels.USER) >= 0 for one in form.controls)


def _script_risk(page: Page, form: Form) -> str:
    if _ASSIGNS.search(page.scripts):
        return "a script of the page fills in values, which are not seen from here"
    button = button_of(form)
    if button is not None and button.element.get("formaction") is not None:
        return "its button sends it elsewhere"
    if not any(one.kind in ("submit", "image") for one in form.controls):
        clicks = [one.element.get("onclick") or "" for one in form.controls if one.kind == "button"]
        if any(click and not _PLAIN_SUBMIT.fullmatch(click) for click in clicks):
            return "only a script of the page saves it"
    if (page.scripts.strip() or page.script_files) and _undecided(form):
        return "a list or choice shows nothing selected, so that a script of the page may select it"
    return ""


def _undecided(form: Form) -> bool:
    radios: dict[str, bool] = {}
    for one in form.controls:
        selected = any(option.get("selected") is not None for option in one.element.iter("option"))
        if one.kind == "select" and one.name and one.element.get("multiple") is None and len(one.options) > 1 and not selected:
            return True
        if one.kind == "radio" and one.name and one.element.get("disabled") is None:
            radios[one.name] = radios.get(one.name, False) or bool(one.sent)
    return not all(radios.values())
