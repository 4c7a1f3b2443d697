"""Rows of other people, on their way to be ours: bounded, freed of secrets and of personal data,
and verified.

What the type's own verifier does not call right is refused, whoever it comes from. Nothing of a
row is run outside the sandbox, and texts are never asked to do anything.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from agents.data_generator.sources.source import METHODS, Row
from events.errors import RatchetError
from guardrails.quoting import harmful
from guardrails.scanning import masked
from pipelines.data.rows import deep
from trainers.model_types.kind import ModelType, Problem, Step, Trajectory, held_out, problem_of
from trainers.model_types.steps import final, steps_of

LARGEST = 100_000
"""Characters of a row, as JSON; a larger one is refused."""
TOLERANCE = 1e-3
"""How far the rewards of steps may sum beside 1."""


class Sieve:
    """Takes rows of one source, keeps what can be trained on, and counts the others by reason."""

    def __init__(self, kind: ModelType, source: str, redact: bool = True) -> None:
        self._type, self._source = kind, source
        self._redact = redact
        self._seen: set[str] = set()
        self.rows: list[Row] = []
        self.provenance: list[Row] = []
        self.rejected: Counter[str] = Counter()

    def take(self, raw: object, licence: str, origin: str) -> bool:
        """Whether the row is kept; its origin is a page, an event or a data set."""
        reason, row = self._read(raw)
        if row is None:
            self.rejected[reason] += 1
            return False
        self.rows.append(row)
        self.provenance.append(
            {
                "source": self._source,
                "method": METHODS[self._source],
                "licence": licence[:200],
                "origin": origin[:2000],
            }
        )
        return True

    def _read(self, raw: object) -> tuple[str, Row | None]:
        if not isinstance(raw, Mapping) or not all(isinstance(name, str) for name in raw):
            return "no-row", None
        if deep(raw):
            return "no-row", None
        try:
            text = json.dumps(raw, ensure_ascii=False, allow_nan=False)
            if len(text) > LARGEST:
                return "too-large", None
            if any(mark.isprintable() and "think>" not in mark for mark in harmful(text)):
                return "markup", None  # thoughts are marked so in rows, and nothing else is
        except (ValueError, TypeError, RecursionError):
            return "no-row", None
        given = clean(raw) if self._redact else dict(raw)
        try:
            made = self._type.preprocess(given)
            problem = problem_of(made)
        except RatchetError:
            raise
        except Exception:  # whatever stands in a row of somebody's, the type cannot read it
            return "unfit", None
        if not problem.prompt.strip():
            return "unfit", None
        if held_out(problem.prompt):  # evaluation may ask it
            return "held-out", None
        if problem.prompt in self._seen:
            return "repeated", None
        found = self._solved(problem, made)
        if found is None:
            return "no-completion", None
        if not self._type.verify(problem, found["completion"]).correct:
            return "wrong", None
        self._seen.add(problem.prompt)
        return "", found

    def _solved(self, problem: Problem, made: Row) -> Row | None:
        """The row with steps that lead to its answer: its own, or the exact expert's."""
        steps, completion = own_steps(made), made.get("completion")
        try:
            expert = self._type.solve(problem)
        except ValueError:  # in words that the type's own language does not have
            expert = None
        if steps:
            outcome = str(made.get("outcome") or steps[-1].action.lstrip("= "))
            expert = Trajectory(problem.id, problem.prompt, steps, outcome)
        elif isinstance(completion, str) and completion.strip() and expert is None:
            written = steps_of(completion)
            if not written:
                return None
            outcome = final(completion) or completion.strip()
            expert = Trajectory(problem.id, problem.prompt, written, outcome)
            return row_of(problem, expert, completion.strip())
        if expert is None:
            return None
        return row_of(problem, expert, self._type.completion(expert))


def row_of(problem: Problem, found: Trajectory, completion: str) -> Row:
    """As rows of all sources are written."""
    return {
        "prompt": problem.prompt,
        "completion": completion,
        "answer": problem.answer,
        "difficulty": problem.difficulty,
        "steps": [step._asdict() for step in found.steps],
        "outcome": found.outcome,
    }


def own_steps(row: Row) -> tuple[Step, ...]:
    """The steps that a row brings, where they are steps."""
    given = row.get("steps")
    if not isinstance(given, list) or not given:
        return ()
    steps = []
    for one in given:
        if not isinstance(one, Mapping):
            return ()
        texts = [one.get(name) for name in ("title", "reasoning", "action")]
        reward = one.get("reward")
        if not all(isinstance(text, str) for text in texts) or not texts[2]:
            return ()
        if not isinstance(reward, int | float) or not 0 <= reward <= 1:
            return ()
        steps.append(Step(str(texts[0]), str(texts[1]), str(texts[2]), float(reward)))
    return tuple(steps) if abs(sum(step.reward for step in steps) - 1) < TOLERANCE else ()


def clean(value: Any) -> Any:
    """The same without secrets and personal data, in whatever text they stand."""
    match value:
        case str():
            return masked(value)
        case Mapping():
            return {name: clean(one) for name, one in value.items()}
        case list() | tuple():
            return [clean(one) for one in value]
        case _:
            return value
