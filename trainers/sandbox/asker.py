"""Runs in the program's own process: loads it, puts questions to it, and sends the answers out.

A question is an expression such as `add(1, 2)`. What the right answer is, nobody knows in here, so
a program that lies, patches what it finds or writes answers of its own can gain nothing by it: to
send the right value, it has to compute it. Sent as text to a bare interpreter; imports little.
"""

from __future__ import annotations

import marshal
import os
import sys

TYPE_CHECKING = False  # not from typing, which takes longer than most programs
if TYPE_CHECKING:
    from typing import Any

DEEPEST = 40
PROGRAM, ANSWERS = 3, 4


class NotPlain(Exception):
    """A value that is no plain data."""


def written(value: Any, depth: int = 0) -> str:
    """As JSON, in which tuples, sets, bytes and texts keep their kind."""
    if depth > DEEPEST:
        raise NotPlain("data nested too deeply")
    if value is None or value is True or value is False:
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        plain = float.__repr__(value)
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}.get(plain, plain)
    if isinstance(value, complex):
        return f'["complex",{written(value.real)},{written(value.imag)}]'
    if isinstance(value, str):
        return f'["str","{str.encode(value, "utf-8", "surrogatepass").hex()}"]'
    if isinstance(value, bytes):
        return f'["bytes","{bytes.hex(value)}"]'
    if isinstance(value, dict):
        return _listed("dict", [part for pair in dict.items(value) for part in pair], depth)
    kinds: tuple[Any, ...] = (list, tuple, set, frozenset)
    for kind in kinds:
        if isinstance(value, kind):
            return _listed(kind.__name__, kind.__iter__(value), depth)
    raise NotPlain(type(value).__name__)


def _listed(name: str, parts: Any, depth: int) -> str:
    return ",".join([f'["{name}"', *[written(one, depth + 1) for one in parts]]) + "]"


def _text(said: object) -> str:
    return '"' + str(said)[:300].encode("utf-8", "replace").hex() + '"'


def _told(error: BaseException) -> str:
    return f'["raised",{_text(f"{type(error).__name__}: {error}")}]'


def answers_of(steps: list[tuple[str, str]], space: dict[str, Any]) -> str:
    """The answers of one test, in a namespace of its own."""
    found: list[str] = []
    for kind, source in steps:
        try:
            if kind == "do":
                exec(source, space)
            else:
                found.append(f'["value",{written(eval(source, space))}]')
        except NotPlain as what:
            found.append(f'["not plain",{_text(what)}]')
        except BaseException as error:
            found.append(_told(error))
            if kind == "do":
                break
    return ",".join(found)


def send(line: str) -> None:
    left = line.encode() + b"\n"
    while left:
        left = left[os.write(ANSWERS, left) :]


def main() -> None:
    with open(PROGRAM, "rb") as file:
        text, tests = marshal.loads(file.read())
    program = type(sys)("program")
    sys.modules["program"] = program
    try:
        exec(compile(text, "program.py", "exec"), program.__dict__)
    except BaseException as error:
        send(f"[-1,[{_told(error)}]]")
        return
    send("[-1,[]]")
    for number, steps in tests:
        send(f"[{number},[{answers_of(steps, dict(program.__dict__))}]]")


if __name__ == "__main__":
    main()
