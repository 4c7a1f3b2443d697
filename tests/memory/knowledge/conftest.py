"""Folders for indexes: in memory where the machine has such a place; engines fsync a lot."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

SHARED = "/dev/shm"


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    place = SHARED if os.access(SHARED, os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="ratchet-", dir=place))
    yield folder
    shutil.rmtree(folder)
