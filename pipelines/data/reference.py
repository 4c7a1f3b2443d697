"""What a model type itself would give: the scale on which variety and balance are read.

Problems of a closed language are few words put together again and again; that is no fault of
the data. So what counts is how varied the rows are beside so many fresh problems of the same
difficulties, solved by the type's own expert. Chance makes small samples differ, so several are
drawn, and the least varied of them is the measure.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from events.catalog.training import Measured
from pipelines.data.figures import effective, variety
from pipelines.data.rows import Row, evenly
from pipelines.data.words import tokens
from trainers.model_types.kind import ModelType, Problem
from trainers.rows import Asked

SAMPLE = 500
"""Rows that are compared; the measures depend on how many there are."""
DRAWN = 2_000
"""Problems of all samples that are drawn together."""
SAMPLES = range(2, 21)
DRAWS = 4
"""Problems that are drawn for each that is wanted: some come twice."""
CLASS = 20
"""Rows of a class at least, else answers are no classes."""
FREQUENT = 0.05
"""Share of the rows from which on a pair of words is everybody's."""
USUAL = 0.15
"""Share of such pairs in people's prose: articles, prepositions, names of the subject."""

MASKED = re.compile("[0-9]+")

Sample = list[Row]


class Scale(NamedTuple):
    """How varied the least varied of the samples is."""

    prompts: tuple[float, float]
    """As they stand, and with all numbers the same."""
    completions: tuple[float, float] | None
    """None where the type has no expert."""
    labels: float
    classes: int
    """How many answers there are; of too many, none is a class."""
    steps: float


def scale(kind: ModelType, rows: Sequence[Row]) -> Scale | None:
    """For so many rows of these difficulties; None where the type gives too few."""
    wanted = Counter(round(_difficulty(row), 1) for row in evenly(rows, SAMPLE))
    asked: Any = kind
    return _scale(asked, tuple(sorted(wanted.items())))


def diversity(rows: Sequence[Row], like: Scale | None) -> Measured:
    """How varied the rows are, beside the samples; the weaker of prompts and completions."""
    some = evenly(rows, SAMPLE)
    prompts = [str(row.get("prompt", "")) for row in some]
    completions = [str(row.get("completion") or row.get("chosen") or "") for row in some]
    if like is None:
        return _unlike_each_other(prompts)
    told = _beside(prompts, like.prompts)
    if like.completions is None or not all(completions):
        return told
    return min(told, _beside(completions, like.completions), key=lambda one: one.value)


def balance(rows: Sequence[Row], like: Scale | None) -> Measured:
    """How evenly the classes of answers are filled, beside the samples; where answers are no
    classes, how many steps they take.
    """
    some = evenly(rows, SAMPLE)
    classes = len({_label(row) for row in some})
    known = classes if like is None else max(classes, like.classes)
    labels: list[list[Hashable]]
    if known <= max(len(some) / CLASS, 2):
        labels = [[_label(row)] for row in some]
        most = float(classes) if like is None else like.labels
    elif like is None:
        return Measured(value=1.0, low=0.0, high=1.0, n=0)
    else:
        labels, most = [[_steps(row)] for row in some], like.steps
    return variety(labels, lambda counted: _within(counted, most))


@lru_cache(maxsize=64)
def _scale(kind: Any, wanted: tuple[tuple[float, int], ...]) -> Scale | None:
    n = sum(many for _, many in wanted)
    drawn = {difficulty: kind.problems(2**61 + 7, difficulty) for difficulty, _ in wanted}
    samples = []
    for _ in range(min(max(DRAWN // n, SAMPLES.start), SAMPLES.stop - 1)):
        sample = [
            _solved(kind, one, difficulty)
            for difficulty, many in wanted
            for one in _different(drawn[difficulty], many)
        ]
        if len(sample) < 0.9 * n:
            return None
        samples.append(sample)
    expert = all("completion" in row for sample in samples for row in sample)
    return Scale(
        _least(samples, "prompt"),
        _least(samples, "completion") if expert else None,
        min(effective(Counter(map(_label, sample))) for sample in samples),
        max(len({_label(row) for row in sample}) for sample in samples),
        min(effective(Counter(map(_steps, sample))) for sample in samples),
    )


def _least(samples: Sequence[Sample], field: str) -> tuple[float, float]:
    texts = [[str(row[field]) for row in sample] for sample in samples]
    plainly = min(effective(_counted(sample)) for sample in texts)
    return plainly, min(effective(_counted(map(_masked, sample))) for sample in texts)


def _different(drawn: Iterator[Problem], n: int) -> list[Problem]:
    """So many different problems, or as many as a few draws give."""
    found: dict[str, Problem] = {}
    for _, one in zip(range(DRAWS * n), drawn, strict=False):
        found.setdefault(one.id, one)
        if len(found) == n:
            break
    return list(found.values())


def _solved(kind: ModelType, one: Problem, difficulty: float) -> Row:
    row = {"prompt": one.prompt, "answer": one.answer, "difficulty": difficulty}
    try:
        solved = kind.solve(one)
    except ValueError:  # a type without an expert: its problems are all that is known
        return row
    return row | {"completion": kind.completion(solved), "steps": [{}] * len(solved.steps)}


def _beside(texts: Sequence[str], least: tuple[float, float]) -> Measured:
    """The variety of pairs of words, beside that of the samples: a number is a word of its own, or
    all are the same one, whichever says less good of them.
    """
    plainly, masked = least
    found = (
        variety([_pairs(one) for one in texts], lambda all_: _within(all_, plainly)),
        variety([_pairs(_masked(one)) for one in texts], lambda all_: _within(all_, masked)),
    )
    return min(found, key=lambda one: one.value)


def _within(counted: Counter[Hashable], most: float) -> float:
    return min(1.0, effective(counted) / most)


def _counted(texts: Iterable[str]) -> Counter[Hashable]:
    counted: Counter[Hashable] = Counter()
    for text in texts:
        counted.update(_pairs(text))
    return counted


def _masked(text: str) -> str:
    return MASKED.sub("0", text)


def _unlike_each_other(texts: Sequence[str]) -> Measured:
    """Of prose that nothing is known about: how little of it is said again and again."""
    pairs = [set(_pairs(text)) for text in texts]
    counted = Counter(pair for some in pairs for pair in some)
    bound = max(FREQUENT * len(texts), 3)
    again = [
        sum(counted[pair] > bound for pair in some) / len(some) if some else 1.0 for some in pairs
    ]

    def least(rows: Counter[Hashable]) -> float:
        there = [again[row] for row, many in rows.items() if many > 0 and isinstance(row, int)]
        return 1 - max(0.0, sum(there) / max(len(there), 1) - USUAL) / (1 - USUAL)

    return variety([[row] for row in range(len(texts))], least)


def _pairs(text: str) -> list[tuple[str, str]]:
    read = tokens(text)
    return list(zip(["", *read], [*read, ""], strict=True))


def _difficulty(row: Row) -> float:
    value = row.get("difficulty", 0.5)
    return float(value) if isinstance(value, int | float) and 0 <= value <= 1 else 0.5


def _label(row: Row) -> str | None:
    return Asked.model_construct(prompt="", answer=row.get("answer")).label()


def _steps(row: Row) -> int:
    return len(row.get("steps") or ())
