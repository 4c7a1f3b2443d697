"""Programs run in the sandbox and nowhere else, and their tests tell nearly right ones apart."""

from __future__ import annotations

import ast
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from events.errors import Refused
from tests.trainers.model_types.kinds import Known, halves, right, some
from trainers.model_types import model_type, programs
from trainers.model_types.code_generation import CodeGeneration
from trainers.model_types.kind import problem
from trainers.model_types.programs import chosen_tests, neighbours, program_of
from trainers.sandbox.checking import Checked

KIND = CodeGeneration()
ASKED = problem("f(n): add 3, square#", {"tests": ["assert f(1) == 16", "assert f(-3) == 0"]}, 0.5)


class Refusing:
    """A machine on which nothing holds."""

    def check(self, program: str, tests: Sequence[str], *, seconds: float) -> list[Checked]:
        raise Refused("no sandbox holds here", where=program[:5], right=f"{tests}{seconds}")


class Counting:
    """Lets everything pass, and counts."""

    asked = 0

    def check(self, program: str, tests: Sequence[str], *, seconds: float) -> list[Checked]:
        assert program
        assert seconds > 0
        self.asked += 1
        return [Checked(True) for _ in tests]


def answer(code: str) -> str:
    return f"<think>x</think>={code};"


def test_a_program_is_written_line_by_line() -> None:
    assert right(KIND, ASKED) == (
        "<think>add 3</think>n=n+3;<think>square</think>n=n*n;"
        "<think>program</think>=def f(n):\n n=n+3\n n=n*n\n return n;"
    )


@pytest.mark.parametrize(
    ("code", "share"),
    [
        ("def f(n):\n n=n+3\n n=n*n\n return n", 1.0),
        ("def f(n): return (n + 3) ** 2", 1.0),
        ("f = lambda n: 16 if n == 1 else 0", 1.0),
        ("def f(n): return 16", 0.5),
        ("def f(n): return n", 0.0),
        ("def f(n): return 1 / 0", 0.0),
        ("import os\nos._exit(0)", 0.0),
        ("class Any:\n def __eq__(self, other): return True\ndef f(n): return Any()", 0.0),
        ("def g(n): return 16", 0.0),
    ],
)
def test_a_program_is_judged_by_what_it_does(code: str, share: float) -> None:
    """In the real sandbox."""
    assert KIND.rewards["tests"](ASKED, answer(code)) == share
    assert KIND.rewards["syntax"](ASKED, answer(code)) == 1
    verdict = KIND.verify(ASKED, answer(code))
    assert verdict.correct == (share == 1)
    assert verdict.reward == float(share == 1)


def test_a_program_that_never_ends_is_wrong_soon() -> None:
    verdict = KIND.verify(ASKED, answer("def f(n):\n while True: pass"))
    assert verdict == (False, 0.0, ("timeout",))


def test_what_is_no_python_is_never_run() -> None:
    kind = CodeGeneration(Refusing())
    outside = ("def f(n):\n n=n+3\nreturn n", "if 1:\n return 2", "class A:\n return 3")
    for code in (*outside, "def f(n:", "\x00", "1 +", "(" * 3000, "def f(n): return n" * 400):
        assert not kind.verify(ASKED, answer(code)).correct
        assert kind.rewards["syntax"](ASKED, answer(code)) == 0


def test_what_a_compiler_would_not_end_with_is_read_at_once() -> None:
    """Each `finally` within another doubles the work, so nothing of it is compiled out here."""
    kind = CodeGeneration(Counting())
    lines = []
    for depth in range(45):
        lines += [" " * depth + "try:", " " * depth + " pass", " " * depth + "finally:"]
    began = time.thread_time()
    assert kind.rewards["syntax"](ASKED, answer("\n".join([*lines, " " * 45 + "pass"]))) == 1
    assert time.thread_time() - began < 1


def test_where_no_sandbox_holds_nothing_is_said_to_be_right_or_wrong() -> None:
    kind = CodeGeneration(Refusing())
    with pytest.raises(Refused, match="no sandbox holds"):
        kind.verify(ASKED, right(kind, ASKED))


def test_the_same_program_is_run_once() -> None:
    counting = Counting()
    kind = CodeGeneration(counting)
    for _ in range(5):
        kind.verify(ASKED, right(kind, ASKED))
        kind.metrics([ASKED], [right(kind, ASKED)])
    assert counting.asked == 1
    kind.verify(ASKED._replace(answer={"tests": ["assert f(0) == 9"]}), right(kind, ASKED))
    assert counting.asked == 2


def test_no_module_of_the_types_runs_text_by_itself() -> None:
    modules = sorted(Path(programs.__file__).parent.glob("*.py"))
    assert Path(programs.__file__) in modules
    for module in modules:
        called = [
            one.func for one in ast.walk(ast.parse(module.read_text())) if isinstance(one, ast.Call)
        ]
        names = {one.id for one in called if isinstance(one, ast.Name)}
        assert not names & {"exec", "eval", "compile", "__import__"}, module


@pytest.mark.parametrize("difficulty", [0.0, 0.5, 1.0])
def test_what_tests_want_is_what_python_answers(difficulty: float) -> None:
    problems = some(KIND, 100, 9, difficulty)
    known = Known((program_of(one.prompt).code(), one.answer["tests"]) for one in problems)
    for results in known.results.values():
        assert all(one.passed for one in results), results


@pytest.mark.parametrize("difficulty", [0.0, 0.5, 1.0])
def test_programs_that_are_nearly_right_fail(difficulty: float) -> None:
    """Of those that differ anywhere among more inputs than the tests were chosen from."""
    caught = missed = 0
    for one in some(KIND, 100, 2, difficulty):
        program = program_of(one.prompt)
        tests = [halves(test) for test in one.answer["tests"]]
        inputs = range(-60, 61) if program.variable == "n" else [given for given, _ in tests]
        for other in neighbours(program):
            if all(other.result(value) == program.result(value) for value in inputs):
                continue
            wrong = any(other.result(given) != wanted for given, wanted in tests)
            caught, missed = caught + wrong, missed + (not wrong)
    assert caught > 500
    assert missed / (caught + missed) < 0.03


def test_tests_are_the_same_whenever_they_are_made() -> None:
    for one in some(KIND, 30):
        assert chosen_tests(program_of(one.prompt)) == one.answer["tests"]
        assert len(set(one.answer["tests"])) == 6


def test_the_type_of_the_table_uses_the_sandbox_of_this_machine() -> None:
    assert model_type("code_generation").verify(ASKED, answer("def f(n): return 16")).reasons == (
        "the answer was 16",
    )
