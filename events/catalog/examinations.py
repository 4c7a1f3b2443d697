"""Examinations: who is to answer which suites, and the counts in which the answers are told."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from events.catalog.costs import Count
from events.catalog.data import EventId, Focus
from events.catalog.training import Artifact, Measured, Reason
from events.message import Event, Name, Request, Value

Unit = Annotated[float, Field(ge=0, le=1)]
Suites = Annotated[tuple[Name, ...], Field(max_length=32)]

_MODEL = {"kind": "policy", "sha256": "sha256:" + "0" * 64, "size": 1024}


class ExaminationRequested(
    Request,
    wire="ExaminationRequested",
    stream="verification/{verification}",
    answered_by="worker",
):
    """Models are to answer suites, item by item."""

    verification: Name
    attempt: int = Field(ge=1)
    role: Name
    model_type: str = Field(min_length=1, max_length=500)
    run: Name | None = None
    """The run that made the model."""
    model: Artifact | None = None
    """Left out where only examples are to be checked."""
    baseline: Artifact | None = None
    """The model before it, which answers the same items."""
    before: Artifact | None = None
    """Its own items of the first verification: it is compared with what it was."""
    examples: Artifact | None = None
    suites: Suites
    items: int = Field(ge=1, le=100_000)
    """Problems of each suite that is drawn."""
    seed: int = Field(ge=0, lt=2**63)
    """Of the fresh problems; those of the fixed suite are the same for ever."""

    example: ClassVar[dict[str, Any]] = {
        "verification": "9c41",
        "role": "support",
        "attempt": 1,
        "model_type": "support_replies",
        "run": "7f3a",
        "model": _MODEL,
        "baseline": {**_MODEL, "kind": "base"},
        "suites": ["fixed", "fresh"],
        "items": 120,
        "seed": 7,
    }


class Cell(Value):
    """Items on which a model earned so much, and what it is compared with so much."""

    after: Unit
    before: Unit
    n: int = Field(ge=1)


class SuiteMeasured(Value):
    """How a model did in one suite."""

    suite: Name
    score: Measured
    """What it earned, of 1."""
    compared: Literal["", "baseline", "itself"] = ""
    """With whom: the model before it, or itself at its first verification."""
    other: Measured | None = None
    """What that one earned on the same items."""
    retention: Measured | None = None
    """The share of the other's score that is kept."""
    cells: Annotated[tuple[Cell, ...], Field(max_length=500)] = ()
    """The same item by item, counted."""


class AreaCount(Value):
    """How often a model was wrong in a part of what it is for."""

    area: Focus
    wrong: Count
    n: int = Field(ge=1)


class ExamplesFound(Value):
    """What the verifier of the type said of experts' examples."""

    valid: Count
    invalid: dict[Name, Count] = Field(default_factory=dict, max_length=100)
    """How many are not trusted, by reason."""


class ExaminationWithdrawn(
    Event,
    wire="ExaminationWithdrawn",
    stream="verification/{verification}",
    withdraws="request",
):
    """Nobody needs to measure this any more."""

    verification: Name
    request: EventId
    """The event id of the request."""
    reason: Reason

    example: ClassVar[dict[str, Any]] = {
        "verification": "9c41",
        "request": "0199",
        "reason": "it took too long",
    }
