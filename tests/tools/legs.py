"""The two environments that the tests run in: .venv (made by make), and a second leg with another Python and another ansible-core."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
SECOND = "3.13"
SECOND_VENV = CHECKOUT / f".venv-{SECOND}"
SECOND_NEEDS = ("requirements.txt", "tests/requirements-unit.txt", "constraints-2.21.txt", "tests/tools/venv.py")


@dataclass(frozen=True)
class Leg:
    python: Path

    @property
    def bin(self) -> Path:
        return self.python.parent

    def environment(self) -> dict[str, str]:
        """For a child process: this leg's programs first, and no setting or collection of the person who runs the tests."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("ANSIBLE_", "MOLECULE_", "PYTHONPATH", "PYTEST_"))}
        # Without this, a copy of the collection in ~/.ansible/collections would be tested instead of the checkout.
        collections = next(self.bin.parent.glob("lib/python3*/site-packages"), CHECKOUT)
        plain = {"NO_COLOR": "1", "COLUMNS": "160"}
        return kept | plain | {"PATH": f"{self.bin}{os.pathsep}{os.environ.get('PATH', os.defpath)}", "ANSIBLE_COLLECTIONS_PATH": str(collections)}


MAIN = Leg(Path(sys.executable))
OTHER = Leg(SECOND_VENV / "bin" / "python")


def find_second() -> Path | str:
    """The machine's Python for the second leg, or a sentence saying why there is none."""
    if sys.version_info[:2] >= (3, 12):
        return f".venv itself runs on Python {sys.version_info[0]}.{sys.version_info[1]} with the newer ansible-core"
    name = f"python{SECOND}"
    candidates = [shutil.which(name), *sorted(Path.home().glob(f".pyenv/versions/{SECOND}*/bin/{name}"), reverse=True)]
    for candidate in candidates:
        # Tried, not only found: pyenv puts a program of that name on PATH that may lead nowhere.
        if candidate and not subprocess.run([candidate, "-c", "import venv, ensurepip"], capture_output=True, check=False).returncode:
            return Path(candidate)
    return f"no {name} with venv was found on PATH or in ~/.pyenv/versions"


def prepare_second() -> int:
    """Make or refresh the second leg's environment. Returns an exit status."""
    python = find_second()
    if isinstance(python, str):
        print(f"not made: {python}")
        return 0
    stamp = SECOND_VENV / ".test"
    if stamp.exists() and all((CHECKOUT / need).stat().st_mtime <= stamp.stat().st_mtime for need in SECOND_NEEDS):
        return 0
    status = subprocess.run([python, "tests/tools/venv.py", str(SECOND_VENV), *SECOND_NEEDS[:2]], cwd=CHECKOUT, check=False).returncode
    if not status:
        stamp.touch()
    return status


if __name__ == "__main__":
    sys.exit(prepare_second())
