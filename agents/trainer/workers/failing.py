"""What is said of a stage that broke: by its kind remedies are found."""

from __future__ import annotations

from typing import cast

from events.catalog.training import StageFailed, StageRequested
from events.errors import RatchetError
from events.fact import Fact
from events.message import Outcome


class Broke(Exception):
    """A job ended other than well."""

    def __init__(self, what: str, kind: str, again: bool) -> None:
        super().__init__(what)
        self.kind, self.again = kind, again


def failed(told: Fact, error: Exception) -> Outcome:
    """A job's failure keeps its kind; anything else is a defect, and may be tried again."""
    request = cast(StageRequested, told.event)
    kind = error.kind if isinstance(error, Broke) else "defect"
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
