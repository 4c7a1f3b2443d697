"""What a reader gives up is recorded by the owner, and comes to that reader once more when asked.

The readers are those of other programs: made by our factory, with the owner's credentials, beside
a real `ratchet up`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from events.envelope import Envelope
from events.memory import MemoryStore
from events.nats import streams, subjects
from events.nats.again import give_again
from events.nats.consumer import Reader, Reading, Told
from events.nats.link import Link
from events.nats.relay import Relay
from events.store import append
from infra.given_up import Recorder
from infra.rejected import Entry, Rejected
from tests.events.messages import Noted
from tests.events.nats.serving import linked, running, serving, until
from tests.infra.api.doors import OWNER, bearing, front, is_refusal
from tests.infra.processes import Ended, ratchet, up

TRAINING = ("publish", "TrainingRequested", "role=nobody", "pipeline=rehearsal", "base=tiny")
READING = Reading("mail", ("TrainingRequested",), later=(0.05,), tries=2)


class Mail:
    """A handler that fails until it is mended."""

    def __init__(self) -> None:
        self.broken = True
        self.tried = 0
        self.handled: list[int] = []

    async def __call__(self, told: list[Told]) -> None:
        self.tried += 1
        if self.broken:
            raise ConnectionError("the mail server is away")
        self.handled += [one.envelope.position for one in told]


@asynccontextmanager
async def outside(url: str) -> AsyncIterator[Link]:
    """The connection of another program."""
    link = Link(url, name="a program")
    await link.open()
    try:
        yield link
    finally:
        await link.close()


async def said(home: Path, *words: str) -> Ended:
    return await asyncio.to_thread(ratchet, home, *words)


async def listed(home: Path, *words: str) -> list[Entry]:
    found: list[Entry] = (await said(home, "rejected", "list", *words)).document()["rejected"]
    return found


@pytest.mark.real
async def test_a_message_that_was_given_up_is_listed_and_comes_once_more_when_asked(
    tmp_path: Path,
) -> None:
    home, mail, other = tmp_path / "home", Mail(), Mail()
    other.broken = False
    with up(home, RATCHET__WORKERS__SLOTS="0") as owner:
        async with outside(owner.note["nats"]) as link:
            one = Reader(link, READING, mail)
            two = Reader(link, Reading("other", ("TrainingRequested",)), other)
            async with running(one.run, two.run):
                receipt = (await said(home, *TRAINING)).document()
                await until(lambda: mail.tried == 2)
                await until((home / "given_up.jsonl").exists)
                (entry,) = await listed(home)
                assert (entry["kind"], entry["consumer"]) == ("given up", "mail")
                assert (entry["position"], entry["event_id"], entry["type"]) == (
                    receipt["position"], receipt["event_id"], receipt["type"],
                )  # fmt: skip
                assert entry["deliveries"] == 2
                assert entry["reason"]["what"] == "ConnectionError: the mail server is away"
                assert owner.ask("GET", "/readyz").status == 200
                mail.broken = False
                told = await said(home, "rejected", "retry", entry["id"])
                assert told.code == 0, told
                assert told.document()["waits"] is True
                await until(lambda: mail.handled == [receipt["position"]])
                twice = await said(home, "rejected", "retry", entry["id"])
                assert (twice.code, "again at" in twice.err) == (1, True)
                assert await listed(home) == []
                (shown,) = await listed(home, "--all")
                assert shown["retried"]["position"] == receipt["position"]
                await asyncio.sleep(0.5)
        assert mail.handled == other.handled == [receipt["position"]]
    gone = await said(home, "rejected", "retry", entry["id"])
    assert (gone.code, "no owner of this home runs" in gone.err) == (4, True)


@asynccontextmanager
async def recording(folder: Path) -> AsyncIterator[tuple[Link, Recorder, Rejected]]:
    """A log of one event, told by a relay; a recorder that runs beside it."""
    async with serving(folder) as server, linked(server) as link:
        store, rejected = MemoryStore(), Rejected(folder)
        await append(store, Noted(about="a"))
        relay = Relay(store, link, "ab" * 32, ours=True)
        recorder = Recorder(store, link, rejected, relay)
        async with running(relay.run, recorder.run):
            await until(lambda: relay.ready.is_set() and relay.position == 1)
            yield link, recorder, rejected
        await store.close()


async def nothing_waits(link: Link) -> bool:
    """Whether all that was to be tried again is done with."""
    return bool((await link.js.stream_info(streams.AGAIN)).state.messages == 0)


async def event_of(recorder: Recorder) -> Envelope:
    found = await recorder._said(1)
    assert found is not None
    return found


@pytest.mark.real
async def test_what_is_given_up_again_is_listed_again_and_asking_twice_gives_once(
    tmp_path: Path,
) -> None:
    async with recording(tmp_path) as (link, recorder, rejected):
        mail = Mail()
        async with running(Reader(link, Reading("mail", later=(0.05,), tries=1), mail).run):
            await until(lambda: len(rejected.all()) == 1)
            (first,) = rejected.all()
            for _ in range(2):
                answer = await recorder.give_again(first)
                assert (answer["consumer"], answer["position"]) == ("mail", 1)
            rejected.retried(first, answer)
            await until(lambda: len(rejected.all()) == 2)
            assert mail.tried == 2
            (second,) = [one for one in rejected.all() if "retried" not in one]
            assert (second["position"], second["type"]) == (1, "Test.Noted")
            mail.broken = False
            await recorder.give_again(second)
            await until(lambda: mail.handled == [1])
            await until(lambda: nothing_waits(link))
            assert recorder.failure == ""
        assert (mail.tried, mail.handled) == (3, [1])


@pytest.mark.real
async def test_of_a_reader_that_dies_each_time_the_position_is_known_all_the_same(
    tmp_path: Path,
) -> None:
    """Nobody says a reason then: the server only counts, and keeps the message for nobody."""
    async with recording(tmp_path) as (link, recorder, rejected):
        reader = Reader(link, Reading("dies", tries=1, ack_wait=0.2), Mail())
        for one in (reader.watchdog, reader._again):
            await one.look()
        await give_again(link, "dies", await event_of(recorder), "mark")
        for stream in (streams.LOG, streams.AGAIN):
            bound = await link.js.pull_subscribe_bind(durable="dies", stream=stream)
            await bound.fetch(1, timeout=5)
            ask = bound.fetch(1, timeout=1)  # the server counts when it is asked for more
            with pytest.raises(TimeoutError):
                await ask
        await until(lambda: len(rejected.all()) == 2)
        for entry in rejected.all():
            assert (entry["position"], entry["type"]) == (1, "Test.Noted")
            assert entry["reason"]["what"] == "not handled in time, 1 times"
        await until(lambda: nothing_waits(link))


@pytest.mark.real
async def test_what_cannot_be_given_again_is_said(tmp_path: Path) -> None:
    async with recording(tmp_path) as (link, recorder, rejected):
        mail = Mail()
        async with running(Reader(link, Reading("mail", later=(0.05,), tries=1), mail).run):
            await until(lambda: len(rejected.all()) == 1)
            await link.js.publish(subjects.again("mail"), b"{}")
            await until(lambda: len(rejected.all()) == 2)
        known, strange = rejected.all()
        assert (strange["position"], strange["type"]) == (None, "")
        with pytest.raises(Exception, match="which event this was is not known"):
            await recorder.give_again(strange)
        with pytest.raises(Exception, match="nobody reads what 'gone' is given again"):
            await recorder.give_again({**known, "consumer": "gone"})


class Gives:
    """A part that only remembers what it was to give."""

    name, failure = "gives", ""

    def __init__(self) -> None:
        self.given: list[str] = []

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def give_again(self, entry: Entry) -> dict[str, Any]:
        self.given.append(entry["id"])
        return {"consumer": entry["consumer"], "position": entry["position"], "waits": True}


async def noted() -> Envelope:
    store = MemoryStore()
    (one,) = await append(store, Noted(about="a"))
    await store.close()
    return one


async def test_only_an_operator_tries_again_and_each_is_given_once(tmp_path: Path) -> None:
    async with front(tmp_path) as door:
        entry = Rejected(tmp_path).give_up("RATCHET", "mail", 1, 5, "no", await noted())
        path = f"/rejected/{entry['id']}/retry"
        some = door.tokens.add("some", ["publish", "read", "worker"])
        for headers in ({}, bearing(some)):
            refused = await door.client.post(path, headers=headers)
            assert (refused.status_code, is_refusal(refused)) == (403, True)
        without = await door.client.post(path, headers=bearing(OWNER))
        assert (without.status_code, is_refusal(without)) == (503, True)
        gives = Gives()
        door.house.parts = [*door.house.parts, gives]
        admin = door.tokens.add("operator", ["admin"])
        given = await door.client.post(path, headers=bearing(admin))
        assert (given.status_code, given.json()["consumer"]) == (200, "mail")
        again = await door.client.post(path, headers=bearing(admin))
        assert (again.status_code, is_refusal(again)) == (409, True)
        assert gives.given == [entry["id"]]
        nothing = await door.client.post("/rejected/x/retry", headers=bearing(admin))
        assert (nothing.status_code, is_refusal(nothing)) == (404, True)


async def test_a_refused_message_is_published_by_the_operator_once(tmp_path: Path) -> None:
    data = json.dumps({"role": "a", "pipeline": "rehearsal", "base": "tiny"}).encode()
    async with front(tmp_path) as door:
        Rejected(tmp_path).keep("nats", {"what": "no"}, data, "TrainingRequested")
        (entry,) = Rejected(tmp_path).all()
        path = f"/rejected/{entry['id']}/retry"
        admin = door.tokens.add("operator", ["admin"])
        answers = [await door.client.post(path, headers=bearing(admin)) for _ in range(2)]
        assert [one.status_code for one in answers] == [200, 200]
        assert answers[0].json() == answers[1].json()
        (said,) = await door.store.read(types=["TrainingRequested"])
        assert said.actor == "token:operator"
        assert Rejected(tmp_path).one(entry["id"])["retried"]["position"] == said.position


async def test_the_asyncapi_document_is_served_to_readers(tmp_path: Path) -> None:
    async with front(tmp_path, loopback=False) as door:
        assert (await door.client.get("/asyncapi.json")).status_code == 401
        reader = door.tokens.add("reader", ["read"])
        told = await door.client.get("/asyncapi.json", headers=bearing(reader))
        assert told.json()["asyncapi"] == "3.0.0"
        assert "events.TrainingRequested" in told.json()["channels"]
