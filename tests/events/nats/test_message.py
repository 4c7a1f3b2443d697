"""What is told is what the log holds, written without parsing it, under subjects that stay."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from events.envelope import Envelope
from events.nats import subjects
from events.nats.message import envelope, headers, message_id, payload, traceparent

CORRELATION = "0190f7a0-0000-7000-8000-000000000000"

anything = st.text(st.characters(exclude_categories=["Cs"]))
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | anything,
    lambda inner: st.lists(inner) | st.dictionaries(anything, inner),
    max_leaves=8,
)


@st.composite
def envelopes(draw: st.DrawFn) -> Envelope:
    data = json.dumps(draw(st.dictionaries(anything, documents)), ensure_ascii=draw(st.booleans()))
    return Envelope(
        position=draw(st.integers(1, 2**50)),
        event_id=draw(anything),
        type="TrainingRequested",
        schema=draw(st.integers(1, 99)),
        stream=draw(anything),
        version=draw(st.integers(1, 2**40)),
        recorded_at="2026-01-01T00:00:00.000000Z",
        actor=draw(anything),
        correlation_id=draw(anything),
        cause_id=draw(st.none() | anything),
        data=data,
        key_id=None,
        previous_hash="",
        hash="0" * 64,
    )


@given(envelopes())
def test_a_payload_is_the_envelope_and_can_be_read_back(said: Envelope) -> None:
    assert json.loads(payload(said)) == said.to_json()
    assert envelope(payload(said)) == said


@given(envelopes())
def test_headers_are_visible_ascii_on_one_line_each(said: Envelope) -> None:
    made = headers(said)
    assert all("!" <= letter <= "~" for text in made.values() for letter in text)
    assert made["Nats-Expected-Last-Sequence"] == str(said.position - 1)
    assert len("".join(made.values())) < 8000


@given(anything, anything)
def test_ids_that_differ_stay_apart(one: str, other: str) -> None:
    assert (message_id(one) == message_id(other)) == (one == other)


def test_partitions_are_promised_to_clients_and_never_change() -> None:
    assert [subjects.partition(one) for one in ("role/support", "run/7f3a", "agent/trainer")] == [
        "07",
        "15",
        "11",
    ]
    assert subjects.of_event("TrainingRequested", "role/support") == (
        "ratchet.events.TrainingRequested.07"
    )
    assert subjects.kind_of("ratchet.events.Test.Noted.05") == "Test.Noted"
    assert {subjects.partition(f"run/{n}") for n in range(500)} == {f"{n:02}" for n in range(16)}


def test_one_correlation_is_one_trace() -> None:
    first, second = traceparent(CORRELATION, "a"), traceparent(CORRELATION, "b")
    assert first.split("-")[1] == second.split("-")[1] == CORRELATION.replace("-", "")
    assert first != second
    assert len(traceparent("no uuid", "a")) == len(first) == 55
