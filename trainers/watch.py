"""What may end a job from outside: a signal, a cancel, its time, its owner, its home.

Signals only leave a mark; a thread looks at the rest every second, so that a job whose trainer is
deep in one long step hears of them too. The trainer asks at each step and leaves in good order. If
the home is gone there is nothing to leave in order, and the process ends at once.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType

from trainers.failures import (
    Cancelled,
    Deserted,
    Homeless,
    JobFailed,
    OutOfTime,
    Stopped,
)
from trainers.processes import members

DESERTED = 600.0
"""Seconds after which an owner who has not looked after a job is gone."""
LOOK = 1.0
LEAVE = 120.0
"""Seconds that a deserted or cancelled job has to leave in order before it is ended."""


class Watch:
    """Looks after one job from inside its process."""

    def __init__(self, spec: Path, deserted: float = DESERTED) -> None:
        self.spec, self.folder = spec, spec.parent
        self.spent = 0.0
        """Seconds of training before this start."""
        self._seconds: float | None = None
        self._deserted = deserted
        self._began = time.monotonic()
        self._signal = 0
        self._done = threading.Event()

    @property
    def elapsed(self) -> float:
        """Seconds of training over all starts."""
        return self.spent + time.monotonic() - self._began

    def limit(self, seconds: float | None) -> None:
        """The time that it has."""
        self._seconds = seconds

    def listen(self) -> None:
        """Hear signals from here on; they stand in no trainer's way."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._told)

    def begin(self) -> None:
        """Look at the rest, until `end`."""
        threading.Thread(target=self._look, name="watch", daemon=True).start()

    def end(self) -> None:
        self._done.set()

    def stop(self) -> JobFailed | None:
        """Why the job has to end now, if it has to."""
        if (self.folder / "cancel").exists():
            return Cancelled("the job was cancelled")
        if self._signal:
            name = signal.Signals(self._signal).name
            return Stopped(f"the job was asked to stop ({name})", right="start it again")
        if self._seconds is not None and self.elapsed >= self._seconds:
            return OutOfTime(
                f"the job used up its {self._seconds:g} seconds",
                where="limits.seconds",
                right="more of them, or fewer steps",
            )
        if self._is_deserted():
            gone = f"nobody has looked after the job for {self._deserted:g} seconds"
            return Deserted(gone, right="start it again")
        return None

    def _told(self, number: int, _frame: FrameType | None) -> None:
        self._signal = number

    def _is_deserted(self) -> bool:
        try:
            last = (self.folder / "owner").stat().st_mtime
        except FileNotFoundError:
            return False
        return time.time() - last > self._deserted

    def _look(self) -> None:
        since: float | None = None
        while not self._done.wait(min(LOOK, self._deserted / 4)):
            if not self.spec.exists():
                leave(Homeless.exit_code)
            stop = self.stop()
            since = None if stop is None else since or time.monotonic()
            if stop is not None and since is not None and time.monotonic() - since > LEAVE:
                leave(stop.exit_code)


def sweep() -> None:
    """End what this process has left running in its own group, if it leads one."""
    me = os.getpid()
    if os.getpgrp() == me:
        for one in members(me):
            if one.pid != me:
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(one.pid, signal.SIGKILL)


def leave(code: int) -> None:
    """End this process and all that it began; nothing can hold it up on its way out."""
    sweep()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)
