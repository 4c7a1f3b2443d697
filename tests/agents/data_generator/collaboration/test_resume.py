"""A process that is killed in the middle: the next one makes only the calls that were in flight."""

from __future__ import annotations

import asyncio
import json
import random
import sys
from asyncio.subprocess import Process
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.agents.data_generator.collaboration.models import (
    APPROVES,
    Models,
    solution,
    teaching,
    wrong,
)
from tests.agents.data_generator.collaboration.part import IN_FLIGHT, QUANTITY, SEED, make
from tests.guardrails.server import Asked, Said, Server
from tests.infra.processes import ROOT
from trainers.model_types.kind import chance

PART = "tests.agents.data_generator.collaboration.part"
SLOW = 0.05
"""Seconds of an answer: a kill finds calls under way."""


def slowly(models: Models) -> Any:
    def answer(asked: Asked) -> Said:
        said = models(asked)
        said.delay = SLOW
        return said

    return answer


def stubborn(prompt: str) -> dict[str, Any]:
    """Of some problems never a right solution: their place is taken by later ones."""
    return wrong(prompt) if sum(prompt.encode()) % 5 == 0 else solution(prompt)


async def begun(server: Server, folder: Path) -> Process:
    url = f"http://127.0.0.1:{server.port}/v1"
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", PART, url, str(folder), cwd=ROOT
    )


async def made(server: Server, folder: Path) -> dict[str, Any]:
    process = await begun(server, folder)
    assert await asyncio.wait_for(process.wait(), 60) == 0
    found: dict[str, Any] = json.loads((folder / "made.json").read_text())
    return found


def seeds(server: Server) -> list[int]:
    """Which calls were made: each call of a part has a seed of its own."""
    return [one.body["seed"] for one in server.asked]


async def killed_at(server: Server, folder: Path, calls: int) -> None:
    """Begin, and kill -9 when so many calls have reached the server."""
    process = await begun(server, folder)
    while len(server.asked) < calls and process.returncode is None:
        await asyncio.sleep(0.001)
    if process.returncode is None:
        process.kill()
    await process.wait()


async def through_kills(folder: Path, moments: list[int]) -> None:
    models = slowly(Models(teaching(stubborn), APPROVES))
    for name in ("whole", "killed"):
        (folder / name).mkdir()
    async with Server(models) as server:
        whole = await make(f"http://127.0.0.1:{server.port}/v1", folder / "whole")
        needed = Counter(seeds(server))
        assert set(needed.values()) == {1}
        answered: set[int] = set()
        for moment in moments:
            server.asked.clear()
            await killed_at(server, folder / "killed", moment)
            assert not answered & set(seeds(server)), "a call that had come back was made again"
            answered, before = kept(folder / "killed"), answered
            assert before <= answered <= set(needed)
            assert len(set(seeds(server)) - answered) <= IN_FLIGHT
        server.asked.clear()
        last = await made(server, folder / "killed")
        assert not answered & set(seeds(server))
        assert answered | set(seeds(server)) == set(needed)
    for what in ("rows", "provenance"):
        assert last[what] == whole[what]
    assert len({row["prompt"] for row in last["rows"]}) == QUANTITY
    assert last["spent"]["calls"] <= len(needed) + IN_FLIGHT * len(moments)


def kept(folder: Path) -> set[int]:
    """The calls that have come back, as the journal has them."""
    file = folder / "calls.jsonl"
    lines = file.read_bytes().splitlines(keepends=True) if file.exists() else []
    keys = [json.loads(line)["key"] for line in lines if line.endswith(b"\n")]
    assert len(set(keys)) == len(keys)
    return {chance(SEED, key).getrandbits(31) for key in keys}


async def test_a_killed_part_repeats_only_what_was_in_flight(tmp_path: Path) -> None:
    await through_kills(tmp_path, [14])


@pytest.mark.proof
@pytest.mark.parametrize("seed", range(4))
async def test_twenty_kills_at_random_moments(tmp_path: Path, seed: int) -> None:
    luck = random.Random(seed)
    await through_kills(tmp_path, [luck.randrange(1, 30) for _ in range(5)])
