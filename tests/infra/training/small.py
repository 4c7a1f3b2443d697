"""Real runs made small: asked for in a home, their settings moved by the hand of an operator.

Nothing in them is pretended. That they take seconds comes from what a remedy may do as well: fewer
steps, fewer items and fewer prompts are changes of the run, which stand in its history.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, NamedTuple

from agents.audit import Report, audit
from events.catalog.changes import Change
from events.catalog.gates import RemedyApplied
from events.catalog.hand import PauseRequested, ResumeRequested
from events.catalog.policies import PolicyAdopted, TrainerPolicy
from events.catalog.roles import RoleDefined
from events.catalog.training import RunStarted, TrainingRequested
from events.envelope import Envelope
from events.message import Event
from events.store import EventStore, append, every
from infra.assemble import AGENTS, built, settled
from infra.cli.demo import END as ENDS
from infra.home import Home
from infra.house import House
from infra.settings import Settings
from pipelines.catalog import PIPELINES
from pipelines.remedies import times

SMALL = (
    ("prepare", "level", 0.0), ("prepare", "steps", 25), ("prepare", "items", 40),
    ("pairs", "prompts", 240), ("initialise", "items", 20), ("optimise", "items", 60),
    ("iterate", "items", 60), ("evaluate", "items", 80),
    ("baseline", "level", 0.25), ("srl", "steps", 10), ("srl", "items", 60),
    ("rlvr", "items", 60), ("verify", "items", 100),
)  # fmt: skip
"""A base that has hardly begun, a short imitation, few prompts and few items."""
LAX = TrainerPolicy(bounds={"pairs": 100, "score at_least": 0.0})
"""So few prompts give so few pairs, and so little training so little of a score."""
BLUNT = TrainerPolicy(
    bounds={**LAX.bounds, "accuracy": 0.0, "train_accuracy": 0.0, "overfit": 1.0, "kl": 10.0,
            "gain": -1.0, "entropy_relative": 0.0, "preference_accuracy": 0.0, "gap": -1.0}
)  # fmt: skip
"""All gates but those of the end stand open: what is wrong has to be found there."""
NEAR = TrainerPolicy(bounds={**BLUNT.bounds, "kl": 0.1})
"""And that of the KL."""


class Asked(NamedTuple):
    """One run, and how it is asked for."""

    role: str
    kind: str
    pipeline: str = "dpo"
    seed: int = 7
    changes: tuple[Change, ...] = ()
    """Beside those that make it small; they are made by the same hand."""


class Ended(NamedTuple):
    """What the history says of one run."""

    run: str
    events: Sequence[Envelope]

    def all(self, kind: type[Event]) -> list[Any]:
        return [one.event() for one in self.events if one.type == kind.wire]

    def only(self, kind: type[Event]) -> Any:
        (found,) = self.all(kind)
        return found


def put(stage: str, setting: str, by: float) -> Change:
    """A setting as it is to be."""
    return Change(stage=stage, setting=setting, how="set", by=by)


def hotter(stage: str, by: float) -> Change:
    return times(stage, "learning_rate", by)


async def begun(home: Home, asked: Sequence[Asked], policy: TrainerPolicy = LAX) -> list[str]:
    """Ask for the runs and make them small before anybody works on them; their ids."""
    store = home.writer()
    try:
        await append(store, PolicyAdopted(policy=policy), actor="test")
        runs = [await _begun(store, one) for one in asked]
        await settled(store)
        return runs
    finally:
        await store.close()


async def _begun(store: EventStore, asked: Asked) -> str:
    profile = {"name": asked.role, "purpose": "answers customers", "model_type": asked.kind}
    role = RoleDefined.model_validate({"role": asked.role, "profile": profile})
    wanted = TrainingRequested(
        role=asked.role, pipeline=asked.pipeline, base="tiny", seed=asked.seed
    )
    await append(store, role, wanted, actor="test")
    await settled(store)
    started = (await store.read(types=[RunStarted.wire], limit=1000))[-1].event()
    assert isinstance(started, RunStarted)
    own = [put(*one) for one in SMALL if one[0] in started.stages]
    first = started.stages[0]
    for turn, some in enumerate((own, asked.changes)):
        if some:
            moved = RemedyApplied(
                run=started.run, stage=first, symptom="asked", remedy=f"by_hand_{turn}",
                changes=tuple(some), back_to=first,
            )  # fmt: skip
            await append(store, moved, actor="test")
    if PIPELINES[asked.pipeline].stage(first).asks == "stage":  # else nobody has begun with it
        await append(store, PauseRequested(run=started.run), actor="test")
        await settled(store)
        await append(store, ResumeRequested(run=started.run), actor="test")
    return started.run


@asynccontextmanager
async def working(home: Home, slots: int = 2) -> AsyncIterator[House]:
    """A house in which workers train."""
    settings = Settings.model_validate({"workers": {"slots": slots}})
    house = await built(home.writer(), settings, home=home)
    running = asyncio.create_task(house.run())
    try:
        yield house
        assert not running.done(), running
        assert not house.stopped, house.stopped
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await house.close()


async def over(house: House, many: int) -> None:
    """Wait until so many runs have ended."""
    ear = house.bus.ear(ENDS)
    try:
        while len(await house.store.read(types=ENDS, limit=1000)) < many:
            await ear.wait(1.0)
    finally:
        ear.close()


async def told(home: Home) -> tuple[dict[str, Ended], Report]:
    """All runs of a home, and whether its history agrees with itself."""
    store = home.reader()
    try:
        found: dict[str, list[Envelope]] = {}
        async for batch in every(store):
            for envelope in batch:
                run = getattr(envelope.event(), "run", None)
                if run:
                    found.setdefault(run, []).append(envelope)
        report = await audit(store, AGENTS, key=home.public_key)
        return {run: Ended(run, events) for run, events in found.items()}, report
    finally:
        await store.close()


async def ended(home: Home, *asked: Asked, policy: TrainerPolicy = LAX) -> list[Ended]:
    """The runs carried out to their ends, and the history audited."""
    runs = await begun(home, asked, policy)
    async with working(home) as house:
        await over(house, len(runs))
    return await true(home, runs)


async def true(home: Home, runs: Sequence[str]) -> list[Ended]:
    """What the history says of these runs, where it agrees with itself."""
    found, report = await told(home)
    assert report.good, report
    return [found[run] for run in runs]
