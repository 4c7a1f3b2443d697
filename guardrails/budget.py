"""What may be spent on models for one piece of work, in money, tokens, seconds and calls.

A call sets aside the most that it can cost before it is made, and gives back what it did not use.
So a budget is never overspent, however many calls are in flight, unless an endpoint bills more than
it was asked for: then by no more than what those in flight were billed beyond their share. A call
for which there is room only when others have come back waits for them.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType

from events.errors import Malformed
from guardrails.refusals import BudgetSpent, Limit

_DUST = 1e-9
"""Money that adding up floats may make or lose."""


class Hold:
    """What one call has set aside. Unless it says what it used, all of that counts as used."""

    def __init__(self, budget: Budget, tokens: int, money: float) -> None:
        self._budget = budget
        self._set_aside = (tokens, money)
        self._used = (tokens, money)

    def used(self, tokens: int, money: float) -> None:
        """What the call has cost in truth."""
        self._used = (max(0, tokens), max(0.0, money))

    async def __aenter__(self) -> Hold:
        await self._budget.take(*self._set_aside)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._budget.give_back(*self._set_aside, *self._used)


class Budget:
    """For one event loop. What is spent within another budget counts there as well."""

    def __init__(
        self,
        *,
        money: float | None = None,
        tokens: int | None = None,
        seconds: float | None = None,
        calls: int | None = None,
        spent: Mapping[str, float] | None = None,
        within: Budget | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`spent` is what an earlier process has spent of it; time runs from the first call."""
        self.limits: dict[Limit, float | None] = {
            "money": money,
            "tokens": tokens,
            "seconds": seconds,
            "calls": calls,
        }
        self._spent: dict[Limit, float] = {
            name: _amount(name, (spent or {}).get(name, 0)) for name in self.limits
        }
        for name, limit in self.limits.items():
            if limit is not None:
                _amount(name, limit)
        self._held: dict[Limit, float] = dict.fromkeys(self.limits, 0)
        self._in_flight = 0
        self._within, self._clock = within, clock
        self._began: float | None = None
        self._waiting: set[asyncio.Event] = within._waiting if within is not None else set()

    def spent(self) -> dict[str, float]:
        """What is spent by now, without what is only set aside; can be written as JSON."""
        told: dict[str, float] = dict(self._spent.items())
        told["seconds"] += self._running()
        return told

    def seconds_left(self) -> float | None:
        """How much time is left, here and around; None where there is no limit."""
        left = [
            max(0.0, limit - one.spent()["seconds"])
            for one in self._and_around()
            if (limit := one.limits["seconds"]) is not None
        ]
        return min(left, default=None)

    def check(self) -> None:
        """Raise `BudgetSpent` where not even the smallest call could be made."""
        for one in self._and_around():
            one._check_time()
            one._check_for({"tokens": 1, "money": 0.0, "calls": 1})

    def hold(self, tokens: int, money: float) -> Hold:
        """Set this much aside while a call is made: `async with budget.hold(...) as held`."""
        return Hold(self, tokens, money)

    async def take(self, tokens: int, money: float) -> None:
        """Wait until this much can be set aside, and set it aside; one call is counted."""
        wanted: dict[Limit, float] = {"tokens": tokens, "money": money, "calls": 1}
        while True:
            for one in self._and_around():
                one._begin()
                one._check_time()
                one._check_for(wanted)
            if all(one._has_room_for(wanted) for one in self._and_around()):
                break
            await self._something_comes_back()
        for one in self._and_around():
            one._spent["calls"] += 1
            one._held["tokens"] += tokens
            one._held["money"] += money
            one._in_flight += 1

    def give_back(self, tokens: int, money: float, used_tokens: int, used_money: float) -> None:
        """A call has come back: what it used is spent, the rest is free."""
        for one in self._and_around():
            one._in_flight -= 1
            one._held["tokens"] -= tokens
            one._held["money"] = one._held["money"] - money if one._in_flight else 0.0
            one._spent["tokens"] += used_tokens
            one._spent["money"] += used_money
        for event in self._waiting:
            event.set()

    async def _something_comes_back(self) -> None:
        event = asyncio.Event()
        self._waiting.add(event)
        try:
            async with asyncio.timeout(self.seconds_left()):
                await event.wait()
        except TimeoutError:
            pass  # the time is up, and the next look says so
        finally:
            self._waiting.discard(event)

    def _and_around(self) -> Iterator[Budget]:
        one: Budget | None = self
        while one is not None:
            yield one
            one = one._within

    def _begin(self) -> None:
        if self._began is None:
            self._began = self._clock()

    def _running(self) -> float:
        return 0.0 if self._began is None else self._clock() - self._began

    def _check_time(self) -> None:
        limit = self.limits["seconds"]
        if limit is not None and self.spent()["seconds"] >= limit:
            raise BudgetSpent("seconds", f"the {limit:g} seconds for asking models are over")

    def _check_for(self, wanted: Mapping[Limit, float]) -> None:
        """Whether there would be room if all that are in flight came back for nothing."""
        for name, amount in wanted.items():
            limit = self.limits[name]
            if limit is not None and self._spent[name] + amount > limit + _DUST:
                left = max(0.0, limit - self._spent[name])
                raise BudgetSpent(
                    name,
                    f"of {limit:g} {_UNITS[name]} {left:g} are left, "
                    f"and the next call may take {amount:g}",
                )

    def _has_room_for(self, wanted: Mapping[Limit, float]) -> bool:
        return all(
            limit is None or self._spent[name] + self._held[name] + amount <= limit + _DUST
            for name, amount in wanted.items()
            if (limit := self.limits[name]) is not None
        )


_UNITS: dict[Limit, str] = {
    "money": "dollars for models",
    "tokens": "tokens",
    "seconds": "seconds",
    "calls": "calls of models",
}


def _amount(name: str, value: float) -> float:
    if not math.isfinite(value) or value < 0:
        raise Malformed(
            f"{value} is no amount of {name}", where=f"budget.{name}", right="a number from 0 up"
        )
    return value
