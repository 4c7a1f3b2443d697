"""Data sets that people bring along: made elsewhere, checked here line by line."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field

from events.catalog.costs import Count
from events.catalog.data import Kind
from events.catalog.training import Artifact, Measured
from events.message import Event, Name

Licence = Annotated[str, Field(min_length=1, max_length=200)]


class DatasetImported(Event, wire="DatasetImported", by="operator", stream="dataset/{dataset}"):
    """Somebody brought rows along. They were checked, and what leaked was taken out; how good they
    are is said here, and whether they are used is decided by whoever would use them.
    """

    dataset: Name
    role: Name
    kind: Kind
    rows: Artifact
    provenance: Artifact
    report: Artifact
    count: int = Field(ge=1, lt=2**53)
    licence: Licence = "unknown"
    quality: dict[Name, Measured] = Field(default_factory=dict, max_length=100)
    """By part of the measure, as it was before anything was taken out."""
    removed: dict[Name, Count] = Field(default_factory=dict, max_length=100)
    """Rows taken out, by reason."""

    example: ClassVar[dict[str, Any]] = {
        "dataset": "own-tickets",
        "role": "support",
        "kind": "pairs",
        "rows": {"kind": "rows", "sha256": "sha256:" + "0" * 64, "size": 1024},
        "provenance": {"kind": "provenance", "sha256": "sha256:" + "0" * 64, "size": 1024},
        "report": {"kind": "report", "sha256": "sha256:" + "0" * 64, "size": 1024},
        "count": 1200,
        "licence": "CC-BY-4.0",
    }
