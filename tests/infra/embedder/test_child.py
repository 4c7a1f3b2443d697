"""The local embedder in a child of ours: asked over HTTP, killed, begun anew, gone when closed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from events.errors import Malformed
from infra.child import Child, ChildFailed, begun
from infra.embedder.app import MOST, PART, App
from infra.embedders import PROCESS, Local
from infra.settings import Embedder
from memory.embedding import cosine
from trainers.embedding.weights import LOCAL, MODEL


@asynccontextmanager
async def child() -> AsyncIterator[Child]:
    made = await begun(PROCESS, (), "the local embedder", 60)
    try:
        yield made
    finally:
        await made.end()


def post(one: Child, body: Any, key: str | None = None, path: str = "embeddings") -> Any:
    """The status and what was answered."""
    told = body if isinstance(body, bytes) else json.dumps(body).encode()
    key = one.key.get_secret_value() if key is None else key
    request = urllib.request.Request(f"{one.url}/{path}", told, {"Authorization": f"Bearer {key}"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_it_answers_as_other_servers_do_and_refuses_what_is_no_request() -> None:
    async def story() -> None:
        async with child() as one:
            ask = asyncio.to_thread
            status, found = await ask(post, one, {"model": MODEL, "input": ["a", "b c", ""]})
            assert status == 200
            assert [row["index"] for row in found["data"]] == [0, 1, 2]
            assert {len(row["embedding"]) for row in found["data"]} == {384}
            assert found["usage"]["prompt_tokens"] == 3 + 4 + 2
            status, single = await ask(post, one, {"input": "b c"})
            assert single["data"][0]["embedding"] == pytest.approx(
                found["data"][1]["embedding"], abs=1e-5
            )
            wrong: list[tuple[Any, int]] = [
                ({"input": []}, 400), ({"input": [1]}, 400), ({"input": ["x"] * (MOST + 1)}, 400),
                ({}, 400), (b"{", 400), (b"\xff", 400), ({"model": "other", "input": "x"}, 404),
                (b" " * (9 << 20), 413),
            ]  # fmt: skip
            for body, expected in wrong:
                status, said = await ask(post, one, body)
                assert (status, set(said)) == (expected, {"error"}), body
            assert (await ask(post, one, {"input": "x"}, "another key"))[0] == 401
            assert (await ask(post, one, {"input": "x"}, None, "elsewhere"))[0] == 404

    asyncio.run(story())


def test_who_stops_waiting_ends_nothing_and_one_that_is_killed_is_begun_anew() -> None:
    async def story() -> None:
        local = Local(Embedder(url=LOCAL))
        embedder = local.embedder()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await local.ask(["x"])
        begins = local._beginning
        (before,) = await embedder.embed(["Parcels take six days."], "passage")
        assert begins is not None
        assert begins.done()
        first = local._child
        assert first is not None
        os.kill(first.pid, signal.SIGKILL)
        while first.alive:
            await asyncio.sleep(0.01)
        (after,) = await embedder.embed(["Parcels take six days."], "passage")
        second = local._child
        assert second is not None
        assert second.pid != first.pid
        assert cosine(before, after) > 0.9999
        await local.close()
        assert not second.alive

    asyncio.run(story())


def test_a_child_that_does_not_come_up_says_so_and_is_not_begun_at_every_question(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("infra.embedders.PROCESS", "infra.no_such_module")

    async def story() -> None:
        local = Local(Embedder(url=LOCAL))
        with pytest.raises(ChildFailed, match="did not start"):
            await local.ask(["x"])
        monkeypatch.setattr("infra.embedders.PROCESS", PROCESS)  # it would come up now
        with pytest.raises(ChildFailed):
            await local.ask(["x"])
        await local.close()

    asyncio.run(story())


def test_a_model_that_is_not_there_is_refused_at_once() -> None:
    with pytest.raises(Malformed, match="no local embedder"):
        Local(Embedder(url=LOCAL, model="larger"))


class Slow:
    """A model that takes its time with each part."""

    def __init__(self) -> None:
        self.read_texts: list[str] = []
        self.at_work, self.go_on = threading.Event(), threading.Event()

    def read(self, texts: Sequence[str]) -> list[list[int]]:
        self.read_texts += texts
        return [[1]] * len(texts)

    def embed(self, read: Sequence[Sequence[int]]) -> list[list[float]]:
        self.at_work.set()
        assert self.go_on.wait(60)
        return [[1.0]] * len(read)


def test_a_question_waits_for_one_part_of_a_long_request_and_not_for_all_of_it() -> None:
    async def story() -> list[str]:
        model = Slow()
        app = App(model, "slow", "key")

        async def ask(texts: list[str]) -> None:
            body = json.dumps({"input": texts}).encode()
            sent: list[Any] = []

            async def receive() -> dict[str, Any]:
                return {"type": "http.request", "body": body}

            async def send(message: Any) -> None:
                sent.append(message)

            scope = {
                "type": "http",
                "method": "POST",
                "path": "/v1/embeddings",
                "headers": [(b"authorization", b"Bearer key")],
            }
            await app(scope, receive, send)
            assert sent[0]["status"] == 200

        long = asyncio.create_task(ask([f"t{n}" for n in range(10 * PART)]))
        await asyncio.to_thread(model.at_work.wait, 60)
        question = asyncio.create_task(ask(["question"]))
        for _ in range(10):  # until it stands in the line
            await asyncio.sleep(0)
        model.go_on.set()
        await question
        assert not long.done()
        await long
        return model.read_texts

    assert asyncio.run(story()).index("question") <= 4 * PART
