# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""FreeSWITCH through its own command line, ``fs_cli -x``: where we run, or through a prefix such as ssh.

fs_cli logs in with what its configuration says (~/.fs_cli_conf, /etc/fs_cli.conf, or else its usual password) [H: fs_cli.c]. We give it none: everybody
can list a program's arguments. Each command is one login of fs_cli; after the first that fails there is no other.
"""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.evenport.sip.plugins.module_utils.errors import AuthFailed, BadAnswer, DeviceError, Unreachable, Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.pbx.fusionpbx.switch import Switch, word
from ansible_collections.evenport.sip.plugins.module_utils.pbx.shell import CommandFailed, Shell

# A command on each line of standard input, so that many cost one ssh. No phone can end a line of an answer: line breaks end SIP headers.
_EACH = """\
command -v fs_cli >/dev/null || exit 4
while IFS= read -r line; do fs_cli -x "$line" </dev/null || exit 3; printf '\\036\\n'; done
"""
_END = "\x1e\n"
_AT_ONCE = 100                          # 30 ms each on the PBX


class FsCli(Switch):
    """Shows that fs_cli gets in by asking for the version: before anything is done."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        self.api("version")

    def __str__(self) -> str:
        return f"fs_cli on {self.shell}"

    def ask(self, commands: Sequence[str]) -> list[str]:
        answers: list[str] = []
        for start in range(0, len(commands), _AT_ONCE):
            answers += self._ask(commands[start:start + _AT_ONCE])
        return answers

    def close(self) -> None:
        """Nothing is open."""

    def _ask(self, commands: Sequence[str]) -> list[str]:
        for command in commands:
            for part in command.split(" "):
                word(part.strip("'"), "word")
        try:
            text = self.shell.run("sh", "-c", _EACH, stdin="".join(f"{command}\n" for command in commands))
        except CommandFailed as error:
            raise self._failed(error) from None
        text = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        *answers, rest = (answer.strip() for answer in text.split(_END))
        if len(answers) != len(commands) or rest or not all(answers):       # fs_cli says nothing, and ends well, where FreeSWITCH goes away meanwhile
            raise BadAnswer(f"{self} did not answer all of what it was asked.", "Try fs_cli -x version there by hand.")
        return answers

    def _failed(self, error: CommandFailed) -> DeviceError:
        if error.status == 4:
            return Unsupported(f"There is no program fs_cli on {self.shell}.", "Check sip_pbx_type and sip_pbx_shell, and the PATH there.")
        if "Authentication Error" in error.said:
            return AuthFailed(f"FreeSWITCH on {self.shell} refuses the login of fs_cli.",
                              "Write the event socket's password into /etc/fs_cli.conf there. It is not tried again in this run.")
        if "Connecti" in error.said:            # Connection Error, Socket Connection Error, Error Connecting
            return Unreachable(f"fs_cli on {self.shell} does not get through to FreeSWITCH.", "Check that FreeSWITCH runs there.")
        return error
