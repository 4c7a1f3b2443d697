"""Every decision derived again: the walk that audit and what-if share.

The history is read in order, in bounded memory, with the chain checked on the way. Each agent folds
what it hears, is asked again at each fact, and its answer is laid beside the recorded one. The
recorded answer is what it then folds, so that one difference does not spoil all that follows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from agents.agent import Agent
from agents.shell import starts
from events.envelope import Envelope
from events.errors import UnknownHistory
from events.fact import Fact, fact
from events.message import Event
from events.replay import Told, Walked, history
from events.store import EventStore


class Verdict(NamedTuple):
    """One fact on which the derived answer is not the recorded one."""

    position: int
    agent: str
    recorded: list[dict[str, Any]]
    derived: list[dict[str, Any]]
    version: str
    """The version of the agent that answered then."""


@dataclass
class Judge:
    """One agent on its way through history."""

    agent: Agent[Any]
    begins: list[tuple[int, str]]
    """From which position which version answered, in order."""
    ends: int
    """Its checkpoint: what stands behind it is not answered yet."""
    policy: Any = None
    """Put in the place of the recorded one when it is asked, for what-if."""
    state: Any = None
    judged: int = 0
    """Decisions laid beside what was derived."""

    def __post_init__(self) -> None:
        self.state = self.agent.initial

    def version_at(self, position: int) -> str:
        """Which version had to answer there, or none."""
        if position > self.ends:
            return ""
        return next((name for begin, name in reversed(self.begins) if begin <= position), "")

    def take(self, told: Fact, recorded: Sequence[Envelope]) -> Verdict | None:
        """Fold one fact and the recorded answer; say so when another answer is derived."""
        agent = self.agent
        self.state = state = agent.evolve(self.state, told)
        derived: Sequence[Event] = ()
        if self.begins[0][0] <= told.position <= self.ends:
            asked = state if self.policy is None else self._under_policy(state)
            derived = agent.decide(asked, told)
        if not recorded and not derived:
            return None
        self.judged += len(recorded)
        ids = agent.decision_ids(told.id, len(recorded))
        ids_hold = ids == [envelope.event_id for envelope in recorded]
        if ids_hold and _repeats(recorded, derived):
            self.state = agent.folded(state, told, derived, ids)
            return None
        said = [envelope.event() for envelope in recorded]
        self.state = agent.folded(state, told, said, ids)
        if ids_hold and _same(said, derived):
            return None
        return Verdict(
            told.position,
            agent.name,
            [_shown(event) for event in said],
            [_shown(event) for event in derived],
            self.version_at(told.position),
        )

    def _under_policy(self, state: Any) -> Any:
        return state if self.agent.under is None else self.agent.under(state, self.policy)


def _repeats(recorded: Sequence[Envelope], derived: Sequence[Event]) -> bool:
    """Whether the derived answer is, letter by letter, what was written; then nothing is parsed."""
    if len(recorded) != len(derived):
        return False
    for envelope, event in zip(recorded, derived, strict=True):
        if (envelope.type, envelope.schema) != (event.wire, event.schema_version):
            return False
        if envelope.data != event.written():
            return False
    return True


def _same(said: Sequence[Event], derived: Sequence[Event]) -> bool:
    return len(said) == len(derived) and all(map(_equal, said, derived))


def _equal(one: Event, other: Event) -> bool:
    return one.wire == other.wire and one.written() == other.written()


def _shown(event: Event) -> dict[str, Any]:
    return {"type": event.wire, "data": event.model_dump(mode="json")}


async def judges(
    store: EventStore, agents: Sequence[Agent[Any]], policies: dict[str, Any] | None = None
) -> list[Judge]:
    """One judge for each agent that ever began in this log."""
    began = await starts(store)
    return [
        Judge(
            agent,
            [(start.from_position, start.version) for start in began[agent.name]],
            await store.checkpoint(agent.checkpoint),
            (policies or {}).get(agent.name),
        )
        for agent in agents
        if agent.name in began
    ]


async def judged(
    store: EventStore,
    bench: Sequence[Judge],
    until: int,
    told: Told | None = None,
    walked: Walked | None = None,
) -> AsyncIterator[list[Verdict]]:
    """The verdicts, batch by batch. Raises `BrokenChain` where the history is not intact."""
    hearing: dict[str, list[Judge]] = {}
    for judge in bench:
        for kind in judge.agent.hears:
            hearing.setdefault(kind, []).append(judge)
    said = Counter[str]()
    async for batch in history(store, until, told):
        if walked is not None:
            walked(batch)
        heard = [
            (envelope, judges)
            for envelope in batch
            if (judges := hearing.get(envelope.type))
            and (len(judges) > 1 or judges[0].agent.actor != envelope.actor)
        ]
        causes = [envelope.event_id for envelope, _ in heard]
        later = await store.effects(causes, batch[-1].position)
        answers: Answers = {judge.agent.actor: {} for judge in bench}
        _sort(batch, answers)
        said.update({actor: sum(map(len, of.values())) for actor, of in answers.items()})
        _sort(later, answers)
        verdicts: list[Verdict] = []
        for envelope, judges in heard:
            verdicts += _asked(judges, envelope, answers)
        yield verdicts
    strays = [judge for judge in bench if said[judge.agent.actor] > judge.judged]
    if strays:
        yield await _stray(store, strays, until)


Answers = dict[str, dict[str | None, list[Envelope]]]
"""What each agent said, by its cause. Most answers stand in the same batch as their cause."""


def _sort(envelopes: Sequence[Envelope], answers: Answers) -> None:
    for envelope in envelopes:
        by_cause = answers.get(envelope.actor)
        if by_cause is not None:
            by_cause.setdefault(envelope.cause_id, []).append(envelope)


def _asked(judges: Sequence[Judge], envelope: Envelope, answers: Answers) -> list[Verdict]:
    verdicts = []
    try:
        told = fact(envelope)
        for judge in judges:
            if judge.agent.actor == told.actor:
                continue
            verdict = judge.take(told, answers[judge.agent.actor].get(told.id, ()))
            if verdict is not None:
                verdicts.append(verdict)
    except UnknownHistory as error:
        error.where = f"position {envelope.position}"
        raise
    return verdicts


async def _stray(store: EventStore, strays: Sequence[Judge], until: int) -> list[Verdict]:
    """Events that bear an agent's name and answer nothing that it hears."""
    by_actor = {judge.agent.actor: judge for judge in strays}
    found = []
    async for batch in history(store, until):
        own = [envelope for envelope in batch if envelope.actor in by_actor]
        causes = await store.find([e.cause_id for e in own if e.cause_id is not None])
        for envelope in own:
            agent = by_actor[envelope.actor].agent
            cause = causes.get(envelope.cause_id or "")
            answers = cause is not None and (
                cause.type in agent.hears
                and cause.actor != agent.actor
                and cause.position < envelope.position
            )
            if not answers:
                shown = [_shown(envelope.event())]
                found.append(Verdict(envelope.position, agent.name, shown, [], ""))
    return found
