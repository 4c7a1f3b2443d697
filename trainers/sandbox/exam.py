"""Splits a test: what only the program can answer is asked inside, and judged outside.

Of `assert add(1, 2) == 3` the program is asked `add(1, 2)`, and never hears of the 3. So it can
neither claim that it passed, nor answer with something that equals everything. That works where
a test compares answers with values it says itself; any other test is refused before it is used.
"""

from __future__ import annotations

import ast
from collections.abc import Set
from typing import Any, NamedTuple

from events.errors import Refused
from trainers.sandbox.answers import Answer
from trainers.sandbox.judge import ARITHMETIC, EXTERIOR, TRUSTED, Undecided, verdict

RIGHT = "assert CALL == VALUE, with the value written out"
UNASKABLE = (
    ast.Await,
    ast.BinOp,
    ast.GeneratorExp,
    ast.Lambda,
    ast.NamedExpr,
    ast.Starred,
    ast.UnaryOp,
    ast.Yield,
    ast.YieldFrom,
)
"""Has no value that could be sent, or would tell the program what it is compared with."""
OF_MATH = {"ceil", "floor", "isclose", "isinf", "isnan"}
KNOWN = set(TRUSTED)
"""Names that are Python's own; a test of a program that defines them anew is of no use."""


class Unjudgeable(Refused):
    """A test that a program could pass without doing what it asks."""


class Exam(NamedTuple):
    """One test, taken apart."""

    steps: tuple[tuple[str, str], ...]
    """In order: ("do", statements), ("ask", an expression)."""
    claims: tuple[ast.expr, ...]
    """What must hold, with the name `?0` for the first answer, and so on."""


def exam(test: str) -> Exam:
    """A test is a few statements, of which at least one is an assert."""
    try:
        body = ast.parse(test).body
    except (SyntaxError, ValueError) as error:
        raise Unjudgeable("a test is no Python", where=test[:200], right=RIGHT) from error
    steps: list[tuple[str, str]] = []
    claims: list[ast.expr] = []
    for statement in body:
        if isinstance(statement, ast.Assert):
            taken = _Apart(test, sum(kind == "ask" for kind, _ in steps))
            claims.append(taken.apart(statement.test))
            if not taken.asked:
                raise Unjudgeable("a test asks nothing of the program", where=test[:200])
            steps += [("ask", question) for question in taken.asked]
        elif any(isinstance(one, ast.Assert) for one in ast.walk(statement)):
            raise Unjudgeable("an assert inside another statement", where=test[:200], right=RIGHT)
        else:
            steps.append(("do", ast.unparse(statement)))
    if not claims:
        raise Unjudgeable("a test without an assert", where=test[:200], right=RIGHT)
    return Exam(tuple(steps), tuple(claims))


def trouble(of: Exam, answers: list[Answer]) -> str:
    """Why the test is not passed; empty when it is."""
    asked = sum(kind == "ask" for kind, _ in of.steps)
    for answer in answers:
        if answer.trouble:
            return answer.trouble
    if len(answers) != asked:
        return "it was not answered"
    for claim in of.claims:
        try:
            if not verdict(claim, answers):
                return f"the answer was {_shown(claim, answers)}"
        except Undecided as why:
            return str(why)
    return ""


def _shown(claim: ast.expr, answers: list[Answer]) -> str:
    names = [one.id for one in ast.walk(claim) if isinstance(one, ast.Name) and one.id[0] == "?"]
    return ", ".join(f"{answers[int(name[1:])].value!r:.80}" for name in names)


class _Apart:
    """The questions in one assert."""

    def __init__(self, test: str, first: int) -> None:
        self.test, self.first = test[:200], first
        self.asked: list[str] = []

    def apart(self, node: ast.expr) -> ast.expr:
        """The same expression with its questions taken out."""
        if not _of_the_program(node):
            return node
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            if sum(_of_the_program(one) for one in sides) > 1:
                raise self.refused("a test compares two answers, which could agree on anything")
        if _is_looked_into(node):
            return self._inside(node)
        if isinstance(node, UNASKABLE):
            raise self.refused(f"a test with such a {type(node).__name__} cannot be taken apart")
        compared = [one for one in ast.walk(node) if isinstance(one, ast.Compare)]
        if any(_of_the_program(one, _bound(node)) for one in compared):
            raise self.refused("a test compares where only the program sees it")
        self.asked.append(ast.unparse(node))
        return ast.Name(f"?{self.first + len(self.asked) - 1}", ast.Load())

    def _inside(self, node: ast.expr) -> ast.expr:
        changed: dict[str, Any] = {}
        for name, value in ast.iter_fields(node):
            if isinstance(node, ast.Call) and name in {"func", "keywords"}:
                if any(_of_the_program(one.value) for one in node.keywords):
                    raise self.refused("a test hands the program's own to a judge")
                changed[name] = value
            elif isinstance(value, ast.expr):
                changed[name] = self.apart(value)
            elif isinstance(value, list) and value and isinstance(value[0], ast.expr):
                changed[name] = [one if one is None else self.apart(one) for one in value]
            else:
                changed[name] = value
        return type(node)(**changed)

    def refused(self, what: str) -> Unjudgeable:
        return Unjudgeable(what, where=self.test, right=RIGHT)


def _is_looked_into(node: ast.expr) -> bool:
    """Whether the judge goes on inside; anything else of the program's is asked as a whole."""
    match node:
        case ast.BoolOp() | ast.Compare() | ast.UnaryOp(op=ast.Not() | ast.USub()):
            return True
        case ast.BinOp(op=op):
            return type(op) in ARITHMETIC
        case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
            return not any(isinstance(one, ast.Starred) for one in parts)
        case ast.Dict(keys=keys):
            return None not in keys
        case ast.Call(func=ast.Name(id="round"), args=[_, *digits]):
            return not any(_of_the_program(one) for one in digits)  # as many as it likes
        case ast.Call(func=ast.Name(id=name)):
            return name in EXTERIOR
        case ast.Call(func=ast.Attribute(value=ast.Name(id="math"), attr=name)):
            return name in OF_MATH
    return False


def _of_the_program(node: ast.AST, bound: Set[str] = frozenset()) -> bool:
    """Whether a name in it is neither Python's nor bound in it."""
    names = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
    return bool(names - KNOWN - _bound(node) - bound)


def _bound(node: ast.AST) -> set[str]:
    """The names that comprehensions and lambdas in it give."""
    parts = list(ast.walk(node))
    stored = {
        one.id for one in parts if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
    }
    return stored | {one.arg for one in parts if isinstance(one, ast.arg)}
