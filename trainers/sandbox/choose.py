"""Which walls this machine can raise: bubblewrap's, else ours, and none that do not hold.

    bubblewrap    namespaces made by a program that many have looked at
    namespaces    the same, made by our launcher
    Landlock      no namespaces are to be had, as in most containers: files are closed by Landlock,
                  all else by the filter; a program can then write nothing at all

In all three: the filter of system calls, limits, no privileges, Landlock where the kernel has it,
and an ordinary user where root starts it.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from events.errors import RatchetError
from trainers.sandbox import landlock, seccomp
from trainers.sandbox.interpreter import Interpreter, this_interpreter
from trainers.sandbox.launch import NotEnclosed
from trainers.sandbox.plan import Walls
from trainers.sandbox.probe import breaches

NOBODY = 65534


class Unprotected(RatchetError):
    """Nothing here can hold a program, so none is run."""


def chosen() -> Walls:
    """The first that holds; it has been tried."""
    if not seccomp.supported():
        raise Unprotected(
            "programs cannot be enclosed on this kind of machine",
            where=f"{platform.system()} {platform.machine()}",
            right="Linux on x86_64 or aarch64",
        )
    try:
        interpreter = this_interpreter()
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise Unprotected(
            "the interpreter does not tell what it needs", where=str(error)
        ) from error
    why: list[str] = []
    for walls in possible(interpreter, ordinary_user()):
        try:
            found = breaches(walls)
        except (NotEnclosed, OSError, subprocess.SubprocessError) as error:
            found = [str(error)]
        if not found:
            return walls
        why.append(f"{walls.kind}: {', '.join(found[:5])}")
    raise Unprotected(
        "programs cannot be enclosed on this machine",
        where="; ".join(why),
        right="bubblewrap, or user namespaces, or a kernel with Landlock; and an interpreter that"
        " every user may read",
    )


def possible(interpreter: Interpreter, user: int) -> Iterator[Walls]:
    """The best first."""
    walls = Walls(
        interpreter,
        user=user,
        landlock=landlock.version(),
        calls=tuple(seccomp.assembled(platform.machine())),
    )
    if bwrap := shutil.which("bwrap"):
        yield walls._replace(bwrap=os.path.realpath(bwrap))
    yield walls
    if walls.landlock:
        yield walls._replace(namespaces=False)


def ordinary_user() -> int:
    """Whom root becomes for a program's sake; 0 where it is no root that asks."""
    if os.geteuid() != 0:
        return 0
    for line in Path("/proc/self/uid_map").read_text().splitlines():
        first, _, count = map(int, line.split())
        if first <= NOBODY < first + count:
            return NOBODY
    raise Unprotected(
        "root has no ordinary user here to become",
        where="/proc/self/uid_map",
        right="start it as an ordinary user",
    )
