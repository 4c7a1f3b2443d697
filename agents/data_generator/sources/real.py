"""What the fleet was really asked, and what people thought of the answers.

A corrected answer is taken, and one that was rated good; whatever is personal in either is replaced
before anything is kept. Texts of people who were forgotten cannot be read any more, and are not
here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any, NamedTuple

from agents.data_generator.sources.aside import aside
from agents.data_generator.sources.sieve import Sieve, clean
from agents.data_generator.sources.source import Built, Order, Row, SourceFailed
from agents.data_generator.sources.web import sliced
from events.errors import RatchetError
from trainers.model_types.kind import ModelType, Problem, problem

GOOD = 4
"""A rating from which on an answer is an example."""
OWN = "own"
"""The licence: it is the house's own traffic."""


class Heard(NamedTuple):
    """One piece of feedback, in plain text."""

    event: str
    """In which it was said."""
    asked: str
    answered: str
    correction: str
    rating: int


Hears = Callable[[str, int], AsyncIterator[Heard]]
"""The feedback to a role before a position, in its order, as far as it can still be read."""


class Real:
    """Reads the feedback of a role from its beginning."""

    name = "real"

    def __init__(self, hears: Hears) -> None:
        self._hears = hears

    async def build(self, order: Order) -> Built:
        sieve = Sieve(order.type, self.name)
        wanted = order.asked.first + order.asked.quantity
        heard = 0
        async for one in self._hears(order.asked.role, order.position):
            heard += 1
            if len(sieve.rows) >= wanted:
                break
            raw, reason = await aside(_example, order.type, one)
            if raw is None:
                sieve.rejected[reason] += 1
            else:
                await aside(sieve.take, raw, OWN, f"event {one.event}")
        if not heard:
            raise SourceFailed(
                f"nobody has said anything about an answer of role {order.asked.role!r}",
                right="FeedbackGiven or FeedbackReceived, published behind the answers",
                retryable=False,
            )
        return sliced(sieve, order, more=len(sieve.rows) >= wanted)


def _example(kind: ModelType, one: Heard) -> tuple[Row | None, str]:
    """A row of the type's own shape, made of what people said."""
    answer = one.correction or (one.answered if one.rating >= GOOD else "")
    if not answer.strip():
        return None, "rated-low"
    if not one.asked.strip():
        return None, "no-question"
    asked, answer = clean(one.asked), clean(answer)
    try:
        read = kind.validate_output(answer, _asked(asked))
    except RatchetError:
        raise
    except Exception:  # people answer in any form; the type knows its own
        return None, "no-answer"
    fields: dict[str, Any] = read.model_dump(mode="json")
    return {**fields, "prompt": asked, "completion": answer}, ""


def _asked(prompt: str) -> Problem:
    return problem(prompt, None, 0.5)
