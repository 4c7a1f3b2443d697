"""Searching what is known: a question in words, answered by items that cite their events.

Meaning counts three times as much as words, where there is an embedder that knows meanings; with
the lexical one it is the other way round, because words are then what is known for certain.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from memory.embedding import Embedder, EmbedderAway, Vector
from memory.filters import Condition, all_of, between, eq, exists, not_
from memory.index import Found, Rank, VectorIndex, Weights
from memory.knowledge import YES, millis, time_of
from memory.sparse import of_query

BY_MEANING, BY_LETTERS, BY_WORDS = Weights(3, 1), Weights(1, 3), Weights(0, 1)
PATIENCE = 2.0
"""Seconds that an embedder has for a question; then words alone have to do."""
MOST = 100
"""Hits of one search."""


class Question(NamedTuple):
    """What is asked, and of what."""

    text: str
    limit: int = 10
    role: str | None = None
    """Items for this role and for all; None asks for those of every role."""
    kind: str | None = None
    tags: Sequence[str] = ()
    """All of them."""
    at: datetime | None = None
    """What held at this moment; now, unless told."""
    personal: bool = False
    """Also what is about people, for who may see it."""
    condition: Condition | None = None


class Traits(NamedTuple):
    """What an index holds none of is not asked for: each condition costs time."""

    bounded: bool = True
    """Items that hold for a time only."""
    personal: bool = True


class Hit(NamedTuple):
    """One item that answers."""

    id: str
    score: float
    """0 to 1: how high it stands in both rankings, not how true it is."""
    text: str
    source_event: str
    """The event that says so."""
    tags: tuple[str, ...]
    kind: str
    role: str | None
    source: str
    said_at: str
    valid_from: str | None
    valid_to: str | None
    superseded_by: str | None
    meaning: Rank | None
    """Its place by meaning and the cosine; None where it was not among the candidates."""
    words: Rank | None
    """Its place by words and their weight."""
    personal: bool

    def to_json(self) -> dict[str, Any]:
        """As it is shown to people and programs."""
        ranks = {name: rank and rank._asdict() for name, rank in self._ranks()}
        return {**self._asdict(), "score": round(self.score, 6), "tags": list(self.tags), **ranks}

    def _ranks(self) -> tuple[tuple[str, Rank | None], ...]:
        return ("meaning", self.meaning), ("words", self.words)


async def found(
    index: VectorIndex, embedder: Embedder | None, question: Question, traits: Traits, now: datetime
) -> list[Found]:
    """The points that answer. Without an embedder, by words alone."""
    dense, weights = None, BY_WORDS
    if embedder is not None:
        dense = await _asked(embedder, question.text)
        weights = BY_LETTERS if embedder.degraded else BY_MEANING
    asked = wanted(question, traits, question.at or now)
    return await index.query(dense, of_query(question.text), asked, weights, question.limit)


async def _asked(embedder: Embedder, text: str) -> Vector:
    """The vector of what is asked, soon or not at all."""
    try:
        async with asyncio.timeout(PATIENCE):
            (dense,) = await embedder.embed([text], "query")
    except TimeoutError:
        what = f"the embedder did not answer within {PATIENCE:g} s"
        raise EmbedderAway(what, where=embedder.id) from None
    return dense


def wanted(question: Question, traits: Traits, at: datetime) -> Condition | None:
    """The conditions under which an item may answer."""
    asked = [question.condition, *(eq("tags", tag) for tag in question.tags)]
    if question.kind is not None:
        asked.append(eq("kind", question.kind))
    if question.role is not None:
        asked.append(not_(all_of(exists("role"), not_(eq("role", question.role)))))
    if traits.personal and not question.personal:
        asked.append(not_(exists("owner")))
    if traits.bounded:
        moment = millis(at)
        over = (
            between("valid_to", None, moment + 1),
            between("ended", None, moment + 1),
            between("valid_from", moment + 1),
        )
        asked += [not_(all_of(eq("bounded", YES), one)) for one in over]
    some = [one for one in asked if one is not None]
    return all_of(*some) if some else None


def hit(one: Found, text: str) -> Hit:
    """A point as an answer; `text` where its payload may not hold it."""
    payload = one.payload
    return Hit(
        one.id,
        one.score,
        str(payload.get("text", text)),
        str(payload["source_event"]),
        tuple(payload.get("tags", ())),
        str(payload["kind"]),
        payload.get("role"),
        str(payload.get("source", "")),
        str(payload["said_at"]),
        _shown(payload.get("valid_from")),
        _shown(payload.get("ended", payload.get("valid_to"))),
        payload.get("superseded_by"),
        one.dense,
        one.sparse,
        "owner" in payload,
    )


def _shown(moment: int | None) -> str | None:
    if moment is None:
        return None
    return time_of(moment).isoformat().replace("+00:00", "Z")
