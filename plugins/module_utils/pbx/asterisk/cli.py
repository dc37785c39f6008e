# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asterisk with PJSIP, read by its command line (``asterisk -rx``): for a PBX whose manager interface is closed.

What is read [H, measured on Asterisk 22; the same commands are documented from 13 on]:

* contacts: ``database show registrar``, a line ``/registrar/contact/AOR;@md5-of-the-URI: {JSON}`` for each. The family is always named:
  ``database show`` alone also prints SIP packets with Authorization headers. Contacts that are kept in a database (realtime) are not there.
* their status: ``pjsip show aors``. It cuts URIs off, but its hash is the first ten digits of the same MD5.
* NAT options: ``pjsip show endpoint NAME``, a table of ``name : value``, wherever the endpoint comes from. It holds no password.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterable, Sequence
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import (
    BadAnswer,
    DeviceError,
    PermissionMissing,
    PlanError,
    Unreachable,
    Unsupported,
)
from ansible_collections.evenport.sip.plugins.module_utils.model import Extension, Registration
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.ami import Packet
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.box import AsteriskBox, ReloadBusy
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.include_file import check_name
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.pjsip import extension_from, registrations_from
from ansible_collections.evenport.sip.plugins.module_utils.pbx.contract import NAT_OPTIONS
from ansible_collections.evenport.sip.plugins.module_utils.pbx.shell import CommandFailed, Shell

CHUNK = 200                             # commands in one call of the shell: 6 ms each, on a small PBX perhaps 50
MAX_LINE = 4096                         # characters; what Asterisk prints of an endpoint is shorter
NO_PROGRAM = 3                          # the script's own status
# One call for many commands, each on a line of standard input; the first line is the mark that separates the answers, which nobody can
# guess who could put text into them. Asterisk gets no input of ours.
SCRIPT = f"""\
PATH=$PATH:/usr/sbin:/usr/local/sbin
command -v asterisk >/dev/null || exit {NO_PROGRAM}
IFS= read -r mark
date +%s
while IFS= read -r line; do
  printf '\\n%s\\n' "$mark"
  asterisk -rx "$line" </dev/null || exit
done
printf '\\n%s\\n' "$mark"
"""
DENIED = 'if [ -e "$1" ]; then [ -w "$1" ]; elif [ -d "${1%/*}" ]; then [ -x "${1%/*}" ]; fi || echo denied'
STATUS = {"avail": "Reachable", "unavail": "Unreachable", "nonqual": "NonQualified", "removed": "Removed"}      # short -> as the manager interface says it

_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_ENDPOINT = re.compile(r" Endpoint:\s+(\S.*)\s{2,}(\S+(?: \S+)*)\s+(\d{1,9}) of \S+")
_AOR = re.compile(r"\s+Aor:\s.*\s(\d{1,9})")
_CONTACT = re.compile(r"\s+Contact:\s.*\s([0-9a-f]{10})\s+(\w+)\s+\S+")
_REGISTRAR = re.compile(r"/registrar/contact/(.*?);@([0-9a-f]{32})\s*: (\{.*\})\s*")


def parse_endpoints(text: str) -> list[str]:
    """``pjsip show endpoints`` -> names. (A name of 51 characters and more is cut off by Asterisk.)  :raises BadAnswer: it isn't whole"""
    rows = [row for row in map(_ENDPOINT.fullmatch, _lines(text)) if row]
    _counted(text, len(rows), r"Objects found: (\d{1,9})", "No objects found")
    return [row[1].split("/")[0].strip() for row in rows]


