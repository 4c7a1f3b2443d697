"""A thousand runs later the machine is as it was: no process, file, mount or descriptor more."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.bench.results import ROOT
from tests.trainers.sandbox.grounds import KINDS, raised
from trainers.sandbox.sandbox import sandbox

pytestmark = pytest.mark.usefixtures("walls_hold")

KILLED = """
import threading, time
from trainers.sandbox.sandbox import sandbox
box = sandbox()
for _ in range(3):
    threading.Thread(target=box.run, args=("while True: pass",), kwargs={"seconds": 60}).start()
time.sleep(0.5)
print("running", flush=True)
"""


def left_after(runs: int, kind: str, folder: Path) -> None:
    raised(kind)
    said = subprocess.run(
        [sys.executable, "-m", "tests.trainers.sandbox.runs", str(runs), kind],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    told = json.loads(said.stdout)
    assert told["ends"] == ["finished", "mean"]
    assert told["after"] == told["before"]
    assert told["after"]["children"] == []
    assert told["after"]["temporary"] == []
    assert told["peak_kb"] < 200_000  # whoever listens keeps no more than the limits


def test_fifty_runs_leave_nothing(tmp_path: Path) -> None:
    left_after(50, sandbox().walls.kind, tmp_path)


@pytest.mark.proof
@pytest.mark.parametrize("kind", KINDS)
def test_a_thousand_runs_leave_nothing(kind: str, tmp_path: Path) -> None:
    left_after(1000, kind, tmp_path)


def test_when_whoever_asked_is_killed_its_programs_go_too() -> None:
    sandbox()
    with subprocess.Popen(
        [sys.executable, "-c", KILLED], cwd=ROOT, stdout=subprocess.PIPE, start_new_session=True
    ) as asking:
        assert asking.stdout is not None
        assert asking.stdout.readline() == b"running\n"
        running = descendants(asking.pid)
        assert len(running) >= 6
        os.kill(asking.pid, signal.SIGKILL)
    ends = time.monotonic() + 60
    while time.monotonic() < ends and any(alive(*one) for one in running):
        time.sleep(0.02)
    assert [one for one in running if alive(*one)] == []


def descendants(pid: int) -> list[tuple[int, str]]:
    """Each with the moment of its birth."""
    parents: dict[int, list[int]] = {}
    born: dict[int, str] = {}
    for one in Path("/proc").iterdir():
        if one.name.isdecimal() and (fields := stat(int(one.name))):
            parents.setdefault(int(fields[1]), []).append(int(one.name))
            born[int(one.name)] = fields[19]
    found, waiting = [], [pid]
    while waiting:
        for child in parents.get(waiting.pop(), []):
            found.append((child, born[child]))
            waiting.append(child)
    return found


def alive(pid: int, born: str) -> bool:
    fields = stat(pid)
    return bool(fields) and fields[19] == born and fields[0] not in "ZX"


def stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return []
