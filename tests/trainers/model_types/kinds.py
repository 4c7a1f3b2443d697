"""The types that a contract is put to: ours, and the one that `ratchet types new` writes."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from trainers.model_types import TYPES, model_type
from trainers.model_types.code_generation import CodeGeneration
from trainers.model_types.kind import Problem
from trainers.sandbox.checking import Checked
from trainers.sandbox.sandbox import sandbox

TEMPLATE = Path(__file__).parents[3] / "infra/cli/templates/type/example.py"
NAMES = (*TYPES, str(TEMPLATE))
DIFFICULTIES = (0.0, 0.5, 1.0)
GROUP = 100
"""Programs that go into the sandbox together."""


def label(name: str) -> str:
    return Path(name).stem


def some(kind: Any, many: int, seed: int = 1, difficulty: float = 0.5) -> list[Problem]:
    return list(islice(kind.problems(seed, difficulty), many))


def right(kind: Any, problem: Problem) -> str:
    text: str = kind.completion(kind.solve(problem))
    return text


class Known:
    """A checker that has asked the sandbox before, many programs at a time, and remembers."""

    def __init__(self, pairs: Iterable[tuple[str, Sequence[str]]]) -> None:
        self.results: dict[tuple[str, tuple[str, ...]], tuple[Checked, ...]] = {}
        left = iter({(code, tuple(tests)) for code, tests in pairs})
        while group := list(islice(left, GROUP)):
            self._ask(group)

    def check(self, program: str, tests: Sequence[str], *, seconds: float) -> tuple[Checked, ...]:
        assert seconds > 0
        return self.results[program, tuple(tests)]

    def _ask(self, group: Sequence[tuple[str, tuple[str, ...]]]) -> None:
        """As functions of different names in one program; they are our own, and do no harm."""
        programs = [code.replace("def f(", f"def f{n}(", 1) for n, (code, _) in enumerate(group)]
        tests = [
            test.replace("f(", f"f{n}(", 1) for n, (_, tests) in enumerate(group) for test in tests
        ]
        found = iter(sandbox().check("\n".join(programs), tests, seconds=60, output=1 << 22))
        for code, own in group:
            self.results[code, own] = tuple(islice(found, len(own)))


class Nothing:
    """A checker that lets nothing pass, for texts that nobody would run."""

    def check(self, program: str, tests: Sequence[str], *, seconds: float) -> list[Checked]:
        assert program
        assert seconds > 0
        return [Checked(False, "nothing passes") for _ in tests]


class Everything:
    """A checker that lets everything pass, for texts that are not to come so far."""

    def check(self, program: str, tests: Sequence[str], *, seconds: float) -> list[Checked]:
        assert program
        assert seconds > 0
        return [Checked(True) for _ in tests]


def trusting(name: str) -> Any:
    """The type, where whatever runs is right."""
    return CodeGeneration(Everything()) if name == CodeGeneration.name else model_type(name)


def without_runs(name: str) -> Any:
    """The type, where what is written is not worth a run."""
    return CodeGeneration(Nothing()) if name == CodeGeneration.name else model_type(name)


def asked_before(name: str, problems: Sequence[Problem], wrong: Sequence[str] = ()) -> Any:
    """The type; if it runs programs, those of the expert have run, and these others."""
    if name != CodeGeneration.name:
        return model_type(name)
    kind = CodeGeneration()
    experts = [(kind.solve(one).outcome, one.answer["tests"]) for one in problems]
    others = [(code, one.answer["tests"]) for one, code in zip(problems, wrong, strict=False)]
    return CodeGeneration(Known([*experts, *others]))


def halves(test: str) -> tuple[Any, Any]:
    """What a test of ours gives a program, and what it wants of it."""
    claim = ast.parse(test).body[0]
    assert isinstance(claim, ast.Assert)
    assert isinstance(claim.test, ast.Compare)
    call = claim.test.left
    assert isinstance(call, ast.Call)
    return ast.literal_eval(call.args[0]), ast.literal_eval(claim.test.comparators[0])
