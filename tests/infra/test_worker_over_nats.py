"""`ratchet worker` as a process of its own: it has a token and an address, and no database."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from contextlib import closing
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import nats
import pytest

from tests.infra.far import OURS, Owner, owned, until
from tests.infra.processes import up

pytestmark = pytest.mark.real


def each_once(owner: Owner, by: str = "gpu-1") -> None:
    """Every request of a stage has one answer, and each from a worker with its token's name."""
    asked = [one["event_id"] for one in owner.told("StageRequested")]
    answers = owner.told("StageCompleted")
    assert sorted(one["cause_id"] for one in answers) == sorted(asked)
    assert {one["actor"] for one in answers} == {f"worker:token:{by}"}


def overheard(answer: HTTPResponse, of: set[str]) -> None:
    """Read what the owner's own door tells of progress, until it has told of all these."""
    while of:
        line = answer.readline().decode()
        assert line, f"the door closed before it told of {of}"
        if line.startswith("data: "):
            of = of - {json.loads(line[6:])["about"]}


def test_it_carries_out_a_run_without_a_home_and_is_heard_on_the_way(tmp_path: Path) -> None:
    with (
        owned(tmp_path) as owner,
        closing(HTTPConnection("127.0.0.1", owner.running.port, timeout=10)) as door,
    ):
        heard: list[dict[str, Any]] = []
        door.request("GET", "/progress")
        at_home = door.getresponse()

        async def listen() -> None:
            client = await nats.connect(owner.running.note["nats"])
            await client.subscribe("ratchet.progress", cb=hear)
            await client.flush()
            worker = owner.hire()
            owner.train()
            while not (await asyncio.to_thread(owner.told, "RunCompleted")):
                assert worker.process.poll() is None, worker.err
                await asyncio.sleep(0.05)
            await client.close()

        async def hear(message: Any) -> None:
            heard.append(json.loads(message.data))

        asyncio.run(asyncio.wait_for(listen(), 60))
        each_once(owner)
        requests = {one["event_id"] for one in owner.told("StageRequested")}
        assert {one["about"] for one in heard} == requests
        overheard(at_home, requests)
        assert all(one["says"]["steps"] == 5 for one in heard)
        (worker,) = owner.workers
        assert worker.stop() == 0
        assert list(worker.folder.iterdir()) == []
        assert owner.token not in worker.err


def test_one_that_is_stopped_leaves_its_request_to_another_at_once(tmp_path: Path) -> None:
    """However they were told their token."""
    with owned(tmp_path) as owner:
        first = owner.hire(pretend=60, lease=600, way="option")
        owner.train()
        until(lambda: "StageRequested" in first.err)
        assert first.stop() == 0
        second = owner.hire(lease=30, way="file")
        until(lambda: owner.told("RunCompleted"))  # long before the lease of the first has ended
        each_once(owner)
        assert "Traceback" not in first.err + second.err


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_the_request_of_one_that_dies_or_hangs_is_done_once_by_another_after_its_lease(
    tmp_path: Path, number: signal.Signals
) -> None:
    with owned(tmp_path) as owner:
        lost = owner.hire(pretend=1, lease=2)
        owner.train()
        until(lambda: "StageRequested" in lost.err)
        lost.process.send_signal(number)
        (asked,) = owner.told("StageRequested")
        other = owner.hire(token=owner.tokens.add("gpu-2", ("worker",)), lease=30)
        until(lambda: owner.told("RunCompleted"), 90)
        each_once(owner, by="gpu-2")
        assert owner.told("StageCompleted")[0]["cause_id"] == asked["event_id"]
        if number == signal.SIGSTOP:
            lost.process.send_signal(signal.SIGCONT)
            until(lambda: f"{asked['event_id']} stops" in lost.err or "too late" in lost.err)
            each_once(owner, by="gpu-2")
            assert lost.stop() == 0
        assert "Traceback" not in lost.err + other.err


def test_it_goes_on_by_itself_after_the_server_and_the_owner_were_killed(tmp_path: Path) -> None:
    with owned(tmp_path) as owner:
        worker = owner.hire(pretend=0.5)
        owner.train()
        until(lambda: owner.told("StageCompleted"))
        os.kill(int((owner.running.home / "nats" / "fence").read_text()), signal.SIGKILL)
        until(lambda: owner.told("RunCompleted"), 60)
        each_once(owner)
        owner.running.signal(signal.SIGKILL)
        owner.running.ends()
        with up(owner.running.home, **OURS) as again:
            owner.running = again
            owner.train()
            until(lambda: len(owner.told("RunCompleted")) == 2, 60)
            each_once(owner)
        assert worker.process.poll() is None
        assert "Traceback" not in worker.err


def test_an_answer_from_an_older_lease_is_refused_and_the_newer_one_counts(tmp_path: Path) -> None:
    with owned(tmp_path) as owner:
        owner.train()

        async def by_hand() -> None:
            client = await nats.connect(
                owner.url, user="gpu-1", password=owner.token, inbox_prefix="_INBOX_gpu-1"
            )
            bearer = {"Authorization": f"Bearer {owner.token}"}

            async def ask(operation: str, **said: Any) -> dict[str, Any]:
                body, subject = json.dumps(said).encode(), f"ratchet.work.{operation}"
                found: dict[str, Any] = json.loads(
                    (await client.request(subject, body, headers=bearer)).data
                )
                return found

            claim = {"kinds": ["StageRequested"], "holder": "by-hand", "seconds": 1}
            granted = await ask("claim", **claim)
            while granted["request"] is None:
                granted = await ask("claim", **claim)
            await asyncio.sleep(1.1)
            newer = await ask("claim", **claim)
            assert newer["request"] == granted["request"]
            assert newer["epoch"] == granted["epoch"] + 1
            request = granted["request"]
            data = {name: request["data"][name] for name in ("run", "stage", "attempt")}
            data |= {"seconds": 1.0}
            answer = {"request_id": request["event_id"], "type": "StageCompleted", "data": data}
            late = await ask("answer", epoch=granted["epoch"], **answer)
            assert late["error"]["kind"] == "LeaseLost"
            taken = await ask("answer", epoch=newer["epoch"], **answer)
            again = await ask("answer", epoch=newer["epoch"], **answer)
            assert taken == again
            assert taken["type"] == "StageCompleted"
            await client.close()

        asyncio.run(by_hand())
        (outcome,) = owner.told("StageCompleted")
        assert outcome["actor"] == "worker:token:gpu-1"


@pytest.mark.parametrize("scopes", [("publish", "read"), ()])
def test_a_token_that_does_not_let_it_work_ends_it_in_a_sentence(
    scopes: tuple[str, ...], tmp_path: Path
) -> None:
    with owned(tmp_path, *scopes) as owner:
        worker = owner.hire(token="" if scopes else "rt_guess")
        assert worker.process.wait(60) == (2 if scopes else 4)
        said = [line for line in worker.err.splitlines() if line.startswith("ratchet:")]
        assert ("not for 'worker'" if scopes else "does not let the token in") in said[-1]
        assert "Traceback" not in worker.err


def test_a_token_that_is_removed_ends_its_worker(tmp_path: Path) -> None:
    with owned(tmp_path) as owner:
        worker = owner.hire(pretend=60)
        owner.train()
        until(lambda: "StageRequested" in worker.err)
        owner.tokens.remove("gpu-1")
        assert worker.process.wait(60) == 4
        assert "does not let the token in" in worker.err
        assert "Traceback" not in worker.err
