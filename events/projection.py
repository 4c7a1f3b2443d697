"""Projections: folds of the log that answer questions. Their state is a cache, and can be dropped.

A projection's state is a plain mapping that JSON can hold, so that it can be kept, compared and
shown; it belongs to one fold only, which changes it in place. Kept states are snapshots: any of
them may be deleted at any time, and the fold comes back to the same state from the log.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from events.errors import NotFound
from events.fact import Fact, fact
from events.replay import Told, history
from events.store import EventStore, PutSnapshot, Snapshot, every

State = dict[str, Any]


@dataclass(frozen=True)
class Projection:
    """A question that the log answers: which events it hears, and what each changes."""

    name: str
    version: str
    """Changed with the shape of the state: what another version kept is not read."""
    hears: frozenset[str]
    apply: Callable[[State, Fact], None]


@dataclass
class Fold:
    """A projection and its state at a position."""

    projection: Projection
    state: State = field(default_factory=dict)
    position: int = 0

    async def catch_up(self, store: EventStore) -> State:
        """Fold what the log holds beyond `position`. Reads only the types that are heard."""
        end = (await store.head()).position
        async for batch in every(store, self.position, end, self.projection.hears):
            for envelope in batch:
                self.projection.apply(self.state, fact(envelope))
                self.position = envelope.position
        self.position = end
        return self.state

    async def keep(self, store: EventStore) -> None:
        """Keep the state, so that the next process need not begin at the beginning."""
        state = json.dumps(self.state, separators=(",", ":"))
        name = f"projection/{self.projection.name}"
        snapshot = Snapshot(name, self.projection.version, self.position, state)
        await store.submit(PutSnapshot(snapshot))


async def restored(projection: Projection, store: EventStore) -> Fold:
    """The fold as it was last kept, or an empty one."""
    kept = await store.snapshot(f"projection/{projection.name}")
    head = await store.head()
    if kept is None or kept.fold != projection.version or kept.position > head.position:
        return Fold(projection)
    try:
        return Fold(projection, json.loads(kept.state), kept.position)
    except ValueError:
        return Fold(projection)


async def drop(projection: Projection, store: EventStore) -> None:
    """Forget what was kept of it."""
    await store.submit(PutSnapshot(Snapshot(f"projection/{projection.name}", "", 0, "")))


async def replayed(
    projections: list[Projection], store: EventStore, until: int, told: Told | None = None
) -> dict[str, State]:
    """The states as they were at a position, from the first event on, the chain verified."""
    return (await replayed_at(projections, store, [until], told))[0]


async def replayed_at(
    projections: list[Projection],
    store: EventStore,
    positions: Sequence[int],
    told: Told | None = None,
) -> list[dict[str, State]]:
    """The states as they were at each of these positions, in one reading."""
    head = await store.head()
    if max(positions) > head.position:
        raise NotFound(
            f"the log ends at position {head.position}, before {max(positions)}",
            where="position",
            right=f"a position from 0 to {head.position}, or a time",
        )
    folds = [Fold(projection) for projection in projections]
    ahead = sorted(set(positions))
    kept: dict[int, dict[str, State]] = {}

    def keep() -> None:
        states = {one.projection.name: one.state for one in folds}
        kept[ahead.pop(0)] = deepcopy(states) if ahead else states

    async for batch in history(store, ahead[-1], told):
        for envelope in batch:
            while ahead[0] < envelope.position:
                keep()
            hearing = [one for one in folds if envelope.type in one.projection.hears]
            if hearing:
                told_fact = fact(envelope)
                for one in hearing:
                    one.projection.apply(one.state, told_fact)
    while ahead:
        keep()
    return [kept[position] for position in positions]
