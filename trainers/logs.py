"""Logs in pieces: bounded, no half lines, and no half characters where a line is too long."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from trainers.executor import Piece

TAIL = 1 << 14
LEAST = 16
"""Bytes of a piece, so that any character fits into it."""


def piece(file: Path, after: int, most: int) -> Piece:
    """The lines from this byte on that are whole, as many as fit."""
    most = max(most, LEAST)
    try:
        with file.open("rb") as source:
            source.seek(max(after, 0))
            found = source.read(most)
    except FileNotFoundError:
        return Piece("", max(after, 0))
    whole = found.rfind(b"\n") + 1
    if not whole and len(found) == most:  # a line that is longer than a piece
        whole = _between_characters(found)
    text = found[:whole].decode("utf-8", "replace")
    return Piece(text, max(after, 0) + whole)


def last_line(file: Path) -> dict[str, Any]:
    """The last whole line of a file of JSON lines, without reading all of it."""
    try:
        with file.open("rb") as source:
            size = source.seek(0, os.SEEK_END)
            source.seek(max(0, size - TAIL))
            lines = source.read().rpartition(b"\n")[0].splitlines()
    except FileNotFoundError:
        return {}
    try:
        found = json.loads(lines[-1]) if lines else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _between_characters(text: bytes) -> int:
    """Where `text` can be cut so that no character is torn."""
    for back in range(1, 4):
        if len(text) >= back and text[-back] & 0xC0 == 0xC0:
            return len(text) - back
        if text[-back] & 0x80 == 0:
            break
    return len(text)
