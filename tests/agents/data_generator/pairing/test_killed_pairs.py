"""A process that is killed while it makes pairs: the next makes only what was in flight."""

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

from tests.agents.data_generator.pairing.models import Models
from tests.agents.data_generator.pairing.part import ANSWERS, IN_FLIGHT, QUANTITY, make
from tests.guardrails.server import Asked, Said, Server
from tests.infra.processes import ROOT

PART = "tests.agents.data_generator.pairing.part"
FLYING = IN_FLIGHT * ANSWERS
"""Calls that may be under way: all answers to a prompt are asked for at once."""


def slowly(asked: Asked) -> Said:
    """A kill finds calls under way."""
    said = Models()(asked)
    said.delay = 0.05
    return said


async def begun(server: Server, folder: Path) -> Process:
    url = f"http://127.0.0.1:{server.port}/v1"
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", PART, url, str(folder), cwd=ROOT
    )


async def killed_at(server: Server, folder: Path, calls: int) -> None:
    """Begin, and kill -9 when so many calls have reached the server."""
    process = await begun(server, folder)
    while len(server.asked) < calls and process.returncode is None:
        await asyncio.sleep(0.001)
    if process.returncode is None:
        process.kill()
    await process.wait()


def calls(server: Server) -> list[str]:
    """What was asked, each call by all that it said."""
    return [json.dumps(one.body, sort_keys=True) for one in server.asked]


def kept(folder: Path) -> int:
    """Calls that have come back, as the journal has them."""
    lines = (folder / "calls.jsonl").read_bytes().splitlines(keepends=True)
    keys = [json.loads(line)["key"] for line in lines if line.endswith(b"\n")]
    assert len(set(keys)) == len(keys)
    return len(keys)


async def through_kills(folder: Path, moments: list[int]) -> None:
    for name in ("whole", "killed"):
        (folder / name).mkdir()
    async with Server(slowly) as server:
        whole = await make(f"http://127.0.0.1:{server.port}/v1", folder / "whole")
        needed = set(calls(server))
        assert len(needed) == len(calls(server))
        server.asked.clear()
        made: Counter[str] = Counter()
        for moment in moments:
            server.asked.clear()
            await killed_at(server, folder / "killed", moment)
            made.update(calls(server))
            assert len(made) - kept(folder / "killed") <= FLYING
        server.asked.clear()
        process = await begun(server, folder / "killed")
        assert await asyncio.wait_for(process.wait(), 60) == 0
        made.update(calls(server))
    last: dict[str, Any] = json.loads((folder / "killed" / "made.json").read_text())
    assert last["rows"] == whole["rows"]
    assert len({row["prompt"] for row in last["rows"]}) == QUANTITY
    assert set(made) == needed
    assert sum(made.values()) - len(needed) <= FLYING * len(moments)
    assert last["spent"]["calls"] <= len(needed) + FLYING * len(moments)


async def test_killed_pairs_repeat_only_the_calls_that_were_in_flight(tmp_path: Path) -> None:
    await through_kills(tmp_path, [20])


@pytest.mark.proof
@pytest.mark.parametrize("seed", range(4))
async def test_pairs_through_twenty_kills_at_random_moments(tmp_path: Path, seed: int) -> None:
    luck = random.Random(seed)
    await through_kills(tmp_path, [luck.randrange(1, 40) for _ in range(5)])
