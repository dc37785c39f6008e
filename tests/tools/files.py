"""The files of the project as git sees them: tracked, or new and not ignored."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.tools.legs import CHECKOUT


def listed() -> list[Path]:
    """Paths relative to the checkout, sorted; a file that is deleted but still tracked is left out."""
    answer = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], cwd=CHECKOUT, capture_output=True, check=True)
    names = {name for name in answer.stdout.decode().split("\0") if name}
    return sorted(Path(name) for name in names if (CHECKOUT / name).is_file())


def copy_to(folder: Path) -> Path:
    """Copy the project below *folder* as a collection tree and return the collection's root."""
    root = folder / "ansible_collections" / "evenport" / "sip"
    for path in listed():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(CHECKOUT / path, root / path, follow_symlinks=False)
    return root
