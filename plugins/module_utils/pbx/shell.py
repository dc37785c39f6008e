# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running the PBX's own programs: where we are, or through a command such as ``ssh root@pbx``.

The second way is for PBXs whose Python is too old for any module of Ansible: it needs a shell there and nothing else.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import shlex
import signal
import subprocess
import time
from collections.abc import Sequence

from ansible_collections.evenport.sip.plugins.module_utils.errors import BadAnswer, DeviceError, Unreachable, Unsupported

LIMIT = 32 * 1024 * 1024                # bytes of an answer; a PBX with 5,000 extensions gives 5 MB
_SAID = 2000                            # characters of the end of what it complained of
_QUIET = 0.25                           # seconds of silence after a program's end: what it left behind in the background may hold its output open


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

        :raises Unsupported: no such program there; Unreachable: the prefix found no way; CommandFailed: it ended with another status than 0;
            BadAnswer: it does not end, or says too much: then it is killed
        """
        # ssh hands its arguments to a shell there, joined by blanks: so they are quoted for one.
        command = [*self.prefix, shlex.join(argv)] if self.prefix else list(argv)
        try:
            # In a session of its own there is no terminal where ssh or sudo could ask for a password and wait for ever.
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
        except FileNotFoundError as error:
            raise Unsupported(f"There is no program {command[0]} on the machine that runs this task.",
                              "Run it on the PBX (delegate_to), or set sip_pbx_shell, and check sip_pbx_type.") from error
        except (OSError, ValueError) as error:          # ValueError: a zero byte
            raise DeviceError(f"{argv[0]} can't be run on {self}: {getattr(error, 'strerror', '') or 'an argument that no program can have'}.",
                              "Run as root on the PBX (become: true).") from error
        try:
            answer, complaint = _talk(process, stdin.encode("utf-8", "surrogateescape"), time.monotonic() + self.timeout)
        except TimeoutError as error:
            raise BadAnswer(f"{argv[0]} on {self} did not end within {self.timeout:g} s.", "Look at the PBX's load, then run again.") from error
        except OverflowError as error:
            raise BadAnswer(f"{argv[0]} on {self} answered more than {LIMIT // 1024 // 1024} MB.", "Is this really the program of that name?") from error
        finally:
            _leave(process)
        said = complaint.decode("utf-8", "replace").strip()[-_SAID:]
        if self.prefix and process.returncode == 255:
            raise Unreachable(f"{self.prefix[0]} found no way to the PBX.", "Try sip_pbx_shell by hand; it must not ask for anything.")
        if process.returncode == 127 or (self.prefix and "command not found" in said):
            raise Unsupported(f"There is no program {argv[0]} on {self}.", "Check sip_pbx_type and sip_pbx_shell.")
        if process.returncode:
            raise CommandFailed(f"{argv[0]} on {self} failed (status {process.returncode}).", "Try it there by hand.", process.returncode, said)
        return answer.decode("utf-8", "surrogateescape")


def _talk(process: subprocess.Popen[bytes], data: bytes, deadline: float) -> tuple[bytes, bytes]:
    """Give *data*, take (standard output, the end of standard error), wait for the end.  :raises TimeoutError, OverflowError: and it still runs"""
    answer, complaint, rest = bytearray(), bytearray(), memoryview(data)
    with selectors.DefaultSelector() as streams:
        for stream, event in ((process.stdin, selectors.EVENT_WRITE), (process.stdout, selectors.EVENT_READ), (process.stderr, selectors.EVENT_READ)):
            os.set_blocking(stream.fileno(), False)
            streams.register(stream, event)
        while process.stdout in {key.fileobj for key in streams.get_map().values()}:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            ended = process.poll() is not None
            ready = [key.fileobj for key, dummy in streams.select(min(left, _QUIET))]
            if ended and not ready:
                break
            for stream in ready:
                if stream is process.stdin:
                    rest = _given(process.stdin.fileno(), rest)
                    done = not rest
                else:
                    piece = os.read(stream.fileno(), 65536)
                    done = not piece
                    if stream is process.stdout:
                        answer += piece
                    else:
                        complaint = (complaint + piece)[-4 * _SAID:]
                if done:
                    streams.unregister(stream)
                    if stream is process.stdin:
                        stream.close()
            if len(answer) > LIMIT:
                raise OverflowError
        try:
            process.wait(max(deadline - time.monotonic(), 0))
        except subprocess.TimeoutExpired as error:
            raise TimeoutError from error
        with contextlib.suppress(BlockingIOError):
            complaint += os.read(process.stderr.fileno(), 65536)
    return bytes(answer), bytes(complaint)


def _leave(process: subprocess.Popen[bytes]) -> None:
    """What still runs is killed with all that it started. (One that ended by itself may have started a service: that stays.)"""
    if process.poll() is None:
        with contextlib.suppress(OSError):                  # by sudo it is another user's; without our pipes it ends soon
            os.killpg(process.pid, signal.SIGKILL)
    for stream in (process.stdin, process.stdout, process.stderr):
        with contextlib.suppress(OSError):
            stream.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(1)


def _given(pipe: int, rest: memoryview) -> memoryview:
    """What is left of *rest*; nothing if nobody listens any more."""
    try:
        return rest[os.write(pipe, rest[:65536]):] if rest else rest
    except BrokenPipeError:
        return rest[:0]
