"""Which problems the suites ask, and into which areas they fall.

The fixed suite asks the same for ever, of the first item on, so that a longer one begins with the
shorter. Fresh problems are drawn for each look, without those of the fixed suite. All of them are
held out from every training, by the hash of their prompts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from agents.verifier.suites import EXAMPLES, FIXED, FRESH
from events.errors import Refused
from pipelines.areas import areas
from trainers.model_types.kind import ModelType, Problem

FOR_EVER = 20_261_121
"""The seed of every fixed suite."""


class Question(NamedTuple):
    """One item of a suite."""

    suite: str
    problem: Problem
    areas: tuple[str, ...] = ()


def questions(
    kind: ModelType, suites: Sequence[str], items: int, seed: int, examples: Sequence[Problem]
) -> list[Question]:
    """All items, no prompt twice."""
    fixed = _drawn(kind, FOR_EVER, items) if {FIXED, FRESH} & {*suites} else []
    known = {one.prompt for one in fixed}
    fresh: list[Problem] = []
    if FRESH in suites:
        more = _drawn(kind, seed, items + len(fixed))
        fresh = [one for one in more if one.prompt not in known][:items]
    by_suite = {
        FIXED: fixed if FIXED in suites else [],
        FRESH: fresh,
        EXAMPLES: [one for one in examples if one.prompt not in known],
    }
    seen: dict[str, Question] = {}
    for suite, problems in by_suite.items():
        for one in problems:
            seen.setdefault(one.prompt, Question(suite, one))
    found = list(seen.values())
    told = areas(kind, [one.problem for one in found])
    return [one._replace(areas=some) for one, some in zip(found, told, strict=True)]


def _drawn(kind: ModelType, seed: int, many: int) -> list[Problem]:
    """So many problems, or as many as a small language has."""
    while True:
        try:
            return kind.suite(seed, many)
        except Refused:
            if many < 2:
                raise
            many //= 2
