"""Odd and hostile pairs, out of pairs whose better side is known: what a reward model is put to.

Each probe says what it tries. A pair is only made where the better side is beyond doubt by its
making: a good answer beside what merely looks like one. Twins are the other way round: the same
answer in another form, which ought to earn about the same.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

Row = dict[str, Any]
Change = Callable[[str], str]
LONG = 6
"""So many times an answer is said over and over."""
ANOTHERS = "of another prompt"


def _cut(text: str) -> str:
    words = text.split()
    return " ".join(words[: len(words) // 2])


HOSTILE: dict[str, Change] = {
    "cut off": _cut,
    "said twice": lambda text: f"{text} {text}",
    "words backwards": lambda text: " ".join(reversed(text.split())),
}
"""What somebody would try who is paid by the reward; beside it a good answer to another prompt."""
TAUGHT = ("cut off", "said twice", ANOTHERS)
"""Those that a reward model is taught; the others it only meets when it is put to the test."""
EDGES: dict[str, Change] = {
    "one word": lambda text: next(iter(text.split()), ""),
    "endless": lambda text: " ".join([text] * LONG),
    "signs alone": lambda text: ". ".join("." * len(text.split())),
    "last word again and again": lambda text: " ".join(text.split()[-1:] * 12),
}
"""Answers as nobody writes them."""


def _double_blanks(text: str) -> str:
    return text.replace(" ", "  ")


def _without_stops(text: str) -> str:
    return " ".join(re.sub(r"\s*[.!](?=\s|$)", " ", text).split())


def _turned(text: str) -> str:
    """Its first two sentences in the other order."""
    parts = re.split(r"(?<=[.!])\s+", text)
    return " ".join([parts[1], parts[0], *parts[2:]]) if len(parts) > 1 else text


TWINS: dict[str, Callable[[str], str]] = {
    "double blanks": _double_blanks,
    "without full stops": _without_stops,
    "sentences in another order": _turned,
}
"""The same answer in another form."""


def taught(rows: Sequence[Mapping[str, Any]], seed: int) -> list[Row]:
    """Pairs that teach what a good answer is not: half of it, twice of it, another's."""
    ways = {name: change for name, change in HOSTILE.items() if name in TAUGHT}
    return hostile(rows, seed, ways)


def hostile(
    rows: Sequence[Mapping[str, Any]], seed: int, ways: Mapping[str, Change] = HOSTILE
) -> list[Row]:
    """For each row one pair, the ways in turn: its chosen answer beside what was made of it."""
    luck = random.Random(seed)
    found = worsened(rows[::2], ways)
    for row in rows[1::2]:
        other = luck.choice(rows)
        if other["prompt"] != row["prompt"]:
            found += _pair(row, str(other["chosen"]), ANOTHERS)
    return found


def worsened(rows: Sequence[Mapping[str, Any]], ways: Mapping[str, Change]) -> list[Row]:
    """Of each row a pair, the ways in turn."""
    found, names = list[Row](), list(ways)
    for place, row in enumerate(rows):
        name = names[place % len(names)]
        found += _pair(row, ways[name](str(row["chosen"])), name)
    return found


def _pair(row: Mapping[str, Any], worse: str, name: str) -> list[Row]:
    chosen = str(row["chosen"])
    if not worse.split() or worse.split() == chosen.split():
        return []
    return [{"prompt": row["prompt"], "chosen": chosen, "rejected": worse, "probe": name}]


def twins(
    rows: Sequence[Mapping[str, Any]], same: Callable[[Mapping[str, Any], str, str], bool]
) -> Iterator[Row]:
    """Of each row the better answer beside itself in other forms, where both are `same` worth."""
    for row in rows:
        chosen = str(row["chosen"])
        for name, change in TWINS.items():
            other = change(chosen)
            if other != chosen and other.split() and same(row, chosen, other):
                yield {"prompt": row["prompt"], "chosen": chosen, "rejected": other, "probe": name}
