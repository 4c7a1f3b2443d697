"""Recall: what a model may remember, of the time that is asked about, within its window.

Found by a search, ordered by how well it answers, how sure it is and how fresh. Age lowers a
memory's place and never its truth: an old one that answers best is still found. What answers badly
is left out, and where nothing answers, that is the answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from math import ceil
from typing import Any, NamedTuple

from events.envelope import format_time, parse_time
from events.personal import is_sealed
from memory.remembering.searching import Match, Passage, Search

HALF_LIFE_DAYS = {
    "fact": 365.0, "skill": 365.0, "lesson": 365.0, "preference": 180.0, "episode": 30.0,
}  # fmt: skip
FADES = 0.15
"""The most that age takes from a place."""
DOUBT = 0.15
"""The most that doubt takes from it."""
WIDER = 4
"""So many times more matches are looked at than are asked for."""
SHARE = 0.25
"""Of a context window, what is given to memories unless told."""
WINDOW = 8192
"""Tokens of a context window where the role names none."""
OVERHEAD = 4
"""Tokens that set one memory off from the next."""


class Reader(NamedTuple):
    """Who remembers."""

    role: str
    model: str | None = None
    session: str | None = None


class Remembered(NamedTuple):
    """One memory, with where it comes from."""

    id: str
    text: str
    kind: str
    score: float
    """Its place among the others."""
    match: float
    """How well it answers."""
    sources: tuple[str, ...]
    """Events that tell it."""
    valid_from: str
    valid_to: str | None
    tokens: int


class Recalled(NamedTuple):
    """What came to mind."""

    items: tuple[Remembered, ...]
    tokens: int
    budget: int
    left_out: tuple[str, ...]
    """Those that answer, and had no room."""
    abstained: bool
    """Nothing answers well enough."""
    best: float
    """How well the best one answers, whether it is good enough or not."""
    by: str
    """The way of finding."""


def estimated_tokens(text: str) -> int:
    """About how many tokens a text has: the larger of 4 per 3 words and 1 per 3.5 bytes.

    Made to lie above what tokenizers of English count rather than below.
    """
    return max(ceil(len(text.split()) * 4 / 3), ceil(len(text.encode()) / 3.5))


def budget_of(context_window: int | None) -> int:
    """Tokens for memories out of a window of this size."""
    return int((context_window or WINDOW) * SHARE)


def may_see(row: Mapping[str, Any], reader: Reader) -> bool:
    """Whether this memory is the reader's."""
    if row["scope"] == "shared":
        return reader.role == row["role"] or reader.role in row["reach"]
    if row["role"] != reader.role:
        return False
    if row["scope"] == "model":
        return reader.model is not None and row["model"] == reader.model
    if row["scope"] == "session":
        return reader.session is not None and row["session"] == reader.session
    return True


def holds_at(row: Mapping[str, Any], moment: str) -> bool:
    """Whether this was kept, and was so at that moment: from its beginning on, until its end."""
    if row["status"] != "kept" or row["valid_from"] > moment:
        return False
    return row["valid_to"] is None or moment < row["valid_to"]


def known_to(
    rows: Iterable[Mapping[str, Any]], reader: Reader, moment: datetime
) -> list[Mapping[str, Any]]:
    """All that a reader may remember of a moment. What is still sealed nobody can."""
    at = format_time(moment)
    return [
        row
        for row in rows
        if may_see(row, reader) and holds_at(row, at) and not is_sealed(row["text"])
    ]


async def recall(
    question: str,
    rows: Iterable[Mapping[str, Any]],
    reader: Reader,
    search: Search,
    moment: datetime,
    budget: int = int(WINDOW * SHARE),
    limit: int = 10,
) -> Recalled:
    """What answers the question, of what the reader may remember of that moment."""
    known = {row["id"]: row for row in known_to(rows, reader, moment)}
    among = [
        Passage(name, row["text"], row["key_id"] if row["sealed"] else None)
        for name, row in known.items()
    ]
    found = await search.find(question, among, WIDER * limit)
    good = [match for match in found if match.score >= search.bar]
    ranked = sorted(
        (_remembered(known[match.id], match, moment) for match in good),
        key=lambda one: (-one.score, one.id),
    )
    taken, left_out, tokens = _within(ranked, budget, limit)
    best = max((match.score for match in found), default=0.0)
    return Recalled(taken, tokens, budget, left_out, not good, round(best, 4), search.name)


def _within(
    ranked: Sequence[Remembered], budget: int, limit: int
) -> tuple[tuple[Remembered, ...], tuple[str, ...], int]:
    """The best that fit: one that is too large is passed over for smaller ones behind it."""
    taken: list[Remembered] = []
    left_out: list[str] = []
    tokens = 0
    for one in ranked:
        if len(taken) == limit:
            break
        if tokens + one.tokens > budget:
            left_out.append(one.id)
            continue
        taken.append(one)
        tokens += one.tokens
    return tuple(taken), tuple(left_out), tokens


def _remembered(row: Mapping[str, Any], match: Match, moment: datetime) -> Remembered:
    begin = max(parse_time(row["valid_from"]), parse_time(row["told_at"]))
    days = max(0.0, (moment - begin).total_seconds() / 86_400)
    fresh = 0.5 ** (days / HALF_LIFE_DAYS[row["kind"]])
    score = match.score * (1 - FADES * (1 - fresh)) * (1 - DOUBT * (1 - row["confidence"]))
    return Remembered(
        row["id"],
        row["text"],
        row["kind"],
        round(score, 4),
        round(match.score, 4),
        tuple(row["sources"]),
        row["valid_from"],
        row["valid_to"],
        estimated_tokens(row["text"]) + OVERHEAD,
    )
