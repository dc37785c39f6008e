# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a pjsip.conf tree as Asterisk does, traps included. Part of the fake PBX: it knows nothing of the collection.

Measured on Asterisk 22: templates, ``(+)`` and ``(+type=endpoint)``, ``#include`` and ``#tryinclude``, and that an addition to an
unknown category makes Asterisk skip the rest of *that* file while what stood before stays.
"""

from __future__ import annotations

import glob
import os
import re
from dataclasses import dataclass, field

NAT_DEFAULTS = {"force_rport": "yes", "rewrite_contact": "no", "rtp_symmetric": "no", "direct_media": "yes"}


@dataclass
class Category:
    name: str
    template: bool = False
    variables: list[tuple[str, str]] = field(default_factory=list)

    def get(self, key, default=""):
        return next((value for name, value in reversed(self.variables) if name == key), default)


class Invalid(Exception):
    """Asterisk gives up on this file here."""


class Reader:
    def __init__(self, config_dir):
        self.config_dir, self.categories, self.current, self.log = config_dir, [], 0, []

    def load(self, name="pjsip.conf"):
        """Objects as {(type, name): Category}, or None when Asterisk would find nothing at all."""
        try:
            self._file(os.path.join(self.config_dir, name), 0)
        except (Invalid, OSError) as error:
            self.log.append(str(error))
            return None
        objects = {}
        for category in self.categories:
            if not category.template:
                objects.setdefault((category.get("type"), category.name), category)
        return objects

    def _file(self, path, depth):
        if depth > 10:
            raise Invalid("Maximum Include level (10) exceeded")
        with open(path, encoding="utf-8", errors="replace") as file:
            text = re.sub(r";--(?!-).*?--;", "", file.read(), flags=re.S)
        for number, line in enumerate(text.splitlines(), 1):
            line = re.sub(r"(?<!\\);.*", "", line).strip()
            if line.startswith("#"):
                self._directive(line, depth)
            elif line.startswith("["):
                self._category(line, number)
            elif "=" in line and self.categories:
                key, value = line.split("=", 1)
                self.categories[self.current].variables.append((key.strip(), value.lstrip(">").strip()))

    def _directive(self, line, depth):
        word, _space, name = line[1:].partition(" ")
        name = name.strip().strip('"<>')
        if word not in ("include", "tryinclude"):
            return
        paths = sorted(glob.glob(os.path.join(self.config_dir, name)))
        if not paths and word == "include":
            raise Invalid(f"The file '{name}' was listed as a #include but it does not exist.")
        for path in paths:
            try:
                self._file(path, depth + 1)
            except Invalid as error:        # the rest of that file is skipped, the parent goes on
                self.log.append(str(error))
                if "listed as a #include" in str(error):
                    raise

    def _category(self, line, number):
        match = re.match(r"\[([^\]]*)\](?:\(([^)]*)\))?", line)
        if not match:
            raise Invalid(f"parse error: no closing ']', line {number}")
        name, options = match[1], [word.strip() for word in (match[2] or "").split(",") if word.strip()]
        addition = next((word for word in options if word.startswith("+")), None)
        if addition is not None:
            key, _equals, value = addition[1:].partition("=")
            for index, category in enumerate(self.categories):
                if category.name == name and not category.template and (not key or category.get(key) == value):
                    self.current = index
                    return
            raise Invalid(f"Category addition requested, but category '{name}' does not exist, line {number}")
        new = Category(name, template="!" in options)
        for base in options:
            if base != "!":
                parent = next((category for category in self.categories if category.name == base), None)
                if parent is None:
                    raise Invalid(f"Inheritance requested, but category '{base}' does not exist, line {number}")
                new.variables += parent.variables
        self.categories.append(new)
        self.current = len(self.categories) - 1


def valid(objects):
    """The objects that can be created: an endpoint's option in an auth or aor section spoils that object."""
    return {key: category for key, category in objects.items()
            if key[0] == "endpoint" or not any(name in NAT_DEFAULTS for name, _value in category.variables)}


def write_sample(config_dir, extensions, nat="no", qualify=0, max_contacts=1, template=True):
    """A hand-made pjsip.conf as a small customer has it; passwords are pwEXT. Returns its path."""
    options = f"type=endpoint\ncontext=phones\ndisallow=all\nallow=ulaw\ndirect_media={'no' if nat == 'yes' else 'yes'}\n" + "".join(
        f"{name}={nat}\n" for name in ("force_rport", "rewrite_contact", "rtp_symmetric"))
    text = "[global]\ntype=global\nuser_agent=Asterisk\n[udp]\ntype=transport\nprotocol=udp\nbind=0.0.0.0:5060\n\n"
    text += f"[phone](!)\n{options}\n" if template else ""
    for name in extensions:
        text += f"[{name}](phone)\n" if template else f"[{name}]\n{options}"
        text += (f"auth={name}\naors={name}\n[{name}]\ntype=auth\nauth_type=userpass\nusername={name}\npassword=pw{name}\n"
                 f"[{name}]\ntype=aor\nmax_contacts={max_contacts}\nremove_existing=yes\nqualify_frequency={qualify}\n\n")
    path = os.path.join(config_dir, "pjsip.conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path
