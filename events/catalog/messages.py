"""What models say to each other: letters with or without a reply, and topics they listen to.

A member is a role, which stands for whichever model serves it, or one model of a role. What was
delivered to whom is a decision; the texts stand in what was sent. They are no place for what is
personal: nothing here is sealed.
"""

from typing import Annotated, Any, ClassVar

from pydantic import Field, StringConstraints

from events.catalog.memories import Id
from events.catalog.role_needs import distinct
from events.catalog.training import Reason
from events.message import Event, Moment, Request

Member = Annotated[
    str,
    StringConstraints(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}(/[A-Za-z0-9][A-Za-z0-9._-]{0,99})?$"
    ),
]
"""`ROLE`, or `ROLE/MODEL`."""
Topic = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,40}(\.[a-z0-9_-]{1,40}){0,7}$")]
Pattern = Annotated[
    str,
    StringConstraints(
        pattern=r"^(([a-z0-9_-]{1,40}|\*)(\.([a-z0-9_-]{1,40}|\*)){0,7}(\.>)?|>)$", max_length=400
    ),
]
"""A topic in which `*` stands for any one word, and a last `>` for all that follow."""
Words = Annotated[str, StringConstraints(min_length=1, max_length=8000, strip_whitespace=True)]

_FROM = {"sender": "support"}


class MessageSent(Request, wire="MessageSent", by="anyone", stream="inbox/{to}"):
    """A member says something to another one, and may want a reply within a time."""

    sender: Member
    to: Member
    text: Words
    reply_within_s: float | None = Field(default=None, ge=1, le=2_592_000)
    """Seconds; left out, no reply is waited for."""

    example: ClassVar[dict[str, Any]] = {
        **_FROM,
        "to": "billing",
        "text": "Which currencies do you take?",
        "reply_within_s": 60,
    }


class ReplySent(Request, wire="ReplySent", by="anyone", stream="message/{message}"):
    """A member answers a message that waits for it."""

    message: Id
    sender: Member
    text: Words

    example: ClassVar[dict[str, Any]] = {
        "message": "0199",
        "sender": "billing",
        "text": "Euros and dollars.",
    }


class MessageDelivered(Event, wire="MessageDelivered", stream="inbox/{to}"):
    """A message lies in the inbox of the one it was sent to."""

    message: Id
    sender: Member
    to: Member
    due: Moment | None = None
    """Until when a reply is waited for."""

    example: ClassVar[dict[str, Any]] = {**_FROM, "message": "0199", "to": "billing"}


class ReplyDelivered(Event, wire="ReplyDelivered", stream="inbox/{to}"):
    """A reply lies in the inbox of the one who asked."""

    message: Id
    reply: Id
    """The event that holds it."""
    sender: Member
    to: Member

    example: ClassVar[dict[str, Any]] = {
        "message": "0199",
        "reply": "019a",
        "sender": "billing",
        "to": "support",
    }


class MessageUnanswered(Event, wire="MessageUnanswered", stream="inbox/{sender}"):
    """No reply came in time; none is taken any more."""

    message: Id
    sender: Member
    to: Member

    example: ClassVar[dict[str, Any]] = {**_FROM, "message": "0199", "to": "billing"}


class MessageRefused(Event, wire="MessageRefused", stream="inbox/{sender}", refusal=True):
    """What a member said was not delivered."""

    message: Id
    sender: Member
    reason: Reason

    example: ClassVar[dict[str, Any]] = {
        **_FROM,
        "message": "0199",
        "reason": "no role is named 'biling'",
    }


class SubscribeRequested(
    Request, wire="SubscribeRequested", by="anyone", stream="subscriptions/{member}"
):
    """A member wants to hear what is published under these topics."""

    member: Member
    topic: Pattern

    example: ClassVar[dict[str, Any]] = {"member": "support", "topic": "products.>"}


class UnsubscribeRequested(
    Request, wire="UnsubscribeRequested", by="anyone", stream="subscriptions/{member}"
):
    """A member wants to hear of these topics no more."""

    member: Member
    topic: Pattern

    example: ClassVar[dict[str, Any]] = {"member": "support", "topic": "products.>"}


class Subscribed(Event, wire="Subscribed", stream="subscriptions/{member}"):
    """From here on a member hears what is published under these topics."""

    member: Member
    topic: Pattern

    example: ClassVar[dict[str, Any]] = {"member": "support", "topic": "products.>"}


class Unsubscribed(Event, wire="Unsubscribed", stream="subscriptions/{member}"):
    """From here on a member hears of these topics no more."""

    member: Member
    topic: Pattern

    example: ClassVar[dict[str, Any]] = {"member": "support", "topic": "products.>"}


class SubscriptionRefused(
    Event, wire="SubscriptionRefused", stream="subscriptions/{member}", refusal=True
):
    """A subscription is as it was."""

    member: Member
    topic: Pattern
    reason: Reason

    example: ClassVar[dict[str, Any]] = {
        "member": "suport",
        "topic": "products.>",
        "reason": "no role is named 'suport'",
    }


class TopicPublished(Request, wire="TopicPublished", by="anyone", stream="topic/{topic}"):
    """A member says something to whoever listens to a topic."""

    sender: Member
    topic: Topic
    text: Words

    example: ClassVar[dict[str, Any]] = {
        **_FROM,
        "topic": "products.kettle",
        "text": "The lid of the new kettle is often returned.",
    }


class TopicDelivered(Event, wire="TopicDelivered", stream="topic/{topic}"):
    """What was published lies in the inboxes of those who listen."""

    message: Id
    sender: Member
    topic: Topic
    to: Annotated[tuple[Member, ...], Field(max_length=1000), distinct()]
    left_out: int = Field(default=0, ge=0)
    """Listeners beyond the most that one message is delivered to."""

    example: ClassVar[dict[str, Any]] = {
        **_FROM,
        "message": "0199",
        "topic": "products.kettle",
        "to": ["billing"],
    }
