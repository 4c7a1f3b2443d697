"""The desk of a worker far away: it makes sure of what it is granted, and hears when it is lost."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from events.envelope import draft
from events.errors import LeaseLost, LogUnavailable
from events.memory import MemoryStore
from events.nats import desk as module
from events.nats import subjects
from events.nats.desk import UNSURE, NatsDesk
from events.nats.door import Door, Said
from events.store import append
from tests.events.messages import Noted
from tests.events.nats.serving import linked, running, server_in, serving, until

pytestmark = pytest.mark.real

Answers = Callable[[], dict[str, Any]]


@asynccontextmanager
async def asked(folder: Path, renewed: Answers) -> AsyncIterator[tuple[NatsDesk, list[Any]]]:
    """A desk whose far end grants one request, and answers renewals so; and what it is asked."""
    store, questions = MemoryStore(), list[Any]()
    (request,) = await append(store, draft(Noted(about="a")))

    async def serve(said: Said) -> dict[str, Any]:
        questions.append((said.subject, json.loads(said.body)["seconds"]))
        if said.subject == "claim":
            return {"request": request.to_json(), "epoch": 1}
        return renewed()

    async with serving(folder) as server, linked(server) as ours, linked(server, "far") as link:
        door = Door(ours, {subjects.WORK: serve})
        async with running(door.run):
            await door.ready.wait()
            yield NatsDesk(link, "token", "far"), questions
    await store.close()


async def test_what_is_granted_is_held_for_long_only_once_the_worker_knows_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AGAIN", 0.01)
    away = [1, 2]

    def renewed() -> dict[str, Any]:
        if away:
            away.pop()
            raise LogUnavailable("not just now")
        return {}

    async with asked(tmp_path, renewed) as (desk, questions):
        granted = await desk.claim(["Noted"], 30)
        assert granted is not None
        assert granted.held.epoch == 1
        assert questions == [("claim", UNSURE), *[("renew", 30)] * 3]


async def test_what_was_granted_to_another_meanwhile_is_not_begun(tmp_path: Path) -> None:
    def renewed() -> dict[str, Any]:
        raise LeaseLost("granted anew", where="epoch")

    async with asked(tmp_path, renewed) as (desk, _):
        with pytest.raises(LeaseLost, match="granted anew"):
            await desk.claim(["Noted"], 30)


async def test_who_asks_while_the_server_is_away_is_told_so_at_once(tmp_path: Path) -> None:
    server = server_in(tmp_path)
    server.start()
    async with linked(server) as link:
        desk = NatsDesk(link, "token", "far")
        await server.stop()
        await until(lambda: not link.connected)
        async with asyncio.timeout(module.PATIENCE / 2):
            with pytest.raises(LogUnavailable, match="not connected"):
                await desk.claim(["Noted"], 30)
