"""The language of the programs to be written: operations on a number or a list, one after another.

Each operation has its words, its Python, and what it does as a function of ours: so the right
answers are known without any program having run.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, NamedTuple

from trainers.model_types.kind import chance

TESTS = 6
NUMBERS = tuple(range(-40, 41))
"""What programs on numbers are tested with."""
PROMPT_END = "#"


class Operation(NamedTuple):
    """`{}` stands for a number in words and code, `{v}` for the variable."""

    words: str
    code: str
    does: Callable[[Any, int], Any]
    """Of the value and that number."""
    most: int = 30
    """That number is not above this, and not below 2."""


NUMERIC = (
    Operation("add {}", "{v}+{}", lambda n, k: n + k),
    Operation("subtract {}", "{v}-{}", lambda n, k: n - k),
    Operation("times {}", "{v}*{}", lambda n, k: n * k),
    Operation("modulo {}", "{v}%{}", lambda n, k: n % k),
    Operation("at least {}", "max({v},{})", max),
    Operation("at most {}", "min({v},{})", min),
    Operation("square", "{v}*{v}", lambda n, _: n * n),
    Operation("negate", "-{v}", lambda n, _: -n),
    Operation("absolute", "abs({v})", lambda n, _: abs(n)),
)
LISTS = (
    Operation("add {} each", "[i+{} for i in {v}]", lambda x, k: [i + k for i in x]),
    Operation("times {} each", "[i*{} for i in {v}]", lambda x, k: [i * k for i in x]),
    Operation("keep above {}", "[i for i in {v} if i>{}]", lambda x, k: [i for i in x if i > k]),
    Operation("keep below {}", "[i for i in {v} if i<{}]", lambda x, k: [i for i in x if i < k]),
    Operation("keep odd", "[i for i in {v} if i%2]", lambda x, _: [i for i in x if i % 2]),
    Operation("first {}", "{v}[:{}]", lambda x, k: x[:k], 6),
    Operation("skip {}", "{v}[{}:]", lambda x, k: x[k:], 6),
    Operation("reverse", "{v}[::-1]", lambda x, _: x[::-1]),
    Operation("sort", "sorted({v})", lambda x, _: sorted(x)),
)
ENDS = (
    Operation("sum", "sum({v})", lambda x, _: sum(x)),
    Operation("count", "len({v})", lambda x, _: len(x)),
)
"""Of a list, and the last operation on it."""


class Done(NamedTuple):
    """An operation with its number."""

    operation: Operation
    number: int

    def words(self) -> str:
        return self.operation.words.format(self.number)

    def code(self, variable: str) -> str:
        return self.operation.code.format(self.number, v=variable)


class Program(NamedTuple):
    """What is done, in order, to `n` or to the list `x`."""

    variable: str
    operations: tuple[Done, ...]

    def prompt(self) -> str:
        return (
            f"f({self.variable}): {', '.join(one.words() for one in self.operations)}{PROMPT_END}"
        )

    def lines(self) -> list[str]:
        return [f"{self.variable}={one.code(self.variable)}" for one in self.operations]

    def code(self) -> str:
        body = [*self.lines(), f"return {self.variable}"]
        return "\n ".join([f"def f({self.variable}):", *body])

    def result(self, value: Any) -> Any:
        for one in self.operations:
            value = one.operation.does(value, one.number)
        return value


_SHAPES = {
    variable: [
        (re.compile(re.escape(one.words).replace(r"\{\}", "([0-9]{1,2})")), one)
        for one in operations
    ]
    for variable, operations in (("n", NUMERIC), ("x", (*LISTS, *ENDS)))
}
_PROMPT = re.compile(r"f\(([nx])\): (.+)#")


def drawn(luck: Random, hard: float) -> Program:
    """One to three operations."""
    many = luck.randint(1 + (hard >= 0.5), 1 + math.ceil(2 * hard))
    if luck.random() < 0.5:
        return Program("n", tuple(_with(one, luck) for one in luck.sample(NUMERIC, many)))
    operations = [*luck.sample(LISTS, many - 1)]
    operations.append(luck.choice([one for one in (*LISTS, *ENDS) if one not in operations]))
    return Program("x", tuple(_with(one, luck) for one in operations))


def program_of(prompt: str) -> Program:
    """What a prompt of our own making asks for."""
    match = _PROMPT.fullmatch(prompt)
    operations = []
    for words in match[2].split(", ") if match else [""]:
        for shape, operation in _SHAPES[match[1]] if match else []:
            if (number := shape.fullmatch(words)) is not None:
                operations.append(Done(operation, int(number[1]) if number.groups() else 1))
                break
        else:
            raise ValueError(f"{prompt[:60]!r} is not in the language of these programs")
    assert match is not None
    return Program(match[1], tuple(operations))


def chosen_tests(program: Program) -> list[str]:
    """Few tests, chosen so that of the programs that are nearly the same as many as can be fail."""
    luck = chance("tests", program.prompt())
    pool = luck.sample(NUMBERS, 30) if program.variable == "n" else _lists(luck)
    right = [program.result(value) for value in pool]
    caught = [
        {place for place, value in enumerate(pool) if other.result(value) != right[place]}
        for other in neighbours(program)
    ]
    chosen: list[int] = []
    while len(chosen) < TESTS:
        left = [one for one in caught if not one & set(chosen)] or caught
        free = [place for place in range(len(pool)) if place not in chosen]
        chosen.append(max(free, key=lambda place: sum(place in one for one in left)))
    return [f"assert f({pool[place]!r}) == {right[place]!r}" for place in chosen]


def neighbours(program: Program) -> list[Program]:
    """Those with one operation left out, or with another number, or with another operation."""
    found = []
    known: Sequence[Operation] = NUMERIC if program.variable == "n" else LISTS
    for place, one in enumerate(program.operations):
        before, behind = program.operations[:place], program.operations[place + 1 :]
        others = [Done(one.operation, one.number + 1), Done(one.operation, one.number - 1)]
        others += [Done(other, one.number) for other in known if other is not one.operation]
        if one.operation in ENDS:
            others = [Done(other, 1) for other in ENDS if other is not one.operation]
        found += [Program(program.variable, (*before, other, *behind)) for other in others]
        found.append(Program(program.variable, (*before, *behind)))
    zeros = [other for other in found if any(done.number < 1 for done in other.operations)]
    return [other for other in found if other not in zeros]


def _with(operation: Operation, luck: Random) -> Done:
    if "{}" not in operation.words:
        return Done(operation, 1)
    return Done(operation, luck.randint(2, operation.most))


def _lists(luck: Random) -> list[list[int]]:
    """The empty one, and others with what lies about those numbers and what lies below."""
    many = [0, *(luck.randint(1, 12) for _ in range(23))]
    return [[luck.randint(-5, 34) for _ in range(length)] for length in many]
