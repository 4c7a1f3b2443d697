"""People who use the fleet: what they say about an answer, and that one of them is forgotten.

Their texts lie in the log sealed. Who reads these events sees tokens, which no decision looks into;
what may be counted on, such as the rating, is open.
"""

from typing import Annotated, Any, ClassVar

from pydantic import Field

from events.message import Event, Name
from events.personal import Personal

Subject = Annotated[str, Field(min_length=1, max_length=200), Personal]
"""Who it is about, by whatever name the caller knows them: always the same one."""


class FeedbackReceived(
    Event, wire="FeedbackReceived", by="anyone", stream="feedback/{role}", subject="subject"
):
    """A person said how good an answer was."""

    subject: Subject
    role: Name
    rating: int = Field(ge=1, le=5)
    """5 is the best."""
    comment: Annotated[str, Field(max_length=4000), Personal] = ""
    asked: Annotated[str, Field(max_length=100_000), Personal] = ""
    """What the model was asked."""
    answered: Annotated[str, Field(max_length=100_000), Personal] = ""
    """What it answered."""
    model: Name | None = None
    """Which one it was, where that is known."""

    example: ClassVar[dict[str, Any]] = {
        "subject": "customer-4711",
        "role": "support",
        "rating": 2,
        "comment": "It did not understand where I live.",
    }


class SubjectForgotten(
    Event,
    wire="SubjectForgotten",
    by="operator",
    stream="people/forgotten",
    subject="subject",
    forgets=True,
):
    """All that is personal about somebody became unreadable with this event, itself included."""

    subject: Subject

    example: ClassVar[dict[str, Any]] = {"subject": "customer-4711"}