def parse_endpoint(name: str, text: str) -> Extension | None:
    """``pjsip show endpoint NAME`` -> its effective NAT options; None for one that Asterisk doesn't know.  :raises BadAnswer, Unsupported:"""
    if text.strip() == f"Unable to find object {name}.":
        return None
    head, table, rest = text.partition("\n ParameterName ")
    pairs = [line.partition(" : ") for line in _lines(rest)]
    values = {key.strip(): value.strip() for key, dummy, value in reversed(pairs)}         # of a repeated name the first counts
    row = next((row for row in map(_ENDPOINT.fullmatch, _lines(head)) if row), None)
    if not table or not row or any(values.get(option) not in ("true", "false") for option in NAT_OPTIONS):
        raise _strange(f"pjsip show endpoint {name}", text)
    fields = {option.replace("_", ""): values[option] for option in NAT_OPTIONS}
    return extension_from({**fields, "objectname": name, "devicestate": row[2], "activechannels": row[3]})


def parse_status(text: str) -> tuple[dict[str, str], bool]:
    """``pjsip show aors`` -> ({first ten digits of the MD5 of a contact's URI: status}, whether an AOR that phones can register to has any)."""
    status: dict[str, str] = {}
    dynamic, maximum = False, 0
    for line in _lines(text):
        aor, contact = _AOR.fullmatch(line), _CONTACT.fullmatch(line)
        if aor:
            maximum = int(aor[1])
        elif contact:
            status[contact[1]] = STATUS.get(contact[2].lower(), "")
            dynamic = dynamic or maximum > 0
    return status, dynamic


def parse_registrar(text: str) -> list[Packet]:
    """``database show registrar`` -> a packet for each contact, with the names of the manager interface.  :raises BadAnswer: it isn't whole"""
    rows = [line for line in text.split("\n") if line.startswith("/registrar/")]
    _counted(text, len(rows), r"(\d{1,9}) results found\.", "0 results found")
    return [_contact(row) for row in rows if row.startswith("/registrar/contact/")]


