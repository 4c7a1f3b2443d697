"""Event classes: what their class line promises holds for all of them."""

from __future__ import annotations

import json
from types import new_class

import pytest
from pydantic import ValidationError

import events.catalog  # noqa: F401  (makes the wire names known)
from events.catalog.policies import PolicyAdopted, TrainerPolicy
from events.catalog.training import RequestWithdrawn, StageRequested, TrainingRequested
from events.envelope import draft
from events.errors import Malformed
from events.message import BrokenEvent, Event, Request, event_classes
from events.upcast import lift, upcasts

ALL = [kind for wire, kind in event_classes().items() if not wire.startswith("Test")]


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.wire)
class TestEveryEvent:
    """Whatever its subject."""

    def test_has_an_example_that_comes_back_as_it_was(self, kind: type[Event]) -> None:
        event = kind.model_validate_json(json.dumps(kind.example))
        assert lift(kind.wire, kind.schema_version, draft(event).data) == event

    def test_is_frozen_and_takes_no_other_field(self, kind: type[Event]) -> None:
        with pytest.raises(ValidationError, match="surplus"):
            kind.model_validate_json(json.dumps({**kind.example, "surplus": 1}))
        event = kind.model_validate_json(json.dumps(kind.example))
        with pytest.raises(ValidationError, match="frozen"):
            setattr(event, next(iter(kind.model_fields)), "other")

    def test_says_in_a_sentence_what_it_means(self, kind: type[Event]) -> None:
        assert (kind.__doc__ or "").strip().endswith(".")

    def test_lies_in_a_stream_of_its_subject(self, kind: type[Event]) -> None:
        stream = kind.model_validate_json(json.dumps(kind.example)).stream()
        subject, _, name = stream.partition("/")
        assert subject.isalpha()
        assert name

    def test_asks_in_its_name_if_a_worker_is_to_answer(self, kind: type[Event]) -> None:
        assert not kind.opens or (issubclass(kind, Request) and kind.wire.endswith("Requested"))


def test_a_wire_name_is_given_only_once() -> None:
    with pytest.raises(BrokenEvent, match="'RunStarted' already means RunStarted"):
        new_class("Impostor", (Event,), {"wire": "RunStarted", "stream": "x/y"})


def test_an_event_names_its_stream_by_fields_that_it_has() -> None:
    with pytest.raises(BrokenEvent, match="no field 'nobody'"):
        new_class("TestLost", (Event,), {"wire": "TestLost", "stream": "x/{nobody}"})


def test_a_stream_may_be_named_by_a_field_within() -> None:
    assert PolicyAdopted(policy=TrainerPolicy()).stream() == "policy/trainer"


def test_a_draft_knows_what_it_opens_and_closes() -> None:
    assert draft(StageRequested.model_validate(StageRequested.example)).opens
    assert not draft(TrainingRequested(role="r", pipeline="p", base="b")).opens
    assert draft(RequestWithdrawn(run="r", request="that", reason="so")).closes == "that"


def test_a_name_cannot_break_a_line_or_a_path() -> None:
    for name in ("a\nb", "a/b", "../up", "", "a" * 101, "a b", "ü"):
        with pytest.raises(ValidationError):
            StageRequested.model_validate(StageRequested.example | {"run": name})


class TestGrown(Event, wire="TestGrown", version=3, stream="grown/{name}"):
    """An event that had other shapes before."""

    __test__ = False
    name: str
    size: int


@upcasts("TestGrown", 1)
def named(data: dict[str, object]) -> dict[str, object]:
    return {"name": data["title"]}


@upcasts("TestGrown", 2)
def sized(data: dict[str, object]) -> dict[str, object]:
    return {**data, "size": 0}


def test_old_shapes_are_lifted_step_by_step() -> None:
    grown = TestGrown(name="a", size=0)
    assert lift("TestGrown", 1, '{"title": "a"}') == grown
    assert lift("TestGrown", 2, '{"name": "a"}') == grown
    assert lift("TestGrown", 3, '{"name": "a", "size": 0}') == grown


@pytest.mark.parametrize(
    ("wire", "version", "data", "says"),
    [
        ("TestGrown", 4, '{"name": "a", "size": 0}', "this version knows 3"),
        ("TestGrown", 0, "{}", "no upcaster lifts 'TestGrown' from schema 0"),
        ("TestUnheardOf", 1, "{}", "does not know"),
        ("TestGrown", 3, '{"name": "a"}', "does not fit its class"),
    ],
)
def test_what_cannot_be_read_is_named(wire: str, version: int, data: str, says: str) -> None:
    from events.errors import UnknownHistory

    with pytest.raises(UnknownHistory, match=says):
        lift(wire, version, data)


def test_a_stream_that_cannot_be_printed_is_refused() -> None:
    with pytest.raises(Malformed, match="no name for a stream"):
        draft(TestGrown(name="a\nb", size=1))
