"""Many problems tried at the same time, and counted in their order: one part of a set.

Tries begin in their order, and a next one only while those that have ended or are under way could
leave rows missing. So which problems are tried follows from the models' answers alone, not from
how fast they came: the same seed gives the same rows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import Any, Literal, NamedTuple, Protocol, TypeVar

from agents.data_generator.collaboration.task import Task
from guardrails.refusals import BudgetSpent
from trainers.model_types.kind import Problem

HOPELESS = 40
"""Problems in a row without a row to be had, after which no more are tried."""
OUTAGE = 8
"""Problems in a row for which no model answered at all, after which no more are tried."""

Reason = Literal["", "budget", "outage", "hopeless", "exhausted"]
"""Why no more are tried: what they may cost is spent, nobody answers, nothing comes of it, or the
type has no more different problems; empty where all that was to be tried was tried."""
HOPE_IS_GONE: tuple[Reason, ...] = ("outage", "hopeless")
"""Then nobody waits for what is under way; a spent budget lets it come to its end."""
R = TypeVar("R")
Tell = Callable[[dict[str, Any]], None]


class End(NamedTuple):
    """How it ended, and the same in a sentence."""

    reason: Reason = ""
    why: str = ""


class Making(Protocol[R]):
    """Who makes rows of problems."""

    async def tried(self, place: int, problems: tuple[Problem, ...]) -> R:
        """One try; `BudgetSpent` where it could not come to its end."""

    def won(self, result: R) -> int:
        """How many rows came of it, whether or not it is its turn to be counted."""

    def count(self, result: R) -> None:
        """Take in what came of a try; in the order of the tries."""

    def hope(self) -> End:
        """Whether it is of any use to go on; asked behind each that was counted."""


async def in_order(task: Task, making: Making[R], tell: Tell, together: int = 1) -> End:
    """Try the problems of a part, so many together, until there are enough rows or no way on."""
    return await _Line(task, making, tell, together).ended()


class _Line:
    """Tries under way, and those that ended before one that began before them."""

    def __init__(self, task: Task, making: Making[Any], tell: Tell, together: int) -> None:
        self._task, self._making, self._tell = task, making, tell
        self._together = together
        self._open = _so_many(task.own(), together)
        self._running: dict[asyncio.Task[Any], int] = {}
        self._early: dict[int, Any] = {}
        self._begun = self._next = self._drawn = self._won = 0
        self._end = End()

    async def ended(self) -> End:
        # the problems of the parts before this one may take seconds to pass by
        first = await asyncio.to_thread(next, self._open, None)
        self._open = chain([] if first is None else [first], self._open)
        try:
            while (self._begin() or self._running) and self._end.reason not in HOPE_IS_GONE:
                done, _ = await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
                for one in sorted(done, key=self._running.__getitem__):
                    self._come(one)
        finally:
            for one in self._running:
                one.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)
        if self._end.reason == "budget":  # what came behind the one that was cut off
            for place in sorted(self._early):
                self._making.count(self._early[place])
        return self._end

    def _begin(self) -> bool:
        """Let tries begin, as many as may; whether any did."""
        before = self._begun
        while not self._end.reason and len(self._running) < self._task.in_flight:
            if self._won + self._together * len(self._running) >= self._task.quantity:
                break
            problems = next(self._open, None)
            if problems is None:
                self._is_exhausted()
                break
            trying = asyncio.create_task(self._making.tried(self._begun, problems))
            self._running[trying] = self._begun
            self._begun += 1
            self._drawn += len(problems)
        return self._begun > before

    def _come(self, one: asyncio.Task[Any]) -> None:
        place = self._running.pop(one)
        try:
            result = one.result()
        except BudgetSpent as spent:
            self._end = End("budget", str(spent))
            return
        self._won += self._making.won(result)
        self._early[place] = result
        while not self._end.reason and self._next in self._early:
            self._making.count(self._early.pop(self._next))
            self._next += 1
            self._end = self._making.hope()
        quantity = self._task.quantity
        self._tell({"rows": min(self._won, quantity), "of": quantity})

    def _is_exhausted(self) -> None:
        """The type has fewer different problems than were to be tried."""
        if self._drawn < self._task.tries and not self._running:
            why = f"the type has no more than {self._drawn} different problems here"
            self._end = End("exhausted", why)


def _so_many(own: Iterator[Problem], together: int) -> Iterator[tuple[Problem, ...]]:
    """The last ones may be fewer."""
    while problems := tuple(islice(own, together)):
        yield problems
