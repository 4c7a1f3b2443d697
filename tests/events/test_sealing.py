"""Sealing: any text comes back under its own key, in its own place, and nowhere else."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from events.ids import derived_id
from events.personal import PREFIX, is_sealed
from events.sealing import SECRET, open_part, opened, sealed

KEY, OTHER = bytes(range(SECRET)), bytes(reversed(range(SECRET)))
ID = derived_id("one")
FIELDS = ("who", "what")

texts = st.text(max_size=200)
open_values = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts
quick = settings(derandomize=True, deadline=None, max_examples=300)


def written(**data: Any) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


@quick
@given(who=texts, what=st.none() | texts, rest=open_values)
def test_any_text_comes_back(who: str, what: str | None, rest: Any) -> None:
    plain = written(who=who, rest=rest, what=what)
    data = sealed(plain, FIELDS, KEY, ID)
    assert sealed(plain, FIELDS, KEY, ID) == data
    found = json.loads(data)
    assert list(found) == ["who", "rest", "what"]
    assert (found["rest"], is_sealed(found["who"])) == (rest, True)
    assert is_sealed(found["what"]) is (what is not None)
    if not is_sealed(rest):
        assert opened(data, KEY, ID) == plain
    data.encode("ascii" if str(rest).isascii() else "utf-8", "surrogatepass")


@quick
@given(who=texts.filter(lambda text: len(text.encode("utf-8", "surrogatepass")) > 3))
def test_what_is_sealed_cannot_be_read_or_moved(who: str) -> None:
    plain = written(who=who, what=who)
    data = sealed(plain, FIELDS, KEY, ID)
    assert who not in data
    found = json.loads(data)
    assert found["who"] != found["what"]
    assert opened(data, OTHER, ID) == data
    assert opened(data, KEY, derived_id("another")) == data
    swapped = written(who=found["what"], what=found["who"])
    assert opened(swapped, KEY, ID) == swapped
    assert sealed(plain, FIELDS, KEY, derived_id("another")) != data


@quick
@given(token=st.text(max_size=60), place=st.integers(0, 30))
def test_what_is_no_token_stays_as_it_is(token: str, place: int) -> None:
    made_up = written(who=PREFIX + token)
    assert opened(made_up, KEY, ID) == made_up
    found = json.loads(sealed(written(who="somebody"), FIELDS, KEY, ID))["who"]
    at = len(PREFIX) + place % (len(found) - len(PREFIX) - 1)
    changed = written(who=found[:at] + ("A" if found[at] != "A" else "B") + found[at + 1 :])
    assert opened(changed, KEY, ID) == changed


def test_sealed_is_what_it_always_was() -> None:
    """The shape on the disk: another implementation opens it, and ours does in ten years."""
    data = sealed('{"who":"ann","rating":2}', FIELDS, KEY, ID)
    assert data == '{"who":"sealed:1:eu49c-BVr3vK7QojkoS7toW6LQ","rating":2}'


def test_without_the_key_the_open_part_can_be_compared() -> None:
    one, two = written(who="a", rest=1.0, what=None), written(who="b", rest=1.0, what=None)
    assert open_part(sealed(one, FIELDS, KEY, ID), FIELDS) == open_part(two, FIELDS)
    assert open_part(one, FIELDS) != open_part(written(who="a", rest=2.0, what=None), FIELDS)
    assert open_part(one, FIELDS) != open_part(written(who="a", rest=1.0), FIELDS)
