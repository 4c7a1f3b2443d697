"""Small functions in Python, written step by step and tried on tests that the model never sees.

    f(n): add 3, square#
    <think>add 3</think>n=n+3;<think>square</think>n=n*n;<think>program</think>=def f(n):
     n=n+3
     n=n*n
     return n;

What a model writes runs in the sandbox and nowhere else; where no sandbox holds, verifying refuses.
Here it is only parsed, to know whether it is Python at all. A semicolon ends a step, so no program
has one.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

from events.errors import Refused
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
    pieces_of,
    problem,
    share,
)
from trainers.model_types.programs import (
    ENDS,
    LISTS,
    NUMERIC,
    PROMPT_END,
    chosen_tests,
    drawn,
    program_of,
)
from trainers.model_types.steps import final, shares, written
from trainers.sandbox.exam import exam
from trainers.sandbox.sandbox import sandbox

SECONDS = 2.0
"""For all tests of a program together."""
LARGEST = 4_000
"""Characters of a program."""
FRAGMENTS = ("\n ", "def f(", "):\n ", "return ", " for i in x", " if i", "abs(", "max(", "min(",
             "sum(", "len(", "sorted(")  # fmt: skip
"""What programs in this language are put together of."""
REMEMBERED = 20_000
"""Programs whose results are not asked for again: samples of a group often are the same."""


class Checked(Protocol):
    """What became of one test."""

    @property
    def passed(self) -> bool: ...

    @property
    def reason(self) -> str: ...


class Checker(Protocol):
    """Puts tests to a program, behind walls."""

    def check(self, program: str, tests: Sequence[str], *, seconds: float) -> Sequence[Checked]: ...


class Code(BaseModel):
    """A finished answer."""

    model_config = ConfigDict(frozen=True)

    prompt: str
    code: str
    tests: tuple[str, ...]


class CodeGeneration:
    """One to three operations on a number or on a list."""

    name = "code_generation"
    schema: type[BaseModel] = Code
    costly = True

    def __init__(self, checker: Checker | None = None) -> None:
        self._checker = checker
        self._checked = lru_cache(REMEMBERED)(self._check)
        self.rewards: Mapping[str, RewardOf] = {
            "format": lambda _, text: 0.0 if final(text) is None else 1.0,
            "syntax": lambda _, text: None if final(text) is None else float(_parses(text)),
            "tests": self._tests,
            "outcome": self._outcome,
        }

    def problems(self, seed: int, difficulty: float = 0.5) -> Iterator[Problem]:
        return for_training(self._drawn(seed, difficulty))

    def suite(self, seed: int, n: int) -> list[Problem]:
        return for_evaluation(self._drawn(seed, 0.5), n)

    def solve(self, problem: Problem) -> Trajectory:
        program = program_of(problem.prompt)
        lines, code = program.lines(), program.code()
        rewards = shares(len(lines) + 1)
        steps = [
            Step(one.words(), one.words(), line, reward)
            for one, line, reward in zip(program.operations, lines, rewards, strict=False)
        ]
        steps.append(Step("program", "program", f"={code}", rewards[-1]))
        return Trajectory(problem.id, problem.prompt, tuple(steps), code)

    def completion(self, trajectory: Trajectory) -> str:
        return "".join(written(step) for step in trajectory.steps)

    def preprocess(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A row {"prompt", "tests"}, or one that has them in its answer."""
        prompt = str(row.get("prompt", "")).strip()
        tests = (row.get("answer") or row).get("tests")
        if not prompt or not isinstance(tests, list | tuple) or not tests:
            raise ValueError("a row has a prompt, and tests such as 'assert f(1) == 2'")
        prompt = prompt if prompt.endswith(PROMPT_END) else f"{prompt}{PROMPT_END}"
        for test in tests:
            try:
                exam(str(test))
            except Refused as why:
                raise ValueError(str(why)) from None
        return {**row, "prompt": prompt, "answer": {"tests": [str(one) for one in tests]}}

    def validate_output(self, text: str, problem: Problem) -> Code:
        code = final(text)
        if code is None or not _parses(text):
            raise ValueError("an answer is steps, and at the end = and a program in Python")
        return Code(prompt=problem.prompt, code=code, tests=tuple(_tests_of(problem)))

    def verify(self, problem: Problem, text: str) -> Verdict:
        """Right is what passes every test."""
        code, tests = final(text), _tests_of(problem)
        if code is None:
            return Verdict(False, 0.0, ("no program stands at the end",))
        if not _parses(text):
            return Verdict(False, 0.0, ("the program is no Python",))
        if not tests:
            return Verdict(False, 0.0, ("there are no tests",))
        failed = [one for one in self._checked(code, tests) if one]
        return Verdict(not failed, float(not failed), tuple(dict.fromkeys(failed)))

    def metrics(self, problems: Sequence[Problem], outputs: Sequence[str]) -> dict[str, Measured]:
        return {
            "accuracy": mean(each(self._outcome, problems, outputs)),
            "syntax_validity": mean([float(_parses(text)) for text in outputs]),
            "test_pass_rate": mean(each(self._tests, problems, outputs)),
        }

    def vocabulary(self) -> str:
        known = (*NUMERIC, *LISTS, *ENDS)
        words = [text for one in known for text in (one.words, one.code)]
        words += ["def f(n):\n return x, program#=; 0123456789 <think></think>"]
        return "".join(sorted(set("".join(words)) - set("{}")))

    @property
    def pieces(self) -> tuple[str, ...]:
        """A program takes half as many tokens so."""
        words = [one.words for one in (*NUMERIC, *LISTS, *ENDS)]
        return (*FRAGMENTS, *pieces_of([*words, *FRAGMENTS, "program"]))

    def _tests(self, problem: Problem, text: str) -> float | None:
        """The share of the tests that pass; of what is no program, none."""
        code, tests = final(text), _tests_of(problem)
        if not tests:
            return None
        if code is None or not _parses(text):
            return 0.0
        return sum(not one for one in self._checked(code, tests)) / len(tests)

    def _outcome(self, problem: Problem, text: str) -> float | None:
        return self.verify(problem, text).reward if _tests_of(problem) else None

    def _check(self, code: str, tests: tuple[str, ...]) -> tuple[str, ...]:
        """Why each test failed; empty where it did not."""
        checker: Checker = self._checker or sandbox()
        checked = checker.check(code, tests, seconds=SECONDS)
        return tuple("" if one.passed else one.reason or "it failed" for one in checked)

    def _drawn(self, seed: int, difficulty: float) -> Iterator[Problem]:
        luck = chance(self.name, seed, difficulty)
        while True:
            program = drawn(luck, share(difficulty))
            yield problem(program.prompt(), {"tests": chosen_tests(program)}, difficulty)


@lru_cache(1024)
def _parses(text: str) -> bool:
    """Whether the answer is Python. Nothing of it runs, nor is it compiled: where `finally` stands
    within `finally`, a compiler takes time without bound for a text of a few lines.
    """
    code = final(text)
    if not code or len(code) > LARGEST:
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what a model writes may be written badly
            return not _returns(ast.parse(code))
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return False


def _returns(node: ast.AST) -> bool:
    """Whether it returns outside of a function: to parse that is Python, and to run it is none."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.expr):
        return False
    return isinstance(node, ast.Return) or any(map(_returns, ast.iter_child_nodes(node)))


def _tests_of(problem: Problem) -> tuple[str, ...]:
    answer = problem.answer if isinstance(problem.answer, Mapping) else {}
    tests = answer.get("tests")
    return tuple(map(str, tests)) if isinstance(tests, list | tuple) else ()


TYPE = CodeGeneration()
