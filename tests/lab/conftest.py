"""Fixtures for tests that want a real Asterisk. Where the lab can't run they are skipped with the reason; in CI they fail."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import tree
from tests.lab.asterisk import Asterisk


@pytest.fixture(scope="session")
def lab_tree() -> Path:
    """The extracted programs (built now, once, if need be)."""
    try:
        return tree.ensure()
    except tree.LabUnavailable as reason:
        if os.environ.get("CI", "").lower() not in ("", "0", "false"):
            raise
        pytest.skip(str(reason))


@pytest.fixture
def asterisk(lab_tree: Path) -> Iterator[Asterisk]:
    """An Asterisk on 127.0.0.1 with ports of its own, not configured and not started yet; stopped and deleted afterwards."""
    pbx = Asterisk(lab_tree, Path(tempfile.mkdtemp(prefix="evenport-pbx-")))     # pytest's tmp_path is too long for a unix socket
    try:
        yield pbx
    finally:
        pbx.remove()
