"""What the launcher is told: which walls to raise around a program, and how high.

Pure but for the count of threads, which a limit of the kernel's needs where users are not split.
"""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from trainers.sandbox import landlock, seccomp
from trainers.sandbox.interpreter import Interpreter
from trainers.sandbox.syscalls import numbers

MEGABYTE = 1 << 20
FOLDER = "/tmp"
FOLDER_MB, FILES = 16, 256
"""What a program may write, all in all; it lies in memory, and is gone with the program."""
THREADS, OPEN_FILES = 32, 64
IDLE = 3.0
"""Seconds after which a room that nobody asks for anything is taken down."""
ENVIRONMENT = {"MALLOC_ARENA_MAX": "1"}
"""Else the C library sets 64 MB aside for each thread, and few threads fit into the memory."""
DEVICES = ("/dev/null", "/dev/urandom")
LAUNCHER_CALLS = (
    "landlock_add_rule",
    "landlock_create_ruleset",
    "landlock_restrict_self",
    "mount_setattr",
    "pivot_root",
)

BUBBLEWRAP = (
    "--unshare-all",
    "--die-with-parent",
    "--new-session",
    "--as-pid-1",
    "--clearenv",
    "--cap-drop",
    "ALL",
    "--cap-add",  # to mount a folder of bounded size; gone before the program begins
    "CAP_SYS_ADMIN",
    "--cap-add",  # to give up even the right to ever have one
    "CAP_SETPCAP",
)

BOOT = """
import marshal, os, sys
number = int(sys.argv[1])
plan = marshal.loads(os.pread(number, os.fstat(number).st_size, 0))
space = {"__name__": "launcher"}
for part in plan["launcher"]:
    exec(part, space)
space["main"](plan, sys.argv[2])
"""


class Walls(NamedTuple):
    """How programs are enclosed on this machine."""

    interpreter: Interpreter
    bwrap: str = ""
    """Where bubblewrap lies; empty without it."""
    namespaces: bool = True
    """Whether a program has namespaces of its own, whoever makes them."""
    user: int = 0
    """Whom root becomes before anything else; 0 where it is no root that starts them."""
    landlock: int = 0
    """The version that the kernel has; 0 without."""
    calls: Sequence[seccomp.Instruction] = ()
    """The filter of system calls."""

    @property
    def kind(self) -> str:
        if not self.namespaces:
            return "Landlock alone"
        return "bubblewrap" if self.bwrap else "namespaces"


class Handed(NamedTuple):
    """The descriptors that a launcher is given: for one program, or for a room."""

    plan: int
    status: int
    lifeline: int | None = None
    program: int | None = None
    answers: int | None = None
    orders: int | None = None
    """A socket on which programs are asked for, one after the other."""

    def all(self) -> tuple[int, ...]:
        return tuple(one for one in self if one is not None)


def plan(
    walls: Walls, handed: Handed, loader: str, launcher: Any, seconds: float, memory_mb: int
) -> dict[str, Any]:
    """All in plain values, as `marshal` writes them."""
    known = numbers(platform.machine())
    return {
        "launcher": launcher,
        "loader": loader,
        "python": walls.interpreter.python,
        "environment": ENVIRONMENT,
        "paths": list(walls.interpreter.paths),
        "links": [list(one) for one in walls.interpreter.links],
        "devices": list(DEVICES),
        "folder": FOLDER,
        "room": f"size={FOLDER_MB}m,nr_inodes={FILES},mode=700",
        "bwrap": bubblewrap(walls, handed.plan) if walls.bwrap else [],
        "namespaces": walls.namespaces,
        "user": walls.user,
        "landlock": _landlock(walls),
        "filter": list(walls.calls),
        "limits": limits(walls, seconds, memory_mb),
        "numbers": {name: known[name] for name in LAUNCHER_CALLS},
        "seconds": seconds,
        "status": handed.status,
        "lifeline": handed.lifeline,
        "handed": [one for one in (handed.program, handed.answers) if one is not None],
        "first": 3,
        "orders": handed.orders,
        "idle": IDLE,
    }


def command(walls: Walls, number: int) -> list[str]:
    """What is started first; the launcher goes on from there."""
    if walls.user:
        return _stage(walls, number, "descend")
    if walls.bwrap:
        return bubblewrap(walls, number)
    return _stage(walls, number, "enclose" if walls.namespaces else "bare")


def bubblewrap(walls: Walls, number: int) -> list[str]:
    shown: list[str] = []
    for path in walls.interpreter.paths:
        shown += ["--ro-bind", path, path]
    for link, leads_to in walls.interpreter.links:
        shown += ["--symlink", leads_to, link]
    for device in DEVICES:
        shown += ["--dev-bind", device, device]
    shown += ["--dir", FOLDER, "--remount-ro", "/", "--chdir", "/"]
    return [walls.bwrap, *BUBBLEWRAP, *shown, "--", *_stage(walls, number, "within")]


def limits(walls: Walls, seconds: float, memory_mb: int) -> dict[str, list[int]]:
    """By the names that `resource` has for them: what may be used, and what may be asked for."""
    processor = math.ceil(seconds) + 1
    threads = THREADS if walls.namespaces else THREADS + _threads_of(walls.user or os.geteuid())
    same = {
        "RLIMIT_AS": memory_mb * MEGABYTE,
        # Not 0: with 1 the kernel calls no crash handler of the machine either.
        "RLIMIT_CORE": 1,
        "RLIMIT_FSIZE": FOLDER_MB * MEGABYTE,
        "RLIMIT_MEMLOCK": 0,
        "RLIMIT_MSGQUEUE": 0,
        "RLIMIT_NOFILE": OPEN_FILES,
        "RLIMIT_NPROC": threads,
        "RLIMIT_STACK": 8 * MEGABYTE,
    }
    return {"RLIMIT_CPU": [processor, processor + 1]} | {
        name: [value, value] for name, value in same.items()
    }


def _stage(walls: Walls, number: int, stage: str) -> list[str]:
    return [walls.interpreter.python, "-I", "-S", "-c", BOOT, str(number), stage]


def _landlock(walls: Walls) -> Any:
    """How long the kernel's struct is, all that is taken away, and what is given back where."""
    if not walls.landlock:
        return None
    taken = landlock.handled(walls.landlock)
    size = 8 if walls.landlock < 4 else 16 if walls.landlock < 6 else 24
    rules: list[list[Any]] = []
    for path in walls.interpreter.paths:
        may = landlock.LOOK
        rules.append([path, may if Path(path).is_dir() else may & landlock.OF_A_FILE])
    rules += [[device, landlock.DEVICE] for device in DEVICES]
    if walls.namespaces:
        rules.append([FOLDER, landlock.WORK])
    return [size, list(taken), rules]


def _threads_of(user: int) -> int:
    """How many threads run under the same user: the kernel counts them all together."""
    found = 0
    for one in Path("/proc").iterdir():
        try:
            if one.name.isdecimal() and one.stat().st_uid == user:
                found += sum(1 for _ in (one / "task").iterdir())
        except OSError:  # it has just ended
            continue
    return found
