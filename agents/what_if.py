"""What another policy would have decided, point by point, on the history as it was.

It does not pretend to know what would have happened afterwards: each fact is the recorded one, and
what is folded behind it is the recorded answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from agents.agent import Agent
from agents.judge import Verdict, judged, judges
from events.catalog.policies import Policy
from events.replay import Told
from events.store import EventStore


@dataclass
class Answer:
    """Where the other policy would have decided otherwise."""

    agent: str
    decisions: int = 0
    changed: list[Verdict] = field(default_factory=list)


async def what_if(
    store: EventStore, agents: Sequence[Agent[Any]], policy: Policy, told: Told | None = None
) -> Answer:
    asked = [agent for agent in agents if agent.name == policy.agent]
    bench = await judges(store, asked, {policy.agent: policy})
    answer = Answer(policy.agent)
    head = await store.head()
    async for verdicts in judged(store, bench, head.position, told):
        answer.changed += verdicts
    answer.decisions = sum(judge.judged for judge in bench)
    return answer
