"""A run told to a person as it happens: one line for what was decided, a moving one for steps."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import Any

from events.catalog.data import DatasetAccepted, DatasetRejected, PartBuilt
from events.catalog.gates import GateFailed, GatePassed, IterationDecided, RemedyApplied
from events.catalog.gates import RunRolledBack as RolledBack
from events.catalog.training import (
    RunAbandoned,
    RunCompleted,
    RunStarted,
    StageCompleted,
    StageFailed,
    StageRequested,
)
from events.message import Event
from pipelines.catalog import PIPELINES

PAUSE = 5.0
"""Seconds between lines of progress where nobody watches a terminal."""
NUMBERS = ("loss", "reward", "outcome", "similarity", "accuracy", "score", "kl")


class Story:
    """What is said so far."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._told = 0.0
        self._pipeline = ""
        self._stage = ""

    heard = tuple(
        one.wire
        for one in (
            RunStarted, StageRequested, StageCompleted, StageFailed, GatePassed, GateFailed,
            RemedyApplied, RolledBack, IterationDecided, RunCompleted, RunAbandoned, PartBuilt,
            DatasetAccepted, DatasetRejected,
        )
    )  # fmt: skip

    def event(self, event: Event) -> None:
        """One of those that are heard."""
        line = self._line(event)
        if line:
            self.tell(f"{time.monotonic() - self._begun:6.1f} s  {line}")

    def progress(self, says: Mapping[str, Any]) -> None:
        """A step of a job, its newest numbers beside it."""
        moving = sys.stderr.isatty()
        if not moving and time.monotonic() - self._told < PAUSE:
            return
        self._told = time.monotonic()
        numbers = "  ".join(
            f"{name} {float(says[name]):.3g}" for name in NUMBERS if _number(says.get(name))
        )
        what = says.get("job") or says.get("source") or ""
        step = f"step {says['step']}" if says.get("step") else ""
        line = f"          {self._stage}: {what} {step}  {numbers}".rstrip()
        self.tell(line, moving)

    def tell(self, line: str, moving: bool = False) -> None:
        clear = "\x1b[2K" if sys.stderr.isatty() else ""
        print(f"{clear}{line}", end="\r" if moving else "\n", file=sys.stderr, flush=True)

    def _line(self, event: Event) -> str:
        match event:
            case RunStarted(run=run, pipeline=pipeline, stages=stages):
                self._pipeline = pipeline
                self._stage = stages[0]
                return f"run {run}: {', '.join(stages)}"
            case StageRequested(stage=stage, attempt=attempt):
                self._stage = stage
                again = "" if attempt == 1 else f" (attempt {attempt})"
                does = PIPELINES[self._pipeline].stage(stage).does if self._pipeline else ""
                return f"{stage}{again}: {does}"
            case StageFailed(stage=stage, reason=reason):
                return f"{stage} broke: {reason}"
            case PartBuilt(accepted=many, source=source):
                return f"{source} has made {many} rows"
            case DatasetAccepted(count=many, quality=quality):
                return f"a data set of {many} rows, quality {quality:.3f}"
            case DatasetRejected(reason=reason):
                return f"no data set: {reason}"
            case GatePassed(stage=stage, checks=checks, verdict=verdict):
                held = ", ".join(
                    f"{one.metric} {one.value:.3g}" for one in checks if one.value is not None
                )
                return f"{stage}: gate {verdict} {'(' + held + ')' if held else ''}".rstrip()
            case GateFailed(stage=stage, verdict=verdict, reason=reason):
                return f"{stage}: gate {verdict}: {reason}"
            case RemedyApplied(remedy=remedy, back_to=stage):
                return f"remedy {remedy}, on from {stage}"
            case RolledBack(stage=stage, reason=reason):
                return f"rolled back behind {stage}: {reason}"
            case IterationDecided(decision=decision, reason=reason):
                return f"{reason}: {decision}"
            case RunCompleted():
                return "the run passed all its gates"
            case RunAbandoned(reason=reason):
                return f"the run was given up: {reason}"
        return ""


def _number(value: object) -> bool:
    return isinstance(value, int | float)
