"""How good rows are to learn from: five parts, each from 0 to 1, and the weakest is the whole.

    validity       share of the rows that are well-formed, and right as their type verifies it
    diversity      how varied they are, beside fresh problems of the same type and difficulty
    duplicates     share of the rows that repeat no earlier one
    contamination  share of the rows that have no evaluation item in them
    balance        how evenly the classes of answers are filled, beside the same fresh problems

Measured on rows as they came, before anything is taken out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from pydantic import ValidationError

from events.catalog.training import Measured
from events.suggest import malformed
from pipelines.data.contamination import SHORTEST, Guarded, Hit, Nearest
from pipelines.data.figures import share, weakest
from pipelines.data.language import PROSE, Language, language_of
from pipelines.data.near import Near, repeated
from pipelines.data.reference import balance, diversity, scale
from pipelines.data.rows import Row, evenly
from pipelines.data.words import tokens
from trainers.model_types.kind import ModelType, Problem, Step, Trajectory, problem_of
from trainers.rows import Pair, Solved, Written

T = TypeVar("T")

TARGET = 0.95
"""From here on data may be used."""
COSTLY = 200
"""Rows that are verified where verifying one takes a process; the others are only read."""
PARTS = ("validity", "diversity", "duplicates", "contamination", "balance")


@dataclass(frozen=True)
class Quality:
    """The parts of the measure, and the rows that speak against it, by their number."""

    parts: dict[str, Measured]
    invalid: dict[int, str] = field(default_factory=dict)
    repeats: dict[int, Near] = field(default_factory=dict)
    leaks: dict[int, Hit] = field(default_factory=dict)

    @property
    def overall(self) -> Measured:
        return weakest(self.parts.values())

    def figures(self) -> dict[str, Measured]:
        """The parts, and `overall`."""
        return {**self.parts, "overall": self.overall}


def guarding(items: Sequence[str], kind: ModelType | None) -> Guarded:
    """Evaluation items as they are looked for in data of this type."""
    return Guarded(items, _language(kind))


def evaluated(
    rows: Sequence[Row],
    kind: ModelType | None,
    guarded: Guarded | None = None,
    nearest: Nearest | None = None,
) -> Quality:
    """How good these rows are; without a type, as prose that anybody may have written."""
    if not rows:
        return Quality(dict.fromkeys(PARTS, share(0, 0)))
    asked = evenly(range(len(rows)), COSTLY if getattr(kind, "costly", False) else len(rows))
    verified = frozenset(asked)
    invalid = {}
    for number, row in enumerate(rows):
        wrong = wrong_with(row, kind if number in verified else None)
        if wrong:
            invalid[number] = wrong
    sure = len(verified) if len(verified) < len(rows) else len(rows)
    repeats = repeated_rows(rows, kind)
    leaks = leaks_of(rows, guarded, nearest) if guarded is not None else {}
    like = None if kind is None else scale(kind, rows)
    bad = len(invalid) if sure == len(rows) else len(verified & invalid.keys())
    parts = {
        "validity": share(sure - bad, sure),
        "diversity": diversity(rows, like),
        "duplicates": share(len(rows) - len(repeats), len(rows)),
        "contamination": share(len(rows) - len(leaks), len(rows)),
        "balance": balance(rows, like),
    }
    return Quality(parts, invalid, repeats, leaks)


def repeated_rows(rows: Sequence[Row], kind: ModelType | None) -> dict[int, Near]:
    """The rows that repeat an earlier one."""
    return _told(repeated([compared(row, kind) for row in rows], _language(kind)))


def leaks_of(
    rows: Sequence[Row], guarded: Guarded, nearest: Nearest | None = None
) -> dict[int, Hit]:
    """The rows that have an evaluation item in what they ask or in what they teach."""
    if not len(guarded):
        return {}
    told = [_texts_of(row) for row in rows]
    different = list(dict.fromkeys(text for texts in told for text in texts))
    leaks = dict(zip(different, guarded.leaks(different, nearest), strict=True))
    hits = [next((hit for text in texts if (hit := leaks[text])), None) for texts in told]
    return _told(hits)


def compared(row: Row, kind: ModelType | None) -> str:
    """What of a row is compared with other rows: its problem; of pairs, and where no type says what
    a problem is, all of it.
    """
    prompt = str(row.get("prompt", ""))
    if kind is None and "completion" in row:
        return f"{prompt}\n{row['completion']}"
    if "chosen" in row:
        return "\n".join((prompt, str(row["chosen"]), str(row.get("rejected", ""))))
    return prompt


def wrong_with(row: Row, kind: ModelType | None) -> str:
    """What is wrong with a row, or ''; a type says whether it is also right."""
    shape = Pair if "chosen" in row or "rejected" in row else Solved if "steps" in row else Written
    try:
        read = shape.model_validate(row)
        if shape is Solved and "completion" in row:
            Written.model_validate(row)
    except ValidationError as error:
        wrong = malformed(shape, error)
        return f"{wrong.what} ({wrong.where})" if wrong.where else wrong.what
    if read.wrong() or kind is None:
        return read.wrong()
    try:
        problem = problem_of(kind.preprocess(row))
    except (ValueError, TypeError, AttributeError) as error:
        return " ".join(str(error).split())[:200] or "it is no row of this type"
    if shape is Pair:
        return _preferred(row, problem, kind)
    verdict = kind.verify(problem, _text(row, problem, kind))
    return "" if verdict.correct else "; ".join(verdict.reasons)[:200] or "it is not right"


def _text(row: Row, problem: Problem, kind: ModelType) -> str:
    if "completion" in row:
        return str(row["completion"])
    steps = tuple(
        Step(one["title"], one["reasoning"], one["action"], one["reward"]) for one in row["steps"]
    )
    return kind.completion(Trajectory(problem.id, problem.prompt, steps, str(row["outcome"])))


def _preferred(row: Row, problem: Problem, kind: ModelType) -> str:
    """Where the type can tell, the chosen one has to be the better."""
    outcome = kind.rewards.get("outcome")
    if outcome is None:
        return ""
    chosen, rejected = outcome(problem, row["chosen"]), outcome(problem, row["rejected"])
    if chosen is None or rejected is None or chosen > rejected:
        return ""
    return "nothing tells them apart" if chosen == rejected else "the rejected one is the better"


def _texts_of(row: Row) -> list[str]:
    """All that a row could teach by heart. Of steps each part for itself, and none that is as short
    as `verdict`: such a word may well be the whole of an evaluation item elsewhere.
    """
    names = ("prompt", "completion", "chosen", "rejected", "outcome")
    texts = [str(row.get(name) or "") for name in names]
    given = row.get("steps")
    steps = [one for one in given if isinstance(one, Mapping)] if isinstance(given, list) else []
    parts = (str(one.get(part) or "") for one in steps for part in Step._fields[:3])
    texts += [text for text in parts if len(tokens(text)) >= SHORTEST]
    return [text for text in texts if text]


def _told(found: Sequence[T | None]) -> dict[int, T]:
    return {number: one for number, one in enumerate(found) if one is not None}


def _language(kind: ModelType | None) -> Language:
    return PROSE if kind is None else language_of(kind)
