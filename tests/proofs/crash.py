"""Kill everything at random moments, and see whether history still tells the truth."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from agents.audit import audit
from events.catalog.schedules import ScheduleDefined, ScheduleTicked, SlotsDue, SlotsSkipped
from events.envelope import Envelope
from events.ingress import admitted
from events.store import EventStore, every
from infra.assemble import AGENTS
from infra.home import Home
from infra.publishing import publish

ROOT = Path(__file__).resolve().parents[2]
PROFILE = {"name": "support", "purpose": "answers customers", "model_type": "support_replies"}


@dataclass
class Found:
    """What the history says after all the kills."""

    kills: int = 0
    acknowledged: int = 0
    events: int = 0
    requests: int = 0
    ticks: int = 0
    faults: list[str] = field(default_factory=list)


def started(*words: str, log: Path, home: Path) -> subprocess.Popen[bytes]:
    """A process of ours, with what it says in a file."""
    environment = {
        **os.environ,
        "RATCHET__API__PORT": "0",
        "RATCHET__WORKERS__PRETEND_SECONDS": "0.01",
        "RATCHET_HOME": str(home),
        "PYTHONPATH": str(ROOT),
    }
    with log.open("ab") as out:
        return subprocess.Popen(
            [sys.executable, *words], stdout=out, stderr=out, env=environment, cwd=home.parent
        )


def killed(process: subprocess.Popen[bytes]) -> None:
    """This process and no other, at once and without a word."""
    process.send_signal(signal.SIGKILL)
    process.wait()


class Storm:
    """One `ratchet up`, four publishers, and a hand that kills them."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.home = folder, folder / "home"
        self.random = random.Random(seed)
        self.kills = 0
        self._up: subprocess.Popen[bytes] | None = None
        self._publishers: dict[int, subprocess.Popen[bytes]] = {}

    def begin(self, misfire: str = "all") -> None:
        home = Home(self.home)
        publish(home, admitted("RoleDefined", {"role": "support", "profile": PROFILE}))
        publish(
            home,
            admitted("ScheduleDefined", {"schedule": "often", "every": "1s", "misfire": misfire}),
        )

    def rage(self, kills: int, pause: float = 0.02) -> None:
        """Kill so many times, mostly the owner, at moments of all kinds."""
        try:
            while self.kills < kills:
                self._stand_up(pause)
                time.sleep(self.random.choice((0.0, 0.05, 0.3, 1.0)) * self.random.random())
                if self.random.random() < 0.5:
                    self._wait_for_owner()
                    time.sleep(self.random.random() * 0.5)
                if self.random.random() < 0.7:
                    assert self._up is not None
                    killed(self._up)
                else:
                    killed(self._publishers[self.random.randrange(4)])
                self.kills += 1
        finally:
            for publisher in self._publishers.values():
                killed(publisher)
        self._stand_up_alone()

    def _stand_up(self, pause: float) -> None:
        self._stand_up_alone()
        for number in range(4):
            publisher = self._publishers.get(number)
            if publisher is None or publisher.poll() is not None:
                notes = str(self.folder / f"notes-{number}")
                self._publishers[number] = started(
                    "-m", "tests.proofs.publisher", str(self.home), notes, str(pause),
                    log=self.folder / f"publisher-{number}.log", home=self.home,
                )  # fmt: skip

    def _stand_up_alone(self) -> None:
        if self._up is None or self._up.poll() is not None:
            self._up = started(
                "-m", "infra.cli.main", "up", log=self.folder / "up.log", home=self.home
            )

    def _wait_for_owner(self, seconds: float = 20.0) -> None:
        ends = time.monotonic() + seconds
        while Home(self.home).owner() is None:
            if time.monotonic() > ends:
                raise TimeoutError((self.folder / "up.log").read_text()[-3000:])
            if self._up is not None and self._up.poll() is not None:
                self._stand_up_alone()
            time.sleep(0.02)

    def calm(self, seconds: float = 60.0) -> None:
        """Let the last owner answer all that is open, and stop it politely."""
        self._wait_for_owner()
        ends = time.monotonic() + seconds
        while asyncio.run(self._open()):
            if time.monotonic() > ends:
                raise TimeoutError("some requests were never answered")
            time.sleep(0.2)
        assert self._up is not None
        self._up.terminate()
        assert self._up.wait(15) == 0, (self.folder / "up.log").read_text()[-3000:]

    async def _open(self) -> bool:
        store = Home(self.home).reader()
        try:
            head = (await store.head()).position
            behind = min([await store.checkpoint(agent.checkpoint) for agent in AGENTS])
            unread = await store.read(behind, head, 1, AGENTS[1].hears)
            waiting = [lease for lease in await store.leases() if lease.position]
            return bool(waiting or unread)
        finally:
            await store.close()

    def found(self) -> Found:
        return asyncio.run(self._found())

    async def _found(self) -> Found:
        store = Home(self.home).reader()
        try:
            found = Found(kills=self.kills)
            await _check_acknowledged(store, self.folder, found)
            await _check_answers(store, found)
            await _check_slots(store, found)
            report = await audit(store, AGENTS, key=Home(self.home).public_key)
            found.events = report.events
            if not report.good:
                found.faults.append(f"audit: {report.broken} {report.differences[:3]}")
            return found
        finally:
            await store.close()


