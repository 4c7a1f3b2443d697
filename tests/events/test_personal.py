"""The mark on personal fields: where it may stand, and what it asks of whom."""

from __future__ import annotations

import json
from types import new_class
from typing import Annotated, Any

import pytest
from pydantic import Field, ValidationError

from events.catalog.people import FeedbackReceived, SubjectForgotten
from events.catalog.schedules import ScheduleDefined
from events.envelope import draft
from events.errors import Malformed, NotYours
from events.ingress import OPERATOR, admitted, open_types
from events.message import BrokenEvent, Event, Value, event_classes
from events.personal import MARK, PREFIX, Personal
from events.shape import place
from events.upcast import lift

GOOD = {"subject": "ann", "role": "support", "rating": 2}
TOKEN = PREFIX + "A" * 9000
Text = Annotated[str, Personal]


class Inner(Value):
    """A value that hides a mark."""

    text: Text = ""


def broken(says: str, fields: dict[str, Any], **line: Any) -> None:
    line = {"wire": "TestBroken", "stream": "x/y", "by": "worker", "subject": "who", **line}
    with pytest.raises(BrokenEvent, match=says):
        new_class(
            "TestBroken", (Event,), line,
            lambda space: space.update({"__annotations__": fields, "__module__": __name__}),
        )  # fmt: skip


@pytest.mark.parametrize(
    "kind",
    [
        int,
        list[str],
        str | int,
    ],
)
def test_only_a_text_can_be_personal(kind: Any) -> None:
    broken("marks 'what' as personal where", {"who": Text, "what": Annotated[kind, Personal]})


@pytest.mark.parametrize(
    "kind",
    [
        Inner,
        Inner | None,
        list[Inner],
        dict[str, Text],
        Text | None,
        Annotated[str, Personal, Field(max_length=3)],
    ],
)
def test_a_mark_stands_on_the_field_itself_and_last(kind: Any) -> None:
    broken("marks 'what' as personal where", {"who": Text, "what": kind})


def test_a_personal_field_is_somebodys() -> None:
    says = "names none of them as the subject"
    broken(says, {"who": Text}, subject="")
    broken(says, {"who": str, "what": Text})
    broken(says, {"who": Annotated[str | None, Personal]})
    broken(says, {"who": str})
    broken(says, {}, subject="", forgets=True)


def test_nothing_personal_stands_where_everybody_looks() -> None:
    broken("would show 'who'", {"who": Text}, stream="x/{who}")
    broken("would show 'what'", {"who": Text, "what": Text}, withdraws="what")


def test_an_agent_says_nothing_personal() -> None:
    broken("agents see no personal texts", {"who": Text}, by="agent")


def test_a_text_may_be_left_out() -> None:
    class Left(Event, wire="TestLeft", by="worker", stream="x/y", subject="who"):
        who: Text
        what: Annotated[str | None, Field(max_length=3), Personal] = None

    assert Left.personal == ("who", "what")
    assert draft(Left(who="a")).data == '{"who":"a","what":null}'
    with pytest.raises(ValidationError):
        Left(who="a", what="four")


def test_only_what_is_marked_is_sealed() -> None:
    kinds = {wire: kind.personal for wire, kind in event_classes().items() if kind.personal}
    assert kinds["FeedbackReceived"] == ("subject", "comment", "asked", "answered")
    assert kinds["SubjectForgotten"] == ("subject",)
    said = admitted("FeedbackReceived", GOOD).sealing
    assert said is not None
    assert (said.subject, said.forgets) == ("ann", False)
    assert draft(ScheduleDefined(schedule="a", every="1m")).sealing is None


def test_the_schema_says_so_and_nothing_of_tokens() -> None:
    schema = FeedbackReceived.model_json_schema()["properties"]
    assert [name for name, one in schema.items() if MARK in one] == list(FeedbackReceived.personal)
    assert schema["comment"]["maxLength"] == 4000
    assert place(FeedbackReceived, ["subject"]).words() == "a text of 1 to 200 characters"


def test_what_is_asked_of_a_text_is_asked_of_the_plain_one_only() -> None:
    for data in ({"subject": "a" * 201}, {"comment": "a" * 4001}, {"subject": ""}):
        with pytest.raises(Malformed, match=r"a text of|at most"):
            admitted("FeedbackReceived", {**GOOD, **data})
    event = lift("FeedbackReceived", 1, json.dumps({**GOOD, "subject": TOKEN, "comment": TOKEN}))
    assert isinstance(event, FeedbackReceived)
    assert event.subject == event.comment == TOKEN


@pytest.mark.parametrize("field", FeedbackReceived.personal)
@pytest.mark.parametrize("text", [TOKEN, PREFIX, f"{PREFIX} hello"])
def test_nobody_can_say_what_looks_sealed(field: str, text: str) -> None:
    with pytest.raises(Malformed, match="is a sealed text already") as caught:
        admitted("FeedbackReceived", {**GOOD, field: text})
    assert caught.value.where == field


def test_a_text_that_only_sounds_like_it_is_a_text() -> None:
    for text in ("sealed:", "sealed:2:x", " sealed:1:x", "Sealed:1:x"):
        assert json.loads(admitted("FeedbackReceived", {**GOOD, "comment": text}).data)


@pytest.mark.parametrize("name", ["subject", "role", "rating", "comment", "model"])
def test_a_refusal_does_not_repeat_what_was_said(name: str) -> None:
    for value in (["Nida"], {"Nida": "Nida"}, "Nida " * 30_000):
        with pytest.raises(Malformed) as caught:
            admitted("FeedbackReceived", {**GOOD, name: value})
        assert caught.value.where == name
        assert "Nida" not in str(caught.value)


def test_forgetting_takes_an_operator() -> None:
    with pytest.raises(NotYours, match="an operator, under the scope 'admin', only"):
        admitted("SubjectForgotten", SubjectForgotten.example)
    assert admitted("SubjectForgotten", SubjectForgotten.example, may=OPERATOR).sealing
    assert "SubjectForgotten" not in open_types()


@pytest.mark.parametrize("wire", ["FeedbackReceived", "SubjectForgotten"])
def test_no_schedule_keeps_a_persons_words(wire: str) -> None:
    data = event_classes()[wire].example
    published = {"type": wire, "data": data}
    with pytest.raises(Malformed, match=r"speaks of a person|an operator only") as caught:
        admitted("ScheduleDefined", {"schedule": "a", "every": "1m", "publish": published})
    assert "4711" not in str(caught.value)
