"""The calls that one question takes at one endpoint: limited, paid for, recorded, tried again."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, Protocol, TypeVar

from guardrails import replies
from guardrails.budget import Budget, Hold
from guardrails.calls import Call
from guardrails.endpoint import Endpoint
from guardrails.ladder import Ladder
from guardrails.limits import Turnstile
from guardrails.manners import Manners
from guardrails.refusals import BudgetSpent, CallFailed, out_of_time
from guardrails.retrying import LONGEST_ASKED, wait_after

T = TypeVar("T")

Record = Callable[[Call], None]
Sleep = Callable[[float], Awaitable[None]]


class Wire(Protocol):
    """Posts to an endpoint; `CallFailed` where no 2xx answer comes back."""

    async def post(self, path: str, body: dict[str, Any]) -> bytes:
        """The body of the answer."""


class Most(NamedTuple):
    """The most that one call can cost."""

    tokens_in: int
    tokens_out: int


class Work:
    """One question: the budget it is asked under, and what its calls came to."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.begun = time.monotonic()
        self.tokens_in = self.tokens_out = self.attempts = 0
        self.money = 0.0


class _Try:
    """One call, as far as it has come."""

    def __init__(self, body: dict[str, Any], most: Most) -> None:
        self.body = body
        self.started, self.begun = time.time(), time.monotonic()
        self.tokens_in, self.tokens_out = most
        self.response: dict[str, Any] | None = None
        self.answer = self.error = ""

    def cost_nothing(self) -> None:
        """The endpoint has not worked on it."""
        self.tokens_in = self.tokens_out = 0

    def billed(self, response: dict[str, Any], size: int) -> None:
        """As the endpoint says; where it does not, a token for each byte."""
        self.response = response
        said_in, said_out = replies.billed(response)
        self.tokens_in = self.tokens_in if said_in is None else said_in
        self.tokens_out = min(self.tokens_out, size) if said_out is None else said_out


class Attempts:
    """At one endpoint."""

    def __init__(self, endpoint: Endpoint, wire: Wire, record: Record | None, sleep: Sleep) -> None:
        self.endpoint = endpoint
        self.ladder = Ladder(endpoint.rung)
        self._wire, self._record, self._sleep = wire, record, sleep
        self._turnstile = Turnstile(endpoint.concurrency, endpoint.requests_per_minute)
        self._manners = Manners()
        self._luck = random.Random(endpoint.name)

    async def until_said(
        self,
        work: Work,
        path: str,
        body: dict[str, Any],
        most: Most,
        understood: Callable[[dict[str, Any]], T],
    ) -> T:
        """Call until there is an answer, or no sense in trying again."""
        tries, failed = 0, ""
        while True:
            tries += 1
            try:
                return await self._in_turn(work, path, body, most, understood)
            except BudgetSpent as spent:
                if not failed:
                    raise
                what = f"{spent.what}; the call before it failed: {failed}"
                raise BudgetSpent(spent.limit, what, right=spent.right) from None
            except CallFailed as failure:
                failed = failure.what
                failure.where = f"endpoint {self.endpoint.name}"
                if failure.kind == "rejected" and self._manners.learn(failure.complaint):
                    continue
                if failure.retry_after is not None:
                    self._turnstile.pause(min(failure.retry_after, LONGEST_ASKED))
                wait = wait_after(failure, tries, self._luck.random())
                left = work.budget.seconds_left()
                if wait is None or (left is not None and wait >= left):
                    raise
            await self._sleep(wait)

    async def _in_turn(
        self,
        work: Work,
        path: str,
        body: dict[str, Any],
        most: Most,
        understood: Callable[[dict[str, Any]], T],
    ) -> T:
        """One call, when the endpoint has a place for it and the budget has room."""
        budget, price = work.budget, self.endpoint.price(*most)
        try:
            async with (
                self._turnstile.passed(budget.seconds_left()),
                budget.hold(sum(most), price) as held,
            ):
                one = _Try(self._manners.put(body), most)
                try:
                    return await self._made(one, budget, path, understood)
                except BaseException as error:
                    one.error = str(error) or type(error).__name__
                    raise
                finally:
                    self._settled(one, work, held)
        except TimeoutError:  # no place became free
            raise out_of_time() from None

    async def _made(
        self, one: _Try, budget: Budget, path: str, understood: Callable[[dict[str, Any]], T]
    ) -> T:
        seconds, left = self.endpoint.timeout_s, budget.seconds_left()
        try:
            async with asyncio.timeout(seconds if left is None else min(seconds, left)):
                body = await self._wire.post(path, one.body)
        except TimeoutError:
            if left is not None and left < seconds:
                raise out_of_time() from None
            raise CallFailed("timeout", f"no whole answer within {seconds:g} s") from None
        except CallFailed as failure:
            if failure.status:
                one.response = {"status": failure.status, **failure.complaint._asdict()}
            if failure.free:
                one.cost_nothing()
            raise
        response = replies.parsed(body)
        one.billed(response, len(body))
        said = understood(response)
        if isinstance(said, replies.Reply):
            one.answer = said.text
        else:
            one.response = {name: response.get(name) for name in ("model", "usage")}
        return said

    def _settled(self, one: _Try, work: Work, held: Hold) -> None:
        money = self.endpoint.price(one.tokens_in, one.tokens_out)
        held.used(one.tokens_in + one.tokens_out, money)
        work.attempts += 1
        work.tokens_in += one.tokens_in
        work.tokens_out += one.tokens_out
        work.money += money
        if self._record is None:
            return
        self._record(
            Call(
                endpoint=self.endpoint.name,
                model=self.endpoint.model,
                request=one.body,
                response=one.response,
                answer=one.answer,
                error=one.error,
                attempt=work.attempts,
                started=one.started,
                seconds=time.monotonic() - one.begun,
                tokens_in=one.tokens_in,
                tokens_out=one.tokens_out,
                money=money,
            )
        )
