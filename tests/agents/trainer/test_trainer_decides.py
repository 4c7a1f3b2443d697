"""The trainer alone: given these facts, when one more, then these decisions."""

from __future__ import annotations

from datetime import timedelta

import pytest

from agents.trainer.decide import TRAINER
from events.catalog.deadlines import DeadlineLifted, DeadlinePassed, DeadlineSet
from events.catalog.hand import (
    ApprovalGiven,
    CancelRequested,
    HandRefused,
    HoldRequested,
    PauseRequested,
    ResumeRequested,
    RunApproved,
    RunCancelled,
    RunHeld,
    RunPaused,
    RunResumed,
)
from events.catalog.policies import PolicyAdopted, TrainerPolicy
from events.catalog.roles import RoleDefined
from events.catalog.training import (
    RequestWithdrawn,
    RunAbandoned,
    RunCompleted,
    RunStarted,
    StageCompleted,
    StageFailed,
    StageRequested,
    TrainingRejected,
    TrainingRequested,
)
from tests.agents.spec import History, given, kinds

PROFILE = {"name": "support", "purpose": "answers customers", "model_type": "support_replies"}
ROLE = RoleDefined.model_validate({"role": "support", "profile": PROFILE})
WANTED = TrainingRequested(role="support", pipeline="rehearsal", base="tiny")


def begun() -> tuple[History, RunStarted]:
    history = given(TRAINER, ROLE)
    started = history.tell(WANTED)[0]
    assert isinstance(started, RunStarted)
    return history, started


def done(run: str, stage: str, attempt: int = 1) -> StageCompleted:
    return StageCompleted(run=run, stage=stage, attempt=attempt, seconds=1.0)


def asks(started: RunStarted, stage: str, attempt: int = 1) -> StageRequested:
    return StageRequested(
        run=started.run, stage=stage, attempt=attempt, pipeline=started.pipeline,
        role=started.role, model_type=started.model_type, base=started.base, seed=started.seed,
    )  # fmt: skip


def broken(run: str, stage: str, attempt: int = 1, retryable: bool = True) -> StageFailed:
    return StageFailed(
        run=run, stage=stage, attempt=attempt, reason="out of memory", retryable=retryable
    )


def test_a_training_begins_a_run_and_asks_for_its_first_stage_by_a_deadline() -> None:
    history = given(TRAINER, ROLE)
    started, asked, deadline = history.tell(WANTED)
    assert isinstance(started, RunStarted)
    assert started.stages == ("data", "srl", "rlvr", "verify")
    assert asked == asks(started, "data", 1)
    due = history.now() + timedelta(hours=24)
    assert deadline == DeadlineSet(key=f"run/{started.run}", due=due)


def test_the_run_and_its_seed_follow_from_the_request_alone() -> None:
    first, second = given(TRAINER, ROLE), given(TRAINER, ROLE)
    assert first.tell(WANTED, "the-same") == second.tell(WANTED, "the-same")
    assert first.tell(WANTED, "another")[0] != second.tell(WANTED, "a third")[0]


def test_a_seed_that_was_asked_for_is_taken() -> None:
    started = given(TRAINER, ROLE).tell(WANTED.model_copy(update={"seed": 7}))[0]
    assert isinstance(started, RunStarted)
    assert started.seed == 7


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"role": "suport"}, "no role is named 'suport', did you mean 'support'?"),
        ({"pipeline": "dop"}, "no pipeline is named 'dop', did you mean 'dpo'?"),
    ],
)
def test_what_cannot_be_trained_is_rejected_with_a_reason(
    change: dict[str, str], reason: str
) -> None:
    wanted = WANTED.model_copy(update=change)
    assert given(TRAINER, ROLE).tell(wanted) == (TrainingRejected(role=wanted.role, reason=reason),)


def test_an_empty_home_knows_no_role() -> None:
    (answer,) = given(TRAINER).tell(WANTED)
    assert isinstance(answer, TrainingRejected)
    assert answer.reason == "no role is named 'support'; none is defined yet"


def test_a_policy_bounds_the_open_runs_of_a_role() -> None:
    one = PolicyAdopted(policy=TrainerPolicy(open_runs_per_role=1))
    history = given(TRAINER, ROLE, one)
    first = history.tell(WANTED)[0]
    assert isinstance(first, RunStarted)
    assert kinds(history.tell(WANTED)) == ["TrainingRejected"]
    history.tell(CancelRequested(run=first.run))
    assert kinds(history.tell(WANTED))[0] == "RunStarted"


def test_stages_follow_each_other_to_the_end_of_the_run() -> None:
    history, started = begun()
    for stage, following in zip(started.stages, started.stages[1:], strict=False):
        asked = history.tell(done(started.run, stage))[0]
        assert asked == asks(started, following, 1)
    ended = history.tell(done(started.run, "verify"))
    lifted = DeadlineLifted(key=f"run/{started.run}")
    assert ended == (RunCompleted(run=started.run), lifted)


