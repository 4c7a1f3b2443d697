"""Our rewards as functions that TRL calls: the same scorers, asked one group at a time.

Each reward stays a function of its own, since they are compared apart. A score that says nothing is
None there too. What TRL's own count of groups without a difference does not see, is counted here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from statistics import fmean
from typing import Any

from trainers.advantages import says_something
from trainers.engine import Completion
from trainers.groups import Score, Task
from trainers.run import Run

ROW = "row"
"""The column that carries a row, as text: rows of one file need not have the same fields."""
Message = Mapping[str, Any]
Reward = Callable[..., list[float | None]]


def names_of(run: Run) -> tuple[str, ...]:
    """The rewards of this job, the one that counts first."""
    settings = run.settings
    wanted = getattr(settings, "reward", "verifier") == "verifier"
    form = getattr(settings, "format_weight", 1.0) > 0
    return (
        ("outcome", "format")
        if wanted and form and "format" in run.model_type.rewards
        else ("outcome",)
    )


def functions(run: Run, score: Score, names: Sequence[str], ends: frozenset[int]) -> list[Reward]:
    """One for each name; a batch is scored once for all of them."""
    batch = Batch(run, score, ends)
    return [_called(name, partial(batch.rewards, name)) for name in names]


class Batch:
    """The scores of the samples that TRL asked for last."""

    def __init__(self, run: Run, score: Score, ends: frozenset[int]) -> None:
        self._run, self._score, self._ends = run, score, ends
        self._key: Any = None
        self._known: dict[str, list[float | None]] = {}

    def rewards(
        self,
        name: str,
        completions: Sequence[Any],
        completion_ids: Sequence[Sequence[int]],
        log_metric: Callable[[str, float], None],
        **columns: Any,
    ) -> list[float | None]:
        rows = columns[ROW]
        key = [(row, tuple(ids)) for row, ids in zip(rows, completion_ids, strict=True)]
        if key != self._key:
            self._run.beat()
            texts = [_text(one) for one in completions]
            self._known, silent = self._scored(rows, texts, completion_ids)
            self._key = key
            log_metric("zero_variance", silent)
        return self._known[name]

    def _scored(
        self, rows: Sequence[str], texts: Sequence[str], ids: Sequence[Sequence[int]]
    ) -> tuple[dict[str, list[float | None]], float]:
        found: dict[str, list[float | None]] = {}
        silent = []
        for row, places in _groups(rows):
            own = [
                Completion(
                    texts[one], tuple(ids[one]), bool(ids[one]) and ids[one][-1] in self._ends
                )
                for one in places
            ]
            known = json.loads(row)
            scores = self._score(Task(known["prompt"], known), own)
            silent.append(not says_something(scores))
            for name, values in scores.items():
                found.setdefault(name, []).extend(values)
        return found, fmean(silent)


def _groups(rows: Sequence[str]) -> Iterator[tuple[str, list[int]]]:
    """The places of the samples of each prompt, which stand side by side."""
    for row, places in groupby(range(len(rows)), key=rows.__getitem__):
        yield row, list(places)


def _text(completion: str | Sequence[Message]) -> str:
    """What was answered; in a conversation, by its last message."""
    if isinstance(completion, str):
        return completion
    said = [one.get("content") or "" for one in completion if one.get("role") == "assistant"]
    return str(said[-1]) if said else ""


def _called(name: str, reward: Reward) -> Reward:
    """TRL logs a reward by the name of its function."""

    def scored(**given: Any) -> list[float | None]:
        return reward(**given)

    scored.__name__ = name
    return scored
