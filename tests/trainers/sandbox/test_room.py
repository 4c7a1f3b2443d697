"""Programs share a room, one after the other, and meet nothing of each other in it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.bench.results import ROOT
from tests.trainers.sandbox.forging import FORGING, TEST
from tests.trainers.sandbox.grounds import PASS_ALL, raised, surroundings, traces
from tests.trainers.sandbox.hostile import Hostile
from tests.trainers.sandbox.reaching import REACHING
from tests.trainers.sandbox.test_leaves_nothing import alive, descendants
from tests.trainers.sandbox.test_walls import GRANDCHILDREN, WITH_NAMESPACES
from tests.trainers.sandbox.weighing import WEIGHING
from trainers.sandbox.ending import Ending, how_ended
from trainers.sandbox.launch import LOADER, NotEnclosed, Order
from trainers.sandbox.plan import Walls
from trainers.sandbox.room import Rooms
from trainers.sandbox.sandbox import sandbox

pytestmark = pytest.mark.usefixtures("walls_hold")

LEAVES = """
import os, threading, time
os.mkdir("/tmp/mine")
open("/tmp/mine/note", "w").write("left here")
open("/tmp/.hidden", "w").write("x" * 100000)
for _ in range(5):
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
print("left")
"""
FINDS = """
import os
print(sorted(os.listdir("/tmp")), os.statvfs("/tmp").f_bavail, os.getcwd(), sorted(os.environ))
for number in range(3, 200):
    try:
        print("open", number, os.fstat(number).st_size)
    except OSError:
        pass
try:
    os.kill(-1, 0)
    print("somebody is here")
except OSError as error:
    print(error.errno)
"""
SILENT = """
import os, subprocess, sys
from trainers.sandbox.sandbox import sandbox
for _ in range(2):
    assert sandbox().check("def f(n): return n", ["assert f(1) == 1"])[0].passed
