"""Fixtures for tests that want a real Asterisk, MariaDB or PostgreSQL. Where the lab can't run they are skipped with the reason; in CI they fail."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.lab import asterisk16, databases, tree
from tests.lab.asterisk import Asterisk
from tests.lab.asterisk16 import ChanSip


@pytest.fixture(scope="session")
def lab_tree() -> Path:
    """The extracted programs (built now, once, if need be)."""
    return _built(tree.ensure)


@pytest.fixture(scope="session")
def lab_tree16() -> Path:
    """The extracted programs of an older PBX: Asterisk 16 and Python 3.9."""
    return _built(asterisk16.ensure)


@pytest.fixture
def asterisk(lab_tree: Path) -> Iterator[Asterisk]:
    """An Asterisk on 127.0.0.1 with ports of its own, not configured and not started yet; stopped and deleted afterwards."""
    pbx = Asterisk(lab_tree, Path(tempfile.mkdtemp(prefix="evenport-pbx-")))     # pytest's tmp_path is too long for a unix socket
    try:
        yield pbx
    finally:
        pbx.remove()


@pytest.fixture
def chan_sip(lab_tree16: Path) -> Iterator[ChanSip]:
    """The same with an Asterisk 16 whose SIP channel is chan_sip."""
    pbx = ChanSip(lab_tree16, Path(tempfile.mkdtemp(prefix="evenport-pbx-")))
    try:
        yield pbx
    finally:
        pbx.remove()


@pytest.fixture(scope="session")
def mariadb() -> Iterator[databases.Server]:
    """A started MariaDB for the whole session: a test makes a database of its own in it."""
    yield from _started(databases.MariaDb(_built(databases.mariadb_tree), Path(tempfile.mkdtemp(prefix="evenport-db-"))))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[databases.Server]:
    """A started PostgreSQL for the whole session: a test makes a database of its own in it."""
    yield from _started(databases.PostgreSql(_built(databases.postgresql_tree), Path(tempfile.mkdtemp(prefix="evenport-db-"))))


def _started(server: databases.Server) -> Iterator[databases.Server]:
    try:
        server.start()
        yield server
    finally:
        server.remove()


def _built(ensure: Callable[[], Path]) -> Path:
    try:
        return ensure()
    except tree.LabUnavailable as reason:
        if os.environ.get("CI", "").lower() not in ("", "0", "false"):
            raise
        pytest.skip(str(reason))
