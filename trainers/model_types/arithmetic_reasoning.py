"""Additions, column by column: every carry is written down, and the sum at the end."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

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
    identity,
)
from trainers.model_types.steps import actions, shares, written

COLUMNS = ("ones", "tens", "hundreds", "thousands", "myriads")
_PROMPT = re.compile(r"(\d{1,5})\+(\d{1,5})#")
_SUM = re.compile(r"=\s*(\d{1,8})")


class Sum(BaseModel):
    """A finished answer."""

    model_config = ConfigDict(frozen=True)

    total: int
    steps: int


class Arithmetic:
    """Two numbers of 1 to 5 digits, by difficulty; 3 in the middle."""

    name = "arithmetic_reasoning"
    schema: type[BaseModel] = Sum

    def __init__(self) -> None:
        self.rewards: Mapping[str, RewardOf] = {
            "format": lambda _, text: 0.0 if _answer(text) is None else 1.0,
            "outcome": lambda problem, text: self.verify(problem, text).reward,
        }

    def problems(self, seed: int, difficulty: float = 0.5) -> Iterator[Problem]:
        return for_training(self._drawn(seed, difficulty))

    def suite(self, seed: int, n: int) -> list[Problem]:
        return for_evaluation(self._drawn(seed, 0.5), n)

    def solve(self, problem: Problem) -> Trajectory:
        first, second = _numbers(problem.prompt)
        width = max(len(str(first)), len(str(second)))
        rewards, carry, steps = shares(width + 1), 0, []
        for place in range(width):
            one, other = first // 10**place % 10, second // 10**place % 10
            total = one + other + carry
            action = f"{one}+{other}+{carry}={total:02}"
            steps.append(Step(COLUMNS[place], COLUMNS[place], action, rewards[place]))
            carry = total // 10
        outcome = f"{first + second:0{width + 1}}"
        steps.append(Step("sum", "sum", f"={outcome}", rewards[width]))
        return Trajectory(problem.id, problem.prompt, tuple(steps), outcome)

    def completion(self, trajectory: Trajectory) -> str:
        return "".join(written(step) for step in trajectory.steps)

    def preprocess(self, row: Mapping[str, Any]) -> dict[str, Any]:
        prompt = re.sub(r"\s", "", str(row["prompt"]))
        prompt = prompt if prompt.endswith("#") else f"{prompt}#"
        return {**row, "prompt": prompt, "answer": sum(_numbers(prompt))}

    def validate_output(self, text: str, problem: Problem) -> Sum:
        found = _answer(text)
        if found is None:
            what = f"an answer to {problem.prompt} is steps, and at the end = and the sum"
            raise ValueError(what)
        return found

    def verify(self, problem: Problem, text: str) -> Verdict:
        found = _answer(text)
        if found is None:
            return Verdict(False, 0.0, ("no sum stands at the end",))
        if found.total != int(problem.answer):
            return Verdict(False, 0.0, (f"{found.total} is not the sum",))
        return Verdict(True, 1.0)

    def metrics(self, problems: Sequence[Problem], outputs: Sequence[str]) -> dict[str, Measured]:
        right = tuple(
            float(self.verify(problem, text).correct)
            for problem, text in zip(problems, outputs, strict=True)
        )
        return {"accuracy": Measured(sum(right) / len(right) if right else 0.0, right)}

    def vocabulary(self) -> str:
        return "".join(sorted(set("0123456789+=#;<>/think" + "".join(COLUMNS) + "sum")))

    def _drawn(self, seed: int, difficulty: float) -> Iterator[Problem]:
        luck = chance(self.name, seed, difficulty)
        digits = 1 + round(4 * min(max(difficulty, 0.0), 1.0))
        low, high = (10 ** (digits - 1), 10**digits - 1) if digits > 1 else (0, 9)
        while True:
            first, second = luck.randint(low, high), luck.randint(low, high)
            prompt = f"{first}+{second}#"
            yield Problem(identity(prompt), prompt, first + second, difficulty)


def _numbers(prompt: str) -> tuple[int, int]:
    match = _PROMPT.fullmatch(prompt)
    if match is None:
        raise ValueError(f"{prompt[:40]!r} is no addition such as 347+585#")
    return int(match[1]), int(match[2])


def _answer(text: str) -> Sum | None:
    """The sum at the end of well-formed steps."""
    found = actions(text)
    match = _SUM.fullmatch(found[-1]) if found else None
    return None if match is None or found is None else Sum(total=int(match[1]), steps=len(found))


TYPE = Arithmetic()
