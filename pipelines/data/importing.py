"""Somebody's own JSON lines: read line by line, and told by line what is wrong, several at once.

    trajectories  {"prompt", "completion"}, or {"prompt", "steps", "outcome"}, or all of these
    pairs         {"prompt", "chosen", "rejected"}, perhaps with "chosen_score" and
                  "rejected_score" from 0 to 1, or their "gap", and "confidence"; without any,
                  somebody preferred the one to the other, which counts as 1 and 0
                  or {"prompt", "responses": [{"text", "score"}, ...]}
    evaluation    {"prompt"}, perhaps with "answer"
    review        {"prompt", "a", "b"}, or pairs
    labels        {"item", "choice"}, the choice being a, b, same or unfit

Other fields stay with trajectories, and are left out of pairs. Ids and times leave the rows: the
id, the licence, the source and the model that a row names go into its provenance.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from events.catalog.reviews import Choice
from events.errors import Malformed
from events.suggest import malformed, near
from pipelines.data.preferences import Answer, Preference, Scored, preferences
from pipelines.data.rows import LARGEST, TELLING, Provenance, Row, deep, finite, lines
from trainers.rows import Evaluated, Pair, Solved, Written
from trainers.rows import Row as Shape

TOLD = 20
"""Findings that are told; beyond them reading ends."""
MOST = 1_000_000
"""Rows of a file."""

Score = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Sort = Literal["trajectories", "pairs", "evaluation", "review", "labels"]
Redact = Callable[[str], str]


class Chosen(Pair):
    """A pair, with what each answer was given."""

    chosen_score: Score | None = None
    rejected_score: Score | None = None
    gap: Score | None = None
    """Instead of both scores: what the one has more than the other."""
    confidence: Score | None = None

    def wrong(self) -> str:
        given = (self.chosen_score, self.rejected_score)
        if (given[0] is None) != (given[1] is None):
            return "one answer has a score and the other has none"
        if given[0] is not None and given[1] is not None and given[0] <= given[1]:
            return "the chosen answer has no higher score than the rejected one"
        return super().wrong()


class Response(BaseModel):
    """One answer of several."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True, defer_build=True)

    text: str
    score: Score


class Rated(Shape):
    """A prompt with several answers, each with its score."""

    prompt: str
    responses: Annotated[list[Response], Field(min_length=2, max_length=1_000)]
    confidence: Score | None = None


class Compared(Shape):
    """Two answers that somebody is to compare."""

    prompt: str
    a: str
    b: str

    def wrong(self) -> str:
        return "a and b are the same" if self.a == self.b else ""


class Label(Shape):
    """What somebody said of a pair in a queue."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True, defer_build=True)

    item: int = Field(ge=1)
    choice: Choice


class Imported(NamedTuple):
    """A row, in which line it stood, and where it came from."""

    line: int
    row: Row
    provenance: Provenance


def imported(
    source: IO[bytes],
    sort: Sort,
    where: str,
    origin: Provenance,
    redact: Redact | None = None,
    *,
    most: int = MOST,
) -> list[Imported]:
    """All rows of a file, or one error that tells what is wrong with it, line by line."""
    found: list[Imported] = []
    wrong: list[str] = []
    shapes: set[type[BaseModel]] = set()
    for number, text in lines(source):
        try:
            row = _parsed(text.removeprefix(b"\xef\xbb\xbf") if number == 1 else text)
            shape = shape_of(row, sort)
            shapes.add(shape)
            _fits(row, shape)
        except ValueError as error:
            wrong.append(f"line {number}: {error}")
        else:
            if redact is not None:
                row = _redacted(row, redact)
            found.append(Imported(number, *_parted(row, origin)))
        if len(wrong) >= TOLD:
            wrong.append("and perhaps more behind them")
            break
        if len(found) > most:
            wrong.append(f"there are more than {most:,} rows")
            break
    if not found and not wrong:
        wrong.append("there are no rows")
    if wrong:
        raise Malformed("; ".join(wrong), where=where, right=RIGHT[sort])
    return found


RIGHT: dict[Sort, str] = {
    "trajectories": 'one JSON object in each line, with "prompt" and "completion", or "prompt", '
    '"steps" and "outcome"',
    "pairs": 'one JSON object in each line, with "prompt", "chosen" and "rejected", or "prompt" '
    'and "responses", each of them with "text" and "score"',
    "evaluation": 'one JSON object in each line, with "prompt" and perhaps "answer"',
    "review": 'one JSON object in each line, with "prompt", "a" and "b"',
    "labels": 'one JSON object in each line, with "item", a number, and "choice", one of "a", '
    '"b", "same", "unfit"',
}


def shape_of(row: Mapping[str, Any], sort: Sort) -> type[Shape]:
    """What a row of this sort has to be, as its fields tell."""
    match sort:
        case "trajectories":
            return Solved if "steps" in row or "outcome" in row else Written
        case "pairs":
            return Rated if "responses" in row else Chosen
        case "evaluation":
            return Evaluated
        case "review":
            return Pair if "chosen" in row else Compared
    return Label


def preferred(rows: list[Imported]) -> Iterator[Preference]:
    """The pairs that rows of either form are."""
    for _, row, origin in rows:
        if "responses" in row:
            answers = [Answer(one["text"], float(one["score"])) for one in row["responses"]]
            many = len(answers) - 1
            sure = row.get("confidence")
            yield from preferences([Scored(row["prompt"], answers, origin, sure)], many)
            continue
        gap = 1.0
        if row.get("chosen_score") is not None:
            gap = float(row["chosen_score"]) - float(row["rejected_score"])
        elif row.get("gap") is not None:
            gap = float(row["gap"])
        sure = gap if row.get("confidence") is None else float(row["confidence"])
        yield Preference(row["prompt"], row["chosen"], row["rejected"], gap, sure, origin)


def pairs_in(raw: Mapping[str, Any], origin: Provenance) -> list[Preference]:
    """The pairs that somebody's row is, the widest gap first; a ValueError where it is none."""
    row = dict(raw)
    _fits(row, shape_of(row, "pairs"))
    found = list(preferred([Imported(0, *_parted(row, origin))]))
    return sorted(found, key=lambda one: -one.gap)


