"""Runs that meet with anything at all: each ends, or waits for something that has a name."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from agents.trainer.decide import TRAINER
from agents.trainer.run import Run
from events.catalog.data import DataBegun, DatasetAccepted, DatasetRejected
from events.catalog.deadlines import DeadlinePassed
from events.catalog.hand import (
    ApprovalGiven,
    CancelRequested,
    HoldRequested,
    PauseRequested,
    ResumeRequested,
    RollbackRequested,
)
from events.catalog.parts import PartBuilt
from events.catalog.policies import PolicyAdopted, TrainerPolicy
from events.catalog.reviews import ReviewAnswered
from events.catalog.roles import RoleDefined
from events.catalog.training import StageCompleted, StageFailed, TrainingRequested
from events.envelope import format_time
from events.fact import Fact
from events.message import Event
from pipelines.catalog import PIPELINES
from tests.agents.spec import BEGIN, History
from tests.agents.trainer.story import PROFILE, artifact, example

WALKED = tuple(name for name in PIPELINES if name != "rehearsal")
FAILURES = ("unstable", "no_memory", "not_ready", "defect", "bad_data", "out_of_time", "killed")
STATES = TypeAdapter(type(TRAINER.initial))
MOST = 400
"""More facts than any run can be told before its retries are used up."""


class Walk:
    """A run, and whatever luck does to it."""

    def __init__(self, pipeline: str, luck: random.Random) -> None:
        self.luck = luck
        self.bad = luck.choice([0.0, 0.02, 0.1, 0.3])
        """How often something goes wrong."""
        self.history = History(TRAINER)
        self.told: list[tuple[Fact, Sequence[Event]]] = []
        budget = {"usd_per_run": 3.0, "hours_per_run": 200.0}
        needs = {"accuracy_min": 0.1, "metrics": {"f1": {"min": 0.5}}}
        profile = PROFILE | {"budget": budget, "requirements": needs}
        self.tell(RoleDefined.model_validate({"role": "sums", "profile": profile}))
        people = luck.choice(["skip", "ask", "demand"])
        self.tell(PolicyAdopted(policy=TrainerPolicy.model_validate({"people": people})))
        request = TrainingRequested(role="sums", pipeline=pipeline, base="tiny", seed=1)
        self.run = str(getattr(self.tell(request)[0], "run", ""))

    @property
    def state(self) -> Run | None:
        found: Run | None = self.history.state.runs.get(self.run)
        return found

    def tell(self, event: Event, cause: str | None = None) -> Sequence[Event]:
        """Another fact, an hour or so behind the last."""
        self.history.position += self.luck.randrange(1, 90)
        here = self.history.position
        at = format_time(self.history.now())
        told = Fact(event, f"id-{here}", here, at, "test", cause)
        state = TRAINER.evolve(self.history.state, told)
        said = TRAINER.decide(state, told)
        self.history.state = TRAINER.folded(state, told, said)
        self.told.append((told, said))
        return said

    def goes_on(self) -> None:
        """What it waits for comes, well or badly."""
        run = self.state
        assert run is not None
        if run.paused:
            self.tell(ResumeRequested(run=run.id))
        elif run.request and run.stage == PIPELINES[run.pipeline].data_stage:
            self._data(run)
        elif run.request:
            self._stage(run)
        elif run.waits_for_people():
            self._people(run)
        elif run.held:
            self.tell(ApprovalGiven(run=run.id))
        else:
            raise AssertionError(f"nothing can happen to {run}")

    def somebody_meddles(self) -> None:
        """A hand on it, an answer to another queue, or a deadline that is none any more."""
        run = self.state
        assert run is not None
        hands: list[Callable[[], Event]] = [
            lambda: PauseRequested(run=run.id),
            lambda: HoldRequested(run=run.id),
            lambda: ApprovalGiven(run=run.id),
            lambda: ResumeRequested(run=run.id),
            lambda: RollbackRequested(run=run.id, stage=self.luck.choice(run.stages)),
            lambda: example(ReviewAnswered, review=f"{run.id}-{run.stage}-9"),
            lambda: DeadlinePassed(key=f"run/{run.id}", due=BEGIN),
        ]
        self.tell(self.luck.choice(hands)())

    def _data(self, run: Run) -> None:
        self.tell(example(DataBegun, dataset="d", run=run.id), run.request)
        spent = {"money": self.luck.choice([0.0, 0.5, 2.0])}
        self.tell(example(PartBuilt, dataset="d", spent=spent))
        made = {"dataset": "d", "run": run.id, "role": "sums"}
        if self.luck.random() < self.bad:
            self.tell(example(DatasetRejected, **made))
        else:
            self.tell(example(DatasetAccepted, **made, quality=0.99))

    def _stage(self, run: Run) -> None:
        where = {"run": run.id, "stage": run.stage, "attempt": run.attempt}
        chance = self.luck.random()
        if chance < self.bad / 3 and run.until is not None:
            self.tell(DeadlinePassed(key=f"run/{run.id}", due=run.until))
        elif chance < self.bad:
            kind = self.luck.choice(FAILURES)
            again = self.luck.random() < 0.7
            self.tell(example(StageFailed, **where, kind=kind, retryable=again))
        else:
            many = sum(1 for _ in self.told)
            made = [artifact(kind, many) for kind in ("policy", "review")]
            self.tell(
                example(
                    StageCompleted, **where, metrics=self._figures(run), key="ab",
                    artifacts=[one.model_dump(mode="json") for one in made],
                )
            )  # fmt: skip

    def _figures(self, run: Run) -> dict[str, Any]:
        """Of most that the gate asks for: good, bad, or neither."""
        stage = PIPELINES[run.pipeline].stage(run.stage)
        found = {}
        for check in stage.gate:
            if self.luck.random() < self.bad / 4:
                continue
            if self.luck.random() < self.bad / 8:
                found[check.metric] = {"value": 0.0, "low": 1e300, "high": -1e300, "n": 100}
                continue
            off = self.luck.choice([0.0, -1.0]) if self.luck.random() < self.bad else 1.0
            value = check.bound + off * (0.7 if check.side == "at_least" else -0.7)
            if check.metric != "entropy" or off < 1:
                found[check.metric] = _figure(value, 0.1)
            else:
                found[check.metric] = _figure(1.2, 0.1)  # between both of its bounds
        for name in ("gain", "score", "sampled"):
            found.setdefault(name, _figure(self.luck.uniform(-0.2, 1.0), 0.1))
        return found

    def _people(self, run: Run) -> None:
        if self.luck.random() < 0.4:
            assert run.until is not None
            self.tell(DeadlinePassed(key=f"run/{run.id}", due=run.until))
            return
        item, choice = self.luck.choice([1, 2, 7]), self.luck.choice(["a", "b", "same", "unfit"])
        answers = [{"item": item, "choice": choice}]
        self.tell(example(ReviewAnswered, review=run.review, answers=answers))


def _figure(value: float, half: float) -> dict[str, Any]:
    return {"value": value, "low": value - half, "high": value + half, "n": 100}


@pytest.mark.parametrize("pipeline", WALKED)
@settings(max_examples=60, deadline=None)
@given(luck=st.randoms(use_true_random=False))
def test_a_run_that_nobody_stops_always_ends(pipeline: str, luck: random.Random) -> None:
    walk = Walk(pipeline, luck)
    while walk.state is not None:
        walk.goes_on()
        assert len(walk.told) < MOST


@pytest.mark.parametrize("pipeline", WALKED)
@settings(max_examples=40, deadline=None)
@given(luck=st.randoms(use_true_random=False), meddled=st.integers(0, 40))
def test_however_people_meddle_it_waits_for_something_that_can_come(
    pipeline: str, luck: random.Random, meddled: int
) -> None:
    walk = Walk(pipeline, luck)
    for _ in range(meddled):
        if walk.state is not None:
            (walk.somebody_meddles if luck.random() < 0.5 else walk.goes_on)()
    while walk.state is not None:
        walk.goes_on()
        assert len(walk.told) < 2 * MOST


@pytest.mark.parametrize("pipeline", WALKED)
@settings(max_examples=20, deadline=None)
@given(luck=st.randoms(use_true_random=False))
def test_a_replay_comes_to_the_same_decisions_from_any_kept_state(
    pipeline: str, luck: random.Random
) -> None:
    walk = Walk(pipeline, luck)
    while walk.state is not None and len(walk.told) < 60:
        (walk.somebody_meddles if luck.random() < 0.3 else walk.goes_on)()
    state = TRAINER.initial
    for told, said in walk.told:
        state = STATES.validate_json(STATES.dump_json(TRAINER.evolve(state, told)))
        assert list(TRAINER.decide(state, told)) == list(said)
        state = TRAINER.folded(state, told, said)
    assert state == walk.history.state


@settings(max_examples=30, deadline=None)
@given(luck=st.randoms(use_true_random=False))
def test_a_run_that_is_cancelled_anywhere_is_over(luck: random.Random) -> None:
    walk = Walk(luck.choice(WALKED), luck)
    for _ in range(luck.randrange(20)):
        if walk.state is not None:
            walk.goes_on()
    if walk.state is not None:
        said = walk.tell(CancelRequested(run=walk.run))
        assert said[0].wire == "RunCancelled"
        assert walk.state is None
