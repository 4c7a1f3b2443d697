"""One call of a session: kept in the journal, made only if it is not there, its failures sorted.

A model that answers badly is asked again by the session; one that cannot be reached was already
asked again by the caller, and ends the session. Only answers are kept: what failed on its way is
asked anew by whoever resumes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any, Generic, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError

from agents.data_generator.collaboration.journal import Journal
from agents.data_generator.collaboration.session import Session
from guardrails.budget import Budget
from guardrails.caller import Caller
from guardrails.calls import Message
from guardrails.endpoint import Endpoint
from guardrails.refusals import CallFailed
from trainers.model_types.kind import chance

T = TypeVar("T")
U = TypeVar("U")

BADLY = ("rubbish", "refused", "too_large")
"""Kinds of failures that are the model's own words; the others are of the way to it."""
MOST_TOKENS = 16_384
"""Of one answer: servers refuse to promise more than their models can write."""
TOLD = 300
"""Characters of a failure that are told on."""


@dataclass(frozen=True)
class Came(Generic[T]):
    """What came of a call."""

    value: T | None
    given: Any
    """The question, as a transcript keeps it."""
    gave: Any
    """The answer, likewise."""
    failed: str = ""
    """The kind of failure, empty where there is an answer."""
    why: str = ""

    @property
    def transport(self) -> bool:
        """Nothing was said at all."""
        return bool(self.failed) and self.failed not in BADLY

    def having(self, value: U | None) -> Came[U]:
        """The same with another value."""
        return replace(self, value=value)  # type: ignore[arg-type,return-value]


async def asked(
    session: Session,
    node: str,
    endpoint: Endpoint,
    messages: Sequence[Message],
    answer: type[BaseModel],
    max_tokens: int,
) -> Came[BaseModel]:
    """The model's answer as that class."""
    plan = session.plan
    name = f"{session.name}/{node}"
    question = Question(
        endpoint, messages, chance(plan.seed, name).getrandbits(31), answer, max_tokens
    )
    way = Way(session.caller, session.journal, plan.budget, session.turn.waiting)
    return await put(way, name, question)


class Question(NamedTuple):
    """What one model is asked."""

    endpoint: Endpoint
    messages: Sequence[Message]
    seed: int
    answer: type[BaseModel] | None
    """As what it is to answer; None takes its words."""
    max_tokens: int
    temperature: float = 0.0

    def told(self) -> dict[str, Any]:
        """As a journal compares it and a transcript keeps it."""
        return {
            "endpoint": self.endpoint.name,
            "model": self.endpoint.model,
            "answer": None if self.answer is None else self.answer.__name__,
            "seed": self.seed,
            "temperature": self.temperature,
            "max_tokens": min(self.max_tokens, MOST_TOKENS),
            "messages": [one._asdict() for one in self.messages],
        }


class Way(NamedTuple):
    """By whom it is asked, where what came is kept, and what it may cost."""

    caller: Caller
    journal: Journal
    budget: Budget
    waiting: Callable[[], AbstractAsyncContextManager[None]] = nullcontext
    """What came is kept within it, before anybody else's turn."""


async def put(way: Way, key: str, question: Question) -> Came[Any]:
    """What came of it: as it was kept under this key, or made now and kept."""
    told = question.told()

    async def make() -> dict[str, Any]:
        try:
            came = await way.caller.ask(
                question.endpoint.name,
                question.messages,
                budget=way.budget,
                answer=question.answer,
                temperature=question.temperature,
                seed=question.seed,
                max_tokens=told["max_tokens"],
            )
        except CallFailed as failed:
            return badly(failed)
        return {
            "value": None if came.value is None else came.value.model_dump(mode="json"),
            "text": came.text,
            "finish": came.finish,
            "rung": came.rung,
            "tokens_in": came.tokens_in,
            "tokens_out": came.tokens_out,
            "money": came.money,
            "attempts": came.attempts,
        }

    try:
        async with way.waiting():
            gave = await way.journal.once(key, told, make, way.budget.spent)
    except CallFailed as failed:
        return unsaid(told, failed)
    return read(told, gave, question.answer)


def badly(failed: CallFailed) -> dict[str, Any]:
    """What is kept of an answer that is none; of a model that was not reached nothing is."""
    if failed.kind not in BADLY:
        raise failed
    return {"failed": failed.kind, "why": str(failed)[:TOLD], "text": failed.said[:TOLD]}


def unsaid(question: Any, failed: CallFailed) -> Came[Any]:
    """Of a call to which nothing was said."""
    why = str(failed)[:TOLD]
    return Came(None, question, {"failed": failed.kind, "why": why}, failed.kind, why)


def read(question: Any, gave: Any, answer: type[BaseModel] | None) -> Came[Any]:
    """What was kept, as that class; without one, as it is."""
    if "failed" in gave:
        return Came(None, question, gave, gave["failed"], gave["why"])
    if answer is None:
        return Came(gave, question, gave)
    try:
        return Came(answer.model_validate(gave["value"]), question, gave)
    except ValidationError:  # kept by another version, for instance
        return Came(None, question, gave, "rubbish", "the answer is not what was asked for")
