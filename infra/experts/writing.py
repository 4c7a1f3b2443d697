"""What a writer writes who is sometimes wrong: drafts where the type knows how people draft, else
an answer with a slip in it, or one to another problem.

All of it follows from the problem and the seed. How often it is wrong follows from the temperature:
never at 0, every second time at 1.
"""

from __future__ import annotations

import re
from itertools import islice
from random import Random

from trainers.model_types.kind import ModelType, Problem, chance

TRIED = 20
"""Other problems among which one is looked for that ends in another word."""

_LAST_NUMBER = re.compile(r"=\s*(\d+)(?!.*=\s*\d)", re.DOTALL)


def written(kind: ModelType, problem: Problem, temperature: float, seed: int) -> str:
    """An answer; a ValueError where the type cannot read the problem."""
    right = kind.completion(kind.solve(problem))
    luck = chance("writer", problem.id, seed)
    if luck.random() >= temperature / 2:
        return right
    draft = getattr(kind, "draft", None)
    return str(draft(problem, seed)) if draft is not None else _slipped(kind, problem, right, luck)


def _slipped(kind: ModelType, problem: Problem, right: str, luck: Random) -> str:
    """A wrong answer: another last number, or what would be right for another problem."""
    number = _LAST_NUMBER.search(right)
    if number is not None:
        place = luck.randrange(number.start(1), number.end(1))
        digit = luck.choice([one for one in "0123456789" if one != right[place]])
        return f"{right[:place]}{digit}{right[place + 1 :]}"
    own = kind.solve(problem).outcome
    drawn = islice(kind.problems(luck.getrandbits(31), problem.difficulty), TRIED)
    others = [one for one in map(kind.solve, drawn) if one.outcome != own]
    ends = [one for one in others if one.outcome.split()[:1] != own.split()[:1]]
    if not others:
        raise ValueError("there is no other problem")
    return kind.completion((ends or others)[0])
