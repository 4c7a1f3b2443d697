"""What a decent program gets: a fresh interpreter, a folder of its own, its streams, its limits."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from events.errors import Refused
from tests.trainers.sandbox.grounds import KINDS, raised
from trainers.sandbox.sandbox import Sandbox, sandbox

pytestmark = pytest.mark.usefixtures("walls_hold")


@pytest.fixture(scope="module")
def box() -> Sandbox:
    return sandbox()


@pytest.fixture(scope="module", params=KINDS)
def each(request: pytest.FixtureRequest) -> Sandbox:
    return Sandbox(raised(request.param))


def test_a_program_says_what_it_reckons(each: Sandbox) -> None:
    ran = each.run("print(6 * 7)")
    assert (ran.code, ran.out, ran.err, ran.ended) == (0, "42\n", "", "finished")
    assert 0 < ran.seconds < 30


def test_it_reads_its_stdin_to_the_end(each: Sandbox) -> None:
    text = "zwölf\n" * 100_000
    ran = each.run("import sys\nprint(len(sys.stdin.read()))", stdin=text)
    assert ran.out == f"{len(text)}\n"


def test_it_need_not_read_it(box: Sandbox) -> None:
    assert box.run("print(1)", stdin="x" * (4 << 20)).out == "1\n"


def test_an_error_is_its_own_and_shows_its_line(box: Sandbox) -> None:
    ran = box.run("x = 1\nraise ValueError('no')")
    assert (ran.code, ran.ended) == (1, "finished")
    assert 'File "program.py", line 2' in ran.err
    assert ran.err.endswith("ValueError: no\n")


def test_it_leaves_with_the_code_it_likes(box: Sandbox) -> None:
    assert box.run("raise SystemExit(7)").code == 7


def test_it_is_a_main_program_in_a_bare_interpreter(box: Sandbox) -> None:
    names = "sorted(one for one in globals() if not one.startswith('__'))"
    ran = box.run(f"import sys\nprint(__name__, sys.flags.isolated, sys.flags.no_site, {names})")
    assert ran.out == "__main__ 1 1 ['sys']\n"


def test_it_uses_the_standard_library_threads_and_asyncio(each: Sandbox) -> None:
    ran = each.run("""
import asyncio, ctypes, dataclasses, decimal, hashlib, json, os, random, re, sqlite3, zlib
from concurrent.futures import ThreadPoolExecutor
@dataclasses.dataclass
class Point:
    x: int
async def later():
    await asyncio.sleep(0.001)
    return await asyncio.to_thread(sum, [1, 2])
with ThreadPoolExecutor(8) as pool:
    print(sum(pool.map(lambda n: n * n, range(20))))
with open(os.devnull, "w") as nowhere, open("/dev/urandom", "rb") as chance:
    print("unheard", chance.read(1), file=nowhere)
print(asyncio.run(later()), Point(1), sqlite3.connect(":memory:").execute("select 2").fetchone())
""")
    assert ran.out == "2470\n3 Point(x=1) (2,)\n", ran


def test_it_writes_in_a_folder_that_is_its_own(each: Sandbox) -> None:
    if not each.walls.namespaces:
        pytest.skip("without namespaces a program writes nothing")
    program = """
import os, tempfile
print(os.listdir("."), os.getcwd() == tempfile.gettempdir())
with open("note", "w") as file:
    file.write("mine")
print(open("note").read(), os.listdir("."))
"""
    for _ in range(2):
        assert each.run(program).out == "[] True\nmine ['note']\n"


def test_without_namespaces_it_writes_nothing() -> None:
    box = Sandbox(raised("Landlock alone"))
    ran = box.run("open('/tmp/hostile-8d1f2c', 'w')")
    assert ran.err.endswith(
        "PermissionError: [Errno 13] Permission denied: '/tmp/hostile-8d1f2c'\n"
    )


def test_time_memory_and_output_are_told_apart(each: Sandbox) -> None:
    assert each.run("while True: pass", seconds=0.2).ended == "timeout"
    assert each.run("x = bytearray(100 << 20)", memory_mb=64).ended == "memory"
    assert each.run("x = bytearray(100 << 20)", memory_mb=256).ended == "finished"
    loud = each.run("print('x' * 2000)", output=1000)
    assert (loud.ended, loud.out) == ("output", "x" * 1000)
    assert each.run("print('x' * 999)", output=1000).ended == "finished"


def test_it_ends_soon_after_its_time(box: Sandbox) -> None:
    began = time.monotonic()
    ran = box.run("import time\ntime.sleep(60)", seconds=0.3)
    assert (ran.ended, ran.code) == ("timeout", -9)
    assert 0.3 <= ran.seconds < 15
    assert time.monotonic() - began < 20


def test_many_run_side_by_side_and_each_has_its_own_answer(box: Sandbox) -> None:
    with ThreadPoolExecutor(8) as pool:
        said = [ran.out for ran in pool.map(lambda n: box.run(f"print({n})"), range(16))]
    assert said == [f"{n}\n" for n in range(16)]


def test_whoever_asks_may_be_a_thread_that_ends(box: Sandbox) -> None:
    said: list[str] = []
    thread = threading.Thread(target=lambda: said.append(box.run("print(1)").out))
    thread.start()
    thread.join()
    assert said == ["1\n"]


@pytest.mark.parametrize("text", ["x = '\ud800'", "#" * (2 << 20)])
def test_what_cannot_be_a_program_is_refused_as_a_result(text: str) -> None:
    ran = sandbox().run(text)
    assert ran.ended == "refused"
    assert ran.err


def test_a_null_byte_is_the_programs_own_error(box: Sandbox) -> None:
    assert "null bytes" in box.run("x = 1\0").err


@pytest.mark.parametrize("wrong", [{"seconds": 0}, {"memory_mb": 8}, {"output": 0}])
def test_limits_that_make_no_sense_are_refused_with_a_remedy(wrong: dict[str, int]) -> None:
    with pytest.raises(Refused) as refused:
        sandbox().run("1", **wrong)  # type: ignore[arg-type]
    assert refused.value.where


def test_the_sandbox_of_a_process_is_probed_once() -> None:
    assert sandbox() is sandbox()
