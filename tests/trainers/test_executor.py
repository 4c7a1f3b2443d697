"""The local executor: the contract, its slots, and kills at random moments."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from tempfile import NamedTemporaryFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.artifacts import Artifacts
from events.catalog.jobs import Resources
from events.errors import NotFound
from tests.house.source import ROOT
from tests.trainers.executor_contract import ExecutorContract, at_step, ended
from tests.trainers.jobs import content, metrics, model, spec, until
from trainers import lock
from trainers.hosting import Host
from trainers.local import LocalExecutor
from trainers.logs import piece
from trainers.processes import members
from trainers.slots import Begins, Free, beginning


def fetch(_reference: str) -> Iterator[bytes]:
    yield content()


class TestLocalExecutor(ExecutorContract):
    """Each job in a fresh process."""

    def make(self, place: Path) -> LocalExecutor:
        return LocalExecutor(place, fetch, threads=2, grace=0.5)


class TestHostedExecutor(ExecutorContract):
    """Each job forked by a host; it loads nothing heavy here."""

    def make(self, place: Path) -> LocalExecutor:
        return LocalExecutor(place, fetch, threads=2, grace=0.5, host=Host(("json",)))


def test_rows_come_from_the_artifacts_and_one_that_is_missing_is_told(tmp_path: Path) -> None:
    artifacts = Artifacts(str(tmp_path / "artifacts"))
    executor = LocalExecutor(tmp_path, artifacts.chunks)
    with pytest.raises(NotFound):
        executor.submit(spec())
    with pytest.raises(NotFound):  # and nothing of it is left
        executor.poll("one")
    artifacts.put(content())
    executor.submit(spec())
    assert ended(executor, "one").step == 20
    executor.close()


def test_a_job_that_dies_without_a_word_is_started_again_a_few_times(tmp_path: Path) -> None:
    executor = LocalExecutor(tmp_path, fetch, most_starts=3)
    executor.submit(spec(wrong="die"))
    found = ended(executor, "one")
    assert found.outcome is not None
    assert (found.outcome.failure, found.outcome.again) == ("killed", True)
    assert found.starts == 1 + 3  # it came to a checkpoint, and died behind it three times
    executor.close()


def test_what_a_job_leaves_running_ends_when_it_was_killed(tmp_path: Path) -> None:
    executor = LocalExecutor(tmp_path, fetch, most_starts=1)
    executor.submit(spec(steps=100, pause=0.02, save_every=200, wrong="child"))
    at_step(executor, "one", 55)
    who = lock.holder(executor.folder("one"))
    assert who is not None
    assert len(members(who.pid)) == 2
    os.kill(who.pid, signal.SIGKILL)
    ended(executor, "one")
    until(lambda: not members(who.pid))
    executor.close()


def test_a_spec_that_somebody_broke_ends_its_job_and_no_other(tmp_path: Path) -> None:
    first = LocalExecutor(tmp_path, fetch, threads=2)
    for name in ("broken", "sound"):
        first.submit(spec(name, steps=60, pause=0.01))
    first.close()
    until(lambda: lock.held(tmp_path / "jobs" / "broken"))
    (tmp_path / "jobs" / "broken" / "spec.json").write_text("{")
    (tmp_path / "jobs" / "broken" / "cancel").touch()
    until(lambda: not lock.held(tmp_path / "jobs" / "broken"))
    (tmp_path / "jobs" / "broken" / "outcome.json").unlink()
    second = LocalExecutor(tmp_path, fetch)
    found = second.poll("broken").outcome
    assert found is not None
    assert found.failure == "usage"
    assert ended(second, "sound").step == 60
    second.close()


def test_what_lies_about_or_was_broken_in_its_folder_holds_up_no_other_job(tmp_path: Path) -> None:
    first = LocalExecutor(tmp_path, fetch, threads=2)
    for name in ("unread", "unknown", "moved"):
        first.submit(spec(name, steps=2))
    for name in ("unread", "unknown", "moved"):
        ended(first, name)
    until(lambda: not any(map(lock.held, (tmp_path / "jobs").iterdir())))
    first.close()
    jobs = tmp_path / "jobs"
    (jobs / "notes.txt").write_text("by hand")
    (jobs / "nothing").mkdir()
    (jobs / "unread" / "outcome.json").write_text("")
    (jobs / "unknown" / "starts.jsonl").write_bytes(b"\xff\n[1]\nnull\n{}\n")
    (jobs / "unknown" / "outcome.json").unlink()
    (jobs / "moved" / "outcome.json").unlink()
    (jobs / "moved").rename(jobs / "elsewhere")
    second = LocalExecutor(tmp_path, fetch)
    second.submit(spec("sound", steps=2))
    assert ended(second, "sound").step == 2
    assert ended(second, "unknown").step == 2
    told = {one.job: one.outcome.failure for one in second.reattach() if one.outcome is not None}
    assert told == {
        "unread": "defect", "nothing": "usage", "elsewhere": "usage", "unknown": "", "sound": "",
    }  # fmt: skip
    second.close()


def test_a_job_sees_the_accelerators_that_it_was_given_and_no_others(tmp_path: Path) -> None:
    executor = LocalExecutor(tmp_path, fetch, threads=3, gpus=(4, 5), host=Host(("json",)))
    for name, gpus in (("two", 2), ("none", 0), ("one", 1)):
        executor.submit(spec(name, resources=Resources(gpus=gpus), pause=0.01))
    for name, seen in (("two", "'4,5'"), ("none", "''"), ("one", "'4'")):
        ended(executor, name)
        assert f"devices {seen}\n" in executor.logs(name).text
    hosted = {
        name: json.loads((executor.folder(name) / "starts.jsonl").read_text())["hosted"]
        for name in ("two", "none", "one")
    }
    assert hosted == {"two": False, "none": True, "one": False}
    executor.close()


def test_jobs_are_told_that_they_are_looked_after(tmp_path: Path) -> None:
    executor = LocalExecutor(tmp_path, fetch, deserted=1.0)
    executor.submit(spec(steps=200, pause=0.01))
    assert ended(executor, "one").starts == 1
    executor.close()


def test_a_job_that_nobody_looks_after_ends_and_goes_on_for_the_next_one(tmp_path: Path) -> None:
    first = LocalExecutor(tmp_path, fetch, deserted=0.6)
    first.submit(spec(steps=300, pause=0.01))
    at_step(first, "one", 3)
    until(lambda: not lock.held(first.folder("one")))
    before = metrics(first.folder("one"))[-1]["step"]
    first.close()
    assert before < 300
    second = LocalExecutor(tmp_path, fetch)
    assert ended(second, "one").starts == 2
    steps = [line["step"] for line in metrics(second.folder("one"))]
    assert steps == list(range(1, 301))
    second.close()


SCRIPT = """
import sys, time
from pathlib import Path
from tests.trainers.jobs import spec
from tests.trainers.test_executor import fetch
from trainers.hosting import Host
from trainers.local import LocalExecutor

