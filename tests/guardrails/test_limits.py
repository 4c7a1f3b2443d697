"""How many calls an endpoint sees, and when a failed one is made again."""

from __future__ import annotations

import asyncio
import itertools
import time

import pytest

from guardrails.budget import Budget
from guardrails.caller import Caller, Message
from guardrails.limits import Turnstile
from guardrails.refusals import CallFailed, Kind
from guardrails.retrying import LONGEST_ASKED, TRIES, asked_for, kind_of, wait_after
from tests.guardrails.server import Said, Server, in_order, says


async def test_no_more_than_allowed_are_in_flight_at_once() -> None:
    good = says("Hi.")
    good.delay = 0.02
    async with Server(in_order(good)) as server:
        caller = Caller([server.endpoint(concurrency=5)])
        asks = (
            caller.ask("teacher", [Message("user", "Hello?")], budget=Budget()) for _ in range(40)
        )
        await asyncio.gather(*asks)
        await caller.close()
    assert (len(server.asked), server.most_in_flight) == (40, 5)


async def test_no_more_than_allowed_begin_within_a_minute() -> None:
    async with Server(in_order(says("Hi."))) as server:
        caller = Caller([server.endpoint(requests_per_minute=7, concurrency=20)])
        asks = (
            caller.ask("teacher", [Message("user", "Hello?")], budget=Budget(seconds=2))
            for _ in range(20)
        )
        found = await asyncio.gather(*asks, return_exceptions=True)
        await caller.close()
    assert len(server.asked) == 7
    assert [type(one).__name__ for one in found].count("BudgetSpent") == 13


async def test_any_minute_sees_no_more_than_allowed() -> None:
    now = 0.0
    turnstile = Turnstile(1, 3, clock=lambda: now)
    begun = []
    for step in range(200):
        now = step * 7.3
        try:
            async with turnstile.passed(0.001):
                begun.append(now)
        except TimeoutError:
            continue
    assert len(begun) > 60
    assert all(later - early >= 60 for early, later in zip(begun, begun[3:], strict=False))


async def test_who_gives_up_waiting_leaves_no_place_taken() -> None:
    turnstile = Turnstile(1)
    async with turnstile.passed(None):
        for _ in range(5):
            with pytest.raises(TimeoutError):
                async with turnstile.passed(0.001):
                    raise AssertionError("there is no place")
    async with turnstile.passed(0.5):
        pass


async def test_a_pause_that_an_endpoint_asks_for_holds_everybody() -> None:
    busy = Said(b"{}", 429, {"retry-after": "0.4"})
    async with Server(in_order(busy, says("Hi."))) as server:
        caller = Caller([server.endpoint(concurrency=2)])
        began = time.monotonic()
        first = asyncio.create_task(caller.ask("teacher", [Message("user", "1")], budget=Budget()))
        while not server.asked:
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.1)
        await caller.ask("teacher", [Message("user", "2")], budget=Budget())
        took = time.monotonic() - began
        await first
        await caller.close()
    assert took >= 0.4


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (408, "", "server"),
        (409, "", "server"),
        (429, "", "rate_limited"),
        (500, "", "server"),
        (529, "", "server"),
        (501, "", "rejected"),
        (400, "", "rejected"),
        (403, "", "rejected"),
        (302, "", "rejected"),
        (429, "insufficient_quota", "quota"),
        (402, "", "quota"),
        (400, "content_filter", "refused"),
    ],
)
def test_what_a_status_means(status: int, code: str, kind: Kind) -> None:
    assert kind_of(status, code) == kind
    tried_again = wait_after(CallFailed(kind, "x"), 1, 0.5) is not None
    assert tried_again == ((status in {408, 409, 429} and not code) or status in {500, 529})


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 0.5 "}, 0.5),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after": "Sun, 06 Nov 1994 08:49:47 GMT"}, 10.0),
        ({"retry-after": "Sun, 06 Nov 1994 08:49:00 GMT"}, 0.0),
        ({}, None),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "9" * 10_000}, None),
        ({"retry-after": "Sun, 99 Foo 99999 08:49:00 GMT"}, None),
    ],
)
def test_when_an_endpoint_wants_to_be_asked_again(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert asked_for(headers, now=784111777.0) == seconds


def test_waits_grow_are_bounded_and_differ_by_luck() -> None:
    for kind, tries in TRIES.items():
        waits = [wait_after(CallFailed(kind, "x"), made, 0.5) for made in range(1, tries + 1)]
        assert waits.pop() is None, "the last try was the last"
        assert all(wait is not None and 0 < wait <= 8 for wait in waits)
        assert waits == sorted(waits, key=lambda wait: wait or 0)
    lucks = [wait_after(CallFailed("server", "x"), 2, luck) for luck in (0.0, 0.5, 0.99)]
    assert len(set(lucks)) == 3


def test_what_an_endpoint_asks_for_is_waited_up_to_a_bound() -> None:
    for asked, wait in itertools.product([0.0, 3.0, LONGEST_ASKED], [0.0, 0.9]):
        failure = CallFailed("rate_limited", "x", retry_after=asked)
        assert wait_after(failure, 1, wait) == asked
    failure = CallFailed("rate_limited", "x", retry_after=LONGEST_ASKED + 1)
    assert wait_after(failure, 1, 0.5) is None
