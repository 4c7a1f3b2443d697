"""The door on NATS: each message its own reply, floods answered, replies into inboxes only."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from events.errors import LeaseLost
from events.nats import door
from events.nats.door import Door, Said, Serve
from events.nats.link import Link
from events.nats.replies import understood
from tests.events.nats.serving import killed, linked, running, serving, until

pytestmark = pytest.mark.real


@asynccontextmanager
async def opened(folder: Path, serve: Serve) -> AsyncIterator[tuple[Link, Link, Door]]:
    """A caller, the link of the door, and the door."""
    async with serving(folder) as server, linked(server) as ours, linked(server, "far") as caller:
        made = Door(ours, {"door.say": serve})
        async with running(made.run):
            await made.ready.wait()
            yield caller, ours, made


async def echo(said: Said) -> dict[str, Any]:
    if said.subject == "lost":
        raise LeaseLost("another holds it", where="epoch", right="claim again")
    if said.subject == "broken":
        raise ZeroDivisionError("a defect")
    return {"subject": said.subject, "body": said.body.decode(), "id": said.headers.get("Id", "")}


async def test_each_message_gets_its_own_reply(tmp_path: Path) -> None:
    async with opened(tmp_path, echo) as (caller, _, _):
        answers = await asyncio.gather(
            *[
                caller.nc.request("door.say.it", b"%d" % n, headers={"Id": str(n)}, timeout=30)
                for n in range(300)
            ]
        )
        for number, answer in enumerate(answers):
            told = {"subject": "it", "body": str(number), "id": str(number)}
            assert understood(answer.data) == told


async def test_those_that_come_together_are_begun_together_and_can_share_a_commit(
    tmp_path: Path,
) -> None:
    begun, together = 0, list[int]()

    async def serve(_said: Said) -> dict[str, Any]:
        nonlocal begun
        begun += 1
        await asyncio.sleep(0)  # the log commits what it was given in one turn of the loop
        together.append(begun)
        return {}

    async with opened(tmp_path, serve) as (caller, _, _):
        await asyncio.gather(
            *[caller.nc.request("door.say.it", b"", timeout=30) for _ in range(50)]
        )
    assert together[0] > 10


async def test_what_is_in_work_when_the_door_closes_is_answered(tmp_path: Path) -> None:
    reached = asyncio.Event()

    async def slow(_said: Said) -> dict[str, Any]:
        reached.set()
        await asyncio.sleep(0.3)
        return {"done": True}

    async with serving(tmp_path) as server, linked(server) as ours, linked(server) as caller:
        made = Door(ours, {"door.say": slow})
        async with running(made.run):
            await made.ready.wait()
            asked = asyncio.create_task(caller.nc.request("door.say.it", b"", timeout=30))
            await reached.wait()
        assert understood((await asked).data) == {"done": True}


async def test_an_error_is_raised_there_as_what_it_was_here(tmp_path: Path) -> None:
    async with opened(tmp_path, echo) as (caller, _, _):
        with pytest.raises(LeaseLost) as raised:
            understood((await caller.nc.request("door.say.lost", b"", timeout=30)).data)
        assert (raised.value.where, raised.value.right) == ("epoch", "claim again")
        answer = json.loads((await caller.nc.request("door.say.broken", b"", timeout=30)).data)
        assert answer["error"]["what"] == "this could not be taken in (ZeroDivisionError)"
        reply = await caller.nc.request("door.say.on", b"", timeout=30)
        assert understood(reply.data)["subject"] == "on"


async def test_it_is_open_again_after_the_server_was_killed(tmp_path: Path) -> None:
    async with serving(tmp_path) as server, linked(server) as ours, linked(server) as caller:
        made = Door(ours, {"door.say": echo})
        async with running(made.run):
            await made.ready.wait()
            await killed(server)

            async def answered() -> bool:
                try:
                    reply = await caller.nc.request("door.say.x", b"", timeout=1)
                except Exception:  # the server is away, or nobody listens there yet
                    return False
                return bool(understood(reply.data)["subject"] == "x")

            await until(answered)


async def test_what_finds_the_queue_full_is_told_so_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "WAITING", 4)
    monkeypatch.setattr(door, "AT_ONCE", 2)
    free = asyncio.Event()
    taken: list[str] = []

    async def slow(said: Said) -> dict[str, Any]:
        await free.wait()
        taken.append(said.body.decode())
        return {"done": said.body.decode()}

    async with opened(tmp_path, slow) as (caller, _, made):
        asked = [
            asyncio.create_task(caller.nc.request("door.say.it", b"%d" % n, timeout=30))
            for n in range(100)
        ]
        await until(lambda: sum(one.done() for one in asked) == made.turned_away > 50)
        turned = {n for n, one in enumerate(asked) if one.done()}
        for number in turned:
            answer = json.loads(asked[number].result().data)
            assert answer["error"]["kind"] == "LogUnavailable"
            assert "at once" in answer["error"]["what"]
        free.set()
        answers = await asyncio.gather(*[asked[n] for n in range(100) if n not in turned])
        assert [json.loads(one.data)["done"] for one in answers] == [
            str(n) for n in range(100) if n not in turned
        ]
        assert len(taken) == 100 - len(turned)


async def test_a_reply_leads_into_inboxes_only(tmp_path: Path) -> None:
    async with opened(tmp_path, echo) as (caller, ours, _):
        heard: list[str] = []

        async def hear(message: Any) -> None:
            heard.append(message.subject)

        for subject in ("aim.>", "_INBOX_system.>", "_INBOX_me.>"):
            await ours.nc.subscribe(subject, cb=hear)
        await ours.nc.flush()
        for aim in ("aim.here", "_INBOX_system.a", "_INBOX_me", "_INBOX_me.*", "_INBOX_me.a"):
            await caller.nc.publish("door.say.it", b"", reply=aim)
        await caller.nc.flush()
        await until(lambda: bool(heard))
        await asyncio.sleep(0.1)
        assert heard == ["_INBOX_me.a"]
