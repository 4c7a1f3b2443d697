"""Each wall is missed when it is gone, and what is left holds; with too little, nothing runs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from events.errors import RatchetError
from tests.bench.results import ROOT
from tests.trainers.sandbox.grounds import KINDS, PASS_ALL, raised
from trainers.sandbox import landlock
from trainers.sandbox.choose import Unprotected, chosen
from trainers.sandbox.launch import LOADER, NotEnclosed, Order, carry_out
from trainers.sandbox.plan import Walls
from trainers.sandbox.probe import breaches

pytestmark = pytest.mark.usefixtures("walls_hold")

WITH_NAMESPACES = [kind for kind in KINDS if kind != "Landlock alone"]

GRANDCHILDREN = """
import os, time
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            while True:
                time.sleep(60)
        os._exit(0)
time.sleep(0.05)
print("left", flush=True)
"""

FORK_BOMB = """
import os
def bomb():
    while True:
        try:
            os.fork()
        except OSError:
            pass
bomb()
"""

NESTED = """
import ctypes, os, sys
libc = ctypes.CDLL(None)
there, begun = os.pipe()
heard, told = os.pipe()
child = os.fork()
if child == 0:
    assert libc.unshare(0x10000000) == 0
    os.write(begun, b"x")
    os.read(heard, 1)
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)
    with open("/proc/sys/user/max_user_namespaces", "w") as file:
        file.write("0")
    os.setgroups([])
    os.setresgid(1234, 1234, 1234)
    os.setresuid(1234, 1234, 1234)
    sys.path.insert(0, sys.argv[1])
    from trainers.sandbox.choose import Unprotected, possible
    from trainers.sandbox.interpreter import this_interpreter
    from trainers.sandbox.launch import NotEnclosed
    from trainers.sandbox.probe import breaches
    for walls in possible(this_interpreter(), 0):
        try:
            print(walls.kind, breaches(walls), flush=True)
        except NotEnclosed as why:
            print(walls.kind, "refused", flush=True)
    os._exit(0)
os.read(there, 1)
for name in ("uid_map", "gid_map"):
    with open(f"/proc/{child}/{name}", "w") as file:
        file.write("0 0 65536")
os.write(told, b"x")
os.waitpid(child, 0)
"""


def order(program: str, seconds: float = 5.0, output: int = 65536) -> Order:
    return Order(LOADER, program.encode(), b"", seconds, 256, output)


@pytest.mark.parametrize("kind", KINDS[1:])
def test_the_probe_sees_that_the_filter_is_gone(kind: str) -> None:
    found = breaches(raised(kind)._replace(calls=PASS_ALL))
    for breach in ("it could open a socket of family 2", "it could ptrace", "it could bpf"):
        assert breach in found


def test_the_probe_sees_that_files_are_open() -> None:
    found = breaches(raised("Landlock alone")._replace(landlock=0))
    assert "it could read /etc/passwd" in found
    assert any("witness" in one for one in found)


@pytest.mark.parametrize("kind", WITH_NAMESPACES)
def test_namespaces_alone_keep_files_and_processes(kind: str) -> None:
    walls = raised(kind)._replace(landlock=0)
    assert breaches(walls) == []
    found = breaches(walls._replace(calls=PASS_ALL, landlock=landlock.version()))
    assert not [one for one in found if "read" in one and "process_vm_readv" not in one]
    assert not [one for one in found if "write" in one or "see who" in one]
    assert not [one for one in found if "threads without end" in one]


@pytest.mark.parametrize("version", [1, 3])  # the first has no right to truncate, both no network
def test_an_older_version_of_landlock_is_enough(version: int) -> None:
    walls = raised("Landlock alone")
    if version > walls.landlock:
        pytest.skip("the kernel's is older")
    assert breaches(walls._replace(landlock=version)) == []


def test_a_version_to_come_is_taken_as_the_last_that_is_known() -> None:
    assert landlock.handled(99) == landlock.handled(max(landlock.VERSIONS))
    assert landlock.handled(0).files == 0


@pytest.mark.parametrize("kind", WITH_NAMESPACES)
def test_grandchildren_in_sessions_of_their_own_are_gone_with_it(kind: str) -> None:
    walls = raised(kind)._replace(calls=PASS_ALL)
    began = time.monotonic()
    ending = carry_out(walls, order(GRANDCHILDREN, seconds=10))
    assert (ending.how, ending.code, ending.out) == ("ended", 0, b"left\n")
    assert time.monotonic() - began < 9  # nobody waits for the streams that they hold


@pytest.mark.parametrize("kind", WITH_NAMESPACES)
def test_a_fork_bomb_meets_its_limit_where_forks_are_let_through(kind: str) -> None:
    ending = carry_out(raised(kind)._replace(calls=PASS_ALL), order(FORK_BOMB, seconds=0.3))
    assert ending.how == "timeout"
    assert carry_out(raised(kind), order("print(1)")).out == b"1\n"


def test_a_wall_that_cannot_be_raised_ends_the_run_before_the_program() -> None:
    walls = raised(KINDS[1])
    gone = walls.interpreter._replace(paths=(*walls.interpreter.paths, "/nowhere/at/all"))
    with pytest.raises(NotEnclosed) as refused:
        carry_out(walls._replace(interpreter=gone), order("print('ran')"))
    assert "No such file" in refused.value.where


def test_a_filter_that_the_kernel_does_not_take_ends_the_run() -> None:
    broken = ((6, 0, 0, 0x7FFF0000), (255, 0, 0, 0))
    with pytest.raises(NotEnclosed) as refused:
        carry_out(raised(KINDS[1])._replace(calls=broken), order("print('ran')"))
    assert "seccomp" in refused.value.where


def test_an_interpreter_that_is_gone_ends_the_run() -> None:
    walls = raised(KINDS[1])
    gone = walls.interpreter._replace(python="/nowhere/python")
    with pytest.raises((NotEnclosed, OSError)):
        carry_out(walls._replace(interpreter=gone), order("print('ran')"))


def test_where_nothing_holds_it_is_refused_with_the_reasons(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    raised(KINDS[1])
    monkeypatch.setattr("trainers.sandbox.choose.possible", _open)
    with pytest.raises(Unprotected) as refused:
        chosen()
    assert "namespaces: it could open a socket" in refused.value.where
    assert "bubblewrap" in refused.value.right
    assert isinstance(refused.value, RatchetError)


def _open(*_: object) -> list[Walls]:
    return [raised(KINDS[1])._replace(calls=PASS_ALL)]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can take user namespaces away")
def test_without_user_namespaces_landlock_is_left_and_holds() -> None:
    python = "/usr/bin/python3"
    if (
        not Path(python).exists()
        or subprocess.run(
            [python, "-c", "import sys, ctypes; sys.exit(sys.version_info < (3, 11))"], check=False
        ).returncode
    ):
        pytest.skip("no interpreter here that every user may read")
    raised("Landlock alone")
    if not all(one.stat().st_mode & 0o001 for one in (ROOT, *ROOT.parents)):
        pytest.skip("the sources lie where other users cannot reach them")
    said = subprocess.run(
        [python, "-B", "-c", NESTED, str(ROOT)],
        cwd="/",
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    lines = said.stdout.splitlines()
    assert lines[-1:] == ["Landlock alone []"], said
    assert all(line.endswith("refused") for line in lines[:-1])


def test_to_be_imported_takes_no_torch() -> None:
    program = "import sys, trainers.sandbox.sandbox; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0
