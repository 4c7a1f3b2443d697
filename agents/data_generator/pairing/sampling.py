"""Pairs that models make: answers of a writer, scored by whoever is named, as a source of rows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agents.data_generator.collaboration.journal import Journal
from agents.data_generator.collaboration.task import TRIES
from agents.data_generator.pairing.many import Came, Tried, paired
from agents.data_generator.pairing.plan import Plan, Writers
from agents.data_generator.pairing.rewards import Asked, Rewards, centred
from agents.data_generator.pairing.scoring import pair_of
from agents.data_generator.sources.source import Built, Order, Row, SourceFailed
from agents.data_generator.sources.synthetic import FOR_GOOD, rules_of
from events.catalog.costs import Spent

METHOD = "sampling"


@dataclass(frozen=True)
class Sampling:
    """Several answers to prompts of the type, and who scores them."""

    writers: Callable[[str], Awaitable[Writers]]
    """Those for a model type; started where they have to be."""
    lost: Callable[[str], None] = lambda _: None
    """Told when nobody of them answers: the next time others may be started."""
    rewards: Rewards | None = None
    """A reward model's scores, where there is somebody who can have it carried out."""
    name: str = "synthetic"

    async def build(self, order: Order) -> Built:
        asked = order.asked
        writers = await self.writers(asked.model_type)
        with Journal(order.folder / "calls.jsonl") as journal:
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
                told=writers.told,
                scorer=asked.scorer,
                answers=asked.answers,
                difficulty=asked.difficulty,
                first=TRIES * asked.first,
                purpose="" if order.profile is None else order.profile.purpose,
                rules=rules_of(order.profile),
                focus=asked.focus,
            )
            came = await paired(plan, writers.caller, journal, order.tell)
        if came.ended == "outage":
            self.lost(asked.model_type)
        spent = spent_in(came.spent)
        if not came.fruitful and (came.silent or came.ended in ("budget", "outage")):
            why = came.why or f"no model answered ({', '.join(came.rejected)})"
            raise SourceFailed(why, retryable=came.ended != "budget", spent=spent)
        rows = await self._rows(order, came)
        origins = [_origin(plan, one) for one, _ in rows]
        more = came.ended not in FOR_GOOD
        return Built([row for _, row in rows], origins, came.rejected, more, spent, came.transcript)

    async def _rows(self, order: Order, came: Came) -> list[tuple[Tried, Row]]:
        """The pairs; those that a reward model or people are to score get their scores, or none."""
        match order.asked.scorer:
            case "people":
                return [(one, _bare(one)) for one in came.fruitful]
            case "reward":
                return await self._rewarded(order, came.fruitful)
        return [(one, one.row) for one in came.fruitful if one.row is not None]

    async def _rewarded(self, order: Order, tried: Sequence[Tried]) -> list[tuple[Tried, Row]]:
        if not tried:
            return []
        if self.rewards is None:
            raise SourceFailed("nobody here carries a reward model out", retryable=False)
        sides = [(one.prompt, text) for one in tried for text in one.texts]
        found = await self.rewards(
            Asked(order.asked.role, order.asked.model_type, order.position, sides)
        )
        scores, rows = iter(found.scores), []
        for one in tried:
            own = centred([next(scores) for _ in one.texts])
            row = pair_of(one.prompt, one.texts, (own,))
            if row is not None:
                rows.append((one._replace(scorer=f"reward model {found.model}"), row))
        return rows


def _bare(one: Tried) -> Row:
    """Two answers that nobody has scored."""
    return {"prompt": one.prompt, "a": one.texts[0], "b": one.texts[1]}


def _origin(plan: Plan, one: Tried) -> dict[str, Any]:
    return {
        "source": Sampling.name,
        "method": METHOD,
        "session": one.session,
        "licence": plan.licence,
        "model": plan.writer.model,
        "scorer": one.scorer or None,
    }


def spent_in(told: Mapping[str, float]) -> Spent:
    """What a budget says was spent, as an event says it."""
    return Spent(
        calls=int(told.get("calls", 0)),
        tokens=int(told.get("tokens", 0)),
        money=float(told.get("money", 0.0)),
        seconds=float(told.get("seconds", 0.0)),
    )
