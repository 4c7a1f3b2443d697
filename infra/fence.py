"""A fence around a folder: locked by the kernel for as long as the child behind it lives.

The child inherits the lock and signs it with its pid. So whoever finds it locked knows who is
there, and that this pid is not somebody else's by now.
"""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from events.errors import LogUnavailable

log = logging.getLogger(__name__)

LEAVE = 5.0
"""Seconds that the child of a dead owner has to end by itself, and then when asked."""


def fenced(file: Path) -> int:
    """The fence, locked; who still stands behind it, from an owner that is dead, is ended."""
    fence = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    ends = time.monotonic() + 2 * LEAVE
    asked = 0
    while True:
        try:
            fcntl.flock(fence, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            left = ends - time.monotonic()
            way = (signal.SIGTERM, signal.SIGKILL)[asked] if asked < 2 else None
            if way is not None and left < LEAVE * (2 - asked) - 0.5:
                asked += 1
                pid = number(file)  # alive, because it holds the lock
                log.warning("ending the nats-server of a dead owner, process %s", pid)
                with suppress(ProcessLookupError, PermissionError):
                    if pid:
                        os.kill(pid, way)
            if left < 0:
                os.close(fence)
                raise LogUnavailable(
                    f"process {number(file)} holds the store of the nats-server",
                    where=str(file),
                    right="end it",
                ) from None
            time.sleep(0.01)
        else:
            return fence


def number(file: Path) -> int:
    """What a file says, if it says a number; else 0."""
    with suppress(OSError, ValueError):
        return int(file.read_text())
    return 0
