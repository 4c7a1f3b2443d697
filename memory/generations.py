"""The generations of an index: a folder for each, one of them current, the others about to go.

A new generation is filled beside the current one and takes its place when it is whole, by the
change of one small file. What a crash leaves behind is gone on with, or swept away.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

CURRENT = "current"
NOTE = "checkpoint.json"
POINTS = "points"
_NAME = re.compile(r"kb_([0-9a-f]{12})_([0-9]{1,9})")


@dataclass(frozen=True)
class Checkpoint:
    """How far a generation holds the log, and by what it was made."""

    position: int
    hash: str
    """Of the event at this position: another log has another one."""
    fingerprint: str
    dim: int
    sparse: str
    points: int = 0
    """How many it held."""
    settled: int = 0
    """Points that it had when it was last brought into its quickest shape."""
    residue: bool = False
    """Texts of somebody forgotten may still lie in its files."""


class Shelf:
    """The folder of the generations."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def current(self) -> str | None:
        """The generation that answers."""
        with suppress(OSError, ValueError, RecursionError):
            name = str(json.loads((self.folder / CURRENT).read_text()))
            if _NAME.fullmatch(name) and (self.folder / name).is_dir():
                return name
        return None

    def make_current(self, name: str) -> None:
        """From now on this one answers, also after a crash."""
        _written(self.folder / CURRENT, json.dumps(name))

    def points(self, name: str) -> Path:
        """Where the index itself lies."""
        return self.folder / name / POINTS

    def checkpoint(self, name: str) -> Checkpoint | None:
        """How far it has come, as it was last kept."""
        try:
            told = Checkpoint(**json.loads((self.folder / name / NOTE).read_text()))
        except (OSError, ValueError, TypeError, RecursionError):
            return None
        return told if _is_sound(told) else None

    def keep(self, name: str, checkpoint: Checkpoint) -> None:
        (self.folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        _written(self.folder / name / NOTE, json.dumps(asdict(checkpoint)))

    def begun(self, fingerprint: str, sparse: str) -> str | None:
        """One that was being made by this embedder when something ended it."""
        for name in sorted(self._all(), key=_number, reverse=True):
            found = self.checkpoint(name)
            if name == self.current() or found is None or found.residue:
                continue
            if (found.fingerprint, found.sparse) == (fingerprint, sparse):
                return name
        return None

    def following(self, fingerprint: str) -> str:
        """The name of the next one."""
        return f"kb_{fingerprint}_{max(map(_number, self._all()), default=0) + 1}"

    def copied(self, name: str) -> str:
        """The same once more, under the next name. Nobody may write to it meanwhile."""
        match = _NAME.fullmatch(name)
        assert match is not None
        made = self.following(match[1])
        shutil.copytree(self.points(name), self.points(made))
        shutil.copy2(self.folder / name / NOTE, self.folder / made / NOTE)
        return made

    def remove(self, name: str) -> None:
        shutil.rmtree(self.folder / name, ignore_errors=True)

    def sweep(self) -> None:
        """Let go of all but the current one."""
        for name in self._all():
            if name != self.current():
                self.remove(name)

    def clear(self) -> None:
        """Let go of all: they come back from the log."""
        (self.folder / CURRENT).unlink(missing_ok=True)
        self.sweep()

    def _all(self) -> list[str]:
        if not self.folder.is_dir():
            return []
        return [one.name for one in self.folder.iterdir() if _NAME.fullmatch(one.name)]


def _is_sound(told: Checkpoint) -> bool:
    """Whether it can be one of ours: a file may hold anything after a crash."""
    counts = told.position, told.dim, told.points, told.settled
    texts = told.hash, told.fingerprint, told.sparse
    return (
        all(type(one) is int and one >= 0 for one in counts)
        and all(isinstance(one, str) for one in texts)
        and isinstance(told.residue, bool)
    )


def _number(name: str) -> int:
    return int(name.rpartition("_")[2])


def _written(file: Path, text: str) -> None:
    """The whole text or the former one, whenever the power goes."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = file.with_suffix(".beside")
    with beside.open("w") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())
    os.replace(beside, file)
    handle = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
