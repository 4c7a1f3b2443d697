"""Which behaviours a reward model rewards, and whether they are those that the goal rewards.

A behaviour is something that can be counted in an answer: its length, how often it repeats itself,
how polite it is, a word that stands in some answers and not in others. Beside how each goes with
the model's reward stands how it goes with the verifier's score. Where both are sure and point in
opposite directions, the model rewards what nobody wants.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from events.catalog.training import Measured
from pipelines.data.report import Table
from pipelines.evidence.correlation import beyond, correlation

POLITE = frozenset(
    [
        "please",
        "thank",
        "thanks",
        "sorry",
        "apologise",
        "apologize",
        "regards",
        "wishes",
        "welcome",
        "kind",
        "dear",
    ]
)
WORDS = 12
"""Words that are looked at: those that move the reward most."""
SELDOM = 0.05
"""Share of the answers that have to have a word, and to lack it."""


class Answered(NamedTuple):
    """One answer, what the reward model gives it and what the verifier does."""

    text: str
    reward: float
    goal: float


class Behaviour(NamedTuple):
    """How one thing goes with both."""

    name: str
    rewarded: Measured
    wanted: Measured

    @property
    def against(self) -> bool:
        """Both are sure, and they are opposed."""
        up, down = self.rewarded.low > 0, self.rewarded.high < 0
        return (up and self.wanted.high < 0) or (down and self.wanted.low > 0)


COUNTED: dict[str, Callable[[Sequence[str]], float]] = {
    "length in words": lambda words: float(len(words)),
    "words said again": lambda words: 1 - len(set(words)) / max(1, len(words)),
    "polite words": lambda words: float(sum(word in POLITE for word in words)),
    "numbers": lambda words: float(sum(word[:1].isdigit() for word in words)),
}


def behaviours(answers: Sequence[Answered]) -> list[Behaviour]:
    """Those that change from answer to answer, the most rewarded or punished first."""
    read = [_words(one.text) for one in answers]
    rewards, goals = [one.reward for one in answers], [one.goal for one in answers]

    def of(name: str, values: Sequence[float], looked_at: int) -> Behaviour:
        level = 1 - 0.05 / looked_at
        return Behaviour(
            name, correlation(values, rewards, level), correlation(values, goals, level)
        )

    seen = Counter(word for words in read for word in set(words))
    usual = [
        word
        for word, many in sorted(seen.items())
        if SELDOM <= many / len(answers) <= 1 - SELDOM and word[:1].isalnum()
    ]
    many = len(COUNTED) + len(usual)
    found = [of(name, [count(words) for words in read], many) for name, count in COUNTED.items()]
    said = [of(f"says {word!r}", [float(word in words) for words in read], many) for word in usual]
    said.sort(key=lambda one: -abs(one.rewarded.value))
    kept = [*found, *said[:WORDS]]
    return sorted((one for one in kept if one.rewarded.n), key=lambda one: -one.rewarded.value)


def aligned(answers: Sequence[Answered]) -> Measured:
    """How the reward goes with the goal, over answers to different prompts."""
    return correlation([one.reward for one in answers], [one.goal for one in answers])


def by_length(answers: Sequence[Answered]) -> float:
    """How the reward goes with length beyond what the goal explains, from -1 to 1."""
    lengths = [float(len(_words(one.text))) for one in answers]
    return beyond([one.reward for one in answers], lengths, [one.goal for one in answers])


def table(found: Sequence[Behaviour]) -> Table:
    """For the report."""
    return Table(
        "Which behaviours are rewarded",
        ("behaviour", "with the reward", "surely between", "with the goal", "as wanted"),
        [
            (
                one.name,
                one.rewarded.value,
                f"{one.rewarded.low:.2f} to {one.rewarded.high:.2f}",
                one.wanted.value,
                "no" if one.against else "yes",
            )
            for one in found
        ],
        "Correlations over answers to different prompts, from -1 to 1; intervals allow for all that"
        " was looked at.",
    )


def _words(text: str) -> list[str]:
    return re.findall(r"[\w']+", text.lower())
