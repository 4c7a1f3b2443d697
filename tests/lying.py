"""What lies in a folder of which others may still write."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path


def contents(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Every file with its bytes; one that is gone by the time it is opened lies there no longer."""
    for place, _, names in os.walk(folder):
        for name in names:
            file = Path(place, name)
            try:
                yield file, file.read_bytes()
            except FileNotFoundError:
                continue
