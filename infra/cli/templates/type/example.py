"""A model type of our own, Example, named by its path wherever a model type is asked for.

    model_type: path/to/example.py

As it stands, a model learns to count letters: `bananas: a#` is answered step by step, and at the
end by `=3`. Change what is marked with CHANGE, from top to bottom, and run the tests beside this
file. What each part has to be is said in `ModelType` in trainers/model_types/kind.py; a type that
is installed as a package may be offered under a name, as an entry point of the group ratchet.types.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

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
from trainers.model_types.steps import final, shares, written

LETTERS = "abn"
LONGEST = 12


class Answer(BaseModel):
    """CHANGE: what a finished answer is. Whoever uses the model gets one of these."""

    model_config = ConfigDict(frozen=True)

    word: str
    count: int = Field(ge=0)


class Example:
    """What a model is for."""

    name = "example"
    schema: type[BaseModel] = Answer

    def __init__(self) -> None:
        # Rewards keep their names and are never mixed: a model that is paid for form alone learns
        # to look right. None says that nothing can be said, which is something else than 0.
        self.rewards: Mapping[str, RewardOf] = {
            "format": lambda _, text: 0.0 if _read(text) is None else 1.0,
            "outcome": self._outcome,
        }

    def problems(self, seed: int, difficulty: float = 0.5) -> Iterator[Problem]:
        """Without end, and the same for the same seed. One prompt in eight is never among them."""
        return for_training(self._drawn(seed, difficulty))

    def suite(self, seed: int, n: int) -> list[Problem]:
        """To evaluate with: only prompts that no training sees."""
        return for_evaluation(self._drawn(seed, 0.5), n)

    def solve(self, problem: Problem) -> Trajectory:
        """CHANGE: the right solution in steps; SRL compares a model's actions with these.

        A step has a title, a thought, an action, and its share of the reward; the shares sum to 1.
        No action has a semicolon, which ends a step. The last one is the answer, behind `=`.
        """
        word, letter = _parts(problem.prompt)
        rewards, count, steps = shares(len(word) + 1), 0, []
        for sign, reward in zip(word, rewards, strict=False):
            count += sign == letter
            steps.append(Step(sign, sign, str(count), reward))
        steps.append(Step("sum", "sum", f"={count}", rewards[-1]))
        return Trajectory(problem.id, problem.prompt, tuple(steps), str(count))

    def completion(self, trajectory: Trajectory) -> str:
        """The text that a model is to write: `<think>thought</think>action;` for each step."""
        return "".join(written(step) for step in trajectory.steps)

    def preprocess(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """CHANGE: a row of your data, with `prompt` and `answer` as problems have them."""
        prompt = str(row.get("prompt", "")).strip()
        word, letter = _parts(prompt)
        return {**row, "prompt": prompt, "answer": word.count(letter)}

    def validate_output(self, text: str, problem: Problem) -> Answer:
        """The finished answer, or a ValueError."""
        count = _read(text)
        if count is None:
            raise ValueError("an answer is steps, and at the end = and a number")
        return Answer(word=_parts(problem.prompt)[0], count=count)

    def verify(self, problem: Problem, text: str) -> Verdict:
        """CHANGE: whether the text is right. It may be anything at all, and nothing may raise."""
        count = _read(text)
        if count is None:
            return Verdict(False, 0.0, ("no number stands at the end",))
        if count != problem.answer:
            return Verdict(False, 0.0, (f"it is not {count}",))
        return Verdict(True, 1.0)

    def metrics(self, problems: Sequence[Problem], outputs: Sequence[str]) -> dict[str, Measured]:
        """CHANGE: what people want to know. Every item is kept, for the gates' intervals."""
        return {"accuracy": mean(each(self._outcome, problems, outputs))}

    def vocabulary(self) -> str:
        """CHANGE: all symbols of prompts and completions. A list makes words the tokens."""
        return "".join(sorted(set(LETTERS + "sum" + "0123456789" + ": #=;" + "</think>")))

    def _outcome(self, problem: Problem, text: str) -> float | None:
        return None if problem.answer is None else self.verify(problem, text).reward

    def _drawn(self, seed: int, difficulty: float) -> Iterator[Problem]:
        """CHANGE: the source of all problems. Only `luck` decides, so that it can be repeated."""
        luck = chance(self.name, seed, difficulty)
        longest = 4 + round((LONGEST - 4) * share(difficulty))
        while True:
            word = "".join(luck.choice(LETTERS) for _ in range(luck.randint(4, longest)))
            letter = luck.choice(LETTERS)
            yield problem(f"{word}: {letter}#", word.count(letter), difficulty)


def _parts(prompt: str) -> tuple[str, str]:
    match = re.fullmatch(rf"([{LETTERS}]{{1,{LONGEST}}}): ([{LETTERS}])#", prompt)
    if match is None:
        raise ValueError(f"{prompt[:40]!r} is no question such as 'banana: a#'")
    return match[1], match[2]


def _read(text: str) -> int | None:
    """The number at the end of well-formed steps."""
    said = final(text)
    return int(said) if said and re.fullmatch("[0-9]{1,3}", said) else None


TYPE = Example()
