"""Into which areas a problem falls, in words that a request for data can use.

A type may name them itself, by a method `areas` that takes a problem. Of ours the table below
knows; of any other the words of its prompts are areas, those that are neither rare nor everywhere.
Areas may overlap, and are known before anybody has answered.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from trainers.model_types.kind import Problem

SHARE_LEAST, SHARE_MOST = 0.05, 0.6
"""Of the prompts that a word stands in, for the word to be an area."""
WORDS = 60
"""Areas made of words, the most frequent; each more makes the others harder to prove."""

_WORD = re.compile(r"[^\W\d_]{3,30}")


def areas(kind: Any, problems: Sequence[Problem]) -> list[tuple[str, ...]]:
    """Of each problem: the areas that it falls into."""
    own: Callable[[Problem], Sequence[str]] | None = getattr(kind, "areas", None)
    own = own or KNOWN.get(getattr(kind, "name", ""))
    if own is None:
        return by_words([one.prompt for one in problems])
    return [tuple(dict.fromkeys(str(area)[:200] for area in own(one))) for one in problems]


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


def _sums(one: Problem) -> tuple[str, ...]:
    numbers = [int(part) for part in re.findall(r"\d{1,8}", one.prompt)]
    carries = carry = 0
    for place in range(max((len(str(number)) for number in numbers), default=0)):
        total = carry + sum(number // 10**place % 10 for number in numbers)
        carry = total // 10
        carries += carry > 0
    often = ("no carry", "one carry", "two carries")
    found = [f"sums with {often[carries] if carries < len(often) else 'many carries'}"]
    if carry:
        found.append("sums that grow by a digit")
    if any("0" in str(number) for number in numbers):
        found.append("sums with a zero in a number")
    if len(numbers) > 2:
        found.append("sums of three numbers")
    return tuple(found)


def _tickets(one: Problem) -> tuple[str, ...]:
    answer = one.answer if isinstance(one.answer, Mapping) else {}
    found = [f"customers who want a {answer['action']}"] if "action" in answer else []
    if "item" in answer:
        found.append(f"customers with a {answer['item']}")
    text = one.prompt
    if "works , but" in text or "is fine , but" in text:
        found.append("tickets that name two things")
    if any(no in text for no in ("i want no", "do not")):
        found.append("tickets that say what is not wanted")
    return tuple(found)


def _opinions(one: Problem) -> tuple[str, ...]:
    answer = one.answer if isinstance(one.answer, Mapping) else {}
    found = [f"texts that are {answer['sentiment']}"] if "sentiment" in answer else []
    words = one.prompt.split()
    found += [f"texts with the word {word!r}" for word in MARKS if word in words]
    found.append("long texts" if len(words) > LONG else "short texts")
    return tuple(found)


def _messages(one: Problem) -> tuple[str, ...]:
    answer = one.answer if isinstance(one.answer, Mapping) else {}
    flags = answer.get("flags") or ("nothing",)
    found = [f"messages with {flag} in them" for flag in flags]
    if "severity" in answer:
        found.append(f"messages of severity {answer['severity']}")
    return tuple(found)


def _programs(one: Problem) -> tuple[str, ...]:
    operations = [part.strip() for part in one.prompt.strip("#").partition(":")[2].split(",")]
    words = (re.sub(r"\s*-?\d+", "", part) for part in operations)
    found = [f"programs with the operation {word!r}" for word in words if word]
    return (*found, f"programs of {len(operations)} operations")


MARKS = ("not", "never", "very", "slightly", "but", "supposedly")
"""Words that turn a sentiment around."""
LONG = 12

KNOWN: dict[str, Callable[[Problem], Sequence[str]]] = {
    "arithmetic_reasoning": _sums,
    "support_replies": _tickets,
    "sentiment_analysis": _opinions,
    "content_moderation": _messages,
    "code_generation": _programs,
}
"""Of our own types."""
