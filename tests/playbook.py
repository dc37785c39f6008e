"""Running the collection's playbooks as a person does, for tests: a real ansible-playbook, in an environment without ANSIBLE_*."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

BIN = Path(sys.executable).parent


class Result:
    """What a run printed. ``words`` is the output with every run of white space as one space, since Ansible wraps long messages."""

    def __init__(self, process: subprocess.CompletedProcess) -> None:
        self.status = process.returncode
        self.out = process.stdout + process.stderr
        self.words = re.sub(r"\s+", " ", self.out)

    @property
    def failed(self) -> bool:
        return self.status != 0

    def recap(self, host: str) -> dict[str, int]:
        """ok, changed, unreachable, failed, ... of one host; {} if it had no task at all."""
        line = re.search(rf"^{re.escape(host)}\s+: (.*)$", self.out, re.MULTILINE)
        return {word: int(number) for word, number in re.findall(r"(\w+)=(\d+)", line[1])} if line else {}

    @property
    def changed(self) -> int:
        return sum(map(int, re.findall(r"changed=(\d+)", self.out)))


def run_playbook(
    playbook: str, inventory: Path | str, *options: str, folder: Path | None = None, within: Sequence[str] = (), **environment: str,
) -> Result:
    """``evenport.sip.site`` or a file; *options* as on the command line. *within*: a command that runs the command that it is given."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
    env |= {"ANSIBLE_NOCOLOR": "1", "LC_ALL": "C.UTF-8", **environment}
    command = [*within, str(BIN / "ansible-playbook"), playbook, "-i", str(inventory), *options]
    return Result(subprocess.run(
        command, cwd=folder or Path(inventory).parent, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=240, check=False))
