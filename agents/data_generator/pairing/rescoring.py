"""Pairs that were found somewhere, scored by whom the request names and not by whoever found them.

Without a name in the request they stay as they are: labelled where they come from, or by the type's
verifier. The queues that people have answered are never scored again.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from agents.data_generator.collaboration.journal import Journal
from agents.data_generator.collaboration.session import Ended
from agents.data_generator.collaboration.transcript import Transcript
from agents.data_generator.pairing.calls import all_of
from agents.data_generator.pairing.plan import Desk, Plan, Writers
from agents.data_generator.pairing.rewards import Asked, Rewards, centred
from agents.data_generator.pairing.sampling import spent_in
from agents.data_generator.pairing.scoring import Scored, pair_of, scored
from agents.data_generator.pairing.sieve import problem_in
from agents.data_generator.sources.source import Built, Order, Row, Source, SourceFailed
from agents.data_generator.sources.synthetic import rules_of
from guardrails.refusals import BudgetSpent

TOGETHER = 25
"""Pairs at the same time."""


@dataclass(frozen=True)
class Rescored:
    """A source of pairs, and who scores what it finds."""

    source: Source
    writers: Callable[[str], Awaitable[Writers]]
    rewards: Rewards | None = None

    @property
    def name(self) -> str:
        return self.source.name

    async def build(self, order: Order) -> Built:
        built = await self.source.build(order)
        match order.asked.scorer:
            case None:
                return built
            case "people":
                rows = [
                    {"prompt": row["prompt"], "a": row["chosen"], "b": row["rejected"]}
                    for row in built.rows
                ]
                origins = [{**one, "scorer": None} for one in built.provenance]
                return built._replace(rows=rows, provenance=origins)
            case "reward":
                return await self._rewarded(order, built)
        return await self._scored(order, built)

    async def _rewarded(self, order: Order, built: Built) -> Built:
        if self.rewards is None:
            raise SourceFailed("nobody here carries a reward model out", retryable=False)
        texts = [(row["chosen"], row["rejected"]) for row in built.rows]
        sides = [
            (row["prompt"], text)
            for row, both in zip(built.rows, texts, strict=True)
            for text in both
        ]
        if not sides:
            return built
        found = await self.rewards(
            Asked(order.asked.role, order.asked.model_type, order.position, sides)
        )
        scores = [
            Scored((centred(found.scores[2 * n : 2 * n + 2]),), f"reward model {found.model}")
            for n in range(len(texts))
        ]
        return _with(built, scores)

    async def _scored(self, order: Order, built: Built) -> Built:
        """By the verifier or the judge; what neither says anything of is left out."""
        asked = order.asked
        writers = await self.writers(asked.model_type)
        with (
            Journal(order.folder / "calls.jsonl") as journal,
            Transcript(order.folder / "calls.transcript.jsonl") as transcript,
        ):
            budget = order.budget(journal.spent)
            plan = Plan(
                dataset=asked.dataset,
                part=asked.part,
                type=order.type,
                quantity=asked.quantity,
                seed=asked.seed,
                writer=writers.writer,
                judge=writers.judge,
                budget=budget,
                scorer=asked.scorer,
                purpose="" if order.profile is None else order.profile.purpose,
                rules=rules_of(order.profile),
            )
            room = asyncio.Semaphore(TOGETHER)

            async def one(place: int, row: Row) -> tuple[Scored, Desk]:
                desk = Desk(plan, writers.caller, journal, plan.name(place))
                both = (row["chosen"], row["rejected"])
                async with room:
                    try:
                        found = await scored(desk, problem_in(order.type, row), both)
                    except BudgetSpent as spent:
                        found = Scored((), reason="budget", why=str(spent))
                order.tell({"source": self.name, "scored": place + 1, "of": len(built.rows)})
                return found, desk

            calls = [one(place, row) for place, row in enumerate(built.rows)]
            came = await all_of(calls)
            for place, (_, desk) in enumerate(came):
                transcript.add(Ended(place, desk.name, (), tuple(desk.said)))
            spent = spent_in(budget.spent())
        found = [scores for scores, _ in came]
        if found and all(one.transport for one in found):
            raise SourceFailed(found[0].why or "no judge answered", spent=spent)
        return _with(built, found)._replace(spent=spent, transcripts=transcript.path)


def _with(built: Built, found: Sequence[Scored]) -> Built:
    """The pairs as they are now scored, the better answer first."""
    rows: list[Row] = []
    origins: list[dict[str, Any]] = []
    rejected = Counter(built.rejected)
    for row, origin, scores in zip(built.rows, built.provenance, found, strict=True):
        both = (row["chosen"], row["rejected"])
        pair = None if scores.reason else pair_of(row["prompt"], both, scores.rounds)
        if pair is None:
            rejected[scores.reason or "tied"] += 1
            continue
        rows.append(pair)
        origins.append({**origin, "scorer": scores.scorer})
    return built._replace(rows=rows, provenance=origins, rejected=dict(rejected))
