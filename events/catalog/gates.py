"""Gates: what was examined behind a stage, what was done where it did not hold."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, StringConstraints

from events.catalog.changes import Change
from events.catalog.training import Artifact, Reason
from events.message import Event, Name, Value

Verdict = Literal["pass", "fail", "inconclusive", "waived"]
Side = Literal["at_least", "at_most"]
Trend = Literal["improving", "stable", "degrading"]
Decision = Literal["continue", "roll_back", "evaluate"]
Symptom = Annotated[str, StringConstraints(min_length=1, max_length=200)]

_STAGE = {"run": "7f3a", "stage": "optimise", "attempt": 1}
_KL = {"metric": "kl", "side": "at_most", "bound": 0.1}
_HIGH = {**_KL, "value": 0.14, "low": 0.12, "high": 0.16, "n": 300, "verdict": "fail"}


class Checked(Value):
    """One figure beside its bound."""

    metric: Name
    side: Side
    bound: float
    value: float | None = None
    """None where it was not measured, which is a fail."""
    low: float | None = None
    high: float | None = None
    n: int = Field(default=0, ge=0)
    verdict: Verdict


class GatePassed(Event, wire="GatePassed", stream="run/{run}"):
    """What a stage has made is good enough to go on with."""

    run: Name
    stage: Name
    attempt: int = Field(ge=1)
    verdict: Literal["pass", "waived"] = "pass"
    """Waived where a figure was accepted without the certainty that its interval would give."""
    checks: tuple[Checked, ...] = Field(default=(), max_length=100)

    example: ClassVar[dict[str, Any]] = {
        **_STAGE,
        "checks": [{**_HIGH, "value": 0.05, "low": 0.04, "high": 0.06, "verdict": "pass"}],
    }


class GateFailed(Event, wire="GateFailed", stream="run/{run}"):
    """What a stage has made is not good enough, or not surely so."""

    run: Name
    stage: Name
    attempt: int = Field(ge=1)
    verdict: Literal["fail", "inconclusive"] = "fail"
    checks: tuple[Checked, ...] = Field(default=(), max_length=100)
    reason: Reason

    example: ClassVar[dict[str, Any]] = {
        **_STAGE,
        "checks": [_HIGH],
        "reason": "kl 0.14 (0.12 to 0.16) is above 0.1",
    }


class RemedyApplied(Event, wire="RemedyApplied", stream="run/{run}"):
    """Something is done about a gate that did not hold, or a stage that broke."""

    run: Name
    stage: Name
    symptom: Symptom
    remedy: Name
    changes: tuple[Change, ...] = Field(default=(), max_length=20)
    back_to: Name
    """The stage from which the run goes on."""

    example: ClassVar[dict[str, Any]] = {
        "run": "7f3a",
        "stage": "optimise",
        "symptom": "kl above",
        "remedy": "smaller_steps",
        "changes": [{"stage": "optimise", "setting": "learning_rate", "how": "times", "by": 0.5}],
        "back_to": "optimise",
    }


class RunRolledBack(Event, wire="RunRolledBack", stream="run/{run}"):
    """A run went back to what it had before: what came after it is not used."""

    run: Name
    stage: Name
    """Behind which it is again."""
    attempt: int = Field(ge=1)
    artifacts: tuple[Artifact, ...] = Field(default=(), max_length=100)
    """What it holds again."""
    reason: Reason

    example: ClassVar[dict[str, Any]] = {**_STAGE, "reason": "capabilities were lost"}


class IterationDecided(Event, wire="IterationDecided", stream="run/{run}"):
    """Whether a stage that makes a model better again and again goes on."""

    run: Name
    stage: Name
    attempt: int = Field(ge=1)
    trend: Trend
    decision: Decision
    reason: Reason

    example: ClassVar[dict[str, Any]] = {
        **_STAGE,
        "stage": "iterate",
        "trend": "improving",
        "decision": "continue",
        "reason": "better by 0.04 (0.02 to 0.06)",
    }


class CandidateRegistered(Event, wire="CandidateRegistered", stream="role/{role}"):
    """A model passed all gates of its run: it may be tried on traffic."""

    role: Name
    run: Name
    model: Artifact
    made: tuple[Artifact, ...] = Field(default=(), max_length=100)
    """Everything that it came from."""

    example: ClassVar[dict[str, Any]] = {
        "role": "support",
        "run": "7f3a",
        "model": {"kind": "policy", "sha256": "sha256:" + "0" * 64, "size": 1024},
    }
