# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking FreeSWITCH: its API commands, whichever way they get there."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence

from ansible_collections.evenport.sip.plugins.module_utils.errors import BadAnswer, PlanError

# What may stand as one word in a command. FreeSWITCH splits commands at blanks, knows quotes and backslashes, and its console takes ";;"
# as the end of a command [H: switch_utils.c, switch_console.c].
_WORD = re.compile(r"[A-Za-z0-9_.+*#:@-]{1,200}")
NO_REPLY = "-ERR no reply"              # what an empty answer is called on the event socket [H: mod_event_socket.c]


class Switch(ABC):
    """A FreeSWITCH that lets us in. ``str()`` of it is for messages: where it is asked."""

    @abstractmethod
    def ask(self, commands: Sequence[str]) -> list[str]:
        """The answer to each of the API commands, as it is, without blank ends."""

    @abstractmethod
    def close(self) -> None:
        """Log out. Never raises."""

    def api(self, command: str) -> str:
        """The answer to one API command."""
        return self.ask([command])[0]

    def values(self, commands: Sequence[str]) -> list[str]:
        """Answers to commands of one kind that give a value; empty where there is none.  :raises BadAnswer: a command was refused"""
        answers = ["" if answer == NO_REPLY else answer for answer in self.ask(commands)]
        if any(answer.startswith("-ERR") for answer in answers):
            raise BadAnswer(f"{self} refuses the command {commands[0].split()[0]}.", "Is this FreeSWITCH, with the modules that FusionPBX loads?")
        return answers


def is_word(text: str) -> bool:
    """Whether *text* can stand in a command of FreeSWITCH as one word."""
    return bool(_WORD.fullmatch(text))


def word(text: str, what: str) -> str:
    """*text*, if it is one.  :raises PlanError: it is not, and would be read as something else"""
    if not is_word(text):
        raise PlanError(f"The {what} {text[:40]!r} has characters that a command of FreeSWITCH can't hold.",
                        "Letters, digits and . _ - + * # : @ are possible. Nothing was done.")
    return text
