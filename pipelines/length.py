"""Length, which is worth nothing by itself: pairs that teach that, and how far it counts still.

Good answers are the longer ones more often than not, so that whoever learns the best answer beside
the worst learns to count words, and comes no further. Beside pairs whose better side is longer
stand others here whose better side is shorter. Whether that was enough is asked of pairs that are
worth the same: there the longer one should win every other time.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from events.catalog.training import Measured
from pipelines.data.preferences import Answer, Preference, Scored
from pipelines.data.words import plain
from pipelines.evidence.intervals import proportion
from pipelines.splitting import STEPS

Row = Mapping[str, Any]
SHORTER = "the shorter one is better"
SAME = 1e-9
"""Answers whose scores are no further apart are worth the same."""
SWAY = 0.25
"""How far from every other time the longer of two that are worth the same may win."""
FEW = 30
"""Pairs below which nothing is said of what is worth the same."""


def words_more(better: str, other: str) -> int:
    """By how many words the first is longer."""
    return len(better.split()) - len(other.split())


def shorter(
    kept: Sequence[Row], scored: Iterable[Scored], least: float, seed: int
) -> list[Preference]:
    """Of the answers to the prompts of these pairs others whose better side is the shorter one: as
    many, gap by gap, as there are more with a longer one. Where a gap has too few of them, the
    widest of those that are left stand in."""
    known = {(one["prompt"], one["chosen"], one["rejected"]) for one in kept}
    prompts = {one["prompt"] for one in kept}
    missing = Counter[int]()
    for row in kept:
        more = words_more(row["chosen"], row["rejected"])
        missing[_step(row["gap"])] += (more > 0) - (more < 0)
    spare = [
        one
        for one in _pairs(scored, lambda gap: gap >= least)
        if one.prompt in prompts
        and words_more(one.chosen, one.rejected) < 0
        and (one.prompt, one.chosen, one.rejected) not in known
    ]
    random.Random(seed).shuffle(spare)
    spare.sort(key=lambda one: -_step(one.gap))
    found, left = list[Preference](), list[Preference]()
    for one in spare:
        wanted = missing[_step(one.gap)] > 0
        missing[_step(one.gap)] -= wanted
        (found if wanted else left).append(one)
    return found + left[: sum(many for many in missing.values() if many > 0)]


def alike(scored: Iterable[Scored]) -> list[Preference]:
    """Of each prompt the two answers that are worth the same and differ most in length; the longer
    one stands first."""
    found: dict[str, Preference] = {}
    for one in _pairs(scored, lambda gap: gap < SAME):
        more = words_more(one.chosen, one.rejected)
        before = found.get(one.prompt)
        if abs(more) > (0 if before is None else words_more(before.chosen, before.rejected)):
            turned = Preference(
                one.prompt, one.rejected, one.chosen, one.gap, one.confidence, one.provenance
            )
            found[one.prompt] = one if more > 0 else turned
    return list(found.values())


def sway(margins: Sequence[float], prompts: int) -> dict[str, Measured]:
    """Of answers that are worth the same: how often the longer one is scored higher, and how far
    that is from every other time. In a language that says the same in as many words, length has no
    say."""
    longer = proportion(sum(one > 0 for one in margins), len(margins))
    if len(margins) < FEW:
        return {"length_sway": Measured(value=0.0, low=0.0, high=0.0, n=prompts)}
    ends = sorted((abs(longer.low - 0.5), abs(longer.high - 0.5)))
    nearest = 0.0 if longer.low <= 0.5 <= longer.high else ends[0]
    value = abs(longer.value - 0.5)
    return {
        "longer_of_equals": longer,
        "length_sway": Measured(value=value, low=min(nearest, value), high=ends[1], n=longer.n),
    }


def _pairs(scored: Iterable[Scored], fits: Callable[[float], bool]) -> Iterator[Preference]:
    """All pairs of answers to one prompt that read differently, the better one first."""
    for one in scored:
        ranked = sorted(one.answers, key=lambda answer: (-answer.score, answer.text))
        different: dict[str, Answer] = {}
        for answer in ranked:
            different.setdefault(" ".join(plain(answer.text).split()), answer)
        for better, other in combinations(different.values(), 2):
            gap = round(better.score - other.score, 9)
            if fits(gap):
                yield Preference(one.prompt, better.text, other.text, gap, gap, one.provenance)


def _step(gap: float) -> int:
    """How wide a gap is, in fifths; the seam is where scores of tenths do not lie."""
    return min(STEPS, round(gap * STEPS))
