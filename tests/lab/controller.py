"""The Ansible controller: ansible-playbook on a laptop in the LAN, everything it writes in a folder of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.lab.net import LAPTOP
from tests.lab.spaces import inside

RECAP = re.compile(r"^(\S+)\s+: ok=\d+\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", re.M)


@dataclass(frozen=True)
class Run:
    """One finished ansible-playbook."""

    code: int
    output: str
    changed: int
    seconds: float


def play(playbook: str, inventory: Path, home: Path, log: str, *options: str, limit: float = 180) -> Run:
    """Run evenport.sip.<playbook>; its output goes to <home>/<log>.log too. Raises subprocess.TimeoutExpired after *limit* seconds."""
    program = Path(sys.executable).with_name("ansible-playbook")
    temporary = home / "tmp"                                    # a module that is killed leaves its unpacked self behind
    temporary.mkdir(exist_ok=True)
    environment = {**os.environ, "TMPDIR": str(temporary), "ANSIBLE_HOME": str(home / "ansible"), "ANSIBLE_REMOTE_TMP": str(home / "ansible/tmp"),
                   "ANSIBLE_NOCOLOR": "1", "ANSIBLE_FORCE_COLOR": "0", "ANSIBLE_LOCALHOST_WARNING": "0", "LC_ALL": "C.UTF-8"}
    environment.pop("ANSIBLE_STDOUT_CALLBACK", None)            # the recap is read below
    began = time.monotonic()
    command = [str(program), f"evenport.sip.{playbook}", "-i", str(inventory), *options]
    with inside(LAPTOP):
        done = subprocess.run(command, env=environment, cwd=home, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors="replace", timeout=limit, check=False)
    (home / f"{log}.log").write_text(done.stdout, "utf-8")
    changed = sum(int(count) for _host, count, *_others in RECAP.findall(done.stdout))
    return Run(done.returncode, done.stdout, changed, time.monotonic() - began)
