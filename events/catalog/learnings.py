"""What models learn from and with each other: learnings that are broadcast, sessions in rounds."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, StringConstraints

from events.catalog.memories import Id, Sources, Tags, Text
from events.catalog.messages import Member, Words
from events.catalog.role_needs import Share, distinct
from events.catalog.training import Reason
from events.message import Event, Moment, Name, Request, Value

Choice = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Aggregate = Literal["majority", "lead", "surest"]
Round = Annotated[int, Field(ge=1, le=10)]

_SESSION = {"collaboration": "7f3a"}
_LEARNED = {"text": "Ask for the order number before the name.", "tags": ["orders"]}


class Relevance(Value):
    """How much a learning matters to a role, from 0 to 1, and why."""

    role: Name
    score: Share
    because: Literal["words", "subscription", "parent"]
    """Words that both share, a topic that the role listens to, or that it learns from the other."""


class LearningOffered(Request, wire="LearningOffered", by="anyone", stream="learning/{role}"):
    """A model of a role says what it has learned, for whomever it may help."""

    role: Name
    model: Name | None = None
    text: Text
    tags: Tags = ()
    confidence: Share = 1.0
    sources: Sources = ()

    example: ClassVar[dict[str, Any]] = {"role": "support", **_LEARNED}


class LearningRefused(Event, wire="LearningRefused", stream="learning/{role}", refusal=True):
    """A learning was not passed on."""

    role: Name
    reason: Reason

    example: ClassVar[dict[str, Any]] = {"role": "suport", "reason": "no role is named 'suport'"}


class LearningBroadcast(Event, wire="LearningBroadcast", stream="learning/{role}"):
    """A learning was passed on to the roles for which it is relevant, and to no other."""

    learning: Id
    role: Name
    """Whose learning it is."""
    model: Name | None = None
    text: Text
    tags: Tags = ()
    confidence: Share
    sources: Sources = ()
    recipients: Annotated[tuple[Relevance, ...], Field(max_length=1000), distinct("role")]
    missed: Annotated[tuple[Relevance, ...], Field(max_length=5)] = ()
    """The best of those who were below the threshold."""
    considered: int = Field(ge=0)
    """Roles that were looked at."""
    threshold: Share
    left_out: int = Field(default=0, ge=0)
    """Relevant roles beyond the most that one learning is passed on to."""

    example: ClassVar[dict[str, Any]] = {
        "learning": "0199",
        "role": "support",
        **_LEARNED,
        "confidence": 0.9,
        "recipients": [{"role": "billing", "score": 0.62, "because": "words"}],
        "considered": 3,
        "threshold": 0.25,
    }


class Participant(Value):
    """A member of a session, and the part that it plays there."""

    member: Member
    part: Literal["lead", "contributor", "critic"] = "contributor"


class Lesson(Value):
    """What a contribution says has been learned."""

    text: Text
    tags: Tags = ()


class CollaborationRequested(
    Request,
    wire="CollaborationRequested",
    by="anyone",
    stream="collaborations/asked",
):
    """Somebody wants a task done by several models together."""

    task: Words
    participants: Annotated[tuple[Participant, ...], Field(max_length=32), distinct("member")] = ()
    """One of them leads. None named, the roles are taken for which the task is most relevant."""
    rounds: Round = 2
    round_minutes: float = Field(default=30.0, ge=0.1, le=10_000)
    """What has not been said by then is not waited for."""
    aggregate: Aggregate = "majority"
    """The choice with the most confidence behind it, what the lead says, or who is surest."""

    example: ClassVar[dict[str, Any]] = {
        "task": "Which of the three drafts is the best?",
        "participants": [
            {"member": "support", "part": "lead"},
            {"member": "billing", "part": "critic"},
        ],
    }


class CollaborationRefused(
    Event, wire="CollaborationRefused", stream="collaborations/asked", refusal=True
):
    """A session was not begun."""

    reason: Reason

    example: ClassVar[dict[str, Any]] = {"reason": "nobody leads it"}


class CollaborationBegun(Event, wire="CollaborationBegun", stream="collaboration/{collaboration}"):
    """A session began."""

    collaboration: Name
    task: Words
    participants: tuple[Participant, ...]
    rounds: Round
    round_minutes: float
    aggregate: Aggregate

    example: ClassVar[dict[str, Any]] = {
        **_SESSION,
        **CollaborationRequested.example,
        "rounds": 2,
        "round_minutes": 30,
        "aggregate": "majority",
    }


class RoundOpened(Event, wire="RoundOpened", stream="collaboration/{collaboration}"):
    """All participants are asked; what was said before is there for them to read."""

    collaboration: Name
    round: Round
    due: Moment

    example: ClassVar[dict[str, Any]] = {**_SESSION, "round": 1, "due": "2026-11-21T03:30:00Z"}


class ContributionMade(
    Request, wire="ContributionMade", by="anyone", stream="collaboration/{collaboration}"
):
    """A participant says what it thinks in this round, and what it has learned."""

    collaboration: Name
    round: Round
    member: Member
    text: Words
    choice: Choice | None = None
    """Its answer in a word or a line, to be counted; left out, the text itself."""
    confidence: Share = 0.5
    learnings: Annotated[tuple[Lesson, ...], Field(max_length=8)] = ()

    example: ClassVar[dict[str, Any]] = {
        **_SESSION,
        "round": 1,
        "member": "billing",
        "text": "The second one names the price.",
        "choice": "second",
        "confidence": 0.8,
        "learnings": [_LEARNED],
    }


class ContributionTaken(Event, wire="ContributionTaken", stream="collaboration/{collaboration}"):
    """A contribution counts."""

    collaboration: Name
    round: Round
    member: Member

    example: ClassVar[dict[str, Any]] = {**_SESSION, "round": 1, "member": "billing"}


class ContributionRefused(
    Event,
    wire="ContributionRefused",
    stream="collaboration/{collaboration}",
    refusal=True,
):
    """A contribution does not count."""

    collaboration: Name
    member: Member
    reason: Reason

    example: ClassVar[dict[str, Any]] = {
        **_SESSION,
        "member": "billing",
        "reason": "round 1 is over",
    }


class Learned(Value):
    """A learning that came out of a session, and how many of it say so."""

    text: Text
    tags: Tags = ()
    by: tuple[Member, ...]
    broadcast: bool
    """Whether enough participants, or the lead, stand behind it for it to be passed on."""


class CollaborationConcluded(
    Event, wire="CollaborationConcluded", stream="collaboration/{collaboration}"
):
    """A session came to a result."""

    collaboration: Name
    result: Words
    choice: Choice | None = None
    by: Member
    """Who said it."""
    aggregate: Aggregate
    support: Share
    """The share of the participants' confidence that stands behind it."""
    rounds: Round
    """Rounds that were held."""
    silent: tuple[Member, ...] = ()
    """Participants who never said anything."""
    learnings: Annotated[tuple[Learned, ...], Field(max_length=64)] = ()

    example: ClassVar[dict[str, Any]] = {
        **_SESSION,
        "result": "The second one names the price.",
        "choice": "second",
        "by": "billing",
        "aggregate": "majority",
        "support": 0.8,
        "rounds": 1,
    }


class CollaborationAbandoned(
    Event, wire="CollaborationAbandoned", stream="collaboration/{collaboration}"
):
    """A session came to no result."""

    collaboration: Name
    reason: Reason

    example: ClassVar[dict[str, Any]] = {**_SESSION, "reason": "nobody said anything"}
