"""Reviews: pairs of answers that wait for a person, and what people said about them."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from events.catalog.training import Artifact
from events.message import Event, Name, Value

Choice = Literal["a", "b", "same", "unfit"]
"""Which answer is the better; that none is; or that nothing can be learned from them."""


OF_SETS = "pairs-"
"""Queues that the data generator opens bear this before the name of the data set."""


class Reviewed(Value):
    """What somebody said of one pair."""

    item: int = Field(ge=1, lt=2**53)
    """Its number in the queue, from 1."""
    choice: Choice


class ReviewOpened(Event, wire="ReviewOpened", by="anyone", stream="review/{review}"):
    """Somebody wants people to say which of two answers is the better, pair by pair."""

    review: Name
    role: Name
    items: Artifact
    """JSON lines, each with a `prompt` and the two answers `a` and `b`."""
    count: int = Field(ge=1, le=100_000)

    example: ClassVar[dict[str, Any]] = {
        "review": "unsure-1",
        "role": "support",
        "items": {"kind": "review", "sha256": "sha256:" + "0" * 64, "size": 1024},
        "count": 40,
    }


class ReviewAnswered(Event, wire="ReviewAnswered", by="anyone", stream="review/{review}"):
    """A person said which answers are better; a later word about a pair counts instead."""

    review: Name
    answers: tuple[Reviewed, ...] = Field(min_length=1, max_length=10_000)

    example: ClassVar[dict[str, Any]] = {
        "review": "unsure-1",
        "answers": [{"item": 1, "choice": "a"}],
    }
