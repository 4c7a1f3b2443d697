"""The whole relay, from the log on the disk to JetStream's acknowledgement, beside raw nats-py."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from events.nats import streams, subjects
from events.nats.flight import WINDOW
from events.nats.message import message_id, payload
from events.nats.relay import Relay
from events.sql.sqlite import SqliteStore
from tests.bench.broker import SETTINGS, Bench, bench, published
from tests.bench.notes import filled
from tests.bench.results import Result, ratio
from tests.bench.rounds import disk

KEY = "00" * 32


async def relayed(place: Bench, store: SqliteStore, events: int) -> float:
    """Events a second, until the last one is acknowledged; the stream is made anew before."""
    await place.fresh()
    relay = Relay(store, place.link, KEY, ours=True)
    began = time.perf_counter()
    telling = asyncio.create_task(relay.run())
    while relay.position < events:
        await asyncio.sleep(0.001)
    taken = time.perf_counter() - began
    telling.cancel()
    await asyncio.gather(telling, return_exceptions=True)
    return events / taken


async def raw(place: Bench, messages: list[tuple[str, bytes, str]]) -> float:
    """The same payloads, ready made, into the same stream with the same window."""
    await place.fresh()
    began = time.perf_counter()
    await place.js.add_stream(streams.log_stream(KEY, 1))
    await published(place.js, messages, WINDOW)
    return len(messages) / (time.perf_counter() - began)


async def measured(folder: Path, events: int, rounds: int) -> dict[str, list[float]]:
    await filled(folder / "log.db", events)
    store = SqliteStore(folder / "log.db")
    messages = [
        (subjects.of_event(one.type, one.stream), payload(one), message_id(one.event_id))
        for one in await store.read(limit=events)
    ]
    figures: dict[str, list[float]] = {"ratchet": [], "raw nats-py": []}
    async with bench(folder) as place:
        for turn in range(-1, rounds):
            ours, theirs = await relayed(place, store, events), await raw(place, messages)
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
        "the log told to JetStream, acknowledged",
        "events/s",
        {
            "ratchet": f"Relay over SqliteStore, window {WINDOW}, each with its expected sequence; "
            + SETTINGS,
            "raw nats-py": f"js.publish of ready payloads, {WINDOW} at once, Nats-Msg-Id; "
            + SETTINGS,
        },
        figures,
        [ratio(figures["ratchet"], figures["raw nats-py"], "of raw nats-py", 0.75)],
    )
