"""Areas of a role: by what kinds of problems a model is told where it is weak.

A type of people's own may name the area of a problem itself (`area`); of ours it follows from the
answer, or from what the prompt asks for. What no rule speaks of is one area.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any, TypeVar

from trainers.model_types.kind import Problem

T = TypeVar("T")

WHOLE = "all"
LONGEST = 40
"""Characters of the name of an area."""
FEW = 8
"""Items that an area has to have before it is called weak."""


def area(kind: Any, one: Problem) -> str:
    """The area of a problem; short, and safe in a table."""
    own = getattr(kind, "area", None)
    if callable(own):
        return _short(str(own(one)))
    rule = RULES.get(kind.name)
    return _short(rule(one) if rule else _by_answer(one.answer))


def by_area(items: Iterable[T], areas: Iterable[str]) -> dict[str, list[T]]:
    """Items in the order of the names of their areas."""
    found: dict[str, list[T]] = {}
    for item, name in zip(items, areas, strict=True):
        found.setdefault(name, []).append(item)
    return dict(sorted(found.items()))


def weak(scores: Mapping[str, Sequence[float]]) -> tuple[str, ...]:
    """The areas below what all items score on average, the weakest first; at most half of them."""
    known = {name: own for name, own in scores.items() if len(own) >= FEW}
    if len(known) < 2:
        return tuple(known)
    usual = fmean(score for own in known.values() for score in own)
    below = sorted((fmean(own), name) for name, own in known.items() if fmean(own) < usual)
    return tuple(name for _, name in below[: max(1, len(known) // 2)])


def _by_answer(answer: Any) -> str:
    """The first part of an answer that is a word, or a list of words."""
    if isinstance(answer, Mapping):
        for _, one in sorted(answer.items()):
            if isinstance(one, str) and len(one) <= LONGEST:
                return one
            if isinstance(one, list) and all(
                isinstance(part, str) and len(part) <= LONGEST for part in one
            ):
                return one[0] if one else "none"
    return answer if isinstance(answer, str) and 0 < len(answer) <= LONGEST else WHOLE


def _carries(one: Problem) -> str:
    numbers = [int(part) for part in re.findall(r"\d{1,30}", one.prompt)]
    carry = carries = 0
    for place in range(max((len(str(part)) for part in numbers), default=0)):
        carry = (sum(part // 10**place % 10 for part in numbers) + carry) // 10
        carries += carry > 0
    return f"carries-{carries}"


def _first_operation(one: Problem) -> str:
    words = re.findall(r"[a-z]{2,}", one.prompt.partition(":")[2])
    return words[0] if words else WHOLE


def _short(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:LONGEST] or WHOLE


RULES: dict[str, Callable[[Problem], str]] = {
    "arithmetic_reasoning": _carries,
    "code_generation": _first_operation,
}
"""Of types whose answers name no class."""
