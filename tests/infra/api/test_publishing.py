"""Publishing over HTTP: one answer to each message, and each refusal in the same shape."""

import asyncio
import json
from pathlib import Path

import pytest

from events.errors import LogUnavailable, NoRoom
from events.ids import new_id
from events.memory import MemoryStore
from events.message import event_classes
from events.store import Answer, Append, Operation
from infra.api.incoming import SWALLOWED
from tests.infra.api.doors import JSON, TRAINING, Caller, front, is_refusal


async def test_a_publisher_is_told_where_the_event_lies(tmp_path: Path) -> None:
    async with front(tmp_path) as door:
        head = await door.head()
        answer = await door.publish("TrainingRequested", TRAINING)
        told = answer.json()
        assert answer.status_code == 201
        assert set(told) == {"position", "event_id", "type", "stream", "version"}
        assert (told["position"], told["stream"]) == (head + 1, "role/support")
        (envelope,) = await door.store.read(head)
        assert (envelope.event_id, envelope.actor) == (told["event_id"], "http")


async def test_the_same_id_gets_the_same_answer_and_other_content_is_a_conflict(
    tmp_path: Path,
) -> None:
    async with front(tmp_path) as door:
        once = new_id()
        first = await door.publish("TrainingRequested", TRAINING, id=once)
        again = await door.publish("TrainingRequested", TRAINING, id=once)
        other = await door.publish("TrainingRequested", {**TRAINING, "role": "x"}, id=once)
        assert first.json() == again.json()
        assert (first.status_code, again.status_code, other.status_code) == (201, 201, 409)
        assert is_refusal(other)


async def test_what_anyone_may_say_is_accepted_in_an_empty_home(tmp_path: Path) -> None:
    async with front(tmp_path) as door:
        for wire, kind in event_classes().items():
            answer = await door.publish(wire, kind.example)
            assert answer.status_code == (201 if kind.publisher == "anyone" else 403), answer.text


async def test_a_trace_goes_on_in_the_log(tmp_path: Path) -> None:
    async with front(tmp_path) as door:
        trace, span = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
        for header in (f"00-{trace}-{span}-01", "rubbish"):
            door.client.headers["traceparent"] = header
            await door.publish("TrainingRequested", TRAINING)
        traced, other = await door.store.read(types=["TrainingRequested"])
        assert traced.correlation_id == "4bf92f35-77b3-4da6-a3ce-929d0e0e4736"
        assert other.correlation_id == other.event_id


@pytest.mark.parametrize(
    ("headers", "where"),
    [
        ({}, "Content-Type"),
        ({"content-type": "text/plain"}, "Content-Type"),
        ({"content-type": "application/x-www-form-urlencoded"}, "Content-Type"),
        ({"content-type": "application/json; charset=latin-1"}, "Content-Type"),
        ({**JSON, "content-encoding": "gzip"}, "Content-Encoding"),
    ],
)
async def test_only_plain_json_is_read(tmp_path: Path, headers: dict[str, str], where: str) -> None:
    async with front(tmp_path) as door:
        body = json.dumps({"type": "TrainingRequested", "data": TRAINING})
        answer = await door.client.post("/events", content=body, headers=headers)
        assert (answer.status_code, answer.json()["error"]["where"]) == (415, where)
        assert is_refusal(answer)


async def test_a_message_is_measured_while_it_comes_whatever_it_claims(tmp_path: Path) -> None:
    async with front(tmp_path) as door:
        kind = ("content-type", "application/json")
        claims = Caller(door.app, "POST", "/events", headers=[kind, ("content-length", "9" * 12)])
        assert await claims.status() == 413
        sends = Caller(door.app, "POST", "/events", headers=[kind])
        for _ in range(SWALLOWED // 2**20 + 1):
            sends.say(b" " * 2**20, more=True)
        assert await sends.status() == 413


async def test_one_who_hangs_up_has_said_nothing(tmp_path: Path) -> None:
    async with front(tmp_path) as door:
        head = await door.head()
        gone = Caller(door.app, "POST", "/events", headers=[("content-type", "application/json")])
        gone.say(b'{"type": "PauseRequested", "data": {"run": "a"}', more=True)
        gone.hang_up()
        await gone.end()
        assert await door.head() == head
        assert door.door.writes.taken == 0


async def test_one_who_dawdles_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.api.incoming.PATIENCE", 0.05)
    async with front(tmp_path) as door:
        slow = Caller(door.app, "POST", "/events", headers=[("content-type", "application/json")])
        slow.say(b"{", more=True)
        assert await slow.status() == 408


async def test_more_than_can_be_borne_is_put_off(tmp_path: Path) -> None:
    async with front(tmp_path) as door:
        door.door.writes.most = 3
        kind = [("content-type", "application/json")]
        waiting = [Caller(door.app, "POST", "/events", headers=kind) for _ in range(3)]
        await asyncio.sleep(0)
        answer = await door.publish("TrainingRequested", TRAINING)
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
        assert is_refusal(answer)
        for caller in waiting:
            caller.hang_up()
            await caller.end()
        assert (await door.publish("TrainingRequested", TRAINING)).status_code == 201


async def test_a_refused_message_is_kept_with_its_reason(tmp_path: Path) -> None:
    async with front(tmp_path) as door:
        await door.publish("TrainingRequested", {"role": 7})
        await door.publish("RunStarted", {})
        lines = (tmp_path / "rejected.jsonl").read_text().splitlines()
        kept = [json.loads(line) for line in lines]
        assert [entry["actor"] for entry in kept] == ["http", "http"]
        assert kept[0]["reason"]["where"] == "role"
        assert json.loads(kept[0]["body"])["data"] == {"role": 7}


async def test_where_nothing_can_be_kept_the_refusal_is_said_all_the_same(tmp_path: Path) -> None:
    async with front(tmp_path / "nowhere") as door:
        assert (await door.publish("TrainingRequested", {"role": 7})).status_code == 400


class FullStore(MemoryStore):
    """Takes no events as long as `error` is there."""

    error: LogUnavailable | None = None

    async def submit(self, operation: Operation) -> Answer:
        if self.error is not None:
            raise self.error
        return await super().submit(operation)


@pytest.mark.parametrize(
    ("error", "status"), [(NoRoom("the disk is full"), 507), (LogUnavailable("busy"), 503)]
)
async def test_what_the_log_cannot_take_is_not_acknowledged_and_comes_back_by_itself(
    tmp_path: Path, error: LogUnavailable, status: int
) -> None:
    store = FullStore()
    async with front(tmp_path, store=store) as door:
        assert (await door.client.get("/readyz")).status_code == 200
        store.error = error
        answer = await door.publish("TrainingRequested", TRAINING)
        assert answer.status_code == status
        assert is_refusal(answer)
        ready = await door.client.get("/readyz")
        assert (ready.status_code, ready.json()["troubles"]) == (503, {"log": str(error)})
        store.error = None
        assert (await door.client.get("/readyz")).status_code == 200
        assert (await door.publish("TrainingRequested", TRAINING)).status_code == 201


class BrokenStore(MemoryStore):
    """Has a defect."""

    async def submit(self, operation: Operation) -> Answer:
        if isinstance(operation, Append) and operation.actor == "http":
            raise ZeroDivisionError
        return await super().submit(operation)


async def test_a_defect_of_ours_has_the_same_shape_and_tells_no_secrets(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with front(tmp_path, store=BrokenStore()) as door:
        answer = await door.publish("TrainingRequested", TRAINING)
        assert answer.status_code == 500
        assert is_refusal(answer)
        assert "ZeroDivision" not in answer.text
        assert "ZeroDivision" in caplog.text
