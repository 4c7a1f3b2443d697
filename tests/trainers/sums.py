"""A model type as small as can be: `47+8#` is answered by `7+8=15;=055;`."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple


class Problem(NamedTuple):
    """One sum."""

    id: str
    prompt: str
    answer: int


class Verdict(NamedTuple):
    """Right or not."""

    correct: bool
    reward: float


class Sums:
    """Two digits and one."""

    name = "sums"

    def vocabulary(self) -> str:
        return "0123456789+=#;"

    def problems(self, seed: int) -> Iterator[Problem]:
        draw = random.Random(seed)
        while True:
            two, one = draw.randrange(10, 100), draw.randrange(10)
            yield Problem(f"{two}+{one}", f"{two}+{one}#", two + one)

    def solve(self, problem: Problem) -> Problem:
        return problem

    def completion(self, solved: Problem) -> str:
        two, one = map(int, solved.id.split("+"))
        return f"{two % 10}+{one}={two % 10 + one:02};={solved.answer:03};"

    def verify(self, problem: Problem, text: str) -> Verdict:
        correct = text.endswith(f";={problem.answer:03};")
        return Verdict(correct, float(correct))
