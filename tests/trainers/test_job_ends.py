"""How a job ends before its end, and goes on as if nothing had been: stopped, killed, deserted."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from events.catalog.jobs import JobSpec, Limits
from tests.house.source import ROOT
from tests.trainers.jobs import laid, metrics, model, ran, spec, started, until
from trainers.checkpoints import newest
from trainers.folder import outcome_of
from trainers.processes import lives, members, process

STEPS = 120
LIMITED = """
import os, resource, sys
most = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
os.execv(sys.argv[2], sys.argv[2:])
"""
"""A program whose files may not become larger than so many bytes."""


def slow(**more: Any) -> JobSpec:
    """A job that takes a second or two, and writes a checkpoint every few steps."""
    return spec(steps=STEPS, pause=0.01, save_every=7, **more)


def ended(folder: Path) -> dict[str, Any]:
    """What came of it."""
    found: dict[str, Any] = json.loads((folder / "outcome.json").read_text())
    return found


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same job, never killed."""
    folder = tmp_path_factory.mktemp("jobs") / "undisturbed"
    assert ran(laid(folder, spec(steps=STEPS, save_every=7)))[0] == 0
    return folder


def test_a_folder_belongs_to_one_spec(tmp_path: Path) -> None:
    file = laid(tmp_path / "a", slow())
    process = started(file)
    until(lambda: len(metrics(file.parent)) > 3)
    process.kill()
    process.communicate()
    file.write_text(slow(seed=9).model_dump_json())
    code, said = ran(file)
    assert (code, "belongs to another spec" in said) == (2, True)


def test_asked_to_stop_a_job_saves_a_checkpoint_and_goes_on_from_it(
    tmp_path: Path, undisturbed: Path
) -> None:
    file = laid(tmp_path / "a", slow())
    process = started(file)
    until(lambda: len(metrics(file.parent)) > 10)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 16
    process.communicate()
    assert outcome_of(file.parent) is None
    last = newest(file.parent)
    assert last is not None
    assert int(last.name) == metrics(file.parent)[-1]["step"]
    assert ran(file)[0] == 0
    assert model(file.parent) == model(undisturbed)


def test_killed_at_any_moment_and_started_again_it_ends_as_if_nothing_had_been(
    tmp_path: Path, undisturbed: Path
) -> None:
    luck, file = random.Random(11), laid(tmp_path / "a", slow())
    for _ in range(5):
        job, far = started(file), len(metrics(file.parent)) + luck.randrange(1, 25)
        while job.poll() is None and len(metrics(file.parent)) < far:
            time.sleep(0.005)
        time.sleep(luck.uniform(0, 0.02))
        job.kill()
        job.communicate()
    if outcome_of(file.parent) is None:
        assert ran(file)[0] == 0
    assert model(file.parent) == model(undisturbed)
    steps = [line["step"] for line in metrics(file.parent)]
    assert steps == list(range(1, STEPS + 1))
    assert [line["loss"] for line in metrics(file.parent)] == [
        line["loss"] for line in metrics(undisturbed)
    ]
    assert not list(file.parent.glob(".*"))


def test_a_broken_checkpoint_is_passed_over_for_the_one_before(
    tmp_path: Path, undisturbed: Path
) -> None:
    file = laid(tmp_path / "a", slow())
    process = started(file)
    until(lambda: len(metrics(file.parent)) > 22)
    process.kill()
    process.communicate()
    last = newest(file.parent)
    assert last is not None
    (last / "line.json").write_text("{}")
    before = newest(file.parent)
    assert before is not None
    assert before < last
    assert ran(file)[0] == 0
    assert model(file.parent) == model(undisturbed)


def test_a_cancelled_job_ends_at_its_next_step(tmp_path: Path) -> None:
    file = laid(tmp_path / "a", slow())
    process = started(file)
    until(lambda: len(metrics(file.parent)) > 3)
    (file.parent / "cancel").touch()
    assert process.wait(60) == 14
    process.communicate()
    assert ended(file.parent)["status"] == "cancelled"


