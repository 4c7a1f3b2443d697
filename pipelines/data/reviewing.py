"""Pairs that wait for a person: how they are queued, shown and answered.

Which of two answers is shown first would sway who compares them, so it is drawn by their text: the
same pair is shown the same way to everybody, and all pairs together half this way, half that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from events.catalog.reviews import Choice
from events.errors import Malformed
from pipelines.data.preferences import Preference
from pipelines.data.rows import Row


def queued(pairs: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Rows of a queue, out of pairs or out of rows that are some already."""
    found = []
    for one in pairs:
        if "a" in one:
            first, second = one["a"], one["b"]
        else:
            first, second = sorted((one["chosen"], one["rejected"]))
            if _turned(one["prompt"], first, second):
                first, second = second, first
        found.append({"prompt": one["prompt"], "a": first, "b": second})
    return found


def to_be_asked(pairs: Sequence[Preference]) -> list[Row]:
    """What could not be settled without a person, as rows of a queue."""
    return queued(one.row() for one in pairs)


def labels(rows: Sequence[Row], answers: Mapping[str, Choice]) -> Iterator[Row]:
    """Pairs out of what people said; where none is the better, there is no pair."""
    for item, row in enumerate(rows, 1):
        choice = answers.get(str(item))
        if choice in ("a", "b"):
            other = "b" if choice == "a" else "a"
            yield {"prompt": row["prompt"], "chosen": row[choice], "rejected": row[other]}


def waiting(rows: Sequence[Row], answers: Mapping[str, Choice]) -> list[Row]:
    """What nobody has answered yet, with the numbers by which it is answered."""
    return [{"item": item, **row} for item, row in enumerate(rows, 1) if str(item) not in answers]


def within(item: int, count: int) -> int:
    """The number, if the queue has such an item."""
    if not 1 <= item <= count:
        raise Malformed(f"there is no item {item}", where="item", right=f"1 to {count:,}")
    return item


def _turned(*texts: str) -> bool:
    digest = hashlib.sha256("\0".join(texts).encode("utf-8", "surrogatepass"))
    return bool(digest.digest()[0] & 1)
