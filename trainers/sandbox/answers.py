"""What comes back from inside, read as data and as nothing else: it may hold any lie."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

DEEPEST = 45


class Answer(NamedTuple):
    """What a question was answered with."""

    value: Any = None
    """Plain data: numbers, texts, lists, dictionaries and the like."""
    trouble: str = ""
    """Why there is no value."""


class Unreadable(Exception):
    """Not what the asker writes."""


LOADED = -1
"""Stands where a test's number does, when the program as a whole is spoken of."""

KINDS: dict[str, Callable[[list[Any]], Any]] = {
    "list": list,
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
    "dict": lambda parts: dict(zip(parts[::2], parts[1::2], strict=True)),
    "complex": lambda parts: complex(*parts),
}


def read(said: bytes) -> dict[int, list[Answer]]:
    """The answers by the number of their test, as far as they can be read; the first counts."""
    found: dict[int, list[Answer]] = {}
    for line in said.split(b"\n")[:-1]:
        try:
            number, answers = json.loads(line)
            if type(number) is not int:
                break
            found.setdefault(number, [_answer(one) for one in answers])
        except (ArithmeticError, RecursionError, TypeError, Unreadable, ValueError):
            break
    return found


def _answer(said: Any) -> Answer:
    kind, what = said
    if kind == "value":
        return Answer(value=_value(what))
    if kind == "raised":
        return Answer(trouble=_text(what) or "an error without a name")
    if kind == "not plain":
        return Answer(trouble=f"no plain data, but {_text(what)}")
    raise Unreadable


def _value(said: Any, depth: int = 0) -> Any:
    if depth > DEEPEST:
        raise Unreadable
    if said is None or isinstance(said, (bool, int, float)):
        return said
    if not isinstance(said, list) or not said:
        raise Unreadable
    kind, *parts = said
    if kind == "str":
        return bytes.fromhex(*parts).decode("utf-8", "surrogatepass")
    if kind == "bytes":
        return bytes.fromhex(*parts)
    if kind not in KINDS:
        raise Unreadable
    return KINDS[kind]([_value(one, depth + 1) for one in parts])


def _text(said: Any) -> str:
    return bytes.fromhex(said).decode("utf-8", "replace")
