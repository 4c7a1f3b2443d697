"""Six processes write to one log in slow transactions, some are killed: none is skipped or lost."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from events.chain import Signer
from events.envelope import Envelope
from events.sql.postgres.store import PostgresStore
from tests.events.children import ROOT
from tests.events.server import PostgresServer

WRITERS = 6


class Crowd:
    """Writers in processes of their own, each with its notes."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url, self._folder = url, folder
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        self.signer = Signer.of(folder / "keys")
        for number in range(WRITERS):
            self.begin(number)

    def begin(self, number: int) -> None:
        words = [self._url, self._folder / "keys", self._notes(number), f"w{number}"]
        with (self._folder / f"{number}.err").open("ab") as err:
            self._running[number] = subprocess.Popen(
                [sys.executable, "-m", "tests.events.slow_writer", *map(str, words)],
                cwd=ROOT, stderr=err,
            )  # fmt: skip

    def kill(self, number: int) -> None:
        self._running[number].kill()
        self._running[number].wait()

    def end(self) -> None:
        for number in self._running:
            self.kill(number)

    def wanted(self) -> set[str]:
        lines = [line.split() for line in self._lines() if line.startswith("wants")]
        return {one for words in lines for one in words[1:]}

    def acknowledged(self) -> dict[str, int]:
        lines = [line.split() for line in self._lines() if line.startswith("has")]
        return {words[1]: int(words[2]) for words in lines}

    def all_write(self) -> bool:
        """Whether each of them has been answered once; on a busy machine some start late."""
        notes = [self._notes(number) for number in range(WRITERS)]
        return all(note.exists() and "has" in note.read_text() for note in notes)

    def complaints(self) -> str:
        return "".join((self._folder / f"{n}.err").read_text() for n in range(WRITERS))

    def _lines(self) -> list[str]:
        notes = [self._notes(n) for n in range(WRITERS)]
        return [line for note in notes if note.exists() for line in note.read_text().splitlines()]

    def _notes(self, number: int) -> Path:
        return self._folder / f"{number}.notes"


@contextmanager
def crowd(url: str, folder: Path) -> Iterator[Crowd]:
    made = Crowd(url, folder)
    try:
        yield made
    finally:
        made.end()


async def polled(store: PostgresStore, stop: asyncio.Event) -> list[Envelope]:
    """What a reader sees that asks for what is behind the last it saw, and never looks back."""
    seen: list[Envelope] = []
    while True:
        over = stop.is_set()
        some = await store.read(after=seen[-1].position if seen else 0)
        seen += some
        if over and not some:
            return seen
        await asyncio.sleep(0.002)


async def written_by_many(url: str, folder: Path, seconds: float, seed: int, least: int) -> None:
    chance, stop = random.Random(seed), asyncio.Event()
    with crowd(url, folder) as writers:
        store = PostgresStore(url, writers.signer)
        try:
            reading = asyncio.create_task(polled(store, stop))
            ends = time.monotonic() + 30
            while not writers.all_write():
                assert time.monotonic() < ends, writers.complaints()
                await asyncio.sleep(0.05)
            ends = time.monotonic() + seconds
            while time.monotonic() < ends:
                await asyncio.sleep(chance.uniform(0.1, 0.6))
                number = chance.randrange(WRITERS)
                await asyncio.to_thread(writers.kill, number)
                writers.begin(number)
            await asyncio.to_thread(writers.end)
            stop.set()
            seen = await reading
            assert (await store.verify(0, 1_000_000)).damage == ""
            assert await store.read(limit=1_000_000) == seen
        finally:
            await store.close()
        acknowledged = writers.acknowledged()
        assert "Traceback" not in writers.complaints(), writers.complaints()
    assert [one.position for one in seen] == list(range(1, len(seen) + 1)), "one was skipped"
    places = {one.event_id: one.position for one in seen}
    assert len(places) == len(seen), "one was written twice"
    assert acknowledged.items() <= places.items(), "an acknowledged one was lost"
    assert places.keys() <= writers.wanted()
    assert len({one.stream.partition("-")[0] for one in seen}) == WRITERS
    assert len(seen) > least


@pytest.fixture
def url(postgres: PostgresServer) -> str:
    return postgres.database()


@pytest.mark.real
async def test_a_polling_reader_skips_none_of_what_six_slow_writers_write(
    tmp_path: Path, url: str
) -> None:
    await written_by_many(url, tmp_path, 5, seed=1, least=100)


@pytest.mark.proof
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_nor_in_a_minute_of_it(tmp_path: Path, url: str, seed: int) -> None:
    await written_by_many(url, tmp_path, 60, seed, least=1000)
