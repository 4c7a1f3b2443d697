"""Evaluation sets: what models are examined with, and what no training data may hold."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from events.catalog.training import Artifact
from events.message import Event, Name


class EvaluationSetRegistered(
    Event, wire="EvaluationSetRegistered", by="anyone", stream="evaluation/{name}"
):
    """Somebody named a set that models are evaluated with: from now on training data is searched
    for it. A later set of the same name takes its place.
    """

    name: Name
    artifact: Artifact
    """JSON lines, each with a `prompt` and perhaps an `answer`."""
    rows: int = Field(ge=1, lt=2**53)

    example: ClassVar[dict[str, Any]] = {
        "name": "support-exam",
        "artifact": {"kind": "evaluation", "sha256": "sha256:" + "0" * 64, "size": 1024},
        "rows": 200,
    }
