"""Processes of other lives: whether one lives, and whether it is still the one that was meant.

A pid alone says little, because it is given out again. A pid with the moment at which its process
was born means one process for ever. Linux tells this in /proc; elsewhere `ps` does.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")


class Process(NamedTuple):
    """One process, as the machine tells of it."""

    pid: int
    group: int
    born: str
    """When it began, in the machine's own words: only good for being compared."""


def process(pid: int) -> Process | None:
    """The process that has this pid now; a zombie is none."""
    if (PROC / "self" / "stat").exists():
        return _from_proc(pid)
    return next((one for one in _from_ps("-p", str(pid))), None)


def lives(pid: int, born: str) -> bool:
    """Whether exactly this process lives."""
    found = process(pid) if pid > 0 else None
    return found is not None and found.born == born


def members(group: int) -> list[Process]:
    """All that live in a process group."""
    if (PROC / "self" / "stat").exists():
        pids = [int(one.name) for one in PROC.iterdir() if one.name.isdecimal()]
        found = [_from_proc(pid) for pid in pids]
    else:
        found = list(_from_ps("-A"))
    return [one for one in found if one is not None and one.group == group]


def end_group(group: int, born: str, grace: float = 0.0) -> bool:
    """End whatever is left of the group that this process led; whether there was anything.

    It is asked politely first where there is a grace. The leader may be gone already: then its pid
    cannot have been given out again as long as its group has members.
    """
    leader = process(group)
    if leader is not None and leader.born != born:
        return False
    if group <= 1 or not members(group):
        return False
    ends = time.monotonic() + grace
    if grace > 0:
        _signal(group, signal.SIGTERM)
    while members(group):
        if time.monotonic() >= ends:
            _signal(group, signal.SIGKILL)
        if time.monotonic() >= ends + 5.0:  # it hangs in the kernel
            break
        time.sleep(0.01)
    return True


def _signal(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _from_proc(pid: int) -> Process | None:
    try:
        text = (PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    parts = text.rpartition(")")[2].split()  # the name before may hold anything
    if parts[0] in "ZX":
        return None
    return Process(pid, int(parts[2]), parts[19])


def _from_ps(*which: str) -> Iterator[Process]:
    said = subprocess.run(
        ["ps", *which, "-o", "pid=,pgid=,stat=,lstart="],
        capture_output=True,
        text=True,
        check=False,
    )
    for line in said.stdout.splitlines():
        pid, group, state, *born = line.split()
        if not state.startswith("Z"):
            yield Process(int(pid), int(group), " ".join(born))
