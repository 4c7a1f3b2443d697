"""Servers that are busy, broken, slow, gone, or talk rubbish, over real sockets."""

from __future__ import annotations

import asyncio

import pytest

from guardrails.budget import Budget
from guardrails.caller import Call, Caller
from guardrails.refusals import BudgetSpent, CallFailed
from tests.guardrails.asks import HELLO, Slept, failure
from tests.guardrails.server import Said, Server, fails, in_order, says


async def test_429_is_obeyed_and_tried_again() -> None:
    busy = fails(429, "slow down", {"retry-after": "0.3"})
    async with Server(in_order(busy, says("Hi."))) as server:
        slept = Slept()
        caller = Caller([server.endpoint()], sleep=slept)
        answer = await caller.ask("teacher", HELLO, budget=Budget())
        await caller.close()
    assert (answer.text, answer.attempts) == ("Hi.", 2)
    assert slept.waits == [0.3]


async def test_429_that_asks_for_an_hour_is_not_waited_for() -> None:
    async with Server(in_order(fails(429, "later", {"retry-after": "3600"}))) as server:
        caller = Caller([server.endpoint()], sleep=Slept())
        found = await failure(caller)
        await caller.close()
    assert (found.kind, found.retry_after, len(server.asked)) == ("rate_limited", 3600, 1)


async def test_500_is_tried_again_and_costs_nothing() -> None:
    async with Server(in_order(fails(500), fails(503), says("Hi."))) as server:
        budget = Budget()
        caller = Caller([server.endpoint()], sleep=Slept())
        answer = await caller.ask("teacher", HELLO, budget=budget)
        await caller.close()
    assert (answer.text, answer.attempts, answer.tokens_in) == ("Hi.", 3, 7)
    assert (budget.spent()["calls"], budget.spent()["tokens"]) == (3, 12)


async def test_500_for_ever_ends() -> None:
    async with Server(in_order(fails(500, "it is broken"))) as server:
        slept = Slept()
        caller = Caller([server.endpoint()], sleep=slept)
        found = await failure(caller)
        await caller.close()
    assert (found.kind, len(server.asked)) == ("server", 4)
    assert "it is broken" in str(found)
    assert "endpoint teacher" in str(found)
    assert len(slept.waits) == 3
    assert sum(slept.waits) <= 0.5 + 1 + 2


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "", "rejected"),
        (401, "", "rejected"),
        (404, "", "rejected"),
        (301, "", "rejected"),
        (402, "", "quota"),
        (429, "insufficient_quota", "quota"),
        (400, "content_filter", "refused"),
    ],
)
async def test_what_will_not_go_away_is_asked_once(status: int, code: str, kind: str) -> None:
    async with Server(in_order(fails(status, code=code))) as server:
        caller = Caller([server.endpoint()], sleep=Slept())
        found = await failure(caller)
        await caller.close()
    assert (found.kind, len(server.asked)) == (kind, 1)


async def test_a_server_that_hangs_is_left_after_its_time() -> None:
    async with Server(in_order(Said(delay=30))) as server:
        calls: list[Call] = []
        caller = Caller([server.endpoint(timeout_s=0.1)], calls.append, sleep=Slept())
        budget = Budget()
        found = await failure(caller)
        with pytest.raises(CallFailed):
            await caller.ask("teacher", HELLO, budget=budget, max_tokens=100)
        await caller.close()
    assert found.kind == "timeout"
    assert [call.attempt for call in calls] == [1, 2, 1, 2]
    assert all("no whole answer within 0.1 s" in call.error for call in calls)
    assert budget.spent()["tokens"] >= 200, "nobody knows what it was billed: all of it counts"


async def test_a_server_that_drips_is_left_after_its_time_too() -> None:
    async with Server(in_order(Said(b" " * 1000, drip=0.02))) as server:
        caller = Caller([server.endpoint(timeout_s=0.2)], sleep=Slept())
        assert (await failure(caller)).kind == "timeout"
        await caller.close()


async def test_after_hangs_all_places_are_free_again() -> None:
    async with Server(in_order(*[Said(delay=30)] * 4, says("Hi."))) as server:
        caller = Caller([server.endpoint(timeout_s=0.3, concurrency=1)], sleep=Slept())
        for _ in range(2):
            assert (await failure(caller)).kind == "timeout"
        answers = await asyncio.gather(
            *(caller.ask("teacher", HELLO, budget=Budget()) for _ in range(4))
        )
        await caller.close()
    assert [answer.text for answer in answers] == ["Hi."] * 4


async def test_an_answer_that_breaks_off_is_tried_again() -> None:
    half = says("Hi.")
    half.cut = 40
    async with Server(in_order(half, Said(cut=0), says("Hi."))) as server:
        caller = Caller([server.endpoint()], sleep=Slept())
        answer = await caller.ask("teacher", HELLO, budget=Budget())
        await caller.close()
    assert (answer.text, answer.attempts) == ("Hi.", 3)


async def test_nobody_at_the_address_is_told_and_costs_nothing() -> None:
    async with Server(in_order(says("Hi."))) as server:
        endpoint = server.endpoint()
    budget = Budget()
    caller = Caller([endpoint], sleep=Slept())
    with pytest.raises(CallFailed) as caught:
        await caller.ask("teacher", HELLO, budget=budget)
    await caller.close()
    assert caught.value.kind == "unreachable"
    assert (budget.spent()["calls"], budget.spent()["tokens"]) == (4, 0)


@pytest.mark.parametrize("size", [5 << 20, 200 << 20])
async def test_a_huge_answer_is_not_read_to_its_end(size: int) -> None:
    async with Server(in_order(Said(b" " * (5 << 20), headers={"content-length": str(size)}))) as s:
        caller = Caller([s.endpoint()], sleep=Slept())
        found = await failure(caller)
        await caller.close()
    assert (found.kind, len(s.asked)) == ("too_large", 1)


async def test_a_compressed_answer_is_not_unpacked() -> None:
    packed = Said(b"\x1f\x8b" + b"\0" * 100, headers={"content-encoding": "gzip"})
    async with Server(in_order(packed)) as server:
        caller = Caller([server.endpoint()], sleep=Slept())
        assert (await failure(caller)).kind == "rubbish"
        await caller.close()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>busy</html>",
        b'{"choices": [{"message": {"content": "Hi',
        b"[]",
        b"null",
        b'{"choices": []}',
        b'{"choices": [{}]}',
        b'{"choices": [{"message": {"content": 3}}]}',
        b'{"choices": [{"message": {"content": "\\ud800"}}]}',
        b'{"choices": {"message": "x"}, "usage": NaN}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"\xff\xfe",
    ],
)
async def test_rubbish_is_tried_once_more_and_told(body: bytes) -> None:
    async with Server(in_order(Said(body))) as server:
        calls: list[Call] = []
        caller = Caller([server.endpoint()], calls.append, sleep=Slept())
        found = await failure(caller)
        await caller.close()
    assert (found.kind, len(server.asked), len(calls)) == ("rubbish", 2, 2)
    assert len(str(found)) < 1000


async def test_a_budget_that_failing_calls_have_used_up_says_why_they_failed() -> None:
    async with Server(in_order(Said(cut=0))) as server:
        caller = Caller([server.endpoint()], sleep=Slept())
        with pytest.raises(BudgetSpent) as spent:
            await caller.ask("teacher", HELLO, budget=Budget(calls=2))
        await caller.close()
    assert len(server.asked) == 2
    assert "the call before it failed: RemoteProtocolError" in spent.value.what
