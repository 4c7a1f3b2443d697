"""Areas of a role: the kinds of problems by which it is told where a model is weak.

Each area has a short name, safe in tables and file names, and words that a request for data can
use. The first area of a problem is the part into which it falls where problems are split or
counted once; the others overlap. All are known before anybody has answered. A type of people's own
names its areas by a method `areas` that takes a problem, or only the first by `area`; of ours the
table below knows. Of any other the answer tells the part, and the words of the prompts are areas,
those that are neither rare nor everywhere.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any, NamedTuple, TypeVar

from trainers.model_types.kind import Problem

T = TypeVar("T")

WHOLE = "all"
LONGEST = 40
"""Characters of the name of an area."""
FEW = 8
"""Items that an area has to have before it is called weak."""
SHARE_LEAST, SHARE_MOST = 0.05, 0.6
"""Of the prompts that a word stands in, for the word to be an area."""
WORDS = 60
"""Areas made of words, the most frequent; each more makes the others harder to prove."""
LONG = 12
"""Words of an opinion that is called long."""
MARKS = ("not", "never", "very", "slightly", "but", "supposedly")
"""Words that turn a sentiment around."""

_WORD = re.compile(r"[^\W\d_]{3,30}")


class Area(NamedTuple):
    """A kind of problems."""

    name: str
    says: str


def area(kind: Any, one: Problem) -> str:
    """The part into which a problem falls, by its name."""
    own = getattr(kind, "area", None)
    if callable(own):
        return _short(str(own(one)))
    found = _of(kind, one)
    return _short(found[0].name if found else _by_answer(one.answer))


def areas(kind: Any, problems: Sequence[Problem]) -> list[tuple[str, ...]]:
    """Of each problem: the areas that it falls into, in words."""
    if not callable(getattr(kind, "areas", None)):
        if callable(getattr(kind, "area", None)):
            return [(str(kind.area(one))[:200],) for one in problems]
        if getattr(kind, "name", "") not in KNOWN:
            return by_words([one.prompt for one in problems])
    return [tuple(dict.fromkeys(found.says[:200] for found in _of(kind, one))) for one in problems]


def areas_of_rows(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """Of a benchmark: the subjects that its file names."""
    return [(f"questions of {one['area']}"[:200],) if one.get("area") else () for one in rows]


def by_words(prompts: Sequence[str]) -> list[tuple[str, ...]]:
    """The words that tell prompts apart."""
    words = [set(_WORD.findall(one.lower())) for one in prompts]
    counts = Counter(word for one in words for word in one)
    least, most = SHARE_LEAST * len(prompts), SHARE_MOST * len(prompts)
    some = sorted(
        (-many, word) for word, many in counts.items() if least <= many <= most and many > 1
    )
    told = {word for _, word in some[:WORDS]}
    return [tuple(f"texts with the word {word!r}" for word in sorted(one & told)) for one in words]


def by_area(items: Iterable[T], names: Iterable[str]) -> dict[str, list[T]]:
    """Items in the order of the names of their areas."""
    found: dict[str, list[T]] = {}
    for item, name in zip(items, names, strict=True):
        found.setdefault(name, []).append(item)
    return dict(sorted(found.items()))


def weak(scores: Mapping[str, Sequence[float]]) -> tuple[str, ...]:
    """The areas below what all items score on average, the weakest first; at most half of them."""
    known = {name: own for name, own in scores.items() if len(own) >= FEW}
    if len(known) < 2:
        return tuple(known)
    usual = fmean(score for own in known.values() for score in own)
    below = sorted((fmean(own), name) for name, own in known.items() if fmean(own) < usual)
    return tuple(name for _, name in below[: max(1, len(known) // 2)])


def _of(kind: Any, one: Problem) -> tuple[Area, ...]:
    """What a type says of a problem, the first part first; nothing where nobody knows."""
    own = getattr(kind, "areas", None)
    if callable(own):
        return tuple(Area(str(each), str(each)) for each in own(one))
    rule = KNOWN.get(getattr(kind, "name", ""))
    return tuple(rule(one)) if rule else ()


def _by_answer(answer: Any) -> str:
    """The first part of an answer that is a word, or a list of words."""
    if isinstance(answer, Mapping):
        for _, one in sorted(answer.items()):
            if isinstance(one, str) and len(one) <= LONGEST:
                return one
            if isinstance(one, list) and all(
                isinstance(part, str) and len(part) <= LONGEST for part in one
            ):
                return one[0] if one else "none"
    return answer if isinstance(answer, str) and 0 < len(answer) <= LONGEST else WHOLE


def _short(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:LONGEST] or WHOLE


def _answered(one: Problem) -> Mapping[str, Any]:
    return one.answer if isinstance(one.answer, Mapping) else {}


def _sums(one: Problem) -> Iterable[Area]:
    numbers = [int(part) for part in re.findall(r"\d{1,30}", one.prompt)]
    carry = carries = 0
    for place in range(max((len(str(number)) for number in numbers), default=0)):
        carry = (sum(number // 10**place % 10 for number in numbers) + carry) // 10
        carries += carry > 0
    often = ("no carry", "one carry", "two carries")
    many = often[carries] if carries < len(often) else "many carries"
    yield Area(f"carries-{carries}", f"sums with {many}")
    if carry:
        yield Area("grows", "sums that grow by a digit")
    if any("0" in str(number) for number in numbers):
        yield Area("zero", "sums with a zero in a number")
    if len(numbers) > 2:
        yield Area("three", "sums of three numbers")


def _tickets(one: Problem) -> Iterable[Area]:
    answer, text = _answered(one), one.prompt
    if "action" in answer:
        yield Area(str(answer["action"]), f"customers who want a {answer['action']}")
    if "item" in answer:
        yield Area(str(answer["item"]), f"customers with a {answer['item']}")
    if "works , but" in text or "is fine , but" in text:
        yield Area("two-things", "tickets that name two things")
    if any(no in text for no in ("i want no", "do not")):
        yield Area("unwanted", "tickets that say what is not wanted")


def _opinions(one: Problem) -> Iterable[Area]:
    answer, words = _answered(one), one.prompt.split()
    if "sentiment" in answer:
        yield Area(str(answer["sentiment"]), f"texts that are {answer['sentiment']}")
    for word in MARKS:
        if word in words:
            yield Area(word, f"texts with the word {word!r}")
    size = "long" if len(words) > LONG else "short"
    yield Area(size, f"{size} texts")


def _messages(one: Problem) -> Iterable[Area]:
    answer = _answered(one)
    for flag in answer.get("flags") or ("none",):
        yield Area(str(flag), f"messages with {'nothing' if flag == 'none' else flag} in them")
    if "severity" in answer:
        yield Area(str(answer["severity"]), f"messages of severity {answer['severity']}")


def _programs(one: Problem) -> Iterable[Area]:
    parts = [part.strip() for part in one.prompt.strip("#").partition(":")[2].split(",")]
    for part in parts:
        word = re.sub(r"\s*-?\d+", "", part)
        if word:
            yield Area(word.split()[0], f"programs with the operation {word!r}")
    yield Area(f"operations-{len(parts)}", f"programs of {len(parts)} operations")


KNOWN: dict[str, Callable[[Problem], Iterable[Area]]] = {
    "arithmetic_reasoning": _sums,
    "support_replies": _tickets,
    "sentiment_analysis": _opinions,
    "content_moderation": _messages,
    "code_generation": _programs,
}
"""Of our own types."""
