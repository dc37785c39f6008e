"""python -m tests.lab: the rollout on real parts, behind good and bad routers. Prints the four-symptom matrix and what the audit says.

Exit code 0: all as it should be; 1: something isn't; 2: the lab can't run on this machine; the last line says why.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.lab import report, routers, spaces, tree, verdict
from tests.lab.trip import Trip, left_behind

DEFAULT = ("masq", "strict", "overload", "short", "random", "alg")
MIXED = "All brands behind the router strict"
MANY = 70               # a phone for each even port from 5060 to 5198
CANNOT_RUN = 2


def main() -> int:
    options = _options()
    began = time.monotonic()
    try:
        programs = tree.ensure()
        spaces.check()
    except tree.LabUnavailable as reason:
        print(f"lab: cannot run: {' | '.join(str(reason).splitlines())}")
        return CANNOT_RUN
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))     # so that "finally" is reached
    home = Path(tempfile.mkdtemp(prefix="evenport-lab-"))
    if options.scale:
        trips = {f"{options.scale} phones": Trip("tests.lab.site", str(options.scale), home / "scale", programs)}
    else:
        trips = {f"Router {name}": Trip("tests.lab.journey", name, home / name, programs) for name in options.router}
        if options.mixed or options.router == DEFAULT:
            trips[MIXED] = Trip("tests.lab.site", "mixed", home / "mixed", programs)
        if options.router == DEFAULT:
            trips[f"{MANY} phones"] = Trip("tests.lab.site", str(MANY), home / "scale", programs)
    pool = ThreadPoolExecutor(options.jobs)
    try:
        stories = {title: pool.submit(trip.travel) for title, trip in trips.items()}
        bad = sum(_show(title, story.result()) for title, story in stories.items())
    finally:
        pool.shutdown(wait=False, cancel_futures=True)          # none starts any more ...
        for trip in trips.values():
            trip.cancel()                                       # ... and those under way end
        pool.shutdown()
        if options.keep:
            print(f"lab: logs are in {home}")
        else:
            shutil.rmtree(home, ignore_errors=True)
    left = left_behind(home) + ([] if options.keep or not home.exists() else [f"the folder {home}"])
    for what in left:
        print(f"FAILED: left behind: {what}")
    print(f"\nlab: {len(trips) - bad} of {len(trips)} sites as they should be, {time.monotonic() - began:.0f} s")
    return 1 if bad or left else 0


def _show(title: str, story: dict[str, Any] | str) -> bool:
    """Print one part; True if there is something to complain about."""
    if isinstance(story, str):
        text, complaints = title, [f"the lab broke: {story}"]
    elif "complaints" in story:
        text, complaints = f"{title}: {story['text']}", story["complaints"]
    else:
        text, complaints = report.table(story), verdict.complaints(story)
    print("\n".join(["", text, *(f"  FAILED: {complaint}" for complaint in complaints)]), flush=True)
    return bool(complaints)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.lab", description=__doc__.splitlines()[0])
    parser.add_argument("--router", nargs="*", choices=sorted(routers.ROUTERS), default=DEFAULT, help="only these routers")
    parser.add_argument("--mixed", action="store_true", help="a site with a phone of each brand too; without --router it is there anyway")
    parser.add_argument("--scale", type=int, metavar="PHONES", choices=range(1, 72),
                        help=f"only so many phones behind the router masq, at once; without options {MANY} are there anyway")
    parser.add_argument("--jobs", type=int, default=2, help="routers at the same time")
    parser.add_argument("--keep", action="store_true", help="keep the logs")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
