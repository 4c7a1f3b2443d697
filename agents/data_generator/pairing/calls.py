"""One call about a prompt: kept in the journal, made only if it is not there.

Its seed follows from the seed of the set and from the prompt, and not from the name of the set: so
the same request gives the same answers in every home.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel

from agents.data_generator.collaboration.calling import Came, Question, Way, put
from agents.data_generator.pairing.plan import Desk
from guardrails.calls import Message
from guardrails.endpoint import Endpoint
from trainers.model_types.kind import chance

T = TypeVar("T")


async def asked(
    desk: Desk,
    node: str,
    endpoint: Endpoint,
    messages: Sequence[Message],
    *,
    about: str,
    answer: type[BaseModel] | None = None,
    temperature: float = 0.0,
    max_tokens: int = 1024,
) -> Came[Any]:
    """The model's words, or its answer as that class."""
    plan = desk.plan
    seed = chance(plan.seed, node, about).getrandbits(31)
    question = Question(endpoint, messages, seed, answer, max_tokens, temperature)
    way = Way(desk.caller, desk.journal, plan.budget)
    return await put(way, f"{desk.name}/{node}", question)


async def all_of(calls: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """What all of them gave, in their order. Where one ends the work, the others are left."""
    tasks = [asyncio.create_task(one) for one in calls]
    try:
        return [await one for one in tasks]
    finally:
        for one in tasks:
            one.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
