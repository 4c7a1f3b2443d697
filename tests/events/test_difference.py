"""How two states differ, by path."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from events.difference import ABSENT, changes, difference

STATES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=2), inner),
    max_leaves=12,
).filter(lambda value: isinstance(value, dict))


def test_what_came_what_went_and_what_changed_are_told_by_path() -> None:
    before = {"a": {"status": "running", "stages": ["x"]}, "b": 1}
    after = {"a": {"status": "done", "stages": ["x", "y"]}, "c": None}
    assert difference(before, after) == {
        "added": {"a.stages.1": "y", "c": None},
        "removed": {"b": 1},
        "changed": {"a.status": {"from": "running", "to": "done"}},
    }


def test_true_is_not_one() -> None:
    assert difference({"a": True}, {"a": 1})["changed"] == {"a": {"from": True, "to": 1}}


@given(STATES)
def test_a_state_does_not_differ_from_itself(state: Any) -> None:
    assert list(changes(state, copy.deepcopy(state))) == []


@given(STATES, STATES)
def test_backwards_is_the_same_the_other_way_round(one: Any, other: Any) -> None:
    there = {(path, repr(was), repr(now)) for path, was, now in changes(one, other)}
    back = {(path, repr(now), repr(was)) for path, was, now in changes(other, one)}
    assert there == back
    assert bool(there) == (repr(one) != repr(other)) or sorted(one) == sorted(other)
    assert repr(ABSENT) not in repr(difference(one, other))
