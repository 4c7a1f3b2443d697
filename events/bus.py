"""How readers learn that the log has grown: a doorbell, never the truth.

A reader asks for an ear on the types it cares about, reads the log, and waits. A ring between the
two is remembered, many rings are one, and a lost ring costs a second at most, because nobody waits
without a limit. Progress of long work goes the same way: to whoever listens now, kept by nobody.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, NamedTuple, Protocol

from events.store import EventStore


class Progress(NamedTuple):
    """How far some long work has come, said by its worker."""

    about: str
    """The event id of the request that is being carried out."""
    says: dict[str, Any]


class Ear(Protocol):
    """One reader's side of the doorbell."""

    def ring(self) -> None:
        """Ring it oneself, for instance because it is time."""

    async def wait(self, seconds: float) -> bool:
        """Whether it rang since the last wait; returns at the ring, or after `seconds`."""

    def close(self) -> None:
        """Hear nothing more."""


class Bus(Protocol):
    """What wakes the readers of one log."""

    def ear(self, types: Iterable[str]) -> Ear:
        """An ear for events of these types."""

    def say(self, progress: Progress) -> None:
        """Tell whoever listens. Never blocks, never fails."""

    def follow(self) -> Follower:
        """Listen to progress from now on."""

    async def close(self) -> None:
        """Wake everyone a last time, and end."""


class LogTailBus:
    """The bus of one process: it listens to the store's own commits."""

    def __init__(self, store: EventStore) -> None:
        self._ears: dict[str, set[_Ear]] = {}
        self._followers: set[Follower] = set()
        self._stop = store.listen(self._ring)

    def _ring(self, _position: int, types: frozenset[str]) -> None:
        for kind in types:
            for ear in self._ears.get(kind, ()):
                ear.ring()

    def ear(self, types: Iterable[str]) -> _Ear:
        wanted = frozenset(types)
        made = _Ear(lambda ear: self._forget(ear, wanted))
        for kind in wanted:
            self._ears.setdefault(kind, set()).add(made)
        return made

    def _forget(self, ear: _Ear, types: frozenset[str]) -> None:
        for kind in types:
            self._ears[kind].discard(ear)

    def say(self, progress: Progress) -> None:
        for follower in self._followers:
            follower.hear(progress)

    def follow(self) -> Follower:
        follower = Follower(self._followers.discard)
        self._followers.add(follower)
        return follower

    async def close(self) -> None:
        self._stop()
        for ears in self._ears.values():
            for ear in ears:
                ear.ring()


class _Ear:
    def __init__(self, forget: Callable[[_Ear], None]) -> None:
        self._rung = asyncio.Event()
        self._forget = forget

    def ring(self) -> None:
        self._rung.set()

    async def wait(self, seconds: float) -> bool:
        if not self._rung.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._rung.wait()
        rang = self._rung.is_set()
        self._rung.clear()
        return rang

    def close(self) -> None:
        self._forget(self)


class Follower:
    """Progress as it comes; one who is slow loses the oldest, and slows nobody down."""

    def __init__(self, forget: Callable[[Follower], None], kept: int = 256) -> None:
        self._said: deque[Progress] = deque(maxlen=kept)
        self._news = asyncio.Event()
        self._forget = forget

    def hear(self, progress: Progress) -> None:
        self._said.append(progress)
        self._news.set()

    async def next(self, seconds: float) -> Progress | None:
        """The next piece of progress, or None when nothing was said for so long."""
        if not self._said:
            self._news.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._news.wait()
        return self._said.popleft() if self._said else None

    def close(self) -> None:
        self._forget(self)
