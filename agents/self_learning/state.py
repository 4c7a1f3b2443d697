"""What self-learning knows: roles and what they may keep, memories, listeners, open talks."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple, TypeVar

from agents.agent import hears
from agents.self_learning.items import (
    Items,
    item_of,
    item_of_learning,
    merged,
    taken,
    without,
)
from agents.self_learning.relevance import Interest, spoken_of
from agents.self_learning.talks import Talk, begun, heard
from events.catalog.deadlines import DeadlineLifted, DeadlinePassed, DeadlineSet
from events.catalog.learnings import (
    CollaborationAbandoned,
    CollaborationBegun,
    CollaborationConcluded,
    CollaborationRequested,
    ContributionMade,
    ContributionRefused,
    ContributionTaken,
    LearningBroadcast,
    LearningOffered,
    RoundOpened,
)
from events.catalog.memories import (
    EraseRequested,
    MemoryErased,
    MemoryExpired,
    MemoryKept,
    MemoryMerged,
    MemoryProposed,
    MemoryRefused,
    MemorySuperseded,
    MergeRequested,
    PersonalMemoryProposed,
)
from events.catalog.messages import (
    MessageDelivered,
    MessageSent,
    MessageUnanswered,
    ReplyDelivered,
    ReplySent,
    Subscribed,
    SubscribeRequested,
    TopicPublished,
    Unsubscribed,
    UnsubscribeRequested,
)
from events.catalog.people import SubjectForgotten
from events.catalog.policies import PolicyAdopted, SelfLearningPolicy
from events.catalog.role_needs import Memory
from events.catalog.roles import RoleDefined, RoleRetired
from events.fact import Fact, decided
from events.message import Event

T = TypeVar("T")

HEARS = hears(
    RoleDefined, RoleRetired, PolicyAdopted, SubjectForgotten,
    DeadlineSet, DeadlineLifted, DeadlinePassed,
    MemoryProposed, PersonalMemoryProposed, MergeRequested, EraseRequested,
    MemoryKept, MemorySuperseded, MemoryMerged, MemoryRefused, MemoryExpired, MemoryErased,
    MessageSent, ReplySent, MessageDelivered, ReplyDelivered, MessageUnanswered,
    SubscribeRequested, UnsubscribeRequested, Subscribed, Unsubscribed, TopicPublished,
    LearningOffered, LearningBroadcast, CollaborationRequested, CollaborationBegun, RoundOpened,
    ContributionMade, ContributionTaken, ContributionRefused, CollaborationConcluded,
    CollaborationAbandoned,
)  # fmt: skip


class Role(NamedTuple):
    """A role, as far as its memory and its interests go."""

    words: tuple[str, ...]
    parent: str = ""
    memory: Memory = Memory()
    retired: bool = False


class Waiting(NamedTuple):
    """A message that waits for its reply."""

    sender: str
    to: str


class State(NamedTuple):
    """All of it."""

    roles: dict[str, Role]
    items: dict[str, Items]
    """Memories by role; those of a role that was retired are kept by its last profile."""
    due: dict[str, datetime]
    """When the oldest memory of a role comes to its end."""
    topics: dict[str, tuple[str, ...]]
    """By member, the patterns that it listens to."""
    waiting: dict[str, Waiting]
    talks: dict[str, Talk]
    policy: SelfLearningPolicy

    def interests(self) -> dict[str, Interest]:
        """Of every role at work. A model listens for its role."""
        topics: dict[str, tuple[str, ...]] = {}
        for member, patterns in self.topics.items():
            role = member.partition("/")[0]
            topics[role] = (*topics.get(role, ()), *patterns)
        return {
            name: Interest(role.words, role.parent, topics.get(name, ()))
            for name, role in self.roles.items()
            if not role.retired
        }

    def working(self) -> list[str]:
        """The roles at work."""
        return [name for name, role in self.roles.items() if not role.retired]


INITIAL = State({}, {}, {}, {}, {}, {}, SelfLearningPolicy())
BEFORE = "memory/"
"""With this begins the key of a deadline for the memory of a role."""


def evolve(state: State, told: Fact) -> State:
    """The state that has taken one more fact in."""
    match told.event:
        case RoleDefined(role=name, profile=profile):
            role = Role(spoken_of(profile), profile.parent or "", profile.memory)
            return state._replace(roles={**state.roles, name: role})
        case RoleRetired(role=name) if name in state.roles:
            retired = state.roles[name]._replace(retired=True)
            return state._replace(roles={**state.roles, name: retired})
        case PolicyAdopted(policy=SelfLearningPolicy() as policy):
            return state._replace(policy=policy)
        case DeadlineSet() | DeadlineLifted() | DeadlinePassed():
            return _awaited(state, told)
        case (
            MemoryProposed()
            | PersonalMemoryProposed()
            | LearningBroadcast()
            | MemoryKept()
            | MemorySuperseded()
            | MemoryMerged()
            | MemoryRefused()
            | MemoryExpired()
            | MemoryErased()
        ):
            return _remembered(state, told)
        case (
            Subscribed()
            | Unsubscribed()
            | MessageDelivered()
            | ReplyDelivered()
            | MessageUnanswered()
        ):
            return _said(state, told)
        case _:
            return _talked(state, told)


def following(state: State, told: Fact, decisions: Iterable[Event]) -> State:
    """The state behind some decisions on a fact, before they are said."""
    for event in decisions:
        if event.wire in HEARS:
            state = evolve(state, decided(event, "", told, ""))
    return state


def _awaited(state: State, told: Fact) -> State:
    match told.event:
        case DeadlineSet(key=key, due=due) if key.startswith(BEFORE):
            return state._replace(due={**state.due, key.removeprefix(BEFORE): due})
        case DeadlineLifted(key=key) if key.startswith(BEFORE):
            return state._replace(due=_without(state.due, key.removeprefix(BEFORE)))
        case DeadlinePassed(key=key, due=due) if state.due.get(key.removeprefix(BEFORE)) == due:
            return state._replace(due=_without(state.due, key.removeprefix(BEFORE)))
        case _:
            return state


def _remembered(state: State, told: Fact) -> State:
    event = told.event
    role: str = getattr(event, "role", "")
    if role not in state.roles:  # nothing is kept of those that never were
        return state
    items = state.items.get(role, {})
    match event:
        case MemoryProposed() | PersonalMemoryProposed():
            items = {**items, told.id: item_of(event, told)}
        case LearningBroadcast(learning=name):
            items = {**items, name: item_of_learning(event, told)}
        case MemoryMerged(item=name, into=into, of=other):
            told_one = items.get(name)
            sources = (name, *told_one.sources) if told_one else (name,)
            state = state._replace(items={**state.items, role: without(items, (name,))})
            there = merged(state.items.get(other, {}), into, sources)
            return state._replace(items={**state.items, other: there})
        case _:
            items = taken(items, told)
    return state._replace(items={**state.items, role: items})


def _said(state: State, told: Fact) -> State:
    match told.event:
        case Subscribed(member=member, topic=topic):
            patterns = (*state.topics.get(member, ()), topic)
            return state._replace(topics={**state.topics, member: patterns})
        case Unsubscribed(member=member, topic=topic):
            left = tuple(one for one in state.topics.get(member, ()) if one != topic)
            topics = _without(state.topics, member)
            return state._replace(topics={**topics, member: left} if left else topics)
        case MessageDelivered(message=message, sender=sender, to=to, due=due) if due is not None:
            return state._replace(waiting={**state.waiting, message: Waiting(sender, to)})
        case ReplyDelivered(message=message) | MessageUnanswered(message=message):
            return state._replace(waiting=_without(state.waiting, message))
        case _:
            return state


def _talked(state: State, told: Fact) -> State:
    match told.event:
        case CollaborationBegun(collaboration=name) as event:
            return state._replace(talks={**state.talks, name: begun(event)})
        case (
            CollaborationConcluded(collaboration=name) | CollaborationAbandoned(collaboration=name)
        ):
            return state._replace(talks=_without(state.talks, name))
        case (
            RoundOpened(collaboration=name)
            | ContributionMade(collaboration=name)
            | ContributionTaken(collaboration=name)
            | ContributionRefused(collaboration=name)
        ) if name in state.talks:
            return state._replace(talks={**state.talks, name: heard(state.talks[name], told)})
        case _:
            return state


def _without(known: dict[str, T], name: str) -> dict[str, T]:
    return {key: one for key, one in known.items() if key != name}
