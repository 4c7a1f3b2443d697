"""A data set in the making, and a hand that kills its maker at random moments."""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from asyncio.subprocess import Process
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agents.audit import audit
from events.artifacts import Artifacts
from events.catalog.data import DatasetAccepted, DatasetRejected
from events.ingress import admitted
from infra.assemble import AGENTS
from infra.home import Home
from infra.publishing import publish
from tests.agents.data_generator.collaboration.models import (
    APPROVES,
    Models,
    solution,
    teaching,
    wrong,
)
from tests.guardrails.server import Asked, Said, Server
from tests.infra.processes import ROOT, environment
from trainers.model_types.kind import chance

KIND, SEED, PART = "arithmetic_reasoning", 7, 20
SLOW = 0.02
"""Seconds of an answer: a kill finds calls under way."""
AT_MOST = 2 * 50
"""Calls in flight: of two parts, each with fifty sessions that have one call under way, at a model
or waiting for it; what was not needed any more when a part was whole is among them."""


def stubborn(prompt: str) -> dict[str, Any]:
    """Of some problems never a right solution: their place is taken by others."""
    return wrong(prompt) if sum(prompt.encode()) % 7 == 0 else solution(prompt)


def slowly(models: Models) -> Any:
    def answer(asked: Asked) -> Said:
        said = models(asked)
        said.delay = SLOW
        return said

    return answer


@dataclass
class Killed:
    """What is known when it is over."""

    kills: int = 0
    under_way: int = 0
    """Calls that were in flight when something was killed."""
    faults: list[str] = field(default_factory=list)
    rows: bytes = b""
    repeated: int = 0
    """Calls that were made more than once."""


