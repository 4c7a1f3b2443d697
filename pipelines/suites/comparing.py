"""A model beside the one before it, on the same items, as evidence that adds up over looks.

Of each item both scores are kept, counted in cells, so that what was seen on different days is one
body of evidence. A bet on "it keeps less than this share" wins where it does, and fair bets may be
looked at after every item: neither another look nor another day makes a false alarm likelier than
the claim may have. The same bets, turned around, prove that the share is kept.

That it is not kept is a claim which costs a model its place, so it needs the evidence that all
claims of a role together may ask for. That it is kept changes nothing, and needs no more than one
claim alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from events.catalog.examinations import Cell
from events.catalog.gates import Checked, Verdict
from events.catalog.training import Measured
from pipelines.evidence.betting import above, below
from pipelines.evidence.quantiles import bisected

GRID = 20
"""Scores are told apart by twentieths: the shares of four samples and of our rubrics are exact."""
ALPHA = 0.05
SIZES = tuple(0.8 * 0.6**power for power in range(7))
"""Shares of the wealth put on each item. Scores of two models on one item lie near each other, so a
few hundred items can bear great bets; one below a thirtieth says nothing before ten thousand."""
MOST = 2.0
"""A model that keeps more than twice of what there was is not told apart from one that keeps
twice."""


def cells(after: Sequence[float], before: Sequence[float]) -> tuple[Cell, ...]:
    """The items, counted by what both earned."""
    pairs = Counter(
        (_rounded(one), _rounded(other)) for one, other in zip(after, before, strict=True)
    )
    return _told(pairs)


def merged(*some: Iterable[Cell]) -> tuple[Cell, ...]:
    """All of them together."""
    pairs = Counter[tuple[float, float]]()
    for cell in (one for each in some for one in each):
        pairs[cell.after, cell.before] += cell.n
    return _told(pairs)


def worse(found: Sequence[Cell], share: float) -> float:
    """The evidence that less than this share of the other's score is kept."""
    return below(_apart(found, share), share / (1 + share), SIZES)


def kept(found: Sequence[Cell], share: float) -> float:
    """The evidence that more than this share is kept."""
    return above(_apart(found, share), share / (1 + share), SIZES)


def retention(found: Sequence[Cell], needed: float, proof: float | None = None) -> Measured | None:
    """The share that is kept, between those that so much evidence refutes: `needed` that it is
    more, `proof` that it is less. None where the other earned nothing that could be kept."""
    n = sum(cell.n for cell in found)
    before = sum(cell.before * cell.n for cell in found)
    if not n or before <= 0:
        return None
    value = sum(cell.after * cell.n for cell in found) / before
    low = bisected(lambda share: kept(found, share) >= (proof or needed), 0.0, MOST)
    high = bisected(lambda share: worse(found, share) < needed, 0.0, MOST)
    return Measured(value=value, low=min(low, value), high=max(high, value), n=n)


def checked(
    found: Sequence[Cell], share: float, needed: float, name: str, proof: float | None = None
) -> Checked | None:
    """What is kept, beside what has to be; None where there is nothing to keep. So much evidence is
    `needed` to say that it is not kept, and `proof` that it is; the same, unless told."""
    span = retention(found, needed, proof)
    if span is None:
        return None
    verdict: Verdict = "inconclusive"
    if worse(found, share) >= needed:
        verdict = "fail"
    elif kept(found, share) >= (proof or needed):
        verdict = "pass"
    return Checked(
        metric=name, side="at_least", bound=share, value=span.value, low=span.low, high=span.high,
        n=span.n, verdict=verdict,
    )  # fmt: skip


def budgeted(look: int, alpha: float = ALPHA) -> float:
    """The evidence that the next look at a fixed suite needs: the parts of alpha that all looks
    together may use up add up to alpha, however many there will be."""
    return look * (look + 1) / alpha


def _apart(found: Sequence[Cell], share: float) -> dict[float, int]:
    """after - share * before of each item, moved to between 0 and 1."""
    values = Counter[float]()
    for cell in found:
        value = (cell.after - share * cell.before + share) / (1 + share)
        values[min(1.0, max(0.0, value))] += cell.n
    return values


def _rounded(score: float) -> float:
    return round(min(1.0, max(0.0, score)) * GRID) / GRID


def _told(pairs: Counter[tuple[float, float]]) -> tuple[Cell, ...]:
    return tuple(
        Cell(after=after, before=before, n=n) for (after, before), n in sorted(pairs.items())
    )
