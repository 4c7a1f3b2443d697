"""What methods are good for: the mean quality of all their parts, those that failed among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agents.data_generator.state import Making, Rating, State
from events.catalog.methods import MethodFlagged, MethodRated
from events.message import Event


def rated(state: State, making: Making, by_source: Mapping[str, float]) -> Sequence[Event]:
    """What is said of each method when a set has ended; a part without a row counts as 0, but
    where it was no fault of the method."""
    scores: dict[str, list[float]] = {}
    for part in making.parts.values():
        if not part.method:
            continue
        empty = part.built is None or not part.built.accepted
        if empty or part.source in by_source:
            quality = 0.0 if empty else by_source[part.source]
            scores.setdefault(part.method, []).append(min(max(quality, 0.0), 1.0))
    said: list[Event] = []
    for method, each in sorted(scores.items()):
        said += _one(state, method, each)
    return said


def _one(state: State, method: str, each: Sequence[float]) -> Sequence[Event]:
    before = state.methods.get(method, Rating(0.0, 0))
    parts = before.parts + len(each)
    score = round(min((before.score * before.parts + sum(each)) / parts, 1.0), 6)
    rating = MethodRated(method=method, score=score, parts=parts)
    least = state.policy.least_score
    if score >= least or method in state.flagged:
        return (rating,)
    reason = f"{score:.2f} over {parts} parts is below {least:g}"
    return (rating, MethodFlagged(method=method, score=score, reason=reason))
