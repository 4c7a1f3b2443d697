"""Verification: models measured behind their runs, again and again, and what is decided of it.

Anybody may ask; the verifier says which models answer which suites, a worker has them answer, and
what came of it is judged from the counts that stand in the outcome.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from events.catalog.costs import Count
from events.catalog.data import Focus
from events.catalog.examinations import AreaCount, ExamplesFound, SuiteMeasured, Suites, Unit
from events.catalog.gates import Checked
from events.catalog.training import Artifact, Measured, Reason, Sha256
from events.message import Event, Name, Outcome, Request, Value

Judgement = Literal["holds", "worse", "unclear", "measured"]

_MODEL = {"kind": "policy", "sha256": "sha256:" + "0" * 64, "size": 1024}
_ITEMS = {**_MODEL, "kind": "items"}
_BASE = {**_MODEL, "kind": "base"}
_ONE = {"verification": "9c41", "role": "support"}
_HIGH = {"value": 0.8, "low": 0.72, "high": 0.86, "n": 120}
_LOW = {"value": 0.5, "low": 0.41, "high": 0.59, "n": 120}
_WORSE = {
    "metric": "retention", "side": "at_least", "bound": 0.95,
    "value": 0.62, "low": 0.5, "high": 0.75, "n": 120, "verdict": "fail",
}  # fmt: skip


class VerificationRequested(
    Request,
    wire="VerificationRequested",
    by="anyone",
    stream="role/{role}",
    settled_by=("VerificationJudged", "VerificationRefused"),
    begins="verification",
):
    """Somebody wants to know how good a role's model is today."""

    role: Name
    model: Sha256 | None = None
    """Of a registered candidate; left out, the one that stands."""
    run: Name | None = None
    """Or the run that made it."""
    suites: Suites = ()
    """Which suites it answers; left out, those of the policy."""
    examples: Artifact | None = None
    """Examples of experts, for the suite `examples`; left out, those that it was trained on."""

    example: ClassVar[dict[str, Any]] = {"role": "support"}


class VerificationRefused(Event, wire="VerificationRefused", stream="role/{role}", refusal=True):
    """Nothing was measured, or nothing that could be judged."""

    role: Name
    verification: Name | None = None
    reason: Reason

    example: ClassVar[dict[str, Any]] = {
        "role": "support",
        "reason": "role 'support' has no registered candidate",
    }


class ModelVerified(
    Outcome, wire="ModelVerified", by="worker", stream="verification/{verification}"
):
    """A model has answered its suites."""

    verification: Name
    attempt: int = Field(ge=1)
    role: Name
    run: Name | None = None
    model: Artifact | None = None
    baseline: Artifact | None = None
    suites: Annotated[tuple[SuiteMeasured, ...], Field(max_length=100)] = ()
    wrong: Count = 0
    """Items of all suites that it answered wrongly, and how many there were."""
    n: Count = 0
    areas: Annotated[tuple[AreaCount, ...], Field(max_length=500)] = ()
    """The same by areas, which may overlap."""
    examples: ExamplesFound | None = None
    artifacts: Annotated[tuple[Artifact, ...], Field(max_length=100)] = ()
    """Per-item results of the model and of its baseline; examples that are not trusted."""
    seconds: float = Field(ge=0)

    example: ClassVar[dict[str, Any]] = {
        **_ONE,
        "attempt": 1,
        "run": "7f3a",
        "model": _MODEL,
        "baseline": _BASE,
        "suites": [
            {
                "suite": "fresh",
                "score": _LOW,
                "compared": "baseline",
                "other": _HIGH,
                "retention": {"value": 0.62, "low": 0.5, "high": 0.75, "n": 120},
                "cells": [
                    {"after": 1.0, "before": 1.0, "n": 60},
                    {"after": 0.0, "before": 1.0, "n": 36},
                    {"after": 0.0, "before": 0.0, "n": 24},
                ],
            }
        ],
        "wrong": 60,
        "n": 120,
        "areas": [{"area": "two things are named", "wrong": 40, "n": 50}],
        "artifacts": [_ITEMS],
        "seconds": 12.5,
    }


