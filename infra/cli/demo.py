"""`ratchet demo`: a short story of one training run, told as it happens, and then audited.

In this version its workers only pretend to train; it says so, and measures nothing.
"""

from __future__ import annotations

import asyncio
import random
import sys
from contextlib import suppress
from typing import Any

import typer

from agents.audit import audit
from agents.trainer.workers.pretend import pretender
from events.bus import Progress
from events.catalog.roles import RoleDefined
from events.catalog.training import TrainingRequested
from events.envelope import Envelope
from events.errors import Malformed
from events.store import append
from events.suggest import near
from infra.assemble import AGENTS, built
from infra.cli import show
from infra.home import Lock
from infra.house import House
from infra.settings import configuration
from pipelines.pipeline import PIPELINES

app = typer.Typer(add_completion=False, rich_markup_mode=None)

PRETENCE = (
    "The workers of this version only pretend to train: no model is made, nothing is measured."
)
TOLD = {
    "TrainingRequested": "a training was asked for",
    "RunStarted": "the trainer began a run",
    "StageRequested": "asked for",
    "StageCompleted": "done",
    "StageFailed": "failed",
    "RunCompleted": "the run passed all its stages",
    "RunAbandoned": "the run was given up",
}


@app.command()
def demo(
    pipeline: str = typer.Option("srl_rlvr", help="srl_rlvr, dpo or srf."),
    seed: int = typer.Option(-1, help="Repeat an earlier run; fresh by default, and printed."),
) -> None:
    """Play one whole training run on this machine, offline."""
    if pipeline not in PIPELINES:
        hint = near(pipeline, PIPELINES)
        right = f"did you mean {hint!r}?" if hint else ", ".join(PIPELINES)
        raise Malformed(f"no pipeline is named {pipeline!r}", where="--pipeline", right=right)
    chosen = seed if seed >= 0 else random.SystemRandom().randrange(2**31)
    home = show.home()
    with Lock(home) as lock:
        lock.wait()
        document = asyncio.run(_play(pipeline, chosen))
    show.answer(document, _summary(document))
    if document["audit"]["differences"] or document["status"] != "completed":
        sys.exit(1)


async def _play(pipeline: str, seed: int) -> dict[str, Any]:
    _tell(f"Home {show.home().folder}, pipeline {pipeline}, seed {seed}.")
    _tell(PRETENCE)
    store = show.home().writer()
    house = await built(store, configuration().settings, workers=(pretender(0.5),))
    running = asyncio.create_task(house.run())
    try:
        request = await _ask(house, pipeline, seed)
        run = await _watch(house, request)
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
    row = (await house.fold("runs")).state[run]
    key = show.home().public_key
    report = await audit(store, AGENTS, key=key, told=show.progress("audit"))
    await house.close()
    return {
        "run": run,
        "pipeline": pipeline,
        "seed": seed,
        "status": row["status"],
        "pretended": True,
        "baseline": None,
        "final": None,
        "improvement": None,
        "stages": row["stages"],
        "report": None,
        "audit": {
            "events": report.events,
            "chain": "intact" if report.broken_at is None else "broken",
            "decisions": report.decisions,
            "differences": report.found["differences"],
        },
    }


async def _ask(house: House, pipeline: str, seed: int) -> Envelope:
    profile = {"name": "demo", "purpose": "shows one run", "model_type": "arithmetic_reasoning"}
    role = RoleDefined.model_validate({"role": "demo", "profile": profile})
    wanted = TrainingRequested(role="demo", pipeline=pipeline, base="tiny", seed=seed)
    _, request = await append(house.store, role, wanted, actor="demo")
    return request


async def _watch(house: House, request: Envelope) -> str:
    """Tell what happens until the run has ended; its id."""
    ear = house.bus.ear(TOLD)
    follower = house.bus.follow()
    position, run = request.position - 1, ""
    while True:
        for envelope in await house.store.read(position, None, 100, TOLD):
            position = envelope.position
            event = envelope.event()
            mine = envelope.correlation_id == request.correlation_id
            if mine:
                _tell(f"{position:>5}  {_line(event)}")
                run = getattr(event, "run", run)
            if mine and envelope.type in ("RunCompleted", "RunAbandoned"):
                return run
        while (progress := await follower.next(0.01)) is not None:
            _tell(_step(progress), moving=True)
        await ear.wait(0.1)


def _line(event: Any) -> str:
    stage = f"stage {event.stage}: " if hasattr(event, "stage") else ""
    return f"{event.wire:<18} {stage}{TOLD[event.wire]}"


def _step(progress: Progress) -> str:
    says = progress.says
    return f"       {says.get('stage')}: step {says.get('step')} of {says.get('steps')}"


def _tell(line: str, moving: bool = False) -> None:
    if moving and not sys.stderr.isatty():
        return
    ends = "\r" if moving else "\n"
    print(f"\x1b[2K{line}" if sys.stderr.isatty() else line, end=ends, file=sys.stderr, flush=True)


def _summary(document: dict[str, Any]) -> str:
    audited = document["audit"]
    home = show.home().folder
    return (
        f"\nRun {document['run']} {document['status']}: {len(document['stages'])} stages, all "
        "pretended."
        f"\nAudit: {audited['events']} events, chain {audited['chain']}, "
        f"{audited['decisions']} decisions derived again, {audited['differences']} differences."
        f"\n\nLook further:"
        f"\n  ratchet --home {home} runs show {document['run']}"
        f"\n  ratchet --home {home} why {audited['events']}"
        f"\n  ratchet --home {home} audit"
    )
