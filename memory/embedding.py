"""Embedders: texts to vectors. Whoever makes them is asked by a callable; no client lives here.

What an endpoint answers comes from outside: as many vectors as texts, all of one size, all of
finite numbers, or none of them is taken.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from operator import mul
from typing import Literal, Protocol

from events.errors import LogUnavailable, RatchetError

Kind = Literal["query", "passage"]
Vector = Sequence[float]
Ask = Callable[[Sequence[str]], Awaitable[Sequence[Sequence[float]]]]

LARGEST = 8192
"""Dimensions that are taken from an endpoint."""


class EmbedderAway(LogUnavailable):
    """The embedder does not answer just now, or answers what is no vector."""


class Embedder(Protocol):
    """One way to make vectors, whose vectors are compared with their like only."""

    @property
    def id(self) -> str:
        """Family, model and revision: what tells it from others by name."""

    @property
    def dim(self) -> int:
        """The size of its vectors; 0 while nobody has asked it for one."""

    @property
    def degraded(self) -> str:
        """Why its vectors are worse than they should be, or ''."""

    async def embed(self, texts: Sequence[str], kind: Kind) -> list[Vector]:
        """A vector of length 1 for each text, in order."""


@dataclass
class EndpointEmbedder:
    """An embedder behind `/v1/embeddings`, reached through whoever holds the clients."""

    id: str
    ask: Ask
    batch: int = 64
    """Texts in one call."""
    before_query: str = ""
    """Some models want a word before what is asked for; it belongs to their `id`."""
    before_passage: str = ""
    degraded: str = ""
    dim: int = 0

    async def embed(self, texts: Sequence[str], kind: Kind) -> list[Vector]:
        before = self.before_query if kind == "query" else self.before_passage
        made: list[Vector] = []
        for first in range(0, len(texts), self.batch):
            some = [before + text for text in texts[first : first + self.batch]]
            try:
                answered = await self.ask(some)
            except RatchetError as refused:
                raise EmbedderAway(
                    f"the embedder does not answer: {refused.what}",
                    where=self.id,
                    right=refused.right,
                ) from None
            made += self._checked(answered, len(some))
        return made

    def _checked(self, answered: Sequence[Sequence[float]], many: int) -> list[Vector]:
        if not _is_row(answered) or len(answered) != many:
            told = f"{len(answered)} vectors" if _is_row(answered) else "no vectors"
            raise self._wrong(f"{told} for {many} texts")
        made = []
        for vector in answered:
            size = len(vector) if _is_row(vector) else 0
            if not 0 < size <= LARGEST or size != (self.dim or size):
                raise self._wrong(f"a vector of {size} numbers, {self.dim or 'some'} before")
            made.append(unit(vector))
            if not made[-1]:
                raise self._wrong("a vector without a direction")
            self.dim = size
        return made

    def _wrong(self, what: str) -> EmbedderAway:
        return EmbedderAway(
            f"the embedder answered {what}",
            where=self.id,
            right="an endpoint that gives one vector of a constant size for each text",
        )


def unit(vector: Sequence[float]) -> Vector:
    """The same direction at length 1, as it is kept: 32 bits a number. Empty where there is none.

    Always rounded the same way, so that a vector out of the cache is the one that was made.
    """
    if not all(type(one) in (int, float) for one in vector):
        return ()
    try:
        numbers = list(map(float, vector))
    except OverflowError:  # an int of more digits than any float has
        return ()
    if not all(map(math.isfinite, numbers)):
        return ()
    length = math.sqrt(math.fsum(one * one for one in numbers))
    if not length > 0 or not math.isfinite(length):
        return ()
    return array("f", [one / length for one in numbers]).tolist()


def _is_row(answered: object) -> bool:
    return isinstance(answered, Sequence) and not isinstance(answered, str | bytes)


def cosine(one: Vector, other: Vector) -> float:
    """How alike two vectors of length 1 are."""
    if len(one) != len(other):
        raise ValueError("vectors of two sizes")
    return math.fsum(map(mul, one, other))  # twice as fast as with a generator