if sys.argv[1] == "fork":
    child = os.fork()
    if child == 0:
        good = sandbox().check("def f(n): return n + 1", ["assert f(1) == 2"])[0].passed
        os._exit(0 if good else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert sandbox().check("def f(n): return n", ["assert f(1) == 1"])[0].passed
print("ready", flush=True)
if sys.argv[1] == "wait":
    sys.stdin.read()
"""


def order(program: str, seconds: float = 5.0, stdin: str = "", output: int = 65536) -> Order:
    return Order(LOADER, program.encode(), stdin.encode(), seconds, 256, output)


@pytest.fixture
def rooms() -> Iterator[Rooms]:
    made = Rooms()
    yield made
    made.leave()


def in_rooms(walls: Walls, folder: Path, rooms: Rooms) -> None:
    """Every hostile program, each between others in a room that some of them have been in."""
    hostile = [one for one in (*REACHING, *WEIGHING) if one.ends != {"refused"}]

    def result(one: Hostile) -> Ending:
        seconds = 0.25 if "timeout" in one.ends else 20
        return rooms.carry_out(walls, order(one.program, seconds, given, 32768))

    with surroundings(folder) as given, ThreadPoolExecutor(2) as pool:
        endings = list(pool.map(result, hostile))
    assert traces() == []
    for one, ending in zip(hostile, endings, strict=True):
        said = ending.out.decode("utf-8", "replace")
        assert "ESCAPED" not in said, one.name
        assert how_ended(ending, 256) in one.ends, (one.name, ending)
        assert not one.comes_through or said.endswith("done\n"), one.name
        assert max(len(ending.out), len(ending.err)) <= 32768


def test_no_hostile_program_gets_out_of_a_room(tmp_path: Path, rooms: Rooms) -> None:
    in_rooms(sandbox().walls, tmp_path, rooms)


@pytest.mark.proof
@pytest.mark.parametrize("kind", WITH_NAMESPACES)
def test_every_kind_of_room_holds_them_again_and_again(
    kind: str, tmp_path: Path, rooms: Rooms
) -> None:
    for number in range(5):
        (tmp_path / str(number)).mkdir()
        in_rooms(raised(kind), tmp_path / str(number), rooms)


@pytest.mark.parametrize("kind", WITH_NAMESPACES)
def test_the_next_program_finds_a_room_as_the_first_did(kind: str, rooms: Rooms) -> None:
    walls = raised(kind)
    first = rooms.carry_out(walls, order(FINDS))
    assert b"[]" in first.out
    assert rooms.carry_out(walls, order(LEAVES)).out == b"left\n"
    assert rooms.carry_out(walls, order(FINDS)).out == first.out
    assert b"somebody" not in first.out


@pytest.mark.parametrize("kind", WITH_NAMESPACES)
def test_what_a_program_started_is_gone_before_the_next(kind: str, rooms: Rooms) -> None:
    walls = raised(kind)._replace(calls=PASS_ALL)  # the filter lets no process be started
    assert rooms.carry_out(walls, order(GRANDCHILDREN, 10)).out == b"left\n"
    seen = "import os\ntry: os.kill(-1, 0)\nexcept ProcessLookupError: print('alone')"
    assert rooms.carry_out(walls, order(seen)).out == b"alone\n"


def test_walls_that_cannot_be_raised_run_nothing(rooms: Rooms) -> None:
    walls = raised("namespaces")
    gone = walls.interpreter._replace(paths=(*walls.interpreter.paths, "/nowhere/at/all"))
    with pytest.raises(NotEnclosed) as refused:
        rooms.carry_out(walls._replace(interpreter=gone), order("print('ran')"))
    assert "No such file" in refused.value.where
    broken = walls._replace(calls=((6, 0, 0, 0x7FFF0000), (255, 0, 0, 0)))
    with pytest.raises(NotEnclosed) as refused:
        rooms.carry_out(broken, order("print('ran')"))
    assert "seccomp" in refused.value.where


def test_a_room_that_was_killed_is_done_without(rooms: Rooms) -> None:
    walls = sandbox().walls
    assert rooms.carry_out(walls, order("print(1)")).out == b"1\n"
    rooms_of_this = [one for one, _ in descendants(os.getpid()) if "-I" in told(one)]
    assert rooms_of_this
    for one in rooms_of_this:
        os.kill(one, signal.SIGKILL)
    assert rooms.carry_out(walls, order("print(2)")).out == b"2\n"


def told(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/cmdline").read_text().split("\0")


def test_a_room_that_nobody_needs_is_taken_down(
    rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainers.sandbox.plan.IDLE", 0.2)
    before, ours = len(os.listdir("/proc/self/fd")), set(descendants(os.getpid()))
    with ThreadPoolExecutor(3) as pool:
        runs = [pool.submit(rooms.carry_out, sandbox().walls, order("0")) for _ in range(6)]
        assert {one.result().code for one in runs} == {0}
    ends = time.monotonic() + 60
    while set(descendants(os.getpid())) - ours or len(os.listdir("/proc/self/fd")) > before:
        assert time.monotonic() < ends
        time.sleep(0.02)


@pytest.mark.parametrize("how", ["leave", "fork"])
def test_who_leaves_or_forks_leaves_no_room(how: str) -> None:
    said = subprocess.run(
        [sys.executable, "-W", "error", "-c", SILENT, how],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (said.returncode, said.stdout, said.stderr) == (0, "ready\n", "")


def test_when_whoever_asked_is_killed_its_rooms_go_too() -> None:
    sandbox()
    with subprocess.Popen(
        [sys.executable, "-c", SILENT, "wait"],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
    ) as asking:  # fmt: skip
        assert asking.stdout is not None
        assert asking.stdout.readline() == b"ready\n"
        running = descendants(asking.pid)
        assert running
        os.kill(asking.pid, signal.SIGKILL)
    ends = time.monotonic() + 60
    while time.monotonic() < ends and any(alive(*one) for one in running):
        time.sleep(0.02)
    assert [one for one in running if alive(*one)] == []


@pytest.mark.parametrize("name", FORGING)
def test_a_forged_result_is_not_believed_of_the_next_program_either(name: str) -> None:
    box = sandbox()
    assert not box.check(FORGING[name], [TEST], seconds=0.3)[0].passed
    assert not box.check("def square(n): return 1", [TEST])[0].passed
    assert box.check("def square(n): return n * n", [TEST])[0].passed