class Storm:
    """One home, one server of models, and `ratchet up` again and again."""

    def __init__(self, folder: Path, seed: int, quantity: int, kills: int) -> None:
        self.folder, self.home = folder, Home(folder / "home")
        self.luck, self.quantity, self.kills = random.Random(seed), quantity, kills
        self.found = Killed()
        self._answered: set[int] = set()

    async def rage(self) -> Killed:
        await asyncio.to_thread(self._begin)
        async with Server(slowly(Models(teaching(stubborn), APPROVES))) as server:
            for _ in range(self.kills):
                calls = 1 + self.luck.randrange(3 * self.quantity // self.kills)
                await self._once(server, calls, self.luck.choice((2.0, 30.0, 30.0, 30.0)))
            await self._while_assembling(server)
            await self._to_its_end(server)
        await self._check(server)
        return self.found

    def _begin(self) -> None:
        profile = {"name": "sums", "purpose": "Be tried.", "model_type": KIND}
        policy = {"agent": "data_generator", "part_rows": PART}
        asked = {"role": "sums", "quantity": self.quantity, "seed": SEED, "quality_target": 0.5}
        publish(self.home, admitted("RoleDefined", {"role": "sums", "profile": profile}))
        publish(self.home, admitted("PolicyAdopted", {"policy": policy}))
        publish(self.home, admitted("DataRequested", asked))

    async def _up(self, server: Server) -> Process:
        url = f"http://127.0.0.1:{server.port}/v1"
        models = {
            f"RATCHET__MODELS__{name.upper()}__{key}": value
            for name in ("teacher", "verifier")
            for key, value in (("URL", url), ("MODEL", name))
        }
        with (self.folder / "up.log").open("ab") as said:
            return await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "infra.cli.main", "up", "--port", "0"),
                *("--home", str(self.home.folder)),
                cwd=ROOT, stdout=said, stderr=said,
                env=environment(RATCHET__NATS__SERVER="none", **models),
            )  # fmt: skip

    async def _once(self, server: Server, calls: int, seconds: float) -> None:
        """Let it work until so many calls were made, or so long, and kill it."""
        before, ends = len(server.asked), time.monotonic() + seconds
        process = await self._up(server)
        while len(server.asked) < before + calls and time.monotonic() < ends:
            await asyncio.sleep(0.002)
        await self._kill(process)
        self._look(server, before)

    async def _kill(self, process: Process) -> None:
        if process.returncode is None:
            process.kill()
            self.found.kills += 1
        await process.wait()

    def _look(self, server: Server, before: int) -> None:
        """No call that had come back may have been made again."""
        made = {one.body["seed"] for one in server.asked[before:]}
        if again := made & self._answered:
            self.found.faults.append(f"{len(again)} calls were repeated that had come back")
        self._answered |= self._kept()
        self.found.under_way += len(made - self._answered)
        if len(made - self._answered) > AT_MOST:
            self.found.faults.append(f"{len(made - self._answered)} calls were lost at once")

    def _kept(self) -> set[int]:
        """The calls that have come back, as the journals of the parts have them."""
        found = set()
        for file in self.home.folder.glob("work/data/*/part-*/calls.jsonl"):
            for line in file.read_bytes().splitlines(keepends=True):
                if line.endswith(b"\n"):
                    key = json.loads(line)["key"]
                    found.add(chance(SEED, key).getrandbits(31))
        return found

    async def _while_assembling(self, server: Server) -> None:
        before = len(server.asked)
        process = await self._up(server)
        await self._until("AssemblyRequested", process)
        await asyncio.sleep(0.2 * self.luck.random())
        await self._kill(process)
        self._look(server, before)

    async def _to_its_end(self, server: Server) -> None:
        before = len(server.asked)
        process = await self._up(server)
        await self._until("DatasetAccepted", process)
        await self._awake(process)
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 20) == 0, self._said()
        self._look(server, before)

    async def _awake(self, process: Process, seconds: float = 60.0) -> None:
        """Until it has opened its door: before, nobody there hears a signal."""
        ends = time.monotonic() + seconds
        while f'"pid": {process.pid},' not in self._note():
            assert process.returncode is None, f"{process.returncode}: {self._said()}"
            assert time.monotonic() < ends, self._said()
            await asyncio.sleep(0.05)

    def _note(self) -> str:
        return self.home.note.read_text() if self.home.note.exists() else ""

    async def _until(self, wire: str, process: Process, seconds: float = 90.0) -> None:
        """Until an event of this name stands in the log, or the set is rejected."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            assert process.returncode is None, f"{process.returncode}: {self._said()}"
            store = self.home.reader()
            try:
                if await store.read(0, 10**9, 1, {wire, DatasetRejected.wire}):
                    return
            finally:
                await store.close()
            await asyncio.sleep(0.05)
        raise TimeoutError(self._said())

    def _said(self) -> str:
        return (self.folder / "up.log").read_text()[-3000:]

    async def _check(self, server: Server) -> None:
        found, store = self.found, self.home.reader()
        try:
            history = await store.read(0, 10**9, 100_000)
            report = await audit(store, AGENTS, key=self.home.public_key)
        finally:
            await store.close()
        if not report.good:
            found.faults.append(f"audit: {report.broken} {report.differences[:2]}")
        outcomes = {"PartBuilt", "PartFailed", "DatasetAssembled", "AssemblyFailed"}
        answers = Counter(one.cause_id for one in history if one.type in outcomes)
        for one in history:
            asked = one.type in ("PartRequested", "AssemblyRequested")
            if asked and answers[one.event_id] != 1:
                found.faults.append(f"{one.type} was answered {answers[one.event_id]} times")
        ended = [one.event() for one in history if one.type.startswith("Dataset")]
        accepted = [one for one in ended if isinstance(one, DatasetAccepted)]
        if len(accepted) != 1:
            found.faults.append(f"accepted {len(accepted)} times: {ended[-1]}")
            return
        found.rows = Artifacts(self.home.artifacts).read(accepted[0].rows.sha256)
        prompts = [json.loads(line)["prompt"] for line in found.rows.splitlines()]
        if len(set(prompts)) != len(prompts) or len(prompts) != self.quantity:
            found.faults.append(f"{len(set(prompts))} different of {len(prompts)} rows")
        seeds = Counter(one.body["seed"] for one in server.asked)
        found.repeated = sum(many > 1 for many in seeds.values())
        if found.repeated > AT_MOST * found.kills:
            found.faults.append(f"{found.repeated} calls were repeated")
