"""What those who make data want to know of the log; each of it as it was before a position."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from agents.data_generator.pairing.queues import Answered
from agents.data_generator.sources.collaborative import Shared
from agents.data_generator.sources.real import Heard
from agents.data_generator.state import ACTOR, queue_of
from events.catalog.data import DatasetAccepted, DatasetRedacted, Kind
from events.catalog.feedback import FeedbackGiven
from events.catalog.imports import DatasetImported
from events.catalog.people import FeedbackReceived
from events.catalog.reviews import OF_SETS, Choice, ReviewAnswered, ReviewOpened
from events.catalog.roles import RoleDefined, RoleProfile
from events.catalog.training import RunStarted, StageCompleted
from events.personal import is_sealed
from events.store import EventStore, every

REWARD = "reward"
"""The kind of an artifact that is a reward model."""


class History:
    """The log, read from its beginning to a position."""

    def __init__(self, store: EventStore) -> None:
        self._store = store

    async def profile(self, event_id: str) -> RoleProfile | None:
        """The role as this event defined it."""
        found = (await self._store.find([event_id])).get(event_id)
        event = None if found is None else found.event()
        return event.profile if isinstance(event, RoleDefined) else None

    async def heard(self, role: str, before: int) -> AsyncIterator[Heard]:
        """What people said about answers of a role; sealed texts as far as they can be opened."""
        types = [FeedbackGiven.wire, FeedbackReceived.wire]
        async for batch in every(self._store, 0, before - 1, types):
            own = [one for one in batch if one.stream == f"feedback/{role}"]
            for envelope in await self._store.reveal(own):
                match envelope.event():
                    case FeedbackGiven() as said:
                        yield Heard(
                            envelope.event_id, said.asked, said.answered, said.correction,
                            said.rating,
                        )  # fmt: skip
                    case FeedbackReceived() as said if not is_sealed(said.asked):
                        yield Heard(envelope.event_id, said.asked, said.answered, "", said.rating)

    async def shared(self, model_type: str, role: str, before: int) -> Sequence[Shared]:
        """The accepted trajectories of other roles of this type, the newest first."""
        return await self._accepted("trajectories", model_type, role, before)

    async def shared_pairs(self, model_type: str, role: str, before: int) -> Sequence[Shared]:
        """The accepted pairs of other roles of this type, and what was imported for this role."""
        return await self._accepted("pairs", model_type, role, before)

    async def answered(self, role: str, dataset: str, before: int) -> Sequence[Answered]:
        """The queues of a role that somebody has answered; of a set with one of its own, that."""
        items: dict[str, tuple[str, int]] = {}
        answers: dict[str, dict[str, Choice]] = {}
        types = [ReviewOpened.wire, ReviewAnswered.wire]
        async for batch in every(self._store, 0, before - 1, types):
            for envelope in batch:
                match envelope.event():
                    case ReviewOpened(review=name) as opened if opened.role == role:
                        if not name.startswith(OF_SETS) or envelope.actor == ACTOR:
                            items.setdefault(name, (opened.items.sha256, opened.count))
                    case ReviewAnswered(review=name) as said if name in items:
                        kept = answers.setdefault(name, {})
                        most = items[name][1]
                        kept |= {str(x.item): x.choice for x in said.answers if x.item <= most}
        found = [Answered(name, items[name][0], said) for name, said in answers.items()]
        own = queue_of(dataset)
        return [one for one in found if one.review == own] if own in items else found

    async def reward_model(self, role: str, before: int) -> str | None:
        """The newest reward model that a run of a role has made, by its artifact."""
        runs: set[str] = set()
        newest = None
        types = [RunStarted.wire, StageCompleted.wire]
        async for batch in every(self._store, 0, before - 1, types):
            for envelope in batch:
                match envelope.event():
                    case RunStarted(run=run) as started if started.role == role:
                        runs.add(run)
                    case StageCompleted(run=run) as completed if run in runs:
                        made = [one.sha256 for one in completed.artifacts if one.kind == REWARD]
                        newest = made[-1] if made else newest
        return newest

    async def _accepted(
        self, kind: Kind, model_type: str, role: str, before: int
    ) -> Sequence[Shared]:
        found: dict[str, Shared] = {}
        types = [DatasetAccepted.wire, DatasetImported.wire, DatasetRedacted.wire]
        async for batch in every(self._store, 0, before - 1, types):
            for envelope in batch:
                match envelope.event():
                    case DatasetAccepted() as one if one.role != role:
                        fits = one.model_type == model_type and one.kind == kind
                        role_of = one.role
                    case DatasetImported() as one if one.role == role:
                        role_of, fits = one.role, one.kind == kind == "pairs"
                    case DatasetRedacted(dataset=name) as one if name in found:
                        role_of, fits = found[name].role, True
                    case _:
                        continue
                if fits:
                    rows, provenance = one.rows.sha256, one.provenance.sha256
                    found[one.dataset] = Shared(one.dataset, role_of, rows, provenance)
        return list(found.values())[::-1]
