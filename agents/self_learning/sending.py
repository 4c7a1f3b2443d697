"""Messages between members: who gets what, who waits for a reply, who listens to which topic."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from agents.self_learning.relevance import interested
from agents.self_learning.remembering import not_at_work
from agents.self_learning.state import State
from events.catalog.deadlines import DeadlineLifted, DeadlineSet
from events.catalog.messages import (
    MessageDelivered,
    MessageRefused,
    MessageSent,
    MessageUnanswered,
    ReplyDelivered,
    ReplySent,
    Subscribed,
    SubscribeRequested,
    SubscriptionRefused,
    TopicDelivered,
    TopicPublished,
    Unsubscribed,
    UnsubscribeRequested,
)
from events.fact import Fact
from events.message import Event

BEFORE = "message/"
"""With this begins the key of a deadline for a reply."""


def sent(state: State, event: MessageSent, told: Fact) -> Sequence[Event]:
    """A message is delivered, or refused with a reason."""
    wanted = event.reply_within_s
    reason = not_a_member(state, event.sender) or not_a_member(state, event.to)
    if not reason and event.sender == event.to:
        reason = "nobody writes to itself"
    if not reason and wanted is not None:
        role = role_of(event.to)
        open_ones = sum(1 for one in state.waiting.values() if role_of(one.to) == role)
        if open_ones >= state.policy.open_messages:
            reason = f"{open_ones} messages wait for a reply of {role!r} already"
    if reason:
        return (MessageRefused(message=told.id, sender=event.sender, reason=reason),)
    due = None if wanted is None else told.time + timedelta(seconds=wanted)
    delivered = MessageDelivered(message=told.id, sender=event.sender, to=event.to, due=due)
    if due is None:
        return (delivered,)
    return (delivered, DeadlineSet(key=BEFORE + told.id, due=due))


def replied(state: State, event: ReplySent, told: Fact) -> Sequence[Event]:
    """A reply is delivered while it is waited for, and only from the one who was asked."""
    waiting = state.waiting.get(event.message)
    if waiting is None:
        reason = "no message of this id waits for a reply; its time may have passed"
    elif event.sender != waiting.to and role_of(event.sender) != waiting.to:
        reason = f"the message was sent to {waiting.to!r}, not to {event.sender!r}"
    else:
        reply = ReplyDelivered(
            message=event.message, reply=told.id, sender=event.sender, to=waiting.sender
        )
        return (reply, DeadlineLifted(key=BEFORE + event.message))
    return (MessageRefused(message=told.id, sender=event.sender, reason=reason),)


def unanswered(state: State, message: str) -> Sequence[Event]:
    """The time for a reply is over."""
    waiting = state.waiting.get(message)
    if waiting is None:
        return ()
    return (MessageUnanswered(message=message, sender=waiting.sender, to=waiting.to),)


def subscribed(state: State, event: SubscribeRequested) -> Sequence[Event]:
    """A member listens from here on."""
    role, reason = role_of(event.member), not_a_member(state, event.member)
    if not reason and event.topic in state.topics.get(event.member, ()):
        reason = "it listens to this already"
    many = sum(len(asked) for one, asked in state.topics.items() if role_of(one) == role)
    if not reason and many >= state.policy.subscriptions:
        reason = f"{role!r} and its models listen to {many} topics, and may to no more"
    if reason:
        return (SubscriptionRefused(member=event.member, topic=event.topic, reason=reason),)
    return (Subscribed(member=event.member, topic=event.topic),)


def unsubscribed(state: State, event: UnsubscribeRequested) -> Sequence[Event]:
    """A member listens no more."""
    if event.topic in state.topics.get(event.member, ()):
        return (Unsubscribed(member=event.member, topic=event.topic),)
    reason = "it does not listen to this"
    return (SubscriptionRefused(member=event.member, topic=event.topic, reason=reason),)


def published(state: State, event: TopicPublished, told: Fact) -> Sequence[Event]:
    """Whoever listens gets it, but for the sender."""
    reason = not_a_member(state, event.sender)
    if reason:
        return (MessageRefused(message=told.id, sender=event.sender, reason=reason),)
    listeners = [
        member
        for member in interested(state.topics.items(), event.topic)
        if member != event.sender and not not_a_member(state, member)
    ]
    most = state.policy.recipients
    return (
        TopicDelivered(
            message=told.id,
            sender=event.sender,
            topic=event.topic,
            to=tuple(listeners[:most]),
            left_out=max(0, len(listeners) - most),
        ),
    )


def not_a_member(state: State, member: str) -> str:
    """Why this is no member, or nothing."""
    return not_at_work(state, role_of(member))


def role_of(member: str) -> str:
    """The role that a member is, or belongs to."""
    return member.partition("/")[0]
