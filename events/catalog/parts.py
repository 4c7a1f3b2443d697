"""The making of a data set: parts that sources build, and their assembling. Rows, provenance and
transcripts are artifacts.
"""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from events.catalog.costs import Count, Limits, Spent
from events.catalog.data import EventId, Focus, Kind, Scorer, Seed
from events.catalog.role_needs import Share
from events.catalog.training import Artifact, Measured, Reason
from events.message import Event, Name, Outcome, Request

_SET = {"dataset": "5d1c"}
_PART = {**_SET, "part": 1, "attempt": 1}
_ROWS = {"kind": "rows", "sha256": "sha256:" + "0" * 64, "size": 1024}


class PartRequested(
    Request, wire="PartRequested", stream="dataset/{dataset}", answered_by="worker"
):
    """A source is to build some rows."""

    dataset: Name
    part: int = Field(ge=1)
    attempt: int = Field(ge=1)
    source: Name
    role: Name
    model_type: Name
    kind: Kind
    quantity: int = Field(ge=1)
    first: Count = 0
    """How many rows of this source and seed are asked for by other parts, and left out here."""
    seed: Seed
    difficulty: float = Field(ge=0, le=1)
    focus: tuple[Focus, ...] = ()
    profile: EventId | None = None
    """The event that says what the role is for."""
    limits: Limits = Limits()
    """What this part may cost."""
    scorer: Scorer | None = None
    """Who scores pairs; left out, the type's verifier where it decides, else a judge."""
    answers: int = Field(default=4, ge=2, le=16)
    """Of pairs: so many answers to each prompt."""

    example: ClassVar[dict[str, Any]] = {
        **_PART,
        "source": "synthetic",
        "role": "support",
        "model_type": "sentiment_analysis",
        "kind": "trajectories",
        "quantity": 250,
        "seed": 7,
        "difficulty": 0.5,
    }


class PartBuilt(Outcome, wire="PartBuilt", by="worker", stream="dataset/{dataset}"):
    """A source has built rows."""

    dataset: Name
    part: int = Field(ge=1)
    attempt: int = Field(ge=1)
    source: Name
    method: Name
    """How the source made them, such as `collaboration`; methods are rated over time."""
    rows: Artifact
    provenance: Artifact
    transcripts: Artifact | None = None
    """What every model was told and answered."""
    accepted: Count
    more: bool = True
    """Whether the source could have given more."""
    rejected: dict[Name, Count] = Field(default_factory=dict, max_length=100)
    """How many examples were refused, by reason."""
    spent: Spent = Spent()
    """Of the part, in all its attempts."""
    seconds: float = Field(ge=0)

    example: ClassVar[dict[str, Any]] = {
        **_PART,
        "source": "synthetic",
        "method": "collaboration",
        "rows": _ROWS,
        "provenance": {**_ROWS, "kind": "provenance"},
        "accepted": 250,
        "seconds": 4.2,
    }


class PartFailed(Outcome, wire="PartFailed", by="worker", stream="dataset/{dataset}"):
    """A source could not build its rows."""

    dataset: Name
    part: int = Field(ge=1)
    attempt: int = Field(ge=1)
    source: Name
    method: Name | None = None
    """How it would have made them, where that is what failed."""
    reason: Reason
    retryable: bool = True
    """Trying again may help."""
    spent: Spent = Spent()
    """Of the part so far, in all its attempts."""

    example: ClassVar[dict[str, Any]] = {**_PART, "source": "web", "reason": "no host answers"}


class DataWithdrawn(Event, wire="DataWithdrawn", stream="dataset/{dataset}", withdraws="request"):
    """Nobody needs to build this part, or to put these parts together, any more."""

    dataset: Name
    request: EventId
    """The event id of the request."""
    reason: Reason

    example: ClassVar[dict[str, Any]] = {**_SET, "request": "0199", "reason": "it took too long"}


class AssemblyRequested(
    Request, wire="AssemblyRequested", stream="dataset/{dataset}", answered_by="worker"
):
    """The parts are to be judged, the best of them merged, and the whole measured."""

    dataset: Name
    attempt: int = Field(ge=1)
    role: Name
    model_type: Name
    kind: Kind
    quantity: int = Field(ge=1)
    seed: Seed
    quality_target: Share
    parts: tuple[PartBuilt, ...] = Field(max_length=10_000)
    guarded: tuple[Artifact, ...] = ()
    """Every evaluation set that must not be in it."""
    least_gap: Share = 0.15
    """Of pairs: what their mean gap has to reach."""
    least_clean: Share = 0.9
    """Of pairs: the share that has no evaluation item in it."""
    ask: Count = 0
    """So many pairs that nobody can be sure of may be put to people."""

    example: ClassVar[dict[str, Any]] = {
        **_SET,
        "attempt": 1,
        "role": "support",
        "model_type": "sentiment_analysis",
        "kind": "trajectories",
        "quantity": 1000,
        "seed": 7,
        "quality_target": 0.95,
        "parts": [PartBuilt.example],
    }


class DatasetAssembled(Outcome, wire="DatasetAssembled", by="worker", stream="dataset/{dataset}"):
    """The set is there and measured; whether it is used is decided behind it."""

    dataset: Name
    attempt: int = Field(ge=1)
    rows: Artifact
    provenance: Artifact
    report: Artifact
    count: Count
    quality: dict[Name, Measured]
    """Of the whole, by part of the measure; `overall` is the whole."""
    by_source: dict[Name, float]
    """Quality of what each source has built."""
    used: tuple[Name, ...]
    """The sources that were merged."""
    removed: dict[Name, Count] = Field(default_factory=dict)
    """Rows taken out, by reason."""
    waiting: Artifact | None = None
    """Pairs that a person could settle, as the items of a queue."""
    waits: Count = 0
    """How many those are."""
    seconds: float = Field(ge=0)

    example: ClassVar[dict[str, Any]] = {
        **_SET,
        "attempt": 1,
        "rows": _ROWS,
        "provenance": {**_ROWS, "kind": "provenance"},
        "report": {**_ROWS, "kind": "report"},
        "count": 1000,
        "quality": {"overall": {"value": 0.98, "low": 0.97, "high": 0.99, "n": 1000}},
        "by_source": {"synthetic": 0.98},
        "used": ["synthetic"],
        "seconds": 0.7,
    }


class AssemblyFailed(Outcome, wire="AssemblyFailed", by="worker", stream="dataset/{dataset}"):
    """The parts could not be put together."""

    dataset: Name
    attempt: int = Field(ge=1)
    reason: Reason
    retryable: bool = True
    """Trying again may help."""

    example: ClassVar[dict[str, Any]] = {**_SET, "attempt": 1, "reason": "an artifact is missing"}
