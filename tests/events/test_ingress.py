"""The one validation: what is wrong is said in one sentence, and nothing else comes in."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.errors import Malformed, NotYours, Refused, TooLarge, UnknownType
from events.ingress import LIMIT, admitted, admitted_body, open_types
from events.message import event_class

GOOD = {"role": "support", "pipeline": "dpo", "base": "tiny"}


def body(**fields: Any) -> bytes:
    return json.dumps({"type": "TrainingRequested", "data": GOOD, **fields}).encode()


def test_what_is_right_becomes_a_draft() -> None:
    one = admitted_body(body())
    assert (one.type, one.stream, one.known_id) == ("TrainingRequested", "role/support", False)
    chosen = "01990000-0000-7000-8000-000000000000"
    assert admitted_body(body(id=chosen)).event_id == chosen


@pytest.mark.parametrize("name", open_types())
def test_the_example_of_every_open_event_is_admitted(name: str) -> None:
    kind = event_class(name)
    assert kind is not None
    assert admitted(name, kind.example).type == name


WRONG: list[tuple[bytes, type[Refused], str]] = [
    (b"", Malformed, "not JSON"),
    (b"\xff\xfe", Malformed, "not JSON"),
    (b"[]", Malformed, "the message is a list"),
    (b"null", Malformed, "the message is missing"),
    (b"[" * 100_000, Malformed, "not JSON"),
    (b'{"type": NaN}', Malformed, "not JSON"),
    (b'"\\ud800"', Malformed, "not JSON"),
    (b"x" * (LIMIT + 1), TooLarge, "bytes"),
    (b"{}", Malformed, "no 'type'"),
    (body(type="TrainingRequestd"), UnknownType, "did you mean 'TrainingRequested'"),
    (body(type=7), UnknownType, "no event is named 7"),
    (body(type="RunStarted"), NotYours, "said by an agent only"),
    (body(type="StageCompleted"), NotYours, "said by a worker"),
    (body(data=[]), Malformed, "is a list"),
    (body(data=None), Malformed, "is missing"),
    (body(data={**GOOD, "rol": "x"}), Malformed, "rol"),
    (body(data={"role": "support"}), Malformed, "pipeline"),
    (body(data={**GOOD, "role": 5}), Malformed, "role"),
    (body(data={**GOOD, "seed": "7"}), Malformed, "seed"),
    (body(data={**GOOD, "seed": 2**63}), Malformed, "seed"),
    (body(data={**GOOD, "role": "a\u0000b"}), Malformed, "role"),
    (body(id="7"), Malformed, "no event id"),
    (body(id="01990000-0000-7000-8000-00000000000A"), Malformed, "no event id"),
    (body(ids="x"), Malformed, "did you mean 'id'"),
]


@pytest.mark.parametrize(("sent", "error", "says"), WRONG)
def test_what_is_wrong_is_said_in_one_sentence(
    sent: bytes, error: type[Refused], says: str
) -> None:
    with pytest.raises(error) as raised:
        admitted_body(sent)
    text = str(raised.value)
    assert says in text
    assert "\n" not in text
    assert len(text) < 1000
    assert raised.value.exit_code == 2


def test_a_surplus_field_is_told_its_neighbour() -> None:
    with pytest.raises(Malformed, match="pipeline") as raised:
        admitted("TrainingRequested", {**GOOD, "pipelin": "x"})
    assert "did you mean 'pipeline'" in raised.value.right


def test_a_text_that_is_no_text_is_refused() -> None:
    with pytest.raises(Malformed):
        admitted("TrainingRequested", {**GOOD, "base": "a\udcffb"})


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=12,
)


@settings(derandomize=True, deadline=None, max_examples=500)
@given(name=st.sampled_from([*open_types(), "Nothing"]), data=anything)
def test_whatever_comes_is_admitted_or_refused(name: str, data: Any) -> None:
    text = ""
    try:
        admitted(name, data)
    except Refused as refused:
        text = str(refused)
    assert "\n" not in text


@settings(derandomize=True, deadline=None, max_examples=500)
@given(st.binary(max_size=300))
def test_whatever_bytes_come_are_admitted_or_refused(sent: bytes) -> None:
    with pytest.raises(Refused):
        admitted_body(sent)
