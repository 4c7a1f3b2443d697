"""The trainer behind a stage: gates judged, remedies found, runs rolled back or given up."""

from __future__ import annotations

from agents.trainer.decide import TRAINER
from events.catalog.data import DataRequested, DatasetAccepted, DatasetRejected
from events.catalog.gates import (
    CandidateRegistered,
    GateFailed,
    GatePassed,
    RemedyApplied,
    RunRolledBack,
)
from events.catalog.policies import PolicyAdopted, TrainerPolicy
from events.catalog.training import RunAbandoned, StageCompleted, StageRequested
from tests.agents.spec import kinds
from tests.agents.trainer.story import GOOD, Story, example, fact_of, measured, only


def test_data_is_asked_of_the_data_generator_and_its_set_is_an_input() -> None:
    story = Story()
    asked = only(story.said, DataRequested)
    assert (asked.role, asked.quantity, asked.seed, asked.run) == ("sums", 400, 7, story.run)
    said = story.data()
    passed = only(said, GatePassed)
    assert [one.metric for one in passed.checks] == ["quality", "rows"]
    following = only(said, StageRequested)
    assert following.stage == "baseline"
    assert [one.kind for one in following.inputs] == ["provenance", "rows"]


def test_data_that_somebody_else_asked_for_is_not_the_runs() -> None:
    story = Story()
    before = story.history.state
    story.history.tell(DataRequested(role="sums", quantity=5, run=story.run))
    assert story.history.state.runs[story.run] == before.runs[story.run]
    other = example(DatasetAccepted, dataset="else", run=story.run)
    assert not story.history.tell(other)


def test_data_that_was_rejected_is_asked_for_again_with_another_seed() -> None:
    story = Story()
    rejected = DatasetRejected(role="sums", run=story.run, reason="quality 0.6 is below 0.95")
    told = fact_of(rejected, "no", story.state.request)
    story.history.state = TRAINER.evolve(story.history.state, told)
    said = list(TRAINER.decide(story.history.state, told))
    assert only(said, RemedyApplied).remedy == "other_examples"
    assert only(said, DataRequested).seed == 8


def test_a_whole_run_ends_in_a_candidate_with_all_that_it_came_from() -> None:
    story = Story().until("verify")
    said = story.done()
    assert kinds(said) == ["GatePassed", "RunCompleted", "CandidateRegistered", "DeadlineLifted"]
    candidate = only(said, CandidateRegistered)
    assert candidate.model.size == 3  # that of rlvr: 0.45 against 0.25
    assert {one.kind for one in candidate.made} == {"rows", "provenance"}


def test_the_best_policy_is_compared_and_not_the_last() -> None:
    story = Story().until("rlvr")
    said = story.done({"sampled": (0.05, 0.15), "gain": (-0.02, 0.0)}, "policy")
    asked = only(said, StageRequested)
    assert asked.stage == "verify"
    policy = next(one for one in asked.inputs if one.kind == "policy")
    assert policy.size == 2  # that of srl


def test_too_much_kl_halves_the_rate_and_doubles_beta_and_tries_the_stage_again() -> None:
    story = Story().until("srl")
    said = story.done({"kl": (0.12, 0.16)}, "policy")
    failed = only(said, GateFailed)
    assert failed.verdict == "fail"
    assert failed.reason == "kl 0.14 (0.12 to 0.16) is above 0.1"
    assert only(said, RemedyApplied).symptom == "kl above"
    again = only(said, StageRequested)
    assert (again.stage, again.attempt) == ("srl", 2)
    assert [(one.setting, one.how, one.by) for one in again.changes] == [
        ("learning_rate", "times", 0.5),
        ("beta", "times", 2.0),
    ]
    assert "policy" not in {one.kind for one in again.inputs}  # what failed is not used


def test_a_stage_is_mended_so_often_and_then_the_run_is_given_up() -> None:
    story = Story().until("srl")
    for attempt in (1, 2):
        said = story.done({"kl": (0.2, 0.3)})
        assert only(said, StageRequested).attempt == attempt + 1
    abandoned = only(story.done({"kl": (0.2, 0.3)}), RunAbandoned)
    assert "kl 0.25 (0.2 to 0.3) is above 0.1; no remedy is left" in abandoned.reason


def test_each_stage_has_remedies_of_its_own() -> None:
    story = Story().until("srl")
    for _ in range(2):
        story.done({"kl": (0.08, 0.12)})
    story.until("rlvr")
    assert only(story.done({"kl": (0.08, 0.12)}), RemedyApplied).remedy == "more_items"


def test_what_is_unclear_is_measured_with_more_items() -> None:
    story = Story().until("srl")
    said = story.done({"kl": (0.08, 0.12)})
    assert only(said, GateFailed).verdict == "inconclusive"
    assert only(said, RemedyApplied).remedy == "more_items"
    assert [one.setting for one in only(said, StageRequested).changes] == ["items"]


def test_what_was_not_measured_holds_the_run() -> None:
    story = Story().until("rlvr")
    good = GOOD["srl_rlvr"]["rlvr"]
    left = {name: one for name, one in good.items() if name != "kl"}
    done = StageCompleted(
        run=story.run, stage="rlvr", attempt=1, seconds=1.0, metrics=measured(left)
    )
    said = list(story.history.tell(done))
    assert only(said, GateFailed).reason == "kl was not measured"
    assert "no remedy is left" in only(said, RunAbandoned).reason


def test_a_base_that_is_not_ready_for_outcomes_goes_back_to_more_steps() -> None:
    story = Story().until("rlvr")
    said = story.broke("not_ready", retryable=False)
    assert only(said, RemedyApplied).back_to == "srl"
    assert only(said, RunRolledBack).stage == "baseline"
    again = only(said, StageRequested)
    assert (again.stage, again.attempt) == ("srl", 2)
    assert [one.setting for one in again.changes] == ["steps", "epochs"]


def test_numbers_that_run_away_are_calmed() -> None:
    story = Story().until("srl")
    assert only(story.broke("unstable"), RemedyApplied).remedy == "smaller_steps"


def test_a_defect_is_only_tried_again() -> None:
    story = Story().until("srl")
    said = story.broke("defect")
    assert kinds(said) == ["StageRequested", "DeadlineSet"]
    story.broke("defect")
    assert only(story.broke("defect"), RunAbandoned).reason.startswith("stage 'srl' failed 3 times")


def test_a_candidate_that_is_worse_is_rolled_back_and_taught_more_gently() -> None:
    story = Story().until("verify")
    said = story.done({"improvement": (-0.2, -0.1), "retention": (0.5, 0.7)})
    rolled = only(said, RunRolledBack)
    assert rolled.stage == "baseline"
    assert "policy" not in {one.kind for one in rolled.artifacts}
    assert only(said, StageRequested).stage == "srl"
    worse = story.until("verify").done({"improvement": (-0.2, -0.1)})
    assert "improvement" in only(worse, RunAbandoned).reason


def test_a_policy_may_set_other_bounds_and_accept_figures_as_they_are() -> None:
    strict = PolicyAdopted(policy=TrainerPolicy(bounds={"kl": 0.03}))
    assert only(Story("srl_rlvr", strict).until("srl").done(), GateFailed).checks[0].bound == 0.03
    trusting = PolicyAdopted(policy=TrainerPolicy(waived=("kl",)))
    said = Story("srl_rlvr", trusting).until("srl").done({"kl": (0.08, 0.11)})
    assert only(said, GatePassed).verdict == "waived"
