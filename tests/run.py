"""Run the tests and say honestly what ran: ``python -m tests.run [STAGE...]``. Without a name: all of them, as CI does.

The last line has the form "12 passed, 0 failed, 1 skipped in 34 s". Tests of pytest and
ansible-test and routers of the lab count one by one, any other program as one.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
import time
from dataclasses import dataclass, field

from tests.tools import process
from tests.tools.legs import CHECKOUT
from tests.tools.stages import NOT_RUN, PHASES, Command, Stage, all_stages

IN_CI = os.environ.get("CI", "").lower() not in ("", "0", "false")
OUTCOMES = {"passed": "passed", "failed": "failed", "error": "failed", "errors": "failed", "skipped": "skipped", "xfailed": "passed"}
SUMMARY = re.compile(r"^[= ]*((?:\d+ [a-z]+,? ?)+) in [\d.]+ ?s", re.MULTILINE)         # pytest's closing line, and that of our own programs
ROUTERS = re.compile(r"^lab: (\d+) of (\d+) routers", re.MULTILINE)
SANITY_TEST = re.compile(r"^Running sanity test \"", re.MULTILINE)
SANITY_FAILED = re.compile(r"^FATAL: The (\d+) sanity test", re.MULTILINE)
_speaking = threading.Lock()


@dataclass
class Result:
    """What came of a stage."""

    stage: Stage
    seconds: float = 0
    counts: dict[str, int] = field(default_factory=lambda: {"passed": 0, "failed": 0, "skipped": 0})
    notes: list[str] = field(default_factory=list)      # what was not run, and why

    def add(self, command: Command, status: int, output: str) -> None:
        found = dict.fromkeys(self.counts, 0)
        summaries = SUMMARY.findall(output)
        for number, word in re.findall(r"(\d+) ([a-z]+)", summaries[-1] if summaries else ""):
            if word in OUTCOMES:
                found[OUTCOMES[word]] += int(number)
        if routers := ROUTERS.search(output):
            found["passed"], found["failed"] = int(routers[1]), int(routers[2]) - int(routers[1])
        if sanity := len(SANITY_TEST.findall(output)):
            found["failed"] = int(failed[1]) if (failed := SANITY_FAILED.search(output)) else bool(status)
            found["passed"] = sanity - found["failed"]
        self.notes += [f"{command.label}: {line}" for line in re.findall(r"^SKIPPED (.*)", output, re.MULTILINE)]
        if status == NOT_RUN and command.may_not_run and not IN_CI:
            found["skipped"] += 1
            self.notes.append(f"{command.label}: {output.strip().splitlines()[-1] if output.strip() else 'gave no reason'}")
        elif status and not found["failed"]:
            found["failed"] = 1
        elif not status and not any(found.values()):
            found["passed"] = 1
        for word, number in found.items():
            self.counts[word] += number


def run_stage(stage: Stage, live: bool) -> Result:
    """Run one stage; its output appears as it comes (*live*), or in one piece at the end so that two lanes don't mix."""
    result, text, began = Result(stage), [], time.monotonic()

    def say(line: str) -> None:
        if live:
            print(line, end="", flush=True)
        else:
            text.append(line)

    say(f"\n=== {stage.name}: {stage.title}\n")
    if stage.left_out:
        result.counts["skipped"] = 1
        result.notes.append(f"left out: {stage.left_out}")
        say(f"left out: {stage.left_out}\n")
    for command in () if stage.left_out else stage.commands:
        say(f"--- {command.label}\n")
        start = time.monotonic()
        status, output = process.run(command.argv, command.leg.environment(), CHECKOUT, command.limit, say)
        result.add(command, status, output)
        say(f"--- {command.label}: {'ok' if not status else f'exit status {status}'} ({time.monotonic() - start:.1f} s)\n")
    result.seconds = time.monotonic() - began
    if not live:
        with _speaking:
            print("".join(text), end="", flush=True)
    return result


def run_phase(lanes: list[list[Stage]]) -> list[Result]:
    results: list[Result] = []
    live = len(lanes) == 1

    def lane(stages: list[Stage]) -> None:
        for stage in stages:
            results.append(run_stage(stage, live))

    threads = [threading.Thread(target=lane, args=(stages,), daemon=True) for stages in lanes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def report(results: list[Result], seconds: float) -> int:
    """Print the table and the closing line. Returns the exit status."""
    print("\n=== results")
    for result in results:
        told = ", ".join(f"{number} {word}" for word, number in result.counts.items() if number)
        if not result.stage.counted:
            told = "failed" if result.counts["failed"] else "done"
        print(f"{result.stage.name:18} {told:36} {result.seconds:6.1f} s")
    if notes := [f"  {result.stage.name}: {note}" for result in results for note in result.notes]:
        print("\nnot run:", *notes, sep="\n")
    total = {word: sum(r.counts[word] for r in results if r.stage.counted or word == "failed") for word in ("passed", "failed", "skipped")}
    print("\n" + ", ".join(f"{number} {word}" for word, number in total.items()) + f" in {seconds:.0f} s", flush=True)
    return 1 if total["failed"] or not total["passed"] else 0


def main(names: list[str]) -> int:
    began, stages = time.monotonic(), all_stages()
    if unknown := [name for name in names if name not in stages]:
        sys.exit(f"no such stage: {', '.join(unknown)}; there are: {', '.join(stages)}")
    phases = [[[name]] for name in names] or PHASES
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    results: list[Result] = []
    try:
        for phase in phases:
            results += run_phase([[stages[name] for name in lane] for lane in phase])
    except (KeyboardInterrupt, SystemExit):
        process.end_all()
        print("\ninterrupted", file=sys.stderr)
        return 130
    return report(results, time.monotonic() - began)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
