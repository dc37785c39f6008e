# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file that the collection owns in Asterisk's configuration, and the one line that includes it. Pure.

PJSIP: ``[101](+type=endpoint)`` adds to the endpoint 101 that was defined before [D, measured on Asterisk 22]. What must be right:

* the filter: endpoint, auth and aor often share a name, and a bare ``(+)`` hits whichever comes first
* the order: an addition to a section that isn't there (yet) makes Asterisk skip the rest of the file, so the include is the last line
* ``#tryinclude``: a missing file after ``#include`` takes all of PJSIP away at the next cold start
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from ansible_collections.evenport.sip.plugins.module_utils.errors import PlanError, Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.pbx.contract import NAT_OPTIONS

HEADER = """\
; Written by the Ansible collection evenport.sip (module pbx_nat). Do not edit: changes are overwritten.
; NAT options of phones behind a router, added to the extensions defined in the file that includes this one.
"""
GENERATED = ";! Automatically generated configuration file"         # Asterisk writes it when a file is changed through UpdateConfig
NAME = re.compile(r"[A-Za-z0-9_.@+*-]+")                            # a bracket or comma in a section's header would mean something else
_YES, _NO = ("yes", "true", "on", "1", "y", "t"), ("no", "false", "off", "0", "n", "f")


@dataclass(frozen=True)
class Section:
    """What the file adds to one endpoint. *extra*: lines that a person added, kept as they are."""

    options: Mapping[str, bool] = field(default_factory=dict)
    extra: tuple[str, ...] = ()


class Dialect(ABC):
    """How a channel driver's configuration says the NAT options of one extension."""

    header: str                         # of a section that adds to an extension's own: a template with {name}
    section: re.Pattern[str]            # the same, as it is read
    main_file: str                      # Asterisk's own name of the file that defines the extensions
    include_file: str                   # our file beside it

    @abstractmethod
    def lines(self, options: Mapping[str, bool]) -> list[str]:
        """``key=value`` lines that set these NAT options, in one order."""

    @abstractmethod
    def options(self, key: str, value: str) -> dict[str, bool] | None:
        """The NAT options that one such line sets ({}: none that can be understood); None for a line that isn't about them."""


class PjsipDialect(Dialect):
    """PJSIP: a line for each option, named as we name it."""

    header = "[{name}](+type=endpoint)"
    section = re.compile(r"\[([^\]]+)\]\s*\(\s*\+\s*type\s*=\s*endpoint\s*\)")
    main_file, include_file = "pjsip.conf", "pjsip_evenport.conf"

    def lines(self, options: Mapping[str, bool]) -> list[str]:
        return [f"{key}={'yes' if options[key] else 'no'}" for key in NAT_OPTIONS if key in options]

    def options(self, key: str, value: str) -> dict[str, bool] | None:
        if key not in NAT_OPTIONS:
            return None
        return {key: value in _YES} if value in _YES + _NO else {}


PJSIP = PjsipDialect()


def check_name(extension: str) -> str:
    """:raises PlanError: a name that can't head a section"""
    if not NAME.fullmatch(extension):
        raise PlanError(f"{extension!r} can't be the name of an extension in a configuration file.", "Letters, digits and _ . @ + * - are possible.")
    return extension


def parse(text: str, dialect: Dialect = PJSIP) -> dict[str, Section]:
    """The sections of an owned file, extension -> Section; also of one that was edited by hand or damaged by UpdateConfig.

    NAT options without a section in front are what UpdateConfig leaves of ours: dropped. Anything else that isn't ours is not
    touched and not guessed at.

    :raises Unsupported: the file holds something else; names the line's number, never its text
    """
    sections: dict[str, Section] = {}
    name = ""
    for number, line in _lines(text):
        if not line:
            continue
        header = dialect.section.fullmatch(line)
        key, equals, value = (part.strip() for part in line.partition("="))
        ours = dialect.options(key, value.removeprefix(">").strip().lower())
        if header:
            name = header[1].strip()
            sections.setdefault(name, Section())
        elif line[0] in "[#" or not equals or (not name and ours is None):
            raise Unsupported(f"Line {number} of the include file is nothing that evenport.sip writes.",
                              f"Move what is not {dialect.header.format(name='extension')} into a file of your own, then run again.")
        elif name:
            old = sections[name]
            sections[name] = replace(old, extra=(*old.extra, line)) if ours is None else replace(old, options={**old.options, **ours})
    return sections


def render(sections: Mapping[str, Section], dialect: Dialect = PJSIP) -> str:
    """The whole file: numbers in numeric order, then names; options in one order. The same sections give the same bytes."""
    parts = [HEADER]
    for name in sorted(sections, key=lambda name: (not name.isdecimal(), int(name) if name.isdecimal() else 0, name)):
        section = sections[name]
        parts.append("\n".join(["", dialect.header.format(name=name), *dialect.lines(section.options), *section.extra, ""]))
    return "".join(parts)


def prune(sections: Mapping[str, Section], known: Iterable[str]) -> tuple[dict[str, Section], list[str]]:
    """(sections of extensions that the PBX still has, names of the others). One unknown name and Asterisk skips all that follows."""
    known = set(known)
    return {name: section for name, section in sections.items() if name in known}, sorted(name for name in sections if name not in known)


def is_generated(main: str) -> bool:
    """Whether Asterisk itself rewrites this file: the next time it does, it destroys the sections of included files."""
    return any(line.strip().startswith(GENERATED) for line in main.split("\n", 20)[:20])


def with_include(main: str, name: str) -> str:
    """The main file with ``#tryinclude name`` exactly once, as the last thing that counts. Everything else stays byte for byte.

    :raises Unsupported: the file ends inside a block comment
    """
    lines = main.split("\n")
    active = list(_lines(main))
    ours = [number for number, line in active if _included(line) == name]
    last = max((number for number, line in active if line), default=0)
    if len(ours) == 1 and ours[0] == last and re.match(r"\s*#tryinclude\b", lines[last - 1]):
        return main
    kept = "\n".join(line for number, line in enumerate(lines, 1) if number not in ours)
    newline = "\r\n" if "\r\n" in main else "\n"
    return kept + (newline if kept and not kept.endswith("\n") else "") + f"#tryinclude {name}{newline}"


def _included(line: str) -> str:
    match = re.fullmatch(r"#(?:try)?include\s+[\"<]?(?:\./)?([^\"<>]+?)[\">]?", line)
    return match[1] if match else ""


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """(number, what Asterisk reads of that line): without comments, ``;-- ... --;`` blocks included, and without outer blanks."""
    depth = 0
    for number, line in enumerate(text.split("\n"), 1):
        kept, rest = "", line
        while rest:
            if depth:
                end = rest.find("--;")
                start = re.search(r";--(?!-)", rest)
                if start and (end < 0 or start.start() < end):
                    depth, rest = depth + 1, rest[start.end():]
                elif end >= 0:
                    depth, rest = depth - 1, rest[end + 3:]
                else:
                    rest = ""
            else:
                found = re.search(r"(?<!\\);(--(?!-))?", rest)
                if not found:
                    kept, rest = kept + rest, ""
                elif found[1]:
                    depth, kept, rest = 1, kept + rest[:found.start()], rest[found.end():]
                else:
                    kept, rest = kept + rest[:found.start()], ""
        yield number, kept.strip()
    if depth:
        raise Unsupported("The file ends inside a block comment (;-- without --;).", "Close the comment: Asterisk would not see what follows either.")
