"""Batches read through our factory, validated by pydantic, beside raw nats-py doing the same."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

from nats.js.api import ConsumerConfig
from pydantic import BaseModel

from events.nats import streams
from events.nats.consumer import Reader, Reading, Told
from events.nats.relay import Relay
from events.sql.sqlite import SqliteStore
from tests.bench.broker import SETTINGS, Bench, bench
from tests.bench.notes import filled
from tests.bench.results import Result, ratio
from tests.bench.rounds import disk
from tests.events.messages import Noted

KEY = "00" * 32
BATCH = 100


class Said(BaseModel):
    """What the peer validates: the whole message, the event within."""

    position: int
    event_id: str
    type: str
    stream: str
    version: int
    recorded_at: str
    actor: str
    correlation_id: str
    cause_id: str | None
    data: Noted
    hash: str


async def read(place: Bench, events: int, name: str) -> float:
    """Events a second through the factory, acknowledged."""
    seen, done = 0, asyncio.Event()

    async def handle(told: list[Told]) -> None:
        nonlocal seen
        seen += len(told)
        assert isinstance(told[-1].event, Noted)
        if seen >= events:
            done.set()

    reader = Reader(place.link, Reading(name, batch=BATCH), handle)
    await reader.watchdog.look()
    began = time.perf_counter()
    reading = asyncio.create_task(reader.run())
    await done.wait()
    taken = time.perf_counter() - began
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    await place.js.delete_consumer(streams.LOG, name)
    return events / taken


async def raw(place: Bench, events: int, name: str) -> float:
    config = ConsumerConfig(durable_name=name, max_ack_pending=1000)
    bound: Any = await place.js.pull_subscribe(
        "ratchet.events.>", durable=name, stream=streams.LOG, config=config
    )
    began, seen = time.perf_counter(), 0
    while seen < events:
        for message in await bound.fetch(BATCH, timeout=5):
            said = Said.model_validate_json(message.data)
            assert said.position
            await message.ack()
            seen += 1
    taken = time.perf_counter() - began
    await bound.unsubscribe()
    await place.js.delete_consumer(streams.LOG, name)
    return events / taken


async def measured(folder: Path, events: int, rounds: int) -> dict[str, list[float]]:
    await filled(folder / "log.db", events)
    store = SqliteStore(folder / "log.db")
    figures: dict[str, list[float]] = {"ratchet": [], "raw nats-py": []}
    async with bench(folder) as place:
        relay = Relay(store, place.link, KEY, ours=True)
        telling = asyncio.create_task(relay.run())
        while relay.position < events:
            await asyncio.sleep(0.01)
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
        for turn in range(-1, rounds):
            ours = await read(place, events, f"ours{turn + 1}")
            theirs = await raw(place, events, f"theirs{turn + 1}")
            if turn >= 0:
                figures["ratchet"].append(ours)
                figures["raw nats-py"].append(theirs)
    await store.close()
    return figures


def measure(short: bool) -> Result:
    events, rounds = (4000, 3) if short else (20_000, 9)
    with disk() as folder:
        figures = asyncio.run(measured(folder, events, rounds))
    return Result(
        "batches of the stream read, validated and acknowledged",
        "events/s",
        {
            "ratchet": f"Reader on FastStream, batches of {BATCH}, envelope and event; {SETTINGS}",
            "raw nats-py": f"fetch({BATCH}), model_validate_json, ack of each; {SETTINGS}",
        },
        figures,
        [ratio(figures["ratchet"], figures["raw nats-py"], "of raw nats-py", 0.75)],
    )
