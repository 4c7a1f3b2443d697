"""The clock and self-learning together: what has a time comes to its end by itself."""

from __future__ import annotations

import asyncio

from agents.self_learning import SELF_LEARNING
from agents.shell import Shell, introduce
from events.bus import LogTailBus
from events.catalog.messages import MessageSent
from events.catalog.role_needs import Memory
from events.envelope import draft
from events.memory import MemoryStore
from events.message import Event
from events.projection import Fold
from events.store import append
from infra.clock import Clock
from memory.remembering.account import account
from memory.remembering.memories import MEMORIES
from tests.agents.self_learning.roles import BILLING, fact, role
from tests.agents.spec import Time

DAY = 86_400.0
POLICY = Memory(retention_days=30.0)


class Home:
    """A log, its clock, and the one agent."""

    def __init__(self) -> None:
        self.time = Time()
        self.store = MemoryStore(self.time)
        self.clock = Clock(self.store, LogTailBus(self.store), self.time)

    async def told(self, event: Event) -> str:
        one = draft(event)
        await append(self.store, one, actor="test")
        await self.settle()
        return one.event_id

    async def later(self, seconds: float) -> None:
        self.time.pass_by(seconds)
        await self.clock.look()
        await self.settle()

    async def settle(self) -> None:
        await introduce(self.store, [SELF_LEARNING])
        await Shell(SELF_LEARNING, self.store, LogTailBus(self.store), "test").settle()

    async def types(self) -> list[str]:
        return [one.type for one in await self.store.read(limit=1000)]


def test_memories_end_with_their_retention_and_the_account_says_by_which_event() -> None:
    async def story() -> None:
        home = Home()
        await home.told(role("support", memory={"retention_days": 30.0}))
        first = await home.told(fact("First."))
        await home.later(10 * DAY)
        second = await home.told(fact("Second."))
        await home.later(20 * DAY + 1)
        rows = (await Fold(MEMORIES).catch_up(home.store)).values()
        found = account(rows, "support", POLICY, home.time())
        assert {one["id"]: one["status"] for one in found["memories"]} == {
            first: "expired",
            second: "kept",
        }
        (expired,) = await home.store.read(limit=1000, types=["MemoryExpired"])
        assert found["memories"][0]["ended_by"] == expired.event_id
        assert found["overdue"] == []
        await home.later(10 * DAY)
        assert (await home.types()).count("MemoryExpired") == 2

    asyncio.run(story())


def test_a_message_without_a_reply_is_told_to_its_sender() -> None:
    async def story() -> None:
        home = Home()
        await home.told(role("support"))
        await home.told(BILLING)
        asked = MessageSent(sender="support", to="billing", text="When?", reply_within_s=60)
        await home.told(asked)
        await home.later(59)
        assert "MessageUnanswered" not in await home.types()
        await home.later(2)
        assert (await home.types())[-1] == "MessageUnanswered"

    asyncio.run(story())