def _parsed(text: bytes) -> Row:
    if len(text) > LARGEST:
        raise ValueError(f"the row is larger than {LARGEST:,} bytes")
    if not text.strip():
        raise ValueError("the line is empty")
    try:
        row = json.loads(text.decode(), object_pairs_hook=_once, parse_constant=_no_number)
    except UnicodeDecodeError as error:
        raise ValueError(f"it is not UTF-8 from byte {error.start + 1} on") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"it is not JSON ({error.msg}, column {error.colno})") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except ValueError as error:
        if "int_max_str_digits" not in str(error):
            raise
        raise ValueError("a number has thousands of digits") from None
    if not isinstance(row, dict):
        raise ValueError("it is no JSON object")
    if deep(row):
        raise ValueError("it is nested too deeply")
    if not finite(row):
        raise ValueError("it holds an infinite number, or half of a character")
    return row


def _fits(row: Row, shape: type[Shape]) -> None:
    try:
        read = shape.model_validate(row)
        if shape is Solved and "completion" in row:
            Written.model_validate(row)
    except ValidationError as error:
        wrong = malformed(shape, error)
        missing = [one["loc"][0] for one in error.errors() if one["type"] == "missing"]
        known = {field.alias or name for name, field in shape.model_fields.items()}
        others = [name for name in row if name not in known]
        for name in missing:
            if meant := near(str(name), others):
                raise ValueError(
                    f"{name!r} is missing, and there is a misspelt {meant!r}"
                ) from None
        raise ValueError(f"{wrong.what} ({wrong.where})" if wrong.where else wrong.what) from None
    if read.wrong():
        raise ValueError(read.wrong())


def _parted(row: Row, origin: Provenance) -> tuple[Row, Provenance]:
    """What is learned from, and where it came from."""
    told: dict[str, Any] = {}
    for field, names in (
        ("session", ("id", "row_id", "session")),
        ("licence", ("licence", "license")),
        ("model", ("model",)),
        ("scorer", ("scorer", "annotator", "judge")),
    ):
        said = next((row[name] for name in names if isinstance(row.get(name), str | int)), None)
        if said is not None and str(said):
            told[field] = str(said)[:200]
    gone = TELLING | {"licence", "license", "model", "source", "scorer"}
    left = {name: value for name, value in row.items() if name.lower() not in gone}
    return left, origin.model_copy(update=told)


def _redacted(value: Any, redact: Redact) -> Any:
    match value:
        case str():
            return redact(value)
        case dict():
            return {name: _redacted(inner, redact) for name, inner in value.items()}
        case list():
            return [_redacted(inner, redact) for inner in value]
    return value


def _once(pairs: list[tuple[str, Any]]) -> Row:
    row = dict(pairs)
    if len(row) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice[:60]!r} stands there twice")
    return row


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number that JSON knows")
