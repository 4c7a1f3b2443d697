"""The contract of every store, and what is added where the log outlives its process."""

from __future__ import annotations

import asyncio

from events.proof import flaw, prove
from events.store import Move, PutSnapshot, Snapshot, append
from tests.events.contract.appending import AppendContract
from tests.events.contract.forgetting import DurableForgetting, ForgettingContract
from tests.events.contract.leasing import CheckpointContract, LeaseContract, RequestContract
from tests.events.contract.proving import ProofContract
from tests.events.contract.reading import ReadContract
from tests.events.messages import Noted, WorkRequested, claim, take


class StoreContract(
    AppendContract,
    CheckpointContract,
    ForgettingContract,
    LeaseContract,
    RequestContract,
    ReadContract,
    ProofContract,
):
    """All of it."""


class DurableContract(DurableForgetting):
    """What is left when a store is closed and opened again."""

    async def test_everything_is_there_again(self) -> None:
        kept = Snapshot("runs", "1", 1, "{}")
        async with self.open() as store:
            [first] = await append(store, Noted(), move=Move("reader", 0, 1))
            await append(store, WorkRequested(), cause=first)
            await take(store, "agent/a")
            await claim(store)
            await store.submit(PutSnapshot(kept))
            log, head, leases = await store.read(), await store.head(), await store.leases()
        async with self.open() as store:
            assert await self.intact(store) == log
            assert await store.head() == head
            assert await store.leases() == leases
            assert await store.checkpoint("reader") == 1
            assert await store.snapshot("runs") == kept

    async def test_the_tree_grows_on_where_it_ended(self) -> None:
        for size in (1020, 3, 1, 1, 1023, 1, 2000):
            async with self.open() as store:
                await append(store, *[Noted(text=str(i)) for i in range(size)])
                log = await self.intact(store)
                assert flaw(await prove(store, log[-1]), self.signer.public) == ""
        assert len(log) == 4049

    async def test_the_log_goes_on_where_it_ended(self) -> None:
        for i in range(3):
            async with self.open() as store:
                [one] = await append(store, Noted(), expected={"note/a": i})
                assert (one.position, one.version) == (i + 1, i + 1)
                assert len(await self.intact(store)) == i + 1

    async def test_recorded_time_never_decreases_from_one_opening_to_the_next(self) -> None:
        async with self.open() as store:
            [first] = await append(store, Noted())
        self.clock.go(-3600)
        async with self.open() as store:
            [second] = await append(store, Noted())
            assert second.recorded_at == first.recorded_at

    async def test_what_waits_when_the_store_is_closed_is_still_written(self) -> None:
        store = await self.make(self.place, self.clock, self.signer)
        waiting = asyncio.gather(*(append(store, Noted(text=str(i))) for i in range(600)))
        await asyncio.sleep(0)
        await store.close()
        assert len(await waiting) == 600
        async with self.open() as store:
            assert len(await self.intact(store)) == 600
