"""The data generator alone, asked for pairs: how they are judged, and when people are asked."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter

from agents.data_generator import DATA_GENERATOR
from agents.data_generator.state import State
from events.catalog.data import DataRequested, DatasetAccepted, DatasetRejected
from events.catalog.deadlines import DeadlineSet
from events.catalog.parts import AssemblyRequested, DatasetAssembled, PartRequested
from events.catalog.reviews import ReviewAnswered, Reviewed, ReviewOpened
from events.catalog.training import Artifact, Measured
from tests.agents.data_generator.sets import ROLE, all_built, assembled, begun, broken, passed
from tests.agents.spec import History, given, kinds

WANTED = DataRequested(role="support", quantity=100, seed=7, kind="pairs")
ASKED = WANTED.model_copy(update={"scorer": "people"})
ITEMS = Artifact(kind="review", sha256="sha256:" + "1" * 64, size=9)


def measured(value: float, n: int = 100) -> Measured:
    return Measured(value=value, low=value, high=value, n=n)


def pairs(
    request: AssemblyRequested, count: int = 100, *, waits: int = 0, **figures: float
) -> DatasetAssembled:
    whole = {"gap": 0.5, "decontamination": 1.0, "overall": 0.9, "pairs": count, **figures}
    quality = {name: measured(value) for name, value in whole.items()}
    more = {"waiting": ITEMS, "waits": waits} if waits else {}
    return assembled(request, count, quality=0.9, **more).model_copy(update={"quality": quality})


def answers(review: str, *choices: str) -> ReviewAnswered:
    said = [Reviewed.model_validate({"item": n, "choice": one}) for n, one in enumerate(choices, 1)]
    return ReviewAnswered(review=review, answers=tuple(said))


def waiting(items: int = 3, **policy: Any) -> tuple[History, str]:
    """A set whose pairs are put to people."""
    wanted = ASKED.model_copy(update={"quantity": 2})
    history, asked = begun(wanted, **policy)
    opened, deadline = history.tell(pairs(all_built(history, asked), 0, waits=items, gap=0.0))
    assert isinstance(opened, ReviewOpened)
    assert isinstance(deadline, DeadlineSet)
    assert (opened.items, opened.count) == (ITEMS, items)
    return history, opened.review


def test_parts_are_told_who_scores_and_how_many_answers_are_written() -> None:
    _, asked = begun(WANTED, answers=6)
    assert {(one.kind, one.scorer, one.answers) for one in asked} == {("pairs", None, 6)}
    _, asked = begun(WANTED, scorer="judge")
    assert asked[0].scorer == "judge"
    _, asked = begun(WANTED.model_copy(update={"scorer": "verifier"}), scorer="judge")
    assert asked[0].scorer == "verifier"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"sources": ("people",)}, "people in a queue give pairs, and no trajectories"),
        ({"scorer": "judge"}, "trajectories are verified; a scorer is for the kind pairs"),
    ],
)
def test_what_only_pairs_have_is_refused_for_trajectories(
    change: dict[str, Any], reason: str
) -> None:
    wanted = WANTED.model_copy(update={"kind": "trajectories", **change})
    answer = given(DATA_GENERATOR, ROLE).tell(wanted)
    assert answer == (DatasetRejected(role="support", reason=reason),)


def test_the_bounds_of_the_policy_are_told_to_whoever_assembles() -> None:
    history, asked = begun(WANTED, least_gap=0.3, least_clean=0.8, ask_people=7)
    request = all_built(history, asked)
    assert (request.least_gap, request.least_clean, request.ask) == (0.3, 0.8, 7)


def test_good_pairs_are_accepted_with_their_gap_and_their_clean_share() -> None:
    history, asked = begun(WANTED)
    accepted, *_ = history.tell(pairs(all_built(history, asked)))
    assert isinstance(accepted, DatasetAccepted)
    assert accepted.kind == "pairs"
    assert accepted.quality == 0.9
    assert accepted.measured["gap"] == measured(0.5)
    assert accepted.measured["decontamination"] == measured(1.0)


@pytest.mark.parametrize(
    ("figure", "reason"),
    [
        ({"gap": 0.14}, "gap 0.14 is below 0.15"),
        ({"decontamination": 0.89}, "decontamination 0.89 is below 0.9"),
    ],
)
def test_a_small_gap_or_leaked_pairs_are_a_rejection(figure: dict[str, Any], reason: str) -> None:
    history, asked = begun(WANTED)
    rejected, *_ = history.tell(pairs(all_built(history, asked), 500, **figure))
    assert isinstance(rejected, DatasetRejected)
    assert rejected.reason == reason


def test_pairs_that_were_set_aside_are_made_up_for_and_at_last_put_to_people() -> None:
    history, asked = begun(WANTED, rounds=2)
    more = history.tell(pairs(all_built(history, asked), 60, waits=40))
    parts = [one for one in more if isinstance(one, PartRequested)]
    assert [one.first for one in parts] == [100]
    decisions = history.tell(pairs(all_built(history, parts), 80, waits=50))
    rejected, opened = decisions[0], decisions[-1]
    assert isinstance(rejected, DatasetRejected)
    assert isinstance(opened, ReviewOpened)
    assert rejected.reason == (
        "80 of 100 pairs after 2 rounds; 50 pairs can be settled by people: "
        f"`ratchet review list {opened.review}`"
    )
    assert history.state.sets == {}


def test_an_accepted_set_leaves_what_nobody_was_sure_of_in_a_queue_and_waits_for_nobody() -> None:
    history, asked = begun(WANTED)
    decisions = history.tell(pairs(all_built(history, asked), waits=12))
    assert kinds(decisions) == [
        "DatasetAccepted", "DeadlineLifted", "ReviewOpened", "MethodRated",
    ]  # fmt: skip
    opened = decisions[2]
    assert isinstance(opened, ReviewOpened)
    assert (opened.role, opened.count) == ("support", 12)
    assert history.tell(answers(opened.review, "a")) == ()


def test_people_are_asked_about_some_more_pairs_than_are_wanted() -> None:
    history, asked = begun(ASKED, ask_people=0)
    assert sum(one.quantity for one in asked) == 126
    assert all_built(history, asked).ask == 200


def test_a_set_waits_for_people_and_is_made_of_what_they_say() -> None:
    history, review = waiting()
    assert history.tell(answers(review, "same")) == ()
    part, deadline = history.tell(answers(review, "a", "b"))
    assert isinstance(part, PartRequested)
    assert isinstance(deadline, DeadlineSet)
    assert (part.source, part.quantity) == ("people", 3)
    assert history.tell(answers(review, "a", "b", "a")) == ()
    request = all_built(history, [part], accepted=2)
    assert [one.source for one in request.parts] == ["synthetic", "people"]
    accepted, *rest = history.tell(pairs(request, 2, waits=1))
    assert isinstance(accepted, DatasetAccepted)
    assert "ReviewOpened" not in kinds(rest)


def test_when_all_are_answered_nobody_is_waited_for_though_it_is_not_enough() -> None:
    history, review = waiting()
    part, _ = history.tell(answers(review, "a", "same", "unfit"))
    assert isinstance(part, PartRequested)
    decisions = history.tell(pairs(all_built(history, [part], accepted=1), 1, waits=2))
    rejected = decisions[0]
    assert isinstance(rejected, DatasetRejected)
    assert rejected.reason == "1 of 2 pairs after 2 rounds, and 3 pairs answered by people"


def test_a_later_word_about_a_pair_counts() -> None:
    history, review = waiting()
    assert history.tell(answers(review, "a")) == ()
    assert history.tell(answers(review, "same")) == ()
    assert history.state.sets[review.removeprefix("pairs-")].settled == frozenset()


def test_an_item_that_is_not_in_the_queue_counts_nothing() -> None:
    history, review = waiting(1)
    said = (Reviewed(item=7, choice="a"), Reviewed(item=8, choice="b"))
    assert history.tell(ReviewAnswered(review=review, answers=said)) == ()


def test_what_people_have_said_by_the_deadline_is_made_use_of() -> None:
    history, review = waiting()
    history.tell(answers(review, "b"))
    part, _ = history.tell(passed(history, review.removeprefix("pairs-")))
    assert isinstance(part, PartRequested)
    assert part.source == "people"


def test_when_nobody_answers_the_set_is_rejected() -> None:
    history, review = waiting(people_hours=2.0)
    rejected, lifted = history.tell(passed(history, review.removeprefix("pairs-")))[:2]
    assert isinstance(rejected, DatasetRejected)
    assert rejected.reason == f"nobody has answered 3 pairs in queue {review} within 2 h"
    assert lifted.wire == "DeadlineLifted"
    assert history.tell(answers(review, "a", "a")) == ()


def test_a_queue_that_somebody_else_opens_under_the_name_of_a_sets_own_is_not_waited_for() -> None:
    history, asked = begun(ASKED)
    review = f"pairs-{asked[0].dataset}"
    history.tell(ReviewOpened(review=review, role="support", items=ITEMS, count=1))
    assert history.state.sets[asked[0].dataset].review == ""
    opened, _ = history.tell(pairs(all_built(history, asked), 0, waits=5, gap=0.0))
    assert isinstance(opened, ReviewOpened)


def test_people_who_are_asked_for_by_name_are_a_source_like_any_other() -> None:
    history, asked = begun(WANTED.model_copy(update={"sources": ("people", "synthetic")}))
    assert [one.source for one in asked] == ["people", "synthetic"]
    assert history.tell(broken(asked[0], retryable=False, method=None)) == ()


def test_a_state_that_waits_for_people_is_read_back_as_it_was() -> None:
    history, review = waiting()
    history.tell(answers(review, "a"))
    adapter = TypeAdapter(State)
    assert adapter.validate_json(adapter.dump_json(history.state)) == history.state
