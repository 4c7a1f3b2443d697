"""What stretches of the log change, told in events; done once or twice, it comes to the same."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from events.catalog.knowledge import (
    KnowledgeAdded,
    KnowledgeSuperseded,
    KnowledgeWithdrawn,
)
from events.envelope import Envelope, draft
from events.ids import derived_id
from memory.knowledge import Changes, content_of, folded, millis, point_of, time_of


def said(event: Any, number: int) -> Envelope:
    """An event as the log would have it."""
    one = draft(event)
    at = f"2026-11-21T03:00:{number % 60:02d}.000000Z"
    return Envelope(
        number, item(number), one.type, 1, one.stream, 1, at, "test", "c", None, one.data, None,
        "", "",
    )  # fmt: skip


def item(number: int) -> str:
    return derived_id("test", number)


def added(number: int, text: str = "", **more: Any) -> Envelope:
    return said(KnowledgeAdded(text=text or f"text {number}", **more), number)


def test_what_was_added_bears_what_was_said_of_it() -> None:
    until = datetime(2027, 1, 1, tzinfo=UTC)
    changes = folded([added(1, "x", kind="rule", role="support", tags=("a",), valid_to=until)])
    payload = changes.known[item(1)].payload
    assert payload["source_event"] == item(1)
    assert (payload["kind"], payload["role"], payload["tags"]) == ("rule", "support", ["a"])
    assert payload["valid_to"] == until.timestamp() * 1000
    assert payload["bounded"] == "yes"
    assert "valid_from" not in payload


def test_what_is_withdrawn_in_the_same_stretch_never_comes_in() -> None:
    changes = folded([added(1), said(KnowledgeWithdrawn(item=item(1)), 2)])
    assert changes.known == {}
    assert changes.gone == {item(1)}


def test_what_is_superseded_keeps_the_time_at_which_it_ended() -> None:
    changes = folded([added(1), said(KnowledgeSuperseded(item=item(1), by=item(9)), 2)])
    assert changes.known[item(1)].payload["superseded_by"] == item(9)
    before = folded([said(KnowledgeSuperseded(item=item(1)), 2)])
    assert before.ended[item(1)]["ended"] == changes.known[item(1)].payload["ended"]


def test_the_newer_of_two_that_say_the_same_stays() -> None:
    changes = folded([added(1, "the same"), added(2, "the  same"), added(3, "the same", role="r")])
    assert set(changes.known) == {item(2), item(3)}
    assert item(1) in changes.gone


def test_an_id_that_no_index_takes_is_made_into_one() -> None:
    assert point_of(item(1)) == item(1)
    assert point_of("by hand") == point_of("by hand") != point_of("by foot")


def test_what_is_said_is_told_apart_by_whom_it_is_for() -> None:
    told = {
        content_of("x", None, None, "fact"),
        content_of("x", "owner", None, "fact"),
        content_of("x", None, "support", "fact"),
        content_of("x", None, None, "rule"),
    }
    assert len(told) == 4


@dataclass
class Held:
    """An index in ten lines: what is done to it, and nothing else."""

    points: dict[str, dict[str, Any]] = field(default_factory=dict)

    def take(self, changes: Changes) -> None:
        same = {name for name, one in self.points.items() if one["content"] in changes.contents}
        self.points |= {name: dict(one.payload) for name, one in changes.known.items()}
        for name, fields in changes.ended.items():
            if name in self.points:
                self.points[name] |= fields
        for name in (changes.gone | same) - set(changes.known):
            self.points.pop(name, None)


EVENTS = st.lists(
    st.tuples(st.sampled_from(["add", "same", "withdraw", "supersede"]), st.integers(1, 12)),
    max_size=24,
)


def history(drawn: list[tuple[str, int]]) -> list[Envelope]:
    made = []
    for number, (what, other) in enumerate(drawn, 1):
        match what:
            case "add":
                made.append(added(number))
            case "same":
                made.append(added(number, f"text {other % 3}"))
            case "withdraw":
                made.append(said(KnowledgeWithdrawn(item=item(other)), number))
            case _:
                made.append(said(KnowledgeSuperseded(item=item(other)), number))
    return made


@example([*[("add", 1)] * 8, ("same", 1), ("withdraw", 9)], 2, 0, 1)
@given(EVENTS, st.integers(1, 7), st.integers(0, 24), st.integers(1, 7))
def test_however_it_is_cut_and_repeated_it_comes_to_the_same(
    drawn: list[tuple[str, int]], size: int, back: int, other_size: int
) -> None:
    events, once, twice = history(drawn), Held(), Held()
    once.take(folded(events))
    for first in range(0, len(events), size):
        twice.take(folded(events[first : first + size]))
    for first in range(max(0, len(events) - back), len(events), other_size):  # after a crash
        twice.take(folded(events[first : first + other_size]))
    assert twice == once


@pytest.mark.parametrize("moment", [datetime.min, datetime.max, datetime(2026, 1, 1, 0, 0, 0, 7)])
def test_a_time_comes_back_from_an_index_to_the_millisecond(moment: datetime) -> None:
    there = time_of(millis(moment.replace(tzinfo=UTC)))
    assert timedelta(0) <= moment.replace(tzinfo=UTC) - there < timedelta(milliseconds=1)