def test_a_failed_stage_is_tried_again_and_then_the_run_is_abandoned() -> None:
    history, started = begun()
    for attempt in (1, 2):
        asked = history.tell(broken(started.run, "data", attempt))[0]
        assert asked == asks(started, "data", attempt + 1)
    reason = "stage 'data' failed 3 times, at last: out of memory"
    abandoned = RunAbandoned(run=started.run, reason=reason)
    assert history.tell(broken(started.run, "data", 3))[0] == abandoned


def test_a_failure_that_trying_again_cannot_mend_ends_the_run_at_once() -> None:
    history, started = begun()
    assert kinds(history.tell(broken(started.run, "data", retryable=False)))[0] == "RunAbandoned"


def test_a_deadline_withdraws_the_stage_and_tries_it_again() -> None:
    history, started = begun()
    request = history.state.runs[started.run].request
    due = history.now() + timedelta(hours=24)
    passed = DeadlinePassed(key=f"run/{started.run}", due=due)
    withdrawn, asked, _ = history.tell(passed)
    assert isinstance(withdrawn, RequestWithdrawn)
    assert withdrawn.request == request
    assert asked == asks(started, "data", 2)


def test_an_outcome_of_an_earlier_attempt_changes_nothing() -> None:
    history, started = begun()
    history.tell(broken(started.run, "data"))
    assert not history.tell(done(started.run, "data", 1))
    assert kinds(history.tell(done(started.run, "data", 2)))[0] == "StageRequested"


def test_a_paused_run_stands_still_and_goes_on_where_it_was() -> None:
    history, started = begun()
    answer = history.tell(PauseRequested(run=started.run))
    assert kinds(answer) == ["RunPaused", "RequestWithdrawn", "DeadlineLifted"]
    resumed, asked, _ = history.tell(ResumeRequested(run=started.run))
    assert resumed == RunResumed(run=started.run)
    assert asked == asks(started, "data", 2)


def test_a_stage_that_ends_while_its_run_is_being_paused_counts() -> None:
    history, started = begun()
    assert history.tell(PauseRequested(run=started.run))[0] == RunPaused(run=started.run)
    assert not history.tell(done(started.run, "data"))
    asked = history.tell(ResumeRequested(run=started.run))[1]
    assert asked == asks(started, "srl", 1)


def test_a_held_run_waits_behind_its_stage_for_an_approval() -> None:
    history, started = begun()
    assert history.tell(HoldRequested(run=started.run)) == (RunHeld(run=started.run),)
    assert not history.tell(done(started.run, "data"))
    approved, asked, _ = history.tell(ApprovalGiven(run=started.run))
    assert approved == RunApproved(run=started.run)
    assert asked == asks(started, "srl", 1)


def test_an_approval_in_time_changes_nothing_else() -> None:
    history, started = begun()
    history.tell(HoldRequested(run=started.run))
    assert history.tell(ApprovalGiven(run=started.run)) == (RunApproved(run=started.run),)
    assert kinds(history.tell(done(started.run, "data")))[0] == "StageRequested"


def test_a_cancelled_run_is_over() -> None:
    history, started = begun()
    answer = history.tell(CancelRequested(run=started.run, reason="wrong base"))
    assert answer[0] == RunCancelled(run=started.run, reason="wrong base")
    assert kinds(answer) == ["RunCancelled", "RequestWithdrawn", "DeadlineLifted"]
    assert not history.tell(done(started.run, "data"))


@pytest.mark.parametrize(
    ("hand", "reason"),
    [
        (ResumeRequested(run="RUN"), "the run is not paused"),
        (ApprovalGiven(run="RUN"), "the run is not held, so there is nothing to approve"),
        (PauseRequested(run="nobody"), "no run 'nobody' is under way"),
    ],
)
def test_a_hand_that_does_not_fit_is_refused_with_a_reason(
    hand: ResumeRequested | ApprovalGiven | PauseRequested, reason: str
) -> None:
    history, started = begun()
    run = started.run if hand.run == "RUN" else hand.run
    (refused,) = history.tell(hand.model_copy(update={"run": run}))
    assert refused == HandRefused(run=run, asked=hand.wire, reason=reason)


def test_what_is_paused_or_held_already_is_not_so_twice() -> None:
    history, started = begun()
    history.tell(PauseRequested(run=started.run))
    history.tell(HoldRequested(run=started.run))
    assert kinds(history.tell(PauseRequested(run=started.run))) == ["HandRefused"]
    assert kinds(history.tell(HoldRequested(run=started.run))) == ["HandRefused"]
