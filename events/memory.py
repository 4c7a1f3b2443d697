"""The log in memory: for tests, for a look at a home that has no log yet, for playing stories."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import ClassVar

from events.admission import Ledger, admit
from events.chain import EMPTY, GENESIS, Head, Signer
from events.envelope import Envelope, format_time
from events.errors import RatchetError
from events.keeper import Keeper, KeyRow, key_ids
from events.keyring import Keyring
from events.merkle import SEGMENT, Frontier, leaves
from events.needs import needs
from events.store import Answer, Heard, Lease, Operation, Snapshot, Walk


def utc_now() -> datetime:
    return datetime.now(UTC)


class MemoryStore:
    """Keeps every promise of the store but that of outliving its process."""

    shared: ClassVar[bool] = False

    def __init__(
        self,
        clock: Callable[[], datetime] = utc_now,
        signer: Signer | None = None,
        keeper: Keeper | None = None,
    ) -> None:
        self._clock = clock
        self._signer = signer or Signer.fresh()
        self._keeper = keeper or Keeper.fresh()
        self._subjects: dict[str, KeyRow] = {}
        self._log: list[Envelope] = []
        self._ids: dict[str, Envelope] = {}
        self._streams: dict[str, list[Envelope]] = defaultdict(list)
        self._caused: dict[str, list[Envelope]] = defaultdict(list)
        self._checkpoints: dict[str, int] = {}
        self._leases: dict[str, Lease] = {}
        self._snapshots: dict[str, Snapshot] = {}
        self._head = EMPTY
        self._tree = Frontier()
        self._segments: list[str] = []
        self._listeners: list[Heard] = []

    async def submit(self, operation: Operation) -> Answer:
        now = self._clock()
        newest = self._log[-1] if self._log else None
        wanted = needs([operation], every_id=True)
        existing = {one: self._ids[one] for one in wanted.ids if one in self._ids}
        ledger = Ledger(
            position=len(self._log),
            hash=newest.hash if newest else GENESIS,
            recorded_at=newest.recorded_at if newest else "",
            versions={name: len(self._streams.get(name, ())) for name in wanted.streams},
            existing=existing,
            checkpoints=dict(self._checkpoints),
            leases=dict(self._leases),
            keys=self._keys(wanted.subjects, existing.values()),
        )
        plan = admit([operation], ledger, format_time(now), now.timestamp())
        answer = plan.answers[0]
        if isinstance(answer, RatchetError):
            raise answer
        for row in plan.rows:
            self._log.append(row)
            self._ids[row.event_id] = row
            self._streams[row.stream].append(row)
            if row.cause_id is not None:
                self._caused[row.cause_id].append(row)
        self._checkpoints |= plan.checkpoints
        for name, lease in plan.leases.items():
            if lease is None:
                self._leases.pop(name, None)
            else:
                self._leases[name] = lease
        for token, key in self._keeper.changes(plan.keys.changed if plan.keys else {}):
            self._subjects.pop(token, None)
            if key is not None:
                self._subjects[token] = key
        for name, snapshot in plan.snapshots.items():
            if snapshot.state:
                self._snapshots[name] = snapshot
            else:
                self._snapshots.pop(name, None)
        if plan.rows:
            self._tree, segments = self._tree.grown(leaves(row.hash for row in plan.rows))
            self._segments += [root.hex() for root in segments.values()]
            root = self._tree.root().hex()
            self._head = self._signer.sign(len(self._log), self._log[-1].hash, root)
            types = frozenset(row.type for row in plan.rows)
            for heard in tuple(self._listeners):
                heard(len(self._log), types)
        return answer

    def _keys(self, subjects: set[str], existing: Iterable[Envelope]) -> Keyring | None:
        """The keys that a batch may need; most need none."""
        if not subjects:
            return None
        tokens, ids = self._keeper.tokens(subjects), key_ids(existing)
        rows = [row for row in self._subjects.values() if row.token in tokens or row.key_id in ids]
        return self._keeper.keyring(subjects, rows)

    async def head(self) -> Head:
        return self._head

    async def read(
        self,
        after: int = 0,
        until: int | None = None,
        limit: int = 500,
        types: Iterable[str] | None = None,
    ) -> list[Envelope]:
        found = self._log[max(after, 0) : None if until is None else max(until, 0)]
        if types is not None:
            wanted = frozenset(types)
            found = [envelope for envelope in found if envelope.type in wanted]
        return found[:limit]

    async def stream(self, name: str, after: int = 0, limit: int = 500) -> list[Envelope]:
        after = max(after, 0)
        return self._streams.get(name, [])[after : after + limit]

    async def last(self, stream: str) -> Envelope | None:
        envelopes = self._streams.get(stream)
        return envelopes[-1] if envelopes else None

    async def find(self, event_ids: Sequence[str]) -> dict[str, Envelope]:
        return {one: self._ids[one] for one in event_ids if one in self._ids}

    async def effects(self, cause_ids: Sequence[str], after: int = 0) -> list[Envelope]:
        found = [effect for cause in set(cause_ids) for effect in self._caused.get(cause, ())]
        found = [effect for effect in found if effect.position > after]
        return sorted(found, key=lambda envelope: envelope.position)

    async def position_at(self, moment: str) -> int:
        return bisect_right(self._log, moment, key=lambda envelope: envelope.recorded_at)

    async def checkpoint(self, name: str) -> int:
        return self._checkpoints.get(name, 0)

    async def leases(self) -> list[Lease]:
        return sorted(self._leases.values(), key=lambda lease: (lease.position, lease.name))

    async def snapshot(self, name: str) -> Snapshot | None:
        return self._snapshots.get(name)

    async def sealed_under(self, key_id: str, after: int = 0, limit: int = 500) -> list[Envelope]:
        found = [one for one in self._log if one.key_id == key_id and one.position > after]
        return found[:limit]

    async def reveal(self, envelopes: Sequence[Envelope]) -> list[Envelope]:
        ids = key_ids(envelopes)
        rows = [row for row in self._subjects.values() if row.key_id in ids]
        return self._keeper.revealed(envelopes, rows)

    async def hashes(self, after: int, until: int) -> list[str]:
        return [one.hash for one in self._log[max(after, 0) : max(until, 0)][:SEGMENT]]

    async def segments(self) -> list[str]:
        return list(self._segments)

    async def verify(self, after: int = 0, limit: int = 1000) -> Walk:
        return Walk(await self.read(after, limit=limit))

    def listen(self, heard: Heard) -> Callable[[], None]:
        self._listeners.append(heard)
        return lambda: self._listeners.remove(heard)

    async def close(self) -> None:
        self._listeners.clear()
