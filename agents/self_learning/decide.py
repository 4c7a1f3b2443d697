"""What self-learning answers: memories that are told, messages, learnings, sessions, time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from agents.agent import Agent, with_policy
from agents.self_learning import learning, remembering, sending, sessions
from agents.self_learning.retention import carried_out
from agents.self_learning.state import BEFORE, HEARS, INITIAL, State, evolve
from events.catalog.deadlines import DeadlinePassed
from events.catalog.learnings import (
    CollaborationRequested,
    ContributionMade,
    LearningOffered,
)
from events.catalog.memories import (
    EraseRequested,
    MemoryProposed,
    MergeRequested,
    PersonalMemoryProposed,
)
from events.catalog.messages import (
    MessageSent,
    ReplySent,
    SubscribeRequested,
    TopicPublished,
    UnsubscribeRequested,
)
from events.catalog.people import SubjectForgotten
from events.catalog.roles import RoleDefined
from events.fact import Fact
from events.message import Event

VERSION = "2"


def decide(state: State, told: Fact) -> Sequence[Event]:
    """What follows from a fact that `state` has already taken in."""
    match told.event:
        case MemoryProposed() | PersonalMemoryProposed() as event:
            return remembering.proposed(state, event, told)
        case MergeRequested() as event:
            return remembering.merge_asked(state, event, told)
        case EraseRequested() as event:
            return remembering.erase_asked(state, event, told)
        case SubjectForgotten():
            return remembering.forgotten(state, told.key_id)
        case RoleDefined(role=role):
            return carried_out(state, role, told.time)
        case DeadlinePassed(key=key, due=due):
            return _late(state, key, due, told)
        case _:
            return _said(state, told)


def _said(state: State, told: Fact) -> Sequence[Event]:
    match told.event:
        case MessageSent() as event:
            return sending.sent(state, event, told)
        case ReplySent() as event:
            return sending.replied(state, event, told)
        case SubscribeRequested() as event:
            return sending.subscribed(state, event)
        case UnsubscribeRequested() as event:
            return sending.unsubscribed(state, event)
        case TopicPublished() as event:
            return sending.published(state, event, told)
        case LearningOffered() as event:
            return learning.offered(state, event, told)
        case CollaborationRequested() as event:
            return sessions.asked(state, event, told)
        case ContributionMade() as event:
            return sessions.contributed(state, event, told)
        case _:
            return ()


def _late(state: State, key: str, due: datetime, told: Fact) -> Sequence[Event]:
    kind, _, name = key.partition("/")
    if kind + "/" == BEFORE and name in state.roles:
        return carried_out(state, name, max(due, told.time))
    if kind + "/" == sending.BEFORE:
        return sending.unanswered(state, name)
    if kind + "/" == sessions.BEFORE:
        return sessions.overdue(state, name, due, told)
    return ()


SELF_LEARNING: Agent[State] = Agent(
    name="self_learning",
    version=VERSION,
    initial=INITIAL,
    hears=HEARS,
    evolve=evolve,
    decide=decide,
    under=with_policy,
)
