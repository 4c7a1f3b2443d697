"""What a model has kept of each of its capabilities, beside its baseline on the same items.

The role's task as a whole, and each reward that the type knows by name, such as form, have to be
surely kept; what counts is the one that is kept least surely. Areas of the task have too few items
for that: of each it is asked whether it was surely lost. All are looked at together, so each is
held to a narrower error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from events.catalog.training import Measured
from pipelines.evidence.intervals import LEVEL, bounded
from pipelines.evidence.ratios import retained

KEPT = 0.95
"""Share of a capability from which on it counts as kept."""

Scores = Mapping[str, Sequence[float]]
"""From 0 to 1, item by item, by capability or by area."""


def capabilities(after: Scores, before: Scores) -> dict[str, Measured]:
    """How much of each is kept; of what the baseline could not do nothing can be lost."""
    known = [name for name, own in before.items() if sum(own) > 0 and after.get(name)]
    return {name: retained(after[name], before[name], _narrower(len(known))) for name in known}


def least(kept: Mapping[str, Measured]) -> Measured | None:
    """The one that is least surely kept."""
    return min(kept.values(), key=lambda one: one.low, default=None)


def lost(after: Scores, before: Scores) -> tuple[str, ...]:
    """The areas of which surely less is left than has to be."""
    found = []
    for name, own in before.items():
        apart = [one - KEPT * other for one, other in zip(after[name], own, strict=True)]
        if apart and bounded(apart, -KEPT, 1.0, _narrower(len(before))).high < 0:
            found.append(name)
    return tuple(found)


def _narrower(many: int) -> float:
    return 1 - (1 - LEVEL) / max(1, many)
