"""The walls that hold on this machine, and what hostile programs are told of it."""

from __future__ import annotations

import json
import os
import platform
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

from tests.bench.results import ROOT
from trainers.sandbox import seccomp
from trainers.sandbox.choose import ordinary_user, possible
from trainers.sandbox.interpreter import this_interpreter
from trainers.sandbox.plan import Walls
from trainers.sandbox.probe import breaches
from trainers.sandbox.syscalls import MACHINES, NUMBERS, numbers

KINDS = ("bubblewrap", "namespaces", "Landlock alone")
TOKEN = "hostile-8d1f2c"
"""In the name of whatever a hostile program tries to make outside."""

MORE_CALLS = {"name_to_handle_at": (303, 264), "kcmp": (312, 272)}
PASS_ALL: tuple[seccomp.Instruction, ...] = ((seccomp.ANSWER, 0, 0, seccomp.ALLOW),)
"""A filter that holds nothing back: what is left then are the other walls."""


@cache
def raised(kind: str) -> Walls:
    """These walls, probed; the test is skipped where the machine has no such."""
    if not seccomp.supported():
        pytest.skip("programs are enclosed on Linux only")
    for walls in possible(this_interpreter(), ordinary_user()):
        if walls.kind == kind:
            assert breaches(walls) == []
            return walls
    pytest.skip(f"{kind}: not to be had on this machine")


@contextmanager
def surroundings(folder: Path) -> Iterator[str]:
    """Something to get at, as the JSON that a hostile program reads: files, servers, processes."""
    witness, opened = folder / "witness", folder / "opened"
    witness.write_text("secret")
    witness.chmod(0o600)
    opened.write_text("open secret")
    opened.chmod(0o666)
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.socket(socket.AF_UNIX) as abstract,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagrams,
    ):
        name = f"{TOKEN}{folder}"
        abstract.bind(f"\0{name}")
        abstract.listen()
        datagrams.bind(f"\0{name}")
        column = MACHINES.index(platform.machine())
        calls = numbers(platform.machine())
        calls |= {name: row[column] for name, row in MORE_CALLS.items()}
        yield json.dumps(
            {
                "witness": str(witness),
                "open_witness": str(opened),
                "folder": str(folder),
                "token": TOKEN,
                "pid": os.getpid(),
                "port": server.getsockname()[1],
                "abstract": name,
                "calls": calls,
                "paths": [str(ROOT), *(str(one) for one in Path(pytest.__file__).parents[:1])],
            }
        )
    assert witness.read_text() == "secret"
    assert opened.read_text() == "open secret"
    assert opened.stat().st_mode & 0o7777 == 0o666
    assert sorted(one.name for one in folder.iterdir()) == ["opened", "witness"]


def traces() -> list[str]:
    """What a hostile program has left on this machine."""
    places = [
        Path(one) for one in ("/", "/etc", "/var/tmp", "/dev/shm", "/run", "/tmp", os.getcwd())
    ]
    return [str(one) for place in places for one in place.glob(f"*{TOKEN}*")]


assert set(MORE_CALLS).isdisjoint(NUMBERS)
