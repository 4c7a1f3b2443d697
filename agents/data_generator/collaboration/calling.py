"""One call of a session: kept in the journal, made only if it is not there, its failures sorted.

A model that answers badly is asked again by the session; one that cannot be reached was already
asked again by the caller, and ends the session. Only answers are kept: what failed on its way is
asked anew by whoever resumes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from agents.data_generator.collaboration.session import Session
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
    seed = chance(plan.seed, name).getrandbits(31)
    max_tokens = min(max_tokens, MOST_TOKENS)
    question = {
        "endpoint": endpoint.name,
        "model": endpoint.model,
        "answer": answer.__name__,
        "seed": seed,
        "max_tokens": max_tokens,
        "messages": [one._asdict() for one in messages],
    }

    async def make() -> dict[str, Any]:
        try:
            came = await session.caller.ask(
                endpoint.name,
                messages,
                budget=plan.budget,
                answer=answer,
                seed=seed,
                max_tokens=max_tokens,
            )
        except CallFailed as failed:
            return badly(failed)
        value = came.value.model_dump(mode="json") if came.value is not None else None
        return {
            "value": value,
            "text": came.text,
            "rung": came.rung,
            "tokens_in": came.tokens_in,
            "tokens_out": came.tokens_out,
            "money": came.money,
            "attempts": came.attempts,
        }

    try:
        async with session.turn.waiting():  # what came is kept before anybody else's turn
            gave = await session.journal.once(name, question, make, plan.budget.spent)
    except CallFailed as failed:
        return unsaid(question, failed)
    return read(question, gave, answer)


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
