"""Feedback that names nobody: how good an answer was, and what it should have been.

Where the person is known, `FeedbackReceived` says it instead, and its texts lie in the log sealed.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field

from events.message import Event, Name

Text = Annotated[str, Field(max_length=100_000)]


class FeedbackGiven(Event, wire="FeedbackGiven", by="anyone", stream="feedback/{role}"):
    """Somebody who is not named said how good an answer was."""

    role: Name
    rating: int = Field(ge=1, le=5)
    """5 is the best."""
    asked: Text = ""
    """What the model was asked."""
    answered: Text = ""
    """What it answered."""
    correction: Text = ""
    """What it should have answered."""
    model: Name | None = None
    """Which one it was, where that is known."""

    example: ClassVar[dict[str, Any]] = {
        "role": "support",
        "rating": 2,
        "asked": "the food was not very good =>",
        "answered": "= positive 0.9;",
        "correction": "= negative 0.7;",
    }
