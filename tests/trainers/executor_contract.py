"""What every executor has to do, wherever its jobs run; a subclass says how one is made."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from pathlib import Path

import pytest

from events.catalog.jobs import Resources
from events.errors import IdTaken, Malformed, NotFound
from tests.trainers.jobs import content, spec
from trainers.executor import Executor, State
from trainers.failures import BadData

ENDS = 180.0
"""Seconds that a job of this contract may take on a busy machine."""


def ended(executor: Executor, job: str) -> State:
    """Poll a job to its end."""
    ends = time.monotonic() + ENDS
    while (state := executor.poll(job)).status != "ended":
        assert time.monotonic() < ends, f"{state} after {ENDS:g} s"
        time.sleep(0.02)
    return state


def at_step(executor: Executor, job: str, step: int) -> State:
    """Poll a job until it has come so far."""
    ends = time.monotonic() + ENDS
    while (state := executor.poll(job)).step < step:
        assert time.monotonic() < ends, f"{state} after {ENDS:g} s"
        time.sleep(0.01)
    return state


class ExecutorContract(ABC):
    """Submit, poll, logs, cancel, reattach."""

    @abstractmethod
    def make(self, place: Path) -> Executor:
        """An executor on this place with room for two threads; another one takes up its jobs."""

    @pytest.fixture
    def place(self, tmp_path: Path) -> Path:
        return tmp_path

    def test_a_job_is_carried_out_and_what_it_made_can_be_read(self, place: Path) -> None:
        executor = self.make(place)
        first = executor.submit(spec())
        assert (first.job, first.outcome) == ("one", None)
        last = ended(executor, "one")
        assert last.outcome is not None
        assert (last.outcome.status, last.step, last.starts) == ("completed", 20, 1)
        assert (executor.folder("one") / "model" / "line.json").exists()
        assert (executor.folder("one") / last.outcome.per_item).exists()
        executor.close()

    def test_submitted_twice_a_job_runs_once(self, place: Path) -> None:
        executor = self.make(place)
        for _ in range(3):
            executor.submit(spec(pause=0.01))
        first = ended(executor, "one")
        assert executor.submit(spec(pause=0.01)) == first
        assert first.starts == 1
        executor.close()

    def test_another_spec_under_a_known_name_is_refused(self, place: Path) -> None:
        executor = self.make(place)
        executor.submit(spec())
        with pytest.raises(IdTaken, match="another spec"):
            executor.submit(spec(seed=8))
        ended(executor, "one")
        executor.close()

    def test_a_job_that_can_never_run_here_is_refused_at_once(self, place: Path) -> None:
        executor = self.make(place)
        for wants in (Resources(threads=64), Resources(gpus=8)):
            with pytest.raises(Malformed, match="not here"):
                executor.submit(spec(resources=wants))
        with pytest.raises(NotFound):
            executor.poll("one")
        executor.close()

    def test_a_job_that_nobody_submitted_is_not_found(self, place: Path) -> None:
        executor = self.make(place)
        for name in ("nothing", "../one", ".one"):
            for ask in (executor.poll, executor.cancel, executor.logs, executor.folder):
                with pytest.raises(NotFound):
                    ask(name)
        executor.close()

    def test_a_failure_is_an_outcome_with_its_kind(self, place: Path) -> None:
        executor = self.make(place)
        for wrong, kind in (("nan", "unstable"), ("error", "defect"), ("memory", "no_memory")):
            executor.submit(spec(wrong, wrong=wrong))
            found = ended(executor, wrong).outcome
            assert found is not None
            assert (found.status, found.failure) == ("failed", kind)
        executor.close()

    def test_what_a_job_says_is_given_in_bounded_pieces_and_nothing_is_lost(
        self, place: Path
    ) -> None:
        executor = self.make(place)
        executor.submit(spec(says=3000))
        ended(executor, "one")
        whole, after = "", 0
        while (got := executor.logs("one", after, 1000)).text:
            assert len(got.text.encode()) <= 1000
            assert got.next > after
            whole, after = whole + got.text, got.next
        assert whole.count("x" * 3000) == 20
        assert whole == (executor.folder("one") / "log.txt").read_text()
        assert executor.logs("one", after) == ("", after)
        steps = executor.logs("one", log="metrics.jsonl").text.splitlines()
        assert len(steps) == 20
        executor.close()

    def test_a_cancelled_job_ends_with_all_its_processes_and_stays_ended(self, place: Path) -> None:
        executor = self.make(place)
        executor.submit(spec(steps=4000, pause=0.01))
        at_step(executor, "one", 5)
        found = executor.cancel("one")
        assert found.outcome is not None
        assert (found.status, found.outcome.status) == ("ended", "cancelled")
        assert executor.cancel("one") == found
        assert executor.submit(spec(steps=4000, pause=0.01)) == found
        executor.close()

    def test_a_job_that_does_not_listen_is_killed(self, place: Path) -> None:
        executor = self.make(place)
        executor.submit(spec(wrong="deaf"))
        at_step(executor, "one", 9)
        found = executor.cancel("one")
        assert found.outcome is not None
        assert found.outcome.status == "cancelled"
        executor.close()

    def test_jobs_beyond_the_room_wait_and_a_waiting_one_can_be_cancelled(
        self, place: Path
    ) -> None:
        executor = self.make(place)
        for number in range(4):
            executor.submit(spec(f"j{number}", steps=60, pause=0.01))
        at_step(executor, "j0", 1)
        at_step(executor, "j1", 1)
        assert [executor.poll(f"j{number}").status for number in range(4)] == [
            "running",
            "running",
            "queued",
            "queued",
        ]
        waited = executor.cancel("j2").outcome
        assert waited is not None
        assert (waited.status, waited.starts) == ("cancelled", 0)
        outcomes = [ended(executor, f"j{number}").outcome for number in (0, 1, 3)]
        assert [one and one.status for one in outcomes] == ["completed"] * 3
        executor.close()

    def test_another_executor_takes_up_what_runs_and_what_waits(self, place: Path) -> None:
        first = self.make(place)
        for number in range(3):
            first.submit(spec(f"j{number}", steps=60, pause=0.01))
        at_step(first, "j0", 3)
        first.close()
        second = self.make(place)
        assert [state.job for state in second.reattach()] == ["j0", "j1", "j2"]
        for number in range(3):
            last = ended(second, f"j{number}")
            assert last.outcome is not None
            assert (last.outcome.status, last.starts) == ("completed", 1)
        second.close()

    def test_rows_that_are_not_what_the_spec_says_are_an_outcome(self, place: Path) -> None:
        executor = self.make(place)
        one = spec()
        wrong = one.data[0].model_copy(update={"rows": one.data[0].rows + 1})
        executor.submit(one.model_copy(update={"data": (wrong,)}))
        found = ended(executor, "one").outcome
        assert found is not None
        assert found.failure == BadData.kind
        assert content().count(b"\n") == one.data[0].rows
        executor.close()
