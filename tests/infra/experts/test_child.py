"""Experts as a child process: there when they are needed, gone when their parent is."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from agents.data_generator.collaboration.answers import PlannedTrajectory
from events.errors import NotFound
from guardrails.budget import Budget
from guardrails.caller import Caller
from guardrails.calls import Message
from infra.experts.child import experts
from tests.infra.processes import RATCHET, ROOT, environment

SUMS = "arithmetic_reasoning"
PARENT = """
import asyncio
from infra.experts.child import experts
async def main():
    async with experts(["arithmetic_reasoning"]) as found:
        print(found["arithmetic_reasoning"].teacher.url, flush=True)
        await asyncio.sleep(600)
asyncio.run(main())
"""


def answers(url: str) -> bool:
    """Whether anybody listens there."""
    port = int(url.rpartition(":")[2].removesuffix("/v1"))
    with socket.socket() as trying:
        trying.settimeout(1)
        return trying.connect_ex(("127.0.0.1", port)) == 0


def gone(url: str) -> bool:
    ends = time.monotonic() + 60
    while answers(url) and time.monotonic() < ends:
        time.sleep(0.02)
    return not answers(url)


async def test_a_child_is_asked_as_a_cloud_model_is_and_ends_with_its_use() -> None:
    async with experts([SUMS]) as found:
        teacher, verifier, _ = found[SUMS]
        assert (teacher.url, teacher.key) == (verifier.url, verifier.key)
        assert teacher.model != verifier.model
        caller = Caller(found[SUMS])
        said = await caller.ask(
            teacher.name, [Message("user", "1+2#")], budget=Budget(), answer=PlannedTrajectory
        )
        await caller.close()
        assert isinstance(said.value, PlannedTrajectory)
        async with httpx.AsyncClient(trust_env=False) as stranger:
            assert (await stranger.get(f"{teacher.url}/models")).status_code == 401
    assert not answers(teacher.url)


def children() -> set[int]:
    """The pids of this process's children."""
    found = Path("/proc/self/task").glob("*/children")
    return {int(pid) for file in found for pid in file.read_text().split()}


async def test_of_a_child_that_was_killed_callers_are_told_at_once() -> None:
    before = children()
    async with experts([SUMS]) as found:
        (pid,) = children() - before
        os.kill(pid, signal.SIGKILL)
        assert gone(found[SUMS].teacher.url)


async def test_a_type_that_is_none_is_told_by_name() -> None:
    with pytest.raises(NotFound, match="there is no model type 'sums'"):
        async with experts(["sums"]):
            pass


def test_a_child_dies_with_a_parent_that_is_killed() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    with parent.stdout as said:
        url = said.readline().strip()
        assert answers(url)
        parent.kill()
        parent.wait()
    assert gone(url)


def test_serve_expert_serves_until_told_to_stop(tmp_path: Path) -> None:
    command = [*RATCHET, "serve-expert", SUMS, "--port", "0", "--json", "--home", str(tmp_path)]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process.stdout as said:
        document = json.loads(said.readline())
        assert [one["id"] for one in document["models"]] == [
            f"expert:{SUMS}:{part}" for part in ("teacher", "verifier", "writer")
        ]
        with httpx.Client(trust_env=False) as client:
            asked = {
                "model": f"expert:{SUMS}:teacher",
                "messages": [{"role": "user", "content": "347+585#"}],
            }
            answer = client.post(f"{document['url']}/chat/completions", json=asked)
        assert answer.json()["choices"][0]["message"]["content"].endswith("=0932;")
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(60) == 0
    assert list(tmp_path.iterdir()) == []


def test_serve_expert_of_no_type_is_told_in_one_sentence(tmp_path: Path) -> None:
    done = subprocess.run(
        [*RATCHET, "serve-expert", "sentiment", "--home", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (3, "")
    assert "did you mean 'sentiment_analysis'?" in done.stderr
