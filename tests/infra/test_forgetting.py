"""What lies outside the log is purged once for each person forgotten, whatever fails meanwhile."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest

from events.artifacts import Artifacts
from events.bus import LogTailBus
from events.catalog.people import FeedbackReceived, SubjectForgotten
from events.memory import MemoryStore
from events.store import append
from infra import forgetting
from infra.forgetting import Purger, from_artifacts


def feedback(subject: str) -> FeedbackReceived:
    return FeedbackReceived(subject=subject, role="r", rating=1)


class Purges:
    """Remembers whom, and fails as often as it is told to."""

    def __init__(self, failures: int = 0) -> None:
        self.ids: list[str] = []
        self.failures = failures

    async def __call__(self, key_id: str) -> None:
        if self.failures:
            self.failures -= 1
            raise OSError("the disk is away")
        self.ids.append(key_id)


async def test_each_is_purged_once_and_the_next_owner_goes_on_behind() -> None:
    store, purges = MemoryStore(), Purges()
    bus = LogTailBus(store)
    said = await append(store, feedback("ann"), feedback("bob"), feedback("eve"))
    await append(store, SubjectForgotten(subject="ann"), SubjectForgotten(subject="bob"))
    await Purger(store, bus, [purges]).look()
    assert purges.ids == [said[0].key_id, said[1].key_id]
    await append(store, SubjectForgotten(subject="eve"))
    await Purger(store, bus, [purges]).look()
    assert purges.ids == [one.key_id for one in said]
    await Purger(store, bus, [purges]).look()
    assert len(purges.ids) == 3
    other = Purges()
    await Purger(store, bus, [other], "purge/elsewhere").look()
    assert other.ids == purges.ids


async def test_what_cannot_be_purged_is_told_and_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(forgetting, "AGAIN", 0.01)
    store, first, second = MemoryStore(), Purges(), Purges(failures=2)
    purger = Purger(store, LogTailBus(store), [first, second])
    task = asyncio.create_task(purger.run())
    try:
        await append(store, feedback("ann"))
        [gone] = await append(store, SubjectForgotten(subject="ann"))
        async with asyncio.timeout(30):
            while "the disk is away" not in purger.failure:
                await asyncio.sleep(0.001)
            assert await store.checkpoint("purge") == 0
            while await store.checkpoint("purge") < gone.position or purger.failure:
                await asyncio.sleep(0.001)
        assert second.ids == [gone.key_id]
        assert first.ids == [gone.key_id] * 3
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_artifacts_of_the_forgotten_are_deleted(tmp_path: Path) -> None:
    store = MemoryStore()
    [ann, bob] = await append(store, feedback("ann"), feedback("bob"))
    assert ann.key_id
    assert bob.key_id
    artifacts = Artifacts(str(tmp_path))
    voices = [artifacts.of_subject(one).put(b"a voice") for one in (ann.key_id, bob.key_id)]
    await append(store, SubjectForgotten(subject="ann"))
    await Purger(store, LogTailBus(store), [from_artifacts(str(tmp_path))]).look()
    assert not artifacts.of_subject(ann.key_id).has(voices[0].sha256)
    assert artifacts.of_subject(bob.key_id).has(voices[1].sha256)
