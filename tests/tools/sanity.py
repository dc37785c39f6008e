"""Run ansible-test sanity on a copy of the project: ``python -m tests.tools.sanity [ansible-test's options]``.

A copy, because ansible-test wants the folder .../ansible_collections/evenport/sip, follows no link to it, and inside somebody's git
repository takes ignored files for no files: it then tests nothing and reports success.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.tools.files import copy_to

NOTHING_TESTED = "All targets skipped"
PIPS_CHATTER = ("WARNING: Location ", "Collecting ", "  Downloading ", "  Using cached ", "     ", "Looking in ", "Requirement already ",
                "Installing collected ", "Successfully installed ", "Processing ", "Using cached pip ", "Ignoring ")

# ansible-test downloads a get-pip.py for the environments it makes. Where only a package index can be reached that fails, although
# Python brings pip along. This stands in for it: ensurepip, then pip itself.
GET_PIP = '''"""Written by evenport.sip's tests: pip from Python itself, in place of a download."""
import os
import subprocess
import sys

env = {k: v for k, v in os.environ.items() if k != "GET_PIP"}
subprocess.run([sys.executable, "-m", "ensurepip", "--upgrade"], check=True, env=env, stdout=subprocess.DEVNULL)
args = [a for a in sys.argv[1:] if a not in ("--no-setuptools", "--no-wheel")]
sys.exit(subprocess.run([sys.executable, "-m", "pip", "install", "-qq", *args], env=env).returncode)
'''
CACHED_AS = ("get_pip_24_2.py", "get_pip_25_2.py")         # ansible-core 2.19, 2.21


@contextmanager
def get_pip() -> Iterator[None]:
    """Put the stand-in where ansible-test looks first, for as long as it runs; a real one is left alone."""
    cache = Path.home() / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    ours = [cache / name for name in CACHED_AS if not (cache / name).exists()]
    for path in ours:
        path.write_text(GET_PIP, encoding="utf-8")
    try:
        yield
    finally:
        for path in ours:
            path.unlink(missing_ok=True)


def main(options: list[str]) -> int:
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    with tempfile.TemporaryDirectory(prefix="evenport-sanity-") as folder, get_pip():
        root = copy_to(Path(folder))
        command = [str(Path(sys.executable).with_name("ansible-test")), "sanity", "--local", "--python", version, *options]
        with subprocess.Popen(command, cwd=root, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
            seen = []
            for line in process.stdout or ():
                if not line.startswith(PIPS_CHATTER):
                    print(line, end="", flush=True)
                seen.append(line)
        if any(NOTHING_TESTED in line for line in seen):
            print("ansible-test found nothing to test: that is a failure here")
            return 1
        return process.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
