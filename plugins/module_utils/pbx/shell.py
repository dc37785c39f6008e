# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running the PBX's own programs: where we are, or through a command such as ``ssh root@pbx``.

The second way is for PBXs whose Python is too old for any module of Ansible: it needs a shell there and nothing else.
"""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Sequence

from ansible_collections.evenport.sip.plugins.module_utils.errors import BadAnswer, DeviceError, Unreachable, Unsupported

LIMIT = 32 * 1024 * 1024                # bytes of an answer; a PBX with 5,000 extensions gives 5 MB


class CommandFailed(DeviceError):
    """The program ran and said no. *said*: the end of what it wrote to standard error, for us to look into and never for a message."""

    def __init__(self, what: str, remedy: str = "", status: int = 0, said: str = "") -> None:
        super().__init__(what, remedy)
        self.status, self.said = status, said


class Shell:
    """*prefix*: what brings a command to the PBX, () where we run on it. *timeout*: seconds for each command."""

    def __init__(self, prefix: Sequence[str] = (), timeout: float = 60) -> None:
        self.prefix, self.timeout = tuple(prefix), timeout

    def __str__(self) -> str:
        return f"the PBX (by {self.prefix[0]})" if self.prefix else "the PBX"

    def run(self, *argv: str, stdin: str = "") -> str:
        """What the program writes to standard output. Secrets belong into *stdin*: everybody can list the arguments of a process.

        :raises Unsupported: no such program there; Unreachable: the prefix found no way; CommandFailed: it ended with another status than 0
        """
        # ssh hands its arguments to a shell there, joined by blanks: so they are quoted for one.
        command = [*self.prefix, shlex.join(argv)] if self.prefix else list(argv)
        try:
            done = subprocess.run(command, input=stdin.encode("utf-8", "surrogateescape"), capture_output=True, timeout=self.timeout, check=False)
        except FileNotFoundError as error:
            raise Unsupported(f"There is no program {command[0]} on the machine that runs this task.",
                              "Run it on the PBX (delegate_to), or set sip_pbx_shell, and check sip_pbx_type.") from error
        except subprocess.TimeoutExpired as error:
            raise BadAnswer(f"{argv[0]} on {self} did not end within {self.timeout:g} s.", "Look at the PBX's load, then run again.") from error
        except OSError as error:
            raise DeviceError(f"{argv[0]} can't be run on {self}: {error.strerror}.", "Run as root on the PBX (become: true).") from error
        said = done.stderr.decode("utf-8", "replace").strip()[-2000:]
        if len(done.stdout) > LIMIT:
            raise BadAnswer(f"{argv[0]} on {self} answered more than {LIMIT // 1024 // 1024} MB.", "Is this really the program of that name?")
        if self.prefix and done.returncode == 255:
            raise Unreachable(f"{self.prefix[0]} found no way to the PBX.", "Try sip_pbx_shell by hand; it must not ask for anything.")
        if done.returncode == 127 or (self.prefix and "command not found" in said):
            raise Unsupported(f"There is no program {argv[0]} on {self}.", "Check sip_pbx_type and sip_pbx_shell.")
        if done.returncode:
            raise CommandFailed(f"{argv[0]} on {self} failed (status {done.returncode}).", "Try it there by hand.", done.returncode, said)
        return done.stdout.decode("utf-8", "surrogateescape")
