"""The audit: it agrees with history, and finds what does not."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from agents.audit import Report, audit
from agents.shell import Shell, introduce
from agents.what_if import what_if
from events.bus import LogTailBus
from events.catalog.policies import TrainerPolicy
from events.chain import Signer
from events.memory import MemoryStore
from events.sql.sqlite import SqliteStore
from events.store import EventStore, append
from tests.agents.counting import TestPinged, TestPonged, counter


async def played(store: EventStore, version: str = "1", step: int = 1, pings: int = 5) -> None:
    agent = counter(version, step)
    await introduce(store, [agent])
    for number in range(pings):
        await append(store, TestPinged(who=f"w{number}"), actor="test")
    bus = LogTailBus(store)
    await Shell(agent, store, bus, "reader").settle()
    await bus.close()


def audited(store: EventStore, version: str = "1", step: int = 1) -> Report:
    return asyncio.run(audit(store, [counter(version, step)]))


def test_what_was_decided_is_derived_again() -> None:
    store = MemoryStore()
    asyncio.run(played(store))
    report = audited(store)
    assert report.good
    assert (report.events, report.decisions) == (11, 5)


def test_another_decision_under_the_same_version_is_a_difference() -> None:
    store = MemoryStore()
    asyncio.run(played(store))
    report = audited(store, step=2)
    assert not report.good
    assert report.found == {"differences": 5, "drift": 0}
    first = report.differences[0]
    assert first.position == 2
    assert first.recorded[0]["data"] == {"who": "w0", "count": 1}
    assert first.derived[0]["data"] == {"who": "w0", "count": 2}


def test_after_a_difference_the_recorded_decision_is_folded() -> None:
    store = MemoryStore()
    asyncio.run(played(store))
    counts = [one.derived[0]["data"]["count"] for one in audited(store, step=2).differences]
    assert counts == [2 * (number + 1) + number for number in range(5)]


def test_another_decision_under_a_new_version_is_drift() -> None:
    store = MemoryStore()
    asyncio.run(played(store))
    report = audited(store, "2", step=2)
    assert report.good
    assert report.found == {"differences": 0, "drift": 5}


def test_versions_are_judged_where_they_answered() -> None:
    store = MemoryStore()
    asyncio.run(played(store))
    asyncio.run(played(store, "2", step=2))
    assert audited(store, "2", step=2).found == {"differences": 0, "drift": 5}
    assert audited(store, "2", step=3).found == {"differences": 5, "drift": 5}


def test_what_lies_behind_the_checkpoint_is_not_judged() -> None:
    store = MemoryStore()
    asyncio.run(played(store))
    asyncio.run(append(store, TestPinged(who="late"), actor="test"))
    assert audited(store).good


@pytest.mark.parametrize("caused", [True, False])
def test_a_decision_that_answers_nothing_is_found(caused: bool) -> None:
    store = MemoryStore()
    asyncio.run(played(store))

    async def strayed() -> None:
        cause = (await store.read(limit=1))[0] if caused else None
        stray = TestPonged(who="x", count=9)
        await append(store, stray, actor="agent:counter", cause=cause)

    asyncio.run(strayed())
    report = audited(store)
    assert not report.good
    assert report.differences[0].position == 12


def test_a_policy_that_changes_nothing_changes_nothing() -> None:
    store = MemoryStore()
    asyncio.run(played(store))
    answer = asyncio.run(what_if(store, [counter()], TrainerPolicy()))
    assert not answer.changed


def tampered(path: Path, *statements: str) -> Report:
    raw = sqlite3.connect(path, isolation_level=None)
    for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type='trigger'").fetchall():
        raw.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        raw.execute(statement)
    raw.close()
    return reported(path)


def reported(path: Path) -> Report:
    async def look() -> Report:
        store = SqliteStore(path)
        try:
            return await audit(store, [counter()])
        finally:
            await store.close()

    return asyncio.run(look())


@pytest.fixture
def history(tmp_path: Path) -> Path:
    async def made() -> None:
        store = SqliteStore(tmp_path / "log.db", Signer.fresh())
        await played(store)
        await store.close()

    asyncio.run(made())
    return tmp_path / "log.db"


COLUMNS = (
    "event_id", "type", "schema", "stream", "version", "recorded_at", "actor", "correlation_id",
    "data", "previous_hash", "hash",
)  # fmt: skip


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("position", [1, 6, 11])
def test_any_changed_byte_is_named_by_its_position(
    history: Path, column: str, position: int
) -> None:
    raw = sqlite3.connect(history)
    sql = f"SELECT {column} FROM events WHERE position = {position}"
    before = raw.execute(sql).fetchone()[0]
    raw.close()
    changed = str(before + 7) if isinstance(before, int) else f"'{before[:-2]}~{before[-1]}'"
    sql = f"UPDATE events SET {column} = {changed} WHERE position = {position}"
    assert tampered(history, sql).broken_at == position


def test_bytes_that_are_no_text_are_named_too(history: Path) -> None:
    sql = "UPDATE events SET data = CAST(x'7bff7d' AS TEXT) WHERE position = 7"
    assert tampered(history, sql).broken_at == 7


def test_a_cause_that_was_taken_away_is_named(history: Path) -> None:
    sql = "UPDATE events SET cause_id = NULL WHERE position = 8"
    assert tampered(history, sql).broken_at == 8


def test_two_swapped_events_are_named(history: Path) -> None:
    report = tampered(
        history,
        "UPDATE events SET position = -1 WHERE position = 4",
        "UPDATE events SET position = 4 WHERE position = 5",
        "UPDATE events SET position = 5 WHERE position = -1",
    )
    assert report.broken_at == 4


@pytest.mark.parametrize("position", [1, 5, 11])
def test_a_removed_event_is_named_also_the_newest(history: Path, position: int) -> None:
    report = tampered(history, f"DELETE FROM events WHERE position = {position}")
    assert report.broken_at == position


def test_an_event_that_was_added_behind_the_head_is_named(history: Path) -> None:
    copied = "SELECT 12, 'x', type, schema, 'other', 1, recorded_at, actor, 'x', cause_id, data,"
    sql = f"INSERT INTO events {copied} key_id, hash, hash FROM events WHERE position = 11"
    assert tampered(history, sql).broken_at == 12


def test_a_head_that_was_taken_away_is_noticed(history: Path) -> None:
    assert tampered(history, "DELETE FROM head").broken_at == 1


def test_an_untouched_history_is_intact(history: Path) -> None:
    assert reported(history).good
