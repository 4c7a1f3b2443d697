"""A structured answer, looked for in what a model said, and validated every time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from guardrails.replies import SHOWN, complaints

LOOKED_AT = 16
"""Objects that are tried in one text; each costs one pass over the rest of it."""

_DECODER = json.JSONDecoder()


class Read(NamedTuple):
    """The answer, or what is wrong with it."""

    value: BaseModel | None
    wrong: str


def read(kind: type[BaseModel], said: str, finish: str = "stop") -> Read:
    """The first thing in the text that is a valid answer of this kind."""
    text = _without_thoughts(said).strip()
    if not text:
        return Read(None, "the answer is empty")
    whole = _validated(kind, text)
    if whole.value is not None:
        return whole
    first_wrong = ""
    for part in _objects(text):
        found = _validated(kind, part)
        if found.value is not None:
            return found
        first_wrong = first_wrong or found.wrong
    if finish == "length":
        return Read(None, "the answer was cut off, it has to be shorter")
    return Read(None, first_wrong or whole.wrong)


def _validated(kind: type[BaseModel], text: str) -> Read:
    try:
        return Read(kind.model_validate_json(text), "")
    except ValidationError as error:
        return Read(None, complaints(error))
    except Exception as error:  # a validator of whoever asks may stumble over anything
        return Read(None, f"{type(error).__name__}: {error}"[:SHOWN])


def _without_thoughts(said: str) -> str:
    """Models that think aloud close their thoughts with this mark before they answer."""
    return said.rpartition("</think>")[2]


def _objects(text: str) -> Iterator[str]:
    start = text.find("{")
    for _ in range(LOOKED_AT):
        if start < 0:
            return
        end = _end(text, start)
        if end:
            yield text[start:end]
        start = text.find("{", end or start + 1)


def _end(text: str, start: int) -> int:
    """Where the object ends that begins here; 0 where none does."""
    try:
        found: tuple[Any, int] = _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError):
        return 0
    return found[1]
