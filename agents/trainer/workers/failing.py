"""What is said of a stage that broke: by its kind remedies are found."""

from __future__ import annotations

from typing import cast

from events.catalog.training import StageFailed, StageRequested
from events.errors import RatchetError
from events.fact import Fact
from events.message import Outcome
from trainers.failures import Defect, DiskFull, NoMemory, out_of_memory, out_of_room


class Broke(Exception):
    """A job ended other than well."""

    def __init__(self, what: str, kind: str, again: bool) -> None:
        super().__init__(what)
        self.kind, self.again = kind, again


def failed(told: Fact, error: Exception) -> Outcome:
    """A job's failure keeps its kind, a full disk and used up memory have theirs; anything else is
    a defect. All but what a job says of itself may be tried again."""
    request = cast(StageRequested, told.event)
    kind = error.kind if isinstance(error, Broke) else _kind(error)
    named = isinstance(error, Broke | RatchetError)
    reason = str(error) if named else f"{type(error).__name__}: {error}"
    return StageFailed(
        run=request.run,
        stage=request.stage,
        attempt=request.attempt,
        kind=kind,
        reason=reason[:2000] or kind,
        retryable=error.again if isinstance(error, Broke) else True,
    )


def _kind(error: Exception) -> str:
    if out_of_room(error):
        return DiskFull.kind
    return NoMemory.kind if out_of_memory(error) else Defect.kind
