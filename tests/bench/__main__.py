# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a phone costs, in CPU time: ``python -m tests.bench [--phones N] [--few N] [--rounds N] [--only NAME ...]``.

Every way to read phones, then the rollout, on the same machine in the same run; see docs/performance.md. A way that did not do its
work by the fakes' own counters ends the benchmark: there is nothing to compare then. No time is ever a failure.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from tests.bench import alternatives as ways
from tests.bench.site import CHECKOUT, COUNTED, PER_SITE, Fakes, planned_ports, write_inventory

FORKS = 20


@dataclass
class Way:
    """One row: a command, how many phones it works on, what the fakes have to have counted afterwards, and its samples."""

    label: str
    command: list[str]
    phones: int
    expected: dict[str, int] = field(default_factory=dict)      # of COUNTED; what is not named has to be 0, except requests
    base: str = "an empty play"                                 # the row that shows its start-up alone
    samples: list[tuple[float, float]] = field(default_factory=list)        # CPU, wall; seconds
    seen: dict[str, int] = field(default_factory=dict)

    @property
    def cpu(self) -> float:
        return statistics.median(cpu for cpu, _wall in self.samples)

    @property
    def wall(self) -> float:
        return statistics.median(wall for _cpu, wall in self.samples)

    def run(self, fakes: Fakes, folder: Path) -> str:
        """Run it once, measure it, and end the benchmark if the phones did not see the work."""
        before = fakes.counts()
        cpu, wall, output = measure(self.command, folder)
        after = fakes.counts()
        self.samples.append((cpu, wall))
        self.seen = {counter: after[counter] - before[counter] for counter in (*COUNTED, "pbx_logins")}
        for counter in COUNTED:
            if counter != "requests" and self.seen[counter] != self.expected.get(counter, 0):
                sys.exit(f"{self.label}: the phones saw {self.seen[counter]} {counter}, not {self.expected.get(counter, 0)}.\n{output[-3000:]}")
        return output


