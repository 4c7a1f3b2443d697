"""Data sets, evaluation sets and queues as the log tells them."""

from __future__ import annotations

import json
from typing import Any

from events.fact import Fact
from events.ingress import event_named
from events.message import Event
from events.projection import Projection
from pipelines.data.queues import REVIEWS
from pipelines.data.sets import DATASETS, EVALUATION_SETS, MAKER

WHEN = "2026-11-21T12:00:00.000000Z"
FIGURE = {"value": 0.98, "low": 0.97, "high": 0.99, "n": 1000}


def event(wire: str, **changed: Any) -> Event:
    """The example of this name, with other words in it."""
    kind = event_named(wire)
    return kind.model_validate_json(json.dumps({**kind.example, **changed}))


def folded(projection: Projection, *events: Event, actor: str = "test") -> dict[str, Any]:
    state: dict[str, Any] = {}
    for position, one in enumerate(events, 1):
        assert one.wire in projection.hears
        projection.apply(state, Fact(one, f"id{position}", position, WHEN, actor, None))
    assert json.loads(json.dumps(state)) == state
    return state


def test_a_data_set_is_followed_from_its_beginning_to_its_acceptance() -> None:
    begun = [event("DataBegun"), event("PartRequested")]
    (row,) = folded(DATASETS, *begun).values()
    assert (row["status"], row["role"], row["seed"], row["count"]) == ("building", "support", 7, 0)
    assert row["parts"]["1"]["status"] == "building"
    built = [*begun, event("PartBuilt"), event("AssemblyRequested")]
    (row,) = folded(DATASETS, *built).values()
    assert (row["status"], row["parts"]["1"]["accepted"]) == ("assembling", 250)
    made = [*built, event("DatasetAssembled", removed={"leaked": 3})]
    (row,) = folded(DATASETS, *made).values()
    assert row["quality"] == {"overall": FIGURE}
    assert row["removed"] == {"leaked": 3}
    assert row["used"] == ["synthetic"]
    (row,) = folded(DATASETS, *made, event("DatasetAccepted")).values()
    assert (row["status"], row["count"]) == ("accepted", 1000)
    assert row["rows"]["kind"] == "rows"


def test_what_went_wrong_is_said() -> None:
    events = [event("DataBegun"), event("PartRequested"), event("PartFailed")]
    (row,) = folded(DATASETS, *events).values()
    assert row["parts"]["1"]["reason"] == "no host answers"
    (row,) = folded(DATASETS, *events, event("AssemblyFailed")).values()
    assert row["reason"] == "an artifact is missing"
    (row,) = folded(DATASETS, *events, event("DatasetRejected")).values()
    assert (row["status"], row["reason"]) == ("rejected", "quality 0.61 is below 0.95")


def test_a_set_that_waits_for_people_names_its_queue() -> None:
    begun = [event("DataBegun", kind="pairs"), event("AssemblyRequested")]
    made = event("DatasetAssembled", waits=40)
    opened = event("ReviewOpened", review="pairs-5d1c")
    (row,) = folded(DATASETS, *begun, made, opened, actor=MAKER).values()
    assert (row["status"], row["review"], row["waits"]) == (
        "waiting for people", "pairs-5d1c", 40,
    )  # fmt: skip
    (row,) = folded(DATASETS, *begun, made, opened).values()
    assert (row["status"], row["review"]) == ("assembling", ""), "somebody else's queue"
    over = event("DatasetAccepted")
    (row,) = folded(DATASETS, *begun, made, over, opened, actor=MAKER).values()
    assert row["status"] == "accepted"


def test_rows_of_people_who_were_forgotten_are_counted_and_the_files_are_others() -> None:
    other = {"kind": "rows", "sha256": "sha256:" + "7" * 64, "size": 9}
    begun = [event("DataBegun"), event("DatasetAssembled"), event("DatasetAccepted")]
    redacted = [event("DatasetRedacted", rows=other), event("DatasetRedacted", count=996)]
    (row,) = folded(DATASETS, *begun, *redacted[:1]).values()
    assert (row["rows"], row["count"], row["status"]) == (other, 998, "accepted")
    (row,) = folded(DATASETS, *begun, *redacted).values()
    assert row["removed"] == {"forgotten": 4}


def test_a_request_that_was_rejected_before_anything_began_makes_no_row() -> None:
    assert folded(DATASETS, event("DatasetRejected", dataset=None)) == {}
    assert folded(DATASETS, event("PartBuilt", dataset="unknown")) == {}


def test_an_imported_set_is_there_with_what_was_measured() -> None:
    (row,) = folded(DATASETS, event("DatasetImported", quality={"gap": FIGURE})).values()
    assert (row["status"], row["kind"], row["count"]) == ("imported", "pairs", 1200)
    assert row["licence"] == "CC-BY-4.0"
    assert row["quality"] == {"gap": FIGURE}


def test_a_later_evaluation_set_of_the_same_name_takes_the_place_of_the_earlier() -> None:
    later = event("EvaluationSetRegistered", rows=300)
    state = folded(EVALUATION_SETS, event("EvaluationSetRegistered"), later)
    assert {name: row["rows"] for name, row in state.items()} == {"support-exam": 300}


def test_answers_are_kept_by_item_and_a_later_one_counts_instead() -> None:
    answers = [{"item": 1, "choice": "a"}, {"item": 1, "choice": "b"}, {"item": 41, "choice": "a"}]
    opened = event("ReviewOpened")
    state = folded(REVIEWS, opened, event("ReviewAnswered", answers=answers))
    assert state["unsure-1"]["answers"] == {"1": "b"}
    assert folded(REVIEWS, event("ReviewAnswered")) == {}
