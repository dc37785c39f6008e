# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file that the collection owns in Asterisk's configuration, and the one line that includes it. Pure.

``[101](+)`` adds to the section 101 that was defined before [D, measured on Asterisk 16 and 22]. What must be right:

* the filter: in pjsip.conf endpoint, auth and aor often share a name, and a bare ``(+)`` hits whichever comes first. In sip.conf names are unique.
* the order: an addition to a section that isn't there (yet) makes Asterisk skip the rest of the file, so the include is the last line
* ``#tryinclude``: a missing file after ``#include`` takes all of PJSIP, or chan_sip, away at the next cold start
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch

from ansible_collections.evenport.sip.plugins.module_utils.errors import PlanError, Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.pbx.contract import NAT_OPTIONS

HEADER = """\
; Written by the Ansible collection evenport.sip (module pbx_nat). Do not edit: changes are overwritten.
; NAT options of phones behind a router, added to the extensions defined in the file that includes this one.
"""
GENERATED = ";! Automatically generated configuration file"         # Asterisk writes it when a file is changed through UpdateConfig
NAME = re.compile(r"[A-Za-z0-9_.@+*-]+")                            # a bracket or comma in a section's header would mean something else
_NAT_LINE = ("rewrite_contact", "force_rport", "rtp_symmetric")     # what chan_sip's option nat stands for
_YES, _NO = ("yes", "true", "on", "1", "y", "t"), ("no", "false", "off", "0", "n", "f")


@dataclass(frozen=True)
class Section:
    """What the file adds to one extension. *extra*: lines that a person added, kept as they are."""

    options: Mapping[str, bool] = field(default_factory=dict)
    extra: tuple[str, ...] = ()


class Dialect(ABC):
    """How a channel driver's configuration says the NAT options of one extension."""

    header: str                         # of a section that adds to an extension's own: a template with {name}
    section: re.Pattern[str]            # the same, as it is read
    main_file: str                      # Asterisk's own name of the file that defines the extensions
    include_file: str                   # our file beside it
    noun: str                           # what Asterisk calls an extension there
    elsewhere: str                      # where else such come from, which nothing in that file can add to

    def expected(self, options: Mapping[str, bool]) -> dict[str, bool]:
        """What of these NAT options can be expressed, and so is seen afterwards."""
        return dict(options)

    @abstractmethod
    def lines(self, options: Mapping[str, bool]) -> list[str]:
        """``key=value`` lines that set these NAT options (of :meth:`expected`), in one order."""

    @abstractmethod
    def options(self, key: str, value: str) -> dict[str, bool] | None:
        """The NAT options that one such line sets ({}: none that can be understood); None for a line that isn't about them."""


class PjsipDialect(Dialect):
    """PJSIP: a line for each option, named as we name it."""

    header = "[{name}](+type=endpoint)"
    section = re.compile(r"\[([^\]]+)\]\s*\(\s*\+\s*type\s*=\s*endpoint\s*\)")
    main_file, include_file = "pjsip.conf", "pjsip_evenport.conf"
    noun, elsewhere = "endpoint", "a database (realtime), pjsip_wizard.conf or another file"

    def lines(self, options: Mapping[str, bool]) -> list[str]:
        return [f"{key}={'yes' if options[key] else 'no'}" for key in NAT_OPTIONS if key in options]

    def options(self, key: str, value: str) -> dict[str, bool] | None:
        if key not in NAT_OPTIONS:
            return None
        return {key: value in _YES} if value in _YES + _NO else {}


