"""Rows that three models make together: what the collaboration needs, and what came of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from agents.data_generator.collaboration.journal import Journal
from agents.data_generator.collaboration.many import Collaborated, collaborate
from agents.data_generator.collaboration.plan import Plan, Sources
from agents.data_generator.collaboration.task import TRIES
from agents.data_generator.sources.source import METHODS, Built, Order, SourceFailed
from events.catalog.costs import Spent
from events.catalog.roles import RoleProfile
from guardrails.caller import Caller
from guardrails.endpoint import Endpoint

FOR_GOOD = ("exhausted", "hopeless")
"""Ends behind which asking for more is of no use."""


class Team(NamedTuple):
    """Who solves and who checks, and the way to both."""

    teacher: Endpoint
    verifier: Endpoint
    caller: Caller
    together: int = 1
    """Problems that are put to them in one call."""
    retriever: Endpoint | None = None
    """Who puts questions to the knowledge base in other words."""


@dataclass(frozen=True)
class Synthetic:
    """The collaboration as a source."""

    team: Callable[[str], Awaitable[Team]]
    """Those for a model type; started where they have to be."""
    lost: Callable[[str], None] = lambda _: None
    """Told when nobody of them answers: the next time others may be started."""
    knowledge: Callable[[str, int], Awaitable[Sequence[Any]]] | None = None
    engines: tuple[str, ...] = ()
    fetch: Callable[[str], Awaitable[str]] | None = None
    name: str = "synthetic"

    async def build(self, order: Order) -> Built:
        asked = order.asked
        team = await self.team(asked.model_type)
        with Journal(order.folder / "calls.jsonl") as journal:
            budget = order.budget(journal.spent)
            plan = Plan(
                dataset=asked.dataset,
                part=asked.part,
                type=order.type,
                quantity=asked.quantity,
                seed=asked.seed,
                teacher=team.teacher,
                verifier=team.verifier,
                retriever=team.retriever,
                budget=budget,
                difficulty=asked.difficulty,
                first=TRIES * asked.first,
                together=min(team.together, asked.quantity),
                purpose="" if order.profile is None else order.profile.purpose,
                focus=asked.focus,
                sources=Sources(
                    rules=rules_of(order.profile),
                    knowledge=self.knowledge,
                    engines=self.engines,
                    fetch=self.fetch,
                ),
                source=self.name,
                method=METHODS[self.name],
            )
            came = await collaborate(plan, team.caller, journal, order.tell)
        if came.ended == "outage":
            self.lost(asked.model_type)
        return _built(came)


def rules_of(profile: RoleProfile | None) -> tuple[str, ...]:
    """What holds for every answer of a role."""
    if profile is None:
        return ()
    return tuple(one.rule for one in (*profile.alignment, *profile.safety.rules))


def _built(came: Collaborated) -> Built:
    spent = Spent(
        calls=int(came.spent.get("calls", 0)),
        tokens=int(came.spent.get("tokens", 0)),
        money=float(came.spent.get("money", 0.0)),
        seconds=float(came.spent.get("seconds", 0.0)),
    )
    silent = bool(came.refusals) and all(one.transport for one in came.refusals)
    if not came.rows and (silent or came.ended in ("budget", "outage")):
        why = came.why or "; ".join(came.refusals[0].issues) or "no model answered"
        raise SourceFailed(why, retryable=came.ended != "budget", spent=spent)
    more = came.ended not in FOR_GOOD
    return Built(came.rows, came.provenance, came.rejected, more, spent, came.transcript)
