"""People in a run: asked where all else holds, waited for by a deadline, heard once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from events.catalog.deadlines import DeadlinePassed, DeadlineSet
from events.catalog.gates import CandidateRegistered, GateFailed, GatePassed, RemedyApplied
from events.catalog.hand import (
    ApprovalGiven,
    CancelRequested,
    HoldRequested,
    PauseRequested,
    ResumeRequested,
    RollbackRequested,
)
from events.catalog.policies import PolicyAdopted, TrainerPolicy
from events.catalog.reviews import Choice, ReviewAnswered, Reviewed, ReviewOpened
from events.catalog.training import RunAbandoned, StageRequested
from events.message import Event
from pipelines.remedies import settled
from tests.agents.spec import kinds
from tests.agents.trainer.story import Story, only

KEY = "ab" * 15


def led(people: str, **policy: Any) -> Story:
    """Up to the evaluation, with this policy."""
    adopted = PolicyAdopted(
        policy=TrainerPolicy.model_validate({"people": people, "people_items": 30, **policy})
    )
    return Story("dpo", adopted).until("evaluate")


def waiting(people: str = "ask", **policy: Any) -> Story:
    story = led(people, **policy)
    story.done(None, "review", "review.key", key=KEY)
    return story


def say(story: Story, choices: dict[int, Choice], review: str = "") -> list[Event]:
    answers = tuple(Reviewed(item=item, choice=choice) for item, choice in choices.items())
    name = review or story.state.review
    return list(story.history.tell(ReviewAnswered(review=name, answers=answers)))


def for_the_new(many: int, of: int = 30) -> dict[int, Choice]:
    """So many prefer the policy's answer, the others the baseline's."""
    return {
        item: (KEY[item - 1] if item <= many else "ab".replace(KEY[item - 1], ""))  # type: ignore[misc]
        for item in range(1, of + 1)
    }


def late(story: Story) -> list[Event]:
    passed = DeadlinePassed(key=f"run/{story.run}", due=story.state.until)
    return list(story.history.tell(passed))


def test_the_worker_is_told_how_many_pairs_people_are_asked_for() -> None:
    story = Story("dpo", PolicyAdopted(policy=TrainerPolicy(people="ask", people_items=30)))
    request = only(story.until("iterate").done(), StageRequested)
    assert request.stage == "evaluate"
    assert settled(request.changes, "evaluate", {"people": 0.0}) == {"people": 30.0}


def test_nobody_is_asked_where_the_policy_does_not_say_so() -> None:
    story = Story("dpo").until("evaluate")
    said = story.done(None, "review", key=KEY)
    assert kinds(said) == ["GatePassed", "RunCompleted", "CandidateRegistered", "DeadlineLifted"]
    assert "people" not in {one.metric for one in only(said, GatePassed).checks}


def test_a_queue_is_opened_and_waited_for_until_its_deadline() -> None:
    story = led("ask", people_hours=5)
    opened, deadline = story.done(None, "review", "review.key", key=KEY)
    assert isinstance(opened, ReviewOpened)
    assert (opened.review, opened.count) == (f"{story.run}-evaluate-1", 30)
    assert (opened.role, opened.items.kind) == ("sums", "review")
    due = story.history.now() + timedelta(hours=5)
    assert deadline == DeadlineSet(key=f"run/{story.run}", due=due)
    assert story.state.waits_for_people()


def test_nobody_is_asked_about_a_model_that_fails_otherwise() -> None:
    story = led("demand")
    said = story.done({"retention": (0.5, 0.6)}, "review", key=KEY)
    assert "ReviewOpened" not in kinds(said)
    assert only(said, RemedyApplied).remedy == "back_and_more_gradual"


def test_what_people_prefer_decides_once_all_items_are_answered() -> None:
    story = waiting("demand")
    first = {item: choice for item, choice in for_the_new(26).items() if item < 30}
    assert not say(story, first)
    said = say(story, {30: "unfit"})
    passed = only(said, GatePassed)
    (people,) = [one for one in passed.checks if one.metric == "people"]
    assert (people.n, people.verdict) == (29, "pass")
    assert people.value == pytest.approx(26 / 29)
    assert only(said, CandidateRegistered).run == story.run


def test_a_model_that_people_like_less_is_not_good_enough() -> None:
    said = say(waiting("ask"), for_the_new(5))
    failed = only(said, GateFailed)
    assert "people 0.167" in failed.reason
    assert only(said, RemedyApplied).remedy == "better_pairs"


def test_people_who_are_of_two_minds_stop_a_run_only_where_their_word_is_demanded() -> None:
    passed = only(say(waiting("ask"), for_the_new(15)), GatePassed)
    assert passed.verdict == "waived"
    story = waiting("demand")
    said = say(story, for_the_new(15))
    assert only(said, RemedyApplied).remedy == "ask_more_people"
    asked = only(said, StageRequested)
    assert settled(asked.changes, "evaluate", {"people": 0.0}) == {"people": 60.0}
    opened = story.done(None, "review", "review.key", key=KEY)
    assert only(opened, ReviewOpened).review == f"{story.run}-evaluate-2"
    said = say(story, for_the_new(15))
    assert only(said, RemedyApplied).remedy == "ask_more_people"  # more problems would not help
    asked = only(said, StageRequested)
    assert settled(asked.changes, "evaluate", {"people": 0.0}) == {"people": 120.0}
    story.done(None, "review", "review.key", key=KEY)
    assert only(say(story, for_the_new(15)), RunAbandoned).reason.endswith("no remedy is left")


def test_silence_is_a_recorded_waiver_where_people_were_only_asked() -> None:
    said = late(waiting("ask"))
    passed = only(said, GatePassed)
    (people,) = [one for one in passed.checks if one.metric == "people"]
    assert (people.value, people.verdict, passed.verdict) == (None, "waived", "waived")
    assert only(said, CandidateRegistered)


def test_silence_ends_a_run_that_demands_their_word() -> None:
    said = late(waiting("demand"))
    assert only(said, GateFailed).reason == "people were to compare, and nobody did"
    assert only(said, RunAbandoned).reason.endswith("nobody did; no remedy is left")


def test_what_was_said_by_the_deadline_counts_without_the_rest() -> None:
    story = waiting("demand")
    say(story, for_the_new(18, 20))
    (people,) = [one for one in only(late(story), GatePassed).checks if one.metric == "people"]
    assert (people.n, people.verdict) == (20, "pass")


@pytest.mark.parametrize("people", ["ask", "demand"])
def test_a_worker_that_has_nothing_to_compare_leaves_people_out_or_fails(people: str) -> None:
    said = led(people).done()
    verdict = only(said, GatePassed if people == "ask" else GateFailed).verdict
    assert verdict == ("waived" if people == "ask" else "fail")


def test_a_later_word_about_a_pair_counts_in_the_place_of_the_earlier() -> None:
    story = waiting("demand")
    say(story, dict.fromkeys(range(1, 30), "same"))
    say(story, {item: choice for item, choice in for_the_new(29).items() if item < 30})
    (people,) = [
        one for one in only(say(story, {30: "same"}), GatePassed).checks if one.metric == "people"
    ]
    assert (people.n, people.value) == (30, pytest.approx(29.5 / 30))


def test_answers_to_other_queues_and_to_items_that_are_not_there_change_nothing() -> None:
    story = waiting()
    before = story.state
    for review in (f"{story.run}-evaluate-2", f"{story.run}-optimise-1", "own-queue", story.run):
        assert not say(story, for_the_new(30), review)
    assert not say(story, {31: "a", 9999: "b"})
    assert story.state == before


def test_answers_that_come_too_late_change_nothing() -> None:
    story = waiting()
    review = story.state.review
    late(story)
    assert not say(story, for_the_new(30), review)
    assert not story.history.state.runs


def test_a_queue_that_anybody_opens_is_not_the_runs_own() -> None:
    story = led("ask")
    opened = ReviewOpened.model_validate(
        ReviewOpened.example | {"review": f"{story.run}-evaluate-1"}
    )
    assert not story.history.tell(opened)
    assert not story.state.review


def test_a_deadline_that_was_put_off_is_none() -> None:
    story = led("ask")
    stage_due = story.state.until
    story.done(None, "review", key=KEY)
    story.history.tell(HoldRequested(run=story.run))
    story.history.tell(ApprovalGiven(run=story.run))
    assert story.state.until > stage_due
    passed = DeadlinePassed(key=f"run/{story.run}", due=stage_due)
    assert not story.history.tell(passed)
    assert story.state.waits_for_people()


def test_while_a_run_is_paused_people_may_answer_and_nothing_follows_before_it_goes_on() -> None:
    story = waiting("demand")
    say(story, for_the_new(25, 29))
    assert kinds(list(story.history.tell(PauseRequested(run=story.run)))) == [
        "RunPaused",
        "DeadlineLifted",
    ]
    assert not say(story, {30: "a"})
    said = list(story.history.tell(ResumeRequested(run=story.run)))
    assert kinds(said)[:2] == ["RunResumed", "GatePassed"]


def test_a_run_that_goes_on_waits_anew_for_who_has_not_answered() -> None:
    story = waiting("demand", people_hours=7)
    story.history.tell(PauseRequested(run=story.run))
    assert not late(story)
    said = list(story.history.tell(ResumeRequested(run=story.run)))
    assert kinds(said) == ["RunResumed", "DeadlineSet"]
    assert only(said, DeadlineSet).due == story.history.now() + timedelta(hours=7)
    assert only(say(story, for_the_new(27)), GatePassed)


def test_a_held_run_waits_for_its_approval_whatever_people_said() -> None:
    story = waiting("demand")
    story.history.tell(HoldRequested(run=story.run))
    assert not say(story, for_the_new(27))
    said = list(story.history.tell(ApprovalGiven(run=story.run)))
    assert kinds(said)[:2] == ["RunApproved", "GatePassed"]


def test_the_time_of_people_passes_for_a_held_run_too() -> None:
    story = waiting("ask")
    story.history.tell(HoldRequested(run=story.run))
    assert not late(story)
    said = list(story.history.tell(ApprovalGiven(run=story.run)))
    assert only(said, GatePassed).verdict == "waived"


def test_a_run_that_is_cancelled_or_rolled_back_asks_nobody_any_more() -> None:
    story = waiting()
    review = story.state.review
    back = list(story.history.tell(RollbackRequested(run=story.run, stage="optimise")))
    assert only(back, StageRequested).stage == "iterate"
    assert not story.state.review
    assert not say(story, for_the_new(30), review)
    story = waiting()
    review = story.state.review
    story.history.tell(CancelRequested(run=story.run))
    assert not say(story, for_the_new(30), review)
    assert not story.history.state.runs
