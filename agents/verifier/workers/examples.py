"""Examples of experts, checked before they are trusted: by the verifier of the type itself.

Whoever wrote them, a row is a problem of the type with an answer that its verifier finds right;
anything else is counted by its reason and set aside. Rows are somebody's file: nothing in them is
believed, and none of them may be endless.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from random import Random
from typing import Any, NamedTuple

from events.catalog.examinations import ExamplesFound
from events.errors import Malformed, RatchetError
from trainers.model_types.kind import ModelType, Problem, Step, Trajectory, problem_of

LARGEST = 1 << 26
"""Bytes of a file of examples."""
CHECKED, CHECKED_AT_COST = 20_000, 300
"""So many rows of a file are checked, drawn by chance; fewer where verifying takes a process."""
LONGEST = 100_000
"""Characters of a row."""


class Examples(NamedTuple):
    """What a file of examples is worth."""

    found: ExamplesFound
    problems: tuple[Problem, ...]
    """Of the rows that are trusted."""
    refused: tuple[dict[str, Any], ...]
    """The others, with their reason."""


def examined(kind: ModelType, content: bytes, seed: int) -> Examples:
    """Every row, or so many of them drawn by chance."""
    if len(content) > LARGEST:
        raise Malformed("the examples are too large", right=f"at most {LARGEST:,} bytes")
    lines = content.splitlines()
    most = CHECKED_AT_COST if getattr(kind, "costly", False) else CHECKED
    places = sorted(Random(seed).sample(range(len(lines)), min(most, len(lines))))
    reasons, problems, refused = Counter[str](), [], []
    for place in places:
        problem, reason, detail = _checked(kind, lines[place])
        if problem is not None and not reason:
            problems.append(problem)
            continue
        reasons[reason] += 1
        refused.append({"line": place + 1, "reason": reason, "detail": detail[:300]})
    found = ExamplesFound(valid=len(problems), invalid=dict(sorted(reasons.items())))
    return Examples(found, tuple(problems), tuple(refused))


def _checked(kind: ModelType, line: bytes) -> tuple[Problem | None, str, str]:
    """The problem of a row; or why it is not trusted, in a word and in a sentence."""
    if len(line) > LONGEST:
        return None, "too_long", f"{len(line)} bytes"
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        return None, "unreadable", str(error)
    if not isinstance(row, dict):
        return None, "unreadable", "no JSON object"
    try:
        problem = problem_of(kind.preprocess(row))
        text = _text(kind, row, problem)
    except RatchetError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        return None, "no_problem", str(error)
    if not text:
        return None, "no_answer", "neither a completion nor steps"
    verdict = kind.verify(problem, text)
    return problem, "" if verdict.correct else "wrong", "; ".join(verdict.reasons)


def _text(kind: ModelType, row: Mapping[str, Any], problem: Problem) -> str:
    """What the expert wrote, whole."""
    completion = row.get("completion")
    if isinstance(completion, str) and completion:
        return completion
    steps = row.get("steps")
    if not isinstance(steps, list) or not steps:
        return ""
    own = tuple(
        Step(str(one["title"]), str(one["reasoning"]), str(one["action"]), float(one["reward"]))
        for one in steps
    )
    outcome = str(row.get("outcome", ""))
    return kind.completion(Trajectory(problem.id, problem.prompt, own, outcome))
