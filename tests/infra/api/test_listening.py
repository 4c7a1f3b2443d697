"""Server-Sent Events: what has been, then what comes; bounded, and over when the caller is gone."""

import asyncio
from pathlib import Path

import pytest

from events.bus import Progress
from tests.infra.api.doors import Caller, front


async def test_a_listener_hears_what_was_and_what_comes(tmp_path: Path) -> None:
    async with front(tmp_path) as door:
        await door.publish("HoldRequested", {"run": "one"})
        listener = Caller(door.app, "GET", "/events/tail", "after=0")
        assert await listener.status() == 200
        assert "id: 1\nevent: AgentStarted" in await listener.text('"run":"one"')
        await door.publish("HoldRequested", {"run": "two"})
        heard = await listener.text("\n\n")
        assert heard.startswith(f"id: {await door.head()}\nevent: HoldRequested\ndata: {{")
        listener.hang_up()
        await listener.end()
        assert door.door.streams.taken == 0


async def test_one_who_comes_back_goes_on_behind_what_it_has_heard(tmp_path: Path) -> None:
    async with front(tmp_path) as door:
        for run in ("one", "two", "three"):
            await door.publish("HoldRequested", {"run": run})
        seen = [("last-event-id", str(await door.head() - 1))]
        listener = Caller(door.app, "GET", "/events/tail", headers=seen)
        heard = await listener.text('"run":"three"')
        assert '"run":"two"' not in heard
        listener.hang_up()
        await listener.end()
        wrong = Caller(door.app, "GET", "/events/tail", headers=[("last-event-id", "x")])
        assert await wrong.status() == 400


async def test_without_a_position_only_news_is_told(tmp_path: Path) -> None:
    async with front(tmp_path) as door:
        await door.publish("HoldRequested", {"run": "old"})
        listener = Caller(door.app, "GET", "/events/tail")
        await listener.text(": here")
        await door.publish("HoldRequested", {"run": "new"})
        assert '"run":"old"' not in await listener.text('"run":"new"')
        listener.hang_up()
        await listener.end()


async def test_progress_is_told_as_it_comes(tmp_path: Path) -> None:
    async with front(tmp_path) as door:
        listener = Caller(door.app, "GET", "/progress")
        await listener.text(": here")
        door.house.bus.say(Progress("someone", {"step": 1}))
        heard = await listener.text("\n\n")
        assert heard == 'event: progress\ndata: {"about": "someone", "says": {"step": 1}}\n\n'
        listener.hang_up()
        await listener.end()


async def test_silence_is_broken_by_a_heartbeat_and_closing_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.api.listening.HEARTBEAT", 0.05)
    monkeypatch.setattr("infra.api.listening.SLICE", 0.05)
    async with front(tmp_path) as door:
        listeners = [Caller(door.app, "GET", path) for path in ("/events/tail", "/progress")]
        for listener in listeners:
            assert await listener.text(": here\n\n: here\n\n")
        door.door.stopping = True
        for listener in listeners:
            await listener.end()


async def test_a_removed_token_hears_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.api.listening.HEARTBEAT", 0.05)
    monkeypatch.setattr("infra.api.listening.SLICE", 0.05)
    async with front(tmp_path, loopback=False) as door:
        token = door.tokens.add("ear", ["read"])
        bearing = [("authorization", f"Bearer {token}")]
        listener = Caller(door.app, "GET", "/events/tail", headers=bearing)
        await listener.text(": here")
        door.tokens.remove("ear")
        await listener.end()


async def test_there_is_room_for_so_many_listeners_only(tmp_path: Path) -> None:
    async with front(tmp_path) as door:
        door.door.streams.most = 2
        listeners = [Caller(door.app, "GET", "/events/tail") for _ in range(2)]
        for listener in listeners:
            assert await listener.status() == 200
        assert await Caller(door.app, "GET", "/progress").status() == 429
        for listener in listeners:
            listener.hang_up()
            await listener.end()
        another = Caller(door.app, "GET", "/progress")
        assert await another.status() == 200
        another.hang_up()
        await another.end()


async def test_one_who_takes_nothing_in_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.api.threshold.PATIENCE", 0.05)
    async with front(tmp_path) as door:
        deaf = Caller(door.app, "GET", "/events/tail", "after=0", hears=False)
        await deaf.end()
        await asyncio.sleep(0)
        assert door.door.streams.taken == 0
