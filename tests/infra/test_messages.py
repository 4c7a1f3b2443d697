"""What comes in over NATS is taken in as over HTTP: the same rules, scopes, receipts, refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from events.bus import LogTailBus
from events.errors import Conflict, Malformed, NotYours, Refused
from events.ids import new_id
from events.memory import MemoryStore
from events.message import event_classes
from events.nats.door import Said
from infra.callers import Callers
from infra.desk import WorkDesk
from infra.messages import Messages
from infra.rejected import Rejected
from infra.tokens import Tokens

TRAINING = {"role": "support", "pipeline": "rehearsal", "base": "tiny"}
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class Place:
    """A log, those who are let in, and what is refused."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.store = folder, MemoryStore()
        self.tokens = Tokens(folder / "tokens.json")
        rejected = Rejected(folder)
        desk = WorkDesk(self.store, LogTailBus(self.store), rejected)
        self.messages = Messages(self.store, desk, Callers(self.tokens, "owner"), rejected)

    async def say(self, kind: str, data: Any, reply: str = "", **headers: str) -> dict[str, Any]:
        given = {name.replace("_", "-"): text for name, text in headers.items()}
        return await self.messages.publish(Said(kind, json.dumps(data).encode(), given, reply))

    async def work(self, operation: str, data: Any, **headers: str) -> dict[str, Any]:
        return await self.messages.work(Said(operation, json.dumps(data).encode(), headers))

    def bearer(self, *scopes: str) -> str:
        return f"Bearer {self.tokens.add('-'.join(scopes), scopes)}"

    @property
    def refused(self) -> list[dict[str, Any]]:
        file = self.folder / "rejected.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


async def test_an_event_is_taken_in_once_under_its_id(place: Place) -> None:
    once = new_id()
    first = await place.say("TrainingRequested", TRAINING, Nats_Msg_Id=once)
    again = await place.say("TrainingRequested", TRAINING, Nats_Msg_Id=once)
    assert first == again
    assert (first["position"], first["event_id"], first["stream"]) == (1, once, "role/support")
    with pytest.raises(Conflict):
        await place.say("TrainingRequested", {**TRAINING, "role": "x"}, Nats_Msg_Id=once)
    (one,) = await place.store.read()
    assert one.actor == "nats"
    assert place.refused[-1]["actor"] == "nats"


async def test_a_trace_goes_on_in_the_log(place: Place) -> None:
    await place.say("TrainingRequested", TRAINING, traceparent=TRACE)
    await place.say("TrainingRequested", TRAINING, traceparent="rubbish")
    traced, other = await place.store.read()
    assert traced.correlation_id == "4bf92f35-77b3-4da6-a3ce-929d0e0e4736"
    assert other.correlation_id == other.event_id


async def test_who_bears_a_token_is_named_and_may_what_it_is_for(place: Place) -> None:
    publish, read, admin = place.bearer("publish"), place.bearer("read"), place.bearer("admin")
    await place.say("TrainingRequested", TRAINING, Authorization=publish)
    with pytest.raises(NotYours, match="not for 'publish'"):
        await place.say("TrainingRequested", TRAINING, Authorization=read)
    with pytest.raises(NotYours, match="not known"):
        await place.say("TrainingRequested", TRAINING, Authorization="Bearer guess")
    forgotten = {"subject": "ann"}
    for header in ({}, {"Authorization": publish}):
        with pytest.raises(Refused):
            await place.say("SubjectForgotten", forgotten, **header)
    await place.say("SubjectForgotten", forgotten, Authorization=admin)
    assert [one.actor for one in await place.store.read()] == ["token:publish", "token:admin"]
    assert "ann" not in json.dumps(place.refused)


async def test_what_belongs_to_agents_is_refused_whoever_says_it(place: Place) -> None:
    admin = place.bearer("admin")
    mine = [
        wire for wire, one in event_classes().items() if one.publisher not in ("anyone", "operator")
    ]
    assert len(mine) > 5
    for wire in mine:
        with pytest.raises(NotYours):
            await place.say(wire, event_classes()[wire].example, Authorization=admin)
    assert await place.store.read() == []
    assert len(place.refused) == len(mine)


async def test_a_reply_wanted_elsewhere_is_refused_and_nothing_is_done(place: Place) -> None:
    for aim in ("ratchet.publish.PauseRequested", "_INBOX_system.x", "ratchet.events.A.00"):
        with pytest.raises(Malformed, match="no inbox is"):
            await place.say("TrainingRequested", TRAINING, reply=aim)
    assert await place.store.read() == []
    assert {one["reason"]["where"] for one in place.refused} == {"reply"}


@pytest.mark.parametrize("operation", ["claim", "renew", "answer", "progress", "else"])
async def test_work_takes_a_token_of_a_worker(place: Place, operation: str) -> None:
    for header in ({}, {"Authorization": place.bearer("publish")}):
        with pytest.raises(NotYours):
            await place.work(operation, {}, **header)
    assert len(place.refused) == 2
