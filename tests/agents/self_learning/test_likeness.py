"""Which texts are one: planted copies are found, and no planted change of meaning is."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from agents.self_learning.likeness import imprint, same

PEOPLE = ("Mara Voss", "Piet Kuiper", "Ana Ruiz", "Jon Bell")
THINGS = ("the kettle", "the lamp", "the green chair", "the carpet")
PLACES = ("accounting", "the warehouse", "the second floor", "the workshop")
FRAMES = (
    "{0} returned {1} to {2} after {3} days.",
    "{0} wants {1} to be brought to {2} within {3} days.",
    "Whoever asks for {1} is sent to {2}, says {0}, and waits {3} days.",
)


def alike(one: str, other: str) -> bool:
    return same(imprint(one), imprint(other))


def pairs(seed: int) -> Iterator[tuple[str, str, bool]]:
    """A text, another one, and whether both say the same."""
    random = Random(seed)
    for _ in range(200):
        frame = random.choice(FRAMES)
        parts = [random.choice(PEOPLE), random.choice(THINGS), random.choice(PLACES)]
        days = random.randrange(2, 60)
        text = frame.format(*parts, days)
        long = max((word for word in text.split() if word.islower()), key=len)
        at = random.randrange(2, len(long) - 2)
        yield text, text.lower().rstrip("."), True
        yield text, f"  {text.replace('the ', '')} ".replace(" ", "  "), True
        yield text, text.replace("days", "day").replace("returned", "returns"), True
        yield text, text.replace(long, long[:at] + long[at + 1 :]), True
        yield text, text.replace(long, f"{long} {long}"), True
        yield text, frame.format(*parts, days + 1), False
        yield text, text.replace(parts[0], PEOPLE[PEOPLE.index(parts[0]) - 1]), False
        yield text, text.replace(parts[1], THINGS[THINGS.index(parts[1]) - 1]), False
        yield text, text.replace(parts[2], PLACES[PLACES.index(parts[2]) - 1]), False
        yield text, text.replace(f"{days} days", f"not {days} days"), False


def test_planted_copies_are_found_and_planted_changes_are_none() -> None:
    """Those that are missed have a slip in an ending, which then is not taken for one."""
    found: dict[bool, list[bool]] = {True: [], False: []}
    for one, other, truth in pairs(100):
        found[truth].append(alike(one, other))
    assert sum(found[True]) / len(found[True]) >= 0.96
    assert sum(found[False]) == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Bob owes Ann money", "Ann owes Bob money"),
        ("Joanna prefers tea", "Johanna prefers tea"),
        ("The limit is 1000", "The limit is 10000"),
        ("Parcels arrive on time", "Parcels never arrive on time"),
        ("It doesn't work", "It does work"),
        ("inhale slowly", "exhale slowly"),
        ("Red is fine", "Bed is fine"),
    ],
)
def test_what_looks_alike_and_says_another_thing_is_kept_apart(one: str, other: str) -> None:
    assert not alike(one, other)


def test_long_texts_are_the_same_only_word_by_word() -> None:
    text = " ".join(f"word{number} something" for number in range(40))
    assert alike(text, text.upper())
    assert not alike(text, text.replace("word7 something", "word7 somethin", 1))
