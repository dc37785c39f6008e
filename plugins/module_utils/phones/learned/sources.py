# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking a value out of an answer, as a Source of a learned profile says. The recording's reader uses the same to try what it has found."""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import BadAnswer, EvenportError
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import Answer, parse_cookies, pick
from ansible_collections.evenport.sip.plugins.module_utils.http.forms import Form, forms_of
from ansible_collections.evenport.sip.plugins.module_utils.phones.learned.profile import Source

try:
    from jmespath.exceptions import JMESPathError
except ImportError:                             # pragma: no cover - ansible-test imports without third-party libraries
    JMESPathError = ValueError

_VALUE = re.compile(r"[^\"'<>;&\s\\]{1,4096}")  # what "text" takes after its mark
MISSING = object()


def take(source: Source, answer: Answer, page: str) -> Any:
    """The value, or MISSING where the answer has none there. JSON keeps its types, the rest is text; "fields" gives a list of [name, value].

    :raises BadAnswer: the answer is not of the kind (no JSON, no page)
    """
    if source.kind == "json":
        try:
            found = pick(answer.json(), source.path)
        except JMESPathError as error:
            raise EvenportError(f"{source.path!r} is no JMESPath that works here.", "Correct sip_phone_profile.") from error
        return MISSING if found is None else found
    if source.kind == "header":
        return answer.headers.get(source.path, MISSING)
    if source.kind == "cookie":
        return parse_cookies([answer.headers.get("Set-Cookie", "")]).get(source.path, MISSING)
    if source.kind == "text":
        found = _VALUE.match(answer.text, answer.text.find(source.path) + len(source.path)) if source.path in answer.text else None
        return found.group() if found else MISSING
    form = form_with(source.path, forms_of(answer, page))
    if form is None:
        return MISSING
    return [list(pair) for pair in form.pairs] if source.kind == "fields" else form.value(source.path)


def form_with(field: str, forms: list[Form]) -> Form | None:
    """The one form that has *field*.

    :raises BadAnswer: several have it, with different values: nobody knows which is meant
    """
    having = [form for form in forms if form.value(field) is not None]
    if len({form.value(field) for form in having}) > 1:
        raise BadAnswer(f"the page has several fields {field!r} with different values.", "Set the port by hand.")
    return having[0] if having else None
