"""Write constraints-2.*.txt again: the newest versions that the requirements allow, for both legs."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]


def freeze(python: str) -> tuple[str, str]:
    """Returns the line of ansible-core (such as 2.19) and the text of its constraints file."""
    with tempfile.TemporaryDirectory(prefix="evenport-constraints-") as folder:
        subprocess.run([python, "-m", "venv", folder], check=True)
        pip = [f"{folder}/bin/python", "-m", "pip", "--disable-pip-version-check"]
        subprocess.run([*pip, "install", "-qq", "-r", "requirements.txt", "-r", "tests/requirements.txt"], cwd=CHECKOUT, check=True)
        frozen = subprocess.run([*pip, "freeze"], check=True, capture_output=True, text=True).stdout
    line = next(name.split("==")[1].rpartition(".")[0] for name in frozen.splitlines() if name.startswith("ansible-core=="))
    return line, f'# Tested versions for ansible-core {line} ("make constraints" writes this file).\n{frozen}'


def main(pythons: list[str]) -> None:
    for python in pythons:
        line, text = freeze(python)
        (CHECKOUT / f"constraints-{line}.txt").write_text(text, encoding="utf-8")
        print(f"constraints-{line}.txt written with {python}")


if __name__ == "__main__":
    main(sys.argv[1:] or [sys.executable])
