"""Kill whoever works on real runs, at random moments, and see whether they end all the same."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Literal, NamedTuple

from infra.cli.demo import END as ENDS
from infra.home import Home
from tests.infra.processes import RATCHET, ROOT, environment
from trainers import lock
from trainers.processes import lives, process

Who = Literal["all", "owner", "training", "keeping"]
PROC = Path("/proc")
PATIENCE = 60.0
"""Seconds that are waited for the moment of a kill."""
QUIET = {"RATCHET__NATS__SERVER": "none", "RATCHET__LOG__LEVEL": "error"}


class Child(NamedTuple):
    """A process of this test's own, for ever the same one."""

    pid: int
    born: str


class Storm:
    """A home with runs under way, and a hand that kills who works on them."""

    def __init__(self, home: Home, seed: int, path: str) -> None:
        self.home, self.kills = home, 0
        self.moments: list[str] = []
        self._luck = random.Random(seed)
        self._path = path
        self._up: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        """An owner, unless one is there."""
        if self._up is None or self._up.poll() is not None:
            with (self.home.folder.parent / "up.log").open("ab") as said:
                self._up = subprocess.Popen(
                    [*RATCHET, "up", "--home", str(self.home.folder), "--port", "0"],
                    cwd=ROOT, env=environment(**QUIET, PYTHONPATH=self._path),
                    stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                )  # fmt: skip

    def strike(self, who: Who, within: float) -> None:
        """Kill them, some time within so many seconds from when there is somebody to kill."""
        self.begin()
        self._wait(who, within)
        doing = [one.name.partition("-")[2] for one, _ in self._jobs()]
        assert self._up is not None
        if who == "training":
            struck = [one for _, one in self._jobs()]
        elif who == "owner":
            struck = [Child(self._up.pid, _born(self._up.pid))]
        else:
            below = [Child(pid, _born(pid)) for pid in _below(self._up.pid)]
            struck = [Child(self._up.pid, _born(self._up.pid)), *below]
            struck += [one for _, one in self._jobs()]
        for one in struck:
            if lives(one.pid, one.born):
                with suppress(ProcessLookupError):
                    os.kill(one.pid, signal.SIGKILL)
        if who != "training":
            self._up.wait()
        self.kills += 1
        self.moments.append(f"{who} ({', '.join(doing) or 'no job'})")

    def calm(self, ends: int, seconds: float) -> None:
        """Let the last owner come to the end of so many runs, and stop it politely."""
        self.begin()
        assert self._up is not None
        late = time.monotonic() + seconds
        while not self.over(ends):
            assert self._up.poll() is None, self._said()
            assert time.monotonic() < late, self._said()
            time.sleep(0.3)
        self._up.terminate()
        assert self._up.wait(30) == 0, self._said()

    def over(self, ends: int) -> bool:
        """Whether so many runs have ended already."""
        return asyncio.run(self._ended()) >= ends

    def stop(self) -> None:
        """Leave nothing running, however the test went."""
        if self._up is not None and self._up.poll() is None:
            self.strike("all", 0.2)
        for _, one in self._jobs():
            with suppress(ProcessLookupError):
                os.kill(one.pid, signal.SIGKILL)

    async def _ended(self) -> int:
        store = self.home.reader()
        try:
            return len(await store.read(types=ENDS, limit=1000))
        finally:
            await store.close()

    def _jobs(self) -> list[tuple[Path, Child]]:
        """The trainings that run now, and who carries them out."""
        found = []
        for folder in (self.home.folder / "work" / "training" / "jobs").glob("*"):
            one = lock.holder(folder) if lock.held(folder) else None
            if one is not None and lives(*one):
                found.append((folder, Child(one.pid, one.born)))
        return found

    def _wait(self, who: Who, within: float) -> None:
        """For the moment: an artifact is half written, a training runs, or the owner is there."""
        if who == "keeping":
            self._until(self._keeps, 0.0005)
            return
        self._until(lambda: bool(self._jobs()) if who == "training" else self._owned(), 0.01)
        time.sleep(self._luck.uniform(0, within))

    def _keeps(self) -> bool:
        place = self.home.folder / "artifacts" / "incoming"
        with suppress(OSError):
            return any(one.stat().st_size for one in place.iterdir())
        return False

    def _owned(self) -> bool:
        owner = self.home.owner()
        return owner is not None and self._up is not None and owner["pid"] == self._up.pid

    def _until(self, true: Callable[[], bool], pause: float) -> None:
        """Wait for it; where it never comes, the moment is any moment."""
        late = time.monotonic() + PATIENCE
        while time.monotonic() < late and not true():
            assert self._up is not None
            assert self._up.poll() is None, self._said()
            time.sleep(pause)

    def _said(self) -> str:
        return (self.home.folder.parent / "up.log").read_text()[-3000:]


def _born(pid: int) -> str:
    found = process(pid)
    return found.born if found else ""


def _below(pid: int) -> list[int]:
    """All that this process started, and what those started."""
    parents: dict[int, list[int]] = {}
    for place in PROC.glob("[0-9]*"):
        with suppress(OSError, ValueError, IndexError):
            after = (place / "stat").read_text().rpartition(")")[2].split()
            parents.setdefault(int(after[1]), []).append(int(place.name))
    found: list[int] = []
    left = [pid]
    while left:
        for child in parents.get(left.pop(), ()):
            found.append(child)
            left.append(child)
    return found
