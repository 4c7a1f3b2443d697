"""Budgets hold, whatever is in flight."""

from __future__ import annotations

import asyncio
import json
import random

import pytest

from events.errors import Malformed
from guardrails.budget import Budget
from guardrails.caller import Caller, Message
from guardrails.refusals import BudgetSpent, CallFailed
from tests.guardrails.server import Said, Server, in_order, says

ASK = [Message("user", "x" * 84)]  # 100 tokens at most, with what lies around a message


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def fifty(server: Server, budget: Budget, calls: int = 120, **fields: object) -> int:
    """How many of so many asks, 50 at a time, were answered."""
    caller = Caller([server.endpoint(concurrency=50, **fields)])
    places = asyncio.Semaphore(50)

    async def one() -> bool:
        async with places:
            try:
                await caller.ask("teacher", ASK, budget=budget, max_tokens=100)
            except BudgetSpent:
                return False
            return True

    answered = await asyncio.gather(*(one() for _ in range(calls)))
    await caller.close()
    return sum(answered)


def slowly(tokens_in: int, tokens_out: int) -> Said:
    said = says("Hi.", usage=(tokens_in, tokens_out))
    said.delay = 0.01
    return said


async def test_calls_are_counted_exactly_with_50_in_flight() -> None:
    async with Server(in_order(slowly(10, 10))) as server:
        budget = Budget(calls=80)
        assert await fifty(server, budget) == 80
    assert len(server.asked) == 80
    assert server.most_in_flight > 10
    assert budget.spent()["calls"] == 80


async def test_tokens_are_never_overspent_with_50_in_flight() -> None:
    luck = random.Random(1)
    async with Server(lambda _: slowly(100, luck.randrange(1, 101))) as server:
        budget = Budget(tokens=12_000)
        answered = await fifty(server, budget)
    assert 12_000 - 200 < budget.spent()["tokens"] <= 12_000, "at most one call stays unspent"
    assert 60 <= answered < 120
    assert server.most_in_flight > 10


async def test_money_is_never_overspent_with_50_in_flight() -> None:
    luck = random.Random(2)
    async with Server(lambda _: slowly(luck.randrange(1, 101), 100)) as server:
        budget = Budget(money=0.002)
        await fifty(server, budget, price_in_per_1m=0.1, price_out_per_1m=0.2)
    most = (100 * 0.1 + 100 * 0.2) / 1e6
    assert 0.002 - most < budget.spent()["money"] <= 0.002 + 1e-9


async def test_who_bills_more_than_was_asked_for_overspends_by_what_is_in_flight_only() -> None:
    async with Server(in_order(slowly(100, 1000))) as server:
        budget = Budget(tokens=12_000)
        answered = await fifty(server, budget)
    over = budget.spent()["tokens"] - 12_000
    assert over <= 50 * (1100 - 200)
    assert answered == len(server.asked) <= 12_000 / 200


async def test_time_ends_what_is_in_flight_and_what_waits() -> None:
    async with Server(in_order(Said(delay=30))) as server:
        began = asyncio.get_running_loop().time()
        answered = await fifty(server, Budget(seconds=0.3), calls=60)
        took = asyncio.get_running_loop().time() - began
    assert answered == 0
    assert took < 10


async def test_a_call_waits_for_room_that_others_give_back() -> None:
    budget = Budget(tokens=250)
    async with budget.hold(200, 0) as first:
        second = asyncio.create_task(budget.take(100, 0))
        await asyncio.sleep(0.01)
        assert not second.done()
        first.used(50, 0)
    await second
    assert budget.spent() == {"money": 0, "tokens": 50, "seconds": pytest.approx(0, abs=5),
                              "calls": 2}  # fmt: skip


async def test_a_call_that_can_never_fit_is_told_at_once_and_says_why() -> None:
    budget = Budget(tokens=250)
    async with budget.hold(200, 0):
        with pytest.raises(BudgetSpent, match=r"of 250 tokens 250 are left.* may take 300") as told:
            await budget.take(300, 0)
    assert told.value.limit == "tokens"
    with pytest.raises(BudgetSpent, match="of 250 tokens 50 are left"):
        await budget.take(100, 0)


async def test_what_is_spent_within_a_budget_counts_around_it() -> None:
    whole = Budget(tokens=1000, calls=3)
    parts = [Budget(tokens=600, within=whole), Budget(tokens=600, within=whole)]
    async with parts[0].hold(500, 0.5):
        with pytest.raises(BudgetSpent):
            await parts[0].take(700, 0)
        waiting = asyncio.create_task(parts[1].take(600, 0))
        await asyncio.sleep(0.01)
        assert not waiting.done(), "its own budget has room, the whole one has not"
        waiting.cancel()
    assert [one.spent()["tokens"] for one in [whole, *parts]] == [500, 500, 0]
    assert whole.spent()["money"] == 0.5
    parts[1].check()
    async with parts[1].hold(100, 0), parts[1].hold(100, 0):
        pass
    with pytest.raises(BudgetSpent, match="calls of models"):
        parts[1].check()


async def test_a_waiting_call_wakes_when_another_part_gives_back() -> None:
    whole = Budget(tokens=100)
    one, other = Budget(within=whole), Budget(within=whole)
    async with one.hold(80, 0) as held:
        waiting = asyncio.create_task(other.take(80, 0))
        await asyncio.sleep(0.01)
        held.used(20, 0)
    await asyncio.wait_for(waiting, 30)


async def test_time_runs_from_the_first_call_and_goes_on_after_a_restart() -> None:
    clock = Clock()
    budget = Budget(seconds=10, clock=clock)
    clock.now += 1000
    assert budget.seconds_left() == 10
    async with budget.hold(1, 0):
        clock.now += 4
    kept = json.loads(json.dumps(budget.spent()))
    assert (kept["seconds"], kept["calls"]) == (4, 1)
    later = Budget(seconds=10, spent=kept, clock=clock)
    later.check()
    await later.take(1, 0)
    clock.now += 6
    with pytest.raises(BudgetSpent, match="the 10 seconds"):
        later.check()


async def test_a_hold_that_ends_by_an_error_counts_as_used() -> None:
    budget = Budget(tokens=100)
    with pytest.raises(ValueError, match="broken"):
        async with budget.hold(60, 0):
            raise ValueError("broken")
    assert budget.spent()["tokens"] == 60


@pytest.mark.parametrize("limits", [{"money": float("nan")}, {"tokens": -1}, {"seconds": 1e999}])
def test_what_is_no_amount_is_no_budget(limits: dict[str, float]) -> None:
    with pytest.raises(Malformed, match="is no amount"):
        Budget(**limits)  # type: ignore[arg-type]


async def test_a_wait_that_the_time_does_not_allow_is_not_begun() -> None:
    async with Server(in_order(Said(b"{}", 429, {"retry-after": "30"}))) as server:
        caller = Caller([server.endpoint()])
        with pytest.raises(CallFailed):
            await caller.ask("teacher", ASK, budget=Budget(seconds=5))
        with pytest.raises(BudgetSpent, match="time for asking models is over"):
            await caller.ask("teacher", ASK, budget=Budget(seconds=0.2))
        await caller.close()
    assert len(server.asked) == 1, "the second waits for the pause, and its time ends before"
