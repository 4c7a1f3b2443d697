"""Training data: asked for, begun, and in the end accepted or rejected by a decision. How a set is
made between the two stands in `parts`.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, StringConstraints

from events.catalog.costs import Count, Limits
from events.catalog.role_needs import Share
from events.catalog.training import Artifact, Measured, Reason
from events.message import Event, Name, Request

Kind = Literal["trajectories", "pairs"]
Scorer = Literal["verifier", "judge", "reward", "people"]
"""Who says which of two answers is the better: the model type's own verifier, a model that is
asked, the newest reward model that a run of the role has made, or people in a queue."""
Focus = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]
EventId = Annotated[str, StringConstraints(min_length=1, max_length=100)]

SOURCES = ("synthetic", "real", "subscriptions", "web", "collaborative", "people")
"""Where rows come from: models that work together, the fleet's own traffic, sellers, the web, the
data sets of other roles, and, of pairs alone, the queues that people have answered."""

_SET = {"dataset": "5d1c"}
_ROWS = {"kind": "rows", "sha256": "sha256:" + "0" * 64, "size": 1024}


class DataRequested(
    Request,
    wire="DataRequested",
    by="anyone",
    stream="role/{role}",
    answered_by="agent",
    settled_by=("DatasetAccepted", "DatasetRejected"),
    begins="dataset",
):
    """Somebody wants data to train a role on."""

    role: Name
    quantity: int = Field(ge=1, le=1_000_000)
    kind: Kind = "trajectories"
    seed: Seed | None = None
    """The same seed gives the same data; left out, one is drawn from the request's id."""
    quality_target: Share | None = None
    """Least quality of the set; left out, that of the role. Pairs have gates of their own."""
    sources: Annotated[tuple[Name, ...], Field(max_length=16)] = ()
    """Which sources build it; none named, the policy's."""
    difficulty: float = Field(default=0.5, ge=0, le=1)
    focus: Annotated[tuple[Focus, ...], Field(max_length=32)] = ()
    """What the role is weak in, and the data is to be about."""
    run: Name | None = None
    """The run that waits for it."""
    limits: Limits = Limits()
    """What it may cost, beside what the role and the policy allow."""
    scorer: Scorer | None = None
    """Who says which answer of a pair is the better; left out, the policy says who."""

    example: ClassVar[dict[str, Any]] = {"role": "support", "quantity": 1000}


class DataBegun(Event, wire="DataBegun", stream="dataset/{dataset}"):
    """A data set is being made."""

    dataset: Name
    role: Name
    model_type: Name
    kind: Kind
    quantity: int = Field(ge=1)
    seed: Seed
    quality_target: Share
    sources: tuple[Name, ...]
    run: Name | None = None
    difficulty: float = Field(default=0.5, ge=0, le=1)
    focus: tuple[Focus, ...] = ()
    profile: EventId | None = None
    """The event that says what the role is for, as it was when the set was begun."""
    limits: Limits = Limits()
    """What the whole of it may cost."""
    scorer: Scorer | None = None
    """Who scores pairs; left out, the type's verifier where it decides, else a judge."""

    example: ClassVar[dict[str, Any]] = {
        **_SET,
        "role": "support",
        "model_type": "sentiment_analysis",
        "kind": "trajectories",
        "quantity": 1000,
        "seed": 7,
        "quality_target": 0.95,
        "sources": ["synthetic"],
    }


class DatasetAccepted(Event, wire="DatasetAccepted", stream="dataset/{dataset}"):
    """A data set may be trained on."""

    dataset: Name
    role: Name
    model_type: Name
    kind: Kind
    rows: Artifact
    provenance: Artifact
    report: Artifact
    count: Count
    quality: float
    run: Name | None = None
    measured: dict[Name, Measured] = Field(default_factory=dict, max_length=100)
    """By part of the measure. Of pairs `gap`, `pairs` and `decontamination`, as they were before
    anything was set aside."""

    example: ClassVar[dict[str, Any]] = {
        **_SET,
        "role": "support",
        "model_type": "sentiment_analysis",
        "kind": "trajectories",
        "rows": _ROWS,
        "provenance": {**_ROWS, "kind": "provenance"},
        "report": {**_ROWS, "kind": "report"},
        "count": 1000,
        "quality": 0.98,
    }


class DatasetRejected(Event, wire="DatasetRejected", stream="role/{role}", refusal=True):
    """A data set was not made, or is not good enough to be trained on."""

    role: Name
    dataset: Name | None = None
    reason: Reason
    run: Name | None = None

    example: ClassVar[dict[str, Any]] = {
        "role": "support",
        "dataset": "5d1c",
        "reason": "quality 0.61 is below 0.95",
    }


class DatasetRedacted(Event, wire="DatasetRedacted", by="operator", stream="dataset/{dataset}"):
    """Rows that somebody's words had gone into, who was forgotten, were taken out of a set. These
    are its files from now on; those that it had before are deleted."""

    dataset: Name
    rows: Artifact
    provenance: Artifact
    report: Artifact
    count: Count
    gone: int = Field(ge=1, lt=2**53)
    """How many rows were taken out."""

    example: ClassVar[dict[str, Any]] = {
        **_SET,
        "rows": _ROWS,
        "provenance": {**_ROWS, "kind": "provenance"},
        "report": {**_ROWS, "kind": "report"},
        "count": 998,
        "gone": 2,
    }
