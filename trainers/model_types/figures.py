"""Figures over many answers, from what was found of each."""

from __future__ import annotations

from collections.abc import Sequence

from trainers.model_types.kind import Measured, Problem, RewardOf


def mean(per_item: Sequence[float | None]) -> Measured:
    """Over the items of which something can be said."""
    said = [one for one in per_item if one is not None]
    return Measured(sum(said) / len(said) if said else None, tuple(per_item))


def macro_f1(wanted: Sequence[str], found: Sequence[str | None]) -> Measured:
    """The mean over all classes, each weighing the same; an answer that is none is a miss.

    The value of an item is whether it is right: the figure is no mean over items.
    """
    pairs = list(zip(wanted, found, strict=True))
    scores = []
    for label in sorted({one for pair in pairs for one in pair if one is not None}):
        hits = pairs.count((label, label))
        scores.append(2 * hits / (wanted.count(label) + found.count(label)))
    right = tuple(float(one == other) for one, other in pairs)
    return Measured(sum(scores) / len(scores) if scores else None, right)


def each(
    reward: RewardOf, problems: Sequence[Problem], outputs: Sequence[str]
) -> list[float | None]:
    """What a reward says of every answer."""
    return [reward(problem, text) for problem, text in zip(problems, outputs, strict=True)]
