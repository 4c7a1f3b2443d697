"""`ratchet demo`: one whole improvement cycle on this machine, offline, told as it happens.

A tiny base is made, measured and taught, every gate is judged from what was measured, and at the
end the history is audited. Nothing is pretended: what it prints was trained and measured here.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from math import inf
from typing import Any

import typer

from agents.audit import audit
from events.catalog.examinations import ExaminationRequested
from events.catalog.roles import RoleDefined
from events.catalog.training import (
    RunCompleted,
    StageRequested,
    TrainingRejected,
    TrainingRequested,
)
from events.envelope import Envelope
from events.errors import Malformed, Refused
from events.store import append
from events.suggest import near
from infra.assemble import AGENTS, built
from infra.cli import show
from infra.cli.story import Story
from infra.home import Lock
from infra.house import House
from infra.reports import reported
from infra.settings import configuration
from pipelines.forecast import remaining
from pipelines.summary import summary

app = typer.Typer(add_completion=False, rich_markup_mode=None)

ROLES = {
    "srl_rlvr": ("sums", "adds numbers, digit by digit", "arithmetic_reasoning"),
    "dpo": ("support", "answers customers", "support_replies"),
    "srf": ("support", "answers customers", "support_replies"),
    "distill": ("sums", "adds numbers, digit by digit", "arithmetic_reasoning"),
}
"""Of each pipeline: the role that is taught, what it is for, and its model type."""
SHOWN = tuple(ROLES)
ENTROPY = {"min": 0.05, "max": 2.0}
"""A template has less to choose from than free language: the band says so."""
END = ("RunCompleted", "RunAbandoned", "RunCancelled")
VERIFIED = ("VerificationJudged", "VerificationRefused")
SOON = 5.0
"""Seconds within which the verifier takes a candidate up, unless its policy or a pause forbids."""
MEASURED = 600.0
"""Seconds that one of its measurements is waited for; whoever runs `ratchet up` later has it."""


@app.command()
def demo(
    pipeline: str = typer.Option("srl_rlvr", help=f"{', '.join(SHOWN[:-1])} or {SHOWN[-1]}."),
    seed: int = typer.Option(-1, help="Repeat an earlier run; fresh by default, and printed."),
) -> None:
    """Play one whole improvement cycle on this machine, offline."""
    if pipeline not in SHOWN:
        hint = near(pipeline, SHOWN)
        right = f"did you mean {hint!r}?" if hint else ", ".join(SHOWN)
        raise Malformed(f"no pipeline is named {pipeline!r}", where="--pipeline", right=right)
    home = show.home()
    with Lock(home) as lock:
        lock.wait()
        try:
            document = asyncio.run(_play(pipeline, seed if seed >= 0 else None))
        except KeyboardInterrupt:
            again = f"{show.called()} demo --pipeline {pipeline}"
            print(f"\nratchet: stopped; `{again}` goes on where it was", file=sys.stderr)
            sys.exit(130)
    show.answer(document, _summary(document))
    if document["audit"]["differences"] or document["status"] != "completed":
        sys.exit(1)


async def _play(pipeline: str, seed: int | None) -> dict[str, Any]:
    home, story = show.home(), Story()
    store, began = home.writer(), time.monotonic()
    house = await built(store, configuration().settings, home=home)
    earlier = await _unfinished(house, pipeline) if seed is None else None
    if earlier is None:
        chosen = random.SystemRandom().randrange(2**31) if seed is None else seed
        story.tell(f"Home {home.folder}, pipeline {pipeline}, seed {chosen}. Two to four minutes on"
                   " two idle cores; what is stopped goes on when it is called again.")  # fmt: skip
    else:
        request, chosen = earlier
        story.tell(f"Home {home.folder}: a run of {pipeline} with seed {chosen} was stopped here,"
                   " and goes on.")  # fmt: skip
    running = asyncio.create_task(house.run())
    try:
        if earlier is None:
            request = await _ask(house, pipeline, chosen)
        run = await watch(house, request, story)
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
    rows = (await house.fold("runs")).state
    row = rows[run]
    report = await audit(store, AGENTS, key=home.public_key, told=show.progress("audit"))
    place = reported(home, row, rows.values(), ROLES[pipeline][1])
    await house.close()
    return {
        **summary(row),
        "seed": chosen,
        "seconds": round(time.monotonic() - began, 1),
        "report": str(place),
        "ended": row["position"],
        "audit": {
            "events": report.events,
            "chain": "intact" if report.broken_at is None else "broken",
            "decisions": report.decisions,
            "differences": report.found["differences"],
        },
    }


async def _unfinished(house: House, pipeline: str) -> tuple[Envelope, int] | None:
    """What asked for the newest demo of this pipeline that somebody stopped, and its seed."""
    rows = (await house.fold("runs")).state.values()
    for row in reversed(rows):
        if row["status"] == "running" and row["pipeline"] == pipeline and not row["held"]:
            (begun,) = await house.store.read(row["position"] - 1, row["position"], 1)
            cause = begun.cause_id or ""
            request = (await house.store.find([cause])).get(cause)
            if request is not None and request.actor == "demo":
                return request, int(row["seed"])
    return None


async def _ask(house: House, pipeline: str, seed: int) -> Envelope:
    name, purpose, kind = ROLES[pipeline]
    profile: dict[str, Any] = {"name": name, "purpose": purpose, "model_type": kind}
    profile["entropy"] = ENTROPY
    role = RoleDefined.model_validate({"role": name, "profile": profile})
    wanted = TrainingRequested(role=name, pipeline=pipeline, base="tiny", seed=seed)
    _, request = await append(house.store, role, wanted, actor="demo")
    return request


async def watch(house: House, request: Envelope, story: Story) -> str:
    """Tell what happens until the run has ended, and its candidate is verified; the run's id."""
    ear = house.bus.ear(story.heard)
    follower = house.bus.follow()
    position, run, until = request.position - 1, "", inf
    while time.monotonic() < until:
        for envelope in await house.store.read(position, None, 100, story.heard):
            position = envelope.position
            event, ours = envelope.event(), envelope.correlation_id == request.correlation_id
            if not ours and not (run and getattr(event, "run", None) == run):
                continue  # what follows from a person or the clock has a story of its own
            story.event(event)
            run = getattr(event, "run", None) or run
            if isinstance(event, TrainingRejected):
                raise Refused(f"no run was begun: {event.reason}", where="demo")
            if isinstance(event, StageRequested):
                rows = (await house.fold("runs")).state
                story.expect(remaining(rows[run], rows.values(), datetime.now(UTC)))
            if isinstance(event, ExaminationRequested):
                until = time.monotonic() + MEASURED
            if isinstance(event, RunCompleted):
                until = time.monotonic() + SOON
            elif envelope.type in (*END, *VERIFIED):
                return run
        while (progress := await follower.next(0.01)) is not None:
            story.progress(progress.says)
        await ear.wait(0.1)
    return run


