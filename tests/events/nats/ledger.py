"""The effects of a reader, in a database of its own: how often it was told, and what it did."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path

from events.envelope import Envelope
from events.nats.consumer import Told


class Ledger:
    """Counts each event once, as a reader should: the note of it and its effect are one commit."""

    def __init__(self, file: Path) -> None:
        self._db = sqlite3.connect(file, isolation_level=None)
        self._db.execute("CREATE TABLE done (position INTEGER PRIMARY KEY, event_id TEXT)")
        self._db.execute("CREATE TABLE effects (stream TEXT PRIMARY KEY, events INTEGER)")
        self.again = 0
        """Events that it was told once more."""
        self.told = 0
        """The newest position."""

    async def __call__(self, told: list[Told]) -> None:
        self._db.execute("BEGIN")
        for said, _ in told:
            new = self._db.execute(
                "INSERT INTO done VALUES (?, ?) ON CONFLICT DO NOTHING",
                (said.position, said.event_id),
            ).rowcount
            self.again += not new
            if new:
                self._db.execute(
                    "INSERT INTO effects VALUES (?, 1) "
                    "ON CONFLICT DO UPDATE SET events = events + 1",
                    (said.stream,),
                )
        self._db.execute("COMMIT")
        self.told = max(self.told, *(said.position for said, _ in told))

    async def after(self) -> int:
        """Everything up to here was done."""
        found = self._db.execute("SELECT position FROM done ORDER BY position")
        return next((n for n, (one,) in enumerate(found) if one != n + 1), self.done)

    @property
    def done(self) -> int:
        """How many events it has done."""
        return int(self._db.execute("SELECT count(*) FROM done").fetchone()[0])

    def faults(self, log: Iterable[Envelope]) -> list[str]:
        """In what it differs from the log: not done, done twice, or of another history."""
        expected, streams = dict[int, str](), dict[str, int]()
        for said in log:
            expected[said.position] = said.event_id
            streams[said.stream] = streams.get(said.stream, 0) + 1
        done = dict(self._db.execute("SELECT position, event_id FROM done"))
        effects = dict(self._db.execute("SELECT stream, events FROM effects"))
        wrong = [f"position {one}" for one in expected.keys() | done.keys()
                 if expected.get(one) != done.get(one)]  # fmt: skip
        return wrong + [
            f"stream {one}: {effects.get(one)} effects of {streams.get(one)} events"
            for one in streams.keys() | effects.keys()
            if streams.get(one) != effects.get(one)
        ]

    def close(self) -> None:
        self._db.close()
