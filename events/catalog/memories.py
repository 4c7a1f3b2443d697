"""What models remember: what is told to them, what of it is kept, and when and why it ends.

A memory is told by an event, which is its source and whose id is its own. Decisions carry no text:
what is kept, merged, superseded, expired or erased is named by its id. A personal text lies in the
log sealed with its person's key and can be made unreadable; any other stays there.
"""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from events.catalog.people import Subject
from events.catalog.role_needs import Share, distinct
from events.catalog.training import Reason
from events.message import Event, Moment, Name, Request
from events.personal import Personal
from events.suggest import contradiction

Told = Literal["model", "role", "session"]
Scope = Literal["model", "role", "session", "shared"]
Kind = Literal["fact", "episode", "skill", "preference", "lesson"]
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,64}$")]
"""Of an event, or derived from one."""
Text = Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True)]
About = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$")]
Tags = Annotated[tuple[Name, ...], Field(max_length=16), distinct()]
Sources = Annotated[tuple[Id, ...], Field(max_length=64), distinct()]
Ids = Annotated[tuple[Id, ...], Field(min_length=1, max_length=1000)]

MOST_IDS = 1000
_ITEM = {"role": "support", "item": "0199"}


class _Proposal(Request):
    """What every memory that is told has."""

    role: Name
    """Whose memory it is."""
    scope: Told = "role"
    """Who of the role may remember it: all its models, one of them, or one session."""
    model: Name | None = None
    """The model that says it; of the scope `model` it is the one that may remember it."""
    session: Name | None = None
    kind: Kind = "fact"
    about: About | None = None
    """What it tells of, as `customer/4711/city`: a later one closes it. No name of a person."""
    valid_from: Moment | None = None
    """Since when it is so; left out, since it was told."""
    valid_to: Moment | None = None
    """It is so until here, and here no more."""
    confidence: Share = 1.0
    tags: Tags = ()
    sources: Sources = ()
    """Events that it was learned from, beside the one that tells it."""

    @model_validator(mode="after")
    def _has_its_place(self) -> Self:
        if self.scope in ("model", "session") and getattr(self, self.scope) is None:
            raise contradiction(
                f"a memory of the scope {self.scope!r} names none", f"a {self.scope}", self.scope
            )
        begin, end = self.valid_from, self.valid_to
        if begin is not None and end is not None and end <= begin:
            raise contradiction(
                "what is so ends before it begins", "a time after valid_from", "valid_to"
            )
        return self


class MemoryProposed(_Proposal, wire="MemoryProposed", by="anyone", stream="memory/{role}"):
    """Somebody tells what models of a role should remember; it speaks of no person."""

    text: Text

    example: ClassVar[dict[str, Any]] = {
        "role": "support",
        "kind": "fact",
        "about": "product/refund-window",
        "text": "Refunds are possible within 30 days.",
    }


class PersonalMemoryProposed(
    _Proposal,
    wire="PersonalMemoryProposed",
    by="anyone",
    stream="memory/{role}",
    subject="subject",
):
    """Somebody tells what models of a role should remember about a person."""

    subject: Subject
    text: Annotated[str, Field(min_length=1, max_length=2000), Personal]

    example: ClassVar[dict[str, Any]] = {
        "role": "support",
        "subject": "customer-4711",
        "kind": "preference",
        "about": "contact",
        "text": "Wants to be called, not written to.",
    }


class MergeRequested(Request, wire="MergeRequested", by="anyone", stream="memory/{role}"):
    """Somebody, or a job that compares meanings, says that two memories are one."""

    role: Name
    item: Id
    into: Id

    example: ClassVar[dict[str, Any]] = {**_ITEM, "into": "0198"}


class EraseRequested(Request, wire="EraseRequested", by="anyone", stream="memory/{role}"):
    """Somebody wants memories gone: one, those of a session, or all learned from an event."""

    role: Name
    item: Id | None = None
    session: Name | None = None
    source: Id | None = None
    reason: Reason

    example: ClassVar[dict[str, Any]] = {**_ITEM, "reason": "it was wrong"}

    @model_validator(mode="after")
    def _names_one_thing(self) -> Self:
        if sum(one is not None for one in (self.item, self.session, self.source)) != 1:
            raise contradiction("it says not what is to be erased", "one of the three", "item")
        return self


class MemoryKept(Event, wire="MemoryKept", stream="memory/{role}"):
    """A memory was kept. It is so from `valid_from` on, and at `valid_to` no more."""

    role: Name
    item: Id
    scope: Scope
    model: Name | None = None
    session: Name | None = None
    kind: Kind
    about: About | None = None
    valid_from: Moment
    valid_to: Moment | None = None
    sealed: bool = False
    """It speaks of a person, whose key opens it."""

    example: ClassVar[dict[str, Any]] = {
        **_ITEM,
        "scope": "role",
        "kind": "fact",
        "valid_from": "2026-11-21T03:00:00Z",
    }


class MemorySuperseded(Event, wire="MemorySuperseded", stream="memory/{role}"):
    """Something newer was told about the same: this was so until `valid_to`."""

    role: Name
    item: Id
    by: Id
    valid_to: Moment

    example: ClassVar[dict[str, Any]] = {
        **_ITEM,
        "by": "019a",
        "valid_to": "2026-11-22T03:00:00Z",
    }


class MemoryMerged(Event, wire="MemoryMerged", stream="memory/{role}"):
    """The same was known already: one memory is left, and it has the sources of both."""

    role: Name
    item: Id
    into: Id
    of: Name
    """The role whose memory is left; another one where a learning came round again."""

    example: ClassVar[dict[str, Any]] = {**_ITEM, "into": "0198", "of": "support"}


class MemoryRefused(Event, wire="MemoryRefused", stream="memory/{role}", refusal=True):
    """A memory was not kept, or what was asked of one cannot be done."""

    role: Name
    item: Id
    """The event that was refused."""
    reason: Reason

    example: ClassVar[dict[str, Any]] = {**_ITEM, "reason": "no role is named 'support'"}


class MemoryExpired(Event, wire="MemoryExpired", stream="memory/{role}"):
    """The retention policy of the role put these out of its memory."""

    role: Name
    items: Ids
    rule: Literal["age", "count"]
    bound: float = Field(ge=0)
    """Days, or items, that the role allows."""

    example: ClassVar[dict[str, Any]] = {
        "role": "support",
        "items": ["0199"],
        "rule": "age",
        "bound": 90,
    }


class MemoryErased(Event, wire="MemoryErased", stream="memory/{role}"):
    """These were put out of the memory because somebody asked for it, or was forgotten."""

    role: Name
    items: Ids
    reason: Reason

    example: ClassVar[dict[str, Any]] = {
        "role": "support",
        "items": ["0199"],
        "reason": "the person was forgotten",
    }