def test_a_job_runs_no_longer_than_its_time_over_all_its_starts(tmp_path: Path) -> None:
    file = laid(tmp_path / "a", spec(steps=4000, pause=0.01, limits=Limits(seconds=1.0)))
    job = started(file)
    until(lambda: len(metrics(file.parent)) > 10)
    job.send_signal(signal.SIGTERM)
    assert job.wait(60) == 16
    job.communicate()
    before = metrics(file.parent)[-1]
    code, said = ran(file)
    assert (code, "1 seconds" in said) == (15, True)
    after = metrics(file.parent)
    assert after[before["step"]]["seconds"] >= before["seconds"]  # it goes on, not back to 0
    assert ended(file.parent)["failure"] == "out_of_time"


@pytest.mark.parametrize("most", [0, 120, 900, 4000])
def test_a_disk_that_is_full_has_a_code_and_a_sentence_wherever_it_fills_up(
    tmp_path: Path, most: int
) -> None:
    file = laid(tmp_path / "a", spec(steps=STEPS))
    job = [sys.executable, "-m", "trainers.job", str(file)]
    said = subprocess.run(
        [sys.executable, "-c", LIMITED, str(most), *job],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (said.returncode, said.stderr.partition(":")[0]) == (20, "no_room")
    assert "the disk is full" in said.stderr
    assert "Traceback" not in said.stderr + (file.parent / "log.txt").read_text()
    if most >= 900:
        assert ended(file.parent)["failure"] == "no_room"
    assert ran(file)[0] == (20 if most >= 900 else 0)


def test_a_line_for_which_there_is_no_room_leaves_no_half_behind(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from trainers.folder import append\n"
        "file = Path(sys.argv[1]); append(file, b'{}\\n')\n"
        "try: append(file, b'x' * 200)\n"
        "except OSError: print(file.read_text())"
    )
    words = [sys.executable, "-c", LIMITED, "100", sys.executable, "-c", script]
    said = subprocess.run(
        [*words, str(tmp_path / "lines")], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert said.stdout.split() == ["{}"]


def test_a_job_does_not_run_twice_at_the_same_time(tmp_path: Path) -> None:
    file = laid(tmp_path / "a", slow())
    process = started(file)
    until(lambda: len(metrics(file.parent)) > 3)
    assert ran(file)[0] == 19
    assert process.wait(60) == 0
    process.communicate()


def test_a_job_ends_when_its_home_vanishes_and_makes_none_anew(tmp_path: Path) -> None:
    for wrong, steps in (("", 4000), ("hang", 16)):
        file = laid(tmp_path / "a", spec(steps=steps, pause=0.01, save_every=5, wrong=wrong))
        process = started(file)
        until(lambda: len(metrics(tmp_path / "a")) >= 7)
        (tmp_path / "a").rename(tmp_path / "gone")
        shutil.rmtree(tmp_path / "gone")
        assert process.wait(60) == 18
        process.communicate()
        assert not (tmp_path / "a").exists()


def test_a_job_whose_owner_is_gone_saves_a_checkpoint_and_ends(tmp_path: Path) -> None:
    file = laid(tmp_path / "a", spec(steps=4000, pause=0.01))
    (file.parent / "owner").touch()
    job = started(file, "--deserted", "1.0")

    def looked_after() -> bool:
        (file.parent / "owner").touch()
        return len(metrics(file.parent)) > 3

    until(looked_after)
    assert job.wait(60) == 17
    job.communicate()
    assert newest(file.parent) is not None
    assert outcome_of(file.parent) is None


def test_a_job_that_is_looked_after_goes_on(tmp_path: Path) -> None:
    file = laid(tmp_path / "a", spec(steps=180, pause=0.01))
    (file.parent / "owner").touch()
    job = started(file, "--deserted", "1.0")
    while job.poll() is None:
        (file.parent / "owner").touch()
        time.sleep(0.05)
    job.communicate()
    assert job.returncode == 0


def test_a_job_leaves_no_process_behind(tmp_path: Path) -> None:
    file = laid(tmp_path / "a", spec(wrong="child"))
    job = started(file)
    job.communicate(timeout=60)
    child = int((file.parent / "child").read_text())
    assert job.returncode == 0
    assert not members(job.pid)
    until(lambda: process(child) is None)


def test_a_process_is_told_from_another_that_got_its_pid() -> None:
    me = process(os.getpid())
    assert me is not None
    assert lives(me.pid, me.born)
    assert not lives(me.pid, me.born + "0")
    assert not lives(0, "")