class ChanSipDialect(Dialect):
    """chan_sip: one option ``nat`` for three of ours, in two lines [measured on Asterisk 16.28].

    Lines of ``nat`` add up with those of the peer and its templates, and over ``auto_force_rport`` a ``force_rport`` stays without
    effect. Only ``no`` clears. So ``nat=no`` comes first, then what shall be on.

    ``force_rport`` also makes Asterisk send to the source instead of the contact: rewrite_contact is not an option of its own and
    follows it. ``nat`` stands for force_rport and rtp_symmetric at once: the one that isn't given is off.
    """

    header = "[{name}](+)"
    section = re.compile(r"\[([^\]]+)\]\s*\(\s*\+\s*\)")
    main_file, include_file = "sip.conf", "sip_evenport.conf"
    noun, elsewhere = "peer", "users.conf, a database (realtime) or another file"

    def expected(self, options: Mapping[str, bool]) -> dict[str, bool]:
        here: dict[str, bool] = {}
        if any(option in options for option in _NAT_LINE):
            force_rport = options.get("force_rport", options.get("rewrite_contact", False))
            here = {"rewrite_contact": force_rport, "force_rport": force_rport, "rtp_symmetric": options.get("rtp_symmetric", False)}
        return {**here, **{option: options[option] for option in ("direct_media",) if option in options}}

    def lines(self, options: Mapping[str, bool]) -> list[str]:
        options = self.expected(options)
        on = [word for word, option in (("force_rport", "force_rport"), ("comedia", "rtp_symmetric")) if options.get(option)]
        return [
            *(["nat=no"] if "force_rport" in options else []),
            *([f"nat={','.join(on)}"] if on else []),
            *([f"directmedia={'yes' if options['direct_media'] else 'no'}"] if "direct_media" in options else [])]

    def options(self, key: str, value: str) -> dict[str, bool] | None:
        if key in ("directmedia", "canreinvite"):                   # two names of one option
            return {"direct_media": value in _YES} if value in _YES + _NO else {}
        return self._nat([word.strip() for word in value.split(",")]) if key == "nat" else None

    def _nat(self, words: list[str]) -> dict[str, bool]:
        """What a line of nat adds. ``auto_...`` is neither on nor off: nothing that we write."""
        if any(word in _NO for word in words):
            return dict.fromkeys(_NAT_LINE, False)
        if not all(word in ("force_rport", "comedia", *_YES) for word in words):
            return {}
        rport, media = (any(word in (name, *_YES) for word in words) for name in ("force_rport", "comedia"))
        return {**dict.fromkeys(("rewrite_contact", "force_rport") if rport else (), True), **dict.fromkeys(("rtp_symmetric",) if media else (), True)}


PJSIP = PjsipDialect()
CHAN_SIP = ChanSipDialect()


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
    """The whole file, sections and options in one order: the same sections give the same bytes."""
    parts = [HEADER]
    for name in in_order(sections):
        section = sections[name]
        parts.append("\n".join(["", dialect.header.format(name=name), *dialect.lines(section.options), *section.extra, ""]))
    return "".join(parts)


def in_order(names: Iterable[str]) -> list[str]:
    """Numbers in numeric order, then names."""
    return sorted(names, key=lambda name: (not name.isdecimal(), int(name) if name.isdecimal() else 0, name))


def prune(sections: Mapping[str, Section], known: Iterable[str]) -> tuple[dict[str, Section], list[str]]:
    """(sections of extensions that the PBX still has, names of the others). One unknown name and Asterisk skips all that follows."""
    known = set(known)
    return {name: section for name, section in sections.items() if name in known}, sorted(name for name in sections if name not in known)


def is_generated(main: str) -> bool:
    """Whether Asterisk itself rewrites this file: the next time it does, it destroys the sections of included files."""
    return any(line.strip().startswith(GENERATED) for line in main.split("\n", 20)[:20])


def with_include(main: str, name: str) -> str:
    """The main file with ``#tryinclude name`` exactly once, as the last thing that counts. Everything else stays byte for byte.

    :raises Unsupported: the file ends inside a block comment, or another line includes our file with others, by a pattern
    """
    lines = main.split("\n")
    active = list(_lines(main))
    pattern = next((found for dummy, line in active if (found := _included(line)) and found != name and fnmatch(name, found)), "")
    if pattern:                         # it would be read there, before the extensions that it adds to, and Asterisk would skip it
        raise Unsupported(f"{name} would be included by {pattern} already, before the extensions that it is about.",
                          "Give it a name that this pattern does not match, such as sip_pbx_include_file: evenport.conf.")
    ours = [number for number, line in active if _included(line) == name]
    last = max((number for number, line in active if line), default=0)
    if len(ours) == 1 and ours[0] == last and re.match(r"\s*#tryinclude\b", lines[last - 1]):
        return main
    kept = "\n".join(line for number, line in enumerate(lines, 1) if number not in ours)
    newline = "\r\n" if "\r\n" in main else "\n"
    return kept + (newline if kept and not kept.endswith("\n") else "") + f"#tryinclude {name}{newline}"


def outline(text: str) -> tuple[list[str], list[str]]:
    """The sections that a configuration file defines (no templates, no additions), and the files that it includes.

    :raises Unsupported: the file ends inside a block comment
    """
    sections, included = [], []
    for line in [line for dummy, line in _lines(text)]:
        header = re.match(r"\[([^\]]+)\]\s*(?:\(([^)]*)\))?", line)
        if header and not any(word.strip()[:1] in ("!", "+") for word in (header[2] or "").split(",")):
            sections.append(header[1].strip())
        included += [name for name in [_included(line)] if name]
    return sections, included


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
