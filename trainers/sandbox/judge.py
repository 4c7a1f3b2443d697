"""Decides a claim over answers, outside of the program's process, with plain data alone.

What a test says itself is trusted and simply computed. What a program has answered is looked at
with few operations, each of which ends soon whatever the answer is.
"""

from __future__ import annotations

import ast
import builtins
import math
import operator
from collections.abc import Callable
from typing import Any

from trainers.sandbox.answers import Answer

NAMES = """abs all any bool chr complex dict divmod enumerate float frozenset int isinstance len
    list max min ord reversed round set sorted str sum tuple type zip"""
EXTERIOR: dict[str, Callable[..., Any]] = {name: getattr(builtins, name) for name in NAMES.split()}
"""Functions that are applied to answers out here; none makes much of little, as `range` does."""

TRUSTED: dict[str, Any] = {**EXTERIOR, "range": range, "math": math}
"""What a test's own expressions may use."""

COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda one, many: one in many,
    ast.NotIn: lambda one, many: one not in many,
}

ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
NUMBERS = (bool, int, float, complex)
HIGHEST_POWER = 16


class Undecided(Exception):
    """The claim makes no sense of this answer."""


def verdict(claim: ast.expr, answers: list[Answer]) -> bool:
    """Whether the claim holds."""
    try:
        return bool(_value(claim, answers))
    except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise Undecided(f"{type(error).__name__}: {error}"[:300]) from error


def _value(node: ast.expr, answers: list[Answer]) -> Any:
    if not any(isinstance(one, ast.Name) and one.id.startswith("?") for one in ast.walk(node)):
        text = ast.Expression(ast.fix_missing_locations(node))
        return eval(compile(text, "test", "eval"), {**TRUSTED, "__builtins__": {}})

    def of(one: ast.expr) -> Any:
        return _value(one, answers)

    match node:
        case ast.Name(id=name):
            return answers[int(name[1:])].value
        case ast.BoolOp(op=op, values=[*before, last]):
            for one in before:
                if bool(value := of(one)) is isinstance(op, ast.Or):
                    return value
            return of(last)
        case ast.Compare():
            return _compared(node, of)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not of(operand)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_number(of(operand))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in ARITHMETIC:
            return _reckoned(op, of(left), of(right))
        case ast.List(elts=parts):
            return [of(one) for one in parts]
        case ast.Tuple(elts=parts):
            return tuple(of(one) for one in parts)
        case ast.Set(elts=parts):
            return {of(one) for one in parts}
        case ast.Dict(keys=keys, values=values):
            return {of(one): of(two) for one, two in zip(keys, values, strict=True) if one}
        case ast.Call(func=called, args=given, keywords=named):
            function = EXTERIOR[called.id] if isinstance(called, ast.Name) else of(called)
            return function(*map(of, given), **{one.arg: of(one.value) for one in named if one.arg})
    raise TypeError(f"nothing is known of {type(node).__name__}")


def _compared(node: ast.Compare, of: Callable[[ast.expr], Any]) -> bool:
    left = of(node.left)
    for op, one in zip(node.ops, node.comparators, strict=True):
        right = of(one)
        if not COMPARISONS[type(op)](left, right):
            return False
        left = right
    return True


def _reckoned(op: ast.operator, left: Any, right: Any) -> Any:
    """Numbers as they are; of the rest only sums, so that no answer grows into a big one."""
    if isinstance(op, ast.Add) and type(left) is type(right):
        return left + right
    if isinstance(op, ast.Pow) and not (type(right) is int and 0 <= right <= HIGHEST_POWER):
        raise ValueError(f"a power above {HIGHEST_POWER}")
    return ARITHMETIC[type(op)](_number(left), _number(right))


def _number(value: Any) -> Any:
    if not isinstance(value, NUMBERS):
        raise TypeError(f"{type(value).__name__} is no number")
    return value
