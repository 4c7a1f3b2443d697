"""The nats-server of a running owner loses everything: it is told again, and readers go on."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import nats
import pytest
from nats.errors import Error as NatsError

from events.ids import new_id
from events.nats import streams, watchdog
from events.nats.consumer import Reader, Reading
from events.nats.link import Link
from events.store import EventStore
from infra.home import Home
from tests.events.nats.ledger import Ledger
from tests.events.nats.serving import running, until
from tests.infra.processes import Running, up

pytestmark = pytest.mark.real

TRAINING = {"role": "support", "pipeline": "rehearsal", "base": "tiny"}


async def quiet(_error: Exception) -> None:
    """The connection is lost: that is the point."""


class Outside:
    """Programs outside: one that publishes, one that listens, one that reads through a durable."""

    def __init__(self, owner: Running, client: Any, link: Link, ledger: Ledger) -> None:
        self.owner, self.client, self.link, self.ledger = owner, client, link, ledger
        self.reader = Reader(link, Reading("outside", batch=20), ledger, ledger.after)
        self.heard: set[int] = set()
        self.acknowledged: dict[str, int] = {}
        self.stopping = False

    async def hear(self, message: Any) -> None:
        self.heard.add(json.loads(message.data)["position"])

    async def publish(self) -> None:
        """One after the other; an id that has no answer is said again."""
        while not self.stopping:
            event_id, receipt = new_id(), dict[str, Any]()
            while "position" not in receipt:
                with suppress(NatsError, TimeoutError):
                    reply = await self.client.request(
                        "ratchet.publish.TrainingRequested", json.dumps(TRAINING).encode(),
                        timeout=1, headers={"Nats-Msg-Id": event_id},
                    )  # fmt: skip
                    receipt = json.loads(reply.data)
            self.acknowledged[event_id] = receipt["position"]
            await asyncio.sleep(0.005)

    @property
    def made(self) -> int:
        """How often the stream was made."""
        return self.owner.err.count("making the stream RATCHET")

    async def more(self, events: int) -> None:
        wanted = len(self.acknowledged) + events
        await until(lambda: len(self.acknowledged) >= wanted, 60)

    async def agree(self) -> None:
        """The stream is the log, its sequence the position; each was done once."""
        store = Home(self.owner.home).reader()
        try:
            while not await self._quiet(store):
                await asyncio.sleep(0.05)
            log = await store.read(limit=100_000)
        finally:
            await store.close()
        js, last = self.client.jetstream(), log[-1].position
        state = (await js.stream_info(streams.LOG)).state
        assert (state.first_seq, state.last_seq, state.messages) == (1, last, last)
        for said in log:
            message = await js.get_msg(streams.LOG, seq=said.position, direct=True)
            assert json.loads(message.data)["event_id"] == said.event_id
        assert self.ledger.faults(log) == []
        places = {said.event_id: said.position for said in log}
        assert self.acknowledged.items() <= places.items()
        assert self.reader.failure == ""

    async def _quiet(self, store: EventStore) -> bool:
        """Whether all is told, and nothing more is said. Who only listens hears what is said now,
        and not what was said while it was away itself."""
        last = (await store.head()).position
        await until(lambda: self.ledger.done >= last and last in self.heard, 60)
        await asyncio.sleep(0.3)
        return (await store.head()).position == last


@asynccontextmanager
async def outside(folder: Path) -> AsyncIterator[Outside]:
    with up(folder / "home") as owner:
        url, ledger = owner.note["nats"], Ledger(folder / "ledger.db")
        client = await nats.connect(
            url, max_reconnect_attempts=-1, reconnect_time_wait=0.05, error_cb=quiet
        )
        link = Link(url)
        await link.open()
        try:
            made = Outside(owner, client, link, ledger)
            async with running(made.reader.run):
                await client.subscribe("ratchet.events.>", cb=made.hear)
                await client.flush()
                publishing = asyncio.create_task(made.publish())
                await made.more(30)
                yield made
                await made.more(30)
                made.stopping = True
                await publishing
                await made.agree()
        finally:
            await client.close()
            await link.close()
            ledger.close()


async def test_a_server_that_is_killed_and_loses_its_store_is_told_everything_again(
    tmp_path: Path,
) -> None:
    async with outside(tmp_path) as there:
        folder = there.owner.home / "nats"
        for times in (1, 2):
            (folder / "store").rename(folder / "lost")
            os.kill(int((folder / "fence").read_text()), signal.SIGKILL)
            shutil.rmtree(folder / "lost", ignore_errors=True)
            await there.more(30)
            await until(lambda: there.made > times, 60)  # noqa: B023
    assert "Traceback" not in there.owner.err


async def test_a_consumer_that_somebody_deletes_is_there_again_and_leaves_nothing_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "LOOK", 0.3)
    async with outside(tmp_path) as there:
        js = there.client.jetstream()
        for times in (1, 2):
            await there.more(20)
            await js.delete_consumer(streams.LOG, "outside")
            await until(lambda: there.reader.watchdog.mended == times)  # noqa: B023
        before = there.ledger.told
        await until(lambda: there.ledger.told > before + 20)
