"""Rows as they lie in files: what was learned from, and beside it where each row came from.

The same rows are the same bytes, on every machine and every day. So a file of rows holds no ids and
no times; who made a row, from what, under which licence stands in a second file, line by line.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import IO, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from events.errors import LogDamaged, Malformed

Row = dict[str, Any]
T = TypeVar("T")

ORDER = (
    "prompt", "completion", "chosen", "rejected", "answer", "difficulty", "steps", "outcome",
)  # fmt: skip
"""The fields of a row that are known, as they are written; others follow by name."""
TELLING = frozenset({
    "id", "row", "row_id", "uuid", "guid", "event_id", "session", "session_id", "request_id",
    "user_id", "time", "date", "datetime", "timestamp", "ts", "created", "created_at", "updated",
    "updated_at", "recorded_at",
})  # fmt: skip
"""Names of fields that say who or when."""
LARGEST = 10_000_000
"""Bytes of one line."""
CHUNK = 1 << 16
DEEPEST = 64
"""Levels of lists and objects within a row; whoever walks through one may call himself."""


class Provenance(BaseModel):
    """Where a row came from."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    source: str = Field(min_length=1, max_length=200)
    method: str = Field(min_length=1, max_length=200)
    """How it was made."""
    session: str | None = None
    licence: str = Field(default="unknown", max_length=200)
    origin: str | None = Field(default=None, max_length=2000)
    """The page, the event or the data set that it was taken from."""
    cites: tuple[str, ...] = ()
    """Events whose knowledge went into it."""
    model: str | None = None
    """Which model wrote it."""
    verifier: str | None = None
    """Which model checked it."""
    score: float | None = None
    """What its verifier gave it, from 0 to 1."""
    scorer: str | None = Field(default=None, max_length=300)
    """Who said of a pair which answer is the better."""
    transcript: str | None = None
    """The artifact in which the making of it can be read."""


def written(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """The rows as a file."""
    return b"".join(line(row) for row in rows)


def line(row: Mapping[str, Any]) -> bytes:
    """One row, its fields in their order; refused where it tells who or when."""
    telling = sorted(TELLING & {name.lower() for name in row})
    if telling:
        raise Malformed(
            f"a row may not have the field {telling[0]!r}",
            where=telling[0],
            right="what was learned from; ids and times belong into its provenance",
        )
    known = {name: row[name] for name in ORDER if name in row}
    return _dumped(known | {name: row[name] for name in sorted(row) if name not in known})


def sidecar(provenance: Iterable[Provenance]) -> bytes:
    """Where the rows came from, one line for each, in their order."""
    return b"".join(
        _dumped({"row": number} | one.model_dump()) for number, one in enumerate(provenance)
    )


def read(content: bytes) -> list[Row]:
    """The rows of a file that was written here."""
    found = []
    for number, text in enumerate(content.splitlines(), 1):
        try:
            row = json.loads(text)
        except ValueError as error:
            raise LogDamaged(f"a row is no JSON ({error})", where=f"line {number}") from None
        except RecursionError:
            raise LogDamaged("a row is nested too deeply", where=f"line {number}") from None
        if not isinstance(row, dict):
            raise LogDamaged("a row is no JSON object", where=f"line {number}")
        found.append(row)
    return found


def read_sidecar(content: bytes, rows: int) -> list[Provenance]:
    """The provenance of so many rows."""
    found = []
    for number, row in enumerate(read(content)):
        if row.pop("row", None) != number:
            raise LogDamaged("the lines are not in the order of the rows", where=f"line {number}")
        try:
            found.append(Provenance.model_validate(row))
        except ValidationError:
            raise LogDamaged("this is no provenance", where=f"line {number + 1}") from None
    if len(found) != rows:
        raise LogDamaged(f"{len(found)} lines tell of {rows} rows", where="provenance")
    return found


def lines(source: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Every line by its number; of one that is too large only the beginning, whatever its size."""
    number = 0
    while text := source.readline(LARGEST + 1):
        number += 1
        rest = text
        while len(text) > LARGEST and not rest.endswith(b"\n"):
            rest = source.readline(CHUNK)
            if not rest:
                break
        yield number, text


def evenly(rows: Sequence[T], most: int) -> list[T]:
    """So many of them, from the first to the last, in the same distances."""
    n = len(rows)
    return list(rows) if n <= most else [rows[place * n // most] for place in range(most)]


def finite(value: Any) -> bool:
    """Whether JSON can hold it everywhere: no infinite number, no half of a character."""
    open_ones = [value]
    while open_ones:
        match open_ones.pop():
            case float() as number if not math.isfinite(number):
                return False
            case str() as text if any("\ud800" <= letter <= "\udfff" for letter in text):
                return False
            case dict() as inner:
                open_ones += [*inner, *inner.values()]
            case list() as inner:
                open_ones += inner
    return True


def deep(value: Any) -> bool:
    """Whether it is nested too deeply for a row."""
    level = [value]
    for _ in range(DEEPEST + 1):
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return False
    return True


def _dumped(value: Mapping[str, Any]) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode() + b"\n"
