"""What an answer to a benchmark's row is worth; programs are tried behind the sandbox's walls."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from trainers.sandbox.sandbox import sandbox

SECONDS = 5.0
"""For all tests of a program together."""
LARGEST = 20_000
"""Characters of an answer that are read."""
STOPS: dict[str, tuple[str, ...]] = {
    "exact": ("Question:", "\n\n"),
    "code": ("\nclass ", "\ndef ", "\n#", "\nif ", "\nprint(", "\n```"),
}
"""Where an answer ends that goes on with the next question, or behind its program."""

_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?")
_FENCE = re.compile(r"```(?:python)?\n(.*?)(?:```|\Z)", re.DOTALL)


class Scored(NamedTuple):
    """One answer."""

    score: float
    right: bool
    said: str


def choice(row: Mapping[str, Any], likely: Sequence[float]) -> Scored:
    """The likeliest choice; of equal ones the first."""
    best = max(range(len(likely)), key=lambda place: (likely[place], -place))
    right = best == row["answer"]
    return Scored(float(right), right, str(row["choices"][best])[:200])


def written(row: Mapping[str, Any], text: str) -> Scored:
    """A number, or a program."""
    text = text[:LARGEST]
    if row["kind"] == "exact":
        found = number(cut(text, STOPS["exact"]))
        right = found is not None and found == row["answer"]
        return Scored(float(right), right, (found or text)[:200])
    tests = tuple(map(str, row["answer"]))
    passed = _passed(program(row, text), tests)
    return Scored(passed / len(tests), passed == len(tests), text[:200])


def cut(text: str, stops: Sequence[str]) -> str:
    """Up to the first of them."""
    return text[: min((at for one in stops if (at := text.find(one)) >= 0), default=len(text))]


def number(text: str) -> str | None:
    """The number that an answer comes to: behind ####, or else the last one in it."""
    marked = "####" in text
    found = _NUMBER.findall(text.rpartition("####")[2] if marked else text)
    if not found:
        return None
    whole, _, part = (found[0] if marked else found[-1]).replace(",", "").partition(".")
    sign, digits = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    digits, part = digits.lstrip("0") or "0", part.rstrip("0")
    return f"{'' if digits == '0' and not part else sign}{digits}{f'.{part}' if part else ''}"


def program(row: Mapping[str, Any], text: str) -> str:
    """The program that is meant: a whole one in the answer, or the prompt gone on with."""
    fenced = _FENCE.search(text)
    text = fenced.group(1) if fenced else text
    begin = text.find(f"def {row['entry_point']}(")
    if begin >= 0:
        return cut(text[begin:], STOPS["code"])
    return str(row["prompt"]) + cut(text, STOPS["code"])


@lru_cache(4096)
def _passed(code: str, tests: tuple[str, ...]) -> int:
    return sum(one.passed for one in sandbox().check(code, tests, seconds=SECONDS))
