"""What came of a job: the one word that its folder keeps of it, whoever ran it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from events.documented import Documented
from trainers.failures import JobFailed

Status = Literal["completed", "failed", "cancelled"]


class Outcome(Documented):
    """What came of a job. A trainer returns one; the job adds how it ended."""

    status: Status = "completed"
    """Completed, also where a limit ended it early; failed; or cancelled."""
    stopped_by: str = ""
    """What ended it before its last step: a limit that was reached, or a failure's own words."""
    failure: str = ""
    """The kind of failure, by the table in trainers/failures.py."""
    where: str = ""
    """Where a failure lies."""
    right: str = ""
    """What would mend it."""
    again: bool = False
    """Another job of the same recipe may fare better."""
    metrics: dict[str, float | None] = Field(default_factory=dict)
    """What was measured; null where nothing could be said."""
    per_item: str = ""
    """The file in the job's folder that keeps what was measured, item by item."""
    steps: int = 0
    """Steps that were taken."""
    seconds: float = 0.0
    """Seconds that it trained, over all its starts."""
    starts: int = 0
    """How often it was started."""


def failed(failure: JobFailed) -> Outcome:
    """As an outcome."""
    return Outcome(
        status="cancelled" if failure.kind == "cancelled" else "failed",
        stopped_by=failure.what,
        failure=failure.kind,
        where=failure.where,
        right=failure.right,
        again=failure.again,
    )
