"""Ways of making data, and what each has been good for over time."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from events.catalog.costs import Count
from events.catalog.training import Reason
from events.message import Event, Name


class MethodRated(Event, wire="MethodRated", stream="method/{method}"):
    """What a way of making data has been good for, over all its parts so far."""

    method: Name
    score: float = Field(ge=0, le=1)
    parts: Count

    example: ClassVar[dict[str, Any]] = {"method": "collaboration", "score": 0.97, "parts": 12}


class MethodFlagged(Event, wire="MethodFlagged", stream="method/{method}"):
    """A way of making data is weak; better ones are to be looked for."""

    method: Name
    score: float = Field(ge=0, le=1)
    reason: Reason

    example: ClassVar[dict[str, Any]] = {
        "method": "web",
        "score": 0.62,
        "reason": "0.62 over 9 parts is below 0.8",
    }
