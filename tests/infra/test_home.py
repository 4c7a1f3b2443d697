"""A home: one owner at a time, a note for others, and no log that vanishes unnoticed."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from events.errors import LogDamaged, OwnerBusy
from events.store import append
from infra.home import Home, Lock
from tests.agents.counting import TestPinged


def begun(folder: Path) -> Home:
    home = Home(folder / "home")

    async def said() -> None:
        store = home.writer()
        await append(store, TestPinged(who="me"))
        await store.close()

    with Lock(home) as lock:
        assert lock.take()
        asyncio.run(said())
    return home


def test_a_lock_is_one_owners_until_it_lets_go(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    with Lock(home) as first, Lock(home) as second:
        assert first.take()
        assert not second.take()
        with pytest.raises(OwnerBusy, match="another process"):
            second.wait(0.1)
        first.release()
        assert second.take()


def test_a_note_is_for_this_user_only_and_speaks_for_the_living(tmp_path: Path) -> None:
    home = begun(tmp_path)
    home.announce({"pid": os.getpid(), "http": "http://127.0.0.1:1", "token": "x"})
    assert home.note.stat().st_mode & 0o777 == 0o600
    owner = home.owner()
    assert owner is not None
    assert owner["pid"] == os.getpid()
    home.announce({"pid": 2**22 + 1})
    assert home.owner() is None
    home.note.write_text("rubbish")
    assert home.owner() is None


def test_keys_are_for_this_user_only(tmp_path: Path) -> None:
    home = begun(tmp_path)
    assert (home.keys / "head.key").stat().st_mode & 0o777 == 0o600
    assert home.keys.stat().st_mode & 0o777 == 0o700
    assert home.public_key == (home.keys / "head.pub").read_text().strip()


@pytest.mark.parametrize("how", ["emptied", "removed"])
def test_a_log_that_was_there_and_is_gone_is_no_empty_log(tmp_path: Path, how: str) -> None:
    home = begun(tmp_path)
    if how == "emptied":
        home.database.write_bytes(b"")
    else:
        home.database.unlink()
    for look in (home.reader, home.writer):
        with pytest.raises(LogDamaged, match="gone or was emptied"):
            look()


def test_a_home_without_a_log_reads_as_empty(tmp_path: Path) -> None:
    async def head() -> int:
        store = Home(tmp_path / "nowhere").reader()
        return (await store.head()).position

    assert asyncio.run(head()) == 0
    assert not (tmp_path / "nowhere").exists()
