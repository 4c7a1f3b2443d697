"""The limit: sqlite3 by itself, with the columns of our table and none of its promises but FULL.

No chain (the two hash columns hold constants of the same width), no signed head, no triggers, no
admission; unique `event_id` and unique `(stream, version)` are the only checks.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from uuid import uuid4

from events.envelope import COLUMNS
from tests.bench.notes import STREAMS, note

_KINDS = {"position": "INTEGER PRIMARY KEY", "schema": "INTEGER", "version": "INTEGER"}
_TABLE = ", ".join(f"{column} {_KINDS.get(column, 'TEXT')}" for column in COLUMNS)
CREATE = f"CREATE TABLE events ({_TABLE}, UNIQUE (event_id), UNIQUE (stream, version))"
INSERT = f"INSERT INTO events VALUES ({', '.join('?' * len(COLUMNS))})"
SETTINGS = (
    "sqlite3 module alone: journal_mode=WAL, synchronous=FULL, BEGIN IMMEDIATE, executemany; "
    "pydantic model_dump_json for each event; ids are uuid4; " + CREATE
)
_TIME, _HASH = "2026-01-01T00:00:00.000000Z", "0" * 64


class Raw:
    """One connection and one table. Its ids are what most programs take, unless `ids` says else."""

    def __init__(self, path: Path, ids: Callable[[], str] = lambda: str(uuid4())) -> None:
        self._ids = ids
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.execute(CREATE)
        self._positions = count(1)

    def append(self, events: int, batch: int) -> float:
        """Events a second, in transactions of `batch`, in 64 streams."""
        db = self._db
        began = time.perf_counter()
        for _ in range(events // batch):
            rows = []
            for _ in range(batch):
                position, event_id = next(self._positions), self._ids()
                said = note(position)
                version, data = position // STREAMS + 1, said.model_dump_json()
                rows.append(
                    (position, event_id, said.wire, 1, f"note/{said.about}", version,
                     _TIME, "bench", event_id, None, data, None, _HASH, _HASH)
                )  # fmt: skip
            db.execute("BEGIN IMMEDIATE")
            db.executemany(INSERT, rows)
            db.execute("COMMIT")
        return events / (time.perf_counter() - began)

    def close(self) -> None:
        self._db.close()