async def _check_acknowledged(store: EventStore, folder: Path, found: Found) -> None:
    for notes in sorted(folder.glob("notes-*")):
        lines = [line.split() for line in notes.read_text().splitlines()]
        for words in lines:
            if words[0] == "has":
                found.acknowledged += 1
                at = await store.read(int(words[2]) - 1, int(words[2]), 1)
                if not at or at[0].event_id != words[1]:
                    found.faults.append(f"acknowledged and lost: {words}")


async def _check_answers(store: EventStore, found: Found) -> None:
    answers: Counter[tuple[str, str]] = Counter()
    requests: dict[str, Envelope] = {}
    async for batch in every(store):
        for envelope in batch:
            if envelope.cause_id:
                answers[envelope.cause_id, envelope.type] += 1
            if envelope.type in ("TrainingRequested", "StageRequested"):
                requests[envelope.event_id] = envelope
    found.requests = len(requests)
    for event_id, request in requests.items():
        kinds = (
            ("RunStarted", "TrainingRejected")
            if request.type == "TrainingRequested"
            else ("StageCompleted", "StageFailed", "RequestWithdrawn")
        )
        times = sum(answers[event_id, kind] for kind in kinds)
        if times != 1:
            found.faults.append(f"{request.type} at {request.position} answered {times} times")


async def _check_slots(store: EventStore, found: Found) -> None:
    """No slot twice, and each one fired or skipped as the policy of its schedule says."""
    ticks: list[datetime] = []
    due = skipped = 0
    misfire, answered = "", await store.checkpoint("agent/scheduler")
    async for batch in every(
        store, types=["ScheduleDefined", "SlotsDue", "ScheduleTicked", "SlotsSkipped"]
    ):
        for envelope in batch:
            match envelope.event():
                case ScheduleDefined(misfire=policy):
                    misfire = policy
                case SlotsDue(count=count) if envelope.position <= answered:
                    due += count
                case SlotsSkipped(count=count):
                    skipped += count
                case ScheduleTicked(scheduled_for=slot):
                    ticks.append(slot)
    found.ticks = len(ticks)
    if len(set(ticks)) < len(ticks):
        found.faults.append("a slot ticked twice")
    if len(ticks) + skipped != due:
        found.faults.append(f"{due} slots due, {len(ticks)} ticked, {skipped} skipped")
    gaps = sum(1 for one, other in pairwise(ticks) if (other - one).total_seconds() != 1.0)
    if misfire == "all" and (gaps or skipped):
        found.faults.append(f"{gaps} gaps under the policy that makes up for all")
