# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/adding-a-brand.md, taken at its word: its code is put where it says, in a copy of the collection, and its tests run there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```python\n# (.+?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_four_things_of_the_worked_example_are_all_that_a_brand_takes(tmp_path):
    tree = tmp_path / "ansible_collections/evenport/sip"
    for part in ("plugins", "tests/fakes", "tests/unit/plugins/module_utils/phones"):
        shutil.copytree(CHECKOUT / part, tree / part, ignore=shutil.ignore_patterns("__pycache__", "test_*"))
    shutil.copy(CHECKOUT / "pyproject.toml", tree)
    blocks = dict(BLOCK.findall((CHECKOUT / "docs/adding-a-brand.md").read_text(encoding="utf-8")))
    files = {name: text for name, text in blocks.items() if name.endswith(".py") and " " not in name}
    for name, text in files.items():
        (tree / name).write_text(text, encoding="utf-8")
    (row,) = (text for name, text in blocks.items() if name.startswith("a row of"))
    (probe,) = (text for name, text in blocks.items() if name.startswith("a line of PROBES"))
    phones = tree / "plugins/module_utils/phones"
    insert(phones / "brands.py", "    one.name: one for one in (\n", row)
    insert(phones / "recognise.py", "PROBES: dict[str, Probe] = {\n", probe)
    insert(phones / "recognise.py", "from typing import Any\n", "from ansible_collections.evenport.sip.plugins.module_utils.phones import acme\n")
    assert sorted(path.split("/")[0] for path in files) == ["plugins", "tests", "tests"], "a driver, a fake, a test file"

    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "tests/unit/plugins/module_utils/phones/test_acme.py"],
        cwd=tree, env=environment, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) >= 35
    assert str(tree) in subprocess.run(
        [sys.executable, "-c", "from ansible_collections.evenport.sip.plugins.module_utils.phones import acme; print(acme.__file__)"],
        cwd=tree, env=environment, capture_output=True, text=True, timeout=60, check=True).stdout, "the copy is what was tested"


def insert(file: Path, after: str, text: str) -> None:
    content = file.read_text(encoding="utf-8")
    assert content.count(after) == 1, f"{file.name} has no single {after!r}"
    file.write_text(content.replace(after, after + text), encoding="utf-8")
