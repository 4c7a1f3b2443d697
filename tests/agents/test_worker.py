"""Workers: one answer to each request, whatever is lost, repeated or late."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace

import pytest

from agents import worker as module
from agents.trainer.workers.failing import failed
from agents.trainer.workers.pretend import pretender
from agents.worker import Runner, Tell, Worker
from events.bus import LogTailBus
from events.catalog.training import RequestWithdrawn, StageCompleted, StageRequested
from events.desk import Granted, LogDesk
from events.errors import LeaseLost, LogUnavailable, Malformed
from events.fact import Fact
from events.memory import MemoryStore
from events.message import Outcome
from events.store import Held, append
from tests.agents.spec import Time


async def granted(store: MemoryStore, *workers: Worker, seconds: float = 0.3) -> None:
    """Let runners compete for a while."""
    bus = LogTailBus(store)
    runners = [
        Runner({one.kind.wire: one}, LogDesk(store, bus, [one.kind.wire], f"w-{number}"), slots=2)
        for number, one in enumerate(workers)
    ]
    tasks = [asyncio.create_task(runner.run()) for runner in runners]
    await asyncio.sleep(seconds)
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    await bus.close()


def request(number: int = 1) -> StageRequested:
    return StageRequested.model_validate(
        StageRequested.example | {"run": f"r{number}", "stage": "data", "pipeline": "rehearsal"}
    )


async def outcomes(store: MemoryStore) -> list[str]:
    return [e.type for e in await store.read(limit=1000) if e.type != "StageRequested"]


def test_many_workers_answer_each_request_once() -> None:
    async def story() -> None:
        store = MemoryStore()
        await append(store, *[request(number) for number in range(20)], actor="agent:trainer")
        await granted(store, *[pretender(0.0) for _ in range(4)])
        assert await outcomes(store) == ["StageCompleted"] * 20
        assert await store.leases() == []

    asyncio.run(story())


def test_what_fails_in_a_worker_is_an_outcome() -> None:
    async def broken(_told: Fact, _tell: Tell) -> Outcome:
        raise MemoryError("no room")

    async def story() -> None:
        store = MemoryStore()
        await append(store, request(), actor="agent:trainer")
        await granted(store, Worker(StageRequested, broken, failed), seconds=0.1)
        (answer,) = [e for e in await store.read() if e.type == "StageFailed"]
        assert getattr(answer.event(), "reason", "") == "MemoryError: no room"

    asyncio.run(story())


class Strict(LogDesk):
    """A desk that takes no outcome but failures in."""

    async def answer(self, granted: Granted, outcome: Outcome) -> None:
        if isinstance(outcome, StageCompleted):
            raise Malformed("'metrics' has too many items", where="data.metrics")
        await super().answer(granted, outcome)


def test_an_outcome_that_is_refused_has_failed_and_its_worker_goes_on() -> None:
    async def story() -> None:
        store = MemoryStore()
        await append(store, request(1), request(2), actor="agent:trainer")
        bus, worker = LogTailBus(store), pretender(0.0)
        kinds = {StageRequested.wire: worker}
        await Runner(kinds, Strict(store, bus, kinds, "w")).settle()
        answers = [e.event() for e in await store.read() if e.type == "StageFailed"]
        reasons = [getattr(one, "reason", "") for one in answers]
        assert reasons == ["'metrics' has too many items (data.metrics)"] * 2
        assert await store.leases() == []
        await bus.close()

    asyncio.run(story())


def waiting(reached: asyncio.Event, until: asyncio.Event) -> Worker:
    async def grant(told: Fact, _tell: Tell) -> Outcome:
        asked = told.event
        assert isinstance(asked, StageRequested)
        reached.set()
        await until.wait()
        return StageCompleted(run=asked.run, stage=asked.stage, attempt=1, seconds=0.0)

    return Worker(StageRequested, grant, failed)


def test_a_lease_that_ends_returns_the_request_and_the_late_answer_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "LOOK", 0.02)

    async def story() -> None:
        time = Time()
        store = MemoryStore(time)
        await append(store, request(), actor="agent:trainer")
        reached, until = asyncio.Event(), asyncio.Event()
        slow = asyncio.create_task(granted(store, waiting(reached, until), seconds=0.6))
        await reached.wait()
        time.pass_by(31)
        await granted(store, pretender(0.0), seconds=0.1)
        assert await outcomes(store) == ["StageCompleted"]
        until.set()
        await slow
        assert await outcomes(store) == ["StageCompleted"]

    asyncio.run(story())


def test_a_worker_stops_when_its_request_is_withdrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LEASE", 0.06)

    async def story() -> None:
        store = MemoryStore()
        (asked,) = await append(store, request(), actor="agent:trainer")
        stopped: list[str] = []

        async def grant(_told: Fact, _tell: Tell) -> Outcome:
            try:
                await asyncio.sleep(30)
            except asyncio.CancelledError:
                stopped.append("yes")
                raise
            raise AssertionError

        task = asyncio.create_task(granted(store, Worker(StageRequested, grant, failed)))
        await asyncio.sleep(0.05)
        gone = RequestWithdrawn(run="r1", request=asked.event_id, reason="cancelled")
        await append(store, gone, actor="agent:trainer")
        await task
        assert stopped == ["yes"]
        assert await outcomes(store) == ["RequestWithdrawn"]

    asyncio.run(story())


class Flaky(LogDesk):
    """A desk that is away while `away` is set; of its grants the first `lost` come too late."""

    away = False
    lost = 0

    async def claim(self, kinds: Iterable[str], seconds: float) -> Granted | None:
        self._there()
        if self.lost:
            self.lost -= 1
            raise LeaseLost("it was granted anew")
        return await super().claim(kinds, seconds)

    async def renew(self, held: Held, seconds: float) -> None:
        self._there()
        await super().renew(held, seconds)

    async def answer(self, granted: Granted, outcome: Outcome) -> None:
        self._there()
        await super().answer(granted, outcome)

    def _there(self) -> None:
        if self.away:
            raise LogUnavailable("the log is away")


def test_what_is_under_way_goes_on_while_the_log_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOOK", "AGAIN"):
        monkeypatch.setattr(module, name, 0.01)
    begun = 0

    async def story() -> None:
        store = MemoryStore()
        await append(store, request(), actor="agent:trainer")
        reached, until = asyncio.Event(), asyncio.Event()
        slow = waiting(reached, until)

        async def counted(told: Fact, tell: Tell) -> Outcome:
            nonlocal begun
            begun += 1
            return await slow.grant(told, tell)

        bus = LogTailBus(store)
        desk = Flaky(store, bus, ["StageRequested"], "worker")
        runner = Runner({"StageRequested": replace(slow, grant=counted)}, desk, slots=2)
        running = asyncio.create_task(runner.run())
        await reached.wait()
        desk.away = True
        async with asyncio.timeout(30):
            while not runner.failure:
                await asyncio.sleep(0.005)
        until.set()
        await asyncio.sleep(0.05)
        assert await outcomes(store) == []
        desk.away = False
        async with asyncio.timeout(30):
            while not await outcomes(store):
                await asyncio.sleep(0.005)
        assert runner.failure == ""
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await bus.close()

    asyncio.run(story())
    assert begun == 1


def test_a_grant_that_is_lost_on_its_way_does_not_end_a_worker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("LOOK", "AGAIN"):
        monkeypatch.setattr(module, name, 0.01)

    async def story() -> None:
        store = MemoryStore()
        await append(store, request(), actor="agent:trainer")
        bus = LogTailBus(store)
        desk = Flaky(store, bus, ["StageRequested"], "worker")
        desk.lost = 3
        running = asyncio.create_task(Runner({"StageRequested": pretender(0.0)}, desk).run())
        async with asyncio.timeout(30):
            while not await outcomes(store):
                await asyncio.sleep(0.005)
        assert desk.lost == 0
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await bus.close()

    asyncio.run(story())


def test_progress_reaches_whoever_listens() -> None:
    async def story() -> None:
        store = MemoryStore()
        bus = LogTailBus(store)
        follower = bus.follow()
        (asked,) = await append(store, request(), actor="agent:trainer")
        desk = LogDesk(store, bus, ["StageRequested"], "worker")
        runner = Runner({"StageRequested": pretender(0.0)}, desk)
        await runner.settle()
        heard = await follower.next(1)
        assert heard is not None
        assert heard.about == asked.event_id
        assert heard.says["step"] == 1
        follower.close()
        await bus.close()

    asyncio.run(story())