def measure(command: list[str], folder: Path) -> tuple[float, float, str]:
    """CPU seconds (user and system, the whole process tree), wall seconds, output. The fakes are no part of the tree."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
    environment |= {"ANSIBLE_NOCOLOR": "1", "ANSIBLE_FORKS": str(FORKS), "ANSIBLE_HOME": str(folder / "home"), "ANSIBLE_REMOTE_TMP": str(folder / "tmp"),
                    "LC_ALL": "C.UTF-8", "PYTHONPATH": str(CHECKOUT)}
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    process = subprocess.run(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=1800, check=False)
    wall, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        told = [line for line in process.stdout.splitlines() if not re.search(r"^(?:ok|changed|skipping|included): |failed=0 ", line)]
        sys.exit(f"{' '.join(command)} ended with exit status {process.returncode}:\n" + "\n".join(told)[:4000])
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall, process.stdout


def reading(folder: Path, inventory: Path, phones: int, few: int) -> list[Way]:
    ansible = str(Path(sys.executable).with_name("ansible-playbook"))

    def play(name: str, tasks: str, limit: str = "all") -> list[str]:
        return [ansible, str(ways.write_play(folder, name, tasks)), "-i", str(inventory), "--limit", limit]

    def read(count: int) -> dict[str, int]:
        return {"login_attempts": count, "logins": count, "logouts": count}

    pool = [sys.executable, "-m", "tests.bench.alternatives", str(inventory)]
    some = ":".join(f"phone-{number + 1:04}" for number in range(few))
    some_g2 = ":".join(f"phone-{2 * number + 1:04}" for number in range(few))
    return [
        Way("an empty play", play("empty", ways.EMPTY), 0),
        Way("a bare Python start", [*pool, "0"], 0),
        Way("thread pool without Ansible", [*pool, str(phones)], phones, read(phones), base="a bare Python start"),
        Way("phone_scan, one task for all", play("scan", ways.SCAN), phones, read(phones)),
        Way("a task that does nothing", play("floor", ways.FLOOR), phones),
        Way("phone_info, task per phone", play("host_task", ways.HOST_TASK), phones, read(phones)),
        Way("phone_info as plain module", play("module", ways.MODULE, some), few, read(few)),
        Way("four uri tasks per phone", play("uri", ways.URI, some_g2), few, read(few)),
    ]


def rolling_out(inventory: Path, phones: int) -> tuple[Way, Way]:
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "evenport.sip.site", "-i", str(inventory)]
    once = {"login_attempts": phones, "logins": phones, "logouts": phones}
    return (Way("site, every phone moves", command, phones, {**once, "writes": phones}), Way("site again, nothing to do", command, phones, once))


def moved(fakes: Fakes, inventory: Path) -> None:
    shown, planned = fakes.counts()["ports"], planned_ports(inventory)
    if wrong := [phone for phone in shown if shown[phone] != planned.get(phone)]:
        sys.exit(f"site: {len(wrong)} phones are not on their planned ports: {', '.join(wrong[:5])}")


def run_all(folder: Path, phones: int, few: int, rounds: int, wanted: Callable[[Way], bool]) -> tuple[list[Way], list[Way]]:
    net = 30 + os.getpid() % 190
    inventory = write_inventory(folder / "inventory", phones, net)
    measure([str(Path(sys.executable).with_name("ansible-playbook")), "evenport.sip.plan", "-i", str(inventory)], folder)
    read = [way for way in reading(folder, inventory, phones, few) if wanted(way)]
    first, second = rolling_out(inventory, phones)
    for number in range(rounds):                # in turn, so that a busy minute of the machine hits every row alike
        with Fakes(inventory) as fakes:         # new ones in each round: all phones on 5060 again
            for way in read:
                progress(number, rounds, way)
                way.run(fakes, folder)
            if wanted(first):
                progress(number, rounds, first)
                first.run(fakes, folder)
                moved(fakes, inventory)
                progress(number, rounds, second)
                if re.search(r"changed=[1-9]", second.run(fakes, folder)):
                    sys.exit("site: the second run changed something.")
    return read, [first, second] if wanted(first) else []


def progress(number: int, rounds: int, way: Way) -> None:
    print(f"round {number + 1} of {rounds}: {way.label}", file=sys.stderr, flush=True)


def table(rows: list[Way], everything: dict[str, Way], unit: str) -> str:
    """*unit*: the row that the last column counts in."""
    def net(way: Way) -> float:
        return (way.cpu - everything[way.base].cpu) * 1000 / way.phones

    lines = [f"| {'way':28} | phones | requests each | CPU s | wall s | CPU ms per phone | without start-up | x {unit} |", f"|{'---|' * 8}"]
    for way in rows:
        if not way.phones:
            lines.append(f"| {way.label:28} | - | - | {way.cpu:.2f} | {way.wall:.2f} | - | - | - |")
            continue
        times = f"{net(way) / net(everything[unit]):.2f}" if unit in everything else "-"
        lines.append(f"| {way.label:28} | {way.phones} | {way.seen['requests'] / way.phones:.1f} | {way.cpu:.2f} | {way.wall:.2f} "
                     f"| {way.cpu * 1000 / way.phones:.1f} | {net(way):.1f} | {times} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--phones", type=int, default=200, help="default 200")
    parser.add_argument("--few", type=int, default=20, help="phones for the slow ways, which cost the same for each phone; default 20")
    parser.add_argument("--rounds", type=int, default=3, help="each way so often; medians are shown; default 3")
    parser.add_argument("--only", nargs="+", default=[], metavar="WORD", help="only ways with one of these words in their name (site, scan, ...)")
    options = parser.parse_args()
    options.few = min(options.few, max(1, options.phones // 2))
    always = ("an empty play", "a bare Python start")

    def wanted(way: Way) -> bool:
        return not options.only or way.label in always or any(word in way.label for word in options.only)

    with tempfile.TemporaryDirectory(prefix="evenport-bench-") as folder:
        read, pushed = run_all(Path(folder), options.phones, options.few, options.rounds, wanted)
    everything = {way.label: way for way in [*read, *pushed]}
    print(f"\n{options.phones} fake phones (plain http, no latency; half G2, half G3) at {-(-options.phones // PER_SITE)} sites, one PBX. Medians of "
          f"{options.rounds} runs.\nCPU: user and system time of the measured command's whole process tree, start-up included; the fakes run in a process of "
          f"their own.\n{os.cpu_count()} cores (shared with the fakes, which makes wall times longer), Python {sys.version.split()[0]}, "
          f"ansible-core {version('ansible-core')}, {FORKS} forks.\n\nReading, checked by what the phones counted (one login, one logout, no write each):\n")
    print(table(read, everything, "a task that does nothing"))
    if pushed:
        print("\nRolling out (scan, PBX, waves, proof at the PBX, report), checked likewise (one login and one write per phone, all on their planned ports;\n"
              "the second time no write):\n")
        print(table(pushed, everything, "a task that does nothing"))
        print(f"\nLogins to the PBX: {pushed[0].seen['pbx_logins']} in the first rollout, {pushed[1].seen['pbx_logins']} in the second.")


if __name__ == "__main__":
    main()
