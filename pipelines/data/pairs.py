"""Pairs to learn from: which preferences are kept, which are set aside, and whether it is enough.

What is less sure than 0.2 is set aside and listed, for people to look at; so is what contradicts
itself. Gap and contamination are those of all pairs that were offered, measured before anything was
set aside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from events.catalog.training import Measured
from pipelines.data.conflicts import settled
from pipelines.data.contamination import Guarded, Hit, Nearest
from pipelines.data.figures import mean, share
from pipelines.data.preferences import Preference
from pipelines.data.quality import leaks_of

GAP, COUNT, CLEAN = 0.15, 1000, 0.9
"""What a set of pairs has to reach: its mean gap, how many there are, its clean share."""
CONFIDENT = 0.2
"""A pair below is set aside."""


@dataclass(frozen=True)
class Gate:
    """One bound, and whether it was kept."""

    name: str
    value: Measured
    bound: float

    @property
    def passed(self) -> bool:
        """By the figure itself; its interval stands beside it."""
        return self.value.n > 0 and self.value.value >= self.bound


@dataclass(frozen=True)
class Paired:
    """The pairs that can be learned from, and all that was set aside."""

    kept: list[Preference]
    gates: tuple[Gate, ...]
    aside: dict[str, list[Preference]] = field(default_factory=dict)
    """By reason: `leaked`, `conflict`, `unsure`, `repeated`."""
    hits: tuple[Hit, ...] = ()
    offered: int = 0

    @property
    def passed(self) -> bool:
        return all(gate.passed for gate in self.gates)

    def removed(self) -> dict[str, int]:
        return {reason: len(pairs) for reason, pairs in self.aside.items() if pairs}

    def waiting(self) -> list[Preference]:
        """What a person could settle."""
        return [*self.aside.get("conflict", ()), *self.aside.get("unsure", ())]


def paired(
    offered: Sequence[Preference],
    guarded: Guarded,
    nearest: Nearest | None = None,
    *,
    gap: float = GAP,
    count: int = COUNT,
    clean: float = CLEAN,
) -> Paired:
    """What is learned from these pairs, and whether it is enough."""
    rows = [one.row() for one in offered]
    leaks = leaks_of(rows, guarded, nearest)
    left = [one for number, one in enumerate(offered) if number not in leaks]
    verdict = settled(left, CONFIDENT)
    sure = [one for one in verdict.kept if one.confidence >= CONFIDENT]
    aside = {
        "leaked": [offered[number] for number in sorted(leaks)],
        "conflict": verdict.aside,
        "unsure": [one for one in verdict.kept if one.confidence < CONFIDENT],
        "repeated": verdict.repeated,
    }
    many = len(sure)
    gates = (
        Gate("gap", mean([one.gap for one in offered]), gap),
        Gate("pairs", Measured(value=many, low=many, high=many, n=len(offered)), count),
        Gate("decontamination", share(len(offered) - len(leaks), len(offered)), clean),
    )
    return Paired(sure, gates, aside, tuple(leaks[one] for one in sorted(leaks)), len(offered))
