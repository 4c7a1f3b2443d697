"""The journal: what it has is not asked again, whatever ended the process before."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from agents.data_generator.collaboration.journal import Journal
from events.errors import Conflict


class Calls:
    """A call that can be counted."""

    def __init__(self) -> None:
        self.made: list[str] = []

    def of(self, name: str) -> Callable[[], Awaitable[Any]]:
        async def make() -> dict[str, str]:
            self.made.append(name)
            return {"came": name}

        return make


async def test_a_kept_call_is_not_made_again(tmp_path: Path) -> None:
    calls = Calls()
    with Journal(tmp_path / "j") as journal:
        assert await journal.once("a", 1, calls.of("a")) == {"came": "a"}
        assert await journal.once("a", 1, calls.of("again")) == {"came": "a"}
    with Journal(tmp_path / "j") as journal:
        assert await journal.once("a", 1, calls.of("later")) == {"came": "a"}
        assert (journal.found, journal.made) == (1, 0)
    assert calls.made == ["a"]


async def test_another_question_under_the_same_key_is_asked(tmp_path: Path) -> None:
    calls = Calls()
    with Journal(tmp_path / "j") as journal:
        await journal.once("a", {"prompt": "x"}, calls.of("x"))
        await journal.once("a", {"prompt": "y"}, calls.of("y"))
    with Journal(tmp_path / "j") as journal:
        assert await journal.once("a", {"prompt": "y"}, calls.of("z")) == {"came": "y"}
    assert calls.made == ["x", "y"]


async def test_whoever_comes_next_does_not_wait_for_a_slow_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is sent to the disk beside the loop, by a descriptor that shares its lock."""
    slow, sync = threading.Event(), os.fsync

    def fsync(file: int) -> None:
        if threading.current_thread() is not threading.main_thread():
            slow.wait(10)
        sync(file)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr("agents.data_generator.collaboration.journal.SYNC", 0.0)
    with Journal(tmp_path / "j") as journal:
        await journal.once("a", 1, Calls().of("a"))
        await asyncio.sleep(0.05)
    with Journal(tmp_path / "j") as journal:
        assert journal.found == 1
    slow.set()
    await asyncio.sleep(0.05)


async def test_a_journal_may_be_cut_anywhere(tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    with Journal(whole) as journal:
        for name in ("a", "b", "ü"):
            await journal.once(name, 0, Calls().of(name))
    content = whole.read_bytes()
    ends = [place + 1 for place, sign in enumerate(content) if sign == 10]
    cuts = {*range(0, len(content), 23), *ends, *(end - 1 for end in ends)}
    for cut in sorted(cuts):
        torn = tmp_path / "torn"
        torn.write_bytes(content[:cut])
        kept = sum(end <= cut for end in ends)
        calls = Calls()
        with Journal(torn) as journal:
            assert journal.found == kept
            for name in ("a", "b", "ü"):
                assert await journal.once(name, 0, calls.of(name)) == {"came": name}
        assert len(calls.made) == 3 - kept
        assert torn.read_bytes() == content


async def test_damage_in_the_middle_costs_what_stands_behind_it(tmp_path: Path) -> None:
    file = tmp_path / "j"
    with Journal(file) as journal:
        for name in ("a", "b"):
            await journal.once(name, 0, Calls().of(name))
    file.write_bytes(b'{"key": 3}\n' + file.read_bytes())
    with Journal(file) as journal:
        assert journal.found == 0


async def test_what_was_spent_survives(tmp_path: Path) -> None:
    with Journal(tmp_path / "j") as journal:
        assert journal.spent == {}
        await journal.once("a", 0, Calls().of("a"), lambda: {"calls": 3, "money": 0.5})
    with Journal(tmp_path / "j") as journal:
        assert journal.spent == {"calls": 3, "money": 0.5}


async def test_a_call_that_fails_is_not_kept(tmp_path: Path) -> None:
    async def fails() -> None:
        raise ConnectionError

    with Journal(tmp_path / "j") as journal:
        with pytest.raises(ConnectionError):
            await journal.once("a", 0, fails)
        assert await journal.once("a", 0, Calls().of("a")) == {"came": "a"}


def test_one_process_has_it_at_a_time(tmp_path: Path) -> None:
    with Journal(tmp_path / "j"), pytest.raises(Conflict, match="another process"):
        Journal(tmp_path / "j")
    Journal(tmp_path / "j").close()