class VerificationFailed(
    Outcome, wire="VerificationFailed", by="worker", stream="verification/{verification}"
):
    """A model could not be measured."""

    verification: Name
    attempt: int = Field(ge=1)
    role: Name
    reason: Reason
    retryable: bool = True
    """Trying again may help."""

    example: ClassVar[dict[str, Any]] = {**_ONE, "attempt": 1, "reason": "an artifact is missing"}


class VerificationJudged(Event, wire="VerificationJudged", stream="verification/{verification}"):
    """What is believed of a model, behind all that was measured of it so far."""

    verification: Name
    role: Name
    run: Name | None = None
    model: Artifact | None = None
    verdict: Judgement
    """It holds what the model before it could; it is worse; nobody can tell; or there is nothing to
    compare it with."""
    checks: Annotated[tuple[Checked, ...], Field(max_length=100)] = ()
    evidence: float = Field(default=0.0, ge=0)
    """That it is worse: the greatest wealth of a bet on that, over the suites."""
    needed: float = Field(default=0.0, ge=0)
    """The evidence that this claim needs, behind all that were made before."""

    example: ClassVar[dict[str, Any]] = {
        **_ONE,
        "run": "7f3a",
        "model": _MODEL,
        "verdict": "worse",
        "checks": [_WORSE],
        "evidence": 812.0,
        "needed": 40.0,
    }

    @property
    def says_no(self) -> bool:
        return self.verdict == "worse"


class RegressionDetected(Event, wire="RegressionDetected", stream="role/{role}"):
    """A model is surely worse than the one before it, than it was itself, or than its role asks."""

    role: Name
    run: Name | None = None
    model: Artifact | None = None
    baseline: Artifact | None = None
    """What it is compared with."""
    verification: Name | None = None
    """Where a verification found it; else the run itself did, at its last gate."""
    since: bool = False
    """It is compared with what it was itself, or with what the role asks since long."""
    checks: Annotated[tuple[Checked, ...], Field(max_length=100)] = ()
    """The figures, beside the bounds that they do not keep."""
    evidence: float | None = Field(default=None, ge=0)
    reason: Reason

    example: ClassVar[dict[str, Any]] = {
        "role": "support",
        "run": "7f3a",
        "model": _MODEL,
        "baseline": _BASE,
        "verification": "9c41",
        "checks": [_WORSE],
        "evidence": 812.0,
        "reason": "retention 0.62 (0.5 to 0.75) is below 0.95",
    }


class Weakness(Value):
    """An area in which a model fails surely more often than elsewhere."""

    area: Focus
    failures: Measured
    elsewhere: Measured
    chance: Unit
    """That so many failures fall into the area where it is like the rest."""


class WeaknessDetected(Event, wire="WeaknessDetected", stream="role/{role}"):
    """A model fails in some areas more often than in the rest: data is to be about them."""

    role: Name
    run: Name | None = None
    model: Artifact | None = None
    verification: Name | None = None
    focus: Annotated[tuple[Focus, ...], Field(min_length=1, max_length=32)]
    """In the words of a request for data."""
    areas: Annotated[tuple[Weakness, ...], Field(min_length=1, max_length=32)]

    example: ClassVar[dict[str, Any]] = {
        "role": "support",
        "run": "7f3a",
        "model": _MODEL,
        "verification": "9c41",
        "focus": ["two things are named"],
        "areas": [
            {
                "area": "two things are named",
                "failures": {"value": 0.8, "low": 0.66, "high": 0.9, "n": 50},
                "elsewhere": {"value": 0.29, "low": 0.18, "high": 0.41, "n": 70},
                "chance": 0.0001,
            }
        ],
    }


class CandidateWithdrawn(Event, wire="CandidateWithdrawn", stream="role/{role}"):
    """A registered candidate is not to be used; the one before it stands again."""

    role: Name
    run: Name
    model: Artifact
    stands: Artifact | None = None
    """The model that stands again; none where there was none before."""
    stands_run: Name | None = None
    reason: Reason

    example: ClassVar[dict[str, Any]] = {
        "role": "support",
        "run": "7f3a",
        "model": _MODEL,
        "stands": {**_MODEL, "sha256": "sha256:" + "1" * 64},
        "stands_run": "51c0",
        "reason": "retention 0.62 (0.5 to 0.75) is below 0.95",
    }
