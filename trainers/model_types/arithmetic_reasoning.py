"""Additions, column by column: every carry is written down, and the sum at the end.

`347+585#` is answered by `<think>ones</think>7+5+0=12;<think>tens</think>4+8+1=13;` and so on, up
to `<think>sum</think>=0932;`. Difficulty means more digits, and a third number near its end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from trainers.model_types.figures import each, mean
from trainers.model_types.kind import (
    Measured,
    Problem,
    RewardOf,
    Step,
    Trajectory,
    Verdict,
    chance,
    for_evaluation,
    for_training,
    problem,
    share,
)
from trainers.model_types.steps import actions, final, shares, written

COLUMNS = ("ones", "tens", "hundreds", "thousands", "myriads")
THREE = 0.75
"""From this difficulty on there are three numbers to add."""
_PROMPT = re.compile(r"[0-9]{1,5}(\+[0-9]{1,5}){1,2}#")
_SUM = re.compile("[0-9]{1,8}")


class Sum(BaseModel):
    """A finished answer."""

    model_config = ConfigDict(frozen=True)

    total: int
    steps: int


class Arithmetic:
    """Numbers of 1 to 5 digits, by difficulty; two of 3 in the middle."""

    name = "arithmetic_reasoning"
    schema: type[BaseModel] = Sum

    def __init__(self) -> None:
        self.rewards: Mapping[str, RewardOf] = {
            "format": lambda _, text: 0.0 if _answer(text) is None else 1.0,
            "outcome": self._outcome,
        }

    def problems(self, seed: int, difficulty: float = 0.5) -> Iterator[Problem]:
        return for_training(self._drawn(seed, difficulty))

    def suite(self, seed: int, n: int) -> list[Problem]:
        return for_evaluation(self._drawn(seed, 0.5), n)

    def solve(self, problem: Problem) -> Trajectory:
        numbers = _numbers(problem.prompt)
        width = max(len(str(one)) for one in numbers)
        rewards, carry, steps = shares(width + 1), 0, []
        for place in range(width):
            digits = [one // 10**place % 10 for one in numbers]
            total = sum(digits) + carry
            action = f"{'+'.join(map(str, digits))}+{carry}={total:02}"
            steps.append(Step(COLUMNS[place], COLUMNS[place], action, rewards[place]))
            carry = total // 10
        outcome = f"{sum(numbers):0{width + 1}}"
        steps.append(Step("sum", "sum", f"={outcome}", rewards[width]))
        return Trajectory(problem.id, problem.prompt, tuple(steps), outcome)

    def completion(self, trajectory: Trajectory) -> str:
        return "".join(written(step) for step in trajectory.steps)

    def preprocess(self, row: Mapping[str, Any]) -> dict[str, Any]:
        prompt = re.sub(r"\s", "", str(row.get("prompt", "")))
        prompt = prompt if prompt.endswith("#") else f"{prompt}#"
        return {**row, "prompt": prompt, "answer": sum(_numbers(prompt))}

    def validate_output(self, text: str, problem: Problem) -> Sum:
        found = _answer(text)
        if found is None:
            what = f"an answer to {problem.prompt[:40]} is steps, and at the end = and the sum"
            raise ValueError(what)
        return found

    def verify(self, problem: Problem, text: str) -> Verdict:
        found = _answer(text)
        if found is None:
            return Verdict(False, 0.0, ("no sum stands at the end",))
        total = _total(problem)
        if total is None:
            return Verdict(False, 0.0, ("nobody knows the sum",))
        if found.total != total:
            return Verdict(False, 0.0, (f"{found.total} is not the sum",))
        return Verdict(True, 1.0)

    def metrics(self, problems: Sequence[Problem], outputs: Sequence[str]) -> dict[str, Measured]:
        return {"accuracy": mean(each(self._outcome, problems, outputs))}

    def vocabulary(self) -> str:
        return "".join(sorted(set("0123456789+=#;<>/think" + "".join(COLUMNS) + "sum")))

    def _outcome(self, problem: Problem, text: str) -> float | None:
        return None if _total(problem) is None else self.verify(problem, text).reward

    def _drawn(self, seed: int, difficulty: float) -> Iterator[Problem]:
        luck = chance(self.name, seed, difficulty)
        digits = 1 + round(4 * share(difficulty))
        low, high = (10 ** (digits - 1), 10**digits - 1) if digits > 1 else (0, 9)
        many = 3 if difficulty >= THREE else 2
        while True:
            numbers = [luck.randint(low, high) for _ in range(many)]
            yield problem(f"{'+'.join(map(str, numbers))}#", sum(numbers), difficulty)


def _numbers(prompt: str) -> list[int]:
    if _PROMPT.fullmatch(prompt) is None:
        raise ValueError(f"{prompt[:40]!r} is no addition such as 347+585#")
    return [int(one) for one in prompt[:-1].split("+")]


def _answer(text: str) -> Sum | None:
    """The sum at the end of well-formed steps."""
    said = final(text)
    if said is None or _SUM.fullmatch(said) is None:
        return None
    return Sum(total=int(said), steps=len(actions(text) or ()))


def _total(problem: Problem) -> int | None:
    """What is right, where it is known: a number, or its digits."""
    said = str(problem.answer)
    return int(said) if _SUM.fullmatch(said) else None


TYPE = Arithmetic()
