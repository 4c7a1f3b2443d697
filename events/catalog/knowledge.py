"""What the fleet knows: items that were added, took the place of others, or were withdrawn.

An item is named by the id of the event that added it, which is what a search cites. Who says the
same again says it anew: the newer event takes the place of the older. What is about a person is
said by an event of its own, whose text lies in the log sealed.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field, StringConstraints

from events.catalog.people import Subject
from events.message import Event, Moment, Name
from events.personal import Personal

LONGEST = 8000
"""Characters of an item: what is longer is many items."""

Tag = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Tags = Annotated[tuple[Tag, ...], Field(max_length=32)]
Item = Annotated[str, StringConstraints(pattern=r"^[0-9a-f-]{36}$")]
"""The id of the event that added it."""
Source = Annotated[str, Field(max_length=500)]

_ITEM = "01983a5e-0000-7000-8000-000000000000"


class KnowledgeAdded(Event, wire="KnowledgeAdded", by="anyone", stream="knowledge/{kind}"):
    """Somebody told the fleet something."""

    text: Annotated[str, Field(min_length=1, max_length=LONGEST)]
    kind: Name = "fact"
    """Such as fact, rule, example or lesson."""
    role: Name | None = None
    """Whom it concerns; left out, all."""
    tags: Tags = ()
    valid_from: Moment | None = None
    """From when on it holds; left out, always."""
    valid_to: Moment | None = None
    """Until when it holds, this moment not included; left out, for ever."""
    source: Source = ""
    """Where it was taken from: an address, a file, a data set."""

    example: ClassVar[dict[str, Any]] = {
        "text": "A refund above 500 EUR needs the approval of a second person.",
        "kind": "rule",
        "role": "support",
        "tags": ["refunds"],
        "source": "handbook, page 12",
    }


class PersonalKnowledgeAdded(
    Event,
    wire="PersonalKnowledgeAdded",
    by="anyone",
    stream="knowledge/{kind}",
    subject="subject",
):
    """Somebody told the fleet something about a person; found only by who may see it."""

    subject: Subject
    text: Annotated[str, Field(min_length=1, max_length=LONGEST), Personal]
    kind: Name = "fact"
    role: Name | None = None
    """Whom it concerns; left out, all."""
    tags: Tags = ()
    """Not sealed: name nobody in them."""
    valid_from: Moment | None = None
    """From when on it holds; left out, always."""
    valid_to: Moment | None = None
    """Until when it holds, this moment not included; left out, for ever."""

    example: ClassVar[dict[str, Any]] = {
        "subject": "customer-4711",
        "text": "Prefers to be called in the evening.",
        "role": "support",
    }


class KnowledgeSuperseded(
    Event, wire="KnowledgeSuperseded", by="anyone", stream="knowledge/item/{item}"
):
    """An item holds no more from now on, because another has taken its place."""

    item: Item
    by: Item | None = None
    """The item that took its place, where one did."""

    example: ClassVar[dict[str, Any]] = {"item": _ITEM, "by": _ITEM[:-1] + "1"}


class KnowledgeWithdrawn(
    Event, wire="KnowledgeWithdrawn", by="anyone", stream="knowledge/item/{item}"
):
    """An item was wrong, and is found no more."""

    item: Item
    reason: Annotated[str, Field(max_length=1000)] = ""

    example: ClassVar[dict[str, Any]] = {"item": _ITEM, "reason": "the handbook has changed"}


class KnowledgeGenerationMade(
    Event, wire="KnowledgeGenerationMade", stream="knowledge/generations"
):
    """The index of what is known was made anew from the log, by one embedder."""

    generation: Name
    embedder: Annotated[str, Field(max_length=300)]
    fingerprint: Name
    """Of the embedder; vectors of two fingerprints are never compared."""
    sparse: Annotated[str, Field(max_length=100)]
    """The rules by which words are counted."""
    dim: int = Field(gt=0)
    degraded: Annotated[str, Field(max_length=100)] = ""
    """Why its answers are worse than they could be, or nothing."""
    through: int = Field(ge=0)
    """The position up to which it holds the log."""
    points: int = Field(ge=0)
    seconds: float = Field(ge=0)
    reason: Annotated[str, Field(max_length=200)]

    example: ClassVar[dict[str, Any]] = {
        "generation": "kb_0f3a9c2b7d11_1",
        "embedder": "lexical-1",
        "fingerprint": "0f3a9c2b7d11",
        "sparse": "bm25-1",
        "dim": 384,
        "degraded": "lexical",
        "through": 120,
        "points": 97,
        "seconds": 0.4,
        "reason": "there was none",
    }
