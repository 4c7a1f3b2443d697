"""The lock of a job: held by the kernel for as long as a process of the job lives, however it dies.

So a job never runs twice at the same time, and whoever finds the lock held knows from the note in
it which process that is. It is handed down to the process that carries the job out, never given
back in between.
"""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from trainers.processes import process


class Holder(NamedTuple):
    """Who carries out a job."""

    pid: int
    born: str


def take(folder: Path) -> int | None:
    """The lock, as an open file; None while another process has it."""
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    except BaseException:
        os.close(handle)
        raise
    os.ftruncate(handle, 0)
    return handle


def held(folder: Path) -> bool:
    """Whether somebody has it."""
    try:
        handle = os.open(folder / "lock", os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def sign(handle: int) -> Holder:
    """Note this process as the one that carries out the job."""
    me = process(os.getpid())
    holder = Holder(os.getpid(), me.born if me else "")
    os.set_inheritable(handle, False)
    os.ftruncate(handle, 0)
    os.pwrite(handle, json.dumps(holder._asdict()).encode(), 0)
    return holder


def holder(folder: Path) -> Holder | None:
    """Who signed it last; nobody while a start is still on its way."""
    with suppress(OSError, ValueError, TypeError):
        return Holder(**json.loads((folder / "lock").read_bytes()))
    return None
