# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The embedded demo: ``python -m tests.fakes.demo run | up | down``.

run   plan, audit, roll out, roll out again, on a copy of inventory/demo, and show it; nothing is left running
up    start the embedded site and leave it running, to play with: ansible-playbook evenport.sip.audit -i inventory/demo
down  end it
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.fakes.site import MIXED, DemoSite

CHECKOUT = Path(__file__).resolve().parents[2]
INVENTORY = CHECKOUT / "inventory" / "demo"
ADDRESSES = "127.0.60."         # of inventory/demo; copies that run beside it take another net


def copy_inventory(target, addresses=ADDRESSES, lock=False):
    """A private copy of inventory/demo, on other loopback addresses if wanted, without what a run left there."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(INVENTORY, target, ignore=shutil.ignore_patterns(".sip", *([] if lock else ["sip_ports.yml"])))
    hosts = Path(target, "hosts.yml")
    hosts.write_text(hosts.read_text(encoding="utf-8").replace(ADDRESSES, addresses), encoding="utf-8")
    return Path(target)


def up(inventory=INVENTORY):
    """Start the site as a process of its own; returns when all phones are registered."""
    pid_file = inventory / ".sip" / "demo.pid"
    if _running(pid_file):
        sys.exit(f"The demo site is up already (process {pid_file.read_text()}). End it with: make demo-down")
    pid_file.parent.mkdir(exist_ok=True)
    (pid_file.parent / "counts.json").unlink(missing_ok=True)
    with open(pid_file.parent / "demo.log", "w", encoding="utf-8") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.fakes.demo", "serve", str(inventory)], cwd=CHECKOUT,
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    pid_file.write_text(str(process.pid), encoding="utf-8")
    for _attempt in range(150):
        if (pid_file.parent / "counts.json").exists():
            return
        if process.poll() is not None:
            pid_file.unlink()
            sys.exit(f"The demo site did not start:\n{(pid_file.parent / 'demo.log').read_text(encoding='utf-8')}")
        time.sleep(0.1)
    down(inventory)
    sys.exit("The demo site did not start within 15 s.")


def down(inventory=INVENTORY):
    pid_file = inventory / ".sip" / "demo.pid"
    pid = _running(pid_file)
    if pid:
        os.kill(pid, signal.SIGTERM)
        for _attempt in range(50):
            if not _running(pid_file):
                break
            time.sleep(0.1)
    pid_file.unlink(missing_ok=True)


def _running(pid_file):
    """The pid of our own process, or None: a pid that the system has given to somebody else is not ours."""
    try:
        pid = int(pid_file.read_text(encoding="utf-8"))
        return pid if b"tests.fakes.demo" in Path(f"/proc/{pid}/cmdline").read_bytes() else None
    except (OSError, ValueError):
        return None


def serve(inventory):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with DemoSite(inventory, kinds=MIXED):
        while True:
            signal.pause()


def playbook(name, inventory, report=""):
    """Run a playbook of the collection as a person would; its output goes to the terminal. Returns it too."""
    command = [str(Path(sys.executable).with_name("ansible-playbook")), f"evenport.sip.{name}", "-i", str(inventory)]
    print(f"\n$ ansible-playbook evenport.sip.{name} -i {os.path.relpath(inventory, CHECKOUT)}", flush=True)
    if report:
        command += ["-e", json.dumps({"sip_audit_file": str(inventory / ".sip" / report)})]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    output = []
    for line in process.stdout:
        print(line, end="", flush=True)
        output.append(line)
    if process.wait():
        sys.exit(f"evenport.sip.{name} ended with exit status {process.returncode}")
    return "".join(output)


def run():
    began = time.monotonic()
    inventory = copy_inventory(CHECKOUT / ".cache" / "demo" / "inventory")
    up(inventory)
    try:
        print("Eight phones of seven brands behind one router, on local SIP port 5060 or a random one; the PBX's NAT option is off.")
        playbook("plan", inventory)
        playbook("audit", inventory, report="before.json")
        playbook("site", inventory)
        time.sleep(2.5)         # every fake phone has refreshed its registration
        again = playbook("site", inventory)
        playbook("audit", inventory, report="after.json")
        changed = sum(map(int, re.findall(r"changed=(\d+)", again)))
        show(*(json.loads((inventory / ".sip" / name).read_text(encoding="utf-8")) for name in ("before.json", "after.json", "counts.json")))
        print(f"\nThe second rollout changed {changed} things. All of it took {time.monotonic() - began:.0f} s.")
        if changed:
            sys.exit("The second rollout should have changed nothing.")
    finally:
        down(inventory)


def show(before, after, counts):
    was = {(line["phone"], line["line"]): line for line in _lines(before)}
    print("\n                              BEFORE                                  AFTER")
    print(f"{'phone':14}{'extension':>10}   {'phone says':>10} {'PBX sees':>9}  {'verdict':18} {'planned':>8} {'phone says':>10} {'PBX sees':>9}  verdict")
    for line in _lines(after):
        old = was[(line["phone"], line["line"])]
        print(f"{line['phone']:14}{line['extension']:>10}   {old['claimed'] or '-':>10} {old['seen'] or '-':>9}  {old['verdict']:18} "
              f"{line['planned'] or '-':>8} {line['claimed'] or '-':>10} {line['seen'] or '-':>9}  {line['verdict']}")
    wrong = [line["phone"] for line in _lines(after) if line["planned"] and line["verdict"] != "ok"]
    if wrong:
        sys.exit(f"Not on their planned ports: {', '.join(wrong)}")
    print(f"\nWrites to phones in all: {sum(c['writes'] for c in counts.values())}; restarts: {sum(c['reboots'] for c in counts.values())}.")


def _lines(report):
    return [line for site in report["sites"] for line in site["lines"]]


if __name__ == "__main__":
    actions = {"run": run, "up": up, "down": down}
    if sys.argv[1:2] == ["serve"]:
        serve(sys.argv[2])
    elif len(sys.argv) in (2, 3) and sys.argv[1] in actions:
        actions[sys.argv[1]](*map(Path, sys.argv[2:]))
    else:
        sys.exit(__doc__)
