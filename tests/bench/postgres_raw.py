"""The limit on Postgres: asyncpg by itself, with the columns of our table and none of its promises.

No chain (the two hash columns hold constants of the same width), no signed head, no triggers, no
admission; unique `event_id` and unique `(stream, version)` are the only checks.
"""

from __future__ import annotations

import time
from itertools import count
from typing import Any

import asyncpg

from events.envelope import COLUMNS
from events.ids import new_id
from tests.bench.notes import STREAMS, note

_KINDS = {"position": "bigint PRIMARY KEY", "schema": "integer", "version": "bigint"}
_TABLE = ", ".join(f"{column} {_KINDS.get(column, 'text')}" for column in COLUMNS)
CREATE = f"CREATE TABLE raw (UNIQUE (event_id), UNIQUE (stream, version), {_TABLE})"
INSERT = f"INSERT INTO raw VALUES ({', '.join(f'${n}' for n in range(1, len(COLUMNS) + 1))})"
SETTINGS = (
    "asyncpg alone: executemany in one transaction; pydantic model_dump_json for each event; ids "
    "in the order of time, as ours; " + CREATE
)
_TIME, _HASH = "2026-01-01T00:00:00.000000Z", "0" * 64


async def appended(url: str, events: int, batch: int) -> float:
    """Events a second, in transactions of `batch`, in 64 streams."""
    db: Any = await asyncpg.connect(url)
    positions = count(1)
    try:
        await db.execute(CREATE)
        began = time.perf_counter()
        for _ in range(events // batch):
            rows = []
            for _ in range(batch):
                position, event_id = next(positions), new_id()
                said = note(position)
                version, data = position // STREAMS + 1, said.model_dump_json()
                rows.append(
                    (position, event_id, said.wire, 1, f"note/{said.about}", version,
                     _TIME, "bench", event_id, None, data, None, _HASH, _HASH)
                )  # fmt: skip
            async with db.transaction():
                await db.executemany(INSERT, rows)
        return events / (time.perf_counter() - began)
    finally:
        await db.close()