hosted = sys.argv[2] == "hosted"
host = Host(("json",)) if hosted else None
executor = LocalExecutor(Path(sys.argv[1]), fetch, threads=2, host=host, most_starts=1000)
for number in range(4):
    executor.submit(spec(f"j{number}", steps=60, pause=0.01, save_every=5))
print("there", flush=True)
while any(executor.poll(f"j{number}").status != "ended" for number in range(4)):
    time.sleep(0.01)
executor.close()
"""


@pytest.mark.parametrize("how", ["fresh", "hosted"])
def test_killed_at_random_moments_no_job_is_lost_or_runs_twice_and_each_ends_once(
    tmp_path: Path, how: str
) -> None:
    luck, kills = random.Random(5), 0
    outcomes: dict[str, tuple[int, bytes]] = {}
    while True:
        owner = subprocess.Popen([sys.executable, "-c", SCRIPT, str(tmp_path), how], cwd=ROOT)
        ends = time.monotonic() + luck.uniform(0.3, 1.0)
        while owner.poll() is None and (kills >= 8 or time.monotonic() < ends):
            _note_outcomes(tmp_path, outcomes)
            if kills < 8 and luck.random() < 0.02:
                _kill_one_job(tmp_path, luck)
            time.sleep(0.01)
        if owner.poll() is not None:
            assert owner.returncode == 0
            break
        owner.kill()
        owner.wait()
        kills += 1
    assert kills >= 3
    _note_outcomes(tmp_path, outcomes)
    assert sorted(outcomes) == ["j0", "j1", "j2", "j3"]
    for number in range(4):
        folder = tmp_path / "jobs" / f"j{number}"
        steps = [line["step"] for line in metrics(folder)]
        assert steps == list(range(1, 61))
        writers = [pid for pid, _ in groupby((folder / "writers").read_text().split())]
        assert len(writers) == len(set(writers))  # nobody wrote again after the next one began
        assert model(folder) == model(tmp_path / "jobs" / "j0")
        assert json.loads((folder / "outcome.json").read_text())["status"] == "completed"


def test_two_executors_on_one_place_do_not_run_a_job_twice(tmp_path: Path) -> None:
    pair = [LocalExecutor(tmp_path, fetch, threads=2) for _ in range(2)]
    for number in range(6):
        pair[number % 2].submit(spec(f"j{number}", pause=0.01))
    for executor in pair:
        executor.reattach()
    for number in range(6):
        for executor in pair:
            state = ended(executor, f"j{number}")
            assert state.starts == 1
        steps = [line["step"] for line in metrics(pair[0].folder(f"j{number}"))]
        assert steps == list(range(1, 21))
    for executor in pair:
        executor.close()


@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(0, 3)), max_size=8),
    st.integers(0, 4),
    st.integers(0, 3),
)
def test_nobody_gets_what_another_has_and_nobody_is_pushed_past_for_ever(
    wants: list[tuple[int, int]], threads: int, gpus: int
) -> None:
    waiting = [
        (str(number), Resources(threads=one, gpus=two)) for number, (one, two) in enumerate(wants)
    ]
    begins = beginning(waiting, Free(threads, tuple(range(gpus))))
    given_out = [gpu for one in begins for gpu in one.gpus]
    assert len(given_out) == len(set(given_out)) <= gpus
    began = {one.job for one in begins}
    assert sum(wants[int(job)][0] for job in began) <= threads
    if wants and wants[0][0] <= threads and wants[0][1] <= gpus:
        assert begins[0].job == "0"
    for number, (one, two) in enumerate(wants):  # nobody in front could have begun instead
        if str(number) not in began:
            ahead = [wants[i] for i in range(number)]
            assert one > threads - sum(a for a, _ in ahead) or two > gpus - sum(b for _, b in ahead)


def test_a_job_that_needs_an_accelerator_does_not_hold_up_those_that_need_none() -> None:
    waiting = [("gpu", Resources(gpus=1)), ("cpu", Resources())]
    assert beginning(waiting, Free(2, ())) == [Begins("cpu", ())]
    assert beginning(waiting, Free(2, (3,))) == [Begins("gpu", (3,)), Begins("cpu", ())]


@given(st.text(max_size=200), st.integers(1, 50))
def test_pieces_of_a_log_join_to_the_whole_whatever_it_holds(text: str, most: int) -> None:
    text = text.replace("\r", "") + "\n"
    with NamedTemporaryFile() as file:
        Path(file.name).write_text(text, encoding="utf-8", newline="")
        got, after = "", 0
        while (one := piece(Path(file.name), after, most)).text:
            got, after = got + one.text, one.next
    assert got == text


def _note_outcomes(place: Path, seen: dict[str, tuple[int, bytes]]) -> None:
    """Whatever was once an outcome stays it, to the file."""
    for file in place.glob("jobs/*/outcome.json"):
        found = (file.stat().st_ino, file.read_bytes())
        assert seen.setdefault(file.parent.name, found) == found


def _kill_one_job(place: Path, luck: random.Random) -> None:
    folders = [one for one in place.glob("jobs/[!.]*") if lock.held(one)]
    if folders and (who := lock.holder(luck.choice(folders))) is not None:
        try:
            os.kill(who.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
