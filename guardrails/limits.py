"""How many calls an endpoint takes: at once, within a minute, and none while it wants a pause."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

MINUTE = 60.0


class Turnstile:
    """Lets calls through in the order in which they came. No minute sees more than allowed."""

    def __init__(
        self,
        concurrency: int,
        per_minute: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._places = asyncio.Semaphore(concurrency)
        self._in_turn = asyncio.Lock()
        self._begun: deque[float] = deque(maxlen=per_minute or 1)
        self._per_minute, self._clock = per_minute, clock
        self._paused_until = 0.0

    def pause(self, seconds: float) -> None:
        """Let nobody through for so long: the endpoint has said that it is busy."""
        self._paused_until = max(self._paused_until, self._clock() + seconds)

    @asynccontextmanager
    async def passed(self, seconds: float | None) -> AsyncIterator[None]:
        """Hold a place during a call; `TimeoutError` where none is free within so many seconds."""
        async with asyncio.timeout(seconds):
            await self._enter()
        try:
            yield
        finally:
            self._places.release()

    async def _enter(self) -> None:
        await self._places.acquire()
        try:
            async with self._in_turn:
                while (wait := self._wait()) > 0:
                    await asyncio.sleep(wait)
                self._begun.append(self._clock())
        except BaseException:
            self._places.release()
            raise

    def _wait(self) -> float:
        now = self._clock()
        full = self._per_minute is not None and len(self._begun) == self._per_minute
        free_again = self._begun[0] + MINUTE if full else now
        return max(free_again, self._paused_until) - now
