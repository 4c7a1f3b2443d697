"""Checkpoints: whole or not there at all, and the last two of them.

What stands in one is the trainer's business; here it gets a number, a note with hashes, and its
place. A checkpoint that is not what its note says is passed over for the one before it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from trainers.folder import hashes, put_folder

KEPT = 2
NOTE = "checkpoint.json"


def save(folder: Path, step: int, write: Callable[[Path], None], facts: Mapping[str, Any]) -> Path:
    """Have it written, with what the job itself needs to go on, and drop those that are too old."""

    def whole(place: Path) -> None:
        write(place)
        note = {"step": step, "facts": dict(facts), "files": hashes(place)}
        (place / NOTE).write_text(json.dumps(note, indent=1))

    place = folder / "checkpoints" / f"{step:08}"
    put_folder(place, whole)
    for old in _all(folder)[KEPT:]:
        shutil.rmtree(old, ignore_errors=True)
    return place


def newest(folder: Path) -> Path | None:
    """The last one that is what its note says."""
    return next((place for place in _all(folder) if _sound(place)), None)


def noted(place: Path) -> tuple[int, dict[str, Any]]:
    """Its step, and what the job noted there."""
    note = json.loads((place / NOTE).read_bytes())
    return int(note["step"]), dict(note["facts"])


def last_step(folder: Path) -> int:
    """The step of the newest one, unread; 0 where there is none."""
    places = _all(folder)
    return int(places[0].name) if places else 0


def _all(folder: Path) -> list[Path]:
    found = (folder / "checkpoints").glob("[0-9]*")
    return sorted((one for one in found if one.name.isdecimal()), key=_number, reverse=True)


def _number(place: Path) -> int:
    return int(place.name)


def _sound(place: Path) -> bool:
    try:
        files = json.loads((place / NOTE).read_bytes())["files"]
        found = hashes(place)
    except (OSError, ValueError, KeyError, TypeError):
        return False
    found.pop(NOTE, None)
    return bool(found == files)
