"""What every store promises about the tree: what proofs are made of."""

from __future__ import annotations

import asyncio

import pytest

from events.errors import VersionConflict
from events.merkle import SEGMENT
from events.proof import flaw, prove
from events.store import append
from tests.events.contract.case import StoreCase
from tests.events.messages import Noted


class ProofContract(StoreCase):
    """Hashes, segments, roots."""

    async def test_hashes_are_those_of_the_events_and_never_too_many(self) -> None:
        async with self.open() as store:
            for _ in range(3):
                await append(store, *[Noted(text=str(i)) for i in range(500)])
            log = [envelope.hash for envelope in await self.intact(store)]
            assert await store.hashes(0, 5) == log[:5]
            assert await store.hashes(7, 9) == log[7:9]
            assert await store.hashes(1490, 9999) == log[1490:]
            assert await store.hashes(0, 1500) == log[:SEGMENT]
            assert await store.hashes(100, 1500) == log[100 : 100 + SEGMENT]
            for nothing in ((0, 0), (9, 9), (9, 3), (1500, 1501), (-3, 0)):
                assert await store.hashes(*nothing) == []

    async def test_the_signed_root_goes_with_the_log(self) -> None:
        async with self.open() as store:
            assert (await store.head()).root == ""
            assert await store.segments() == []
            roots = set()
            for i in range(5):
                await append(store, Noted(text=str(i)))
                await self.intact(store)
                roots.add((await store.head()).root)
            assert len(roots) == 5
            with pytest.raises(VersionConflict):
                await append(store, Noted(), expected={"note/a": 0})
            await append(store, Noted())
            await self.intact(store)

    async def test_every_event_is_proven_under_the_head(self) -> None:
        async with self.open() as store:
            for size in (1, 2, 1020, 1, 1, 1023, 1, 700):
                await append(store, *[Noted(text=str(i)) for i in range(size)])
                log = await self.intact(store)
                end = len(log)
                for position in {1, 2, end // 2, 1023, 1024, 1025, 2048, 2049, end - 1, end}:
                    if 0 < position <= end:
                        proof = await prove(store, log[position - 1])
                        assert proof.head == await store.head()
                        assert flaw(proof, self.signer.public) == ""

    async def test_an_event_is_proven_while_others_are_added(self) -> None:
        async with self.open() as store:
            [first] = await append(store, Noted())

            async def add() -> None:
                for i in range(60):
                    await append(store, *[Noted(text=str(i)) for _ in range(20)])

            async def check() -> None:
                for _ in range(30):
                    assert flaw(await prove(store, first), self.signer.public) == ""
                    await asyncio.sleep(0.001)

            await asyncio.gather(add(), check())
            await self.intact(store)
