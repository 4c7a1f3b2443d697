"""In which order rows are gone through: shuffled anew in each passage, by the seed alone."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Sequence
from itertools import count, islice
from typing import TypeVar

T = TypeVar("T")


def endless(rows: Sequence[T], seed: int, passed: int = 0) -> Iterator[T]:
    """Passage after passage; `passed` rows are gone already."""
    for passage in count(passed // len(rows)):
        order = list(range(len(rows)))
        random.Random(f"{seed} {passage}").shuffle(order)
        start = passed % len(rows) if passage == passed // len(rows) else 0
        yield from (rows[place] for place in islice(order, start, None))


def derived(seed: int, *of: object) -> int:
    """A seed of its own for a part of a job."""
    words = " ".join(str(one) for one in (seed, *of)).encode()
    return int.from_bytes(hashlib.sha256(words).digest()[:6], "big")


class Counting(Iterator[T]):
    """An iterator that knows how far it has come."""

    def __init__(self, rows: Iterator[T], passed: int) -> None:
        self._rows, self.passed = rows, passed

    def __next__(self) -> T:
        row = next(self._rows)
        self.passed += 1
        return row
