"""A run told to a person as it happens: one line for what was decided, a moving one for steps."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from events.catalog.data import DatasetAccepted, DatasetRejected
from events.catalog.examinations import ExaminationRequested
from events.catalog.gates import Checked, GateFailed, GatePassed, IterationDecided, RemedyApplied
from events.catalog.gates import RunRolledBack as RolledBack
from events.catalog.hand import RunCancelled
from events.catalog.parts import PartBuilt
from events.catalog.reviews import ReviewOpened
from events.catalog.training import (
    RunAbandoned,
    RunCompleted,
    RunStarted,
    StageCompleted,
    StageFailed,
    StageRequested,
    TrainingRejected,
)
from events.catalog.verification import (
    CandidateWithdrawn,
    Judgement,
    RegressionDetected,
    VerificationJudged,
    VerificationRefused,
)
from events.message import Event
from infra.cli import show
from pipelines.catalog import PIPELINES
from pipelines.forecast import Forecast, said, told

PAUSE = 5.0
"""Seconds between lines of progress where nobody watches a terminal."""
NUMBERS = {
    "loss": ("loss",),
    "reward": ("reward", "outcome", "similarity", "score"),
    "accuracy": ("accuracy",),
    "KL": ("kl",),
    "entropy": ("entropy",),
}
"""What is shown of a step, and the names that trainers have for it."""
JOBS = {"begin": "the base is made,", "measure": "measuring"}
"""Jobs whose names say little to people."""


BELIEVED: Mapping[Judgement, str] = {
    "holds": "holds what the model before it could",
    "worse": "is worse than the model before it",
    "unclear": "is neither surely worse nor surely as good",
    "measured": "was measured",
}


class Story:
    """What is said so far."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._told = 0.0
        self._pipeline = ""
        self._stage = ""
        self._end: float | None = None

    heard = tuple(
        one.wire
        for one in (
            RunStarted, StageRequested, StageCompleted, StageFailed, GatePassed, GateFailed,
            RemedyApplied, RolledBack, IterationDecided, RunCompleted, RunAbandoned, PartBuilt,
            DatasetAccepted, DatasetRejected, RunCancelled, TrainingRejected, ReviewOpened,
            RegressionDetected, ExaminationRequested, VerificationJudged, VerificationRefused,
            CandidateWithdrawn,
        )
    )  # fmt: skip

    def event(self, event: Event) -> None:
        """One of those that are heard."""
        line = self._line(event)
        if line:
            self.tell(f"{time.monotonic() - self._begun:6.1f} s  {line}")

    def expect(self, found: Forecast | None) -> None:
        """How long the run still takes, by what earlier ones took."""
        if found is not None and self._end is None:
            self.tell(f"          time left: {said(found)}")
        self._end = None if found is None else time.monotonic() + found.middle

    def progress(self, says: Mapping[str, Any]) -> None:
        """A step of a job, its newest numbers beside it."""
        moving = sys.stderr.isatty()
        if not moving and time.monotonic() - self._told < PAUSE:
            return
        self._told = time.monotonic()
        said_of = step({**says, "job": ""} if says.get("job") == self._stage else says)
        line = f"          {self._stage}: {said_of or 'begins'}"
        if self._end is not None:
            line += f"  (all of it: {told(max(0.0, self._end - time.monotonic()))} left)"
        self.tell(line, moving)

    def tell(self, line: str, moving: bool = False) -> None:
        clear = "\x1b[2K" if sys.stderr.isatty() else ""
        if moving:  # a line that wraps could not be written over
            line = line[: shutil.get_terminal_size().columns - 1]
        print(
            f"{clear}{show.plain(line)}", end="\r" if moving else "\n", file=sys.stderr, flush=True
        )

    def _line(self, event: Event) -> str:
        match event:
            case RunStarted(run=run, pipeline=pipeline, stages=stages):
                self._pipeline = pipeline
                self._stage = stages[0]
                return f"run {run}: {', '.join(stages)}"
            case TrainingRejected(reason=reason):
                return f"no run was begun: {reason}"
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
            case ReviewOpened(review=name, count=count):
                return f"people are asked about {count} pairs: `ratchet review list {name}`"
            case ExaminationRequested(items=items, attempt=attempt):
                self._stage = "verifier"
                again = "" if attempt == 1 else f" (attempt {attempt})"
                return f"verifier{again}: the candidate beside the model before it, {items} items"
            case _:
                return self._decided(event)

    def _decided(self, event: Event) -> str:
        match event:
            case GatePassed(stage=stage, checks=checks, verdict=verdict):
                return f"{stage}: gate {verdict}{_figures(checks)}"
            case GateFailed(stage=stage, verdict=verdict, reason=reason):
                return f"{stage}: gate {verdict}: {reason}"
            case RemedyApplied(remedy=remedy, back_to=stage):
                return f"remedy {remedy}, on from {stage}"
            case RolledBack(stage=stage, reason=reason):
                return f"rolled back behind {stage}: {reason}"
            case RegressionDetected(reason=reason):
                return f"a regression: {reason}"
            case VerificationJudged(verdict=verdict, checks=checks):
                return f"verifier: the candidate {BELIEVED[verdict]}{_figures(checks)}"
            case VerificationRefused(reason=reason):
                return f"verifier: {reason}"
            case CandidateWithdrawn(reason=reason):
                return f"the candidate is withdrawn: {reason}"
            case IterationDecided(decision=decision, reason=reason):
                return f"{reason}: {decision}"
            case RunCompleted():
                return "the run passed all its gates"
            case RunAbandoned(reason=reason):
                return f"the run was given up: {reason}"
            case RunCancelled(reason=reason):
                return f"the run was cancelled{': ' + reason if reason else ''}"
        return ""


def step(says: Mapping[str, Any]) -> str:
    """What a worker says of its work, in a line: `srl step 22 of 80, 31 s left  loss 0.005`."""
    job = str(says.get("job") or says.get("source") or "")
    parts = [JOBS.get(job, job)]
    of = f" of {says['of']:,}" if _number(says.get("of")) else ""
    if says.get("step"):
        parts[0] = f"{parts[0]} step {says['step']}{of}".strip()
    elif _number(says.get("rows")):
        parts[0] += f" {says['rows']:,}{of} rows"
    if _number(says.get("left")):
        parts[0] += f", {told(says['left'])} left"
    for label, names in NUMBERS.items():
        found = next((says[name] for name in names if _number(says.get(name))), None)
        if found is not None:
            parts.append(f"{label} {float(found):.3g}")
    if _number(says.get("tokens_per_second")):
        parts.append(f"{says['tokens_per_second']:,.0f} tokens/s")
    return "  ".join(part for part in parts if part)


def _figures(checks: Sequence[Checked]) -> str:
    held = ", ".join(f"{one.metric} {one.value:.3g}" for one in checks if one.value is not None)
    return f" ({held})" if held else ""


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