def _summary(document: dict[str, Any]) -> str:
    audited, called = document["audit"], show.called()
    run, kept = document["run"], document["candidate"] is not None
    lines = [f"\nRun {run} {document['status']} in {document['seconds']:.0f} s."]
    if document["reason"]:
        lines.append(document["reason"])
    for name in ("baseline", "final", "improvement"):
        one = document[name]
        if one is not None:
            form = "+.3f" if name == "improvement" else ".3f"
            value, low, high = (format(one[part], form) for part in ("value", "low", "high"))
            lines.append(f"  {name:<12} {value:>6}  ({low} to {high}, {one['n']} problems)")
    further = {
        f"runs show {run}": "what was decided, and by which figures",
        **({f"models show {run}": "the model, and what became of it"} if kept else {}),
        f"why {document['ended']}": "how it came to this end, event by event",
        "audit": "every decision derived again",
    }
    wide = max(map(len, further))
    return "\n".join(
        [
            *lines,
            f"Audit: {audited['events']} events, chain {audited['chain']}, "
            f"{audited['decisions']} decisions derived again, "
            f"{audited['differences']} differences.",
            f"Report: {document['report']}",
            "\nLook further:",
            *(f"  {called} {command:<{wide}}  {why}" for command, why in further.items()),
        ]
    )