class AsteriskCli(AsteriskBox):
    """One ``asterisk`` program, here or where *shell* leads. Nothing to log in to: what counts is the right to use its control socket."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell

    def __str__(self) -> str:
        return f"Asterisk on {self.shell}"

    def version(self) -> str:
        dummy, (text,) = self._ask(["core show version"])
        found = re.match(r"Asterisk (\S{1,100}) built ", text.strip())
        return found[1] if found else ""

    def endpoints(self) -> list[str]:
        dummy, (text,) = self._ask(["pjsip show endpoints"])
        return parse_endpoints(text)

    def extensions(self, names: Iterable[str]) -> list[Extension]:
        asked, found = [str(name) for name in names if _is_name(str(name))], []         # another one can't stand in a command
        for start in range(0, len(asked), CHUNK):
            some = asked[start:start + CHUNK]
            dummy, texts = self._ask([f"pjsip show endpoint {name}" for name in some])
            found += [parse_endpoint(name, text) for name, text in zip(some, texts)]    # noqa: B905 - as many; strict= is Python 3.10's
        return [extension for extension in found if extension]

    def registrations(self, known: Iterable[Extension] | None = None) -> list[Registration]:
        now, (contacts, aors) = self._ask(["database show registrar", "pjsip show aors"])
        events, (status, dynamic) = parse_registrar(contacts), parse_status(aors)
        if dynamic and not events:                              # or a phone registered in between
            dummy, (contacts,) = self._ask(["database show registrar"])
            events = parse_registrar(contacts)
            if not events:
                raise Unsupported(f"{self} keeps its registrations in another database than its own (realtime).", "Set sip_pbx_read_by to ami or database.")
        live = [{**event, "status": status.get(event["hash"][:10], "")} for event in events if _alive(event, now)]
        return registrations_from(live, known, self._possible)

    def _possible(self, names: Sequence[str]) -> list[Extension]:
        """The options of those that can be asked for: who registers is not always a phone."""
        return self.extensions([name for name in names if _is_name(name)])

    def reload(self) -> None:
        dummy, (text,) = self._ask(["module reload res_pjsip.so"])
        if "already in progress" in text or "request queued" in text:
            raise ReloadBusy(f"{self} is busy with another reload.", "Run again.")
        if "reloaded successfully" not in text:
            raise DeviceError(f"{self} could not reload res_pjsip.so.", "Look into Asterisk's log; is the module loaded?")

    def close(self) -> None:
        """Every call is complete in itself."""

    def _ask(self, commands: Sequence[str]) -> tuple[int, list[str]]:
        """The time there in seconds since the epoch, and what Asterisk prints for each command."""
        mark = secrets.token_hex(16)
        try:
            answer = self.shell.run("sh", "-c", SCRIPT, "sh", stdin="".join(f"{line}\n" for line in (mark, *commands)))
        except CommandFailed as error:
            raise self._failed(error) from None
        now, *texts = _COLOURS.sub("", answer).split(f"\n{mark}\n")
        now = now.strip().rpartition("\n")[2]                   # a login may greet first
        if len(texts) != len(commands) + 1 or texts.pop() or not re.fullmatch(r"[0-9]{9,12}", now):
            raise BadAnswer(f"The answer of {self} is not whole.", "Run again; if it stays so, try asterisk -rx 'core show version' there by hand.")
        for command, text in zip(commands, texts):              # noqa: B905 - as many; strict= is Python 3.10's
            if text.lstrip().startswith("No such command"):
                raise Unsupported(f"{self} does not know {command.rpartition(' ')[0]}.", "Is PJSIP loaded? Asterisk 13.14 or newer is needed.")
        return int(now), texts

    def _failed(self, error: CommandFailed) -> DeviceError:
        if error.status == NO_PROGRAM:
            return Unsupported(f"There is no program asterisk on {self.shell}.", "Run on the PBX (delegate_to), or check sip_pbx_shell and sip_pbx_type.")
        socket = re.search(r"Unable to connect to remote asterisk \(does (/[^\s?]{1,200}) exist\?\)", error.said)
        if not socket:
            return DeviceError(f"asterisk -rx failed on {self.shell}.", "Try asterisk -rx 'core show version' there by hand.")
        if self.shell.run("sh", "-c", DENIED, "sh", socket[1]).strip():
            return PermissionMissing(f"The user that runs asterisk -rx on {self.shell} may not use {socket[1]}.",
                                     "Run as root (become: true), or as Asterisk's own user.")
        return Unreachable(f"No Asterisk answers on {self.shell} ({socket[1]}).", "Is it running? Start it, then run again.")


def _contact(row: str) -> Packet:
    found = _REGISTRAR.fullmatch(row)
    try:
        data: Any = json.loads(found[3]) if found else None
    except (ValueError, RecursionError):
        data = None
    if not found or not isinstance(data, dict):
        raise _strange("database show registrar", row)
    names = {"uri": "uri", "via_addr": "viaaddr", "via_port": "viaport", "user_agent": "useragent", "expiration_time": "expirationtime",
             "endpoint": "endpoint"}
    return {**{name: str(data.get(key) or "") for key, name in names.items()}, "aor": found[1], "hash": found[2], "callid": found[2]}


def _alive(event: Packet, now: int) -> bool:
    """Asterisk removes an expired contact when it comes around to it, and after a restart only then."""
    until = event["expirationtime"]
    return not until.isascii() or not until.isdigit() or len(until) > 15 or int(until) > now


def _is_name(name: str) -> bool:
    try:
        return bool(check_name(name))
    except PlanError:
        return False


def _lines(text: str) -> list[str]:
    return [line.rstrip()[:MAX_LINE] for line in text.split("\n")]


def _counted(text: str, rows: int, pattern: str, none: str) -> None:
    """Asterisk says how many there were: proof that nothing is missing."""
    told = re.findall(rf"^{pattern}$", text, re.MULTILINE)
    if not (told and int(told[-1]) == rows) and not (rows == 0 and text.strip().startswith(none)):
        raise _strange("its list", text)


def _strange(what: str, text: str) -> BadAnswer:
    return BadAnswer(f"Asterisk's command line answers {what} with something that can't be understood ({len(text)} characters).",
                     "Try it there by hand (asterisk -rx). Asterisk 13.14 or newer is needed.")
