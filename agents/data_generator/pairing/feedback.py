"""Pairs out of what people said about answers: a correction beside what it corrects, and answers to
the same question that were rated apart.

Texts of people who were forgotten cannot be read any more, and are not here.
"""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean
from typing import NamedTuple

from agents.data_generator.pairing.sieve import PairSieve
from agents.data_generator.sources.aside import aside
from agents.data_generator.sources.real import OWN, Heard, Hears
from agents.data_generator.sources.source import Built, Order, SourceFailed
from agents.data_generator.sources.web import sliced

MOST = 200_000
"""Pieces of feedback that are looked at."""
BEST = 5
"""A rating; what somebody wrote as the right answer counts as much."""


class _Given(NamedTuple):
    """The ratings of one answer, and where they were given."""

    ratings: list[int]
    events: list[str]


Answers = dict[str, _Given]


class Feedback:
    """Reads the feedback of a role from its beginning."""

    name = "real"

    def __init__(self, hears: Hears) -> None:
        self._hears = hears

    async def build(self, order: Order) -> Built:
        questions: dict[str, Answers] = {}
        heard = 0
        async for one in self._hears(order.asked.role, order.position):
            heard += 1
            if heard > MOST:
                break
            _noted(questions.setdefault(one.asked.strip(), {}), one)
        if not heard:
            raise SourceFailed(
                f"nobody has said anything about an answer of role {order.asked.role!r}",
                right="FeedbackGiven or FeedbackReceived, published behind the answers",
                retryable=False,
            )
        return await aside(_paired, order, questions)


def _noted(answers: Answers, one: Heard) -> None:
    for text, rating in ((one.answered, one.rating), (one.correction, BEST)):
        if text.strip():
            given = answers.setdefault(text.strip(), _Given([], []))
            given.ratings.append(rating)
            given.events.append(one.event)


def _paired(order: Order, questions: Mapping[str, Answers]) -> Built:
    sieve = PairSieve(order.type, Feedback.name, scorer="people")
    wanted = order.asked.first + order.asked.quantity
    for asked, answers in questions.items():
        if len(sieve.rows) >= wanted:
            break
        if not asked or len(answers) < 2:
            sieve.rejected["one-answer" if asked else "no-question"] += 1
            continue
        scores = {text: (fmean(given.ratings) - 1) / (BEST - 1) for text, given in answers.items()}
        best = max(scores, key=lambda text: (scores[text], text))
        worst = min(scores, key=lambda text: (scores[text], text))
        events = sorted({*answers[best].events, *answers[worst].events})
        row = {
            "prompt": asked,
            "responses": [{"text": text, "score": scores[text]} for text in (best, worst)],
        }
        sieve.take(row, OWN, " ".join(f"event {one}" for one in events[:20]))
    return sliced(sieve, order, more=len(sieve.rows) >= wanted)
