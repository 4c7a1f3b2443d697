"""Sessions take turns at computing, and wait elsewhere all at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from agents.data_generator.collaboration.turn import Turn


async def worked(turn: Turn, say: Callable[[str], None], wait: asyncio.Event) -> None:
    async with turn.computing():
        for step in ("a", "b"):
            say(step)
            await asyncio.sleep(0)  # as a graph does between its steps
        async with turn.waiting():
            say("w")
            await wait.wait()
        say("c")
        await asyncio.sleep(0)
        say("d")


async def test_who_computes_is_not_interrupted_and_all_wait_at_once() -> None:
    lock, said, wait = asyncio.Lock(), list[str](), asyncio.Event()
    tasks = [asyncio.create_task(worked(Turn(lock), said.append, wait)) for _ in range(3)]
    while said.count("w") < 3:
        await asyncio.sleep(0)
    assert "".join(said) == "abw" * 3
    wait.set()
    await asyncio.gather(*tasks)
    assert "".join(said[9:]) == "cd" * 3


async def test_who_is_cancelled_takes_nobody_elses_turn() -> None:
    lock, said, wait = asyncio.Lock(), list[str](), asyncio.Event()
    task = asyncio.create_task(worked(Turn(lock), said.append, wait))
    while "w" not in said:
        await asyncio.sleep(0)
    async with Turn(lock).computing():
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()  # while it waits for its turn
        with pytest.raises(asyncio.CancelledError):
            await task
        assert lock.locked()
    assert not lock.locked()


async def test_an_error_gives_the_turn_away() -> None:
    lock = asyncio.Lock()
    with pytest.raises(ZeroDivisionError):
        async with Turn(lock).computing():
            raise ZeroDivisionError
    assert not lock.locked()
